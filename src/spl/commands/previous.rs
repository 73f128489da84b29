//! Commands that look at the rows before: `accum`, `delta`, `autoregress`, `filldown`, `uniq`.
use super::dedup::picked;
use super::options::Options;
use super::whole::with_columns;
use crate::diagnostic::{Diagnostic, Fault, Result};
use crate::functions::Context;
use crate::plan::TableOperation;
use crate::spl::ast::Command;
use crate::spl::lower::{Lower, Lowering, Rows};
use crate::spl::parse::Reader;
use crate::types::field::{FieldBuilder, Number, Numbers};
use crate::types::intern::Interner;
use crate::types::{Column, Kind, Name, Table};
use std::sync::Arc;

/// How far back `autoregress` may look, and how many fields it may make.
const MOST_BACK: u64 = 1000;

fn accum(lowering: &mut Lowering, command: &Command, rows: Rows) -> Lower<Rows> {
    let mut reader = Reader::new(command);
    let field = reader.needed_field()?;
    let name = if reader.eat_word("as") { reader.needed_field()? } else { field.clone() };
    reader.finish()?;
    made(lowering, rows, &field.text, vec![(name.text.as_str().into(), Made::Total)])
}

fn delta(lowering: &mut Lowering, command: &Command, rows: Rows) -> Lower<Rows> {
    let mut reader = Reader::new(command);
    let field = reader.needed_field()?;
    let mut options = Options::read(&mut reader, &["p"])?;
    let alias = if reader.eat_word("as") { Some(reader.needed_field()?.text) } else { None };
    options.read_more(&mut reader, &["p"])?;
    reader.finish()?;
    let back = options.count("p")?.unwrap_or(1).max(1) as usize;
    let name = alias.unwrap_or_else(|| format!("delta({})", field.text));
    made(lowering, rows, &field.text, vec![(name.into(), Made::Difference(back))])
}

fn autoregress(lowering: &mut Lowering, command: &Command, rows: Rows) -> Lower<Rows> {
    let mut reader = Reader::new(command);
    let field = reader.needed_field()?;
    let alias = if reader.eat_word("as") { Some(reader.needed_field()?.text) } else { None };
    let options = Options::read(&mut reader, &["p"])?;
    reader.finish()?;
    let text = options.text("p").unwrap_or("1");
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let ends = first.trim().parse::<u64>().ok().zip(last.trim().parse::<u64>().ok());
    let Some((first, last)) = ends.filter(|(first, last)| *first >= 1 && first <= last && *last <= MOST_BACK) else {
        let place = options.word("p").map_or(command.span, |word| word.span);
        let said = Diagnostic::error("HP504", format!("`p` is how far back to look, at most {MOST_BACK}: 1 or 1-3"));
        return Err(said.at(place).into());
    };
    if alias.is_some() && first < last {
        let said = Diagnostic::error("HP504", "`as` names one field, and `p` makes several").at(command.span);
        return Err(said.into());
    }
    let name = |back: u64| alias.clone().unwrap_or_else(|| format!("{}_p{back}", field.text));
    let columns = (first..=last).map(|back| (name(back).into(), Made::Earlier(back as usize))).collect();
    made(lowering, rows, &field.text, columns)
}

fn filldown(lowering: &mut Lowering, command: &Command, rows: Rows) -> Lower<Rows> {
    let mut reader = Reader::new(command);
    let fields = reader.fields(&[])?;
    reader.finish()?;
    let names: Vec<Name> = match fields.is_empty() {
        true => rows.plain_names().cloned().collect(),
        false => rows.matching_any(fields.iter().map(|word| word.text.as_str())),
    };
    let mut rows = rows;
    for name in names.into_iter().filter(|name| rows.has(name)).collect::<Vec<_>>() {
        rows = made(lowering, rows, &name.clone(), vec![(name, Made::Latest)])?;
    }
    Ok(rows)
}

fn uniq(lowering: &mut Lowering, command: &Command, rows: Rows) -> Lower<Rows> {
    Reader::new(command).finish()?;
    let schema = rows.schema.clone();
    Ok(lowering.operation(&[&rows], Arc::new(Changes), schema))
}

/// What is made of a field and of its values in the rows before.
#[derive(Clone, Copy, Debug)]
enum Made {
    /// The sum so far.
    Total,
    /// What it has grown by since so many rows before.
    Difference(usize),
    /// Its value so many rows before.
    Earlier(usize),
    /// Its latest value.
    Latest,
}

fn made(lowering: &mut Lowering, rows: Rows, field: &str, columns: Vec<(Name, Made)>) -> Lower<Rows> {
    let mut schema = rows.schema.clone();
    rows.has(field);
    columns.iter().for_each(|(name, _)| schema.set(name.clone(), Kind::Field));
    let operation = OfPrevious { field: field.into(), columns };
    Ok(lowering.operation(&[&rows], Arc::new(operation), schema))
}

#[derive(Debug)]
struct OfPrevious {
    field: Name,
    columns: Vec<(Name, Made)>,
}

impl TableOperation for OfPrevious {
    fn name(&self) -> &str {
        "previous rows"
    }

    fn run(&self, _: &Context, inputs: &[Table]) -> Result<Table> {
        let [table] = inputs else { return Err(Fault::internal("this has one input")) };
        let column = table.column_named(&self.field).unwrap_or(Column::nulls(Kind::Field, table.rows()));
        let columns = self.columns.iter().map(|(name, made)| (name.clone(), made.of(&column))).collect();
        Ok(with_columns(table, columns))
    }
}

impl Made {
    fn of(self, column: &Column) -> Column {
        let numbers = Numbers::of(column);
        let mut out = FieldBuilder::new(Some(column), column.len());
        let (mut total, mut latest) = (Number::Long(0), None);
        for row in 0..column.len() {
            let number = numbers.get(row);
            latest = if column.is_null(row) { latest } else { Some(row) };
            let push = |number: Option<Number>, out: &mut FieldBuilder| match number {
                Some(number) => out.push_number(number),
                None => out.push_null(),
            };
            match self {
                Made::Total => {
                    total = number.map_or(total, |number| sum(total, number));
                    push(number.map(|_| total), &mut out);
                }
                Made::Difference(back) => {
                    let before = row.checked_sub(back).and_then(|row| numbers.get(row));
                    push(number.zip(before).map(|(now, before)| difference(now, before)), &mut out);
                }
                Made::Earlier(back) => match row.checked_sub(back) {
                    Some(row) => out.push_row(column, row),
                    None => out.push_null(),
                },
                Made::Latest => match latest {
                    Some(row) => out.push_row(column, row),
                    None => out.push_null(),
                },
            }
        }
        out.finish()
    }
}

fn sum(a: Number, b: Number) -> Number {
    let whole = a.long().zip(b.long()).and_then(|(a, b)| a.checked_add(b));
    whole.map_or_else(|| Number::Real(crate::types::field::without_noise(a.real() + b.real())), Number::Long)
}

fn difference(a: Number, b: Number) -> Number {
    let whole = a.long().zip(b.long()).and_then(|(a, b)| a.checked_sub(b));
    whole.map_or_else(|| Number::Real(crate::types::field::without_noise(a.real() - b.real())), Number::Long)
}

/// The rows that differ from the one before.
#[derive(Debug)]
struct Changes;

impl TableOperation for Changes {
    fn name(&self) -> &str {
        "uniq"
    }

    fn run(&self, _: &Context, inputs: &[Table]) -> Result<Table> {
        let [table] = inputs else { return Err(Fault::internal("`uniq` has one input")) };
        let columns: Vec<Vec<u32>> =
            (0..table.schema().len()).map(|at| Interner::new(Kind::Field).numbers(&table.column(at))).collect();
        let differs = |row: usize| row == 0 || columns.iter().any(|column| column.get(row) != column.get(row - 1));
        let rows: Vec<u32> = (0..table.rows()).filter(|row| differs(*row)).map(|row| row as u32).collect();
        Ok(picked(table, &rows))
    }
}

crate::command! {
    /// The sum of a field up to each row, in its place or under another name. Rows in which it is no number get none.
    ///
    /// Source: accum.
    ///
    /// ```spl
    /// | makeresults count=3 | eval n=2 | accum n as total | stats max(total) // 6
    /// ```
    "accum": "accum <field> [as <field>]" = Rows(accum);

    /// What a number has grown by since the row before, or since as many rows before as `p` says.
    ///
    /// Source: delta.
    ///
    /// ```spl
    /// | makeresults count=3 | streamstats count as n | eval n=n*n | delta n as step | stats max(step) // 5
    /// ```
    "delta": "delta <field> [as <field>] [p=<count>]" = Rows(delta);

    /// A field's value in the row before, or in those as far before as `p` says: `1`, `1-3`.
    ///
    /// Source: autoregress.
    ///
    /// ```spl
    /// | makeresults count=3 | streamstats count as n | autoregress n p=1-2 | where n=3 | table n_p1 n_p2 // [2,1]
    /// ```
    "autoregress": "autoregress <field> [as <field>] [p=<count or range>]" = Rows(autoregress);

    /// Puts the latest value of a field where it is absent: of the fields named, or of all.
    ///
    /// Source: filldown.
    ///
    /// ```spl
    /// | makeresults count=3 | streamstats count as n | eval x=if(n=1, "a", null()) | filldown x | stats count(x) // 3
    /// ```
    "filldown": "filldown [<field>...]" = Rows(filldown);

    /// Leaves out rows that are equal to the one before in every field.
    ///
    /// Source: uniq.
    ///
    /// ```spl
    /// | makeresults count=3 | uniq | stats count // 1
    /// ```
    "uniq": "uniq" = Rows(uniq);
}

//! `top`, `rare`: the most and the least frequent values.
use super::options::Options;
use crate::diagnostic::{Diagnostic, Fault, Result};
use crate::functions::{Context, Dialect, aggregates};
use crate::plan::{AggregateCall, TableOperation};
use crate::spl::ast::Command;
use crate::spl::lower::{Aggregated, Aggregation, Lower, Lowering, Rows};
use crate::spl::parse::Reader;
use crate::types::field::{self, FieldBuilder, Number};
use crate::types::number::round;
use crate::types::{Chunk, Column, Kind, Name, Schema, Stored, Table, Value, gather};
use std::collections::HashMap;
use std::sync::Arc;

const OPTIONS: [&str; 8] =
    ["limit", "countfield", "percentfield", "showcount", "showperc", "useother", "otherstr", "showpercent"];
const DEFAULT_LIMIT: u64 = 10;
/// Decimals of a share in percent.
const SHARE_DECIMALS: i64 = 6;

fn top(lowering: &mut Lowering, command: &Command, rows: Rows) -> Lower<Rows> {
    lower(lowering, command, rows, false)
}

fn rare(lowering: &mut Lowering, command: &Command, rows: Rows) -> Lower<Rows> {
    lower(lowering, command, rows, true)
}

fn lower(lowering: &mut Lowering, command: &Command, rows: Rows, rare: bool) -> Lower<Rows> {
    let mut reader = Reader::new(command);
    let mut options = Options::read(&mut reader, &OPTIONS)?;
    let before = reader.position();
    let number = reader.word().filter(|word| !word.quoted).and_then(|word| word.text.parse::<u64>().ok());
    if number.is_none() {
        reader.back_to(before);
    }
    let mut fields: Vec<Name> = Vec::new();
    let mut by: Vec<Name> = Vec::new();
    loop {
        options.read_more(&mut reader, &OPTIONS)?;
        while reader.eat(",") {}
        if reader.at_end() {
            break;
        }
        if reader.eat_word("by") {
            by = reader.fields(&[])?.iter().map(|word| word.text.as_str().into()).collect();
            continue;
        }
        fields.push(reader.needed_field()?.text.as_str().into());
    }
    if fields.is_empty() {
        let said = Diagnostic::error("HP504", format!("`{}` needs a field", command.name.text)).at(command.span);
        return Err(said.into());
    }
    let shows = |name: &str| Ok::<_, crate::spl::lower::Halt>(options.flag(name)?.unwrap_or(true));
    let name = |option: &str, otherwise: &str| Name::from(options.text(option).unwrap_or(otherwise));
    let frequent = Frequent {
        by: by.len(),
        fields: fields.len(),
        rare,
        limit: options.count("limit")?.or(number).unwrap_or(DEFAULT_LIMIT),
        count: shows("showcount")?.then(|| name("countfield", "count")),
        percent: (shows("showperc")? && shows("showpercent")?).then(|| name("percentfield", "percent")),
        other: options.flag("useother")?.unwrap_or(false).then(|| name("otherstr", "OTHER")),
    };
    let groups: Vec<Name> = by.into_iter().chain(fields).collect();
    let counted = Aggregation { calls: vec![count(lowering.hidden("count"))?], by: groups.clone() };
    let made = lowering.groups(&rows, &counted)?;
    let more = frequent.count.iter().chain(&frequent.percent);
    let schema: Schema = groups.iter().chain(more).map(|name| (name.clone(), Kind::Field)).collect();
    Ok(lowering.operation(&[&made], Arc::new(frequent), schema))
}

fn count(name: Name) -> Lower<Aggregated> {
    let function = aggregates::find(Dialect::Spl, "count")
        .ok_or_else(|| Diagnostic::error("HP900", "the library lacks the aggregate `count`"))?;
    let call = AggregateCall { function, arguments: Vec::new(), condition: None, kind: Kind::Field };
    Ok(Aggregated { name, call })
}

/// Chooses the most or the least frequent rows of each group, and gives each its share.
#[derive(Debug)]
struct Frequent {
    /// The first columns are those of the groups, then those of the values, then the count.
    by: usize,
    fields: usize,
    rare: bool,
    /// 0 for all.
    limit: u64,
    count: Option<Name>,
    percent: Option<Name>,
    other: Option<Name>,
}

/// A row of the answer: of the input, or the sum of the rows that are left out of a group.
struct Line {
    row: u32,
    count: i64,
    total: i64,
    other: bool,
}

impl TableOperation for Frequent {
    fn name(&self) -> &str {
        if self.rare { "rare" } else { "top" }
    }

    fn run(&self, _: &Context, inputs: &[Table]) -> Result<Table> {
        let [table] = inputs else { return Err(Fault::internal("`top` has one input")) };
        let lines = self.lines(table);
        let rows: Vec<u32> = lines.iter().map(|line| line.row).collect();
        let mut columns: Vec<(Name, Column)> = Vec::new();
        for (at, name) in table.schema().names().enumerate().take(self.by + self.fields) {
            let column = gather::take(&table.column(at), &rows);
            let column = if at < self.by { column } else { self.with_others(column, &lines) };
            columns.push((name.clone(), column));
        }
        if let Some(name) = &self.count {
            let counts: Vec<i64> = lines.iter().map(|line| line.count).collect();
            columns.push((name.clone(), Column::Field(field::Field::Long(counts.into()))));
        }
        if let Some(name) = &self.percent {
            let share = |line: &Line| round(line.count as f64 * 100.0 / line.total.max(1) as f64, SHARE_DECIMALS);
            let shares: Vec<f64> = lines.iter().map(share).collect();
            columns.push((name.clone(), Column::Field(field::Field::Real(shares.into()))));
        }
        let schema = columns.iter().map(|(name, column)| (name.clone(), column.kind())).collect();
        let columns = columns.into_iter().map(|(_, column)| Stored::Column(column)).collect();
        Ok(Table::new(schema, vec![Chunk { rows: lines.len(), columns }]))
    }
}

impl Frequent {
    fn lines(&self, table: &Table) -> Vec<Line> {
        let counts = table.column(self.by + self.fields);
        let count = |row: u32| field::number(&counts, row as usize).and_then(Number::long).unwrap_or(0);
        let mut lines = Vec::new();
        for mut rows in self.groups(table) {
            let total = rows.iter().map(|row| count(*row)).sum();
            rows.sort_by_key(|row| if self.rare { count(*row) } else { -count(*row) });
            let kept = match self.limit {
                0 => rows.len(),
                limit => usize::try_from(limit).unwrap_or(usize::MAX).min(rows.len()),
            };
            let (kept, rest) = rows.split_at(kept);
            lines.extend(kept.iter().map(|row| Line { row: *row, count: count(*row), total, other: false }));
            if let (Some(_), Some(row)) = (&self.other, rest.first()) {
                let count = rest.iter().map(|row| count(*row)).sum();
                lines.push(Line { row: *row, count, total, other: true });
            }
        }
        lines
    }

    /// The rows of each group, groups in the order of their texts.
    fn groups(&self, table: &Table) -> Vec<Vec<u32>> {
        let columns: Vec<Column> = (0..self.by).map(|at| table.column(at)).collect();
        let mut groups: HashMap<Vec<String>, Vec<u32>> = HashMap::new();
        for row in 0..table.rows() {
            let text = |column: &Column| field::text(column, row).unwrap_or_default().into_owned();
            groups.entry(columns.iter().map(text).collect()).or_default().push(row as u32);
        }
        let mut sorted: Vec<(Vec<String>, Vec<u32>)> = groups.into_iter().collect();
        sorted.sort();
        sorted.into_iter().map(|(_, rows)| rows).collect()
    }

    fn with_others(&self, column: Column, lines: &[Line]) -> Column {
        let Some(name) = self.other.as_ref().filter(|_| lines.iter().any(|line| line.other)) else { return column };
        let mut out = FieldBuilder::new(Some(&column), lines.len());
        for (row, line) in lines.iter().enumerate() {
            match line.other {
                true => out.push(&Value::field([&**name])),
                false => out.push_row(&column, row),
            }
        }
        out.finish()
    }
}

crate::command! {
    /// The most frequent values of fields, with their number and their share in percent.
    ///
    /// Ten of them, or as many as `limit=` says (0 for all), of each group that `by` makes. `useother=t` adds a row for
    /// the rest.
    ///
    /// Source: top.
    ///
    /// ```spl
    /// | makeresults | eval h=split("a,b,a", ",") | mvexpand h | top limit=1 h | table h count // ["a",2]
    /// ```
    "top": "top [<count>] [<option>=<value>...] <field>... [by <field>...]" = Rows(top);

    /// The least frequent values of fields, with their number and their share in percent.
    ///
    /// Source: rare.
    ///
    /// ```spl
    /// | makeresults | eval h=split("a,b,a", ",") | mvexpand h | rare limit=1 h | table h count // ["b",1]
    /// ```
    "rare": "rare [<option>=<value>...] <field>... [by <field>...]" = Rows(rare);
}

//! `chart`: aggregates as a table of rows and columns.
use super::measures::Measures;
use super::options::Options;
use super::series::{self, Series, charted};
use super::sparkline;
use super::wanted::Wanted;
use crate::diagnostic::Diagnostic;
use crate::spl::ast::{Command, Word};
use crate::spl::lower::build::{call, text};
use crate::spl::lower::{Lower, Lowering, Rows};
use crate::spl::parse::Reader;
use crate::types::Name;
use crate::types::field::Number;

/// Options of how a row's field is put into bins.
const BINS: [&str; 6] = ["span", "bins", "minspan", "start", "end", "aligntime"];

fn known() -> Vec<&'static str> {
    series::OPTIONS.iter().chain(&BINS).copied().collect()
}

fn lower(lowering: &mut Lowering, command: &Command, rows: Rows) -> Lower<Rows> {
    let mut reader = Reader::new(command);
    let known = known();
    let mut options = Options::read(&mut reader, &known)?;
    let mut terms = reader.aggregates(&["by", "over"])?;
    options.read_more(&mut reader, &known)?;
    terms.extend(reader.aggregates(&["by", "over"])?);
    let over = if reader.eat_word("over") { Some(reader.needed_field()?) } else { None };
    options.read_more(&mut reader, &known)?;
    let mut by = Vec::new();
    if reader.eat_word("by") {
        loop {
            while reader.eat(",") {}
            options.read_more(&mut reader, &known)?;
            if reader.at_end() || reader.at_word("where") {
                break;
            }
            by.push(reader.needed_field()?);
        }
    }
    options.read_more(&mut reader, &known)?;
    let wanted = Wanted::read(&mut reader)?;
    options.read_more(&mut reader, &known)?;
    reader.finish()?;
    let mut fields = over.into_iter().chain(by);
    let (row, split) = (fields.next(), fields.next());
    if let Some(third) = fields.next() {
        let said = Diagnostic::error("HP504", "`chart` has rows of one field and columns of another, and no more");
        return Err(said.at(third.span).into());
    }
    let rows = match &row {
        Some(row) => binned(lowering, rows, row, &options)?,
        None => rows,
    };
    if split.is_none() && sparkline::is_among(&terms) {
        let by: Vec<Word> = row.into_iter().collect();
        return sparkline::grouped(lowering, &rows, &terms, &by, command.name.span);
    }
    let measures = Measures::new(lowering, &terms, &rows)?;
    let Some(row) = row else { return measures.grouped(lowering, &rows, &[]) };
    let series = split.map(|by| Series::new(by, &options, wanted)).transpose()?;
    let name = Name::from(row.text.as_str());
    match charted(lowering, rows.clone(), &measures, &name, series.as_ref(), command.name.span)? {
        Some(table) => Ok(lowering.values(table)),
        None => Ok(rows.opened()),
    }
}

/// The rows with the row's field put into bins, where a span is given.
fn binned(lowering: &mut Lowering, rows: Rows, row: &Word, options: &Options) -> Lower<Rows> {
    let Some(span) = options.text("span") else { return Ok(rows) };
    let value = rows.field(&row.text);
    let made = match Number::read(span).filter(|number| number.real() > 0.0) {
        Some(width) => call(".bin", vec![value, crate::expr::Expr::Const(width.into())])?,
        None => call(".bin_time", vec![value, text(span)])?,
    };
    Ok(lowering.extend(&rows, vec![(Name::from(row.text.as_str()), made)]))
}

crate::command! {
    /// Aggregates by the values of a field, and in columns by those of another one.
    ///
    /// `chart count over a by b` and `chart count by a, b` have a row for each value of `a` and a column for each of `b`.
    /// The ten series with the largest sums stay and the others become `OTHER`; `limit=` says how many, 0 for all.
    /// Rows that lack the field of the columns are in `NULL`, unless `usenull=f`. With several aggregates a column is
    /// called `aggregate: value`. `span=` puts the row's field into bins. `where sum in top5` and `where max(x) > 100`
    /// say by their cells which series stay, and `eval(sum(bytes)/count) as each` computes with aggregates.
    ///
    /// Source: chart.
    ///
    /// ```spl
    /// | makeresults count=3 | eval a="x", b="y" | chart count over a by b // ["x",3]
    /// ```
    "chart": "chart [<option>=<value>...] <aggregate>... [over <field>] [by <field> [<field>]] [where <aggregate> in|notin|<|> <rank or number>]" = Rows(lower);
}

//! `addtotals`, `addcoltotals`: sums across rows and down columns.
use super::options::Options;
use crate::diagnostic::Diagnostic;
use crate::expr::Expr;
use crate::functions::Dialect;
use crate::functions::aggregates;
use crate::plan::{AggregateCall, Node};
use crate::spl::ast::{Command, Word};
use crate::spl::lower::build::{call, text};
use crate::spl::lower::{Lower, Lowering, Rows};
use crate::spl::parse::Reader;
use crate::types::field::Number;
use crate::types::{Kind, Name, Schema};

const OPTIONS: [&str; 5] = ["row", "col", "labelfield", "label", "fieldname"];

/// What is summed, and where the sums go.
struct Totals {
    row: bool,
    column: bool,
    field: String,
    label_field: Option<String>,
    label: String,
}

fn addtotals(lowering: &mut Lowering, command: &Command, rows: Rows) -> Lower<Rows> {
    let mut reader = Reader::new(command);
    let mut options = Options::read(&mut reader, &OPTIONS)?;
    let fields = fields(&mut reader, &mut options)?;
    let totals = Totals {
        row: options.flag("row")?.unwrap_or(true),
        column: options.flag("col")?.unwrap_or(false),
        ..totals(&options)
    };
    lower(lowering, rows, &totals, &fields)
}

fn addcoltotals(lowering: &mut Lowering, command: &Command, rows: Rows) -> Lower<Rows> {
    let mut reader = Reader::new(command);
    let mut options = Options::read(&mut reader, &OPTIONS)?;
    let fields = fields(&mut reader, &mut options)?;
    lower(lowering, rows, &totals(&options), &fields)
}

fn totals(options: &Options) -> Totals {
    Totals {
        row: false,
        column: true,
        field: options.text("fieldname").unwrap_or("Total").to_owned(),
        label_field: options.text("labelfield").map(str::to_owned),
        label: options.text("label").unwrap_or("Total").to_owned(),
    }
}

/// The fields, before, between and behind options.
fn fields(reader: &mut Reader, options: &mut Options) -> Lower<Vec<Word>> {
    let mut found = Vec::new();
    loop {
        options.read_more(reader, &OPTIONS)?;
        while reader.eat(",") {}
        match reader.field() {
            Some(field) => found.push(field),
            None => break,
        }
    }
    reader.finish()?;
    Ok(found)
}

fn lower(lowering: &mut Lowering, rows: Rows, totals: &Totals, fields: &[Word]) -> Lower<Rows> {
    let mut names: Vec<Name> = match fields.is_empty() {
        true => rows.plain_names().cloned().collect(),
        false => rows.matching_any(fields.iter().map(|word| word.text.as_str())),
    };
    names.retain(|name| rows.has(name));
    let mut rows = rows;
    if totals.row && !names.is_empty() {
        let sum = call("sum", names.iter().map(|name| rows.field(name)).collect())?;
        let total = Expr::Coalesce(vec![sum, Expr::Const(Number::Long(0).into())], Kind::Field);
        let name = Name::from(totals.field.as_str());
        rows = lowering.extend(&rows, vec![(name.clone(), total)]);
        names.push(name);
    }
    match totals.column && !names.is_empty() {
        true => with_columns(lowering, rows, totals, names),
        false => Ok(rows),
    }
}

/// The rows with one more that holds the sum of each field.
fn with_columns(lowering: &mut Lowering, rows: Rows, totals: &Totals, names: Vec<Name>) -> Lower<Rows> {
    let function = aggregates::find(Dialect::Spl, "sum")
        .ok_or_else(|| Diagnostic::error("HP900", "the library lacks the aggregate `sum`"))?;
    let sum = |name: &Name| {
        let arguments = vec![rows.field(name)];
        (name.clone(), AggregateCall { function, arguments, condition: None, kind: Kind::Field })
    };
    let sums: Vec<(Name, AggregateCall)> = names.iter().map(sum).collect();
    let schema: Schema = names.iter().map(|name| (name.clone(), Kind::Field)).collect();
    let made = lowering.over(&rows, Node::Aggregate { input: rows.node, by: Vec::new(), aggregates: sums }, schema);
    let made = match &totals.label_field {
        Some(field) => lowering.extend(&made, vec![(Name::from(field.as_str()), text(&totals.label))]),
        None => made,
    };
    Ok(lowering.union(&[rows, made]))
}

crate::command! {
    /// The sum of the numbers of each row in a field `Total`, of all fields or of those named.
    ///
    /// `col=true` adds a row with the sums of the fields, which `labelfield` and `label` mark; `row=false` leaves out the
    /// sums of rows.
    ///
    /// Source: addtotals.
    ///
    /// ```spl
    /// | makeresults | eval a=1, b=2 | addtotals a b | table Total // 3
    /// | makeresults count=2 | eval a=1 | addtotals row=false col=true a | stats max(a) // 2
    /// ```
    "addtotals": "addtotals [row=<flag>] [col=<flag>] [fieldname=<field>] [labelfield=<field>] [label=<text>] [<field>...]" = Rows(addtotals);

    /// A row with the sums of all fields, or of those named.
    ///
    /// Source: addcoltotals.
    ///
    /// ```spl
    /// | makeresults count=3 | eval a=2 | addcoltotals a | stats max(a) // 6
    /// ```
    "addcoltotals": "addcoltotals [labelfield=<field>] [label=<text>] [<field>...]" = Rows(addcoltotals);
}

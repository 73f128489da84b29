//! `xpath` and `xmlunescape`: what XML holds.
use super::options::Options;
use super::whole;
use crate::diagnostic::{Diagnostic, Fault, Result};
use crate::functions::Context;
use crate::functions::extraction::tags;
use crate::functions::extraction::xpath::Path;
use crate::plan::TableOperation;
use crate::spl::ast::Command;
use crate::spl::lower::{Lower, Lowering, Rows};
use crate::spl::parse::Reader;
use crate::types::field::FieldBuilder;
use crate::types::{Column, Kind, Name, Table};
use std::sync::Arc;

fn xpath(lowering: &mut Lowering, command: &Command, rows: Rows) -> Lower<Rows> {
    let known = ["outfield", "field", "default"];
    let mut reader = Reader::new(command);
    let mut options = Options::read(&mut reader, &known)?;
    let path = reader.needed_word("a path in double quotes")?;
    options.read_more(&mut reader, &known)?;
    reader.finish()?;
    let read = match Path::read(&path.text) {
        Ok(read) => read,
        Err(why) => {
            return Err(Diagnostic::error("HP504", format!("this is no path of XML: {why}")).at(path.span).into());
        }
    };
    let operation = Paths {
        path: read,
        input: options.text("field").unwrap_or("_raw").into(),
        output: options.text("outfield").unwrap_or("xpath").into(),
        otherwise: options.text("default").map(str::to_owned),
    };
    made(lowering, &rows, operation.input.clone(), operation.output.clone(), Arc::new(operation))
}

fn xmlunescape(lowering: &mut Lowering, command: &Command, rows: Rows) -> Lower<Rows> {
    let mut reader = Reader::new(command);
    let mut options = Options::read(&mut reader, &["maxinputs"])?;
    let field: Name = reader.field().map_or("_raw".into(), |word| word.text.as_str().into());
    options.read_more(&mut reader, &["maxinputs"])?;
    reader.finish()?;
    if !rows.has(&field) && !rows.open {
        return Ok(rows);
    }
    made(lowering, &rows, field.clone(), field.clone(), Arc::new(Unescaped(field)))
}

fn made(
    lowering: &mut Lowering,
    rows: &Rows,
    input: Name,
    output: Name,
    operation: Arc<dyn TableOperation>,
) -> Lower<Rows> {
    rows.has(&input);
    let mut schema = rows.schema.clone();
    schema.set(output, Kind::Field);
    Ok(lowering.operation(&[rows], operation, schema))
}

#[derive(Debug)]
struct Paths {
    path: Path,
    input: Name,
    output: Name,
    otherwise: Option<String>,
}

impl TableOperation for Paths {
    fn name(&self) -> &str {
        "xpath"
    }

    fn run(&self, context: &Context, inputs: &[Table]) -> Result<Table> {
        let [table] = inputs else { return Err(Fault::internal("`xpath` has one input")) };
        let texts = texts(table, &self.input);
        let mut out = FieldBuilder::new(None, table.rows());
        for row in 0..table.rows() {
            if row % 4096 == 0 {
                context.check()?;
            }
            let found = texts.text(row).map_or_else(Vec::new, |text| self.path.find(text));
            match (found.is_empty(), &self.otherwise) {
                (true, Some(otherwise)) => out.push_text(otherwise),
                _ => out.push_several(found),
            }
        }
        Ok(whole::replaced(table, &self.output, out.finish()))
    }
}

/// Decodes the entities of a field's texts.
#[derive(Debug)]
struct Unescaped(Name);

impl TableOperation for Unescaped {
    fn name(&self) -> &str {
        "xmlunescape"
    }

    fn run(&self, _: &Context, inputs: &[Table]) -> Result<Table> {
        let [table] = inputs else { return Err(Fault::internal("`xmlunescape` has one input")) };
        let texts = texts(table, &self.0);
        let mut out = FieldBuilder::new(None, table.rows());
        for row in 0..table.rows() {
            match texts.text(row) {
                Some(text) => out.push_text(&tags::decoded(text)),
                None => out.push_null(),
            }
        }
        Ok(whole::replaced(table, &self.0, out.finish()))
    }
}

fn texts(table: &Table, name: &str) -> Column {
    whole::as_texts(table.column_named(name).unwrap_or(Column::nulls(Kind::Field, table.rows())))
}

crate::command! {
    /// What a path leads to in the XML of `_raw` or of another field: the texts of elements, or attributes. Several give
    /// a field of several values; where the path leads to nothing, the value is `default`, if one is said.
    ///
    /// Paths are of elements (`/a/b`, `//b`, `*`), attributes (`@x`) and `text()`, with tests such as `[2]`, `[last()]`,
    /// `[@x="v"]` and `[b="v"]`. Names count without the prefix of their namespace.
    ///
    /// Source: xpath.
    ///
    /// ```spl
    /// | makeresults | eval x="<a><b n=\"1\">t</b><b n=\"2\">u</b></a>" | xpath field=x outfield=r "//b[@n='2']" | table r // u
    /// ```
    "xpath": "xpath [outfield=<field>] \"<path>\" [field=<field>] [default=<text>]" = Rows(xpath);

    /// The characters that entities of XML stand for, in `_raw` or in another field: `&lt;` becomes `<`.
    ///
    /// Source: xmlunescape.
    ///
    /// ```spl
    /// | makeresults | eval _raw="a &lt; b" | xmlunescape | table _raw // a < b
    /// ```
    "xmlunescape": "xmlunescape [<field>]" = Rows(xmlunescape);
}

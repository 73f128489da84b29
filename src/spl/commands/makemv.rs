//! `makemv`, `nomv`, `mvexpand`: fields with several values made, joined, and given a row each.
use super::options::Options;
use crate::diagnostic::Diagnostic;
use crate::expr::Expr;
use crate::plan::{Expanded, Node};
use crate::spl::ast::Command;
use crate::spl::lower::build::{call, text};
use crate::spl::lower::{Lower, Lowering, Rows};
use crate::spl::parse::Reader;
use crate::types::{Kind, Name, Value};

const OPTIONS: [&str; 4] = ["delim", "tokenizer", "allowempty", "setsv"];

fn makemv(lowering: &mut Lowering, command: &Command, rows: Rows) -> Lower<Rows> {
    let mut reader = Reader::new(command);
    let mut options = Options::read(&mut reader, &OPTIONS)?;
    let field = reader.needed_field()?;
    options.read_more(&mut reader, &OPTIONS)?;
    reader.finish()?;
    let value = rows.field(&field.text);
    let made = match options.text("tokenizer") {
        Some(pattern) => call(".tokens", vec![value, text(pattern)])?,
        None => {
            let empty = Expr::Const(Value::Bool(options.flag("allowempty")?.unwrap_or(false)));
            call(".parts", vec![value, text(options.text("delim").unwrap_or(" ")), empty])?
        }
    };
    Ok(lowering.extend(&rows, vec![(Name::from(field.text.as_str()), made)]))
}

fn nomv(lowering: &mut Lowering, command: &Command, rows: Rows) -> Lower<Rows> {
    let mut reader = Reader::new(command);
    let field = reader.needed_field()?;
    reader.finish()?;
    let between = lowering.delimiters.get(field.text.as_str()).map_or("\n", String::as_str);
    let joined = call("mvjoin", vec![rows.field(&field.text), text(between)])?;
    Ok(lowering.extend(&rows, vec![(Name::from(field.text.as_str()), joined)]))
}

fn mvexpand(lowering: &mut Lowering, command: &Command, rows: Rows) -> Lower<Rows> {
    let mut reader = Reader::new(command);
    let mut options = Options::read(&mut reader, &["limit"])?;
    let field = reader.needed_field()?;
    options.read_more(&mut reader, &["limit"])?;
    reader.finish()?;
    if !rows.has(&field.text) {
        lowering.warn(Diagnostic::warning("HP511", format!("there is no field `{}`", field.text)).at(field.span));
        return Ok(rows);
    }
    let limit = options.count("limit")?.filter(|limit| *limit > 0);
    let name = Name::from(field.text.as_str());
    let column = Expanded { name, value: rows.field(&field.text), kind: Kind::Field };
    let node = Node::Expand { input: rows.node, columns: vec![column], index: None, limit, keep_bags_as_arrays: false };
    Ok(lowering.over(&rows, node, rows.schema.clone()))
}

crate::command! {
    /// Makes several values of a field's text: the parts between delimiters (a space), or what a pattern finds.
    ///
    /// Of a pattern the first group counts, match by match. Empty parts are left out unless `allowempty=true`.
    ///
    /// Source: makemv.
    ///
    /// ```spl
    /// | makeresults | eval a="x,y,,z" | makemv delim="," a | eval n=mvcount(a) | table n // 3
    /// | makeresults | eval a="x,y,,z" | makemv delim="," allowempty=true a | eval n=mvcount(a) | table n // 4
    /// ```
    "makemv": "makemv [delim=<text>] [tokenizer=<regex>] [allowempty=<flag>] <field>" = Rows(makemv);

    /// Joins the values of a field to one text: one a line, or with the delimiter that `mvcombine` or `stats` was given.
    ///
    /// Source: nomv.
    ///
    /// ```spl
    /// | makeresults | eval a=split("x,y", ",") | nomv a | eval n=mvcount(a), l=len(a) | table n l // [1,3]
    /// ```
    "nomv": "nomv <field>" = Rows(nomv);

    /// A row for each value of a field; rows with one value or none stay as they are.
    ///
    /// Source: mvexpand.
    ///
    /// ```spl
    /// | makeresults | eval a=split("x,y,z", ",") | mvexpand a | stats count // 3
    /// | makeresults | eval a=split("x,y,z", ",") | mvexpand a limit=2 | stats count // 2
    /// ```
    "mvexpand": "mvexpand <field> [limit=<count>]" = Rows(mvexpand);
}

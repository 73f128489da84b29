//! `spath`: the values of JSON and XML texts as fields.
use super::options::Options;
use super::whole;
use crate::functions::extraction;
use crate::spl::ast::Command;
use crate::spl::lower::build::{call, text};
use crate::spl::lower::{Lower, Lowering, Rows};
use crate::spl::parse::Reader;

fn lower(lowering: &mut Lowering, command: &Command, rows: Rows) -> Lower<Rows> {
    let mut reader = Reader::new(command);
    let known = ["input", "output", "path"];
    let mut options = Options::read(&mut reader, &known)?;
    let path = reader.word();
    options.read_more(&mut reader, &known)?;
    reader.finish()?;
    let input = options.text("input").unwrap_or("_raw").to_owned();
    let path = path.map(|word| word.text).or_else(|| options.text("path").map(str::to_owned));
    // An output alone is the path as well.
    let path = path.or_else(|| options.text("output").map(str::to_owned));
    if let Some(path) = path {
        let output = options.text("output").unwrap_or(&path).to_owned();
        let found = call("spath", vec![rows.field(&input), text(&path)])?;
        return Ok(lowering.extend(&rows, vec![(output.into(), found)]));
    }
    let Some(table) = lowering.seen(&rows, command.name.span)? else { return Ok(rows.opened()) };
    let table = whole::with_found(&table, &input, command.name.span, |text, found| match extraction::Form::of(text) {
        extraction::Form::Json => extraction::json::walk(text, found),
        extraction::Form::Xml | extraction::Form::WindowsXml => extraction::tags::elements(text, found),
        extraction::Form::Pairs => {}
    })?;
    Ok(lowering.known(&rows, table))
}

crate::command! {
    /// The values of a JSON or XML text as fields.
    ///
    /// With a path its values become the field `output`, or one called as the path; without one every value becomes a
    /// field whose name is its path: `a.b`, `l{}`, `l{}.x`. The text is that of `_raw` or of `input`.
    ///
    /// Source: spath.
    ///
    /// ```spl
    /// | makeresults | eval j="{\"a\":{\"b\":\"x\"}}" | spath input=j path=a.b output=c | fields c // x
    /// | makeresults | eval j="{\"l\":[1,2]}" | spath input=j | eval n=mvcount('l{}') | fields n // 2
    /// ```
    "spath": "spath [input=<field>] [output=<field>] [[path=]<path>]" = Rows(lower);
}

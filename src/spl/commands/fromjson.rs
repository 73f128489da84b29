//! `fromjson` and `multikv`: objects and tables inside of texts.
use super::options::Options;
use super::whole;
use crate::functions::extraction;
use crate::spl::ast::Command;
use crate::spl::lower::{Lower, Lowering, Rows};
use crate::spl::parse::Reader;
use crate::types::field::FieldBuilder;
use crate::types::json::to_string;
use crate::types::{Column, Json, Kind, Name, Table};
use std::collections::HashMap;

fn fromjson(lowering: &mut Lowering, command: &Command, rows: Rows) -> Lower<Rows> {
    let mut reader = Reader::new(command);
    let mut options = Options::read(&mut reader, &["prefix"])?;
    let field = reader.needed_field()?;
    options.read_more(&mut reader, &["prefix"])?;
    reader.finish()?;
    let prefix = options.text("prefix").unwrap_or_default().to_owned();
    let Some(table) = lowering.seen(&rows, command.name.span)? else { return Ok(rows.opened()) };
    let table = whole::with_found(&table, &field.text, command.name.span, |text, found| {
        use extraction::Visitor;
        if !text.trim_ascii_start().starts_with('{') {
            return;
        }
        for (key, value) in Json::new(text).entries().filter(|(_, value)| value.text() != "null") {
            let text = to_string(value.text());
            found.value(&format!("{prefix}{key}"), text);
        }
    })?;
    Ok(lowering.known(&rows, table))
}

fn multikv(lowering: &mut Lowering, command: &Command, rows: Rows) -> Lower<Rows> {
    let mut reader = Reader::new(command);
    let options =
        Options::read(&mut reader, &["copyattrs", "forceheader", "multitable", "noheader", "rmorig", "conf"])?;
    let fields = if reader.eat_word("fields") { reader.fields(&["filter"])? } else { Vec::new() };
    let filter = if reader.eat_word("filter") { reader.fields(&[])? } else { Vec::new() };
    reader.finish()?;
    let reading = Tables {
        header: options.count("forceheader")?.map_or(0, |line| line.saturating_sub(1) as usize),
        headless: options.flag("noheader")?.unwrap_or(false),
        copies: options.flag("copyattrs")?.unwrap_or(true),
        keeps: !options.flag("rmorig")?.unwrap_or(true),
        fields: fields.into_iter().map(|word| word.text).collect(),
        filter: filter.into_iter().map(|word| word.text.to_lowercase()).collect(),
    };
    let Some(table) = lowering.seen(&rows, command.name.span)? else { return Ok(rows.opened()) };
    let table = reading.rows(&table);
    Ok(lowering.known(&rows, table))
}

/// How tables in texts are read.
struct Tables {
    header: usize,
    headless: bool,
    /// Whether rows have the other fields of their event.
    copies: bool,
    keeps: bool,
    fields: Vec<String>,
    /// Words of which a line must have one.
    filter: Vec<String>,
}

/// A line of a table: the row that it comes from, its text, its cells.
struct Line {
    row: usize,
    text: Option<String>,
    cells: HashMap<Name, String>,
}

impl Tables {
    /// The lines of the tables that the texts of events hold, as rows.
    fn rows(&self, table: &Table) -> Table {
        let columns = whole::columns(table);
        let raw = columns.iter().find(|(name, _)| **name == *"_raw").map(|(_, column)| whole::as_texts(column.clone()));
        let mut names: Vec<Name> = Vec::new();
        let mut lines: Vec<Line> = Vec::new();
        for row in 0..table.rows() {
            let text = raw.as_ref().and_then(|column| column.text(row)).unwrap_or_default();
            if self.keeps || text.is_empty() {
                lines.push(Line { row, text: None, cells: HashMap::new() });
            }
            self.lines(row, text, &mut names, &mut lines);
        }
        let mut made: Vec<(Name, Column)> = Vec::new();
        for (name, column) in &columns {
            let mut builder = FieldBuilder::new(Some(column), lines.len());
            for line in &lines {
                match (&line.text, line.cells.get(name)) {
                    (Some(text), _) if **name == *"_raw" => builder.push_text(text),
                    (_, Some(cell)) => builder.push_text(cell),
                    (None, _) => builder.push_row(column, line.row),
                    _ if self.copies || name.starts_with('_') => builder.push_row(column, line.row),
                    _ => builder.push_null(),
                }
            }
            made.push((name.clone(), builder.finish()));
        }
        for name in names.iter().filter(|name| !columns.iter().any(|(known, _)| known == *name)) {
            let mut builder = FieldBuilder::new(None, lines.len());
            lines.iter().for_each(|line| builder.push_several(line.cells.get(name)));
            made.push((name.clone(), builder.finish()));
        }
        match made.is_empty() {
            true => Table::from_rows(table.schema().names().map(|name| (name.clone(), Kind::Field)).collect(), &[]),
            false => Table::from_columns(made),
        }
    }

    fn lines(&self, row: usize, text: &str, names: &mut Vec<Name>, lines: &mut Vec<Line>) {
        let written: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
        let wanted = |name: &str| self.fields.is_empty() || self.fields.iter().any(|field| field == name);
        let header: Vec<String> = match self.headless {
            true => {
                let widest = written.iter().map(|line| line.split_whitespace().count()).max().unwrap_or_default();
                (1..=widest).map(|number| format!("Column_{number}")).collect()
            }
            false => {
                let line = written.get(self.header).copied().unwrap_or_default();
                line.split_whitespace().map(clean).collect()
            }
        };
        for name in header.iter().filter(|name| wanted(name)) {
            if !names.iter().any(|known| **known == **name) {
                names.push(name.as_str().into());
            }
        }
        let body = written.get(if self.headless { 0 } else { self.header + 1 }..).unwrap_or_default();
        for line in body {
            let lower = line.to_lowercase();
            if !self.filter.is_empty() && !self.filter.iter().any(|word| lower.contains(word)) {
                continue;
            }
            // What follows the last column's beginning is all of it.
            let cells = header.iter().zip(line.split_whitespace());
            let cells =
                cells.filter(|(name, _)| wanted(name)).map(|(name, cell)| (name.as_str().into(), cell.to_owned()));
            lines.push(Line { row, text: Some((*line).to_owned()), cells: cells.collect() });
        }
    }
}

/// A column's title as a name.
fn clean(title: &str) -> String {
    let name: String = title.chars().map(|c| if c.is_alphanumeric() { c } else { '_' }).collect();
    let trimmed = name.trim_matches('_');
    if trimmed.is_empty() { name } else { trimmed.to_owned() }
}

crate::command! {
    /// The properties of a JSON object as fields; arrays and objects among them are their JSON text.
    ///
    /// Source: fromjson.
    ///
    /// ```spl
    /// | makeresults | eval o="{\"a\":1,\"b\":[2]}" | fromjson o prefix=p_ | fields p_b // [2]
    /// ```
    "fromjson": "fromjson <field> [prefix=<text>]" = Rows(fromjson);
    /// The lines of a table that `_raw` holds as rows, the titles of its first line as fields.
    ///
    /// Source: multikv.
    ///
    /// ```spl
    /// | makeresults | eval _raw="PID NAME" . urldecode("%0A") . "2 sh" | multikv | where PID=2 | fields NAME // sh
    /// ```
    "multikv": "multikv [forceheader=<line>] [noheader=<flag>] [rmorig=<flag>] [copyattrs=<flag>] [fields <field>...] [filter <word>...]"
        = Rows(multikv);
}

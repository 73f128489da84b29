//! A table as bounded text and HTML.
use crate::types::{Kind, Table, Value};
use std::fmt::Write;

const SHOWN_ROWS: usize = 20;
const SHOWN_HTML_ROWS: usize = 60;
const SHOWN_COLUMNS: usize = 40;
const CELL: usize = 60;
const HTML_CELL: usize = 300;

/// The first rows; chunks behind them are not loaded.
fn head(table: &Table, most: usize, columns: usize, width: usize) -> Vec<Vec<String>> {
    let schema = table.schema().columns();
    let mut rows: Vec<Vec<String>> = Vec::new();
    for chunk in table.chunks() {
        let wanted: Vec<u32> = (0..chunk.rows.min(most - rows.len()) as u32).collect();
        let loaded = schema.iter().take(columns).enumerate();
        let loaded: Vec<_> = loaded.map(|(at, (_, kind))| chunk.load(at, *kind, Some(&wanted))).collect();
        rows.extend((0..wanted.len()).map(|row| loaded.iter().map(|c| cell(&c.value(row), width)).collect()));
        if rows.len() >= most {
            break;
        }
    }
    rows
}

fn cell(value: &Value, width: usize) -> String {
    let text = match value {
        Value::Text(Kind::Dynamic, json) => json.to_string(),
        other => other.to_text(),
    };
    match text.char_indices().nth(width) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text,
    }
}

fn size(table: &Table) -> String {
    let (rows, columns) = (table.rows(), table.schema().len());
    let s = |n: usize| if n == 1 { "" } else { "s" };
    format!("{rows} row{}, {columns} column{}", s(rows), s(columns))
}

/// The first rows in aligned columns, then the size.
pub fn text(table: &Table) -> String {
    let names = table.schema().names().take(SHOWN_COLUMNS).map(|n| n.to_string());
    let mut lines = vec![names.collect::<Vec<_>>()];
    let printable = |c: char| if c.is_control() { ' ' } else { c };
    let rows = head(table, SHOWN_ROWS, SHOWN_COLUMNS, CELL);
    lines.extend(rows.into_iter().map(|row| row.into_iter().map(|c| c.chars().map(printable).collect()).collect()));
    let columns = lines.first().map_or(0, Vec::len);
    let wide = |at: usize| lines.iter().filter_map(|line| Some(line.get(at)?.chars().count())).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(wide).collect();
    let mut out = String::new();
    for line in &lines {
        let cells = line.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        let _ = writeln!(out, "{}", cells.collect::<Vec<_>>().join("  ").trim_end());
    }
    let more = table.rows().saturating_sub(SHOWN_ROWS);
    if more > 0 {
        let _ = writeln!(out, "… {more} more");
    }
    out + &size(table)
}

/// The first rows as an HTML table that notebooks show, then the size.
pub fn html(table: &Table) -> String {
    let schema = table.schema().columns();
    let mut out = String::from("<table>\n<thead><tr>");
    for (name, kind) in schema.iter().take(SHOWN_COLUMNS) {
        let _ = write!(out, "<th title=\"{}\" style=\"text-align:left\">{}</th>", kind.shown(), escaped(name));
    }
    out.push_str("</tr></thead>\n<tbody>\n");
    for row in head(table, SHOWN_HTML_ROWS, SHOWN_COLUMNS, HTML_CELL) {
        out.push_str("<tr>");
        for (value, (_, kind)) in row.iter().zip(schema) {
            let align = if kind.is_number() { "right" } else { "left" };
            let _ = write!(out, "<td style=\"text-align:{align}\">{}</td>", escaped(value));
        }
        out.push_str("</tr>\n");
    }
    let shown =
        if table.rows() > SHOWN_HTML_ROWS { format!(" (the first {SHOWN_HTML_ROWS} shown)") } else { String::new() };
    let _ = write!(out, "</tbody>\n</table>\n<p>{}{shown}</p>", size(table));
    out
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}

//! The answer of a Log Analytics query: `{"tables":[{"name":…,"columns":[…],"rows":[[…],…]}]}`.
use super::{keys, scan};
use crate::read::block::Block;
use crate::read::cell::Cell;
use crate::read::rows::{Parser, Rows, Wanted};
use crate::read::text::{Cutter, Ends, Form};
use crate::types::{Json, Kind, Name, Schema};
use scan::after_blanks;
use std::sync::Arc;

/// The first table of an answer; rows are arrays in the order of its columns.
#[derive(Clone, Debug)]
pub struct Answer {
    columns: Schema,
    /// The place behind the bracket that opens the rows.
    begin: u64,
}

impl Answer {
    /// Reads the columns; none where the text breaks off before the rows.
    pub fn new(head: &[u8]) -> Option<Answer> {
        let text = String::from_utf8_lossy(head);
        if text.split_once('[')?.1.trim_start().starts_with(']') {
            return Some(Answer { columns: Schema::default(), begin: u64::MAX });
        }
        // Nothing in front of the rows may have been replaced: places are places of the file.
        let rows = text
            .find("\"rows\"")
            .filter(|at| head.get(..*at).is_some_and(|before| std::str::from_utf8(before).is_ok()))?;
        let columns = text.get(..rows)?.rfind("\"columns\"")?;
        let list = text.get(columns + "\"columns\"".len()..rows)?.trim_start().strip_prefix(':')?.trim_start();
        let columns = Json::new(list).elements().filter_map(column).collect();
        let behind = text.get(rows + "\"rows\"".len()..)?;
        let bracket = behind.find('[').filter(|at| behind.get(..*at).is_some_and(|between| between.trim() == ":"))?;
        Some(Answer { columns, begin: (rows + "\"rows\"".len() + bracket + 1) as u64 })
    }
}

fn column(json: Json<'_>) -> Option<(Name, Kind)> {
    let text = |keys: [&str; 2]| keys.iter().find_map(|key| json.get(key)?.as_str());
    let kind = text(["type", "ColumnType"]).and_then(|kind| Kind::parse(&kind)).unwrap_or(Kind::String);
    Some((text(["name", "ColumnName"])?.as_ref().into(), kind))
}

impl Form for Answer {
    fn ends(&self) -> Ends {
        Ends::Text
    }

    fn cutter(&self) -> Box<dyn Cutter> {
        Box::new(Arrays { begin: self.begin, seen: 0, over: self.begin == u64::MAX, is_partial: false })
    }

    fn names(&self, _: &Block) -> Vec<Name> {
        self.columns.names().cloned().collect()
    }

    fn declared(&self) -> Option<Schema> {
        Some(self.columns.clone())
    }

    fn parser(&self, wanted: &Wanted) -> Box<dyn Parser> {
        let slot = |name: &Name| wanted.names.iter().position(|wanted| wanted == name);
        Box::new(AnswerParser { targets: self.columns.names().map(slot).collect(), begin: self.begin })
    }
}

/// Cuts behind the last row that is closed.
struct Arrays {
    begin: u64,
    seen: u64,
    over: bool,
    /// Whether an error stands behind the rows.
    is_partial: bool,
}

const OVER: &str = "the rows have ended";

impl Cutter for Arrays {
    fn cut(&mut self, bytes: &[u8]) -> usize {
        let mut cut = self.begin.saturating_sub(self.seen).min(bytes.len() as u64) as usize;
        while !self.over {
            let at = next_row(bytes, cut);
            match bytes.get(at) {
                Some(b']') => self.over = true,
                Some(_) => match row_end(bytes, at) {
                    Some(end) => cut = end,
                    None => break,
                },
                None => break,
            }
        }
        if self.over {
            let behind = bytes.get(cut..).unwrap_or_default();
            self.is_partial |= memchr::memmem::find(behind, b"\"error\"").is_some();
            cut = bytes.len();
        }
        self.seen += cut as u64;
        cut
    }

    fn context(&self) -> Option<Arc<str>> {
        self.over.then(|| OVER.into())
    }

    fn unfinished(&mut self, rest: &[u8]) -> Option<&'static str> {
        let last = next_row(rest, self.cut(rest));
        // A row that breaks off is a bad row by itself.
        let whole = last >= rest.len() || keys::value(rest, last, false).is_ok();
        match () {
            () if self.is_partial => Some("the answer is partial: an error of the service stands behind its rows"),
            () if whole && !self.over => Some("broken JSON: the rows are not closed: the file may be cut off"),
            () => None,
        }
    }
}

/// The place behind a row, or whatever stands where a row should, if it is whole.
fn row_end(bytes: &[u8], at: usize) -> Option<usize> {
    let (_, end) = keys::value(bytes, at, false).ok()?;
    bytes.get(end).map(|_| end)
}

/// Where the next row begins, or the bracket behind the last one.
fn next_row(bytes: &[u8], at: usize) -> usize {
    let at = after_blanks(bytes, at, false);
    if bytes.get(at) == Some(&b',') { after_blanks(bytes, at + 1, false) } else { at }
}

struct AnswerParser {
    targets: Vec<Option<usize>>,
    begin: u64,
}

impl Parser for AnswerParser {
    fn parse(&self, block: &Block, rows: &mut Rows) {
        if block.context.as_deref() == Some(OVER) {
            return;
        }
        let bytes = block.bytes();
        let mut at = block.start.saturating_add(self.begin.saturating_sub(block.offset) as usize);
        let mut cells: Vec<Cell> = Vec::new();
        loop {
            at = next_row(bytes, at);
            if at >= block.end || bytes.get(at) == Some(&b']') {
                return;
            }
            cells.clear();
            cells.resize(rows.width(), Cell::default());
            match self.row(bytes, at, &mut cells) {
                Ok(end) => {
                    rows.push(bytes, at, &mut cells);
                    at = end;
                }
                Err(reason) => {
                    rows.bad(reason, block, at);
                    let Some(end) = row_end(bytes, at) else { return };
                    at = end;
                }
            }
        }
    }
}

impl AnswerParser {
    fn row(&self, bytes: &[u8], at: usize, cells: &mut [Cell]) -> Result<usize, scan::Broken> {
        if bytes.get(at) != Some(&b'[') {
            return Err("a row is no array");
        }
        let mut at = after_blanks(bytes, at + 1, false);
        for target in &self.targets {
            let (cell, end) = keys::value(bytes, at, false)?;
            if let Some(kept) = target.and_then(|slot| cells.get_mut(slot)) {
                *kept = cell;
            }
            at = after_blanks(bytes, end, false);
            if bytes.get(at) == Some(&b',') {
                at = after_blanks(bytes, at + 1, false);
            }
        }
        if bytes.get(at) == Some(&b']') { Ok(at + 1) } else { Err("a row of another length than the columns") }
    }
}

//! The extended log file format of the W3C, as IIS writes it; its fields under the names of the table W3CIISLog.
use super::block::Block;
use super::cell::{Cell, Form as CellForm};
use super::rows::{Parser, Rows, Wanted};
use super::text::{Cutter, Ends, Form};
use crate::types::{Name, datetime};
use std::sync::Arc;

/// The table whose columns the fields are.
pub const TABLE: &str = "W3CIISLog";

/// Fields, and the columns they are in the table.
const COLUMNS: &[(&str, &str)] = &[
    ("s-sitename", "sSiteName"),
    ("s-computername", "Computer"),
    ("s-ip", "sIP"),
    ("cs-method", "csMethod"),
    ("cs-uri-stem", "csUriStem"),
    ("cs-uri-query", "csUriQuery"),
    ("s-port", "sPort"),
    ("cs-username", "csUserName"),
    ("c-ip", "cIP"),
    ("cs-version", "csVersion"),
    ("cs(User-Agent)", "csUserAgent"),
    ("cs(Cookie)", "csCookie"),
    ("cs(Referer)", "csReferer"),
    ("cs-host", "csHost"),
    ("sc-status", "scStatus"),
    ("sc-substatus", "scSubStatus"),
    ("sc-win32-status", "scWin32Status"),
    ("sc-bytes", "scBytes"),
    ("cs-bytes", "csBytes"),
    ("time-taken", "TimeTaken"),
];

/// Columns that hold text of a URL, where `+` is the client's own.
const OF_URLS: [&str; 3] = ["csUriStem", "csUriQuery", "csReferer"];

const TIME: &str = "TimeGenerated";

/// The fields that IIS writes where nobody chose others, date and time apart; IIS 7 had no referrer.
const DEFAULT_FIELDS: [&str; 13] = [
    "s-ip",
    "cs-method",
    "cs-uri-stem",
    "cs-uri-query",
    "s-port",
    "cs-username",
    "c-ip",
    "cs(User-Agent)",
    "cs(Referer)",
    "sc-status",
    "sc-substatus",
    "sc-win32-status",
    "time-taken",
];

/// The columns of a line that no `#Fields` explains, if it has as many words as IIS writes by default.
pub fn default_columns(words: &[&str]) -> Vec<(String, String)> {
    let [date, time, values @ ..] = words else { return Vec::new() };
    let without_referrer = values.len() + 1 == DEFAULT_FIELDS.len();
    if !without_referrer && values.len() != DEFAULT_FIELDS.len() {
        return Vec::new();
    }
    let fields = DEFAULT_FIELDS.iter().filter(|field| !(without_referrer && **field == "cs(Referer)"));
    let columns = fields.filter_map(|field| column_of(field)).map(str::to_owned);
    let cells = columns.zip(values.iter().map(|value| (*value).to_owned()));
    std::iter::once((TIME.to_owned(), format!("{date} {time}"))).chain(cells).collect()
}

/// Whether a column holds text of a URL, where `+` is the client's own.
pub fn holds_url(column: &str) -> bool {
    OF_URLS.contains(&column)
}

#[derive(Debug)]
pub struct W3c;

impl Form for W3c {
    fn ends(&self) -> Ends {
        Ends::Text
    }

    fn cutter(&self) -> Box<dyn Cutter> {
        Box::new(Directives::default())
    }

    fn names(&self, sample: &Block) -> Vec<Name> {
        let mut names: Vec<Name> = vec![TIME.into()];
        let text = sample.bytes().get(..sample.end).unwrap_or_default();
        for line in text.split(|byte| *byte == b'\n').filter(|line| line.starts_with(FIELDS)) {
            let fields = String::from_utf8_lossy(line).into_owned();
            for name in fields.split_ascii_whitespace().skip(1).filter_map(column_of) {
                if !names.iter().any(|known| **known == *name) {
                    names.push(name.into());
                }
            }
        }
        names
    }

    fn parser(&self, wanted: &Wanted) -> Box<dyn Parser> {
        Box::new(W3cParser { wanted: wanted.clone() })
    }
}

/// The column of a field; date and time are columns of no name of their own.
fn column_of(field: &str) -> Option<&str> {
    if matches!(field, "date" | "time") {
        return None;
    }
    let known = COLUMNS.iter().find(|(name, _)| name.eq_ignore_ascii_case(field));
    Some(known.map_or(field, |(_, column)| column))
}

const FIELDS: &[u8] = b"#Fields:";

const DATE: &[u8] = b"#Date:";

/// Cuts at line ends, and remembers the last directives.
#[derive(Default)]
struct Directives {
    fields: String,
    date: String,
}

impl Cutter for Directives {
    fn cut(&mut self, bytes: &[u8]) -> usize {
        let Some(last) = memchr::memrchr(b'\n', bytes) else { return 0 };
        let records = bytes.get(..=last).unwrap_or_default();
        for (directive, kept) in [(FIELDS, &mut self.fields), (DATE, &mut self.date)] {
            if let Some(line) = last_directive(records, directive) {
                *kept = line;
            }
        }
        last + 1
    }

    fn context(&self) -> Option<Arc<str>> {
        Some(format!("{}\n{}", self.fields, self.date).into())
    }
}

fn last_directive(records: &[u8], directive: &[u8]) -> Option<String> {
    let at = memchr::memmem::rfind(records, directive)?;
    let begins = at == 0 || records.get(at - 1) == Some(&b'\n');
    let line = records.get(at..)?.split(|byte| *byte == b'\n').next()?;
    begins.then(|| String::from_utf8_lossy(line).into_owned())
}

struct W3cParser {
    wanted: Wanted,
}

/// What becomes of a field.
#[derive(Clone, Copy)]
enum Target {
    Skip,
    Date,
    Time,
    Slot(u32, CellForm),
}

/// The fields in force, and the date of the log where its lines have none.
struct Layout {
    targets: Vec<Target>,
    time: Option<u32>,
    date: Option<String>,
}

impl Parser for W3cParser {
    fn parse(&self, block: &Block, rows: &mut Rows) {
        let bytes = block.bytes();
        let mut layout = Layout { targets: Vec::new(), time: self.slot(TIME), date: None };
        let context = block.context.as_deref().unwrap_or_default();
        context.lines().for_each(|line| self.directive(line.as_bytes(), &mut layout));
        let mut cells: Vec<Cell> = Vec::new();
        let mut times = Times::default();
        let mut at = block.start;
        while at < block.end {
            let rest = bytes.get(at..block.end).unwrap_or_default();
            let end = memchr::memchr(b'\n', rest).map_or(block.end, |line| at + line);
            let line = bytes.get(at..end).unwrap_or_default().trim_ascii_end();
            match line.first() {
                None => {}
                Some(b'#') => self.directive(line, &mut layout),
                Some(_) if layout.targets.is_empty() => rows.bad("no #Fields line stands before this line", block, at),
                Some(_) => match layout.cells(line, at, rows.width(), &mut cells, &mut times) {
                    Ok(()) => rows.push(bytes, at, &mut cells),
                    Err(reason) => rows.bad(&reason, block, at),
                },
            }
            at = end + 1;
        }
    }
}

impl W3cParser {
    fn slot(&self, name: &str) -> Option<u32> {
        self.wanted.names.iter().position(|wanted| **wanted == *name).map(|slot| slot as u32)
    }

    fn directive(&self, line: &[u8], layout: &mut Layout) {
        let text = String::from_utf8_lossy(line);
        if line.starts_with(FIELDS) {
            layout.targets = self.targets(&text);
        } else if let Some(date) = text.strip_prefix("#Date:") {
            layout.date = date.split_ascii_whitespace().next().map(str::to_owned);
        }
    }

    fn targets(&self, fields: &str) -> Vec<Target> {
        fields.split_ascii_whitespace().skip(1).map(|field| self.target(field)).collect()
    }

    fn target(&self, field: &str) -> Target {
        match field {
            "date" => return Target::Date,
            "time" => return Target::Time,
            _ => {}
        }
        let Some(column) = column_of(field) else { return Target::Skip };
        let form = if holds_url(column) { CellForm::Bare } else { CellForm::PlusForBlank };
        self.slot(column).map_or(Target::Skip, |slot| Target::Slot(slot, form))
    }
}

/// The last time that was read: neighbouring lines share it.
#[derive(Default)]
struct Times {
    date: Vec<u8>,
    time: Vec<u8>,
    ticks: Option<i64>,
}

impl Times {
    fn ticks(&mut self, date: &[u8], time: &[u8]) -> Option<i64> {
        if self.date != date || self.time != time {
            (self.date, self.time) = (date.to_vec(), time.to_vec());
            let text = format!("{}T{}Z", String::from_utf8_lossy(date), String::from_utf8_lossy(time));
            self.ticks = datetime::parse(&text);
        }
        self.ticks
    }
}

impl Layout {
    fn cells(
        &self,
        line: &[u8],
        begin: usize,
        width: usize,
        cells: &mut Vec<Cell>,
        times: &mut Times,
    ) -> Result<(), String> {
        cells.clear();
        cells.resize(width, Cell::default());
        let (mut date, mut time) = (self.date.as_deref().map(str::as_bytes), None);
        let mut count = 0;
        for (start, end) in words(line) {
            let word = line.get(start..end).unwrap_or_default();
            match self.targets.get(count).copied().unwrap_or(Target::Skip) {
                Target::Skip => {}
                Target::Date => date = Some(word),
                Target::Time => time = Some(word),
                Target::Slot(slot, form) => {
                    let form = if word.contains(&b'+') { form } else { CellForm::Bare };
                    if let Some(cell) = cells.get_mut(slot as usize) {
                        *cell = Cell::new(form, begin + start, begin + end, !word.is_ascii());
                    }
                }
            }
            count += 1;
        }
        if count != self.targets.len() {
            return Err(format!("expected {} fields", self.targets.len()));
        }
        if let (Some(slot), Some(date), Some(time)) = (self.time, date, time) {
            let ticks = times.ticks(date, time).ok_or("the date or the time cannot be read")?;
            if let Some(cell) = cells.get_mut(slot as usize) {
                *cell = Cell::ticks(ticks);
            }
        }
        Ok(())
    }
}

/// The places of the words of a line, which blanks or tabs part.
fn words(line: &[u8]) -> impl Iterator<Item = (usize, usize)> + '_ {
    let mut at = 0;
    std::iter::from_fn(move || {
        let blank = |byte: &u8| matches!(byte, b' ' | b'\t');
        at += line.get(at..)?.iter().position(|byte| !blank(byte))?;
        let start = at;
        let length = memchr::memchr2(b' ', b'\t', line.get(start..)?).unwrap_or(line.len() - start);
        at = start + length;
        Some((start, at))
    })
}

//! ArcSight's Common Event Format, bare or behind a syslog header; its keys under the names of CommonSecurityLog.
use super::block::Block;
use super::cell::{Cell, Form as CellForm, cef_text};
use super::rows::{Parser, Rows, Wanted};
use super::text::{Cutter, Ends, Form, Lines};
use super::values::text_ticks;
use crate::types::Name;
use chrono::Datelike;
use std::collections::HashMap;
use std::sync::LazyLock;

/// The table whose columns the keys are.
pub const TABLE: &str = "CommonSecurityLog";
const TIME: &str = "TimeGenerated";
const OTHERS: &str = "AdditionalExtensions";
const HOST: &str = "Computer";

/// The parts of the header behind the version.
const HEADER: [&str; 6] =
    ["DeviceVendor", "DeviceProduct", "DeviceVersion", "DeviceEventClassID", "Activity", "LogSeverity"];

/// Keys of extensions, and the columns that they are in the table; other keys of the dictionary differ from their
/// columns by case alone.
const COLUMNS: &[(&str, &str)] = &[
    ("act", "DeviceAction"),
    ("app", "ApplicationProtocol"),
    ("cat", "DeviceEventCategory"),
    ("cnt", "EventCount"),
    ("deviceDirection", "CommunicationDirection"),
    ("deviceProcessName", "ProcessName"),
    ("dhost", "DestinationHostName"),
    ("dmac", "DestinationMACAddress"),
    ("dntdom", "DestinationNTDomain"),
    ("dpid", "DestinationProcessId"),
    ("dpriv", "DestinationUserPrivileges"),
    ("dproc", "DestinationProcessName"),
    ("dpt", "DestinationPort"),
    ("dst", "DestinationIP"),
    ("dtz", "DeviceTimeZone"),
    ("duid", "DestinationUserID"),
    ("duser", "DestinationUserName"),
    ("dvc", "DeviceAddress"),
    ("dvchost", "DeviceName"),
    ("dvcmac", "DeviceMacAddress"),
    ("dvcpid", "ProcessID"),
    ("end", "EndTime"),
    ("fname", "FileName"),
    ("fsize", "FileSize"),
    ("in", "ReceivedBytes"),
    ("msg", "Message"),
    ("out", "SentBytes"),
    ("outcome", "EventOutcome"),
    ("proto", "Protocol"),
    ("request", "RequestURL"),
    ("rt", "ReceiptTime"),
    ("shost", "SourceHostName"),
    ("smac", "SourceMACAddress"),
    ("sntdom", "SourceNTDomain"),
    ("spid", "SourceProcessId"),
    ("spriv", "SourceUserPrivileges"),
    ("sproc", "SourceProcessName"),
    ("spt", "SourcePort"),
    ("src", "SourceIP"),
    ("start", "StartTime"),
    ("suid", "SourceUserID"),
    ("suser", "SourceUserName"),
    ("type", "EventType"),
];

/// Numbered keys and the columns of the same numbers; with `Label` behind both they are the labels.
const NUMBERED: &[(&str, &str, u8)] = &[
    ("cs", "DeviceCustomString", 6),
    ("cn", "DeviceCustomNumber", 3),
    ("cfp", "DeviceCustomFloatingPoint", 4),
    ("c6a", "DeviceCustomIPv6Address", 4),
    ("deviceCustomDate", "DeviceCustomDate", 2),
    ("flexDate", "FlexDate", 1),
    ("flexNumber", "FlexNumber", 2),
    ("flexString", "FlexString", 2),
];

/// The column of every known key; keys are told apart without regard to case.
static DICTIONARY: LazyLock<HashMap<String, Vec<Name>>> = LazyLock::new(|| {
    let mut dictionary: HashMap<String, Vec<Name>> = HashMap::new();
    for (name, _) in super::known_schema(TABLE).map(|schema| schema.columns()).unwrap_or_default() {
        dictionary.insert(name.to_ascii_lowercase(), vec![name.clone()]);
    }
    for (key, column) in COLUMNS {
        dictionary.insert(key.to_ascii_lowercase(), vec![(*column).into()]);
    }
    for (key, column, most) in NUMBERED {
        for number in 1..=*most {
            for label in ["", "Label"] {
                let mut columns: Vec<Name> = vec![format!("{column}{number}{label}").into()];
                if (*key, label) == ("cn", "") {
                    columns.push(format!("FieldDeviceCustomNumber{number}").into());
                }
                dictionary.insert(format!("{key}{number}{label}").to_ascii_lowercase(), columns);
            }
        }
    }
    // Columns that the collector fills, not an event.
    for own in [TIME, HOST, OTHERS, "TenantId", "Type", "SourceSystem"] {
        dictionary.remove(&own.to_ascii_lowercase());
    }
    dictionary
});

#[derive(Debug)]
pub struct Cef;

impl Form for Cef {
    fn ends(&self) -> Ends {
        Ends::Lines
    }

    fn cutter(&self) -> Box<dyn Cutter> {
        Box::new(Lines)
    }

    /// All columns of the table: what a key has no column for is in `AdditionalExtensions`.
    fn names(&self, _: &Block) -> Vec<Name> {
        super::known_schema(TABLE).map(|schema| schema.names().cloned().collect()).unwrap_or_default()
    }

    fn parser(&self, wanted: &Wanted) -> Box<dyn Parser> {
        Box::new(CefParser::new(wanted))
    }
}

/// Reads events for the wanted columns of the table.
pub struct CefParser {
    /// The slots of every known key, in lower case.
    keys: HashMap<Vec<u8>, Vec<usize>>,
    header: [Option<usize>; 6],
    time: Option<usize>,
    others: Option<usize>,
    host: Option<usize>,
}

impl Parser for CefParser {
    fn parse(&self, block: &Block, rows: &mut Rows) {
        let mut cells: Vec<Cell> = Vec::new();
        let mut at = block.start;
        while at < block.end {
            let rest = block.bytes().get(at..block.end).unwrap_or_default();
            let end = memchr::memchr(b'\n', rest).map_or(block.end, |line| at + line);
            let line = block.bytes().get(at..end).unwrap_or_default().trim_ascii_end();
            if !line.trim_ascii().is_empty() {
                cells.clear();
                cells.resize(rows.width(), Cell::default());
                match self.event(line, at, &mut cells, rows) {
                    Some(()) => rows.push(block.bytes(), at, &mut cells),
                    None => rows.bad("no CEF event", block, at),
                }
            }
            at = end + 1;
        }
    }
}

/// A value between two places of the line that begins at `begin`.
fn cell(line: &[u8], begin: usize, start: usize, end: usize) -> Cell {
    let value = line.get(start..end).unwrap_or_default();
    let form = if value.contains(&b'\\') { CellForm::CefEscaped } else { CellForm::Bare };
    Cell::new(form, begin + start, begin + end, !value.is_ascii())
}

impl CefParser {
    pub fn new(wanted: &Wanted) -> CefParser {
        let slot = |name: &str| wanted.names.iter().position(|wanted| **wanted == *name);
        let mut keys: HashMap<Vec<u8>, Vec<usize>> = HashMap::new();
        for (key, columns) in DICTIONARY.iter() {
            keys.insert(key.clone().into_bytes(), columns.iter().filter_map(|column| slot(column)).collect());
        }
        let header = HEADER.map(slot);
        CefParser { keys, header, time: slot(TIME), others: slot(OTHERS), host: slot(HOST) }
    }

    /// Reads the event of a line that begins at `begin` of the bytes that its cells point into; none where it is none.
    pub fn event(&self, line: &[u8], begin: usize, cells: &mut [Cell], rows: &mut Rows) -> Option<()> {
        let cef = memchr::memmem::find(line, b"CEF:")?;
        let mut start = pipe(line, cef)? + 1;
        for (at, slot) in self.header.into_iter().enumerate() {
            // The severity may end the event: an extension need not follow.
            let end = pipe(line, start).or((at + 1 == HEADER.len()).then_some(line.len()))?;
            put(cells, slot, cell(line, begin, start, end));
            start = (end + 1).min(line.len());
        }
        let time = self.extension(line, begin, start, cells, rows);
        let syslog = Syslog::read(line.get(..cef).unwrap_or_default());
        if let Some(slot) = self.time
            && let Some(ticks) = time.or(syslog.ticks)
        {
            put(cells, Some(slot), Cell::ticks(ticks));
        }
        if let (Some(slot), Some(host)) = (self.host, &syslog.host) {
            let host = rows.beside(CellForm::Bare, host);
            put(cells, Some(slot), host);
        }
        Some(())
    }

    /// Reads the pairs; returns the time of the event.
    fn extension(&self, line: &[u8], begin: usize, from: usize, cells: &mut [Cell], rows: &mut Rows) -> Option<i64> {
        let mut others = String::new();
        let (mut received, mut other_time) = (None, None);
        for (key, start, end) in Pairs::new(line, from) {
            let name = line.get(key..start.saturating_sub(1)).unwrap_or_default().to_ascii_lowercase();
            if self.time.is_some() && matches!(name.as_slice(), b"rt" | b"end" | b"start") {
                let ticks = line.get(start..end).and_then(|text| std::str::from_utf8(text).ok()).and_then(text_ticks);
                // What is no time is told as such, unless another tells the event's.
                put(cells, self.time, cell(line, begin, start, end));
                if name == b"rt" { received = ticks } else { other_time = other_time.or(ticks) }
            }
            match self.keys.get(&name) {
                Some(slots) => slots.iter().for_each(|slot| put(cells, Some(*slot), cell(line, begin, start, end))),
                None if self.others.is_some() => {
                    others.push_str(if others.is_empty() { "" } else { ";" });
                    others.push_str(&String::from_utf8_lossy(line.get(key..start).unwrap_or_default()));
                    others.push_str(&cef_text(&String::from_utf8_lossy(line.get(start..end).unwrap_or_default())));
                }
                None => {}
            }
        }
        if !others.is_empty() {
            let cell = rows.beside(CellForm::Bare, &others);
            put(cells, self.others, cell);
        }
        received.or(other_time)
    }
}

fn put(cells: &mut [Cell], slot: Option<usize>, cell: Cell) {
    if let Some(kept) = slot.and_then(|slot| cells.get_mut(slot)) {
        *kept = cell;
    }
}

/// The next `|` from `at` on that no backslash stands before.
fn pipe(line: &[u8], at: usize) -> Option<usize> {
    unescaped(line, at, b'|')
}

fn unescaped(line: &[u8], mut at: usize, byte: u8) -> Option<usize> {
    loop {
        at += memchr::memchr2(byte, b'\\', line.get(at..)?)?;
        if line.get(at) == Some(&byte) {
            return Some(at);
        }
        at += 2;
    }
}

/// The pairs of an extension: where the key begins, and where the value does and ends.
struct Pairs<'a> {
    line: &'a [u8],
    /// Where the next key begins, and where its value does.
    next: Option<(usize, usize)>,
}

impl<'a> Pairs<'a> {
    fn new(line: &'a [u8], from: usize) -> Self {
        let next = unescaped(line, from, b'=').map(|equals| (key_start(line, from, equals), equals + 1));
        Pairs { line, next }
    }

    /// The next `=` that a key stands before: values hold blanks, and sometimes `=` that nobody escaped.
    fn key_after(&self, start: usize) -> Option<(usize, usize)> {
        let mut at = start;
        loop {
            let equals = unescaped(self.line, at, b'=')?;
            let key = key_start(self.line, start, equals);
            let name = self.line.get(key..equals)?;
            let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'[' | b']');
            let behind_a_blank = key > start && self.line.get(key - 1) == Some(&b' ');
            if behind_a_blank && !name.is_empty() && name.iter().all(is_name) {
                return Some((key, equals + 1));
            }
            at = equals + 1;
        }
    }
}

/// Where the word before an `=` begins.
fn key_start(line: &[u8], from: usize, equals: usize) -> usize {
    let before = line.get(from..equals).unwrap_or_default();
    before.iter().rposition(|byte| *byte == b' ').map_or(from, |blank| from + blank + 1)
}

impl Iterator for Pairs<'_> {
    type Item = (usize, usize, usize);

    fn next(&mut self) -> Option<Self::Item> {
        let (key, start) = self.next?;
        self.next = self.key_after(start);
        let end = self.next.map_or(self.line.len(), |(next, _)| next);
        let value = self.line.get(start..end).unwrap_or_default().trim_ascii_end();
        Some((key, start, start + value.len()))
    }
}

/// What a syslog header tells.
#[derive(Default)]
struct Syslog {
    ticks: Option<i64>,
    host: Option<String>,
}

impl Syslog {
    fn read(header: &[u8]) -> Syslog {
        let text = String::from_utf8_lossy(header);
        let text = text.trim();
        let text = text.strip_prefix('<').and_then(|rest| rest.split_once('>')).map_or(text, |(_, rest)| rest);
        let words: Vec<&str> = text.split_ascii_whitespace().collect();
        let words = if words.first() == Some(&"1") { words.get(1..).unwrap_or_default() } else { &words };
        match words {
            [] => Syslog::default(),
            [time, rest @ ..] if time.contains('-') => Syslog::of(text_ticks(time), rest),
            [month, day, time, rest @ ..] if time.contains(':') => Syslog::of(this_year(month, day, time), rest),
            rest => Syslog::of(None, rest),
        }
    }

    fn of(ticks: Option<i64>, rest: &[&str]) -> Syslog {
        let host = rest.first().filter(|host| **host != "-").map(|host| host.trim_end_matches(':').to_owned());
        Syslog { ticks, host }
    }
}

/// A time whose year is not written: the last such day that is not in the future.
fn this_year(month: &str, day: &str, time: &str) -> Option<i64> {
    let now = chrono::Utc::now();
    let of = |year: i32| text_ticks(&format!("{day} {month} {year} {time}"));
    let tomorrow = (now.timestamp() + 86_400).saturating_mul(10_000_000);
    of(now.year()).filter(|ticks| *ticks <= tomorrow).or_else(|| of(now.year() - 1))
}

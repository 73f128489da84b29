//! The table of formats, and how a file's format is told from its name and its first bytes.
use crate::diagnostic::{Fault, Result};
use std::path::Path;

/// What a file holds, compression apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// One JSON record a line.
    Ndjson,
    /// Records in an array or one after the other over several lines; the answer of a query API.
    Json,
    Csv,
    /// Tab-separated values.
    Tsv,
    /// The extended log file format of the W3C, as IIS writes it.
    W3c,
    /// ArcSight's Common Event Format, with or without syslog headers.
    Cef,
    Parquet,
}

struct Entry {
    format: Format,
    name: &'static str,
    extensions: &'static [&'static str],
}

const FORMATS: &[Entry] = &[
    Entry { format: Format::Ndjson, name: "ndjson", extensions: &["ndjson", "jsonl"] },
    Entry { format: Format::Json, name: "json", extensions: &["json"] },
    Entry { format: Format::Csv, name: "csv", extensions: &["csv"] },
    Entry { format: Format::Tsv, name: "tsv", extensions: &["tsv", "tab"] },
    Entry { format: Format::W3c, name: "w3c", extensions: &["w3c"] },
    Entry { format: Format::Cef, name: "cef", extensions: &["cef"] },
    Entry { format: Format::Parquet, name: "parquet", extensions: &["parquet", "pq"] },
];

impl Format {
    /// The format of a name, as `format=` takes it.
    pub fn parse(name: &str) -> Result<Format> {
        let lower = name.to_ascii_lowercase();
        let found = FORMATS.iter().find(|entry| entry.name == lower || entry.extensions.contains(&lower.as_str()));
        found.map(|entry| entry.format).ok_or_else(|| {
            let names: Vec<&str> = Format::names().collect();
            Fault::data("HP403", format!("unknown format `{name}`")).help(format!("known are {}", names.join(", ")))
        })
    }

    /// The names of all formats.
    pub fn names() -> impl Iterator<Item = &'static str> {
        FORMATS.iter().map(|entry| entry.name)
    }

    /// What the first decoded bytes are, else what the file's name says.
    pub fn sniff(path: &Path, head: &[u8]) -> Option<Format> {
        of_content(head).or_else(|| of_name(path)).or_else(|| looks_like_csv(head).then_some(Format::Csv))
    }
}

/// The format of the extension, that of a compression apart.
fn of_name(path: &Path) -> Option<Format> {
    let name = path.file_name()?.to_string_lossy().to_ascii_lowercase();
    let plain = [".gz", ".zst", ".zstd"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(&name);
    let (_, extension) = plain.rsplit_once('.')?;
    FORMATS.iter().find(|entry| entry.extensions.contains(&extension)).map(|entry| entry.format)
}

fn of_content(head: &[u8]) -> Option<Format> {
    if head.starts_with(b"PAR1") {
        return Some(Format::Parquet);
    }
    let text = head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(head).trim_ascii_start();
    match text.first()? {
        b'{' => Some(if first_line_is_a_record(text) { Format::Ndjson } else { Format::Json }),
        b'[' if matches!(text.get(1..)?.trim_ascii_start().first(), Some(b'{' | b']')) => Some(Format::Json),
        b'#' if is_w3c(text) => Some(Format::W3c),
        _ if is_cef(text) => Some(Format::Cef),
        _ => None,
    }
}

fn first_line_is_a_record(text: &[u8]) -> bool {
    let line = text.split(|byte| *byte == b'\n').next().unwrap_or_default().trim_ascii_end();
    // A line that is cut off by the end of the sample is a long record.
    line.len() == text.len() || (line.ends_with(b"}") && !is_query_answer(line)) || other_lines_are_records(text)
}

/// One broken line makes no other format.
fn other_lines_are_records(text: &[u8]) -> bool {
    let is_record = |line: &&[u8]| line.starts_with(b"{") && line.trim_ascii_end().ends_with(b"}") && line.len() > 2;
    text.split(|byte| *byte == b'\n').skip(1).take(20).any(|line| is_record(&line))
}

/// `{"tables":[{…}]}`
pub fn is_query_answer(text: &[u8]) -> bool {
    let mut rest = text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(text);
    for part in [&b"{"[..], b"\"tables\"", b":", b"["] {
        let Some(behind) = rest.trim_ascii_start().strip_prefix(part) else { return false };
        rest = behind;
    }
    matches!(rest.trim_ascii_start().first(), Some(b'{' | b']') | None)
}

fn is_w3c(text: &[u8]) -> bool {
    text.split(|byte| *byte == b'\n').take(20).any(|line| line.starts_with(b"#Fields:"))
        || text.starts_with(b"#Software:")
        || text.starts_with(b"#Version:")
}

fn is_cef(text: &[u8]) -> bool {
    let lines = text.split(|byte| *byte == b'\n').take(5);
    let is_event = |line: &[u8]| {
        memchr::memmem::find(line, b"CEF:").is_some_and(|at| line.get(at + 4).is_some_and(u8::is_ascii_digit))
    };
    lines.into_iter().any(is_event)
}

fn looks_like_csv(head: &[u8]) -> bool {
    let line = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let is_text = |byte: &u8| *byte >= b' ' || matches!(byte, b'\t' | b'\r');
    line.contains(&b',') && line.iter().all(is_text)
}

//! Of which known sourcetypes the events of a morsel are.
use super::columns::present;
use super::knowledge::Knowledge;
use super::rules::Stanza;
use crate::types::vectors::bits_of_pairs;
use crate::types::{Column, Kind, Name, Text, views};
use arrow_array::Array;
use arrow_buffer::{BooleanBuffer, BooleanBufferBuilder};
use std::collections::HashMap;

/// An entry by its number, and the rows that are of it; none for all rows.
pub type Known = (usize, Option<BooleanBuffer>);

/// Rows that follow each other: the first, and the one behind the last.
type Run = (u32, u32);

/// The entries that rows are of, in their order.
pub fn of(knowledge: &Knowledge, rows: usize, column: &mut dyn FnMut(&Name) -> Column) -> Vec<Known> {
    let mut named = |name: &str| column(&name.into());
    let told = [named("sourcetype"), named("source"), named("host"), named("Channel"), named("winlog.channel")];
    let groups = grouped(&told.map(as_texts), rows);
    let stanzas = knowledge.stanzas.iter().enumerate();
    let found = stanzas.filter_map(|(number, stanza)| {
        let mut mask = Mask::new(rows);
        for (key, members) in &groups {
            match is_of(stanza, key) {
                Some(true) => mask.add(members),
                Some(false) => {}
                None => mask.add_where(members, &signed(stanza, rows, column)),
            }
        }
        mask.finish().map(|rows| (number, rows))
    });
    found.collect()
}

/// The rows that are told apart by the same texts, which are of the same entries: most are like the row before.
fn grouped(told: &[Column; 5], rows: usize) -> Vec<(Vec<Option<String>>, Vec<Run>)> {
    let differing: Vec<&Column> = told.iter().filter(|column| !is_constant(column)).collect();
    let changes = differing.iter().map(|column| changes(column, rows)).reduce(|a, b| &a | &b);
    let changes = changes.unwrap_or_else(|| BooleanBuffer::new_unset(rows));
    let starts = changes.set_indices_u32().filter(|row| *row > 0);
    let mut groups: Vec<(Vec<Option<String>>, Vec<Run>)> = Vec::new();
    let mut numbers: HashMap<Vec<Option<String>>, usize> = HashMap::new();
    let mut first = 0;
    for end in starts.chain([rows as u32]).filter(|end| *end > 0) {
        let row = first as usize;
        let is_own = |members: &[Run]| {
            members.first().is_some_and(|(known, _)| differing.iter().all(|c| is_same(c, *known as usize, row)))
        };
        let known = groups.iter().take(FEW).position(|(_, members)| is_own(members));
        let number = known.unwrap_or_else(|| {
            let key = told.each_ref().map(|column| column.text(row).map(str::to_owned)).to_vec();
            *numbers.entry(key.clone()).or_insert_with(|| {
                groups.push((key, Vec::new()));
                groups.len() - 1
            })
        });
        if let Some((_, members)) = groups.get_mut(number) {
            members.push((first, end));
        }
        first = end;
    }
    groups
}

/// So many groups are looked through before a hash is asked.
const FEW: usize = 8;

/// Whether all rows have the same text, or none.
fn is_constant(column: &Column) -> bool {
    column.is_const() || column.null_buffer().is_some_and(|nulls| nulls.null_count() == nulls.len())
}

/// The rows whose text differs from that of the row before.
fn changes(column: &Column, rows: usize) -> BooleanBuffer {
    let mut bits = BooleanBufferBuilder::new(rows);
    bits.append_n(rows, false);
    // Texts that lie at different places may be the same.
    let differ = match column {
        Column::Text(_, Text::Dictionary(keys, _)) if keys.null_count() == 0 => {
            let keys = keys.values();
            bits_of_pairs(keys, keys.get(1..).unwrap_or_default(), |before, own| before != own)
        }
        Column::Text(_, Text::Views(views)) if views.null_count() == 0 => {
            let raw = views.views();
            bits_of_pairs(raw, raw.get(1..).unwrap_or_default(), |before, own| before != own)
        }
        _ => BooleanBuffer::new_set(rows.saturating_sub(1)),
    };
    for before in differ.set_indices().filter(|before| !is_same(column, *before, before + 1)) {
        bits.set_bit(before + 1, true);
    }
    bits.finish()
}

/// Whether two rows have the same text, or none.
fn is_same(column: &Column, a: usize, b: usize) -> bool {
    match column {
        Column::Text(_, Text::Views(views)) if views.null_count() == 0 => {
            views::are_same(views.views()[a], views.views()[b], views.data_buffers())
        }
        other => other.text(a) == other.text(b),
    }
}

/// A field as one text a row, also where it is a number.
fn as_texts(column: Column) -> Column {
    match column {
        Column::Field(field) => Column::Text(Kind::Field, Text::Views(field.texts())),
        other => other,
    }
}

/// Whether events with this sourcetype, source, host and channel are of an entry; none where the signs decide.
fn is_of(stanza: &Stanza, key: &[Option<String>]) -> Option<bool> {
    let text = |at: usize| key.get(at).and_then(Option::as_deref);
    let fits = |patterns: &[String], at: usize| {
        text(at).is_some_and(|text| patterns.iter().any(|pattern| wildcard(pattern, text)))
    };
    let by_channel = [3, 4].iter().any(|at| stanza.channels.iter().any(|channel| text(*at) == Some(channel)));
    let named = fits(&stanza.sourcetypes, 0) || fits(&stanza.sources, 1) || fits(&stanza.hosts, 2) || by_channel;
    match named || stanza.everywhere {
        true => Some(true),
        false if text(0).is_some() || stanza.signs.is_empty() => Some(false),
        false => None,
    }
}

/// The rows that have all fields of one sign.
fn signed(stanza: &Stanza, rows: usize, column: &mut dyn FnMut(&Name) -> Column) -> BooleanBuffer {
    let all = |sign: &Vec<Name>| {
        let parts = sign.iter().map(|name| present(&column(name)));
        parts.reduce(|a, b| &a & &b).unwrap_or_else(|| BooleanBuffer::new_unset(rows))
    };
    stanza.signs.iter().map(all).reduce(|a, b| &a | &b).unwrap_or_else(|| BooleanBuffer::new_unset(rows))
}

struct Mask {
    rows: usize,
    set: usize,
    bits: BooleanBufferBuilder,
}

impl Mask {
    fn new(rows: usize) -> Mask {
        let mut bits = BooleanBufferBuilder::new(rows);
        bits.append_n(rows, false);
        Mask { rows, set: 0, bits }
    }

    fn add(&mut self, runs: &[Run]) {
        self.add_rows(runs.iter().flat_map(|(first, end)| *first as usize..*end as usize));
    }

    fn add_where(&mut self, runs: &[Run], mask: &BooleanBuffer) {
        let rows = runs.iter().flat_map(|(first, end)| *first as usize..*end as usize);
        self.add_rows(rows.filter(|row| mask.value(*row)));
    }

    fn add_rows(&mut self, rows: impl Iterator<Item = usize>) {
        for row in rows {
            self.bits.set_bit(row, true);
            self.set += 1;
        }
    }

    /// None where no row is set; the inner none where all are.
    fn finish(mut self) -> Option<Option<BooleanBuffer>> {
        match self.set {
            0 => None,
            all if all == self.rows => Some(None),
            _ => Some(Some(self.bits.finish())),
        }
    }
}

/// Whether a text is what a pattern says, in any case; `*` stands for any text.
pub fn wildcard(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.to_ascii_lowercase(), text.to_ascii_lowercase());
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let mut last = None;
    for part in parts {
        last = Some(part);
        match rest.find(part) {
            Some(at) => rest = rest.get(at + part.len()..).unwrap_or_default(),
            None => return false,
        }
    }
    // What is behind the last star must end the text; without a star nothing may follow.
    match last {
        None => rest.is_empty(),
        Some(last) => text.len() >= first.len() + last.len() && text.ends_with(last),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_the_same_texts_are_one_group() {
        let texts = |texts: &[Option<&str>]| {
            let views = arrow_array::StringViewArray::from_iter(texts.iter().copied());
            Column::Text(Kind::Field, Text::Views(views))
        };
        let long = "a sourcetype with a long name";
        let kinds = [Some(long), Some(long), None, None, Some("x"), Some("y"), Some("x"), Some(long), None];
        let hosts = [Some("h"), Some("h"), Some("h"), Some("i"), Some("i"), Some("i"), Some("i"), Some("h"), Some("i")];
        let none = Column::nulls(Kind::Field, kinds.len());
        let told = [
            texts(&kinds),
            Column::Const(crate::types::Value::string("s"), kinds.len()),
            texts(&hosts),
            none.clone(),
            none,
        ];
        let groups = grouped(&told, kinds.len());
        let runs: Vec<&[Run]> = groups.iter().map(|(_, runs)| runs.as_slice()).collect();
        let expected: [&[Run]; 5] = [&[(0, 2), (7, 8)], &[(2, 3)], &[(3, 4), (8, 9)], &[(4, 5), (6, 7)], &[(5, 6)]];
        assert_eq!(runs, expected);
        assert_eq!(groups[1].0, [None, Some("s".to_owned()), Some("h".to_owned()), None, None]);
        assert!(grouped(&told.map(|_| Column::nulls(Kind::Field, 0)), 0).is_empty());
    }

    #[test]
    fn patterns_take_any_case_and_any_text_for_a_star() {
        for (pattern, text, fits) in [
            ("xmlwineventlog*", "XmlWinEventLog", true),
            ("*WinEventLog:Security", "XmlWinEventLog:Security", true),
            ("*WinEventLog:Security", "XmlWinEventLog:Security2", false),
            ("iis", "iis", true),
            ("iis", "iis2", false),
            ("a*b*c", "aXbYc", true),
            ("a*a", "a", false),
            ("*", "", true),
        ] {
            assert_eq!(wildcard(pattern, text), fits, "{pattern} {text}");
        }
    }
}

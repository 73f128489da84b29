//! Of which known sourcetypes the events of a morsel are.
use super::columns::present;
use super::knowledge::Knowledge;
use super::rules::Stanza;
use crate::types::{Column, Kind, Name, Text};
use arrow_buffer::{BooleanBuffer, BooleanBufferBuilder};
use std::collections::HashMap;

/// An entry by its number, and the rows that are of it; none for all rows.
pub type Known = (usize, Option<BooleanBuffer>);

/// The entries that rows are of, in their order.
pub fn of(knowledge: &Knowledge, rows: usize, column: &mut dyn FnMut(&Name) -> Column) -> Vec<Known> {
    let mut named = |name: &str| column(&name.into());
    let told = [named("sourcetype"), named("source"), named("host"), named("Channel"), named("winlog.channel")];
    let told = told.map(as_texts);
    let texts = |row: usize| told.each_ref().map(|column| column.text(row));
    // Rows that are told apart by the same texts are of the same entries; most are like the row before.
    let mut groups: HashMap<Vec<Option<String>>, usize> = HashMap::new();
    let mut members: Vec<Vec<u32>> = Vec::new();
    let mut last = None;
    for row in 0..rows {
        let own = texts(row);
        let group = match last {
            Some((known, group)) if known == own => group,
            _ => {
                let next = groups.len();
                *groups.entry(own.map(|text| text.map(str::to_owned)).to_vec()).or_insert(next)
            }
        };
        if group == members.len() {
            members.push(Vec::new());
        }
        if let Some(members) = members.get_mut(group) {
            members.push(row as u32);
        }
        last = Some((own, group));
    }
    let stanzas = knowledge.stanzas.iter().enumerate();
    let found = stanzas.filter_map(|(number, stanza)| {
        let mut mask = Mask::new(rows);
        for (key, group) in &groups {
            let members = members.get(*group).map(Vec::as_slice).unwrap_or_default();
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

    fn add(&mut self, rows: &[u32]) {
        rows.iter().for_each(|row| self.bits.set_bit(*row as usize, true));
        self.set += rows.len();
    }

    fn add_where(&mut self, rows: &[u32], mask: &BooleanBuffer) {
        let rows: Vec<u32> = rows.iter().copied().filter(|row| mask.value(*row as usize)).collect();
        self.add(&rows);
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

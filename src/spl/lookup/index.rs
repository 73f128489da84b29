//! Finds the rows of a lookup that values take, without trying each row.
use crate::plan::{MatchType, Matching};
use crate::spl::wildcard;
use crate::types::{Column, Name, field};
use aho_corasick::AhoCorasick;
use ipnet::IpNet;
use std::collections::HashMap;
use std::net::IpAddr;

/// Stands between the values of several fields.
const BETWEEN: char = '\u{1}';

/// The rows of a lookup by the values of its fields.
pub struct Index {
    fields: Vec<Field>,
    case_sensitive: bool,
    candidates: Candidates,
}

struct Field {
    kind: MatchType,
    /// By row; folded where case does not matter, none where the cell is empty.
    cells: Vec<Option<String>>,
}

/// What narrows the rows down; the other fields are then tested one by one.
enum Candidates {
    /// By the values of all fields that are matched exactly.
    Exact(HashMap<String, Vec<u32>>),
    /// By the first field.
    Patterns(Patterns),
    Networks(Networks),
}

impl Index {
    pub fn new(columns: &[(Name, Column)], matching: &Matching) -> Index {
        let fold = |text: &str| if matching.case_sensitive { text.to_owned() } else { folded(text) };
        let field = |(name, column): &(Name, Column)| Field {
            kind: matching.of(name),
            cells: (0..column.len()).map(|row| field::text(column, row).map(|text| fold(&text))).collect(),
        };
        let fields: Vec<Field> = columns.iter().map(field).collect();
        let candidates = Candidates::of(&fields);
        Index { fields, case_sensitive: matching.case_sensitive, candidates }
    }

    /// The rows that one value for each field takes, in the order of the file.
    pub fn find(&self, values: &[&str]) -> Vec<u32> {
        let folded: Vec<String> =
            values.iter().map(|value| if self.case_sensitive { (*value).to_owned() } else { folded(value) }).collect();
        let mut rows = match &self.candidates {
            Candidates::Exact(rows) => rows.get(&self.exact_key(&folded)).cloned().unwrap_or_default(),
            Candidates::Patterns(patterns) => patterns.candidates(folded.first().map_or("", String::as_str)),
            Candidates::Networks(networks) => networks.find(folded.first().map_or("", String::as_str)),
        };
        rows.retain(|row| self.takes(*row as usize, &folded));
        rows
    }

    fn exact_key(&self, values: &[String]) -> String {
        let exact = self.fields.iter().zip(values).filter(|(field, _)| field.kind == MatchType::Exact);
        exact.map(|(_, value)| value.as_str()).collect::<Vec<_>>().join(&BETWEEN.to_string())
    }

    fn takes(&self, row: usize, values: &[String]) -> bool {
        self.fields.iter().zip(values).all(|(field, value)| match field.cells.get(row) {
            Some(Some(cell)) => matches(field.kind, cell, value),
            _ => false,
        })
    }
}

fn matches(kind: MatchType, cell: &str, value: &str) -> bool {
    match kind {
        MatchType::Exact => cell == value,
        MatchType::Wildcard => wildcard::captures(cell, value).is_some(),
        MatchType::Cidr => match (network(cell), value.trim().parse::<IpAddr>()) {
            (Some(network), Ok(address)) => network.contains(&address),
            _ => cell == value,
        },
    }
}

/// Lower case, one character for one.
fn folded(text: &str) -> String {
    match text.is_ascii() {
        true => text.to_ascii_lowercase(),
        false => text.chars().map(|c| c.to_lowercase().next().unwrap_or(c)).collect(),
    }
}

/// A network, or an address as the network of itself alone.
fn network(text: &str) -> Option<IpNet> {
    let text = text.trim();
    text.parse::<IpNet>()
        .ok()
        .map(|network| network.trunc())
        .or_else(|| Some(IpNet::from(text.parse::<IpAddr>().ok()?)))
}

impl Candidates {
    fn of(fields: &[Field]) -> Candidates {
        let exact: Vec<&Field> = fields.iter().filter(|field| field.kind == MatchType::Exact).collect();
        let rows = fields.first().map_or(0, |field| field.cells.len());
        match (exact.is_empty(), fields.first()) {
            (true, Some(first)) if first.kind == MatchType::Wildcard => {
                Candidates::Patterns(Patterns::new(&first.cells))
            }
            (true, Some(first)) => Candidates::Networks(Networks::new(&first.cells)),
            _ => {
                let mut found: HashMap<String, Vec<u32>> = HashMap::new();
                for row in 0..rows {
                    let cells: Option<Vec<&str>> = exact.iter().map(|field| field.cells.get(row)?.as_deref()).collect();
                    if let Some(cells) = cells {
                        found.entry(cells.join(&BETWEEN.to_string())).or_default().push(row as u32);
                    }
                }
                Candidates::Exact(found)
            }
        }
    }
}

/// Cells with wildcards. A value can only fit those whose longest stretch of plain text it holds.
struct Patterns {
    plain: HashMap<String, Vec<u32>>,
    stretches: Option<AhoCorasick>,
    /// The rows of each stretch.
    owners: Vec<Vec<u32>>,
    /// Rows without any plain text: `*`.
    all: Vec<u32>,
}

impl Patterns {
    fn new(cells: &[Option<String>]) -> Patterns {
        let mut plain: HashMap<String, Vec<u32>> = HashMap::new();
        let mut stretches: HashMap<&str, Vec<u32>> = HashMap::new();
        let mut all = Vec::new();
        for (row, cell) in cells.iter().enumerate() {
            let Some(cell) = cell.as_deref() else { continue };
            let row = row as u32;
            if !cell.contains('*') {
                plain.entry(cell.to_owned()).or_default().push(row);
                continue;
            }
            match cell.split('*').max_by_key(|part| part.len()).filter(|part| !part.is_empty()) {
                Some(longest) => stretches.entry(longest).or_default().push(row),
                None => all.push(row),
            }
        }
        let mut found: Vec<(&str, Vec<u32>)> = stretches.into_iter().collect();
        found.sort();
        let automaton =
            (!found.is_empty()).then(|| AhoCorasick::new(found.iter().map(|(text, _)| text)).ok()).flatten();
        if automaton.is_none() {
            // Too much text for an automaton: each pattern is tried.
            all.extend(found.iter().flat_map(|(_, rows)| rows));
        }
        Patterns { plain, stretches: automaton, owners: found.into_iter().map(|(_, rows)| rows).collect(), all }
    }

    fn candidates(&self, value: &str) -> Vec<u32> {
        let mut rows = self.all.clone();
        rows.extend(self.plain.get(value).into_iter().flatten());
        for found in self.stretches.iter().flat_map(|stretches| stretches.find_overlapping_iter(value)) {
            rows.extend(self.owners.get(found.pattern().as_usize()).into_iter().flatten());
        }
        rows.sort_unstable();
        rows.dedup();
        rows
    }
}

/// Networks by their length and first address.
struct Networks {
    by_network: HashMap<IpNet, Vec<u32>>,
    lengths: Vec<u8>,
    /// Cells that are no networks are matched as they are.
    other: HashMap<String, Vec<u32>>,
}

impl Networks {
    fn new(cells: &[Option<String>]) -> Networks {
        let mut found = Networks { by_network: HashMap::new(), lengths: Vec::new(), other: HashMap::new() };
        for (row, cell) in cells.iter().enumerate() {
            let Some(cell) = cell.as_deref() else { continue };
            match network(cell) {
                Some(network) => {
                    found.lengths.push(network.prefix_len());
                    found.by_network.entry(network).or_default().push(row as u32);
                }
                None => found.other.entry(cell.to_owned()).or_default().push(row as u32),
            }
        }
        found.lengths.sort_unstable();
        found.lengths.dedup();
        found
    }

    fn find(&self, value: &str) -> Vec<u32> {
        let mut rows: Vec<u32> = self.other.get(value).into_iter().flatten().copied().collect();
        if let Ok(address) = value.trim().parse::<IpAddr>() {
            let networks = self.lengths.iter().filter_map(|length| IpNet::new(address, *length).ok());
            rows.extend(networks.filter_map(|network| self.by_network.get(&network.trunc())).flatten());
        }
        rows.sort_unstable();
        rows
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::{Kind, Value};
    use proptest::prelude::*;

    fn index(cells: &[&[&str]], kinds: &[MatchType], case_sensitive: bool) -> Index {
        let names: Vec<Name> = (0..kinds.len()).map(|at| Name::from(at.to_string())).collect();
        let column = |at: usize| {
            let texts: Vec<Value> = cells.iter().map(|row| Value::Text(Kind::Field, row[at].into())).collect();
            Column::from_values(Kind::Field, &texts)
        };
        let columns: Vec<(Name, Column)> =
            names.iter().enumerate().map(|(at, name)| (name.clone(), column(at))).collect();
        let types = names.into_iter().zip(kinds.iter().copied()).collect();
        Index::new(&columns, &Matching { types, case_sensitive, ..Matching::default() })
    }

    #[test]
    fn exact_values_are_found_in_the_order_of_the_file() {
        let found = index(&[&["a", "1"], &["b", "1"], &["a", "1"]], &[MatchType::Exact; 2], true);
        assert_eq!(found.find(&["a", "1"]), [0, 2]);
        assert!(found.find(&["A", "1"]).is_empty());
    }

    #[test]
    fn patterns_stand_in_the_lookup() {
        let cells: &[&[&str]] = &[&["*evil*"], &["good.exe"], &["*"], &["C:\\*\\x*.exe"]];
        let found = index(cells, &[MatchType::Wildcard], false);
        assert_eq!(found.find(&["an EVIL one"]), [0, 2]);
        assert_eq!(found.find(&["GOOD.exe"]), [1, 2]);
        assert_eq!(found.find(&["c:\\a\\b\\xy.exe"]), [2, 3]);
    }

    #[test]
    fn addresses_are_found_in_networks() {
        let cells: &[&[&str]] = &[&["10.0.0.0/8"], &["10.1.0.0/16"], &["10.1.2.3"], &["2001:db8::/32"], &["host"]];
        let found = index(cells, &[MatchType::Cidr], true);
        assert_eq!(found.find(&["10.1.2.3"]), [0, 1, 2]);
        assert_eq!((found.find(&["2001:db8::1"]), found.find(&["host"])), (vec![3], vec![4]));
        assert!(found.find(&["11.0.0.1"]).is_empty());
    }

    #[test]
    fn kinds_of_matching_stand_beside_each_other() {
        let cells: &[&[&str]] = &[&["*x*", "a"], &["*x*", "b"], &["*", "a"]];
        let found = index(cells, &[MatchType::Wildcard, MatchType::Exact], true);
        assert_eq!((found.find(&["axa", "a"]), found.find(&["aa", "a"])), (vec![0, 2], vec![2]));
    }

    proptest! {
        #[test]
        fn patterns_are_found_as_if_each_were_tried(
            cells in proptest::collection::vec("[ab*]{1,5}", 1..20),
            value in "[abA]{0,6}",
        ) {
            let rows: Vec<[&str; 1]> = cells.iter().map(|cell| [cell.as_str()]).collect();
            let rows: Vec<&[&str]> = rows.iter().map(|row| row.as_slice()).collect();
            let found = index(&rows, &[MatchType::Wildcard], true);
            let tried = cells.iter().enumerate().filter(|(_, cell)| wildcard::captures(cell, &value).is_some());
            prop_assert_eq!(found.find(&[&value]), tried.map(|(row, _)| row as u32).collect::<Vec<_>>());
        }
    }
}

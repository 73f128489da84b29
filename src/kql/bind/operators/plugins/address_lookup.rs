//! `ipv4_lookup`, `ipv6_lookup`: rows beside those of a table of networks.
use super::Evaluation;
use super::beside::Columns;
use crate::diagnostic::{Fault, Result};
use crate::functions::Context;
use crate::functions::kept::{KeptRows, rows};
use crate::kql::ast::{Argument, ExpressionKind, Literal};
use crate::kql::bind::Bind;
use crate::kql::bind::binder::Binder;
use crate::kql::bind::relation::{Relation, Row};
use crate::plan::{KeepsInput, Node, TableOperation};
use crate::types::intern::{Interner, NULL};
use crate::types::{Column, Kind, Name, Table};
use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;
use std::sync::Arc;

/// Which side's columns come first, and whether addresses of version 6 count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Version {
    V4,
    V6,
}

impl Binder<'_> {
    fn address_lookup(&mut self, evaluation: &Evaluation, version: Version) -> Bind<Relation> {
        let [table, address, network, rest @ ..] = evaluation.arguments() else {
            return Err(self.error("KS119", "The plugin expects 3 arguments.", evaluation.call.name.span));
        };
        let right = self.table(&table.value)?;
        let (unmatched, keys) = self.unmatched_flag(rest)?;
        let keys = keys.iter().map(|key| self.common_key(key, evaluation.input, &right)).collect::<Bind<Vec<_>>>()?;
        let (left, left_key) = self.with_text(evaluation.input, address, "address")?;
        let (right_rows, right_key) = self.with_text(&right, network, "network")?;
        let rows = Columns::of_rows(&evaluation.input.schema);
        let others = Columns::of_table(&right.schema, &keys);
        let columns = match version {
            Version::V4 => Columns::new(rows.chain(others)),
            Version::V6 => Columns::new(others.chain(rows)),
        };
        let schema = columns.schema.clone();
        let operation = Arc::new(Lookup { address: left_key, network: right_key, keys, version, unmatched, columns });
        let node = Node::Table { inputs: vec![left.node, right_rows.node], operation };
        Ok(self.over(evaluation.input, node, schema))
    }

    /// Whether unmatched rows are kept, and the arguments before that.
    fn unmatched_flag<'a>(&mut self, arguments: &'a [Argument]) -> Bind<(bool, &'a [Argument])> {
        let Some((last, keys)) = arguments.split_last() else { return Ok((false, arguments)) };
        let named = last.name.as_ref().is_some_and(|name| name.text == "return_unmatched");
        let literal = matches!(last.value.kind, ExpressionKind::Literal(Literal::Bool(_)));
        if !named && !literal {
            return Ok((false, arguments));
        }
        match self.constant_of(&last.value)?.as_bool() {
            Some(flag) => Ok((flag, keys)),
            None => Err(self.error("KS141", "The expression must have the type bool.", last.span)),
        }
    }

    /// A further key: a column that both sides have.
    fn common_key(&mut self, argument: &Argument, left: &Relation, right: &Relation) -> Bind<Name> {
        let (name, kind) = self.column_of(argument, left)?;
        match right.schema.kind(&name) {
            Some(other) if other == kind => Ok(name),
            Some(other) => {
                let message = format!("The key '{name}' is {kind} in the rows and {other} in the table.");
                Err(self.error("KS107", message, argument.span))
            }
            None => {
                let known: Vec<Name> = right.schema.names().cloned().collect();
                Err(self.unknown("KS142", "column", &name, argument.span, known.iter().map(|n| &**n)))
            }
        }
    }

    /// The rows with the text of an expression as a hidden column.
    fn with_text(&mut self, rows: &Relation, argument: &Argument, what: &str) -> Bind<(Relation, Name)> {
        let text = self.scalar(&argument.value, &Row::of(rows))?;
        let text = self.converted(text, Kind::String, argument.span)?;
        let name = self.hidden(what);
        Ok((self.extend(rows, vec![(name.clone(), text)]), name))
    }
}

#[derive(Debug)]
struct Lookup {
    address: Name,
    network: Name,
    keys: Vec<Name>,
    version: Version,
    unmatched: bool,
    columns: Columns,
}

impl TableOperation for Lookup {
    fn name(&self) -> &str {
        if self.version == Version::V4 { "ipv4_lookup" } else { "ipv6_lookup" }
    }

    fn run(&self, context: &Context, inputs: &[Table]) -> Result<Table> {
        let [rows, table] = inputs else { return Err(Fault::internal("a lookup has two sides")) };
        let networks = Networks::of(&table.column_named(&self.network).ok_or_else(lost)?, self.version);
        let keys = self.keys.iter().map(|key| KeyPair::of(rows, table, key)).collect::<Option<Vec<_>>>();
        let (left, right) = self.pairs(context, rows, &networks, &keys.ok_or_else(lost)?)?;
        // The row behind the table's last one is all null.
        let nothing = u32::try_from(table.rows()).unwrap_or(u32::MAX);
        let right: Vec<u32> = right.into_iter().map(|row| if row == NULL { nothing } else { row }).collect();
        self.columns.gathered(rows, table, &left, &right)
    }

    fn keeper(&self) -> Option<&dyn KeepsInput> {
        self.keys.is_empty().then_some(self)
    }
}

impl KeepsInput for Lookup {
    fn form(&self) -> &str {
        if self.version == Version::V4 { "networks4" } else { "networks6" }
    }

    fn keep(&self, input: &Table) -> Option<Vec<u8>> {
        let index = Networks::of(&input.column_named(&self.network)?, self.version).write();
        let columns = input.schema().names().map(|name| Some((name.clone(), input.column_named(name)?)));
        rows::write(&columns.collect::<Option<Vec<_>>>()?, input.rows(), &index)
    }

    fn run(&self, context: &Context, others: &[Table], kept: &KeptRows) -> Result<Table> {
        let [rows] = others else { return Err(Fault::internal("a lookup has two sides")) };
        let networks = Networks::read(kept.index()).ok_or_else(lost)?;
        let (left, right) = self.pairs(context, rows, &networks, &[])?;
        let there: Vec<u32> = right.iter().copied().filter(|row| *row != NULL).collect();
        let table = kept.table(&there)?;
        let nothing = u32::try_from(there.len()).unwrap_or(u32::MAX);
        let mut places = 0..nothing;
        let place = |row: u32| if row == NULL { nothing } else { places.next().unwrap_or(nothing) };
        let right: Vec<u32> = right.into_iter().map(place).collect();
        self.columns.gathered(rows, &table, &left, &right)
    }
}

impl Lookup {
    /// Each row's number beside those of its networks; [`NULL`] for a row that has none, and stays.
    fn pairs(&self, context: &Context, rows: &Table, networks: &Networks, keys: &[KeyPair]) -> Result<Pairs> {
        let addresses = rows.column_named(&self.address).ok_or_else(lost)?;
        let mut known: HashMap<String, Vec<u32>> = HashMap::new();
        let (mut left, mut right) = (Vec::new(), Vec::new());
        for row in 0..rows.rows() {
            context.check()?;
            let text = addresses.text(row).unwrap_or_default();
            let found = match known.get(text) {
                Some(found) => found,
                None => known.entry(text.to_owned()).or_insert_with(|| networks.holding(text, self.version)),
            };
            let matching = found.iter().copied().filter(|other| keys.iter().all(|key| key.equal(row, *other)));
            let before = right.len();
            right.extend(matching);
            if right.len() == before && self.unmatched {
                right.push(NULL);
            }
            left.resize(right.len(), u32::try_from(row).unwrap_or(u32::MAX));
            if right.len() > context.limits.rows {
                return Err(Fault::limit("rows", "an address lookup gives too many rows"));
            }
        }
        Ok((left, right))
    }
}

/// Rows on both sides.
type Pairs = (Vec<u32>, Vec<u32>);

fn lost() -> Fault {
    Fault::internal("a lookup lost its key")
}

/// The values of a further key on both sides, as numbers that are equal for equal values.
struct KeyPair {
    rows: Vec<u32>,
    table: Vec<u32>,
}

impl KeyPair {
    fn of(rows: &Table, table: &Table, key: &Name) -> Option<KeyPair> {
        let (left, right) = (rows.column_named(key)?, table.column_named(key)?);
        let mut interner = Interner::new(left.kind());
        let rows = interner.numbers(&left);
        Some(KeyPair { rows, table: interner.numbers(&right) })
    }

    fn equal(&self, row: usize, other: u32) -> bool {
        let own = self.rows.get(row).filter(|number| **number != NULL);
        own.is_some() && own == self.table.get(other as usize)
    }
}

/// The networks of a table in order: of each, as [`ENTRY`] bytes, its first address, its prefix and its row.
struct Networks<'a> {
    /// The lengths of prefixes that occur.
    prefixes: BTreeSet<u32>,
    entries: Cow<'a, [u8]>,
}

const ENTRY: usize = 24;
/// Before the entries that are kept: a byte for each length of a prefix, 0 to 128, which says whether it occurs.
const LENGTHS: usize = 129;

impl Networks<'_> {
    fn of(texts: &Column, version: Version) -> Networks<'static> {
        let network = |row: usize| network(texts.text(row).unwrap_or_default(), version);
        let all = (0..texts.len()).zip(0u32..).filter_map(|(row, place)| Some((network(row)?, place)));
        let mut all: Vec<(u128, u32, u32)> =
            all.map(|((bits, prefix), place)| (bits & mask(prefix), prefix, place)).collect();
        all.sort_unstable();
        let mut entries = Vec::with_capacity(all.len() * ENTRY);
        for (first, prefix, place) in &all {
            entries.extend_from_slice(&first.to_le_bytes());
            entries.extend_from_slice(&prefix.to_le_bytes());
            entries.extend_from_slice(&place.to_le_bytes());
        }
        Networks { prefixes: all.iter().map(|(_, prefix, _)| *prefix).collect(), entries: entries.into() }
    }

    fn write(&self) -> Vec<u8> {
        let lengths = (0..LENGTHS as u32).map(|length| u8::from(self.prefixes.contains(&length)));
        lengths.chain(self.entries.iter().copied()).collect()
    }

    fn read(bytes: &[u8]) -> Option<Networks<'_>> {
        let (lengths, entries) = bytes.split_at_checked(LENGTHS)?;
        let prefixes = (0..).zip(lengths).filter(|(_, occurs)| **occurs != 0).map(|(length, _)| length).collect();
        (entries.len() % ENTRY == 0).then_some(Networks { prefixes, entries: entries.into() })
    }

    /// The first address, the prefix and the row of a network.
    fn entry(&self, at: usize) -> Option<(u128, u32, u32)> {
        let (first, rest) = self.entries.get(at * ENTRY..)?.split_first_chunk()?;
        let (prefix, rest) = rest.split_first_chunk()?;
        let place = rest.first_chunk()?;
        Some((u128::from_le_bytes(*first), u32::from_le_bytes(*prefix), u32::from_le_bytes(*place)))
    }

    /// The networks from one on.
    fn from(&self, first: u128, prefix: u32) -> impl Iterator<Item = (u128, u32, u32)> + '_ {
        let (mut low, mut high) = (0, self.entries.len() / ENTRY);
        while low < high {
            let middle = low + (high - low) / 2;
            if self.entry(middle).is_some_and(|(own, length, _)| (own, length) < (first, prefix)) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        (low..).map_while(|at| self.entry(at))
    }

    /// The rows of the networks that match an address, by the shorter of both prefixes.
    fn holding(&self, text: &str, version: Version) -> Vec<u32> {
        let Some((bits, own)) = network(text, version) else { return Vec::new() };
        let mut found = Vec::new();
        for prefix in self.prefixes.range(..=own) {
            let first = bits & mask(*prefix);
            let same = self.from(first, *prefix).take_while(|(known, length, _)| (known, length) == (&first, prefix));
            found.extend(same.map(|(_, _, place)| place));
        }
        if own < 128 {
            let (first, last) = (bits & mask(own), bits | !mask(own));
            let inside = self.from(first, 0).take_while(|(known, _, _)| *known <= last);
            found.extend(inside.filter(|(_, prefix, _)| *prefix > own).map(|(_, _, place)| place));
        }
        found.sort_unstable();
        found
    }
}

/// The bits of an address, IPv4 ones as IPv6 writes them, and the length of its prefix.
fn network(text: &str, version: Version) -> Option<(u128, u32)> {
    let (address, prefix) = text.trim().split_once('/').map_or((text.trim(), None), |(a, p)| (a, Some(p)));
    let (bits, length, before) = match address.parse::<IpAddr>().ok()? {
        IpAddr::V4(v4) => (v4.to_ipv6_mapped().to_bits(), 32, 96),
        IpAddr::V6(v6) if version == Version::V6 => (v6.to_bits(), 128, 0),
        IpAddr::V6(_) => return None,
    };
    let prefix = prefix.map_or(Some(length), |p| p.parse::<u32>().ok().filter(|p| *p <= length))?;
    Some((bits, prefix + before))
}

/// The leading bits of a prefix.
fn mask(prefix: u32) -> u128 {
    u128::MAX.checked_shl(128u32.saturating_sub(prefix)).unwrap_or(0)
}

super::items! {
    /// Puts beside each row the rows of a table whose network holds the row's IPv4 address.
    ///
    /// Address and network may both be written with a prefix: the shorter one counts. Further keys are columns of both
    /// sides that must be equal. Rows without a match are left out, unless the last argument is true. The columns of
    /// the rows come first.
    ///
    /// Source: ipv4-lookup-plugin.
    ///
    /// ```kql
    /// print ip = "10.1.2.3" | evaluate ipv4_lookup((print net = "10.0.0.0/8", zone = "lab"), ip, net) | project zone // lab
    /// ```
    fn ipv4_lookup(
        LookupTable: Table,
        SourceIPv4Key: Column,
        IPv4LookupKey: Expression,
        ExtraKey[any]: Column,
    ) = |binder, evaluation| binder.address_lookup(evaluation, Version::V4);

    /// Puts beside each row the rows of a table whose network holds the row's IPv6 address.
    ///
    /// IPv4 addresses count as the IPv6 addresses that stand for them. Rows without a match are left out, unless
    /// `return_unmatched` is true. The columns of the table come first.
    ///
    /// Source: ipv6-lookup-plugin.
    ///
    /// ```kql
    /// print ip = "2001:db8::1" | evaluate ipv6_lookup((print net = "2001:db8::/32", zone = "lab"), ip, net) | project zone // lab
    /// ```
    fn ipv6_lookup(
        LookupTable: Table,
        SourceIPv6Key: Column,
        IPv6LookupKey: Expression,
        return_unmatched[optional]: Constant,
    ) = |binder, evaluation| binder.address_lookup(evaluation, Version::V6);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Value;

    #[test]
    fn an_address_matches_by_the_shorter_prefix() {
        let texts: Vec<Value> =
            ["10.1.0.0/16", "0.0.0.0/0", "10.1.2.0/24", "2001:db8::/32", "none"].map(Value::string).into();
        let column = Column::from_values(Kind::String, &texts);
        let v4 = Networks::of(&column, Version::V4);
        assert_eq!(v4.holding("10.1.2.3", Version::V4), [0, 1, 2]);
        assert_eq!(v4.holding("10.2.2.3", Version::V4), [1]);
        assert_eq!(v4.holding("10.0.0.0/8", Version::V4), [0, 1, 2]);
        assert!(v4.holding("::1", Version::V4).is_empty() && v4.holding("", Version::V4).is_empty());
        let v6 = Networks::of(&column, Version::V6);
        assert_eq!(v6.holding("2001:db8::1", Version::V6), [3]);
        assert!(network("10.1.0.0/33", Version::V4).is_none());
    }
}

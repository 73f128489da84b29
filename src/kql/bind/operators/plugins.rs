//! Plugins whose columns the query alone tells.

use crate::diagnostic::{Fault, Result, Span};
use crate::functions::Context;
use crate::kql::ast::Call;
use crate::kql::bind::Bind;
use crate::kql::bind::binder::Binder;
use crate::kql::bind::relation::{Relation, Row};
use crate::plan::{JoinKind, JoinSide, Node, TableOperation};
use crate::types::{Kind, Name, Schema, Table, Value};
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

impl Binder<'_> {
    /// `narrow()`: a row for each cell, as text.
    ///
    /// Source: narrow-plugin.
    pub(super) fn narrow(&mut self, input: &Relation) -> Relation {
        let schema: Schema =
            [("Row", Kind::Long), ("Column", Kind::String), ("Value", Kind::String)].into_iter().collect();
        let operation = Arc::new(Narrow { schema: schema.clone() });
        self.over(input, Node::Table { inputs: vec![input.node], operation }, schema)
    }

    /// `basket`, `autocluster`: they can be bound, and run over no rows alone.
    ///
    /// Source: basket-plugin, autocluster-plugin.
    pub(super) fn segments(&mut self, call: &Call, input: &Relation) -> Relation {
        let own = [("SegmentId", Kind::Long), ("Count", Kind::Long), ("Percent", Kind::Real)];
        let mut schema: Schema = own.into_iter().collect();
        for (name, kind) in input.schema.columns() {
            schema.set(schema.free_name(name), *kind);
        }
        let operation = Arc::new(Unavailable { plugin: call.name.text.clone(), schema: schema.clone() });
        self.over(input, Node::Table { inputs: vec![input.node], operation }, schema)
    }

    /// `rows_near(condition, rows, after)`: the rows that meet a condition, and those around them.
    ///
    /// Source: rows-near-plugin.
    pub(super) fn rows_near(&mut self, call: &Call, input: &Relation) -> Bind<Relation> {
        let (Some(condition), Some(before)) = (call.arguments.first(), call.arguments.get(1)) else {
            return Err(self.error("KS119", "The plugin 'rows_near' expects at least 2 arguments.", call.name.span));
        };
        let predicate = self.predicate(&condition.value, &Row::of(input))?;
        let before = self.row_count(&before.value)?;
        let after = call.arguments.get(2).map(|a| self.row_count(&a.value)).transpose()?.unwrap_or(before);
        let hit = self.hidden("hit");
        let marked = self.extend(input, vec![(hit.clone(), predicate)]);
        let operation = Arc::new(Near { hit: hit.clone(), before, after });
        let near = self.same_columns(&marked, Node::Table { inputs: vec![marked.node], operation });
        Ok(self.without(&near, &hit))
    }

    /// `ipv4_lookup(table, address, network, keys…, return_unmatched)` and its sister for IPv6: each row beside
    /// the row of the narrowest network that holds its address.
    ///
    /// Source: ipv4-lookup-plugin, ipv6-lookup-plugin.
    pub(super) fn address_lookup(&mut self, call: &Call, input: &Relation, span: Span) -> Bind<Relation> {
        let [table, address, network, rest @ ..] = call.arguments.as_slice() else {
            let message = format!("The plugin '{}' expects at least 3 arguments.", call.name.text);
            return Err(self.error("KS119", message, call.name.span));
        };
        let right = self.table(&table.value)?;
        let address = self.scalar(&address.value, &Row::of(input))?;
        let address = self.converted(address, Kind::String, span)?;
        let network_text = self.scalar(&network.value, &Row::of(&right))?;
        let network_text = self.converted(network_text, Kind::String, span)?;
        let mut unmatched = false;
        for argument in rest {
            match self.constant_of(&argument.value)? {
                Value::Bool(flag) => unmatched = flag,
                _ => return Err(self.unsupported("further keys of an address lookup", argument.span)),
            }
        }
        let (left_key, right_key) = (self.hidden("address"), self.hidden("network"));
        let left = self.extend(input, vec![(left_key.clone(), address)]);
        let right_rows = self.extend(&right, vec![(right_key.clone(), network_text)]);
        // The network of each address joins both sides as an ordinary key.
        let operation = Arc::new(Networks { address: left_key.clone(), network: right_key.clone() });
        let node = Node::Table { inputs: vec![left.node, right_rows.node], operation };
        let found = self.same_columns(&left, node);
        let kind = if unmatched { JoinKind::LeftOuter } else { JoinKind::Inner };
        let key = (left_key, right_key);
        Ok(self.beside(&found, &right, right_rows, input, kind, key))
    }

    /// The columns of the looked-up table and those of the rows; those whose names are taken get a number.
    fn beside(
        &mut self,
        found: &Relation,
        right: &Relation,
        right_rows: Relation,
        input: &Relation,
        kind: JoinKind,
        key: (Name, Name),
    ) -> Relation {
        let mut schema = Schema::default();
        let mut columns = Vec::new();
        let sides = [(JoinSide::Right, &right.schema), (JoinSide::Left, &input.schema)];
        for (side, own) in sides {
            for (name, column_kind) in own.columns() {
                let shown = schema.free_name(name);
                schema.set(shown.clone(), *column_kind);
                columns.push((shown, side, name.clone()));
            }
        }
        let node = Node::Join { left: found.node, right: right_rows.node, kind, keys: vec![key], columns };
        self.over(found, node, schema)
    }
}

#[derive(Debug)]
struct Narrow {
    schema: Schema,
}

impl TableOperation for Narrow {
    fn name(&self) -> &str {
        "narrow"
    }

    fn run(&self, context: &Context, inputs: &[Table]) -> Result<Table> {
        let table = inputs.first().ok_or_else(|| Fault::internal("nothing to narrow"))?;
        let mut cells = Vec::new();
        for (number, row) in table.to_rows().into_iter().enumerate() {
            context.check()?;
            let number = Value::Long(i64::try_from(number).unwrap_or(i64::MAX));
            let named = table.schema().names().zip(row);
            cells
                .extend(named.map(|(n, v)| vec![number.clone(), Value::string(n.clone()), Value::string(v.to_text())]));
        }
        Ok(Table::from_rows(self.schema.clone(), &cells))
    }
}

#[derive(Debug)]
struct Unavailable {
    plugin: String,
    schema: Schema,
}

impl TableOperation for Unavailable {
    fn name(&self) -> &str {
        &self.plugin
    }

    fn run(&self, _: &Context, inputs: &[Table]) -> Result<Table> {
        match inputs.first().is_some_and(|table| table.rows() > 0) {
            true => Err(Fault::query("HP120", format!("the plugin '{}' is not supported yet", self.plugin))),
            false => Ok(Table::from_rows(self.schema.clone(), &[])),
        }
    }
}

#[derive(Debug)]
struct Near {
    hit: Name,
    before: u64,
    after: u64,
}

impl TableOperation for Near {
    fn name(&self) -> &str {
        "rows_near"
    }

    fn run(&self, _: &Context, inputs: &[Table]) -> Result<Table> {
        let table = inputs.first().ok_or_else(|| Fault::internal("no rows to look near to"))?;
        let hit = table.column_named(&self.hit).ok_or_else(|| Fault::internal("the condition is gone"))?;
        let size = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
        let mut kept = BTreeSet::new();
        for row in (0..hit.len()).filter(|row| hit.value(*row).as_bool() == Some(true)) {
            let last = row.saturating_add(size(self.after)).min(hit.len().saturating_sub(1));
            kept.extend(row.saturating_sub(size(self.before))..=last);
        }
        let rows: Vec<Vec<Value>> = table.to_rows();
        let rows: Vec<Vec<Value>> = kept.into_iter().filter_map(|row| rows.get(row).cloned()).collect();
        Ok(Table::from_rows(table.schema().clone(), &rows))
    }
}

/// Puts the text of the narrowest network that holds an address in the address's place; null where none does.
#[derive(Debug)]
struct Networks {
    address: Name,
    network: Name,
}

impl TableOperation for Networks {
    fn name(&self) -> &str {
        "the networks of addresses"
    }

    fn run(&self, context: &Context, inputs: &[Table]) -> Result<Table> {
        let [rows, table] = inputs else { return Err(Fault::internal("a lookup has two sides")) };
        let networks = table.column_named(&self.network).ok_or_else(|| Fault::internal("a lookup lost its key"))?;
        let mut known: Vec<(u128, u32, String)> =
            networks.values().filter_map(|v| network(&v.to_text()).map(|(n, p)| (n, p, v.to_text()))).collect();
        known.sort_by_key(|(_, prefix, _)| std::cmp::Reverse(*prefix));
        let place = rows.schema().position(&self.address).ok_or_else(|| Fault::internal("a lookup lost its key"))?;
        let mut found = rows.to_rows();
        for row in &mut found {
            context.check()?;
            let Some(cell) = row.get_mut(place) else { continue };
            let address = network(&cell.to_text());
            let holds = |(bits, _): (u128, u32)| known.iter().find(|(n, p, _)| (bits ^ n) & mask(*p) == 0);
            // No network is written like this: the row joins nothing.
            let text = address.and_then(holds).map_or("\u{1}", |(_, _, text)| text.as_str());
            *cell = Value::string(text);
        }
        Ok(Table::from_rows(rows.schema().clone(), &found))
    }
}

/// The bits of an address, IPv4 ones as IPv6 writes them, and the length of its prefix.
fn network(text: &str) -> Option<(u128, u32)> {
    let (address, prefix) = text.trim().split_once('/').map_or((text.trim(), None), |(a, p)| (a, Some(p)));
    let (bits, length, before) = match address.parse::<IpAddr>().ok()? {
        IpAddr::V4(v4) => (v4.to_ipv6_mapped().to_bits(), 32, 96),
        IpAddr::V6(v6) => (v6.to_bits(), 128, 0),
    };
    let prefix = prefix.map_or(Some(length), |p| p.parse::<u32>().ok().filter(|p| *p <= length))?;
    Some((bits, prefix + before))
}

/// The leading bits of a prefix.
fn mask(prefix: u32) -> u128 {
    u128::MAX.checked_shl(128u32.saturating_sub(prefix)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_lies_in_its_networks_alone() {
        let inside = |address: &str, range: &str| {
            let ((bits, _), (own, prefix)) = (network(address).unwrap(), network(range).unwrap());
            (bits ^ own) & mask(prefix) == 0
        };
        assert!(inside("10.1.2.3", "10.1.0.0/16") && inside("10.1.2.3", "0.0.0.0/0"));
        assert!(!inside("10.2.2.3", "10.1.0.0/16") && !inside("::1", "0.0.0.0/0"));
        assert!(inside("2001:db8::1", "2001:db8::/32") && inside("2001:db8::1", "::/0"));
        assert!(network("10.1.0.0/33").is_none() && network("none").is_none());
    }
}

//! `find`: the rows of several tables that meet a condition.
//!
//! Source: the page "find operator".
use super::search::Searched;
use crate::diagnostic::Span;
use crate::expr::Expr;
use crate::kql::ast::{Find, FindColumn, FindPack, FindProjection};
use crate::kql::bind::Bind;
use crate::kql::bind::binder::Binder;
use crate::kql::bind::names::Names;
use crate::kql::bind::relation::{Open, Relation};
use crate::kql::bind::tables::MANY_TABLES;
use crate::plan::Node;
use crate::types::{Kind, Name, Schema, Table, Value};

/// A column of the result, and what each table gives for it.
struct Found {
    name: Name,
    own: Name,
    /// The kind that a table's column must have to be taken as it is; any, where it is converted.
    from: Option<Kind>,
    kind: Kind,
}

impl Binder<'_> {
    pub fn find(&mut self, find: &Find, span: Span) -> Bind<Relation> {
        let mut legs = Vec::new();
        for table in &find.tables {
            legs.extend(self.legs(table, false)?);
        }
        if find.tables.is_empty() {
            legs = self.every_table(span);
        }
        let read = self.columns_read(find, &legs)?;
        let has_one = |leg: &Relation| leg.is_open() || read.iter().any(|name| leg.schema.contains(name));
        legs.retain(|leg| read.is_empty() || has_one(leg));
        if legs.len() > MANY_TABLES && self.settings.open_tables {
            return self.found_anywhere(find, &legs, &read);
        }
        let width: usize = legs.iter().map(|l| l.schema.len()).sum();
        self.spend(width, span)?;
        let searched = Searched::new(&legs, false);
        let mut kept = Vec::with_capacity(legs.len());
        for leg in legs {
            let predicate = self.search_term(&find.predicate, &leg, &searched)?;
            let predicate = self.folded(predicate);
            let rows = self.same_columns(&leg, Node::Filter { input: leg.node, predicate });
            kept.push(Relation { table: leg.table, ..rows });
        }
        let source: Name = find.with_source.as_ref().map_or("source_", |n| n.text.as_str()).into();
        let (columns, pack) = match &find.projection {
            None | Some(FindProjection::Smart) => (smart_columns(&kept, &read, &source), Some(FindPack::Rest)),
            Some(FindProjection::Project { columns, pack }) => (self.named_finds(columns, &kept, &source)?, *pack),
            Some(FindProjection::Away(_)) => return Err(self.unsupported("'project-away' of 'find'", span)),
        };
        self.found(&kept, source, &columns, pack, span)
    }

    /// The columns of a `find` in all the tables of a check, without its rows.
    fn found_anywhere(&mut self, find: &Find, legs: &[Relation], read: &[Name]) -> Bind<Relation> {
        let source: Name = find.with_source.as_ref().map_or("source_", |n| n.text.as_str()).into();
        let (columns, packs) = match &find.projection {
            Some(FindProjection::Project { columns, pack }) => {
                (self.named_finds(columns, legs, &source)?, pack.is_some())
            }
            _ => (smart_columns(legs, read, &source), true),
        };
        self.open = true;
        let named = columns.into_iter().map(|column| (column.name, column.kind));
        let pack = packs.then(|| ("pack_".into(), Kind::Dynamic));
        let schema = std::iter::once((source, Kind::String)).chain(named).chain(pack).collect();
        Ok(self.values(Table::from_rows(schema, &[])))
    }

    /// The columns that the condition names. A name that nothing has is an error.
    fn columns_read(&mut self, find: &Find, legs: &[Relation]) -> Bind<Vec<Name>> {
        let (mut read, mut failed) = (Vec::<Name>::new(), None);
        for name in find.predicate.names() {
            if legs.iter().any(|leg| leg.schema.contains(&name.text)) {
                read.push(name.text.as_str().into());
            } else if self.scopes.find(self.scope, &name.text).is_none() && !legs.iter().any(Relation::is_open) {
                let known: Vec<Name> = legs.iter().flat_map(|leg| leg.schema.names().cloned()).collect();
                failed = Some(self.unknown("KS142", "column", &name.text, name.span, known.iter().map(|n| &**n)));
            }
        }
        failed.map_or(Ok(read), Err)
    }

    /// The columns that `project` names.
    fn named_finds(&mut self, columns: &[FindColumn], legs: &[Relation], source: &Name) -> Bind<Vec<Found>> {
        let mut names = Names::default();
        names.declare(source);
        let mut found = Vec::with_capacity(columns.len());
        for column in columns {
            let kinds = kinds_of(&column.name.text, legs);
            let wanted = column.kind.as_ref().and_then(|k| k.kind);
            let kind = match (wanted, kinds.as_slice()) {
                (Some(kind), _) => kind,
                (None, [kind]) => *kind,
                (None, []) if legs.iter().any(Relation::is_open) => Kind::Dynamic,
                (None, []) => {
                    let known: Vec<Name> = legs.iter().flat_map(|leg| leg.schema.names().cloned()).collect();
                    let known = known.iter().map(|n| &**n);
                    return Err(self.unknown("KS142", "column", &column.name.text, column.name.span, known));
                }
                (None, several) => {
                    let several: Vec<&str> = several.iter().map(|k| k.name()).collect();
                    let (name, kinds) = (&column.name.text, several.join(", "));
                    let message = format!("The column '{name}' has several types ({kinds}): write '{name}:type'.");
                    return Err(self.error("HP128", message, column.name.span));
                }
            };
            let own: Name = column.name.text.as_str().into();
            let name = if kinds.len() > 1 { names.unique(&format!("{own}_{kind}")) } else { names.unique(&own) };
            found.push(Found { name, own, from: None, kind });
        }
        Ok(found)
    }

    fn found(
        &mut self,
        legs: &[Relation],
        source: Name,
        columns: &[Found],
        pack: Option<FindPack>,
        span: Span,
    ) -> Bind<Relation> {
        let mut inputs = Vec::with_capacity(legs.len());
        let mut schema: Schema = std::iter::once((source.clone(), Kind::String)).collect();
        columns.iter().for_each(|c| schema.set(c.name.clone(), c.kind));
        let packed = pack.map(|_| schema.free_name("pack_"));
        if let Some(packed) = &packed {
            schema.set(packed.clone(), Kind::Dynamic);
        }
        for (at, leg) in legs.iter().enumerate() {
            let from = leg.table.clone().unwrap_or_else(|| format!("union_arg{at}"));
            let mut cells = vec![(source.clone(), Expr::Const(Value::string(from)))];
            for column in columns {
                cells.push((column.name.clone(), self.found_cell(column, leg, span)?));
            }
            if let (Some(packed), Some(pack)) = (&packed, pack) {
                cells.push((packed.clone(), self.pack_found(columns, leg, pack, span)?));
            }
            inputs.push(self.project(leg, cells).node);
        }
        let open = legs.iter().any(Relation::is_open);
        let node = match inputs.as_slice() {
            [] => self.values(crate::types::Table::from_rows(schema.clone(), &[])).node,
            [one] => *one,
            _ => self.plan.add(Node::Union { inputs }, schema.clone()),
        };
        let found = Relation::new(node, schema);
        Ok(if open { Relation { open: Open::Any, ..found } } else { found })
    }

    fn found_cell(&mut self, column: &Found, leg: &Relation, span: Span) -> Bind<Expr> {
        match leg.schema.kind(&column.own) {
            Some(kind) if column.from.is_none_or(|from| from == kind) => {
                self.converted(Expr::Column(column.own.clone(), kind), column.kind, span)
            }
            _ => Ok(Expr::Const(Value::null(column.kind))),
        }
    }

    /// A bag of the table's columns: of all, or of those that the result does not show.
    fn pack_found(&mut self, columns: &[Found], leg: &Relation, pack: FindPack, span: Span) -> Bind<Expr> {
        let shown =
            |name: &Name, kind: Kind| columns.iter().any(|c| c.own == *name && c.from.is_none_or(|from| from == kind));
        let packed = leg.schema.columns().iter().filter(|(n, k)| pack == FindPack::All || !shown(n, *k));
        let pairs = packed.flat_map(|(n, k)| [Expr::Const(Value::string(n.clone())), Expr::Column(n.clone(), *k)]);
        let pairs: Vec<Expr> = pairs.collect();
        if pairs.is_empty() {
            return Ok(Expr::Const(Value::dynamic("{}")));
        }
        self.call_item("bag_pack", pairs, span)
    }
}

/// The columns that the condition names, one for each of their kinds, and those that all tables share.
fn smart_columns(legs: &[Relation], read: &[Name], source: &Name) -> Vec<Found> {
    let mut names = Names::default();
    names.declare(source);
    let mut seen = std::collections::HashSet::new();
    let mut columns = Vec::new();
    for (own, _) in legs.iter().flat_map(|leg| leg.schema.columns()) {
        if !seen.insert(own.clone()) {
            continue;
        }
        let kinds = kinds_of(own, legs);
        if let [kind] = kinds.as_slice() {
            if read.contains(own) || legs.iter().all(|leg| leg.schema.contains(own)) {
                columns.push(Found { name: names.unique(own), own: own.clone(), from: Some(*kind), kind: *kind });
            }
        } else if read.contains(own) {
            let each = kinds.iter().map(|kind| Found {
                name: names.unique(&format!("{own}_{kind}")),
                own: own.clone(),
                from: Some(*kind),
                kind: *kind,
            });
            columns.extend(each);
        }
    }
    columns
}

/// The kinds that a column has, in order of first sight.
fn kinds_of(name: &str, legs: &[Relation]) -> Vec<Kind> {
    let mut kinds = Vec::new();
    for kind in legs.iter().filter_map(|leg| leg.schema.kind(name)) {
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    kinds
}

crate::pages! {
    /// The rows of several tables for which a condition holds, each with the columns that the condition names.
    ///
    /// A column that a table lacks fails the condition there. What is not projected stands in a bag, `pack_`.
    ///
    /// Source: find-operator.
    ///
    /// ```kql
    /// let T = datatable(a: long)[1, 2]; let U = datatable(a: long)[2, 3]; find in (T, U) where a == 2 | count // 2
    /// ```
    Operator "find": "find [withsource=Column] [in (Table, Pattern*, ...)] where Condition [project-smart | project Column[: Kind], ... [, pack_all()]]";
}

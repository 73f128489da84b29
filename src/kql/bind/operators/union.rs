//! `union`: the legs, and the columns they are brought to.
use crate::diagnostic::{Diagnostic, Severity, Span};
use crate::expr::Expr;
use crate::kql::ast::{Expression, ExpressionKind, Union, UnionKind};
use crate::kql::bind::Bind;
use crate::kql::bind::binder::Binder;
use crate::kql::bind::names::Names;
use crate::kql::bind::relation::{Open, Relation};
use crate::plan::Node;
use crate::types::{Kind, Name, Schema, Table, Value};
use std::collections::HashMap;

/// Columns, times legs, that a union may have.
const MAX_CELLS: usize = 500_000;

/// How legs become one table.
#[derive(Default)]
pub(in crate::kql::bind) struct Uniting {
    /// Only the columns that all legs have.
    pub inner: bool,
    /// A column that says which leg a row comes from.
    pub with_source: Option<Name>,
}

/// A column of the result: its name, and the column of each leg that it takes.
struct United {
    name: Name,
    own: Name,
    kind: Kind,
    /// Whether the legs' columns of that name have no other column in the result, whatever their kinds.
    alone: bool,
}

/// The kinds of the legs' columns of one name.
///
/// Microsoft's binder decides at the second leg that has the name: of the same kind, there is one column, and what
/// other kinds come later is converted to it; of another kind, each kind has a column of its own.
struct Kinds {
    kinds: Vec<Kind>,
    settled: bool,
}

impl Kinds {
    fn add(&mut self, kind: Kind) {
        if self.kinds.contains(&kind) {
            self.settled |= self.kinds.len() == 1;
        } else if !self.settled {
            self.kinds.push(kind);
        }
    }
}

impl Binder<'_> {
    pub fn union(&mut self, union: &Union, input: Option<&Relation>, span: Span) -> Bind<Relation> {
        let mut legs: Vec<Relation> = input.cloned().into_iter().collect();
        let mut failed = None;
        for table in &union.tables {
            match self.legs(table, union.is_fuzzy) {
                Ok(found) => legs.extend(found),
                Err(reported) => failed = Some(reported),
            }
        }
        if let Some(reported) = failed {
            return Err(reported);
        }
        if legs.is_empty() {
            return Err(self.error("KS204", "None of the tables of this union is known.", span));
        }
        let uniting = Uniting {
            inner: union.kind.as_ref().is_some_and(|k| k.value == UnionKind::Inner),
            with_source: union.with_source.as_ref().map(|n| n.text.as_str().into()),
        };
        self.united(legs, &uniting)
    }

    /// The legs that an item gives; a fuzzy union goes without those whose tables are missing.
    pub(super) fn legs(&mut self, item: &Expression, fuzzy: bool) -> Bind<Vec<Relation>> {
        if let ExpressionKind::Wildcard(pattern) = &item.kind {
            return self.tables_named_like(pattern, fuzzy);
        }
        if !fuzzy {
            return Ok(vec![self.table(item)?]);
        }
        let (leg, said) = self.aside(|binder| binder.table(item));
        let errors: Vec<&Diagnostic> = said.iter().filter(|d| d.severity == Severity::Error).collect();
        let missing = errors.iter().any(|d| matches!(&*d.code, "KS204" | "KS211" | "HP122" | "HP123"));
        if !missing {
            self.diagnostics.extend(said);
            return Ok(vec![leg?]);
        }
        // What is missing is left out; what else is wrong stays wrong, unless it follows from that.
        let names: Vec<String> = errors.iter().map(|d| d.message.clone()).collect();
        let left_out = format!("this part of the union is left out: {}", names.first().cloned().unwrap_or_default());
        self.say(Diagnostic::warning("KS205", left_out).at(item.span));
        Ok(Vec::new())
    }

    /// One table of the legs' rows. Columns of one name and several kinds become one column each.
    pub fn united(&mut self, legs: Vec<Relation>, uniting: &Uniting) -> Bind<Relation> {
        if legs.is_empty() {
            return Ok(self.nothing());
        }
        let columns = united_columns(&legs, uniting);
        if columns.len().saturating_mul(legs.len()) > MAX_CELLS {
            return self.too_wide(columns, uniting);
        }
        let open = legs.iter().map(|l| l.open).max_by_key(|o| match o {
            Open::Closed => 0,
            Open::Any => 1,
            Open::Broken => 2,
        });
        let unknown: Vec<Name> = columns
            .iter()
            .filter(|c| c.kind == Kind::Dynamic && legs.iter().any(|l| l.unknown.contains(&c.own)))
            .map(|c| c.name.clone())
            .collect();
        let mut inputs = Vec::with_capacity(legs.len());
        let mut schema = Schema::default();
        for (at, leg) in legs.iter().enumerate() {
            let aligned = self.aligned(leg, at, &columns, uniting)?;
            schema = aligned.schema;
            inputs.push(aligned.node);
        }
        let node = match inputs.as_slice() {
            [one] => *one,
            _ => self.plan.add(Node::Union { inputs }, schema.clone()),
        };
        Ok(Relation { open: open.unwrap_or(Open::Closed), unknown, ..Relation::new(node, schema) })
    }

    /// All tables of a workspace at once: a check leaves the columns open, a run refuses.
    fn too_wide(&mut self, columns: Vec<United>, uniting: &Uniting) -> Bind<Relation> {
        if !self.settings.open_tables {
            self.say(Diagnostic::error("HP310", "the union has too many tables and columns"));
            return Err(crate::kql::bind::Reported);
        }
        self.open = true;
        let source = uniting.with_source.iter().map(|name| (name.clone(), Kind::String));
        let schema: Schema = source.chain(columns.into_iter().map(|c| (c.name, c.kind))).collect();
        let mut all = self.values(Table::from_rows(schema, &[]));
        all.open = Open::Any;
        Ok(all)
    }

    fn aligned(&mut self, leg: &Relation, at: usize, columns: &[United], uniting: &Uniting) -> Bind<Relation> {
        let span = Span::default();
        let source = uniting.with_source.as_ref().map(|name| {
            let from = leg.table.clone().unwrap_or_else(|| format!("union_arg{at}"));
            (name.clone(), Expr::Const(Value::string(from)))
        });
        let mut cells: Vec<(Name, Expr)> = source.into_iter().collect();
        for column in columns {
            let own = leg.schema.kind(&column.own).map(|kind| Expr::Column(column.own.clone(), kind));
            let cell = match own {
                Some(cell) if cell.kind() == column.kind => cell,
                Some(cell) if column.alone => self.converted(cell, column.kind, span)?,
                _ => Expr::Const(Value::null(column.kind)),
            };
            cells.push((column.name.clone(), cell));
        }
        let own = leg.schema.names().eq(cells.iter().map(|(n, _)| n))
            && cells.iter().all(|(n, e)| matches!(e, Expr::Column(c, _) if c == n));
        Ok(if own { leg.clone() } else { self.project(leg, cells) })
    }
}

fn united_columns(legs: &[Relation], uniting: &Uniting) -> Vec<United> {
    let mut order: Vec<(Name, Kinds)> = Vec::new();
    let mut places: HashMap<Name, usize> = HashMap::new();
    for (name, kind) in legs.iter().flat_map(|l| l.schema.columns()) {
        let place = *places.entry(name.clone()).or_insert(order.len());
        match order.get_mut(place) {
            Some((_, kinds)) => kinds.add(*kind),
            None => order.push((name.clone(), Kinds { kinds: vec![*kind], settled: false })),
        }
    }
    if uniting.inner {
        order.retain(|(name, _)| legs.iter().all(|l| l.schema.contains(name)));
    }
    let mut names = Names::default();
    if let Some(source) = &uniting.with_source {
        names.declare(source);
    }
    let mut columns = Vec::new();
    for (own, Kinds { kinds, .. }) in order {
        let alone = kinds.len() == 1;
        for kind in kinds {
            let name = if alone { names.unique(&own) } else { names.unique(&format!("{own}_{kind}")) };
            columns.push(United { name, own: own.clone(), kind, alone });
        }
    }
    columns
}

crate::pages! {
    /// The rows of several tables, one after another.
    ///
    /// Columns that a table lacks are empty in its rows; with `kind=inner` only the columns that all have stay. Columns
    /// of one name and different kinds become `x_long`, `x_string`. With `isfuzzy=true` tables that are not there are
    /// left out; `withsource` names a column that says where a row comes from.
    ///
    /// Source: union-operator.
    ///
    /// ```kql
    /// union (print a = 1), (print a = 2) | count // 2
    /// union isfuzzy=true (print a = 1), NoSuchTable | count // 1
    /// ```
    Operator "union": "[T |] union [kind=inner | outer] [withsource=Column] [isfuzzy=true] Table, Pattern*, (Query), ...";
}

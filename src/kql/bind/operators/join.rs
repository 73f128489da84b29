//! `join` and `lookup`.
use crate::diagnostic::Span;
use crate::expr::Expr;
use crate::kql::ast::{self, BinaryOperator, Expression, ExpressionKind, Join, Lookup, Path, PathStepKind};
use crate::kql::bind::Bind;
use crate::kql::bind::binder::Binder;
use crate::kql::bind::names::Names;
use crate::kql::bind::relation::{Open, Relation};
use crate::plan::{JoinKind, JoinSide, Node};
use crate::types::{Kind, Name, Schema, Value};

/// A pair of key columns.
struct Key {
    left: Name,
    right: Name,
}

impl Binder<'_> {
    pub fn join(&mut self, join: &Join, input: &Relation) -> Bind<Relation> {
        let kind = join.kind.as_ref().map_or(JoinKind::InnerUnique, |k| plan_kind(k.value));
        let right = self.table(&join.right);
        self.joined(input, right?, kind, &join.on, false)
    }

    /// `lookup` keeps no key columns of the right side.
    pub fn lookup(&mut self, lookup: &Lookup, input: &Relation) -> Bind<Relation> {
        let kind = lookup.kind.as_ref().map_or(JoinKind::LeftOuter, |k| plan_kind(k.value));
        if let (Some(given), false) = (&lookup.kind, matches!(kind, JoinKind::LeftOuter | JoinKind::Inner)) {
            return Err(self.error("KS118", "'lookup' is of kind leftouter or inner.", given.span));
        }
        let right = self.table(&lookup.right);
        self.joined(input, right?, kind, &lookup.on, true)
    }

    fn joined(
        &mut self,
        left: &Relation,
        right: Relation,
        kind: JoinKind,
        on: &[Expression],
        drops_keys: bool,
    ) -> Bind<Relation> {
        let mut left = left.clone();
        let mut right = right;
        let (mut keys, mut failed) = (Vec::new(), None);
        for condition in on {
            match self.join_key(condition, &mut left, &mut right) {
                Ok(key) => keys.push(key),
                Err(reported) => failed = Some(reported),
            }
        }
        if let Some(reported) = failed {
            return Err(reported);
        }
        let columns = output_columns(&left, &right, kind, &keys, drops_keys);
        let schema: Schema = columns
            .iter()
            .map(|(name, side, own)| {
                let from = if *side == JoinSide::Left { &left } else { &right };
                (name.clone(), from.schema.kind(own).unwrap_or(Kind::Dynamic))
            })
            .collect();
        let unknown = columns.iter().filter(|(_, side, own)| {
            let from = if *side == JoinSide::Left { &left } else { &right };
            from.unknown.contains(own)
        });
        let unknown = unknown.map(|(name, _, _)| name.clone()).collect();
        let keys = keys.into_iter().map(|k| (k.left, k.right)).collect();
        let node = Node::Join { left: left.node, right: right.node, kind, keys, columns };
        let open = match (left.open, right.open) {
            (Open::Broken, _) | (_, Open::Broken) => Open::Broken,
            (Open::Any, _) | (_, Open::Any) => Open::Any,
            _ => Open::Closed,
        };
        let node = self.plan.add(node, schema.clone());
        Ok(Relation { open, unknown, ..Relation::new(node, schema) })
    }

    fn join_key(&mut self, condition: &Expression, left: &mut Relation, right: &mut Relation) -> Bind<Key> {
        self.look_at_key(condition, left, right);
        let (l, r) = self.sides(condition)?;
        let lk = self.key_column(l, left);
        let rk = self.key_column(r, right);
        let (lk, rk) = (lk?, rk?);
        self.of_equal_kind(lk, rk, left, right, condition.span)
    }

    /// The names of both sides' columns.
    fn sides<'e>(&mut self, condition: &'e Expression) -> Bind<(&'e ast::Name, &'e ast::Name)> {
        match &condition.kind {
            ExpressionKind::Name(name) => return Ok((name, name)),
            ExpressionKind::Binary(equation) if equation.operator == BinaryOperator::Equal => {
                match (side(&equation.left), side(&equation.right)) {
                    (Some((true, l)), Some((false, r))) | (Some((false, r)), Some((true, l))) => return Ok((l, r)),
                    _ => {}
                }
            }
            _ => {}
        }
        let message = "A join condition is a column of both sides, or $left.a == $right.b.";
        Err(self.error("KS182", message, condition.span))
    }

    fn key_column(&mut self, name: &ast::Name, relation: &mut Relation) -> Bind<Name> {
        if let Some((column, _)) = relation.schema.columns().iter().find(|(n, _)| **n == *name.text) {
            return Ok(column.clone());
        }
        if relation.is_open() {
            let column: Name = name.text.as_str().into();
            let null = Expr::Const(Value::Null(Kind::Dynamic));
            *relation = self.extend(relation, vec![(column.clone(), null)]);
            return Ok(column);
        }
        let known: Vec<Name> = relation.schema.names().cloned().collect();
        let what = "column, table, variable or function";
        Err(self.unknown("KS142", what, &name.text, name.span, known.iter().map(|n| &**n)))
    }

    /// Keys of other kinds are compared as the wider kind, under a hidden column.
    fn of_equal_kind(&mut self, l: Name, r: Name, left: &mut Relation, right: &mut Relation, span: Span) -> Bind<Key> {
        let kind_of = |relation: &Relation, name: &str| relation.schema.kind(name).unwrap_or(Kind::Dynamic);
        let (lk, rk) = (kind_of(left, &l), kind_of(right, &r));
        if lk == rk {
            return Ok(Key { left: l, right: r });
        }
        let unknown = left.unknown.contains(&l) || right.unknown.contains(&r) || left.is_open() || right.is_open();
        let kind = match (lk, rk) {
            (Kind::Dynamic, kind) | (kind, Kind::Dynamic) => kind,
            _ if lk.is_number() && rk.is_number() => crate::functions::wider(lk, rk),
            _ if unknown => Kind::String,
            _ => {
                let message = format!("Inconsistent data types for join keys: ({lk}, {rk})");
                return Err(self.error("KS242", message, span));
            }
        };
        let left_key = self.key_as(l, kind, left, span)?;
        let right_key = self.key_as(r, kind, right, span)?;
        Ok(Key { left: left_key, right: right_key })
    }

    fn key_as(&mut self, name: Name, kind: Kind, relation: &mut Relation, span: Span) -> Bind<Name> {
        let own = relation.schema.kind(&name).unwrap_or(Kind::Dynamic);
        if own == kind {
            return Ok(name);
        }
        let converted = self.converted(Expr::Column(name, own), kind, span)?;
        let hidden = self.hidden("key");
        *relation = self.extend(relation, vec![(hidden.clone(), converted)]);
        Ok(hidden)
    }
}

/// `$left.a` is `(true, a)`, `$right.a` is `(false, a)`.
fn side(expression: &Expression) -> Option<(bool, &ast::Name)> {
    let ExpressionKind::Path(Path { base, steps }) = &expression.kind else { return None };
    let (ExpressionKind::Name(side), [step]) = (&base.kind, steps.as_slice()) else { return None };
    match (&step.kind, side.text.as_str()) {
        (PathStepKind::Member(name), "$left") => Some((true, name)),
        (PathStepKind::Member(name), "$right") => Some((false, name)),
        _ => None,
    }
}

fn plan_kind(kind: ast::JoinKind) -> JoinKind {
    match kind {
        ast::JoinKind::InnerUnique => JoinKind::InnerUnique,
        ast::JoinKind::Inner => JoinKind::Inner,
        ast::JoinKind::LeftOuter => JoinKind::LeftOuter,
        ast::JoinKind::RightOuter => JoinKind::RightOuter,
        ast::JoinKind::FullOuter => JoinKind::FullOuter,
        ast::JoinKind::LeftAnti => JoinKind::LeftAnti,
        ast::JoinKind::RightAnti => JoinKind::RightAnti,
        ast::JoinKind::LeftSemi => JoinKind::LeftSemi,
        ast::JoinKind::RightSemi => JoinKind::RightSemi,
    }
}

/// The columns of both sides; those of the right whose names are taken get the first free number.
fn output_columns(
    left: &Relation,
    right: &Relation,
    kind: JoinKind,
    keys: &[Key],
    drops_keys: bool,
) -> Vec<(Name, JoinSide, Name)> {
    let visible = |n: &&Name| !n.starts_with("$key");
    let own = |side, relation: &Relation| -> Vec<(Name, JoinSide, Name)> {
        relation.schema.names().filter(visible).map(|n| (n.clone(), side, n.clone())).collect()
    };
    match kind {
        JoinKind::LeftSemi | JoinKind::LeftAnti => return own(JoinSide::Left, left),
        JoinKind::RightSemi | JoinKind::RightAnti => return own(JoinSide::Right, right),
        _ => {}
    }
    let mut names = Names::default();
    left.schema.names().for_each(|n| {
        names.declare(n);
    });
    let taken: Vec<bool> = right.schema.names().map(|n| left.schema.contains(n)).collect();
    right.schema.names().for_each(|n| {
        names.declare(n);
    });
    let mut columns = own(JoinSide::Left, left);
    for (name, taken) in right.schema.names().zip(taken) {
        if !visible(&name) || (drops_keys && keys.iter().any(|k| k.right == *name)) {
            continue;
        }
        let shown = if taken { names.unique(name) } else { name.clone() };
        columns.push((shown, JoinSide::Right, name.clone()));
    }
    columns
}

crate::pages! {
    /// The rows of two tables side by side, where their keys are equal.
    ///
    /// Kinds: `innerunique` (the default: one left row per key), `inner`, `leftouter`, `rightouter`, `fullouter`,
    /// `leftsemi`, `rightsemi`, `leftanti`, `rightanti`. Columns that both sides have stay apart: the right one gets a
    /// number, as `k1`. The smaller table stands on the left. Hints change nothing.
    ///
    /// Source: join-operator.
    ///
    /// ```kql
    /// datatable(k: long, a: string)[1, "x", 2, "y"] | join kind=inner (datatable(k: long, b: string)[2, "z"]) on k | project strcat(a, b) // yz
    /// ```
    Operator "join": "T | join [kind=Kind] [hint.Name=Value] (Right) on Key, ... | $left.A == $right.B";

    /// The rows with the columns of a small table beside them, where the keys are equal.
    ///
    /// The kind is `leftouter` unless said otherwise, and the right side's keys are left out.
    ///
    /// Source: lookup-operator.
    ///
    /// ```kql
    /// print k = 2 | lookup (datatable(k: int, b: string)[2, "z"]) on k | project b // z
    /// ```
    Operator "lookup": "T | lookup [kind=leftouter | inner] (Right) on Key, ... | $left.A == $right.B";
}

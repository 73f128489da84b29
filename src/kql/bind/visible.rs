//! What can be seen at the end of a text that is not whole: the columns, the names, the calls that may stand.
use super::binder::Binder;
use super::relation::{Relation, Row};
use super::scope::Binding;
use super::{Settings, ast};
use crate::kql::ast::{Expression, ExpressionKind, Function};
use crate::kql::parse::OpenText;
use crate::plan::Catalog;
use crate::types::{Kind, Name};

/// What a name of the query stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Named {
    Scalar(Kind),
    Table,
    Function,
    Pattern,
    /// A side of a join.
    Side,
}

/// What can be seen at a place.
#[derive(Clone, Debug, Default)]
pub struct Visible {
    pub columns: Vec<(Name, Kind)>,
    /// `let` names and parameters, the nearest first.
    pub names: Vec<(String, Named)>,
    /// Whether aggregates may stand there.
    pub aggregates: bool,
    /// Whether functions of the row's place may stand there.
    pub in_order: bool,
    /// Whether a row is there at all.
    pub row: bool,
    /// Whether the columns are those of the side of a join that is named before the place.
    pub side: bool,
}

/// A place that is looked for, and what was seen there.
pub(super) struct Probe {
    /// Where the last token ends.
    end: u32,
    seen: Option<Visible>,
}

/// What can be seen at the end of a text.
pub fn visible(open: &OpenText, catalog: &dyn Catalog, settings: &Settings) -> Visible {
    let mut binder = Binder::new(catalog, settings, None);
    binder.probe = Some(Probe { end: open.end, seen: None });
    binder.query(&open.query);
    let seen = binder.probe.take().and_then(|probe| probe.seen);
    seen.unwrap_or_else(|| binder.seen(None))
}

impl Binder<'_> {
    /// Whether a part that ends there is the one that is not whole. Saved functions stand in other texts.
    pub fn is_probed(&self, end: u32) -> bool {
        let here = self.calling.iter().all(String::is_empty);
        here && self.probe.as_ref().is_some_and(|probe| end >= probe.end)
    }

    /// Whether the name is the one that is not written yet.
    pub fn is_unwritten(&self, name: &ast::Name) -> bool {
        name.text.is_empty() && self.is_probed(name.span.end)
    }

    /// Notes down what an expression sees at the place.
    pub fn look(&mut self, row: &Row) {
        let mut seen = self.seen(row.relation);
        seen.aggregates = row.aggregates.is_some();
        seen.in_order = row.in_order.is_some();
        self.note(seen);
    }

    /// Notes down what an operator sees of the rows before it.
    pub fn look_at_rows(&mut self, rows: &Relation) {
        let seen = self.seen(Some(rows));
        self.note(seen);
    }

    fn note(&mut self, seen: Visible) {
        if let Some(probe) = &mut self.probe {
            probe.seen = Some(seen);
        }
    }

    fn seen(&self, rows: Option<&Relation>) -> Visible {
        let columns = rows.map_or(&[][..], |rows| rows.schema.columns());
        let written = columns.iter().filter(|(name, _)| !name.starts_with('$')).cloned();
        let mut names: Vec<(String, Named)> = Vec::new();
        for name in self.scopes.names(self.scope).filter(|name| !name.is_empty()) {
            let binding = self.scopes.find(self.scope, name);
            if let Some(named) = binding.filter(|_| !names.iter().any(|(n, _)| n == name)).and_then(named) {
                names.push((name.to_owned(), named));
            }
        }
        Visible { columns: written.collect(), names, row: rows.is_some(), ..Visible::default() }
    }

    /// The columns that may stand in a join's condition.
    pub fn look_at_key(&mut self, condition: &Expression, left: &Relation, right: &Relation) {
        if !self.is_probed(condition.span.end) {
            return;
        }
        let common = || left.schema.columns().iter().filter(|(name, _)| right.schema.contains(name)).cloned();
        let mut seen = Visible { row: true, ..self.seen(None) };
        match last_operand(condition) {
            ExpressionKind::Path(path) => {
                let is_left = matches!(&path.base.kind, ExpressionKind::Name(name) if name.text == "$left");
                let side = if is_left { left } else { right };
                seen.columns = self.seen(Some(side)).columns;
                seen.side = true;
            }
            _ => {
                seen.columns = common().collect();
                seen.names = ["$left", "$right"].map(|side| (side.to_owned(), Named::Side)).to_vec();
            }
        }
        self.note(seen);
    }

    /// A function whose body is not whole is bound though nobody calls it.
    pub fn look_into(&mut self, function: &Function) {
        if self.is_probed(function.body_span.end) {
            let outer = self.scope;
            self.bind_parameters(&function.parameters);
            // Its value is of no use.
            let _ = self.body(&function.body, function.span);
            self.scope = outer;
        }
    }
}

fn named(binding: &Binding) -> Option<Named> {
    Some(match binding {
        Binding::Scalar(expr, _) => Named::Scalar(expr.kind()),
        Binding::Table(_) | Binding::Broken(_) => Named::Table,
        Binding::Function(_) => Named::Function,
        Binding::Pattern(..) => Named::Pattern,
        Binding::Restriction(_) => return None,
    })
}

/// The operand that stands last.
fn last_operand(condition: &Expression) -> &ExpressionKind {
    match &condition.kind {
        ExpressionKind::Binary(binary) => &binary.right.kind,
        kind => kind,
    }
}

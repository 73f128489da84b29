//! `restrict access to (…)`: what the statements behind it may name.
//!
//! Source: the page "restrict statement".
use super::binder::Binder;
use super::scope::Binding;
use super::tables::{Entity, matches_pattern};
use crate::kql::ast::{ExpressionKind, RestrictAccess};
use std::rc::Rc;

/// The names of tables, views and patterns that remain visible.
#[derive(Debug, Default)]
pub(super) struct Visible {
    /// Names that `let` and `declare pattern` gave.
    local: Vec<String>,
    /// Tables and saved functions, with stars for any text.
    stored: Vec<String>,
}

impl Visible {
    pub fn local(&self, name: &str) -> bool {
        self.local.iter().any(|pattern| matches_pattern(pattern, name))
    }

    pub fn stored(&self, name: &str) -> bool {
        self.stored.iter().any(|pattern| matches_pattern(pattern, name))
    }
}

impl Binder<'_> {
    pub fn restrict_access(&mut self, restriction: &RestrictAccess) {
        let mut visible = Visible::default();
        for entity in &restriction.entities {
            match &entity.kind {
                ExpressionKind::Name(name) if self.scopes.find(self.scope, &name.text).is_some() => {
                    visible.local.push(name.text.clone());
                }
                ExpressionKind::Name(name) => visible.stored.push(name.text.clone()),
                ExpressionKind::Wildcard(pattern) => visible.local.push(pattern.text.clone()),
                ExpressionKind::Call(call) => {
                    visible.local.push(call.name.text.clone());
                    visible.stored.push(call.name.text.clone());
                }
                ExpressionKind::Path(path) => match self.entity(path) {
                    Some(Entity::Name(name)) => visible.stored.push(name.text.clone()),
                    Some(Entity::Call(call)) => visible.stored.push(call.name.text.clone()),
                    Some(Entity::Wildcard(pattern)) => visible.stored.push(pattern.text.clone()),
                    None => drop(self.error("KS204", "A table, a view or a pattern is expected.", entity.span)),
                },
                _ => drop(self.error("KS204", "A table, a view or a pattern is expected.", entity.span)),
            }
        }
        self.scope = self.scopes.with(self.scope, "", Binding::Restriction(Rc::new(visible)));
    }

    /// Whether a table or a saved function may be named here.
    pub fn is_visible(&self, name: &str) -> bool {
        self.scopes.restriction(self.scope).is_none_or(|visible| visible.stored(name))
    }

    /// The tables that may be named here.
    pub fn visible_tables(&self) -> Vec<String> {
        let mut names = self.catalog.tables();
        names.retain(|name| self.is_visible(name));
        names
    }
}

crate::pages! {
    /// Leaves only these tables, names and functions to be named from here on.
    ///
    /// Source: restrict-statement.
    ///
    /// ```kql
    /// let t = range x from 1 to 3 step 1; restrict access to (t); t | count // 3
    /// ```
    Statement "restrict access": "restrict access to (Name, Pattern*, ...);";
}

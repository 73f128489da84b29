//! What names stand for: `let` statements and parameters, inner ones before outer ones.
use super::relation::Relation;
use super::restriction::Visible;
use crate::diagnostic::{Diagnostic, Source};
use crate::expr::Expr;
use crate::kql::ast;
use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

#[derive(Clone)]
pub(super) enum Binding {
    /// With the number of its parts.
    Scalar(Expr, usize),
    Table(Relation),
    Function(Rc<Closure>),
    /// With the names it saw where it was declared.
    Pattern(Rc<ast::Pattern>, ScopeId),
    /// What may be named behind a `restrict` statement; its own name is empty.
    Restriction(Rc<Visible>),
    /// What was wrong with it is said when it is used, or at the end.
    Broken(Rc<Broken>),
}

/// A function with the names it saw where it was defined.
pub(super) struct Closure {
    pub function: ast::Function,
    pub scope: ScopeId,
    /// A saved function's name and text: its places are in that text.
    pub saved: Option<(String, Arc<Source>)>,
}

/// A `let` statement that could not be bound.
pub(super) struct Broken {
    pub diagnostics: Vec<Diagnostic>,
    pub said: Cell<bool>,
}

/// A place in the chain of names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct ScopeId(Option<usize>);

/// All names ever bound; each knows the one before it.
#[derive(Default)]
pub(super) struct Scopes(Vec<(String, Binding, ScopeId)>);

impl Scopes {
    /// A scope in which `name` stands for `binding`, and all else for what it does in `outer`.
    pub fn with(&mut self, outer: ScopeId, name: &str, binding: Binding) -> ScopeId {
        self.0.push((name.to_owned(), binding, outer));
        ScopeId(Some(self.0.len() - 1))
    }

    pub fn find(&self, scope: ScopeId, name: &str) -> Option<&Binding> {
        let mut restriction: Option<&Visible> = None;
        for (known, binding) in self.chain(scope) {
            match binding {
                Binding::Restriction(visible) => restriction = restriction.or(Some(visible)),
                Binding::Scalar(..) if known == name => return Some(binding),
                _ if known == name => return restriction.is_none_or(|v| v.local(name)).then_some(binding),
                _ => {}
            }
        }
        None
    }

    /// What may be named here, where a `restrict` statement says so.
    pub fn restriction(&self, scope: ScopeId) -> Option<&Visible> {
        self.chain(scope).find_map(|(_, binding)| match binding {
            Binding::Restriction(visible) => Some(&**visible),
            _ => None,
        })
    }

    pub fn names(&self, scope: ScopeId) -> impl Iterator<Item = &str> {
        self.chain(scope).map(|(name, _)| name).filter(|name| !name.is_empty())
    }

    fn chain(&self, scope: ScopeId) -> impl Iterator<Item = (&str, &Binding)> {
        let mut at = scope;
        std::iter::from_fn(move || {
            let (name, binding, outer) = self.0.get(at.0?)?;
            at = *outer;
            Some((name.as_str(), binding))
        })
    }

    /// Broken bindings that nothing has complained about.
    pub fn unsaid(&self) -> impl Iterator<Item = &Rc<Broken>> {
        self.0.iter().filter_map(|(_, binding, _)| match binding {
            Binding::Broken(broken) if !broken.said.get() => Some(broken),
            _ => None,
        })
    }
}

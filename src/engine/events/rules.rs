//! Rules of a sourcetype: how its fields come from others, in the order in which Splunk applies them.
use super::table::LookupTable;
use crate::diagnostic::Result;
use crate::expr::{Expr, Input, evaluate};
use crate::functions::spl::pcre::Pattern;
use crate::functions::{Context, Limits};
use crate::types::{Column, Kind, Name};
use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

/// The steps in which fields are made, each from those of the steps before.
///
/// Source: the documentation page "The sequence of search-time operations".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    Extractions,
    Aliases,
    Calculations,
    Lookups,
}

pub const STAGES: usize = 4;

/// Which value counts where a field has one already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precedence {
    /// That of the event itself, then the rule's, then that of rules before.
    Own,
    /// The rule's, then that of the event.
    Rule,
    /// The rule's alone.
    Only,
}

/// An eval expression.
#[derive(Debug)]
pub struct Formula {
    pub text: String,
    compiled: OnceLock<Result<Compiled>>,
}

/// An expression and the fields that it reads.
#[derive(Clone, Debug)]
pub struct Compiled {
    pub expr: Expr,
    pub reads: Vec<Name>,
}

impl Formula {
    pub fn new(text: &str) -> Formula {
        Formula { text: text.trim().to_owned(), compiled: OnceLock::new() }
    }

    /// An expression that is read already.
    pub fn of(text: &str, expr: Expr) -> Formula {
        let compiled = Compiled { reads: expr.columns(), expr };
        Formula { text: text.to_owned(), compiled: OnceLock::from(Ok(compiled)) }
    }

    /// The expression, read once.
    pub fn compiled(&self) -> Result<&Compiled> {
        let compile = || {
            let expr = crate::spl::expression(&self.text)?;
            Ok(Compiled { reads: expr.columns(), expr })
        };
        self.compiled.get_or_init(compile).as_ref().map_err(Clone::clone)
    }

    fn needs_nothing(&self) -> bool {
        let Ok(compiled) = self.compiled() else { return false };
        let context = Context::new(0, Limits::default(), Arc::default());
        evaluate(&compiled.expr, &NoFields, &context).is_ok_and(|column| !column.is_empty() && !column.is_null(0))
    }

    fn reads(&self) -> Vec<Name> {
        self.compiled().map(|compiled| compiled.reads.clone()).unwrap_or_default()
    }
}

/// An event without any field.
struct NoFields;

impl Input for NoFields {
    fn rows(&self) -> usize {
        1
    }

    fn column(&self, _: &Name) -> Result<Column> {
        Ok(Column::nulls(Kind::Field, 1))
    }
}

/// What gives a field's value.
#[derive(Clone, Debug)]
pub enum Value {
    /// The first of these fields that has a value.
    FirstOf(Vec<Name>),
    Formula(Arc<Formula>),
    /// A named group of a pattern in another field.
    Group {
        pattern: Arc<Pattern>,
        group: usize,
        from: Name,
        all: bool,
    },
    /// A column of the rows of a table that match the event.
    Lookup {
        table: Arc<LookupTable>,
        column: String,
    },
    /// A part of another field: the parts between delimiters are fields in order.
    Part {
        delimiters: Arc<[char]>,
        at: usize,
        from: Name,
    },
}

#[derive(Clone, Debug)]
pub struct Rule {
    /// What must be true of an event.
    pub when: Option<Arc<Formula>>,
    pub value: Value,
    pub precedence: Precedence,
}

impl Rule {
    pub fn new(value: Value, precedence: Precedence) -> Rule {
        Rule { when: None, value, precedence }
    }

    /// Whether it gives a value to an event that has no field at all.
    pub fn needs_nothing(&self) -> bool {
        matches!(&self.value, Value::Formula(formula) if formula.needs_nothing())
    }

    /// The fields that it reads.
    pub fn reads(&self) -> Vec<Name> {
        let mut reads = match &self.value {
            Value::FirstOf(names) => names.clone(),
            Value::Formula(formula) => formula.reads(),
            Value::Group { from, .. } | Value::Part { from, .. } => vec![from.clone()],
            Value::Lookup { table, .. } => table.inputs.iter().map(|(_, field)| field.clone()).collect(),
        };
        reads.extend(self.when.iter().flat_map(|when| when.reads()));
        reads
    }
}

/// What is known of the events of a sourcetype.
#[derive(Clone, Debug, Default)]
pub struct Stanza {
    pub name: String,
    /// Whether every event is of it.
    pub everywhere: bool,
    /// Patterns in which `*` stands for any text, in any case.
    pub sourcetypes: Vec<String>,
    pub sources: Vec<String>,
    pub hosts: Vec<String>,
    /// Channels of Windows' event log.
    pub channels: Vec<String>,
    /// Fields of which events without a sourcetype have all of one set.
    pub signs: Vec<Vec<Name>>,
    /// By stage and field.
    pub rules: [HashMap<Name, Vec<Rule>>; STAGES],
    /// Tags of the events for which a condition is true.
    pub tags: Vec<(Option<Arc<Formula>>, Vec<String>)>,
}

impl Stanza {
    pub fn add(&mut self, stage: Stage, name: impl Into<Name>, rule: Rule) {
        if let Some(rules) = self.rules.get_mut(stage as usize) {
            rules.entry(name.into()).or_default().push(rule);
        }
    }

    /// The rules of a field in a stage.
    pub fn rules(&self, stage: usize, name: &Name) -> &[Rule] {
        self.rules.get(stage).and_then(|rules| rules.get(name)).map(Vec::as_slice).unwrap_or_default()
    }

    /// The expressions of all rules.
    #[cfg(test)]
    pub fn formulas(&self) -> impl Iterator<Item = &Arc<Formula>> {
        let rules = self.rules.iter().flat_map(|stage| stage.values().flatten());
        rules.flat_map(|rule| {
            let value = if let Value::Formula(formula) = &rule.value { Some(formula) } else { None };
            value.into_iter().chain(&rule.when)
        })
    }
}

//! The events of a search: the rows of all tables, by the names of their fields.
use super::build::call;
use super::{Lower, Lowering, Rows, said};
use crate::diagnostic::{Diagnostic, Span};
use crate::expr::Expr;
use crate::plan::Node;
use crate::spl::ast::{Comparison, Term, Word};
use crate::types::Value;

const TIME: &str = "_time";

impl Lowering<'_> {
    /// Every event, with the fields that the search wants. `term` is what the search looks for: where it does not bound
    /// the time, the bounds of the run hold.
    pub fn events(&mut self, term: &Term, span: Span) -> Lower<Rows> {
        let names = self.catalog.tables();
        if names.is_empty() && self.runs() {
            return Err(Diagnostic::error("HP507", "there are no events: no table was given").at(span).into());
        }
        for name in names {
            if !self.tables.contains(&name) {
                self.tables.push(name);
            }
        }
        if !self.runs() {
            self.name_origins(term);
            self.survey.want(TIME);
            let rows = Rows { survey: Some(self.survey.clone()), ..self.nothing().opened() };
            return self.bounded(rows, term);
        }
        let source = self.catalog.events(self.wanted.as_deref()).map_err(|fault| said(&fault, span))?;
        let schema = source.schema().clone();
        let node = self.plan.add(Node::Scan { name: "events".into(), source }, schema.clone());
        let rows = self.bounded(Rows::new(node, schema), term)?;
        Ok(self.newest_first(rows))
    }

    /// Notes the sourcetypes and sources that terms ask for: where nothing runs, they are what a search reads.
    fn name_origins(&mut self, term: &Term) {
        let mut named = |field: &Word, values: &[Word]| {
            if ["sourcetype", "source"].contains(&field.text.as_str()) {
                let new = values.iter().map(|value| &value.text).filter(|name| !self.tables.contains(name));
                let new: Vec<String> = new.cloned().collect();
                self.tables.extend(new);
            }
        };
        let mut open = vec![term];
        while let Some(term) = open.pop() {
            match term {
                Term::And(parts) | Term::Or(parts) => open.extend(parts.iter().rev()),
                Term::Compare { field, operator: Comparison::Equal, value } => {
                    named(field, std::slice::from_ref(value))
                }
                Term::In { field, values } => named(field, values),
                _ => {}
            }
        }
    }

    /// Events as a search gives them. Where nobody can tell, they stay as they are: see [`super::order`].
    fn newest_first(&mut self, rows: Rows) -> Rows {
        match rows.has(TIME) {
            true => self.over(&rows, Node::Newest { input: rows.node, time: TIME.into() }, rows.schema.clone()),
            false => rows,
        }
    }

    /// The events of a data model's dataset, with its name before its fields or without. `term` as in
    /// [`Lowering::events`].
    pub fn dataset(&mut self, path: &Word, prefixed: bool, term: &Term, span: Span) -> Lower<Rows> {
        if !self.runs() && !self.tables.contains(&path.text) {
            self.tables.push(path.text.clone());
        }
        let found = self.catalog.dataset(&path.text, prefixed, None).map_err(|fault| said(&fault, span))?;
        let Some(source) = found else {
            let message = format!("there is no data model `{}`, and no event has its fields", path.text);
            let said = Diagnostic::error("HP508", message).at(path.span);
            return match self.runs() {
                true => Err(said.into()),
                false => Ok(self.nothing().opened()),
            };
        };
        for name in self.catalog.tables() {
            if !self.tables.contains(&name) {
                self.tables.push(name);
            }
        }
        let schema = source.schema().clone();
        let node = self.plan.add(Node::Scan { name: path.text.as_str().into(), source }, schema.clone());
        let rows = self.bounded(Rows::new(node, schema), term)?;
        Ok(self.newest_first(rows))
    }

    /// The events within the bounds of the run, unless the search has bounds of its own.
    fn bounded(&mut self, rows: Rows, term: &Term) -> Lower<Rows> {
        let bounds = [(self.settings.earliest, ">="), (self.settings.latest, "<")];
        let is_bounded = bounds.iter().any(|(ticks, _)| ticks.is_some());
        if !is_bounded || super::terms::bounds_time(term) || !(rows.has("_time") || rows.open) {
            return Ok(rows);
        }
        let mut tests = Vec::new();
        for (ticks, operator) in bounds {
            if let Some(ticks) = ticks {
                let seconds = crate::types::field::from_value(&Value::DateTime(ticks));
                tests.push(call(operator, vec![rows.field("_time"), Expr::Const(seconds)])?);
            }
        }
        Ok(self.filter(&rows, super::build::all(tests)))
    }
}

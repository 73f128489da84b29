//! `eventtype=name` and `tag=name` as the terms that they stand for.
use super::{Halt, Lower, Lowering, Rows, expressions, said, terms};
use crate::diagnostic::{Diagnostic, Fault, FaultKind, Span};
use crate::expr::Expr;
use crate::functions::Context;
use crate::plan::{Catalog, Tag};
use crate::spl::ast::{Comparison, Term, Word};
use crate::spl::expand::{self, Script};
use crate::spl::parse::Reader;
use crate::spl::wildcard;
use crate::types::{Kind, Schema};

/// Event types inside of each other.
const MAX_DEPTH: usize = 16;
const EVENT_TYPE: &str = "eventtype";
const TAG: &str = "tag";

impl Lowering<'_> {
    /// The terms with event types and tags written out, where any are defined. Events that carry such a field of
    /// their own are taken as well.
    pub fn with_event_types(&self, term: &Term) -> Lower<Term> {
        Names { catalog: self.catalog, context: self.settings.context }.all(term)
    }

    /// Whether a term holds, with event types and tags written out.
    pub fn holds(&self, term: &Term, rows: &Rows) -> Lower<Expr> {
        terms::condition(&self.with_event_types(term)?, rows)
    }
}

/// The condition of search terms by themselves, with the event types, tags and macros of a catalog.
pub fn search_condition(search: &str, catalog: &dyn Catalog, context: &Context) -> crate::diagnostic::Result<Expr> {
    let names = Names { catalog, context };
    let term = names.terms_of(search, search, Span::default()).and_then(|term| names.all(&term));
    let condition = term.and_then(|term| {
        let mut schema = Schema::default();
        schema.set("_raw".into(), Kind::Field);
        term.fields(&mut |field| schema.set(field.text.as_str().into(), Kind::Field));
        terms::condition(&term, &Rows::new(crate::plan::NodeId(0), schema))
    });
    condition.map_err(|halt| match halt {
        Halt::Said(said) => Fault::new(FaultKind::Query, vec![*said]),
        Halt::Need => Fault::internal("search terms ask for data"),
    })
}

/// What names of event types and tags stand for.
struct Names<'a> {
    catalog: &'a dyn Catalog,
    context: &'a Context,
}

impl Names<'_> {
    fn all(&self, term: &Term) -> Lower<Term> {
        match self.catalog.event_types().is_empty() && self.catalog.event_tags().is_empty() {
            true => Ok(term.clone()),
            false => self.written_out(term, 0),
        }
    }

    fn written_out(&self, term: &Term, depth: usize) -> Lower<Term> {
        let each = |parts: &[Term]| parts.iter().map(|part| self.written_out(part, depth)).collect::<Lower<Vec<_>>>();
        Ok(match term {
            Term::And(parts) => Term::And(each(parts)?),
            Term::Or(parts) => Term::Or(each(parts)?),
            Term::Not(inner) => Term::Not(Box::new(self.written_out(inner, depth)?)),
            Term::Compare { field, operator: Comparison::Equal, value } => self.named(field, value, term, depth)?,
            Term::Compare { field, operator: Comparison::NotEqual, value } if is_named(field) => {
                let equal = Term::Compare { field: field.clone(), operator: Comparison::Equal, value: value.clone() };
                Term::Not(Box::new(self.written_out(&equal, depth)?))
            }
            Term::In { field, values } if is_named(field) => {
                let one = |value: &Word| {
                    let operator = Comparison::Equal;
                    self.named(
                        field,
                        value,
                        &Term::Compare { field: field.clone(), operator, value: value.clone() },
                        depth,
                    )
                };
                Term::Or(values.iter().map(one).collect::<Lower<_>>()?)
            }
            other => other.clone(),
        })
    }

    fn named(&self, field: &Word, value: &Word, term: &Term, depth: usize) -> Lower<Term> {
        let mut found = match field.text.as_str() {
            EVENT_TYPE => self.event_types(value, depth)?,
            name => match name.strip_prefix(TAG).map(|rest| rest.strip_prefix("::").unwrap_or(rest)) {
                Some(tagged) if is_named(field) => self.tagged(tagged, value, depth)?,
                _ => return Ok(term.clone()),
            },
        };
        found.push(term.clone());
        Ok(Term::Or(found))
    }

    /// The searches of the event types of a name.
    fn event_types(&self, name: &Word, depth: usize) -> Lower<Vec<Term>> {
        if depth >= MAX_DEPTH {
            return Err(Diagnostic::error("HP310", "event types name each other without end").at(name.span).into());
        }
        let wanted = |own: &str| wildcard::captures(&name.text, own).is_some();
        let types = self.catalog.event_types().into_iter().filter(|own| wanted(&own.name));
        types.map(|own| self.written_out(&self.terms_of(&own.name, &own.search, name.span)?, depth + 1)).collect()
    }

    /// The values that carry a tag, in one field or in any.
    fn tagged(&self, field: &str, name: &Word, depth: usize) -> Lower<Vec<Term>> {
        let wanted =
            |tag: &Tag| wildcard::captures(&name.text, &tag.name).is_some() && (field.is_empty() || tag.field == field);
        let tags = self.catalog.event_tags().into_iter().filter(|tag| wanted(tag));
        let word = |text: String| Word { text, span: name.span, quoted: true };
        let term = |tag: Tag| {
            let (field, value) = (word(tag.field), word(tag.value));
            let term = Term::Compare { field: field.clone(), operator: Comparison::Equal, value: value.clone() };
            self.named(&field, &value, &term, depth)
        };
        tags.map(term).collect()
    }

    fn terms_of(&self, name: &str, search: &str, place: Span) -> Lower<Term> {
        let evaluate = |text: &str| expressions::constant_text(text, self.context);
        let wrong = |why: &str| {
            let message = format!("the event type `{name}` has no search terms: {why}");
            said(&Fault::query("HP504", message), place)
        };
        let first = |said: Vec<Diagnostic>| said.into_iter().next().map_or_else(String::new, |said| said.message);
        let script = expand::expand(search, self.catalog, &evaluate).map_err(|said| wrong(&first(said)))?;
        let script = Script::made(script.text().to_owned(), place);
        let mut reader = Reader::of_text(&script);
        let terms = reader.terms(&[]).and_then(|term| reader.finish().map(|()| term));
        terms.map_err(|said| wrong(&said.message))
    }
}

/// Whether a field is one that names stand for searches in.
fn is_named(field: &Word) -> bool {
    field.text == EVENT_TYPE || field.text == TAG || field.text.starts_with("tag::")
}

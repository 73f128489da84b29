//! Search terms as conditions: true or false of every row, never unknown.
use super::build::{all, any, call, text};
use super::{Lower, Lowering, Rows};
use crate::diagnostic::Diagnostic;
use crate::expr::Expr;
use crate::spl::ast::{Comparison, Search, Term, TextForm, Word};
use crate::types::{Name, Value};

/// Fields that say where an event comes from.
const ORIGINS: [&str; 5] = ["index", "sourcetype", "source", "host", "splunk_server"];

/// Words that bound the time of the events that a search sees.
const TIME_MODIFIERS: [&str; 2] = ["earliest", "latest"];

/// Modifiers that choose nothing here.
const IGNORED: [&str; 5] = ["_index_earliest", "_index_latest", "timeformat", "index_earliest", "index_latest"];

impl Lowering<'_> {
    /// The rows for which terms hold; `searches` are those in brackets among them.
    pub fn selected(&mut self, input: &Rows, term: &Term, searches: &[Search]) -> Lower<Rows> {
        self.selected_of(input, term, searches, Origins::Fields)
    }

    /// The events for which terms hold.
    pub fn selected_events(&mut self, input: &Rows, term: &Term, searches: &[Search]) -> Lower<Rows> {
        // A single source means the events that every index and sourcetype selects from.
        let single = self.catalog.tables().len() == 1;
        if !single && self.runs() {
            self.warn_of_origins(term);
        }
        self.selected_of(input, term, searches, if single { Origins::OneSource } else { Origins::Fields })
    }

    fn selected_of(&mut self, input: &Rows, term: &Term, searches: &[Search], origins: Origins) -> Lower<Rows> {
        let mut found = Vec::with_capacity(searches.len());
        for search in searches {
            found.push(self.found_terms(search)?);
        }
        let term = self.with_event_types(term)?;
        let term = self.with_times(&term, input)?;
        let condition = Conditions { rows: input, found: &found, origins }.of(&term)?;
        Ok(match condition {
            Expr::Const(Value::Bool(true)) => input.clone(),
            condition => self.filter(input, condition),
        })
    }

    /// Says of events that tell nothing of where they come from that terms about it select none of them.
    fn warn_of_origins(&mut self, term: &Term) {
        let mut asked: Vec<Word> = Vec::new();
        term.fields(&mut |field| {
            if ORIGINS.contains(&field.text.as_str()) && !asked.iter().any(|known| known.text == field.text) {
                asked.push(field.clone());
            }
        });
        for field in asked.into_iter().filter(|field| !self.catalog.events_tell(&field.text)) {
            let message = format!("no table has a column `{}`: terms about it select no event", field.text);
            let help = "give the events such a column, or one source alone, in which every index and sourcetype lies";
            self.warn(Diagnostic::warning("HP512", message).at(field.span).help(help));
        }
    }

    /// The terms with `earliest` and `latest` as comparisons of `_time`.
    fn with_times(&mut self, term: &Term, input: &Rows) -> Lower<Term> {
        Ok(match term {
            Term::And(parts) => Term::And(self.each_with_times(parts, input)?),
            Term::Or(parts) => Term::Or(self.each_with_times(parts, input)?),
            Term::Not(inner) => Term::Not(Box::new(self.with_times(inner, input)?)),
            Term::Compare { field, value, .. } if is_modifier(field, &TIME_MODIFIERS) => {
                self.bound(field, value, input)?
            }
            other => other.clone(),
        })
    }

    fn each_with_times(&mut self, parts: &[Term], input: &Rows) -> Lower<Vec<Term>> {
        parts.iter().map(|part| self.with_times(part, input)).collect()
    }

    fn bound(&mut self, field: &Word, value: &Word, input: &Rows) -> Lower<Term> {
        let Some(ticks) = self.moment(value)? else { return Ok(Term::And(Vec::new())) };
        if !input.has("_time") && !input.open {
            let said =
                Diagnostic::warning("HP511", format!("the events have no _time: `{}` bounds nothing", field.text));
            self.warn(said.at(field.span));
            return Ok(Term::And(Vec::new()));
        }
        let operator = if field.is("earliest") { Comparison::GreaterEqual } else { Comparison::Less };
        let value = Word { text: seconds(ticks), ..value.clone() };
        Ok(Term::Compare { field: Word { text: "_time".to_owned(), ..field.clone() }, operator, value })
    }
}

/// What terms about the origin of events select by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origins {
    /// By the fields that say so.
    Fields,
    /// All events that say nothing of it: they are what the caller searches in.
    OneSource,
}

/// Ticks of 100 ns as the seconds that `_time` holds.
fn seconds(ticks: i64) -> String {
    const SECOND: i64 = crate::types::datetime::TICKS_PER_SECOND;
    match ticks.rem_euclid(SECOND) {
        0 => (ticks / SECOND).to_string(),
        _ => format!("{:.7}", ticks as f64 / SECOND as f64),
    }
}

fn is_modifier(field: &Word, names: &[&str]) -> bool {
    names.iter().any(|name| field.is(name))
}

/// Whether the terms bound the time themselves.
pub fn bounds_time(term: &Term) -> bool {
    match term {
        Term::And(parts) | Term::Or(parts) => parts.iter().any(bounds_time),
        Term::Not(inner) => bounds_time(inner),
        Term::Compare { field, .. } => is_modifier(field, &TIME_MODIFIERS),
        _ => false,
    }
}

/// The condition of terms over rows that are no events.
pub fn condition(term: &Term, rows: &Rows) -> Lower<Expr> {
    Conditions { rows, found: &[], origins: Origins::Fields }.of(term)
}

/// What terms are turned into conditions with.
struct Conditions<'a> {
    rows: &'a Rows,
    /// What the searches in brackets have found.
    found: &'a [Term],
    origins: Origins,
}

impl Conditions<'_> {
    fn of(&self, term: &Term) -> Lower<Expr> {
        match term {
            Term::And(parts) => Ok(all(self.conjunction(parts)?)),
            Term::Or(parts) => self.disjunction(parts),
            Term::Not(inner) => match self.of(inner)? {
                Expr::Const(Value::Bool(flag)) => Ok(Expr::Const(Value::Bool(!flag))),
                inner => call("not", vec![inner]),
            },
            Term::Search(number) => self.plain().of(self.search(*number)?),
            Term::SearchOf { field, operator, number } => {
                self.plain().of(&compared_with(self.search(*number)?, field, *operator))
            }
            Term::Compare { field, .. } if is_modifier(field, &IGNORED) => Ok(Expr::Const(Value::Bool(true))),
            Term::Compare { field, operator, value } => self.matching(name_of(*operator), field, &[text(&value.text)]),
            Term::In { field, values } => {
                let texts: Vec<Expr> = values.iter().map(|value| text(&value.text)).collect();
                self.matching("matches", field, &texts)
            }
            Term::Case { field, value } => self.matching("matches case", field, &[text(&value.text)]),
            Term::Text { text, form } => self.word(text, *form),
        }
    }

    fn plain(&self) -> Conditions<'_> {
        Conditions { found: &[], ..*self }
    }

    fn search(&self, number: usize) -> Lower<&Term> {
        let missing = || Diagnostic::error("HP504", "a search in brackets cannot stand here").into();
        self.found.get(number).ok_or_else(missing)
    }

    fn conjunction(&self, parts: &[Term]) -> Lower<Vec<Expr>> {
        let conditions = parts.iter().map(|part| self.of(part)).collect::<Lower<Vec<_>>>()?;
        Ok(conditions.into_iter().filter(|c| !matches!(c, Expr::Const(Value::Bool(true)))).collect())
    }

    /// Alternatives for one field are looked for in one pass.
    fn disjunction(&self, parts: &[Term]) -> Lower<Expr> {
        let mut conditions = Vec::with_capacity(parts.len());
        let mut gathered: Vec<(&Word, Vec<Expr>)> = Vec::new();
        for part in parts {
            let (field, values) = match part {
                Term::Compare { field, operator: Comparison::Equal, value } if !is_modifier(field, &IGNORED) => {
                    (field, vec![text(&value.text)])
                }
                Term::In { field, values } => (field, values.iter().map(|value| text(&value.text)).collect()),
                other => {
                    conditions.push(self.of(other)?);
                    continue;
                }
            };
            match gathered.iter_mut().find(|(known, _)| known.text == field.text) {
                Some((_, all)) => all.extend(values),
                None => gathered.push((field, values)),
            }
        }
        for (field, values) in gathered {
            conditions.push(self.matching("matches", field, &values)?);
        }
        conditions.retain(|c| !matches!(c, Expr::Const(Value::Bool(false))));
        let holds = |c: &Expr| matches!(c, Expr::Const(Value::Bool(true)));
        Ok(if conditions.iter().any(holds) { Expr::Const(Value::Bool(true)) } else { any(conditions) })
    }

    /// The comparison of a field, or of any field that its wildcards name.
    fn matching(&self, name: &str, field: &Word, values: &[Expr]) -> Lower<Expr> {
        let is_origin = self.origins == Origins::OneSource && ORIGINS.contains(&field.text.as_str());
        let compare = |name_of: &Name| {
            let column = match self.rows.field(name_of) {
                // Nothing is true of a field that the rows lack.
                Expr::Const(_) if !self.rows.open => return Ok(Expr::Const(Value::Bool(is_origin))),
                column => column,
            };
            let compared = call(name, std::iter::once(column.clone()).chain(values.iter().cloned()).collect())?;
            match is_origin {
                true => Ok(Expr::Or(vec![call("isnull", vec![column])?, compared])),
                false => Ok(compared),
            }
        };
        Ok(any(self.rows.matching(&field.text).iter().map(compare).collect::<Lower<Vec<_>>>()?))
    }

    /// A word or a phrase of the event, or of any field where there is no `_raw`.
    fn word(&self, word: &Word, form: TextForm) -> Lower<Expr> {
        if !word.text.is_empty() && word.text.chars().all(|c| c == '*') {
            return Ok(Expr::Const(Value::Bool(true)));
        }
        let form = match form {
            TextForm::Plain => "",
            TextForm::Term => "term",
            TextForm::Case => "case",
        };
        let holds = |name: &Name| call("matches word", vec![self.rows.field(name), text(&word.text), text(form)]);
        let looked_at: Vec<Name> = match self.rows.has("_raw") {
            true => vec!["_raw".into()],
            false => {
                self.rows.want_all();
                self.rows.plain_names().cloned().collect()
            }
        };
        Ok(any(looked_at.iter().map(holds).collect::<Lower<Vec<_>>>()?))
    }
}

fn name_of(operator: Comparison) -> &'static str {
    match operator {
        Comparison::Equal => "matches",
        Comparison::NotEqual => "matches not",
        Comparison::Less => "matches <",
        Comparison::LessEqual => "matches <=",
        Comparison::Greater => "matches >",
        Comparison::GreaterEqual => "matches >=",
    }
}

/// The terms with every bare value compared with a field.
fn compared_with(term: &Term, field: &Word, operator: Comparison) -> Term {
    let each = |parts: &[Term]| parts.iter().map(|part| compared_with(part, field, operator)).collect();
    match term {
        Term::And(parts) => Term::And(each(parts)),
        Term::Or(parts) => Term::Or(each(parts)),
        Term::Not(inner) => Term::Not(Box::new(compared_with(inner, field, operator))),
        Term::Text { text, .. } => Term::Compare { field: field.clone(), operator, value: text.clone() },
        other => other.clone(),
    }
}

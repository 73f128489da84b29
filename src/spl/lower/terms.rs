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
        let mut found = Vec::with_capacity(searches.len());
        for search in searches {
            found.push(self.found_terms(search)?);
        }
        let term = self.with_event_types(term)?;
        let term = self.with_times(&term, input)?;
        let condition = condition(&term, input, &found)?;
        Ok(match condition {
            Expr::Const(Value::Bool(true)) => input.clone(),
            condition => self.filter(input, condition),
        })
    }

    /// The terms with `earliest` and `latest` as comparisons of `_time`.
    fn with_times(&mut self, term: &Term, input: &Rows) -> Lower<Term> {
        Ok(match term {
            Term::And(parts) => Term::And(self.each_with_times(parts, input)?),
            Term::Or(parts) => Term::Or(self.each_with_times(parts, input)?),
            Term::Not(inner) => Term::Not(Box::new(self.with_times(inner, input)?)),
            Term::Compare { field, value, .. } if is_modifier(field, &TIME_MODIFIERS) => {
                let operator = match field.is("earliest") {
                    true => Comparison::GreaterEqual,
                    false => Comparison::Less,
                };
                match self.moment(value)?.filter(|_| input.has("_time")) {
                    None => Term::And(Vec::new()),
                    Some(ticks) => Term::Compare {
                        field: Word { text: "_time".to_owned(), ..field.clone() },
                        operator,
                        value: Word { text: seconds(ticks), ..value.clone() },
                    },
                }
            }
            other => other.clone(),
        })
    }

    fn each_with_times(&mut self, parts: &[Term], input: &Rows) -> Lower<Vec<Term>> {
        parts.iter().map(|part| self.with_times(part, input)).collect()
    }
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

/// The condition of terms; `found` are the conditions that searches in brackets gave.
pub fn condition(term: &Term, rows: &Rows, found: &[Term]) -> Lower<Expr> {
    match term {
        Term::And(parts) => Ok(all(conditions(parts, rows, found)?)),
        Term::Or(parts) => disjunction(parts, rows, found),
        Term::Not(inner) => match condition(inner, rows, found)? {
            Expr::Const(Value::Bool(flag)) => Ok(Expr::Const(Value::Bool(!flag))),
            inner => call("not", vec![inner]),
        },
        Term::Search(number) => match found.get(*number) {
            Some(term) => condition(term, rows, &[]),
            None => Err(Diagnostic::error("HP504", "a search in brackets cannot stand here").into()),
        },
        Term::Compare { field, .. } if is_modifier(field, &IGNORED) => Ok(Expr::Const(Value::Bool(true))),
        Term::Compare { field, operator, value } => compared(field, *operator, value, rows),
        Term::In { field, values } => {
            let texts = values.iter().map(|value| text(&value.text));
            matching("matches", field, texts.collect(), rows)
        }
        Term::Case { field, value } => matching("matches case", field, vec![text(&value.text)], rows),
        Term::Text { text, form } => word(text, *form, rows),
    }
}

fn conditions(parts: &[Term], rows: &Rows, found: &[Term]) -> Lower<Vec<Expr>> {
    let conditions = parts.iter().map(|part| condition(part, rows, found)).collect::<Lower<Vec<_>>>()?;
    Ok(conditions.into_iter().filter(|c| !matches!(c, Expr::Const(Value::Bool(true)))).collect())
}

/// Alternatives for one field are looked for in one pass.
fn disjunction(parts: &[Term], rows: &Rows, found: &[Term]) -> Lower<Expr> {
    let mut conditions = Vec::with_capacity(parts.len());
    let mut gathered: Vec<(&Word, Vec<Expr>)> = Vec::new();
    for part in parts {
        let (field, values) = match part {
            Term::Compare { field, operator: Comparison::Equal, value } if !is_special(field, rows) => {
                (field, vec![text(&value.text)])
            }
            Term::In { field, values } if !is_special(field, rows) => {
                (field, values.iter().map(|value| text(&value.text)).collect())
            }
            other => {
                conditions.push(condition(other, rows, found)?);
                continue;
            }
        };
        match gathered.iter_mut().find(|(known, _)| known.text == field.text) {
            Some((_, all)) => all.extend(values),
            None => gathered.push((field, values)),
        }
    }
    for (field, values) in gathered {
        conditions.push(matching("matches", field, values, rows)?);
    }
    let holds = |c: &Expr| matches!(c, Expr::Const(Value::Bool(true)));
    Ok(if conditions.iter().any(holds) { Expr::Const(Value::Bool(true)) } else { any(conditions) })
}

fn is_special(field: &Word, rows: &Rows) -> bool {
    is_modifier(field, &IGNORED) || is_modifier(field, &TIME_MODIFIERS) || selects_all(&field.text, rows)
}

/// Whether a term about the origin of events selects all of them: those that were handed over say nothing of it.
fn selects_all(field: &str, rows: &Rows) -> bool {
    ORIGINS.contains(&field) && !rows.has(field)
}

fn compared(field: &Word, operator: Comparison, value: &Word, rows: &Rows) -> Lower<Expr> {
    let name = match operator {
        Comparison::Equal => "matches",
        Comparison::NotEqual => "matches not",
        Comparison::Less => "matches <",
        Comparison::LessEqual => "matches <=",
        Comparison::Greater => "matches >",
        Comparison::GreaterEqual => "matches >=",
    };
    matching(name, field, vec![text(&value.text)], rows)
}

/// The comparison of a field, or of any field that its wildcards name.
fn matching(name: &str, field: &Word, values: Vec<Expr>, rows: &Rows) -> Lower<Expr> {
    if selects_all(&field.text, rows) {
        return Ok(Expr::Const(Value::Bool(true)));
    }
    let compare = |name_of: &Name| {
        let column = match rows.field(name_of) {
            // Nothing is true of a field that the rows lack.
            Expr::Const(_) if !rows.open => return Ok(Expr::Const(Value::Bool(false))),
            column => column,
        };
        call(name, std::iter::once(column).chain(values.iter().cloned()).collect())
    };
    Ok(any(rows.matching(&field.text).iter().map(compare).collect::<Lower<Vec<_>>>()?))
}

/// A word or a phrase of the event, or of any field where there is no `_raw`.
fn word(word: &Word, form: TextForm, rows: &Rows) -> Lower<Expr> {
    if !word.text.is_empty() && word.text.chars().all(|c| c == '*') {
        return Ok(Expr::Const(Value::Bool(true)));
    }
    let form = match form {
        TextForm::Plain => "",
        TextForm::Term => "term",
        TextForm::Case => "case",
    };
    let holds = |name: &Name| call("matches word", vec![rows.field(name), text(&word.text), text(form)]);
    let raw: Vec<Name> = rows.names().filter(|name| &***name == "_raw").cloned().collect();
    let others = || rows.names().filter(|name| !name.starts_with('_')).cloned().collect();
    let looked_at: Vec<Name> = if raw.is_empty() { others() } else { raw };
    Ok(any(looked_at.iter().map(holds).collect::<Lower<Vec<_>>>()?))
}

//! Plugins that describe rows by patterns: some columns with a value, all others a wildcard.
mod autocluster;
mod basket;
mod climb;
mod diffpatterns;
mod encoded;
mod texts;

pub(super) use autocluster::ITEMS as AUTOCLUSTER;
pub(super) use basket::ITEMS as BASKET;
pub(super) use diffpatterns::ITEMS as DIFFPATTERNS;
pub(super) use texts::ITEMS as TEXTS;

use super::Evaluation;
use crate::kql::bind::Bind;
use crate::kql::bind::binder::Binder;
use crate::types::{Column, Kind, Name, Schema, Value};
use encoded::{Encoded, Pattern};

/// The column of weights, and what stands in place of a wildcard, kind by kind.
#[derive(Clone, Debug, Default)]
struct Settings {
    weight: Option<Name>,
    wildcards: Vec<Value>,
}

impl Binder<'_> {
    /// The weight column and the wildcards among a plugin's arguments.
    fn pattern_settings(&mut self, evaluation: &Evaluation) -> Bind<Settings> {
        let mut settings = Settings::default();
        if let Some(argument) = evaluation.argument("WeightColumn") {
            let default = matches!(self.aside(|b| b.constant_of(&argument.value)).0, Ok(v) if v.as_text() == Some("~"));
            if !default {
                let (name, kind) = self.column_of(argument, evaluation.input)?;
                if !kind.is_number() && !evaluation.input.unknown.contains(&name) {
                    return Err(self.error("KS107", "A column of numbers expected.", argument.span));
                }
                settings.weight = Some(name);
            }
        }
        for argument in evaluation.rest("CustomWildcard") {
            let value = self.constant_of(&argument.value)?;
            if value.as_text() != Some("~") {
                settings.wildcards.push(value);
            }
        }
        Ok(settings)
    }
}

impl Settings {
    /// What stands for any value of a kind.
    fn wildcard(&self, kind: Kind) -> Value {
        let own = self.wildcards.iter().find(|value| value.kind() == kind);
        let number = || self.wildcards.iter().find(|value| value.kind().is_integer() && kind.is_integer());
        let found = own.or_else(number).map(|value| crate::types::convert::value_to(value, kind));
        found.unwrap_or(Value::null(kind))
    }
}

/// The columns of a result: those that count, and those of the rows.
fn schema_of(own: &[(&str, Kind)], input: &Schema) -> Schema {
    let mut schema: Schema = own.iter().map(|(name, kind)| (*name, *kind)).collect();
    for (name, kind) in input.columns() {
        schema.set(schema.free_name(name), *kind);
    }
    schema
}

/// A column of the result: the patterns' values, a wildcard where a pattern has none.
fn described(encoded: &Encoded, at: usize, patterns: &[&Pattern], settings: &Settings, source: &Column) -> Column {
    let wildcard = settings.wildcard(source.kind());
    let values: Vec<Value> = patterns
        .iter()
        .map(|pattern| match pattern.get(at).copied().flatten() {
            Some(code) => encoded.value(at, code),
            None => wildcard.clone(),
        })
        .collect();
    Column::from_values(source.kind(), &values)
}

/// A share of a whole in percent, with so many decimals.
fn percent(part: f64, whole: f64, decimals: i32) -> f64 {
    let scale = 10f64.powi(decimals);
    if whole > 0.0 { (part / whole * 100.0 * scale).round() / scale } else { 0.0 }
}

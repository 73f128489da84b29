//! Analytic rules: their files, their runs, alerts, entities and incidents.
pub mod alert;
pub mod arm;
mod attack;
pub mod detection;
pub mod document;
pub mod duration;
mod emit;
pub mod entity;
pub mod escu;
pub mod evaluate;
mod fields;
pub mod finding;
pub mod import;
pub mod incident;
pub mod load;
pub mod mapping;
mod risk_index;
mod rule;
mod run;
pub mod savedsearch;
pub mod sentinel;
pub mod strict;
mod write;

pub use load::{Pack, Problem, is_rule_file, load};
pub use rule::{
    Choice, EventGrouping, Format, Language, MatchingMethod, Rule, RuleKind, RuleSeverity, TriggerOperator,
};
pub use run::Runs;
pub use write::rule_yaml;

#[cfg(test)]
mod tests;

//! Analytic rules: their files, their runs, alerts, entities and incidents.
pub mod arm;
pub mod document;
pub mod duration;
mod emit;
mod fields;
pub mod import;
pub mod load;
pub mod mapping;
mod rule;
pub mod sentinel;

pub use load::{Pack, Problem, load};
pub use rule::{
    Choice, EventGrouping, Format, Language, MatchingMethod, Rule, RuleKind, RuleSeverity, TriggerOperator,
};

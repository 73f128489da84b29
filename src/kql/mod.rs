//! The KQL front end: text to a syntax tree (`parse`), the tree to a plan.
pub mod ast;

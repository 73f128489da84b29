//! The KQL front end: text to a syntax tree (`parse`), the tree to a plan (`bind`).
pub mod ast;
pub mod bind;
pub mod graph;
pub mod lex;
pub mod parse;

pub use parse::parse;

//! The KQL front end: text to a syntax tree (`parse`), the tree to a plan (`bind`).
pub mod ast;
pub mod bind;
pub mod graph;
pub mod lex;
mod page;
pub mod parse;

pub use page::{Page, Subject};
pub use parse::{OpenText, Wanted, is_infix, parse, parse_function, parse_open};

/// Every manual page of the language, without those of the function library.
pub fn pages() -> impl Iterator<Item = &'static Page> {
    bind::PAGES.iter().flat_map(|files| files.iter()).flat_map(|pages| pages.iter())
}

/// The names of all operators that are read, other spellings among them.
pub fn operators() -> impl Iterator<Item = &'static str> {
    parse::operators()
}

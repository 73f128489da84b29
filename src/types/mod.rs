//! The types every layer speaks.
mod kind;

pub use kind::Kind;

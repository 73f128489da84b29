//! Text to commands, terms and expressions.
mod aggregates;
mod expressions;
mod pipelines;
mod reader;
mod terms;

#[cfg(test)]
mod tests;

pub use aggregates::{AggregateTerm, Argument};
pub use pipelines::parse;
pub use reader::Reader;

use crate::diagnostic::Diagnostic;

/// What reading a part gives, or the one mistake in it.
pub type Parsed<T> = Result<T, Diagnostic>;

/// How deep searches, terms and expressions may nest.
pub const MAX_DEPTH: usize = 256;

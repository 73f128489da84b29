//! The one error type of the crate.
use super::{Diagnostic, Severity, Source, Span};
use std::fmt;
use std::sync::Arc;

pub type Result<T> = std::result::Result<T, Fault>;

/// What kind of thing went wrong; the Python exceptions are named after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FaultKind {
    Query,
    Rule,
    Data,
    Limit,
    Internal,
    /// The user or the host asked to stop.
    Cancelled,
}

/// An error: its kind, what to say, and the text that the diagnostics' spans point into.
#[derive(Clone, Debug)]
pub struct Fault(Box<Inner>);

#[derive(Clone, Debug)]
struct Inner {
    kind: FaultKind,
    diagnostics: Vec<Diagnostic>,
    source: Option<Arc<Source>>,
}

impl Fault {
    pub fn new(kind: FaultKind, diagnostics: Vec<Diagnostic>) -> Self {
        Fault(Box::new(Inner { kind, diagnostics, source: None }))
    }

    pub fn query(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(FaultKind::Query, vec![Diagnostic::error(code, message)])
    }

    pub fn rule(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(FaultKind::Rule, vec![Diagnostic::error(code, message)])
    }

    pub fn data(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(FaultKind::Data, vec![Diagnostic::error(code, message)])
    }

    /// A limit was reached: `setting` is the name of the limit, which the message carries.
    pub fn limit(setting: &'static str, message: impl fmt::Display) -> Self {
        let said = Diagnostic::error("HP300", format!("{message} (limit `{setting}`)"))
            .help(format!("raise it with limits={{\"{setting}\": …}}"));
        Self::new(FaultKind::Limit, vec![said])
    }

    /// A mistake of huntpack's own: never the user's.
    pub fn internal(message: impl Into<String>) -> Self {
        let said = Diagnostic::error("HP900", message).help("this is a defect of huntpack: please report the query");
        Self::new(FaultKind::Internal, vec![said])
    }

    pub fn cancelled() -> Self {
        Self::new(FaultKind::Cancelled, vec![Diagnostic::error("HP301", "the run was cancelled")])
    }

    pub fn kind(&self) -> FaultKind {
        self.0.kind
    }

    pub fn diagnostics(&self) -> &[Diagnostic] {
        &self.0.diagnostics
    }

    pub fn source(&self) -> Option<&Arc<Source>> {
        self.0.source.as_ref()
    }

    /// Places the error where none of its diagnostics has a place yet.
    pub fn at(mut self, span: Span) -> Self {
        self.0.diagnostics.iter_mut().for_each(|d| {
            d.span.get_or_insert(span);
        });
        self
    }

    pub fn help(mut self, help: impl Into<String>) -> Self {
        if let Some(first) = self.0.diagnostics.first_mut() {
            first.help = Some(help.into());
        }
        self
    }

    /// Names the text that the spans point into, unless it is named already.
    pub fn of(mut self, source: &Arc<Source>) -> Self {
        self.0.source.get_or_insert_with(|| source.clone());
        self
    }

    /// The first error's message, without its place.
    pub fn message(&self) -> &str {
        let first = self.0.diagnostics.iter().find(|d| d.severity == Severity::Error);
        first.or(self.0.diagnostics.first()).map_or("unknown error", |d| &d.message)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message())
    }
}

impl std::error::Error for Fault {}

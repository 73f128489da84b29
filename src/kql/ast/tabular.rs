//! Pipelines and what their operators share.
use super::{Expression, Name, NamePattern, Operator};
use crate::diagnostic::Span;

/// A source and the operators after it. Without a source the first operator makes the rows itself
/// (`print`, `range`, `union`, `search`, `find`, `evaluate`), or they are the rows of the enclosing
/// operator (`mv-apply`, `partition`, `fork`, `facet`).
#[derive(Clone, Debug, PartialEq)]
pub struct Pipeline {
    pub source: Option<Expression>,
    pub operators: Vec<Operator>,
    pub span: Span,
}

/// A key of `sort`, `top` and their like; the order defaults to descending, nulls to first for
/// ascending and last for descending.
#[derive(Clone, Debug, PartialEq)]
pub struct SortKey {
    pub column: super::Column,
    pub order: Option<SortOrder>,
    pub nulls: Option<NullsOrder>,
    pub span: Span,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SortOrder {
    Ascending,
    Descending,
    /// Numbers inside of names by value; only `project-reorder`.
    GrannyAscending,
    GrannyDescending,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NullsOrder {
    First,
    Last,
}

/// `new = old` of `project-rename`.
#[derive(Clone, Debug, PartialEq)]
pub struct Rename {
    pub new: Name,
    pub old: Name,
    pub span: Span,
}

/// An item of `project-reorder`: `a*`, `b asc`.
#[derive(Clone, Debug, PartialEq)]
pub struct ReorderItem {
    pub pattern: NamePattern,
    pub order: Option<SortOrder>,
    pub span: Span,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum JoinKind {
    InnerUnique,
    Inner,
    LeftOuter,
    RightOuter,
    FullOuter,
    /// Also `anti` and `leftantisemi`.
    LeftAnti,
    /// Also `rightantisemi`.
    RightAnti,
    /// Also `semi`.
    LeftSemi,
    RightSemi,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UnionKind {
    Inner,
    Outer,
}

/// `kind=` of `parse` and `parse-where`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ParseKind {
    Simple,
    Regex,
    Relaxed,
}

/// `bagexpansion=` or `kind=` of `mv-expand`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BagExpansion {
    Bag,
    Array,
}

/// `kind=` of `search`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SearchKind {
    CaseInsensitive,
    CaseSensitive,
}

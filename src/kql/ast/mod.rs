//! The syntax tree of KQL: what was written, with the place of everything and the meaning of nothing.
//!
//! The tree's height is bounded by the parser (see `parse::MAX_DEPTH`), so that walking and dropping
//! it may recurse: `and` and `or` hold all their terms in one node, a pipeline all its operators.
mod expression;
mod graph;
mod operator;
mod tabular;

pub use expression::*;
pub use graph::*;
pub use operator::*;
pub use tabular::*;

use crate::diagnostic::Span;
use crate::types::Kind;

/// A whole query text: statements separated by semicolons.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Query {
    pub statements: Vec<Statement>,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Statement {
    Let(Let),
    /// `set name;` or `set name = value;`
    Set(SetOption),
    /// `declare query_parameters(name:type = default, ...)`
    QueryParameters(QueryParameters),
    /// `declare pattern name = (parameters)[path] { cases }`
    Pattern(Pattern),
    /// `alias database name = cluster(...).database(...)`
    AliasDatabase(AliasDatabase),
    /// `restrict access to (name, ...)`
    RestrictAccess(RestrictAccess),
    /// A query (a pipeline, a table's name, ...) or, as the last statement of a function, a scalar.
    Expression(Expression),
}

impl Statement {
    pub fn span(&self) -> Span {
        match self {
            Statement::Let(s) => s.span,
            Statement::Set(s) => s.span,
            Statement::QueryParameters(s) => s.span,
            Statement::Pattern(s) => s.span,
            Statement::AliasDatabase(s) => s.span,
            Statement::RestrictAccess(s) => s.span,
            Statement::Expression(e) => e.span,
        }
    }
}

/// `let name = value`
#[derive(Clone, Debug, PartialEq)]
pub struct Let {
    pub name: Name,
    pub value: LetValue,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub enum LetValue {
    /// A scalar or a table: only the binder can tell what `let x = T` is.
    Expression(Expression),
    Function(Function),
}

/// `(parameters) { statements }`, with `view` before it where it is one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Function {
    pub view: bool,
    pub parameters: Vec<FunctionParameter>,
    pub body: Vec<Statement>,
    /// The body with its braces.
    pub body_span: Span,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub struct FunctionParameter {
    pub name: Name,
    pub kind: ParameterKind,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub enum ParameterKind {
    /// `x:long` or `x:long = 5`
    Scalar { kind: TypeName, default: Option<Expression> },
    /// `T:(a:string, b:long)`, `T:(*)`, `T:(a:string, *)`
    Tabular(RowSchema),
}

#[derive(Clone, Debug, PartialEq)]
pub struct SetOption {
    pub name: Name,
    pub value: Option<Expression>,
    pub span: Span,
}

/// Parameters with their defaults; their kind is always `ParameterKind::Scalar`.
#[derive(Clone, Debug, PartialEq)]
pub struct QueryParameters {
    pub parameters: Vec<FunctionParameter>,
    pub span: Span,
}

/// A name whose calls with certain constants stand for certain queries.
#[derive(Clone, Debug, PartialEq)]
pub struct Pattern {
    pub name: Name,
    /// The arguments, and the path behind them where there is one; their kind is always `ParameterKind::Scalar`.
    pub parameters: Vec<FunctionParameter>,
    pub cases: Vec<PatternCase>,
    pub span: Span,
}

/// `("a", "b").["path"] = { query }`
#[derive(Clone, Debug, PartialEq)]
pub struct PatternCase {
    /// The path last.
    pub values: Vec<Expression>,
    pub body: Vec<Statement>,
    pub body_span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub struct AliasDatabase {
    pub name: Name,
    pub value: Expression,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub struct RestrictAccess {
    /// Names, wildcards and qualified names.
    pub entities: Vec<Expression>,
    pub span: Span,
}

/// A name as it means, without brackets, quotes and escapes; the span covers what was written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Name {
    pub text: String,
    pub span: Span,
}

/// `abc`, or with stars `a*c`; a bracketed name is never a wildcard.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct NamePattern {
    pub text: String,
    pub wildcard: bool,
    pub span: Span,
}

/// The name of a kind as it stands in a schema, `typeof(...)` or a parameter. `kind` is none where
/// the name is no kind: this was reported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypeName {
    pub kind: Option<Kind>,
    pub span: Span,
}

/// `name:kind`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnDeclaration {
    pub name: Name,
    pub kind: TypeName,
    pub span: Span,
}

/// `(a:string, b:long)`, with `open` where a `*` stands among the columns.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RowSchema {
    pub columns: Vec<ColumnDeclaration>,
    pub open: bool,
    pub span: Span,
}

/// `name=value` of an operator: `hint.strategy=shuffle`, `kind=stacked`, `title="x"`.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    /// With its dots: `hint.strategy`.
    pub name: Name,
    /// A literal, a name or, for some, an expression.
    pub value: Expression,
    pub span: Span,
}

/// A value and the place where it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spanned<T> {
    pub value: T,
    pub span: Span,
}

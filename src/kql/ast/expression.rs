//! Expressions: scalar ones and, where the grammar allows it, tabular ones.
use super::{ColumnDeclaration, Name, NamePattern, Parameter, Pipeline, RowSchema, TypeName};
use crate::diagnostic::Span;

/// Parentheses are not kept: an expression in them has their span.
#[derive(Clone, Debug, PartialEq)]
pub struct Expression {
    pub kind: ExpressionKind,
    pub span: Span,
}

impl Expression {
    /// The names in it that may stand for columns: not those of calls, nor any inside of a query.
    pub fn names(&self) -> Vec<&Name> {
        let mut names = Vec::new();
        self.collect_names(&mut names);
        names
    }

    fn collect_names<'e>(&'e self, names: &mut Vec<&'e Name>) {
        match &self.kind {
            ExpressionKind::Name(name) => names.push(name),
            ExpressionKind::Call(call) => call.arguments.iter().for_each(|a| a.value.collect_names(names)),
            ExpressionKind::Path(path) => path.base.collect_names(names),
            ExpressionKind::Unary(unary) => unary.operand.collect_names(names),
            ExpressionKind::Binary(binary) => {
                [&binary.left, &binary.right].into_iter().for_each(|e| e.collect_names(names));
            }
            ExpressionKind::And(terms) | ExpressionKind::Or(terms) => {
                terms.iter().for_each(|term| term.collect_names(names));
            }
            ExpressionKind::In(tested) => {
                std::iter::once(&tested.value).chain(&tested.items).for_each(|e| e.collect_names(names));
            }
            ExpressionKind::Between(b) => {
                [&b.value, &b.low, &b.high].into_iter().for_each(|e| e.collect_names(names));
            }
            _ => {}
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub enum ExpressionKind {
    Literal(Literal),
    /// A column, a variable, a table or a parameter; also `$left`, `$right`, `$table`.
    Name(Name),
    /// `*` where it stands for columns: `count(*)`, `arg_max(x, *)`, `distinct *`, `* has "x"`.
    Star,
    /// `Sec*` where it stands for tables (`union`, `find`, `search in`).
    Wildcard(NamePattern),
    /// `typeof(string)`, `typeof(a:string, b:long)`
    Typeof(Typeof),
    Call(Call),
    Path(Path),
    Unary(Box<Unary>),
    Binary(Box<Binary>),
    /// All terms of `a and b and c`; at least two.
    And(Vec<Expression>),
    /// All terms of `a or b or c`; at least two.
    Or(Vec<Expression>),
    In(Box<In>),
    Between(Box<Between>),
    /// `T | where x`, `print 1`, `union A, B`: also as an argument or in parentheses.
    Pipeline(Box<Pipeline>),
    Datatable(Box<Datatable>),
    Externaldata(Box<Externaldata>),
}

/// The values are null in `int(null)` and its like.
#[derive(Clone, Debug, PartialEq)]
pub enum Literal {
    Bool(Option<bool>),
    /// `int(5)`: only this form is 32 bits wide.
    Int(Option<i32>),
    Long(Option<i64>),
    Real(Option<f64>),
    /// The text inside of `decimal(...)`.
    Decimal(Option<RawText>),
    /// Escapes decoded, adjacent literals joined.
    String(StringLiteral),
    /// The text inside of `guid(...)`.
    Guid(Option<RawText>),
    /// The text inside of `datetime(...)`, not validated; quotes kept if there are any.
    DateTime(Option<RawText>),
    /// `1d` as it stands, or the text inside of `timespan(...)`, `time(...)`, not validated.
    TimeSpan(Option<RawText>),
    /// The text inside of `dynamic(...)`: JSON with Kusto's literals, single quotes and comments;
    /// `null` is left to the reader of the text.
    Dynamic(RawText),
}

/// A piece of the query as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawText {
    pub text: String,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StringLiteral {
    pub text: String,
    /// `h"..."`: not to be shown in logs.
    pub hidden: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Typeof {
    Scalar(TypeName),
    Row(RowSchema),
}

/// `name(arguments)`
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// As written.
    pub name: Name,
    pub arguments: Vec<Argument>,
    pub span: Span,
}

/// `value` or `name = value`
#[derive(Clone, Debug, PartialEq)]
pub struct Argument {
    pub name: Option<Name>,
    pub value: Expression,
    pub span: Span,
}

/// A base and the steps after it: `a.b["c"][0].d`, `database("x").T`, `$left.Key`.
#[derive(Clone, Debug, PartialEq)]
pub struct Path {
    pub base: Box<Expression>,
    pub steps: Vec<PathStep>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct PathStep {
    pub kind: PathStepKind,
    /// The step with its dot or brackets.
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub enum PathStepKind {
    /// `.b`, `.['b']`
    Member(Name),
    /// `["b"]`, `[0]`, `[-1]`, `[x]`, `.[0]`
    Index(Expression),
    /// `.database("x")`, `.function(1)`
    Call(Call),
    /// `.Sec*` in `union database("x").Sec*`
    Wildcard(NamePattern),
}

#[derive(Clone, Debug, PartialEq)]
pub struct Unary {
    pub operator: UnaryOperator,
    pub operator_span: Span,
    pub operand: Expression,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnaryOperator {
    Minus,
    Plus,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Binary {
    pub operator: BinaryOperator,
    pub operator_span: Span,
    pub left: Expression,
    pub right: Expression,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BinaryOperator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulo,
    Equal,
    /// `!=` and `<>`
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    /// `=~` and its negation `!~`
    EqualIgnoringCase,
    NotEqualIgnoringCase,
    /// `column : "term"`: `has`
    Colon,
    Text {
        operator: TextOperator,
        /// The `_cs` forms.
        case_sensitive: bool,
        negated: bool,
    },
}

/// Operators on texts. Source: the page "String operators".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TextOperator {
    Contains,
    StartsWith,
    EndsWith,
    Has,
    HasPrefix,
    HasSuffix,
    /// `like`, with `*` and `?` as wildcards; undocumented, kept by Kusto.
    Like,
    /// `matches regex`: always case-sensitive.
    MatchesRegex,
}

/// `value in (list)` and its relatives.
#[derive(Clone, Debug, PartialEq)]
pub struct In {
    pub operator: InOperator,
    pub operator_span: Span,
    pub value: Expression,
    /// Scalars, one dynamic array, or one tabular expression: only the binder can tell.
    pub items: Vec<Expression>,
    /// The list with its parentheses.
    pub list_span: Span,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum InOperator {
    In { case_sensitive: bool, negated: bool },
    HasAny,
    HasAll,
}

/// `value between (low .. high)`, `value !between (low .. high)`
#[derive(Clone, Debug, PartialEq)]
pub struct Between {
    pub negated: bool,
    pub operator_span: Span,
    pub value: Expression,
    pub low: Expression,
    pub high: Expression,
}

/// `datatable(a:string, b:long) ["x", 1, ...]`
#[derive(Clone, Debug, PartialEq)]
pub struct Datatable {
    pub columns: Vec<ColumnDeclaration>,
    /// Row by row.
    pub values: Vec<Expression>,
}

/// `externaldata(a:string) [urls] with (format="csv")`
#[derive(Clone, Debug, PartialEq)]
pub struct Externaldata {
    pub columns: Vec<ColumnDeclaration>,
    pub locations: Vec<Expression>,
    pub properties: Vec<Parameter>,
}

/// An item of `project`, `extend`, `summarize`, `print` ...: `expression`, `name = expression`,
/// `(a, b) = expression`.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    pub names: ColumnNames,
    pub expression: Expression,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub enum ColumnNames {
    Automatic,
    One(Name),
    Tuple(Vec<Name>),
}

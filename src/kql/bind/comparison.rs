//! Infix operators: what they take and what they convert.
//!
//! Source: the pages "Numerical operators", "String operators", "Datetime / timespan arithmetic";
//! where they are silent, Microsoft's binder.
use super::Bind;
use super::binder::{Binder, is_unknown};
use super::convert::constant_to;
use super::relation::Row;
use crate::diagnostic::{Diagnostic, Span};
use crate::expr::Expr;
use crate::kql::ast::{Between, Binary, BinaryOperator, TextOperator, Unary, UnaryOperator};
use crate::types::{Kind, Value};

/// The library's name of an operator.
pub(super) fn operator_name(operator: BinaryOperator) -> String {
    use BinaryOperator::*;
    let plain = match operator {
        Add => "+",
        Subtract => "-",
        Multiply => "*",
        Divide => "/",
        Modulo => "%",
        Equal => "==",
        NotEqual => "!=",
        Less => "<",
        LessOrEqual => "<=",
        Greater => ">",
        GreaterOrEqual => ">=",
        EqualIgnoringCase => "=~",
        NotEqualIgnoringCase => "!~",
        Colon => "has",
        Text { operator, case_sensitive, negated } => return text_operator_name(operator, case_sensitive, negated),
    };
    plain.to_owned()
}

fn text_operator_name(operator: TextOperator, case_sensitive: bool, negated: bool) -> String {
    let plain = match operator {
        TextOperator::Contains => "contains",
        TextOperator::StartsWith => "startswith",
        TextOperator::EndsWith => "endswith",
        TextOperator::Has => "has",
        TextOperator::HasPrefix => "hasprefix",
        TextOperator::HasSuffix => "hassuffix",
        TextOperator::Like => "like",
        TextOperator::MatchesRegex => return "matches regex".to_owned(),
    };
    format!("{}{plain}{}", if negated { "!" } else { "" }, if case_sensitive { "_cs" } else { "" })
}

/// What to write instead of an operator between kinds that it does not take.
fn way_out(operator: BinaryOperator, kinds: [Kind; 2]) -> Option<&'static str> {
    let has = |kind: Kind| kinds.contains(&kind);
    match operator {
        BinaryOperator::Add if has(Kind::String) => Some("`strcat(a, b)` joins texts"),
        _ if !has(Kind::String) => None,
        _ if has(Kind::DateTime) => Some("write `datetime(...)`, or convert with `todatetime(...)`"),
        _ if has(Kind::TimeSpan) => Some("write `1h` or `time(...)`, or convert with `totimespan(...)`"),
        _ if kinds.iter().any(|kind| kind.is_number()) => Some("convert the text with `tolong(...)` or `toreal(...)`"),
        _ => None,
    }
}

impl Binder<'_> {
    pub fn binary(&mut self, binary: &Binary, row: &Row) -> Bind<Expr> {
        let left = self.scalar(&binary.left, row);
        let right = self.scalar(&binary.right, row);
        let (left, right) = self.beside_timespan(binary, left?, right?, row)?;
        self.infix(binary.operator, left, right, binary.operator_span)
    }

    /// What nobody knows the kind of is a number where a timespan is multiplied or divided by it.
    fn beside_timespan(&mut self, binary: &Binary, left: Expr, right: Expr, row: &Row) -> Bind<(Expr, Expr)> {
        use BinaryOperator::{Divide, Multiply};
        let (span, unknown) = (binary.operator_span, |e: &Expr| row.relation.is_some_and(|rows| is_unknown(e, rows)));
        Ok(match (binary.operator, left.kind(), right.kind()) {
            (Multiply | Divide, Kind::TimeSpan, _) if unknown(&right) => {
                (left, self.converted(right, Kind::Real, span)?)
            }
            (Multiply, _, Kind::TimeSpan) if unknown(&left) => (self.converted(left, Kind::Real, span)?, right),
            (Divide, _, Kind::TimeSpan) if unknown(&left) => (self.converted(left, Kind::TimeSpan, span)?, right),
            _ => (left, right),
        })
    }

    /// An infix operator over operands that are bound already.
    pub fn infix(&mut self, operator: BinaryOperator, left: Expr, right: Expr, span: Span) -> Bind<Expr> {
        use BinaryOperator::*;
        match operator {
            Add | Subtract | Multiply | Divide | Modulo => self.arithmetic(operator, left, right, span),
            Equal | NotEqual => self.equality(operator, left, right, span),
            Less | LessOrEqual | Greater | GreaterOrEqual => self.ordering(operator, left, right, span),
            _ => self.text_search(operator, left, right, span),
        }
    }

    fn undefined(&mut self, operator: BinaryOperator, left: &Expr, right: &Expr, span: Span) -> super::Reported {
        let name = operator_name(operator);
        let (left, right) = (left.kind(), right.kind());
        let message = format!("The operator '{name}' is not defined for the operand types {left} and {right}.");
        let said = Diagnostic::error("KS106", message).at(span);
        self.say(match way_out(operator, [left, right]) {
            Some(help) => said.help(help),
            None => said,
        });
        super::Reported
    }

    fn arithmetic(&mut self, operator: BinaryOperator, left: Expr, right: Expr, span: Span) -> Bind<Expr> {
        let (l, r) = (left.kind(), right.kind());
        if !arithmetic_is_defined(operator, l, r) {
            return Err(self.undefined(operator, &left, &right, span));
        }
        let (left, right) = match (l, r) {
            (Kind::Dynamic, Kind::Dynamic) => {
                (self.converted(left, Kind::Real, span)?, self.converted(right, Kind::Real, span)?)
            }
            (Kind::Dynamic, kind) => {
                let kind = dynamic_operand(operator, kind);
                (self.converted(left, kind, span)?, right)
            }
            (kind, Kind::Dynamic) => {
                let kind = dynamic_operand(operator, kind);
                (left, self.converted(right, kind, span)?)
            }
            _ => (left, right),
        };
        let sum = self.call_item(&operator_name(operator), vec![left, right], span)?;
        // What two dynamics give is dynamic.
        if (l, r) == (Kind::Dynamic, Kind::Dynamic) { self.converted(sum, Kind::Dynamic, span) } else { Ok(sum) }
    }

    fn equality(&mut self, operator: BinaryOperator, left: Expr, right: Expr, span: Span) -> Bind<Expr> {
        let (left, right) = self.comparable(left, right, span)?;
        self.call_item(&operator_name(operator), vec![left, right], span)
    }

    /// Two operands of kinds that `==` compares: a constant takes the other side's kind where it can,
    /// a dynamic takes the scalar's.
    pub fn comparable(&mut self, left: Expr, right: Expr, span: Span) -> Bind<(Expr, Expr)> {
        let (l, r) = (left.kind(), right.kind());
        Ok(match (l, r) {
            _ if l == r || (l.is_number() && r.is_number()) => (left, right),
            (Kind::Dynamic, kind) => (self.converted(left, kind, span)?, right),
            (kind, Kind::Dynamic) => (left, self.converted(right, kind, span)?),
            (_, Kind::String) => {
                let (right, left) = self.text_beside(right, left, span)?;
                (left, right)
            }
            (Kind::String, _) => self.text_beside(left, right, span)?,
            (Kind::Bool, kind) if kind.is_number() => (self.converted(left, Kind::Long, span)?, right),
            (kind, Kind::Bool) if kind.is_number() => (left, self.converted(right, Kind::Long, span)?),
            _ => (self.converted(left, Kind::String, span)?, self.converted(right, Kind::String, span)?),
        })
    }

    /// A text and a value of another kind, compared as texts unless a constant text means a value.
    fn text_beside(&mut self, text: Expr, other: Expr, span: Span) -> Bind<(Expr, Expr)> {
        if let Expr::Const(value @ Value::Text(..)) = &text {
            let kind = other.kind();
            let meant = constant_to(value, kind);
            let same = !meant.is_null() && (!kind.is_number() || Some(meant.to_text().as_str()) == value.as_text());
            if same {
                return Ok((Expr::Const(meant), other));
            }
        }
        let other = self.converted(other, Kind::String, span)?;
        Ok((text, other))
    }

    fn ordering(&mut self, operator: BinaryOperator, left: Expr, right: Expr, span: Span) -> Bind<Expr> {
        let (l, r) = (left.kind(), right.kind());
        let numeric = |kind: Kind| kind.is_number() || kind == Kind::Bool;
        let (left, right) = match (l, r) {
            (Kind::String | Kind::Guid, _) | (_, Kind::String | Kind::Guid)
                if !(self.may_be_anything(&left) || self.may_be_anything(&right)) =>
            {
                return Err(self.undefined(operator, &left, &right, span));
            }
            _ if l == r && l != Kind::Dynamic => (left, right),
            (Kind::Dynamic, Kind::Dynamic) => {
                (self.converted(left, Kind::Real, span)?, self.converted(right, Kind::Real, span)?)
            }
            // A dynamic may hold a real where the scalar is an integer.
            (Kind::Dynamic, Kind::Int | Kind::Long) => (self.converted(left, Kind::Real, span)?, right),
            (Kind::Int | Kind::Long, Kind::Dynamic) => (left, self.converted(right, Kind::Real, span)?),
            (Kind::Dynamic, Kind::Real | Kind::Decimal) => (self.converted(left, r, span)?, right),
            (Kind::Real | Kind::Decimal, Kind::Dynamic) => (left, self.converted(right, l, span)?),
            (Kind::Dynamic, _) if self.may_be_anything(&left) => (self.converted(left, r, span)?, right),
            (_, Kind::Dynamic) if self.may_be_anything(&right) => (left, self.converted(right, l, span)?),
            (Kind::Bool, kind) if kind.is_number() => (self.converted(left, Kind::Long, span)?, right),
            (kind, Kind::Bool) if kind.is_number() => (left, self.converted(right, Kind::Long, span)?),
            _ if numeric(l) && numeric(r) => (left, right),
            _ => return Err(self.undefined(operator, &left, &right, span)),
        };
        self.call_item(&operator_name(operator), vec![left, right], span)
    }

    /// Whether the expression stands for a column of which nothing is known.
    fn may_be_anything(&self, expr: &Expr) -> bool {
        matches!(expr, Expr::Const(Value::Null(Kind::Dynamic))) || (self.open && expr.kind() == Kind::Dynamic)
    }

    fn text_search(&mut self, operator: BinaryOperator, left: Expr, right: Expr, span: Span) -> Bind<Expr> {
        let textual = |kind| matches!(kind, Kind::String | Kind::Dynamic);
        if !textual(left.kind()) || !textual(right.kind()) {
            return Err(self.undefined(operator, &left, &right, span));
        }
        let (left, right) = (self.converted(left, Kind::String, span)?, self.converted(right, Kind::String, span)?);
        if let BinaryOperator::Text { operator: TextOperator::MatchesRegex, negated: true, .. } = operator {
            let matches = self.call_item("matches regex", vec![left, right], span)?;
            return self.call_item("not", vec![matches], span);
        }
        self.call_item(&operator_name(operator), vec![left, right], span)
    }

    pub fn unary(&mut self, unary: &Unary, row: &Row) -> Bind<Expr> {
        let operand = self.scalar(&unary.operand, row)?;
        let span = unary.operator_span;
        let kind = operand.kind();
        if !(kind.is_number() || matches!(kind, Kind::TimeSpan | Kind::DateTime | Kind::Dynamic)) {
            let sign = if unary.operator == UnaryOperator::Minus { '-' } else { '+' };
            return Err(self.error("KS106", format!("The operator '{sign}' is not defined for {kind}."), span));
        }
        if unary.operator == UnaryOperator::Plus {
            return Ok(operand);
        }
        let negated = self.call_item("negate", vec![operand], span)?;
        Ok(self.folded(negated))
    }

    pub fn between(&mut self, between: &Between, row: &Row) -> Bind<Expr> {
        let span = between.operator_span;
        let value = self.scalar(&between.value, row);
        let low = self.scalar(&between.low, row);
        let high = self.scalar(&between.high, row);
        let (value, low, mut high) = (value?, low?, high?);
        if high.kind() == Kind::TimeSpan && low.kind() == Kind::DateTime {
            high = self.call_item("+", vec![low.clone(), high], span)?;
        }
        let (value, low, high) = self.same_order(value, low, high, span)?;
        let within = self.call_item("between", vec![value, low, high], span)?;
        if between.negated { self.call_item("not", vec![within], span) } else { Ok(within) }
    }

    fn same_order(&mut self, value: Expr, low: Expr, high: Expr, span: Span) -> Bind<(Expr, Expr, Expr)> {
        let kinds = [value.kind(), low.kind(), high.kind()];
        let bound = kinds.iter().copied().find(|k| *k != Kind::Dynamic).unwrap_or(Kind::Real);
        let fits = |kind: Kind| kind == bound || kind == Kind::Dynamic || (kind.is_number() && bound.is_number());
        if !kinds.iter().all(|k| fits(*k)) || matches!(bound, Kind::String | Kind::Bool | Kind::Guid) {
            let [value, low, high] = kinds;
            let message =
                format!("The operator 'between' is not defined for the operand types {value}, {low} and {high}.");
            return Err(self.error("KS106", message, span));
        }
        let own = if bound.is_integer() { Kind::Real } else { bound };
        let mut fit = |e: Expr| if e.kind() == Kind::Dynamic { self.converted(e, own, span) } else { Ok(e) };
        Ok((fit(value)?, fit(low)?, fit(high)?))
    }
}

/// The kind that a dynamic operand takes beside a scalar one.
fn dynamic_operand(operator: BinaryOperator, beside: Kind) -> Kind {
    match (operator, beside) {
        (_, Kind::Int) => Kind::Long,
        // A datetime less a dynamic: the difference is a timespan.
        (BinaryOperator::Add, Kind::DateTime) => Kind::TimeSpan,
        (BinaryOperator::Multiply | BinaryOperator::Divide | BinaryOperator::Modulo, Kind::TimeSpan) => Kind::Real,
        (_, kind) => kind,
    }
}

fn arithmetic_is_defined(operator: BinaryOperator, left: Kind, right: Kind) -> bool {
    use Kind::*;
    let numeric = |kind: Kind| kind.is_number() || kind == Dynamic;
    let temporal = |kind: Kind| matches!(kind, DateTime | TimeSpan);
    match operator {
        _ if numeric(left) && numeric(right) => true,
        BinaryOperator::Add | BinaryOperator::Subtract => {
            (temporal(left) || left == Dynamic) && (temporal(right) || right == Dynamic)
        }
        BinaryOperator::Multiply => {
            matches!((left, right), (TimeSpan, TimeSpan))
                || (temporal(left) && right.is_number())
                || (left.is_number() && temporal(right))
        }
        _ => temporal(left) && (right.is_number() || right == TimeSpan || (left, right) == (DateTime, DateTime)),
    }
}

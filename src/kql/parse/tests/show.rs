//! Expressions as short texts that show their structure.
use crate::kql::ast::*;

pub fn show(e: &Expression) -> String {
    match &e.kind {
        ExpressionKind::Literal(literal) => show_literal(literal),
        ExpressionKind::Name(name) => name.text.clone(),
        ExpressionKind::Star => "*".into(),
        ExpressionKind::Wildcard(pattern) => pattern.text.clone(),
        ExpressionKind::Call(call) => show_call(call),
        ExpressionKind::Path(path) => {
            let steps = path.steps.iter().map(|step| match &step.kind {
                PathStepKind::Member(name) => format!(".{}", name.text),
                PathStepKind::Index(index) => format!("[{}]", show(index)),
                PathStepKind::Call(call) => format!(".{}", show_call(call)),
                PathStepKind::Wildcard(pattern) => format!(".{}", pattern.text),
            });
            show(&path.base) + &steps.collect::<String>()
        }
        ExpressionKind::Unary(unary) => {
            let sign = if unary.operator == UnaryOperator::Minus { "-" } else { "+" };
            sign.to_string() + &show(&unary.operand)
        }
        ExpressionKind::Binary(b) => format!("({} {} {})", show(&b.left), show_operator(b.operator), show(&b.right)),
        ExpressionKind::And(terms) => format!("and({})", list(terms)),
        ExpressionKind::Or(terms) => format!("or({})", list(terms)),
        ExpressionKind::In(i) => format!("({} in [{}])", show(&i.value), list(&i.items)),
        ExpressionKind::Between(b) => format!("({} between {} .. {})", show(&b.value), show(&b.low), show(&b.high)),
        ExpressionKind::Pipeline(pipeline) => {
            let names = pipeline.operators.iter().map(|o| format!("|{}", o.name.text));
            format!("<{}{}>", pipeline.source.as_ref().map(show).unwrap_or_default(), names.collect::<String>())
        }
        other => format!("{other:?}"),
    }
}

fn list(expressions: &[Expression]) -> String {
    expressions.iter().map(show).collect::<Vec<_>>().join(", ")
}

fn show_call(call: &Call) -> String {
    let arguments = call.arguments.iter().map(|argument| match &argument.name {
        Some(name) => format!("{}={}", name.text, show(&argument.value)),
        None => show(&argument.value),
    });
    format!("{}({})", call.name.text, arguments.collect::<Vec<_>>().join(", "))
}

fn show_literal(literal: &Literal) -> String {
    let raw = |name: &str, text: &Option<RawText>| {
        format!("{name}({})", text.as_ref().map_or("null", |raw| raw.text.as_str()))
    };
    match literal {
        Literal::Bool(b) => b.map_or("bool(null)".into(), |b| b.to_string()),
        Literal::Int(i) => format!("int({})", i.map_or("null".into(), |i| i.to_string())),
        Literal::Long(l) => l.map_or("long(null)".into(), |l| l.to_string()),
        Literal::Real(r) => r.map_or("real(null)".into(), |r| r.to_string()),
        Literal::Decimal(text) => raw("decimal", text),
        Literal::String(literal) => format!("'{}'", literal.text),
        Literal::Guid(text) => raw("guid", text),
        Literal::DateTime(text) => raw("datetime", text),
        Literal::TimeSpan(text) => text.as_ref().map_or("time(null)".into(), |raw| raw.text.clone()),
        Literal::Dynamic(text) => format!("dynamic({})", text.text),
    }
}

fn show_operator(operator: BinaryOperator) -> String {
    let symbol = match operator {
        BinaryOperator::Add => "+",
        BinaryOperator::Subtract => "-",
        BinaryOperator::Multiply => "*",
        BinaryOperator::Divide => "/",
        BinaryOperator::Modulo => "%",
        BinaryOperator::Equal => "==",
        BinaryOperator::NotEqual => "!=",
        BinaryOperator::Less => "<",
        BinaryOperator::LessOrEqual => "<=",
        BinaryOperator::Greater => ">",
        BinaryOperator::GreaterOrEqual => ">=",
        BinaryOperator::EqualIgnoringCase => "=~",
        BinaryOperator::NotEqualIgnoringCase => "!~",
        BinaryOperator::Colon => ":",
        BinaryOperator::Text { operator: TextOperator::MatchesRegex, .. } => "matches regex",
        BinaryOperator::Text { operator, case_sensitive, negated } => {
            let name = format!("{operator:?}").to_lowercase();
            let (not, cs) = (if negated { "!" } else { "" }, if case_sensitive { "_cs" } else { "" });
            return format!("{not}{name}{cs}");
        }
    };
    symbol.into()
}

//! Expressions, by precedence climbing.
//!
//! From loose to tight: `or`, `and`, equality (`==`, `in`, `between` ...), comparison, sums, products,
//! operators on texts, signs, paths. Equality, comparison and operators on texts do not chain.
use super::{MAX_DEPTH, MAX_OPERANDS, Parsed, Parser, Reported, Wanted};
use crate::diagnostic::{Diagnostic, Span};
use crate::kql::ast::{
    Argument, Between, Binary, BinaryOperator, Call, Expression, ExpressionKind, In, InOperator, Literal, Name, Path,
    PathStep, PathStepKind, TextOperator, TypeName, Typeof, Unary, UnaryOperator,
};
use crate::kql::lex::{Token, TokenKind};

/// What stands between two operands.
#[derive(Clone, Copy)]
enum Infix {
    Or,
    And,
    In(InOperator),
    Between { negated: bool },
    Binary(BinaryOperator),
}

const OR: u8 = 1;
const AND: u8 = 2;
const EQUALITY: u8 = 3;
const COMPARISON: u8 = 4;
const SUM: u8 = 5;
const PRODUCT: u8 = 6;
const TEXT: u8 = 7;

impl Infix {
    fn power(self) -> u8 {
        use BinaryOperator::*;
        match self {
            Infix::Or => OR,
            Infix::And => AND,
            Infix::In(_) | Infix::Between { .. } | Infix::Binary(Equal | NotEqual) => EQUALITY,
            Infix::Binary(Less | LessOrEqual | Greater | GreaterOrEqual) => COMPARISON,
            Infix::Binary(Add | Subtract) => SUM,
            Infix::Binary(Multiply | Divide | Modulo) => PRODUCT,
            Infix::Binary(EqualIgnoringCase | NotEqualIgnoringCase | Colon | Text { .. }) => TEXT,
        }
    }

    fn chains(self) -> bool {
        matches!(self.power(), OR | AND | SUM | PRODUCT)
    }
}

/// Operator names that no expression begins with unless in brackets, as in Azure.
const RESERVED: &[&str] = &[
    "as",
    "datatable",
    "externaldata",
    "find",
    "int",
    "int32",
    "int64",
    "invoke",
    "long",
    "print",
    "project",
    "real",
    "decimal",
    "double",
    "search",
    "set",
    "string",
    "time",
    "timespan",
    "date",
    "datetime",
    "union",
    "where",
];

/// Words that end an expression wherever they stand.
const ENDING: &[&str] = &["by", "asc", "desc", "to", "of"];

/// Functions whose argument may be a pipeline without parentheses around it.
const TABULAR_FUNCTIONS: &[&str] = &["toscalar", "totable", "materialize"];

impl Parser<'_> {
    pub(super) fn expression(&mut self) -> Parsed<Expression> {
        let outer = self.enter(1)?;
        let expression = self.operands(OR);
        self.leave(1, outer);
        expression
    }

    /// Reads operands joined by operators that bind at least as tightly as `least`.
    fn operands(&mut self, least: u8) -> Parsed<Expression> {
        if self.operands >= MAX_OPERANDS {
            return Err(self.too_deep());
        }
        let outer = std::mem::take(&mut self.height);
        self.operands += 1;
        let expression = self.unary().and_then(|first| self.operations(first, least));
        self.operands -= 1;
        self.height = outer.max(self.height);
        expression
    }

    fn operations(&mut self, mut left: Expression, least: u8) -> Parsed<Expression> {
        let mut most = TEXT;
        while let Some((infix, length)) = self.infix().filter(|(i, _)| (least..=most).contains(&i.power())) {
            most = infix.power() - u8::from(!infix.chains());
            left = self.operation_on(left, infix, length)?;
        }
        Ok(left)
    }

    fn operation_on(&mut self, left: Expression, infix: Infix, length: usize) -> Parsed<Expression> {
        let start = left.span;
        let kind = match infix {
            Infix::Or => ExpressionKind::Or(self.terms(left, "or", AND)?),
            Infix::And => ExpressionKind::And(self.terms(left, "and", EQUALITY)?),
            Infix::In(operator) => self.membership(left, operator)?,
            Infix::Between { negated } => self.between(left, negated)?,
            Infix::Binary(operator) => {
                self.grow()?;
                let operator_span = self.operator_span(length);
                let right = self.operands(infix.power() + 1)?;
                ExpressionKind::Binary(Box::new(Binary { operator, operator_span, left, right }))
            }
        };
        Ok(Expression { kind, span: self.since(start) })
    }

    fn operator_span(&mut self, length: usize) -> Span {
        let start = self.token().span;
        self.position += length;
        self.since(start)
    }

    fn terms(&mut self, first: Expression, word: &'static str, least: u8) -> Parsed<Vec<Expression>> {
        let mut terms = vec![first];
        while self.eat_word(word) {
            terms.push(self.operands(least)?);
        }
        Ok(terms)
    }

    fn membership(&mut self, value: Expression, operator: InOperator) -> Parsed<ExpressionKind> {
        let word = self.written(self.token());
        let operator_span = self.advance().span;
        let start = self.token().span;
        if !self.at("(") && !self.assumed() {
            let said = Diagnostic::error("KS005", format!("`(` is expected before {}", self.here())).at(start);
            return Err(self.report(said.help(format!("the list stands in parentheses: {word} (\"a\", \"b\")"))));
        }
        self.advance();
        if self.is_symbol(0, ")") {
            return self.missing("an expression");
        }
        let items = self.list_until(")", Self::tabular_expression)?;
        let list_span = self.since(start);
        Ok(ExpressionKind::In(Box::new(In { operator, operator_span, value, items, list_span })))
    }

    fn between(&mut self, value: Expression, negated: bool) -> Parsed<ExpressionKind> {
        let operator_span = self.advance().span;
        self.expect_of_range("(")?;
        let low = self.expression()?;
        self.expect_of_range("..")?;
        let high = self.expression()?;
        self.expect(")")?;
        Ok(ExpressionKind::Between(Box::new(Between { negated, operator_span, value, low, high })))
    }

    fn expect_of_range(&mut self, symbol: &str) -> Parsed<()> {
        if self.at(symbol) || self.assumed() {
            self.advance();
            return Ok(());
        }
        let said = Diagnostic::error("KS005", format!("`{symbol}` is expected before {}", self.here()));
        Err(self.report(said.at(self.token().span).help("a range is written `between (low .. high)`")))
    }

    /// The operator that stands here, and how many tokens it takes.
    fn infix(&self) -> Option<(Infix, usize)> {
        self.want(Wanted::Infix);
        let token = self.token();
        let infix = match token.kind {
            TokenKind::Symbol(symbol) => Infix::Binary(symbol_operator(symbol)?),
            TokenKind::Word if self.is_word(0, "matches") => {
                let operator = TextOperator::MatchesRegex;
                let binary = BinaryOperator::Text { operator, case_sensitive: true, negated: false };
                return self.is_word(1, "regex").then_some((Infix::Binary(binary), 2));
            }
            // `on Time in range(...)` of make-series is no membership.
            TokenKind::Word if self.is_word(0, "in") && self.is_word(1, "range") => return None,
            TokenKind::Word => word_operator(self.written(token))?,
            _ => return None,
        };
        Some((infix, 1))
    }

    /// Signs and what they stand before.
    pub(super) fn unary(&mut self) -> Parsed<Expression> {
        let mut signs = Vec::new();
        while let Some(operator) = self.sign() {
            if let Some(smallest) = self.smallest_long(operator) {
                return self.signed(signs, smallest);
            }
            if signs.len() >= MAX_DEPTH {
                return Err(self.too_deep());
            }
            signs.push((operator, self.advance().span));
        }
        let operand = self.primary().and_then(|base| self.path(base, false))?;
        if signs.is_empty() { Ok(operand) } else { self.signed(signs, operand) }
    }

    fn signed(&mut self, signs: Vec<(UnaryOperator, Span)>, mut operand: Expression) -> Parsed<Expression> {
        for (operator, operator_span) in signs.into_iter().rev() {
            self.grow()?;
            let span = operator_span.to(operand.span);
            let unary = Unary { operator, operator_span, operand };
            operand = Expression { kind: ExpressionKind::Unary(Box::new(unary)), span };
        }
        Ok(operand)
    }

    /// The smallest long is written as a sign and a number that is no long by itself.
    fn smallest_long(&mut self, sign: UnaryOperator) -> Option<Expression> {
        let number = self.ahead(1);
        let fits = number.kind == TokenKind::Long && self.written(number) == "9223372036854775808";
        if sign != UnaryOperator::Minus || !fits {
            return None;
        }
        let start = self.advance().span;
        self.advance();
        Some(Expression { kind: ExpressionKind::Literal(Literal::Long(Some(i64::MIN))), span: self.since(start) })
    }

    fn sign(&self) -> Option<UnaryOperator> {
        match self.token().kind {
            TokenKind::Symbol("-") => Some(UnaryOperator::Minus),
            TokenKind::Symbol("+") => Some(UnaryOperator::Plus),
            _ => None,
        }
    }

    /// The steps after a base: `.b`, `["b"]`, `[0]`, `.f(x)` and, where tables are named, `.a*`.
    pub(super) fn path(&mut self, base: Expression, wildcards: bool) -> Parsed<Expression> {
        let mut steps = Vec::new();
        while self.at(".") || self.at("[") {
            let start = self.token().span;
            let kind = if self.eat(".") { self.member(wildcards)? } else { self.index()? };
            steps.push(PathStep { kind, span: self.since(start) });
        }
        if steps.is_empty() {
            return Ok(base);
        }
        let span = self.since(base.span);
        Ok(Expression { kind: ExpressionKind::Path(Path { base: Box::new(base), steps }), span })
    }

    fn member(&mut self, wildcards: bool) -> Parsed<PathStepKind> {
        if wildcards && self.wildcard_length().is_some() {
            return self.name_pattern().map(PathStepKind::Wildcard);
        }
        if self.at("[") && self.name_length(0).is_none() {
            return self.index();
        }
        self.want(Wanted::Member);
        let name = self.name()?;
        if self.at("(") {
            return self.call(name).map(PathStepKind::Call);
        }
        Ok(PathStepKind::Member(name))
    }

    fn index(&mut self) -> Parsed<PathStepKind> {
        self.expect("[")?;
        let index = self.expression()?;
        self.expect("]")?;
        Ok(PathStepKind::Index(index))
    }

    fn primary(&mut self) -> Parsed<Expression> {
        if let Some(literal) = self.literal()? {
            return Ok(literal);
        }
        if self.assumed_to_be(Wanted::Expression) {
            return Ok(name_of(self.unwritten()));
        }
        let token = self.token();
        match token.kind {
            TokenKind::Symbol("(") => self.parenthesised(),
            TokenKind::Symbol("*") => {
                self.advance();
                Ok(Expression { kind: ExpressionKind::Star, span: token.span })
            }
            TokenKind::Symbol("[") if self.name_length(0).is_some() => self.named_primary(),
            TokenKind::Symbol("[") => Err(self.bare_list()),
            TokenKind::Word => self.word_primary(token),
            _ => self.missing("an expression"),
        }
    }

    fn bare_list(&mut self) -> Reported {
        let said = Diagnostic::error("KS006", "a list cannot stand here").at(self.token().span);
        self.report(said.help("write dynamic([...]) for an array of literals, pack_array(...) otherwise"))
    }

    fn parenthesised(&mut self) -> Parsed<Expression> {
        let start = self.advance().span;
        let mut inside = self.tabular_expression()?;
        self.expect(")")?;
        inside.span = self.since(start);
        Ok(inside)
    }

    fn word_primary(&mut self, token: Token) -> Parsed<Expression> {
        let word = self.written(token);
        let follows = self.is_symbol(1, "(");
        match word {
            "typeof" if follows => self.typeof_literal(),
            "datatable" if follows => self.datatable(),
            "externaldata" | "external_data" if follows => self.externaldata(),
            _ if word_operator(word).is_some() || word.starts_with('!') || ENDING.contains(&word) => {
                self.missing("an expression")
            }
            _ if RESERVED.contains(&word) => self.reserved(token, word),
            _ => self.named_primary(),
        }
    }

    /// Goes on as if the name were allowed: more may be wrong further on.
    fn reserved(&mut self, token: Token, word: &str) -> Parsed<Expression> {
        let said = Diagnostic::error("KS228", format!("`{word}` is a keyword and cannot be a name here"));
        self.report(said.at(token.span).help(format!("write ['{word}']")));
        self.named_primary()
    }

    /// What stands for a table: a name, a call, or a pipeline in parentheses.
    pub(super) fn table_base(&mut self) -> Parsed<Expression> {
        if self.assumed_to_be(Wanted::Table) {
            return Ok(name_of(self.unwritten()));
        }
        match self.token().kind {
            TokenKind::Symbol("(") => self.parenthesised(),
            TokenKind::Word if self.is_word(0, "datatable") && self.is_symbol(1, "(") => self.datatable(),
            _ if self.name_length(0).is_some() => self.named_primary(),
            _ => self.missing("a table"),
        }
    }

    fn named_primary(&mut self) -> Parsed<Expression> {
        let name = self.name()?;
        if self.at("(") {
            let call = self.call(name)?;
            return Ok(Expression { span: call.span, kind: ExpressionKind::Call(call) });
        }
        Ok(name_of(name))
    }

    /// The arguments of a call and their parentheses.
    pub(super) fn call(&mut self, name: Name) -> Parsed<Call> {
        let tabular = TABULAR_FUNCTIONS.contains(&name.text.as_str());
        self.expect("(")?;
        let arguments = self.list_until(")", |p| p.argument(tabular))?;
        let span = self.since(name.span);
        Ok(Call { name, arguments, span })
    }

    fn argument(&mut self, tabular: bool) -> Parsed<Argument> {
        let start = self.token().span;
        let named = self.name_length(0).is_some_and(|length| self.is_symbol(length, "="));
        let name = if named { Some(self.name()?) } else { None };
        if named {
            self.advance();
        }
        let value = if tabular { self.tabular_expression()? } else { self.expression()? };
        if self.at("|") {
            return Err(self.bare_query());
        }
        Ok(Argument { name, value, span: self.since(start) })
    }

    fn bare_query(&mut self) -> Reported {
        let said = Diagnostic::error("KS005", "`)` is expected before `|`").at(self.token().span);
        self.report(said.help("put a query that is an argument into parentheses of its own"))
    }

    fn typeof_literal(&mut self) -> Parsed<Expression> {
        let start = self.advance().span;
        let kind = if self.is_symbol(2, ")") && !self.is_symbol(1, "*") {
            self.advance();
            let kind = self.type_name()?;
            self.advance();
            Typeof::Scalar(kind)
        } else {
            Typeof::Row(self.row_schema()?)
        };
        Ok(Expression { kind: ExpressionKind::Typeof(kind), span: self.since(start) })
    }

    /// `typeof(kind)` after `to`.
    pub(super) fn typeof_kind(&mut self) -> Parsed<TypeName> {
        self.expect_word("typeof")?;
        self.expect("(")?;
        let kind = self.type_name()?;
        self.expect(")")?;
        Ok(kind)
    }
}

pub(super) fn name_of(name: Name) -> Expression {
    Expression { span: name.span, kind: ExpressionKind::Name(name) }
}

fn symbol_operator(symbol: &str) -> Option<BinaryOperator> {
    Some(match symbol {
        "+" => BinaryOperator::Add,
        "-" => BinaryOperator::Subtract,
        "*" => BinaryOperator::Multiply,
        "/" => BinaryOperator::Divide,
        "%" => BinaryOperator::Modulo,
        "==" => BinaryOperator::Equal,
        "!=" | "<>" => BinaryOperator::NotEqual,
        "<" => BinaryOperator::Less,
        "<=" => BinaryOperator::LessOrEqual,
        ">" => BinaryOperator::Greater,
        ">=" => BinaryOperator::GreaterOrEqual,
        "=~" => BinaryOperator::EqualIgnoringCase,
        "!~" => BinaryOperator::NotEqualIgnoringCase,
        ":" => BinaryOperator::Colon,
        _ => return None,
    })
}

fn word_operator(word: &str) -> Option<Infix> {
    let in_operator = |case_sensitive, negated| Some(Infix::In(InOperator::In { case_sensitive, negated }));
    match word {
        "or" => Some(Infix::Or),
        "and" => Some(Infix::And),
        "in" => in_operator(true, false),
        "!in" => in_operator(true, true),
        "in~" => in_operator(false, false),
        "!in~" => in_operator(false, true),
        "has_any" => Some(Infix::In(InOperator::HasAny)),
        "has_all" => Some(Infix::In(InOperator::HasAll)),
        "between" => Some(Infix::Between { negated: false }),
        "!between" => Some(Infix::Between { negated: true }),
        _ => text_operator(word),
    }
}

/// Whether operands are joined by what is written so.
pub fn is_infix(written: &str) -> bool {
    written == "matches regex" || word_operator(written).is_some() || symbol_operator(written).is_some()
}

fn text_operator(word: &str) -> Option<Infix> {
    let positive = word.strip_prefix('!').or_else(|| word.strip_prefix("not")).unwrap_or(word);
    let negated = positive.len() < word.len();
    let bare = positive.strip_suffix("_cs").or_else(|| positive.strip_suffix("cs")).unwrap_or(positive);
    let operator = match bare {
        "contains" => TextOperator::Contains,
        "startswith" => TextOperator::StartsWith,
        "endswith" => TextOperator::EndsWith,
        "has" => TextOperator::Has,
        "hasprefix" => TextOperator::HasPrefix,
        "hassuffix" => TextOperator::HasSuffix,
        "like" => TextOperator::Like,
        _ => return None,
    };
    // Only these two have the spellings `notx` and `xcs`.
    let legacy = matches!(operator, TextOperator::Contains | TextOperator::Like);
    let spelled_legacy = word.starts_with("not") || (bare.len() < positive.len() && !positive.ends_with("_cs"));
    let case_sensitive = bare.len() < positive.len();
    let binary = BinaryOperator::Text { operator, case_sensitive, negated };
    (legacy || !spelled_legacy).then_some(Infix::Binary(binary))
}

//! Eval expressions, by precedence: XOR, OR, AND, NOT, comparisons, `+ - .`, `* / %`, signs.
use super::pipelines::is_space;
use super::{Parsed, Reader};
use crate::diagnostic::Diagnostic;
use crate::spl::ast::{Expression, ExpressionKind, Word};
use crate::spl::quoting;

/// How high a tree may grow by chains such as `a + b + c`, whose nodes nest to the left.
const MAX_HEIGHT: usize = 512;

/// Longest first.
const COMPARISONS: [(&str, &str); 7] =
    [("==", "="), ("!=", "!="), ("<=", "<="), (">=", ">="), ("=", "="), ("<", "<"), (">", ">")];
const SUMS: [(&str, &str); 3] = [("+", "+"), ("-", "-"), (".", ".")];
const PRODUCTS: [(&str, &str); 3] = [("*", "*"), ("/", "/"), ("%", "%")];

impl Reader<'_> {
    /// The expression that begins here.
    pub fn expression(&mut self) -> Parsed<Expression> {
        let outer = std::mem::take(&mut self.height);
        let read = self.nested(|r| r.junction("XOR", &mut Reader::disjunction, ExpressionKind::Xor));
        self.height = outer;
        read
    }

    fn disjunction(&mut self) -> Parsed<Expression> {
        self.junction("OR", &mut Reader::conjunction, ExpressionKind::Or)
    }

    fn conjunction(&mut self) -> Parsed<Expression> {
        self.junction("AND", &mut Reader::negation, ExpressionKind::And)
    }

    fn junction(
        &mut self,
        keyword: &str,
        part: &mut dyn FnMut(&mut Self) -> Parsed<Expression>,
        form: fn(Vec<Expression>) -> ExpressionKind,
    ) -> Parsed<Expression> {
        let first = part(self)?;
        if !self.keyword_follows(keyword) {
            return Ok(first);
        }
        let mut parts = vec![first];
        while self.eat_keyword(keyword) {
            parts.push(part(self)?);
        }
        let span = parts.iter().map(|p| p.span).reduce(|a, b| a.to(b)).unwrap_or_default();
        Ok(Expression { kind: form(parts), span })
    }

    fn negation(&mut self) -> Parsed<Expression> {
        self.skip_space();
        let start = self.position();
        if !self.eat_keyword("NOT") {
            return self.comparison();
        }
        let inner = self.nested(Reader::negation)?;
        Ok(Expression { kind: ExpressionKind::Not(Box::new(inner)), span: self.since(start) })
    }

    fn comparison(&mut self) -> Parsed<Expression> {
        let left = self.sum()?;
        if let Some(operator) = self.operator(&COMPARISONS) {
            let right = self.sum()?;
            return Ok(binary(operator, left, right));
        }
        if self.eat_keyword("LIKE") {
            let right = self.sum()?;
            return Ok(binary("LIKE", left, right));
        }
        let before = self.position();
        let negated = self.eat_keyword("NOT");
        if self.eat_keyword("IN") {
            self.expect("(")?;
            if self.peek() == Some(')') {
                return Err(self.expected("a value"));
            }
            let list = self.arguments()?;
            let span = left.span.to(self.since(before));
            let found = Expression { kind: ExpressionKind::In { value: Box::new(left), list }, span };
            return Ok(match negated {
                true => Expression { kind: ExpressionKind::Not(Box::new(found)), span },
                false => found,
            });
        }
        self.back_to(before);
        Ok(left)
    }

    fn sum(&mut self) -> Parsed<Expression> {
        self.chain(&SUMS, Reader::product)
    }

    fn product(&mut self) -> Parsed<Expression> {
        self.chain(&PRODUCTS, Reader::signed)
    }

    fn chain(
        &mut self,
        operators: &[(&'static str, &'static str)],
        part: fn(&mut Self) -> Parsed<Expression>,
    ) -> Parsed<Expression> {
        let mut left = part(self)?;
        while let Some(operator) = self.operator(operators) {
            let right = part(self)?;
            left = binary(operator, left, right);
            self.grow()?;
        }
        Ok(left)
    }

    fn grow(&mut self) -> Parsed<()> {
        self.height += 1;
        if self.height <= MAX_HEIGHT {
            return Ok(());
        }
        let place = self.here();
        Err(Diagnostic::error("HP302", format!("this expression has more than {MAX_HEIGHT} operators")).at(place))
    }

    fn operator(&mut self, operators: &[(&'static str, &'static str)]) -> Option<&'static str> {
        operators.iter().find(|(written, _)| self.eat(written)).map(|(_, name)| *name)
    }

    fn signed(&mut self) -> Parsed<Expression> {
        self.skip_space();
        let start = self.position();
        if self.eat("-") {
            let inner = self.nested(Reader::signed)?;
            return Ok(Expression { kind: ExpressionKind::Negate(Box::new(inner)), span: self.since(start) });
        }
        if self.eat("+") {
            return self.nested(Reader::signed);
        }
        self.operand()
    }

    fn operand(&mut self) -> Parsed<Expression> {
        self.skip_space();
        let start = self.position();
        let Some(first) = self.rest().chars().next() else { return Err(self.expected("an expression")) };
        let kind = match first {
            '(' => {
                self.advance(1);
                let inner = self.expression()?;
                self.expect(")")?;
                return Ok(Expression { span: self.since(start), ..inner });
            }
            '"' => self.text()?,
            '\'' => match self.quoted_name() {
                Some(name) => ExpressionKind::Field(name.text),
                None => return Err(self.expected("a closing '")),
            },
            c if c.is_ascii_digit() || self.at_fraction() => self.number(),
            c if starts_name(c) => return self.name_or_call(),
            _ => return Err(self.expected("an expression")),
        };
        Ok(Expression { kind, span: self.since(start) })
    }

    fn text(&mut self) -> Parsed<ExpressionKind> {
        let rest = self.rest();
        let Some(length) = quoting::length(rest, '"') else { return Err(self.expected("a closing \"")) };
        self.advance(length);
        Ok(ExpressionKind::Text(quoting::unescaped(rest.get(1..length - 1).unwrap_or(""))))
    }

    fn at_fraction(&self) -> bool {
        let mut characters = self.rest().chars();
        characters.next() == Some('.') && characters.next().is_some_and(|c| c.is_ascii_digit())
    }

    fn number(&mut self) -> ExpressionKind {
        let rest = self.rest();
        let digits = |from: usize| {
            let text = rest.get(from..).unwrap_or("");
            from + text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len())
        };
        let starts_digit = |at: usize| rest.get(at..).is_some_and(|t| t.starts_with(|c: char| c.is_ascii_digit()));
        let mut end = digits(0);
        if rest.get(end..).is_some_and(|t| t.starts_with('.')) && starts_digit(end + 1) {
            end = digits(end + 1);
        }
        if rest.get(end..).is_some_and(|t| t.starts_with(['e', 'E'])) {
            let signed = rest.get(end + 1..).is_some_and(|t| t.starts_with(['+', '-']));
            let from = end + 1 + usize::from(signed);
            if starts_digit(from) {
                end = digits(from);
            }
        }
        self.advance(end);
        ExpressionKind::Number(rest.get(..end).unwrap_or("0").to_owned())
    }

    fn name_or_call(&mut self) -> Parsed<Expression> {
        let start = self.position();
        let length = name_length(self.rest());
        let text = self.rest().get(..length).unwrap_or("").to_owned();
        self.advance(length);
        let span = self.since(start);
        let behind = self.position();
        if !self.eat("(") {
            if ["AND", "OR", "XOR", "IN", "LIKE"].iter().any(|word| word == &text) {
                self.back_to(start);
                return Err(self.expected("an expression"));
            }
            self.back_to(behind);
            return Ok(Expression { kind: ExpressionKind::Field(text), span });
        }
        let arguments = self.arguments()?;
        let name = Word { text, span, quoted: false };
        Ok(Expression { kind: ExpressionKind::Call { name, arguments }, span: self.since(start) })
    }

    /// Expressions with commas between them up to the closing parenthesis, which is read too.
    pub(in crate::spl) fn arguments(&mut self) -> Parsed<Vec<Expression>> {
        let mut list = Vec::new();
        if self.eat(")") {
            return Ok(list);
        }
        loop {
            list.push(self.expression()?);
            if self.eat(")") {
                return Ok(list);
            }
            if !self.eat(",") {
                return Err(self.expected("`,` or `)`"));
            }
        }
    }

    fn keyword_length(&mut self, keyword: &str) -> Option<usize> {
        self.skip_space();
        let rest = self.rest();
        let word = rest.get(..keyword.len())?;
        let ends = rest.get(keyword.len()..)?.chars().next().is_none_or(|c| !continues_name(c));
        (ends && word.eq_ignore_ascii_case(keyword)).then_some(keyword.len())
    }

    fn keyword_follows(&mut self, keyword: &str) -> bool {
        self.keyword_length(keyword).is_some()
    }

    fn eat_keyword(&mut self, keyword: &str) -> bool {
        let length = self.keyword_length(keyword);
        self.advance(length.unwrap_or(0));
        length.is_some()
    }
}

fn binary(operator: &'static str, left: Expression, right: Expression) -> Expression {
    let span = left.span.to(right.span);
    Expression { kind: ExpressionKind::Binary { operator, operands: Box::new([left, right]) }, span }
}

fn starts_name(c: char) -> bool {
    c.is_alphabetic() || matches!(c, '_' | '$' | '@')
}

fn continues_name(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '$' | ':')
}

/// The length of a bare field name: letters, digits, `_`, and the `{}` of paths into lists.
fn name_length(text: &str) -> usize {
    let mut length = 0;
    while let Some(rest) = text.get(length..) {
        match rest.chars().next() {
            Some(_) if rest.starts_with("{}") => length += 2,
            Some(c) if continues_name(c) || (length == 0 && starts_name(c)) => length += c.len_utf8(),
            _ => break,
        }
    }
    // A path goes on behind the brackets of a list: `a{}.b`.
    let behind = text.get(length..).unwrap_or("");
    let goes_on = text.get(..length).is_some_and(|name| name.ends_with("{}"));
    match behind.strip_prefix('.') {
        Some(next) if goes_on && next.starts_with(|c: char| starts_name(c) && !is_space(c)) => {
            length + 1 + name_length(next)
        }
        _ => length,
    }
}

//! Pipelines: a source and the operators after it, also as parts of other operators.
use super::{OPERATOR_LEVELS, Parsed, Parser, Reported, Wanted, operators};
use crate::diagnostic::{Diagnostic, closest};
use crate::kql::ast::{Datatable, Expression, ExpressionKind, Externaldata, Name, Operator, OperatorKind, Pipeline};
use crate::kql::lex::{Token, TokenKind};

/// What may be wrong where nothing better is known.
const MISSING_BEFORE: &str = "a comma, an operator or a `|` may be missing before it";

/// Words between operands that may be mistyped.
const WORD_OPERATORS: &[&str] = &[
    "and",
    "between",
    "contains",
    "contains_cs",
    "endswith",
    "endswith_cs",
    "has",
    "has_all",
    "has_any",
    "has_cs",
    "hasprefix",
    "hassuffix",
    "startswith",
    "startswith_cs",
];

impl Parser<'_> {
    /// An expression, or a pipeline where operators follow or one makes the rows.
    pub(super) fn tabular_expression(&mut self) -> Parsed<Expression> {
        let start = self.token().span;
        let source = if self.at_leading_operator() { None } else { Some(self.expression()?) };
        match source {
            Some(source) if !self.at_pipe() => Ok(source),
            source => {
                let operators = self.operators(source.is_none())?;
                let span = self.since(start);
                Ok(Expression { kind: ExpressionKind::Pipeline(Box::new(Pipeline { source, operators, span })), span })
            }
        }
    }

    /// Whether an operator stands here that makes rows by itself.
    fn at_leading_operator(&self) -> bool {
        let next_is_word = self.ahead(1).kind == TokenKind::Word;
        let token = self.token();
        if token.kind != TokenKind::Word {
            return false;
        }
        match self.written(token) {
            "print" | "union" | "search" | "find" => !matches!(self.ahead(1).kind, TokenKind::Symbol("=" | "|" | ".")),
            "range" | "evaluate" => next_is_word,
            "macro" => operators::find(&self.hyphenated()).is_some(),
            _ => false,
        }
    }

    /// The operators of a pipeline; `leading` where the first stands without a pipe before it.
    fn operators(&mut self, leading: bool) -> Parsed<Vec<Operator>> {
        let mut operators = Vec::new();
        if leading {
            operators.push(self.operator()?);
        }
        while self.eat_pipe() {
            operators.push(self.operator()?);
        }
        Ok(operators)
    }

    fn at_pipe(&self) -> bool {
        self.want(Wanted::Word("|"));
        self.at("|")
    }

    fn eat_pipe(&mut self) -> bool {
        self.at_pipe() && self.eat("|")
    }

    /// One operator; what is wrong with it is skipped up to the next pipe.
    pub(super) fn operator(&mut self) -> Parsed<Operator> {
        let start = self.token();
        let outer = self.enter(OPERATOR_LEVELS)?;
        let kind = self.operator_kind().and_then(|(name, kind)| self.operator_end(name, kind));
        let (name, kind) = kind.unwrap_or_else(|_| {
            self.skip_to(start, &["|", ";"]);
            (Name { text: self.written(start).to_string(), span: start.span }, OperatorKind::Unknown)
        });
        self.leave(OPERATOR_LEVELS, outer);
        Ok(Operator { name, kind, span: self.since(start.span) })
    }

    fn operator_kind(&mut self) -> Parsed<(Name, OperatorKind)> {
        self.want(Wanted::Operator);
        let written = self.hyphenated();
        let Some(read) = operators::find(&written) else {
            return Err(self.no_operator(&written));
        };
        let name = self.joined_name("-")?;
        let kind = read(self)?;
        Ok((name, kind))
    }

    /// The words joined by `-` that stand here.
    fn hyphenated(&self) -> String {
        let mut words = String::new();
        if self.token().kind == TokenKind::Word {
            words.push_str(self.written(self.token()));
            let mut ahead = 1;
            while self.is_symbol(ahead, "-")
                && self.touches(ahead)
                && self.touches(ahead + 1)
                && self.ahead(ahead + 1).kind == TokenKind::Word
            {
                words.push('-');
                words.push_str(self.written(self.ahead(ahead + 1)));
                ahead += 2;
            }
        }
        words
    }

    fn no_operator(&mut self, written: &str) -> Reported {
        let span = self.token().span;
        if written.is_empty() {
            let said = Diagnostic::error("KS176", format!("an operator is expected before {}", self.here())).at(span);
            let twice = self.at("|") && self.after("|") && self.touches(0);
            return self.report(if twice { said.help("write `or`") } else { said });
        }
        let said = Diagnostic::error("KS176", format!("`{written}` is not an operator")).at(span);
        let said = match closest(written, operators::names()) {
            Some(near) => said.help(format!("did you mean `{near}`?")),
            None => said,
        };
        self.report(said)
    }

    /// Holds that nothing stands between an operator and the next pipe.
    fn operator_end(&mut self, name: Name, kind: OperatorKind) -> Parsed<(Name, OperatorKind)> {
        let ends = |t: Token| matches!(t.kind, TokenKind::Symbol("|" | ";" | ")" | "}" | "]") | TokenKind::End);
        if ends(self.token()) {
            return Ok((name, kind));
        }
        let said = format!("{} is unexpected here, within `{}`", self.here(), name.text);
        let said = Diagnostic::error("KS198", said).at(self.token().span);
        let help = match self.token().kind {
            TokenKind::Symbol("=") => "compare with `==`".to_owned(),
            TokenKind::Symbol(",") => return Err(self.report(said)),
            TokenKind::Word => self.help_for_word(),
            _ => MISSING_BEFORE.to_owned(),
        };
        Err(self.report(said.help(help)))
    }

    /// What may be meant by a word that stands where an operator should have ended.
    fn help_for_word(&self) -> String {
        let before = self.position.checked_sub(1).and_then(|at| self.tokens.get(at)).map(|token| self.written(*token));
        let help = match (before, self.written(self.token())) {
            (Some("not"), _) => "write `not(...)`",
            (_, "not") if self.is_word(1, "in") => "write `!in`",
            (_, "is") => "write `isnull(...)`, `isempty(...)` or their opposites",
            (_, "matches") => "write `matches regex`",
            (_, "ascending" | "descending") => "write `asc` or `desc`",
            (_, "as") => "a `|` may be missing before it; a column gets a name by `Name = ...`",
            _ if operators::find(&self.hyphenated()).is_some() => "a `|` may be missing before it",
            (_, word) => match closest(word, WORD_OPERATORS.iter().copied()) {
                Some(near) => return format!("did you mean `{near}`?"),
                None => MISSING_BEFORE,
            },
        };
        help.to_owned()
    }

    /// `(operators)`: a pipeline over the rows that the enclosing operator gives.
    pub(super) fn subquery(&mut self) -> Parsed<Pipeline> {
        self.expect("(")?;
        let start = self.token().span;
        let operators = self.operators(true)?;
        let span = self.since(start);
        self.expect(")")?;
        Ok(Pipeline { source: None, operators, span })
    }

    /// `datatable(a:string, ...) [values]`
    pub(super) fn datatable(&mut self) -> Parsed<Expression> {
        let start = self.advance().span;
        let columns = self.columns()?;
        self.expect("[")?;
        let mut values = Vec::new();
        while !self.at("]") {
            values.push(self.datatable_value()?);
            if !self.eat(",") && !self.at("]") {
                return self.expected("`,` or `]`");
            }
        }
        self.advance();
        let kind = ExpressionKind::Datatable(Box::new(Datatable { columns, values }));
        Ok(Expression { kind, span: self.since(start) })
    }

    /// A literal, perhaps with a sign.
    fn datatable_value(&mut self) -> Parsed<Expression> {
        let value = self.nested(Self::unary)?;
        let bare = match &value.kind {
            ExpressionKind::Unary(unary) => &unary.operand.kind,
            kind => kind,
        };
        if matches!(bare, ExpressionKind::Literal(_)) {
            return Ok(value);
        }
        let said = Diagnostic::error("KS005", "the values of a datatable are literals").at(value.span);
        Err(self.report(said.help("compute others with `extend` behind it")))
    }

    /// `externaldata(a:string) [locations] with (format="csv")`
    pub(super) fn externaldata(&mut self) -> Parsed<Expression> {
        let start = self.advance().span;
        let columns = self.columns()?;
        self.expect("[")?;
        let locations = self.list_until("]", Self::expression)?;
        let properties = if self.eat_word("with") { self.properties()? } else { Vec::new() };
        let kind = ExpressionKind::Externaldata(Box::new(Externaldata { columns, locations, properties }));
        Ok(Expression { kind, span: self.since(start) })
    }
}

//! Statements: `let`, `set`, `declare`, `alias`, `restrict` and queries.
use super::{Parsed, Parser, Reported, Wanted};
use crate::diagnostic::{Diagnostic, Span};
use crate::kql::ast::{
    AliasDatabase, Expression, ExpressionKind, Function, FunctionParameter, Let, LetValue, ParameterKind, Pattern,
    PatternCase, QueryParameters, RestrictAccess, SetOption, Statement,
};
use crate::kql::lex::TokenKind;

impl Parser<'_> {
    /// Statements separated by semicolons, up to the end or to a place that `ends` them.
    pub(super) fn statements(&mut self, ends: impl Fn(&Self) -> bool) -> Vec<Statement> {
        let mut statements = Vec::new();
        self.want(Wanted::Statement);
        while !self.at_end() && !ends(self) {
            let start = self.token();
            let read = self.statement().and_then(|statement| self.statement_end(statement, &ends));
            match read {
                Ok(statement) => statements.push(statement),
                Err(_) => self.skip_to(start, &[";"]),
            }
            // A closing bracket without its partner stops the skipping, but ends nothing.
            if !self.eat(";") && !self.at_end() && !ends(self) {
                self.advance();
            }
            if self.after(";") {
                self.want(Wanted::Statement);
            }
        }
        statements
    }

    fn statement_end(&mut self, statement: Statement, ends: &impl Fn(&Self) -> bool) -> Parsed<Statement> {
        if self.at(";") || self.at_end() || ends(self) {
            return Ok(statement);
        }
        let said = format!("{} is unexpected here: the statement before it has ended", self.here());
        let said = Diagnostic::error("KS005", said).at(self.token().span);
        let first = statement.span().text(self.text).split_whitespace().next().unwrap_or("");
        Err(self.report(match self.token().kind {
            _ if first.eq_ignore_ascii_case("select") => {
                said.help("this looks like SQL: in KQL the table comes first, `T | where ... | project ...`")
            }
            TokenKind::Symbol("=") if matches!(first, "index" | "sourcetype" | "source" | "host") => {
                said.help("this looks like SPL: give it to `spl`, or with `--language spl`")
            }
            TokenKind::Symbol(_) => said,
            _ => said.help("a `|` or a `;` may be missing before it"),
        }))
    }

    fn statement(&mut self) -> Parsed<Statement> {
        // A table may have a keyword's name: `set | take 5`.
        let name_follows = self.name_length(1).is_some();
        let word = if self.token().kind == TokenKind::Word { self.written(self.token()) } else { "" };
        match word {
            "let" if name_follows => self.let_statement(),
            "set" if name_follows => self.set_statement(),
            "alias" if self.is_word(1, "database") => self.alias_statement(),
            "restrict" if self.is_word(1, "access") => self.restrict_statement(),
            "declare" if self.is_word(1, "query_parameters") => self.declare_statement(),
            "declare" if self.is_word(1, "pattern") => self.pattern_statement(),
            "let" if !self.is_symbol(1, "|") => {
                self.advance();
                self.missing("a name")
            }
            _ if self.at("|") => {
                let said = Diagnostic::error("KS198", "a query cannot begin with `|`").at(self.token().span);
                Err(self.report(said.help("name a table before it")))
            }
            _ if self.at(";") => self.missing("a statement"),
            _ => self.tabular_expression().map(Statement::Expression),
        }
    }

    fn let_statement(&mut self) -> Parsed<Statement> {
        let start = self.advance().span;
        let name = self.name()?;
        self.expect("=")?;
        let value = self.let_value()?;
        Ok(Statement::Let(Let { name, value, span: self.since(start) }))
    }

    fn let_value(&mut self) -> Parsed<LetValue> {
        if self.is_word(0, "entity_group") && self.is_symbol(1, "[") {
            return Err(self.unsupported("entity groups"));
        }
        if self.at_function() {
            return self.function().map(LetValue::Function);
        }
        self.tabular_expression().map(LetValue::Expression)
    }

    fn unsupported(&mut self, what: &str) -> Reported {
        let said = Diagnostic::error("HP120", format!("{what} are not supported")).at(self.token().span);
        self.report(said)
    }

    /// Whether `(name:`, `() {` or one of them after `view` stands here.
    pub(super) fn at_function(&self) -> bool {
        let open = usize::from(self.is_word(0, "view"));
        if !self.is_symbol(open, "(") {
            return false;
        }
        if self.is_symbol(open + 1, ")") {
            return self.is_symbol(open + 2, "{");
        }
        self.name_length(open + 1).is_some_and(|length| self.is_symbol(open + 1 + length, ":"))
    }

    pub(super) fn function(&mut self) -> Parsed<Function> {
        let start = self.token().span;
        let view = self.eat_word("view");
        self.expect("(")?;
        let parameters = self.list_until(")", Self::function_parameter)?;
        let (body, body_span) = self.block()?;
        Ok(Function { view, parameters, body, body_span, span: self.since(start) })
    }

    /// `{ statements }`
    pub(super) fn block(&mut self) -> Parsed<(Vec<Statement>, Span)> {
        let start = self.expect("{")?.span;
        let body = self.nested(|p| Ok(p.statements(|p| p.at("}"))))?;
        self.expect("}")?;
        Ok((body, self.since(start)))
    }

    fn function_parameter(&mut self) -> Parsed<FunctionParameter> {
        let name = self.name()?;
        self.expect(":")?;
        let kind = if self.at("(") {
            ParameterKind::Tabular(self.row_schema()?)
        } else {
            let kind = self.type_name()?;
            let default = if self.eat("=") { Some(self.expression()?) } else { None };
            ParameterKind::Scalar { kind, default }
        };
        let span = self.since(name.span);
        Ok(FunctionParameter { name, kind, span })
    }

    fn set_statement(&mut self) -> Parsed<Statement> {
        let start = self.advance().span;
        let name = self.name()?;
        let value = if self.eat("=") { Some(self.expression()?) } else { None };
        Ok(Statement::Set(SetOption { name, value, span: self.since(start) }))
    }

    fn alias_statement(&mut self) -> Parsed<Statement> {
        let start = self.advance().span;
        self.advance();
        let name = self.name()?;
        self.expect("=")?;
        let value = self.expression()?;
        Ok(Statement::AliasDatabase(AliasDatabase { name, value, span: self.since(start) }))
    }

    fn restrict_statement(&mut self) -> Parsed<Statement> {
        let start = self.advance().span;
        self.advance();
        self.expect_word("to")?;
        self.expect("(")?;
        let entities = self.list_until(")", Self::table_reference)?;
        Ok(Statement::RestrictAccess(RestrictAccess { entities, span: self.since(start) }))
    }

    fn declare_statement(&mut self) -> Parsed<Statement> {
        let start = self.advance().span;
        self.advance();
        self.expect("(")?;
        let parameters = self.list_until(")", Self::function_parameter)?;
        Ok(Statement::QueryParameters(QueryParameters { parameters, span: self.since(start) }))
    }

    /// `declare pattern name = (a:string)[path:string] { ("x").["y"] = { query }; … }`
    fn pattern_statement(&mut self) -> Parsed<Statement> {
        let start = self.advance().span;
        self.advance();
        let name = self.name()?;
        let (mut parameters, mut cases) = (Vec::new(), Vec::new());
        if self.eat("=") {
            self.expect("(")?;
            parameters = self.list_until(")", Self::function_parameter)?;
            if self.eat("[") {
                parameters.push(self.function_parameter()?);
                self.expect("]")?;
            }
            self.expect("{")?;
            while !self.eat("}") {
                cases.push(self.pattern_case()?);
                self.eat(";");
            }
        }
        Ok(Statement::Pattern(Pattern { name, parameters, cases, span: self.since(start) }))
    }

    fn pattern_case(&mut self) -> Parsed<PatternCase> {
        self.expect("(")?;
        let mut values = self.list_until(")", Self::expression)?;
        if self.eat(".") {
            self.expect("[")?;
            values.push(self.expression()?);
            self.expect("]")?;
        }
        self.expect("=")?;
        let (body, body_span) = self.block()?;
        Ok(PatternCase { values, body, body_span })
    }

    /// A table where several may be named: a name, `A*`, `database("x").T`, a call, `(pipeline)`.
    pub(super) fn table_reference(&mut self) -> Parsed<Expression> {
        if self.wildcard_length().is_some() {
            let pattern = self.name_pattern()?;
            return Ok(Expression { span: pattern.span, kind: ExpressionKind::Wildcard(pattern) });
        }
        self.nested(|p| {
            let base = p.table_base()?;
            p.path(base, true)
        })
    }
}

//! The aggregates of `stats` and its kin: `count, sum(bytes) as total, count(eval(status>=500)) as errors`.
use super::{Parsed, Reader};
use crate::diagnostic::Span;
use crate::spl::ast::{Expression, Word};
use crate::spl::quoting;

/// An aggregate as it is written.
#[derive(Clone, Debug)]
pub struct AggregateTerm {
    pub function: Word,
    pub argument: Argument,
    pub alias: Option<Word>,
    /// The name of its result where it has no other.
    pub label: String,
    pub span: Span,
}

/// What is aggregated.
#[derive(Clone, Debug)]
pub enum Argument {
    /// The rows.
    None,
    /// A field, or all that its wildcards name.
    Field(Word),
    /// `eval(...)`.
    Eval(Box<Expression>),
    /// `sparkline(count(x), 1h)`: an aggregate, and the width of its steps.
    Series(Box<AggregateTerm>, Option<Word>),
}

impl Reader<'_> {
    /// Aggregates with commas or spaces between them, up to the end, to an option or to a word of `stops`.
    pub fn aggregates(&mut self, stops: &[&str]) -> Parsed<Vec<AggregateTerm>> {
        let mut found = Vec::new();
        loop {
            while self.eat(",") {}
            let ends = stops.iter().any(|stop| self.at_word(stop)) || self.at_option();
            if self.at_end() || ends || self.rest().starts_with('[') {
                return Ok(found);
            }
            found.push(self.aggregate()?);
        }
    }

    /// One aggregate with its name.
    pub fn aggregate(&mut self) -> Parsed<AggregateTerm> {
        let mut term = self.plain_aggregate()?;
        if self.eat_word("as") {
            term.alias = Some(self.needed_field()?);
        }
        Ok(term)
    }

    fn plain_aggregate(&mut self) -> Parsed<AggregateTerm> {
        self.skip_space();
        let start = self.position();
        let Some(function) = self.word().filter(|word| !word.quoted) else {
            return Err(self.expected("an aggregate such as count or sum(field)"));
        };
        let (argument, inside) = match self.rest().starts_with('(') {
            true => self.argument(&function)?,
            // A sparkline by itself is one of the number of events.
            false if function.is("sparkline") => (Argument::Series(Box::new(self.count_of(&function)), None), None),
            false => (Argument::None, None),
        };
        let label = match inside {
            Some(inside) => format!("{}({inside})", function.text),
            None => function.text.clone(),
        };
        Ok(AggregateTerm { function, argument, alias: None, label, span: self.since(start) })
    }

    fn count_of(&self, word: &Word) -> AggregateTerm {
        let function = Word { text: "count".to_owned(), ..word.clone() };
        AggregateTerm { label: function.text.clone(), function, argument: Argument::None, alias: None, span: word.span }
    }

    /// What stands in the parentheses that begin here, and its text.
    fn argument(&mut self, function: &Word) -> Parsed<(Argument, Option<String>)> {
        self.expect("(")?;
        self.skip_space();
        let start = self.position();
        if self.eat(")") {
            return Ok((Argument::None, None));
        }
        let argument = if function.is("eval") {
            Argument::Eval(Box::new(self.expression()?))
        } else if function.is("sparkline") {
            let inner = self.nested(Reader::plain_aggregate)?;
            let span = if self.eat(",") { Some(self.needed_word("a span of time")?) } else { None };
            Argument::Series(Box::new(inner), span)
        } else if self.at_eval() {
            self.eat_word("eval");
            self.expect("(")?;
            let expression = self.expression()?;
            self.expect(")")?;
            Argument::Eval(Box::new(expression))
        } else {
            Argument::Field(self.inner_field()?)
        };
        self.skip_space();
        let end = self.position();
        self.expect(")")?;
        let text = match &argument {
            Argument::Field(word) => word.text.clone(),
            _ => self.between(start, end).trim().to_owned(),
        };
        Ok((argument, Some(text)))
    }

    fn at_eval(&mut self) -> bool {
        let before = self.position();
        let found = self.eat_word("eval") && self.peek() == Some('(');
        self.back_to(before);
        found
    }

    /// A field's name up to the closing parenthesis.
    fn inner_field(&mut self) -> Parsed<Word> {
        self.skip_space();
        if self.rest().starts_with(['"', '\'']) {
            return self.needed_word("a field");
        }
        let start = self.position();
        let rest = self.rest();
        let mut depth = 0usize;
        let end = rest.find(|c| match c {
            '(' => {
                depth += 1;
                false
            }
            ')' if depth == 0 => true,
            ')' => {
                depth -= 1;
                false
            }
            _ => false,
        });
        let Some(text) = end.and_then(|end| rest.get(..end)).map(str::trim_end).filter(|text| !text.is_empty()) else {
            return Err(self.expected("a field and `)`"));
        };
        self.advance(text.len());
        Ok(Word { text: quoting::unescaped(text), span: self.since(start), quoted: false })
    }
}

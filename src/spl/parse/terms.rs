//! Search terms: parentheses, NOT, OR, AND, in this order; words that follow each other are joined by AND.
use super::pipelines::is_space;
use super::{Parsed, Reader};
use crate::diagnostic::Diagnostic;
use crate::spl::ast::{Comparison, Term, TextForm, Word};
use crate::spl::quoting;

/// Longest first.
const COMPARISONS: [(&str, Comparison); 8] = [
    ("!=", Comparison::NotEqual),
    ("<>", Comparison::NotEqual),
    ("==", Comparison::Equal),
    ("<=", Comparison::LessEqual),
    (">=", Comparison::GreaterEqual),
    ("=", Comparison::Equal),
    ("<", Comparison::Less),
    (">", Comparison::Greater),
];

impl Reader<'_> {
    /// The terms up to the end, or up to a bare word of `stops`; an empty conjunction where there are none.
    pub fn terms(&mut self, stops: &[&str]) -> Parsed<Term> {
        self.nested(|r| r.conjunction_of_terms(stops))
    }

    fn conjunction_of_terms(&mut self, stops: &[&str]) -> Parsed<Term> {
        let mut parts = Vec::new();
        loop {
            // Commas between terms say nothing.
            while self.eat(",") {}
            if self.peek().is_none_or(|c| c == ')') || stops.iter().any(|stop| self.at_word(stop)) {
                break;
            }
            if !parts.is_empty() && self.eat_upper("AND") && self.peek().is_none_or(|c| c == ')') {
                return Err(self.expected("a search term"));
            }
            parts.push(self.disjunction_of_terms()?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Term::And(parts) })
    }

    fn disjunction_of_terms(&mut self) -> Parsed<Term> {
        let mut parts = vec![self.negated_term()?];
        while self.eat_upper("OR") {
            parts.push(self.negated_term()?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Term::Or(parts) })
    }

    fn negated_term(&mut self) -> Parsed<Term> {
        match self.eat_upper("NOT") {
            true => Ok(Term::Not(Box::new(self.nested(Reader::negated_term)?))),
            false => self.term(),
        }
    }

    fn term(&mut self) -> Parsed<Term> {
        if let Some(number) = self.search_number() {
            return Ok(Term::Search(number));
        }
        self.skip_space();
        let start = self.position();
        if self.eat("(") {
            let inner = self.nested(|r| r.conjunction_of_terms(&[]))?;
            self.expect(")")?;
            return Ok(inner);
        }
        for word in ["AND", "OR"] {
            if self.eat_upper(word) {
                self.back_to(start);
                return Err(self.expected("a search term"));
            }
        }
        let Some(word) = self.term_word() else { return Err(self.expected("a search term")) };
        if let Some(form) = self.form_of(&word) {
            let text = self.bracketed_word()?;
            return Ok(Term::Text { text, form });
        }
        if self.eat_upper("IN") {
            self.expect("(")?;
            return Ok(Term::In { field: word, values: self.values()? });
        }
        if self.eat_not_in() {
            let values = self.values()?;
            return Ok(Term::Not(Box::new(Term::In { field: word, values })));
        }
        self.skip_space();
        let operator = COMPARISONS.iter().find(|(written, _)| self.rest().starts_with(written));
        if let Some((written, operator)) = operator {
            self.advance(written.len());
            return self.compared(word, *operator);
        }
        Ok(match indexed(&word) {
            Some((field, value)) => Term::Compare { field, operator: Comparison::Equal, value },
            None => Term::Text { text: word, form: TextForm::Plain },
        })
    }

    fn compared(&mut self, field: Word, operator: Comparison) -> Parsed<Term> {
        if let Some(number) = self.search_number() {
            return Ok(Term::SearchOf { field, operator, number });
        }
        let Some(value) = self.value() else { return Err(self.expected("a value")) };
        if value.is("CASE") && self.rest().starts_with('(') {
            return Ok(Term::Case { field, value: self.bracketed_word()? });
        }
        if value.is("TERM") && self.rest().starts_with('(') {
            let value = self.bracketed_word()?;
            return Ok(Term::Compare { field, operator, value });
        }
        Ok(Term::Compare { field, operator, value })
    }

    /// A word of the terms: a field, or a text to look for.
    fn term_word(&mut self) -> Option<Word> {
        match self.peek()? {
            // An apostrophe is a letter here, except where it closes.
            '\'' => {
                let before = self.position();
                match self.quoted_name() {
                    Some(name) if self.at_comparison() => Some(name),
                    _ => {
                        self.back_to(before);
                        self.bare_text()
                    }
                }
            }
            _ => self.word(),
        }
    }

    fn at_comparison(&mut self) -> bool {
        self.skip_space();
        let compares = COMPARISONS.iter().any(|(written, _)| self.rest().starts_with(written));
        compares || self.at_word("IN")
    }

    /// A word in which apostrophes are letters.
    fn bare_text(&mut self) -> Option<Word> {
        self.skip_space();
        let start = self.position();
        let rest = self.rest();
        let ends = |c: char| is_space(c) || matches!(c, ',' | '"' | '(' | ')' | '[' | ']' | '|');
        let length = rest.find(ends).unwrap_or(rest.len());
        self.advance(length);
        let text = quoting::unescaped(rest.get(..length)?);
        (length > 0).then(|| Word { text, span: self.span(start, start + length), quoted: false })
    }

    /// The value that a field is compared with: bare up to a space or a parenthesis.
    fn value(&mut self) -> Option<Word> {
        self.skip_space();
        if self.rest().starts_with('"') {
            return self.word();
        }
        let start = self.position();
        let rest = self.rest();
        let mut length = 0;
        let mut characters = rest.char_indices().peekable();
        while let Some((at, c)) = characters.next() {
            // A comma ends the value where a space follows, else it is a part of it.
            let separates = c == ',' && characters.peek().is_none_or(|(_, next)| is_space(*next));
            if is_space(c) || matches!(c, '(' | ')' | '[' | ']' | '|' | '"') || separates {
                break;
            }
            if c == '\\' {
                characters.next();
            }
            length = characters.peek().map_or(rest.len(), |(next, _)| *next).max(at + c.len_utf8());
        }
        self.advance(length);
        let text = quoting::unescaped(rest.get(..length)?);
        (length > 0).then(|| Word { text, span: self.span(start, start + length), quoted: false })
    }

    /// Values with commas or spaces between them up to the closing parenthesis, which is read too.
    fn values(&mut self) -> Parsed<Vec<Word>> {
        let mut values = Vec::new();
        loop {
            while self.eat(",") {}
            if !values.is_empty() && self.eat(")") {
                return Ok(values);
            }
            match self.list_value() {
                Some(value) => values.push(value),
                None if values.is_empty() => return Err(self.expected("a value")),
                None => return Err(self.expected("a value or `)`")),
            }
        }
    }

    fn list_value(&mut self) -> Option<Word> {
        self.skip_space();
        if self.rest().starts_with('"') {
            return self.word();
        }
        let start = self.position();
        let rest = self.rest();
        let ends = |c: char| is_space(c) || matches!(c, ',' | '(' | ')' | '[' | ']' | '|' | '"');
        let length = rest.find(ends).unwrap_or(rest.len());
        self.advance(length);
        let text = quoting::unescaped(rest.get(..length)?);
        (length > 0).then(|| Word { text, span: self.span(start, start + length), quoted: false })
    }

    fn form_of(&self, word: &Word) -> Option<TextForm> {
        if word.quoted || !self.rest().starts_with('(') {
            return None;
        }
        match word.text.as_str() {
            "TERM" => Some(TextForm::Term),
            "CASE" => Some(TextForm::Case),
            _ => None,
        }
    }

    /// The word between the parentheses that begin here.
    fn bracketed_word(&mut self) -> Parsed<Word> {
        self.expect("(")?;
        let start = self.position();
        let word = match self.peek() {
            Some('"') => self.word(),
            _ => {
                let rest = self.rest();
                let length = rest.find(')').unwrap_or(rest.len());
                self.advance(length);
                let text = rest.get(..length).unwrap_or("").trim().to_owned();
                Some(Word { text, span: self.span(start, start + length), quoted: false })
            }
        };
        self.expect(")")?;
        word.ok_or_else(|| Diagnostic::error("HP500", "a word is expected in these parentheses").at(self.since(start)))
    }

    /// `NOT IN (`, behind a field.
    fn eat_not_in(&mut self) -> bool {
        let before = self.position();
        let found = self.eat_upper("NOT") && self.eat_upper("IN") && self.eat("(");
        if !found {
            self.back_to(before);
        }
        found
    }

    /// AND, OR, NOT and IN are words like others unless they are written in capitals.
    fn eat_upper(&mut self, keyword: &str) -> bool {
        let before = self.position();
        let found = self.word().is_some_and(|word| !word.quoted && word.text == keyword);
        // A field may have such a name.
        let compares = |r: &mut Self| {
            r.skip_space();
            r.rest().starts_with(['=', '<', '>']) || r.rest().starts_with("!=")
        };
        if found && !compares(self) {
            return true;
        }
        self.back_to(before);
        false
    }
}

/// `field::value`, the form of fields that are kept in the index.
fn indexed(word: &Word) -> Option<(Word, Word)> {
    let (name, value) = word.text.split_once("::").filter(|_| !word.quoted)?;
    let known = ["index", "host", "source", "sourcetype", "eventtype", "tag"];
    let part = |text: &str| Word { text: text.to_owned(), ..word.clone() };
    known.contains(&name).then(|| (part(name), part(value)))
}

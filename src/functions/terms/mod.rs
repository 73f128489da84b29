//! Search terms of SPL: values with wildcards in any case, numbers, address ranges, words of an event.
mod memo;
mod whole;

use super::Context;
use super::search::{Needles, Place};
use crate::diagnostic::{Fault, Result};
use crate::types::field::{self, Number};
use crate::types::{Column, Field, Text, Value};
use arrow_array::types::ArrowPrimitiveType;
use arrow_array::{Array, BooleanArray, PrimitiveArray, StringViewArray};
use arrow_buffer::BooleanBuffer;
pub(super) use memo::passing;
use whole::Whole;

/// What the values of `field=value` and `field IN (...)` take, prepared.
struct Values {
    anything: bool,
    whole: Whole,
    wild: Wild,
}

/// Values with wildcards.
struct Wild {
    starts: Needles,
    ends: Needles,
    parts: Needles,
    patterns: Vec<regex::Regex>,
}

impl Values {
    fn new(values: &[String], exact_case: bool) -> Result<Values> {
        let (mut starts, mut ends, mut parts, mut patterns) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let (mut anything, mut whole) = (false, Vec::new());
        for value in values {
            let inner = value.trim_matches('*');
            match (value.starts_with('*'), value.ends_with('*')) {
                _ if inner.is_empty() && !value.is_empty() => anything = true,
                _ if inner.contains('*') => patterns.push(pattern(value, exact_case)?),
                (false, false) => whole.push(value.as_str()),
                (false, true) => starts.push(inner.to_owned()),
                (true, false) => ends.push(inner.to_owned()),
                (true, true) => parts.push(inner.to_owned()),
            }
        }
        let wild = Wild {
            starts: Needles::new(&starts, Place::Start, exact_case),
            ends: Needles::new(&ends, Place::End, exact_case),
            parts: Needles::new(&parts, Place::Anywhere, exact_case),
            patterns,
        };
        Ok(Values { anything, whole: Whole::new(&whole, exact_case), wild })
    }

    fn take(&self, text: &str) -> bool {
        self.anything || self.whole.takes(text) || self.wild.take(text)
    }

    /// The rows with a value that is taken.
    fn taken(&self, column: &Column, rows: usize) -> Column {
        let number = |number: Number| if self.wild.is_empty() { self.whole.takes_as_number(number) } else { None };
        match column {
            Column::Text(_, Text::Views(views)) if !self.anything => bools(self.taken_views(views)),
            Column::Field(Field::Long(array)) if !self.anything => {
                bools(numbers_passing(array, |long| number(Number::Long(long)), |text| self.take(text)))
            }
            Column::Field(Field::Real(array)) if !self.anything => {
                bools(numbers_passing(array, |real| number(Number::Real(real)), |text| self.take(text)))
            }
            other => any_value(other, rows, |text| self.take(text)),
        }
    }

    fn taken_views(&self, views: &StringViewArray) -> BooleanBuffer {
        if self.wild.is_empty() {
            return self.whole.taken(views);
        }
        if self.whole.is_empty() {
            return passing(views, None, |text| self.wild.take(text));
        }
        let found = self.whole.taken(views);
        &found | &passing(views, Some(&!&found), |text| self.wild.take(text))
    }
}

impl Wild {
    fn is_empty(&self) -> bool {
        self.starts.is_empty() && self.ends.is_empty() && self.parts.is_empty() && self.patterns.is_empty()
    }

    fn take(&self, text: &str) -> bool {
        self.starts.any_in(text)
            || self.ends.any_in(text)
            || self.parts.any_in(text)
            || self.patterns.iter().any(|pattern| pattern.is_match(text))
    }
}

/// The whole text, each `*` standing for any part of it.
fn pattern(value: &str, exact_case: bool) -> Result<regex::Regex> {
    let parts: Vec<String> = value.split('*').map(regex::escape).collect();
    let flags = if exact_case { "s" } else { "si" };
    built(&format!("(?{flags})\\A{}\\z", parts.join(".*")))
}

fn built(pattern: &str) -> Result<regex::Regex> {
    let built = regex::RegexBuilder::new(pattern).size_limit(64 << 20).build();
    built.map_err(|_| Fault::limit("memory", "a search term is too long"))
}

/// A longer word stands in no event that is searched by words.
const LONGEST_WORD: usize = 20_000;

/// Where a word or a phrase of an event begins and ends.
#[derive(Clone, Copy)]
enum Bounds {
    /// Between characters that are no letters and no digits.
    Words,
    /// Between spaces, brackets, quotes and the other major breakers.
    Major,
}

/// A word or a phrase as a pattern: `*` stands for any characters but major breakers.
fn word_pattern(term: &str, form: &str) -> Result<regex::Regex> {
    const MAJOR: &str = r#"\s\[\]<>(){}|!;,'"*&?+"#;
    let bounds = if form == "term" { Bounds::Major } else { Bounds::Words };
    let (before, after) = match bounds {
        Bounds::Words => ("(?:\\A|[^\\pL\\pN])".to_owned(), "(?:\\z|[^\\pL\\pN])".to_owned()),
        Bounds::Major => (format!("(?:\\A|[{MAJOR}])"), format!("(?:\\z|[{MAJOR}])")),
    };
    let word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric());
    let parts: Vec<String> = term.trim_matches('*').split('*').map(regex::escape).collect();
    let inside = parts.join(&format!("[^{MAJOR}]*"));
    let start = if term.starts_with('*') || !word(term.chars().next()) { String::new() } else { before };
    let end = if term.ends_with('*') || !word(term.chars().next_back()) { String::new() } else { after };
    let case = if form == "case" { "" } else { "(?i)" };
    built(&format!("{case}{start}{inside}{end}"))
}

fn bools(bits: BooleanBuffer) -> Column {
    Column::Bool(BooleanArray::new(bits, None))
}

/// For each row, whether any of its values passes; a row without a value does not.
fn any_value(column: &Column, rows: usize, passes: impl Fn(&str) -> bool) -> Column {
    let bits = match column {
        Column::Const(value, _) if value.is_null() => return Column::Const(Value::Bool(false), rows),
        Column::Const(..) => {
            return Column::Const(Value::Bool(field::values(column, 0).any(|text| passes(&text))), rows);
        }
        Column::Text(_, Text::Views(views)) => passing(views, None, passes),
        Column::Text(_, Text::Dictionary(keys, dictionary)) if dictionary.len() <= keys.len() => {
            let known: Vec<bool> = dictionary.values.iter().map(|text| text.is_some_and(&passes)).collect();
            let holds = |row| keys.is_valid(row) && known.get(keys.value(row) as usize) == Some(&true);
            BooleanBuffer::collect_bool(keys.len(), holds)
        }
        Column::Field(Field::Long(array)) => numbers_passing(array, |_| None, passes),
        Column::Field(Field::Real(array)) => numbers_passing(array, |_| None, passes),
        other => BooleanBuffer::collect_bool(rows, |row| field::values(other, row).any(|text| passes(&text))),
    };
    bools(bits)
}

/// For each row, whether its number passes: where `quick` does not know, by its text.
fn numbers_passing<T: ArrowPrimitiveType>(
    array: &PrimitiveArray<T>,
    quick: impl Fn(T::Native) -> Option<bool>,
    passes: impl Fn(&str) -> bool,
) -> BooleanBuffer
where
    Number: From<T::Native>,
{
    let (mut written, mut last) = (String::new(), None);
    BooleanBuffer::collect_bool(array.len(), |row| {
        if array.is_null(row) {
            return false;
        }
        let value = array.value(row);
        quick(value).unwrap_or_else(|| match last {
            Some((known, answer)) if known == value => answer,
            _ => {
                written.clear();
                Number::from(value).write(&mut written);
                let answer = passes(&written);
                last = Some((value, answer));
                answer
            }
        })
    })
}

/// The constant texts behind the first argument.
fn constants(args: &[Column]) -> Vec<String> {
    args.iter().skip(1).map(|value| value.value(0).to_text()).collect()
}

fn first(args: &[Column]) -> Result<&Column> {
    args.first().ok_or_else(|| Fault::internal("a search term looks at a field"))
}

fn prepared(context: &Context, args: &[Column], exact_case: bool) -> Result<std::sync::Arc<Values>> {
    let values = constants(args);
    let what = if exact_case { "search values in their case" } else { "search values" };
    context.prepared(what, &values.join("\u{1}"), || Values::new(&values, exact_case))
}

fn matches(context: &Context, args: &[Column], rows: usize) -> Result<Column> {
    Ok(prepared(context, args, false)?.taken(first(args)?, rows))
}

fn matches_case(context: &Context, args: &[Column], rows: usize) -> Result<Column> {
    Ok(prepared(context, args, true)?.taken(first(args)?, rows))
}

/// The rows with a value that is not taken: of one value each, those with a value that are not among the taken ones.
fn differs(context: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let values = prepared(context, args, false)?;
    let column = first(args)?;
    Ok(match (column, values.taken(column, rows)) {
        (Column::Text(_, Text::Views(_)) | Column::Field(Field::Long(_) | Field::Real(_)), Column::Bool(taken)) => {
            let others = !taken.values();
            bools(column.null_buffer().map_or(others.clone(), |nulls| &others & nulls.inner()))
        }
        _ => any_value(column, rows, |text| !values.take(text)),
    })
}

/// Numbers where both are, else texts in any case.
fn compares(args: &[Column], rows: usize, holds: fn(std::cmp::Ordering) -> bool) -> Result<Column> {
    let value = constants(args).into_iter().next().unwrap_or_default();
    let (number, lower) = (Number::read(&value), value.to_lowercase());
    let passes = |text: &str| match (number, Number::read(text)) {
        (Some(own), Some(other)) => other.order(own).is_some_and(holds),
        _ => holds(text.to_lowercase().cmp(&lower)),
    };
    let compared = |other: Number| other.order(number.filter(|_| other.real().is_finite())?).map(holds);
    Ok(match first(args)? {
        Column::Field(Field::Long(array)) => bools(numbers_passing(array, |long| compared(Number::Long(long)), passes)),
        Column::Field(Field::Real(array)) => {
            let as_read = |real: f64| Number::Real(real).long().map_or(Number::Real(real), Number::Long);
            bools(numbers_passing(array, |real| compared(as_read(real)), passes))
        }
        column => any_value(column, rows, passes),
    })
}

fn holds_word(context: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let constants = constants(args);
    let [term, form] = constants.as_slice() else { return Err(Fault::internal("a word is looked for in a form")) };
    if term.len() > LONGEST_WORD {
        return Err(Fault::query("HP310", format!("a word of a search has at most {LONGEST_WORD} bytes")));
    }
    let pattern = context.prepared("search word", &constants.join("\u{1}"), || word_pattern(term, form))?;
    Ok(any_value(first(args)?, rows, |text| pattern.is_match(text)))
}

crate::kernels! {
    /// Whether any of a field's values is one of some values, as `search` compares them.
    ///
    /// The case does not count, `*` stands for any characters, numbers are compared as numbers, and an address lies
    /// in a network. A field that is absent is none of them.
    ///
    /// Source: search.
    ///
    /// ```spl
    /// | makeresults | eval user="Admin" | search user=adm* | stats count // 1
    /// | makeresults | eval src="10.9.8.7" | search src=10.0.0.0/8 | stats count // 1
    /// ```
    spl fn "matches" (field: Any, value[repeats]: String) -> Kind(crate::types::Kind::Bool) = matches;

    /// The same in the case in which the values are written.
    ///
    /// Source: search.
    ///
    /// ```spl
    /// | makeresults | eval user="Admin" | search user=CASE(admin) | stats count // 0
    /// ```
    spl fn "matches case" (field: Any, value[repeats]: String) -> Kind(crate::types::Kind::Bool) = matches_case;

    /// Whether any of a field's values is another than this: false where the field is absent.
    ///
    /// Source: search.
    ///
    /// ```spl
    /// | makeresults | eval user="Admin" | search user!=root | stats count // 1
    /// | makeresults | search user!=root | stats count // 0
    /// ```
    spl fn "matches not" (field: Any, value: String) -> Kind(crate::types::Kind::Bool) = differs;

    /// Whether any of a field's values is less than this.
    ///
    /// Source: search.
    ///
    /// ```spl
    /// | makeresults | eval n=9 | search n<10 | stats count // 1
    /// ```
    spl fn "matches <" (field: Any, value: String) -> Kind(crate::types::Kind::Bool) =
        |_, args, rows| compares(args, rows, std::cmp::Ordering::is_lt);

    /// Whether any of a field's values is at most this.
    ///
    /// Source: search.
    ///
    /// ```spl
    /// | makeresults | eval n=10 | search n<=10 | stats count // 1
    /// ```
    spl fn "matches <=" (field: Any, value: String) -> Kind(crate::types::Kind::Bool) =
        |_, args, rows| compares(args, rows, std::cmp::Ordering::is_le);

    /// Whether any of a field's values is greater than this.
    ///
    /// Source: search.
    ///
    /// ```spl
    /// | makeresults | eval n=9 | search n>10 | stats count // 0
    /// ```
    spl fn "matches >" (field: Any, value: String) -> Kind(crate::types::Kind::Bool) =
        |_, args, rows| compares(args, rows, std::cmp::Ordering::is_gt);

    /// Whether any of a field's values is at least this.
    ///
    /// Source: search.
    ///
    /// ```spl
    /// | makeresults | eval n=10 | search n>=10 | stats count // 1
    /// ```
    spl fn "matches >=" (field: Any, value: String) -> Kind(crate::types::Kind::Bool) =
        |_, args, rows| compares(args, rows, std::cmp::Ordering::is_ge);

    /// Whether a text holds a word or a phrase: bounded by what is neither letter nor digit.
    ///
    /// Source: search.
    ///
    /// ```spl
    /// | makeresults | eval _raw="x Failed Login y" | search "failed login" | stats count // 1
    /// | makeresults | eval _raw="unfailing" | search fail* | stats count // 0
    /// ```
    spl fn "matches word" (text: Any, word: String, form: String) -> Kind(crate::types::Kind::Bool) = holds_word;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn takes(values: &[&str], text: &str) -> bool {
        let values: Vec<String> = values.iter().map(|v| (*v).to_owned()).collect();
        Values::new(&values, false).unwrap().take(text)
    }

    #[test]
    fn values_match_whole_in_any_case_with_wildcards() {
        assert!(takes(&["adm*"], "Administrator") && takes(&["*MIN"], "admin") && takes(&["a*n"], "AdmiN"));
        assert!(takes(&["x", "*.exe"], "cmd.EXE") && takes(&["*"], "") && takes(&[""], ""));
        assert!(!takes(&["admin"], "admins") && !takes(&["a*n"], "anna") && !takes(&[""], "x"));
        assert!(takes(&[r"c:\*\x"], r"C:\a\b\X") && takes(&["Ü*"], "über"));
    }

    #[test]
    fn numbers_and_networks_match_by_what_they_mean() {
        assert!(takes(&["5"], "5.0") && takes(&["10.0.0.0/8"], "10.1.2.3") && takes(&["2001:db8::/32"], "2001:db8::1"));
        assert!(!takes(&["12345678901234567890"], "12345678901234567891"));
        assert!(!takes(&["10.0.0.0/8"], "11.0.0.1"));
    }

    #[test]
    fn words_stand_between_breakers() {
        let holds = |term: &str, form: &str, text: &str| word_pattern(term, form).unwrap().is_match(text);
        assert!(
            holds("fail*", "", "user=Failed") && !holds("fail*", "", "unfailing") && holds("*fail*", "", "unfailing")
        );
        assert!(holds("10.0.0.1", "", "src=10.0.0.1:80") && !holds("10.0.0.1", "", "110.0.0.1"));
        assert!(!holds("10.0.0.1", "term", "src=10.0.0.1") && holds("10.0.0.1", "term", "src 10.0.0.1"));
        assert!(holds("Fail", "case", "a Fail b") && !holds("Fail", "case", "a fail b"));
    }
}

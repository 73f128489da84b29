//! What commands make of fields: parts, replaced texts, numbers in other spellings. No search can write the names.
use super::like::{Patterns, compiled, patterns};
use super::{each, map_texts, operators::flag, text_at};
use crate::diagnostic::{Fault, Result};
use crate::functions::Context;
use crate::types::field::{self, Number};
use crate::types::{Column, Kind};
use std::sync::Arc;

/// The parts between separators; empty ones only where they are wanted.
fn parts(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    each(args, rows, |row, out| {
        let separator = text_at(args, 1, row).unwrap_or_default();
        let empty = args.get(2).and_then(|column| flag(column, row)) == Some(true);
        let texts: Vec<_> = args.first().into_iter().flat_map(|column| field::values(column, row)).collect();
        let parts = texts.iter().flat_map(|text| match separator.is_empty() {
            true => vec![&**text],
            false => text.split(&*separator).filter(|part| empty || !part.is_empty()).collect(),
        });
        out.push_several(parts);
        Ok(())
    })
}

/// What the first group of a pattern matches, match by match; the whole match where it has no group.
fn tokens(context: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let mut found = patterns(context);
    each(args, rows, |row, out| {
        let Some(source) = text_at(args, 1, row) else {
            out.push_null();
            return Ok(());
        };
        let pattern = found.get(&source, compiled(context))?;
        let mut tokens: Vec<String> = Vec::new();
        for text in args.first().into_iter().flat_map(|column| field::values(column, row)) {
            pattern.each_match(&text, |groups| {
                let group = groups.get(usize::from(groups.len() > 1)).copied().flatten();
                tokens.extend(group.and_then(|(from, to)| text.get(from..to)).map(str::to_owned));
                true
            })?;
        }
        out.push_several(tokens);
        Ok(())
    })
}

/// A pattern whose stars stand for any text, as a regular expression with a group for each.
fn wildcard(pattern: &str) -> Result<regex::Regex> {
    let parts: Vec<String> = pattern.split('*').map(regex::escape).collect();
    let built = regex::RegexBuilder::new(&format!("(?s)\\A{}\\z", parts.join("(.*?)"))).size_limit(64 << 20).build();
    built.map_err(|_| Fault::query("HP131", "a pattern of `replace` is too long"))
}

/// The value behind the pattern that fits: the last plain text that does, else the first with wildcards.
fn replaced(context: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let Some((value, pairs)) = args.split_first() else { return Ok(Column::nulls(Kind::Field, rows)) };
    let mut known: Patterns<'_, regex::Regex> = Patterns::new(context, "replace");
    map_texts(value, args, rows, |_, text, out| {
        let pair = |pair: &[Column]| Some((pair.first()?.text(0)?.to_owned(), pair.get(1)?.text(0)?.to_owned()));
        let pairs: Vec<(String, String)> = pairs.chunks(2).filter_map(pair).collect();
        let (stars, plain): (Vec<_>, Vec<_>) = pairs.into_iter().partition(|(from, _)| from.contains('*'));
        if let Some((_, to)) = plain.iter().rev().find(|(from, _)| from == text) {
            out.push_str(to);
            return Ok(true);
        }
        for (from, to) in &stars {
            let pattern: Arc<regex::Regex> = known.get(from, wildcard)?;
            if let Some(groups) = pattern.captures(text) {
                fill(to, &groups, out);
                return Ok(true);
            }
        }
        out.push_str(text);
        Ok(true)
    })
}

/// A text with its stars filled in.
fn fill(to: &str, groups: &regex::Captures, out: &mut String) {
    for (at, part) in to.split('*').enumerate() {
        if at > 0 {
            out.push_str(groups.get(at).map_or("", |group| group.as_str()));
        }
        out.push_str(part);
    }
}

/// A field of the number that each text stands for; other texts as `otherwise` has them.
fn numbers(args: &[Column], rows: usize, keep: bool, read: fn(&str) -> Option<Number>) -> Result<Column> {
    let Some(value) = args.first() else { return Ok(Column::nulls(Kind::Field, rows)) };
    each(args, rows, |row, out| {
        let count = field::count(value, row);
        if count > 1 {
            let texts = field::values(value, row).filter_map(|text| match read(&text) {
                Some(number) => Some(number.text()),
                None => keep.then(|| text.into_owned()),
            });
            out.push_several(texts);
            return Ok(());
        }
        match (field::text(value, row), keep) {
            (Some(text), keep) => match read(&text) {
                Some(number) => out.push_number(number),
                None if keep => out.push_text(&text),
                None => out.push_null(),
            },
            (None, _) => out.push_null(),
        }
        Ok(())
    })
}

fn without_commas(text: &str) -> Option<Number> {
    Number::read(&text.replace(',', ""))
}

/// The number that a text begins with.
fn leading(text: &str) -> Option<Number> {
    let mut end = text.len().min(text.find(|c: char| !"+-.0123456789eE".contains(c)).unwrap_or(text.len()));
    while end > 0 {
        if let Some(number) = text.get(..end).and_then(Number::read) {
            return Some(number);
        }
        end -= 1;
    }
    None
}

/// The seconds of `[D+]HH:MM:SS`.
fn duration(text: &str) -> Option<Number> {
    let (days, clock) = match text.split_once('+') {
        Some((days, clock)) => (Number::read(days)?.real(), clock),
        None => (0.0, text),
    };
    let parts: Vec<f64> = clock.split(':').map(|part| Some(Number::read(part)?.real())).collect::<Option<_>>()?;
    let seconds = parts.iter().fold(0.0, |seconds, part| seconds * 60.0 + part);
    (parts.len() <= 3).then(|| plain(days * 86_400.0 + seconds))
}

fn plain(real: f64) -> Number {
    Number::Real(real).long().map_or(Number::Real(real), Number::Long)
}

/// The kilobytes of a number with `k`, `m` or `g` behind it.
fn kilobytes(text: &str) -> Option<Number> {
    let text = text.trim();
    let (digits, factor) = match text.chars().last()?.to_ascii_lowercase() {
        'k' => (text.get(..text.len() - 1)?, 1.0),
        'm' => (text.get(..text.len() - 1)?, 1024.0),
        'g' => (text.get(..text.len() - 1)?, 1024.0 * 1024.0),
        _ => (text, 1.0),
    };
    Some(plain(Number::read(digits.trim())?.real() * factor))
}

/// The seconds of `[MM:]SS.SSS`.
fn minutes(text: &str) -> Option<Number> {
    match text.split_once(':') {
        Some((minutes, seconds)) => Some(plain(Number::read(minutes)?.real() * 60.0 + Number::read(seconds)?.real())),
        None => Number::read(text),
    }
}

fn auto(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    numbers(args, rows, true, without_commas)
}

fn num(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    numbers(args, rows, false, without_commas)
}

fn rmcomma(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    numbers(args, rows, true, without_commas)
}

fn rmunit(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    numbers(args, rows, true, leading)
}

fn dur2sec(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    numbers(args, rows, true, duration)
}

fn memk(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    numbers(args, rows, true, kilobytes)
}

fn mstime(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    numbers(args, rows, true, minutes)
}

crate::kernels! {
    /// The parts of a text between separators, for `makemv`.
    ///
    /// Source: Splunk Search Reference, makemv.
    ///
    /// ```spl
    /// | makeresults | eval a="x,,y" | makemv delim="," a | eval a=mvcount(a) | table a // 2
    /// ```
    spl fn ".parts" (text: Any, separator: Any, empty: Bool) -> Kind(Kind::Field) = parts;

    /// What a pattern finds in a text, for `makemv`.
    ///
    /// Source: Splunk Search Reference, makemv.
    ///
    /// ```spl
    /// | makeresults | eval a="xAyB" | makemv tokenizer="([A-Z])" a | eval a=mvjoin(a, "-") | table a // A-B
    /// ```
    spl fn ".tokens" (text: Any, pattern: Any) -> Kind(Kind::Field) = tokens;

    /// The value that stands for another one, for `replace`.
    ///
    /// Source: Splunk Search Reference, replace.
    ///
    /// ```spl
    /// | makeresults | eval a="127.0.0.1" | replace 127* with "localhost*" in a | table a // localhost.0.0.1
    /// ```
    spl fn ".replaced" (value: Any, from_or_to[repeats]: Any) -> Kind(Kind::Field) = replaced;

    /// A number in any spelling, for `convert`.
    ///
    /// Source: Splunk Search Reference, convert.
    ///
    /// ```spl
    /// | makeresults | eval a="1,234" | convert auto(a) | table a // 1234
    /// ```
    spl fn ".auto" (value: Any) -> Kind(Kind::Field) = auto;

    /// A number, or nothing, for `convert`.
    ///
    /// Source: Splunk Search Reference, convert.
    ///
    /// ```spl
    /// | makeresults | eval a="x" | convert num(a) | table a //
    /// ```
    spl fn ".num" (value: Any) -> Kind(Kind::Field) = num;

    /// A number without commas, for `convert`.
    ///
    /// Source: Splunk Search Reference, convert.
    ///
    /// ```spl
    /// | makeresults | eval a="1,234.5" | convert rmcomma(a) | table a // 1234.5
    /// ```
    spl fn ".rmcomma" (value: Any) -> Kind(Kind::Field) = rmcomma;

    /// A number without what follows it, for `convert`.
    ///
    /// Source: Splunk Search Reference, convert.
    ///
    /// ```spl
    /// | makeresults | eval a="12.5MB" | convert rmunit(a) | table a // 12.5
    /// ```
    spl fn ".rmunit" (value: Any) -> Kind(Kind::Field) = rmunit;

    /// The seconds of a duration, for `convert`.
    ///
    /// Source: Splunk Search Reference, convert.
    ///
    /// ```spl
    /// | makeresults | eval a="1+01:01:01" | convert dur2sec(a) | table a // 90061
    /// ```
    spl fn ".dur2sec" (value: Any) -> Kind(Kind::Field) = dur2sec;

    /// The kilobytes of a size, for `convert`.
    ///
    /// Source: Splunk Search Reference, convert.
    ///
    /// ```spl
    /// | makeresults | eval a="2m" | convert memk(a) | table a // 2048
    /// ```
    spl fn ".memk" (value: Any) -> Kind(Kind::Field) = memk;

    /// The seconds of minutes and seconds, for `convert`.
    ///
    /// Source: Splunk Search Reference, convert.
    ///
    /// ```spl
    /// | makeresults | eval a="2:03.5" | convert mstime(a) | table a // 123.5
    /// ```
    spl fn ".mstime" (value: Any) -> Kind(Kind::Field) = mstime;
}

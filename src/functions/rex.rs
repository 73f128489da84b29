//! What `rex` and `bin` make of a field.
use super::Context;
use super::spl::pcre::{self, Groups, Pattern};
use crate::diagnostic::{Fault, Result};
use crate::types::field::{self, FieldBuilder, Number, without_noise};
use crate::types::{Column, Field, Kind, Value, datetime, relative};
use arrow_array::Int64Array;
use std::borrow::Cow;
use std::sync::Arc;

/// A field for each row; once where the first argument is constant.
fn each(args: &[Column], rows: usize, mut write: impl FnMut(usize, &mut FieldBuilder) -> Result<()>) -> Result<Column> {
    let constant = args.first().is_some_and(Column::is_const);
    let count = if constant { rows.min(1) } else { rows };
    let mut out = FieldBuilder::new(args.first(), count);
    for row in 0..count {
        write(row, &mut out)?;
    }
    let made = out.finish();
    Ok(match constant {
        true if made.is_empty() => Column::nulls(Kind::Field, rows),
        true => Column::Const(made.value(0), rows),
        false => made,
    })
}

fn constant(args: &[Column], at: usize) -> Value {
    args.get(at).filter(|column| !column.is_empty()).map_or(Value::Null(Kind::Field), |column| column.value(0))
}

/// What the first matches of each value of a field give. `most` is the argument that says how many; 0 is all.
fn matched(
    pattern: &Pattern,
    args: &[Column],
    most: usize,
    rows: usize,
    give: impl Fn(&str, &Groups, &mut Vec<String>),
) -> Result<Column> {
    let Some(column) = args.first() else { return Ok(Column::nulls(Kind::Field, rows)) };
    let most = constant(args, most).as_long().and_then(|most| usize::try_from(most).ok()).filter(|most| *most > 0);
    let mut found: Vec<String> = Vec::new();
    each(args, rows, |row, out| {
        found.clear();
        for text in field::values(column, row) {
            let mut matches = 0;
            pattern.each_match(&text, |groups| {
                matches += 1;
                give(&text, groups, &mut found);
                most.is_none_or(|most| matches < most)
            })?;
        }
        out.push_several(found.iter());
        Ok(())
    })
}

/// What a named group matched, in the first `most` matches of all values of a field.
fn extracted(context: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let pattern = pcre::compile(context, &constant(args, 1).to_text())?;
    let places = pattern.places(&constant(args, 2).to_text());
    matched(&pattern, args, 3, rows, |text, groups, found| {
        found.extend(group(text, groups, &places).map(str::to_owned));
    })
}

/// What all named groups matched, match by match: of each match a text for each name in their order, `+` before what
/// it matched, or `-` alone.
fn extracted_all(context: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let pattern = pcre::compile(context, &constant(args, 1).to_text())?;
    let places: Vec<Vec<usize>> = pattern.distinct_names().iter().map(|name| pattern.places(name)).collect();
    matched(&pattern, args, 2, rows, |text, groups, found| {
        found.extend(places.iter().map(|places| match group(text, groups, places) {
            Some(part) => ["+", part].concat(),
            None => "-".to_owned(),
        }));
    })
}

/// The texts of one name among those of all.
fn extracted_one(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let Some(column) = args.first() else { return Ok(Column::nulls(Kind::Field, rows)) };
    let number = |at: usize| constant(args, at).as_long().and_then(|n| usize::try_from(n).ok()).unwrap_or(0);
    let (name, names) = (number(1), number(2).max(1));
    each(args, rows, |row, out| {
        let own = field::values(column, row).skip(name).step_by(names);
        out.push_several(own.filter_map(|text| text.strip_prefix('+').map(str::to_owned)));
        Ok(())
    })
}

/// Where the first match stands in a field: its first and its last character, counted from 0; of several named groups
/// each with its name.
fn offsets(context: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let Some(column) = args.first() else { return Ok(Column::nulls(Kind::Field, rows)) };
    let pattern = pcre::compile(context, &constant(args, 1).to_text())?;
    let named = pattern.names().iter().enumerate().filter_map(|(at, name)| Some((at, name.as_deref()?)));
    let named: Vec<(usize, &str)> = named.collect();
    each(args, rows, |row, out| {
        let Some(text) = field::values(column, row).next() else {
            out.push_null();
            return Ok(());
        };
        let mut found = None;
        pattern.each_match(&text, |groups| {
            let place = |at: usize| {
                let (from, to) = groups.get(at).copied().flatten()?;
                let before = text.get(..from)?.chars().count();
                let length = text.get(from..to)?.chars().count();
                Some(format!("{before}-{}", (before + length).saturating_sub(1)))
            };
            found = match named.as_slice() {
                [] => place(0),
                [(at, _)] => place(*at),
                many => {
                    let places = many.iter().filter_map(|(at, name)| Some(format!("{name}={}", place(*at)?)));
                    Some(places.collect::<Vec<_>>().join("&"))
                }
            };
            false
        })?;
        match found {
            Some(found) => out.push_text(&found),
            None => out.push_null(),
        }
        Ok(())
    })
}

/// The text of the first of some groups that matched.
fn group<'t>(text: &'t str, groups: &Groups, places: &[usize]) -> Option<&'t str> {
    let (from, to) = places.iter().find_map(|at| groups.get(*at).copied().flatten())?;
    text.get(from..to)
}

/// A script of `sed`: replacements, and translations of characters.
enum Sed {
    Replace { pattern: Arc<Pattern>, with: String, first: usize, all: bool },
    Translate(Vec<(char, char)>),
}

/// Reads `s/a/b/g y/abc/xyz/`; the character behind the letter parts the pieces.
pub fn sed_pieces(script: &str) -> Option<Vec<[String; 4]>> {
    let mut pieces = Vec::new();
    let mut rest = script.trim();
    while !rest.is_empty() {
        let letter = rest.chars().next().filter(|c| matches!(c, 's' | 'y'))?;
        let separator = rest.chars().nth(1).filter(|c| !c.is_alphanumeric() && !c.is_whitespace() && *c != '\\')?;
        let (first, after) = until(rest.get(1 + separator.len_utf8()..)?, separator)?;
        let (second, after) = until(after, separator)?;
        let length = after.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(after.len());
        let (flags, after) = after.split_at_checked(length)?;
        pieces.push([letter.to_string(), first, second, flags.to_owned()]);
        rest = after.trim_start_matches(|c: char| c.is_whitespace() || c == ';');
    }
    (!pieces.is_empty()).then_some(pieces)
}

/// The text up to a separator that no backslash stands before, and what follows it.
fn until(text: &str, separator: char) -> Option<(String, &str)> {
    let mut out = String::new();
    let mut characters = text.char_indices();
    while let Some((at, c)) = characters.next() {
        if c == separator {
            return Some((out, text.get(at + c.len_utf8()..)?));
        }
        out.push(c);
        if c == '\\'
            && let Some((_, next)) = characters.next()
        {
            if next == separator {
                out.pop();
            }
            out.push(next);
        }
    }
    None
}

fn sed_of(context: &Context, script: &str) -> Result<Vec<Sed>> {
    let bad = |why: &str| Fault::query("HP504", format!("`{script}` is no sed script: {why}"));
    let pieces = sed_pieces(script).ok_or_else(|| bad("write s/regex/replacement/flags or y/abc/xyz/"))?;
    let made = pieces.into_iter().map(|[letter, first, second, flags]| match letter.as_str() {
        "y" if first.chars().count() == second.chars().count() => {
            Ok(Sed::Translate(first.chars().zip(second.chars()).collect()))
        }
        "y" => Err(bad("y needs as many characters on both sides")),
        _ => {
            let digits: String = flags.chars().filter(char::is_ascii_digit).collect();
            let first_match = digits.parse().unwrap_or(1);
            let source = if flags.contains(['i', 'I']) { format!("(?i){first}") } else { first };
            let pattern = pcre::compile(context, &source)?;
            Ok(Sed::Replace { pattern, with: second, first: first_match, all: flags.contains('g') })
        }
    });
    made.collect()
}

fn edited(context: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let Some(column) = args.first() else { return Ok(Column::nulls(Kind::Field, rows)) };
    let script = sed_of(context, &constant(args, 1).to_text())?;
    each(args, rows, |row, out| {
        let mut made = Vec::new();
        for text in field::values(column, row) {
            let mut text: Cow<str> = text;
            for step in &script {
                text = Cow::Owned(match step {
                    Sed::Translate(pairs) => {
                        let other = |c: char| pairs.iter().find(|(from, _)| *from == c).map_or(c, |(_, to)| *to);
                        text.chars().map(other).collect()
                    }
                    Sed::Replace { pattern, with, first, all } => pattern
                        .replace_some(&text, with, |number| if *all { number >= *first } else { number == *first })?
                        .into_owned(),
                });
            }
            made.push(text.into_owned());
        }
        out.push_several(made);
        Ok(())
    })
}

/// The start of the bin of time that a number of seconds lies in.
fn time_bin(context: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let Some(column) = args.first() else { return Ok(Column::nulls(Kind::Field, rows)) };
    let text = constant(args, 1).to_text();
    let span = relative::span(&text).ok_or_else(|| Fault::query("HP504", format!("`{text}` is no span of time")))?;
    // What bins are aligned to: ticks.
    let aligned = args.get(2).and_then(|_| field::number(&args[2], 0)).map_or(0, ticks);
    let mut bins = Bins { span, aligned, zone: context.timezone, last: None };
    if let Some(made) = bins.of_numbers(column) {
        return Ok(made);
    }
    let numbers = field::Numbers::of(column);
    each(args, rows, |row, out| {
        let start = numbers.get(row).and_then(|number| bins.start(ticks(number)));
        match start {
            Some(start) => out.push_number(match start % datetime::TICKS_PER_SECOND {
                0 => Number::Long(start / datetime::TICKS_PER_SECOND),
                _ => Number::Real(start as f64 / datetime::TICKS_PER_SECOND as f64),
            }),
            None => field::values(column, row).for_each(|text| out.push_text(&text)),
        }
        if start.is_none() && column.is_null(row) {
            out.push_null();
        }
        Ok(())
    })
}

/// Bins of time.
struct Bins {
    span: relative::Span,
    aligned: i64,
    zone: chrono_tz::Tz,
    /// From where to where times were found to lie in one bin, and where it begins.
    last: Option<(i64, i64, i64)>,
}

impl Bins {
    /// Where the bin of a time begins; both in ticks.
    #[inline]
    fn start(&mut self, ticks: i64) -> Option<i64> {
        if let Some((from, to, start)) = self.last
            && (from..to).contains(&ticks)
        {
            return Some(start);
        }
        let start = self.span.start(ticks.checked_sub(self.aligned)?, self.zone)?.checked_add(self.aligned)?;
        let (from, width) = match self.span {
            relative::Span::Ticks(width) => (Some(start), width),
            // No day begins within a second.
            _ => {
                let second = (ticks - self.aligned).div_euclid(datetime::TICKS_PER_SECOND);
                let from = second.checked_mul(datetime::TICKS_PER_SECOND).and_then(|at| at.checked_add(self.aligned));
                (from, datetime::TICKS_PER_SECOND)
            }
        };
        self.last = from.and_then(|from| Some((from, from.checked_add(width)?, start)));
        Some(start)
    }

    /// The bins of numbers that are held as such, where each begins with a second; none for others.
    fn of_numbers(&mut self, column: &Column) -> Option<Column> {
        let mut start = |number: Number| {
            let start = self.start(ticks(number))?;
            (start % datetime::TICKS_PER_SECOND == 0).then_some(start / datetime::TICKS_PER_SECOND)
        };
        let starts = match column {
            Column::Field(Field::Long(array)) => {
                let start = |long: Option<i64>| long.map_or(Some(0), |long| start(Number::Long(long)));
                array.iter().map(start).collect::<Option<Vec<i64>>>()?
            }
            Column::Field(Field::Real(array)) => {
                let start = |real: Option<f64>| match real {
                    Some(real) if !real.is_finite() => None,
                    real => real.map_or(Some(0), |real| start(Number::Real(real))),
                };
                array.iter().map(start).collect::<Option<Vec<i64>>>()?
            }
            _ => return None,
        };
        Some(Column::Field(Field::Long(Int64Array::new(starts.into(), column.null_buffer()))))
    }
}

/// Seconds as ticks.
fn ticks(seconds: Number) -> i64 {
    match seconds {
        Number::Long(whole) => whole.saturating_mul(datetime::TICKS_PER_SECOND),
        Number::Real(real) => (real * datetime::TICKS_PER_SECOND as f64).round() as i64,
    }
}

/// The bin `low-high` that a number lies in; other values stay.
fn number_bin(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let Some(column) = args.first() else { return Ok(Column::nulls(Kind::Field, rows)) };
    let width = args.get(1).and_then(|column| field::number(column, 0)).filter(|width| width.real() > 0.0);
    let Some(width) = width else { return Err(Fault::query("HP504", "a bin is wider than 0")) };
    let log = args.get(2).and_then(|column| field::number(column, 0)).map(Number::real).filter(|base| *base > 1.0);
    let numbers = field::Numbers::of(column);
    each(args, rows, |row, out| {
        match numbers.get(row) {
            Some(number) => out.push_text(&match log {
                Some(base) => log_bin(number.real(), width.real(), base),
                None => plain_bin(number, width),
            }),
            None if column.is_null(row) => out.push_null(),
            None => out.push_several(field::values(column, row)),
        }
        Ok(())
    })
}

fn plain_bin(number: Number, width: Number) -> String {
    if let (Number::Long(number), Number::Long(width)) = (number, width) {
        let low = number.div_euclid(width).saturating_mul(width);
        return format!("{low}-{}", low.saturating_add(width));
    }
    let steps = (number.real() / width.real()).floor();
    let ends = [steps, steps + 1.0].map(|steps| Number::Real(without_noise(steps * width.real())).text());
    format!("{}-{}", ends[0], ends[1])
}

/// Bins whose ends are a coefficient times powers of a base.
fn log_bin(number: f64, coefficient: f64, base: f64) -> String {
    if number <= 0.0 {
        return format!("0-{}", Number::Real(coefficient).text());
    }
    let power = (number / coefficient).log(base).floor();
    let ends = [power, power + 1.0].map(|power| Number::Real(without_noise(coefficient * base.powf(power))).text());
    format!("{}-{}", ends[0], ends[1])
}

crate::kernels! {
    /// What a named group of a regular expression matched in a field.
    ///
    /// Source: rex.
    ///
    /// ```spl
    /// | makeresults | eval t="a=1 b=2" | rex field=t max_match=0 "(?<w>\w)=" | eval w=mvjoin(w, "+") | fields w | fields - _time // a+b
    /// ```
    spl fn ".rex" (text: Any, pattern: Any, group: Any, most: Any) -> Kind(Kind::Field) = extracted;

    /// What all named groups of a regular expression matched in a field: for `.rex_one`.
    ///
    /// Source: rex.
    ///
    /// ```spl
    /// | makeresults | eval t="a=1" | rex field=t "(?<w>\w)=(?<n>\d)" | eval r=w.n | fields r | fields - _time // a1
    /// ```
    spl fn ".rex_all" (text: Any, pattern: Any, most: Any) -> Kind(Kind::Field) = extracted_all;

    /// What one of the named groups matched.
    ///
    /// Source: rex.
    ///
    /// ```spl
    /// | makeresults | eval t="a=1 b=" | rex field=t max_match=0 "(?<w>\w)=(?<n>\d)?" | eval r=mvcount(w).mvcount(n) | fields r | fields - _time // 21
    /// ```
    spl fn ".rex_one" (all: Any, name: Any, names: Any) -> Kind(Kind::Field) = extracted_one;

    /// Where a regular expression matched in a field.
    ///
    /// Source: rex.
    ///
    /// ```spl
    /// | makeresults | eval t="user=bob" | rex field=t offset_field=at "user=(?<user>\w+)" | fields at | fields - _time // 5-7
    /// ```
    spl fn ".rex_offset" (text: Any, pattern: Any) -> Kind(Kind::Field) = offsets;

    /// A field changed by a script of sed.
    ///
    /// Source: rex.
    ///
    /// ```spl
    /// | makeresults | eval t="a1b22" | rex field=t mode=sed "s/\d+/#/g" | fields t | fields - _time // a#b#
    /// ```
    spl fn ".sed" (text: Any, script: Any) -> Kind(Kind::Field) = edited;

    /// The start of the bin that a time lies in: of days and longer ones in the user's zone.
    ///
    /// Source: bin.
    ///
    /// ```spl
    /// | makeresults | bin span=1d _time | fields _time // 1577923200
    /// ```
    spl fn ".bin_time" (time: Any, span: Any, aligned[optional]: Any) -> Kind(Kind::Field) = time_bin;

    /// The bin that a number lies in.
    ///
    /// Source: bin.
    ///
    /// ```spl
    /// | makeresults | eval n=25 | bin span=10 n | fields n | fields - _time // 20-30
    /// ```
    spl fn ".bin" (number: Any, width: Any, base[optional]: Any) -> Kind(Kind::Field) = number_bin;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_of_sed_are_read() {
        let piece =
            |script: &str| sed_pieces(script).map(|pieces| pieces.into_iter().map(|p| p.join(" ")).collect::<Vec<_>>());
        assert_eq!(piece(r"s/a\/b/c/g"), Some(vec!["s a/b c g".to_owned()]));
        assert_eq!(piece(r"s|\d+|#| y/ab/xy/"), Some(vec![r"s \d+ # ".to_owned(), "y ab xy ".to_owned()]));
        assert_eq!(piece("x/a/b/"), None);
        assert_eq!(piece("s/a/b"), None);
    }

    #[test]
    fn bins_of_numbers_are_told_by_their_ends() {
        assert_eq!(plain_bin(Number::Long(-1), Number::Long(10)), "-10-0");
        assert_eq!(plain_bin(Number::Real(0.35), Number::Real(0.1)), "0.3-0.4");
        assert_eq!(log_bin(150.0, 1.0, 10.0), "100-1000");
    }
}

//! Fields with several values: made, counted, cut, put together.
use super::{each, each_number, each_text, long_at, number_at, text_at};
use crate::diagnostic::{Fault, Result};
use crate::functions::Context;
use crate::types::field::{self, Number};
use crate::types::{Column, Kind};
use std::borrow::Cow;
use std::collections::HashSet;

fn values(args: &[Column], at: usize, row: usize) -> Vec<Cow<'_, str>> {
    args.get(at).into_iter().flat_map(|column| field::values(column, row)).collect()
}

/// A field of the values that `make` gives for each row.
fn each_list<'a>(
    args: &'a [Column],
    rows: usize,
    mut make: impl FnMut(usize) -> Result<Vec<Cow<'a, str>>>,
) -> Result<Column> {
    each(args, rows, |row, out| {
        out.push_several(make(row)?);
        Ok(())
    })
}

fn mvappend(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    each_list(args, rows, |row| Ok((0..args.len()).flat_map(|at| values(args, at, row)).collect()))
}

fn mvcount(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    each_number(args, rows, |row| {
        let count = args.first().map_or(0, |column| field::count(column, row));
        (count > 0).then_some(Number::Long(count as i64))
    })
}

fn mvdedup(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    each_list(args, rows, |row| {
        let mut seen = HashSet::new();
        Ok(values(args, 0, row).into_iter().filter(|text| seen.insert(text.clone())).collect())
    })
}

fn mvindex(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    each_list(args, rows, |row| {
        let mut all = values(args, 0, row);
        let count = all.len() as i64;
        let place = |at: usize| {
            let place = long_at(args, at, row)?;
            Some(if place < 0 { place.saturating_add(count) } else { place })
        };
        let Some(start) = place(1).filter(|start| (0..count).contains(start)) else { return Ok(Vec::new()) };
        let end = if args.len() > 2 { place(2).map(|end| end.min(count - 1)) } else { Some(start) };
        let Some(end) = end.filter(|end| *end >= start) else { return Ok(Vec::new()) };
        Ok(all.drain(start as usize..=end as usize).collect())
    })
}

fn mvjoin(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    each_text(args, rows, |row| {
        let all = values(args, 0, row);
        Ok(text_at(args, 1, row).filter(|_| !all.is_empty()).map(|between| all.join(&between)))
    })
}

fn mvreverse(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    each_list(args, rows, |row| Ok(values(args, 0, row).into_iter().rev().collect()))
}

fn mvsort(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    each_list(args, rows, |row| {
        let mut all = values(args, 0, row);
        all.sort();
        Ok(all)
    })
}

fn mvzip(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    each_list(args, rows, |row| {
        let given = text_at(args, 2, row);
        let between = given.as_deref().unwrap_or(",");
        let pairs = values(args, 0, row).into_iter().zip(values(args, 1, row));
        Ok(pairs.map(|(left, right)| Cow::Owned(format!("{left}{between}{right}"))).collect())
    })
}

fn split(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    each(args, rows, |row, out| {
        let Some(between) = text_at(args, 1, row) else {
            out.push_null();
            return Ok(());
        };
        let mut parts: Vec<String> = Vec::new();
        for text in values(args, 0, row) {
            match between.is_empty() {
                true => parts.extend(text.chars().map(String::from)),
                false => parts.extend(text.split(&*between).map(str::to_owned)),
            }
        }
        out.push_several(parts);
        Ok(())
    })
}

/// The seconds of `7d` and the like; none for a number, and for longer units than weeks.
fn span_seconds(text: &str) -> Option<f64> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).filter(|at| *at > 0)?;
    let (count, unit) = text.split_at(digits);
    let seconds = match unit {
        "s" | "sec" | "secs" | "second" | "seconds" => 1.0,
        "m" | "min" | "mins" | "minute" | "minutes" => 60.0,
        "h" | "hr" | "hrs" | "hour" | "hours" => 3600.0,
        "d" | "day" | "days" => 86_400.0,
        "w" | "week" | "weeks" => 604_800.0,
        _ => return None,
    };
    Some(count.parse::<f64>().ok()? * seconds)
}

fn mvrange(context: &Context, args: &[Column], rows: usize) -> Result<Column> {
    each_list(args, rows, |row| {
        let (Some(start), Some(end)) = (number_at(args, 0, row), number_at(args, 1, row)) else {
            return Ok(Vec::new());
        };
        let step = match text_at(args, 2, row) {
            None if args.len() > 2 => return Ok(Vec::new()),
            None => Number::Long(1),
            Some(text) => match (Number::read(&text), span_seconds(&text)) {
                (Some(number), _) => number,
                (None, Some(seconds)) => Number::Long(seconds as i64),
                (None, None) => return Ok(Vec::new()),
            },
        };
        range(start, end, step, context.limits.values)
    })
}

/// The numbers from a start, a step apart, before an end.
fn range<'a>(start: Number, end: Number, step: Number, most: usize) -> Result<Vec<Cow<'a, str>>> {
    let steps = ((end.real() - start.real()) / step.real()).ceil();
    if steps.is_nan() || steps <= 0.0 || step.real() == 0.0 {
        return Ok(Vec::new());
    }
    if steps > most as f64 {
        return Err(Fault::limit("values", "a range has too many values"));
    }
    let at = |place: usize| match (start, step) {
        (Number::Long(start), Number::Long(step)) => {
            Number::Long(start.saturating_add(step.saturating_mul(place as i64)))
        }
        _ => Number::Real(start.real() + step.real() * place as f64),
    };
    Ok((0..steps as usize).map(|place| Cow::Owned(at(place).text())).collect())
}

/// The first word of each part between bars; bars in quotes and brackets part nothing.
fn commands(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    each(args, rows, |row, out| {
        let text = text_at(args, 0, row).unwrap_or_default();
        let (mut names, mut quoted, mut depth, mut part) = (Vec::new(), false, 0usize, String::new());
        for character in text.chars().chain(['|']) {
            match character {
                '"' => quoted = !quoted,
                '[' if !quoted => depth += 1,
                ']' if !quoted => depth = depth.saturating_sub(1),
                '|' if !quoted && depth == 0 => {
                    names.extend(part.split_whitespace().next().map(str::to_owned));
                    part.clear();
                    continue;
                }
                _ => {}
            }
            part.push(character);
        }
        out.push_several(names);
        Ok(())
    })
}

crate::kernels! {
    /// All values of the fields and texts given, in one field.
    ///
    /// Source: Splunk Search Reference, multivalue eval functions.
    ///
    /// ```spl
    /// mvjoin(mvappend("a", split("b,c", ","), null()), "-") // a-b-c
    /// ```
    spl fn mvappend (value[repeats]: Any) -> Kind(Kind::Field) = mvappend;

    /// The number of values of a field; no value where it is absent.
    ///
    /// Source: Splunk Search Reference, multivalue eval functions.
    ///
    /// ```spl
    /// mvcount(split("a,b", ",")) // 2
    /// mvcount(null()) //
    /// ```
    spl fn mvcount (values: Any) -> Kind(Kind::Field) = mvcount;

    /// The values of a field, each once, in the order of their first sight.
    ///
    /// Source: Splunk Search Reference, multivalue eval functions.
    ///
    /// ```spl
    /// mvjoin(mvdedup(split("a,b,a", ",")), "-") // a-b
    /// ```
    spl fn mvdedup (values: Any) -> Kind(Kind::Field) = mvdedup;

    /// The value at a place, counted from 0 and from the end where negative, or the values up to another place.
    ///
    /// Source: Splunk Search Reference, multivalue eval functions.
    ///
    /// ```spl
    /// mvindex(split("a,b,c", ","), -1) // c
    /// mvjoin(mvindex(split("a,b,c", ","), 0, 1), "-") // a-b
    /// mvindex(split("a,b,c", ","), 3) //
    /// ```
    spl fn mvindex (values: Any, start: Any, end[optional]: Any) -> Kind(Kind::Field) = mvindex;

    /// The values of a field as one text, with another text between them.
    ///
    /// Source: Splunk Search Reference, multivalue eval functions.
    ///
    /// ```spl
    /// mvjoin(mvrange(1, 6), " OR ") // 1 OR 2 OR 3 OR 4 OR 5
    /// ```
    spl fn mvjoin (values: Any, between: Any) -> Kind(Kind::Field) = mvjoin;

    /// The numbers from a start up to an end that is left out, one or so many apart; a step such as `7d` is one of time.
    ///
    /// Source: Splunk Search Reference, multivalue eval functions.
    ///
    /// ```spl
    /// mvjoin(mvrange(1, 11, 2), " ") // 1 3 5 7 9
    /// mvcount(mvrange(1514834731, 1524134919, "7d")) // 16
    /// ```
    spl fn mvrange (start: Any, end: Any, step[optional]: Any) -> Kind(Kind::Field) = mvrange;

    /// The values of a field in the opposite order.
    ///
    /// Source: Splunk Search Reference, multivalue eval functions.
    ///
    /// ```spl
    /// mvjoin(mvreverse(split("1,2,3", ",")), ",") // 3,2,1
    /// ```
    spl fn mvreverse (values: Any) -> Kind(Kind::Field) = mvreverse;

    /// The values of a field in the order of their characters.
    ///
    /// Source: Splunk Search Reference, multivalue eval functions.
    ///
    /// ```spl
    /// mvjoin(mvsort(split("9,70,100,10", ",")), " ") // 10 100 70 9
    /// ```
    spl fn mvsort (values: Any) -> Kind(Kind::Field) = mvsort;

    /// The values of two fields in pairs, with a comma or another text between them.
    ///
    /// Source: Splunk Search Reference, multivalue eval functions.
    ///
    /// ```spl
    /// mvjoin(mvzip(split("a,b", ","), split("1,2", ","), "="), " ") // a=1 b=2
    /// ```
    spl fn mvzip (left: Any, right: Any, between[optional]: Any) -> Kind(Kind::Field) = mvzip;

    /// The parts of a text between separators; each character where the separator is empty.
    ///
    /// Source: Splunk Search Reference, multivalue eval functions.
    ///
    /// ```spl
    /// mvjoin(split("1a2b3c4def567890", "def"), " ") // 1a2b3c4 567890
    /// mvcount(split("abcd", "")) // 4
    /// ```
    spl fn split (text: Any, separator: Any) -> Kind(Kind::Field) = split;

    /// The commands of a search.
    ///
    /// Source: Splunk Search Reference, multivalue eval functions.
    ///
    /// ```spl
    /// mvjoin(commands("search foo|stats count|sort count"), " ") // search stats sort
    /// ```
    spl fn commands (search: Any) -> Kind(Kind::Field) = commands;
}

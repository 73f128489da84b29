//! Commands that add fields to each row by itself: `strcat`, `rangemap`, `addinfo`, `tojson`, and those that change only
//! how results are shown.
use super::options::Options;
use crate::diagnostic::Diagnostic;
use crate::expr::Expr;
use crate::spl::ast::Command;
use crate::spl::lower::build::{absent, call, text};
use crate::spl::lower::{Lower, Lowering, Rows};
use crate::spl::parse::Reader;
use crate::types::field::Number;
use crate::types::{Kind, Name, datetime};

fn strcat(lowering: &mut Lowering, command: &Command, rows: Rows) -> Lower<Rows> {
    let mut reader = Reader::new(command);
    let options = Options::read(&mut reader, &["allrequired"])?;
    let mut words = Vec::new();
    while !reader.at_end() {
        if !reader.eat(",") {
            words.push(reader.needed_word("a field or a text in double quotes")?);
        }
    }
    let Some(target) = words.pop().filter(|_| !words.is_empty()) else {
        let said = Diagnostic::error("HP504", "`strcat` needs what it joins, and a field for the result");
        return Err(said.at(command.span).into());
    };
    let parts: Vec<Expr> = words
        .iter()
        .map(|word| match (word.quoted, options.flag("allrequired").ok().flatten()) {
            (true, _) => text(&word.text),
            (false, Some(true)) => rows.field(&word.text),
            // What is absent adds nothing.
            (false, _) => Expr::Coalesce(vec![rows.field(&word.text), text("")], Kind::Field),
        })
        .collect();
    options.flag("allrequired")?;
    Ok(lowering.extend(&rows, vec![(target.text.as_str().into(), call(".", parts)?)]))
}

/// The field that `rangemap` gives.
const RANGE: &str = "range";

fn rangemap(lowering: &mut Lowering, command: &Command, rows: Rows) -> Lower<Rows> {
    let mut reader = Reader::new(command);
    let (mut field, mut otherwise, mut ranges) = (None, "None".to_owned(), Vec::new());
    while !reader.at_end() {
        let Some((name, value)) = reader.option() else {
            return Err(reader.expected("field=<field> or <name>=<low>-<high>").into());
        };
        match () {
            () if name.is("field") => field = Some(value.text),
            () if name.is("default") => otherwise = value.text,
            () => match range(&value.text) {
                Some(ends) => ranges.push((name.text, ends)),
                None => {
                    let said = Diagnostic::error("HP504", format!("`{}` is no range of numbers", value.text));
                    return Err(said.at(value.span).help("write low=0-30").into());
                }
            },
        }
    }
    let Some(field) = field else {
        return Err(Diagnostic::error("HP504", "`rangemap` needs field=<field>").at(command.span).into());
    };
    let value = rows.field(&field);
    let mut found = Vec::new();
    for (name, (low, high)) in ranges {
        let inside = vec![
            call(">=", vec![value.clone(), Expr::Const(low.into())])?,
            call("<=", vec![value.clone(), Expr::Const(high.into())])?,
        ];
        let branches = vec![(Expr::And(inside), text(&name))];
        found.push(Expr::Case { branches, otherwise: Box::new(absent()), kind: Kind::Field });
    }
    let found = match found.is_empty() {
        true => absent(),
        false => call("mvappend", found)?,
    };
    let named = Expr::Coalesce(vec![found, text(&otherwise)], Kind::Field);
    Ok(lowering.extend(&rows, vec![(RANGE.into(), named)]))
}

/// `0-30`, `-5--1`.
fn range(text: &str) -> Option<(Number, Number)> {
    let at = text.char_indices().skip(1).find(|(_, c)| *c == '-')?.0;
    Number::read(text.get(..at)?.trim()).zip(Number::read(text.get(at + 1..)?.trim()))
}

fn addinfo(lowering: &mut Lowering, command: &Command, rows: Rows) -> Lower<Rows> {
    Reader::new(command).finish()?;
    let settings = lowering.settings;
    let seconds = |ticks: i64| Number::Real(ticks as f64 / datetime::TICKS_PER_SECOND as f64);
    let number = |number: Number| Expr::Const(number.into());
    let columns = vec![
        ("info_min_time".into(), settings.earliest.map_or(number(Number::Long(0)), |t| number(seconds(t)))),
        ("info_max_time".into(), settings.latest.map_or_else(|| text("+Infinity"), |t| number(seconds(t)))),
        ("info_search_time".into(), number(seconds(settings.context.now))),
        ("info_sid".into(), text("huntpack")),
    ];
    Ok(lowering.extend(&rows, columns))
}

fn tojson(lowering: &mut Lowering, command: &Command, rows: Rows) -> Lower<Rows> {
    const OPTIONS: [&str; 4] = ["output_field", "default_type", "include_internal", "fill_null"];
    let (options, fields) = Options::with_fields(command, &OPTIONS)?;
    rows.want_all();
    let internal = options.flag("include_internal")?.unwrap_or(false);
    let names: Vec<Name> = match fields.is_empty() {
        true => rows.names().filter(|name| internal || !name.starts_with('_')).cloned().collect(),
        false => rows.matching_any(fields.iter().map(|word| word.text.as_str())),
    };
    let parts = names.iter().flat_map(|name| [text(name), rows.field(name)]).collect();
    let function = if options.flag("fill_null")?.unwrap_or(false) { "json_object" } else { ".json_row" };
    let object = call(function, parts)?;
    let target = options.text("output_field").unwrap_or("_raw");
    Ok(lowering.extend(&rows, vec![(target.into(), object)]))
}

fn shown(_: &mut Lowering, _: &Command, rows: Rows) -> Lower<Rows> {
    Ok(rows)
}

crate::command! {
    /// Joins fields and texts to a new field, the last one named. What is absent adds nothing, or with
    /// `allrequired=true` leaves the row without a result.
    ///
    /// Source: strcat.
    ///
    /// ```spl
    /// | makeresults | eval a="x", b="y" | strcat a "-" b c | table c // x-y
    /// ```
    "strcat": "strcat [allrequired=<flag>] <field or text>... <field>" = Rows(strcat);

    /// The names of the ranges that a number lies in, in the field `range`.
    ///
    /// Source: rangemap.
    ///
    /// ```spl
    /// | makeresults | eval n=5 | rangemap field=n low=0-3 high=4-9 default=none | table range // high
    /// ```
    "rangemap": "rangemap field=<field> [<name>=<low>-<high>]... [default=<text>]" = Rows(rangemap);

    /// Adds what the search is: the time that it searches, `info_min_time` and `info_max_time`, and that of its run.
    ///
    /// Source: addinfo.
    ///
    /// ```spl
    /// | makeresults | addinfo | table info_min_time info_max_time // [0,"+Infinity"]
    /// ```
    "addinfo": "addinfo" = Rows(addinfo);

    /// The fields of a row as a JSON object, in `_raw` or in another field. What is absent is left out, or is `null` with
    /// `fill_null=true`.
    ///
    /// Source: tojson.
    ///
    /// ```spl
    /// | makeresults | eval a=1, b="x" | tojson a b output_field=j | table j // {"a":1,"b":"x"}
    /// ```
    "tojson": "tojson [<field>...] [output_field=<field>] [include_internal=<flag>] [fill_null=<flag>]" = Rows(tojson);

    /// Changes only how results are shown, or where a search runs: rows stay as they are.
    ///
    /// Source: highlight, iconify, abstract, localop, redistribute, noop.
    ///
    /// ```spl
    /// | makeresults | highlight error | stats count // 1
    /// ```
    "highlight" as ["iconify", "abstract", "localop", "redistribute", "noop"]: "highlight <text>..." = Rows(shown);
}

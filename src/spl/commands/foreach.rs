//! `foreach`: commands once for each of several fields, or for each value of one.
use super::options::Options;
use crate::diagnostic::Diagnostic;
use crate::expr::Expr;
use crate::spl::ast::{Command, Search};
use crate::spl::expand::Script;
use crate::spl::lower::build::call;
use crate::spl::lower::{Lower, Lowering, Rows};
use crate::spl::parse::Reader;
use crate::spl::wildcard;
use crate::types::field::{self, Number};
use crate::types::{Kind, Name};

const OPTIONS: [&str; 9] =
    ["mode", "fieldstr", "matchstr", "matchseg1", "matchseg2", "matchseg3", "itemstr", "iterstr", "allowempty"];
const MODES: [&str; 4] = ["multifield", "multivalue", "json_array", "auto_collections"];

/// Values of one row that a template is run for.
const MOST_VALUES: usize = 10_000;

fn lower(lowering: &mut Lowering, command: &Command, rows: Rows) -> Lower<Rows> {
    let mut reader = Reader::new(command);
    let mut options = Options::read(&mut reader, &OPTIONS)?;
    let mut patterns = Vec::new();
    loop {
        options.read_more(&mut reader, &OPTIONS)?;
        while reader.eat(",") {}
        if reader.peek() == Some('[') || reader.at_end() {
            break;
        }
        patterns.push(reader.needed_field()?);
    }
    let template = reader.needed_search()?;
    reader.finish()?;
    match options.choice("mode", &MODES)?.unwrap_or("multifield") {
        "multifield" => {
            let names = patterns.iter().flat_map(|word| {
                let found = rows.matching(&word.text).into_iter();
                found.map(|name| (word.text.clone(), name)).collect::<Vec<_>>()
            });
            each_field(lowering, rows.clone(), template, names.collect(), &options)
        }
        mode => {
            let [field] = patterns.as_slice() else {
                let said = Diagnostic::error("HP504", format!("`foreach mode={mode}` takes one field"));
                return Err(said.at(command.span).into());
            };
            let values = match mode {
                "multivalue" => rows.field(&field.text),
                // An array of JSON, or what has several values already.
                _ => {
                    let elements = call("json_array_to_mv", vec![rows.field(&field.text)])?;
                    Expr::Coalesce(vec![elements, rows.field(&field.text)], Kind::Field)
                }
            };
            each_value(lowering, rows, template, values, &options, command)
        }
    }
}

fn each_field(
    lowering: &mut Lowering,
    rows: Rows,
    template: &Search,
    names: Vec<(String, Name)>,
    options: &Options,
) -> Lower<Rows> {
    let mut rows = rows;
    for (pattern, name) in names {
        let captures = wildcard::captures(&pattern, &name).unwrap_or_default();
        let mut substitutes = vec![
            (options.text("fieldstr").unwrap_or("<<FIELD>>"), name.to_string()),
            (options.text("matchstr").unwrap_or("<<MATCHSTR>>"), captures.concat()),
        ];
        let segments = [("matchseg1", "<<MATCHSEG1>>"), ("matchseg2", "<<MATCHSEG2>>"), ("matchseg3", "<<MATCHSEG3>>")];
        for (at, (option, mark)) in segments.into_iter().enumerate() {
            substitutes.push((options.text(option).unwrap_or(mark), captures.get(at).map_or("", |c| c).to_owned()));
        }
        rows = filled(lowering, rows, template, &substitutes)?;
    }
    Ok(rows)
}

/// The template is run once for each place among the values; rows with fewer values stay as they are.
fn each_value(
    lowering: &mut Lowering,
    rows: Rows,
    template: &Search,
    values: Expr,
    options: &Options,
    command: &Command,
) -> Lower<Rows> {
    let list = lowering.hidden("values");
    let mut rows = lowering.extend(&rows, vec![(list.clone(), values)]);
    let Some(table) = lowering.seen(&rows, command.name.span)? else { return Ok(rows.opened()) };
    let most = table
        .column_named(&list)
        .map_or(0, |column| (0..column.len()).map(|row| field::count(&column, row)).max().unwrap_or(0));
    if most > MOST_VALUES {
        let said = Diagnostic::error("HP310", format!("`foreach` takes at most {MOST_VALUES} values of a field"));
        return Err(said.at(command.span).into());
    }
    rows = lowering.known(&rows, table);
    let item = lowering.hidden("item");
    for place in 0..most {
        let at = Expr::Const(Number::Long(place as i64).into());
        let value = call("mvindex", vec![rows.field(&list), at])?;
        let before = lowering.extend(&rows, vec![(item.clone(), value)]);
        let substitutes = [
            (options.text("itemstr").unwrap_or("<<ITEM>>"), format!("'{item}'")),
            (options.text("iterstr").unwrap_or("<<ITER>>"), place.to_string()),
        ];
        rows =
            where_present(lowering, before, &item, &|lowering, rows| filled(lowering, rows, template, &substitutes))?;
    }
    Ok(lowering.without(&rows, &[list, item]))
}

/// A field's name while a template runs that may change it.
fn aside(name: &Name) -> Name {
    format!("\u{1}before {name}").into()
}

/// The template over all rows; where the item is absent, every field is as it was before.
fn where_present(lowering: &mut Lowering, before: Rows, item: &Name, run: Template) -> Lower<Rows> {
    let names: Vec<Name> = before.names().cloned().collect();
    let copies = names.iter().map(|name| (aside(name), before.field(name))).collect();
    let copied = lowering.extend(&before, copies);
    let after = run(lowering, copied)?;
    let kept: Vec<Name> = after.names().filter(|name| !names.iter().any(|own| aside(own) == **name)).cloned().collect();
    let mut chosen = Vec::with_capacity(kept.len());
    for name in kept {
        let present = call("isnotnull", vec![after.field(&aside(item))])?;
        let branches = vec![(present, after.field(&name))];
        let otherwise = Box::new(after.field(&aside(&name)));
        chosen.push((name, Expr::Case { branches, otherwise, kind: Kind::Field }));
    }
    Ok(lowering.project(&after, chosen))
}

type Template<'a> = &'a dyn Fn(&mut Lowering, Rows) -> Lower<Rows>;

/// The rows after the template with these texts in the place of its marks.
fn filled(lowering: &mut Lowering, rows: Rows, template: &Search, substitutes: &[(&str, String)]) -> Lower<Rows> {
    let mut text = template.script.text().get(template.start..template.end).unwrap_or_default().to_owned();
    for (mark, value) in substitutes.iter().filter(|(mark, _)| !mark.is_empty()) {
        text = text.replace(mark, value);
    }
    // What stands first is a command, not search terms.
    if !text.trim_start().starts_with('|') {
        text.insert(0, '|');
    }
    let script = Script::made(text, template.span);
    let search = lowering.parsed(&script)?;
    lowering.search(&search, Some(rows))
}

crate::command! {
    /// Runs commands once for each field that names with wildcards stand for.
    ///
    /// In the commands `<<FIELD>>` stands for the field's name and `<<MATCHSTR>>` for what the wildcard stood for. With
    /// `mode=multivalue` they run for each value of one field, `<<ITEM>>`, in rows that have it; with `mode=json_array`
    /// for each element of an array.
    ///
    /// Source: foreach.
    ///
    /// ```spl
    /// | makeresults | eval a1=1, a2=2, n=0 | foreach a* [eval n=n+<<FIELD>>] | table n // 3
    /// | makeresults | eval v=split("1,2,3", ","), n=0 | foreach mode=multivalue v [eval n=n+<<ITEM>>] | table n // 6
    /// ```
    "foreach": "foreach <field>... [mode=<mode>] [<commands>]" = Rows(lower);
}

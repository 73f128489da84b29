//! `typer` and `tags`: the event types of events, and the tags of their values.
use super::options::Options;
use crate::diagnostic::Diagnostic;
use crate::expr::Expr;
use crate::spl::ast::{Command, Comparison, Term, Word};
use crate::spl::lower::build::{absent, call, text};
use crate::spl::lower::{Lower, Lowering, Rows};
use crate::spl::parse::Reader;
use crate::types::{Kind, Name};

/// Fields by which search terms choose events, where they have them.
const EVENT_TYPE: &str = "eventtype";
const TAG: &str = "tag";

fn typer(lowering: &mut Lowering, command: &Command, rows: Rows) -> Lower<Rows> {
    let mut reader = Reader::new(command);
    Options::read(&mut reader, &["eventtypes", "maxlen"])?;
    reader.finish()?;
    let types = lowering.catalog.event_types();
    if types.is_empty() {
        lowering.warn(nothing_known("event types", command));
        return Ok(rows);
    }
    let mut found = vec![rows.field(EVENT_TYPE)];
    for own in types {
        let name = Word { text: own.name.clone(), span: command.name.span, quoted: true };
        found.push(named(lowering, &rows, &compared(EVENT_TYPE, &name), &own.name)?);
    }
    Ok(lowering.extend(&rows, vec![(EVENT_TYPE.into(), once(found)?)]))
}

fn tags(lowering: &mut Lowering, command: &Command, rows: Rows) -> Lower<Rows> {
    let known = ["outputfield", "inclname", "inclvalue", "allowed_tags"];
    let (options, fields) = Options::with_fields(command, &known)?;
    let all = lowering.catalog.event_tags();
    if all.is_empty() {
        lowering.warn(nothing_known("tags", command));
        return Ok(rows);
    }
    let allowed: Option<Vec<&str>> = options.text("allowed_tags").map(|text| text.split(',').map(str::trim).collect());
    let (with_name, with_value) =
        (options.flag("inclname")?.unwrap_or(false), options.flag("inclvalue")?.unwrap_or(false));
    let mut columns: Vec<(Name, Vec<Expr>)> = Vec::new();
    for tag in all {
        let is_wanted = fields.is_empty() || fields.iter().any(|field| field.text == tag.field);
        if !is_wanted || allowed.as_ref().is_some_and(|allowed| !allowed.contains(&tag.name.as_str())) {
            continue;
        }
        let value = Word { text: tag.value.clone(), span: command.name.span, quoted: true };
        let before = [(with_name, &tag.field), (with_value, &tag.value)];
        let parts = before.into_iter().filter(|(wanted, _)| *wanted).map(|(_, part)| part.as_str());
        let label = parts.chain([tag.name.as_str()]).collect::<Vec<_>>().join("::");
        let found = named(lowering, &rows, &compared(&tag.field, &value), &label)?;
        let outputs = match options.text("outputfield") {
            Some(output) => vec![Name::from(output)],
            None => vec![TAG.into(), format!("{TAG}::{}", tag.field).into()],
        };
        for output in outputs {
            match columns.iter_mut().find(|(known, _)| *known == output) {
                Some((_, parts)) => parts.push(found.clone()),
                None => columns.push((output, vec![found.clone()])),
            }
        }
    }
    let columns = columns.into_iter().map(|(name, found)| Ok((name, once(found)?))).collect::<Lower<_>>()?;
    Ok(lowering.extend(&rows, columns))
}

fn compared(field: &str, value: &Word) -> Term {
    let field = Word { text: field.to_owned(), ..value.clone() };
    Term::Compare { field, operator: Comparison::Equal, value: value.clone() }
}

/// A label where a term holds, else nothing.
fn named(lowering: &Lowering, rows: &Rows, term: &Term, label: &str) -> Lower<Expr> {
    let test = lowering.holds(term, rows)?;
    Ok(Expr::Case { branches: vec![(test, text(label))], otherwise: Box::new(absent()), kind: Kind::Field })
}

/// All values that are there, each once.
fn once(found: Vec<Expr>) -> Lower<Expr> {
    call("mvdedup", vec![call("mvappend", found)?])
}

fn nothing_known(what: &str, command: &Command) -> Diagnostic {
    let message = format!("`{}` knows no {what}: no add-on defines any", command.name.text);
    Diagnostic::warning("HP506", message).at(command.name.span).help("give the folder of an add-on with addons=")
}

crate::command! {
    /// The names of the event types that each event is of, in the field `eventtype`. They are those of the add-ons that
    /// are given; without any this is a warning.
    ///
    /// Source: typer.
    ///
    /// ```spl
    /// | makeresults | typer | stats count // 1
    /// ```
    "typer": "typer" = Rows(typer);

    /// The tags that add-ons give to the values of fields, in `tag` and in `tag::<field>`, or in `outputfield`. With
    /// fields, those of their values alone; `inclname` and `inclvalue` put the field and the value before a tag.
    ///
    /// Source: tags.
    ///
    /// ```spl
    /// | makeresults | tags outputfield=labels | stats count // 1
    /// ```
    "tags": "tags [outputfield=<field>] [inclname=<flag>] [inclvalue=<flag>] [allowed_tags=<names>] [<field>...]" = Rows(tags);
}

//! `lookup`: fields of a lookup's rows for the events that match them.
use super::options::Options;
use crate::diagnostic::{Diagnostic, closest};
use crate::plan::{Lookup, Node};
use crate::spl::ast::{Command, Word};
use crate::spl::lookup::{Compute, Computed, Enrich, Pair, with_fields};
use crate::spl::lower::{Lower, Lowering, Rows, said};
use crate::spl::parse::Reader;
use crate::types::{Kind, Name, Schema};
use std::sync::Arc;

const OPTIONS: &[&str] = &["local", "update", "event_time_field"];

/// What a call says: the lookup, fields to match, fields to take.
pub(super) struct Call {
    pub name: Word,
    pub keys: Vec<(Word, Name)>,
    /// None where all fields are taken.
    pub outputs: Option<Vec<(Word, Name)>>,
    /// Whether a value that an event has is kept.
    pub keeps: bool,
    /// The event's field with its time.
    pub time: Name,
}

impl Call {
    fn read(command: &Command) -> Lower<Call> {
        let mut reader = Reader::new(command);
        let mut options = Options::read(&mut reader, OPTIONS)?;
        let name = reader.needed_word("the name of a lookup")?;
        options.read_more(&mut reader, OPTIONS)?;
        let keys = pairs(&mut reader)?;
        if keys.is_empty() {
            return Err(reader.expected("a field of the lookup").into());
        }
        let keeps = reader.eat_word("OUTPUTNEW");
        let outputs = match keeps || reader.eat_word("OUTPUT") {
            true => Some(pairs(&mut reader)?),
            false => None,
        };
        reader.finish()?;
        let time = options.text("event_time_field").unwrap_or("_time").into();
        Ok(Call { name, keys, outputs, keeps, time })
    }
}

/// `field AS other, field other`
fn pairs(reader: &mut Reader) -> Lower<Vec<(Word, Name)>> {
    let mut found = Vec::new();
    loop {
        while reader.eat(",") {}
        if reader.at_end() || reader.at_word("OUTPUT") || reader.at_word("OUTPUTNEW") {
            return Ok(found);
        }
        let field = reader.needed_field()?;
        let event = match reader.eat_word("AS") {
            true => reader.needed_field()?.text,
            false => field.text.clone(),
        };
        found.push((field, Name::from(event)));
    }
}

fn lower(lowering: &mut Lowering, command: &Command, rows: Rows) -> Lower<Rows> {
    let call = Call::read(command)?;
    looked_up(lowering, &call, rows)
}

/// The rows with the fields that a call takes from its lookup.
pub(super) fn looked_up(lowering: &mut Lowering, call: &Call, rows: Rows) -> Lower<Rows> {
    let found = lowering.catalog.lookup(&call.name.text).map_err(|fault| said(&fault, call.name.span))?;
    match (found, Computed::find(&call.name.text)) {
        (Some(lookup), _) => enriched(lowering, call, &lookup, &rows),
        (None, Some(computed)) => computed_rows(lowering, call, computed, &rows),
        (None, None) if lowering.runs() => Err(unknown(lowering, &call.name).into()),
        (None, None) => {
            let warning =
                Diagnostic { severity: crate::diagnostic::Severity::Warning, ..unknown(lowering, &call.name) };
            lowering.warn(warning);
            Ok(unknown_rows(lowering, call, &rows))
        }
    }
}

fn enriched(lowering: &mut Lowering, call: &Call, lookup: &Lookup, rows: &Rows) -> Lower<Rows> {
    let schema = lookup.source.schema();
    let keys = call.keys.iter().map(|(field, event)| pair(field, event, schema)).collect::<Lower<Vec<_>>>()?;
    let outputs = match &call.outputs {
        Some(outputs) => outputs.iter().map(|(field, event)| pair(field, event, schema)).collect::<Lower<Vec<_>>>()?,
        None => {
            let others = schema.names().filter(|name| !keys.iter().any(|key| key.lookup == **name));
            others.map(|name| Pair { lookup: name.clone(), event: name.clone() }).collect()
        }
    };
    if lookup.source.table().is_some_and(|table| table.rows() == 0) {
        let message = format!("the lookup `{}` has no rows", lookup.name);
        let said = Diagnostic::warning("HP510", message).at(call.name.span);
        lowering.warn(said.help(format!("give them with lookups={{\"{}\": ...}}", lookup.name)));
    }
    let table = table_rows(lowering, lookup);
    let out = with_fields(&rows.schema, outputs.iter().map(|pair| &pair.event));
    let matching = lookup.matching.clone();
    if matching.time.is_some() {
        rows.has(&call.time);
    }
    let time = call.time.clone();
    let operation = Enrich { keys, outputs, keeps: call.keeps, matching, time, schema: out.clone() };
    Ok(lowering.operation(&[rows, &table], Arc::new(operation), out))
}

/// The lookup's own rows.
pub(super) fn table_rows(lowering: &mut Lowering, lookup: &Lookup) -> Rows {
    let schema = lookup.source.schema().clone();
    let node = Node::Scan { name: lookup.name.as_str().into(), source: lookup.source.clone() };
    let node = lowering.plan.add(node, schema.clone());
    Rows::new(node, schema)
}

/// A field of the lookup; one without columns has any.
fn pair(field: &Word, event: &Name, schema: &Schema) -> Lower<Pair> {
    let name = Name::from(field.text.as_str());
    if schema.contains(&name) || schema.is_empty() {
        return Ok(Pair { lookup: name, event: event.clone() });
    }
    let said = Diagnostic::error("HP509", format!("the lookup has no field `{name}`")).at(field.span);
    let fields: Vec<&str> = schema.names().map(|name| &**name).collect();
    Err(match closest(&name, fields.iter().copied()) {
        Some(near) => said.help(format!("did you mean `{near}`?")),
        None => said.help(format!("its fields are {}", fields.join(", "))),
    }
    .into())
}

fn computed_rows(lowering: &mut Lowering, call: &Call, lookup: Computed, rows: &Rows) -> Lower<Rows> {
    let schema = Schema::from_iter([lookup.input, lookup.output].map(|name| (Name::from(name), Kind::Field)));
    let Some((field, event)) = call.keys.first().filter(|_| call.keys.len() == 1) else {
        let said = Diagnostic::error("HP509", format!("the lookup `{}` takes one field", lookup.name));
        return Err(said.at(call.name.span).into());
    };
    let key = pair(field, event, &schema)?;
    let output = match call.outputs.as_deref() {
        Some([(field, event)]) => pair(field, event, &schema)?.event,
        _ => lookup.output.into(),
    };
    let out = with_fields(&rows.schema, std::iter::once(&output));
    let operation = Compute { lookup, key, output, keeps: call.keeps, schema: out.clone() };
    Ok(lowering.operation(&[rows], Arc::new(operation), out))
}

/// In a check, the fields of a lookup that is not at hand.
fn unknown_rows(lowering: &mut Lowering, call: &Call, rows: &Rows) -> Rows {
    let names: Vec<Name> = call.outputs.iter().flatten().map(|(_, event)| event.clone()).collect();
    let out = with_fields(&rows.schema, names.iter());
    let absent = names.iter().map(|name| (name.clone(), rows.field(""))).collect();
    let rows = lowering.extend(rows, absent);
    Rows { schema: out, ..rows }.opened()
}

/// What is said of a lookup that nobody has given.
pub(super) fn unknown(lowering: &Lowering, name: &Word) -> Diagnostic {
    let said = Diagnostic::error("HP509", format!("there is no lookup `{}`", name.text)).at(name.span);
    let known = lowering.catalog.lookups();
    match closest(&name.text, known.iter().map(String::as_str)) {
        Some(near) => said.help(format!("did you mean `{near}`?")),
        None => said.help("give it with lookups={\"name\": rows}, a transforms.conf or a folder of lookups"),
    }
}

crate::command! {
    /// Fields of a lookup's rows for the events that match them.
    ///
    /// The first fields are matched: `name AS field` where the event calls it otherwise. How is said by the lookup's
    /// definition: exactly, by patterns that stand in the lookup (WILDCARD), or by networks (CIDR); with case or without.
    /// An event takes the first rows that match, as many as the definition allows; several give several values. With
    /// fewer than `min_matches` the default value stands in. OUTPUT overwrites fields, with nothing too where no row
    /// matches; OUTPUTNEW keeps values that are there; without either, all other fields of the lookup are taken. An
    /// event that lacks a field to match stays as it is.
    ///
    /// Where the definition names a `time_field`, rows count that the event is later than by `min_offset_secs` to
    /// `max_offset_secs`, the latest ones first. The event's time is `_time`, or the field that `event_time_field` names.
    ///
    /// Source: lookup.
    ///
    /// ```spl
    /// | makeresults | eval name="aabb" | lookup ut_shannon_lookup word AS name | table ut_shannon // 1
    /// ```
    "lookup": "lookup <lookup> <field> [AS <field>] [OUTPUT|OUTPUTNEW <field> [AS <field>]]" = Rows(lower);
}

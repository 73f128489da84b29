//! Some events whose fields are found when they are asked for.
use super::TIME;
use super::columns::{choose, first_present, has_all, is_absent, is_same, mask, part, scalars};
use super::kinds::{self, Known};
use super::knowledge::Knowledge;
use super::part::{Part, present};
use super::rules::{Compiled, Formula, Precedence, Rule, STAGES, Value};
use super::time::{self, TIMES};
use crate::diagnostic::{Fault, Result};
use crate::expr::{Input, evaluate};
use crate::functions::Context;
use crate::functions::extraction::{self, Collector, json};
use crate::plan::Morsel;
use crate::read::RAW;
use crate::types::field::{FieldBuilder, from_value, text};
use crate::types::{Column, Dynamic, Kind, Name, gather, json as dynamic};
use arrow_buffer::BooleanBuffer;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock};

/// What all morsels of a part share in one scan.
#[derive(Debug)]
pub struct Reading {
    pub part: Arc<Part>,
    pub knowledge: Arc<Knowledge>,
    /// The columns that are read of the part.
    pub columns: Vec<Name>,
    /// The fields that are looked for in the texts of events.
    pub wanted: Vec<Name>,
    /// The fields that are asked for.
    pub asked: Vec<Name>,
    /// Whether rules make any of the fields that are asked for.
    pub ruled: bool,
    pub context: OnceLock<Arc<Context>>,
}

impl Reading {
    /// The surroundings of the run, for columns that are made after a piece was read.
    fn context(&self, context: &Context) -> Arc<Context> {
        let keep = || {
            let kept = Context::new(context.now, context.limits.clone(), context.cancel.clone());
            let mut kept = kept.with_places(context.places.clone());
            kept.timezone = context.timezone;
            Arc::new(kept)
        };
        self.context.get_or_init(keep).clone()
    }
}

/// Events of one part.
pub struct EventMorsel {
    pub reading: Arc<Reading>,
    pub inner: Arc<dyn Morsel>,
    context: Arc<Context>,
    texts: OnceLock<Column>,
    found: OnceLock<HashMap<Name, Column>>,
    known: OnceLock<Result<Vec<Known>>>,
    made: Mutex<HashMap<(Name, usize), Column>>,
    masks: Mutex<HashMap<String, BooleanBuffer>>,
    /// Some of the events, those that were asked for last.
    narrow: Mutex<Option<Arc<Narrow>>>,
}

/// Some events of a morsel.
struct Narrow {
    rows: Vec<u32>,
    events: EventMorsel,
}

/// Some rows of a morsel.
struct Picked {
    morsel: Arc<dyn Morsel>,
    rows: Vec<u32>,
}

impl Morsel for Picked {
    fn rows(&self) -> usize {
        self.rows.len()
    }

    fn column(&self, at: usize, rows: Option<&[u32]>) -> Result<Column> {
        match rows {
            None => self.morsel.column(at, Some(&self.rows)),
            Some(rows) => {
                let picked: Vec<u32> = rows.iter().filter_map(|row| self.rows.get(*row as usize).copied()).collect();
                self.morsel.column(at, Some(&picked))
            }
        }
    }
}

impl EventMorsel {
    pub fn new(reading: Arc<Reading>, inner: Box<dyn Morsel>, context: &Context) -> EventMorsel {
        let context = reading.context(context);
        Self::over(reading, inner.into(), context)
    }

    fn over(reading: Arc<Reading>, inner: Arc<dyn Morsel>, context: Arc<Context>) -> EventMorsel {
        EventMorsel {
            reading,
            inner,
            context,
            texts: OnceLock::new(),
            found: OnceLock::new(),
            known: OnceLock::new(),
            made: Mutex::default(),
            masks: Mutex::default(),
            narrow: Mutex::default(),
        }
    }

    pub fn rows(&self) -> usize {
        self.inner.rows()
    }

    /// Which rows are of a kind, told apart by a key; made once.
    pub fn mask(&self, key: String, make: impl FnOnce() -> Result<BooleanBuffer>) -> Result<BooleanBuffer> {
        if let Some(known) = self.masks.lock().ok().and_then(|masks| masks.get(&key).cloned()) {
            return Ok(known);
        }
        let made = make()?;
        if let Ok(mut masks) = self.masks.lock() {
            masks.insert(key, made.clone());
        }
        Ok(made)
    }

    /// A field that is a column as it stands, for some rows; none where more is to be looked at.
    pub fn plain(&self, name: &Name, rows: Option<&[u32]>) -> Result<Option<Column>> {
        let Reading { part, knowledge, columns, ruled, .. } = &*self.reading;
        let is_plain = part.raw.is_empty()
            && part.beside.is_none()
            && !(*ruled && knowledge.makes([name]))
            && !matches!(&**name, TIME | "source")
            && part.column(name).is_some_and(|(_, kind)| *kind != Kind::Dynamic)
            && part.containers(name).next().is_none();
        let read = |name: &Name| self.made.lock().ok()?.get(&(name.clone(), 0)).cloned();
        if let Some(known) = is_plain.then(|| read(name)).flatten() {
            return Ok(Some(rows.map_or_else(|| known.clone(), |rows| gather::take(&known, rows))));
        }
        match columns.iter().position(|known| known == name).filter(|_| is_plain) {
            Some(at) => self.inner.column(at, rows).map(|column| Some(present(&column))),
            None => Ok(None),
        }
    }

    /// A field of some events, after all stages. Of few of many events no others are looked at.
    pub fn field_of(&self, name: &Name, rows: &[u32]) -> Result<Column> {
        const MANY: usize = 4;
        let known = self.made.lock().is_ok_and(|made| made.contains_key(&(name.clone(), STAGES)));
        if known || rows.len().saturating_mul(MANY) > self.rows() {
            return Ok(gather::take(&self.field(name)?, rows));
        }
        self.narrowed(rows).events.field(name)
    }

    fn narrowed(&self, rows: &[u32]) -> Arc<Narrow> {
        let make = || {
            let picked = Picked { morsel: self.inner.clone(), rows: rows.to_vec() };
            let events = EventMorsel::over(self.reading.clone(), Arc::new(picked), self.context.clone());
            Arc::new(Narrow { rows: rows.to_vec(), events })
        };
        let Ok(mut narrow) = self.narrow.lock() else { return make() };
        match narrow.as_ref().filter(|known| known.rows == rows) {
            Some(known) => known.clone(),
            None => narrow.insert(make()).clone(),
        }
    }

    /// A field after all stages.
    pub fn field(&self, name: &Name) -> Result<Column> {
        self.staged(name, STAGES)
    }

    /// A field as it is behind so many stages.
    pub fn staged(&self, name: &Name, stages: usize) -> Result<Column> {
        let stages = if self.reading.ruled { stages } else { 0 };
        if let Some(known) = self.made.lock().ok().and_then(|made| made.get(&(name.clone(), stages)).cloned()) {
            return Ok(known);
        }
        let column = match stages.checked_sub(1) {
            None => self.own(name)?,
            Some(before) => self.ruled(name, before)?,
        };
        if let Ok(mut made) = self.made.lock() {
            made.insert((name.clone(), stages), column.clone());
        }
        Ok(column)
    }

    /// A field that the rules of one stage may make.
    fn ruled(&self, name: &Name, stage: usize) -> Result<Column> {
        let mut value = self.staged(name, stage)?;
        if !self.reading.knowledge.makes([name]) {
            return Ok(value);
        }
        for (number, rows) in self.known()? {
            let Some(stanza) = self.reading.knowledge.stanzas.get(*number) else { continue };
            for rule in stanza.rules(stage, name) {
                value = self.applied(rule, name, stage, rows.as_ref(), value)?;
            }
        }
        Ok(value)
    }

    fn applied(
        &self,
        rule: &Rule,
        name: &Name,
        stage: usize,
        rows: Option<&BooleanBuffer>,
        before: Column,
    ) -> Result<Column> {
        let mask = match &rule.when {
            None => rows.cloned(),
            Some(when) => {
                let when = mask(&self.formula(when, stage)?);
                Some(rows.map_or_else(|| when.clone(), |rows| rows & &when))
            }
        };
        if mask.as_ref().is_some_and(|mask| mask.count_set_bits() == 0) {
            return Ok(before);
        }
        let made = self.value(&rule.value, stage)?;
        let own = self.staged(name, stage.min(1))?;
        // Most rules find nothing that the event does not say itself.
        if rule.precedence == Precedence::Own && is_same(&own, &before) && (is_absent(&made) || has_all(&own)) {
            return Ok(before);
        }
        let made = match rule.precedence {
            Precedence::Own => first_present([own, made, before.clone()], self.rows()),
            Precedence::Rule => first_present([made, before.clone()], self.rows()),
            Precedence::Only => made,
        };
        Ok(choose(mask.as_ref(), made, before))
    }

    fn value(&self, value: &Value, stage: usize) -> Result<Column> {
        match value {
            Value::FirstOf(names) => {
                let columns = names.iter().map(|name| self.staged(name, stage)).collect::<Result<Vec<_>>>()?;
                Ok(first_present(columns, self.rows()))
            }
            Value::Formula(formula) => self.formula(formula, stage),
            Value::Group { pattern, group, from, all } => {
                let column = self.staged(from, stage)?;
                self.each_row(&column, |row, builder| {
                    let text = text(&column, row).unwrap_or_default();
                    let mut found: Vec<&str> = Vec::new();
                    pattern.each_match(&text, |groups| {
                        let place = groups.get(*group).copied().flatten();
                        found.extend(place.and_then(|(start, end)| text.get(start..end)));
                        *all
                    })?;
                    builder.push_several(found);
                    Ok(())
                })
            }
            Value::Part { delimiters, at, from } => {
                let column = self.staged(from, stage)?;
                self.each_row(&column, |row, builder| {
                    let text = text(&column, row).unwrap_or_default();
                    builder.push_several(part(&text, delimiters, *at).filter(|part| !part.is_empty()));
                    Ok(())
                })
            }
            Value::Lookup { table, column } => {
                let inputs = table.inputs.iter().map(|(_, field)| self.staged(field, stage));
                let inputs = inputs.collect::<Result<Vec<_>>>()?;
                let first = inputs.first().cloned().unwrap_or_else(|| Column::nulls(Kind::Field, self.rows()));
                self.each_row(&first, |row, builder| {
                    let texts: Vec<Option<String>> =
                        inputs.iter().map(|input| text(input, row).map(|text| text.into_owned())).collect();
                    builder.push_several(table.find(&texts, column));
                    Ok(())
                })
            }
        }
    }

    fn each_row(
        &self,
        source: &Column,
        mut push: impl FnMut(usize, &mut FieldBuilder) -> Result<()>,
    ) -> Result<Column> {
        let mut builder = FieldBuilder::new(Some(source), self.rows());
        for row in 0..self.rows() {
            push(row, &mut builder)?;
        }
        Ok(builder.finish())
    }

    /// An expression over the fields of a stage.
    pub fn formula(&self, formula: &Formula, stage: usize) -> Result<Column> {
        self.evaluated(formula, &Staged { morsel: self, stage })
    }

    /// An expression over some fields; a condition stays one.
    pub fn evaluated(&self, formula: &Formula, fields: &dyn Input) -> Result<Column> {
        let Compiled { expr, .. } = formula.compiled()?;
        let column = evaluate(expr, fields, &self.context)?;
        Ok(match column {
            Column::Const(value, rows) if value.kind() == Kind::String => Column::Const(from_value(&value), rows),
            Column::Text(Kind::String, text) => Column::Text(Kind::Field, text),
            other => other,
        })
    }

    /// The known sourcetypes of the events.
    pub fn known(&self) -> Result<&Vec<Known>> {
        let find = || {
            let mut failed = None;
            let known = kinds::of(&self.reading.knowledge, self.rows(), &mut |name| {
                self.staged(name, 0).unwrap_or_else(|fault: Fault| {
                    failed.get_or_insert(fault);
                    Column::nulls(Kind::Field, self.rows())
                })
            });
            failed.map_or(Ok(known), Err)
        };
        self.known.get_or_init(find).as_ref().map_err(Clone::clone)
    }

    /// A field of the event itself: a column, a part of one, or found in its text.
    fn own(&self, name: &Name) -> Result<Column> {
        match &**name {
            TIME => return self.time(),
            RAW => return self.texts(),
            _ => {}
        }
        let mut columns = Vec::new();
        if let Some((column, kind)) = self.reading.part.column(name) {
            let column = self.column(column)?;
            columns.push(if *kind == Kind::Dynamic { scalars(&column) } else { present(&column) });
        }
        for container in self.reading.part.containers(name) {
            columns.push(self.inside(container, container, name)?);
        }
        if let Some(beside) = &self.reading.part.beside {
            columns.push(self.inside(beside, "", name)?);
        }
        if !self.reading.part.raw.is_empty() {
            columns.extend(self.found()?.get(name).cloned());
        }
        if **name == *"source" && !self.reading.part.name.is_empty() {
            let name = crate::types::Value::Text(Kind::Field, self.reading.part.name.as_str().into());
            columns.push(Column::Const(name, self.rows()));
        }
        Ok(first_present(columns, self.rows()))
    }

    /// A column of the part, as it is read.
    pub fn column(&self, name: &Name) -> Result<Column> {
        match self.reading.columns.iter().position(|known| known == name) {
            Some(at) => self.inner.column(at, None),
            None => Ok(Column::nulls(Kind::Field, self.rows())),
        }
    }

    /// A field that lies in the objects and arrays of a column.
    fn inside(&self, container: &Name, under: &str, name: &Name) -> Result<Column> {
        let column = self.column(container)?;
        let jsons: Vec<_> =
            (0..column.len()).map(|row| Dynamic::of(&column, row).map(|value| value.to_json())).collect();
        let mut collector = Collector::of(std::slice::from_ref(name));
        for (row, json) in jsons.iter().enumerate() {
            if let Some(json) = json {
                collector.begin(row);
                json::walk_under(json, under, &mut collector);
            }
        }
        let found = collector.into_columns(column.len(), Some(&column)).into_iter().next();
        Ok(found.map_or_else(|| Column::nulls(Kind::Field, column.len()), |(_, column)| column))
    }

    /// The texts of the events.
    fn texts(&self) -> Result<Column> {
        if let Some(known) = self.texts.get() {
            return Ok(known.clone());
        }
        let columns = self.reading.part.raw.iter().map(|name| Ok(as_text(&self.column(name)?)));
        let made = first_present(columns.collect::<Result<Vec<_>>>()?, self.rows());
        Ok(self.texts.get_or_init(|| made).clone())
    }

    /// The wanted fields that the texts hold: all of them in one walk.
    fn found(&self) -> Result<&HashMap<Name, Column>> {
        if let Some(known) = self.found.get() {
            return Ok(known);
        }
        let texts = self.texts()?;
        let mut collector = Collector::of(&self.reading.wanted);
        for row in 0..texts.len() {
            if let Some(text) = texts.text(row) {
                collector.begin(row);
                extraction::event(text, &mut collector);
            }
        }
        let columns = collector.into_columns(texts.len(), Some(&texts)).into_iter().collect();
        Ok(self.found.get_or_init(|| columns))
    }

    /// The time: of the columns for it, then of the text's fields, then where the text begins.
    fn time(&self) -> Result<Column> {
        let rows = self.rows();
        let mut columns = Vec::new();
        for name in &self.reading.part.times {
            columns.push(time::seconds(&present(&self.column(name)?)));
        }
        let mut time = first_present(columns, rows);
        let complete = time.null_buffer().is_none_or(|nulls| nulls.null_count() == 0);
        if complete || self.reading.part.raw.is_empty() {
            return Ok(time);
        }
        let found = self.found()?;
        let told = TIMES.iter().filter_map(|name| found.get(*name)).filter(|column| !is_absent(column));
        let told = first_present(told.map(time::seconds).collect::<Vec<_>>(), rows);
        time = first_present([time, told], rows);
        Ok(match time.null_buffer() {
            Some(nulls) if nulls.null_count() > 0 => {
                first_present([time, time::of_texts(&self.texts()?, self.context.now)], rows)
            }
            _ => time,
        })
    }
}

/// Texts as they were logged: of JSON strings their inside, of other JSON the text.
fn as_text(column: &Column) -> Column {
    match column.kind() {
        Kind::Dynamic => {
            let mut builder = FieldBuilder::new(Some(column), column.len());
            for row in 0..column.len() {
                match Dynamic::of(column, row).map(|value| value.to_json()) {
                    Some(json) if json.starts_with('"') => builder.push_text(&dynamic::to_string(&json)),
                    Some(json) => builder.push_text(&json),
                    None => builder.push_null(),
                }
            }
            builder.finish()
        }
        _ => present(column),
    }
}

/// The fields of a stage as the input of an expression.
struct Staged<'m> {
    morsel: &'m EventMorsel,
    stage: usize,
}

impl Input for Staged<'_> {
    fn rows(&self) -> usize {
        self.morsel.rows()
    }

    fn column(&self, name: &Name) -> Result<Column> {
        self.morsel.staged(name, self.stage)
    }
}

//! `streamstats`: aggregates over the rows up to each row.
use super::allnum;
use super::options::Options;
use super::whole;
use crate::diagnostic::{Diagnostic, Fault, Result};
use crate::expr::Expr;
use crate::functions::Context;
use crate::functions::aggregates::sliding::{Sliding, sliding};
use crate::functions::aggregates::{self, Aggregate};
use crate::plan::TableOperation;
use crate::spl::ast::{Command, Expression};
use crate::spl::lower::build::absent;
use crate::spl::lower::{Lower, Lowering, Rows};
use crate::spl::parse::Reader;
use crate::types::field::{self, FieldBuilder, Number};
use crate::types::intern::NULL;
use crate::types::{Chunk, Column, Kind, Name, Schema, Stored, Table, Value, gather, relative};
use std::sync::Arc;

const OPTIONS: [&str; 6] = ["window", "current", "global", "allnum", "reset_on_change", "time_window"];

/// Rows that all windows together may hold at once; more are computed piece by piece.
const PIECE: usize = 1 << 20;
/// Rows that all windows together may hold, where each is looked at.
const MOST: u64 = 1 << 25;

fn lower(lowering: &mut Lowering, command: &Command, rows: Rows) -> Lower<Rows> {
    let mut reader = Reader::new(command);
    let mut resets = [None, None];
    let mut options = Options::default();
    read_options(&mut reader, &mut options, &mut resets)?;
    let mut terms = reader.aggregates(&["by", "reset_before", "reset_after"])?;
    read_options(&mut reader, &mut options, &mut resets)?;
    terms.extend(reader.aggregates(&["by"])?);
    let by = reader.by()?;
    read_options(&mut reader, &mut options, &mut resets)?;
    reader.finish()?;
    let mut aggregation = lowering.aggregation(&terms, &by, &rows)?;
    let guards = match options.flag("allnum")?.unwrap_or(false) {
        true => allnum::guard(lowering, &mut aggregation)?,
        false => Vec::new(),
    };
    let mut running = Running {
        calls: Vec::new(),
        by: aggregation.by.clone(),
        window: options.count("window")?.unwrap_or(0),
        time_window: time_window(&options)?,
        current: options.flag("current")?.unwrap_or(true),
        global: options.flag("global")?.unwrap_or(true),
        reset_on_change: options.flag("reset_on_change")?.unwrap_or(false),
        reset_before: None,
        reset_after: None,
        schema: Schema::default(),
    };
    let mut hidden: Vec<(Name, Expr)> = Vec::new();
    for made in aggregation.calls {
        let mut arguments = Vec::new();
        for argument in &made.call.arguments {
            arguments.push(match argument {
                Expr::Const(value) => Argument::Constant(value.clone()),
                other => {
                    let name = lowering.hidden("argument");
                    hidden.push((name.clone(), other.clone()));
                    Argument::Column(name)
                }
            });
        }
        let condition = made.call.condition.map(|test| flagged(lowering, &mut hidden, test));
        running.calls.push(RunningCall { name: made.name, function: made.call.function, arguments, condition });
    }
    let [before, after] = resets;
    running.reset_before = reset(lowering, &rows, &mut hidden, before)?;
    running.reset_after = reset(lowering, &rows, &mut hidden, after)?;
    let mut schema = rows.schema.clone();
    running.calls.iter().for_each(|made| schema.set(made.name.clone(), Kind::Field));
    running.schema = schema.clone();
    let input = lowering.extend(&rows, hidden);
    let made = lowering.operation(&[&input], Arc::new(running), schema);
    allnum::guarded(lowering, made, guards)
}

/// Options, `reset_before=(...)` and `reset_after=(...)` among them.
fn read_options(reader: &mut Reader, options: &mut Options, resets: &mut [Option<Expression>; 2]) -> Lower<()> {
    loop {
        let before = reader.position();
        match ["reset_before", "reset_after"].iter().position(|name| reader.eat_word(name)) {
            Some(at) => {
                reader.expect("=")?;
                reader.expect("(")?;
                resets[at] = Some(reader.expression()?);
                reader.expect(")")?;
            }
            None => {
                reader.back_to(before);
                if !options.read_one(reader, &OPTIONS)? {
                    return Ok(());
                }
            }
        }
    }
}

fn time_window(options: &Options) -> Lower<Option<f64>> {
    let Some(word) = options.word("time_window") else { return Ok(None) };
    match relative::span(&word.text) {
        Some(span) => Ok(Some(span.ticks() as f64 / crate::types::datetime::TICKS_PER_SECOND as f64)),
        None => Err(Diagnostic::error("HP504", format!("`{}` is no span of time", word.text)).at(word.span).into()),
    }
}

/// A hidden field that is 1 where a condition is true.
fn flagged(lowering: &mut Lowering, hidden: &mut Vec<(Name, Expr)>, test: Expr) -> Name {
    let name = lowering.hidden("test");
    let one = Expr::Const(Number::Long(1).into());
    let flag = Expr::Case { branches: vec![(test, one)], otherwise: Box::new(absent()), kind: Kind::Field };
    hidden.push((name.clone(), flag));
    name
}

fn reset(
    lowering: &mut Lowering,
    rows: &Rows,
    hidden: &mut Vec<(Name, Expr)>,
    test: Option<Expression>,
) -> Lower<Option<Name>> {
    let Some(test) = test else { return Ok(None) };
    let test = lowering.condition(&test, rows)?;
    Ok(Some(flagged(lowering, hidden, test)))
}

/// What an aggregate is computed of.
#[derive(Clone, Debug)]
enum Argument {
    Column(Name),
    Constant(Value),
}

#[derive(Debug)]
struct RunningCall {
    name: Name,
    function: &'static Aggregate,
    arguments: Vec<Argument>,
    /// The field that is there in the rows that count.
    condition: Option<Name>,
}

/// Aggregates over the rows up to each row.
#[derive(Debug)]
struct Running {
    calls: Vec<RunningCall>,
    by: Vec<Name>,
    /// Rows that count, the latest ones; 0 for all.
    window: u64,
    /// Seconds by which the rows that count may differ.
    time_window: Option<f64>,
    current: bool,
    /// Whether the window counts the rows of all groups.
    global: bool,
    reset_on_change: bool,
    reset_before: Option<Name>,
    reset_after: Option<Name>,
    schema: Schema,
}

impl TableOperation for Running {
    fn name(&self) -> &str {
        "streamstats"
    }

    fn run(&self, context: &Context, inputs: &[Table]) -> Result<Table> {
        let [table] = inputs else { return Err(Fault::internal("`streamstats` has one input")) };
        let groups = self.groups(table);
        let windows = self.windows(table, &groups)?;
        let mut made: Vec<(Name, Column)> = Vec::new();
        for call in &self.calls {
            made.push((call.name.clone(), call.over(context, table, &groups, &windows)?));
        }
        let column = |name: &Name| {
            let found = made.iter().find(|(own, _)| own == name).map(|(_, column)| column.clone());
            let found = found.or_else(|| table.column_named(name));
            Stored::Column(found.unwrap_or(Column::nulls(Kind::Field, table.rows())))
        };
        let columns = self.schema.names().map(column).collect();
        Ok(Table::new(self.schema.clone(), vec![Chunk { rows: table.rows(), columns }]))
    }
}

/// The group of each row, and the rows of each group; rows that lack a field of the groups are in none.
struct Groups {
    of: Vec<u32>,
    members: Vec<Vec<u32>>,
}

/// For each row, which of its group's rows count: from a place up to another.
type Windows = Vec<(u32, u32)>;

impl Running {
    fn groups(&self, table: &Table) -> Groups {
        let of = whole::groups(table, &self.by);
        let members = whole::members(&of);
        Groups { of, members }
    }

    fn windows(&self, table: &Table, groups: &Groups) -> Result<Windows> {
        let flags = |name: &Option<Name>| name.as_ref().and_then(|name| table.column_named(name));
        let (before, after) = (flags(&self.reset_before), flags(&self.reset_after));
        let is_set = |column: &Option<Column>, row: usize| column.as_ref().is_some_and(|column| !column.is_null(row));
        let times = self.times(table)?;
        let mut places: Vec<u32> = vec![0; groups.members.len()];
        // The first row since the last reset, and the first place of each group since then.
        let (mut since, mut starts) = (0u32, vec![0u32; groups.members.len()]);
        let mut windows = Vec::with_capacity(groups.of.len());
        for (row, group) in groups.of.iter().enumerate() {
            let changed = self.reset_on_change && row > 0 && groups.of.get(row - 1) != Some(group);
            if changed || is_set(&before, row) || (row > 0 && is_set(&after, row - 1)) {
                since = row as u32;
                starts.clone_from(&places);
            }
            let Some(place) = places.get_mut(*group as usize) else {
                windows.push((0, 0));
                continue;
            };
            let end = *place + u32::from(self.current);
            *place += 1;
            let rows = &groups.members[*group as usize];
            let mut start = starts.get(*group as usize).copied().unwrap_or(0);
            if self.window > 0 {
                let width = u32::try_from(self.window).unwrap_or(u32::MAX);
                start = start.max(match self.global && !self.by.is_empty() {
                    // The latest rows of all groups.
                    true => {
                        let last = row as u32 + u32::from(self.current);
                        let first = last.saturating_sub(width).max(since);
                        rows.partition_point(|member| *member < first) as u32
                    }
                    false => end.saturating_sub(width),
                });
            }
            if let (Some(width), Some(times)) = (self.time_window, &times) {
                let time = |row: usize| times.get(row).copied().flatten();
                let near = |member: u32| match (time(member as usize), time(row)) {
                    (Some(then), Some(now)) => (now - then).abs() < width,
                    _ => false,
                };
                while start < end && !rows.get(start as usize).is_some_and(|member| near(*member)) {
                    start += 1;
                }
                // Times are in order: what is too far away stays so.
                if let Some(first) = starts.get_mut(*group as usize) {
                    *first = start;
                }
            }
            windows.push((start.min(end), end));
        }
        Ok(windows)
    }

    /// The times of the rows, where a window of time asks for them: they must be in order.
    fn times(&self, table: &Table) -> Result<Option<Vec<Option<f64>>>> {
        let Some(column) = self.time_window.and_then(|_| table.column_named("_time")) else { return Ok(None) };
        let numbers = field::Numbers::of(&column);
        let times: Vec<Option<f64>> = (0..table.rows()).map(|row| numbers.get(row).map(Number::real)).collect();
        let known = || times.iter().flatten();
        if known().is_sorted() || known().rev().is_sorted() {
            return Ok(Some(times));
        }
        let fault = Fault::query("HP504", "`time_window` needs rows in the order of `_time`");
        Err(fault.help("put `sort 0 _time` or `sort 0 -_time` before `streamstats`"))
    }
}

impl RunningCall {
    /// The aggregate for each row, computed piece by piece: each row is a group of the rows of its window.
    fn over(&self, context: &Context, table: &Table, groups: &Groups, windows: &Windows) -> Result<Column> {
        let columns: Vec<Column> = self
            .arguments
            .iter()
            .map(|argument| match argument {
                Argument::Constant(value) => Column::Const(value.clone(), table.rows()),
                Argument::Column(name) => table.column_named(name).unwrap_or(Column::nulls(Kind::Field, table.rows())),
            })
            .collect();
        let counts = self.condition.as_ref().and_then(|name| table.column_named(name));
        let running = Over { call: self, context, columns, counts, groups, windows };
        let made = match self.counts_rows() {
            true => lengths(windows),
            false => match running.slid()? {
                Some(made) => made,
                None => running.pieces()?,
            },
        };
        // Rows that are in no group get nothing.
        let picks: Vec<(u32, u32)> =
            groups.of.iter().enumerate().map(|(row, group)| (u32::from(*group == NULL), row as u32)).collect();
        match groups.of.contains(&NULL) {
            true => Ok(gather::interleave(&[made, Column::nulls(Kind::Field, windows.len())], &picks)),
            false => Ok(made),
        }
    }

    /// Whether it only tells how many rows there are.
    fn counts_rows(&self) -> bool {
        self.function.name == "count" && self.arguments.is_empty() && self.condition.is_none()
    }
}

/// A call and what it is computed over.
struct Over<'a> {
    call: &'a RunningCall,
    context: &'a Context,
    /// The call's arguments.
    columns: Vec<Column>,
    /// What is there in the rows that count; none where all do.
    counts: Option<Column>,
    groups: &'a Groups,
    windows: &'a Windows,
}

impl Over<'_> {
    /// Whether a row counts.
    fn counted(&self, row: u32) -> bool {
        self.counts.as_ref().is_none_or(|column| !column.is_null(row as usize))
    }

    /// The aggregate for each row where it slides: rows come into their group's window and go from it. None where it
    /// does not, or where a window goes back.
    fn slid(&self) -> Result<Option<Column>> {
        let (groups, windows) = (self.groups, self.windows);
        let all = Column::Const(Number::Long(1).into(), windows.len());
        let column = match self.columns.as_slice() {
            [] => &all,
            [one] => one,
            _ => return Ok(None),
        };
        let Some(kind) = sliding(self.call.function.name, column) else { return Ok(None) };
        let Some(values) = kind.values(column) else { return Ok(None) };
        let mut states: Vec<(u32, u32, Box<dyn Sliding + '_>)> =
            groups.members.iter().map(|_| (0, 0, kind.start(&values))).collect();
        let mut out = FieldBuilder::new(Some(column), windows.len());
        for (row, (&(from, to), group)) in windows.iter().zip(&groups.of).enumerate() {
            if row % 65_536 == 0 {
                self.context.check()?;
            }
            let members = groups.members.get(*group as usize);
            let (Some((first, next, state)), Some(members)) = (states.get_mut(*group as usize), members) else {
                out.push_null();
                continue;
            };
            if from < *first || to < *next {
                return Ok(None);
            }
            let stretch = |from: u32, to: u32| members.get(from as usize..to as usize).unwrap_or_default().iter();
            stretch(*next, to).filter(|row| self.counted(**row)).for_each(|row| state.come(*row as usize));
            stretch(*first, from).filter(|row| self.counted(**row)).for_each(|row| state.go(*row as usize));
            (*first, *next) = (from, to);
            state.push(&mut out);
        }
        Ok(Some(out.finish()))
    }

    /// The aggregate for each row, over as many windows at a time as may be held.
    fn pieces(&self) -> Result<Column> {
        let windows = self.windows;
        let total: u64 = windows.iter().map(|(start, end)| u64::from(end - start)).sum();
        if total > MOST {
            return Err(Fault::limit("rows", "`streamstats` looks at too many rows: give it a window"));
        }
        let mut parts = Vec::new();
        let mut first = 0;
        while first < windows.len() {
            self.context.check()?;
            let (mut last, mut held) = (first, 0usize);
            while last < windows.len() && (held < PIECE || last == first) {
                held += (windows[last].1 - windows[last].0) as usize;
                last += 1;
            }
            parts.push(self.piece(first..last)?);
            first = last;
        }
        Ok(gather::concat(&parts).unwrap_or(Column::nulls(Kind::Field, 0)))
    }

    fn piece(&self, rows: std::ops::Range<usize>) -> Result<Column> {
        let context = self.context;
        let (mut taken, mut of) = (Vec::new(), Vec::new());
        let start = rows.start;
        for row in rows.clone() {
            let (Some((from, to)), Some(group)) = (self.windows.get(row), self.groups.of.get(row)) else { continue };
            let members = self.groups.members.get(*group as usize).and_then(|m| m.get(*from as usize..*to as usize));
            for member in members.unwrap_or_default() {
                if self.counted(*member) {
                    taken.push(*member);
                    of.push((row - start) as u32);
                }
            }
        }
        let kinds: Vec<Kind> = self.columns.iter().map(Column::kind).collect();
        let constants: Vec<Option<Value>> = self
            .call
            .arguments
            .iter()
            .map(|argument| match argument {
                Argument::Constant(value) => Some(value.clone()),
                Argument::Column(_) => None,
            })
            .collect();
        let mut state = (self.call.function.state)(&kinds, &constants)?;
        let arguments: Vec<Column> = self.columns.iter().map(|column| gather::take(column, &taken)).collect();
        let ordinals: Vec<u64> = (0..taken.len() as u64).collect();
        let given = aggregates::Rows { context, groups: &of, count: rows.len(), ordinals: &ordinals };
        state.update(&given, &arguments)?;
        let made = state.finish(context, rows.len())?;
        Ok(crate::types::convert::lenient(&made, Kind::Field))
    }
}

/// How many rows each window holds.
fn lengths(windows: &Windows) -> Column {
    let counts: Vec<Value> = windows.iter().map(|(start, end)| Number::Long(i64::from(end - start)).into()).collect();
    Column::from_values(Kind::Field, &counts)
}

crate::command! {
    /// Adds aggregates over the rows up to each row, and over those of its group.
    ///
    /// `window` counts the latest rows alone, of all groups together unless `global=false`; `current=false` leaves the
    /// row itself out; `time_window` counts the rows near in `_time`. `reset_on_change`, `reset_before=(...)` and
    /// `reset_after=(...)` begin anew.
    ///
    /// Source: streamstats.
    ///
    /// ```spl
    /// | makeresults count=3 | streamstats count as n | stats max(n) // 3
    /// | makeresults count=3 | eval x=2 | streamstats window=2 sum(x) as s | stats max(s) // 4
    /// ```
    "streamstats": "streamstats [window=<count>] [current=<flag>] [global=<flag>] [time_window=<span>] [reset_on_change=<flag>] <aggregate> [as <field>]... [by <field>...]" = Rows(lower);
}

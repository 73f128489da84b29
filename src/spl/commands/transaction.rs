//! `transaction`: events that belong together as one.
use super::options::Options;
use crate::diagnostic::{Diagnostic, Result};
use crate::expr::Expr;
use crate::functions::Context;
use crate::plan::TableOperation;
use crate::spl::ast::{Command, Word};
use crate::spl::expand::Script;
use crate::spl::lower::build::text;
use crate::spl::lower::{Lower, Lowering, Rows, condition_of};
use crate::spl::parse::Reader;
use crate::types::field::{FieldBuilder, Number, Numbers, values};
use crate::types::intern::{Interner, NULL};
use crate::types::{Column, Field, Kind, Name, Schema, Table, datetime, relative};
use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

const OPTIONS: [&str; 14] = [
    "name",
    "fields",
    "maxspan",
    "maxpause",
    "maxevents",
    "connected",
    "unifyends",
    "keepevicted",
    "keeporphans",
    "delim",
    "nullstr",
    "mvraw",
    "maxopentxn",
    "maxopenevents",
];

/// Events of one transaction where nothing else is said.
const MOST_EVENTS: u64 = 1000;

fn lower(lowering: &mut Lowering, command: &Command, rows: Rows) -> Lower<Rows> {
    let mut reader = Reader::new(command);
    let mut options = Options::default();
    let (mut fields, mut ends, mut lists) = (Vec::<Name>::new(), [None, None], Lists::None);
    while !reader.at_end() {
        if let Some((at, script)) = boundary(&mut reader)? {
            if let Some(end) = ends.get_mut(at) {
                *end = Some(condition_of(&script, &rows)?);
            }
            continue;
        }
        if reader.eat(",") {
            continue;
        }
        if let Some(list) = listed(&mut reader)? {
            lists = list;
            continue;
        }
        if options.read_one(&mut reader, &OPTIONS)? {
            continue;
        }
        fields.push(reader.needed_field()?.text.as_str().into());
    }
    let named = options.text("fields").unwrap_or_default().split([',', ' ']).filter(|name| !name.is_empty());
    fields.extend(named.map(Name::from));
    let [starts, stops] = ends;
    let (rows, start) = marked(lowering, rows, starts);
    let (rows, stop) = marked(lowering, rows, stops);
    let span = |name: &str| options.word(name).map(seconds).transpose();
    let operation = Transactions {
        fields,
        start,
        stop,
        max_span: span("maxspan")?.flatten(),
        max_pause: span("maxpause")?.flatten(),
        max_events: options.count("maxevents")?.unwrap_or(MOST_EVENTS).max(1) as usize,
        connected: options.flag("connected")?.unwrap_or(true),
        keeps_evicted: options.flag("keepevicted")?.unwrap_or(false),
        lists,
    };
    let mut schema: Schema =
        rows.names().filter(|name| !operation.is_mark(name)).map(|n| (n.clone(), Kind::Field)).collect();
    ADDED.iter().for_each(|name| schema.set((*name).into(), Kind::Field));
    Ok(lowering.operation(&[&rows], Arc::new(operation), schema))
}

/// `startswith=` or `endswith=`, if one comes next: which, and the terms or the expression behind it.
fn boundary(reader: &mut Reader) -> Lower<Option<(usize, Arc<Script>)>> {
    let before = reader.position();
    let Some(name) = reader.word() else { return Ok(None) };
    let at = match () {
        () if name.is("startswith") => 0,
        () if name.is("endswith") => 1,
        () => {
            reader.back_to(before);
            return Ok(None);
        }
    };
    reader.expect("=")?;
    reader.skip_space();
    let start = reader.position();
    let length = balanced(reader.rest()).ok_or_else(|| reader.expected("terms in parentheses"))?;
    let written = reader.rest().get(..length).unwrap_or_default().to_owned();
    reader.back_to(start + length);
    Ok(Some((at, Script::made(written, reader.span(start, start + length)))))
}

/// `mvlist=true`, `mvlist=field`, `mvlist="a, b"` or `mvlist=(a, b)`, if it comes next.
fn listed(reader: &mut Reader) -> Lower<Option<Lists>> {
    let before = reader.position();
    if !reader.eat_word("mvlist") || !reader.eat("=") {
        reader.back_to(before);
        return Ok(None);
    }
    if reader.eat("(") {
        let names = reader.fields(&[])?.iter().map(|word| word.text.as_str().into()).collect();
        reader.expect(")")?;
        return Ok(Some(Lists::These(names)));
    }
    let word = reader.needed_word("true, false or fields")?;
    Ok(Some(match super::options::truth(&word.text) {
        Some(true) => Lists::All,
        Some(false) => Lists::None,
        None => {
            let names = word.text.split([',', ' ']).filter(|name| !name.is_empty());
            Lists::These(names.map(Name::from).collect())
        }
    }))
}

/// The length of a text in quotes, of a word, or of all up to the parenthesis that closes the first.
fn balanced(text: &str) -> Option<usize> {
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => {
                quoted = !quoted;
                if !quoted && depth == 0 {
                    return Some(at + 1);
                }
            }
            _ if quoted => {}
            '(' => depth += 1,
            ')' if depth == 1 => return Some(at + 1),
            ')' => depth = depth.checked_sub(1)?,
            c if c.is_whitespace() && depth == 0 => return Some(at),
            _ => {}
        }
    }
    (depth == 0 && !quoted && !text.is_empty()).then_some(text.len())
}

/// The rows with a hidden field that has a value where a condition holds.
fn marked(lowering: &mut Lowering, rows: Rows, condition: Option<Expr>) -> (Rows, Option<Name>) {
    let Some(condition) = condition else { return (rows, None) };
    let name = lowering.hidden("mark");
    let otherwise = Box::new(Expr::Const(crate::types::Value::Null(Kind::Field)));
    let branches = vec![(condition, text("1"))];
    let mark = Expr::Case { branches, otherwise, kind: Kind::Field };
    (lowering.extend(&rows, vec![(name.clone(), mark)]), Some(name))
}

/// `5m` as seconds; none for no bound (`-1`).
fn seconds(word: &Word) -> Lower<Option<f64>> {
    if let Ok(number) = word.text.parse::<f64>() {
        return Ok((number >= 0.0).then_some(number));
    }
    match relative::span(&word.text).and_then(|span| span.next(0, chrono_tz::UTC)) {
        Some(ticks) => Ok(Some(ticks as f64 / datetime::TICKS_PER_SECOND as f64)),
        None => Err(Diagnostic::error("HP504", format!("`{}` is no span", word.text)).at(word.span).into()),
    }
}

const TIME: &str = "_time";
const RAW: &str = "_raw";
const ADDED: [&str; 5] = ["duration", "eventcount", "closed_txn", "field_match_sum", "linecount"];

#[derive(Debug)]
struct Transactions {
    fields: Vec<Name>,
    /// The hidden fields that mark events which begin or end a transaction.
    start: Option<Name>,
    stop: Option<Name>,
    max_span: Option<f64>,
    max_pause: Option<f64>,
    max_events: usize,
    connected: bool,
    keeps_evicted: bool,
    lists: Lists,
}

/// Which fields keep the values of all events in order, where others have the distinct ones sorted.
#[derive(Debug)]
enum Lists {
    None,
    All,
    These(Vec<Name>),
}

impl Lists {
    fn has(&self, name: &Name) -> bool {
        match self {
            Lists::None => false,
            Lists::All => true,
            Lists::These(names) => names.contains(name),
        }
    }
}

/// Events that belong together, the newest first.
struct Transaction {
    rows: Vec<usize>,
    values: Values,
    newest: f64,
    oldest: f64,
    /// Whether the events that begin and end it have come, where some are asked for.
    started: bool,
    ended: bool,
    closed: bool,
}

/// The number of the value of each of the fields; [`NULL`] for those that have none.
type Values = Vec<u32>;

/// The transactions that events may still come to, by the numbers that they were given as they began.
#[derive(Default)]
struct Open {
    transactions: BTreeMap<usize, Transaction>,
    /// Those with a value in every field.
    full: HashMap<Values, Vec<usize>>,
    /// Those with a value of a field: all, and those that lack another.
    having: HashMap<(usize, u32), Vec<usize>>,
    lacking: HashMap<(usize, u32), Vec<usize>>,
    begun: usize,
}

impl Open {
    fn begin(&mut self, transaction: Transaction) -> usize {
        let number = self.begun;
        self.begun += 1;
        self.transactions.insert(number, transaction);
        number
    }

    fn take(&mut self, number: usize) -> Option<Transaction> {
        self.transactions.remove(&number)
    }

    /// Notes the values that a transaction has won.
    fn note(&mut self, number: usize, before: &[u32], after: &[u32]) {
        let full = |values: &[u32]| !values.contains(&NULL);
        if full(after) && !full(before) {
            self.full.entry(after.to_vec()).or_default().push(number);
        }
        let new = before.iter().zip(after).enumerate().filter(|(_, (before, after))| before != after);
        for (field, (_, value)) in new {
            self.having.entry((field, *value)).or_default().push(number);
            if !full(after) {
                self.lacking.entry((field, *value)).or_default().push(number);
            }
        }
    }

    /// The last of the transactions that share a value with an event, for which a condition holds.
    fn last_sharing(&mut self, values: &[u32], takes: impl Fn(&Transaction) -> bool) -> Option<usize> {
        let Open { transactions, full, having, lacking, .. } = self;
        let is_full = !values.contains(&NULL);
        let mut last: Option<usize> = None;
        let mut look = |candidates: &mut Vec<usize>| {
            candidates.retain(|number| transactions.contains_key(number));
            let later = candidates.iter().copied().filter(|number| last.is_none_or(|last| *number > last));
            let found = later.filter(|number| transactions.get(number).is_some_and(&takes)).max();
            last = last.max(found);
        };
        if is_full {
            full.get_mut(values).into_iter().for_each(&mut look);
        }
        let by_value = if is_full { lacking } else { having };
        for (field, value) in values.iter().enumerate().filter(|(_, value)| **value != NULL) {
            by_value.get_mut(&(field, *value)).into_iter().for_each(&mut look);
        }
        last
    }
}

impl TableOperation for Transactions {
    fn name(&self) -> &str {
        "transaction"
    }

    fn run(&self, context: &Context, inputs: &[Table]) -> Result<Table> {
        let Some(table) = inputs.first() else { return Ok(Table::default()) };
        let columns = super::whole::columns(table);
        let column = |name: &str| columns.iter().find(|(known, _)| **known == *name).map(|(_, column)| column);
        let times: Vec<f64> = match column(TIME) {
            Some(column) => {
                let numbers = Numbers::of(column);
                (0..table.rows()).map(|row| numbers.get(row).map_or(0.0, Number::real)).collect()
            }
            None => vec![0.0; table.rows()],
        };
        let mut order: Vec<usize> = (0..table.rows()).collect();
        order.sort_by(|a, b| descending(&times, *a, *b));
        let keys: Vec<Vec<u32>> = self.fields.iter().map(|name| numbers(column(name), table.rows())).collect();
        let marks = [&self.start, &self.stop].map(|name| name.as_ref().and_then(|name| column(name)));
        let mut done: Vec<Transaction> = Vec::new();
        let mut open = Open::default();
        for (count, row) in order.into_iter().enumerate() {
            if count % 65_536 == 0 {
                context.check()?;
            }
            let values: Values = keys.iter().map(|key| key.get(row).copied().unwrap_or(NULL)).collect();
            if !self.fields.is_empty() && values.iter().all(|value| *value == NULL) {
                continue;
            }
            let marked = marks.map(|column| column.is_some_and(|column| !column.is_null(row)));
            self.place(row, times.get(row).copied().unwrap_or_default(), &values, marked, &mut open, &mut done);
        }
        done.extend(open.transactions.into_values());
        done.retain(|transaction| (transaction.started && transaction.ended) || self.keeps_evicted);
        let start = |transaction: &Transaction| transaction.oldest;
        done.sort_by(|a, b| start(b).partial_cmp(&start(a)).unwrap_or(Ordering::Equal));
        Ok(self.table(&columns, &done))
    }
}

/// The number of each row's first value; [`NULL`] where there is none.
fn numbers(column: Option<&Column>, rows: usize) -> Vec<u32> {
    let mut interner = Interner::new(Kind::Field);
    match column {
        None => vec![NULL; rows],
        Some(several @ Column::Field(Field::Several(_))) => {
            let mut firsts = FieldBuilder::new(Some(several), rows);
            (0..rows).for_each(|row| firsts.push_several(values(several, row).take(1)));
            interner.numbers(&firsts.finish())
        }
        Some(column) => interner.numbers(column),
    }
}

fn descending(times: &[f64], a: usize, b: usize) -> Ordering {
    let time = |row: usize| times.get(row).copied().unwrap_or_default();
    time(b).partial_cmp(&time(a)).unwrap_or(Ordering::Equal)
}

impl Transactions {
    fn is_mark(&self, name: &Name) -> bool {
        self.start.as_ref() == Some(name) || self.stop.as_ref() == Some(name)
    }

    /// Puts an event into the transaction that it belongs to, or begins one. Events come newest first: what ends a
    /// transaction comes before what starts it.
    fn place(
        &self,
        row: usize,
        time: f64,
        values: &[u32],
        [starts, stops]: [bool; 2],
        open: &mut Open,
        done: &mut Vec<Transaction>,
    ) {
        let found = self.last_that_takes(values, open);
        let fits = |transaction: &Transaction| {
            self.max_span.is_none_or(|most| transaction.newest - time <= most)
                && self.max_pause.is_none_or(|most| transaction.oldest - time <= most)
                && transaction.rows.len() < self.max_events
        };
        let fits = found.and_then(|at| open.transactions.get(&at)).is_some_and(fits) && !(self.stop.is_some() && stops);
        let at = match found {
            Some(at) if fits => at,
            _ => {
                if let Some(old) = found.and_then(|at| open.take(at)) {
                    done.push(Transaction { closed: true, ..old });
                }
                open.begin(Transaction {
                    rows: Vec::new(),
                    values: vec![NULL; values.len()],
                    newest: time,
                    oldest: time,
                    started: self.start.is_none(),
                    ended: self.stop.is_none() || stops,
                    closed: false,
                })
            }
        };
        let Some(transaction) = open.transactions.get_mut(&at) else { return };
        transaction.rows.push(row);
        transaction.oldest = time;
        let before = transaction.values.clone();
        transaction.values.iter_mut().zip(values).filter(|(own, _)| **own == NULL).for_each(|(own, new)| *own = *new);
        let after = transaction.values.clone();
        if before != after {
            open.note(at, &before, &after);
        }
        if self.start.is_some()
            && starts
            && let Some(transaction) = open.take(at)
        {
            done.push(Transaction { started: true, closed: true, ..transaction });
        }
    }

    /// The open transaction that an event with these values is part of, the last one where it may be of several.
    fn last_that_takes(&self, values: &[u32], open: &mut Open) -> Option<usize> {
        let agrees = |(own, value): (&u32, &u32)| *own == NULL || *value == NULL || own == value;
        let takes = |transaction: &Transaction| transaction.values.iter().zip(values).all(agrees);
        match self.fields.is_empty() || !self.connected {
            true => open.transactions.iter().rev().find(|(_, transaction)| takes(transaction)).map(|(at, _)| *at),
            false => open.last_sharing(values, takes),
        }
    }

    fn table(&self, columns: &[(Name, Column)], transactions: &[Transaction]) -> Table {
        let mut made: Vec<(Name, Column)> = Vec::new();
        for (name, column) in columns.iter().filter(|(name, _)| !self.is_mark(name)) {
            if ADDED.contains(&&**name) {
                continue;
            }
            let mut builder = FieldBuilder::new(Some(column), transactions.len());
            for transaction in transactions {
                // The oldest event comes first.
                let texts = || transaction.rows.iter().rev().flat_map(|row| values(column, *row));
                match &**name {
                    TIME => match transaction.rows.last() {
                        Some(oldest) => builder.push_row(column, *oldest),
                        None => builder.push_null(),
                    },
                    RAW => {
                        let lines: Vec<String> = texts().map(|text| text.into_owned()).collect();
                        builder.push_several((!lines.is_empty()).then(|| lines.join("\n")));
                    }
                    _ if self.lists.has(name) => builder.push_several(texts()),
                    _ => {
                        let mut distinct: Vec<_> = texts().collect();
                        distinct.sort();
                        distinct.dedup();
                        builder.push_several(distinct);
                    }
                }
            }
            made.push((name.clone(), builder.finish()));
        }
        let number = |of: &dyn Fn(&Transaction) -> Number| {
            let mut builder = FieldBuilder::new(None, transactions.len());
            transactions.iter().for_each(|transaction| builder.push_number(of(transaction)));
            builder.finish()
        };
        let events = |t: &Transaction| Number::Long(t.rows.len() as i64);
        made.push(("duration".into(), number(&|t| whole_or_real(t.newest - t.oldest))));
        made.push(("eventcount".into(), number(&events)));
        made.push(("closed_txn".into(), number(&|t| Number::Long(i64::from(t.closed)))));
        made.push((
            "field_match_sum".into(),
            number(&|t| Number::Long((t.rows.len() * t.values.iter().filter(|value| **value != NULL).count()) as i64)),
        ));
        made.push(("linecount".into(), number(&events)));
        Table::from_columns(made)
    }
}

/// Seconds without what calculating in binary leaves behind.
fn whole_or_real(seconds: f64) -> Number {
    let micros = (seconds * 1e6).round();
    if micros % 1e6 == 0.0 { Number::Long((micros / 1e6) as i64) } else { Number::Real(micros / 1e6) }
}

crate::command! {
    /// Events that belong together as one: those that agree in some fields.
    ///
    /// A transaction has the time of its oldest event, `duration`, `eventcount`, the lines of `_raw`, and of every other
    /// field the distinct values in order; all values with `mvlist=true`, or of the fields that `mvlist` names. `maxspan` and `maxpause` bound its length and
    /// its pauses; `startswith` and `endswith` are terms in parentheses, `eval(...)` or a text in quotes: what lacks such
    /// an event is left out, unless `keepevicted=true`.
    ///
    /// Source: transaction.
    ///
    /// ```spl
    /// | makeresults count=3 | eval user="a" | transaction user | fields eventcount // 3
    /// | makeresults count=3 | eval user="a" | transaction user maxevents=2 | stats count // 2
    /// ```
    "transaction" as ["transam"]: "transaction [<field>...] [maxspan=<span>] [maxpause=<span>] [maxevents=<count>] [startswith=<terms>] [endswith=<terms>]"
        = Rows(lower);
}

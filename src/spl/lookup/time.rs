//! Rows of a lookup that have a time: an event takes those of its own time.
use crate::functions::Context;
use crate::functions::spl::strptime::strptime;
use crate::plan::TimeBound;
use crate::types::Table;
use crate::types::datetime::TICKS_PER_SECOND;
use crate::types::field::{self, Number};

/// The times of a lookup's rows and of the events, in seconds.
pub struct Times<'a> {
    bound: &'a TimeBound,
    rows: Vec<Option<f64>>,
    events: Vec<Option<f64>>,
}

impl<'a> Times<'a> {
    pub fn new(bound: &'a TimeBound, context: &Context, lookup: &Table, events: &Table, time: &str) -> Times<'a> {
        let now = Number::Long(context.now.div_euclid(TICKS_PER_SECOND));
        let written = lookup.column_named(&bound.field);
        let read = |row: usize| {
            let text = field::text(written.as_ref()?, row)?;
            let time = strptime(&text, &bound.format, context.timezone, now).or_else(|| Number::read(text.trim()));
            time.map(Number::real)
        };
        let own = events.column_named(time);
        let of_event = |row: usize| field::number(own.as_ref()?, row).map(Number::real);
        Times {
            bound,
            rows: (0..lookup.rows()).map(read).collect(),
            events: (0..events.rows()).map(of_event).collect(),
        }
    }

    /// The rows that an event takes, the latest first; none for an event without a time.
    pub fn of_event(&self, event: usize, rows: &[u32]) -> Vec<u32> {
        let Some(now) = self.events.get(event).copied().flatten() else { return Vec::new() };
        let fits = |then: f64| (self.bound.least as f64..=self.bound.most as f64).contains(&(now - then));
        let known = rows.iter().filter_map(|row| Some((self.rows.get(*row as usize).copied().flatten()?, *row)));
        let mut found: Vec<(f64, u32)> = known.filter(|(then, _)| fits(*then)).collect();
        found.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        found.into_iter().map(|(_, row)| row).collect()
    }
}

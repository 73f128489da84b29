//! Times of a search: relative ones such as `-70m@m`, `now`, epoch seconds, dates as Splunk writes them.
use super::{Lower, Lowering, said};
use crate::diagnostic::{Fault, Result};
use crate::functions::Context;
use crate::spl::ast::Word;
use crate::types::{datetime, relative};

impl Lowering<'_> {
    /// The moment that a time modifier means, in ticks; none for all of time.
    pub fn moment(&self, word: &Word) -> Lower<Option<i64>> {
        moment(&word.text, self.settings.context).map_err(|fault| said(&fault, word.span))
    }
}

/// The moment that a time means, in ticks; none for all of time, which an empty text and 0 say.
pub fn moment(text: &str, context: &Context) -> Result<Option<i64>> {
    let text = text.trim();
    if text.is_empty() || text == "0" {
        return Ok(None);
    }
    let relative = || relative::moment(context.now, text, context.timezone);
    match absolute(text, context.timezone).or_else(relative) {
        Some(ticks) => Ok(Some(ticks)),
        None => {
            let fault = Fault::query("HP504", format!("`{text}` is no time"));
            Err(fault.help("write a time such as -24h@h, now, 1577836800 or 12/31/2020:23:59:59"))
        }
    }
}

/// Epoch seconds, `%m/%d/%Y:%H:%M:%S` in the user's zone, or an ISO date.
fn absolute(text: &str, zone: chrono_tz::Tz) -> Option<i64> {
    if let Ok(seconds) = text.parse::<f64>()
        && !text.starts_with(['-', '+'])
    {
        return datetime::checked((seconds * datetime::TICKS_PER_SECOND as f64) as i64);
    }
    match splunk_date(text) {
        Some(local) => datetime::local_to_utc(local, zone.name()),
        None => datetime::parse(text)
            .filter(|_| text.contains(['-', '/']) && text.starts_with(|c: char| c.is_ascii_digit())),
    }
}

/// `12/31/2020:23:59:59`, the time left out where it is midnight.
fn splunk_date(text: &str) -> Option<i64> {
    let (date, time) = text.split_once(':').unwrap_or((text, "0:0:0"));
    let mut numbers = date.split('/').chain(time.split(':')).map(|part| part.parse::<u32>().ok());
    let mut next = || numbers.next().flatten();
    let (month, day, year, hour, minute) = (next()?, next()?, next()?, next()?, next()?);
    datetime::from_civil(year as i32, month, day, hour, minute, next().unwrap_or(0), 0)
}

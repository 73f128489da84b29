//! Building dynamic values.
use super::quote;
use crate::types::{datetime, number, timespan};

/// Writes one dynamic value piece by piece and sets the commas itself.
///
/// ```
/// use huntpack::types::json::Writer;
/// let mut writer = Writer::default();
/// writer.begin_bag().key("a").long(1).key("b").begin_array().string("x").real(2.0).end_array().end_bag();
/// assert_eq!(writer.finish(), r#"{"a":1,"b":["x",2.0]}"#);
/// ```
#[derive(Debug, Default)]
pub struct Writer {
    out: String,
    /// Whether a value stands before the place of writing, in the same array or bag.
    follows: bool,
}

impl Writer {
    pub fn with_capacity(bytes: usize) -> Self {
        Writer { out: String::with_capacity(bytes), follows: false }
    }

    /// The text written so far.
    pub fn finish(self) -> String {
        self.out
    }

    /// Forgets what was written, and keeps its room.
    pub fn clear(&mut self) {
        self.out.clear();
        self.follows = false;
    }

    /// What is written so far.
    pub fn text(&self) -> &str {
        &self.out
    }

    fn value(&mut self, write: impl FnOnce(&mut String)) -> &mut Self {
        if std::mem::replace(&mut self.follows, true) {
            self.out.push(',');
        }
        write(&mut self.out);
        self
    }

    fn begin(&mut self, bracket: char) -> &mut Self {
        self.value(|out| out.push(bracket)).follows = false;
        self
    }

    fn end(&mut self, bracket: char) -> &mut Self {
        self.out.push(bracket);
        self.follows = true;
        self
    }

    pub fn begin_array(&mut self) -> &mut Self {
        self.begin('[')
    }

    pub fn end_array(&mut self) -> &mut Self {
        self.end(']')
    }

    pub fn begin_bag(&mut self) -> &mut Self {
        self.begin('{')
    }

    pub fn end_bag(&mut self) -> &mut Self {
        self.end('}')
    }

    /// The name of a bag's next property.
    pub fn key(&mut self, name: &str) -> &mut Self {
        self.value(|out| {
            quote(name, out);
            out.push(':');
        })
        .follows = false;
        self
    }

    pub fn null(&mut self) -> &mut Self {
        self.raw("null")
    }

    pub fn bool(&mut self, value: bool) -> &mut Self {
        self.raw(if value { "true" } else { "false" })
    }

    pub fn long(&mut self, value: i64) -> &mut Self {
        self.value(|out| number::write_long(value, out))
    }

    pub fn real(&mut self, value: f64) -> &mut Self {
        self.value(|out| number::write_json_real(value, out))
    }

    pub fn string(&mut self, text: &str) -> &mut Self {
        self.value(|out| quote(text, out))
    }

    pub fn datetime(&mut self, ticks: i64) -> &mut Self {
        self.value(|out| {
            out.push_str("datetime(");
            datetime::write(ticks, out);
            out.push(')');
        })
    }

    pub fn timespan(&mut self, ticks: i64) -> &mut Self {
        self.value(|out| {
            out.push_str("timespan(");
            timespan::write(ticks, out);
            out.push(')');
        })
    }

    /// A dynamic value that a function appends.
    pub fn with(&mut self, write: impl FnOnce(&mut String)) -> &mut Self {
        self.value(write)
    }

    /// A dynamic value that is text already.
    pub fn raw(&mut self, json: &str) -> &mut Self {
        self.value(|out| out.push_str(json))
    }
}

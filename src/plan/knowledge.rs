//! Splunk's knowledge objects as a front end sees them: macros, lookups, event types, tags.
use super::Source;
use crate::diagnostic::Result;
use crate::types::{Name, Table};
use std::sync::Arc;

/// A search macro: the text that stands for its name between back quotes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Macro {
    /// The names of its arguments: `$name$` in the definition stands for a value.
    pub arguments: Vec<String>,
    pub definition: String,
    /// Whether the definition is an eval expression whose value is the text.
    pub is_eval: bool,
    /// An eval expression over the arguments that must hold, and what is said where it does not.
    pub validation: Option<(String, String)>,
    /// The file that it comes from; empty where a caller gave it.
    pub origin: String,
}

/// A lookup: its rows, and how events are matched with them.
#[derive(Clone, Debug)]
pub struct Lookup {
    pub name: String,
    /// The rows in file order, every column text.
    pub source: Arc<dyn Source>,
    pub matching: Matching,
}

/// Keeps rows under a lookup's name, in place of the rows that there are or behind them.
pub type LookupWriter = Arc<dyn Fn(&Table, bool) -> Result<()> + Send + Sync>;

/// How the fields of a lookup are matched with those of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Matching {
    /// The fields that are not matched exactly.
    pub types: Vec<(Name, MatchType)>,
    pub case_sensitive: bool,
    /// With fewer matches than this, `default_match` fills up.
    pub min_matches: usize,
    pub max_matches: usize,
    pub default_match: String,
    /// Where rows count only for events of their time.
    pub time: Option<TimeBound>,
}

/// How the time of a lookup's row bounds the events that take it: an event takes the latest rows that are earlier than
/// itself, or later, by no more and no less than some seconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimeBound {
    /// The field of the lookup with the row's time.
    pub field: Name,
    /// How that is written.
    pub format: String,
    /// Seconds that the event may be later than the row, at most and at least.
    pub most: i64,
    pub least: i64,
}

/// How many rows of a lookup an event takes where nothing is said.
pub const MOST_MATCHES: usize = 100;

impl Default for Matching {
    fn default() -> Matching {
        Matching {
            types: Vec::new(),
            case_sensitive: true,
            min_matches: 0,
            max_matches: MOST_MATCHES,
            default_match: String::new(),
            time: None,
        }
    }
}

impl Matching {
    /// How a field of the lookup is matched.
    pub fn of(&self, field: &str) -> MatchType {
        let named = self.types.iter().find(|(name, _)| &**name == field);
        named.map_or(MatchType::Exact, |(_, kind)| *kind)
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum MatchType {
    #[default]
    Exact,
    /// The cell is a pattern in which `*` stands for any text.
    Wildcard,
    /// The cell is a network, the event's value an address.
    Cidr,
}

/// A search that has a name: `eventtype=name` stands for it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventType {
    pub name: String,
    pub search: String,
}

/// A tag that a field's value carries; `eventtype` is a field, too.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tag {
    pub name: String,
    pub field: String,
    pub value: String,
}

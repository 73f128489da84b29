//! What a kernel may know of the run: the clock, the limits, the cancel flag, prepared constants.
use super::{Lists, Places};
use crate::diagnostic::{Fault, Result};
use std::any::Any;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

/// Bounds of a run. Reaching one is a LimitError that names the setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Rows that a result or a step that holds rows may have.
    pub rows: usize,
    /// Bytes that the steps of a query may hold.
    pub memory: usize,
    /// Distinct values of a set, a list or a percentile, over all groups.
    pub values: usize,
    /// Seconds a query may run.
    pub seconds: u64,
    /// Rows that a thread works on at a time.
    pub morsel_rows: usize,
    /// Steps that a regular expression with look-around or references may take back on one text.
    pub backtracks: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            rows: 500_000_000,
            memory: 16 << 30,
            values: 200_000_000,
            seconds: 24 * 3600,
            morsel_rows: 65_536,
            backtracks: 1_000_000,
        }
    }
}

type Prepared = HashMap<(&'static str, String), Arc<dyn Any + Send + Sync>>;

/// The surroundings of a run.
#[derive(Debug)]
pub struct Context {
    /// Ticks of 100 ns: what `now()` gives.
    pub now: i64,
    pub timezone: chrono_tz::Tz,
    pub limits: Limits,
    /// Where addresses are, where a database was given.
    pub places: Option<Arc<dyn Places>>,
    /// Lists that are kept between runs, where a host does so.
    pub lists: Option<Arc<dyn Lists>>,
    pub cancel: Arc<AtomicBool>,
    deadline: std::time::Instant,
    prepared: Mutex<Prepared>,
}

impl Context {
    pub fn new(now: i64, limits: Limits, cancel: Arc<AtomicBool>) -> Context {
        // A limit beyond the clock's range is no limit.
        let longest = limits.seconds.min(10 * 365 * 24 * 3600);
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(longest);
        Context {
            now,
            timezone: chrono_tz::UTC,
            limits,
            places: None,
            lists: None,
            cancel,
            deadline,
            prepared: Mutex::default(),
        }
    }

    pub fn with_timezone(self, timezone: chrono_tz::Tz) -> Context {
        Context { timezone, ..self }
    }

    pub fn with_lists(self, lists: Option<Arc<dyn Lists>>) -> Context {
        Context { lists, ..self }
    }

    pub fn with_places(self, places: Option<Arc<dyn Places>>) -> Context {
        Context { places, ..self }
    }

    /// An error when the run was cancelled or has reached its deadline; looked at between pieces of work.
    pub fn check(&self) -> Result<()> {
        if self.cancel.load(Ordering::Relaxed) {
            return Err(Fault::cancelled());
        }
        if std::time::Instant::now() > self.deadline {
            return Err(Fault::limit("seconds", "the query ran too long"));
        }
        Ok(())
    }

    /// What `build` makes of a constant (a compiled pattern, a list of networks), made once a run.
    pub fn prepared<T, E>(
        &self,
        what: &'static str,
        constant: &str,
        build: impl FnOnce() -> std::result::Result<T, E>,
    ) -> std::result::Result<Arc<T>, E>
    where
        T: Any + Send + Sync,
    {
        let key = (what, constant.to_owned());
        if let Ok(map) = self.prepared.lock()
            && let Some(found) = map.get(&key).and_then(|p| p.clone().downcast::<T>().ok())
        {
            return Ok(found);
        }
        let made = Arc::new(build()?);
        if let Ok(mut map) = self.prepared.lock() {
            // Patterns that differ by row would fill it: what is dropped is only built again.
            if map.len() > 10_000 {
                map.clear();
            }
            map.insert(key, made.clone());
        }
        Ok(made)
    }
}

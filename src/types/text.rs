//! Text in its two layouts: string views, and dictionaries of them.
use arrow_array::{Array, Int32Array, StringViewArray};
use std::any::Any;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

/// The distinct values of a dictionary-encoded column, and what was computed from them once.
#[derive(Debug)]
pub struct Dictionary {
    pub values: StringViewArray,
    /// Unique in the process.
    pub id: u64,
    /// Whether no value occurs twice.
    pub distinct: bool,
    derived: Mutex<HashMap<String, Arc<dyn Any + Send + Sync>>>,
}

impl Dictionary {
    /// A dictionary that may hold a value twice: one that was handed in.
    pub fn new(values: StringViewArray) -> Arc<Dictionary> {
        Self::with(values, false)
    }

    /// A dictionary whose values all differ: its keys tell rows apart.
    pub fn of_distinct(values: StringViewArray) -> Arc<Dictionary> {
        Self::with(values, true)
    }

    fn with(values: StringViewArray, distinct: bool) -> Arc<Dictionary> {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        Arc::new(Dictionary { values, id, distinct, derived: Mutex::default() })
    }

    pub fn len(&self) -> usize {
        self.values.len()
    }

    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// What `build` makes of the values, remembered under `key` for as long as the dictionary lives.
    pub fn derive<T, E>(&self, key: &str, build: impl FnOnce() -> Result<T, E>) -> Result<Arc<T>, E>
    where
        T: Any + Send + Sync,
    {
        let known = |map: &HashMap<String, Arc<dyn Any + Send + Sync>>| map.get(key).cloned()?.downcast::<T>().ok();
        if let Ok(map) = self.derived.lock()
            && let Some(found) = known(&map)
        {
            return Ok(found);
        }
        let made: Arc<T> = Arc::new(build()?);
        if let Ok(mut map) = self.derived.lock() {
            if let Some(found) = known(&map) {
                return Ok(found);
            }
            // A dictionary of a held table lives long; queries of a service must not fill it up.
            if map.len() >= MOST_DERIVED {
                map.clear();
            }
            map.insert(key.to_owned(), made.clone());
        }
        Ok(made)
    }
}

const MOST_DERIVED: usize = 4096;

/// A text column. In both layouts a null is a null of `Text`; kind string has none.
#[derive(Clone, Debug)]
pub enum Text {
    Views(StringViewArray),
    /// Keys into the dictionary; a null key is a null.
    Dictionary(Int32Array, Arc<Dictionary>),
}

impl Text {
    pub fn len(&self) -> usize {
        match self {
            Text::Views(views) => views.len(),
            Text::Dictionary(keys, _) => keys.len(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    #[inline(always)]
    pub fn is_null(&self, row: usize) -> bool {
        match self {
            Text::Views(views) => views.is_null(row),
            Text::Dictionary(keys, _) => keys.is_null(row),
        }
    }

    pub fn null_count(&self) -> usize {
        match self {
            Text::Views(views) => views.null_count(),
            Text::Dictionary(keys, _) => keys.null_count(),
        }
    }

    /// The text of a row; what a null row gives is not defined.
    #[inline(always)]
    pub fn value(&self, row: usize) -> &str {
        match self {
            Text::Views(views) => views.value(row),
            Text::Dictionary(_, dictionary) if dictionary.is_empty() => "",
            Text::Dictionary(keys, dictionary) => dictionary.values.value(keys.value(row) as usize),
        }
    }

    #[inline(always)]
    pub fn get(&self, row: usize) -> Option<&str> {
        (!self.is_null(row)).then(|| self.value(row))
    }

    /// The same rows as views.
    pub fn to_views(&self) -> StringViewArray {
        match self {
            Text::Views(views) => views.clone(),
            Text::Dictionary(keys, dictionary) => super::gather::views(&dictionary.values, keys),
        }
    }
}

//! The rows of a morsel on their way through a pipeline: columns are loaded when they are first read,
//! for the rows that are still there.
use super::{learn, optimize, share};
use crate::diagnostic::{Fault, Result};
use crate::expr::{Expr, Input};
use crate::plan::Morsel;
use crate::types::{Column, Name, gather};
use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Columns by name.
pub type Columns = Vec<(Name, Column)>;

pub struct Batch {
    morsel: Option<Arc<dyn Morsel>>,
    /// Columns that the morsel can still give, by their name here.
    lazy: HashMap<Name, usize>,
    loaded: RefCell<HashMap<Name, Column>>,
    /// The morsel's rows that are left; none for all.
    selection: Option<Vec<u32>>,
    rows: usize,
    /// The ordinal of the morsel's first row.
    first: u64,
    /// Ordinals that do not follow from the first: where rows were multiplied, or are a part of all rows.
    ordinals: Option<Vec<u64>>,
    /// Text columns that are worth a dictionary: costly functions then run once per distinct value.
    encode: Arc<HashSet<Name>>,
}

impl Batch {
    pub fn new(morsel: Arc<dyn Morsel>, columns: &[Name], first: u64) -> Batch {
        let rows = morsel.rows();
        let lazy = columns.iter().enumerate().map(|(at, name)| (name.clone(), at)).collect();
        let encode = Arc::default();
        Batch {
            morsel: Some(morsel),
            lazy,
            loaded: RefCell::default(),
            selection: None,
            rows,
            first,
            ordinals: None,
            encode,
        }
    }

    /// Encodes these text columns for costly readers, where a sample says that it pays.
    pub fn encoding(mut self, columns: &Arc<HashSet<Name>>) -> Batch {
        self.encode = columns.clone();
        self
    }

    /// The rows stand at these places among all rows, which ascend.
    pub fn at(mut self, ordinals: Vec<u64>) -> Batch {
        self.ordinals = Some(ordinals);
        self
    }

    /// The same morsel before any step, only those of its rows.
    pub fn again(morsel: Arc<dyn Morsel>, columns: &[Name], first: u64, selection: Vec<u32>) -> Batch {
        let mut batch = Batch::new(morsel, columns, first);
        batch.rows = selection.len();
        batch.selection = Some(selection);
        batch
    }

    /// Tells the morsel which columns these expressions read, one after the other, while all of its rows are there.
    pub fn expect(&self, expressions: &[Expr]) {
        let Some(morsel) = self.morsel.as_ref().filter(|_| self.selection.is_none()) else { return };
        let loaded = self.loaded.borrow();
        let mut next: Vec<usize> = Vec::new();
        for name in expressions.iter().flat_map(Expr::columns).filter(|name| !loaded.contains_key(name)) {
            if let Some(at) = self.lazy.get(&name).filter(|at| !next.contains(at)) {
                next.push(*at);
            }
        }
        morsel.expect(&next);
    }

    pub fn morsel(&self) -> Option<&Arc<dyn Morsel>> {
        self.morsel.as_ref()
    }

    /// The morsel's rows that are left.
    pub fn selection(&self) -> Vec<u32> {
        self.selection.clone().unwrap_or_else(|| (0..self.rows as u32).collect())
    }

    pub fn first(&self) -> u64 {
        self.first
    }

    /// The place of each row among all rows of the pipeline: ascending.
    pub fn ordinals(&self) -> Vec<u64> {
        match (&self.ordinals, &self.selection) {
            (Some(ordinals), _) => ordinals.clone(),
            (None, Some(selection)) => selection.iter().map(|r| self.first + u64::from(*r)).collect(),
            (None, None) => (0..self.rows as u64).map(|r| self.first + r).collect(),
        }
    }

    /// Keeps only `rows` (ascending); of the loaded columns only those that `live` names are kept.
    pub fn narrow(&mut self, rows: Vec<u32>, live: &dyn Fn(&Name) -> bool) {
        let loaded = self.loaded.get_mut();
        let lazy = &self.lazy;
        loaded.retain(|name, _| live(name) || !(lazy.contains_key(name) || share::is_shared(name)));
        loaded.values_mut().for_each(|column| *column = gather::take(column, &rows));
        if let Some(ordinals) = &mut self.ordinals {
            *ordinals = rows.iter().map(|r| ordinals[*r as usize]).collect();
        }
        self.rows = rows.len();
        self.selection = Some(match &self.selection {
            Some(before) => rows.iter().map(|r| before[*r as usize]).collect(),
            None => rows,
        });
    }

    /// Adds computed columns, or replaces those of the same name.
    pub fn set(&mut self, columns: Vec<(Name, Column)>) {
        for (name, column) in columns {
            self.lazy.remove(&name);
            self.loaded.get_mut().insert(name, column);
        }
    }

    /// Only these columns, each under its new name where it is a column already.
    pub fn project(&mut self, columns: Vec<(Name, Projected)>) {
        let (mut lazy, mut loaded) = (HashMap::new(), HashMap::new());
        for (name, projected) in columns {
            match projected {
                Projected::Computed(column) => {
                    loaded.insert(name, column);
                }
                Projected::Same(old) => {
                    if let Some(column) = self.loaded.get_mut().get(&old) {
                        loaded.insert(name.clone(), column.clone());
                    }
                    if let Some(at) = self.lazy.get(&old) {
                        lazy.insert(name, *at);
                    }
                }
            }
        }
        self.lazy = lazy;
        self.loaded = RefCell::new(loaded);
    }

    /// The rows at `rows` (with repetitions), with `columns` added: what an expansion makes of a batch.
    pub fn multiplied(&self, rows: &[u32], live: &HashSet<Name>, columns: Vec<(Name, Column)>) -> Result<Batch> {
        let ordinals = self.ordinals();
        let mut loaded = HashMap::new();
        let own: HashSet<Name> = self.lazy.keys().chain(self.loaded.borrow().keys()).cloned().collect();
        let made = |name: &Name| columns.iter().any(|(made, _)| made == name);
        for name in own.iter().filter(|name| live.contains(*name) && !made(name)) {
            loaded.insert(name.clone(), gather::take(&self.column(name)?, rows));
        }
        loaded.extend(columns);
        Ok(Batch {
            morsel: None,
            lazy: HashMap::new(),
            loaded: RefCell::new(loaded),
            selection: None,
            rows: rows.len(),
            first: self.first,
            ordinals: Some(rows.iter().map(|r| ordinals[*r as usize]).collect()),
            encode: Arc::default(),
        })
    }

    /// A batch of columns that are there already.
    pub fn of_columns(columns: Vec<(Name, Column)>, ordinals: Vec<u64>) -> Batch {
        Batch {
            morsel: None,
            lazy: HashMap::new(),
            rows: ordinals.len(),
            loaded: RefCell::new(columns.into_iter().collect()),
            selection: None,
            first: 0,
            ordinals: Some(ordinals),
            encode: Arc::default(),
        }
    }
}

/// A column of a projection.
pub enum Projected {
    Same(Name),
    Computed(Column),
}

impl Input for Batch {
    fn rows(&self) -> usize {
        self.rows
    }

    fn column(&self, name: &Name) -> Result<Column> {
        if let Some(column) = self.loaded.borrow().get(name) {
            return Ok(column.clone());
        }
        let (Some(morsel), Some(at)) = (&self.morsel, self.lazy.get(name)) else {
            return Err(Fault::internal(format!("column `{name}` was pruned away")));
        };
        let column = morsel.column(*at, self.selection.as_deref())?;
        self.loaded.borrow_mut().insert(name.clone(), column.clone());
        Ok(column)
    }

    fn distinct(&self, name: &Name, reader: &Expr) -> Result<Column> {
        let column = self.column(name)?;
        if !self.encode.contains(name) || optimize::cost(reader) <= optimize::COSTLY {
            return Ok(column);
        }
        let column = learn::encoded(column);
        self.loaded.borrow_mut().insert(name.clone(), column.clone());
        Ok(column)
    }
}

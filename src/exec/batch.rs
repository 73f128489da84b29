//! The rows of a morsel on their way through a pipeline: columns are loaded when they are first read,
//! for the rows that are still there.
use super::drive::ROW_BITS;
use super::{learn, optimize, share};
use crate::diagnostic::{Fault, Result};
use crate::expr::{Expr, Input};
use crate::plan::Morsel;
use crate::types::{Column, Name, gather};
use arrow_buffer::BooleanBuffer;
use std::cell::{OnceCell, RefCell};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Columns by name.
pub type Columns = Vec<(Name, Column)>;

/// Rows of a morsel, or of other rows, ascending.
enum Selection {
    Rows(Vec<u32>),
    /// Of all rows, those of the set bits: counted out when they are first asked for.
    Mask(BooleanBuffer, OnceCell<Vec<u32>>),
}

impl Selection {
    fn rows(&self) -> &[u32] {
        match self {
            Selection::Rows(rows) => rows,
            Selection::Mask(mask, rows) => rows.get_or_init(|| mask.set_indices_u32().collect()),
        }
    }
}

/// The ordinals of rows that other rows were made of.
enum Ordinals {
    Each(Vec<u64>),
    /// Each row's own is that of the row before at this place.
    Of {
        rows: Vec<u32>,
        before: Vec<u64>,
    },
}

impl Ordinals {
    fn first(&self) -> Option<u64> {
        match self {
            Ordinals::Each(ordinals) => ordinals.first().copied(),
            Ordinals::Of { rows, before } => rows.first().map(|row| before[*row as usize]),
        }
    }

    fn all(&self) -> Vec<u64> {
        match self {
            Ordinals::Each(ordinals) => ordinals.clone(),
            Ordinals::Of { rows, before } => rows.iter().map(|row| before[*row as usize]).collect(),
        }
    }

    /// Those of some of the rows.
    fn picked(&self, picks: &[u32]) -> Ordinals {
        Ordinals::Each(match self {
            Ordinals::Each(ordinals) => picks.iter().map(|pick| ordinals[*pick as usize]).collect(),
            Ordinals::Of { rows, before } => picks.iter().map(|pick| before[rows[*pick as usize] as usize]).collect(),
        })
    }
}

pub struct Batch {
    morsel: Option<Arc<dyn Morsel>>,
    /// Columns that the morsel can still give, by their name here.
    lazy: HashMap<Name, usize>,
    loaded: RefCell<HashMap<Name, Column>>,
    /// The morsel's rows that are left; none for all.
    selection: Option<Selection>,
    rows: usize,
    /// The ordinal of the morsel's first row.
    first: u64,
    /// Ordinals that do not follow from the first: where rows were multiplied, or are a part of all rows.
    ordinals: Option<Ordinals>,
    /// The rows were made of those of one piece, in its order: several may have one ordinal.
    is_multiplied: bool,
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
            is_multiplied: false,
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
        self.ordinals = Some(Ordinals::Each(ordinals));
        self
    }

    /// The same morsel before any step, only those of its rows.
    pub fn again(morsel: Arc<dyn Morsel>, columns: &[Name], first: u64, selection: Vec<u32>) -> Batch {
        let mut batch = Batch::new(morsel, columns, first);
        batch.rows = selection.len();
        batch.selection = Some(Selection::Rows(selection));
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

    /// Whether all rows are known to lie in the window that was asked for.
    pub fn lies_in_window(&self) -> bool {
        self.morsel.as_ref().is_some_and(|morsel| morsel.lies_in_window())
    }

    /// The morsel's columns that are loaded, each with its place there.
    pub fn decoded(&self) -> Vec<(usize, Column)> {
        let loaded = self.loaded.borrow();
        self.lazy.iter().filter_map(|(name, at)| Some((*at, loaded.get(name)?.clone()))).collect()
    }

    pub fn morsel(&self) -> Option<&Arc<dyn Morsel>> {
        self.morsel.as_ref()
    }

    /// The morsel's rows that are left.
    pub fn selection(&self) -> Vec<u32> {
        match &self.selection {
            Some(selection) => selection.rows().to_vec(),
            None => (0..self.rows as u32).collect(),
        }
    }

    pub fn first(&self) -> u64 {
        self.first
    }

    /// The place of each row among all rows of the pipeline: ascending.
    pub fn ordinals(&self) -> Vec<u64> {
        match (&self.ordinals, &self.selection) {
            (Some(ordinals), _) => ordinals.all(),
            (None, Some(selection)) => selection.rows().iter().map(|r| self.first + u64::from(*r)).collect(),
            (None, None) => (0..self.rows as u64).map(|r| self.first + r).collect(),
        }
    }

    /// Numbers that ascend over all rows of the pipeline as the ordinals do, one for each row.
    pub fn places(&self) -> Vec<u64> {
        match self.is_multiplied && self.rows < 1 << ROW_BITS {
            true => (0..self.rows as u64).map(|row| self.first + row).collect(),
            false => self.ordinals(),
        }
    }

    /// Whether no two rows have one place.
    pub fn has_own_places(&self) -> bool {
        if self.is_multiplied { self.rows < 1 << ROW_BITS } else { self.ordinals.is_none() }
    }

    /// The ordinal of the first row, where there is one.
    pub fn first_ordinal(&self) -> u64 {
        match (&self.ordinals, &self.selection) {
            (Some(ordinals), _) => ordinals.first().unwrap_or(0),
            (None, Some(Selection::Mask(mask, _))) => {
                mask.set_indices().next().map_or(0, |row| self.first + row as u64)
            }
            (None, Some(Selection::Rows(rows))) => rows.first().map_or(0, |row| self.first + u64::from(*row)),
            (None, None) => self.first,
        }
    }

    /// Keeps only the rows of the set bits, as [`Batch::narrow`] does.
    pub fn narrow_to(&mut self, mask: BooleanBuffer, live: &dyn Fn(&Name) -> bool) {
        self.forget_others(live);
        // Most filters are followed by something that reads none of the columns that are there.
        if self.selection.is_some() || self.ordinals.is_some() || !self.loaded.get_mut().is_empty() {
            return self.narrow(mask.set_indices_u32().collect(), live);
        }
        self.rows = mask.count_set_bits();
        self.selection = Some(Selection::Mask(mask, OnceCell::new()));
    }

    /// Lets go of loaded columns that nobody reads.
    fn forget_others(&mut self, live: &dyn Fn(&Name) -> bool) {
        let lazy = &self.lazy;
        self.loaded.get_mut().retain(|name, _| live(name) || !(lazy.contains_key(name) || share::is_shared(name)));
    }

    /// Keeps only `rows` (ascending); of the loaded columns only those that `live` names are kept.
    pub fn narrow(&mut self, rows: Vec<u32>, live: &dyn Fn(&Name) -> bool) {
        self.forget_others(live);
        let loaded = self.loaded.get_mut();
        loaded.values_mut().for_each(|column| *column = gather::take(column, &rows));
        if let Some(ordinals) = &mut self.ordinals {
            *ordinals = ordinals.picked(&rows);
        }
        self.rows = rows.len();
        self.selection = Some(Selection::Rows(match &self.selection {
            Some(before) => {
                let before = before.rows();
                rows.iter().map(|r| before[*r as usize]).collect()
            }
            None => rows,
        }));
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
    pub fn multiplied(&self, rows: Vec<u32>, live: &HashSet<Name>, columns: Vec<(Name, Column)>) -> Result<Batch> {
        let before = self.ordinals();
        let mut loaded = HashMap::new();
        let own: HashSet<Name> = self.lazy.keys().chain(self.loaded.borrow().keys()).cloned().collect();
        let made = |name: &Name| columns.iter().any(|(made, _)| made == name);
        for name in own.iter().filter(|name| live.contains(*name) && !made(name)) {
            loaded.insert(name.clone(), gather::take(&self.column(name)?, &rows));
        }
        loaded.extend(columns);
        Ok(Batch {
            morsel: None,
            lazy: HashMap::new(),
            loaded: RefCell::new(loaded),
            selection: None,
            rows: rows.len(),
            first: self.first,
            ordinals: Some(Ordinals::Of { rows, before }),
            is_multiplied: self.ordinals.is_none() || self.is_multiplied,
            encode: Arc::default(),
        })
    }

    /// A batch of columns that are there already.
    pub fn of_columns(columns: Vec<(Name, Column)>, rows: usize) -> Batch {
        Batch {
            morsel: None,
            lazy: HashMap::new(),
            rows,
            loaded: RefCell::new(columns.into_iter().collect()),
            selection: None,
            first: 0,
            ordinals: None,
            is_multiplied: false,
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
        let column = morsel.column(*at, self.selection.as_ref().map(Selection::rows))?;
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

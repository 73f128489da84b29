//! Rows that a state holds on to: columns as they came, and the places of the rows that count.
use crate::types::{Column, Kind, gather};

/// The place of a held row: piece and row in it.
pub type Place = (u32, u32);

/// Columns of one kind, one of each update.
#[derive(Default)]
pub struct Held {
    pieces: Vec<Column>,
    rows: usize,
}

impl Held {
    /// Takes in a column and gives the number of its piece.
    pub fn add(&mut self, column: &Column) -> u32 {
        self.pieces.push(column.clone());
        self.rows += column.len();
        (self.pieces.len() - 1) as u32
    }

    /// Takes in another's columns and gives the number of their first piece.
    pub fn absorb(&mut self, other: Held) -> u32 {
        let first = self.pieces.len() as u32;
        self.pieces.extend(other.pieces);
        self.rows += other.rows;
        first
    }

    /// About how many bytes are held.
    pub fn bytes(&self) -> usize {
        self.pieces.iter().map(gather::held_bytes).sum()
    }

    /// Whether so many more rows are held than are wanted that letting go of them pays.
    pub fn is_wasteful(&self, wanted: usize) -> bool {
        self.rows > 1_000_000 && self.rows > wanted.saturating_mul(4)
    }

    /// Lets go of all rows but those at `best`, which learn their new places, where that pays: of `groups` groups.
    pub fn shrink<'a>(&mut self, groups: usize, best: impl Iterator<Item = &'a mut Place>) {
        if !self.is_wasteful(groups) {
            return;
        }
        let mut places = Vec::with_capacity(groups);
        for place in best {
            places.push(*place);
            *place = (0, (places.len() - 1) as u32);
        }
        self.keep(&places);
    }

    /// Keeps only the rows at `places`, which become the rows of piece 0 in that order.
    pub fn keep(&mut self, places: &[Place]) {
        let kept = self.column(places).map(gather::compact);
        self.rows = places.len();
        self.pieces = kept.into_iter().collect();
    }

    /// The rows at `places`; none where nothing is held at all.
    pub fn column(&self, places: &[Place]) -> Option<Column> {
        (!self.pieces.is_empty()).then(|| gather::interleave(&self.pieces, places))
    }

    /// The rows at `places`, null where there is no place.
    pub fn column_or_null(mut self, kind: Kind, places: &[Option<Place>]) -> Column {
        let absent = self.add(&Column::nulls(kind, 1));
        let places: Vec<Place> = places.iter().map(|place| place.unwrap_or((absent, 0))).collect();
        self.column(&places).unwrap_or_else(|| Column::nulls(kind, places.len()))
    }
}

//! Dynamic arrays of one kind, as typed lists.
use super::{Column, Kind, number};
use arrow_array::Array;
use arrow_buffer::NullBuffer;
use std::sync::Arc;

/// Row `i` is the array of `items[offsets[i]..offsets[i + 1]]`.
#[derive(Clone, Debug)]
pub struct List {
    pub offsets: Arc<[u32]>,
    pub nulls: Option<NullBuffer>,
    pub items: Arc<Column>,
}

impl List {
    pub fn len(&self) -> usize {
        self.offsets.len().saturating_sub(1)
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub fn is_null(&self, row: usize) -> bool {
        self.nulls.as_ref().is_some_and(|n| n.is_null(row))
    }

    pub fn range(&self, row: usize) -> std::ops::Range<usize> {
        self.offsets[row] as usize..self.offsets[row + 1] as usize
    }

    /// The JSON text of a row that is not null.
    pub fn json(&self, row: usize) -> String {
        let mut out = String::new();
        self.write_json(row, &mut out);
        out
    }

    /// Appends the JSON text of a row that is not null.
    pub fn write_json(&self, row: usize, out: &mut String) {
        out.push('[');
        if let Column::Long(longs) = &*self.items
            && longs.null_count() == 0
        {
            for (place, long) in longs.values().get(self.range(row)).unwrap_or_default().iter().enumerate() {
                if place > 0 {
                    out.push(',');
                }
                number::write_long(*long, out);
            }
            return out.push(']');
        }
        for (place, item) in self.range(row).enumerate() {
            if place > 0 {
                out.push(',');
            }
            self.items.write_json(item, out);
        }
        out.push(']');
    }

    /// Whether the JSON of the elements is what `tostring` writes: none is one of Kusto's literals.
    pub fn is_standard(&self) -> bool {
        matches!(self.items.kind(), Kind::Bool | Kind::Int | Kind::Long | Kind::String)
    }
}

//! Dynamic arrays of one kind, as typed lists.
use super::Column;
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
        let mut out = String::from("[");
        for (i, item) in self.range(row).enumerate() {
            if i > 0 {
                out.push(',');
            }
            out.push_str(&self.items.value(item).to_json());
        }
        out.push(']');
        out
    }
}

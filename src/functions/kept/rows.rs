//! Rows that a host keeps ready between runs, with an index that tells which of them are wanted: the others are not
//! read.
use crate::diagnostic::Result;
use crate::types::wire::{Reader, Writer, cut_off};
use crate::types::{Builder, Chunk, Column, Kind, Name, Stored, Table};
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// Bytes that a host holds, in memory or in a file that is mapped.
pub type Bytes = Arc<dyn AsRef<[u8]> + Send + Sync>;

const MARK: &[u8; 8] = b"HPROWS\x00\x01";

/// Rows as bytes: the mark, the length of the head, the head (the number of rows, the columns, the length of the
/// index), then where the cells of each column end and the cells themselves, and the index.
pub struct KeptRows {
    bytes: Bytes,
    rows: usize,
    columns: Vec<Cells>,
    index: Range<usize>,
}

/// Where a column stands.
struct Cells {
    name: Name,
    kind: Kind,
    ends: Range<usize>,
    cells: Range<usize>,
}

impl fmt::Debug for KeptRows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} rows", self.rows)
    }
}

/// Writes rows and an index; none where they are too long for this form, or hold fields of a search.
pub fn write(columns: &[(Name, Column)], rows: usize, index: &[u8]) -> Option<Vec<u8>> {
    let (mut head, mut data) = (Writer::default(), Vec::new());
    head.count(rows);
    head.count(columns.len());
    for (name, column) in columns.iter().filter(|(_, column)| column.kind() != Kind::Field) {
        let column = column.clone().without_lists();
        let (mut ends, mut cells) = (Vec::with_capacity(rows), Writer::default());
        for row in 0..rows {
            cells.cell(&column, row);
            ends.push(u32::try_from(cells.0.len()).ok()?);
        }
        head.text(name);
        head.text(column.kind().name());
        head.long(cells.0.len() as i64);
        ends.iter().for_each(|end| data.extend_from_slice(&end.to_le_bytes()));
        data.append(&mut cells.0);
    }
    head.long(index.len() as i64);
    let mut bytes = MARK.to_vec();
    bytes.extend_from_slice(&(head.0.len() as u64).to_le_bytes());
    bytes.append(&mut head.0);
    bytes.append(&mut data);
    bytes.extend_from_slice(index);
    columns.iter().all(|(_, column)| column.kind() != Kind::Field).then_some(bytes)
}

impl KeptRows {
    /// None where the bytes are no whole rows.
    pub fn read(bytes: Bytes) -> Option<KeptRows> {
        let all = (*bytes).as_ref();
        let (mark, rest) = all.split_first_chunk::<16>()?;
        let (mark, length) = mark.split_first_chunk::<8>()?;
        let length = usize::try_from(u64::from_le_bytes(length.try_into().ok()?)).ok()?;
        let mut head = Reader::new(rest.get(..length).filter(|_| mark == MARK)?);
        let mut at = length.checked_add(16)?;
        let mut section = |length: usize| {
            let begin = at;
            at = at.checked_add(length)?;
            Some(begin..at)
        };
        let rows = head.number(u32::MAX as usize).ok()?;
        let columns = head.each(|head| {
            let (name, kind) = (Name::from(head.text()?), Kind::parse(head.text()?).ok_or_else(cut_off)?);
            let length = head.number(all.len())?;
            let ends = section(rows.saturating_mul(4)).ok_or_else(cut_off)?;
            Ok(Cells { name, kind, ends, cells: section(length).ok_or_else(cut_off)? })
        });
        let (columns, length) = (columns.ok()?, head.number(all.len()).ok()?);
        let index = section(length)?;
        let whole = index.end == all.len();
        whole.then_some(KeptRows { rows, columns, index, bytes })
    }

    pub fn rows(&self) -> usize {
        self.rows
    }

    /// What tells which rows are wanted, as its owner wrote it.
    pub fn index(&self) -> &[u8] {
        self.at(&self.index)
    }

    fn at(&self, range: &Range<usize>) -> &[u8] {
        (*self.bytes).as_ref().get(range.clone()).unwrap_or_default()
    }

    fn named(&self, name: &str) -> Option<&Cells> {
        self.columns.iter().find(|column| *column.name == *name)
    }

    /// The kind of a column; none where there is none of that name.
    pub fn kind(&self, name: &str) -> Option<Kind> {
        Some(self.named(name)?.kind)
    }

    fn cell(&self, column: &Cells, row: u32) -> Option<&[u8]> {
        let ends = self.at(&column.ends);
        let row = row as usize;
        let begin = row.checked_sub(1).map_or(Some(0), |before| word(ends, before))?;
        self.at(&column.cells).get(begin as usize..word(ends, row)? as usize)
    }

    /// Some rows of a column, which are all there.
    ///
    /// Errors: bytes that are not as they were written.
    pub fn column(&self, name: &str, rows: &[u32]) -> Result<Column> {
        let column = self.named(name).ok_or_else(cut_off)?;
        let mut builder = Builder::new(column.kind, rows.len());
        for row in rows {
            Reader::new(self.cell(column, *row).ok_or_else(cut_off)?).cell(column.kind, &mut builder)?;
        }
        Ok(builder.finish())
    }

    /// Some rows of all columns.
    ///
    /// Errors: bytes that are not as they were written.
    pub fn table(&self, rows: &[u32]) -> Result<Table> {
        let schema = self.columns.iter().map(|column| (column.name.clone(), column.kind)).collect();
        let columns = self.columns.iter().map(|column| Ok(Stored::Column(self.column(&column.name, rows)?)));
        let columns = columns.collect::<Result<Vec<_>>>()?;
        Ok(Table::new(schema, vec![Chunk { rows: rows.len(), columns }]))
    }

    /// A text of a column; none where it is null.
    pub fn text(&self, name: &str, row: u32) -> Option<&str> {
        let mut cell = Reader::new(self.cell(self.named(name)?, row)?);
        (cell.byte().ok()? == 1).then(|| cell.text().ok())?
    }
}

/// A number of four bytes among others.
pub fn word(words: &[u8], at: usize) -> Option<u32> {
    let begin = at.checked_mul(4)?;
    Some(u32::from_le_bytes(words.get(begin..begin.checked_add(4)?)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Value;
    use proptest::prelude::*;

    fn table() -> Vec<(Name, Column)> {
        let texts = [Value::string("a"), Value::string(""), Value::string("ü,\n")];
        let longs = [Value::Long(7), Value::Null(Kind::Long), Value::Long(-1)];
        vec![
            ("s".into(), Column::from_values(Kind::String, &texts)),
            ("n".into(), Column::from_values(Kind::Long, &longs)),
        ]
    }

    #[test]
    fn rows_come_back_as_they_were() {
        let kept = KeptRows::read(Arc::new(write(&table(), 3, b"index").unwrap())).unwrap();
        assert_eq!((kept.rows(), kept.index(), kept.kind("n")), (3, b"index".as_slice(), Some(Kind::Long)));
        for (name, column) in table() {
            let found = kept.column(&name, &[2, 1, 0, 2]).unwrap();
            let values: Vec<Value> = found.values().collect();
            assert_eq!(values, [2, 1, 0, 2].map(|row| column.value(row)));
        }
        assert_eq!(kept.text("s", 2), Some("ü,\n"));
        assert!(kept.column("s", &[3]).is_err() && kept.column("x", &[0]).is_err());
    }

    proptest! {
        #[test]
        fn bytes_that_are_no_rows_are_refused(place in 0usize..200, byte in any::<u8>(), cut in 0usize..200) {
            let mut bytes = write(&table(), 3, b"index").unwrap();
            let length = bytes.len();
            bytes[place % length] = byte;
            bytes.truncate(length.saturating_sub(cut / 2));
            if let Some(kept) = KeptRows::read(Arc::new(bytes)) {
                let _ = (kept.column("s", &[0, 1, 2]), kept.column("n", &[0, 1, 2]), kept.text("s", 1));
            }
        }
    }
}

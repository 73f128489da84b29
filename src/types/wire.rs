//! Numbers, texts and columns as bytes, for what one process computes and another goes on with.
use super::{Builder, Column, Kind, Value};
use crate::diagnostic::{Fault, Result};

/// Writes values one behind the other, lowest byte first.
#[derive(Clone, Debug, Default)]
pub struct Writer(pub Vec<u8>);

impl Writer {
    pub fn byte(&mut self, value: u8) {
        self.0.push(value);
    }

    /// A count, or the number of a thing.
    pub fn count(&mut self, value: usize) {
        self.0.extend_from_slice(&(value as u64).to_le_bytes());
    }

    pub fn long(&mut self, value: i64) {
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    pub fn wide(&mut self, value: i128) {
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    pub fn real(&mut self, value: f64) {
        self.0.extend_from_slice(&value.to_bits().to_le_bytes());
    }

    pub fn text(&mut self, value: &str) {
        self.count(value.len());
        self.0.extend_from_slice(value.as_bytes());
    }

    /// A column with its kind.
    pub fn column(&mut self, column: &Column) {
        let column = column.clone().without_lists();
        self.text(column.kind().name());
        self.count(column.len());
        (0..column.len()).for_each(|row| self.cell(&column, row));
    }

    /// A value of a kind that its reader knows; the column holds no lists.
    pub fn cell(&mut self, column: &Column, row: usize) {
        self.byte(u8::from(!column.is_null(row)));
        if column.is_null(row) {
            return;
        }
        match column.text(row) {
            Some(text) => self.text(text),
            None => match column.value(row) {
                Value::Real(real) => self.real(real),
                value => self.long(value.as_long().unwrap_or_default()),
            },
        }
    }
}

/// Reads what a [`Writer`] wrote.
#[derive(Clone, Debug)]
pub struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub fn new(bytes: &'a [u8]) -> Reader<'a> {
        Reader(bytes)
    }

    pub fn is_at_end(&self) -> bool {
        self.0.is_empty()
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or_else(cut_off)?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        self.take(N)?.try_into().map_err(|_| cut_off())
    }

    pub fn byte(&mut self) -> Result<u8> {
        Ok(self.array::<1>()?[0])
    }

    /// A count of things that follow, each of a byte or more.
    pub fn count(&mut self) -> Result<usize> {
        let count = usize::try_from(u64::from_le_bytes(self.array()?)).map_err(|_| cut_off())?;
        if count > self.0.len() { Err(cut_off()) } else { Ok(count) }
    }

    /// The number of a thing, below `most`.
    pub fn number(&mut self, most: usize) -> Result<usize> {
        let number = u64::from_le_bytes(self.array()?);
        usize::try_from(number).ok().filter(|number| *number < most).ok_or_else(cut_off)
    }

    pub fn long(&mut self) -> Result<i64> {
        Ok(i64::from_le_bytes(self.array()?))
    }

    pub fn wide(&mut self) -> Result<i128> {
        Ok(i128::from_le_bytes(self.array()?))
    }

    pub fn real(&mut self) -> Result<f64> {
        Ok(f64::from_bits(u64::from_le_bytes(self.array()?)))
    }

    pub fn text(&mut self) -> Result<&'a str> {
        let length = self.count()?;
        std::str::from_utf8(self.take(length)?).map_err(|_| cut_off())
    }

    pub fn column(&mut self) -> Result<Column> {
        let kind = Kind::parse(self.text()?).ok_or_else(cut_off)?;
        let rows = self.count()?;
        let mut builder = Builder::new(kind, rows);
        for _ in 0..rows {
            self.cell(kind, &mut builder)?;
        }
        Ok(builder.finish())
    }

    /// A value that was written by [`Writer::cell`] of a column of this kind.
    pub fn cell(&mut self, kind: Kind, builder: &mut Builder) -> Result<()> {
        if self.byte()? == 0 {
            builder.push_null();
            return Ok(());
        }
        match kind {
            Kind::Real => builder.push_real(self.real()?),
            Kind::Bool => builder.push_bool(self.long()? != 0),
            Kind::Int | Kind::Long | Kind::DateTime | Kind::TimeSpan => builder.push_long(self.long()?),
            _ => builder.push_text(self.text()?),
        }
        Ok(())
    }

    /// As many values as were written, each read by `read`.
    pub fn each<T>(&mut self, mut read: impl FnMut(&mut Self) -> Result<T>) -> Result<Vec<T>> {
        let count = self.count()?;
        (0..count).map(|_| read(self)).collect()
    }
}

/// What is said of bytes that no [`Writer`] wrote.
pub fn cut_off() -> Fault {
    Fault::data("HP451", "a partial result is not whole, or was not written by huntpack")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn column(kind: Kind, values: &[Value]) -> Column {
        Column::from_values(kind, values)
    }

    #[test]
    fn columns_come_back_as_they_were() {
        let columns = [
            column(Kind::String, &[Value::string("a"), Value::string("")]),
            column(Kind::Long, &[Value::Long(-7), Value::Null(Kind::Long)]),
            column(Kind::Real, &[Value::Real(0.1), Value::Real(f64::INFINITY)]),
            column(Kind::Bool, &[Value::Bool(true), Value::Null(Kind::Bool)]),
            column(Kind::DateTime, &[Value::DateTime(5), Value::DateTime(-5)]),
            column(Kind::Dynamic, &[Value::dynamic("[1,2]"), Value::Null(Kind::Dynamic)]),
        ];
        for column in columns {
            let mut out = Writer::default();
            out.column(&column);
            let mut reader = Reader::new(&out.0);
            let read = reader.column().unwrap();
            assert_eq!((read.kind(), read.values().collect::<Vec<_>>()), (column.kind(), column.values().collect()));
            assert!(reader.is_at_end());
        }
    }

    proptest! {
        /// Whatever bytes come, reading ends with a column or an error.
        #[test]
        fn no_bytes_are_too_odd(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Reader::new(&bytes).column();
            let mut named = Writer::default();
            named.text("long");
            let mut long = named.0.clone();
            long.extend(&bytes);
            let _ = Reader::new(&long).column();
        }
    }
}

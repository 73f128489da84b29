//! Columns as the CSV that splunkd reads: several values of a field beside their flat text.
use crate::read::SEVERAL;
use crate::types::{Column, Dynamic, Kind, Name, Table, Value, datetime, number};

/// Appends a header's cell or a text's.
pub fn text(text: &str, out: &mut Vec<u8>) {
    let plain = |byte: u8| byte != b',' && byte != b'"' && byte != b'\n' && byte != b'\r';
    if text.bytes().all(plain) {
        return out.extend_from_slice(text.as_bytes());
    }
    out.push(b'"');
    for (at, part) in text.split('"').enumerate() {
        if at > 0 {
            out.extend_from_slice(b"\"\"");
        }
        out.extend_from_slice(part.as_bytes());
    }
    out.push(b'"');
}

/// A column on its way out.
pub struct Out {
    name: Name,
    column: Column,
    /// Whether its values go beside their flat text, too.
    pub several: bool,
}

impl Out {
    pub fn new(name: &Name, column: Column) -> Out {
        let several = column.kind() == Kind::Dynamic;
        Out { name: name.clone(), column, several }
    }

    /// Appends the cell of a row, and the one of its several values where the column has such.
    pub fn write(&self, row: usize, out: &mut Vec<u8>) {
        let values = self.values(row);
        match &values {
            Some(values) => text(&values.join("\n"), out),
            None => self.cell(row, out),
        }
        if self.several {
            out.push(b',');
            if let Some(values) = values.filter(|values| values.len() > 1) {
                let each: Vec<String> = values.iter().map(|value| format!("${}$", value.replace('$', "$$"))).collect();
                text(&each.join(";"), out);
            }
        }
    }

    /// The values of an array of scalars.
    fn values(&self, row: usize) -> Option<Vec<String>> {
        if !self.several {
            return None;
        }
        let value = Dynamic::of(&self.column, row)?;
        let elements = value.elements()?;
        let nested = |value: &Value| matches!(value, Value::Text(Kind::Dynamic, json) if json.starts_with(['{', '[']));
        let texts = || elements.iter().filter(|value| !value.is_null()).map(Value::to_text).collect();
        (!elements.iter().any(nested)).then(texts)
    }

    fn cell(&self, row: usize, out: &mut Vec<u8>) {
        if let Some(own) = self.column.text(row).filter(|_| self.column.kind() != Kind::Dynamic) {
            return text(own, out);
        }
        match self.column.value(row) {
            Value::Null(_) => {}
            Value::DateTime(ticks) if *self.name == *"_time" => epoch(ticks, out),
            Value::DateTime(ticks) => out.extend_from_slice(datetime::format(ticks).as_bytes()),
            Value::Long(long) => {
                let mut digits = String::new();
                number::write_long(long, &mut digits);
                out.extend_from_slice(digits.as_bytes());
            }
            Value::Text(Kind::Dynamic, json) => text(&crate::types::json::to_string(&json), out),
            value => text(&value.to_text(), out),
        }
    }
}

/// Seconds since 1970 with as many places as are needed, three at least: as Splunk writes times.
fn epoch(ticks: i64, out: &mut Vec<u8>) {
    let Some(start) = datetime::from_unix(0, datetime::Part::Second) else { return };
    let since = i128::from(ticks) - i128::from(start);
    let (seconds, fraction) = (since.div_euclid(10_000_000), since.rem_euclid(10_000_000));
    let digits = format!("{fraction:07}");
    let kept = digits.trim_end_matches('0').len().max(3);
    out.extend_from_slice(format!("{seconds}.{}", digits.get(..kept).unwrap_or_default()).as_bytes());
}

/// The names of columns, those of several values beside them.
pub fn header(columns: &[(Name, bool)], out: &mut Vec<u8>) {
    for (at, (name, several)) in columns.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        text(name, out);
        if *several {
            out.push(b',');
            text(&format!("{SEVERAL}{name}"), out);
        }
    }
    out.push(b'\n');
}

/// Rows of columns.
pub fn rows(columns: &[Out], rows: usize, out: &mut Vec<u8>) {
    for row in 0..rows {
        for (at, column) in columns.iter().enumerate() {
            if at > 0 {
                out.push(b',');
            }
            column.write(row, out);
        }
        out.push(b'\n');
    }
}

/// A whole table with its header; nothing where it has no rows.
pub fn table(table: &Table) -> Vec<u8> {
    let mut out = Vec::new();
    if table.rows() == 0 || table.schema().is_empty() {
        return out;
    }
    let names = table.schema().names().enumerate();
    let columns: Vec<Out> = names.map(|(at, name)| Out::new(name, table.column(at))).collect();
    let named: Vec<(Name, bool)> = columns.iter().map(|column| (column.name.clone(), column.several)).collect();
    header(&named, &mut out);
    rows(&columns, table.rows(), &mut out);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Schema;

    #[test]
    fn kinds_as_splunk_writes_them() {
        let schema = Schema::from_iter([
            ("_time", Kind::DateTime),
            ("when", Kind::DateTime),
            ("n", Kind::Long),
            ("s", Kind::String),
            ("d", Kind::Dynamic),
        ]);
        let time = Value::DateTime(datetime::parse("2024-06-01T00:00:00.25Z").unwrap());
        let rows = [
            vec![time.clone(), time, Value::Long(-7), Value::string("a \"b\",\nc"), Value::dynamic("[\"x$\",2]")],
            vec![
                Value::Null(Kind::DateTime),
                Value::Null(Kind::DateTime),
                Value::Null(Kind::Long),
                Value::string(""),
                Value::dynamic("{\"a\":1}"),
            ],
        ];
        let text = String::from_utf8(table(&Table::from_rows(schema, &rows))).unwrap();
        let expected = "_time,when,n,s,d,__mv_d\n\
            1717200000.250,2024-06-01T00:00:00.2500000Z,-7,\"a \"\"b\"\",\nc\",\"x$\n2\",$x$$$;$2$\n\
            ,,,,\"{\"\"a\"\":1}\",\n";
        assert_eq!(text, expected);
    }
}

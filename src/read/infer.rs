//! The kinds of columns that no schema declares, from the first records.
use super::block::Block;
use super::cell::{Bytes, Cell, Form};
use super::rows::{Rows, Wanted};
use super::text;
use super::values;
use crate::types::{Kind, Name, Schema, number};

/// How many records decide.
pub const RECORDS: usize = 10_000;

/// Cells of a sample that is very wide are fewer than its records ask for.
const MOST_CELLS: usize = 20_000_000;

/// What the values of a column seen so far allow, from the narrowest kind to text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Guess {
    #[default]
    Nothing,
    Bool,
    Long,
    Real,
    DateTime,
    String,
    Dynamic,
    /// The file states it.
    Known(Kind),
}

impl Guess {
    /// The narrowest guess that holds both.
    fn and(self, other: Guess) -> Guess {
        match (self.min(other), self.max(other)) {
            (Guess::Nothing, other) => other,
            (Guess::Long, Guess::Real) => Guess::Real,
            (a, b) if a == b => a,
            (_, known @ (Guess::Dynamic | Guess::Known(_))) => known,
            _ => Guess::String,
        }
    }

    fn kind(self) -> Kind {
        match self {
            Guess::Nothing | Guess::String => Kind::String,
            Guess::Bool => Kind::Bool,
            Guess::Long => Kind::Long,
            Guess::Real => Kind::Real,
            Guess::DateTime => Kind::DateTime,
            Guess::Dynamic => Kind::Dynamic,
            Guess::Known(kind) => kind,
        }
    }
}

/// The columns of the files and their kinds.
#[derive(Debug, Default)]
pub struct Inferred {
    columns: Vec<(Name, Guess)>,
    records: usize,
}

impl Inferred {
    /// Whether enough records were seen.
    pub fn is_enough(&self) -> bool {
        self.records >= RECORDS
    }

    /// The columns in the order of their first sight.
    pub fn columns(&self) -> impl Iterator<Item = (Name, Kind)> + '_ {
        self.columns.iter().map(|(name, guess)| (name.clone(), guess.kind()))
    }

    /// Takes columns whose kinds a file states.
    pub fn declare(&mut self, schema: &Schema, known: &dyn Fn(&str) -> bool) {
        for (name, kind) in schema.columns() {
            if !known(name) && !self.columns.iter().any(|(other, _)| other == name) {
                self.columns.push((name.clone(), Guess::Known(*kind)));
            }
        }
    }

    /// Looks at the first records of a file; the kinds of `known` columns are not asked for.
    pub fn sample(&mut self, form: &dyn text::Form, sample: &Block, known: &dyn Fn(&str) -> bool) {
        let names = form.names(sample);
        let unknown: Vec<Name> = names.iter().filter(|name| !known(name)).cloned().collect();
        if unknown.is_empty() {
            let records = sample.bytes().get(sample.start..sample.end).unwrap_or_default();
            self.records += memchr::memchr_iter(b'\n', records).count().min(RECORDS);
            return;
        }
        let wanted = Wanted::new(&unknown, None);
        let most = RECORDS.min(MOST_CELLS / wanted.names.len().max(1));
        let mut rows = Rows::new(&wanted).at_most(most);
        form.parser(&wanted).parse(sample, &mut rows);
        let bytes = Bytes { block: sample.bytes(), beside: &rows.beside };
        // Later files are opened for their new columns: some records tell of them too.
        let left = RECORDS.saturating_sub(self.records).max(RECORDS / 10);
        for (slot, name) in wanted.names.iter().enumerate() {
            let guess = rows.slot(slot).take(left).fold(Guess::Nothing, |seen, cell| widen(seen, &bytes, cell));
            match self.columns.iter_mut().find(|(known, _)| known == name) {
                Some((_, seen)) => *seen = seen.and(guess),
                None => self.columns.push((name.clone(), guess)),
            }
        }
        self.records += rows.count();
    }
}

#[inline]
fn widen(seen: Guess, bytes: &Bytes<'_>, cell: Cell) -> Guess {
    match (seen, cell.form) {
        (Guess::Dynamic, _) | (Guess::String, Form::Text | Form::Bare | Form::Scalar | Form::PlusForBlank) => seen,
        _ => seen.and(guess(bytes, cell)),
    }
}

fn guess(bytes: &Bytes<'_>, cell: Cell) -> Guess {
    match cell.form {
        Form::Absent | Form::Null => Guess::Nothing,
        Form::Ticks => Guess::DateTime,
        Form::Container => Guess::Dynamic,
        Form::Scalar => plain(&bytes.text(cell)),
        Form::Text | Form::JsonEscaped => quoted(&bytes.text(cell)),
        _ => bare(&bytes.text(cell)),
    }
}

/// A JSON string is a string or a datetime.
fn quoted(text: &str) -> Guess {
    match text {
        "" => Guess::Nothing,
        text if is_iso(text) => Guess::DateTime,
        _ => Guess::String,
    }
}

/// Text of a format that has only text.
fn bare(text: &str) -> Guess {
    let plain = plain(text);
    if plain == Guess::String { quoted(text) } else { plain }
}

fn plain(text: &str) -> Guess {
    // A leading zero or a plus is an identifier's, not a number's.
    let digits = text.strip_prefix('-').unwrap_or(text);
    let numeric = match digits.as_bytes() {
        [b'0', b'0'..=b'9', ..] => false,
        [first, ..] => first.is_ascii_digit(),
        [] => false,
    };
    match text {
        "" | "-" => Guess::Nothing,
        "true" | "false" | "True" | "False" | "TRUE" | "FALSE" => Guess::Bool,
        _ if !numeric || text.contains(['x', 'X']) => Guess::String,
        _ if number::parse_long(text).is_some() => Guess::Long,
        _ if number::parse_real(text).is_some() => Guess::Real,
        _ => Guess::String,
    }
}

/// `2020-01-01`, with or without a time.
fn is_iso(text: &str) -> bool {
    let dashed = matches!(text.as_bytes(), [_, _, _, _, b'-', _, _, b'-', _, _, ..]);
    dashed && values::text_ticks(text).is_some()
}

//! The partial states of an aggregate as bytes: what an indexer sends to the search head.
//!
//! `HP`, the version of the form, the number of the aggregate in its plan, the aggregate in words, the keys of the
//! groups and the places of their first rows, the rows that have passed each step, then for each state its function's name and what the state writes of itself.
use super::aggregate::Groups;
use super::group::Grouper;
use crate::diagnostic::{Fault, Result};
use crate::types::wire::{Reader, Writer};

const MARK: &[u8] = b"HP";
const VERSION: u8 = 2;

/// Writes the states of aggregate number `number`, which is `described` so.
pub fn close(number: usize, described: &str, passed: &[u64], groups: Groups) -> Result<Vec<u8>> {
    let mut out = Writer(MARK.to_vec());
    out.byte(VERSION);
    out.count(number);
    out.text(described);
    let Groups { grouper, mut states, firsts, .. } = groups;
    out.count(grouper.len());
    let every: Vec<u32> = (0..grouper.len() as u32).collect();
    grouper.columns(&every).iter().for_each(|key| out.column(key));
    numbers(&firsts, &mut out);
    numbers(passed, &mut out);
    for state in &mut states {
        match state.wire() {
            Some(wire) => wire.write(&mut out),
            None => return Err(Fault::internal("the state of an aggregate cannot be written")),
        }
    }
    Ok(out.0)
}

fn numbers(numbers: &[u64], out: &mut Writer) {
    out.count(numbers.len());
    numbers.iter().for_each(|number| out.long(number.cast_signed()));
}

/// States that are not read yet.
pub struct States<'a>(Reader<'a>);

/// The number of the aggregate whose states these bytes are, and the states.
pub fn open(bytes: &[u8]) -> Result<(usize, States<'_>)> {
    let rest = bytes.strip_prefix(MARK).ok_or_else(of_another)?;
    let mut reader = Reader::new(rest);
    let version = reader.byte()?;
    if version != VERSION {
        let fault = Fault::data(
            "HP452",
            format!("a partial result has form {version}, and this huntpack reads form {VERSION}"),
        );
        return Err(fault.help("install the same version of the app on search heads and indexers"));
    }
    Ok((reader.number(usize::MAX)?, States(reader)))
}

/// What is said where states are not those of this query.
pub fn of_another() -> Fault {
    Fault::data("HP452", "a partial result is of another query or another version of huntpack")
        .help("install the same version of the app on search heads and indexers")
}

impl States<'_> {
    /// The rows that have passed each step, and the states, read into `empty` ones of the same aggregate.
    pub fn read(self, described: &str, empty: Groups) -> Result<(Vec<u64>, Groups)> {
        let States(mut reader) = self;
        if reader.text()? != described {
            return Err(of_another());
        }
        let Groups { mut grouper, mut states, .. } = empty;
        let count = reader.number(u32::MAX as usize)?;
        read_keys(&mut reader, &mut grouper, count)?;
        let firsts = read_numbers(&mut reader)?;
        let passed = read_numbers(&mut reader)?;
        if firsts.len() > count {
            return Err(of_another());
        }
        for state in &mut states {
            let wire = state.wire().ok_or_else(of_another)?;
            wire.read(&mut reader, count)?;
        }
        if !reader.is_at_end() {
            return Err(of_another());
        }
        Ok((passed, Groups::of(grouper, states, firsts)))
    }
}

fn read_numbers(reader: &mut Reader) -> Result<Vec<u64>> {
    reader.each(|reader| Ok(reader.long()?.cast_unsigned()))
}

/// The groups by their keys: numbered in the order in which they were written.
fn read_keys(reader: &mut Reader, grouper: &mut Grouper, count: usize) -> Result<()> {
    let keys = grouper.keys();
    let columns = (0..keys).map(|_| reader.column()).collect::<Result<Vec<_>>>()?;
    if columns.iter().any(|column| column.len() != count) {
        return Err(of_another());
    }
    let numbers = if keys == 0 { Vec::new() } else { grouper.groups(&columns, count) };
    let in_order = numbers.iter().enumerate().all(|(at, group)| at == *group as usize);
    if in_order && grouper.len() == count { Ok(()) } else { Err(of_another()) }
}

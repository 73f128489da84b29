//! The place of an event among the events of all indexers.
//!
//! Values whose answer hangs on the order of events, such as lists and first values, are made apart on indexers. An
//! event's place is therefore a number that every process can tell by itself: events of one process keep the order in
//! which they come, and those of several stand by their times, in the direction in which the search gives them.
use crate::diagnostic::Result;
use crate::plan::Morsel;
use crate::read::{Header, Layout, Piece, Records};
use crate::types::{Kind, Name, Value, datetime};
use twox_hash::XxHash64;

/// The field in which an indexer sends the place of an event.
pub const PLACE: &str = "huntpack_place";

/// The lowest bits tell processes apart whose events are of one time.
const PEER_BITS: u32 = 10;
const STEP: u64 = 1 << PEER_BITS;
/// The last time that counts, in microseconds since 1970: in the year 2112.
const LATEST: i64 = (1 << 52) - 1;

/// Gives events their places, in the order in which they come.
#[derive(Default)]
pub struct Clock {
    /// Whether the newest events come first. The first two events of different times tell.
    newest_first: Option<bool>,
    /// What tells this process from others: its first event.
    peer: Option<u64>,
    last: Option<u64>,
    layout: Option<Layout>,
}

/// The places of the events of a piece, each with the byte at which it begins.
#[derive(Debug, Default)]
pub struct Places(Vec<(u32, u64)>);

impl Clock {
    /// Makes ready for the events under a header.
    pub fn learn(&mut self, header: &Header) {
        let wanted = [(Name::from("_time"), Kind::DateTime)];
        self.layout = Some(Layout::new(header, &wanted, None));
    }

    /// The places of the events of a piece.
    pub fn read(&mut self, piece: &Piece) -> Result<Places> {
        let Some(layout) = &self.layout else { return Ok(Places::default()) };
        let records = layout.read(piece)?;
        if records.rows() == 0 {
            return Ok(Places::default());
        }
        let peer = XxHash64::oneshot(0, records.record(0)) % STEP;
        self.peer.get_or_insert(peer);
        let times: Vec<Option<i64>> = records.column(0, None)?.values().map(|value| microseconds(&value)).collect();
        let places = self.places(&times);
        Ok(Places((0..records.rows() as u32).map(|row| records.place(row)).zip(places).collect()))
    }

    fn places(&mut self, times: &[Option<i64>]) -> Vec<u64> {
        let newest_first = *self.newest_first.get_or_insert_with(|| descends(times));
        let peer = self.peer.unwrap_or_default();
        let by_time = |time: i64| ((if newest_first { LATEST - time } else { time }) as u64) << PEER_BITS | peer;
        let mut place = |time: &Option<i64>| {
            let behind = self.last.map_or(peer, |last| last + STEP);
            let place = time.map_or(behind, |time| by_time(time).max(behind));
            self.last = Some(place);
            place
        };
        times.iter().map(&mut place).collect()
    }
}

impl Places {
    /// The places of records that are some of the events, in the same order.
    pub fn of(&self, records: &Records) -> Vec<u64> {
        let mut events = self.0.iter();
        let mut place = |row| {
            let begin = records.place(row);
            events.find(|(own, _)| *own == begin).map_or(u64::MAX, |(_, place)| *place)
        };
        (0..records.rows() as u32).map(&mut place).collect()
    }

    /// Where the events begin, and their places.
    pub fn each(&self) -> impl Iterator<Item = (u32, u64)> {
        self.0.iter().copied()
    }
}

/// Whether the later ones of times come first, as Splunk gives events, where they do not say otherwise.
fn descends(times: &[Option<i64>]) -> bool {
    let known: Vec<i64> = times.iter().flatten().copied().collect();
    known.windows(2).find(|pair| pair[0] != pair[1]).is_none_or(|pair| pair[0] > pair[1])
}

fn microseconds(time: &Value) -> Option<i64> {
    let Value::DateTime(ticks) = time else { return None };
    let since = ticks.saturating_sub(datetime::from_unix(0, datetime::Part::Second)?);
    Some((since / 10).clamp(0, LATEST))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn clock(peer: u64) -> Clock {
        Clock { peer: Some(peer), ..Clock::default() }
    }

    #[test]
    fn events_of_several_processes_stand_by_their_times() {
        for times in [[9, 7, 4, 2], [2, 4, 7, 9]] {
            let own = |at: usize| vec![Some(times[at]), Some(times[at + 2])];
            let (one, two) = (clock(5).places(&own(0)), clock(3).places(&own(1)));
            assert!(one[0] < two[0] && two[0] < one[1] && one[1] < two[1], "{times:?}");
        }
    }

    proptest! {
        #[test]
        fn places_ascend_whatever_the_times(times in proptest::collection::vec(proptest::option::of(0i64..9), 0..30), cut in 0usize..30) {
            let mut clock = clock(7);
            let (before, behind) = times.split_at(cut.min(times.len()));
            let places = [clock.places(before), clock.places(behind)].concat();
            prop_assert!(places.is_sorted_by(|a, b| a < b));
        }
    }
}

//! Flat records of known shapes: keys in a known order, none of whose values is an array or object.
//!
//! Nearly all records of a log have the same keys in the same order, written the same way: they are gone through from
//! value to value ([`Track`]). A record that leaves the track is outlined ([`Outline`]). If the wanted keys stand in front
//! of their colons, and the counts of the outline leave no room for anything but so many keys and values, the record is
//! of a known shape. Any other is left to the walk ([`super::keys`]), which decides what it means.
use super::Scratch;
use super::keys::{Keys, Layout, keep, value};
use super::outline::{Colons, Marks, Outline};
use super::track::{Course, Fate, Key, Track};
use crate::read::cell::Cell;
use crate::read::rows::Rows;

/// The shapes of the records seen so far.
#[derive(Debug, Default)]
pub struct Flat {
    /// The shape of the last record is the first.
    shapes: Vec<Shape>,
    marks: Marks,
    /// How many records in a row were left to the walk, and for how many more no other is tried.
    misses: u32,
    pause: u32,
    rejected: Rejected,
}

/// How many of the last records failed a test, and whether that is what most do.
#[derive(Debug, Default)]
struct Rejected {
    seen: u32,
    rejected: u32,
    is_usual: bool,
}

impl Rejected {
    const RECORDS: u32 = 64;

    #[inline]
    fn note(&mut self, rejected: bool) {
        self.seen += 1;
        self.rejected += u32::from(rejected);
        if self.seen == Rejected::RECORDS {
            *self = Rejected { is_usual: self.rejected * 3 > self.seen, seen: 0, rejected: 0 };
        }
    }
}

/// What became of a record.
pub enum Outcome {
    /// It ends here, its cells are known, and the rows have use for it.
    Chosen(usize),
    /// It ends here, and its cells are known.
    Taken(usize),
    /// The caller has no use for it, and it ends here.
    Passed(usize),
    /// It is not flat, or of no known shape.
    Unknown,
}

/// Shapes that are kept.
const MOST_SHAPES: usize = 16;
/// After so many misses in a row the next records are not tried.
const MOST_MISSES: u32 = 32;
const PAUSE: u32 = 1024;

impl Flat {
    /// Nothing is known yet; none where keys are looked for that lie inside of others or are not told apart exactly.
    pub fn new(keys: &Keys) -> Option<Flat> {
        keys.are_plain().then(Flat::default)
    }

    /// The cells of the record at `at`, where it is of a known shape.
    ///
    /// The rows are asked whether they have use for it as soon as the cells are known that they judge by.
    #[inline]
    pub fn take(&mut self, bytes: &[u8], at: usize, layout: Layout, scratch: &mut Scratch, rows: &mut Rows) -> Outcome {
        let Scratch { cells, ranks, .. } = scratch;
        if self.pause > 0 {
            self.pause -= 1;
            return Outcome::Unknown;
        }
        let Some(shape) = self.shapes.first() else { return Outcome::Unknown };
        if let Some(track) = &shape.track {
            let course = Course { early: layout.early, may_skip: self.rejected.is_usual };
            if let Some((fate, end)) = track.follow(bytes, at, course, cells, rows) {
                self.misses = 0;
                return match fate {
                    Fate::Outside => Outcome::Passed(end),
                    Fate::Taken => Outcome::Taken(end),
                    Fate::Chosen | Fate::Failed => {
                        self.rejected.note(fate == Fate::Failed);
                        if fate == Fate::Failed { Outcome::Passed(end) } else { Outcome::Chosen(end) }
                    }
                };
            }
        }
        let outline = Outline::of(bytes, at, &mut self.marks);
        let is_flat = outline.is_flat(bytes, at, &self.marks);
        let mut slots = Slots { cells, ranks, rows, judges: layout.judges };
        slots.clear();
        let mut fits = |shape: &Shape| if is_flat { shape.cells(bytes, &self.marks.colons, &mut slots) } else { None };
        let found = self.shapes.iter().enumerate().find_map(|(place, shape)| Some((place, fits(shape)?)));
        let Some((place, is_wanted)) = found else {
            self.misses += 1;
            if self.misses >= MOST_MISSES {
                (self.misses, self.pause) = (0, PAUSE);
            }
            return Outcome::Unknown;
        };
        self.misses = 0;
        if place > 0 {
            self.shapes.get_mut(..=place).unwrap_or_default().rotate_right(1);
        }
        self.rejected.note(!is_wanted);
        if is_wanted { Outcome::Taken(outline.end) } else { Outcome::Passed(outline.end) }
    }

    /// Learns the shape of a record that was walked, whose layout is as in [`Flat::take`], of so many cells.
    pub fn learn(&mut self, bytes: &[u8], at: usize, layout: Layout, keys: &mut Keys, rows: &Rows, width: usize) {
        if self.pause > 0 {
            return;
        }
        if !Outline::of(bytes, at, &mut self.marks).is_flat(bytes, at, &self.marks) {
            return;
        }
        let Some(mut shape) = Shape::of(bytes, &self.marks.colons, keys, rows) else { return };
        shape.track = Track::of(bytes, at, self.marks.colons.all(), layout, keys, rows, width);
        self.shapes.truncate(MOST_SHAPES - 1);
        self.shapes.insert(0, shape);
    }
}

/// Where cells go.
struct Slots<'a> {
    cells: &'a mut [Cell],
    ranks: &'a mut [u8],
    rows: &'a mut Rows,
    /// Whether the rows are asked whether they have use for a record.
    judges: bool,
}

impl Slots<'_> {
    fn clear(&mut self) {
        self.cells.fill(Cell::default());
        self.ranks.fill(u8::MAX);
    }
}

/// The keys of a record in their order.
#[derive(Debug)]
struct Shape {
    /// How many there are.
    count: usize,
    /// Those that must stand in their places, with the numbers of these: the wanted ones, and all others too where a
    /// wanted one is not among them, and so may stand in place of any.
    ///
    /// Those that rows are judged by come first; both parts are in order.
    keys: Vec<(usize, Key)>,
    judged: usize,
    /// The way through records that are written as the first one.
    track: Option<Track>,
}

impl Shape {
    /// The keys that stand in front of these colons.
    fn of(bytes: &[u8], colons: &Colons, keys: &mut Keys, rows: &Rows) -> Option<Shape> {
        let key = |colon: usize| {
            let inside = bytes.get(..colon)?.strip_suffix(b"\"")?;
            let begin = memchr::memrchr(b'"', inside)?;
            let name = inside.get(begin + 1..).filter(|name| !name.contains(&b'\\'))?;
            Key::new(bytes.get(begin..=colon)?, keys.target(name))
        };
        let found: Vec<Key> = colons.all().map(key).collect::<Option<_>>()?;
        let count = found.len();
        let is_whole = found.iter().filter(|key| key.target.is_some()).count() == keys.wanted();
        let mut found: Vec<(usize, Key)> = found.into_iter().enumerate().collect();
        found.retain(|(_, key)| !is_whole || key.target.is_some());
        let is_judged = |(_, key): &(usize, Key)| key.target.is_some_and(|(slot, _)| rows.judges(slot as usize));
        found.sort_by_key(|key| !is_judged(key));
        let judged = found.iter().filter(|key| is_judged(key)).count();
        Some(Shape { count, keys: found, judged, track: None })
    }

    /// Fills in the cells of a flat record, and tells whether the rows have use for it; none where it is not of this
    /// shape.
    #[inline]
    fn cells(&self, bytes: &[u8], colons: &Colons, into: &mut Slots<'_>) -> Option<bool> {
        if colons.count != self.count {
            return None;
        }
        let (judged, others) = self.keys.split_at_checked(self.judged)?;
        if fill(judged, bytes, colons, into) {
            if into.judges && !judged.is_empty() && !into.rows.judge(bytes, into.cells) {
                return Some(false);
            }
            if fill(others, bytes, colons, into) {
                return Some(true);
            }
        }
        into.clear();
        None
    }
}

/// Fills in the cells of keys; false where one does not stand in its place.
#[inline(always)]
fn fill(keys: &[(usize, Key)], bytes: &[u8], colons: &Colons, into: &mut Slots<'_>) -> bool {
    let mut walk = colons.walk();
    keys.iter().all(|(place, key)| {
        let colon = walk.to(*place);
        let begin = (colon + 1).saturating_sub(key.length);
        let before = bytes.get(begin.saturating_sub(1));
        if !matches!(before, Some(b',' | b'{' | b' ')) || !key.stands_at(bytes, begin) {
            return false;
        }
        let Some((slot, rank)) = key.target else { return true };
        let found = value(bytes, after_blank(bytes, colon + 1), true);
        if let Ok((cell, _)) = found {
            keep(cell, slot, rank, into.cells, into.ranks);
        }
        found.is_ok()
    })
}

#[inline(always)]
pub fn after_blank(bytes: &[u8], at: usize) -> usize {
    at + usize::from(bytes.get(at) == Some(&b' '))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{TextMatch, TextTest};
    use crate::read::block::Block;
    use crate::read::cell::Form;
    use crate::read::json::{Place, Plain};
    use crate::read::rows::Wanted;
    use crate::read::text::Form as _;
    use crate::types::Name;
    use proptest::prelude::*;

    fn names() -> [Name; 2] {
        ["a".into(), "b".into()]
    }

    /// Rows whose `a` is one of these texts.
    fn testing(values: &[&str]) -> Wanted {
        let values = values.iter().map(|value| (*value).to_owned()).collect();
        let test = TextTest { column: "a".into(), values, how: TextMatch::Equal, negated: false };
        Wanted::new(&names(), None).testing(&[test], |_| true)
    }

    /// The cells of the lines, and the bad ones, as a walk alone or with known shapes finds them.
    fn rows(wanted: &Wanted, text: &str, quick: bool) -> (Vec<String>, String) {
        // A blank before the record is no flat one's: what is read is the same.
        let text: String =
            text.lines().map(|line| format!("{}{line}\n", if quick { "" } else { "\u{FEFF}" })).collect();
        let text = text.replace('\u{FEFF}', "\t");
        let bytes = text.as_bytes().to_vec();
        let end = bytes.len();
        let block = Block::new(bytes, 0, end, 0);
        let mut rows = Rows::new(wanted);
        Plain { place: Place { lines: true, inside: None } }.parser(wanted).parse(&block, &mut rows);
        let cell = |row, slot| {
            let cell: Cell = rows.cell(row, slot);
            format!("{:?} {}", cell.form, text.get(cell.start as usize..cell.end as usize).unwrap_or_default())
        };
        let cells = (0..rows.count()).map(|row| format!("{} {}", cell(row, 0), cell(row, 1))).collect();
        (cells, format!("{} good, {} dropped", rows.count(), rows.dropped))
    }

    proptest! {
        /// Records of known shapes mean what the walk says.
        #[test]
        fn known_shapes_change_nothing(
            lines in prop::collection::vec(
                "\\{(\"[abcd]\": ?(\"[x:,\\{é]{0,3}(\\\\\")?\"|[0-9]{1,3}|tru|true|null|\\[1\\]),? ?){1,4}\\}",
                1..30,
            ),
        ) {
            let text = lines.join("\n");
            for wanted in [Wanted::new(&names(), None), testing(&["", "x", "null", "1"])] {
                prop_assert_eq!(rows(&wanted, &text, true), rows(&wanted, &text, false));
            }
        }
    }

    #[test]
    fn rows_are_the_same_where_most_fail_a_test() {
        let lines = (0..2_000).map(|n| match n % 23 {
            0 => format!("{{\"a\":\"x\",\"b\":{n}}}"),
            1 => format!("{{\"a\":\"{n} \\\"\",\"b\":{{\"a\":\"x\"}}}}"),
            2 => format!("{{\"b\":\"{n}\",\"a\":\"x\"}}"),
            3 => format!("{{\"a\":\"x\",\"b\":\"é{}\"}}", "long".repeat(n % 90)),
            4 => "{\"a\":\"x".to_owned(),
            _ => format!("{{\"a\":\"y\",\"b\":\"{}\"}}", "long".repeat(n % 90)),
        });
        let text = lines.collect::<Vec<_>>().join("\n");
        let wanted = testing(&["x"]);
        let found = rows(&wanted, &text, true);
        assert_eq!(found, rows(&wanted, &text, false));
        // A text with escapes is left to the filter.
        assert_eq!(found.0.len(), 4 * 87);
    }

    #[test]
    fn a_record_of_a_known_shape_is_taken() {
        let records = ["{\"a\":\"1\",\"x\":[],\"b\":2}", "{\"a\":\"1\",\"b\":2}", "{\"a\":\"3\",\"b\":null}"];
        let text = format!("{}\n{}", records.join("\n"), "\0".repeat(64));
        let mut keys = Keys::default();
        keys.want(&["a"], 0, 0);
        keys.want(&["b"], 1, 0);
        let mut rows = Rows::new(&Wanted::new(&["a".into(), "b".into()], None));
        let mut flat = Flat::new(&keys).expect("plain keys");
        let begins: Vec<usize> = records.iter().map(|record| text.find(record).unwrap()).collect();
        let layout = Layout { lines: true, early: None, judges: true };
        flat.learn(text.as_bytes(), begins[0], layout, &mut keys, &rows, 2);
        assert!(flat.shapes.is_empty());
        flat.learn(text.as_bytes(), begins[1], layout, &mut keys, &rows, 2);
        let mut scratch = Scratch::default();
        scratch.clear(2);
        let outcome = flat.take(text.as_bytes(), begins[2], layout, &mut scratch, &mut rows);
        assert!(matches!(outcome, Outcome::Chosen(end) if end == begins[2] + records[2].len()));
        assert_eq!([scratch.cells[0].form, scratch.cells[1].form], [Form::Text, Form::Null]);
    }
}

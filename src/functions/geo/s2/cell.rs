//! The cells of S2: each face of a cube around Earth is halved along and across up to 30 times, and its smallest
//! cells are counted along a Hilbert curve.
use crate::functions::geo::sphere::Vector;

pub const DEEPEST: u32 = 30;

/// Columns and rows of the smallest cells of a face.
const SIDE: i64 = 1 << DEEPEST;

// How a quarter lies against the face: as it is, or with columns and rows changed, or turned half round.
const SWAPPED: usize = 1;
const TURNED: usize = 2;

/// The quarter (column · 2 + row) at each step of the curve, for each way to lie.
const QUARTERS: [[u8; 4]; 4] = [[0, 1, 3, 2], [0, 2, 3, 1], [3, 2, 0, 1], [3, 1, 0, 2]];

/// How the quarter at each step of the curve lies against the whole.
const LIES: [usize; 4] = [SWAPPED, 0, 0, SWAPPED | TURNED];

/// A cell's number: three bits of the face, two bits for each halving, a one, zeros.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Cell(u64);

/// Where a cell lies on its face.
#[derive(Clone, Copy, Debug)]
struct Square {
    face: u8,
    /// Of its corner among the smallest cells.
    column: i64,
    row: i64,
    /// Columns and rows of the smallest cells in it.
    side: i64,
}

impl Cell {
    /// The smallest cell around the direction of a vector.
    pub fn of(point: Vector) -> Cell {
        let (face, u, v) = project(point);
        Cell::at(face, place_of(u), place_of(v))
    }

    /// The six faces.
    pub fn faces() -> impl Iterator<Item = Cell> {
        (0..6).map(|face| Cell(face << 61 | 1 << 60))
    }

    fn at(face: u8, column: i64, row: i64) -> Cell {
        let mut lies = usize::from(face) & SWAPPED;
        let mut steps = 0_u64;
        for bit in (0..DEEPEST).rev() {
            let quarter = ((column >> bit & 1) << 1 | (row >> bit & 1)) as u8;
            let step = QUARTERS[lies].iter().position(|own| *own == quarter).unwrap_or(0);
            steps = steps << 2 | step as u64;
            lies ^= LIES[step];
        }
        Cell(u64::from(face) << 61 | steps << 1 | 1)
    }

    /// The cell of a text of up to 16 hexadecimal digits; the zeros at the end may be left out.
    pub fn parse(token: &str) -> Option<Cell> {
        if token.is_empty() || token.len() > 16 || !token.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        let digits = u64::from_str_radix(token, 16).ok()?;
        let cell = Cell(digits << (4 * (16 - token.len())));
        let last_bit_is_even = cell.last_bit() & 0x1555_5555_5555_5555 != 0;
        (cell.0 >> 61 < 6 && last_bit_is_even).then_some(cell)
    }

    pub fn token(self) -> String {
        format!("{:016x}", self.0).trim_end_matches('0').to_owned()
    }

    fn last_bit(self) -> u64 {
        self.0 & self.0.wrapping_neg()
    }

    pub fn level(self) -> u32 {
        DEEPEST - self.0.trailing_zeros() / 2
    }

    /// The cell of a level that holds this one; a deeper level gives the first of the cells in it.
    pub fn parent(self, level: u32) -> Cell {
        let last = 1_u64 << (2 * (DEEPEST - level.min(DEEPEST)));
        Cell(self.0 & last.wrapping_neg() | last)
    }

    /// The cells of a level that lie in this one, in their order: itself where the level is no deeper.
    pub fn descendants(self, level: u32) -> impl Iterator<Item = Cell> {
        let depth = level.min(DEEPEST).saturating_sub(self.level());
        let last = self.last_bit() >> (2 * depth);
        let first = self.0 - self.last_bit() + last;
        (0..1_u64 << (2 * depth)).map(move |place| Cell(first + 2 * last * place))
    }

    fn square(self) -> Square {
        let face = (self.0 >> 61) as u8;
        let mut lies = usize::from(face) & SWAPPED;
        let (mut column, mut row) = (0, 0);
        for bit in (0..DEEPEST).rev() {
            let step = (self.0 >> (2 * bit + 1) & 3) as usize;
            let quarter = i64::from(QUARTERS[lies][step]);
            (column, row) = (column << 1 | quarter >> 1, row << 1 | quarter & 1);
            lies ^= LIES[step];
        }
        let side = 1_i64 << (DEEPEST - self.level());
        Square { face, column: column & -side, row: row & -side, side }
    }

    /// The unit vector to the middle.
    pub fn center(self) -> Vector {
        let Square { face, column, row, side } = self.square();
        let middle = |start: i64| edge_of(start as f64 + side as f64 / 2.0);
        unproject(face, middle(column), middle(row)).unit()
    }

    /// The unit vectors to the corners, against the clock.
    pub fn corners(self) -> [Vector; 4] {
        let Square { face, column, row, side } = self.square();
        let ends = |start: i64| (edge_of(start as f64), edge_of((start + side) as f64));
        let ((left, right), (bottom, top)) = (ends(column), ends(row));
        [(left, bottom), (right, bottom), (right, top), (left, top)].map(|(u, v)| unproject(face, u, v).unit())
    }

    /// The cells of the same level around; one may stand twice at a corner of the cube.
    pub fn neighbors(self) -> [Cell; 8] {
        const STEPS: [(i64, i64); 8] = [(-1, -1), (1, -1), (0, -1), (0, 1), (-1, 0), (1, 0), (-1, 1), (1, 1)];
        let Square { face, column, row, side } = self.square();
        STEPS.map(|(right, up)| beside(face, column + right * side, row + up * side).parent(self.level()))
    }
}

/// The smallest cell at a place that may lie beyond the face.
fn beside(face: u8, column: i64, row: i64) -> Cell {
    if (0..SIDE).contains(&column) && (0..SIDE).contains(&row) {
        return Cell::at(face, column, row);
    }
    // A place just outside, projected from the face's plane to the face on which it lies.
    let outside = |place: i64| {
        let middle = (2 * (place.clamp(-1, SIDE) - SIDE / 2) + 1) as f64 / SIDE as f64;
        middle.clamp(-1.0 - f64::EPSILON, 1.0 + f64::EPSILON)
    };
    let (face, u, v) = project(unproject(face, outside(column), outside(row)));
    let place = |u: f64| place_in(0.5 * (u + 1.0));
    Cell::at(face, place(u), place(v))
}

/// The place among the smallest cells of a fraction of a face's side.
fn place_in(fraction: f64) -> i64 {
    ((fraction * SIDE as f64).floor() as i64).clamp(0, SIDE - 1)
}

/// The place among the smallest cells of a distance from the middle of a face's plane. Places grow towards the rims,
/// so that cells are of like size on Earth.
fn place_of(u: f64) -> i64 {
    place_in(if u >= 0.0 { 0.5 * (1.0 + 3.0 * u).sqrt() } else { 1.0 - 0.5 * (1.0 - 3.0 * u).sqrt() })
}

/// The distance from the middle of a face's plane at which a place begins.
fn edge_of(place: f64) -> f64 {
    let fraction = place / SIDE as f64;
    if fraction >= 0.5 {
        (4.0 * fraction * fraction - 1.0) / 3.0
    } else {
        (1.0 - 4.0 * (1.0 - fraction) * (1.0 - fraction)) / 3.0
    }
}

/// The face that a vector points to, and where it meets the face's plane.
fn project(point: Vector) -> (u8, f64, f64) {
    let Vector { x, y, z } = point;
    let axis = match [x.abs(), y.abs(), z.abs()] {
        [x, y, z] if x > y && x > z => 0,
        [_, y, z] if y > z => 1,
        _ => 2,
    };
    match (axis, [x, y, z][axis] < 0.0) {
        (0, false) => (0, y / x, z / x),
        (1, false) => (1, -x / y, z / y),
        (_, false) => (2, -x / z, -y / z),
        (0, true) => (3, z / x, y / x),
        (1, true) => (4, z / y, -x / y),
        (_, true) => (5, -y / z, -x / z),
    }
}

/// The vector to a place on a face's plane.
fn unproject(face: u8, u: f64, v: f64) -> Vector {
    match face {
        0 => Vector::new(1.0, u, v),
        1 => Vector::new(-u, 1.0, v),
        2 => Vector::new(-u, -v, 1.0),
        3 => Vector::new(-1.0, -v, -u),
        4 => Vector::new(v, -1.0, -u),
        _ => Vector::new(v, u, -1.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::functions::geo::sphere::Place;
    use proptest::prelude::*;

    fn any_cell() -> impl Strategy<Value = Cell> {
        let place = (-180.0..=180.0, -90.0..=90.0);
        let place = place.prop_map(|(longitude, latitude)| Place { longitude, latitude });
        (place, 0..=DEEPEST).prop_map(|(place, level)| Cell::of(place.vector()).parent(level))
    }

    proptest! {
        #[test]
        fn a_token_names_its_cell(cell in any_cell()) {
            prop_assert_eq!(Cell::parse(&cell.token()), Some(cell));
        }

        #[test]
        fn the_center_of_a_cell_lies_in_it(cell in any_cell()) {
            prop_assert_eq!(Cell::of(cell.center()).parent(cell.level()), cell);
        }

        #[test]
        fn descendants_lie_in_their_cell(cell in any_cell(), depth in 0_u32..4) {
            let level = (cell.level() + depth).min(DEEPEST);
            for inner in cell.descendants(level) {
                prop_assert_eq!(inner.level(), level);
                prop_assert_eq!(inner.parent(cell.level()), cell);
                prop_assert_eq!(Cell::of(inner.center()).parent(cell.level()), cell);
            }
        }

        #[test]
        fn neighbors_are_mutual(cell in any_cell()) {
            for neighbor in cell.neighbors() {
                prop_assert_eq!(neighbor.level(), cell.level());
                prop_assert!(cell.level() == 0 || neighbor.neighbors().contains(&cell));
            }
        }
    }
}

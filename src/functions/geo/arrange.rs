//! Cuts edges where they meet into pieces that meet at their ends alone, and says of each piece which regions
//! lie on either side of it.
use super::edge::{Edge, chord, intersection};
use super::exact::{Meeting, ORIGIN, Walk, in_order, meeting, order, owns_corner};
use super::nearby;
use super::region::bits;
use super::s2::Cell;
use super::sphere::Vector;
use crate::diagnostic::{Fault, Result};
use crate::functions::Context;
use std::collections::HashMap;

/// Points nearer than this (about 12 nanometres on Earth) are one.
const SAME: f64 = 2e-15;

/// An edge to cut: of the boundary of a region, which lies to its left, or of a line.
#[derive(Clone, Copy, Debug)]
pub struct Input {
    pub edge: Edge,
    /// Which of the two shapes it belongs to.
    pub shape: usize,
    pub is_line: bool,
}

/// A piece of an edge, in one of its two directions.
#[derive(Clone, Copy, Debug)]
pub struct Piece {
    pub from: usize,
    pub to: usize,
    /// How many boundary edges of each shape run this way.
    boundary: [i32; 2],
    /// Whether a line of a shape runs this way.
    pub line: [bool; 2],
    /// The first of the edges that run this way; the greatest number where none does.
    pub first: usize,
    /// How often each shape's boundary winds around what lies to the left.
    pub left: [i32; 2],
}

/// Pieces and their ends. A piece stands beside the same piece the other way round.
#[derive(Debug, Default)]
pub struct Arrangement {
    pub points: Vec<Vector>,
    pub pieces: Vec<Piece>,
    /// The pieces that leave each point, turning left.
    around: Vec<Vec<usize>>,
    /// Where each piece stands among those that leave its point.
    rank: Vec<usize>,
}

/// The same piece the other way round.
pub fn twin(piece: usize) -> usize {
    piece ^ 1
}

impl Arrangement {
    /// Cuts the edges; `origin` says how often each shape's boundary winds around [`ORIGIN`].
    pub fn new(inputs: &[Input], origin: [i32; 2], context: &Context) -> Result<Arrangement> {
        let cuts = cuts(inputs, context)?;
        let mut made = Arrangement::default();
        let mut points = Points::default();
        let mut known: HashMap<(usize, usize), usize> = HashMap::new();
        for (number, (input, cuts)) in inputs.iter().zip(cuts).enumerate() {
            let ends = [vec![input.edge.0], cuts, vec![input.edge.1]].concat();
            let mut way: Vec<usize> = ends.into_iter().map(|end| points.place(end)).collect();
            way.dedup();
            for ends in way.windows(2) {
                let [from, to] = *ends else { continue };
                let piece = made.piece(from, to, &mut known);
                made.count(piece, input, number);
            }
        }
        made.number(points.all);
        made.turn_around();
        made.wind(origin, context)?;
        Ok(made)
    }

    /// The place of the piece between two points.
    fn piece(&mut self, from: usize, to: usize, known: &mut HashMap<(usize, usize), usize>) -> usize {
        let next = self.pieces.len();
        let first = *known.entry((from.min(to), from.max(to))).or_insert(next);
        if first == next {
            let piece = Piece { from, to, boundary: [0; 2], line: [false; 2], first: usize::MAX, left: [0; 2] };
            self.pieces.extend([piece, Piece { from: to, to: from, ..piece }]);
        }
        if self.pieces[first].from == from { first } else { twin(first) }
    }

    fn count(&mut self, piece: usize, input: &Input, number: usize) {
        let piece = &mut self.pieces[piece];
        piece.first = piece.first.min(number);
        match input.is_line {
            true => piece.line[input.shape] = true,
            false => piece.boundary[input.shape] += 1,
        }
    }

    /// Numbers the points along the curve of the cells of S2.
    fn number(&mut self, points: Vec<Vector>) {
        let mut sorted: Vec<(Cell, usize)> = points.iter().map(|point| Cell::of(*point)).zip(0..).collect();
        sorted.sort_by(|a, b| a.0.cmp(&b.0).then_with(|| order(points[a.1], points[b.1])));
        let mut numbers = vec![0; points.len()];
        for (number, (_, point)) in sorted.iter().enumerate() {
            numbers[*point] = number;
        }
        for piece in &mut self.pieces {
            (piece.from, piece.to) = (numbers[piece.from], numbers[piece.to]);
        }
        self.points = sorted.into_iter().map(|(_, point)| points[point]).collect();
    }

    /// Sorts the pieces that leave each point.
    fn turn_around(&mut self) {
        self.around = vec![Vec::new(); self.points.len()];
        for (at, piece) in self.pieces.iter().enumerate() {
            self.around[piece.from].push(at);
        }
        self.rank = vec![0; self.pieces.len()];
        for (point, leaving) in self.around.iter_mut().enumerate() {
            let end = |piece: &usize| self.points[self.pieces[*piece].to];
            *leaving = sorted_around(self.points[point], leaving, end);
            for (rank, piece) in leaving.iter().enumerate() {
                self.rank[*piece] = rank;
            }
        }
    }

    /// The pieces that leave the end of `piece`, from the sharpest turn to the left on; its twin is the last.
    pub fn turns(&self, piece: usize) -> impl Iterator<Item = usize> + '_ {
        let back = twin(piece);
        let leaving = &self.around[self.pieces[back].from];
        let count = leaving.len();
        (1..=count).map(move |step| leaving[(self.rank[back] + count - step) % count])
    }

    /// The next piece along the boundary of what lies to the left.
    fn next(&self, piece: usize) -> usize {
        self.turns(piece).next().unwrap_or(twin(piece))
    }

    /// How many more boundary edges of the first shape run along a piece than against it.
    pub fn surplus(&self, piece: usize) -> i32 {
        self.pieces[piece].boundary[0] - self.pieces[twin(piece)].boundary[0]
    }

    pub fn leaving(&self, point: usize) -> &[usize] {
        self.around.get(point).map_or(&[], Vec::as_slice)
    }

    /// Finds what the boundaries wind around, one connected part after the other.
    fn wind(&mut self, origin: [i32; 2], context: &Context) -> Result<()> {
        let mut seen = vec![false; self.pieces.len()];
        for start in 0..self.pieces.len() {
            if seen[start] {
                continue;
            }
            context.check()?;
            let first = self.owner_of_end(start);
            self.pieces[first].left = self.windings(self.pieces[first].to, origin);
            let mut open = vec![first];
            while let Some(piece) = open.pop() {
                self.follow(piece, &mut seen, &mut open);
            }
        }
        Ok(())
    }

    /// Walks around a face, giving its winding numbers to its pieces and those of the neighbour to their twins.
    fn follow(&mut self, start: usize, seen: &mut [bool], open: &mut Vec<usize>) {
        let left = self.pieces[start].left;
        let mut at = start;
        while !seen[at] {
            seen[at] = true;
            self.pieces[at].left = left;
            let (own, other) = (self.pieces[at].boundary, self.pieces[twin(at)].boundary);
            if !seen[twin(at)] {
                self.pieces[twin(at)].left = std::array::from_fn(|shape| left[shape] - own[shape] + other[shape]);
                open.push(twin(at));
            }
            at = self.next(at);
        }
    }

    /// A piece that ends where `piece` does and has on its left the face that owns that point.
    fn owner_of_end(&self, piece: usize) -> usize {
        let end = self.points[self.pieces[piece].to];
        let mut at = piece;
        for _ in 0..self.around[self.pieces[piece].to].len() {
            let next = self.next(at);
            let (before, after) = (self.pieces[at].from, self.pieces[next].to);
            if before == after || owns_corner(self.points[before], end, self.points[after]) {
                return at;
            }
            at = twin(next);
        }
        piece
    }

    /// How often each shape's boundary winds around a point.
    fn windings(&self, point: usize, origin: [i32; 2]) -> [i32; 2] {
        let mut windings = origin;
        let walk = Walk::new(ORIGIN, self.points[point]);
        for pair in self.pieces.chunks(2) {
            let [ahead, back] = pair else { continue };
            let own: [i32; 2] = std::array::from_fn(|shape| ahead.boundary[shape] - back.boundary[shape]);
            if own != [0, 0] {
                let crossings = walk.crossing(self.points[ahead.from], self.points[ahead.to]);
                windings = std::array::from_fn(|shape| windings[shape] + crossings * own[shape]);
            }
        }
        windings
    }
}

/// The points where each edge is to be cut, in order from its start.
fn cuts(inputs: &[Input], context: &Context) -> Result<Vec<Vec<Vector>>> {
    let edges: Vec<Edge> = inputs.iter().map(|input| input.edge).collect();
    let mut cuts = vec![Vec::new(); inputs.len()];
    let mut count = 0;
    nearby::pairs(&edges, 2.0 * SAME, context, |first, second| {
        let (one, two) = (&inputs[first], &inputs[second]);
        if one.is_line && two.is_line && one.shape == two.shape {
            // A line that crosses itself stays one line.
            return Ok(());
        }
        let ((a, b), (c, d)) = (one.edge, two.edge);
        if meeting(a, b, c, d) == Meeting::Inside {
            let point = intersection(one.edge, two.edge);
            cuts[first].push(point);
            cuts[second].push(point);
            count += 1;
        } else {
            cuts[first].extend([c, d].into_iter().filter(|end| lies_on(*end, one.edge)));
            cuts[second].extend([a, b].into_iter().filter(|end| lies_on(*end, two.edge)));
        }
        match count > context.limits.values / 16 {
            true => Err(Fault::limit("values", "shapes cross each other too often")),
            false => Ok(()),
        }
    })?;
    for (input, cuts) in inputs.iter().zip(&mut cuts) {
        let start = input.edge.0;
        cuts.sort_by(|a, b| chord(start, *a).total_cmp(&chord(start, *b)));
    }
    Ok(cuts)
}

/// Whether a point lies on an edge, as far as its coordinates can tell, and is no end of it.
fn lies_on(point: Vector, (a, b): Edge) -> bool {
    if point == a || point == b {
        return false;
    }
    let (from_a, from_b) = (chord(point, a), chord(point, b));
    let length = chord(a, b);
    let normal = a.normal(b).unit();
    let height = if from_a < from_b { (point - a).dot(normal) } else { (point - b).dot(normal) };
    height.abs() <= SAME && from_a < length && from_b < length
}

/// The pieces that leave a point, sorted by direction; `end` is where a piece goes.
fn sorted_around(point: Vector, leaving: &[usize], end: impl Fn(&usize) -> Vector) -> Vec<usize> {
    let east = point.orthogonal();
    let north = point.cross(east);
    let angle = |piece: &usize| {
        let way = end(piece) - point;
        way.dot(north).atan2(way.dot(east))
    };
    let mut sorted: Vec<(f64, usize)> = leaving.iter().map(|piece| (angle(piece), *piece)).collect();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    // Directions too close for the angle to tell are put right exactly.
    for last in 1..sorted.len() {
        let mut at = last;
        while at > 0 && sorted[at].0 - sorted[at - 1].0 < 1e-3 {
            let (before, own) = (end(&sorted[at - 1].1), end(&sorted[at].1));
            let back = own.normal(point).cross(point).unit();
            if !in_order(back, own, before, point) {
                break;
            }
            sorted.swap(at, at - 1);
            at -= 1;
        }
    }
    sorted.into_iter().map(|(_, piece)| piece).collect()
}

/// Points, those of one place made one.
#[derive(Default)]
struct Points {
    all: Vec<Vector>,
    exact: HashMap<[u64; 3], usize>,
    cells: HashMap<[i64; 3], Vec<usize>>,
}

impl Points {
    fn place(&mut self, point: Vector) -> usize {
        if let Some(known) = self.exact.get(&bits(&point)) {
            return *known;
        }
        let place = self.near(point).unwrap_or_else(|| {
            self.all.push(point);
            self.cells.entry(cell(point, [0.0; 3])).or_default().push(self.all.len() - 1);
            self.all.len() - 1
        });
        self.exact.insert(bits(&point), place);
        place
    }

    /// A known point that is as good as this one.
    fn near(&self, point: Vector) -> Option<usize> {
        let corners = (0..8).map(|corner| [1, 2, 4].map(|bit| if corner & bit == 0 { -SAME } else { SAME }));
        let known = corners.filter_map(|by| self.cells.get(&cell(point, by))).flatten();
        known.copied().find(|known| self.all.get(*known).is_some_and(|own| chord(*own, point) <= SAME * SAME))
    }
}

/// The cell of a grid twice as wide as what makes points one.
fn cell(point: Vector, by: [f64; 3]) -> [i64; 3] {
    let [x, y, z] = by;
    [point.x + x, point.y + y, point.z + z].map(|number| (number / (4.0 * SAME)).floor() as i64)
}

//! Lines and polygons with fewer corners.
use super::arrange::{Arrangement, Input};
use super::edge::{Edge, chord};
use super::exact::{in_order, sign};
use super::overlay::union_of_lines;
use super::read::edges;
use super::region::Polygon;
use super::snap::{Reach, Snapped, snap};
use super::sphere::{EARTH_RADIUS, Vector};
use super::trace;
use super::window::Window;
use crate::diagnostic::Result;
use crate::functions::Context;
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// The largest tolerance, in radians.
const LARGEST: f64 = 70.0 / 180.0 * std::f64::consts::PI;

/// How far a simplified shape may leave the given one, in radians.
#[derive(Clone, Copy, Debug)]
pub struct Tolerance(f64);

impl Tolerance {
    /// A tolerance in metres: from 0 to about 7,800,000.
    pub fn new(metres: f64) -> Option<Tolerance> {
        let angle = metres / EARTH_RADIUS;
        (0.0..=LARGEST).contains(&angle).then_some(Tolerance(angle))
    }
}

/// The lines, simplified; those that become points are gone.
pub fn lines(lines: &[Vec<Vector>], tolerance: Tolerance, context: &Context) -> Result<Vec<Vec<Vector>>> {
    if tolerance.0 == 0.0 {
        return Ok(lines.to_vec());
    }
    let edges: Vec<(Edge, usize)> = lines.iter().flat_map(|line| edges(line)).map(|edge| (edge, 0)).collect();
    let (simple, places) = simplified(&edges, tolerance, context)?;
    let pieces: Vec<Vec<Vector>> = simple.into_iter().map(|(from, to, _)| vec![places[from], places[to]]).collect();
    Ok(union_of_lines(&pieces))
}

/// The polygons, simplified together: where two share a boundary, both keep it. Those that become points or lines
/// are gone.
pub fn polygons(polygons: &[Polygon], tolerance: Tolerance, context: &Context) -> Result<Vec<Polygon>> {
    if tolerance.0 == 0.0 {
        return Ok(polygons.to_vec());
    }
    let numbered = polygons.iter().enumerate();
    let edges: Vec<(Edge, usize)> =
        numbered.flat_map(|(owner, polygon)| polygon.edges().map(move |edge| (edge, owner))).collect();
    let (simple, places) = simplified(&edges, tolerance, context)?;
    let mut own: Vec<Vec<Input>> = vec![Vec::new(); polygons.len()];
    for (from, to, owner) in simple {
        own[owner].push(Input { edge: (places[from], places[to]), shape: 0, is_line: false });
    }
    let region = |inputs: Vec<Input>| {
        let pieces = Arrangement::new(&inputs, [0, 0], context)?;
        Ok(trace::region(&pieces, |at| pieces.surplus(at) > 0))
    };
    let regions: Result<Vec<Polygon>> = own.into_iter().map(region).collect();
    Ok(regions?.into_iter().filter(|region| !region.rings.is_empty()).collect())
}

/// Simplified edges as the ends they have among the places, with the number of the shape that they belong to.
type Simple = (Vec<(usize, usize, usize)>, Vec<Vector>);

fn simplified(edges: &[(Edge, usize)], tolerance: Tolerance, context: &Context) -> Result<Simple> {
    let reach = Reach::new(tolerance.0);
    let plain: Vec<Edge> = edges.iter().map(|(edge, _)| *edge).collect();
    let snapped = snap(&plain, reach, context)?;
    let mut chains = Chains::new(edges, &snapped, reach);
    chains.shorten();
    Ok((chains.out.into_iter().map(|(_, piece)| piece).collect(), snapped.places))
}

/// The pieces between two places, in either direction: the number of the edge and of the shape of each.
type Pieces = BTreeMap<(usize, usize), Vec<(usize, usize)>>;

/// Chains of pieces, which become single pieces where that leaves them within reach of their corners.
struct Chains<'a> {
    snapped: &'a Snapped,
    reach: Reach,
    /// The pieces of each way from one place to another.
    pieces: Pieces,
    neighbours: BTreeMap<usize, BTreeSet<usize>>,
    /// The corners that moved to each place.
    corners: BTreeMap<usize, Vec<Vector>>,
    used: HashSet<(usize, usize)>,
    /// The pieces of the result, by the number of their first edge.
    out: Vec<(usize, (usize, usize, usize))>,
}

impl<'a> Chains<'a> {
    fn new(edges: &[(Edge, usize)], snapped: &'a Snapped, reach: Reach) -> Chains<'a> {
        let (mut pieces, mut neighbours, mut corners) = (Pieces::new(), BTreeMap::new(), BTreeMap::new());
        for (number, (way, (edge, owner))) in snapped.ways.iter().zip(edges).enumerate() {
            if let (Some(first), Some(last)) = (way.first(), way.last()) {
                corners.entry(*first).or_insert_with(Vec::new).push(edge.0);
                corners.entry(*last).or_insert_with(Vec::new).push(edge.1);
            }
            for ends in way.windows(2) {
                pieces.entry((ends[0], ends[1])).or_default().push((number, *owner));
                neighbours.entry(ends[0]).or_insert_with(BTreeSet::new).insert(ends[1]);
                neighbours.entry(ends[1]).or_insert_with(BTreeSet::new).insert(ends[0]);
            }
        }
        Chains { snapped, reach, pieces, neighbours, corners, used: HashSet::new(), out: Vec::new() }
    }

    /// Shortens first the chains that have ends, then those that close.
    fn shorten(&mut self) {
        let ways: Vec<(usize, usize)> = self.pieces.keys().copied().collect();
        for closed in [false, true] {
            for (from, to) in &ways {
                if !self.used.contains(&(*from, *to)) && (closed || !self.goes_on(*from)) {
                    self.shorten_chain(*from, *to);
                }
            }
        }
        self.out.sort();
    }

    fn owners(&self, from: usize, to: usize) -> Vec<usize> {
        let mut owners: Vec<usize> =
            self.pieces.get(&(from, to)).into_iter().flatten().map(|(_, owner)| *owner).collect();
        owners.sort_unstable();
        owners
    }

    /// Whether a place lies inside a chain: what comes from either of its two neighbours goes on to the other.
    fn goes_on(&self, place: usize) -> bool {
        let around: Vec<usize> = self.neighbours.get(&place).into_iter().flatten().copied().collect();
        let [one, two] = *around.as_slice() else { return false };
        self.owners(one, place) == self.owners(place, two) && self.owners(two, place) == self.owners(place, one)
    }

    fn after(&self, before: usize, place: usize) -> Option<usize> {
        self.neighbours.get(&place)?.iter().copied().find(|next| *next != before)
    }

    fn shorten_chain(&mut self, from: usize, to: usize) {
        let start = from;
        let mut ends = Some((from, to));
        while let Some((from, mut to)) = ends {
            let mut chain = vec![from];
            let mut seen = HashSet::from([from]);
            let mut window = Window::new(self.snapped.places[from]);
            let mut before = from;
            let free = self.avoid(from, before, to, &mut seen, &mut window);
            ends = loop {
                chain.push(to);
                seen.insert(to);
                if to == start || !self.goes_on(to) {
                    break None;
                }
                let Some(next) = self.after(before, to) else { break None };
                let extends = free
                    && self.aim(to, &mut window)
                    && self.avoid(from, to, next, &mut seen, &mut window)
                    && window.holds(self.snapped.places[next]);
                (before, to) = (to, next);
                if !extends {
                    break Some((before, to));
                }
            };
            self.merge(&chain);
        }
    }

    /// Lets the window on the corners that moved to a place: a piece beyond it must pass them all.
    fn aim(&self, place: usize, window: &mut Window) -> bool {
        self.corners.get(&place).into_iter().flatten().all(|corner| window.aim(*corner, self.reach.near))
    }

    /// Keeps the window off the places that the piece from `from` to `to` passes, the last of a chain from `start`.
    fn avoid(&self, start: usize, from: usize, to: usize, seen: &mut HashSet<usize>, window: &mut Window) -> bool {
        let at = |place: usize| self.snapped.places[place];
        let (near, far) = (chord(at(start), at(from)), chord(at(start), at(to)));
        if far < near || far >= self.reach.long {
            return false;
        }
        let ways = [(from, to), (to, from)];
        let numbers = ways.iter().filter_map(|way| self.pieces.get(way)).flatten().map(|(number, _)| *number);
        let Some(number) = numbers.min_by_key(|number| self.snapped.passed[*number].len()) else { return false };
        for place in &self.snapped.passed[number] {
            if chord(at(start), at(*place)) >= far || !seen.insert(*place) {
                continue;
            }
            let on_left = match start == from {
                true => sign(at(from), at(to), at(*place)) > 0,
                false => in_order(at(start), at(to), at(*place), at(from)),
            };
            if !window.avoid(at(*place), self.reach.gap, on_left) {
                return false;
            }
        }
        true
    }

    /// Puts one piece in the place of a chain, in each direction and as often as each shape has it.
    fn merge(&mut self, chain: &[usize]) {
        let (Some(first), Some(last)) = (chain.first(), chain.last()) else { return };
        let hops = || chain.windows(2).map(|ends| (ends[0], ends[1]));
        for (from, to, back) in [(*first, *last, false), (*last, *first, true)] {
            let turned = |(a, b): (usize, usize)| if back { (b, a) } else { (a, b) };
            // By shape and edge: every hop has as many pieces of a shape as the others.
            let sorted = |hop| {
                let mut pieces = self.pieces.get(&turned(hop)).cloned().unwrap_or_default();
                pieces.sort_unstable_by_key(|(number, owner)| (*owner, *number));
                pieces
            };
            let least = hops()
                .map(sorted)
                .reduce(|least, next| least.into_iter().zip(next).map(|(least, next)| least.min(next)).collect());
            let pieces = least.into_iter().flatten();
            self.out.extend(pieces.map(|(number, owner)| (number, (from, to, owner))));
        }
        self.used.extend(hops().flat_map(|(a, b)| [(a, b), (b, a)]));
    }
}

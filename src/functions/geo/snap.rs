//! Moves the corners of edges onto fewer places, so that no two of them are nearer to each other than a tolerance,
//! no edge leaves its old way by much more than the tolerance, and edges that were apart do not come to cross.
use super::edge::{Edge, angle_chord, chord, distance, nearest};
use super::exact::{order, sign};
use super::nearby;
use super::region::bits;
use super::s2::Cell;
use super::sphere::Vector;
use crate::diagnostic::{Fault, Result};
use crate::functions::Context;
use std::collections::{BTreeSet, HashMap};

/// How far an edge may leave its old way, in tolerances.
const LEEWAY: f64 = 1.1;

/// How near a place and an edge that does not end there may come, in tolerances.
const GAP: f64 = 0.5;

/// Angles, as squared chords, that follow from a tolerance.
#[derive(Clone, Copy, Debug)]
pub struct Reach {
    pub tolerance: f64,
    /// The tolerance.
    pub near: f64,
    /// How near an edge may pass a place.
    pub gap: f64,
    /// How far places are from an edge that matter to it.
    seen: f64,
    /// How far apart the places are that an edge's neighbouring corners may move to.
    adjacent: f64,
    /// The length from which an edge may stray from its old way.
    pub long: f64,
    stray: f64,
}

impl Reach {
    /// What follows from a tolerance in radians: above 0 and less than a quarter turn.
    pub fn new(tolerance: f64) -> Reach {
        let stray = LEEWAY * tolerance;
        let ratio = (tolerance.sin() / stray.sin()).min(1.0);
        Reach {
            tolerance,
            near: angle_chord(tolerance),
            gap: angle_chord(GAP * tolerance),
            seen: angle_chord(stray + GAP * tolerance),
            adjacent: angle_chord(2.0 * tolerance),
            long: angle_chord(2.0 * ratio.acos()),
            stray: angle_chord(stray),
        }
    }
}

/// Edges whose corners have moved.
#[derive(Debug)]
pub struct Snapped {
    pub places: Vec<Vector>,
    /// Each edge's way over the places.
    pub ways: Vec<Vec<usize>>,
    /// The places that each edge passes, in order from its start.
    pub passed: Vec<Vec<usize>>,
}

/// Moves the corners of edges.
pub fn snap(edges: &[Edge], reach: Reach, context: &Context) -> Result<Snapped> {
    let places = chosen_places(edges, reach);
    let passed = passed_places(edges, &places, reach, context)?;
    let mut snapped = Snapped { places, ways: vec![Vec::new(); edges.len()], passed };
    // An edge that comes too near to a place gets a further place to keep it away; that may move other edges.
    let mut waiting: BTreeSet<usize> = (0..edges.len()).collect();
    let most = 20 * edges.len() + 1000;
    for _ in 0..most {
        let Some(next) = waiting.pop_first() else { return Ok(snapped) };
        context.check()?;
        snapped.ways[next] = snapped.way(edges[next], next, reach);
        if let Some(place) = snapped.missing_place(edges[next], next, reach) {
            snapped.add(place, edges, reach, &mut waiting);
        }
    }
    match waiting.is_empty() {
        true => Ok(snapped),
        false => Err(Fault::query("HP121", "the shape is too intricate to be simplified")),
    }
}

/// Corners that are farther from each other than the tolerance, so that each corner is near to one of them.
fn chosen_places(edges: &[Edge], reach: Reach) -> Vec<Vector> {
    let mut corners: Vec<Vector> = edges.iter().flat_map(|(a, b)| [*a, *b]).collect();
    corners.sort_by(|a, b| order(*a, *b));
    corners.dedup_by_key(|corner| bits(corner));
    corners.sort_by_cached_key(|corner| Cell::of(*corner));
    let width = reach.near.sqrt().max(1e-15);
    let cell = |point: Vector| [point.x, point.y, point.z].map(|number| (number / width).floor() as i64);
    let mut places = Vec::new();
    let mut cells: HashMap<[i64; 3], Vec<Vector>> = HashMap::new();
    for corner in corners {
        let [x, y, z] = cell(corner);
        let around = (0..27).map(|at| [x + at % 3 - 1, y + at / 3 % 3 - 1, z + at / 9 - 1]);
        let mut known = around.filter_map(|cell| cells.get(&cell)).flatten();
        if !known.any(|place| chord(*place, corner) <= reach.near) {
            cells.entry([x, y, z]).or_default().push(corner);
            places.push(corner);
        }
    }
    places
}

/// The places near each edge, in order from its start.
fn passed_places(edges: &[Edge], places: &[Vector], reach: Reach, context: &Context) -> Result<Vec<Vec<usize>>> {
    let all: Vec<Edge> = edges.iter().copied().chain(places.iter().map(|place| (*place, *place))).collect();
    let mut passed = vec![Vec::new(); edges.len()];
    nearby::pairs(&all, 0.5 * reach.seen.sqrt(), context, |edge, other| {
        if let (Some(own), Some(place)) = (edges.get(edge), other.checked_sub(edges.len()))
            && distance(places[place], *own) <= reach.seen
        {
            passed[edge].push(place);
        }
        Ok(())
    })?;
    for ((start, _), passed) in edges.iter().zip(&mut passed) {
        passed.sort_by(|a, b| chord(*start, places[*a]).total_cmp(&chord(*start, places[*b])).then(a.cmp(b)));
    }
    Ok(passed)
}

impl Snapped {
    /// The places whose surroundings an edge crosses: of all points of the edge, each is nearest to one of them.
    fn way(&self, edge: Edge, number: usize, reach: Reach) -> Vec<usize> {
        let mut way: Vec<usize> = Vec::new();
        for next in &self.passed[number] {
            let place = self.places[*next];
            if distance(place, edge) > reach.near {
                continue;
            }
            let mut needed = true;
            while let Some(last) = way.last().copied() {
                let before = self.places[last];
                if chord(before, place) >= reach.adjacent {
                    break;
                }
                match Excluded::of(before, place, edge, reach) {
                    Excluded::First => {
                        way.pop();
                        continue;
                    }
                    Excluded::Second => {
                        needed = false;
                        break;
                    }
                    Excluded::Neither => {}
                }
                let Some(first) = way.len().checked_sub(2).map(|at| self.places[way[at]]) else { break };
                if chord(first, place) >= reach.adjacent || !is_hidden(first, before, place, edge) {
                    break;
                }
                way.pop();
            }
            if needed {
                way.push(*next);
            }
        }
        way
    }

    /// A further place that an edge needs: where it strays from its old way, or comes too near to a place.
    fn missing_place(&self, edge: Edge, number: usize, reach: Reach) -> Option<Vector> {
        let way = &self.ways[number];
        let mut at = 0_usize;
        for place in &self.passed[number] {
            let (Some(before), Some(next)) = (at.checked_sub(1).map(|at| way[at]), way.get(at)) else {
                // Places before the start and after the end are of no concern.
                if way.get(at) == Some(place) {
                    at += 1;
                    continue;
                }
                match at {
                    0 => continue,
                    _ => break,
                }
            };
            let piece = (self.places[before], self.places[*next]);
            if place == next {
                at += 1;
                if chord(piece.0, piece.1) >= reach.long && strays(piece, edge, reach) {
                    return Some((nearest(piece.0, edge) + nearest(piece.1, edge)).unit());
                }
            } else if distance(self.places[*place], piece) < reach.gap {
                let found = separation(self.places[*place], piece, edge, reach);
                if !self.places.contains(&found) {
                    return Some(found);
                }
            }
        }
        None
    }

    fn add(&mut self, place: Vector, edges: &[Edge], reach: Reach, waiting: &mut BTreeSet<usize>) {
        self.places.push(place);
        for (number, edge) in edges.iter().enumerate() {
            if distance(place, *edge) <= reach.seen {
                let passed = &mut self.passed[number];
                let from_start = |at: &usize| chord(edge.0, self.places[*at]);
                let own = chord(edge.0, place);
                passed.insert(passed.partition_point(|at| from_start(at) < own), self.places.len() - 1);
                waiting.insert(number);
            }
        }
    }
}

/// Which of two places an edge never comes nearest to.
enum Excluded {
    Neither,
    First,
    Second,
}

impl Excluded {
    /// `first` is nearer to the edge's start than `second`, and both are near to the edge.
    fn of(first: Vector, second: Vector, (start, end): Edge, reach: Reach) -> Excluded {
        if chord(end, first) < chord(end, second) {
            return Excluded::Second;
        }
        let normal = start.normal(end).unit();
        // Where along the edge a place lies, and how much of the edge on either side is near to it.
        let covered = |place: Vector| {
            let across = place.dot(normal).asin();
            (reach.tolerance.cos() / across.cos()).min(1.0).acos()
        };
        let along = |place: Vector| place - normal * place.dot(normal);
        let apart = along(first).cross(along(second)).dot(normal).atan2(along(first).dot(along(second)));
        if apart.abs() > std::f64::consts::FRAC_PI_2 {
            return Excluded::Neither;
        }
        let more = covered(second) - covered(first);
        if more.abs() <= apart {
            Excluded::Neither
        } else if more > 0.0 {
            Excluded::First
        } else {
            Excluded::Second
        }
    }
}

/// Whether of three places, in order along an edge, the edge never comes nearest to the middle one: the point
/// equally far from all lies on the middle one's side.
fn is_hidden(first: Vector, middle: Vector, last: Vector, (start, end): Edge) -> bool {
    let side = sign(start, end, middle);
    let turn = sign(first, middle, last);
    if turn == side {
        return false;
    }
    let centre = (middle - first).cross(last - first);
    let lies = start.normal(end).dot(centre) * f64::from(turn);
    (lies > 0.0) == (side > 0)
}

/// Whether the middle of a piece lies too far from the edge that it is a piece of.
fn strays((from, to): Edge, edge: Edge, reach: Reach) -> bool {
    distance((from + to).unit(), edge) > reach.stray
}

/// The place that keeps an edge away from another place: the point of the old edge next to it, within what neither
/// end of the piece covers.
fn separation(avoided: Vector, (from, to): Edge, edge: Edge, reach: Reach) -> Vector {
    let normal = edge.0.normal(edge.1);
    let ahead = edge.1 - edge.0;
    let found = nearest(avoided, edge);
    let (earliest, latest) = (covered_until(from, normal, reach), covered_until(to, -normal, reach));
    if (found - earliest).dot(ahead) < 0.0 {
        earliest
    } else if (latest - found).dot(ahead) < 0.0 {
        latest
    } else {
        found
    }
}

/// The last point of a great circle, in the direction of its turn, that is near to a place.
fn covered_until(place: Vector, normal: Vector, reach: Reach) -> Vector {
    let normal = normal.unit();
    let sine = reach.tolerance.sin();
    let across = place.dot(normal);
    let along = (place - normal * across) * (1.0 - sine * sine).sqrt();
    (along + normal.cross(place) * (sine * sine - across * across).max(0.0).sqrt()).unit()
}

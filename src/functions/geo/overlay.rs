//! What shapes have in common and what they cover together.
use super::arrange::{Arrangement, Input, Piece, twin};
use super::edge::Edge;
use super::exact::ORIGIN;
use super::geojson::Shape;
use super::read::edges;
use super::region::{Polygon, Ring, bits};
use super::sphere::Vector;
use super::trace;
use crate::diagnostic::Result;
use crate::functions::Context;
use std::collections::{BTreeMap, HashMap, HashSet};

/// One of two shapes: a region or lines.
#[derive(Clone, Copy, Debug)]
pub enum Side<'a> {
    Region(&'a [Polygon]),
    Lines(&'a [Vec<Vector>]),
}

fn arranged(sides: [Side<'_>; 2], context: &Context) -> Result<Arrangement> {
    let mut inputs = Vec::new();
    let mut origin = [0; 2];
    for (shape, side) in sides.into_iter().enumerate() {
        let input = |is_line: bool| move |edge: Edge| Input { edge, shape, is_line };
        match side {
            Side::Region(polygons) => {
                inputs.extend(polygons.iter().flat_map(Polygon::edges).map(input(false)));
                origin[shape] = polygons.iter().map(|polygon| i32::from(polygon.holds(ORIGIN))).sum();
            }
            Side::Lines(lines) => inputs.extend(lines.iter().flat_map(|line| edges(line)).map(input(true))),
        }
    }
    Arrangement::new(&inputs, origin, context)
}

/// What two polygons cover together.
fn joined(first: &Polygon, second: &Polygon, context: &Context) -> Result<Polygon> {
    let sides = [Side::Region(std::slice::from_ref(first)), Side::Region(std::slice::from_ref(second))];
    let pieces = arranged(sides, context)?;
    let covered = |at: usize| pieces.pieces[at].left.iter().any(|winding| *winding > 0);
    Ok(trace::region(&pieces, |at| covered(at) && !covered(twin(at))))
}

/// What polygons cover together: the two of the fewest corners are joined first, the earlier of equal ones.
pub fn union(polygons: Vec<Polygon>, context: &Context) -> Result<Polygon> {
    let numbered = polygons.into_iter().enumerate();
    let mut waiting: BTreeMap<(usize, usize), Polygon> =
        numbered.map(|(number, polygon)| ((polygon.corner_count(), number), polygon)).collect();
    for number in waiting.len().. {
        let Some(((few, _), first)) = waiting.pop_first() else { break };
        let Some(((more, _), second)) = waiting.pop_first() else { return Ok(first) };
        waiting.insert((few + more, number), joined(&first, &second, context)?);
    }
    Ok(Polygon::default())
}

/// The lines made one: an edge that several have, in whichever direction, counts once.
pub fn union_of_lines(lines: &[Vec<Vector>]) -> Vec<Vec<Vector>> {
    let mut places: HashMap<[u64; 3], usize> = HashMap::new();
    let mut points = Vec::new();
    let mut place = |point: Vector| {
        *places.entry(bits(&point)).or_insert_with(|| {
            points.push(point);
            points.len() - 1
        })
    };
    let mut seen = HashSet::new();
    let mut pieces: Vec<(usize, usize)> = Vec::new();
    for (a, b) in lines.iter().flat_map(|line| edges(line)) {
        let (from, to) = (place(a), place(b));
        if seen.insert((from.min(to), from.max(to))) {
            pieces.push((from, to));
        }
    }
    trace::lines(&pieces, &points)
}

/// Whether two shapes have a point in common, boundaries included.
pub fn intersects(sides: [Side<'_>; 2], context: &Context) -> Result<bool> {
    let pieces = arranged(sides, context)?;
    let common = Common { pieces: &pieces, sides };
    Ok((0..pieces.points.len()).any(|point| common.holds_point(point)))
}

/// What two shapes have in common, boundaries included: points where they only touch, lines, regions.
pub fn intersection(sides: [Side<'_>; 2], context: &Context) -> Result<Shape> {
    let pieces = arranged(sides, context)?;
    let common = Common { pieces: &pieces, sides };
    let region = trace::region(&pieces, |at| common.inside(at) && !common.inside(twin(at)));
    let lines = common.lines();
    let points = common.touched();
    let mut parts = Vec::new();
    parts.extend(shape_of_points(&points));
    parts.extend(shape_of_lines(&lines));
    parts.extend(shape_of_polygon(&region));
    Ok(match parts.pop() {
        Some(only) if parts.is_empty() => only,
        last => Shape::Collection(parts.into_iter().chain(last).collect()),
    })
}

/// What of the pieces both shapes have.
struct Common<'a> {
    pieces: &'a Arrangement,
    sides: [Side<'a>; 2],
}

impl Common<'_> {
    fn piece(&self, at: usize) -> &Piece {
        &self.pieces.pieces[at]
    }

    /// Whether what lies to the left belongs to both regions.
    fn inside(&self, at: usize) -> bool {
        let region = |shape: usize| matches!(self.sides[shape], Side::Region(_)) && self.piece(at).left[shape] > 0;
        region(0) && region(1)
    }

    /// Whether a piece belongs to a shape or its boundary.
    fn holds_piece(&self, at: usize, shape: usize) -> bool {
        let (ahead, back) = (self.piece(at), self.piece(twin(at)));
        match self.sides[shape] {
            Side::Region(_) => ahead.left[shape] > 0 || back.left[shape] > 0,
            Side::Lines(_) => ahead.line[shape] || back.line[shape],
        }
    }

    /// Whether a point belongs to both shapes or their boundaries.
    fn holds_point(&self, point: usize) -> bool {
        let leaving = self.pieces.leaving(point);
        (0..2).all(|shape| leaving.iter().any(|at| self.holds_piece(*at, shape)))
    }

    /// Whether a piece is a line that both shapes have, and not part of a region that they share.
    fn is_line(&self, at: usize) -> bool {
        (0..2).all(|shape| self.holds_piece(at, shape)) && !self.inside(at) && !self.inside(twin(at))
    }

    fn lines(&self) -> Vec<Vec<Vector>> {
        let ahead = |at: &usize| self.piece(*at).first < self.piece(twin(*at)).first;
        let mut lines: Vec<usize> = (0..self.pieces.pieces.len()).filter(|at| ahead(at) && self.is_line(*at)).collect();
        // The pieces of one edge were made in their order.
        lines.sort_by_key(|at| self.piece(*at).first);
        let ends: Vec<(usize, usize)> = lines.iter().map(|at| (self.piece(*at).from, self.piece(*at).to)).collect();
        trace::lines(&ends, &self.pieces.points)
    }

    /// The points that both shapes have, and no more around them.
    fn touched(&self) -> Vec<Vector> {
        let alone = |point: &usize| {
            let more = |at: &usize| self.inside(*at) || self.inside(twin(*at)) || self.is_line(*at);
            self.holds_point(*point) && !self.pieces.leaving(*point).iter().any(more)
        };
        let points = (0..self.pieces.points.len()).filter(alone);
        points.filter_map(|point| self.pieces.points.get(point).copied()).collect()
    }
}

/// A point, or several.
fn shape_of_points(points: &[Vector]) -> Option<Shape> {
    match points {
        [] => None,
        [point] => Some(Shape::Point(point.place())),
        points => Some(Shape::MultiPoint(points.iter().map(|point| point.place()).collect())),
    }
}

/// A line, or several.
pub fn shape_of_lines(lines: &[Vec<Vector>]) -> Option<Shape> {
    let places = |line: &Vec<Vector>| line.iter().map(|point| point.place()).collect();
    match lines {
        [] => None,
        [line] => Some(Shape::Line(places(line))),
        lines => Some(Shape::MultiLine(lines.iter().map(places).collect())),
    }
}

/// A polygon, or several.
pub fn shape_of_polygon(polygon: &Polygon) -> Option<Shape> {
    let closed = |ring: &Ring| {
        let corners = ring.corners.iter().chain(ring.corners.first());
        corners.map(|corner| corner.place()).collect::<Vec<_>>()
    };
    let parts: Vec<Vec<_>> = polygon.parts().into_iter().map(|rings| rings.into_iter().map(closed).collect()).collect();
    match parts.len() {
        0 | 1 => parts.into_iter().next().map(Shape::Polygon),
        _ => Some(Shape::MultiPolygon(parts)),
    }
}

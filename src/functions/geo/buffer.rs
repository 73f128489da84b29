//! Shapes widened by a distance.
//!
//! A ring or a line is followed by a path at the distance to its right (a line on both of its sides), with an
//! arc around every corner that turns left and by way of the corner itself where it turns right. What the path
//! winds around is the widened shape.
use super::arrange::{Arrangement, Input, twin};
use super::edge::on_ray;
use super::exact::{ORIGIN, crossing, owns_corner, sign};
use super::region::{Polygon, Ring};
use super::sphere::{EARTH_RADIUS, Vector};
use super::trace;
use crate::diagnostic::{Fault, Result};
use crate::functions::Context;
use std::f64::consts::{FRAC_PI_2, PI, TAU};

/// How far from its radius a path may lie, as a fraction of the radius, at the least.
const LEAST_ERROR: f64 = 1e-6;

/// How the steps of a path are measured, in radians.
#[derive(Clone, Copy, Debug)]
pub struct Width {
    radius: f64,
    /// Between two corners of an arc.
    arc_step: f64,
    /// Between two corners along an edge; none where an edge's offset is no boundary.
    edge_step: Option<f64>,
}

impl Width {
    /// A width of `radius` metres, whose paths lie within `tolerance` metres of it; none where either is no
    /// positive number.
    pub fn new(radius: f64, tolerance: f64) -> Option<Width> {
        if !(radius > 0.0 && radius.is_finite() && tolerance > 0.0) {
            return None;
        }
        // The fraction is one of single precision.
        let fraction = f64::from((tolerance / radius) as f32).clamp(LEAST_ERROR, 1.0);
        let radius = radius / EARTH_RADIUS;
        let error = (fraction * radius).max(2.0 * f64::EPSILON);
        let arc_step = longest_step(radius, error);
        let edge_radius = FRAC_PI_2 - radius;
        let edge_step = (edge_radius > error).then(|| longest_step(edge_radius, error));
        Some(Width { radius, arc_step, edge_step })
    }

    /// Whether nothing is farther away.
    fn is_everything(&self) -> bool {
        self.radius >= PI
    }
}

/// The widest angle between two corners of a circle whose edges lie within `error` of it.
fn longest_step(radius: f64, error: f64) -> f64 {
    let least = 2.0 * PI / 3.0 + 1e-15;
    let inner = (radius - error).max(0.0);
    if radius < FRAC_PI_2 {
        least.min(2.0 * (inner.tan() / radius.tan()).acos())
    } else if inner > FRAC_PI_2 {
        least.min(2.0 * (radius.tan() / inner.tan()).acos())
    } else {
        least
    }
}

/// A polygon widened; none where it becomes the whole sphere.
pub fn of_polygon(polygon: &Polygon, width: Width, context: &Context) -> Result<Option<Polygon>> {
    let mut paths = Paths::new(width, context);
    paths.around_origin += i32::from(polygon.holds(ORIGIN));
    for ring in &polygon.rings {
        paths.follow_ring(&ring.corners)?;
    }
    paths.widened()
}

/// Lines widened; none where they become the whole sphere.
pub fn of_lines(lines: &[Vec<Vector>], width: Width, context: &Context) -> Result<Option<Polygon>> {
    let mut paths = Paths::new(width, context);
    for line in lines {
        paths.follow_line(line)?;
    }
    paths.widened()
}

/// The circle around a point, a regular polygon; none where it is the whole sphere.
pub fn of_point(center: Vector, width: Width) -> Option<Polygon> {
    if width.is_everything() {
        return None;
    }
    // A little more than an equal part of the turn, so that no edge but the last is shorter.
    let step = TAU / (TAU / width.arc_step).ceil() + 1e-15;
    let (mut corners, mut start, mut angle) = (Vec::new(), center.orthogonal(), 0.0);
    for _ in 0..4 {
        let turn = center.cross(start).unit();
        while angle < FRAC_PI_2 {
            corners.push(on_ray(center, on_ray(start, turn, angle), width.radius));
            angle += step;
        }
        angle -= FRAC_PI_2;
        start = turn;
    }
    Some(Polygon::bounded_by(Ring::new(corners)))
}

/// The paths so far, and how often they wind around the origin.
struct Paths<'a> {
    width: Width,
    context: &'a Context,
    paths: Vec<Vec<Vector>>,
    corners: usize,
    around_origin: i32,
    /// The corner of the shape that the path's last corner belongs to. The edge between the two sweeps over all
    /// that the path winds around.
    anchor: Option<Vector>,
    start: Option<Vector>,
    path: Vec<Vector>,
}

impl<'a> Paths<'a> {
    fn new(width: Width, context: &'a Context) -> Paths<'a> {
        let (paths, path) = (Vec::new(), Vec::new());
        Paths { width, context, paths, corners: 0, around_origin: 0, anchor: None, start: None, path }
    }

    fn widened(self) -> Result<Option<Polygon>> {
        let edges = |path: &Vec<Vector>| {
            let next: Vec<Vector> = path.iter().cycle().skip(1).take(path.len()).copied().collect();
            path.clone().into_iter().zip(next).filter(|(a, b)| a != b).collect::<Vec<_>>()
        };
        let input = |edge| Input { edge, shape: 0, is_line: false };
        let inputs: Vec<Input> = self.paths.iter().flat_map(edges).map(input).collect();
        let pieces = Arrangement::new(&inputs, [self.around_origin, 0], self.context)?;
        let covered = |at: usize| pieces.pieces[at].left[0] > 0;
        let region = trace::region(&pieces, |at| covered(at) && !covered(twin(at)));
        Ok((!region.rings.is_empty()).then_some(region))
    }

    fn follow_ring(&mut self, corners: &[Vector]) -> Result<()> {
        let count = corners.len();
        if self.width.is_everything() || count == 0 {
            return Ok(());
        }
        self.hold(corners[0]);
        for at in 0..count {
            self.edge_and_corner(corners[at], corners[(at + 1) % count], corners[(at + 2) % count])?;
        }
        self.close();
        Ok(())
    }

    fn follow_line(&mut self, line: &[Vector]) -> Result<()> {
        let [first, second, ..] = *line else { return Ok(()) };
        let (Some(last), Some(before)) = (line.last(), line.iter().nth_back(1)) else { return Ok(()) };
        if self.width.is_everything() {
            return Ok(());
        }
        self.hold(first);
        let axis = right_of(first, second);
        self.arc(first, -axis, axis)?;
        for corner in line.windows(3) {
            self.edge_and_corner(corner[0], corner[1], corner[2])?;
        }
        self.edge(*before, *last)?;
        let axis = right_of(*before, *last);
        self.arc(*last, axis, -axis)?;
        for corner in line.windows(3).rev() {
            self.edge_and_corner(corner[2], corner[1], corner[0])?;
        }
        self.edge(second, first)?;
        self.close();
        Ok(())
    }

    /// The path beside the edge from `a` to `b`, and around `b` towards `c`.
    fn edge_and_corner(&mut self, a: Vector, b: Vector, c: Vector) -> Result<()> {
        self.edge(a, b)?;
        let (before, after) = (right_of(a, b), right_of(b, c));
        if sign(a, b, c) >= 0 {
            self.arc(b, before, after)?;
            if self.width.edge_step.is_none() {
                self.add(on_ray(b, after, self.width.radius))?;
            }
        } else {
            // By way of the corner the path winds the right way around everything.
            if self.width.edge_step.is_some() {
                self.add(on_ray(b, before, self.width.radius))?;
            }
            self.add(b)?;
        }
        Ok(())
    }

    /// The path beside an edge, without its last corner.
    fn edge(&mut self, a: Vector, b: Vector) -> Result<()> {
        let axis = right_of(a, b);
        match self.width.edge_step {
            // The offset is more than a quarter turn away: the path only has to pass on that side.
            None => self.add(axis)?,
            Some(step) => {
                let ahead = a.cross(axis).unit();
                let length = a.angle(b);
                let mut angle = 0.0;
                loop {
                    self.add(on_ray(on_ray(a, ahead, angle), axis, self.width.radius))?;
                    angle += step;
                    if angle >= length {
                        break;
                    }
                }
            }
        }
        self.hold(b);
        Ok(())
    }

    /// The path around a corner, turning left from one direction to another, without its last corner.
    fn arc(&mut self, corner: Vector, start: Vector, end: Vector) -> Result<()> {
        let turn = corner.cross(start).unit();
        let span = start.angle(end);
        let mut angle = 0.0;
        loop {
            self.add(on_ray(corner, on_ray(start, turn, angle), self.width.radius))?;
            angle += self.width.arc_step;
            if angle >= span {
                return Ok(());
            }
        }
    }

    fn hold(&mut self, corner: Vector) {
        if let (Some(anchor), Some(end)) = (self.anchor, self.path.last()) {
            self.around_origin += winding(anchor, *end, corner);
        }
        self.start.get_or_insert(corner);
        self.anchor = Some(corner);
    }

    fn add(&mut self, corner: Vector) -> Result<()> {
        self.corners += 1;
        if self.corners.is_multiple_of(4096) {
            self.context.check()?;
        }
        if self.corners > self.context.limits.values / 16 {
            return Err(Fault::limit("values", "a widened shape has too many corners"));
        }
        if let (Some(anchor), Some(end)) = (self.anchor, self.path.last()) {
            self.around_origin += winding(anchor, *end, corner);
        }
        self.path.push(corner);
        Ok(())
    }

    /// Ends a path: the edge that sweeps goes back to where it began.
    fn close(&mut self) {
        let path = std::mem::take(&mut self.path);
        if let (Some(anchor), Some(start), Some(first), Some(last)) =
            (self.anchor.take(), self.start.take(), path.first(), path.last())
        {
            self.around_origin += winding(anchor, *last, start) + winding(start, *last, *first);
        }
        self.paths.push(path);
    }
}

/// The direction to the right of an edge, at right angles to it.
fn right_of(a: Vector, b: Vector) -> Vector {
    b.normal(a).unit()
}

/// How often a triangle winds around the origin.
fn winding(a: Vector, b: Vector, c: Vector) -> i32 {
    let turn = sign(a, b, c);
    if turn == 0 {
        return 0;
    }
    let crosses = |from: Vector, to: Vector| crossing(b, ORIGIN, from, to) != 0;
    let inside = owns_corner(a, b, c) == (turn > 0);
    if inside ^ crosses(a, b) ^ crosses(b, c) ^ crosses(c, a) { turn } else { 0 }
}

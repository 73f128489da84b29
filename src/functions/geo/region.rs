//! Polygons on the sphere.
use super::edge::{Edge, chord, distance, is_edge, nearest};
use super::exact::{Meeting, ORIGIN, Walk, meeting, owns_corner, sign};
use super::geojson::{Rings, Shape};
use super::nearby;
use super::sphere::Vector;
use crate::diagnostic::Result;
use crate::functions::Context;
use std::collections::HashSet;
use std::f64::consts::PI;

/// A closed line; the region it bounds lies to its left.
#[derive(Clone, Debug)]
pub struct Ring {
    pub corners: Vec<Vector>,
    holds_origin: bool,
}

impl Ring {
    pub fn new(corners: Vec<Vector>) -> Ring {
        let mut ring = Ring { corners, holds_origin: false };
        // Whether the origin lies inside follows from whether one corner does.
        if let [before, corner, after, ..] = *ring.corners.as_slice() {
            ring.holds_origin = owns_corner(before, corner, after) != ring.holds(corner);
        }
        ring
    }

    /// The ring that bounds the smaller of the two regions.
    pub fn smaller(corners: Vec<Vector>) -> Ring {
        let turning = turning(&corners);
        let ring = Ring::new(corners);
        // Half of the sphere stays as it is, whatever rounding makes of its turning.
        if turning < -11.25 * f64::EPSILON * ring.corners.len() as f64 { ring.reversed() } else { ring }
    }

    /// The ring the other way round: it bounds all else.
    pub fn reversed(mut self) -> Ring {
        self.corners.reverse();
        self.holds_origin = !self.holds_origin;
        self
    }

    pub fn edges(&self) -> impl Iterator<Item = Edge> + '_ {
        let next = self.corners.iter().cycle().skip(1);
        self.corners.iter().copied().zip(next.copied())
    }

    pub fn holds(&self, point: Vector) -> bool {
        let walk = Walk::new(ORIGIN, point);
        let crossings: i32 = self.edges().map(|(a, b)| walk.crossing(a, b).abs()).sum();
        self.holds_origin != (crossings % 2 != 0)
    }

    /// Whether this ring lies inside another one that it does not cross.
    fn is_inside(&self, other: &Ring) -> bool {
        let shared: HashSet<_> = other.corners.iter().map(bits).collect();
        match self.corners.iter().find(|corner| !shared.contains(&bits(corner))) {
            Some(corner) => other.holds(*corner),
            // All corners are shared: the middle of an edge tells.
            None => self.edges().next().is_some_and(|(a, b)| other.holds((a + b).unit())),
        }
    }

    /// Whether more than half of the sphere lies to its left.
    pub fn is_most_of_sphere(&self) -> bool {
        turning(&self.corners) < 0.0
    }
}

pub fn bits(point: &Vector) -> [u64; 3] {
    // Zero has one spelling.
    [point.x, point.y, point.z].map(|number| (number + 0.0).to_bits())
}

/// The sum of the turns to the left at the corners: a full turn less the area.
pub fn turning(corners: &[Vector]) -> f64 {
    let count = corners.len();
    let turn = |at: usize| {
        let (before, corner) = (corners[(at + count - 1) % count], corners[at]);
        let after = corners[(at + 1) % count];
        let angle = before.normal(corner).angle(corner.normal(after));
        if sign(before, corner, after) > 0 { angle } else { -angle }
    };
    (0..count).map(turn).sum()
}

/// A region of the sphere: its rings, each with the region to its left, none crossing another.
#[derive(Clone, Debug, Default)]
pub struct Polygon {
    /// Outer rings, each followed by the rings inside it.
    pub rings: Vec<Ring>,
    /// How many rings each ring lies inside of: those of an odd number are holes.
    depths: Vec<usize>,
    within: Cap,
}

/// A circle that holds a region: points farther from the centre than its rim lie outside.
#[derive(Clone, Copy, Debug)]
struct Cap {
    centre: Vector,
    rim: f64,
}

impl Default for Cap {
    fn default() -> Self {
        Cap { centre: ORIGIN, rim: -2.0 }
    }
}

impl Cap {
    fn holds(&self, point: Vector) -> bool {
        point.dot(self.centre) >= self.rim
    }

    fn around(rings: &[Ring]) -> Cap {
        let corners = || rings.iter().flat_map(|ring| &ring.corners).copied();
        let centre = corners().fold(Vector::new(0.0, 0.0, 0.0), |sum, corner| sum + corner).unit();
        let rim = corners().map(|corner| corner.dot(centre)).fold(1.0, f64::min) - 1e-12;
        // A circle of less than a quarter turn holds with its corners all that lies between them.
        if rim > 0.01 && !rings.iter().any(Ring::is_most_of_sphere) { Cap { centre, rim } } else { Cap::default() }
    }
}

impl Polygon {
    /// The polygon of GeoJSON rings; none where it is not valid: a ring has too few corners, does not close,
    /// touches itself or crosses another one.
    pub fn read(rings: &Rings, context: &Context) -> Result<Option<Polygon>> {
        let mut read = Vec::with_capacity(rings.len());
        for ring in rings {
            let mut corners: Vec<Vector> = ring.iter().map(|place| place.vector()).collect();
            let closes = ring.first().is_some_and(|first| ring.last() == Some(first));
            corners.pop();
            if !closes || corners.len() < 3 {
                return Ok(None);
            }
            read.push(Ring { corners, holds_origin: false });
        }
        if read.is_empty() || !are_simple(&read, context)? {
            return Ok(None);
        }
        let rings = read.into_iter().map(|ring| Ring::smaller(ring.corners)).collect();
        Ok(Some(Polygon::of_rings(rings)))
    }

    /// The polygons of a shape, each valid on its own.
    pub fn read_all(shape: Shape, context: &Context) -> Result<Option<Vec<Polygon>>> {
        let Some(polygons) = shape.into_polygons() else { return Ok(None) };
        let read: Result<Option<Vec<Polygon>>> = polygons.iter().map(|rings| Polygon::read(rings, context)).collect();
        Ok(read?.filter(|polygons| !polygons.is_empty()))
    }

    /// The region of rings that do not cross, each bounding the smaller region: inside an odd number of them.
    pub fn of_rings(rings: Vec<Ring>) -> Polygon {
        let within = Cap::around(&rings);
        let caps: Vec<Cap> = rings.iter().map(|ring| Cap::around(std::slice::from_ref(ring))).collect();
        let holders = |(at, ring): (usize, &Ring)| {
            let others = rings.iter().zip(&caps).enumerate().filter(|(other, _)| *other != at);
            let near = others.filter(|(_, (_, cap))| ring.corners.first().is_some_and(|corner| cap.holds(*corner)));
            near.filter(|(_, (other, _))| ring.is_inside(other)).map(|(other, _)| other).collect()
        };
        let inside: Vec<Vec<usize>> = rings.iter().enumerate().map(holders).collect();
        let depth = |at: &usize| inside.get(*at).map_or(0, Vec::len);
        // An outer ring's place is the path of rings around it and itself; a hole follows the ring it lies in.
        let place = |at: usize| {
            let mut path = inside.get(at).cloned().unwrap_or_default();
            path.sort_by_key(depth);
            if path.len() % 2 == 1 { (path, Some(at)) } else { ([path, vec![at]].concat(), None) }
        };
        let mut order: Vec<_> = rings.into_iter().enumerate().map(|(at, ring)| (place(at), depth(&at), ring)).collect();
        order.sort_by(|a, b| a.0.cmp(&b.0));
        let depths = order.iter().map(|(_, depth, _)| *depth).collect();
        let turn = |(_, depth, ring): (_, usize, Ring)| if depth % 2 == 1 { ring.reversed() } else { ring };
        Polygon { rings: order.into_iter().map(turn).collect(), depths, within }
    }

    /// The region to the left of a ring, however large.
    pub fn bounded_by(ring: Ring) -> Polygon {
        Polygon { rings: vec![ring], depths: vec![0], within: Cap::default() }
    }

    pub fn edges(&self) -> impl Iterator<Item = Edge> + '_ {
        self.rings.iter().flat_map(Ring::edges)
    }

    pub fn corner_count(&self) -> usize {
        self.rings.iter().map(|ring| ring.corners.len()).sum()
    }

    /// The rings of each of its connected parts: an outer ring and its holes.
    pub fn parts(&self) -> Vec<Vec<&Ring>> {
        let mut parts: Vec<Vec<&Ring>> = Vec::new();
        for (ring, depth) in self.rings.iter().zip(&self.depths) {
            match parts.last_mut() {
                Some(part) if depth % 2 == 1 => part.push(ring),
                _ => parts.push(vec![ring]),
            }
        }
        parts
    }

    pub fn holds(&self, point: Vector) -> bool {
        if !self.within.holds(point) {
            return false;
        }
        // A ring that is a hole holds all but the hole.
        self.rings.iter().zip(&self.depths).filter(|(ring, depth)| ring.holds(point) != (*depth % 2 == 1)).count() % 2
            == 1
    }

    /// The squared chord to the nearest point of the region.
    pub fn distance(&self, point: Vector) -> f64 {
        if self.holds(point) {
            return 0.0;
        }
        self.edges().map(|edge| distance(point, edge)).fold(4.0, f64::min)
    }

    /// The point of the region that is nearest.
    pub fn nearest(&self, point: Vector) -> Option<Vector> {
        if self.holds(point) {
            return Some(point);
        }
        let edge = self.edges().min_by(|a, b| distance(point, *a).total_cmp(&distance(point, *b)))?;
        Some(nearest(point, edge))
    }

    /// The area on the unit sphere.
    pub fn area(&self) -> f64 {
        let area: f64 = self.rings.iter().map(ring_area).sum();
        if area < 0.0 { area + 4.0 * PI } else { area }
    }

    pub fn perimeter(&self) -> f64 {
        self.edges().map(|(a, b)| a.angle(b)).sum()
    }

    /// The direction of the mean of the region's points.
    pub fn centroid(&self) -> Vector {
        let sum =
            |sum: Vector, ring: &Ring| triangles(ring).fold(sum, |sum, (a, b, c)| sum + triangle_centroid(a, b, c));
        self.rings.iter().fold(Vector::new(0.0, 0.0, 0.0), sum).unit()
    }
}

/// Whether rings neither cross nor share edges, and no ring meets itself.
fn are_simple(rings: &[Ring], context: &Context) -> Result<bool> {
    let distinct = |ring: &Ring| {
        let mut seen = HashSet::with_capacity(ring.corners.len());
        ring.corners.iter().all(|corner| seen.insert(bits(corner)))
    };
    let edges: Vec<Edge> = rings.iter().flat_map(Ring::edges).collect();
    if !rings.iter().all(distinct) || !edges.iter().all(|edge| is_edge(*edge)) {
        return Ok(false);
    }
    let mut simple = true;
    nearby::pairs(&edges, 1e-15, context, |first, second| {
        let ((a, b), (c, d)) = (edges[first], edges[second]);
        let shared = (a == c && b == d) || (a == d && b == c);
        simple &= !shared && meeting(a, b, c, d) != Meeting::Inside;
        Ok(())
    })?;
    Ok(simple)
}

/// The triangles of a ring's fan, from a corner; they may turn right and then count against the others.
fn triangles(ring: &Ring) -> impl Iterator<Item = (Vector, Vector, Vector)> + '_ {
    let first = ring.corners.first().copied().unwrap_or(ORIGIN);
    // A far corner's shortest way to the first one is not certain: all fans are then made from the middle.
    let far = ring.corners.iter().any(|corner| chord(*corner, first) > 3.0);
    let hub = if far { far_hub(ring) } else { first };
    ring.edges().filter(move |(a, b)| *a != hub && *b != hub).map(move |(a, b)| (hub, a, b))
}

/// A point that no corner of the ring is opposite of.
fn far_hub(ring: &Ring) -> Vector {
    let sum = ring.corners.iter().fold(Vector::new(0.0, 0.0, 0.0), |sum, corner| sum + *corner);
    if sum.norm() > 1e-6 { sum.unit() } else { ORIGIN }
}

/// The signed area to the left of a ring: negative where less lies to its right.
fn ring_area(ring: &Ring) -> f64 {
    let first = ring.corners.first().copied().unwrap_or(ORIGIN);
    if ring.corners.iter().any(|corner| chord(*corner, first) > 2.0) {
        // Of a large ring, the turns give the area more exactly than a fan.
        let area = 2.0 * PI - turning(&ring.corners);
        return if area > 2.0 * PI { area - 4.0 * PI } else { area };
    }
    triangles(ring).map(|(a, b, c)| f64::from(sign(a, b, c)) * triangle_area(a, b, c)).sum()
}

/// L'Huilier's formula; Girard's for thin triangles, where the sides say less than the angles.
fn triangle_area(a: Vector, b: Vector, c: Vector) -> f64 {
    let side = |p: Vector, q: Vector| 2.0 * (p - q).norm().atan2((p + q).norm());
    let (to_a, to_b, to_c) = (side(b, c), side(c, a), side(a, b));
    let half = 0.5 * (to_a + to_b + to_c);
    let slack = half - to_a.max(to_b.max(to_c));
    if half >= 3e-4 && slack < 1e-2 * half.powi(5) {
        let (ab, bc, ac) = (a.normal(b), b.normal(c), a.normal(c));
        let area = (ab.angle(ac) - ab.angle(bc) + bc.angle(ac)).max(0.0);
        if slack < half * (0.1 * (area + 5e-15)) {
            return area;
        }
    }
    let part = |x: f64| (0.5 * x).tan();
    4.0 * (part(half) * part(half - to_a) * part(half - to_b) * part(half - to_c)).max(0.0).sqrt().atan()
}

/// The mean of a triangle's points times its area, negative where it turns right.
fn triangle_centroid(a: Vector, b: Vector, c: Vector) -> Vector {
    let ratio = |p: Vector, q: Vector| match p.angle(q) {
        0.0 => 1.0,
        angle => angle / angle.sin(),
    };
    let (at_a, at_b, at_c) = (ratio(b, c), ratio(c, a), ratio(a, b));
    // Cramer's rule for the point whose products with the corners are these; differences lose least.
    let (ab, ac) = (b - a, c - a);
    let (x, y, z) = (Vector::new(a.x, ab.x, ac.x), Vector::new(a.y, ab.y, ac.y), Vector::new(a.z, ab.z, ac.z));
    let ratios = Vector::new(at_a, at_b - at_a, at_c - at_a);
    Vector::new(y.cross(z).dot(ratios), z.cross(x).dot(ratios), x.cross(y).dot(ratios)) * 0.5
}

//! Edges that are straight on the map, followed by edges of the sphere.
use super::edge::{chord, interpolate};
use super::geojson::{Rings, Shape};
use super::overlay::{Side, intersection, shape_of_polygon};
use super::region::{Polygon, Ring};
use super::sphere::{EARTH_RADIUS, Place, Vector};
use crate::diagnostic::{Fault, Result};
use crate::functions::Context;

/// Places that a densified shape may have.
const MOST_PLACES: usize = 10_485_760;

/// Just before the line of 180 degrees.
const LAST_LONGITUDE: f64 = 179.999_999_999_999;

/// A tolerance in metres that a shape can be densified with.
pub fn is_tolerance(tolerance: f64) -> bool {
    (0.1..=10_000.0).contains(&tolerance)
}

/// The lines as places that stay within a tolerance in metres of the straight ways between the given ones; in parts
/// where they cross the line of 180 degrees.
pub fn lines(lines: &[Vec<Place>], tolerance: f64, crossing: bool, context: &Context) -> Result<Vec<Vec<Vector>>> {
    let dense: Result<Vec<Vec<Vector>>> = lines.iter().map(|line| followed(line, tolerance, context)).collect();
    let mut parts = Vec::new();
    for line in dense? {
        match crossing || !crosses_antimeridian(&line) {
            true => parts.push(line),
            false => parts.extend(parted(line, context)?),
        }
    }
    Ok(parts)
}

fn parted(line: Vec<Vector>, context: &Context) -> Result<Vec<Vec<Vector>>> {
    let lines = [line];
    let common = intersection([Side::Lines(&lines), Side::Region(&[all_but_antimeridian()])], context)?;
    let parts = common.into_lines().unwrap_or_default();
    Ok(parts.into_iter().map(|part| part.into_iter().map(Place::vector).collect()).collect())
}

/// The polygons made as [`lines`] makes lines; none where one of them is not valid.
pub fn polygons(polygons: &[Rings], tolerance: f64, crossing: bool, context: &Context) -> Result<Option<Shape>> {
    let mut regions = Vec::new();
    for rings in polygons {
        if Polygon::read(rings, context)?.is_none() {
            return Ok(None);
        }
        let dense: Result<Vec<Vec<Vector>>> = rings.iter().map(|ring| followed(ring, tolerance, context)).collect();
        let dense = dense?;
        let crosses = !crossing && dense.iter().any(|ring| crosses_antimeridian(ring));
        let open = |mut ring: Vec<Vector>| {
            ring.pop();
            Ring::smaller(ring)
        };
        let region = Polygon::of_rings(dense.into_iter().map(open).collect());
        regions.extend(match crosses {
            true => {
                rings_of(intersection([Side::Region(&[region]), Side::Region(&[all_but_antimeridian()])], context)?)
            }
            false => shape_of_polygon(&region).map(rings_of).unwrap_or_default(),
        });
    }
    Ok(match regions.len() {
        0 | 1 => regions.pop().map(Shape::Polygon),
        _ => Some(Shape::MultiPolygon(regions)),
    })
}

/// The polygons of a shape and of what it collects.
fn rings_of(shape: Shape) -> Vec<Rings> {
    match shape {
        Shape::Collection(shapes) => shapes.into_iter().filter_map(Shape::into_polygons).flatten().collect(),
        shape => shape.into_polygons().unwrap_or_default(),
    }
}

/// The places along the straight ways between places.
fn followed(places: &[Place], tolerance: f64, context: &Context) -> Result<Vec<Vector>> {
    let mut points: Vec<Vector> = places.first().map(|place| place.vector()).into_iter().collect();
    // The error is measured at two places of an edge alone and may be that much greater elsewhere.
    let angle = 0.838_299_925_698_885_1 * tolerance / EARTH_RADIUS;
    let limit = 4.0 * (0.5 * angle).sin().powi(2);
    for ends in places.windows(2) {
        let [from, to] = *ends else { continue };
        follow((from, to), limit, &mut points, context)?;
    }
    Ok(points)
}

/// Adds the places after the first on the straight way between two.
fn follow(ends: (Place, Place), limit: f64, points: &mut Vec<Vector>, context: &Context) -> Result<()> {
    // Halves that wait for their turn, the next one last.
    let mut waiting = vec![ends];
    while let Some((from, to)) = waiting.pop() {
        let middle = between((from, to), 0.5);
        // Very long edges are halved until there is no place between their ends.
        if middle != from && middle != to && error((from, to)) > limit {
            waiting.extend([(middle, to), (from, middle)]);
            continue;
        }
        points.push(to.vector());
        if points.len() > MOST_PLACES {
            return Err(Fault::limit("values", "a densified shape has too many places"));
        }
        if points.len().is_multiple_of(4096) {
            context.check()?;
        }
    }
    Ok(())
}

/// The place at a fraction of the straight way.
fn between((from, to): (Place, Place), fraction: f64) -> Place {
    let mix = |a: f64, b: f64| (1.0 - fraction) * a + fraction * b;
    Place { longitude: mix(from.longitude, to.longitude), latitude: mix(from.latitude, to.latitude) }
}

/// The squared chord by which an edge leaves the straight way, at the two places where that is greatest.
fn error(ends: (Place, Place)) -> f64 {
    const GREATEST: f64 = 0.312_156_910_822_483_1;
    let edge = (ends.0.vector(), ends.1.vector());
    // On long edges the two places say little.
    if edge.0.dot(edge.1) < -1e-14 {
        return f64::INFINITY;
    }
    let at = |fraction: f64| chord(interpolate(edge, fraction), between(ends, fraction).vector());
    at(GREATEST).max(at(1.0 - GREATEST))
}

fn crosses_antimeridian(line: &[Vector]) -> bool {
    line.windows(2).any(|ends| {
        let [a, b] = *ends else { return false };
        a.y * b.y < 0.0 && a.x + a.y / (a.y - b.y) * (b.x - a.x) < 0.0
    })
}

/// The sphere without a sliver, far thinner than an atom, along the line of 180 degrees.
fn all_but_antimeridian() -> Polygon {
    let corner = |longitude, latitude| Place { longitude, latitude }.vector();
    let poles = (Vector::new(0.0, 0.0, -1.0), Vector::new(0.0, 0.0, 1.0));
    let (east, west) = (corner(LAST_LONGITUDE, 0.0), corner(-LAST_LONGITUDE, 0.0));
    Polygon::bounded_by(Ring::new(vec![poles.0, east, poles.1, west]))
}

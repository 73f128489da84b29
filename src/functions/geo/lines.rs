//! Functions of lines.
use super::buffer::{self, Width};
use super::densify;
use super::edge::{Edge, chord_angle, distance, interpolate, nearest};
use super::geojson::Shape;
use super::overlay::{shape_of_lines, shape_of_polygon, union_of_lines};
use super::read::{Array, Call, Lines, edges};
use super::simplify;
use super::sphere::{EARTH_RADIUS, Place, Vector};
use super::spheroid;
use crate::diagnostic::Result;
use crate::functions::Context;
use crate::functions::row::{Bool, Optional, Real};
use crate::types::{Column, Kind};

/// Metres by which shapes made of others may leave them, where nothing else is said.
pub const USUAL_TOLERANCE: f64 = 10.0;

/// The edge that is nearest to a point, and its place among the edges.
fn nearest_edge(point: Vector, edges: impl Iterator<Item = Edge>) -> Option<(usize, Edge)> {
    edges.enumerate().min_by(|(_, a), (_, b)| distance(point, *a).total_cmp(&distance(point, *b)))
}

fn distance_to_line(context: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let call = Call { context, args, rows };
    let (place, mut lines) = (call.places(0, 1), call.shapes::<Lines>(2));
    call.reals(|row| {
        let (Some(place), Some(lines)) = (place(row), lines.at(row)?) else { return Ok(None) };
        let point = place.vector();
        let least = lines.edges().map(|edge| distance(point, edge)).fold(4.0, f64::min);
        Ok(Some(chord_angle(least) * EARTH_RADIUS))
    })
}

fn closest_on_line(context: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let call = Call { context, args, rows };
    let (place, mut lines) = (call.places(0, 1), call.shapes::<Lines>(2));
    call.geojson(|row| {
        let (Some(place), Some(lines)) = (place(row), lines.at(row)?) else { return Ok(None) };
        let found = nearest_edge(place.vector(), lines.edges());
        Ok(found.map(|(_, edge)| Shape::Point(nearest(place.vector(), edge).place())))
    })
}

fn length(context: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let call = Call { context, args, rows };
    let mut lines = call.shapes::<Lines>(0);
    call.reals(|row| {
        let joined = lines.at(row)?.map(|lines| union_of_lines(&lines.0));
        Ok(joined.map(|lines| lines.iter().map(|line| angle(line)).sum::<f64>() * EARTH_RADIUS))
    })
}

/// The length of a line in radians.
fn angle(line: &[Vector]) -> f64 {
    edges(line).map(|(a, b)| a.angle(b)).sum()
}

fn centroid(context: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let call = Call { context, args, rows };
    let mut lines = call.shapes::<Lines>(0);
    call.geojson(|row| {
        let Some(lines) = lines.at(row)? else { return Ok(None) };
        let joined = union_of_lines(&lines.0);
        let middles = joined.iter().flat_map(|line| edges(line)).map(middle);
        let sum = middles.fold(Vector::new(0.0, 0.0, 0.0), |sum, middle| sum + middle);
        Ok(Some(Shape::Point(sum.unit().place())))
    })
}

/// The middle of an edge times its length.
fn middle((a, b): Edge) -> Vector {
    let (way, sum) = (a - b, a + b);
    sum * (way.dot(way) / sum.dot(sum)).sqrt()
}

fn point_at_fraction(context: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let call = Call { context, args, rows };
    let (mut lines, fractions) = (call.shapes::<Lines>(0), call.values::<Real>(1));
    call.geojson(|row| {
        let fraction = fractions.get(row).filter(|fraction| (0.0..=1.0).contains(fraction));
        let (Some(lines), Some(fraction)) = (lines.at(row)?, fraction) else { return Ok(None) };
        Ok(lines.single().map(|line| Shape::Point(point_along(line, fraction).place())))
    })
}

/// The point at a fraction of a line.
fn point_along(line: &[Vector], fraction: f64) -> Vector {
    let mut left = fraction * angle(line);
    for edge in edges(line) {
        let length = edge.0.angle(edge.1);
        if left < length {
            return interpolate(edge, left / length);
        }
        left -= length;
    }
    line.last().copied().unwrap_or(Vector::new(1.0, 0.0, 0.0))
}

fn fraction_of_point(context: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let call = Call { context, args, rows };
    let (mut lines, place, spheroid) = (call.shapes::<Lines>(0), call.places(1, 2), call.values::<Optional<Bool>>(3));
    call.reals(|row| {
        let (Some(lines), Some(place), Some(spheroid)) = (lines.at(row)?, place(row), spheroid.get(row)) else {
            return Ok(None);
        };
        Ok(lines.single().and_then(|line| match spheroid {
            Some(true) => spheroid::locate(line, place),
            _ => locate(line, place),
        }))
    })
}

/// The fraction of a line at which the point nearest to a place lies.
fn locate(line: &[Vector], place: Place) -> Option<f64> {
    let point = place.vector();
    let (at, edge) = nearest_edge(point, edges(line))?;
    let before: f64 = edges(line).take(at).map(|(a, b)| a.angle(b)).sum();
    let along = edge.0.angle(nearest(point, edge));
    Some(((before + along) / angle(line)).min(1.0))
}

fn densified(context: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let call = Call { context, args, rows };
    let (mut shapes, tolerances) = (call.shapes::<Shape>(0), call.values::<Optional<Real>>(1));
    let keeps = call.values::<Optional<Bool>>(2);
    call.geojson(|row| {
        let (Some(shape), Some(tolerance), Some(keep)) = (shapes.at(row)?, tolerances.get(row), keeps.get(row)) else {
            return Ok(None);
        };
        let tolerance = tolerance.unwrap_or(USUAL_TOLERANCE);
        let lines = Shape::clone(&shape).into_lines().filter(|lines| lines.iter().all(|line| line.len() > 1));
        let Some(lines) = lines.filter(|_| densify::is_tolerance(tolerance)) else { return Ok(None) };
        Ok(shape_of_lines(&densify::lines(&lines, tolerance, keep == Some(true), context)?))
    })
}

fn simplified(context: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let call = Call { context, args, rows };
    let (mut lines, tolerances) = (call.shapes::<Lines>(0), call.values::<Optional<Real>>(1));
    call.geojson(|row| {
        let (Some(lines), Some(tolerance)) = (lines.at(row)?, tolerances.get(row)) else { return Ok(None) };
        let Some(tolerance) = simplify::Tolerance::new(tolerance.unwrap_or(USUAL_TOLERANCE)) else { return Ok(None) };
        let simple = simplify::lines(&union_of_lines(&lines.0), tolerance, context)?;
        Ok(shape_of_lines(&simple))
    })
}

fn buffered(context: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let call = Call { context, args, rows };
    let (mut lines, radii) = (call.shapes::<Lines>(0), call.values::<Real>(1));
    let tolerances = call.values::<Optional<Real>>(2);
    call.geojson(|row| {
        let (Some(radius), Some(tolerance)) = (radii.get(row), tolerances.get(row)) else { return Ok(None) };
        let width = Width::new(radius, tolerance.unwrap_or(USUAL_TOLERANCE));
        let (Some(lines), Some(width)) = (lines.at(row)?, width) else { return Ok(None) };
        let region = buffer::of_lines(&lines.0, width, context)?;
        Ok(region.and_then(|region| shape_of_polygon(&region)))
    })
}

fn joined(context: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let call = Call { context, args, rows };
    let mut arrays = call.shapes::<Array<Lines>>(0);
    call.geojson(|row| {
        let Some(array) = arrays.at(row)? else { return Ok(None) };
        let lines: Vec<Vec<Vector>> = array.0.iter().flat_map(|lines| lines.0.iter().cloned()).collect();
        Ok(shape_of_lines(&union_of_lines(&lines)))
    })
}

crate::kernels! {
    /// The shortest distance in metres from a place to a line or to several.
    ///
    /// The line is GeoJSON: a LineString or a MultiLineString. Its edges are the shortest ways between its places, on
    /// a sphere. Null where the place or the line is not valid.
    ///
    /// Source: geo-distance-point-to-line-function.
    ///
    /// ```kql
    /// round(geo_distance_point_to_line(1, 1, dynamic({"type": "LineString", "coordinates": [[0, 0], [2, 0]]})), 1) // 111195.1
    /// geo_distance_point_to_line(300, 3, dynamic({"type": "LineString", "coordinates": [[1, 1], [2, 2]]})) // null
    /// ```
    kql fn geo_distance_point_to_line (longitude: Real, latitude: Real, lineString: Dynamic) -> Kind(Kind::Real) = distance_to_line;

    /// The point of a line, or of several, that is closest to a place, as GeoJSON.
    ///
    /// Null where the place or the line is not valid.
    ///
    /// Source: geo-closest-point-on-line-function.
    ///
    /// ```kql
    /// geo_closest_point_on_line(3, 1, dynamic({"type": "LineString", "coordinates": [[0, 0], [2, 0]]})) // {"type":"Point","coordinates":[2.0,0.0]}
    /// geo_closest_point_on_line(1, 1, dynamic({"type": "LineString"})) // null
    /// ```
    kql fn geo_closest_point_on_line (longitude: Real, latitude: Real, lineString: Dynamic) -> Kind(Kind::Dynamic) = closest_on_line;

    /// The length in metres of a line or of several.
    ///
    /// An edge that several lines have counts once. Null where the line is not valid.
    ///
    /// Source: geo-line-length-function.
    ///
    /// ```kql
    /// round(geo_line_length(dynamic({"type": "LineString", "coordinates": [[0, 0], [1, 0], [1, 1]]})), 1) // 222390.2
    /// geo_line_length(dynamic({"type": "LineString", "coordinates": [[1, 1]]})) // null
    /// ```
    kql fn geo_line_length (lineString: Dynamic) -> Kind(Kind::Real) = length;

    /// The centre of gravity of a line or of several, as a GeoJSON point.
    ///
    /// An edge that several lines have counts once. Null where the line is not valid.
    ///
    /// Source: geo-line-centroid-function.
    ///
    /// ```kql
    /// round(toreal(geo_line_centroid(dynamic({"type": "LineString", "coordinates": [[0, 0], [2, 0]]})).coordinates[0]), 9) // 1
    /// geo_line_centroid(dynamic({"type": "LineString", "coordinates": [[1, 1]]})) // null
    /// ```
    kql fn geo_line_centroid (lineString: Dynamic) -> Kind(Kind::Dynamic) = centroid;

    /// The point at a fraction of a line, as GeoJSON: its start at 0, its end at 1.
    ///
    /// Null where the line is not valid or there are several, and where the fraction is not from 0 to 1.
    ///
    /// Source: geo-line-interpolate-point-function.
    ///
    /// ```kql
    /// geo_line_interpolate_point(dynamic({"type": "LineString", "coordinates": [[0, 0], [4, 0]]}), 1) // {"type":"Point","coordinates":[4.0,0.0]}
    /// geo_line_interpolate_point(dynamic({"type": "LineString", "coordinates": [[0, 0], [4, 0]]}), 1.5) // null
    /// ```
    kql fn geo_line_interpolate_point (lineString: Dynamic, fraction: Real) -> Kind(Kind::Dynamic) = point_at_fraction;

    /// The fraction of a line at which its point closest to a place lies.
    ///
    /// Lengths are those on a sphere, or with `use_spheroid` on the spheroid of WGS 84, where the line's edges are the
    /// shortest ways too. Null where the place or the line is not valid, or there are several lines.
    ///
    /// Source: geo-line-locate-point-function.
    ///
    /// ```kql
    /// round(geo_line_locate_point(dynamic({"type": "LineString", "coordinates": [[0, 0], [4, 0]]}), 1, 2), 9) // 0.25
    /// geo_line_locate_point(dynamic({"type": "LineString", "coordinates": [[1, 1]]}), 1, 1) // null
    /// ```
    kql fn geo_line_locate_point (lineString: Dynamic, longitude: Real, latitude: Real, use_spheroid[optional]: Bool) -> Kind(Kind::Real) = fraction_of_point;

    /// A line whose edges are straight on the map as one with more places, whose edges are shortest ways on the sphere.
    ///
    /// It stays within `tolerance` metres of the straight edges: from 0.1 to 10000, usually 10. A line that crosses the
    /// line of 180 degrees is split there, unless `preserve_crossing` is true. Null where the line or the tolerance is
    /// not valid.
    ///
    /// Source: geo-line-densify-function.
    ///
    /// ```kql
    /// array_length(geo_line_densify(dynamic({"type": "LineString", "coordinates": [[50, 50], [51, 51]]})).coordinates) // 9
    /// geo_line_densify(dynamic({"type": "LineString", "coordinates": [[1, 1], [2, 2]]}), 0) // null
    /// ```
    kql fn geo_line_densify (lineString: Dynamic, tolerance[optional]: Real, preserve_crossing[optional]: Bool) -> Kind(Kind::Dynamic) = densified;

    /// A line, or several, with fewer places.
    ///
    /// No two of its places are nearer to each other than `tolerance` metres (usually 10), and it stays about as near to
    /// the given line. Null where the line or the tolerance is not valid, and where nothing is left of a line smaller
    /// than the tolerance.
    ///
    /// Source: geo-line-simplify-function.
    ///
    /// ```kql
    /// geo_line_simplify(dynamic({"type": "LineString", "coordinates": [[0, 0], [2, 0], [4, 0]]})) // {"type":"LineString","coordinates":[[0.0,0.0],[4.0,0.0]]}
    /// geo_line_simplify(dynamic({"type": "LineString", "coordinates": [[1.1, 1.1], [1.2, 1.2]]}), 100000) // null
    /// ```
    kql fn geo_line_simplify (lineString: Dynamic, tolerance[optional]: Real) -> Kind(Kind::Dynamic) = simplified;

    /// The polygon of what lies within `radius` metres of a line or of several.
    ///
    /// Its ends are round. The polygon's boundary stays within `tolerance` metres (usually 10, and never more than the
    /// radius) of the true one. Null where the line, the radius or the tolerance is not valid.
    ///
    /// Source: geo-line-buffer-function.
    ///
    /// ```kql
    /// round(geo_polygon_area(geo_line_buffer(dynamic({"type": "LineString", "coordinates": [[0, 0], [1, 0]]}), 1000, 1)) / 1e6, 0) // 226
    /// geo_line_buffer(dynamic({"type": "LineString", "coordinates": [[0, 0], [1, 1]]}), 0) // null
    /// ```
    kql fn geo_line_buffer (lineString: Dynamic, radius: Real, tolerance[optional]: Real) -> Kind(Kind::Dynamic) = buffered;

    /// The lines of an array made one line, or several where they do not continue each other.
    ///
    /// An edge that several lines have is there once. Null where one of the lines is not valid.
    ///
    /// Source: geo-union-lines-array-function.
    ///
    /// ```kql
    /// geo_union_lines_array(dynamic([{"type": "LineString", "coordinates": [[0, 0], [2, 0]]}, {"type": "LineString", "coordinates": [[2, 0], [4, 0]]}])) // {"type":"LineString","coordinates":[[0.0,0.0],[2.0,0.0],[4.0,0.0]]}
    /// geo_union_lines_array(dynamic([{"type": "LineString", "coordinates": [[0, 0]]}])) // null
    /// ```
    kql fn geo_union_lines_array (lineStrings: Dynamic) -> Kind(Kind::Dynamic) = joined;
}

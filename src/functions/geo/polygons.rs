//! Functions of polygons.
use super::buffer::{self, Width};
use super::densify;
use super::edge::chord_angle;
use super::geojson::Shape;
use super::lines::USUAL_TOLERANCE;
use super::overlay::{shape_of_polygon, union};
use super::read::{Array, Call, Polygons};
use super::region::Polygon;
use super::simplify::{self, Tolerance};
use super::sphere::EARTH_RADIUS;
use crate::diagnostic::Result;
use crate::functions::Context;
use crate::functions::row::{Bool, Optional, Real};
use crate::types::{Column, Kind};

fn holds_point(context: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let call = Call { context, args, rows };
    let (place, mut polygons) = (call.places(0, 1), call.shapes::<Polygons>(2));
    call.bools(|row| {
        let (Some(place), Some(polygons)) = (place(row), polygons.at(row)?) else { return Ok(None) };
        Ok(Some(polygons.0.iter().any(|polygon| polygon.holds(place.vector()))))
    })
}

fn distance_to_polygon(context: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let call = Call { context, args, rows };
    let (place, mut polygons) = (call.places(0, 1), call.shapes::<Polygons>(2));
    call.reals(|row| {
        let (Some(place), Some(polygons)) = (place(row), polygons.at(row)?) else { return Ok(None) };
        let least = polygons.0.iter().map(|polygon| polygon.distance(place.vector())).fold(4.0, f64::min);
        Ok(Some(chord_angle(least) * EARTH_RADIUS))
    })
}

fn closest_on_polygon(context: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let call = Call { context, args, rows };
    let (place, mut polygons) = (call.places(0, 1), call.shapes::<Polygons>(2));
    call.geojson(|row| {
        let (Some(place), Some(polygons)) = (place(row), polygons.at(row)?) else { return Ok(None) };
        let point = place.vector();
        let nearest = polygons.0.iter().min_by(|a, b| a.distance(point).total_cmp(&b.distance(point)));
        Ok(nearest.and_then(|polygon| polygon.nearest(point)).map(|found| {
            // A place inside is its own closest point, to the last digit.
            Shape::Point(if found == point { place } else { found.place() })
        }))
    })
}

/// The one region that polygons cover.
fn covered(polygons: &Polygons, context: &Context) -> Result<Polygon> {
    union(polygons.0.clone(), context)
}

fn area(context: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let call = Call { context, args, rows };
    let mut polygons = call.shapes::<Polygons>(0);
    call.reals(|row| {
        let Some(polygons) = polygons.at(row)? else { return Ok(None) };
        Ok(Some(covered(&polygons, context)?.area() * EARTH_RADIUS * EARTH_RADIUS))
    })
}

fn perimeter(context: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let call = Call { context, args, rows };
    let mut polygons = call.shapes::<Polygons>(0);
    call.reals(|row| {
        let Some(polygons) = polygons.at(row)? else { return Ok(None) };
        Ok(Some(covered(&polygons, context)?.perimeter() * EARTH_RADIUS))
    })
}

fn centroid(context: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let call = Call { context, args, rows };
    let mut polygons = call.shapes::<Polygons>(0);
    call.geojson(|row| {
        let Some(polygons) = polygons.at(row)? else { return Ok(None) };
        Ok(Some(Shape::Point(covered(&polygons, context)?.centroid().place())))
    })
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
        let polygons = Shape::clone(&shape).into_polygons().filter(|_| densify::is_tolerance(tolerance));
        let Some(polygons) = polygons else { return Ok(None) };
        densify::polygons(&polygons, tolerance, keep == Some(true), context)
    })
}

fn simplified(context: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let call = Call { context, args, rows };
    let (mut polygons, tolerances) = (call.shapes::<Polygons>(0), call.values::<Optional<Real>>(1));
    call.geojson(|row| {
        let Some(tolerance) = tolerances.get(row) else { return Ok(None) };
        let tolerance = Tolerance::new(tolerance.unwrap_or(USUAL_TOLERANCE));
        let (Some(polygons), Some(tolerance)) = (polygons.at(row)?, tolerance) else { return Ok(None) };
        let simple = simplify::polygons(&[covered(&polygons, context)?], tolerance, context)?;
        Ok(shape_of_polygon(&union(simple, context)?))
    })
}

fn array_simplified(context: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let call = Call { context, args, rows };
    let (mut arrays, tolerances) = (call.shapes::<Array<Polygons>>(0), call.values::<Optional<Real>>(1));
    call.geojson(|row| {
        let Some(tolerance) = tolerances.get(row) else { return Ok(None) };
        let tolerance = Tolerance::new(tolerance.unwrap_or(USUAL_TOLERANCE));
        let (Some(array), Some(tolerance)) = (arrays.at(row)?, tolerance) else { return Ok(None) };
        let polygons: Vec<Polygon> = array.0.iter().flat_map(|polygons| polygons.0.iter().cloned()).collect();
        let simple = simplify::polygons(&polygons, tolerance, context)?;
        Ok(shape_of_polygon(&union(simple, context)?))
    })
}

fn buffered(context: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let call = Call { context, args, rows };
    let (mut polygons, radii) = (call.shapes::<Polygons>(0), call.values::<Real>(1));
    let tolerances = call.values::<Optional<Real>>(2);
    call.geojson(|row| {
        let (Some(radius), Some(tolerance)) = (radii.get(row), tolerances.get(row)) else { return Ok(None) };
        let width = Width::new(radius, tolerance.unwrap_or(USUAL_TOLERANCE));
        let (Some(polygons), Some(width)) = (polygons.at(row)?, width) else { return Ok(None) };
        let region = buffer::of_polygon(&covered(&polygons, context)?, width, context)?;
        Ok(region.and_then(|region| shape_of_polygon(&region)))
    })
}

fn joined(context: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let call = Call { context, args, rows };
    let mut arrays = call.shapes::<Array<Polygons>>(0);
    call.geojson(|row| {
        let Some(array) = arrays.at(row)? else { return Ok(None) };
        let polygons = array.0.iter().flat_map(|polygons| polygons.0.iter().cloned()).collect();
        Ok(shape_of_polygon(&union(polygons, context)?))
    })
}

crate::kernels! {
    /// Whether a place lies in a polygon or in one of several.
    ///
    /// The polygon is GeoJSON: a Polygon or a MultiPolygon, each ring bounding the smaller part of the sphere. Its edges
    /// are the shortest ways between its places, on a sphere; no ring may touch itself or cross another one. Null where
    /// the place or the polygon is not valid.
    ///
    /// Source: geo-point-in-polygon-function.
    ///
    /// ```kql
    /// geo_point_in_polygon(2, 1, dynamic({"type": "Polygon", "coordinates": [[[0, 0], [4, 0], [4, 4], [0, 0]]]})) // true
    /// geo_point_in_polygon(1, 2, dynamic({"type": "Polygon", "coordinates": [[[0, 0], [4, 0], [4, 4], [0, 0]]]})) // false
    /// geo_point_in_polygon(1, 1, dynamic({"type": "Polygon", "coordinates": [[[0, 0], [4, 0], [4, 0], [0, 0]]]})) // null
    /// ```
    kql fn geo_point_in_polygon (longitude: Real, latitude: Real, polygon: Dynamic) -> Kind(Kind::Bool) = holds_point;

    /// The shortest distance in metres from a place to a polygon or to several; 0 for a place inside.
    ///
    /// Null where the place or the polygon is not valid.
    ///
    /// Source: geo-distance-point-to-polygon-function.
    ///
    /// ```kql
    /// round(geo_distance_point_to_polygon(2, -1, dynamic({"type": "Polygon", "coordinates": [[[0, 0], [4, 0], [4, 4], [0, 0]]]})), 1) // 111195.1
    /// geo_distance_point_to_polygon(2, 1, dynamic({"type": "Polygon", "coordinates": [[[0, 0], [4, 0], [4, 4], [0, 0]]]})) // 0
    /// geo_distance_point_to_polygon(500, 1, dynamic({"type": "Polygon", "coordinates": [[[0, 0], [4, 0], [4, 4], [0, 0]]]})) // null
    /// ```
    kql fn geo_distance_point_to_polygon (longitude: Real, latitude: Real, polygon: Dynamic) -> Kind(Kind::Real) = distance_to_polygon;

    /// The point of a polygon, or of several, that is closest to a place, as GeoJSON; the place itself where it lies
    /// inside.
    ///
    /// Null where the place or the polygon is not valid.
    ///
    /// Source: geo-closest-point-on-polygon-function.
    ///
    /// ```kql
    /// geo_closest_point_on_polygon(2, 1, dynamic({"type": "Polygon", "coordinates": [[[0, 0], [4, 0], [4, 4], [0, 0]]]})) // {"type":"Point","coordinates":[2.0,1.0]}
    /// geo_closest_point_on_polygon(-1, -1, dynamic({"type": "Polygon", "coordinates": [[[0, 0], [4, 0], [4, 4], [0, 0]]]})) // {"type":"Point","coordinates":[0.0,0.0]}
    /// ```
    kql fn geo_closest_point_on_polygon (longitude: Real, latitude: Real, polygon: Dynamic) -> Kind(Kind::Dynamic) = closest_on_polygon;

    /// The area of a polygon in square metres; of several, of all that they cover together.
    ///
    /// Null where the polygon is not valid.
    ///
    /// Source: geo-polygon-area-function.
    ///
    /// ```kql
    /// round(geo_polygon_area(dynamic({"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]]]})) / 1e6, 1) // 12364
    /// geo_polygon_area(dynamic({"type": "Polygon", "coordinates": [[[0, 0], [1, 1]]]})) // null
    /// ```
    kql fn geo_polygon_area (polygon: Dynamic) -> Kind(Kind::Real) = area;

    /// The length in metres of the boundary of a polygon, holes included; of several, of what they cover together.
    ///
    /// Null where the polygon is not valid.
    ///
    /// Source: geo-polygon-perimeter-function.
    ///
    /// ```kql
    /// round(geo_polygon_perimeter(dynamic({"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]]]})), 0) // 444763
    /// geo_polygon_perimeter(dynamic({"type": "Polygon", "coordinates": [[[0, 0], [1, 1]]]})) // null
    /// ```
    kql fn geo_polygon_perimeter (polygon: Dynamic) -> Kind(Kind::Real) = perimeter;

    /// The centre of gravity of a polygon, as a GeoJSON point; of several, of all that they cover together.
    ///
    /// Null where the polygon is not valid.
    ///
    /// Source: geo-polygon-centroid-function.
    ///
    /// ```kql
    /// round(toreal(geo_polygon_centroid(dynamic({"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]]]})).coordinates[0]), 6) // 0.5
    /// geo_polygon_centroid(dynamic({"type": "Polygon", "coordinates": [[[0, 0], [1, 1]]]})) // null
    /// ```
    kql fn geo_polygon_centroid (polygon: Dynamic) -> Kind(Kind::Dynamic) = centroid;

    /// A polygon whose edges are straight on the map as one with more places, whose edges are shortest ways on the
    /// sphere.
    ///
    /// It stays within `tolerance` metres of the straight edges: from 0.1 to 10000, usually 10. A polygon that crosses
    /// the line of 180 degrees is split there, unless `preserve_crossing` is true. Null where the polygon or the
    /// tolerance is not valid.
    ///
    /// Source: geo-polygon-densify-function.
    ///
    /// ```kql
    /// array_length(geo_polygon_densify(dynamic({"type": "Polygon", "coordinates": [[[10, 10], [11, 10], [11, 11], [10, 11], [10, 10]]]})).coordinates[0]) // 11
    /// geo_polygon_densify(dynamic({"type": "Polygon", "coordinates": [[[10, 10], [11, 10], [11, 11], [10, 10]]]}), 0) // null
    /// ```
    kql fn geo_polygon_densify (polygon: Dynamic, tolerance[optional]: Real, preserve_crossing[optional]: Bool) -> Kind(Kind::Dynamic) = densified;

    /// A polygon, or several as all that they cover together, with fewer corners.
    ///
    /// No two of its corners are nearer to each other than `tolerance` metres (usually 10), and it stays about as near to
    /// the given polygon. Null where the polygon or the tolerance is not valid, and where nothing is left of a polygon
    /// smaller than the tolerance.
    ///
    /// Source: geo-polygon-simplify-function.
    ///
    /// ```kql
    /// array_length(geo_polygon_simplify(dynamic({"type": "Polygon", "coordinates": [[[0, 0], [2, 0], [4, 0], [4, 4], [0, 0]]]})).coordinates[0]) // 4
    /// geo_polygon_simplify(dynamic({"type": "Polygon", "coordinates": [[[0, 0], [4, 0], [4, 4], [0, 0]]]}), 1000000) // null
    /// ```
    kql fn geo_polygon_simplify (polygon: Dynamic, tolerance[optional]: Real) -> Kind(Kind::Dynamic) = simplified;

    /// All that the polygons of an array cover together, simplified as one: where two share a boundary, both keep it.
    ///
    /// No two corners are nearer to each other than `tolerance` metres (usually 10). Null where one of the polygons or the
    /// tolerance is not valid, and where nothing is left.
    ///
    /// Source: geo-simplify-polygons-array-function.
    ///
    /// ```kql
    /// geo_simplify_polygons_array(dynamic([{"type": "Polygon", "coordinates": [[[0, 0], [4, 0], [4, 4], [0, 0]]]}]), 1000000) // null
    /// geo_simplify_polygons_array(dynamic([{"type": "Polygon", "coordinates": [[[0, 0], [4, 0]]]}])) // null
    /// ```
    kql fn geo_simplify_polygons_array (polygons: Dynamic, tolerance[optional]: Real) -> Kind(Kind::Dynamic) = array_simplified;

    /// The polygon of what lies within `radius` metres of a polygon or of several.
    ///
    /// Its boundary stays within `tolerance` metres (usually 10, and never more than the radius) of the true one. Null
    /// where the polygon, the radius or the tolerance is not valid.
    ///
    /// Source: geo-polygon-buffer-function.
    ///
    /// ```kql
    /// round(geo_polygon_area(geo_polygon_buffer(dynamic({"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 0]]]}), 10000, 1)) / 1e6, 0) // 10293
    /// geo_polygon_buffer(dynamic({"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 0]]]}), 0) // null
    /// ```
    kql fn geo_polygon_buffer (polygon: Dynamic, radius: Real, tolerance[optional]: Real) -> Kind(Kind::Dynamic) = buffered;

    /// All that the polygons of an array cover together.
    ///
    /// Null where one of the polygons is not valid.
    ///
    /// Source: geo-union-polygons-array-function.
    ///
    /// ```kql
    /// round(geo_polygon_area(geo_union_polygons_array(dynamic([{"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 0]]]}, {"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [0, 1], [0, 0]]]}]))) / 1e6, 1) // 12364
    /// geo_union_polygons_array(dynamic([{"type": "Polygon", "coordinates": [[[0, 0], [1, 0]]]}])) // null
    /// ```
    kql fn geo_union_polygons_array (polygons: Dynamic) -> Kind(Kind::Dynamic) = joined;
}

//! Functions of two shapes: whether they have points in common, and which.
use super::overlay::{Side, intersection, intersects};
use super::read::{Call, Lines, Polygons};
use crate::diagnostic::Result;
use crate::functions::Context;
use crate::types::{Column, Kind};

fn lines_intersect(context: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let call = Call { context, args, rows };
    let (mut first, mut second) = (call.shapes::<Lines>(0), call.shapes::<Lines>(1));
    call.bools(|row| {
        let (Some(one), Some(two)) = (first.at(row)?, second.at(row)?) else { return Ok(None) };
        intersects([Side::Lines(&one.0), Side::Lines(&two.0)], context).map(Some)
    })
}

fn polygons_intersect(context: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let call = Call { context, args, rows };
    let (mut first, mut second) = (call.shapes::<Polygons>(0), call.shapes::<Polygons>(1));
    call.bools(|row| {
        let (Some(one), Some(two)) = (first.at(row)?, second.at(row)?) else { return Ok(None) };
        intersects([Side::Region(&one.0), Side::Region(&two.0)], context).map(Some)
    })
}

fn line_intersects_polygon(context: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let call = Call { context, args, rows };
    let (mut lines, mut polygons) = (call.shapes::<Lines>(0), call.shapes::<Polygons>(1));
    call.bools(|row| {
        let (Some(lines), Some(polygons)) = (lines.at(row)?, polygons.at(row)?) else { return Ok(None) };
        intersects([Side::Lines(&lines.0), Side::Region(&polygons.0)], context).map(Some)
    })
}

fn common_of_lines(context: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let call = Call { context, args, rows };
    let (mut first, mut second) = (call.shapes::<Lines>(0), call.shapes::<Lines>(1));
    call.geojson(|row| {
        let (Some(one), Some(two)) = (first.at(row)?, second.at(row)?) else { return Ok(None) };
        intersection([Side::Lines(&one.0), Side::Lines(&two.0)], context).map(Some)
    })
}

fn common_of_polygons(context: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let call = Call { context, args, rows };
    let (mut first, mut second) = (call.shapes::<Polygons>(0), call.shapes::<Polygons>(1));
    call.geojson(|row| {
        let (Some(one), Some(two)) = (first.at(row)?, second.at(row)?) else { return Ok(None) };
        intersection([Side::Region(&one.0), Side::Region(&two.0)], context).map(Some)
    })
}

fn common_of_line_and_polygon(context: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let call = Call { context, args, rows };
    let (mut lines, mut polygons) = (call.shapes::<Lines>(0), call.shapes::<Polygons>(1));
    call.geojson(|row| {
        let (Some(lines), Some(polygons)) = (lines.at(row)?, polygons.at(row)?) else { return Ok(None) };
        intersection([Side::Lines(&lines.0), Side::Region(&polygons.0)], context).map(Some)
    })
}

crate::kernels! {
    /// Whether two lines, or sets of lines, have a point in common.
    ///
    /// Null where one of them is not valid.
    ///
    /// Source: geo-intersects-2lines-function.
    ///
    /// ```kql
    /// geo_intersects_2lines(dynamic({"type": "LineString", "coordinates": [[0, 0], [2, 2]]}), dynamic({"type": "LineString", "coordinates": [[0, 2], [2, 0]]})) // true
    /// geo_intersects_2lines(dynamic({"type": "LineString", "coordinates": [[0, 0], [2, 2]]}), dynamic({"type": "LineString", "coordinates": [[3, 3], [4, 4]]})) // false
    /// ```
    kql fn geo_intersects_2lines (lineString1: Dynamic, lineString2: Dynamic) -> Kind(Kind::Bool) = lines_intersect;

    /// Whether two polygons, or sets of polygons, have a point in common, boundaries included.
    ///
    /// Null where one of them is not valid.
    ///
    /// Source: geo-intersects-2polygons-function.
    ///
    /// ```kql
    /// geo_intersects_2polygons(dynamic({"type": "Polygon", "coordinates": [[[0, 0], [4, 0], [4, 4], [0, 0]]]}), dynamic({"type": "Polygon", "coordinates": [[[2, 1], [3, 1], [3, 2], [2, 1]]]})) // true
    /// geo_intersects_2polygons(dynamic({"type": "Polygon", "coordinates": [[[0, 0], [4, 0], [4, 4], [0, 0]]]}), dynamic({"type": "Polygon", "coordinates": [[[5, 5], [6, 5], [6, 6], [5, 5]]]})) // false
    /// ```
    kql fn geo_intersects_2polygons (polygon1: Dynamic, polygon2: Dynamic) -> Kind(Kind::Bool) = polygons_intersect;

    /// Whether a line, or one of several, and a polygon, or one of several, have a point in common.
    ///
    /// Null where one of them is not valid.
    ///
    /// Source: geo-intersects-line-with-polygon-function.
    ///
    /// ```kql
    /// geo_intersects_line_with_polygon(dynamic({"type": "LineString", "coordinates": [[2, 1], [3, 1]]}), dynamic({"type": "Polygon", "coordinates": [[[0, 0], [4, 0], [4, 4], [0, 0]]]})) // true
    /// geo_intersects_line_with_polygon(dynamic({"type": "LineString", "coordinates": [[0, 2], [0, 3]]}), dynamic({"type": "Polygon", "coordinates": [[[0, 0], [4, 0], [4, 4], [0, 0]]]})) // false
    /// ```
    kql fn geo_intersects_line_with_polygon (lineString: Dynamic, polygon: Dynamic) -> Kind(Kind::Bool) = line_intersects_polygon;

    /// What two lines, or sets of lines, have in common, as GeoJSON: a point, a line, several of them, or a collection.
    ///
    /// Without anything in common, an empty collection. Null where one of them is not valid.
    ///
    /// Source: geo-intersection-2lines-function.
    ///
    /// ```kql
    /// geo_intersection_2lines(dynamic({"type": "LineString", "coordinates": [[-2, 0], [2, 0]]}), dynamic({"type": "LineString", "coordinates": [[0, 2], [0, -2]]})) // {"type":"Point","coordinates":[0.0,0.0]}
    /// geo_intersection_2lines(dynamic({"type": "LineString", "coordinates": [[0, 0], [2, 2]]}), dynamic({"type": "LineString", "coordinates": [[3, 3], [4, 4]]})) // {"type":"GeometryCollection","geometries":[]}
    /// ```
    kql fn geo_intersection_2lines (lineString1: Dynamic, lineString2: Dynamic) -> Kind(Kind::Dynamic) = common_of_lines;

    /// What two polygons, or sets of polygons, have in common, as GeoJSON: a polygon, several, or a collection; points
    /// and lines where they only touch.
    ///
    /// Without anything in common, an empty collection. Null where one of them is not valid.
    ///
    /// Source: geo-intersection-2polygons-function.
    ///
    /// ```kql
    /// geo_intersection_2polygons(dynamic({"type": "Polygon", "coordinates": [[[0, 0], [4, 0], [4, 4], [0, 0]]]}), dynamic({"type": "Polygon", "coordinates": [[[0, 0], [0, -2], [-2, -2], [0, 0]]]})) // {"type":"Point","coordinates":[0.0,0.0]}
    /// geo_intersection_2polygons(dynamic({"type": "Polygon", "coordinates": [[[0, 0], [4, 0], [4, 4], [0, 0]]]}), dynamic({"type": "Polygon"})) // null
    /// ```
    kql fn geo_intersection_2polygons (polygon1: Dynamic, polygon2: Dynamic) -> Kind(Kind::Dynamic) = common_of_polygons;

    /// The part of a line, or of several, that lies in a polygon or in one of several, as GeoJSON.
    ///
    /// Without such a part, an empty collection. Null where one of them is not valid.
    ///
    /// Source: geo-intersection-line-with-polygon-function.
    ///
    /// ```kql
    /// geo_intersection_line_with_polygon(dynamic({"type": "LineString", "coordinates": [[2, 0], [5, 0]]}), dynamic({"type": "Polygon", "coordinates": [[[0, -4], [4, 0], [0, 4], [0, -4]]]})) // {"type":"LineString","coordinates":[[2.0,0.0],[4.0,0.0]]}
    /// geo_intersection_line_with_polygon(dynamic({"type": "LineString", "coordinates": [[8, 8], [9, 9]]}), dynamic({"type": "Polygon", "coordinates": [[[0, 0], [4, 0], [4, 4], [0, 0]]]})) // {"type":"GeometryCollection","geometries":[]}
    /// ```
    kql fn geo_intersection_line_with_polygon (lineString: Dynamic, polygon: Dynamic) -> Kind(Kind::Dynamic) = common_of_line_and_polygon;
}

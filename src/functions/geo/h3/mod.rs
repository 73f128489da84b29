//! Functions over the cells of H3.
mod fill;

use super::buffer::{self, Width};
use super::geojson::Shape;
use super::lines::USUAL_TOLERANCE;
use super::overlay::{shape_of_polygon, union};
use super::read::{Call, Polygons};
use super::sphere::Place;
use super::tokens;
use crate::diagnostic::Result;
use crate::functions::Context;
use crate::functions::row::{JsonOut, Long, Optional, Real, Str, each};
use crate::types::json::Writer;
use crate::types::{Column, Kind};
use fill::fill;
use h3o::{CellIndex, LatLng, Resolution};

/// How many levels apart children may be.
const DEEPEST_CHILD: u8 = 5;

const WIDEST_RING: i64 = 142;

fn as_resolution(level: i64) -> Option<Resolution> {
    Resolution::try_from(u8::try_from(level).ok()?).ok()
}

/// The cell of a hexadecimal text.
fn parse(token: &str) -> Option<CellIndex> {
    token.bytes().all(|byte| byte.is_ascii_hexdigit()).then(|| token.parse().ok()).flatten()
}

fn place(point: LatLng) -> Place {
    Place { longitude: point.lng(), latitude: point.lat() }
}

fn cell_at(place: Place, resolution: Resolution) -> Option<CellIndex> {
    Some(LatLng::new(place.latitude, place.longitude).ok()?.to_cell(resolution))
}

fn polygon(cell: CellIndex) -> Shape {
    let mut ring: Vec<Place> = cell.boundary().iter().map(|corner| place(*corner)).collect();
    ring.extend(ring.first().copied());
    Shape::Polygon(vec![ring])
}

/// The parent at a level, at the next one above where none is given.
fn parent(cell: CellIndex, level: Option<i64>) -> Option<CellIndex> {
    let level = match level {
        None => cell.resolution().pred()?,
        // No parent is of the deepest level.
        Some(level) => as_resolution(level).filter(|level| *level < Resolution::Fifteen)?,
    };
    cell.parent(level)
}

/// The children at a level, at the next one below where none is given.
fn children(cell: CellIndex, level: Option<i64>) -> Option<String> {
    let own = cell.resolution();
    let level = match level {
        None => own.succ()?,
        Some(level) => as_resolution(level).filter(|level| *level > Resolution::Zero)?,
    };
    let depth = u8::from(level).checked_sub(u8::from(own))?;
    (depth <= DEEPEST_CHILD).then(|| array(cell.children(level)))
}

fn neighbors(cell: CellIndex) -> String {
    array(cell.grid_disk::<Vec<_>>(1).into_iter().filter(|neighbor| *neighbor != cell))
}

/// The rings around a cell up to a distance, itself the first.
fn rings(cell: CellIndex, distance: i64) -> Option<String> {
    let widest = u32::try_from(distance).ok().filter(|_| distance <= WIDEST_RING)?;
    let cells: Vec<(CellIndex, u32)> = cell.grid_disk_distances(widest);
    let mut writer = Writer::default();
    writer.begin_array();
    for ring in 0..=widest {
        let on_ring = cells.iter().filter(|(_, distance)| *distance == ring);
        tokens::write(&mut writer, on_ring.map(|(cell, _)| cell.to_string()));
    }
    writer.end_array();
    Some(writer.finish())
}

fn array(cells: impl IntoIterator<Item = CellIndex>) -> String {
    tokens::array(cells.into_iter().map(|cell| cell.to_string()))
}

/// The polygon of a row widened by a radius.
fn widened(polygons: &Polygons, radius: f64, context: &Context) -> Result<Option<Shape>> {
    let Some(width) = Width::new(radius, USUAL_TOLERANCE) else { return Ok(None) };
    let region = buffer::of_polygon(&union(polygons.0.clone(), context)?, width, context)?;
    Ok(region.and_then(|region| shape_of_polygon(&region)))
}

/// The cells whose centres lie in the polygons of each row.
fn polygon_to_cells(context: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let call = Call { context, args, rows };
    let (mut shapes, mut regions) = (call.shapes::<Shape>(0), call.shapes::<Polygons>(0));
    let (levels, radii) = (call.values::<Optional<Long>>(1), call.values::<Optional<Real>>(2));
    each(Kind::Dynamic, args, rows, |row, out| {
        let resolution = levels.get(row).and_then(|level| as_resolution(level.unwrap_or(6)));
        let shape = match (regions.at(row)?, radii.get(row).map(|radius| radius.unwrap_or(0.0))) {
            (Some(_), Some(0.0)) => shapes.at(row)?.map(|shape| Shape::clone(&shape)),
            (Some(polygons), Some(radius)) => widened(&polygons, radius, context)?,
            _ => None,
        };
        let tokens = match shape.and_then(Shape::into_polygons).zip(resolution) {
            Some((polygons, resolution)) => fill(&polygons, resolution, context)?,
            None => None,
        };
        match tokens {
            Some(tokens) => out.push_text(&tokens::array(tokens::as_set(&tokens))),
            None => out.push_null(),
        }
        Ok(())
    })
}

crate::scalars! {
    /// The token of the H3 cell around a place, of a resolution from 0 to 15; 6 where none is given.
    ///
    /// Empty where the place or the resolution is none.
    ///
    /// Source: geo-point-to-h3cell-function.
    ///
    /// ```kql
    /// geo_point_to_h3cell(-74.04450446039874, 40.689250859314974, 6) // 862a1072fffffff
    /// geo_point_to_h3cell(1, 1, 16) //
    /// ```
    kql fn geo_point_to_h3cell (longitude: Real, latitude: Real, resolution: Optional<Long>) -> Option<String> {
        let place = Place::new(longitude, latitude)?;
        Some(cell_at(place, as_resolution(resolution.unwrap_or(6))?)?.to_string())
    }

    /// The centre of an H3 cell as a GeoJSON point; null where the text is no token.
    ///
    /// Source: geo-h3cell-to-central-point-function.
    ///
    /// ```kql
    /// round(toreal(geo_h3cell_to_central_point("862a1072fffffff").coordinates[0]), 9) // -74.01600848
    /// geo_h3cell_to_central_point("1") // null
    /// ```
    kql fn geo_h3cell_to_central_point (h3cell: Str) -> Option<JsonOut> {
        Some(JsonOut(Shape::Point(place(LatLng::from(parse(h3cell)?))).to_json()))
    }

    /// An H3 cell as a GeoJSON polygon, whose edges are straight on the map; null where the text is no token.
    ///
    /// Source: geo-h3cell-to-polygon-function.
    ///
    /// ```kql
    /// array_length(geo_h3cell_to_polygon("862a1072fffffff").coordinates[0]) // 7
    /// geo_h3cell_to_polygon("@") // null
    /// ```
    kql fn geo_h3cell_to_polygon (h3cell: Str) -> Option<JsonOut> {
        Some(JsonOut(polygon(parse(h3cell)?).to_json()))
    }

    /// The H3 cell that holds another: of a resolution from 0 to 14, of the next coarser one where none is given.
    ///
    /// Empty where the text is no token, and where the resolution is none or finer than the cell's.
    ///
    /// Source: geo-h3cell-parent-function.
    ///
    /// ```kql
    /// geo_h3cell_parent("862a1072fffffff") // 852a1073fffffff
    /// geo_h3cell_parent("862a1072fffffff", 1) // 812a3ffffffffff
    /// geo_h3cell_parent("862a1072fffffff", 15) //
    /// ```
    kql fn geo_h3cell_parent (h3cell: Str, resolution: Optional<Long>) -> Option<String> {
        Some(parent(parse(h3cell)?, resolution)?.to_string())
    }

    /// The H3 cells that lie in another: of a resolution from 1 to 15, of the next finer one where none is given.
    ///
    /// Null where the text is no token, and where the resolution is none, coarser than the cell's or more than 5 finer.
    ///
    /// Source: geo-h3cell-children-function.
    ///
    /// ```kql
    /// geo_h3cell_children("862a1072fffffff")[0] // 872a10728ffffff
    /// array_length(geo_h3cell_children("862a1072fffffff", 9)) // 343
    /// geo_h3cell_children("862a1072fffffff", 12) // null
    /// ```
    kql fn geo_h3cell_children (h3cell: Str, resolution: Optional<Long>) -> Option<JsonOut> {
        children(parse(h3cell)?, resolution).map(JsonOut)
    }

    /// The resolution of an H3 cell, from 0 to 15; null where the text is no token.
    ///
    /// Source: geo-h3cell-level-function.
    ///
    /// ```kql
    /// geo_h3cell_level("862a1072fffffff") // 6
    /// geo_h3cell_level("abc") // null
    /// ```
    kql fn geo_h3cell_level (h3cell: Str) -> Option<i32> {
        Some(i32::from(u8::from(parse(h3cell)?.resolution())))
    }

    /// The H3 cells around one, of its resolution; null where the text is no token.
    ///
    /// Source: geo-h3cell-neighbors-function.
    ///
    /// ```kql
    /// geo_h3cell_neighbors("862a1072fffffff")[0] // 862a10727ffffff
    /// geo_h3cell_neighbors("abc") // null
    /// ```
    kql fn geo_h3cell_neighbors (h3cell: Str) -> Option<JsonOut> { Some(JsonOut(neighbors(parse(h3cell)?))) }

    /// The rings of H3 cells around one up to a distance from 0 to 142, each an array; the first holds the cell itself.
    ///
    /// Null where the text is no token or the distance is none.
    ///
    /// Source: geo-h3cell-rings-function.
    ///
    /// ```kql
    /// geo_h3cell_rings("861f8894fffffff", 0) // [["861f8894fffffff"]]
    /// array_length(geo_h3cell_rings("861f8894fffffff", 2)[2]) // 12
    /// geo_h3cell_rings("861f8894fffffff", 150) // null
    /// ```
    kql fn geo_h3cell_rings (h3cell: Str, distance: Long) -> Option<JsonOut> {
        rings(parse(h3cell)?, distance).map(JsonOut)
    }
}

crate::kernels! {
    /// The H3 cells, of a resolution from 0 to 15, whose centres lie in a polygon or in several; of resolution 6 where
    /// none is given.
    ///
    /// The polygon's edges are straight on the map. With a `radius`, in metres, the polygon is widened first. Null where
    /// an argument is not valid, and where there are more than 61,680 cells.
    ///
    /// Source: geo-polygon-to-h3cells-function.
    ///
    /// ```kql
    /// array_length(geo_polygon_to_h3cells(dynamic({"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1],[0,0]]]}), 4)) // 4
    /// geo_polygon_to_h3cells(dynamic({"type":"Polygon","coordinates":[[[0,0],[1,1]]]})) // null
    /// ```
    kql fn geo_polygon_to_h3cells (polygon: Dynamic, resolution[optional]: Integer, radius[optional]: Real)
        -> Kind(Kind::Dynamic) = polygon_to_cells;
}

//! Functions over the cells of S2.
mod cell;
mod cover;

pub use cell::Cell;
pub use cover::COLUMNS;

use super::geojson::Shape;
use super::sphere::Place;
use super::tokens;
use crate::functions::row::{JsonOut, Long, Optional, Real, Str};
use cell::DEEPEST;

/// The level of an argument.
fn as_level(level: i64) -> Option<u32> {
    u32::try_from(level).ok().filter(|level| *level <= DEEPEST)
}

fn polygon(cell: Cell) -> Shape {
    let mut ring: Vec<Place> = cell.corners().iter().map(|corner| corner.place()).collect();
    ring.extend(ring.first().copied());
    Shape::Polygon(vec![ring])
}

crate::scalars! {
    /// The token of the S2 cell around a place, of a level from 0 to 30; 11 where none is given.
    ///
    /// Empty where the place or the level is none.
    ///
    /// Source: geo-point-to-s2cell-function.
    ///
    /// ```kql
    /// geo_point_to_s2cell(-80.195829, 25.802215, 8) // 88d9b
    /// geo_point_to_s2cell(1, 1, 35) //
    /// ```
    kql fn geo_point_to_s2cell (longitude: Real, latitude: Real, level: Optional<Long>) -> Option<String> {
        let place = Place::new(longitude, latitude)?;
        Some(Cell::of(place.vector()).parent(as_level(level.unwrap_or(11))?).token())
    }

    /// The centre of an S2 cell as a GeoJSON point; null where the text is no token.
    ///
    /// Source: geo-s2cell-to-central-point-function.
    ///
    /// ```kql
    /// round(toreal(geo_s2cell_to_central_point("1234567").coordinates[0]), 9) // 9.868307319
    /// geo_s2cell_to_central_point("a") // null
    /// ```
    kql fn geo_s2cell_to_central_point (s2cell: Str) -> Option<JsonOut> {
        Some(JsonOut(Shape::Point(Cell::parse(s2cell)?.center().place()).to_json()))
    }

    /// An S2 cell as a GeoJSON polygon; null where the text is no token.
    ///
    /// Source: geo-s2cell-to-polygon-function.
    ///
    /// ```kql
    /// array_length(geo_s2cell_to_polygon("89c259").coordinates[0]) // 5
    /// geo_s2cell_to_polygon("a") // null
    /// ```
    kql fn geo_s2cell_to_polygon (s2cell: Str) -> Option<JsonOut> {
        Some(JsonOut(polygon(Cell::parse(s2cell)?).to_json()))
    }

    /// The tokens of the S2 cells around one, of its level; null where the text is no token.
    ///
    /// Source: geo-s2cell-neighbors-function.
    ///
    /// ```kql
    /// geo_s2cell_neighbors("89c259") // ["89c25d","89c25b","89c2f7","89c257","89c2f5","89c251","89c25f","89c2f9"]
    /// geo_s2cell_neighbors("a") // null
    /// ```
    kql fn geo_s2cell_neighbors (s2cell: Str) -> Option<JsonOut> {
        let tokens: Vec<String> = Cell::parse(s2cell)?.neighbors().iter().map(|cell| cell.token()).collect();
        Some(JsonOut(tokens::array(tokens::as_set(&tokens))))
    }
}

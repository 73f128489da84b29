//! Geohashes: cells of a grid of degrees, named by texts that grow with their depth.
use super::geojson::Shape;
use super::sphere::Place;
use super::tokens;
use crate::functions::row::{JsonOut, Long, Optional, Real, Str};
use std::collections::HashSet;

const DIGITS: &[u8; 32] = b"0123456789bcdefghjkmnpqrstuvwxyz";
const LONGEST: u32 = 18;

/// The neighbours of a cell as steps to the east and to the north, in the order in which the manual lists those of its
/// example.
const AROUND: [(i64, i64); 8] = [(-1, -1), (-1, 1), (1, -1), (0, 1), (-1, 0), (1, 1), (1, 0), (0, -1)];

/// A cell: its column from the west and its row from the south, among those of its length.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Cell {
    column: i64,
    row: i64,
    length: u32,
}

impl Cell {
    fn of(place: Place, length: i64) -> Option<Cell> {
        let length = u32::try_from(length).ok().filter(|length| (1..=LONGEST).contains(length))?;
        let (column_bits, row_bits) = bits(length);
        let column = halve(place.longitude, 180.0, column_bits);
        Some(Cell { column, row: halve(place.latitude, 90.0, row_bits), length })
    }

    /// The cell of a text; none where it is none.
    fn parse(text: &str) -> Option<Cell> {
        let length = u32::try_from(text.len()).ok().filter(|length| (1..=LONGEST).contains(length))?;
        let mut cell = Cell { column: 0, row: 0, length };
        for (at, digit) in text.bytes().enumerate() {
            let value = DIGITS.iter().position(|own| *own == digit)?;
            for bit in 0..5 {
                let set = i64::from(value >> (4 - bit) & 1 == 1);
                // Bits of the column and of the row take turns, the column's first.
                let side = if (at * 5 + bit) % 2 == 0 { &mut cell.column } else { &mut cell.row };
                *side = *side << 1 | set;
            }
        }
        Some(cell)
    }

    fn text(self) -> String {
        let (mut column_bits, mut row_bits) = bits(self.length);
        let mut digit = |at: u32| {
            let value = (0..5).fold(0, |value, bit| {
                let (side, left) = match (at * 5 + bit) % 2 {
                    0 => (self.column, &mut column_bits),
                    _ => (self.row, &mut row_bits),
                };
                *left -= 1;
                value << 1 | (side >> *left & 1) as usize
            });
            DIGITS.get(value).map_or('0', |digit| char::from(*digit))
        };
        (0..self.length).map(&mut digit).collect()
    }

    /// The corner in the south-west, and the width and height in degrees.
    fn bounds(self) -> (Place, f64, f64) {
        let (column_bits, row_bits) = bits(self.length);
        let (width, height) = (360.0 / (1_i64 << column_bits) as f64, 180.0 / (1_i64 << row_bits) as f64);
        let corner = Place { longitude: self.column as f64 * width - 180.0, latitude: self.row as f64 * height - 90.0 };
        (corner, width, height)
    }

    fn center(self) -> Place {
        let (corner, width, height) = self.bounds();
        Place { longitude: corner.longitude + width / 2.0, latitude: corner.latitude + height / 2.0 }
    }

    fn polygon(self) -> Shape {
        let (Place { longitude: west, latitude: south }, width, height) = self.bounds();
        let (east, north) = (west + width, south + height);
        let corners = [(west, south), (east, south), (east, north), (west, north), (west, south)];
        Shape::Polygon(vec![corners.map(|(longitude, latitude)| Place { longitude, latitude }).into()])
    }

    /// The cells around; none lies beyond a pole.
    fn neighbors(self) -> impl Iterator<Item = Cell> {
        let (column_bits, row_bits) = bits(self.length);
        let step = move |(east, north): (i64, i64)| {
            let column = (self.column + east).rem_euclid(1 << column_bits);
            let row = Some(self.row + north).filter(|row| (0..1_i64 << row_bits).contains(row))?;
            Some(Cell { column, row, ..self })
        };
        AROUND.into_iter().filter_map(step)
    }
}

/// How many bits the column and the row of a cell have.
fn bits(length: u32) -> (u32, u32) {
    ((5 * length).div_ceil(2), 5 * length / 2)
}

/// Which of the parts a degree lies in, when everything from `-end` to `end` is halved so many times.
fn halve(degree: f64, end: f64, times: u32) -> i64 {
    let (mut low, mut high, mut part) = (-end, end, 0);
    for _ in 0..times {
        let middle = (low + high) / 2.0;
        let above = degree >= middle;
        part = part << 1 | i64::from(above);
        *(if above { &mut low } else { &mut high }) = middle;
    }
    part
}

fn neighbors(geohash: &str) -> Option<String> {
    let tokens: Vec<String> = Cell::parse(geohash)?.neighbors().map(Cell::text).collect();
    let mut seen = HashSet::new();
    Some(tokens::array(tokens.iter().filter(|token| seen.insert(token.as_str()))))
}

crate::scalars! {
    /// The geohash of a place, of 1 to 18 characters; 5 where no accuracy is given.
    ///
    /// Empty where the place or the accuracy is none.
    ///
    /// Source: geo-point-to-geohash-function.
    ///
    /// ```kql
    /// geo_point_to_geohash(-80.195829, 25.802215, 8) // dhwfz15h
    /// geo_point_to_geohash(-122.303404, 47.570482) // c23n8
    /// geo_point_to_geohash(200, 1, 8) //
    /// ```
    kql fn geo_point_to_geohash (longitude: Real, latitude: Real, accuracy: Optional<Long>) -> Option<String> {
        Cell::of(Place::new(longitude, latitude)?, accuracy.unwrap_or(5)).map(Cell::text)
    }

    /// The centre of a geohash's cell as a GeoJSON point; null where the text is no geohash.
    ///
    /// Source: geo-geohash-to-central-point-function.
    ///
    /// ```kql
    /// geo_geohash_to_central_point("sunny") // {"type":"Point","coordinates":[42.47314453125,23.70849609375]}
    /// geo_geohash_to_central_point("a") // null
    /// ```
    kql fn geo_geohash_to_central_point (geohash: Str) -> Option<JsonOut> {
        Some(JsonOut(Shape::Point(Cell::parse(geohash)?.center()).to_json()))
    }

    /// A geohash's cell as a GeoJSON polygon, whose edges are straight on the map; null where the text is no geohash.
    ///
    /// Source: geo-geohash-to-polygon-function.
    ///
    /// ```kql
    /// geo_geohash_to_polygon("s") // {"type":"Polygon","coordinates":[[[0.0,0.0],[45.0,0.0],[45.0,45.0],[0.0,45.0],[0.0,0.0]]]}
    /// geo_geohash_to_polygon("a") // null
    /// ```
    kql fn geo_geohash_to_polygon (geohash: Str) -> Option<JsonOut> {
        Some(JsonOut(Cell::parse(geohash)?.polygon().to_json()))
    }

    /// The geohashes of the cells around; null where the text is no geohash.
    ///
    /// Source: geo-geohash-neighbors-function.
    ///
    /// ```kql
    /// geo_geohash_neighbors("sunny") // ["sunnt","sunpj","sunnx","sunpn","sunnv","sunpp","sunnz","sunnw"]
    /// geo_geohash_neighbors("a") // null
    /// ```
    kql fn geo_geohash_neighbors (geohash: Str) -> Option<JsonOut> { neighbors(geohash).map(JsonOut) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_center_of_a_cell_lies_in_it(longitude in -180.0..=180.0, latitude in -90.0..=90.0, length in 1_i64..=18) {
            let cell = Cell::of(Place { longitude, latitude }, length).expect("a cell");
            prop_assert_eq!(Cell::parse(&cell.text()), Some(cell));
            let (corner, width, height) = cell.bounds();
            prop_assert!(longitude >= corner.longitude && longitude <= corner.longitude + width);
            prop_assert!(latitude >= corner.latitude && latitude <= corner.latitude + height);
            // Half a cell of 18 characters is less than a place's digits.
            if length < 17 {
                prop_assert_eq!(Cell::of(cell.center(), length), Some(cell));
            }
        }

        #[test]
        fn neighbors_are_mutual(text in "[0-9b-hjkmnp-z]{1,18}") {
            let cell = Cell::parse(&text).expect("a cell");
            for neighbor in cell.neighbors() {
                prop_assert!(neighbor.neighbors().any(|back| back == cell));
            }
        }
    }
}

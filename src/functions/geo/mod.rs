//! Functions over places and shapes on Earth.
//!
//! Earth is a sphere here, and the edge between two places the shortest way between them, unless a function's
//! page says that its edges are straight on the map.
mod geohash;
#[allow(dead_code)]
mod geojson;
mod h3;
mod points;
mod s2;
#[allow(dead_code)]
mod sphere;
mod tokens;
mod wkt;

pub use geohash::ROWS as GEOHASHES;
pub use h3::{COLUMNS as H3_COLUMNS, ROWS as H3_ROWS};
pub use points::ROWS as POINTS;
pub use s2::ROWS as S2_ROWS;
pub use wkt::ROWS as WKT;

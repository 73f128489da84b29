//! Functions over places and shapes on Earth.
//!
//! Earth is a sphere here, and the edge between two places the shortest way between them, unless a function's
//! page says that its edges are straight on the map.
//!
//! Lines and polygons are combined in two steps: [`arrange`] cuts their edges where they meet and says what lies on
//! either side of each piece; [`trace`] makes rings and lines of the pieces that a function chooses. No decision about
//! which side of an edge a point lies on is left to rounding ([`exact`]).
mod arrange;
mod buffer;
mod densify;
mod digits;
mod edge;
mod exact;
mod geohash;
mod geojson;
mod h3;
mod lines;
mod lookup;
mod nearby;
mod overlay;
mod pairs;
mod points;
mod polygons;
mod read;
mod region;
mod s2;
mod simplify;
mod snap;
mod sphere;
mod spheroid;
#[cfg(test)]
mod tests;
mod tokens;
mod trace;
mod window;
mod wkt;

pub use geohash::ROWS as GEOHASHES;
pub use h3::{COLUMNS as H3_COLUMNS, ROWS as H3_ROWS};
pub use lines::COLUMNS as LINES;
pub use lookup::{ShapeIndex, Sought};
pub use pairs::COLUMNS as PAIRS;
pub use points::ROWS as POINTS;
pub use polygons::COLUMNS as POLYGONS;
pub use s2::{COLUMNS as S2_COLUMNS, ROWS as S2_ROWS};
pub use wkt::ROWS as WKT;

//! Functions over places and shapes on Earth.
//!
//! Earth is a sphere here, and the edge between two places the shortest way between them, unless a function's
//! page says that its edges are straight on the map.
#[allow(dead_code)]
mod geojson;
mod points;
#[allow(dead_code)]
mod sphere;
mod wkt;

pub use points::ROWS as POINTS;
pub use wkt::ROWS as WKT;

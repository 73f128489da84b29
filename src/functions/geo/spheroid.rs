//! Measures on the spheroid of WGS 84.
use super::sphere::{Place, Vector};
use geographiclib_rs::{DirectGeodesic, Geodesic, InverseGeodesic};
use std::sync::LazyLock;

static WGS84: LazyLock<Geodesic> = LazyLock::new(Geodesic::wgs84);

/// Halvings that narrow the length of an edge to less than a nanometre.
const HALVINGS: usize = 60;

/// The distance in metres.
pub fn distance(from: Place, to: Place) -> f64 {
    distance_and_direction(from, to).0
}

/// The fraction of a line at which the point nearest to a place lies.
pub fn locate(line: &[Vector], place: Place) -> Option<f64> {
    let places: Vec<Place> = line.iter().map(|point| point.place()).collect();
    let (mut before, mut found) = (0.0, None);
    for ends in places.windows(2) {
        let [from, to] = *ends else { continue };
        let edge = Edge::new(from, to);
        let along = edge.foot(place);
        let away = distance(edge.at(along).0, place);
        if found.is_none_or(|(least, _)| away < least) {
            found = Some((away, before + along));
        }
        before += edge.length;
    }
    found.map(|(_, along)| (along / before).min(1.0))
}

/// The shortest way between two places.
struct Edge {
    from: Place,
    direction: f64,
    length: f64,
}

impl Edge {
    fn new(from: Place, to: Place) -> Edge {
        let (length, direction) = distance_and_direction(from, to);
        Edge { from, direction, length }
    }

    /// The place at a length from the start, and the edge's direction there.
    fn at(&self, along: f64) -> (Place, f64) {
        let (latitude, longitude, direction) =
            WGS84.direct(self.from.latitude, self.from.longitude, self.direction, along);
        (Place { longitude, latitude }, direction)
    }

    /// The length from the start at which a place lies neither ahead nor behind.
    fn foot(&self, place: Place) -> f64 {
        let is_ahead = |along: f64| {
            let (here, direction) = self.at(along);
            let (_, towards) = distance_and_direction(here, place);
            (towards - direction).to_radians().cos() > 0.0
        };
        if !is_ahead(0.0) {
            return 0.0;
        }
        if is_ahead(self.length) {
            return self.length;
        }
        let (mut low, mut high) = (0.0, self.length);
        for _ in 0..HALVINGS {
            let middle = 0.5 * (low + high);
            if is_ahead(middle) { low = middle } else { high = middle }
        }
        low
    }
}

fn distance_and_direction(from: Place, to: Place) -> (f64, f64) {
    let (distance, direction, _, _) = WGS84.inverse(from.latitude, from.longitude, to.latitude, to.longitude);
    (distance, direction)
}

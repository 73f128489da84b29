//! Functions over two or three places: distances and directions.
use super::buffer::{self, Width};
use super::lines::USUAL_TOLERANCE;
use super::overlay::shape_of_polygon;
use super::sphere::Place;
use super::spheroid;
use crate::functions::row::{Bool, JsonOut, Optional, Real};
use std::f64::consts::TAU;

/// Under this angle (some nanometres) two places are one, or one and its opposite.
const SAME: f64 = 1e-15;

/// The direction from one place to another in radians, clockwise from north, at least 0 and less than a full turn.
/// None where the places are one, or opposite.
fn azimuth(from: Place, to: Place) -> Option<f64> {
    if from.vector().cross(to.vector()).norm() <= SAME {
        return None;
    }
    let (from_sin, from_cos) = from.latitude.to_radians().sin_cos();
    let (to_sin, to_cos) = to.latitude.to_radians().sin_cos();
    let (sin, cos) = (to.longitude - from.longitude).to_radians().sin_cos();
    let east = sin * to_cos;
    let north = from_cos * to_sin - from_sin * to_cos * cos;
    Some(turn(east.atan2(north)))
}

/// An angle brought to at least 0 and less than a full turn.
fn turn(angle: f64) -> f64 {
    let angle = angle.rem_euclid(TAU);
    if angle < TAU { angle } else { 0.0 }
}

crate::scalars! {
    /// The shortest distance between two places, in metres.
    ///
    /// Earth is a sphere, or with `use_spheroid` the spheroid of WGS 84: slower, and closer to the truth. Null where
    /// a longitude is beyond 180 degrees or a latitude beyond 90.
    ///
    /// Source: geo-distance-2points-function.
    ///
    /// ```kql
    /// round(geo_distance_2points(-122.407628, 47.578557, -118.275287, 34.019056), 3) // 1546754.352
    /// round(geo_distance_2points(-122.407628, 47.578557, -118.275287, 34.019056, true), 3) // 1545043.644
    /// geo_distance_2points(300, 1, 1, 1) // null
    /// ```
    kql fn geo_distance_2points (
        p1_longitude: Real, p1_latitude: Real, p2_longitude: Real, p2_latitude: Real, use_spheroid: Optional<Bool>,
    ) -> Option<f64> {
        let (from, to) = (Place::new(p1_longitude, p1_latitude)?, Place::new(p2_longitude, p2_latitude)?);
        Some(if use_spheroid.unwrap_or(false) { spheroid::distance(from, to) } else { from.distance(to) })
    }

    /// Whether a place lies within a distance in metres of a centre.
    ///
    /// Null where a place is none or the radius is not above 0.
    ///
    /// Source: geo-point-in-circle-function.
    ///
    /// ```kql
    /// geo_point_in_circle(-122.143564, 47.535677, -122.100896, 47.527351, 3500) // true
    /// geo_point_in_circle(-122.137575, 47.630683, -122.100896, 47.527351, 3500) // false
    /// geo_point_in_circle(1, 1, 1, 1, -1) // null
    /// ```
    kql fn geo_point_in_circle (
        p_longitude: Real, p_latitude: Real, pc_longitude: Real, pc_latitude: Real, c_radius: Real,
    ) -> Option<bool> {
        let (place, center) = (Place::new(p_longitude, p_latitude)?, Place::new(pc_longitude, pc_latitude)?);
        (c_radius > 0.0).then(|| place.distance(center) <= c_radius)
    }

    /// The circle of a radius in metres around a place, as a GeoJSON polygon.
    ///
    /// Its edges lie within `tolerance` metres of the circle; 10 where none is given. Null where the place is none, and
    /// where the radius or the tolerance is not above 0.
    ///
    /// Source: geo-point-buffer-function.
    ///
    /// ```kql
    /// array_length(geo_point_buffer(-115.1745008278, 36.1497251277, 20000).coordinates[0]) // 101
    /// array_length(geo_point_buffer(-115.1745008278, 36.1497251277, 20000, 1000).coordinates[0]) // 11
    /// geo_point_buffer(10, 10, -1) // null
    /// ```
    kql fn geo_point_buffer (
        longitude: Real, latitude: Real, radius: Real, tolerance: Optional<Real>,
    ) -> Option<JsonOut> {
        let place = Place::new(longitude, latitude)?;
        let width = Width::new(radius, tolerance.unwrap_or(USUAL_TOLERANCE))?;
        Some(JsonOut(shape_of_polygon(&buffer::of_point(place.vector(), width)?)?.to_json()))
    }

    /// The direction from one place to another in radians, clockwise from north.
    ///
    /// Null where a place is none, where the places are one, and where they are opposite.
    ///
    /// Source: geo-azimuth-function.
    ///
    /// ```kql
    /// round(geo_azimuth(5, 10, 10, -40), 9) // 3.054599398
    /// geo_azimuth(5, 10, 5, 10) // null
    /// ```
    kql fn geo_azimuth (
        p1_longitude: Real, p1_latitude: Real, p2_longitude: Real, p2_latitude: Real,
    ) -> Option<f64> {
        azimuth(Place::new(p1_longitude, p1_latitude)?, Place::new(p2_longitude, p2_latitude)?)
    }

    /// The angle in radians by which the way from a place back to the one before turns clockwise to the way to the next.
    ///
    /// At least 0 and less than a full turn. Null where a place is none, and where two that follow each other are one
    /// or opposite.
    ///
    /// Source: geo-angle-function.
    ///
    /// ```kql
    /// round(geo_angle(0, 10, 0, 5, 3, -10), 9) // 2.944938434
    /// geo_angle(0, 10, 0, 10, 3, -10) // null
    /// ```
    kql fn geo_angle (
        p1_longitude: Real, p1_latitude: Real, p2_longitude: Real, p2_latitude: Real,
        p3_longitude: Real, p3_latitude: Real,
    ) -> Option<f64> {
        let (before, here) = (Place::new(p1_longitude, p1_latitude)?, Place::new(p2_longitude, p2_latitude)?);
        let next = Place::new(p3_longitude, p3_latitude)?;
        Some(turn(azimuth(here, next)? - azimuth(here, before)?))
    }
}

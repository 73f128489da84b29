//! What holds of all shapes, however odd.
use super::buffer::{self, Width};
use super::densify;
use super::geojson::{Rings, Shape};
use super::overlay::{Side, intersection, intersects, shape_of_polygon, union, union_of_lines};
use super::region::Polygon;
use super::simplify::{self, Tolerance};
use super::sphere::{Place, Vector};
use crate::functions::{Context, Limits};
use proptest::prelude::*;

fn context() -> Context {
    Context::new(0, Limits::default(), Default::default())
}

/// Places of a coarse grid, poles and the line of 180 degrees included: many coincide, many lie on one edge.
fn coarse() -> impl Strategy<Value = Place> {
    (-8_i32..=8, -4_i32..=4).prop_map(|(x, y)| Place { longitude: f64::from(x) * 22.5, latitude: f64::from(y) * 22.5 })
}

/// Places of a small part of Earth.
fn close() -> impl Strategy<Value = Place> {
    (0_i32..=20, 0_i32..=20)
        .prop_map(|(x, y)| Place { longitude: 10.0 + f64::from(x) * 0.25, latitude: 45.0 + f64::from(y) * 0.25 })
}

fn places() -> impl Strategy<Value = Vec<Place>> {
    prop_oneof![prop::collection::vec(coarse(), 2..8), prop::collection::vec(close(), 2..8)]
}

fn rings() -> impl Strategy<Value = Rings> {
    let closed = |mut ring: Vec<Place>| {
        ring.extend(ring.first().copied());
        ring
    };
    prop::collection::vec(places().prop_map(closed), 1..3)
}

fn line(places: &[Place]) -> Vec<Vector> {
    let mut points: Vec<Vector> = places.iter().map(|place| place.vector()).collect();
    points.dedup();
    points.dedup_by(|next, last| *next == -*last);
    points
}

fn area(shape: &Shape, context: &Context) -> f64 {
    match shape {
        Shape::Collection(shapes) => shapes.iter().map(|shape| area(shape, context)).sum(),
        shape => {
            let parts = shape.clone().into_polygons().unwrap_or_default();
            let area = |rings: &Rings| Polygon::read(rings, context).unwrap().map_or(0.0, |polygon| polygon.area());
            parts.iter().map(area).sum()
        }
    }
}

proptest! {
    #[test]
    fn any_lines_and_polygons_can_be_combined(first in rings(), second in rings(), way in places(), metres in 1.0..9e6_f64) {
        let context = context();
        let read = |rings: &Rings| Polygon::read(rings, &context).unwrap();
        let polygons: Vec<Polygon> = [read(&first), read(&second)].into_iter().flatten().collect();
        let lines: Vec<Vec<Vector>> = [line(&way)].into_iter().filter(|line| line.len() > 1).collect();
        let sides = [Side::Lines(&lines), Side::Region(&polygons)];
        let common = intersection(sides, &context).unwrap();
        let empty = common == Shape::Collection(Vec::new());
        prop_assert_eq!(intersects(sides, &context).unwrap(), !empty);
        union_of_lines(&lines);
        let tolerance = Tolerance::new(metres.min(7e6)).unwrap();
        simplify::lines(&lines, tolerance, &context).unwrap();
        simplify::polygons(&polygons, tolerance, &context).unwrap();
        let width = Width::new(metres, metres / 10.0).unwrap();
        buffer::of_lines(&lines, width, &context).unwrap();
        let joined = union(polygons, &context).unwrap();
        buffer::of_polygon(&joined, width, &context).unwrap();
        joined.centroid();
        prop_assert!(joined.area() >= 0.0);
        densify::polygons(&[first, second], 1000.0, false, &context).unwrap();
        densify::lines(&[way], 1000.0, false, &context).unwrap();
    }

    #[test]
    fn areas_add_up(
        first in prop::collection::vec(close(), 3..7),
        second in prop::collection::vec(close(), 3..7),
    ) {
        let context = context();
        let read = |places: &[Place]| {
            let ring = [places, places.get(..1).unwrap_or_default()].concat();
            Polygon::read(&vec![ring], &context).unwrap()
        };
        let (Some(one), Some(two)) = (read(&first), read(&second)) else { return Ok(()) };
        let polygons = [one.clone(), two.clone()];
        let common = intersection([Side::Region(&polygons[..1]), Side::Region(&polygons[1..])], &context).unwrap();
        let joined = union(polygons.to_vec(), &context).unwrap();
        let (parts, whole) = (one.area() + two.area(), joined.area() + area(&common, &context));
        prop_assert!((parts - whole).abs() < 1e-12, "{} and {}", parts, whole);
        let shown = shape_of_polygon(&joined).map_or(0.0, |shape| area(&shape, &context));
        prop_assert!((shown - joined.area()).abs() < 1e-12);
    }

    #[test]
    fn a_wider_polygon_holds_the_polygon(corners in prop::collection::vec(close(), 3..7), metres in 10.0..50_000.0_f64) {
        let context = context();
        let ring = [corners.as_slice(), &corners[..1]].concat();
        let Some(polygon) = Polygon::read(&vec![ring], &context).unwrap() else { return Ok(()) };
        let width = Width::new(metres, metres / 10.0).unwrap();
        let wide = buffer::of_polygon(&polygon, width, &context).unwrap().unwrap();
        prop_assert!(corners.iter().all(|corner| wide.holds(corner.vector())));
        prop_assert!(wide.area() > polygon.area());
    }
}

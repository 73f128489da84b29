//! Which of many shapes a place lies in or near to.
use super::edge::{chord_angle, distance};
use super::read::{Given, Lines, Polygons};
use super::sphere::{EARTH_RADIUS, Place, Vector};
use crate::diagnostic::Result;
use crate::functions::Context;
use crate::types::{Column, Dynamic};

/// What shapes a lookup looks through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sought {
    Lines,
    Polygons,
}

/// The shapes of a column, each with a circle that holds its corners.
#[derive(Debug)]
pub struct ShapeIndex {
    shapes: Vec<Entry>,
    /// How far a place may be from a shape, in radians; none where it must lie in it.
    reach: Option<f64>,
}

#[derive(Debug)]
struct Entry {
    row: u32,
    shape: Found,
    centre: Vector,
    radius: f64,
}

#[derive(Debug)]
enum Found {
    Lines(Lines),
    Polygons(Polygons),
}

impl ShapeIndex {
    /// The shapes of a column; those that are not valid match nothing. `reach` is in metres.
    pub fn new(column: &Column, sought: Sought, reach: Option<f64>, context: &Context) -> Result<ShapeIndex> {
        let mut shapes = Vec::new();
        for (row, number) in (0..column.len()).zip(0_u32..) {
            context.check()?;
            let Some(value) = Dynamic::of(column, row) else { continue };
            let shape = match sought {
                Sought::Lines => Lines::read(value, context)?.map(Found::Lines),
                Sought::Polygons => Polygons::read(value, context)?.map(Found::Polygons),
            };
            shapes.extend(shape.map(|shape| Entry::new(number, shape)));
        }
        Ok(ShapeIndex { shapes, reach: reach.map(|metres| metres / EARTH_RADIUS) })
    }

    /// The rows of the shapes that a place matches, in order.
    pub fn matches(&self, longitude: f64, latitude: f64) -> Vec<u32> {
        let Some(point) = Place::new(longitude, latitude).map(Place::vector) else { return Vec::new() };
        let matching = self.shapes.iter().filter(|entry| entry.matches(point, self.reach));
        matching.map(|entry| entry.row).collect()
    }
}

impl Entry {
    fn new(row: u32, shape: Found) -> Entry {
        let (centre, radius) = match &shape {
            Found::Lines(lines) => circle(|| lines.0.iter().flatten().copied()),
            Found::Polygons(polygons) => {
                let corners = || polygons.0.iter().flat_map(|polygon| &polygon.rings).flat_map(|ring| &ring.corners);
                circle(|| corners().copied())
            }
        };
        Entry { row, shape, centre, radius }
    }

    fn matches(&self, point: Vector, reach: Option<f64>) -> bool {
        // A circle of more than a quarter turn need not hold what lies between its corners.
        let far = self.radius + reach.unwrap_or(0.0);
        if self.radius < std::f64::consts::FRAC_PI_2 && point.angle(self.centre) > far {
            return false;
        }
        match (&self.shape, reach) {
            (Found::Polygons(polygons), None) => polygons.0.iter().any(|polygon| polygon.holds(point)),
            (Found::Polygons(polygons), Some(reach)) => {
                polygons.0.iter().any(|polygon| chord_angle(polygon.distance(point)) <= reach)
            }
            (Found::Lines(lines), reach) => {
                lines.edges().any(|edge| chord_angle(distance(point, edge)) <= reach.unwrap_or(0.0))
            }
        }
    }
}

/// A circle around corners: its centre and its radius.
fn circle<I: Iterator<Item = Vector>>(corners: impl Fn() -> I) -> (Vector, f64) {
    let centre = corners().fold(Vector::new(0.0, 0.0, 0.0), |sum, corner| sum + corner).unit();
    (centre, corners().map(|corner| corner.angle(centre)).fold(0.0, f64::max) + 1e-9)
}

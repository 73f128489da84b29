//! The cells of S2 that a shape meets, and the functions that list them.
use super::as_level;
use super::cell::Cell;
use crate::diagnostic::Result;
use crate::functions::Context;
use crate::functions::geo::edge::{Edge, angle_chord, chord_angle, distance};
use crate::functions::geo::exact::crossing;
use crate::functions::geo::read::{Call, Given, Lines, Polygons};
use crate::functions::geo::sphere::{EARTH_RADIUS, Vector};
use crate::functions::geo::tokens;
use crate::functions::row::{Long, Optional, Real, each};
use crate::types::{Column, Kind};

/// How many cells a shape may have.
const MOST_CELLS: usize = 65_536;

/// An edge nearer to a cell than this (some nanometres) meets it.
const TOUCH: f64 = 2.4e-15;

/// What cells can cover.
trait Region {
    fn all_edges(&self) -> Vec<Edge>;
    /// Whether a point lies inside.
    fn has_inside(&self, point: Vector) -> bool;
}

impl Region for Polygons {
    fn all_edges(&self) -> Vec<Edge> {
        self.0.iter().flat_map(|polygon| polygon.edges()).collect()
    }

    fn has_inside(&self, point: Vector) -> bool {
        self.0.iter().any(|polygon| polygon.holds(point))
    }
}

impl Region for Lines {
    fn all_edges(&self) -> Vec<Edge> {
        self.edges().collect()
    }

    fn has_inside(&self, _: Vector) -> bool {
        false
    }
}

/// The cells of a level that meet a region or come within a distance of it, as they are found.
struct Cover<'a, R> {
    region: &'a R,
    level: u32,
    /// The distance as an angle.
    reach: f64,
    found: Vec<Cell>,
    visits: usize,
    context: &'a Context,
}

/// The cells of a level that come within `radius` metres of a region, in their order; none where they are too many.
fn cover<R: Region>(region: &R, level: u32, radius: f64, context: &Context) -> Result<Option<Vec<Cell>>> {
    let reach = (radius / EARTH_RADIUS).max(TOUCH);
    let mut cover = Cover { region, level, reach, found: Vec::new(), visits: 0, context };
    let edges = region.all_edges();
    for face in Cell::faces() {
        if !cover.visit(face, &edges)? {
            return Ok(None);
        }
    }
    Ok(Some(cover.found))
}

impl<R: Region> Cover<'_, R> {
    /// Looks for cells in a cell; `edges` are those that may be near. False where the cells are too many.
    fn visit(&mut self, cell: Cell, edges: &[Edge]) -> Result<bool> {
        self.visits += 1;
        if self.visits.is_multiple_of(256) {
            self.context.check()?;
        }
        let (center, corners) = (cell.center(), cell.corners());
        // The circle around the corners holds the cell.
        let radius = corners.iter().map(|corner| center.angle(*corner)).fold(0.0, f64::max) + TOUCH;
        let limit = angle_chord(radius + self.reach);
        let mut least = f64::INFINITY;
        let within = |edge: &&Edge| {
            let chord = distance(center, **edge);
            least = least.min(chord);
            chord <= limit
        };
        let near: Vec<Edge> = edges.iter().filter(within).copied().collect();
        let least = if least.is_finite() { chord_angle(least) } else { f64::INFINITY };
        let is_inside = || self.region.has_inside(center);
        if least + radius <= self.reach || (least > radius && is_inside()) {
            return Ok(self.add_all(cell));
        }
        if near.is_empty() {
            return Ok(true);
        }
        if cell.level() >= self.level {
            return Ok(!(self.meets(cell, corners, &near) || is_inside()) || self.add_all(cell));
        }
        for child in cell.descendants(cell.level() + 1) {
            if !self.visit(child, &near)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn meets(&self, cell: Cell, corners: [Vector; 4], edges: &[Edge]) -> bool {
        let [a, b, c, d] = corners;
        let sides = [(a, b), (b, c), (c, d), (d, a)];
        let limit = angle_chord(self.reach);
        edges.iter().any(|edge| {
            Cell::of(edge.0).parent(self.level) == cell
                || sides.iter().any(|side| {
                    crossing(side.0, side.1, edge.0, edge.1) != 0
                        || distance(edge.0, *side) <= limit
                        || distance(edge.1, *side) <= limit
                        || distance(side.0, *edge) <= limit
                })
        })
    }

    /// Takes all cells of the level in a cell; false where they are too many.
    fn add_all(&mut self, cell: Cell) -> bool {
        let room = MOST_CELLS - self.found.len().min(MOST_CELLS);
        let fits = cell.descendants(self.level).take(room + 1).count() <= room;
        if fits {
            self.found.extend(cell.descendants(self.level));
        }
        fits
    }
}

/// The cells that the shapes of each row meet.
fn cells_of<R: Region + Given>(context: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let call = Call { context, args, rows };
    let mut shapes = call.shapes::<R>(0);
    let (levels, radii) = (call.values::<Optional<Long>>(1), call.values::<Optional<Real>>(2));
    each(Kind::Dynamic, args, rows, |row, out| {
        let level = levels.get(row).and_then(|level| as_level(level.unwrap_or(11)));
        let radius = radii.get(row).map(|radius| radius.unwrap_or(0.0));
        let radius = radius.filter(|radius| *radius >= 0.0 && radius.is_finite());
        let cells = match (shapes.at(row)?, level, radius) {
            (Some(shape), Some(level), Some(radius)) => cover(&*shape, level, radius, context)?,
            _ => None,
        };
        match cells {
            Some(cells) => out.push_text(&tokens::array(cells.iter().map(|cell| cell.token()))),
            None => out.push_null(),
        }
        Ok(())
    })
}

crate::kernels! {
    /// The tokens of the S2 cells, of a level from 0 to 30, that cover a polygon or several; of level 11 where none is given.
    ///
    /// With a `radius`, in metres, they cover all that lies within it too. Null where an argument is not valid, and where
    /// there are more than 65,536 cells.
    ///
    /// Source: geo-polygon-to-s2cells-function.
    ///
    /// ```kql
    /// geo_polygon_to_s2cells(dynamic({"type":"Polygon","coordinates":[[[1,1],[2,1],[2,2],[1,1]]]}), 6) // ["1001","1003","1005","1007"]
    /// geo_polygon_to_s2cells(dynamic({"type":"Polygon","coordinates":[[[1,1],[2,1],[2,2],[1,1]]]}), 31) // null
    /// ```
    kql fn geo_polygon_to_s2cells (polygon: Dynamic, level[optional]: Integer, radius[optional]: Real) -> Kind(Kind::Dynamic)
        = cells_of::<Polygons>;

    /// The tokens of the S2 cells, of a level from 0 to 30, that cover a line or several; of level 11 where none is given.
    ///
    /// With a `radius`, in metres, they cover all that lies within it too. Null where an argument is not valid, and where
    /// there are more than 65,536 cells.
    ///
    /// Source: geo-line-to-s2cells-function.
    ///
    /// ```kql
    /// geo_line_to_s2cells(dynamic({"type":"LineString","coordinates":[[1,1],[1.5,1]]}), 5) // ["1004"]
    /// geo_line_to_s2cells(dynamic({"type":"LineString","coordinates":[[1,1]]})) // null
    /// ```
    kql fn geo_line_to_s2cells (lineString: Dynamic, level[optional]: Integer, radius[optional]: Real) -> Kind(Kind::Dynamic)
        = cells_of::<Lines>;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::functions::Limits;
    use crate::functions::geo::sphere::Place;
    use crate::types::Dynamic;
    use proptest::prelude::*;
    use std::sync::Arc;

    /// A triangle around a place: three fractions say how far its corners lie away.
    fn triangle(longitude: f64, latitude: f64, sizes: [f64; 3]) -> Option<(Polygons, [Vector; 3])> {
        let center = Place { longitude, latitude }.vector();
        let (right, up) = (center.orthogonal(), center.cross(center.orthogonal()));
        let corner = |turn: f64, size: f64| (center + (right * turn.cos() + up * turn.sin()) * size).unit();
        let corners = [corner(0.0, sizes[0]), corner(2.0, sizes[1]), corner(4.0, sizes[2])].map(Vector::place);
        let ring: Vec<String> = [0, 1, 2, 0].iter().map(|at| corners[*at]).map(coordinates).collect();
        let text = format!(r#"{{"type":"Polygon","coordinates":[[{}]]}}"#, ring.join(","));
        let polygons = Polygons::read(Dynamic::Json(&text), &context()).ok()??;
        Some((polygons, corners.map(Place::vector)))
    }

    fn coordinates(place: Place) -> String {
        format!("[{},{}]", place.longitude, place.latitude)
    }

    fn context() -> Context {
        Context::new(0, Limits::default(), Arc::default())
    }

    proptest! {
        #[test]
        fn cells_cover_a_polygon_and_nothing_far(
            longitude in -180.0..=180.0,
            latitude in -90.0..=90.0,
            sizes in [0.01..0.4, 0.01..0.4, 0.01..0.4],
            parts in [0.01..1.0, 0.01..1.0, 0.01..1.0],
            radius in prop_oneof![Just(0.0), 1e4..1e6],
            level in 0_u32..7,
        ) {
            let Some((polygons, corners)) = triangle(longitude, latitude, sizes) else { return Ok(()) };
            let cells = cover(&polygons, level, radius, &context()).expect("no fault").expect("not too many");
            prop_assert!(cells.is_sorted());
            let inside = corners.iter().zip(parts).fold(Vector::new(0.0, 0.0, 0.0), |sum, (c, part)| sum + *c * part);
            prop_assert!(cells.contains(&Cell::of(inside.unit()).parent(level)));
            for cell in cells {
                let size = cell.corners().into_iter().map(|corner| cell.center().angle(corner)).fold(0.0, f64::max);
                let away = polygons.0.iter().map(|polygon| polygon.distance(cell.center())).fold(4.0, f64::min);
                prop_assert!(chord_angle(away) <= size + radius / EARTH_RADIUS + 1e-9);
            }
        }
    }
}

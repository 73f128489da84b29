//! The cells of S2 that cover a shape.
use super::edge::{Edge, angle_chord, distance};
use super::exact::{Meeting, meeting};
use super::read::{Call, Lines};
use super::s2::Cell;
use super::sphere::{EARTH_RADIUS, Vector};
use crate::diagnostic::Result;
use crate::functions::Context;
use crate::functions::row::{JsonOut, Long, Optional, Output, Real};
use crate::types::json::Writer;
use crate::types::{Column, Kind};

/// Cells that cover a shape, at the most.
const MOST_CELLS: usize = 65_536;

/// The level of the cells where none is given.
const USUAL_LEVEL: i64 = 11;

/// What cells are to cover: all within a distance of edges, and all that `holds` says.
pub struct Covered<'a> {
    pub edges: &'a [Edge],
    pub holds: &'a dyn Fn(Vector) -> bool,
    /// The distance as a squared chord.
    pub reach: f64,
}

/// The cells of a level that cover a shape, in order; none where they are too many.
pub fn cells(shape: &Covered<'_>, level: u32, context: &Context) -> Result<Option<Vec<Cell>>> {
    let all: Vec<usize> = (0..shape.edges.len()).collect();
    let mut cells: Vec<(Cell, Vec<usize>)> = (0..6).filter_map(|face| shape.within(Cell::face(face), &all)).collect();
    for _ in 0..level {
        context.check()?;
        let children = cells.iter().flat_map(|(cell, edges)| cell.children().map(move |child| (child, edges)));
        // Every cell covers some of the shape: so does one of its quarters, and their number never falls.
        let next: Vec<_> =
            children.filter_map(|(child, edges)| shape.within(child, edges)).take(MOST_CELLS + 1).collect();
        if next.len() > MOST_CELLS {
            return Ok(None);
        }
        cells = next;
    }
    let mut cells: Vec<Cell> = cells.into_iter().map(|(cell, _)| cell).collect();
    cells.sort_unstable();
    Ok(Some(cells))
}

impl Covered<'_> {
    /// A cell and those of the edges that are near to it; none where it covers nothing of the shape.
    fn within(&self, cell: Cell, edges: &[usize]) -> Option<(Cell, Vec<usize>)> {
        let corners = cell.corners();
        let is_near = |at: &usize| self.edges.get(*at).is_some_and(|edge| self.is_near(*edge, cell, &corners));
        let near: Vec<usize> = edges.iter().copied().filter(is_near).collect();
        (!near.is_empty() || (self.holds)(corners[0])).then_some((cell, near))
    }

    fn is_near(&self, edge: Edge, cell: Cell, corners: &[Vector; 4]) -> bool {
        if [edge.0, edge.1].into_iter().any(|end| Cell::of(end).parent(cell.level()) == cell) {
            return true;
        }
        let mut sides = (0..4).map(|at| (corners[at], corners[(at + 1) % 4]));
        sides.any(|side| {
            let ends = [distance(edge.0, side), distance(edge.1, side), distance(side.0, edge)];
            meeting(side.0, side.1, edge.0, edge.1) != Meeting::Apart
                || (self.reach > 0.0 && ends.into_iter().any(|end| end <= self.reach))
        })
    }
}

/// The texts of cells, as an array.
fn tokens(cells: &[Cell]) -> JsonOut {
    let mut writer = Writer::default();
    writer.begin_array();
    for cell in cells {
        writer.string(&cell.token());
    }
    writer.end_array();
    JsonOut(writer.finish())
}

fn line_cells(context: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let call = Call { context, args, rows };
    let (mut lines, levels) = (call.shapes::<Lines>(0), call.values::<Optional<Long>>(1));
    let radii = call.values::<Optional<Real>>(2);
    crate::functions::row::each(Kind::Dynamic, args, rows, |row, builder| {
        let found = match (lines.at(row)?, levels.get(row), radii.get(row)) {
            (Some(lines), Some(level), Some(radius)) => {
                let level = u32::try_from(level.unwrap_or(USUAL_LEVEL)).ok().filter(|level| *level <= 30);
                let radius = Some(radius.unwrap_or(0.0)).filter(|radius| *radius >= 0.0 && radius.is_finite());
                match (level, radius) {
                    (Some(level), Some(radius)) => covering_of_lines(&lines, level, radius, context)?,
                    _ => None,
                }
            }
            _ => None,
        };
        found.map(|cells| tokens(&cells)).push(builder);
        Ok(())
    })
}

fn covering_of_lines(lines: &Lines, level: u32, radius: f64, context: &Context) -> Result<Option<Vec<Cell>>> {
    let edges: Vec<Edge> = lines.edges().collect();
    let shape = Covered { edges: &edges, holds: &|_| false, reach: angle_chord(radius / EARTH_RADIUS) };
    cells(&shape, level, context)
}

crate::kernels! {
    /// The tokens of the S2 cells of a level that a line, or several, passes through; of all that have a point within
    /// `radius` metres of it.
    ///
    /// The level is from 0 to 30, usually 11, the radius usually 0. Null where the line, the level or the radius is not
    /// valid, and where there are more than 65536 cells.
    ///
    /// Source: geo-line-to-s2cells-function.
    ///
    /// ```kql
    /// geo_line_to_s2cells(dynamic({"type": "LineString", "coordinates": [[1, 1], [1.5, 1]]}), 5) // ["1004"]
    /// geo_line_to_s2cells(dynamic({"type": "LineString", "coordinates": [[1, 1]]})) // null
    /// ```
    kql fn geo_line_to_s2cells (lineString: Dynamic, level[optional]: Long, radius[optional]: Real) -> Kind(Kind::Dynamic) = line_cells;
}

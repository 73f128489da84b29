//! `geo_line_lookup`, `geo_polygon_lookup`: rows beside those of a table of lines or polygons.
use super::Evaluation;
use super::beside::Columns;
use crate::diagnostic::{Fault, Result};
use crate::functions::Context;
use crate::functions::geo::{ShapeIndex, Sought};
use crate::kql::bind::Bind;
use crate::kql::bind::binder::Binder;
use crate::kql::bind::relation::{Relation, Row};
use crate::plan::{Node, TableOperation};
use crate::types::{Column, Kind, Name, Table, Value};
use std::sync::Arc;

/// The names of the parameters that differ.
struct Names {
    shape: &'static str,
    radius: &'static str,
}

impl Binder<'_> {
    fn shape_lookup(&mut self, evaluation: &Evaluation, sought: Sought, names: &Names) -> Bind<Relation> {
        let table = self.given(evaluation, "LookupTable")?;
        let right = self.table(&table.value)?;
        let shape = self.given(evaluation, names.shape)?;
        let (key, _) = self.column_of(shape, &right)?;
        let (left, longitude) = self.with_coordinate(evaluation, evaluation.input, "SourceLongitude")?;
        let (left, latitude) = self.with_coordinate(evaluation, &left, "SourceLatitude")?;
        let radius = self.real_option(evaluation, names.radius, 0.0..=f64::MAX)?;
        self.real_option(evaluation, "lookup_area_radius", 0.0..=f64::MAX)?;
        let unmatched = self.flag(evaluation, "return_unmatched")?;
        let left_out = if self.flag(evaluation, "return_lookup_key")? { None } else { Some(key.clone()) };
        let rows = Columns::of_rows(&evaluation.input.schema);
        let columns = Columns::new(rows.chain(Columns::of_table(&right.schema, left_out.as_slice())));
        let schema = columns.schema.clone();
        let operation = Arc::new(Lookup { sought, key, longitude, latitude, radius, unmatched, columns });
        let node = Node::Table { inputs: vec![left.node, right.node], operation };
        Ok(self.over(evaluation.input, node, schema))
    }

    /// The rows with a coordinate of theirs as a hidden column.
    fn with_coordinate(&mut self, evaluation: &Evaluation, rows: &Relation, name: &str) -> Bind<(Relation, Name)> {
        let argument = self.given(evaluation, name)?;
        let coordinate = self.scalar(&argument.value, &Row::of(evaluation.input))?;
        let coordinate = self.converted(coordinate, Kind::Real, argument.span)?;
        let hidden = self.hidden(name);
        Ok((self.extend(rows, vec![(hidden.clone(), coordinate)]), hidden))
    }

    fn flag(&mut self, evaluation: &Evaluation, name: &str) -> Bind<bool> {
        match self.option(evaluation, name)? {
            None => Ok(false),
            Some(Value::Bool(flag)) => Ok(flag),
            Some(_) => {
                let place = self.place_of(evaluation, name);
                Err(self.error("KS141", "The expression must have the type bool.", place))
            }
        }
    }
}

#[derive(Debug)]
struct Lookup {
    sought: Sought,
    /// The table's column of shapes.
    key: Name,
    longitude: Name,
    latitude: Name,
    /// Metres that a place may be away from a shape; none where it must lie in it.
    radius: Option<f64>,
    unmatched: bool,
    columns: Columns,
}

impl TableOperation for Lookup {
    fn name(&self) -> &str {
        match self.sought {
            Sought::Lines => "geo_line_lookup",
            Sought::Polygons => "geo_polygon_lookup",
        }
    }

    fn run(&self, context: &Context, inputs: &[Table]) -> Result<Table> {
        let [rows, table] = inputs else { return Err(Fault::internal("a lookup has two sides")) };
        let column = |of: &Table, name| of.column_named(name).ok_or_else(|| Fault::internal("a lookup lost its key"));
        let shapes = ShapeIndex::new(&column(table, &self.key)?, self.sought, self.radius, context)?;
        let (longitudes, latitudes) = (column(rows, &self.longitude)?, column(rows, &self.latitude)?);
        // The row behind the table's last one is all null.
        let nothing = u32::try_from(table.rows()).unwrap_or(u32::MAX);
        let (mut left, mut right) = (Vec::new(), Vec::new());
        for (row, number) in (0..rows.rows()).zip(0_u32..) {
            context.check()?;
            let before = right.len();
            if let Some((longitude, latitude)) = place(&longitudes, &latitudes, row) {
                right.extend(shapes.matches(longitude, latitude));
            }
            if right.len() == before && self.unmatched {
                right.push(nothing);
            }
            left.resize(right.len(), number);
            if right.len() > context.limits.rows {
                return Err(Fault::limit("rows", "a lookup of shapes gives too many rows"));
            }
        }
        self.columns.gathered(rows, table, &left, &right)
    }
}

fn place(longitudes: &Column, latitudes: &Column, row: usize) -> Option<(f64, f64)> {
    Some((longitudes.value(row).as_real()?, latitudes.value(row).as_real()?))
}

super::items! {
    /// Puts beside each row the rows of a table whose line passes within a distance of the row's place.
    ///
    /// The lines are GeoJSON; `Radius` is in metres, as `geo_distance_point_to_line` measures them. Rows without a match
    /// are left out, unless `return_unmatched` is true. The column of lines is left out, unless `return_lookup_key` is
    /// true. `lookup_area_radius` changes nothing: it tunes a search that is not made here.
    ///
    /// Source: geo-line-lookup-plugin.
    ///
    /// ```kql
    /// print x = 1.0, y = 0.001 | evaluate geo_line_lookup((print road = "A", line = dynamic({"type": "LineString", "coordinates": [[0, 0], [2, 0]]})), line, x, y, 200) | project road // A
    /// ```
    fn geo_line_lookup(
        LookupTable: Table,
        LookupLineKey: Expression,
        SourceLongitude: Column,
        SourceLatitude: Column,
        Radius: Constant,
        return_unmatched[optional]: Constant,
        lookup_area_radius[optional]: Constant,
        return_lookup_key[optional]: Constant,
    ) = |binder, evaluation| {
        binder.shape_lookup(evaluation, Sought::Lines, &Names { shape: "LookupLineKey", radius: "Radius" })
    };

    /// Puts beside each row the rows of a table whose polygon holds the row's place.
    ///
    /// The polygons are GeoJSON. With `radius`, a place that many metres away from a polygon matches too, as
    /// `geo_distance_point_to_polygon` measures them. Rows without a match are left out, unless `return_unmatched` is
    /// true. The column of polygons is left out, unless `return_lookup_key` is true. `lookup_area_radius` changes
    /// nothing: it tunes a search that is not made here.
    ///
    /// Source: geo-polygon-lookup-plugin.
    ///
    /// ```kql
    /// print x = 3.0, y = 1.0 | evaluate geo_polygon_lookup((print zone = "A", area = dynamic({"type": "Polygon", "coordinates": [[[0, 0], [4, 0], [4, 4], [0, 0]]]})), area, x, y) | project zone // A
    /// ```
    fn geo_polygon_lookup(
        LookupTable: Table,
        LookupPolygonKey: Expression,
        SourceLongitude: Column,
        SourceLatitude: Column,
        radius[optional]: Constant,
        return_unmatched[optional]: Constant,
        lookup_area_radius[optional]: Constant,
        return_lookup_key[optional]: Constant,
    ) = |binder, evaluation| {
        binder.shape_lookup(evaluation, Sought::Polygons, &Names { shape: "LookupPolygonKey", radius: "radius" })
    };
}

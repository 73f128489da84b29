//! Shapes read from columns, each distinct one once, and columns written of what functions find for each row.
use super::edge::{Edge, is_edge};
use super::geojson::Shape;
use super::region::Polygon;
use super::sphere::{Place, Vector};
use crate::diagnostic::Result;
use crate::functions::Context;
use crate::functions::row::{self, Argument, Reader};
use crate::types::{Builder, Column, Dynamic, Json, Kind};
use std::borrow::Cow;
use std::collections::HashMap;
use std::rc::Rc;

/// Shapes that are kept read.
const KEPT: usize = 1024;

/// What a function makes of a dynamic value before it works on it.
pub trait Given: Sized {
    /// None where the value is not valid.
    fn read(value: Dynamic<'_>, context: &Context) -> Result<Option<Self>>;
}

/// A line, or several.
#[derive(Debug)]
pub struct Lines(pub Vec<Vec<Vector>>);

/// A polygon, or several, which may overlap.
#[derive(Debug)]
pub struct Polygons(pub Vec<Polygon>);

/// An array of shapes.
#[derive(Debug)]
pub struct Array<T>(pub Vec<T>);

impl Lines {
    /// The lines of a shape: each has two places at the least, and no two in a row are one or opposite.
    fn of(shape: Shape) -> Option<Lines> {
        let lines = shape.into_lines().filter(|lines| !lines.is_empty())?;
        let vectors = |line: Vec<Place>| {
            let points: Vec<Vector> = line.into_iter().map(Place::vector).collect();
            (points.len() > 1 && edges(&points).all(is_edge)).then_some(points)
        };
        Some(Lines(lines.into_iter().map(vectors).collect::<Option<_>>()?))
    }

    pub fn edges(&self) -> impl Iterator<Item = Edge> + '_ {
        self.0.iter().flat_map(|line| edges(line))
    }

    /// The line where there is just one.
    pub fn single(&self) -> Option<&[Vector]> {
        match self.0.as_slice() {
            [line] => Some(line),
            _ => None,
        }
    }
}

/// The edges of a line.
pub fn edges(line: &[Vector]) -> impl Iterator<Item = Edge> + '_ {
    line.iter().copied().zip(line.iter().skip(1).copied())
}

impl Given for Lines {
    fn read(value: Dynamic<'_>, _: &Context) -> Result<Option<Lines>> {
        Ok(Shape::read(value).and_then(Lines::of))
    }
}

impl Given for Polygons {
    fn read(value: Dynamic<'_>, context: &Context) -> Result<Option<Polygons>> {
        let Some(shape) = Shape::read(value) else { return Ok(None) };
        Ok(Polygon::read_all(shape, context)?.map(Polygons))
    }
}

impl Given for Shape {
    fn read(value: Dynamic<'_>, _: &Context) -> Result<Option<Shape>> {
        Ok(Shape::read(value))
    }
}

impl<T: Given> Given for Array<T> {
    fn read(value: Dynamic<'_>, context: &Context) -> Result<Option<Array<T>>> {
        let text = value.to_json();
        if !value.is_array() {
            return Ok(None);
        }
        let mut shapes = Vec::new();
        for element in Json::new(&text).elements() {
            let Some(shape) = T::read(Dynamic::Json(element.text()), context)? else { return Ok(None) };
            shapes.push(shape);
        }
        Ok((!shapes.is_empty()).then_some(Array(shapes)))
    }
}

/// The shapes of a column.
pub struct Shapes<'a, T> {
    column: Option<&'a Column>,
    context: &'a Context,
    known: HashMap<Cow<'a, str>, Option<Rc<T>>>,
    constant: Option<Option<Rc<T>>>,
}

impl<'a, T: Given> Shapes<'a, T> {
    pub fn new(column: Option<&'a Column>, context: &'a Context) -> Shapes<'a, T> {
        Shapes { column, context, known: HashMap::new(), constant: None }
    }

    /// The shape of a row; none where it is null or not valid.
    pub fn at(&mut self, row: usize) -> Result<Option<Rc<T>>> {
        if let Some(constant) = &self.constant {
            return Ok(constant.clone());
        }
        let Some(column) = self.column else { return Ok(None) };
        let Some(value) = Dynamic::of(column, row) else { return Ok(None) };
        let text = value.to_json();
        if let Some(known) = self.known.get(&text) {
            return Ok(known.clone());
        }
        self.context.check()?;
        let shape = T::read(value, self.context)?.map(Rc::new);
        if column.is_const() {
            self.constant = Some(shape.clone());
        }
        if self.known.len() >= KEPT {
            self.known.clear();
        }
        self.known.insert(text, shape.clone());
        Ok(shape)
    }
}

/// A function's arguments: shapes and numbers by their place.
pub struct Call<'a> {
    pub context: &'a Context,
    pub args: &'a [Column],
    pub rows: usize,
}

impl<'a> Call<'a> {
    pub fn shapes<T: Given>(&self, at: usize) -> Shapes<'a, T> {
        Shapes::new(self.args.get(at), self.context)
    }

    pub fn values<A: Argument>(&self, at: usize) -> Reader<'a, A> {
        Reader::new(self.args.get(at))
    }

    /// The places that two columns of coordinates give.
    pub fn places(&self, longitude: usize, latitude: usize) -> impl Fn(usize) -> Option<Place> + use<'a> {
        let (longitudes, latitudes) = (self.values::<row::Real>(longitude), self.values::<row::Real>(latitude));
        move |row| Place::new(longitudes.get(row)?, latitudes.get(row)?)
    }

    fn column<T>(
        &self,
        kind: Kind,
        mut find: impl FnMut(usize) -> Result<Option<T>>,
        mut push: impl FnMut(T, &mut Builder),
    ) -> Result<Column> {
        row::each(kind, self.args, self.rows, |row, builder| {
            match find(row)? {
                Some(found) => push(found, builder),
                None => builder.push_null(),
            }
            Ok(())
        })
    }

    pub fn reals(&self, find: impl FnMut(usize) -> Result<Option<f64>>) -> Result<Column> {
        self.column(Kind::Real, find, |found, builder| builder.push_real(found))
    }

    pub fn bools(&self, find: impl FnMut(usize) -> Result<Option<bool>>) -> Result<Column> {
        self.column(Kind::Bool, find, |found, builder| builder.push_bool(found))
    }

    pub fn geojson(&self, find: impl FnMut(usize) -> Result<Option<Shape>>) -> Result<Column> {
        self.column(Kind::Dynamic, find, |found, builder| builder.push_text(&found.to_json()))
    }
}

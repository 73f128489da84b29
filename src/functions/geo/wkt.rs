//! Well-known text of shapes, and its function.
use super::geojson::Shape;
use super::sphere::Place;
use crate::functions::row::{JsonOut, Str};

/// How deep collections may nest.
const DEEPEST: usize = 24;

/// The shape of a well-known text; none where it is none.
fn parse(text: &str) -> Option<Shape> {
    let mut reader = Reader { rest: text };
    let shape = reader.shape(0)?;
    reader.blanks().is_empty().then_some(shape)
}

/// What is still to be read.
struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    fn blanks(&mut self) -> &'a str {
        self.rest = self.rest.trim_ascii_start();
        self.rest
    }

    /// Whether the sign comes next; it is read then.
    fn sign(&mut self, sign: char) -> bool {
        let found = self.blanks().strip_prefix(sign);
        self.rest = found.unwrap_or(self.rest);
        found.is_some()
    }

    /// The characters of a kind that come next.
    fn run(&mut self, kind: impl Fn(char) -> bool) -> &'a str {
        let text = self.blanks();
        let (run, rest) = text.split_at(text.find(|c| !kind(c)).unwrap_or(text.len()));
        self.rest = rest;
        run
    }

    fn number(&mut self) -> Option<f64> {
        self.run(|c| c.is_ascii_digit() || matches!(c, '+' | '-' | '.' | 'e' | 'E')).parse().ok()
    }

    /// Items in parentheses, with commas between them.
    fn list<T>(&mut self, item: impl Fn(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let mut items = Vec::new();
        if !self.sign('(') {
            return None;
        }
        loop {
            items.push(item(self)?);
            if !self.sign(',') {
                return self.sign(')').then_some(items);
            }
        }
    }

    fn place(&mut self) -> Option<Place> {
        Place::in_shape(self.number()?, self.number()?)
    }

    fn places(&mut self) -> Option<Vec<Place>> {
        self.list(Self::place)
    }

    /// A place with or without parentheses of its own, as the points of a multipoint are written.
    fn free_place(&mut self) -> Option<Place> {
        let inside = self.sign('(');
        let place = self.place()?;
        (!inside || self.sign(')')).then_some(place)
    }

    fn point(&mut self) -> Option<Place> {
        let places = self.places()?;
        places.first().copied().filter(|_| places.len() == 1)
    }

    fn rings(&mut self) -> Option<Vec<Vec<Place>>> {
        self.list(Self::places)
    }

    fn shape(&mut self, depth: usize) -> Option<Shape> {
        let name = self.run(|c| c.is_ascii_alphabetic()).to_ascii_uppercase();
        Some(match name.as_str() {
            "POINT" => Shape::Point(self.point()?),
            "MULTIPOINT" => Shape::MultiPoint(self.list(Self::free_place)?),
            "LINESTRING" => Shape::Line(self.places()?),
            "MULTILINESTRING" => Shape::MultiLine(self.rings()?),
            "POLYGON" => Shape::Polygon(self.rings()?),
            "MULTIPOLYGON" => Shape::MultiPolygon(self.list(Self::rings)?),
            "GEOMETRYCOLLECTION" if depth < DEEPEST => Shape::Collection(self.list(|r| r.shape(depth + 1))?),
            _ => return None,
        })
    }
}

crate::scalars! {
    /// The shape of a well-known text as GeoJSON.
    ///
    /// Reads points, lines, polygons, several of each and collections, in two dimensions; null for anything else.
    ///
    /// Source: geo-from-wkt-function.
    ///
    /// ```kql
    /// geo_from_wkt("POINT (1 2)") // {"type":"Point","coordinates":[1.0,2.0]}
    /// geo_from_wkt("MULTIPOINT (1 1, 2 2)") // {"type":"MultiPoint","coordinates":[[1.0,1.0],[2.0,2.0]]}
    /// geo_from_wkt("LINESTRING (1 2, 3 4)") // {"type":"LineString","coordinates":[[1.0,2.0],[3.0,4.0]]}
    /// geo_from_wkt("LINESTRING") // null
    /// ```
    kql fn geo_from_wkt (wkt: Str) -> Option<JsonOut> { Some(JsonOut(parse(wkt)?.to_json())) }
}

//! Shapes as GeoJSON: read from dynamic values, written as their text.
use super::digits;
use super::sphere::Place;
use crate::types::json::{JsonKind, Writer};
use crate::types::{Dynamic, Json};

/// A polygon's outer ring, then its holes. A ring's last place is its first.
pub type Rings = Vec<Vec<Place>>;

/// A GeoJSON geometry.
#[derive(Clone, Debug, PartialEq)]
pub enum Shape {
    Point(Place),
    MultiPoint(Vec<Place>),
    Line(Vec<Place>),
    MultiLine(Vec<Vec<Place>>),
    Polygon(Rings),
    MultiPolygon(Vec<Rings>),
    Collection(Vec<Shape>),
}

impl Shape {
    /// The geometry of a dynamic value; none where it is no GeoJSON geometry or a place is off the Earth.
    /// Whether lines and rings have enough places is for the caller to judge.
    pub fn read(value: Dynamic<'_>) -> Option<Shape> {
        Self::of(Json::new(&value.to_json()))
    }

    fn of(json: Json<'_>) -> Option<Shape> {
        let coordinates = || json.get("coordinates");
        Some(match &*json.get("type")?.as_str()? {
            "Point" => Shape::Point(place(coordinates()?)?),
            "MultiPoint" => Shape::MultiPoint(places(coordinates()?)?),
            "LineString" => Shape::Line(places(coordinates()?)?),
            "MultiLineString" => Shape::MultiLine(rings(coordinates()?)?),
            "Polygon" => Shape::Polygon(rings(coordinates()?)?),
            "MultiPolygon" => Shape::MultiPolygon(list(coordinates()?, rings)?),
            "GeometryCollection" => Shape::Collection(list(json.get("geometries")?, Shape::of)?),
            _ => return None,
        })
    }

    /// The polygons of a polygon or of several; none for any other shape.
    pub fn into_polygons(self) -> Option<Vec<Rings>> {
        match self {
            Shape::Polygon(rings) => Some(vec![rings]),
            Shape::MultiPolygon(polygons) => Some(polygons),
            _ => None,
        }
    }

    /// The lines of a line or of several; none for any other shape.
    pub fn into_lines(self) -> Option<Vec<Vec<Place>>> {
        match self {
            Shape::Line(line) => Some(vec![line]),
            Shape::MultiLine(lines) => Some(lines),
            _ => None,
        }
    }

    /// The shape's text.
    pub fn to_json(&self) -> String {
        let mut writer = Writer::default();
        self.write(&mut writer);
        writer.finish()
    }

    fn write(&self, writer: &mut Writer) {
        let (name, inside) = match self {
            Shape::Point(_) => ("Point", "coordinates"),
            Shape::MultiPoint(_) => ("MultiPoint", "coordinates"),
            Shape::Line(_) => ("LineString", "coordinates"),
            Shape::MultiLine(_) => ("MultiLineString", "coordinates"),
            Shape::Polygon(_) => ("Polygon", "coordinates"),
            Shape::MultiPolygon(_) => ("MultiPolygon", "coordinates"),
            Shape::Collection(_) => ("GeometryCollection", "geometries"),
        };
        writer.begin_bag().key("type").string(name).key(inside);
        match self {
            Shape::Point(place) => write_place(writer, place),
            Shape::MultiPoint(places) | Shape::Line(places) => write_places(writer, places),
            Shape::MultiLine(rings) | Shape::Polygon(rings) => write_rings(writer, rings),
            Shape::MultiPolygon(polygons) => write_list(writer, polygons, |writer, rings| write_rings(writer, rings)),
            Shape::Collection(shapes) => write_list(writer, shapes, |writer, shape| shape.write(writer)),
        }
        writer.end_bag();
    }
}

fn list<T>(json: Json<'_>, read: impl Fn(Json<'_>) -> Option<T>) -> Option<Vec<T>> {
    if json.kind() != JsonKind::Array {
        return None;
    }
    json.elements().map(read).collect()
}

/// A longitude and a latitude; a height may follow and is not read.
fn place(json: Json<'_>) -> Option<Place> {
    let mut numbers = json.elements().map(|number| number.as_f64());
    Place::in_shape(numbers.next()??, numbers.next()??)
}

fn places(json: Json<'_>) -> Option<Vec<Place>> {
    list(json, place)
}

fn rings(json: Json<'_>) -> Option<Rings> {
    list(json, places)
}

fn write_list<T>(writer: &mut Writer, items: &[T], write: impl Fn(&mut Writer, &T)) {
    writer.begin_array();
    for item in items {
        write(writer, item);
    }
    writer.end_array();
}

fn write_place(writer: &mut Writer, place: &Place) {
    writer.begin_array();
    digits::write(writer, place.longitude);
    digits::write(writer, place.latitude);
    writer.end_array();
}

fn write_places(writer: &mut Writer, places: &[Place]) {
    write_list(writer, places, write_place);
}

fn write_rings(writer: &mut Writer, rings: &[Vec<Place>]) {
    write_list(writer, rings, |writer, places| write_places(writer, places));
}

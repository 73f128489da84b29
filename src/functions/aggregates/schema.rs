//! The schema that admits all dynamic values of a group.
use super::State;
use super::fold::{Fold, Folded};
use crate::diagnostic::Result;
use crate::types::json::{JsonKind, MAX_DEPTH, Writer};
use crate::types::wire;
use crate::types::{Column, Dynamic, Json, Kind, Value};
use std::collections::{BTreeMap, BTreeSet};

/// What values are, seen so far.
#[derive(Clone, Default)]
struct Shape {
    scalars: BTreeSet<&'static str>,
    bag: Option<BTreeMap<String, Shape>>,
    /// The shape of an array's elements.
    elements: Option<Box<Shape>>,
}

/// The names of scalars in a schema.
const SCALARS: [&str; 8] = ["bool", "long", "double", "string", "datetime", "timespan", "guid", "decimal"];

impl Fold for Shape {
    const TRAVELS: bool = true;

    fn write(&self, out: &mut wire::Writer) {
        self.send(out);
    }

    fn read(input: &mut wire::Reader) -> Result<Self> {
        Shape::receive(input, 0)
    }

    fn take(&mut self, arguments: &[Column], row: usize) {
        if let Some(value) = arguments.first().and_then(|argument| Dynamic::of(argument, row)) {
            self.see(Json::new(&value.to_json()), 0);
        }
    }

    fn join(&mut self, other: Self) {
        self.scalars.extend(other.scalars);
        for (key, shape) in other.bag.into_iter().flatten() {
            self.bag.get_or_insert_default().entry(key).or_default().join(shape);
        }
        if let Some(elements) = other.elements {
            self.elements.get_or_insert_default().join(*elements);
        }
    }
}

impl Shape {
    fn see(&mut self, value: Json, depth: usize) {
        let name = match value.kind() {
            JsonKind::Object if depth < MAX_DEPTH => {
                let bag = self.bag.get_or_insert_default();
                value.entries().for_each(|(key, child)| bag.entry(key.into_owned()).or_default().see(child, depth + 1));
                return;
            }
            JsonKind::Array if depth < MAX_DEPTH => {
                let elements = self.elements.get_or_insert_default();
                value.elements().for_each(|child| elements.see(child, depth + 1));
                return;
            }
            JsonKind::Bool => "bool",
            JsonKind::Long => "long",
            JsonKind::Real => "double",
            JsonKind::String => "string",
            JsonKind::DateTime => "datetime",
            JsonKind::TimeSpan => "timespan",
            JsonKind::Guid => "guid",
            JsonKind::Decimal => "decimal",
            _ => return,
        };
        self.scalars.insert(name);
    }

    fn send(&self, out: &mut wire::Writer) {
        out.count(self.scalars.len());
        self.scalars.iter().for_each(|name| out.text(name));
        out.byte(u8::from(self.bag.is_some()));
        if let Some(bag) = &self.bag {
            out.count(bag.len());
            for (key, shape) in bag {
                out.text(key);
                shape.send(out);
            }
        }
        out.byte(u8::from(self.elements.is_some()));
        self.elements.iter().for_each(|elements| elements.send(out));
    }

    fn receive(input: &mut wire::Reader, depth: usize) -> Result<Shape> {
        if depth > MAX_DEPTH {
            return Err(wire::cut_off());
        }
        let scalar = |input: &mut wire::Reader| {
            let name = input.text()?;
            SCALARS.into_iter().find(|known| *known == name).ok_or_else(wire::cut_off)
        };
        let scalars = input.each(scalar)?.into_iter().collect();
        let property = |input: &mut wire::Reader| Ok((input.text()?.to_owned(), Shape::receive(input, depth + 1)?));
        let bag = match input.byte()? {
            0 => None,
            _ => Some(input.each(property)?.into_iter().collect()),
        };
        let elements = match input.byte()? {
            0 => None,
            _ => Some(Box::new(Shape::receive(input, depth + 1)?)),
        };
        Ok(Shape { scalars, bag, elements })
    }

    /// Whether no value was seen.
    fn is_empty(&self) -> bool {
        self.scalars.is_empty() && self.bag.is_none() && self.elements.is_none()
    }

    /// One shape as itself, several as an array: bags and arrays first.
    fn write(&self, out: &mut Writer) {
        let shapes = self.scalars.len() + usize::from(self.bag.is_some()) + usize::from(self.elements.is_some());
        if shapes != 1 {
            out.begin_array();
        }
        if let Some(bag) = &self.bag {
            out.begin_bag();
            for (key, shape) in bag {
                shape.write(out.key(key));
            }
            out.end_bag();
        }
        if let Some(elements) = &self.elements {
            elements.write(out.begin_bag().key("`indexer`"));
            out.end_bag();
        }
        self.scalars.iter().for_each(|name| {
            out.string(name);
        });
        if shapes != 1 {
            out.end_array();
        }
    }
}

fn buildschema(_: &[Kind], _: &[Option<Value>]) -> Result<Box<dyn State>> {
    Ok(Folded::<Shape>::boxed(Kind::Dynamic, |shape, out| {
        if shape.is_empty() {
            return out.push_null();
        }
        let mut writer = Writer::default();
        shape.write(&mut writer);
        out.push_text(&writer.finish());
    }))
}

crate::aggregates! {
    /// The smallest schema that admits all values: kinds by property, `` `indexer` `` for the elements of arrays.
    ///
    /// Source: buildschema-aggregation-function.
    ///
    /// ```kql
    /// print v = dynamic({"a": 1, "b": ["x", 2]}) | summarize buildschema(v) // {"a":"long","b":{"`indexer`":["long","string"]}}
    /// ```
    kql Free costly fn buildschema called "schema" (value: Dynamic) -> Kind(Kind::Dynamic) = buildschema;
}

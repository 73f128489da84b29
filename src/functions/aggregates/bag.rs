//! Bags of all properties of a group's bags.
use super::list::{LARGEST, most};
use super::{Rows, State, Wire, same};
use crate::diagnostic::{Fault, Result};
use crate::functions::Context;
use crate::types::json::Writer;
use crate::types::wire;
use crate::types::{Builder, Column, Dynamic, Json, Kind, Value};
use hashbrown::HashMap;
use std::any::Any;

/// Where a property was seen first: ordinal of the row and place in its bag.
type Sight = (u64, u32);

/// The properties of a group by name: of one that comes twice the first value stays.
type Properties = HashMap<Box<str>, (Sight, Box<str>)>;

struct Bags {
    most: usize,
    groups: Vec<Properties>,
    properties: usize,
}

impl Bags {
    fn offer(&mut self, group: usize, key: &str, sight: Sight, value: &str) {
        let Some(bag) = self.groups.get_mut(group) else { return };
        match bag.get_mut(key) {
            Some(known) if known.0 <= sight => {}
            Some(known) => *known = (sight, value.into()),
            None => {
                self.properties += 1;
                bag.insert(key.into(), (sight, value.into()));
            }
        }
    }

    fn bounded(&self, context: &Context) -> Result<()> {
        match self.properties > context.limits.values {
            true => Err(Fault::limit("values", "too many properties in one bag aggregate")),
            false => Ok(()),
        }
    }
}

impl State for Bags {
    fn update(&mut self, rows: &Rows, arguments: &[Column]) -> Result<()> {
        self.groups.resize_with(rows.count, HashMap::new);
        let Some(argument) = arguments.first() else { return Ok(()) };
        for (row, (&group, &ordinal)) in rows.groups.iter().zip(rows.ordinals.iter()).enumerate() {
            let Some(Dynamic::Json(text)) = Dynamic::of(argument, row) else { continue };
            for (place, (key, value)) in Json::new(text).entries().enumerate() {
                self.offer(group as usize, &key, (ordinal, place as u32), value.text());
            }
        }
        self.bounded(rows.context)
    }

    fn merge(&mut self, other: Box<dyn State>, into: &[u32], count: usize) -> Result<()> {
        self.groups.resize_with(count, HashMap::new);
        let other: Bags = same(other)?;
        for (&group, bag) in into.iter().zip(&other.groups) {
            bag.iter().for_each(|(key, (sight, value))| self.offer(group as usize, key, *sight, value));
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>, context: &Context, count: usize) -> Result<Column> {
        self.bounded(context)?;
        self.groups.resize_with(count, HashMap::new);
        let mut builder = Builder::new(Kind::Dynamic, count);
        for bag in &self.groups {
            let mut properties: Vec<_> = bag.iter().map(|(key, (sight, value))| (sight, key, value)).collect();
            properties.sort_unstable();
            let mut writer = Writer::default();
            writer.begin_bag();
            for (_, key, value) in properties.into_iter().take(self.most) {
                writer.key(key).raw(value);
            }
            writer.end_bag();
            builder.push_text(&writer.finish());
        }
        Ok(builder.finish())
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }

    fn bytes(&self) -> usize {
        self.properties * 128
    }

    fn wire(&mut self) -> Option<&mut dyn Wire> {
        Some(self)
    }
}

impl Wire for Bags {
    fn write(&mut self, out: &mut wire::Writer) {
        out.count(self.groups.len());
        for bag in &self.groups {
            out.count(bag.len());
            for (key, ((ordinal, place), value)) in bag {
                out.text(key);
                out.long(ordinal.cast_signed());
                out.count(*place as usize);
                out.text(value);
            }
        }
    }

    fn read(&mut self, input: &mut wire::Reader, _: usize) -> Result<()> {
        let property = |input: &mut wire::Reader| {
            let key: Box<str> = input.text()?.into();
            let sight = (input.long()?.cast_unsigned(), input.number(u32::MAX as usize)? as u32);
            Ok((key, (sight, input.text()?.into())))
        };
        self.groups = input.each(|input| Ok(input.each(property)?.into_iter().collect()))?;
        self.properties = self.groups.iter().map(HashMap::len).sum();
        Ok(())
    }
}

fn make_bag(_: &[Kind], constants: &[Option<Value>]) -> Result<Box<dyn State>> {
    Ok(Box::new(Bags { most: most(constants, LARGEST), groups: Vec::new(), properties: 0 }))
}

fn make_dictionary(_: &[Kind], constants: &[Option<Value>]) -> Result<Box<dyn State>> {
    Ok(Box::new(Bags { most: most(constants, 128), groups: Vec::new(), properties: 0 }))
}

crate::aggregates! {
    /// One bag of the properties of all bags; of a name that comes twice the first value stays. What is no bag is
    /// passed over. At most `most` properties, 1,048,576 unless said otherwise.
    ///
    /// Source: make-bag-aggregation-function.
    ///
    /// ```kql
    /// range x from 1 to 2 step 1 | summarize make_bag(bag_pack(strcat("p", x), x)) // {"p1":1,"p2":2}
    /// ```
    kql Rows costly fn make_bag called "bag" (value: Dynamic, most[optional]: Integer) -> Kind(Kind::Dynamic) = make_bag;

    /// The deprecated spelling of `make_bag`: at most 128 properties unless said otherwise.
    ///
    /// Source: make-bag-aggregation-function.
    ///
    /// ```kql
    /// range x from 1 to 2 step 1 | summarize make_dictionary(bag_pack(strcat("p", x), x)) // {"p1":1,"p2":2}
    /// ```
    kql Rows costly fn make_dictionary called "dictionary" (value: Dynamic, most[optional]: Integer) -> Kind(Kind::Dynamic) = make_dictionary;
}

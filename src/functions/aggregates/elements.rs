//! Arrays among the values of a list or a set, and fields with several values: their elements count, not they.
use super::Rows;
use crate::functions::items::items;
use crate::types::{Builder, Column, Dynamic, Field, FieldValue, Kind, List, Value, gather};
use std::borrow::Cow;

/// The values of an update, with the group and the ordinal of each.
pub struct Elements<'a> {
    pub column: Cow<'a, Column>,
    pub groups: Cow<'a, [u32]>,
    pub ordinals: Cow<'a, [u64]>,
    /// The place of each among the elements of its row; empty where no value is an array.
    pub places: Vec<u32>,
}

impl<'a> Elements<'a> {
    pub fn of(column: &'a Column, rows: &Rows<'a>) -> Elements<'a> {
        let is_array = |row| Dynamic::of(column, row).is_some_and(Dynamic::is_array);
        if column.kind() == Kind::Dynamic && (0..column.len()).any(is_array) {
            return Self::opened(column, rows);
        }
        match column {
            Column::Field(Field::Several(list)) => return Self::listed(list, rows),
            Column::Const(Value::Field(FieldValue::Several(_)), _) => {
                if let Column::Field(Field::Several(list)) = column.clone().materialized() {
                    return Self::listed(&list, rows);
                }
            }
            _ => {}
        }
        Elements {
            column: Cow::Borrowed(column),
            groups: rows.groups.into(),
            ordinals: Cow::Borrowed(rows.ordinals),
            places: Vec::new(),
        }
    }

    /// The texts of fields that have several.
    fn listed(list: &List, rows: &Rows) -> Elements<'a> {
        let (mut items, mut groups, mut ordinals, mut places) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for (row, (group, ordinal)) in rows.groups.iter().zip(rows.ordinals.iter()).enumerate() {
            for (place, item) in list.range(row).enumerate() {
                items.push(item as u32);
                groups.push(*group);
                ordinals.push(*ordinal);
                places.push(place as u32);
            }
        }
        let column = Cow::Owned(gather::take(&list.items, &items));
        Elements { column, groups: groups.into(), ordinals: ordinals.into(), places }
    }

    fn opened(column: &Column, rows: &Rows) -> Elements<'a> {
        let mut values = Builder::new(Kind::Dynamic, column.len());
        let (mut groups, mut ordinals, mut places) = (Vec::new(), Vec::new(), Vec::new());
        for (row, (group, ordinal)) in rows.groups.iter().zip(rows.ordinals.iter()).enumerate() {
            let before = values.len();
            match Dynamic::of(column, row) {
                Some(value) => match items(value) {
                    Some(elements) => elements.iter().for_each(|element| push(element, &mut values)),
                    None => values.push_text(&value.to_json()),
                },
                None => values.push_null(),
            }
            groups.resize(groups.len() + values.len() - before, *group);
            ordinals.resize(groups.len(), *ordinal);
            places.extend((0u32..).take(values.len() - before));
        }
        Elements { column: Cow::Owned(values.finish()), groups: groups.into(), ordinals: ordinals.into(), places }
    }
}

fn push(element: &str, values: &mut Builder) {
    match element {
        "null" => values.push_null(),
        json => values.push_text(json),
    }
}

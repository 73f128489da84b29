//! Lists, structs and maps of Arrow as JSON text.
use super::{Column, datetime, import, json, number};
use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef};
use arrow_schema::DataType;

/// Appends the JSON text of one row. A struct's properties keep their order.
pub fn write_json(array: &dyn Array, row: usize, out: &mut String) {
    if array.is_null(row) {
        return out.push_str("null");
    }
    match array.data_type() {
        DataType::List(_) => write_items(&array.as_list::<i32>().value(row), out),
        DataType::LargeList(_) => write_items(&array.as_list::<i64>().value(row), out),
        DataType::FixedSizeList(..) => write_items(&array.as_fixed_size_list().value(row), out),
        DataType::Struct(fields) => {
            let columns = array.as_struct();
            let entries = fields.iter().zip(columns.columns());
            write_bag(entries.map(|(field, column)| (field.name().clone(), column)), row, out);
        }
        DataType::Map(..) => write_map(array, row, out),
        _ => write_scalar(array, row, out),
    }
}

fn write_items(items: &ArrayRef, out: &mut String) {
    out.push('[');
    for i in 0..items.len() {
        if i > 0 {
            out.push(',');
        }
        write_json(items.as_ref(), i, out);
    }
    out.push(']');
}

fn write_bag<'a>(entries: impl Iterator<Item = (String, &'a ArrayRef)>, row: usize, out: &mut String) {
    out.push('{');
    for (i, (name, column)) in entries.enumerate() {
        if i > 0 {
            out.push(',');
        }
        json::quote(&name, out);
        out.push(':');
        write_json(column.as_ref(), row, out);
    }
    out.push('}');
}

fn write_map(array: &dyn Array, row: usize, out: &mut String) {
    let entries = array.as_map().value(row);
    let (keys, values) = (entries.column(0), entries.column(1));
    out.push('{');
    for i in 0..entries.len() {
        if i > 0 {
            out.push(',');
        }
        json::quote(&scalar(keys.as_ref(), i).value(0).to_text(), out);
        out.push(':');
        write_json(values.as_ref(), i, out);
    }
    out.push('}');
}

fn scalar(array: &dyn Array, row: usize) -> Column {
    let one = array.slice(row, 1);
    let kind = import::natural_kind(&arrow_schema::Field::new("", one.data_type().clone(), true));
    import::load(&one, kind, None)
}

fn write_scalar(array: &dyn Array, row: usize, out: &mut String) {
    match scalar(array, row).value(0) {
        super::Value::Real(real) => out.push_str(&number::json_real(real)),
        super::Value::DateTime(ticks) => json::quote(&datetime::format(ticks), out),
        value => out.push_str(&value.to_json()),
    }
}

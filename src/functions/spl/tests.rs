//! Every function over values of every sort: no panic, and the same answer whatever holds the values.
use super::FAMILIES;
use crate::functions::{Accepts, Context, Limits, Purity, Scalar};
use crate::types::field::{self, FieldBuilder, Number};
use crate::types::intern::Interner;
use crate::types::{Column, Dictionary, Kind, Text, Value};
use arrow_array::Int32Array;

fn samples() -> Vec<Value> {
    let texts = [
        "",
        "abc",
        "a,b,,c",
        "10",
        "1.5",
        "-3",
        "0",
        "007",
        "1e308",
        "é%",
        "x*y",
        "(",
        "(?=a)b",
        "a{",
        "%Y-%m-%d",
        "%*.*f",
        "-1d@d",
        "10.0.0.0/8",
        "10.1.2.3",
        "{\"a\":[1,{\"b\":null}]}",
        "[1,\"x\",[]]",
        "a{}.b{0}",
        "1+02:03:04",
        "12MB",
        "9223372036854775807",
        "true",
    ];
    let numbers = [Number::Long(0), Number::Long(5), Number::Long(-1), Number::Long(i64::MIN), Number::Long(1 << 53)];
    let reals = [-2.5, 0.1, 1e300, f64::NAN, f64::INFINITY].map(Number::Real);
    let fields = texts.map(|text| Value::field([text]));
    let literals = ["", "a", "10", ",", "hex", "\\d+"].map(Value::string);
    let several = [Value::field(["a", "10", "a"]), Value::field(["", "x"])];
    let nothing = [Value::Null(Kind::Field)];
    let numbers = numbers.into_iter().chain(reals).map(Value::from);
    fields.into_iter().chain(literals).chain(several).chain(nothing).chain(numbers).collect()
}

/// Places that look like chance and are the same every time.
struct Places(u64);

impl Places {
    fn next(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % below.max(1)
    }
}

fn arguments(item: &Scalar, places: &mut Places, samples: &[Value]) -> Vec<Value> {
    let (least, most) = item.arity();
    let count = least + places.next(most.min(least + 3) - least + 1);
    let flags = [Value::Bool(true), Value::Bool(false), Value::Null(Kind::Bool)];
    let argument = |at: usize, places: &mut Places| match item.parameter(at).map(|p| p.accepts) {
        Some(Accepts::Kind(Kind::Bool)) => flags[places.next(flags.len())].clone(),
        _ => samples[places.next(samples.len())].clone(),
    };
    (0..count).map(|at| argument(at, places)).collect()
}

/// The value and another one, as a column. Literals are constants in a search.
fn column(value: &Value, other: &Value, dictionary: bool) -> Column {
    match value.kind() {
        Kind::Bool => Column::from_values(Kind::Bool, [value, &Value::Bool(false)]),
        Kind::String => Column::Const(value.clone(), 2),
        _ => {
            let mut builder = FieldBuilder::new(None, 2);
            builder.push(value);
            builder.push(if other.kind() == Kind::Field { other } else { value });
            match builder.finish() {
                texts @ Column::Text(..) if dictionary => encoded(&texts),
                column => column,
            }
        }
    }
}

fn encoded(column: &Column) -> Column {
    let mut values = Interner::new(Kind::Field);
    let keys: Int32Array = values.numbers(column).into_iter().map(|n| i32::try_from(n).ok()).collect();
    let all: Vec<u32> = (0..values.len() as u32).collect();
    match values.column(Kind::Field, &all) {
        Column::Text(kind, Text::Views(views)) => {
            Column::Text(kind, Text::Dictionary(keys, Dictionary::of_distinct(views)))
        }
        other => other,
    }
}

fn shown(column: &Column) -> (usize, Option<String>) {
    (field::count(column, 0), field::text(column, 0).map(|text| text.into_owned()))
}

#[test]
fn every_function_takes_any_values_whatever_holds_them() {
    let limits = Limits { values: 10_000, backtracks: 10_000, ..Limits::default() };
    let context = Context::new(15_779_342_450_000_000, limits, Default::default());
    let samples = samples();
    let mut places = Places(1);
    let mut differ: Vec<String> = Vec::new();
    for item in FAMILIES.iter().flat_map(|family| family.iter()) {
        for turn in 0..150 {
            let values = arguments(item, &mut places, &samples);
            let others = arguments(item, &mut places, &samples);
            let constants: Vec<Column> = values.iter().map(|value| Column::Const(value.clone(), 1)).collect();
            let once = (item.kernel)(&context, &constants, 1);
            let pairs = values.iter().zip(others.iter().chain(std::iter::repeat(&samples[0])));
            let columns: Vec<Column> = pairs.map(|(value, other)| column(value, other, turn % 2 == 0)).collect();
            let each = (item.kernel)(&context, &columns, if columns.is_empty() { 1 } else { 2 });
            // What fields are sorted by only has to be in order.
            let is_fixed = item.purity != Purity::PerRow && !item.name.starts_with(".order");
            if let (Ok(once), Ok(each), true) = (once, each, is_fixed) {
                let (one, other) = ((shown(&once), once.kind()), (shown(&each), each.kind()));
                if one != other {
                    differ.push(format!("{item:?} of {values:?}: {one:?} and {other:?}"));
                }
            }
        }
    }
    assert!(differ.is_empty(), "{} answers differ:\n{}", differ.len(), differ.join("\n"));
}

use super::*;
use crate::types::{Chunk, Schema, Stored, Table, gather, intern::Interner};
use std::cmp::Ordering;

fn texts(values: &[Option<&str>]) -> Column {
    Column::Text(Kind::Field, Text::Views(values.iter().collect()))
}

fn longs(values: &[i64]) -> Column {
    Column::Field(Field::Long(values.to_vec().into()))
}

fn several(rows: &[&[&str]]) -> Column {
    let mut builder = FieldBuilder::new(None, rows.len());
    rows.iter().for_each(|row| builder.push_several(*row));
    builder.finish()
}

fn read(column: &Column) -> Vec<Option<String>> {
    (0..column.len()).map(|row| text(column, row).map(|text| text.into_owned())).collect()
}

#[test]
fn numbers_are_printed_as_splunk_does() {
    let cases = [
        (0.1 + 0.2, "0.30000000000000004"),
        (1.0 / 3.0, "0.3333333333333333"),
        (2.0, "2"),
        (-0.0, "0"),
        (18_014_398_509_481_984.0, "18014398509481984"),
        (1e20, "1e+20"),
        (1_577_934_245.123_456, "1577934245.123456"),
        (3.990_000_000_000_005_5, "3.9900000000000055"),
        (f64::NAN, "nan"),
        (f64::NEG_INFINITY, "-inf"),
    ];
    for (real, text) in cases {
        assert_eq!(Number::Real(real).text(), text);
    }
    assert_eq!(Number::Long(i64::MIN).text(), "-9223372036854775808");
}

#[test]
fn what_calculating_leaves_behind_is_taken_away() {
    let cases =
        [(0.1 + 0.2, 0.3), (0.37 * 3.0, 1.11), (4.35 * 100.0, 435.0), (1.0 - 0.9, 0.1), (-(0.1 + 0.7) * 10.0, -8.0)];
    for (real, clean) in cases {
        assert_eq!(without_noise(real), clean, "{real}");
    }
    for real in [1.0 / 3.0, 1_577_934_245.123_401, 3.990_000_000_000_005_5, 1e300, 1e-300, 0.0, f64::MAX] {
        assert_eq!(without_noise(real), real);
    }
}

#[test]
fn a_text_looks_like_a_number_or_not() {
    let number = |text| Number::read(text);
    for (text, long) in [("5", 5), ("-12", -12), ("+7", 7), ("007", 7), ("9223372036854775807", i64::MAX)] {
        assert_eq!(number(text), Some(Number::Long(long)), "{text}");
    }
    for (text, real) in [("1.5", 1.5), (".5", 0.5), ("-1e3", -1000.0), ("18446744073709551616", 18446744073709551616.0)]
    {
        assert_eq!(number(text), Some(Number::Real(real)), "{text}");
    }
    for text in ["", "-", "+", ".", "e5", "1,000", "0x1F", " 5", "5 ", "inf", "nan", "1e999", "10.0.0.1", "--1", "١"] {
        assert_eq!(number(text), None, "{text}");
    }
    assert_eq!(Number::Long(2).order(Number::Real(1.5)), Some(Ordering::Greater));
    assert_eq!((Number::Real(4.0).long(), Number::Real(4.5).long()), (Some(4), None));
}

#[test]
fn a_builder_takes_the_plainest_form_that_holds_all() {
    let mut builder = FieldBuilder::new(None, 4);
    builder.push_null();
    builder.push_number(Number::Long(1));
    assert!(matches!(builder.finish(), Column::Field(Field::Long(_))));
    builder.push_null();
    builder.push_number(Number::Long(1));
    builder.push_number(Number::Real(1.5));
    builder.push_number(Number::Long(2));
    let reals = builder.finish();
    assert!(matches!(reals, Column::Field(Field::Real(_))));
    assert_eq!(read(&reals), [None, Some("1".into()), Some("1.5".into()), Some("2".into())]);
    builder.push_number(Number::Long(i64::MAX));
    builder.push_number(Number::Real(0.5));
    builder.push_text("x");
    builder.push_several(["a", "b"]);
    builder.push_several::<&str>([]);
    let mixed = builder.finish();
    let expected = [Some(i64::MAX.to_string()), Some("0.5".into()), Some("x".into()), Some("a\nb".into()), None];
    assert_eq!(read(&mixed), expected);
    assert_eq!((0..5).map(|row| count(&mixed, row)).collect::<Vec<_>>(), [1, 1, 1, 2, 0]);
    assert!(builder.finish().is_empty());
}

#[test]
fn chunks_of_different_forms_stand_behind_each_other() {
    let real = Column::Field(Field::Real(vec![1.5].into()));
    let nothing = Column::nulls(Kind::Field, 1);
    let five = Column::Const(Number::Long(5).into(), 2);
    let joined = gather::concat(&[longs(&[1]), nothing.clone(), five.clone()]).unwrap();
    assert!(matches!(joined, Column::Field(Field::Long(_))));
    assert_eq!(read(&joined), [Some("1".into()), None, Some("5".into()), Some("5".into())]);
    let joined = gather::concat(&[longs(&[1]), real.clone(), five.clone()]).unwrap();
    assert!(matches!(joined, Column::Field(Field::Real(_))));
    let joined = gather::concat(&[longs(&[i64::MAX]), real]).unwrap();
    assert_eq!(read(&joined), [Some(i64::MAX.to_string()), Some("1.5".into())]);
    let joined = gather::concat(&[longs(&[1]), texts(&[Some("x"), None]), several(&[&["a", "b"]]), five]).unwrap();
    let expected = ["1", "x", "", "a\nb", "5", "5"].map(|text| (!text.is_empty()).then(|| text.to_owned()));
    assert_eq!(read(&joined), expected);
    assert_eq!(read(&gather::take(&joined, &[3, 2, 0])), [expected[3].clone(), None, expected[0].clone()]);
    assert_eq!(read(&gather::slice(&joined, 1, 3)), expected[1..4]);
    assert_eq!(gather::concat(&[nothing.clone(), texts(&[None])]).unwrap().len(), 2);
}

#[test]
fn keys_are_canonical_texts() {
    let mut keys = Interner::new(Kind::Field);
    let text = texts(&[Some("1"), Some("1.0"), None]);
    let numbers = keys.numbers(&text);
    assert_eq!(keys.numbers(&longs(&[1, 2])), [numbers[0], 2]);
    assert_eq!(keys.numbers(&Column::Field(Field::Real(vec![1.0].into()))), [numbers[0]]);
    assert_eq!(keys.numbers(&Column::Const(Number::Real(1.0).into(), 1)), [numbers[0]]);
    keys.settle();
    let mut maps = Default::default();
    assert_eq!(keys.find(&longs(&[1, 3]), &mut maps), [numbers[0], crate::types::intern::NULL]);
    assert_eq!(keys.find(&Column::Const(Number::Real(1.0).into(), 1), &mut maps), [numbers[0]]);
}

#[test]
fn columns_of_other_kinds_become_fields() {
    let field = |value: Value| text(&Column::Const(convert::from_value(&value), 1), 0).map(|text| text.into_owned());
    assert_eq!(field(Value::Bool(true)).as_deref(), Some("true"));
    assert_eq!(field(Value::DateTime(15_779_342_455_000_000)).as_deref(), Some("1577934245.5"));
    assert_eq!(field(Value::dynamic("[1,\"x\",null,{\"a\":1}]")).as_deref(), Some("1\nx\n{\"a\":1}"));
    assert_eq!(field(Value::dynamic("\"x\"")).as_deref(), Some("x"));
    assert_eq!(field(Value::dynamic("[]")), None);
    assert_eq!(field(Value::dynamic("1.50")).as_deref(), Some("1.5"));
    assert_eq!(from_column(&Column::Const(Value::Null(Kind::Long), 1)).kind(), Kind::Field);
}

#[test]
fn a_table_leaves_as_the_kinds_of_what_it_holds() {
    let schema: Schema =
        ["n", "r", "t", "m"].iter().map(|name| (crate::types::Name::from(*name), Kind::Field)).collect();
    let chunk = |columns: [Column; 4]| Chunk { rows: 1, columns: columns.map(Stored::Column).to_vec() };
    let first = chunk([longs(&[1]), longs(&[2]), longs(&[3]), longs(&[4])]);
    let real = Column::Field(Field::Real(vec![0.5].into()));
    let nothing = Column::nulls(Kind::Field, 1);
    let second = chunk([nothing.clone(), real, texts(&[Some("x")]), several(&[&["a", "b"]])]);
    let table = settle(&Table::new(schema, vec![first, second]));
    let kinds: Vec<Kind> = table.schema().columns().iter().map(|(_, kind)| *kind).collect();
    assert_eq!(kinds, [Kind::Long, Kind::Real, Kind::Field, Kind::Dynamic]);
    let rows = table.to_rows();
    assert_eq!(rows[0], [Value::Long(1), Value::Real(2.0), Value::field(["3"]), Value::dynamic("\"4\"")]);
    assert_eq!(rows[1][3], Value::dynamic("[\"a\",\"b\"]"));
    assert!(rows[1][0].is_null());
}

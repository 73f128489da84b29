//! Every aggregate gives the same answer however the rows are split and in whatever order states are merged.
use super::*;
use crate::functions::Limits;
use crate::types::field::Number;
use crate::types::gather::{concat, slice, take};

const ROWS: usize = 200;
const GROUPS: usize = 3;

fn context() -> Context {
    Context::new(0, Limits::default(), Default::default())
}

/// Numbers that look random.
fn noise(seed: u64) -> impl FnMut(u64) -> u64 {
    let mut state = seed;
    move |below| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    }
}

fn column(kind: Kind, seed: u64) -> Column {
    let mut next = noise(seed);
    let values: Vec<Value> = (0..ROWS)
        .map(|_| match (next(7), kind) {
            (0, _) => Value::null(kind),
            (_, Kind::Bool) => Value::Bool(next(2) == 0),
            (_, Kind::Int) => Value::Int(next(9) as i32 - 4),
            (_, Kind::Long) => Value::Long(next(40) as i64 - 20),
            (_, Kind::Real) => Value::Real(next(1000) as f64 * 0.37 - 100.0),
            (_, Kind::DateTime) => Value::DateTime(next(50) as i64),
            (_, Kind::TimeSpan) => Value::TimeSpan(next(50) as i64),
            (1, Kind::Dynamic) => Value::dynamic(format!("[{},{},{}]", next(9), next(9), next(9))),
            (_, Kind::Dynamic) => Value::dynamic(format!("{{\"k{}\":{}}}", next(5), next(9))),
            (_, Kind::Decimal) => Value::Text(kind, format!("0.{}", next(9) + 1).into()),
            (1, Kind::Field) => Value::field([format!("{}", next(5)), format!("text {}", next(3))]),
            (2 | 3, Kind::Field) => Number::Long(next(40) as i64 - 20).into(),
            (4, Kind::Field) => Number::Real(next(1000) as f64 * 0.37 - 100.0).into(),
            _ => Value::Text(kind, format!("text {}", next(12)).into()),
        })
        .collect();
    Column::from_values(kind, &values)
}

/// Fields of a piece, held as they would be had they come alone.
fn in_its_own_form(column: Column) -> Column {
    match &column {
        Column::Const(..) => column,
        _ if column.kind() != Kind::Field => column,
        _ => Column::from_values(Kind::Field, &column.values().collect::<Vec<_>>()),
    }
}

/// What the aggregate makes of the rows when they come in pieces of a size, merged from the last to the first.
fn result(aggregate: &Aggregate, arguments: &[Column], constants: &[Option<Value>], piece: usize) -> Vec<Value> {
    let context = context();
    let kinds: Vec<Kind> = arguments.iter().map(Column::kind).collect();
    let mut next = noise(5);
    let groups: Vec<u32> = (0..ROWS).map(|_| next(GROUPS as u64) as u32).collect();
    let ordinals: Vec<u64> = (0..ROWS as u64).map(|row| row * 3).collect();
    let new = || (aggregate.state)(&kinds, constants).unwrap_or_else(|f| panic!("{}: {f}", aggregate.name));
    let mut whole = new();
    let starts: Vec<usize> = (0..ROWS).step_by(piece).collect();
    for start in starts.into_iter().rev() {
        let end = (start + piece).min(ROWS);
        let part: Vec<Column> = arguments.iter().map(|a| in_its_own_form(slice(a, start, end - start))).collect();
        let rows =
            Rows { context: &context, groups: &groups[start..end], count: GROUPS, ordinals: &&ordinals[start..end] };
        let mut state = new();
        state.update(&rows, &part).unwrap();
        whole.merge(state, &[0, 1, 2], GROUPS).unwrap();
    }
    whole.finish(&context, GROUPS).unwrap().values().collect()
}

/// Arguments that the aggregate takes, and which of them are constant.
fn arguments(aggregate: &Aggregate, kind: Kind) -> Option<(Vec<Column>, Vec<Option<Value>>)> {
    let (mut columns, mut constants) = (Vec::new(), Vec::new());
    for (at, parameter) in aggregate.parameters.iter().enumerate() {
        let constant = match parameter.name {
            "percentile" => Some(Value::Long(60)),
            "percent" => Some(Number::Long(60).into()),
            "most" => Some(Value::Long(5)),
            _ => None,
        };
        let kind = match parameter.accepts {
            crate::functions::Accepts::Kind(own) => own,
            accepts if at == 0 && !accepts.takes(kind) => return None,
            _ if at == 0 => kind,
            _ if kind == Kind::Field => kind,
            _ => Kind::Long,
        };
        let varying = || column(kind, at as u64 + 1);
        columns.push(constant.as_ref().map_or_else(varying, |value| Column::Const(value.clone(), ROWS)));
        constants.push(constant);
    }
    Some((columns, constants))
}

#[test]
fn the_answer_does_not_depend_on_pieces() {
    for aggregate in all() {
        let kinds = if aggregate.dialect == Dialect::Kql { &Kind::KQL[..] } else { &[Kind::Field] };
        for kind in kinds.iter().copied() {
            let Some((columns, constants)) = arguments(aggregate, kind) else { continue };
            let kinds: Vec<Kind> = columns.iter().map(Column::kind).collect();
            if (aggregate.state)(&kinds, &constants).is_err() {
                continue;
            }
            let expected = result(aggregate, &columns, &constants, ROWS);
            assert!(expected.iter().all(|v| v.kind() == aggregate.result(&kinds)), "{} of {kind}", aggregate.name);
            for piece in [1, 7, 64] {
                let got = result(aggregate, &columns, &constants, piece);
                assert_eq!(
                    format!("{got:?}"),
                    format!("{expected:?}"),
                    "{} of {kind} in pieces of {piece}",
                    aggregate.name
                );
            }
        }
    }
}

#[test]
fn every_aggregate_has_an_example() {
    for aggregate in all() {
        assert!(!crate::functions::examples(aggregate.docs).is_empty(), "{}", aggregate.name);
    }
}

/// One group over all rows of the columns.
fn single(name: &str, arguments: &[Column], constants: &[Option<Value>]) -> Value {
    let aggregate = find(Dialect::Kql, name).unwrap();
    let kinds: Vec<Kind> = arguments.iter().map(Column::kind).collect();
    let rows = arguments[0].len();
    let (groups, ordinals): (Vec<u32>, Vec<u64>) = (vec![0; rows], (0..rows as u64).collect());
    let mut state = (aggregate.state)(&kinds, constants).unwrap();
    let context = context();
    state.update(&Rows { context: &context, groups: &groups, count: 1, ordinals: &ordinals }, arguments).unwrap();
    state.finish(&context, 1).unwrap().value(0)
}

fn longs(values: &[Option<i64>]) -> Column {
    Column::Long(values.iter().copied().collect())
}

#[test]
fn arg_min_passes_over_nulls_unless_there_is_nothing_else() {
    let order = longs(&[Some(5), None, Some(5), Some(7)]);
    let output = Column::from_values(Kind::String, &["a", "b", "c", "d"].map(Value::string));
    assert_eq!(single("arg_min", &[order.clone(), output.clone()], &[None, None]), Value::string("a"));
    assert_eq!(single("arg_max", &[order, output.clone()], &[None, None]), Value::string("d"));
    let nothing = longs(&[None; 4]);
    assert_eq!(single("arg_min", &[nothing.clone(), output], &[None, None]), Value::string("a"));
    assert_eq!(single("arg_max", std::slice::from_ref(&nothing), &[None]), Value::Null(Kind::Long));
}

#[test]
fn take_any_prefers_what_is_filled() {
    let texts = Column::from_values(Kind::String, &["", "x", "y"].map(Value::string));
    assert_eq!(single("take_any", std::slice::from_ref(&texts), &[None]), Value::string("x"));
    let other = longs(&[Some(1), Some(2), Some(3)]);
    assert_eq!(single("take_any", &[texts, other], &[None, None]), Value::string(""));
}

#[test]
fn lists_keep_order_and_nulls_where_asked() {
    let values = longs(&[Some(3), None, Some(1), Some(3)]);
    assert_eq!(single("make_list", std::slice::from_ref(&values), &[None]), Value::dynamic("[3,1,3]"));
    assert_eq!(single("make_list_with_nulls", std::slice::from_ref(&values), &[None]), Value::dynamic("[3,null,1,3]"));
    let two = Column::Const(Value::Long(2), 4);
    assert_eq!(single("make_list", &[values, two], &[None, Some(Value::Long(2))]), Value::dynamic("[3,1]"));
}

#[test]
fn percentiles_are_the_nearest_rank() {
    let of = |values: &[Option<i64>], percentile: f64| {
        let constant = Value::Real(percentile);
        let columns = [longs(values), Column::Const(constant.clone(), values.len())];
        single("percentile", &columns, &[None, Some(constant)])
    };
    let five = [Some(15), Some(20), Some(35), Some(40), Some(50)];
    for (percentile, value) in [(0.0, 15), (5.0, 15), (30.0, 20), (40.0, 20), (50.0, 35), (100.0, 50)] {
        assert_eq!(of(&five, percentile), Value::Long(value), "{percentile}");
    }
    assert_eq!(of(&[None], 50.0), Value::Null(Kind::Long));
}

#[test]
fn large_lists_and_percentiles_are_packed() {
    let rows = 300_000;
    let values = concat(&[longs(&[None]), longs(&(0..rows).map(Some).collect::<Vec<_>>())]).unwrap();
    let twice = take(&values, &(0..=rows as u32).chain(0..=rows as u32).collect::<Vec<_>>());
    let half = Column::Const(Value::Long(50), twice.len());
    assert_eq!(single("percentile", &[twice, half], &[None, Some(Value::Long(50))]), Value::Long(rows / 2 - 1));
}

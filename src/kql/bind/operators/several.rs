//! Functions that give several columns: the library's item gives them as an array.
use crate::diagnostic::Span;
use crate::expr::Expr;
use crate::kql::ast::{Argument, Call, Column, ColumnNames, ExpressionKind};
use crate::kql::bind::Bind;
use crate::kql::bind::binder::Binder;
use crate::kql::bind::names::{Names, automatic, first_argument};
use crate::kql::bind::relation::Row;
use crate::types::{Kind, Name, Value};

type Columns = &'static [(&'static str, Kind)];

const FIT: Columns = &[
    ("rsquare", Kind::Real),
    ("slope", Kind::Real),
    ("variance", Kind::Real),
    ("rvariance", Kind::Real),
    ("interception", Kind::Real),
    ("line_fit", Kind::Dynamic),
];
const STATS: Columns = &[
    ("min", Kind::Real),
    ("min_idx", Kind::Long),
    ("max", Kind::Real),
    ("max_idx", Kind::Long),
    ("avg", Kind::Real),
    ("stdev", Kind::Real),
    ("variance", Kind::Real),
];
const FIT_TWO: Columns = &[
    ("rsquare", Kind::Real),
    ("split_idx", Kind::Long),
    ("variance", Kind::Real),
    ("rvariance", Kind::Real),
    ("line_fit", Kind::Dynamic),
    ("right_rsquare", Kind::Real),
    ("right_slope", Kind::Real),
    ("right_interception", Kind::Real),
    ("right_variance", Kind::Real),
    ("right_rvariance", Kind::Real),
    ("left_rsquare", Kind::Real),
    ("left_slope", Kind::Real),
    ("left_interception", Kind::Real),
    ("left_variance", Kind::Real),
    ("left_rvariance", Kind::Real),
];
const DECOMPOSED: Columns =
    &[("baseline", Kind::Dynamic), ("seasonal", Kind::Dynamic), ("trend", Kind::Dynamic), ("residual", Kind::Dynamic)];
const ANOMALIES: Columns = &[("ad_flag", Kind::Dynamic), ("ad_score", Kind::Dynamic), ("baseline", Kind::Dynamic)];
const PERIODS: Columns = &[("periods", Kind::Dynamic), ("scores", Kind::Dynamic)];
const POLYNOMIAL: Columns = &[
    ("rsquare", Kind::Real),
    ("coefficients", Kind::Dynamic),
    ("variance", Kind::Real),
    ("rvariance", Kind::Real),
    ("poly_fit", Kind::Dynamic),
];
const COMPLEX: Columns = &[("real", Kind::Dynamic), ("imag", Kind::Dynamic)];

/// The columns that a call gives, where there are several.
fn columns_of(call: &Call) -> Option<Columns> {
    Some(match call.name.text.as_str() {
        "series_stats" => STATS,
        "series_fit_line" => FIT,
        "series_fit_2lines" => FIT_TWO,
        "series_fit_poly" => POLYNOMIAL,
        "series_decompose" | "series_decompose_forecast" => DECOMPOSED,
        "series_decompose_anomalies" => ANOMALIES,
        "series_periods_detect" | "series_periods_validate" => PERIODS,
        "series_fft" | "series_ifft" => COMPLEX,
        _ => return None,
    })
}

/// How the names that a query writes for several columns are taken.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Naming {
    /// `print`: names that are written leave out the other columns.
    Written,
    /// `project`: columns without a written name have automatic ones, each made unique.
    Unique,
    /// `extend`: a name replaces the column that has it.
    Replacing,
}

impl Binder<'_> {
    /// The columns of an item whose function gives several; none for any other item.
    pub(super) fn several(
        &mut self,
        column: &Column,
        expr: &Expr,
        row: &Row,
        names: &mut Names,
        naming: Naming,
    ) -> Option<Bind<Vec<(Name, Expr)>>> {
        let ExpressionKind::Call(call) = &column.expression.kind else { return None };
        let mut given = self.outputs(call, row).filter(|_| expr.kind() == Kind::Dynamic)?;
        let written: Vec<&str> = match &column.names {
            ColumnNames::Automatic => Vec::new(),
            ColumnNames::One(name) => vec![&name.text],
            ColumnNames::Tuple(all) => all.iter().map(|n| n.text.as_str()).collect(),
        };
        if naming == Naming::Written && !written.is_empty() {
            given.truncate(written.len());
        }
        let named = given.into_iter().enumerate().map(|(at, (automatic, kind))| {
            let name = written.get(at).map_or(automatic, |name| (*name).to_owned());
            let name = if naming == Naming::Replacing { Name::from(name) } else { names.unique(&name) };
            names.declare(&name);
            Ok((name, self.part(expr, at, kind, call.span)?))
        });
        Some(named.collect())
    }

    /// The automatic names and the kinds of the columns that a call gives, where there are several.
    fn outputs(&mut self, call: &Call, row: &Row) -> Option<Vec<(String, Kind)>> {
        if matches!(call.name.text.as_str(), "array_sort_asc" | "array_sort_desc") {
            return self.sorted_arrays(call, row);
        }
        let argument = first_argument(call).unwrap_or_default();
        let name = |part: &str| format!("{}_{argument}_{part}", call.name.text);
        Some(columns_of(call)?.iter().map(|(part, kind)| (name(part), *kind)).collect())
    }

    /// A column for each array; one array alone is an ordinary result.
    fn sorted_arrays(&mut self, call: &Call, row: &Row) -> Option<Vec<(String, Kind)>> {
        let mut arrays = call.arguments.as_slice();
        if let Some((last, rest)) = arrays.split_last()
            && self.scalar(&last.value, row).is_ok_and(|flag| flag.kind() == Kind::Bool)
        {
            arrays = rest;
        }
        let name = |(at, array): (usize, &Argument)| {
            let own = automatic(&array.value).unwrap_or_else(|| format!("array{at}"));
            (format!("{own}_sorted"), Kind::Dynamic)
        };
        (arrays.len() > 1).then(|| arrays.iter().enumerate().map(name).collect())
    }

    fn part(&mut self, expr: &Expr, at: usize, kind: Kind, span: Span) -> Bind<Expr> {
        let path = Expr::Const(Value::dynamic(format!("[{at}]")));
        let given = match expr {
            // The line's values are dear to write, and seldom wanted.
            Expr::Call { function, arguments, .. } if function.name == "series_fit_line" && at + 1 < FIT.len() => {
                self.call_item(".fit_numbers", arguments.clone(), span)?
            }
            other => other.clone(),
        };
        let part = self.call_item(".path", vec![given, path], span)?;
        self.converted(part, kind, span)
    }
}

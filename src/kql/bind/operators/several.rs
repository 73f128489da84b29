//! Functions that give several columns: the library's item gives them as an array.
use crate::diagnostic::Span;
use crate::expr::Expr;
use crate::kql::ast::{Call, Column, ColumnNames, ExpressionKind};
use crate::kql::bind::Bind;
use crate::kql::bind::binder::Binder;
use crate::kql::bind::names::{Names, first_argument};
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

impl Binder<'_> {
    /// The columns of an item whose function gives several; none for any other item.
    pub(super) fn several(
        &mut self,
        column: &Column,
        expr: &Expr,
        names: &mut Names,
        replaces: bool,
    ) -> Option<Bind<Vec<(Name, Expr)>>> {
        let ExpressionKind::Call(call) = &column.expression.kind else { return None };
        let given = columns_of(call).filter(|_| expr.kind() == Kind::Dynamic)?;
        let written: Vec<&str> = match &column.names {
            ColumnNames::Automatic => Vec::new(),
            ColumnNames::One(name) => vec![&name.text],
            ColumnNames::Tuple(all) => all.iter().map(|n| n.text.as_str()).collect(),
        };
        let argument = first_argument(call).unwrap_or_default();
        let named = given.iter().enumerate().map(|(at, (part, kind))| {
            let name = match written.get(at) {
                Some(name) => (*name).to_owned(),
                None => format!("{}_{argument}_{part}", call.name.text),
            };
            let name: Name = if replaces { name.as_str().into() } else { names.unique(&name) };
            names.declare(&name);
            Ok((name, self.part(expr, at, *kind, call.span)?))
        });
        Some(named.collect())
    }

    fn part(&mut self, expr: &Expr, at: usize, kind: Kind, span: Span) -> Bind<Expr> {
        let path = Expr::Const(Value::dynamic(format!("[{at}]")));
        let part = self.call_item(".path", vec![expr.clone(), path], span)?;
        self.converted(part, kind, span)
    }
}

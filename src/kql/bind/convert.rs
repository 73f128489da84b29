//! Calls that make one kind of another, put in where a query leaves them out.
use super::Bind;
use super::binder::Binder;
use crate::diagnostic::Span;
use crate::expr::Expr;
use crate::functions::{self, Dialect, Scalar, choose};
use crate::types::{Kind, Value, convert};

impl Binder<'_> {
    /// The item of the library that a form of the language is made of.
    pub fn item(&mut self, name: &str, kinds: &[Kind], span: Span) -> Bind<&'static Scalar> {
        match choose(functions::find(Dialect::Kql, name), kinds) {
            Some(item) => Ok(item),
            None => Err(self.unsupported(&format!("'{name}'"), span)),
        }
    }

    /// A call of a library item whose arguments have the kinds it takes.
    pub fn call_item(&mut self, name: &str, arguments: Vec<Expr>, span: Span) -> Bind<Expr> {
        let kinds: Vec<Kind> = arguments.iter().map(Expr::kind).collect();
        let item = self.item(name, &kinds, span)?;
        let arguments = self.fitted(item, arguments, span)?;
        Ok(Expr::call(item, arguments))
    }

    /// The arguments, converted to what the item's parameters take.
    pub fn fitted(&mut self, item: &'static Scalar, arguments: Vec<Expr>, span: Span) -> Bind<Vec<Expr>> {
        use functions::Accepts;
        let mut fitted = Vec::with_capacity(arguments.len());
        for (at, argument) in arguments.into_iter().enumerate() {
            let accepts = item.parameter(at).map_or(Accepts::Any, |p| p.accepts);
            fitted.push(match accepts {
                Accepts::Kind(kind) => self.converted(argument, kind, span)?,
                accepts if accepts.takes(argument.kind()) => argument,
                Accepts::Integer => self.converted(argument, Kind::Long, span)?,
                // What a dynamic holds is known row by row: a real holds any number.
                _ => self.converted(argument, Kind::Real, span)?,
            });
        }
        Ok(fitted)
    }

    /// A text as `kind`, read as `to…` reads one: a dynamic is JSON.
    pub fn read_as(&mut self, text: Expr, kind: Kind, span: Span) -> Bind<Expr> {
        if kind != Kind::Dynamic {
            return self.converted(text, kind, span);
        }
        let text = self.converted(text, Kind::String, span)?;
        self.call_item("parse_json", vec![text], span)
    }

    /// The expression as `kind`.
    pub fn converted(&mut self, expr: Expr, kind: Kind, span: Span) -> Bind<Expr> {
        if expr.kind() == kind {
            return Ok(expr);
        }
        if let Expr::Const(value) = &expr {
            return Ok(Expr::Const(constant_to(value, kind)));
        }
        let function = conversion(kind);
        let item = self.item(function, &[expr.kind()], span)?;
        Ok(Expr::call(item, vec![expr]))
    }
}

/// A constant as `kind`. A text becomes a dynamic text, and is not read as JSON.
pub(super) fn constant_to(value: &Value, kind: Kind) -> Value {
    match (value, kind) {
        (Value::Text(Kind::String, _), Kind::Dynamic) => Value::dynamic(value.to_json()),
        _ => convert::value_to(value, kind),
    }
}

fn conversion(kind: Kind) -> &'static str {
    match kind {
        Kind::Bool => "tobool",
        Kind::Int => "toint",
        Kind::Long => "tolong",
        Kind::Real => "toreal",
        Kind::Decimal => "todecimal",
        Kind::String | Kind::Field => "tostring",
        Kind::DateTime => "todatetime",
        Kind::TimeSpan => "totimespan",
        Kind::Guid => "toguid",
        Kind::Dynamic => ".dynamic",
    }
}

/// The kind of `iff`, `case` and their like: the widest; a dynamic branch takes the others' kind.
/// Kinds that do not widen into each other meet in dynamic.
pub(super) fn common(kinds: impl IntoIterator<Item = Kind>) -> Kind {
    let mut scalars = kinds.into_iter().filter(|kind| *kind != Kind::Dynamic);
    let first = scalars.next().unwrap_or(Kind::Dynamic);
    let widest = scalars.try_fold(first, |a, b| Some(functions::wider(a, b)).filter(|kind| *kind != Kind::Dynamic));
    widest.unwrap_or(Kind::Dynamic)
}

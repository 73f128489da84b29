//! Calls of library functions.
use super::Bind;
use super::binder::Binder;
use super::convert::constant_to;
use super::expressions::Value;
use super::relation::Row;
use super::scope::Binding;
use super::{special, tables};
use crate::expr::Expr;
use crate::functions::{self, Accepts, Dialect, Scalar, choose};
use crate::kql::ast::{Argument, Call, ExpressionKind, Typeof};
use crate::types::{Kind, Value as Cell};

/// Functions that give a long and are declared as int: a check says what is declared.
const DECLARED_INT: &[&str] = &[
    "dayofmonth",
    "dayofyear",
    "hourofday",
    "getmonth",
    "getyear",
    "monthofyear",
    "week_of_year",
    "weekofyear",
    "datetime_part",
    "datepart",
];

impl Binder<'_> {
    pub fn call(&mut self, call: &Call, row: &Row) -> Bind<Value> {
        let name = call.name.text.as_str();
        if let Some(binding) = self.scopes.find(self.scope, name).cloned() {
            return match binding {
                Binding::Function(closure) => {
                    self.call_closure(&closure, name, &call.arguments, None, row, call.name.span)
                }
                Binding::Pattern(pattern, scope) => self.pattern_call(&pattern, scope, call, None),
                Binding::Broken(_) => self.table(&as_name(call)).map(Value::Table),
                Binding::Table(relation) if call.arguments.is_empty() => Ok(Value::Table(relation)),
                _ => Err(self.error("KS211", format!("'{name}' is not a function."), call.name.span)),
            };
        }
        if let Some(value) = row.graph.and_then(|view| self.graph_call(call, view)) {
            return value;
        }
        if let Some(value) = self.table_function(call, row) {
            return value;
        }
        if let Some(expr) = self.special(call, row) {
            return expr.map(Value::Scalar);
        }
        if row.aggregates.is_some() && self.is_aggregate(name) {
            return self.lifted_aggregate(call, row).map(Value::Scalar);
        }
        let items = functions::find(Dialect::Kql, name);
        if !items.is_empty() && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
            return self.library(items, call, row).map(Value::Scalar);
        }
        if let Some(value) = self.saved_function(call, row) {
            return value;
        }
        self.unknown_function(call)
    }

    /// Whether a call of that name means something.
    pub fn is_function(&self, name: &str) -> bool {
        self.scopes.find(self.scope, name).is_some()
            || self.is_aggregate(name)
            || special::is_special(name)
            || tables::is_table_function(name)
            || !functions::find(Dialect::Kql, name).is_empty()
            || self.catalog.function(name).is_some()
    }

    fn unknown_function(&mut self, call: &Call) -> Bind<Value> {
        let name = call.name.text.as_str();
        if self.is_aggregate(name) {
            let message = format!("The aggregate function '{name}' is not allowed in this context.");
            return Err(self.error("KS144", message, call.name.span));
        }
        if self.settings.open_tables && name.starts_with('_') {
            // Microsoft's own workspace functions are called so: a slip of the pen is unlikely.
            self.missing_function(&call.name);
            return Ok(Value::Scalar(Expr::Const(Cell::Null(Kind::Dynamic))));
        }
        let local: Vec<String> = self.scopes.names(self.scope).map(str::to_owned).collect();
        let saved = self.catalog.functions();
        let library = functions::all().filter(|f| f.dialect == Dialect::Kql).map(|f| f.name);
        let known = library.chain(local.iter().map(String::as_str)).chain(saved.iter().map(String::as_str));
        let reported = self.unknown("KS211", "function", name, call.name.span, known);
        self.or_help("where it is a saved function of the workspace, give it with functions=");
        Err(reported)
    }

    fn library(&mut self, items: &[&'static Scalar], call: &Call, row: &Row) -> Bind<Expr> {
        let (given, target) = without_type(&call.arguments);
        let mut arguments = Vec::with_capacity(given.len());
        let mut failed = None;
        for argument in given {
            match self.scalar(&argument.value, row) {
                Ok(expr) => arguments.push(expr),
                Err(reported) => failed = Some(reported),
            }
        }
        self.check_count(items, call, given.len())?;
        if let Some(reported) = failed {
            return Err(reported);
        }
        let called = self.chosen(items, call, arguments)?;
        match target {
            // The numbers of an array have no kind of their own.
            Some(_) if call.name.text == "percentiles_array_tdigest" => Ok(called),
            Some(kind) => self.read_as(called, kind, call.span),
            None if self.settings.open_tables && DECLARED_INT.contains(&call.name.text.as_str()) => {
                self.converted(called, Kind::Int, call.span)
            }
            None => Ok(called),
        }
    }

    fn check_count(&mut self, items: &[&'static Scalar], call: &Call, given: usize) -> Bind<()> {
        let fits = |item: &&Scalar| {
            let (least, most) = item.arity();
            (least..=most).contains(&given)
        };
        if items.iter().any(fits) {
            return Ok(());
        }
        let (least, most) = items.first().map_or((0, 0), |i| i.arity());
        let (code, wanted) = match (least, most) {
            (1, 1) => ("KS119", "1 argument".to_owned()),
            (l, m) if l == m => ("KS119", format!("{l} arguments")),
            (1, usize::MAX) => ("KS120", "at least 1 argument".to_owned()),
            (l, usize::MAX) => ("KS120", format!("at least {l} arguments")),
            (l, m) => ("KS119", format!("between {l} and {m} arguments")),
        };
        let message = format!("The function '{}' expects {wanted}.", call.name.text);
        Err(self.error(code, message, call.name.span))
    }

    /// The overload for these arguments, which are converted to what it takes.
    fn chosen(&mut self, items: &[&'static Scalar], call: &Call, arguments: Vec<Expr>) -> Bind<Expr> {
        let kinds: Vec<Kind> = arguments.iter().map(Expr::kind).collect();
        let Some(item) = choose(items, &kinds).or_else(|| choose_leniently(items, &arguments)) else {
            let kinds: Vec<&str> = kinds.iter().map(|k| k.name()).collect();
            let message =
                format!("The function '{}' is not compatible with arguments ({}).", call.name.text, kinds.join(", "));
            return Err(self.error("KS127", message, call.name.span));
        };
        let arguments = self.fitted(item, arguments, call.span)?;
        Ok(Expr::call(item, arguments))
    }

    /// The constant text that an argument must be.
    pub fn text_argument(&mut self, call: &Call, at: usize) -> Bind<String> {
        let Some(argument) = call.arguments.get(at) else {
            let message = format!("The function '{}' expects more arguments.", call.name.text);
            return Err(self.error("KS119", message, call.name.span));
        };
        Ok(self.constant_of(&argument.value)?.to_text())
    }

    pub fn argument(&mut self, call: &Call, at: usize, row: &Row) -> Bind<Expr> {
        match call.arguments.get(at) {
            Some(argument) => self.scalar(&argument.value, row),
            None => {
                let message = format!("The function '{}' expects more arguments.", call.name.text);
                Err(self.error("KS119", message, call.name.span))
            }
        }
    }

    pub fn at_most(&mut self, call: &Call, most: usize) -> Bind<()> {
        if call.arguments.len() <= most {
            return Ok(());
        }
        let plural = if most == 1 { "" } else { "s" };
        let message = format!("The function '{}' expects at most {most} argument{plural}.", call.name.text);
        Err(self.error("KS119", message, call.name.span))
    }
}

/// Scalars are taken as text where a text is wanted, and constant texts as what they mean.
fn choose_leniently(items: &[&'static Scalar], arguments: &[Expr]) -> Option<&'static Scalar> {
    let fits = |accepts: Accepts, argument: &Expr| match (accepts, argument) {
        (Accepts::Kind(Kind::String), _) => true,
        (Accepts::Kind(kind), Expr::Const(value)) => value.is_null() || !constant_to(value, kind).is_null(),
        (Accepts::Kind(kind), _) => kind == argument.kind() || (kind.is_number() && argument.kind().is_number()),
        (accepts, _) => accepts.takes(argument.kind()),
    };
    items.iter().copied().find(|item| {
        let (least, most) = item.arity();
        let count = (least..=most).contains(&arguments.len());
        count && arguments.iter().enumerate().all(|(at, a)| item.parameter(at).is_some_and(|p| fits(p.accepts, a)))
    })
}

/// The arguments without a last `typeof(kind)`, which says what to make of the result.
fn without_type(arguments: &[Argument]) -> (&[Argument], Option<Kind>) {
    if let Some((last, rest)) = arguments.split_last()
        && let ExpressionKind::Typeof(Typeof::Scalar(name)) = &last.value.kind
    {
        return (rest, name.kind);
    }
    (arguments, None)
}

fn as_name(call: &Call) -> crate::kql::ast::Expression {
    crate::kql::ast::Expression { kind: ExpressionKind::Name(call.name.clone()), span: call.name.span }
}

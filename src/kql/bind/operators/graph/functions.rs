//! The variables of a pattern, and the functions over them.
//!
//! What an expression reads of a pattern becomes a hidden column of the matches.
//! Source: the pages "all() (graph function)", "any() (graph function)", "map() (graph function)",
//! "inner_nodes() (graph function)", "labels() (graph function in KQL)", "node_degree_in (graph function)",
//! "node_degree_out (graph function)", "node_id (graph function)".
use crate::diagnostic::Span;
use crate::expr::Expr;
use crate::kql::ast::{Call, Expression, ExpressionKind, Name, Path, PathStepKind};
use crate::kql::bind::Bind;
use crate::kql::bind::binder::Binder;
use crate::kql::bind::expressions::Value as Bound;
use crate::kql::bind::relation::{Graph, Relation, Row};
use crate::kql::graph::matches::{Fold, Output, Over};
use crate::kql::graph::{EDGES_IN, EDGES_OUT, ID};
use crate::types::{Kind, Name as ColumnName, Value};
use std::cell::RefCell;

/// What a name in a pattern stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Node(usize),
    Edge(usize),
    /// Edges in a row.
    Way(usize),
}

/// What an expression sees of a graph.
#[derive(Clone, Copy)]
pub(in crate::kql::bind) enum GraphView<'g> {
    /// A condition on matches: a property of a way is that of each of its edges.
    Condition(&'g MatchScope),
    /// A column of matches: a property of a way is an array.
    Columns(&'g MatchScope),
    /// One edge of a way.
    OneEdge,
    /// One node of a way.
    OneNode,
}

/// The variables of a pattern, and what was read of them.
pub(in crate::kql::bind) struct MatchScope {
    names: Vec<(String, Part)>,
    graph: Graph,
    lifts: RefCell<Vec<Lift>>,
}

/// A hidden column of the matches.
#[derive(Clone)]
pub(super) struct Lift {
    pub name: ColumnName,
    pub output: Output,
    /// Stands for each edge of a way in turn.
    pub each: bool,
}

impl Lift {
    pub fn part(&self) -> Part {
        match &self.output {
            Output::Node(at, _) => Part::Node(*at),
            Output::Edge(hop, _) if self.each => Part::Way(*hop),
            Output::Edge(hop, _) => Part::Edge(*hop),
            Output::Along { hop, .. } => Part::Way(*hop),
        }
    }

    /// Whether it is a value of one node or edge.
    pub fn is_single(&self) -> bool {
        !matches!(self.output, Output::Along { .. })
    }

    /// The expression over the nodes or edges themselves.
    pub fn into_value(self) -> Option<Expr> {
        match self.output {
            Output::Node(_, value) | Output::Edge(_, value) => Some(value),
            Output::Along { .. } => None,
        }
    }
}

impl MatchScope {
    pub(super) fn new(names: Vec<(String, Part)>, graph: Graph) -> MatchScope {
        MatchScope { names, graph, lifts: RefCell::default() }
    }

    pub(super) fn into_lifts(self) -> Vec<Lift> {
        self.lifts.into_inner()
    }

    pub(super) fn lift(&self, name: &ColumnName) -> Option<Lift> {
        self.lifts.borrow().iter().find(|lift| lift.name == *name).cloned()
    }

    fn part(&self, name: &str) -> Option<Part> {
        self.names.iter().find(|(known, _)| known == name).map(|(_, part)| *part)
    }

    fn rows(&self, over: Over) -> &Relation {
        match over {
            Over::Edges => &self.graph.edges,
            Over::InnerNodes => &self.graph.nodes,
        }
    }
}

impl<'g> GraphView<'g> {
    fn scope(self) -> Option<&'g MatchScope> {
        match self {
            GraphView::Condition(scope) | GraphView::Columns(scope) => Some(scope),
            GraphView::OneEdge | GraphView::OneNode => None,
        }
    }
}

impl Binder<'_> {
    /// A variable of a pattern as a whole: a bag of its properties, for a way an array of them.
    pub fn graph_element(&mut self, name: &Name, view: GraphView) -> Option<Bind<Expr>> {
        let scope = view.scope()?;
        let part = scope.part(&name.text)?;
        let over = if matches!(part, Part::Node(_)) { Over::InnerNodes } else { Over::Edges };
        let visible = scope.rows(over).schema.columns().iter().filter(|(n, _)| !n.starts_with('$'));
        let pairs = visible.flat_map(|(n, k)| [Expr::Const(Value::string(n.clone())), Expr::Column(n.clone(), *k)]);
        let pairs: Vec<Expr> = pairs.collect();
        Some(match pairs.is_empty() {
            true => Ok(Expr::Const(Value::dynamic("{}"))),
            false => self.call_item("bag_pack", pairs, name.span),
        })
        .map(|bag| Ok(self.lifted(scope, part, bag?, false)))
    }

    /// `n.name`, and the steps behind it that are left.
    pub fn graph_property<'p>(
        &mut self,
        path: &'p Path,
        view: GraphView,
    ) -> Option<Bind<(Expr, &'p [crate::kql::ast::PathStep])>> {
        let (ExpressionKind::Name(base), Some((first, rest))) = (&path.base.kind, path.steps.split_first()) else {
            return None;
        };
        let scope = view.scope()?;
        let part = scope.part(&base.text)?;
        let (property, span) = match &first.kind {
            PathStepKind::Member(name) => (name.text.clone(), name.span),
            _ => return None,
        };
        let over = if matches!(part, Part::Node(_)) { Over::InnerNodes } else { Over::Edges };
        let rows = scope.rows(over);
        Some(match rows.schema.kind(&property).filter(|_| !property.starts_with('$')) {
            Some(kind) => {
                let each = matches!(view, GraphView::Condition(_)) && matches!(part, Part::Way(_));
                let value = Expr::Column(property.as_str().into(), kind);
                Ok((self.lifted(scope, part, value, each), rest))
            }
            None if rows.is_open() => Ok((Expr::Const(Value::Null(Kind::Dynamic)), rest)),
            None => {
                let known: Vec<ColumnName> = rows.schema.names().filter(|n| !n.starts_with('$')).cloned().collect();
                Err(self.unknown("KS142", "property of the graph", &property, span, known.iter().map(|n| &**n)))
            }
        })
    }

    /// The hidden column for a value of a part.
    fn lifted(&mut self, scope: &MatchScope, part: Part, value: Expr, each: bool) -> Expr {
        let output = match part {
            Part::Node(at) => Output::Node(at, value),
            Part::Edge(hop) => Output::Edge(hop, value),
            Part::Way(hop) if each => Output::Edge(hop, value),
            Part::Way(hop) => Output::Along { hop, over: Over::Edges, value, fold: Fold::Array },
        };
        self.lift(scope, output, each)
    }

    fn lift(&mut self, scope: &MatchScope, output: Output, each: bool) -> Expr {
        let kind = output.kind();
        let same = |lift: &&Lift| lift.each == each && format!("{:?}", lift.output) == format!("{output:?}");
        let known = scope.lifts.borrow().iter().find(same).map(|lift| lift.name.clone());
        let name = known.unwrap_or_else(|| {
            let name = self.hidden("of_match");
            scope.lifts.borrow_mut().push(Lift { name: name.clone(), output, each });
            name
        });
        Expr::Column(name, kind)
    }

    /// A function over the parts of a pattern.
    pub fn graph_call(&mut self, call: &Call, view: GraphView) -> Option<Bind<Bound>> {
        let made = match (call.name.text.as_str(), view.scope()) {
            ("map", Some(scope)) => self.along(call, Fold::Array, scope),
            ("all", Some(scope)) => self.along(call, Fold::All, scope),
            ("any", Some(scope)) => self.along(call, Fold::Any, scope),
            ("inner_nodes", _) => {
                let message = "'inner_nodes' stands only as the first argument of 'map', 'all' and 'any'.";
                Err(self.error("KS144", message, call.name.span))
            }
            // Only a stored graph model has labels.
            ("labels", _) => self.part_of(call, view).map(|_| Expr::Const(Value::dynamic("[]"))),
            ("node_degree_in", _) => self.of_node(call, view, EDGES_IN, Kind::Long),
            ("node_degree_out", _) => self.of_node(call, view, EDGES_OUT, Kind::Long),
            ("node_id", _) => self.of_node(call, view, ID, Kind::String),
            _ => return None,
        };
        Some(made.map(Bound::Scalar))
    }

    /// `map(way, expression)`, `all(inner_nodes(way), condition)` and their like.
    fn along(&mut self, call: &Call, fold: Fold, scope: &MatchScope) -> Bind<Expr> {
        let [way, value] = call.arguments.as_slice() else {
            return Err(self.error(
                "KS119",
                format!("The function '{}' expects 2 arguments.", call.name.text),
                call.name.span,
            ));
        };
        let (over, way) = match &way.value.kind {
            ExpressionKind::Call(Call { name, arguments, .. }) if name.text == "inner_nodes" => match &arguments[..] {
                [inner] => (Over::InnerNodes, &inner.value),
                _ => return Err(self.error("KS119", "The function 'inner_nodes' expects 1 argument.", name.span)),
            },
            _ => (Over::Edges, &way.value),
        };
        let Some(Part::Way(hop)) = named_part(way, scope) else {
            let message = "An edge of varying length is expected here: -[e*1..5]->.";
            return Err(self.error("KS107", message, way.span));
        };
        let one = if over == Over::Edges { GraphView::OneEdge } else { GraphView::OneNode };
        let row = Row { graph: Some(one), ..Row::of(scope.rows(over)) };
        let inner = match fold {
            Fold::Array => self.whole(&value.value, &row)?,
            Fold::All | Fold::Any => self.predicate(&value.value, &row)?,
        };
        if !inner.late().is_empty() {
            return Err(self.unsupported(&format!("'toscalar' inside of '{}'", call.name.text), value.span));
        }
        Ok(self.lift(scope, Output::Along { hop, over, value: inner, fold }, false))
    }

    /// What is known of a node beside its properties.
    fn of_node(&mut self, call: &Call, view: GraphView, column: &str, kind: Kind) -> Bind<Expr> {
        let value = Expr::Column(column.into(), kind);
        match (self.part_of(call, view)?, view.scope()) {
            (Some(part @ Part::Node(_)), Some(scope)) => Ok(self.lifted(scope, part, value, false)),
            (None, None) if matches!(view, GraphView::OneNode) => Ok(value),
            _ => Err(self.not_a_node(call)),
        }
    }

    fn not_a_node(&mut self, call: &Call) -> crate::kql::bind::Reported {
        let span: Span = call.arguments.first().map_or(call.name.span, |a| a.span);
        self.error("KS107", format!("The function '{}' is of a node of the pattern.", call.name.text), span)
    }

    /// The part that the only argument names; none inside of `map` and its like, where it goes without saying.
    fn part_of(&mut self, call: &Call, view: GraphView) -> Bind<Option<Part>> {
        match (call.arguments.as_slice(), view.scope()) {
            ([], None) => Ok(None),
            ([argument], Some(scope)) => match named_part(&argument.value, scope) {
                Some(part) => Ok(Some(part)),
                None => Err(self.error("KS107", "A node or an edge of the pattern is expected.", argument.span)),
            },
            (_, scope) => {
                let wanted = if scope.is_some() { "1 argument" } else { "no argument here" };
                Err(self.error("KS119", format!("The function '{}' expects {wanted}.", call.name.text), call.name.span))
            }
        }
    }
}

fn named_part(expression: &Expression, scope: &MatchScope) -> Option<Part> {
    match &expression.kind {
        ExpressionKind::Name(name) => scope.part(&name.text),
        _ => None,
    }
}

//! The state of a binding, and the small steps that all of it shares.
use super::relation::{Open, Relation};
use super::scope::{Closure, ScopeId, Scopes};
use super::visible::Probe;
use super::{Answers, Bind, Bound, Key, RenderHint, Reported, Settings};
use crate::diagnostic::{Diagnostic, Fault, Span, closest};
use crate::expr::{Expr, fold};
use crate::plan::{Catalog, Node, NodeId, Plan};
use crate::types::{Kind, Name, Schema, Table, Value};
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

/// Nodes that a plan may have.
const MAX_NODES: usize = 20_000;

/// Expressions that may be bound, counting each use of a `let` and each call of a function.
const MAX_WORK: usize = 2_000_000;

/// How deep expressions, sub-queries and calls may nest together.
const MAX_DEPTH: usize = 600;

pub(super) struct Binder<'a> {
    pub catalog: &'a dyn Catalog,
    pub settings: &'a Settings<'a>,
    /// None where nothing will run: open columns stay open.
    answers: Option<&'a Answers>,
    pub plan: Plan,
    pub diagnostics: Vec<Diagnostic>,
    pub tables: Vec<String>,
    pub open: bool,
    pub results: Vec<(NodeId, Option<RenderHint>)>,
    /// Columns of the first result whose kind nobody knows.
    pub unknown: Vec<Name>,
    pub scopes: Scopes,
    pub scope: ScopeId,
    pub render: Option<RenderHint>,
    /// What `set` statements give.
    pub options: HashMap<String, Expr>,
    /// The saved functions being bound, outermost first.
    pub calling: Vec<String>,
    /// The saved functions read so far: one may be called many times.
    pub saved: HashMap<String, Rc<Closure>>,
    /// The saved functions that a check lacks; each is said once.
    pub missing: HashSet<String>,
    /// The place that is looked for in a text that is not whole.
    pub probe: Option<Probe>,
    need: Option<(Key, NodeId)>,
    instances: HashMap<u32, u32>,
    /// Names that were taken for columns of rows that may have any, by the operator being bound.
    pub assumed: Vec<Name>,
    /// The last number that a column without a name was given; a function's body counts for itself.
    pub numbered: usize,
    hidden: usize,
    depth: usize,
    work: usize,
    /// A limit was reached: it is said once.
    exhausted: bool,
}

impl<'a> Binder<'a> {
    pub fn new(catalog: &'a dyn Catalog, settings: &'a Settings<'a>, answers: Option<&'a Answers>) -> Self {
        Binder {
            catalog,
            settings,
            answers,
            plan: Plan::default(),
            diagnostics: Vec::new(),
            tables: Vec::new(),
            open: false,
            results: Vec::new(),
            unknown: Vec::new(),
            scopes: Scopes::default(),
            scope: ScopeId::default(),
            render: None,
            options: HashMap::new(),
            calling: Vec::new(),
            saved: HashMap::new(),
            missing: HashSet::new(),
            probe: None,
            need: None,
            instances: HashMap::new(),
            assumed: Vec::new(),
            numbered: 0,
            hidden: 0,
            depth: 0,
            work: 0,
            exhausted: false,
        }
    }

    /// Whether the plan is for a run, not for a check.
    pub fn runs(&self) -> bool {
        self.answers.is_some()
    }

    pub fn need(&self) -> Option<(Key, NodeId)> {
        self.need
    }

    pub fn finish(mut self) -> Bound {
        let late: Vec<Diagnostic> = self.scopes.unsaid().flat_map(|b| b.diagnostics.clone()).collect();
        self.diagnostics.extend(late);
        let mut diagnostics: Vec<Diagnostic> = Vec::new();
        for said in self.diagnostics {
            let same = |d: &Diagnostic| d.span == said.span && d.code == said.code && d.message == said.message;
            if !diagnostics.iter().any(same) {
                diagnostics.push(said);
            }
        }
        diagnostics.sort_by_key(|d| d.span.map(|s| (s.start, s.end)));
        Bound {
            results: self.results,
            plan: self.plan,
            diagnostics,
            tables: self.tables,
            open: self.open,
            unknown: self.unknown,
        }
    }

    pub fn say(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    pub fn error(&mut self, code: &'static str, message: impl Into<String>, span: Span) -> Reported {
        self.say(Diagnostic::error(code, message).at(span));
        Reported
    }

    /// An error that offers the nearest of the names that would do.
    pub fn unknown<'n>(
        &mut self,
        code: &'static str,
        what: &str,
        name: &str,
        span: Span,
        known: impl IntoIterator<Item = &'n str>,
    ) -> Reported {
        let mut said =
            Diagnostic::error(code, format!("The name '{name}' does not refer to any known {what}.")).at(span);
        if let Some(near) = closest(name, known) {
            said = said.help(format!("did you mean '{near}'?"));
        }
        self.say(said);
        Reported
    }

    /// A help for what was said last, where it has none.
    pub fn or_help(&mut self, help: &str) {
        if let Some(last) = self.diagnostics.last_mut() {
            last.help.get_or_insert_with(|| help.to_owned());
        }
    }

    pub fn unsupported(&mut self, what: &str, span: Span) -> Reported {
        self.error("HP120", format!("{what} is not supported yet"), span)
    }

    /// A fault of the catalog or of a kernel, at the place that caused it.
    pub fn fault(&mut self, fault: &Fault, span: Span) -> Reported {
        for said in fault.diagnostics() {
            let mut said = said.clone();
            said.span.get_or_insert(span);
            self.say(said);
        }
        Reported
    }

    /// Goes one level deeper; [`Self::leave`] must follow where this succeeds.
    pub fn enter(&mut self, span: Span) -> Bind<()> {
        self.spend(1, span)?;
        if self.depth >= MAX_DEPTH {
            return Err(self.exhaust("the query is nested too deeply", span));
        }
        self.depth += 1;
        Ok(())
    }

    pub fn leave(&mut self) {
        self.depth = self.depth.saturating_sub(1);
    }

    /// Counts parts, so that functions of functions cannot grow without bound.
    pub fn spend(&mut self, parts: usize, span: Span) -> Bind<()> {
        self.work = self.work.saturating_add(parts);
        if self.work > MAX_WORK {
            return Err(self.exhaust("the query is too large once its functions are written out", span));
        }
        if self.plan.len() > MAX_NODES {
            return Err(self.exhaust("the query has too many steps once its functions are written out", span));
        }
        Ok(())
    }

    fn exhaust(&mut self, message: &str, span: Span) -> Reported {
        if !std::mem::replace(&mut self.exhausted, true) {
            self.error("HP310", message, span);
        }
        Reported
    }

    /// A name that no query can write.
    pub fn hidden(&mut self, what: &str) -> Name {
        self.hidden += 1;
        format!("${what}{}", self.hidden).into()
    }

    pub fn folded(&self, expr: Expr) -> Expr {
        fold(expr, self.settings.context)
    }

    pub fn constant(&self, expr: &Expr) -> Option<Value> {
        match expr {
            Expr::Const(value) => Some(value.clone()),
            Expr::Column(..) | Expr::Late(..) => None,
            other => match self.folded(other.clone()) {
                Expr::Const(value) => Some(value),
                _ => None,
            },
        }
    }

    /// The relation of a new node over `input` with the schema it has now.
    pub fn over(&mut self, input: &Relation, node: Node, schema: Schema) -> Relation {
        let node = self.plan.add(node, schema.clone());
        let unknown = input.unknown.iter().filter(|name| schema.kind(name) == Some(Kind::Dynamic)).cloned().collect();
        Relation { open: input.open, unknown, ..Relation::new(node, schema) }
    }

    /// The same columns over a node that only chooses or orders rows.
    pub fn same_columns(&mut self, input: &Relation, node: Node) -> Relation {
        let node = self.plan.add(node, input.schema.clone());
        Relation { node, ..input.clone() }
    }

    /// A relation of these columns and no others, closed.
    pub fn project(&mut self, input: &Relation, columns: Vec<(Name, Expr)>) -> Relation {
        let schema: Schema = columns.iter().map(|(name, e)| (name.clone(), e.kind())).collect();
        let mut out = self.over(input, Node::Project { input: input.node, columns: columns.clone() }, schema);
        out.unknown = self.unknown_among(input, &columns);
        if out.open == Open::Any {
            out.open = Open::Closed;
        }
        out
    }

    pub fn extend(&mut self, input: &Relation, columns: Vec<(Name, Expr)>) -> Relation {
        if columns.is_empty() {
            return input.clone();
        }
        let mut schema = input.schema.clone();
        columns.iter().for_each(|(name, e)| schema.set(name.clone(), e.kind()));
        let fresh = self.unknown_among(input, &columns);
        let mut out = self.over(input, Node::Extend { input: input.node, columns: columns.clone() }, schema);
        out.unknown.retain(|name| !columns.iter().any(|(n, _)| n == name));
        out.unknown.extend(fresh);
        out
    }

    fn unknown_among(&self, input: &Relation, columns: &[(Name, Expr)]) -> Vec<Name> {
        let unknown = columns.iter().filter(|(_, e)| is_unknown(e, input));
        unknown.map(|(name, _)| name.clone()).collect()
    }

    /// Rows that nothing is known of: what a part stands for that was reported.
    pub fn nothing(&mut self) -> Relation {
        let table = Table::from_rows(Schema::default(), &[]);
        let node = self.plan.add(Node::Values(table), Schema::default());
        Relation::new(node, Schema::default()).broken()
    }

    /// Rows known already.
    pub fn values(&mut self, table: Table) -> Relation {
        let schema = table.schema().clone();
        let node = self.plan.add(Node::Values(table), schema.clone());
        Relation::new(node, schema)
    }

    /// The result of a plan whose columns depend on data; none where it is not there (yet).
    pub fn answer(&mut self, node: NodeId, span: Span) -> Option<Table> {
        self.open = true;
        self.answered(node, span)
    }

    /// The result of a plan that must be known to go on; none where it is not there (yet).
    pub fn answered(&mut self, node: NodeId, span: Span) -> Option<Table> {
        let answers = self.answers?;
        if self.plan.hangs_on_argument(node) {
            self.unsupported("what depends on data first, inside of 'mv-apply' or 'partition'", span);
            return None;
        }
        let instance = self.instances.entry(span.start).or_default();
        let key = (span.start, *instance);
        *instance += 1;
        if let Some(table) = answers.get(&key) {
            return Some(table.clone());
        }
        self.need.get_or_insert((key, node));
        None
    }
}

/// Whether nobody knows the expression's kind: it comes from a column of an open table.
pub(super) fn is_unknown(expr: &Expr, input: &Relation) -> bool {
    if expr.kind() != Kind::Dynamic {
        return false;
    }
    match expr {
        // An unknown name of an open table is a null; a null of a closed one was written.
        Expr::Const(value) => value.is_null() && input.is_open(),
        Expr::Column(name, _) => input.unknown.contains(name),
        Expr::Call { function, arguments, .. } if function.name == ".path" => {
            arguments.first().is_some_and(|a| is_unknown(a, input))
        }
        Expr::Case { branches, otherwise, .. } => {
            is_unknown(otherwise, input) || branches.iter().any(|(_, v)| is_unknown(v, input))
        }
        Expr::Coalesce(parts, _) => parts.iter().any(|p| is_unknown(p, input)),
        _ => false,
    }
}

//! The operators of a pipeline, one struct each with all its options.
use super::{
    BagExpansion, Call, Column, ColumnDeclaration, Expression, GraphMarkComponents, GraphMatch, GraphShortestPaths,
    GraphToTable, JoinKind, MakeGraph, Name, NamePattern, NullsOrder, Parameter, ParseKind, Pipeline, Rename,
    ReorderItem, RowSchema, SearchKind, SortKey, SortOrder, Spanned, Statement, TypeName, UnionKind,
};
use crate::diagnostic::Span;

#[derive(Clone, Debug, PartialEq)]
pub struct Operator {
    /// As written: `mvexpand`, `order`, `filter`.
    pub name: Name,
    pub kind: OperatorKind,
    /// Without the pipe before it.
    pub span: Span,
}

/// The large ones are boxed.
#[derive(Clone, Debug, PartialEq)]
pub enum OperatorKind {
    /// `where`, `filter`
    Where(Where),
    Extend(Extend),
    Project(Project),
    ProjectAway(ProjectPatterns),
    ProjectKeep(ProjectPatterns),
    ProjectRename(ProjectRename),
    ProjectReorder(ProjectReorder),
    ProjectByNames(ProjectByNames),
    Summarize(Box<Summarize>),
    Distinct(Distinct),
    Top(Box<Top>),
    TopNested(TopNested),
    TopHitters(Box<TopHitters>),
    /// `sort`, `order`
    Sort(Sort),
    /// `take`, `limit`
    Take(Take),
    Sample(Sample),
    SampleDistinct(Box<SampleDistinct>),
    Count(Count),
    Join(Join),
    Lookup(Lookup),
    Union(Union),
    /// `mv-expand`, `mvexpand`
    MvExpand(Box<MvExpand>),
    /// `mv-apply`, `mvapply`
    MvApply(Box<MvApply>),
    /// `parse`, `parse-where`
    Parse(Box<Parse>),
    ParseKv(ParseKv),
    MakeSeries(Box<MakeSeries>),
    Evaluate(Evaluate),
    Search(Search),
    Find(Box<Find>),
    Serialize(Serialize),
    As(As),
    Consume(Consume),
    Render(Render),
    Invoke(Invoke),
    GetSchema,
    Scan(Box<Scan>),
    Partition(Box<Partition>),
    Fork(Fork),
    Facet(Facet),
    Reduce(Reduce),
    MakeGraph(Box<MakeGraph>),
    GraphMatch(Box<GraphMatch>),
    GraphShortestPaths(Box<GraphShortestPaths>),
    GraphMarkComponents(GraphMarkComponents),
    GraphToTable(GraphToTable),
    ExecuteAndCache,
    AssertSchema(RowSchema),
    Print(Print),
    Range(Box<Range>),
    /// Unknown, unsupported or too broken to be read: this was reported.
    Unknown,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Where {
    pub parameters: Vec<Parameter>,
    pub predicate: Expression,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Extend {
    pub columns: Vec<Column>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Project {
    pub columns: Vec<Column>,
}

/// `project-away`, `project-keep`
#[derive(Clone, Debug, PartialEq)]
pub struct ProjectPatterns {
    pub patterns: Vec<NamePattern>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ProjectRename {
    pub renames: Vec<Rename>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ProjectReorder {
    pub items: Vec<ReorderItem>,
}

/// `project-by-names "a", dynamic(["b"]), "c*"`
#[derive(Clone, Debug, PartialEq)]
pub struct ProjectByNames {
    pub names: Vec<Expression>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Summarize {
    /// `hint.*`
    pub parameters: Vec<Parameter>,
    pub aggregates: Vec<Column>,
    pub keys: Vec<Column>,
    /// Whether `by` was written.
    pub has_by: bool,
    /// `by x bin=1h`, a legacy form.
    pub bin: Option<Expression>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Distinct {
    /// `hint.*`
    pub parameters: Vec<Parameter>,
    /// A lone `*` is `ExpressionKind::Star`.
    pub columns: Vec<Column>,
}

/// `top N by key`
#[derive(Clone, Debug, PartialEq)]
pub struct Top {
    pub parameters: Vec<Parameter>,
    pub count: Expression,
    pub key: SortKey,
}

#[derive(Clone, Debug, PartialEq)]
pub struct TopNested {
    pub levels: Vec<TopNestedLevel>,
}

/// `top-nested 3 of column with others = "rest" by sum(x) asc`
#[derive(Clone, Debug, PartialEq)]
pub struct TopNestedLevel {
    pub count: Option<Expression>,
    pub of: Column,
    pub others: Option<Expression>,
    pub by: Column,
    pub order: Option<SortOrder>,
    pub nulls: Option<NullsOrder>,
    pub span: Span,
}

/// `top-hitters N of column by weight`
#[derive(Clone, Debug, PartialEq)]
pub struct TopHitters {
    pub count: Expression,
    pub of: Column,
    pub by: Option<Expression>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Sort {
    pub parameters: Vec<Parameter>,
    pub keys: Vec<SortKey>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Take {
    pub parameters: Vec<Parameter>,
    pub count: Expression,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    pub parameters: Vec<Parameter>,
    pub count: Expression,
}

/// `sample-distinct N of column`
#[derive(Clone, Debug, PartialEq)]
pub struct SampleDistinct {
    pub parameters: Vec<Parameter>,
    pub count: Expression,
    pub of: Column,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Count {
    /// `count as name`
    pub name: Option<Name>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Join {
    pub kind: Option<Spanned<JoinKind>>,
    /// Everything but `kind`: `hint.*`, `withsource=` ...
    pub parameters: Vec<Parameter>,
    pub right: Expression,
    /// Conditions that must all hold: a name common to both sides, or an equation of `$left` and
    /// `$right`. `and` between conditions is flattened.
    pub on: Vec<Expression>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Lookup {
    pub kind: Option<Spanned<JoinKind>>,
    pub parameters: Vec<Parameter>,
    pub right: Expression,
    pub on: Vec<Expression>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Union {
    pub kind: Option<Spanned<UnionKind>>,
    /// `withsource=Name`
    pub with_source: Option<Name>,
    pub is_fuzzy: bool,
    /// The rest: `hint.*`.
    pub parameters: Vec<Parameter>,
    /// Names, wildcards, paths, calls, pipelines (in parentheses).
    pub tables: Vec<Expression>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct MvExpand {
    pub expansion: Option<Spanned<BagExpansion>>,
    pub with_item_index: Option<Name>,
    pub parameters: Vec<Parameter>,
    pub columns: Vec<MvColumn>,
    pub limit: Option<Expression>,
}

/// `column`, `name = expression`, either `to typeof(long)`
#[derive(Clone, Debug, PartialEq)]
pub struct MvColumn {
    pub column: Column,
    pub to: Option<TypeName>,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub struct MvApply {
    pub with_item_index: Option<Name>,
    pub parameters: Vec<Parameter>,
    pub columns: Vec<MvColumn>,
    pub limit: Option<Expression>,
    /// `id guid(...)`, an undocumented context name.
    pub context: Option<Expression>,
    /// Has no source: the rows of one array at a time.
    pub subquery: Pipeline,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Parse {
    /// `parse-where`: drops the rows that do not match.
    pub only_matching: bool,
    pub kind: Option<Spanned<ParseKind>>,
    /// `flags=` of the regex kind: letters such as `Ui`.
    pub flags: Option<Spanned<String>>,
    pub parameters: Vec<Parameter>,
    pub expression: Expression,
    pub pattern: Vec<ParsePart>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum ParsePart {
    /// `*`
    Skip(Span),
    /// A text, or a regular expression in the regex kind.
    Text(Spanned<String>),
    /// `name` or `name:kind`
    Column { name: Name, kind: Option<TypeName> },
}

/// `parse-kv expression as (a:string, ...) with (pair_delimiter=",", ...)`
#[derive(Clone, Debug, PartialEq)]
pub struct ParseKv {
    pub expression: Expression,
    pub columns: Vec<ColumnDeclaration>,
    pub properties: Vec<Parameter>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct MakeSeries {
    /// `kind=nonempty`, `hint.*`
    pub parameters: Vec<Parameter>,
    pub aggregates: Vec<SeriesColumn>,
    pub on: Column,
    pub axis: SeriesAxis,
    pub keys: Vec<Column>,
}

/// `name = aggregate default = value`
#[derive(Clone, Debug, PartialEq)]
pub struct SeriesColumn {
    pub column: Column,
    pub default: Option<Expression>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum SeriesAxis {
    /// `from start to end step size`; the ends default to those of the data.
    Steps { from: Option<Expression>, to: Option<Expression>, step: Expression },
    /// `in range(start, stop, step)`: the stop is included.
    Range { start: Expression, stop: Expression, step: Option<Expression> },
}

/// `evaluate plugin(arguments) : (schema)`
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluate {
    /// `hint.*`
    pub parameters: Vec<Parameter>,
    pub call: Call,
    pub schema: Option<RowSchema>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Search {
    pub kind: Option<Spanned<SearchKind>>,
    pub parameters: Vec<Parameter>,
    /// `in (T, Sec*)`
    pub tables: Vec<Expression>,
    /// A string literal as a term means `* has term`; `*` alone is every row.
    pub predicate: Expression,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Find {
    /// `withsource=Name`
    pub with_source: Option<Name>,
    /// `datascope=` and the rest.
    pub parameters: Vec<Parameter>,
    /// `in (T, Sec*)`
    pub tables: Vec<Expression>,
    /// Read like the predicate of `search`.
    pub predicate: Expression,
    pub projection: Option<FindProjection>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum FindProjection {
    /// `project a, b:string, pack(*)`
    Project { columns: Vec<FindColumn>, pack: Option<FindPack> },
    /// `project-smart`
    Smart,
    /// `project-away a, b*`
    Away(Vec<NamePattern>),
}

/// What the bag of `find` holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FindPack {
    /// `pack(*)`: the columns that are not named.
    Rest,
    /// `pack_all()`
    All,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FindColumn {
    pub name: Name,
    pub kind: Option<TypeName>,
}

/// `serialize`, `serialize x = row_number()`
#[derive(Clone, Debug, PartialEq)]
pub struct Serialize {
    pub columns: Vec<Column>,
}

/// `as name`
#[derive(Clone, Debug, PartialEq)]
pub struct As {
    /// `hint.materialized=true`
    pub parameters: Vec<Parameter>,
    pub name: Name,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Consume {
    /// `decodeblocks=true`
    pub parameters: Vec<Parameter>,
}

/// `render timechart with (title="x")`
#[derive(Clone, Debug, PartialEq)]
pub struct Render {
    pub chart: Name,
    /// A value may be a list of names (`ycolumns=a, b`): all of them are here.
    pub properties: Vec<RenderProperty>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct RenderProperty {
    pub name: Name,
    pub values: Vec<Expression>,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Invoke {
    /// A function, perhaps of another database.
    pub function: Expression,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Scan {
    pub with_match_id: Option<Name>,
    pub parameters: Vec<Parameter>,
    pub partition_by: Vec<Expression>,
    pub order_by: Vec<SortKey>,
    pub declare: Vec<ScanDeclaration>,
    pub steps: Vec<ScanStep>,
}

/// `name:kind = default`
#[derive(Clone, Debug, PartialEq)]
pub struct ScanDeclaration {
    pub column: ColumnDeclaration,
    pub default: Option<Expression>,
}

/// `step name optional output=last: condition => a = x, b = y`
#[derive(Clone, Debug, PartialEq)]
pub struct ScanStep {
    pub name: Name,
    pub optional: bool,
    pub output: Option<Spanned<ScanOutput>>,
    pub condition: Expression,
    pub assignments: Vec<Column>,
    pub span: Span,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScanOutput {
    All,
    Last,
    None,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Partition {
    /// `hint.strategy=native` ...
    pub parameters: Vec<Parameter>,
    pub by: Expression,
    pub body: PartitionBody,
}

#[derive(Clone, Debug, PartialEq)]
pub enum PartitionBody {
    /// `(subquery)`: has no source, its rows are the partition's.
    Subquery(Pipeline),
    /// `{query}`: names its source itself (`toscalar` of the partition's key).
    Query(Vec<Statement>),
}

#[derive(Clone, Debug, PartialEq)]
pub struct Fork {
    pub branches: Vec<ForkBranch>,
}

/// `name=(subquery)`
#[derive(Clone, Debug, PartialEq)]
pub struct ForkBranch {
    pub name: Option<Name>,
    pub subquery: Pipeline,
    pub span: Span,
}

/// `facet by a, b with (subquery)`
#[derive(Clone, Debug, PartialEq)]
pub struct Facet {
    pub by: Vec<Expression>,
    pub with: Option<Pipeline>,
}

/// `reduce by column with threshold=0.1, characters="-"`
#[derive(Clone, Debug, PartialEq)]
pub struct Reduce {
    pub parameters: Vec<Parameter>,
    pub by: Expression,
    pub with: Vec<Parameter>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Print {
    pub columns: Vec<Column>,
}

/// `range name from start to stop step size`
#[derive(Clone, Debug, PartialEq)]
pub struct Range {
    pub name: Name,
    pub from: Expression,
    pub to: Expression,
    pub step: Expression,
}

//! `externaldata`: the data that stand for a URL, in the columns that the query declares.
//!
//! Source: the page "externaldata operator".
use super::Bind;
use super::binder::Binder;
use super::relation::Relation;
use super::tables::declared;
use crate::diagnostic::{Diagnostic, Span};
use crate::expr::Expr;
use crate::functions::json_path;
use crate::kql::ast::{ExpressionKind, Externaldata, Parameter};
use crate::plan::{ExternalForm, Node, TextForm};
use crate::types::json::PathStep;
use crate::types::{Json, Kind, Name, Schema, Table, Value, json};

/// Where a column is found in the data.
enum Origin {
    /// A property of a record, and the way from there.
    Path(Name, Vec<PathStep>),
    /// The place among the cells of a record.
    Ordinal(usize),
    /// The record as a whole: `$`.
    Record,
}

/// What the properties of `externaldata` say.
#[derive(Default)]
struct Properties {
    form: ExternalForm,
    /// By column.
    mapping: Vec<(Name, Origin)>,
}

impl Binder<'_> {
    pub fn externaldata(&mut self, data: &Externaldata, span: Span) -> Bind<Relation> {
        let schema = declared(data.columns.iter().map(|c| (&c.name, c.kind.kind)));
        let properties = self.external_properties(&data.properties)?;
        let wanted = if properties.mapping.is_empty() { schema.clone() } else { mapped_schema(&schema, &properties) };
        let mut legs = Vec::new();
        for location in &data.locations {
            let url = self.constant_of(location)?.to_text();
            match self.catalog.external(&url, &wanted, &properties.form) {
                Ok(Some(source)) => {
                    let schema = source.schema().clone();
                    legs.push(self.plan.add(Node::Scan { name: url.into(), source }, schema));
                }
                Ok(None) if self.settings.open_tables => {}
                Ok(None) => return Err(self.no_external(&url, span)),
                Err(fault) => return Err(self.fault(&fault, span)),
            }
        }
        let rows = match legs.as_slice() {
            [] => return Ok(self.values(Table::from_rows(schema, &[]))),
            [one] => Relation::new(*one, self.plan.schema(*one).clone()),
            _ => {
                let node = self.plan.add(Node::Union { inputs: legs }, wanted.clone());
                Relation::new(node, wanted)
            }
        };
        if properties.mapping.is_empty() { Ok(rows) } else { self.mapped(&rows, &schema, &properties, span) }
    }

    fn no_external(&mut self, url: &str, span: Span) -> super::Reported {
        let bare = url.split(['?', ';']).next().unwrap_or("");
        let said = Diagnostic::error("HP123", format!("no data is given for externaldata '{bare}'"));
        let help = format!("give it with externaldata={{\"{bare}\": …}}: the network is never used");
        self.say(said.at(span).help(help));
        super::Reported
    }

    fn external_properties(&mut self, written: &[Parameter]) -> Bind<Properties> {
        let mut properties = Properties::default();
        for property in written {
            let value = match &property.value.kind {
                ExpressionKind::Name(name) => Value::string(name.text.as_str()),
                _ => self.constant_of(&property.value)?,
            };
            let text = value.to_text();
            match property.name.text.to_ascii_lowercase().as_str() {
                "format" => match text.to_ascii_lowercase().as_str() {
                    "txt" => properties.form.text = Some(TextForm::Lines),
                    "raw" => properties.form.text = Some(TextForm::Whole),
                    _ => properties.form.format = Some(text),
                },
                "ignorefirstrecord" => properties.form.skips_first = text.eq_ignore_ascii_case("true"),
                "ingestionmapping" => match mapping(&text) {
                    Some(mapping) => properties.mapping = mapping,
                    None => {
                        let message = "An array of columns with a path or an ordinal is expected.";
                        return Err(self.error("HP135", message, property.value.span));
                    }
                },
                "ingestionmappingreference" => {
                    return Err(self.unsupported("a stored ingestion mapping", property.span));
                }
                // What else there is tells how to reach or to keep the data.
                _ => {}
            }
        }
        Ok(properties)
    }

    /// The declared columns, each from where the mapping says.
    fn mapped(&mut self, rows: &Relation, schema: &Schema, properties: &Properties, span: Span) -> Bind<Relation> {
        let mut columns = Vec::with_capacity(schema.len());
        for (name, kind) in schema.columns() {
            let value = match properties.mapping.iter().find(|(column, _)| column == name).map(|(_, origin)| origin) {
                Some(Origin::Path(top, steps)) => {
                    let top = Expr::Column(top.clone(), rows.schema.kind(top).unwrap_or(Kind::Dynamic));
                    if steps.is_empty() { top } else { self.call_item(".path", vec![top, path_of(steps)], span)? }
                }
                Some(Origin::Ordinal(at)) => Expr::Column(ordinal(*at), Kind::String),
                Some(Origin::Record) => {
                    return Err(self.unsupported("the path '$', a record as a whole,", span));
                }
                None => Expr::Const(Value::null(*kind)),
            };
            columns.push((name.clone(), self.converted(value, *kind, span)?));
        }
        Ok(self.project(rows, columns))
    }
}

/// The columns that the data must be read with.
fn mapped_schema(declared: &Schema, properties: &Properties) -> Schema {
    let mut schema = Schema::default();
    let most = properties.mapping.iter().filter_map(|(_, origin)| match origin {
        Origin::Ordinal(at) => Some(*at),
        Origin::Path(..) | Origin::Record => None,
    });
    (0..most.max().map_or(0, |most| most + 1)).for_each(|at| schema.set(ordinal(at), Kind::String));
    for (column, origin) in &properties.mapping {
        if let Origin::Path(top, steps) = origin {
            // What a way leads through, or what two columns are made of, is read as it is.
            let kind = if steps.is_empty() { declared.kind(column) } else { None };
            let kind = if schema.contains(top) { None } else { kind };
            schema.set(top.clone(), kind.unwrap_or(Kind::Dynamic));
        }
    }
    schema
}

fn ordinal(at: usize) -> Name {
    format!("$cell{at}").into()
}

fn path_of(steps: &[PathStep]) -> Expr {
    let mut list = json::Writer::default();
    list.begin_array();
    for step in steps {
        match step {
            PathStep::Key(key) => list.string(key),
            PathStep::Index(index) => list.long(*index),
        };
    }
    list.end_array();
    Expr::Const(Value::dynamic(list.finish()))
}

/// `[{"Column": "a", "Properties": {"Path": "$.x.y"}}]`, or `"Ordinal"` in place of the path; both may stand beside
/// the column's name, too.
fn mapping(text: &str) -> Option<Vec<(Name, Origin)>> {
    const MOST: usize = 10_000;
    let text = json::parse_json(text)?;
    let array = Json::new(&text);
    let entry = |item: Json| -> Option<(Name, Origin)> {
        let entries: Vec<(String, String)> =
            item.entries().map(|(key, value)| (key.to_ascii_lowercase(), value.text().to_owned())).collect();
        let own = |name: &str| entries.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
        let inside = own("properties").map(|text| {
            let pairs =
                Json::new(&text).entries().map(|(key, value)| (key.to_ascii_lowercase(), value.text().to_owned()));
            pairs.collect::<Vec<_>>()
        });
        let inside = inside.unwrap_or_default();
        let found = |name: &str| {
            let inside = inside.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
            inside.or_else(|| own(name)).map(|value| json::to_string(&value).into_owned())
        };
        let column = found("column").or_else(|| found("name"))?;
        let origin = match (found("path"), found("ordinal")) {
            (Some(path), _) => {
                let mut steps = json_path(&path)?.into_iter();
                match steps.next() {
                    None => Origin::Record,
                    Some(PathStep::Key(top)) => Origin::Path(top.as_ref().into(), steps.collect()),
                    Some(PathStep::Index(_)) => return None,
                }
            }
            (None, Some(at)) => Origin::Ordinal(at.parse().ok().filter(|at| *at < MOST)?),
            (None, None) => return None,
        };
        Some((column.as_str().into(), origin))
    };
    let mapping: Option<Vec<(Name, Origin)>> = array.elements().map(entry).collect();
    mapping.filter(|mapping| !mapping.is_empty())
}

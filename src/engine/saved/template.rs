//! Saved searches of ARM templates and of a workspace's export: what solutions deploy their functions as.
use super::{Saved, written};
use crate::diagnostic::{Fault, Result, Source};
use serde_json::Value;
use std::path::Path;
use std::sync::Arc;

/// Every saved search with a function's alias, however deep the template holds it.
pub(super) fn functions(path: &Path, text: &str) -> Result<Vec<Saved>> {
    let document: Value = serde_json::from_str(text)
        .map_err(|error| Fault::data("HP420", format!("{}: not JSON: {error}", path.display())))?;
    let mut found = Vec::new();
    let mut open = vec![&document];
    while let Some(value) = open.pop() {
        found.extend(saved(path, value));
        // The last one pushed is looked at first: the order of the file.
        match value {
            Value::Object(fields) => open.extend(fields.values().rev()),
            Value::Array(items) => open.extend(items.iter().rev()),
            _ => {}
        }
    }
    Ok(found)
}

fn saved(path: &Path, properties: &Value) -> Option<Saved> {
    let field = |name: &str| properties.get(name).and_then(Value::as_str).filter(|t| !t.trim().is_empty());
    let (name, query) = (field("functionAlias")?, field("query")?);
    let text = written(field("functionParameters").map(str::to_owned), query);
    let source = Source { text, origin: path.display().to_string(), first_line: 1, indent: 0 };
    Some(Saved { names: vec![name.to_owned()], source: Arc::new(source) })
}

//! Dynamic property bags.
use super::Context;
use super::items::{array, json_rows};
use super::row::{Any, Dyn, JsonOut, Str, each_text};
use super::text_lists::lists_of;
use crate::diagnostic::{Fault, Result};
use crate::types::json::{JsonKind, MAX_DEPTH, Writer};
use crate::types::{Column, Dynamic, Json, Kind, Value, convert, json};

/// The JSON of a bag; none for any other value.
fn bag<'a>(value: Dynamic<'a>) -> Option<Json<'a>> {
    match value {
        Dynamic::Json(text) if value.is_bag() => Some(Json::new(text)),
        _ => None,
    }
}

fn bag_keys(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let value = args.first().ok_or_else(|| Fault::internal("the keys of nothing"))?;
    lists_of(args, value, rows, |row, lists| match Dynamic::of(value, row).and_then(bag) {
        Some(bag) => {
            bag.keys(|key| lists.push(row, key));
            lists.end()
        }
        None => lists.end_null(),
    })
}

/// Keys and values by turns; a key that comes again replaces the value.
fn bag_pack(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    if let Some(properties) = Properties::of(args) {
        return Ok(properties.written(Kind::Dynamic, args, rows));
    }
    Ok(json_rows(args, rows, |row| {
        let pairs = args.chunks_exact(2).filter_map(|pair| match pair {
            [key, value] => Some((key.value(row).to_text(), value.value(row).to_json())),
            _ => None,
        });
        Some(write(pairs))
    }))
}

/// `tostring(bag_pack(…))`, in one go where the bag's text is standard JSON as it is.
pub(super) fn text_of_packed(context: &Context, args: &[Column], rows: usize) -> Result<Column> {
    match Properties::of(args).filter(|_| args.iter().all(is_standard)) {
        Some(properties) => Ok(properties.written(Kind::String, args, rows)),
        None => Ok(convert::lenient(&bag_pack(context, args, rows)?, Kind::String)),
    }
}

/// Whether values inside of a dynamic are written as `tostring` writes them.
pub(super) fn is_standard(column: &Column) -> bool {
    matches!(column.kind(), Kind::Bool | Kind::Int | Kind::Long | Kind::String)
}

/// The values of constant keys that all differ, each with what is written before it.
struct Properties<'a>(Vec<(String, &'a Column)>);

impl<'a> Properties<'a> {
    fn of(args: &'a [Column]) -> Option<Properties<'a>> {
        let (mut seen, mut properties) = (Vec::new(), Vec::new());
        for pair in args.chunks_exact(2) {
            let Column::Const(Value::Text(Kind::String, key), _) = &pair[0] else { return None };
            if seen.contains(&key) {
                return None;
            }
            let mut before = String::from(if seen.is_empty() { "{" } else { "," });
            json::quote(key, &mut before);
            before.push(':');
            properties.push((before, &pair[1]));
            seen.push(key);
        }
        (!properties.is_empty()).then_some(Properties(properties))
    }

    fn written(&self, kind: Kind, args: &[Column], rows: usize) -> Column {
        each_text(kind, args, rows, |row, out| {
            for (before, value) in &self.0 {
                out.push_str(before);
                value.write_json(row, out);
            }
            out.push('}');
            true
        })
    }
}

/// A bag of the properties, each name once, at its first place with its last value.
fn write(pairs: impl Iterator<Item = (String, String)>) -> String {
    let mut kept: Vec<(String, String)> = Vec::new();
    for (key, value) in pairs {
        match kept.iter_mut().find(|(known, _)| *known == key) {
            Some(known) => known.1 = value,
            None => kept.push((key, value)),
        }
    }
    let mut writer = Writer::default();
    writer.begin_bag();
    for (key, value) in &kept {
        writer.key(key).raw(value);
    }
    writer.end_bag();
    writer.finish()
}

/// All properties, those of bags to the left before those to the right. What is no bag is passed over.
fn bag_merge(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    Ok(json_rows(args, rows, |row| {
        let bags: Vec<Json> = args.iter().filter_map(|a| bag(Dynamic::of(a, row)?)).collect();
        if bags.is_empty() {
            return None;
        }
        let mut seen = std::collections::HashSet::new();
        let mut writer = Writer::default();
        writer.begin_bag();
        for (key, value) in bags.iter().flat_map(Json::entries) {
            if seen.insert(key.to_string()) {
                writer.key(&key).raw(value.text());
            }
        }
        writer.end_bag();
        Some(writer.finish())
    }))
}

/// The steps of a key: one, or those of a JSON path `$.a.b`.
fn steps(key: &str) -> Vec<String> {
    let Some(path) = key.strip_prefix("$.").or_else(|| key.strip_prefix('$').filter(|rest| rest.starts_with('[')))
    else {
        return vec![key.to_owned()];
    };
    let (mut steps, mut step, mut quoted) = (Vec::new(), String::new(), None);
    for letter in path.chars() {
        match (quoted, letter) {
            (Some(quote), _) if letter == quote => quoted = None,
            (Some(_), _) => step.push(letter),
            (None, '\'' | '"') => quoted = Some(letter),
            (None, '.' | '[' | ']') if !step.is_empty() => steps.push(std::mem::take(&mut step)),
            (None, '.' | '[' | ']') => {}
            (None, _) => step.push(letter),
        }
    }
    if !step.is_empty() {
        steps.push(step);
    }
    steps
}

/// The bag without what the paths name.
fn without(value: Json, paths: &[Vec<String>], depth: usize) -> String {
    if value.kind() != JsonKind::Object || paths.is_empty() || depth > MAX_DEPTH {
        return value.text().to_owned();
    }
    let mut writer = Writer::default();
    writer.begin_bag();
    for (key, property) in value.entries() {
        let below: Vec<&[String]> = paths
            .iter()
            .filter_map(|path| path.split_first().filter(|(first, _)| *first == &*key))
            .map(|(_, rest)| rest)
            .collect();
        if below.iter().any(|rest| rest.is_empty()) {
            continue;
        }
        let below: Vec<Vec<String>> = below.into_iter().map(<[String]>::to_vec).collect();
        writer.key(&key).raw(&without(property, &below, depth + 1));
    }
    writer.end_bag();
    writer.finish()
}

/// The bag with a value at the end of a path; bags on the way are made where there are none.
fn with(value: Option<Json>, path: &[String], new: &str) -> String {
    let Some((first, rest)) = path.split_first() else { return new.to_owned() };
    let entries = value.filter(|v| v.kind() == JsonKind::Object).into_iter().flat_map(|v| v.entries());
    let (mut writer, mut found) = (Writer::default(), false);
    writer.begin_bag();
    for (key, property) in entries {
        match key == first.as_str() {
            true => {
                found = true;
                writer.key(&key).raw(&with(Some(property), rest, new));
            }
            false => {
                writer.key(&key).raw(property.text());
            }
        }
    }
    if !found {
        writer.key(first).raw(&with(None, rest, new));
    }
    writer.end_bag();
    writer.finish()
}

/// The paths of all leaves, in order; only the first element of an array is gone into.
fn tree_paths(value: Json, path: &str, depth: usize, out: &mut Vec<String>) {
    if depth > MAX_DEPTH {
        return;
    }
    let mut visit = |step: String, child: Json| {
        let path = format!("{path}{step}");
        match child.kind() {
            JsonKind::Object => tree_paths(child, &path, depth + 1, out),
            _ => {
                out.push(path.clone());
                tree_paths(child, &path, depth + 1, out);
            }
        }
    };
    for (key, child) in value.entries() {
        visit(format!("['{key}']"), child);
    }
    // What the elements of an array hold is described once, by element 0.
    let mut elements = value.elements();
    if let Some(first) = elements.next() {
        visit("[0]".into(), first);
        if let Some(bag) = elements.find(|e| e.kind() == JsonKind::Object) {
            tree_paths(bag, &format!("{path}[0]"), depth + 1, out);
        }
    }
}

crate::scalars! {
    /// Whether a bag has a property; `$.a.b` looks inside.
    ///
    /// Source: bag-has-key-function.
    ///
    /// ```kql
    /// bag_has_key(dynamic({"key1": 123}), "key1") // true
    /// bag_has_key(dynamic({"key1": {"a": 1}}), "$.key1.b") // false
    /// ```
    kql fn bag_has_key (bag: Dyn, key: Str) -> Option<bool> {
        let found = steps(key).iter().try_fold(super::bag::bag(bag)?, |value, step| value.get(step));
        Some(found.is_some())
    }

    /// The bag without some properties; `$.a.b` names one inside.
    ///
    /// Source: bag-remove-keys-function.
    ///
    /// ```kql
    /// bag_remove_keys(dynamic({"key1": 123, "key2": "abc"}), dynamic(["key2", "key4"])) // {"key1":123}
    /// ```
    kql fn bag_remove_keys (bag: Dyn, keys: Dyn) -> Option<JsonOut> {
        let paths: Vec<Vec<String>> = keys.texts()?.iter().map(|key| steps(key)).collect();
        Some(JsonOut(without(super::bag::bag(bag)?, &paths, 0)))
    }

    /// The bag with a property set; `$.a.b` sets one inside.
    ///
    /// Source: bag-set-key-function.
    ///
    /// ```kql
    /// bag_set_key(dynamic({"key1": 1}), "key3", 3) // {"key1":1,"key3":3}
    /// bag_set_key(dynamic({"key1": 1}), "$.key2.prop1", "abc") // {"key1":1,"key2":{"prop1":"abc"}}
    /// ```
    kql fn bag_set_key (bag: Dyn, key: Str, value: Any) -> Option<JsonOut> {
        let path = steps(key);
        (path.len() < MAX_DEPTH).then_some(())?;
        Some(JsonOut(with(Some(super::bag::bag(bag)?), &path, &value.to_json())))
    }

    /// A bag of the names of one array and the values of another, null for names without a value.
    ///
    /// Source: bag-zip-function.
    ///
    /// ```kql
    /// bag_zip(dynamic(["a", "b"]), dynamic([1, 2])) // {"a":1,"b":2}
    /// bag_zip(dynamic(["a", "b"]), dynamic([1])) // {"a":1,"b":null}
    /// bag_zip(dynamic(["a", "b"]), dynamic(1)) // {"a":null,"b":null}
    /// ```
    kql fn bag_zip (keys: Dyn, values: Dyn) -> Option<JsonOut> {
        let values = super::items::items(values).unwrap_or_default();
        let keys = keys.elements()?;
        let pairs = keys.iter().enumerate().filter(|(_, key)| key.kind() == Kind::String).map(|(at, key)| {
            (key.to_text(), values.get(at).map_or("null".to_owned(), |value| value.to_string()))
        });
        Some(JsonOut(write(pairs)))
    }

    /// The paths to the leaves of a bag or an array.
    ///
    /// Source: treepath-function.
    ///
    /// ```kql
    /// treepath(dynamic({"a": "b", "c": 123})) // ["['a']","['c']"]
    /// treepath(dynamic({"prop1": [1, 2, 3, 4], "prop2": "value2"})) // ["['prop1']","['prop1'][0]","['prop2']"]
    /// ```
    kql fn treepath (object: Dyn) -> Option<JsonOut> {
        let text = object.to_json();
        let mut paths = Vec::new();
        tree_paths(Json::new(&text), "", 0, &mut paths);
        Some(JsonOut(array(paths.iter().map(|path| Value::string(path.as_str()).to_json()))))
    }

    /// The value as JSON in one spelling: properties sorted by name. Any other kind as `tostring` gives it.
    ///
    /// Source: dynamic-to-json-function.
    ///
    /// ```kql
    /// dynamic_to_json(dynamic({"b": 1, "a": [2]})) // {"a":[2],"b":1}
    /// ```
    kql fn dynamic_to_json (value: Any) -> String {
        match &value {
            Value::Text(Kind::Dynamic, text) => json::standard(&json::canonical(text)).into_owned(),
            other => other.to_text(),
        }
    }
}

crate::kernels! {
    /// The names of a bag's properties, in their order; null for anything but a bag.
    ///
    /// Source: bag-keys-function.
    ///
    /// ```kql
    /// bag_keys(dynamic({"a": "b", "c": 123})) // ["a","c"]
    /// bag_keys(dynamic([])) // null
    /// ```
    kql fn bag_keys (bag: Dynamic) -> Kind(Kind::Dynamic) = bag_keys;

    /// A bag of names and values by turns.
    ///
    /// Source: pack-function.
    ///
    /// ```kql
    /// bag_pack("Level", "Information", "ProcessID", 1234) // {"Level":"Information","ProcessID":1234}
    /// ```
    kql fn bag_pack as [pack, pack_dictionary] (key_or_value[any]: Any) -> Kind(Kind::Dynamic) = bag_pack;

    /// One bag of the properties of several; of a name that comes twice the leftmost value stays.
    ///
    /// Source: bag-merge-function.
    ///
    /// ```kql
    /// bag_merge(dynamic({"A1": 12, "B1": 2}), dynamic({"A2": 81, "A1": 1})) // {"A1":12,"B1":2,"A2":81}
    /// ```
    kql fn bag_merge (bag[repeats]: Dynamic) -> Kind(Kind::Dynamic) = bag_merge;
}

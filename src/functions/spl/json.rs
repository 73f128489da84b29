//! JSON texts: made, read, changed.
use super::json_path::{Step, edit, edit_found, find, remove, steps};
use super::{each, each_flag, each_text, is_literal, operators::flag, text_at};
use crate::diagnostic::Result;
use crate::functions::Context;
use crate::types::field::{self, FieldBuilder, Number};
use crate::types::{Column, Kind};
use serde_json::{Map, Value as Json};

fn parsed(text: &str) -> Option<Json> {
    serde_json::from_str(text).ok()
}

/// What an argument is as JSON: an object or array whose text it is, a number that a field looks like, several
/// values as an array, a text.
fn json_of(args: &[Column], at: usize, row: usize) -> Json {
    let Some(column) = args.get(at).filter(|column| !column.is_null(row)) else { return Json::Null };
    if column.kind() == Kind::Bool {
        return flag(column, row).map_or(Json::Null, Json::Bool);
    }
    if field::count(column, row) > 1 {
        return Json::Array(field::values(column, row).map(|text| Json::String(text.into_owned())).collect());
    }
    let text = field::text(column, row).unwrap_or_default().into_owned();
    if is_literal(column) {
        return Json::String(text);
    }
    let nested = text.starts_with(['{', '[']);
    match parsed(&text).filter(|_| nested || Number::read(&text).is_some()) {
        Some(json) => json,
        None => Json::String(text),
    }
}

/// The JSON of the first argument; none where it is no JSON.
fn document(args: &[Column], row: usize) -> Option<Json> {
    parsed(&text_at(args, 0, row)?)
}

/// Appends what a JSON value is as a field.
fn push(json: Option<Json>, out: &mut FieldBuilder) {
    match json {
        None | Some(Json::Null) => out.push_null(),
        Some(Json::String(text)) => out.push_text(&text),
        Some(Json::Number(number)) => match Number::read(&number.to_string()) {
            Some(read) => out.push_number(read),
            None => out.push_text(&number.to_string()),
        },
        Some(other) => out.push_text(&other.to_string()),
    }
}

fn each_json(args: &[Column], rows: usize, mut make: impl FnMut(usize) -> Option<Json>) -> Result<Column> {
    each_text(args, rows, |row| Ok(make(row).map(|json| json.to_string())))
}

/// The pairs of arguments from `first` on.
fn pairs(args: &[Column], first: usize) -> impl Iterator<Item = (usize, usize)> {
    (first..args.len().saturating_sub(1)).step_by(2).map(|at| (at, at + 1))
}

fn object(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    each_json(args, rows, |row| {
        let member = |(key, value)| Some((text_at(args, key, row)?.into_owned(), json_of(args, value, row)));
        Some(Json::Object(pairs(args, 0).map(member).collect::<Option<Map<_, _>>>()?))
    })
    .map(|column| without_arguments(args, column, rows))
}

/// An object of the members that are there.
fn row_object(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    each_json(args, rows, |row| {
        let present = |at: usize| args.get(at).is_some_and(|column| !column.is_null(row));
        let member = |(key, value)| Some((text_at(args, key, row)?.into_owned(), json_of(args, value, row)));
        Some(Json::Object(pairs(args, 0).filter(|(_, value)| present(*value)).filter_map(member).collect()))
    })
}

/// What no argument makes is the same in every row.
fn without_arguments(args: &[Column], column: Column, rows: usize) -> Column {
    if args.is_empty() && rows > 0 { Column::Const(column.value(0), rows) } else { column }
}

fn array(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    each_json(args, rows, |row| Some(Json::Array((0..args.len()).map(|at| json_of(args, at, row)).collect())))
        .map(|column| without_arguments(args, column, rows))
}

fn json(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    each_text(args, rows, |row| Ok(text_at(args, 0, row).filter(|text| parsed(text).is_some()).map(|t| t.into_owned())))
}

fn valid(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    each_flag(args, rows, |row| Ok(text_at(args, 0, row).map(|text| parsed(&text).is_some())))
}

fn has_key(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    each_flag(args, rows, |row| {
        let key = text_at(args, 1, row);
        Ok(key.zip(document(args, row)).map(|(key, json)| json.get(&*key).is_some()))
    })
}

fn isarray(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    each_flag(args, rows, |row| Ok(Some(document(args, row).is_some_and(|json| json.is_array()))))
}

fn isobject(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    each_flag(args, rows, |row| Ok(Some(document(args, row).is_some_and(|json| json.is_object()))))
}

fn keys(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    each_json(args, rows, |row| {
        let json = document(args, row)?;
        Some(Json::Array(json.as_object()?.keys().cloned().map(Json::String).collect()))
    })
}

fn entries(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let entry = |(key, value): (String, Json)| {
        Json::Object(Map::from_iter([("key".to_owned(), Json::String(key)), ("value".to_owned(), value)]))
    };
    each_json(args, rows, |row| match document(args, row)? {
        Json::Object(members) => Some(Json::Array(members.into_iter().map(entry).collect())),
        _ => None,
    })
}

/// The value at a path, or an array of all where the path takes all elements of an array.
fn at_path(json: &Json, path: &str) -> Option<Json> {
    let steps = steps(path);
    let mut found = find(json, &steps).into_iter().cloned();
    let is_root = json.is_object() && matches!(steps.as_slice(), [Step::All]);
    match steps.contains(&Step::All) && !is_root {
        true => Some(Json::Array(found.collect())),
        false => found.next(),
    }
}

/// The value itself, the one of a single key, or an array of those of several.
fn extracted(args: &[Column], rows: usize, find: impl Fn(&Json, &str) -> Option<Json>) -> Result<Column> {
    each(args, rows, |row, out| {
        let found = document(args, row).and_then(|json| match args.len() {
            1 => Some(json),
            2 => find(&json, &text_at(args, 1, row)?),
            many => {
                let all = (1..many).map(|at| text_at(args, at, row).and_then(|path| find(&json, &path)));
                Some(Json::Array(all.map(|found| found.unwrap_or(Json::Null)).collect()))
            }
        });
        push(found, out);
        Ok(())
    })
}

fn extract(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    extracted(args, rows, at_path)
}

fn extract_exact(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    extracted(args, rows, |json, key| json.get(key).cloned())
}

/// The document with every pair of a path and a value worked in.
fn changed(args: &[Column], rows: usize, mut change: impl FnMut(&mut Json, &str, Json)) -> Result<Column> {
    each_json(args, rows, |row| {
        let mut json = document(args, row)?;
        for (path, value) in pairs(args, 1) {
            change(&mut json, &text_at(args, path, row)?, json_of(args, value, row));
        }
        Some(json)
    })
}

fn set(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    changed(args, rows, |json, path, value| edit(json, &steps(path), &mut |place| *place = value.clone()))
}

fn set_exact(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    changed(args, rows, |json, key, value| {
        if let Some(members) = json.as_object_mut() {
            members.insert(key.to_owned(), value);
        }
    })
}

/// Puts values behind those of an array; what is no array becomes one.
fn put_behind(place: &mut Json, values: impl IntoIterator<Item = Json>) {
    match place {
        Json::Array(elements) => elements.extend(values),
        other => *other = Json::Array(std::iter::once(other.take()).chain(values).collect()),
    }
}

fn append(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    changed(args, rows, |json, path, value| {
        edit_found(json, &steps(path), &mut |place| put_behind(place, [value.clone()]));
    })
}

fn extend(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    changed(args, rows, |json, path, value| {
        let values = match value {
            Json::Array(values) => values,
            one => vec![one],
        };
        edit_found(json, &steps(path), &mut |place| put_behind(place, values.clone()));
    })
}

fn delete(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    each_json(args, rows, |row| {
        let mut json = document(args, row)?;
        for at in 1..args.len() {
            let key = text_at(args, at, row)?;
            match parsed(&key) {
                Some(Json::Array(keys)) => keys.iter().filter_map(Json::as_str).for_each(|key| remove(&mut json, key)),
                _ => remove(&mut json, &key),
            }
        }
        Some(json)
    })
}

/// Appends the elements of an array as values; texts with their quotes where they are kept.
fn push_elements(json: Option<Json>, keep: bool, out: &mut FieldBuilder) {
    let Some(Json::Array(elements)) = json else { return out.push_null() };
    out.push_several(elements.into_iter().map(|element| match element {
        Json::String(text) if !keep => text,
        other => other.to_string(),
    }));
}

fn array_to_mv(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    each(args, rows, |row, out| {
        let keep = args.get(1).and_then(|column| flag(column, row)) == Some(true);
        push_elements(document(args, row), keep, out);
        Ok(())
    })
}

fn tomv(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    each(args, rows, |row, out| {
        match args.first().filter(|column| field::count(column, row) > 1) {
            Some(column) => out.push_row(column, row),
            None => push_elements(document(args, row), true, out),
        }
        Ok(())
    })
}

/// The values of a field as an array: as texts, or as the JSON that each of them is.
fn as_array(args: &[Column], row: usize, infer: bool) -> Option<Json> {
    let column = args.first().filter(|column| !column.is_null(row))?;
    let element = |text: &str| match infer {
        true => parsed(text.trim()).unwrap_or(Json::Null),
        false => Json::String(text.to_owned()),
    };
    Some(Json::Array(field::values(column, row).map(|text| element(&text)).collect()))
}

fn mv_to_array(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    each_json(args, rows, |row| as_array(args, row, args.get(1).and_then(|column| flag(column, row)) == Some(true)))
}

fn toarray(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    each_json(args, rows, |row| match args.first().is_some_and(|column| field::count(column, row) > 1) {
        true => as_array(args, row, true),
        false => document(args, row).filter(Json::is_array),
    })
}

crate::kernels! {
    /// An object of keys and values, without those that are absent.
    ///
    /// Source: tojson.
    ///
    /// ```spl
    /// | makeresults | eval a=1 | tojson a b output_field=j | table j // {"a":1}
    /// ```
    spl fn ".json_row" (member[any]: Any) -> Kind(Kind::Field) = row_object;

    /// A JSON object of keys and values.
    ///
    /// Source: Splunk Search Reference, JSON functions.
    ///
    /// ```spl
    /// json_object("name", "maria", "age", 25) // {"name":"maria","age":25}
    /// json_object("name", json_array("maria", "arun")) // {"name":["maria","arun"]}
    /// ```
    spl fn json_object (key_or_value[any]: Any) -> Kind(Kind::Field) = object;

    /// A JSON array of values.
    ///
    /// Source: Splunk Search Reference, JSON functions.
    ///
    /// ```spl
    /// json_array("dubois", json_object("name", "patel"), true()) // ["dubois",{"name":"patel"},true]
    /// ```
    spl fn json_array (value[any]: Any) -> Kind(Kind::Field) = array;

    /// The value itself where it is JSON, else no value.
    ///
    /// Source: Splunk Search Reference, JSON functions.
    ///
    /// ```spl
    /// json("{\"a\": 1}") // {"a": 1}
    /// json("Golden Gate Bridge") //
    /// ```
    spl fn json (value: Any) -> Kind(Kind::Field) = json;

    /// Whether a text is JSON.
    ///
    /// Source: Splunk Search Reference, JSON functions.
    ///
    /// ```spl
    /// if(json_valid("[1,2]"), "yes", "no") // yes
    /// ```
    spl fn json_valid (text: Any) -> Kind(Kind::Bool) = valid;

    /// Whether a JSON object has a key of that very name.
    ///
    /// Source: Splunk Search Reference, JSON functions.
    ///
    /// ```spl
    /// if(json_has_key_exact("{\"a.b\":10}", "a.b"), "yes", "no") // yes
    /// ```
    spl fn json_has_key_exact (object: Any, key: Any) -> Kind(Kind::Bool) = has_key;

    /// Whether a text is a JSON array.
    ///
    /// Source: Splunk Search Reference, informational functions.
    ///
    /// ```spl
    /// if(isarray("[1, 2, 3]"), "yes", "no") // yes
    /// ```
    spl fn isarray (value: Any) -> Kind(Kind::Bool) = isarray;

    /// Whether a text is a JSON object.
    ///
    /// Source: Splunk Search Reference, informational functions.
    ///
    /// ```spl
    /// if(isobject("{cities: 3}"), "yes", "no") // no
    /// ```
    spl fn isobject (value: Any) -> Kind(Kind::Bool) = isobject;

    /// The keys of a JSON object, as an array.
    ///
    /// Source: Splunk Search Reference, JSON functions.
    ///
    /// ```spl
    /// json_keys("{\"name\": \"x\", \"length\": 1352}") // ["name","length"]
    /// ```
    spl fn json_keys (object: Any) -> Kind(Kind::Field) = keys;

    /// The members of a JSON object, as an array of keys and values.
    ///
    /// Source: Splunk Search Reference, JSON functions.
    ///
    /// ```spl
    /// json_entries("{\"a\": 1, \"b\": 2}") // [{"key":"a","value":1},{"key":"b","value":2}]
    /// ```
    spl fn json_entries (object: Any) -> Kind(Kind::Field) = entries;

    /// The value at a path into JSON, or an array of those at several paths. `a.b` goes into objects, `l{0}` is the
    /// first element of an array, `l{}` all of them.
    ///
    /// Source: Splunk Search Reference, JSON functions.
    ///
    /// ```spl
    /// json_extract("[{\"name\":\"London\",\"bridges\":[{\"length\":801}]}]", "{0}.bridges{0}.length") // 801
    /// json_extract("[{\"name\":\"London\"},{\"name\":\"Venice\"}]", "{}.name") // ["London","Venice"]
    /// json_extract("{\"a\":1,\"b\":\"x\"}", "a", "b", "c") // [1,"x",null]
    /// ```
    spl fn json_extract (json: Any, path[any]: Any) -> Kind(Kind::Field) = extract;

    /// The value of a key of that very name, or an array of those of several keys.
    ///
    /// Source: Splunk Search Reference, JSON functions.
    ///
    /// ```spl
    /// json_extract_exact("{\"system.splunk.path\":\"/opt/splunk/\"}", "system.splunk.path") // /opt/splunk/
    /// ```
    spl fn json_extract_exact (json: Any, key[any]: Any) -> Kind(Kind::Field) = extract_exact;

    /// JSON with values at paths: keys that are not there are made.
    ///
    /// Source: Splunk Search Reference, JSON functions.
    ///
    /// ```spl
    /// json_set("{\"a\":[1,2]}", "a{1}", 5, "b.c", "x") // {"a":[1,5],"b":{"c":"x"}}
    /// json_set("{\"a\":\"b\"}", "a.c", "d") // {"a":"b"}
    /// ```
    spl fn json_set (json: Any, path_or_value[repeats]: Any) -> Kind(Kind::Field) = set;

    /// JSON with values for keys of that very name.
    ///
    /// Source: Splunk Search Reference, JSON functions.
    ///
    /// ```spl
    /// json_set_exact(json_object(), "system.splunk.path", "/opt/splunk") // {"system.splunk.path":"/opt/splunk"}
    /// ```
    spl fn json_set_exact (json: Any, key_or_value[repeats]: Any) -> Kind(Kind::Field) = set_exact;

    /// JSON with values behind those of the arrays at paths; an array is one value.
    ///
    /// Source: Splunk Search Reference, JSON functions.
    ///
    /// ```spl
    /// json_append("{\"l\":[\"a\"]}", "l", "b") // {"l":["a","b"]}
    /// json_append("{\"l\":[\"a\"]}", "l", json_array("b", "c")) // {"l":["a",["b","c"]]}
    /// ```
    spl fn json_append (json: Any, path_or_value[repeats]: Any) -> Kind(Kind::Field) = append;

    /// JSON with the elements of arrays behind those of the arrays at paths.
    ///
    /// Source: Splunk Search Reference, JSON functions.
    ///
    /// ```spl
    /// json_extend("{\"l\":[\"a\"]}", "l", json_array("b", "c")) // {"l":["a","b","c"]}
    /// ```
    spl fn json_extend (json: Any, path_or_value[repeats]: Any) -> Kind(Kind::Field) = extend;

    /// JSON without some keys; `a.b` is the key `b` of the object at `a`.
    ///
    /// Source: Splunk Search Reference, JSON functions.
    ///
    /// ```spl
    /// json_delete("{\"a\":1,\"b\":{\"c\":2,\"d\":3}}", "a", "b.c") // {"b":{"d":3}}
    /// ```
    spl fn json_delete (json: Any, key[repeats]: Any) -> Kind(Kind::Field) = delete;

    /// The elements of a JSON array as the values of a field; texts with their quotes where the second argument is
    /// true.
    ///
    /// Source: Splunk Search Reference, JSON functions.
    ///
    /// ```spl
    /// mvjoin(json_array_to_mv("[\"a\", 2]"), " ") // a 2
    /// mvjoin(json_array_to_mv("[\"a\", 2]", true()), " ") // "a" 2
    /// ```
    spl fn json_array_to_mv (array: Any, quotes[optional]: Bool) -> Kind(Kind::Field) = array_to_mv;

    /// The elements of a JSON array as the values of a field, texts with their quotes; a field with several values as
    /// it is.
    ///
    /// Source: Splunk Search Reference, conversion functions.
    ///
    /// ```spl
    /// mvjoin(tomv(json_array("a", "b")), " ") // "a" "b"
    /// ```
    spl fn tomv (value: Any) -> Kind(Kind::Field) = tomv;

    /// The values of a field as a JSON array of texts, or of the JSON that each of them is.
    ///
    /// Source: Splunk Search Reference, multivalue eval functions.
    ///
    /// ```spl
    /// mv_to_json_array(split("a,1", ",")) // ["a","1"]
    /// mv_to_json_array(split("a,1,true", ","), true()) // [null,1,true]
    /// ```
    spl fn mv_to_json_array (values: Any, infer[optional]: Bool) -> Kind(Kind::Field) = mv_to_array;

    /// The JSON array that a text is, or that the values of a field make.
    ///
    /// Source: Splunk Search Reference, conversion functions.
    ///
    /// ```spl
    /// toarray(split("1, 2, 3", ",")) // [1,2,3]
    /// toarray("somefield") //
    /// ```
    spl fn toarray (value: Any) -> Kind(Kind::Field) = toarray;
}

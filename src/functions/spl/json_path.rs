//! Paths into JSON: `a.b`, `list{0}`, `list{}.name`.
use serde_json::{Map, Value as Json};

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    Key(String),
    Index(usize),
    /// All elements of an array.
    All,
}

/// A path with more steps leads nowhere: JSON does not nest so deep.
const DEEPEST: usize = 128;

pub fn steps(path: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    for part in path.split('.') {
        let (key, mut places) = part.split_at(part.find('{').unwrap_or(part.len()));
        if !key.is_empty() {
            steps.push(Step::Key(key.to_owned()));
        }
        while let Some((inside, rest)) = places.strip_prefix('{').and_then(|places| places.split_once('}')) {
            steps.push(inside.trim().parse().map_or(Step::All, Step::Index));
            places = rest;
        }
    }
    steps.truncate(DEEPEST);
    steps
}

/// The values at the end of a path.
pub fn find<'a>(json: &'a Json, steps: &[Step]) -> Vec<&'a Json> {
    let mut found = vec![json];
    for step in steps {
        found = match step {
            Step::Key(key) => found.into_iter().filter_map(|json| json.get(key)).collect(),
            Step::Index(index) => found.into_iter().filter_map(|json| json.as_array()?.get(*index)).collect(),
            Step::All => found.into_iter().flat_map(elements).collect(),
        };
    }
    found
}

/// The elements of an array; anything else is its own.
fn elements(json: &Json) -> Vec<&Json> {
    match json {
        Json::Array(elements) => elements.iter().collect(),
        other => vec![other],
    }
}

/// Changes the values at the end of a path, where there are any.
pub fn edit_found(json: &mut Json, steps: &[Step], change: &mut dyn FnMut(&mut Json)) {
    let Some((first, rest)) = steps.split_first() else { return change(json) };
    match (first, json) {
        (Step::Key(key), Json::Object(members)) => {
            members.get_mut(key).into_iter().for_each(|inner| edit_found(inner, rest, change));
        }
        (Step::Index(index), Json::Array(elements)) => {
            elements.get_mut(*index).into_iter().for_each(|inner| edit_found(inner, rest, change));
        }
        (Step::All, Json::Array(elements)) => elements.iter_mut().for_each(|inner| edit_found(inner, rest, change)),
        _ => {}
    }
}

/// The same, with the keys made that are not there. What is no object where a key is wanted stays as it is.
pub fn edit(json: &mut Json, steps: &[Step], change: &mut dyn FnMut(&mut Json)) {
    let Some((first, rest)) = steps.split_first() else { return change(json) };
    match (first, json) {
        (Step::Key(key), Json::Object(members)) => match members.get_mut(key) {
            Some(inner) => edit(inner, rest, change),
            None if rest.iter().all(|step| matches!(step, Step::Key(_))) => {
                let mut made = Json::Object(Map::new());
                edit(&mut made, rest, change);
                members.insert(key.clone(), made);
            }
            None => {}
        },
        (Step::Index(index), Json::Array(elements)) => {
            elements.get_mut(*index).into_iter().for_each(|inner| edit(inner, rest, change));
        }
        (Step::All, Json::Array(elements)) => elements.iter_mut().for_each(|inner| edit(inner, rest, change)),
        _ => {}
    }
}

/// Takes the key at the end of a path away.
pub fn remove(json: &mut Json, path: &str) {
    let mut steps = steps(path);
    let Some(Step::Key(last)) = steps.pop() else { return };
    edit_found(json, &steps, &mut |object| {
        if let Some(members) = object.as_object_mut() {
            members.shift_remove(&last);
        }
    });
}

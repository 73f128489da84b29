//! Lookups that the app does not hold: collections of the KV store, and lookups of other apps, which splunkd hands out.
//!
//! The search head alone may ask for them, with the key of the search's session. What such a lookup decides is therefore
//! never decided on indexers.
use super::info::Info;
use crate::diagnostic::{Fault, Result};
use crate::types::{Kind, Name, Schema, Table, Value};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value as Json;
use std::sync::Arc;

/// Asks splunkd: its address, the key of the session, a path, and what is sent. Gives the status and the text.
pub type Ask = Arc<dyn Fn(&str, &str, &str, Option<&str>) -> std::result::Result<(u16, String), String> + Send + Sync>;

/// splunkd hands out so many records at a time.
const PAGE: usize = 50_000;
/// And a lookup has no more pages than that.
const MOST_PAGES: usize = 200;

/// splunkd, as a search may ask it.
#[derive(Clone)]
pub struct Remote {
    ask: Ask,
    address: String,
    key: String,
    app: String,
}

impl std::fmt::Debug for Remote {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.address)
    }
}

/// A lookup's definition.
struct Definition {
    app: String,
    collection: Option<String>,
    fields: Vec<String>,
}

impl Remote {
    /// None where the search tells no address or no key.
    pub fn new(ask: Option<Ask>, info: &Info) -> Option<Remote> {
        let known = !info.splunkd.is_empty() && !info.session_key.is_empty();
        let app = if info.app.is_empty() { "search".to_owned() } else { info.app.clone() };
        let remote = |ask| Remote { ask, address: info.splunkd.clone(), key: info.session_key.clone(), app };
        ask.filter(|_| known).map(remote)
    }

    /// The rows of a lookup; none where splunkd knows no such lookup.
    ///
    /// Errors: why splunkd gives none.
    pub fn lookup(&self, name: &str) -> Result<Option<Table>> {
        let Some(definition) = self.definition(name)? else { return Ok(None) };
        match &definition.collection {
            Some(collection) => self.collection(&definition, collection).map(Some),
            None => self.file(name, &definition).map(Some),
        }
    }

    fn definition(&self, name: &str) -> Result<Option<Definition>> {
        let path =
            format!("/servicesNS/nobody/{}/data/transforms/lookups/{}?output_mode=json", safe(&self.app), safe(name));
        let Some(found) = self.get(name, &path)? else { return Ok(None) };
        let entry = &found["entry"][0];
        let text = |value: &Json| value.as_str().unwrap_or_default().trim().to_owned();
        let (content, app) = (&entry["content"], text(&entry["acl"]["app"]));
        let collection = (text(&content["external_type"]) == "kvstore" || text(&content["type"]) == "kvstore")
            .then(|| text(&content["collection"]));
        let fields = text(&content["fields_list"]);
        let fields = fields.split(',').map(str::trim).filter(|field| !field.is_empty()).map(str::to_owned).collect();
        Ok(Some(Definition { app: if app.is_empty() { self.app.clone() } else { app }, collection, fields }))
    }

    fn collection(&self, definition: &Definition, collection: &str) -> Result<Table> {
        let path =
            format!("/servicesNS/nobody/{}/storage/collections/data/{}", safe(&definition.app), safe(collection));
        let mut records = Vec::new();
        for page in 0..MOST_PAGES {
            let part = format!("{path}?output_mode=json&limit={PAGE}&skip={}", page * PAGE);
            let found = self.get(collection, &part)?;
            let Some(Json::Array(found)) = found else {
                return Err(refused(collection, "it is no list of records"));
            };
            let whole = found.len() < PAGE;
            records.extend(found);
            if whole {
                return Ok(table(&definition.fields, &records));
            }
        }
        Err(refused(collection, &format!("it has more than {} records", MOST_PAGES * PAGE)))
    }

    /// The rows of a file of another app, which splunkd reads for a search.
    fn file(&self, name: &str, definition: &Definition) -> Result<Table> {
        let path = format!("/servicesNS/nobody/{}/search/jobs/export", safe(&definition.app));
        let search = format!("| inputlookup \"{}\"", name.replace(['"', '\\'], ""));
        let form = format!("output_mode=json&search={}", utf8_percent_encode(&search, NON_ALPHANUMERIC));
        let text = self.asked(name, &path, Some(&form))?.ok_or_else(|| refused(name, "splunkd knows no searches"))?;
        let lines = text.lines().filter(|line| !line.trim().is_empty());
        let record = |line: &str| -> Result<Json> {
            let mut found: Json = serde_json::from_str(line).map_err(|error| refused(name, &error.to_string()))?;
            Ok(found["result"].take())
        };
        let records = lines.map(record).collect::<Result<Vec<Json>>>()?;
        let records: Vec<Json> = records.into_iter().filter(Json::is_object).collect();
        Ok(table(&definition.fields, &records))
    }

    fn get(&self, name: &str, path: &str) -> Result<Option<Json>> {
        let Some(text) = self.asked(name, path, None)? else { return Ok(None) };
        serde_json::from_str(&text).map(Some).map_err(|error| refused(name, &error.to_string()))
    }

    /// The text of an answer; none where there is nothing under the path.
    fn asked(&self, name: &str, path: &str, form: Option<&str>) -> Result<Option<String>> {
        match (self.ask)(&self.address, &self.key, path, form) {
            Ok((200..=299, text)) => Ok(Some(text)),
            Ok((404, _)) => Ok(None),
            Ok((401 | 403, _)) => Err(refused(name, "the user may not read it")),
            Ok((status, _)) => Err(refused(name, &format!("splunkd answers with the status {status}"))),
            Err(reason) => Err(refused(name, &reason)),
        }
    }
}

fn safe(part: &str) -> String {
    utf8_percent_encode(part, NON_ALPHANUMERIC).to_string()
}

fn refused(name: &str, reason: &str) -> Fault {
    Fault::data("HP471", format!("the lookup `{name}` cannot be read: {reason}"))
}

/// Records as texts: the fields that a lookup declares, else all but those of the store's own.
fn table(fields: &[String], records: &[Json]) -> Table {
    let mut names: Vec<String> = fields.iter().filter(|field| *field != "_key").cloned().collect();
    if names.is_empty() {
        for name in records.iter().filter_map(Json::as_object).flat_map(|record| record.keys()) {
            if !name.starts_with('_') && !names.contains(name) {
                names.push(name.clone());
            }
        }
    }
    let cell = |record: &Json, name: &String| match record.get(name) {
        None | Some(Json::Null) => Value::string(""),
        Some(Json::String(text)) => Value::string(text.as_str()),
        Some(other) => Value::string(other.to_string()),
    };
    let rows: Vec<Vec<Value>> =
        records.iter().map(|record| names.iter().map(|name| cell(record, name)).collect()).collect();
    let schema: Schema = names.iter().map(|name| (Name::from(name.as_str()), Kind::String)).collect();
    Table::from_rows(schema, &rows)
}

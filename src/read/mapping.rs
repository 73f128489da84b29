//! How the fields of other products' events become the columns of Log Analytics tables.
//!
//! The map is a file of the Splunk app, `huntpack_tables.conf`, so that what reads exports and what runs inside
//! Splunk read events alike, and an administrator sees and changes the one map there is. It is compiled in.
//!
//! Facts: Entra's diagnostic settings, Splunk's add-ons and its Common Information Model.
use super::conf::{Conf, Stanza};
use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

static DEFAULT: &str = include_str!("../../splunk_app/default/huntpack_tables.conf");

/// Which table an event is of, and the fields that its columns are read from.
#[derive(Clone, Debug, Default)]
pub struct Mapping {
    sourcetypes: Vec<Sourcetype>,
    /// Fields by table and column, the best first; a path's parts are parted by dots.
    fields: HashMap<(String, String), Vec<String>>,
    /// Categories of Entra's diagnostic records, and their tables.
    categories: Vec<(String, String)>,
    /// What is wrong with the file.
    problems: Vec<String>,
}

/// A sourcetype (`*` ends a prefix), the table whose events it holds, and the constants it stands for.
#[derive(Clone, Debug)]
struct Sourcetype {
    name: String,
    table: String,
    constants: Vec<(String, String)>,
}

/// The table that stands for every one.
const EVERY: &str = "*";

impl Mapping {
    /// The map that the app is shipped with.
    pub fn builtin() -> &'static Arc<Mapping> {
        static BUILTIN: LazyLock<Arc<Mapping>> =
            LazyLock::new(|| Arc::new(Mapping::of(&Conf::parse(DEFAULT, "huntpack_tables.conf"))));
        &BUILTIN
    }

    /// The map that a `huntpack_tables.conf` states.
    pub fn of(conf: &Conf) -> Mapping {
        let mut mapping = Mapping::default();
        for stanza in conf.stanzas.iter().filter(|stanza| stanza.flag("disabled") != Some(true)) {
            match stanza.name.strip_prefix("table:") {
                Some(table) => mapping.read_fields(stanza, table),
                None => mapping.read_sourcetype(stanza),
            }
        }
        // An exact name goes before a prefix.
        mapping.sourcetypes.sort_by_key(|known| known.name.ends_with('*'));
        mapping
    }

    /// What of the file was passed over, and why.
    pub fn problems(&self) -> &[String] {
        &self.problems
    }

    fn read_sourcetype(&mut self, stanza: &Stanza) {
        let name = stanza.name.strip_prefix("sourcetype:").unwrap_or(&stanza.name);
        let Some(table) = stanza.get("table") else {
            return self.problems.push(format!("[{}] has no `table`", stanza.name));
        };
        let under = |prefix: &'static str| {
            settings(stanza)
                .filter_map(move |(key, value)| Some((key.strip_prefix(prefix)?.to_owned(), value.to_owned())))
        };
        let constants = under("constant.").collect();
        self.categories.extend(under("category."));
        self.sourcetypes.push(Sourcetype { name: name.to_owned(), table: table.to_owned(), constants });
        self.read_fields(stanza, table);
    }

    fn read_fields(&mut self, stanza: &Stanza, table: &str) {
        let of_sourcetype = !stanza.name.starts_with("table:");
        for (key, value) in settings(stanza) {
            match key.strip_prefix("field.") {
                Some(column) => {
                    let fields = value.split(',').map(|field| field.trim().to_owned()).filter(|f| !f.is_empty());
                    let known = self.fields.entry((table.to_owned(), column.to_owned())).or_default();
                    // What a sourcetype says goes before what its table says.
                    let at = if of_sourcetype { 0 } else { known.len() };
                    known.splice(at..at, fields);
                }
                None if !is_known(key, of_sourcetype) => {
                    self.problems.push(format!("[{}] has an unknown key `{key}`", stanza.name));
                }
                None => {}
            }
        }
    }

    /// The fields that a column of a table is read from, the best first.
    pub fn fields(&self, table: &str, column: &str) -> Vec<String> {
        // The tables of other sign-ins have the columns of this one.
        let like = if table.ends_with("SignInLogs") { "SigninLogs" } else { table };
        let of = |table: &str| self.fields.get(&(table.to_owned(), column.to_owned()));
        let own = of(like).or_else(|| of(table));
        // A record's own `category` tells its table.
        let same_name = (like, column) != ("AuditLogs", "Category");
        let mut all: Vec<String> = same_name.then(|| column.to_owned()).into_iter().collect();
        all.extend(own.into_iter().chain(of(EVERY)).flatten().cloned());
        // A column with fields of its own may be an object of the same name there: `properties.location`.
        if own.is_none() {
            all.push(format!("properties.{column}"));
        }
        all
    }

    /// The columns of a table that the map names.
    pub fn columns_of<'a>(&'a self, table: &'a str) -> impl Iterator<Item = &'a str> {
        let mut names: Vec<&str> =
            self.fields.keys().filter(|(own, _)| own == table).map(|(_, name)| name.as_str()).collect();
        names.sort_unstable();
        names.into_iter()
    }

    /// The table of a sourcetype's events.
    pub fn table_of_sourcetype(&self, name: &str) -> Option<&str> {
        self.sourcetype(name).map(|known| known.table.as_str())
    }

    /// What a sourcetype's events say by being of it.
    pub fn constants(&self, name: &str) -> &[(String, String)] {
        self.sourcetype(name).map(|known| known.constants.as_slice()).unwrap_or_default()
    }

    /// The sourcetypes whose events are rows of a table.
    pub fn sourcetypes_of<'a>(&'a self, table: &'a str) -> impl Iterator<Item = &'a str> {
        self.sourcetypes.iter().filter(move |known| known.table == table).map(|known| known.name.as_str())
    }

    /// Every table that events are rows of.
    pub fn tables(&self) -> impl Iterator<Item = &str> {
        let named = self.sourcetypes.iter().map(|known| known.table.as_str());
        named.chain(self.categories.iter().map(|(_, table)| table.as_str()))
    }

    fn sourcetype(&self, name: &str) -> Option<&Sourcetype> {
        self.sourcetypes.iter().find(|known| match known.name.strip_suffix('*') {
            Some(prefix) => name.starts_with(prefix),
            None => name == known.name,
        })
    }

    /// The table of a category of diagnostic records.
    pub fn table_of_category(&self, category: &str) -> Option<&str> {
        let known = self.categories.iter().find(|(name, _)| name.eq_ignore_ascii_case(category));
        known.map(|(_, table)| table.as_str())
    }
}

/// The settings that have a value.
fn settings(stanza: &Stanza) -> impl Iterator<Item = (&str, &str)> {
    let set = stanza.settings.iter().filter(|setting| !setting.value.is_empty());
    set.map(|setting| (setting.key.as_str(), setting.value.as_str()))
}

fn is_known(key: &str, of_sourcetype: bool) -> bool {
    let own = key == "table" || key.starts_with("constant.") || key.starts_with("category.");
    key == "disabled" || (of_sourcetype && own)
}

/// A field's name as it is compared: without regard to case. Splunk gives every event a `host`, the machine that sent
/// it; an event's own `Host` is another field.
pub fn folded(field: &[u8]) -> Vec<u8> {
    if field == b"Host" { field.to_vec() } else { field.to_ascii_lowercase() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_map_has_no_problems() {
        let mapping = Mapping::builtin();
        assert_eq!(mapping.problems(), &[] as &[String]);
        assert_eq!(mapping.table_of_sourcetype("azure:monitor:aad"), Some("SigninLogs"));
        assert_eq!(mapping.table_of_sourcetype("zscalerlss-zpa-app"), Some("CommonSecurityLog"));
        assert_eq!(mapping.table_of_category("signinlogs"), Some("SigninLogs"));
        for table in mapping.tables() {
            assert!(crate::read::known_schema(table).is_some(), "{table}");
        }
        for (table, column) in mapping.fields.keys().filter(|(table, _)| table != EVERY) {
            let schema = crate::read::known_schema(table).unwrap_or_else(|| panic!("{table}"));
            assert!(schema.contains(column), "{table} has no {column}");
        }
    }

    #[test]
    fn a_local_file_changes_keys_and_adds_sourcetypes() {
        let mut conf =
            Conf::parse("[a]\ntable = T\nfield.X = one\n[table:T]\nfield.X = two, three\nfield.Y = y\n", "t.conf");
        conf.merge(Conf::parse(
            "[table:T]\nfield.Y = mine\n[b:*]\ntable = T\nconstant.Z = z\nfield.X = zero\nwrong = 1\n",
            "t.conf",
        ));
        let mapping = Mapping::of(&conf);
        assert_eq!(mapping.fields("T", "Y"), ["Y", "mine"]);
        assert_eq!(mapping.fields("T", "X"), ["X", "zero", "one", "two", "three"]);
        assert_eq!(mapping.table_of_sourcetype("b:c"), Some("T"));
        assert_eq!(mapping.constants("b:c"), [("Z".to_owned(), "z".to_owned())]);
        assert_eq!(mapping.problems(), ["[b:*] has an unknown key `wrong`"]);
    }
}

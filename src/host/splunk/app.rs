//! The app's folder: its settings, the map of tables, queries, saved functions, lookups, rules.
use crate::diagnostic::{Fault, Result, Source, closest};
use crate::engine::{Functions, Knowledge, Wanted};
use crate::functions::Limits;
use crate::read::{Conf, Mapping, truth};
use crate::rules::is_rule_file;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where things are looked for: what an administrator has put into `local` goes before what the app came with.
const PLACES: [&str; 2] = ["local", "."];

/// Where lookups are.
const LOOKUPS: [&str; 2] = ["lookups", "local/lookups"];
/// What stands in `[settings]` of `huntpack.conf`.
const SETTINGS: [&str; 5] = ["cache", "map_reduce", "max_rows", "memory_mb", "threads"];
/// Files have no longer names.
const LONGEST_NAME: usize = 200;

/// An installed app.
#[derive(Clone, Debug)]
pub struct App {
    folder: PathBuf,
}

/// What `huntpack.conf` says.
#[derive(Clone, Debug)]
pub struct Settings {
    pub limits: Limits,
    pub threads: usize,
    /// Whether indexers do what they can.
    pub map_reduce: bool,
    /// Where long lookups are kept compiled.
    pub cache: PathBuf,
    /// Result rows of one search; more are an error.
    pub max_rows: usize,
    /// What is written there and means nothing.
    pub unknown: Vec<String>,
}

impl App {
    pub fn new(folder: impl Into<PathBuf>) -> App {
        App { folder: folder.into() }
    }

    /// A file of settings, the local one over the default one.
    pub fn conf(&self, name: &str) -> Result<Conf> {
        let mut conf = Conf::default();
        for place in ["default", "local"] {
            if let Some(text) = self.text(&self.folder.join(place).join(name))? {
                conf.merge(Conf::parse(text, format!("{place}/{name}")));
            }
        }
        Ok(conf)
    }

    /// A file's text; none where there is no such file.
    ///
    /// Errors: a file that cannot be read, or is no text.
    fn text(&self, path: &Path) -> Result<Option<String>> {
        match std::fs::read(path) {
            Ok(bytes) => String::from_utf8(bytes).map(Some).map_err(|error| no_text(path, &error)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Fault::data("HP400", format!("{}: {error}", path.display()))),
        }
    }

    pub fn settings(&self) -> Result<Settings> {
        let conf = self.conf("huntpack.conf")?;
        let get = |key: &str| conf.stanza("settings").and_then(|stanza| stanza.get(key));
        let number = |key: &'static str, otherwise: usize| match get(key) {
            None => Ok(otherwise),
            Some(value) => value.parse().map_err(|_| wrong_setting(key, value, "a whole number")),
        };
        let map_reduce = match get("map_reduce") {
            None => true,
            Some(value) => truth(value).ok_or_else(|| wrong_setting("map_reduce", value, "true or false"))?,
        };
        let mut limits = Limits { morsel_rows: 16_384, ..Limits::default() };
        limits.memory = number("memory_mb", 512)?.saturating_mul(1 << 20);
        Ok(Settings {
            threads: number("threads", 1)?.clamp(1, 64),
            map_reduce,
            cache: get("cache").map_or_else(|| self.usual_cache(), PathBuf::from),
            max_rows: match number("max_rows", 0)? {
                0 => usize::MAX,
                most => most,
            },
            limits,
            unknown: unknown_settings(&conf),
        })
    }

    fn usual_cache(&self) -> PathBuf {
        match std::env::var_os("SPLUNK_HOME") {
            Some(home) => Path::new(&home).join("var").join("run").join("huntpack"),
            None => self.folder.join("local").join("cache"),
        }
    }

    /// How events become tables. An app without the file has the map that came with it.
    pub fn mapping(&self) -> Result<Arc<Mapping>> {
        let conf = self.conf("huntpack_tables.conf")?;
        Ok(if conf.stanzas.is_empty() { Mapping::builtin().clone() } else { Mapping::of(&conf).into() })
    }

    /// The query that is kept under a name.
    pub fn query(&self, name: &str) -> Result<Arc<Source>> {
        let folders = PLACES.map(|place| self.folder.join(place).join("queries"));
        if name.contains(['/', '\\', '\0']) || name.starts_with('.') || name.is_empty() || name.len() > LONGEST_NAME {
            let shown: String = name.chars().take(80).collect();
            return Err(Fault::query("HP461", format!("`@{shown}` is no name of a query")));
        }
        for folder in &folders {
            let path = folder.join(format!("{name}.kql"));
            if let Some(text) = self.text(&path)? {
                let text = text.trim_start_matches('\u{feff}').to_owned();
                return Ok(Source { origin: format!("{name}.kql"), ..Source::query(text) }.into());
            }
        }
        let known: Vec<String> = folders.iter().flat_map(|folder| stems(folder, "kql")).collect();
        let near = closest(name, known.iter().map(String::as_str)).map(|near| format!("did you mean `@{near}`? "));
        let list = if known.is_empty() { "there are none".to_owned() } else { known.join(", ") };
        let fault = Fault::query("HP461", format!("the app has no query `{name}`"));
        Err(fault.help(format!("{}queries/*.kql and local/queries/*.kql: {list}", near.unwrap_or_default())))
    }

    /// The saved functions of the app and of its administrator.
    pub fn functions(&self) -> Result<Functions> {
        let mut functions = Functions::default();
        for place in PLACES.iter().rev() {
            let folder = self.folder.join(place).join("functions");
            if folder.is_dir() {
                functions.load(&folder)?;
            }
        }
        Ok(functions)
    }

    /// The folders and files of rules. Those that an administrator has put there are named one by one: such a file
    /// without a rule in it is a mistake.
    pub fn rules(&self) -> Vec<PathBuf> {
        let own = files(&self.folder.join("local").join("rules"));
        let own = own.into_iter().filter(|path| path.is_dir() || is_rule_file(path));
        let built_in = Some(self.folder.join("rules")).filter(|folder| folder.is_dir());
        built_in.into_iter().chain(own).collect()
    }

    /// What detections in SPL name: the app's lookups, and the macros of its administrator.
    pub fn knowledge(&self) -> Result<Knowledge> {
        let mut knowledge = Knowledge::default();
        let files_of = [
            ("default/transforms.conf", "filename", Wanted::Lookups),
            ("local/transforms.conf", "filename", Wanted::Lookups),
            ("local/macros.conf", "definition", Wanted::Macros),
        ];
        for (name, key, wanted) in files_of {
            let path = self.folder.join(name);
            let conf = self.text(&path)?.map(|text| Conf::parse(text, name)).unwrap_or_default();
            if conf.stanzas.iter().any(|stanza| stanza.get(key).is_some()) {
                knowledge.load(&path, wanted)?;
            }
        }
        let folders = LOOKUPS.map(|place| self.folder.join(place));
        for folder in folders.iter().filter(|folder| !stems(folder, "csv").is_empty()) {
            knowledge.load(folder, Wanted::Lookups)?;
        }
        Ok(knowledge)
    }

    /// The file of a lookup: the one that transforms.conf gives its name, else the one of that name.
    pub fn lookup(&self, alias: &str) -> Result<Option<PathBuf>> {
        let transforms = self.conf("transforms.conf")?;
        let stanza = transforms.stanzas.iter().find(|stanza| stanza.name.eq_ignore_ascii_case(alias));
        let wanted = match stanza.and_then(|stanza| stanza.get("filename")) {
            Some(named) => vec![named.to_owned()],
            None => vec![format!("{alias}.csv"), format!("{alias}.csv.gz"), alias.to_owned()],
        };
        let is_plain = |name: &String| !name.contains(['/', '\\']);
        let folders = LOOKUPS.map(|place| self.folder.join(place));
        let files: Vec<PathBuf> = folders.iter().flat_map(|folder| files(folder)).collect();
        let found = wanted.into_iter().filter(is_plain).find_map(|name| {
            let same = |path: &&PathBuf| path.file_name().is_some_and(|own| own.eq_ignore_ascii_case(&name));
            files.iter().find(same).cloned()
        });
        Ok(found)
    }
}

/// A text of another encoding would be read wrongly, and nobody would see it.
fn no_text(path: &Path, error: &std::string::FromUtf8Error) -> Fault {
    let place = error.utf8_error().valid_up_to();
    let fault = Fault::data("HP400", format!("{}: byte {place} is not UTF-8", path.display()));
    fault.help("save the file as UTF-8")
}

/// What of `huntpack.conf` no command looks at.
fn unknown_settings(conf: &Conf) -> Vec<String> {
    let stanzas = conf.stanzas.iter().filter(|stanza| !matches!(stanza.name.as_str(), "settings" | "default"));
    let stanzas =
        stanzas.map(|stanza| format!("huntpack.conf has no stanza [{}]: settings stand in [settings]", stanza.name));
    let settings = conf.stanza("settings").into_iter().flat_map(|stanza| &stanza.settings);
    let unknown = settings.filter(|setting| !SETTINGS.contains(&setting.key.as_str()));
    let unknown = unknown.map(|setting| {
        let near = closest(&setting.key, SETTINGS).map(|near| format!(": did you mean `{near}`?"));
        format!("huntpack.conf has no setting `{}`{}", setting.key, near.unwrap_or_default())
    });
    stanzas.chain(unknown).collect()
}

fn wrong_setting(key: &str, value: &str, takes: &str) -> Fault {
    Fault::data("HP462", format!("huntpack.conf: `{key}` cannot be `{value}`")).help(format!("it is {takes}"))
}

/// The files of a folder in the order of their names; none where there is no folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

fn stems(folder: &Path, extension: &str) -> Vec<String> {
    let named = files(folder).into_iter().filter(|path| path.extension().is_some_and(|own| own == extension));
    named.filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned())).collect()
}

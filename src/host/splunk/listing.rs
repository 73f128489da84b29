//! Which rules an administrator means, by id, name or file; and the command `huntpackrules`, which lists them.
use super::app::App;
use super::arguments::{Arguments, Known};
use super::chunks::Chunks;
use super::info::Info;
use super::output;
use super::reply::{Level, Reply, described};
use crate::diagnostic::{Fault, Result, closest};
use crate::rules::{Choice, Pack, Rule, load};
use crate::types::{Kind, Schema, Table, Value};
use std::io::Write;

/// The names in `rules=`, or those that stand alone.
pub fn wanted(arguments: &Arguments) -> Result<Vec<String>> {
    let lists = arguments.get("rules").into_iter().chain(arguments.texts.iter().map(String::as_str));
    let names = lists.flat_map(|list| list.split(',')).map(str::trim).filter(|name| !name.is_empty());
    let names: Vec<String> = names.map(str::to_owned).collect();
    match names.is_empty() {
        true => Err(Fault::query("HP460", "`huntpack` needs rules")
            .help("... | huntpack rules=\"password_spray, zpa*\"; `| huntpackrules` lists them")),
        false => Ok(names),
    }
}

/// The rules of a pack that are named, by id, name or file.
pub fn chosen(pack: Pack, wanted: &[String]) -> Result<Pack> {
    let mut kept = pack.clone();
    kept.rules.clear();
    for name in wanted {
        let named: Vec<&Rule> = pack.rules.iter().filter(|rule| is_named(rule, name)).collect();
        if named.is_empty() {
            return Err(none_named(&pack, name));
        }
        let new = named
            .into_iter()
            .filter(|rule| !kept.rules.iter().any(|own| own.path == rule.path && own.key() == rule.key()));
        let new: Vec<Rule> = new.cloned().collect();
        kept.rules.extend(new);
    }
    Ok(kept)
}

fn is_named(rule: &Rule, wanted: &str) -> bool {
    let names = [rule.id.clone().unwrap_or_default(), rule.name.clone(), stem(rule)];
    let wanted = folded(wanted);
    names.iter().any(|name| glob::Pattern::new(&escaped(&wanted)).is_ok_and(|pattern| pattern.matches(&folded(name))))
}

/// Blanks, hyphens and underscores are one, and case counts for nothing.
fn folded(name: &str) -> String {
    name.to_lowercase().replace([' ', '-'], "_")
}

/// Only `*` stands for any rest.
fn escaped(wanted: &str) -> String {
    wanted.split('*').map(glob::Pattern::escape).collect::<Vec<_>>().join("*")
}

fn stem(rule: &Rule) -> String {
    std::path::Path::new(&rule.path).file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

fn none_named(pack: &Pack, name: &str) -> Fault {
    let stems: Vec<String> = pack.rules.iter().map(|rule| folded(&stem(rule))).collect();
    let known = pack.rules.iter().map(|rule| rule.name.as_str()).chain(stems.iter().map(String::as_str));
    let near = closest(&folded(name), stems.iter().map(String::as_str)).or_else(|| closest(name, known));
    let near = near.map(|near| format!("did you mean `{near}`? ")).unwrap_or_default();
    let broken =
        pack.problems.iter().map(|problem| format!("; {} did not load: {}", problem.path, described(&problem.error)));
    let fault = Fault::query("HP461", format!("no rule is called `{name}`"));
    fault.help(format!("{near}`| huntpackrules` lists all {}{}", pack.rules.len(), broken.collect::<String>()))
}

/// The command that lists the rules.
pub struct List {
    rules: Table,
    problems: Vec<String>,
}

impl List {
    pub fn new(app: &App, info: &Info) -> Result<List> {
        const OPTIONS: &[Known] = &[Known { name: "rules", takes: "\"names, ids or files, * for any rest\"" }];
        let arguments = Arguments::read("huntpackrules", &info.arguments, OPTIONS)?;
        let pack = load(&app.rules());
        let problems = pack.problems.iter().map(|p| format!("{}: {}", p.path, described(&p.error))).collect();
        let pack = match wanted(&arguments) {
            Ok(names) => chosen(pack, &names)?,
            Err(_) => pack,
        };
        Ok(List { rules: listed(&pack), problems })
    }

    pub fn describe(&self) -> Reply {
        let mut reply = Reply::default();
        reply.set("type", "stateful");
        reply.set("generating", true);
        reply
    }

    pub fn run(&self, chunks: &Chunks, out: &mut impl Write) -> Result<()> {
        while let Some(mut chunk) = chunks.next()? {
            chunks.skip(&mut chunk)?;
            let mut reply = Reply::to_chunk(true);
            reply.body = output::table(&self.rules);
            self.problems.iter().for_each(|problem| reply.say(Level::Warn, problem));
            if super::answered(reply, true, out)? {
                return Ok(());
            }
        }
        Ok(())
    }
}

/// A row for each rule.
fn listed(pack: &Pack) -> Table {
    let text = |name| (name, Kind::String);
    let list = |name| (name, Kind::Dynamic);
    let schema = Schema::from_iter([
        text("id"),
        text("name"),
        text("file"),
        text("language"),
        text("kind"),
        text("severity"),
        ("enabled", Kind::Bool),
        list("tactics"),
        list("techniques"),
        text("description"),
    ]);
    let texts = |values: &[String]| Value::dynamic(serde_json::json!(values).to_string());
    let row = |rule: &Rule| {
        vec![
            Value::string(rule.id.as_deref().unwrap_or_default()),
            Value::string(rule.name.as_str()),
            Value::string(stem(rule)),
            Value::string(rule.language.name()),
            Value::string(rule.kind_name()),
            Value::string(rule.severity_name()),
            Value::Bool(rule.enabled),
            texts(&rule.tactics),
            texts(&rule.techniques),
            Value::string(rule.description.as_deref().unwrap_or_default()),
        ]
    };
    let rows: Vec<Vec<Value>> = pack.rules.iter().map(row).collect();
    Table::from_rows(schema, &rows)
}

//! The shape of the code: layers use only the layers under them, files stay readable, pyo3, rayon and files
//! stay where they belong.
use std::fs;
use std::path::{Path, PathBuf};

/// From the ground up: a module uses only modules of a lower number.
const LAYERS: &[(&str, u32)] = &[
    ("diagnostic", 0),
    ("types", 1),
    ("functions", 2),
    ("expr", 3),
    ("plan", 4),
    ("exec", 5),
    ("kql", 5),
    ("spl", 5),
    ("read", 5),
    ("engine", 6),
    ("rules", 7),
    ("host", 8),
];

/// What only some modules may name.
const RESERVED: &[(&str, &[&str])] = &[
    ("pyo3", &["host"]),
    ("rayon::", &["exec", "read", "engine"]),
    ("File::open", &["read", "engine", "rules", "host"]),
    ("fs::read", &["read", "engine", "rules", "host"]),
];

/// Where no Arrow type is named.
const WITHOUT_ARROW: &[&str] = &["plan", "kql", "spl", "rules"];
const LONGEST_FILE: usize = 650;

struct Module {
    path: PathBuf,
    top: String,
    text: String,
}

fn modules() -> Vec<Module> {
    let mut found = Vec::new();
    visit(Path::new("src"), &mut found);
    found
}

fn visit(folder: &Path, found: &mut Vec<Module>) {
    for entry in fs::read_dir(folder).expect("src is there").flatten() {
        let path = entry.path();
        if path.is_dir() {
            visit(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            let inside = path.strip_prefix("src").expect("under src");
            let top = inside.iter().next().map(|p| p.to_string_lossy().into_owned()).unwrap_or_default();
            let text = fs::read_to_string(&path).expect("readable");
            found.push(Module { path, top: top.trim_end_matches(".rs").to_owned(), text });
        }
    }
}

fn layer(name: &str) -> Option<u32> {
    LAYERS.iter().find(|(layer, _)| *layer == name).map(|(_, number)| *number)
}

/// The lines of code, without those of doc comments.
fn code(module: &Module) -> impl Iterator<Item = (usize, &str)> {
    module.text.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//"))
}

#[test]
fn layers_point_down() {
    let mut found = Vec::new();
    for module in modules().iter().filter(|m| m.top != "lib") {
        let own = layer(&module.top);
        assert!(own.is_some(), "{} is no layer: add it to LAYERS", module.top);
        for (number, line) in code(module) {
            for (at, _) in line.match_indices("crate::") {
                let used: String = line[at + 7..].chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                if used != module.top && layer(&used).is_some_and(|other| Some(other) >= own) {
                    found.push(format!(
                        "{}:{}: `{}` is not above `{used}`",
                        module.path.display(),
                        number + 1,
                        module.top
                    ));
                }
            }
        }
    }
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

#[test]
fn some_crates_and_calls_have_their_place() {
    let mut found = Vec::new();
    for module in modules() {
        for (word, places) in RESERVED.iter().filter(|(_, places)| !places.contains(&module.top.as_str())) {
            let uses = code(&module).filter(|(_, line)| line.contains(word));
            found.extend(
                uses.map(|(n, _)| format!("{}:{}: `{word}` belongs to {places:?}", module.path.display(), n + 1)),
            );
        }
        if WITHOUT_ARROW.contains(&module.top.as_str()) {
            let uses = code(&module).filter(|(_, line)| line.contains("arrow_"));
            found.extend(uses.map(|(n, _)| format!("{}:{}: names Arrow", module.path.display(), n + 1)));
        }
    }
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

#[test]
fn files_stay_readable() {
    let long = modules().into_iter().filter(|m| m.text.lines().count() > LONGEST_FILE);
    let long: Vec<String> = long.map(|m| format!("{}: {} lines", m.path.display(), m.text.lines().count())).collect();
    assert!(long.is_empty(), "\n{}", long.join("\n"));
}

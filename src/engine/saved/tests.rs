use super::*;
use std::sync::atomic::{AtomicU32, Ordering};

/// A folder of files, until it goes out of scope.
struct Folder(PathBuf);

impl Folder {
    fn of(files: &[(&str, &str)]) -> Folder {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("huntpack-saved-{}-{number}", std::process::id()));
        for (name, text) in files {
            let path = folder.join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        Folder(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn loaded(name: &str, text: &str) -> Result<Functions> {
    let folder = Folder::of(&[(name, text)]);
    let mut functions = Functions::default();
    functions.load(&folder.0.join(name)).map(|()| functions)
}

fn text(functions: &Functions, name: &str) -> String {
    functions.get(name).unwrap_or_else(|| panic!("{name} is not among {functions:?}")).text.clone()
}

#[test]
fn a_query_file_is_named_by_its_stem() {
    let found = loaded("Large.kql", "\u{feff}T | where N > 1").unwrap();
    assert_eq!(text(&found, "Large"), "T | where N > 1");
}

#[test]
fn commands_that_create_name_their_functions() {
    let script = ".create-or-alter function with (docstring='x', folder='y') Big(n:long) { T | where N > n }\n\n\
                  .create function ['Small one'] () {\n  T | where N < 1\n}\n";
    let found = loaded("a.kql", script).unwrap();
    assert_eq!(text(&found, "Big"), "(n:long) { T | where N > n }\n\n");
    assert_eq!(found.get("Small one").map(|s| s.first_line), Some(3));
}

#[test]
fn a_file_of_let_functions_has_them_all() {
    let library = "let Double = (x:long) { x * 2 };\nlet Fourfold = (x:long) { Double(Double(x)) };\n";
    let found = loaded("library.kql", library).unwrap();
    assert_eq!(found.names().collect::<Vec<_>>(), ["Double", "Fourfold"]);
    assert_eq!(text(&found, "Double"), "(x:long) { x * 2 }");
}

#[test]
fn a_file_whose_functions_are_used_is_one_query() {
    let query = "let Recent = (d:timespan) { T | where When > ago(d) };\nRecent(1d)";
    assert_eq!(text(&loaded("Day.kql", query).unwrap(), "Day"), query);
}

#[test]
fn a_parser_has_its_name_and_its_alias() {
    let yaml = "id: x\nFunctionName: AParser\nFunctionAlias: A\nFunctionQuery: |\n  T\n  | take 1\n";
    let found = loaded("p.yaml", yaml).unwrap();
    assert_eq!(found.names().collect::<Vec<_>>(), ["A", "AParser"]);
    assert_eq!(text(&found, "A"), "T\n| take 1\n");
}

#[test]
fn an_asim_parser_has_parameters_and_its_built_in_name() {
    let yaml = "ParserName: vimDns\nEquivalentBuiltInParser: _Im_Dns\nParserParams:\n  - Name: start\n    Type: datetime\n    \
                Default: datetime(null)\n  - Name: who\n    Type: string\n    Default: '*'\n  - Name: pack\n    \
                Type: bool\n    Default: false\nParserQuery: |\n\n  T\n";
    let found = loaded("p.yaml", yaml).unwrap();
    let parameters = "(start:datetime=datetime(null), who:string=\"*\", pack:bool=false)";
    assert_eq!(text(&found, "_Im_Dns"), format!("{parameters} {{\nT\n\n}}"));
    assert_eq!(text(&found, "vimDns"), text(&found, "_Im_Dns"));
}

#[test]
fn a_function_over_a_table_has_that_parameter() {
    let yaml = "FunctionName: Resolve\nEquivalentBuiltInFunction: _Resolve\nFunctionParams:\n  - Name: T\n    Type: table:(*)\n  \
                - Name: field\n    Type: string\nFunctionQuery: T | extend Host = column_ifexists(field, \"\")\n";
    let found = loaded("p.yaml", yaml).unwrap();
    assert!(text(&found, "_Resolve").starts_with("(T:(*), field:string) {T | extend"));
}

#[test]
fn a_block_of_a_parser_knows_its_lines() {
    let yaml = "FunctionName: A\nFunctionQuery: |\n  // what it does\n  T | where\n";
    let source = loaded("p.yaml", yaml).unwrap().get("A").unwrap();
    let at = source.text.find("T |").unwrap();
    assert_eq!(source.place(at), (4, 3));
}

#[test]
fn a_template_has_the_functions_of_its_saved_searches() {
    let template = r#"{"resources": [
        {"type": "Microsoft.OperationalInsights/workspaces/savedSearches", "properties":
            {"displayName": "A", "functionAlias": "A", "functionParameters": "n:long=1", "query": "T | take n"}},
        {"properties": {"template": {"resources": [{"properties": {"functionAlias": "B", "query": "A(2)"}}]}}},
        {"properties": {"displayName": "a hunt, no function", "query": "T | take 1"}}]}"#;
    let found = loaded("mainTemplate.json", template).unwrap();
    assert_eq!(found.names().collect::<Vec<_>>(), ["A", "B"]);
    assert_eq!(text(&found, "A"), "(n:long=1) {T | take n\n}");
}

#[test]
fn a_folder_gives_what_it_holds_and_passes_over_notes() {
    let folder = Folder::of(&[
        ("Dns/vimDns.yaml", "ParserName: vimDns\nParserQuery: T\n"),
        ("Old/OldParser.txt", "// how to install it\nT\n| where N > 1"),
        ("Old/NoSuffix", "let f = () { T };\nf"),
        ("README.md", "T | take 1"),
        ("notes.txt", "Install each parser, then wait.\n"),
        ("rule.yaml", "query: T | take 1\n"),
        ("LICENSE", "Permission is granted; see below.\n"),
    ]);
    let mut functions = Functions::default();
    functions.load(&folder.0).unwrap();
    assert_eq!(functions.names().collect::<Vec<_>>(), ["NoSuffix", "OldParser", "vimDns"]);
}

#[test]
fn a_file_under_a_name_of_the_callers() {
    let folder = Folder::of(&[("Sysmon-v12.0.txt", "Event | where Source == 'x'")]);
    let mut functions = Functions::default();
    functions.load_as("Sysmon", &folder.0.join("Sysmon-v12.0.txt")).unwrap();
    assert_eq!(functions.names().collect::<Vec<_>>(), ["Sysmon"]);
}

#[test]
fn a_file_without_a_function_is_an_error_that_names_it() {
    assert!(loaded("p.yaml", "a: 1\n").unwrap_err().message().contains("p.yaml"));
    assert!(loaded("p.json", "{}").unwrap_err().message().contains("p.json"));
    assert!(Functions::default().load(Path::new("nowhere.kql")).is_err());
}

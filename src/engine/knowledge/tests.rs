use super::*;
use crate::diagnostic::Source;
use crate::engine::{Data, Database, Held, Options, search};
use crate::plan::{Catalog, MatchType};
use crate::types::{Kind, Schema, Table, Value};
use proptest::prelude::*;
use std::sync::Arc;

/// A folder of this test's own, gone when dropped.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str, files: &[(&str, &str)]) -> Folder {
        let folder = std::env::temp_dir().join(format!("huntpack-knowledge-{name}-{}", std::process::id()));
        for (file, text) in files {
            let path = folder.join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        Folder(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        _ = std::fs::remove_dir_all(&self.0);
    }
}

fn loaded(folder: &Folder, wanted: Wanted) -> Knowledge {
    let mut found = Knowledge::default();
    found.load(&folder.0, wanted).unwrap();
    found
}

#[test]
fn what_is_built_in_is_whole() {
    let built_in = macros::built_in();
    let conf = Conf::parse(include_str!("macros.conf"), "macros.conf");
    assert!(conf.warnings.is_empty() && Knowledge::default().add_macros(&conf).is_ok());
    assert_eq!(built_in.macros.len(), conf.stanzas.len());
    assert!(built_in.macros.values().all(|known| !known.definition.is_empty()));
    let conf = Conf::parse(include_str!("transforms.conf"), "transforms.conf");
    assert!(conf.warnings.is_empty() && Knowledge::default().add_transforms(&conf, Path::new("")).is_ok());
    assert_eq!(built_in.lookups.len(), conf.stanzas.len());
}

#[test]
fn the_shared_macros_of_detections_are_known() {
    let known = Knowledge::default();
    let definition = |name: &str, count| known.find_macro(name, count).map(|found| found.definition);
    assert_eq!(definition("any_detection_filter", 0).as_deref(), Some("search *"));
    assert!(definition("security_content_ctime", 1).is_some_and(|text| text.contains("ctime($field$)")));
    assert!(definition("drop_dm_object_name", 1).is_some() && definition("sysmon", 0).is_some());
    assert_eq!((definition("unknown", 0), definition("any_filter", 1)), (None, None));
    assert!(known.macro_names().contains(&"drop_dm_object_name(1)".to_owned()));
}

#[test]
fn macros_stand_in_configurations_and_in_yaml() {
    let folder = Folder::new(
        "macros",
        &[
            (
                "default/macros.conf",
                "[near(2)]\nargs = a, b\ndefinition = x=$a$ y=$b$\n[sysmon]\ndefinition = index=a\n",
            ),
            ("local/macros.conf", "[sysmon]\ndefinition = index=b\niseval = 0\nvalidation = true()\nerrormsg = no\n"),
            ("default/eventtypes.conf", "[logon]\nsearch = EventCode=4624\n[off]\nsearch = x\ndisabled = 1\n"),
            (
                "default/tags.conf",
                "[eventtype=logon]\nauthentication = enabled\nold = disabled\n[host=a%3Db]\nx = enabled\n",
            ),
            ("yaml/old.yml", "name: old\ndefinition: sourcetype=old\ndescription: Words.\n"),
            ("yaml/pair.yml", "name: pair\narguments: [one, two]\ndefinition: '$one$=$two$'\n"),
            ("yaml/story.yml", "name: A story\nid: x\n"),
            ("yaml/search.txt", "no macro"),
        ],
    );
    let known = loaded(&folder, Wanted::Macros);
    let definition = |name: &str, count| known.find_macro(name, count).map(|found| found.definition);
    assert_eq!(definition("sysmon", 0).as_deref(), Some("index=b"));
    assert_eq!(definition("near", 2).as_deref(), Some("x=$a$ y=$b$"));
    assert_eq!(
        (definition("old", 0).as_deref(), definition("pair", 2).as_deref()),
        (Some("sourcetype=old"), Some("$one$=$two$"))
    );
    assert_eq!(known.find_macro("sysmon", 0).unwrap().validation, Some(("true()".into(), "no".into())));
    assert_eq!(known.event_types(), [EventType { name: "logon".into(), search: "EventCode=4624".into() }]);
    let tags: Vec<_> = known.tags().into_iter().map(|tag| (tag.name, tag.value)).collect();
    assert_eq!(tags, [("authentication".to_owned(), "logon".to_owned()), ("x".to_owned(), "a=b".to_owned())]);
}

#[test]
fn lookups_stand_in_configurations_yaml_and_files() {
    let folder = Folder::new(
        "lookups",
        &[
            (
                "default/transforms.conf",
                "[tools]\nfilename = tools.csv\nmatch_type = WILDCARD(path), CIDR(net)\n\
                min_matches = 1\nmax_matches = 2\ndefault_match = none\ncase_sensitive_match = false\n[report]\nREGEX = x\n\
                [store]\nexternal_type = kvstore\ncollection = c\nfields_list = _key, a, b\n",
            ),
            ("lookups/tools.csv", "path,net,kind\n*evil*,10.0.0.0/8,bad\n"),
            ("lookups/bare.csv", "a,b\n1,x\n"),
            ("yaml/new.yml", "name: new\nlookup_type: csv\nmatch_type: ['WILDCARD(a)']\n"),
            ("yaml/new.csv", "a,b\n1*,x\n"),
            ("yaml/model.yml", "name: model\nlookup_type: mlmodel\n"),
        ],
    );
    let known = loaded(&folder, Wanted::Lookups);
    let tools = known.find_lookup("tools").unwrap().1;
    assert_eq!((tools.matching.of("path"), tools.matching.of("net")), (MatchType::Wildcard, MatchType::Cidr));
    assert_eq!((tools.matching.of("kind"), tools.matching.case_sensitive), (MatchType::Exact, false));
    assert_eq!((tools.matching.min_matches, tools.matching.max_matches), (1, 2));
    assert!(matches!(&known.find_lookup("store").unwrap().1.rows, Rows::Collection(fields) if fields.len() == 3));
    assert!(known.find_lookup("new").is_some() && known.find_lookup("bare").is_some());
    assert!(known.find_lookup("report").is_none() && known.find_lookup("model").is_none());
    let mut database = Database::default();
    database.set_knowledge(known);
    let rows = |name: &str| database.lookup(name).unwrap().unwrap().source.table().unwrap().rows();
    assert_eq!((rows("tools"), rows("bare.csv"), rows("new"), rows("store")), (1, 1, 1, 0));
}

#[test]
fn what_is_broken_is_an_error_that_names_the_file() {
    for (file, text, wanted) in [
        ("macros.conf", "[a(2)]\nargs = x\ndefinition = y\n", Wanted::Macros),
        ("m.yml", "name: [\n", Wanted::Macros),
        ("transforms.conf", "[a]\nfilename = a.csv\nmatch_type = FUZZY(x)\n", Wanted::Lookups),
        ("l.yml", "name: a\nfilename: a.csv\nmax_matches: some\n", Wanted::Lookups),
        ("notes.md", "words", Wanted::Macros),
        ("absent.conf/x", "words", Wanted::Lookups),
    ] {
        let folder = Folder::new("broken", &[(file, text)]);
        let fault = Knowledge::default().load(&folder.0, wanted).unwrap_err();
        assert!(!fault.message().is_empty() && fault.kind() == crate::diagnostic::FaultKind::Data, "{file}");
    }
    assert!(Knowledge::default().load(Path::new("/no/such/folder"), Wanted::Macros).is_err());
}

fn events() -> Data {
    let schema = Schema::from_iter([("path", Kind::String), ("ip", Kind::String)]);
    let row = |path: &str, ip: &str| vec![Value::string(path), Value::string(ip)];
    let rows = [row("C:\\EVIL.exe", "10.1.2.3"), row("C:\\good.exe", "11.0.0.1")];
    Data::Table(Arc::new(Held::new(Table::from_rows(schema, &rows))))
}

fn found(database: &Database, text: &str) -> Vec<Vec<String>> {
    let answer = search(&Arc::new(Source::query(text)), database, &Options::default());
    let table = answer.unwrap_or_else(|fault| panic!("{fault}: {text}")).tables.remove(0);
    table.to_rows().iter().map(|row| row.iter().map(Value::to_text).collect()).collect()
}

fn with_tools(of: &str) -> (Database, Folder) {
    let folder = Folder::new(
        of,
        &[
            (
                "transforms.conf",
                "[tools]\nfilename = tools.csv\nmatch_type = WILDCARD(pattern)\nmin_matches = 1\n\
                default_match = false\ncase_sensitive_match = false\n[nets]\nfilename = nets.csv\nmatch_type = CIDR(net)\n",
            ),
            ("tools.csv", "pattern,bad,note\n*evil*,true,one\n*.exe,maybe,\n"),
            ("nets.csv", "net,site\n10.0.0.0/8,lab\n10.1.0.0/16,office\n"),
        ],
    );
    let mut database = Database::default();
    database.set_knowledge(loaded(&folder, Wanted::Lookups));
    database.add_table("events", events());
    (database, folder)
}

#[test]
fn events_take_what_their_rows_of_a_lookup_say() {
    let (database, _folder) = with_tools("run1");
    let of = |text: &str| found(&database, text);
    assert_eq!(of("* | lookup tools pattern AS path OUTPUT bad | table bad"), [[r#"["true","maybe"]"#], ["maybe"]]);
    let inside = of("* | lookup nets net AS ip OUTPUTNEW site AS place | search place=office | table ip");
    assert_eq!(inside, [["10.1.2.3"]]);
    let default = of("* | eval path=\"x\" | lookup tools pattern AS path OUTPUT bad note | table bad note");
    assert_eq!(default, [["false", "false"], ["false", "false"]]);
    let kept = of("* | eval site=\"mine\" | lookup nets net AS ip OUTPUTNEW site | table site");
    assert_eq!(kept, [["mine"], ["mine"]]);
    let cleared = of("* | eval site=\"mine\" | lookup nets net AS ip OUTPUT site | search NOT site=* | table ip");
    assert_eq!(cleared, [["11.0.0.1"]]);
    assert_eq!(of("* | lookup nets net AS nothing OUTPUT site | search site=* | table ip"), Vec::<Vec<String>>::new());
    assert_eq!(of("| inputlookup tools where bad=m* | table note bad"), [["", "maybe"]]);
    assert_eq!(of("| inputlookup start=1 max=1 nets | table site"), [["office"]]);
}

#[test]
fn rows_that_are_kept_are_a_lookup_of_what_follows() {
    let (database, _folder) = with_tools("run2");
    let of = |text: &str| found(&database, text);
    assert_eq!(of("* | table ip | outputlookup seen | table ip"), [["10.1.2.3"], ["11.0.0.1"]]);
    assert_eq!(of("| inputlookup seen | table ip"), [["10.1.2.3"], ["11.0.0.1"]]);
    assert_eq!(of("* | head 1 | table ip | outputlookup append=true seen | table ip").len(), 1);
    assert_eq!(of("* | inputlookup append=true seen | table ip").len(), 5);
    assert_eq!(of("* | head 1 | lookup seen ip OUTPUT ip AS again | table again"), [[r#"["10.1.2.3","10.1.2.3"]"#]]);
}

#[test]
fn a_lookup_that_nobody_has_given_is_an_error() {
    let (database, _folder) = with_tools("run3");
    let fault = search(&Arc::new(Source::query("* | lookup tool x")), &database, &Options::default()).unwrap_err();
    assert_eq!(
        (fault.diagnostics()[0].code.as_ref(), fault.diagnostics()[0].help.as_deref()),
        ("HP509", Some("did you mean `tools`?"))
    );
    let fault = search(&Arc::new(Source::query("* | lookup tools patern AS path")), &database, &Options::default());
    assert!(fault.unwrap_err().message().contains("no field `patern`"));
}

#[test]
fn event_types_and_tags_stand_for_searches() {
    let folder = Folder::new(
        "types",
        &[
            (
                "eventtypes.conf",
                "[evil]\nsearch = path=*evil* OR `more`\n[evil_or_good]\nsearch = eventtype=evil OR path=*good*\n\
                [round]\nsearch = eventtype=round\n[piped]\nsearch = a | b\n",
            ),
            ("tags.conf", "[eventtype=evil]\nbad = enabled\n[ip=11.0.0.1]\nfar = enabled\n"),
            ("macros.conf", "[more]\ndefinition = path=nothing\n"),
        ],
    );
    let mut database = Database::default();
    database.set_knowledge(loaded(&folder, Wanted::Macros));
    database.add_table("events", events());
    let of = |text: &str| found(&database, &format!("{text} | table ip"));
    assert_eq!(of("eventtype=evil"), [["10.1.2.3"]]);
    assert_eq!(of("eventtype=evil*").len(), 2);
    assert_eq!(of("NOT eventtype=evil"), [["11.0.0.1"]]);
    assert_eq!(
        (of("tag=bad"), of("tag::ip=far"), of("tag::eventtype=far")),
        (vec![vec!["10.1.2.3".into()]], vec![vec!["11.0.0.1".into()]], vec![])
    );
    for text in ["eventtype=round", "eventtype=piped"] {
        assert!(search(&Arc::new(Source::query(text)), &database, &Options::default()).is_err(), "{text}");
    }
}

proptest! {
    #[test]
    fn any_file_of_knowledge_is_read(text in "(\\[a\\(1\\)\\]\n|definition = |args = |filename = |match_type = |name: |\\PC|\n){0,30}") {
        let conf = Conf::parse(text.clone(), "x.conf");
        let mut known = Knowledge::default();
        _ = known.add_macros(&conf);
        _ = known.add_transforms(&conf, Path::new("x.conf"));
        _ = (known.add_event_types(&conf), known.add_tags(&conf));
        if let Ok(document) = serde_saphyr::from_str::<Json>(&text) {
            _ = known.add_macro_document(&document, Path::new("x.yml"));
            _ = known.add_lookup_document(&document, Path::new("x.yml"));
        }
    }
}

type Json = serde_json::Value;

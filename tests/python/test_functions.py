"""Saved functions of a workspace: texts, query files, parser YAMLs, templates, folders of them."""

import json
from pathlib import Path

import huntpack as hp
import pytest

EVENTS = [
    {"Source": "fw", "Name": "ann", "Bytes": 10},
    {"Source": "dns", "Name": "bob", "Bytes": 20},
    {"Source": "dns", "Name": "cyd", "Bytes": 30},
]

SOURCE_PARSER = """\
Parser:
  Title: Names asked for
  Version: '0.1'
ParserName: vimNamesDns
EquivalentBuiltInParser: _Im_Names_Dns
ParserParams:
  - Name: least
    Type: long
    Default: 0
  - Name: names
    Type: dynamic
    Default: dynamic([])
  - Name: kind
    Type: string
    Default: '*'
  - Name: disabled
    Type: bool
    Default: false
ParserQuery: |
  // One source of names.
  Events
  | where not(disabled)
  | where Source == "dns" and Bytes >= least
  | where array_length(names) == 0 or Name in (names)
  | extend Kind = kind
"""

UNION_PARSER = """\
ParserName: imNames
EquivalentBuiltInParser: _Im_Names
ParserParams:
  - Name: least
    Type: long
    Default: 0
  - Name: names
    Type: dynamic
    Default: dynamic([])
ParserQuery: |
  let Disabled = _GetWatchlist('ASimDisabledParsers')
      | extend Parser = column_ifexists('SourceSpecificParser', '')
      | where isnotempty(Parser) | distinct Parser;
  union isfuzzy=true
      vimNamesDns (least=least, names=names, disabled=('vimNamesDns' in (Disabled))),
      vimNamesProxy (least=least, names=names)
"""


@pytest.fixture
def parsers(tmp_path: Path) -> Path:
    folder = tmp_path / "parsers"
    folder.mkdir()
    (folder / "vimNamesDns.yaml").write_text(SOURCE_PARSER)
    (folder / "imNames.yaml").write_text(UNION_PARSER)
    (folder / "Heavy.kql").write_text("Events | where Bytes > 15 // the heavy ones")
    (folder / "README.md").write_text("# Parsers")
    return folder


def names(query: str, functions: object) -> list[str]:
    found = hp.kql(f"{query} | project Name | sort by Name asc", {"Events": EVENTS}, functions=functions)  # type: ignore[arg-type]
    return [name for (name,) in found.rows()]


def test_parsers_of_a_folder_call_each_other(parsers: Path) -> None:
    assert names("_Im_Names", parsers) == ["bob", "cyd"]
    assert names("imNames(least=25)", parsers) == ["cyd"]
    assert names("_Im_Names(names=dynamic(['bob']))", parsers) == ["bob"]
    assert names("vimNamesDns(disabled=true)", parsers) == []
    assert names("Heavy", parsers) == ["bob", "cyd"]


def test_a_text_default_keeps_its_kind(parsers: Path) -> None:
    found = hp.kql("_Im_Names_Dns | distinct Kind", {"Events": EVENTS}, functions=parsers)
    assert found.rows() == [("*",)]


def test_functions_of_a_list_of_files_and_of_names(parsers: Path) -> None:
    files = [parsers / "Heavy.kql", str(parsers / "vimNamesDns.yaml")]
    assert names("Heavy", files) == names("vimNamesDns", files) == ["bob", "cyd"]
    given = {"Large": parsers / "Heavy.kql", "Small": "(most: long = 15) { Events | where Bytes < most }"}
    assert names("union Large, Small(11)", given) == ["ann", "bob", "cyd"]


def test_functions_of_a_template(tmp_path: Path) -> None:
    search = {"functionAlias": "Least", "functionParameters": "n:long=20", "query": "Events\n| where Bytes >= n"}
    path = tmp_path / "mainTemplate.json"
    path.write_text(json.dumps({"resources": [{"type": "savedSearches", "properties": search}]}))
    assert names("Least", path) == ["bob", "cyd"]
    assert names("Least(30)", path) == ["cyd"]


def test_an_error_in_a_parser_names_its_file_and_line(parsers: Path) -> None:
    path = parsers / "broken.yaml"
    path.write_text("FunctionName: Broken\nFunctionQuery: |\n  Events\n  | where Byts > 1\n")
    with pytest.raises(hp.QueryError, match=r"in the function 'Broken' \(.*broken\.yaml:4\).*Byts") as caught:
        names("Broken", path)
    assert caught.value.diagnostics[0].help == "did you mean 'Bytes'?"


def test_check_says_once_what_is_missing() -> None:
    query = "let a = _Im_Dns(pack=true); union a, _Im_Dns() | join (imWeb) on Name | invoke Enrich() | where x == 1"
    check = hp.check(query)
    said = [(d.severity, d.message.partition(":")[0]) for d in check.diagnostics if d.severity != "note"]
    assert said == [
        ("warning", "the function '_Im_Dns' is not given"),
        ("warning", "the table 'imWeb' is not known"),
        ("warning", "the function 'Enrich' is not given"),
    ]
    assert check.ok and check.open


def test_a_missing_function_is_an_error_of_a_run() -> None:
    with pytest.raises(hp.QueryError, match="_Im_Dns") as caught:
        hp.kql("_Im_Dns(pack=true) | count")
    assert "functions=" in (caught.value.diagnostics[0].help or "")

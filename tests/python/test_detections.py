"""Detections of Splunk: their three forms, saved searches, findings and risk."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any, Callable

import huntpack as hp
import pytest

NOW = "2026-03-12T15:00:00Z"
START = 1773320400  # 2026-03-12T13:00:00Z

# A detection as the content of 2024 had it.
OBSERVABLES: dict[str, Any] = {
    "name": "Remote Tool Blocked",
    "id": "7b3c2f1e-5a64-4b8e-9f0d-2c1a6e8d9b55",
    "version": 2,
    "date": "2024-09-30",
    "author": "Northwind",
    "status": "production",
    "type": "TTP",
    "data_source": ["Proxy"],
    "description": "Finds users whose download of a remote tool was blocked.",
    "search": "`proxy_events` action=blocked threat=*remote* | stats count min(_time) as firstTime values(url) as url "
    "by user src | lookup owners src OUTPUT owner | `security_content_ctime(firstTime)` "
    "| `remote_tool_blocked_filter`",
    "how_to_implement": "Collect the proxy's logs.",
    "known_false_positives": "Support staff.",
    "references": [],
    "drilldown_searches": [
        {
            "name": 'Results for "$user$"',
            "search": '%original_detection_search% | search user = "$user$"',
            "earliest_offset": "$info_min_time$",
            "latest_offset": "$info_max_time$",
        }
    ],
    "tags": {
        "analytic_story": ["Remote Tools"],
        "asset_type": "Endpoint",
        "confidence": 80,
        "impact": 50,
        "message": "$user$ was kept from $url$ on $src$, which belongs to $owner$",
        "mitre_attack_id": ["T1219"],
        "observable": [
            {"name": "src", "type": "IP Address", "role": ["Victim"]},
            {"name": "user", "type": "User", "role": ["Victim"]},
            {"name": "url", "type": "URL String", "role": ["Attacker"]},
        ],
        "product": ["Splunk Enterprise Security"],
        "required_fields": ["user"],
        "risk_score": 40,
        "security_domain": "network",
    },
    "tests": [{"name": "True Positive", "attack_data": [{"data": "a.json", "source": "s", "sourcetype": "t"}]}],
}
KINDS = {"IP Address": "system", "Hostname": "system", "User": "user"}
THREATS = {"URL String": "url", "Process": "process", "IP Address": "ip_address"}
MACROS = {"proxy_events": "sourcetype=proxy"}
OWNERS = [{"src": "10.0.0.5", "owner": "ada"}, {"src": "10.0.0.6", "owner": "bob"}]


def event(minute: int, user: str, src: str, url: str, **more: str) -> dict[str, Any]:
    """A blocked download."""
    found = {"_time": str(START + 60 * minute), "sourcetype": "proxy", "action": "blocked", "threat": "A.Remote.B"}
    return {**found, "user": user, "src": src, "url": url, **more}


EVENTS = [
    event(0, "ada", "10.0.0.5", "http://a.example/x"),
    event(1, "ada", "10.0.0.5", "http://b.example/y"),
    event(2, "bob", "10.0.0.6", "http://a.example/x"),
    event(3, "bob", "10.0.0.6", "http://c.example/z", action="allowed"),
    event(4, "eve", "10.0.0.7", "http://c.example/z", sourcetype="other"),
]


def with_rba(old: dict[str, Any]) -> dict[str, Any]:
    """The detection in the form of early 2026."""
    new = copy.deepcopy(old)
    tags = new["tags"]
    scored = [o for o in tags.pop("observable") if "Victim" in o["role"]]
    means = [o for o in old["tags"]["observable"] if "Attacker" in o["role"]]
    message, score = tags.pop("message"), tags.pop("risk_score")
    for key in ("confidence", "impact", "required_fields"):
        tags.pop(key)
    if new["type"] in ("TTP", "Anomaly"):
        new["rba"] = {
            "message": message,
            "risk_objects": [{"field": o["name"], "type": KINDS[o["type"]], "score": score} for o in scored],
            "threat_objects": [{"field": o["name"], "type": THREATS[o["type"]]} for o in means],
        }
    return new


def with_findings(old: dict[str, Any]) -> dict[str, Any]:
    """The detection in the form of late 2026."""
    new = with_rba(old)
    new["creation_date"] = new["modification_date"] = new.pop("date")
    new.update(new.pop("tags"))
    rba = new.pop("rba", None)
    if rba is None:
        return new
    message, objects = rba["message"], rba["risk_objects"]
    new["threat_objects"] = rba["threat_objects"]
    if new["type"] == "TTP":
        first = next((o for o in objects if o["type"] == "user"), objects[0])
        new["finding"] = {"title": message, "entity": first}
        objects = [o for o in objects if o is not first]
    if objects:
        new["intermediate_findings"] = {"entities": [{**o, "message": message} for o in objects]}
    return new


FORMS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "observables": lambda old: old,
    "rba": with_rba,
    "findings": with_findings,
}


def written(folder: Path, detection: dict[str, Any]) -> Path:
    """The detection as a file: JSON is YAML."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "remote_tool_blocked.yml"
    path.write_text("# A detection.\n" + json.dumps(detection, indent=2), encoding="utf-8")
    return path


def run(*paths: Path) -> hp.Hits:
    """A run over the events."""
    pack = hp.load(*paths)
    assert not pack.problems, pack.problems
    hits = pack.run(EVENTS, now=NOW, macros=MACROS, lookups={"owners": OWNERS})
    assert not hits.problems, hits.problems
    return hits


def raised(hits: hp.Hits) -> tuple[Any, Any, Any]:
    """What a run gives, whatever the form."""
    rows = {key: table.to_dicts() for key, table in hits.results.items()}
    return rows, hits.findings.to_dicts(), hits.risk.to_dicts()


def test_a_detection_raises_findings_and_risk(tmp_path: Path) -> None:
    hits = run(written(tmp_path, OBSERVABLES))
    (rows,) = hits.results.values()
    assert rows.to_dicts()[0] == {
        "user": "ada",
        "src": "10.0.0.5",
        "count": 2,
        "firstTime": "2026-03-12T13:00:00",
        "url": ["http://a.example/x", "http://b.example/y"],
        "owner": "ada",
    }
    first, second = hits.findings.to_dicts()
    assert first["title"].startswith("ada was kept from http://a.example/x")
    assert (first["severity"], first["entity"], first["entity_type"], first["risk_score"]) == ("low", "ada", "user", 40)
    assert (first["rule_id"], first["rule_name"]) == (OBSERVABLES["id"], OBSERVABLES["name"])
    (drilldown,) = first["drilldowns"]
    assert drilldown["search"].endswith('| search user = "ada"')
    assert "proxy_events" in drilldown["search"]
    assert second["entity"] == "bob"
    risk = hits.risk.to_dicts()
    assert [(r["risk_object_field"], r["risk_object"], r["risk_score"]) for r in risk] == [
        ("src", "10.0.0.5", 40),
        ("user", "ada", 40),
        ("src", "10.0.0.6", 40),
        ("user", "bob", 40),
    ]
    assert risk[2]["risk_message"] == "bob was kept from http://a.example/x on 10.0.0.6, which belongs to bob"
    assert risk[2]["threat_objects"] == [{"field": "url", "type": "url", "value": "http://a.example/x"}]
    assert risk[0]["search_name"] == "ESCU - Remote Tool Blocked - Rule"
    assert risk[0]["annotations"]["mitre_attack"] == ["T1219"]
    assert risk[0]["row"]["user"] == "ada"


@pytest.mark.parametrize("kind", ["TTP", "Anomaly", "Hunting", "Correlation"])
def test_the_forms_mean_the_same(tmp_path: Path, kind: str) -> None:
    found = {}
    for name, form in FORMS.items():
        if kind == "Correlation" and name == "findings":
            continue  # it has a title of its own there
        found[name] = raised(run(written(tmp_path / name, form({**OBSERVABLES, "type": kind}))))
    expected = found.pop("observables")
    assert len(expected[0]) == 1
    assert bool(expected[1]) == (kind in ("TTP", "Correlation"))
    assert bool(expected[2]) == (kind in ("TTP", "Anomaly"))
    for name, other in found.items():
        assert other == expected, name


@pytest.mark.parametrize("form", list(FORMS))
@pytest.mark.parametrize("kind", ["TTP", "Anomaly", "Hunting"])
def test_saved_searches_mean_the_same(tmp_path: Path, form: str, kind: str) -> None:
    path = written(tmp_path, FORMS[form]({**OBSERVABLES, "type": kind}))
    pack = hp.load(path)
    conf = tmp_path / "savedsearches.conf"
    conf.write_text(pack.export("savedsearches"), encoding="utf-8")
    (saved,) = hp.load(conf)
    (rule,) = pack
    assert saved.format == "savedsearch"
    assert (saved.name, saved.kind, saved.severity) == (rule.name, rule.kind, rule.severity)
    assert (saved.schedule, saved.query_period) == (rule.schedule, rule.query_period)
    assert raised(run(conf)) == raised(run(path))


def test_saved_searches_become_yaml(tmp_path: Path, cli: Any) -> None:
    path = written(tmp_path, OBSERVABLES)
    conf = tmp_path / "savedsearches.conf"
    assert cli("export", path, "--to", "savedsearches", "-o", conf).returncode == 0
    assert cli("import", conf, "-o", tmp_path / "yaml").returncode == 0
    (recovered,) = (tmp_path / "yaml").iterdir()
    assert raised(run(recovered)) == raised(run(path))


def test_macros_come_from_a_mapping_a_file_or_a_folder(tmp_path: Path) -> None:
    pack = hp.load(written(tmp_path / "rules", OBSERVABLES))
    conf = tmp_path / "app" / "default" / "macros.conf"
    conf.parent.mkdir(parents=True)
    conf.write_text("[proxy_events]\ndefinition = sourcetype=proxy\n", encoding="utf-8")
    folder = tmp_path / "macros"
    folder.mkdir()
    (folder / "proxy_events.yml").write_text("name: proxy_events\ndefinition: sourcetype=proxy\n", encoding="utf-8")
    found = []
    for macros in (MACROS, conf, str(conf.parents[1]), folder, [{"other": "x"}, folder]):
        hits = pack.run({"proxy": EVENTS}, now=NOW, macros=macros, lookups={"owners": OWNERS})
        assert not hits.problems, hits.problems
        found.append(raised(hits))
    assert all(other == found[0] for other in found)
    (problem,) = pack.run(EVENTS, now=NOW, lookups={"owners": OWNERS}).problems
    assert "proxy_events" in str(problem.error)


def test_macros_take_arguments() -> None:
    macros = {"near(2)": {"args": ["a", "b"], "definition": "eval found=$a$+$b$"}, "first(1)": "eval found=$1$"}
    assert hp.spl("| makeresults | `near(1, 2)` | table found", macros=macros).to_dicts() == [{"found": 3}]
    assert hp.spl("| makeresults | `first(7)` | table found", macros=macros).to_dicts() == [{"found": 7}]
    with pytest.raises(hp.DataError):
        hp.spl("| makeresults", macros={"near(2)": {"args": "a", "definition": "x"}})
    with pytest.raises(TypeError):
        hp.spl("| makeresults", macros={"a": 7})


ANALYTIC = """id: 0d5f2c7e-8a31-4b96-9c04-7e1b6d3a52f8
name: Known names
kind: Scheduled
severity: Low
query: _GetWatchlist("Known") | project name
queryFrequency: 1h
queryPeriod: 1h
triggerOperator: gt
triggerThreshold: 0
"""


def test_a_list_is_given_once_for_both_languages(tmp_path: Path) -> None:
    (tmp_path / "analytic.yaml").write_text(ANALYTIC, encoding="utf-8")
    found = {**OBSERVABLES, "search": "| inputlookup Known | fields name"}
    (tmp_path / "detection.yml").write_text(json.dumps(found), encoding="utf-8")
    pack, rows = hp.load(tmp_path), [{"name": "ada"}]
    for given in ({"watchlists": {"known": rows}}, {"lookups": {"Known": rows}}):
        hits = pack.run({}, strict=True, **given)  # type: ignore[arg-type]
        assert [table.rows() for table in hits.results.values()] == [[("ada",)]] * 2


def test_lookups_come_from_a_folder(tmp_path: Path) -> None:
    (tmp_path / "tools.csv").write_text("pattern,bad\n*evil*,true\n", encoding="utf-8")
    definition = "name: tools\nfilename: tools.csv\nmatch_type: WILDCARD(pattern)\nmin_matches: 1\n"
    definition += "default_match: 'false'\ncase_sensitive_match: 'false'\n"
    (tmp_path / "tools.yml").write_text(definition, encoding="utf-8")
    rows = [{"path": "C:\\EVIL.exe"}, {"path": "C:\\good.exe"}, {"other": "x"}]
    search = "search * | lookup tools pattern AS path OUTPUT bad | table bad"
    assert hp.spl(search, rows, lookups=tmp_path).rows() == [("true",), ("false",), (None,)]
    own = [tmp_path, {"tools": [{"pattern": "*good*", "bad": "yes"}]}]
    assert hp.spl(search, rows, lookups=own).rows() == [("false",), ("yes",), (None,)]
    with pytest.raises(hp.QueryError, match="no lookup `tool`"):
        hp.spl("search * | lookup tool a", rows, lookups=tmp_path)


def test_check_says_what_the_content_asks_for(tmp_path: Path) -> None:
    (rule,) = hp.load(written(tmp_path, {**with_rba(OBSERVABLES), "drilldown_searches": []}))
    found = rule.check(macros=MACROS)
    assert found.ok
    assert {d.severity for d in found.diagnostics} == {"warning"}
    strict = rule.check(macros=MACROS, strict=True)
    assert [d.code for d in strict.diagnostics if d.severity == "error"] == ["HP224"]
    assert not rule.check().ok


def test_attributes(tmp_path: Path) -> None:
    (rule,) = hp.load(written(tmp_path, with_rba(OBSERVABLES)))
    assert (rule.language, rule.format, rule.kind, rule.severity) == ("spl", "escu", "TTP", "Low")
    assert rule.risk_objects == [
        {"field": "src", "type": "system", "score": 40},
        {"field": "user", "type": "user", "score": 40},
    ]
    assert rule.threat_objects == [{"field": "url", "type": "url"}]
    assert rule.message == OBSERVABLES["tags"]["message"]
    assert (rule.analytic_story, rule.security_domain) == (["Remote Tools"], "network")
    assert rule.drilldown_searches == OBSERVABLES["drilldown_searches"]
    assert rule.schedule["cron_schedule"] == "0 * * * *"
    assert rule.techniques == ["T1219"]


def test_a_broken_detection_stands_in_problems(tmp_path: Path) -> None:
    written(tmp_path / "a", {**OBSERVABLES, "type": "Alarm"})
    (tmp_path / "b.yml").write_text("name: x\nsearch: |\n  a\n b: [\nhow_to_implement: y\n", encoding="utf-8")
    (tmp_path / "baseline.yml").write_text("name: x\nsearch: y\ntype: Baseline\n", encoding="utf-8")
    pack = hp.load(tmp_path)
    assert len(pack) == 0
    texts = sorted(str(problem.error) for problem in pack.problems)
    assert len(texts) == 2
    assert any("Alarm" in text and "TTP" in text for text in texts)


def test_why_tells_the_step_that_emptied(tmp_path: Path) -> None:
    pack = hp.load(written(tmp_path, OBSERVABLES))
    hits = pack.run([{**e, "threat": "none"} for e in EVENTS], now=NOW, macros=MACROS, lookups={"owners": OWNERS})
    assert len(hits.findings) == len(hits.risk) == 0
    assert "Emptied by" in hits.why(OBSERVABLES["name"])


def test_the_command_line(tmp_path: Path, cli: Any) -> None:
    path = written(tmp_path / "rules", OBSERVABLES)
    events = tmp_path / "events.ndjson"
    events.write_text("".join(json.dumps(e) + "\n" for e in EVENTS), encoding="utf-8")
    owners = tmp_path / "owners.csv"
    owners.write_text("src,owner\n10.0.0.5,ada\n10.0.0.6,bob\n", encoding="utf-8")
    macros = tmp_path / "macros.conf"
    macros.write_text("[proxy_events]\ndefinition = sourcetype=proxy\n", encoding="utf-8")
    base = ["run", path, "--table", f"proxy={events}", "--lookup", f"owners={owners}", "--macros", macros, "--now", NOW]
    risk = json.loads(cli(*base, "--output", "risk", "--format", "json").stdout)
    assert [r["risk_object"] for r in risk] == ["10.0.0.5", "ada", "10.0.0.6", "bob"]
    both = json.loads(cli(*base, "--output", "findings,risk", "--format", "json").stdout)
    assert (len(both["findings"]), len(both["risk"])) == (2, 4)
    shown = cli(*base)
    assert "ada" in shown.stdout and "low" in shown.stdout
    assert cli(*base, "--fail-on-alert").returncode == 3
    assert cli("check", path, "--macros", macros, "--lookup", f"owners={owners}").returncode == 0
    assert cli("check", path).returncode == 1
    listed = json.loads(cli("rules", path, "--format", "json").stdout)
    assert (listed[0]["language"], listed[0]["severity"]) == ("spl", "Low")

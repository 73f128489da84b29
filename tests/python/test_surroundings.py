"""What surrounds a search: add-ons, risk events of the run, lookups that are written, and what is said of silence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import huntpack as hp
import pytest

NOW = "2026-03-12T15:00:00Z"


def addon(folder: Path) -> Path:
    """An add-on whose events are of a data model by their event type alone."""
    default = folder / "default"
    default.mkdir(parents=True)
    (default / "props.conf").write_text("[my:login]\nFIELDALIAS-u = who AS user\nEVAL-action = lower(did)\n")
    (default / "eventtypes.conf").write_text(
        '[my_login]\nsearch = sourcetype="my:login" did=*\n[my_failed]\nsearch = eventtype=my_login action=failure\n'
    )
    (default / "tags.conf").write_text(
        "[eventtype=my_login]\nauthentication = enabled\n[eventtype=my_failed]\ndefault = enabled\n"
    )
    return folder


LOGINS: list[dict[str, Any]] = [
    {"_time": 1773320400, "sourcetype": "my:login", "who": "ann", "did": "SUCCESS"},
    {"_time": 1773320401, "sourcetype": "my:login", "who": "bob", "did": "FAILURE"},
    {"_time": 1773320402, "sourcetype": "my:login", "who": "eve"},
    {"_time": 1773320403, "sourcetype": "other", "who": "dan", "did": "SUCCESS"},
]


def test_event_types_and_tags_make_members_of_data_models(tmp_path: Path) -> None:
    folder = addon(tmp_path / "addon")
    search = "| tstats count from datamodel=Authentication by Authentication.user Authentication.action"
    found = hp.spl(search, LOGINS, addons=folder).to_dicts()
    assert [(row["Authentication.user"], row["Authentication.action"]) for row in found] == [
        ("ann", "success"),
        ("bob", "failure"),
    ]
    child = "| tstats count from datamodel=Authentication.Default_Authentication by Authentication.user"
    assert [row["Authentication.user"] for row in hp.spl(child, LOGINS, addons=folder).to_dicts()] == ["bob"]
    named = hp.spl("search eventtype=my_failed | table who", LOGINS, addons=folder)
    assert named.to_dicts() == [{"who": "bob"}]


def test_a_broken_event_type_is_told(tmp_path: Path) -> None:
    folder = addon(tmp_path / "addon")
    (folder / "default" / "eventtypes.conf").write_text("[my_login]\nsearch = sourcetype=( did=*\n")
    with pytest.raises(hp.Error, match="my_login"):
        hp.spl("search *", LOGINS, addons=folder)


def detection(name: str, kind: str, search: str, **more: Any) -> dict[str, Any]:
    """A detection in the form of early 2026."""
    return {
        "name": name,
        "id": f"7b3c2f1e-5a64-4b8e-9f0d-{abs(hash(name)) % 10**12:012d}",
        "version": 1,
        "date": "2026-01-30",
        "author": "Northwind",
        "status": "production",
        "type": kind,
        "description": "For a test.",
        "search": search,
        "how_to_implement": "Collect.",
        "known_false_positives": "None.",
        "tags": {
            "analytic_story": ["Guessing"],
            "asset_type": "Endpoint",
            "mitre_attack_id": ["T1110.003"],
            "product": ["Splunk Enterprise Security"],
            "security_domain": "identity",
        },
        **more,
    }


def written(path: Path, rule: dict[str, Any]) -> Path:
    """The rule as a file: JSON is YAML."""
    path.write_text("# A detection.\n" + json.dumps(rule, indent=2), encoding="utf-8")
    return path


def rules(folder: Path) -> Path:
    """A rule that scores users, and one over the risk that it raises; the latter is read first."""
    folder.mkdir()
    rba = {
        "message": "$user$ failed",
        "risk_objects": [{"field": "user", "type": "user", "score": 30}],
        "threat_objects": [{"field": "src", "type": "ip_address"}],
    }
    failing = detection("Failing User", "Anomaly", "did=FAILURE | stats count by user src", rba=rba)
    search = (
        "| tstats sum(All_Risk.calculated_risk_score) as score values(All_Risk.search_name) as searches "
        "values(All_Risk.annotations.mitre_attack.mitre_tactic_id) as tactics from datamodel=Risk.All_Risk "
        'where All_Risk.analyticstories="Guessing" by All_Risk.risk_object All_Risk.risk_object_type '
        "| `drop_dm_object_name(All_Risk)` | where score>=30"
    )
    scored = detection("A Scored User", "Correlation", search)
    for rule in (failing, scored):
        name = rule["name"].lower().replace(" ", "_")
        written(folder / f"{name}.yml", rule)
    return folder


def test_risk_of_a_run_feeds_correlations(tmp_path: Path) -> None:
    events = [{**row, "user": row["who"], "src": "10.0.0.5"} for row in LOGINS]
    pack = hp.load(rules(tmp_path / "rules"))
    hits = pack.run(events, now=NOW)
    assert not hits.problems, hits.problems
    assert list(hits.results) == [rule.id for rule in pack]
    (scored,) = [rule for rule in pack if rule.kind == "Correlation"]
    assert hits.results[scored.id].to_dicts() == [
        {
            "risk_object": "bob",
            "risk_object_type": "user",
            "score": 30,
            "searches": "ESCU - Failing User - Rule",
            "tactics": "TA0006",
        }
    ]
    assert [finding["rule_name"] for finding in hits.findings.to_dicts()] == ["A Scored User"]
    assert "Emptied by" not in hits.why("Failing User")


def test_packs_take_addons(tmp_path: Path, cli: Any) -> None:
    folder = addon(tmp_path / "addon")
    search = "| tstats count from datamodel=Authentication by Authentication.user"
    path = written(tmp_path / "rule.yml", detection("Any Login", "Hunting", search))
    pack = hp.load(path)
    (table,) = pack.run(LOGINS, now=NOW, addons=folder).results.values()
    assert len(table) == 2
    events = tmp_path / "events.ndjson"
    events.write_text("".join(json.dumps(row) + "\n" for row in LOGINS), encoding="utf-8")
    base = ["--table", f"logins={events}", "--addons", folder, "--format", "json"]
    assert len(json.loads(cli("run", path, *base, "--output", "results").stdout)) == 2
    assert len(json.loads(cli("query", search, "--language", "spl", *base).stdout)) == 2


def test_rules_name_what_they_read_and_their_tactics(tmp_path: Path) -> None:
    names = {rule.name: rule.tables for rule in hp.load(rules(tmp_path / "rules"))}
    assert names["A Scored User"] == ["Risk.All_Risk"]
    search = "`sysmon` EventCode=1 | stats count | append [| tstats count from datamodel=Web.Web]"
    (rule,) = hp.load(written(tmp_path / "rule.yml", detection("Both", "Hunting", search)))
    assert rule.tables[-1] == "Web.Web"
    assert "XmlWinEventLog:Microsoft-Windows-Sysmon/Operational" in rule.tables
    assert rule.tactics == ["CredentialAccess"]


def test_lookups_are_written_where_that_is_allowed(tmp_path: Path, cli: Any) -> None:
    search = r'search did=* | table who did | eval said="a, \"b\"" | sort who | outputlookup seen.csv'
    hp.spl(search, LOGINS)
    assert not list(tmp_path.iterdir())
    hp.spl(search, LOGINS, write_lookups=tmp_path / "out")
    written = tmp_path / "out" / "seen.csv"
    assert written.read_text() == (
        'who,did,said\nann,SUCCESS,"a, ""b"""\nbob,FAILURE,"a, ""b"""\ndan,SUCCESS,"a, ""b"""\n'
    )
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["seen.csv"]
    events = tmp_path / "events.ndjson"
    events.write_text("".join(json.dumps(row) + "\n" for row in LOGINS), encoding="utf-8")
    outside = "search did=FAILURE | table who | outputlookup ../../seen"
    done = cli("query", outside, "--language", "spl", "-t", f"a={events}", "--write-lookups", tmp_path / "cli")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "cli" / "seen.csv").read_text() == "who\nbob\n"


def test_tables_that_tell_no_sourcetype_are_told_of(tmp_path: Path) -> None:
    search = "sourcetype=my:login | stats count by who"
    path = written(tmp_path / "rule.yml", detection("Named", "Hunting", search))
    plain = [{key: row[key] for key in row if key != "sourcetype"} for row in LOGINS]
    hits = hp.load(path).run({"a": plain, "b": plain}, now=NOW)
    assert any("no table has a column `sourcetype`" in note for note in hits.notes)
    assert not hp.load(path).run({"a": LOGINS, "b": plain}, now=NOW).notes
    assert not hp.load(path).run(plain, now=NOW).notes


def test_a_missing_file_is_told_though_nothing_reads_it(tmp_path: Path, cli: Any) -> None:
    done = cli("query", "print 1", "--table", f"A={tmp_path / 'none.csv'}")
    assert done.returncode == 1
    assert "none.csv" in done.stderr

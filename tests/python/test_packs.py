"""Rules in, alerts out."""

from __future__ import annotations

import datetime as dt
import json
import subprocess
import sys
from pathlib import Path

import huntpack as hp
import pytest
from shared import NOW, RULE, signin


def test_load(rule: Path) -> None:
    pack = hp.load(rule)
    assert len(pack) == 1
    (found,) = pack
    assert pack[found.id].name == pack["Many failures"].name == "Many failures"
    with pytest.raises(KeyError):
        pack["none such"]


def test_an_ambiguous_name(rule: Path) -> None:
    other = RULE.replace("0f8fad5b", "1f8fad5b")
    rule.with_name("other.yaml").write_text(other, encoding="utf-8")
    with pytest.raises(hp.RuleError):
        hp.load(rule.parent)["Many failures"]


def test_a_folder_with_rules_of_other_products(rule: Path) -> None:
    other = rule.with_name("other.yaml")
    other.write_text("queryCondition:\n  queryText: T\n", encoding="utf-8")
    rule.with_name("workflow.yaml").write_text("on: push\n", encoding="utf-8")
    pack = hp.load(rule.parent)
    assert (len(pack), pack.problems) == (1, [])
    (note,) = pack.notes
    assert "other.yaml" in note
    (problem,) = hp.load(other).problems
    assert isinstance(problem.error, hp.RuleError)


def test_attributes(rule: Path) -> None:
    (found,) = hp.load(rule)
    assert (found.language, found.format, found.kind) == ("kql", "sentinel", "Scheduled")
    assert (found.severity, found.enabled, found.status) == ("Medium", True, None)
    assert found.query_frequency == found.query_period == dt.timedelta(hours=1)
    assert (found.trigger_operator, found.trigger_threshold) == ("gt", 0)
    assert found.tactics == ["CredentialAccess"]
    assert found.techniques == ["T1110.003"]
    assert found.tables == ["SigninLogs"]
    assert found.entity_mappings[0]["entityType"] == "IP"
    assert found.custom_details == {"Failures": "Failures"}
    assert found.event_grouping == "SingleAlert"
    assert (found.create_incident, found.grouping_enabled, found.suppression_enabled) == (True, False, False)
    assert (found.matching_method, found.group_by_entities) == ("AllEntities", [])
    assert found.lookback_duration == dt.timedelta(hours=5)
    assert found.raw["tactics"] == ["Credential Access"]
    assert Path(found.path) == rule


def test_a_broken_file_stands_in_problems(rule: Path) -> None:
    rule.with_name("broken.yaml").write_text(RULE.replace("severity: Medium", "severity: Grave"), encoding="utf-8")
    pack = hp.load(rule.parent)
    assert len(pack) == 1
    (problem,) = pack.problems
    assert problem.path.endswith("broken.yaml")
    assert isinstance(problem.error, hp.RuleError)
    assert "Grave" in str(problem.error)


def test_run(rule: Path, signins: Path) -> None:
    hits = hp.load(rule).run({"SigninLogs": signins}, now=NOW)
    (alert,) = hits.alerts.to_dicts()
    assert alert["DisplayName"] == "4 failures from 203.0.113.7"
    assert alert["AlertSeverity"] == "Medium"
    assert json.loads(alert["Entities"])[0]["Address"] == "203.0.113.7"
    assert "CredentialAccess" in alert["Tactics"]
    assert len(hits.incidents) == 1
    (rows,) = hits.results.values()
    assert [row["IPAddress"] for row in rows.to_dicts()] == ["203.0.113.7"]
    assert not hits.problems


def test_hits_are_not_counted(rule: Path, signins: Path) -> None:
    hits = hp.load(rule).run({"SigninLogs": signins}, now=NOW)
    for ask in (bool, len):
        with pytest.raises(TypeError, match="alerts"):
            ask(hits)


def test_the_tables_always_have_their_columns(rule: Path, quiet: Path) -> None:
    hits = hp.load(rule).run({"SigninLogs": quiet}, now=NOW)
    assert len(hits.alerts) == 0
    assert ("SystemAlertId", "string") in hits.alerts.columns
    assert ("IncidentNumber", "int") in hits.incidents.columns
    assert ("risk_score", "long") in hits.risk.columns
    assert "entity_type" in dict(hits.findings.columns)


def test_why(rule: Path, quiet: Path) -> None:
    hits = hp.load(rule).run({"SigninLogs": quiet}, now=NOW)
    assert "where" in str(hits.why("Many failures"))


def test_rows_outside_the_window(rule: Path) -> None:
    rows = [signin(30, "203.0.113.7")]
    pack = hp.load(rule)
    assert len(pack.run({"SigninLogs": rows}, now="2026-04-01").notes) == 1
    assert pack.run({"SigninLogs": rows}, now=NOW).notes == []


def test_a_silent_rule_that_saw_events(rule: Path, quiet: Path) -> None:
    hits = hp.load(rule).run({"SigninLogs": quiet}, now=NOW)
    assert (len(hits.alerts), hits.notes) == (0, [])


def test_events_outside_the_window(rule: Path, signins: Path) -> None:
    hits = hp.load(rule).run({"SigninLogs": signins}, now="2026-04-01")
    assert len(hits.alerts) == 0
    assert len(hits.notes) == 1
    text = str(hits.why("Many failures"))
    assert "latest" in text
    assert "2026-03-12" in text


def test_the_newest_event_as_now(rule: Path, signins: Path) -> None:
    assert len(hp.load(rule).run({"SigninLogs": signins}, now="latest").alerts) == 1


def test_one_bad_rule_never_stops_the_others(rule: Path, signins: Path) -> None:
    bad = RULE.replace("0f8fad5b", "1f8fad5b").replace("Many failures", "Bad").replace("ResultType", "NoSuchColumn")
    rule.with_name("bad.yaml").write_text(bad, encoding="utf-8")
    pack = hp.load(rule.parent)
    hits = pack.run({"SigninLogs": signins}, now=NOW)
    assert len(hits.alerts) == 1
    (problem,) = hits.problems
    assert problem.path.endswith("bad.yaml")
    assert "NoSuchColumn" in str(problem.error)
    with pytest.raises(hp.QueryError):
        pack.run({"SigninLogs": signins}, now=NOW, strict=True)


def test_progress(rule: Path, signins: Path) -> None:
    calls: list[tuple[object, ...]] = []
    hp.load(rule).run({"SigninLogs": signins}, now=NOW, progress=lambda *call: calls.append(call))
    assert calls
    assert calls[-1][:2] == (1, 1)


def test_report(rule: Path, signins: Path, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    hp.load(rule).run({"SigninLogs": signins}, now=NOW).to_html(path)
    text = path.read_text(encoding="utf-8")
    assert "4 failures from 203.0.113.7" in text
    assert "T1110.003" in text
    assert "<svg" in text


def test_export_and_load_again(rule: Path, tmp_path: Path) -> None:
    template = json.loads(hp.load(rule).export("arm"))
    path = tmp_path / "arm.json"
    path.write_text(json.dumps(template), encoding="utf-8")
    (one,), (two,) = hp.load(rule), hp.load(path)
    assert two.format == "arm"
    for name in ("id", "name", "query", "severity", "tactics", "techniques", "query_period", "entity_mappings"):
        assert getattr(one, name) == getattr(two, name)


def test_the_built_in_pack() -> None:
    pack = hp.load()
    assert not pack.problems
    assert len(pack) == 10
    assert {table for rule in pack for table in rule.tables} >= {"SigninLogs", "CommonSecurityLog", "W3CIISLog"}


def test_the_built_in_packs_own_tests() -> None:
    pack = hp.load()
    results = pack.test()
    assert [result.message for result in results if not result.ok] == []
    assert len(results) >= len(pack)


def test_a_failing_test(rule: Path) -> None:
    test = "now: 2026-03-12T15:00:00Z\ntables:\n  SigninLogs: []\nexpect:\n  alerts: 1\n"
    rule.with_name("many-failures.test.yaml").write_text(test, encoding="utf-8")
    (result,) = hp.load(rule.parent).test()
    assert not result.ok
    assert "1 alerts expected, 0 found" in result.message


def test_the_stubs_are_the_module() -> None:
    pytest.importorskip("mypy")
    pytest.importorskip("pandas")
    command = [sys.executable, "-m", "mypy.stubtest", "huntpack._core", "--ignore-missing-stub"]
    config = Path(__file__).parents[2] / "pyproject.toml"
    done = subprocess.run([*command, "--mypy-config-file", str(config)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_an_entity_type_that_nobody_knows_is_told(rule: Path, signins: Path) -> None:
    rule.write_text(RULE.replace("entityType: IP", "entityType: Gadget"), encoding="utf-8")
    hits = hp.load(rule).run({"SigninLogs": signins}, now=NOW)
    assert len(hits.alerts) == 1
    assert any("`Gadget`" in note for note in hits.notes)


def test_a_time_zone_that_is_none(rule: Path, signins: Path) -> None:
    with pytest.raises(hp.QueryError, match="Mars/Base"):
        hp.load(rule).run({"SigninLogs": signins}, now=NOW, timezone="Mars/Base")

"""Tests in detections' own files, over recorded data of attacks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import huntpack as hp
import pytest
from huntpack import attack_data

ADDRESS = "https://media.example.org/attack_data/master/datasets/techniques/T1003/tool/sysmon.log"
EVENT = (
    "<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System>"
    "<Provider Name='Microsoft-Windows-Sysmon'/><EventID>1</EventID>"
    "<TimeCreated SystemTime='2026-03-12T13:00:00.000Z'/>"
    "<Channel>Microsoft-Windows-Sysmon/Operational</Channel><Computer>{computer}</Computer></System><EventData>"
    "<Data Name='Image'>C:\\Temp\\tool.exe</Data><Data Name='CommandLine'>tool.exe\n-x</Data></EventData></Event>\n"
)


def detection(**more: Any) -> dict[str, Any]:
    """A detection with one test."""
    data = {"data": ADDRESS, "source": "XmlWinEventLog:Sysmon", "sourcetype": "XmlWinEventLog"}
    return {
        "name": "Tool Run",
        "id": "0a4d3f0e-92b4-4b0c-8f52-0d2ac2c3d7a1",
        "version": 1,
        "date": "2026-03-01",
        "author": "Northwind",
        "status": "production",
        "type": "TTP",
        "description": "Finds the tool.",
        "search": "EventCode=1 process_name=tool.exe | stats count by dest | `tool_run_filter`",
        "how_to_implement": "Collect Sysmon.",
        "known_false_positives": "None.",
        "references": [],
        "tags": {"analytic_story": ["Tools"], "asset_type": "Endpoint", "security_domain": "endpoint"},
        "rba": {
            "message": "The tool ran on $dest$",
            "risk_objects": [{"field": "dest", "type": "system", "score": 40}],
            "threat_objects": [],
        },
        "tests": [{"name": "True Positive", "attack_data": [data]}],
        **more,
    }


def written(folder: Path, rule: dict[str, Any]) -> hp.Pack:
    path = folder / "tool_run.yml"
    path.write_text("# A detection.\n" + json.dumps(rule), encoding="utf-8")
    return hp.load(path)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder of recorded data: two events, on several lines."""
    path = tmp_path / "data" / "datasets" / "techniques" / "T1003" / "tool" / "sysmon.log"
    path.parent.mkdir(parents=True)
    path.write_text(EVENT.format(computer="pc1") + EVENT.format(computer="pc2"), encoding="utf-8")
    return tmp_path / "data"


def test_data_at_hand_are_searched(tmp_path: Path, data: Path) -> None:
    (found,) = written(tmp_path, detection()).test(attack_data=data)
    assert (found.ok, found.skipped, found.rule) == (True, "", "Tool Run: True Positive")


@pytest.mark.parametrize(("expected", "message"), [(2, ""), (1, "1 results expected, 2 found"), (0, "0 results")])
def test_the_number_of_results_is_held(tmp_path: Path, data: Path, expected: int, message: str) -> None:
    rule = detection()
    rule["tests"][0]["expected_results"] = expected
    (found,) = written(tmp_path, rule).test(attack_data=data)
    assert found.message.startswith(message)
    assert found.ok is (not message)


def test_nothing_found_is_a_failure(tmp_path: Path, data: Path) -> None:
    search = "EventCode=1 process_name=other.exe | stats count by dest"
    (found,) = written(tmp_path, detection(search=search)).test(attack_data=data)
    assert found.message == "at least one result expected, none found"


def test_entities_must_be_there(tmp_path: Path, data: Path) -> None:
    search = "EventCode=1 | stats count by process_name | eval dest=null()"
    (found,) = written(tmp_path, detection(search=search)).test(attack_data=data)
    assert found.message == "no result has the fields dest of its entities"


def test_data_that_are_not_at_hand_are_said_where_folders_are_given(tmp_path: Path) -> None:
    pack = written(tmp_path, detection())
    assert pack.test() == []
    (found,) = pack.test(attack_data=tmp_path)
    assert found.ok
    assert found.skipped.startswith("its data are not at hand")


@pytest.mark.parametrize("more", [{"status": "experimental"}, {"type": "Correlation"}, {"manual_test": "by hand"}])
def test_some_detections_are_passed_over(tmp_path: Path, data: Path, more: dict[str, Any]) -> None:
    (found,) = written(tmp_path, detection(**more)).test(attack_data=data)
    assert found.skipped


def test_the_command_line(tmp_path: Path, data: Path, cli: Any) -> None:
    rule = detection()
    rule["tests"][0]["expected_results"] = 5
    written(tmp_path, rule)
    found = cli("test", tmp_path / "tool_run.yml", "--attack-data", data, "--junit", tmp_path / "out.xml")
    assert found.returncode == 1
    assert "5 results expected, 2 found" in found.stdout
    assert "1 tests, 1 failed" in found.stdout
    assert "5 results expected" in (tmp_path / "out.xml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("text", "events"),
    [
        ("a\nb\n", ["a", "b"]),
        ('{"a": 1}\n{"a": 2}\n', ['{"a": 1}', '{"a": 2}']),
        ('[{"a": 1}, {"a": 2}]', ['{"a": 1}', '{"a": 2}']),
        ('{\n "a": 1\n}\n{"b": 2}', ['{"a": 1}', '{"b": 2}']),
        ("<Event a='1'>x\ny</Event><Event>z</Event>", ["<Event a='1'>x\ny</Event>", "<Event>z</Event>"]),
        (
            "11/17/2023 05:23:37 PM\nLogName=System\n11/17/2023 05:23:38 PM\nLogName=Security\n",
            ["11/17/2023 05:23:37 PM\nLogName=System", "11/17/2023 05:23:38 PM\nLogName=Security"],
        ),
    ],
)
def test_events_are_told_apart(text: str, events: list[str]) -> None:
    assert [event.strip() for event in attack_data.split(text) if event.strip()] == events

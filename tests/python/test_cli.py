"""The command line: exit codes, formats, and what goes to which stream."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from shared import NOW, RULE, Cli, signin

ALL = "SigninLogs | sort by TimeGenerated asc | project TimeGenerated, IPAddress, ResultType"


def test_version(cli: Cli) -> None:
    done = cli("--version")
    assert done.returncode == 0
    assert done.stdout.startswith("huntpack ")


@pytest.mark.parametrize(
    "arguments",
    [
        ["bogus"],
        ["query"],
        ["run", "--table"],
        ["run", "--table", "no-equals-sign"],
        ["run"],
        ["query", "print 1", "--format", "xlsx"],
        ["query", "print 1", "-o", "out.xlsx"],
        ["query", "print 1", "--language", "sql"],
        ["run", "--table", "T=x", "--output", "bogus"],
        ["query", "print 1", "--now", "garbage"],
    ],
)
def test_wrong_usage(cli: Cli, arguments: list[str]) -> None:
    done = cli(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr


def test_query_formats(cli: Cli, signins: Path) -> None:
    base = ["query", ALL + " | take 2", "--table", f"SigninLogs={signins}"]
    first = {"TimeGenerated": "2026-03-12T14:10:00.500000Z", "IPAddress": "203.0.113.7", "ResultType": "50126"}
    assert json.loads(cli(*base, "--format", "json").stdout)[0] == first
    assert json.loads(cli(*base, "--format", "ndjson").stdout.splitlines()[0]) == first
    assert next(csv.DictReader(io.StringIO(cli(*base, "--format", "csv").stdout))) == first
    table = cli(*base).stdout.splitlines()
    assert table[0].split() == list(first)
    assert table[2].split() == list(first.values())
    assert len(table) == 4
    assert "<table>" in cli(*base, "--format", "html").stdout


@pytest.mark.parametrize("name", ["out.json", "out.ndjson", "out.csv", "out.parquet", "out.html"])
def test_the_files_name_decides(cli: Cli, signins: Path, tmp_path: Path, name: str) -> None:
    done = cli("query", ALL, "--table", f"SigninLogs={signins}", "-o", name)
    assert (done.returncode, done.stdout) == (0, "")
    assert (tmp_path / name).stat().st_size
    assert not list(tmp_path.glob(".out*"))
    if not name.endswith("html"):
        again = cli("query", "T | count", "--table", f"T={name}", "--format", "json")
        assert json.loads(again.stdout) == [{"Count": 7}]


def test_a_failed_run_leaves_the_old_file(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "out.csv").write_text("old", encoding="utf-8")
    assert cli("query", "print x = nosuch()", "-o", "out.csv").returncode == 1
    assert (tmp_path / "out.csv").read_text(encoding="utf-8") == "old"


def test_cells_are_whole_in_pipes(cli: Cli) -> None:
    done = cli("query", "print x = strcat_array(repeat('long', 200), '')", COLUMNS="40")
    assert "long" * 200 in done.stdout


def test_a_query_from_a_file(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "q.kql").write_text("print Answer = 42", encoding="utf-8")
    assert json.loads(cli("query", "@q.kql", "--format", "json").stdout) == [{"Answer": 42}]


def test_a_broken_query(cli: Cli) -> None:
    done = cli("query", "print x = nosuch(1)")
    assert (done.returncode, done.stdout) == (1, "")
    assert "nosuch" in done.stderr
    assert "Traceback" not in done.stderr


def test_explain(cli: Cli, signins: Path) -> None:
    done = cli("query", "SigninLogs | where ResultType == '0'", "--table", f"SigninLogs={signins}", "--explain")
    assert done.returncode == 0
    assert "7" in done.stdout


def test_several_paths_of_a_table(cli: Cli, signins: Path, quiet: Path) -> None:
    tables = ["--table", f"SigninLogs={signins}", "--table", f"SigninLogs={quiet}"]
    done = cli("query", "SigninLogs | count", *tables, "--format", "json")
    assert json.loads(done.stdout) == [{"Count": 8}]


def test_run(cli: Cli, rule: Path, signins: Path) -> None:
    done = cli("run", rule, "--table", f"SigninLogs={signins}", "--now", NOW, "--format", "json")
    assert done.returncode == 0
    (alert,) = json.loads(done.stdout)
    assert alert["DisplayName"] == "4 failures from 203.0.113.7"
    assert alert["TimeGenerated"].endswith("Z")


def test_alerts_for_people(cli: Cli, rule: Path, signins: Path) -> None:
    done = cli("run", rule, "--table", f"SigninLogs={signins}", "--now", NOW)
    assert "4 failures from 203.0.113.7" in done.stdout
    assert "Medium" in done.stdout


@pytest.mark.parametrize("what", ["incidents", "findings", "risk", "results"])
def test_the_other_outputs(cli: Cli, rule: Path, signins: Path, what: str) -> None:
    done = cli("run", rule, "--table", f"SigninLogs={signins}", "--now", NOW, "--output", what, "--format", "json")
    assert done.returncode == 0
    assert len(json.loads(done.stdout)) == (1 if what in ("incidents", "results") else 0)


def test_fail_on_alert(cli: Cli, rule: Path, signins: Path, quiet: Path) -> None:
    for path, code in ((signins, 3), (quiet, 0)):
        done = cli("run", rule, "--table", f"SigninLogs={path}", "--now", NOW, "--fail-on-alert")
        assert done.returncode == code


def test_why(cli: Cli, rule: Path, quiet: Path) -> None:
    done = cli("run", rule, "--table", f"SigninLogs={quiet}", "--now", NOW, "--why", "--format", "json")
    assert json.loads(done.stdout) == []
    assert "Many failures" in done.stderr
    assert "where" in done.stderr


def test_a_failing_rule(cli: Cli, rule: Path, signins: Path) -> None:
    rule.with_name("bad.yaml").write_text(RULE.replace("ResultType", "NoSuchColumn"), encoding="utf-8")
    done = cli("run", rule.parent, "--table", f"SigninLogs={signins}", "--now", NOW, "--format", "json")
    assert done.returncode == 1
    assert len(json.loads(done.stdout)) == 1
    assert "NoSuchColumn" in done.stderr


def test_the_built_in_rules_that_have_no_table_are_told_in_one_line(cli: Cli, signins: Path) -> None:
    done = cli("run", "--table", f"SigninLogs={signins}", "--now", NOW, "--format", "json")
    assert done.returncode == 1
    (line,) = [line for line in done.stderr.splitlines() if "had no table" in line]
    assert line.startswith("4 rules had no table: Cryptominer download stopped, Private access")
    assert "error[" not in done.stderr


def test_bad_rows(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "s.ndjson").write_text(json.dumps(signin(1, "203.0.113.7")) + "\n{broken\n{worse\n", encoding="utf-8")
    done = cli("query", "SigninLogs | count", "--table", "SigninLogs=s.ndjson", "--format", "json")
    assert (done.returncode, json.loads(done.stdout)) == (0, [{"Count": 1}])
    (line,) = [line for line in done.stderr.splitlines() if "s.ndjson" in line]
    assert "2 bad rows" in line


def test_a_missing_file(cli: Cli) -> None:
    done = cli("query", "T | count", "--table", "T=nowhere.csv")
    assert done.returncode == 1
    assert "nowhere.csv" in done.stderr


def test_check(cli: Cli, rule: Path) -> None:
    assert cli("check", rule).returncode == 0
    rule.write_text(RULE.replace("IPAddress\n", "NoSuchColumn\n", 1), encoding="utf-8")
    done = cli("check", rule, "--format", "json")
    assert done.returncode == 1
    errors = [item for item in json.loads(done.stdout) if item["level"] == "error"]
    assert "NoSuchColumn" in errors[0]["message"]
    assert "NoSuchColumn" in RULE.replace("IPAddress\n", "NoSuchColumn\n", 1).splitlines()[errors[0]["line"] - 1]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("severity: Medium", "severity: Grave"),
        ("kind: Scheduled", "kind: Sometimes"),
        ("triggerOperator: gt", "triggerOperator: about"),
        ("customDetails:", "eventGroupingSettings:\n  aggregationKind: Some\ncustomDetails:"),
        (
            "customDetails:",
            "incidentConfiguration:\n  groupingConfiguration:\n    matchingMethod: Any\ncustomDetails:",
        ),
    ],
)
def test_unknown_values_are_errors(cli: Cli, rule: Path, old: str, new: str) -> None:
    rule.write_text(RULE.replace(old, new), encoding="utf-8")
    assert cli("check", rule).returncode == 1


def test_strict(cli: Cli, rule: Path) -> None:
    rule.write_text(RULE.replace("queryPeriod: 1h", "queryPeriod: 30d"), encoding="utf-8")
    assert cli("check", rule).returncode == 0
    done = cli("check", rule, "--strict", "--format", "sarif")
    assert done.returncode == 1
    (result,) = [r for r in json.loads(done.stdout)["runs"][0]["results"] if r["level"] == "error"]
    assert result["locations"][0]["physicalLocation"]["region"]["startLine"] == 9
    assert cli("check", "--strict").returncode == 0  # our own pack


def test_rules(cli: Cli, rule: Path) -> None:
    (listed,) = json.loads(cli("rules", rule, "--format", "json").stdout)
    assert listed["name"] == "Many failures"
    assert listed["tables"] == ["SigninLogs"]
    assert len(json.loads(cli("rules", "--format", "json").stdout)) >= 4


def test_import(cli: Cli, tmp_path: Path) -> None:
    flat = "\n".join(line.strip() for line in RULE.splitlines())
    (tmp_path / "page.txt").write_text(
        f"Query Details\n{flat}\nExplanation\nThis query finds things.\n", encoding="utf-8"
    )
    done = cli("import", "page.txt", "-o", "made/rules")
    assert done.returncode == 0, done.stderr
    (path,) = (tmp_path / "made" / "rules").glob("*.yaml")
    (listed,) = json.loads(cli("rules", path, "--format", "json").stdout)
    assert listed["name"] == "Many failures"
    assert done.stderr


def test_a_page_without_a_rule(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "page.txt").write_text("Nothing to see here.\n", encoding="utf-8")
    done = cli("import", "page.txt", "-o", "made")
    assert done.returncode == 1
    assert "page.txt" in done.stderr


def test_export(cli: Cli, rule: Path) -> None:
    template = json.loads(cli("export", rule, "--to", "arm").stdout)
    assert "resources" in template
    layer = json.loads(cli("export", rule, "--to", "attack-layer").stdout)
    assert layer["versions"]["layer"] == "4.5"


def test_tests(cli: Cli, rule: Path, tmp_path: Path) -> None:
    text = "now: 2026-03-12T15:00:00Z\ntables:\n  SigninLogs: signins.ndjson\nexpect:\n  none: true\n"
    rule.with_name("many-failures.test.yaml").write_text(text, encoding="utf-8")
    assert cli("test", rule.parent).returncode == 1  # the file is missing
    rule.with_name("signins.ndjson").write_text(json.dumps(signin(1, "203.0.113.7")) + "\n", encoding="utf-8")
    assert cli("test", rule.parent, "--junit", "junit.xml").returncode == 0
    assert 'failures="0"' in (tmp_path / "junit.xml").read_text(encoding="utf-8")


def test_help(cli: Cli) -> None:
    assert "dcount" in cli("help", "dcount").stdout
    done = cli("help", "dcout")
    assert done.returncode == 1
    assert "dcount" in done.stderr


def test_no_colours_outside_a_terminal(cli: Cli, rule: Path, signins: Path) -> None:
    done = cli("run", rule, "--table", f"SigninLogs={signins}", "--now", NOW, "--why", NO_COLOR="1")
    assert "\x1b" not in done.stdout + done.stderr


@pytest.mark.skipif(os.name == "nt", reason="pipes close otherwise there")
def test_a_closed_pipe_ends_quietly(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "huntpack", "query", "range x from 1 to 500000 step 1", "--format", "ndjson"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout and process.stderr
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0


@pytest.mark.skipif(os.name == "nt", reason="signals are sent otherwise there")
def test_ctrl_c() -> None:
    query = "range x from 1 to 30000000 step 1 | summarize max(hash_sha256(strcat('a', x)))"
    command = [sys.executable, "-m", "huntpack", "query", query, "--threads", "1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        time.sleep(1.5)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=5)
    assert process.returncode == 130
    assert b"Traceback" not in errors


def test_a_time_zone_that_is_none_fails_a_query_of_either_language(cli: Cli) -> None:
    for text, language in (("print 1", "kql"), ("| makeresults", "spl")):
        done = cli("query", text, "--language", language, "--timezone", "Mars/Base")
        assert done.returncode == 1
        assert "Mars/Base" in done.stderr

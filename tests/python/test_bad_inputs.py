"""Files that are wrong in some way: an error that names them, or rows that are counted."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import huntpack as hp
import pytest
from shared import RULE, Cli, lines, signin

GOOD = lines([signin(minute, "203.0.113.7") for minute in range(3)])
ROWS = json.dumps([[record["IPAddress"]] for record in map(json.loads, GOOD.splitlines())])
ANSWER = '{"tables":[{"name":"PrimaryResult","columns":[{"name":"IPAddress","type":"string"}],"rows":'

# The file, what it holds, the rows that are good, and what is said of the others.
COUNTED: list[tuple[str, bytes, int, str]] = [
    ("array.json", b'[{"IPAddress":"a"},{"IPAddress":"b"}', 2, "the array is not closed"),
    ("array.json", b'[{"IPAddress":"a"},{"IPAddress":"b"},', 2, "the array is not closed"),
    ("array.json", b'[{"IPAddress":"a"},{"IPAddr', 1, "a string is not closed"),
    ("array.json", b"[" * 100_000, 0, "the array is not closed"),
    ("records.json", b'{"records":[{"IPAddress":"a"},{"IPAddress":"b"}', 2, "the array is not closed"),
    ("answer.json", f"{ANSWER}{ROWS[:-1]}".encode(), 3, "the rows are not closed"),
    ("answer.json", f'{ANSWER}[["a"],5,["b","c"]]}}]}}'.encode(), 1, "a row is no array"),
    ("answer.json", f'{ANSWER}{ROWS}}}],"error":{{"code":"PartialError"}}}}'.encode(), 3, "the answer is partial"),
    ("cut.ndjson.gz", gzip.compress(GOOD.encode())[:-4], 3, "damaged or cut off"),
    ("short.cef", b"CEF:0|a|b\nCEF:0|a|b|c|d|e|f|act=x\n", 1, "no CEF event"),
    ("time.cef", b"CEF:0|a|b|c|d|e|f|act=x rt=never\n", 1, "`TimeGenerated` is no datetime"),
]

# The file, what it holds, and the error.
REFUSED: list[tuple[str, bytes, str]] = [
    ("wide.ndjson", GOOD.encode("utf-16"), "is UTF-16 text"),
    ("columns.csv", b"a,b\n1,2\n", "its header names no column of SigninLogs: a, b"),
    ("returns.csv", b"TimeGenerated,IPAddress\r2026-03-12,a\r", "carriage returns alone"),
    ("header.csv", b'"TimeGenerated,IPAddress\n2026-03-12,a\n', "a quoted cell is not closed"),
    ("wide.csv", b"IPAddress" + b",x" * 20_000 + b"\n", "more than 10000 columns"),
    ("archive", b"PK\x03\x04\x14\x00,\x00", "is of no known format"),
    ("answer.json", b'{"tables":[{"name":"PrimaryResult","columns":[', "it has no rows"),
    ("error.json", b'{"error":{"code":"BadArgumentError","message":"no"}}', "an error of a service"),
]


@pytest.mark.parametrize("name, data, good, reason", COUNTED)
def test_bad_rows_are_counted(tmp_path: Path, name: str, data: bytes, good: int, reason: str) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    table = "CommonSecurityLog" if name.endswith(".cef") else "SigninLogs"
    found = hp.kql(f"{table} | project TimeGenerated", {table: path})
    assert len(found) == good
    assert any(reason in problem.reason and problem.line for problem in found.problems)


@pytest.mark.parametrize(
    "query",
    [
        "_GetWatchlist('Visitors') | project Note",
        "print user = 'ada' | where user in ((_GetWatchlist('Visitors') | project SearchKey)) | project user",
        "print user = 'ada' | join kind=inner (_GetWatchlist('Visitors')) on $left.user == $right.SearchKey",
    ],
)
def test_bad_rows_of_a_watchlist_are_counted(tmp_path: Path, query: str) -> None:
    path = tmp_path / "Visitors.csv"
    path.write_text("SearchKey,Note\nada,\nbruno,two,three,four\ncarla,\n", encoding="utf-8")
    (problem,) = hp.kql(query, watchlists={"Visitors": path}).problems
    assert (problem.line, problem.count) == (3, 1)


@pytest.mark.parametrize("name, data, message", REFUSED)
def test_unreadable_files_are_errors(tmp_path: Path, name: str, data: bytes, message: str) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(hp.DataError, match=name) as raised:
        hp.kql("SigninLogs", {"SigninLogs": path})
    assert message in str(raised.value)


def test_values_of_another_kind_in_parquet(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    pq = pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "signins.parquet"
    pq.write_table(pa.table({"TimeGenerated": ["2026-03-12T14:00:00Z", "never", ""]}), path)
    found = hp.kql("SigninLogs | project TimeGenerated", {"SigninLogs": path})
    assert [problem.count for problem in found.problems] == [1]


@pytest.mark.parametrize(
    "data",
    [b"", b"just text", b"[1, 2]", RULE.replace("Many", "M\xe4ny").encode("latin-1"), b'{"resources": 5}'],
)
def test_a_file_that_is_no_rule_is_named(cli: Cli, tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "odd.json"
    path.write_bytes(data)
    for command in ("check", "rules", "export"):
        result = cli(command, path)
        assert result.returncode == 1 and str(path) in result.stdout + result.stderr


@pytest.mark.parametrize("duration", ["-1h", "-PT1H", "0", "PT0S", "1 fortnight", ""])
def test_durations_of_rules(tmp_path: Path, duration: str) -> None:
    path = tmp_path / "rule.yaml"
    path.write_text(RULE.replace("queryPeriod: 1h", f'queryPeriod: "{duration}"'), encoding="utf-8")
    (problem,) = hp.load(path).problems
    assert "queryPeriod" in str(problem.error)


@pytest.mark.parametrize("pattern", ["(", "[", "a{2,1}"])
def test_a_bad_pattern_has_its_place(pattern: str) -> None:
    with pytest.raises(hp.QueryError) as raised:
        hp.kql(f"print x = 'a' | where x matches regex '{pattern}'")
    (said,) = raised.value.diagnostics
    assert (said.line, said.column) == (1, 39)


@pytest.mark.parametrize("text, message", [("[1]", "no schemas"), ('{"T": 5}', "no schemas"), ("{", "is not JSON")])
def test_schemas_that_are_none(cli: Cli, tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "schemas.json"
    path.write_text(text, encoding="utf-8")
    result = cli("query", "print 1", "--schema", path)
    assert result.returncode == 1 and message in result.stderr


def test_a_query_that_is_no_text(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "query.kql"
    path.write_bytes(b"print 1\n| where '\xff' == ''")
    result = cli("query", f"@{path}")
    assert result.returncode == 1 and "query.kql is not UTF-8 text (line 2)" in result.stderr


def test_a_records_category_tells_its_table(tmp_path: Path) -> None:
    """One container, or one Splunk index, holds the records of several tables."""
    found: list[dict[str, Any]] = [
        {"time": "2026-03-12T14:00:00Z", "category": category, "properties": {"category": "UserManagement"}}
        for category in ("SignInLogs", "AuditLogs", "AuditLogs", "Elsewhere")
    ]
    path = tmp_path / "PT1H.json"
    path.write_text(lines(found), encoding="utf-8")
    rows = hp.kql("AuditLogs | summarize count() by Category", {"AuditLogs": path}).rows()
    assert rows == [("UserManagement", 3)]
    assert len(hp.kql("SigninLogs", {"SigninLogs": path})) == 2


def test_an_empty_list_is_told(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_bytes(b"")
    found = hp.kql("_GetWatchlist('Known') | count", watchlists={"Known": str(path)})
    assert found.to_dicts() == [{"Count": 0}]
    assert [(problem.file, problem.reason) for problem in found.problems] == [(str(path), "it is empty")]

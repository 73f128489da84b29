"""`kql`, `check`, `table`, `read` and Table, as the documentation promises them."""

from __future__ import annotations

import datetime as dt
import decimal
import json
import os
import signal
import threading
import time
import uuid
from pathlib import Path
from typing import Any

import huntpack as hp
import pytest

UTC = dt.timezone.utc
ROWS = [{"Name": "ada", "N": 1}, {"Name": "bela", "N": 2}, {"Name": "carla", "N": 3}]


def one(query: str, **options: Any) -> Any:
    """The only value of a query's only row."""
    ((value,),) = hp.kql(query, **options).rows()
    return value


@pytest.mark.parametrize(
    ("literal", "kind", "value"),
    [
        ("true", "bool", True),
        ("int(7)", "int", 7),
        ("7", "long", 7),
        ("7.5", "real", 7.5),
        ("decimal(7.50)", "decimal", decimal.Decimal("7.50")),
        ("'seven'", "string", "seven"),
        ("datetime(2026-03-12 15:00:00.1234567)", "datetime", dt.datetime(2026, 3, 12, 15, 0, 0, 123456, UTC)),
        ("timespan(1.02:03:04)", "timespan", dt.timedelta(days=1, hours=2, minutes=3, seconds=4)),
        ("dynamic({'a': [1, null]})", "dynamic", {"a": [1, None]}),
        (
            "guid(0f8fad5b-d9cb-469f-a165-70867728950e)",
            "guid",
            uuid.UUID("0f8fad5b-d9cb-469f-a165-70867728950e"),
        ),
        ("int(null)", "int", None),
        ("datetime(null)", "datetime", None),
        ("''", "string", ""),
    ],
)
def test_kinds_and_their_python_values(literal: str, kind: str, value: object) -> None:
    found = hp.kql(f"print x = {literal}")
    assert found.columns == [("x", kind)]
    assert found.rows() == [(value,)]
    assert type(found.rows()[0][0]) is type(value)


def test_datetimes_are_aware() -> None:
    assert one("print datetime(2026-03-12)").utcoffset() == dt.timedelta()


def test_rows_are_a_source() -> None:
    found = hp.kql("T | where N > 1 | project Name", {"T": ROWS})
    assert found.rows() == [("bela",), ("carla",)]
    assert found.to_dicts() == [{"Name": "bela"}, {"Name": "carla"}]
    assert len(found) == 2


def test_the_time_of_events_may_be_text() -> None:
    rows = [{"TimeGenerated": "2026-03-12T14:00:00Z"}, {"TimeGenerated": "2026-03-12T13:00:00Z"}, {"TimeGenerated": ""}]
    query = "Own_CL | where TimeGenerated > ago(1h)"
    assert len(hp.kql(query, {"Own_CL": rows}, now="2026-03-12T14:30:00Z")) == 1
    assert hp.kql("Own_CL", {"Own_CL": [{"TimeGenerated": "noon"}]}).columns == [("TimeGenerated", "string")]


def test_a_table_is_a_source() -> None:
    taken = hp.table(ROWS, name="T")
    assert [hp.kql("T | count", {"T": taken}).rows() for _ in range(2)] == [[(3,)], [(3,)]]
    again = hp.kql("T | where N > 1", {"T": taken})
    assert hp.kql("U | count", {"U": again}).rows() == [(2,)]


def test_further_statements() -> None:
    found = hp.kql("print 1; print 2; print 3")
    assert found.rows() == [(1,)]
    assert [other.rows() for other in found.others] == [[(2,)], [(3,)]]


@pytest.mark.parametrize("now", ["2026-03-12T15:00:00Z", dt.datetime(2026, 3, 12, 15), "2026-03-12T16:00:00+01:00"])
def test_now_is_given(now: object) -> None:
    assert one("print now()", now=now) == dt.datetime(2026, 3, 12, 15, tzinfo=UTC)


def test_now_is_the_wall_clock() -> None:
    assert abs(one("print now()") - dt.datetime.now(UTC)) < dt.timedelta(minutes=1)


def test_now_is_the_newest_event(signins: Path) -> None:
    found = hp.kql("SigninLogs | where TimeGenerated > ago(1m)", {"SigninLogs": signins}, now="latest")
    assert len(found) == 1 or len(found) == 2


def test_watchlists() -> None:
    watchlists = {"VIP": [{"Name": "ada"}]}
    found = hp.kql("_GetWatchlist('VIP') | join kind=inner T on Name | count", {"T": ROWS}, watchlists=watchlists)
    assert found.rows() == [(1,)]


def test_functions(tmp_path: Path) -> None:
    assert one("Large | count", tables={"T": ROWS}, functions={"Large": "T | where N > 1"}) == 2
    (tmp_path / "Large.kql").write_text("T | where N > 2", encoding="utf-8")
    assert one("Large | count", tables={"T": ROWS}, functions=str(tmp_path)) == 1


def test_externaldata(tmp_path: Path) -> None:
    query = "externaldata(Address:string)['https://feeds.example/bad.csv'] with (format='csv') | count"
    feed = tmp_path / "bad.csv"
    feed.write_text("203.0.113.7\n203.0.113.8\n", encoding="utf-8")
    assert one(query, externaldata={"https://feeds.example/": str(feed)}) == 2
    with pytest.raises(hp.Error, match="externaldata") as caught:
        hp.kql(query)
    assert "https://feeds.example/bad.csv" in str(caught.value)


def test_schemas() -> None:
    found = hp.kql(
        "Mine_CL | project User_s, Seen", {"Mine_CL": []}, schemas={"Mine_CL": {"User_s": "string", "Seen": "datetime"}}
    )
    assert found.columns == [("User_s", "string"), ("Seen", "datetime")]


def test_a_known_table_has_its_columns(signins: Path) -> None:
    query = "SigninLogs | project TimeGenerated, ResultType, DurationMs, Status | take 1"
    found = hp.kql(query, {"SigninLogs": signins})
    assert [kind for _, kind in found.columns] == ["datetime", "string", "long", "dynamic"]
    assert found.rows()[0][2:] == (None, None)


def test_unknown_columns_of_a_known_table_stay() -> None:
    assert hp.kql("SigninLogs | project Mine", {"SigninLogs": [{"Mine": "x"}]}).rows() == [("x",)]


def test_callers_variables() -> None:
    Mine = ROWS  # noqa: N806
    assert hp.kql("Mine | count", resolve=True).rows() == [(len(Mine),)]
    with pytest.raises(hp.QueryError):
        hp.kql("Mine | count", resolve=False)
    with pytest.raises(hp.QueryError):
        hp.kql("Mine | count")


def test_check_without_a_schema_is_open() -> None:
    found = hp.check("Unknown_CL | where A == 1 | project A")
    assert found.ok
    assert list(found.tables) == ["Unknown_CL"]
    assert any("Unknown_CL" in item.message for item in found.diagnostics)


def test_check_knows_columns() -> None:
    found = hp.check("SigninLogs | summarize count() by IPAddress")
    assert found.ok
    assert found.columns == [("IPAddress", "string"), ("count_", "long")]
    assert not found.open


def test_check_collects_errors() -> None:
    found = hp.check("SigninLogs | where Nonsense == 1 | extend X = nofunction(1)")
    assert not found.ok
    assert len([item for item in found.diagnostics if item.severity == "error"]) == 2


def test_errors_are_located() -> None:
    with pytest.raises(hp.QueryError) as caught:
        hp.kql("T | where Missing > 1", {"T": ROWS})
    (found,) = caught.value.diagnostics
    assert found.code.startswith(("KS", "HP"))
    assert "Missing" in found.message
    start, end = found.span
    assert "T | where Missing > 1"[start:end] == "Missing"
    assert "Missing" in str(caught.value)
    assert isinstance(caught.value, hp.Error)


@pytest.mark.parametrize(
    "query", ["", "|", "T | where", "T | where (", "print " + "(" * 10_000, "T | bogus x", "print 'a"]
)
def test_broken_queries_are_errors(query: str) -> None:
    with pytest.raises(hp.QueryError):
        hp.kql(query, {"T": ROWS})


def test_spl_is_checked_as_well() -> None:
    assert hp.check("| makeresults | eval a=1 | table a", language="spl").ok
    (said,) = hp.check("| makeresults | evall a=1", language="spl").diagnostics
    assert "eval" in (said.help or "")


def test_a_missing_file_is_named() -> None:
    with pytest.raises((hp.DataError, FileNotFoundError), match=r"nowhere\.csv"):
        hp.kql("T | count", {"T": "nowhere.csv"})


def test_explain_counts_rows() -> None:
    text = str(hp.kql("T | where N > 1 | count", {"T": ROWS}).explain())
    assert "3" in text
    assert "2" in text


def test_a_table_shows_itself_bounded() -> None:
    found = hp.kql("range x from 1 to 100000 step 1")
    assert len(found._repr_html_()) < 200_000
    assert len(repr(found)) < 20_000


def test_markup_in_a_cell_is_text() -> None:
    assert "<script>" not in hp.kql("print '<script>alert(1)</script>'")._repr_html_()


@pytest.mark.parametrize("threads", [1, 2, 7])
def test_threads_do_not_change_the_answer(threads: int) -> None:
    query = """
        range x from 1 to 200000 step 1
        | summarize sum(x), dcount(x), stdev(x), make_list(x, 5) by Rest = x % 3
        | sort by Rest asc
    """
    assert hp.kql(query, threads=threads).rows() == hp.kql(query, threads=3).rows()


def test_limits_are_settings() -> None:
    with pytest.raises(hp.Error, match="limit"):
        hp.kql("print 1", limits={"no such limit": 1})


def test_bad_rows_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "signins.ndjson"
    good = json.dumps({"TimeGenerated": "2026-03-12T14:00:00Z", "ResultType": "0"})
    path.write_text(f"{good}\n{{broken\n{good}\nnot json either\n", encoding="utf-8")
    found = hp.kql("SigninLogs | count", {"SigninLogs": path})
    assert found.rows() == [(2,)]
    (bad,) = found.problems
    assert (Path(bad.file).name, bad.line, bad.count) == ("signins.ndjson", 2, 2)
    assert bad.reason


def test_read(signins: Path, tmp_path: Path) -> None:
    assert len(hp.read(signins, table="SigninLogs")) == 7
    assert len(hp.read(str(tmp_path / "*.ndjson"))) == 7
    assert hp.read(signins, columns=["IPAddress"]).columns == [("IPAddress", "string")]


def test_a_csv_without_schema(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_text("Name,N\nada,1\nbela,\n", encoding="utf-8")
    found = hp.kql("people | sort by Name asc", {"people": path})
    assert found.columns == [("Name", "string"), ("N", "long")]
    assert found.rows() == [("ada", 1), ("bela", None)]


@pytest.mark.skipif(os.name == "nt", reason="signals are sent otherwise there")
def test_ctrl_c_ends_a_long_query() -> None:
    query = "range x from 1 to 30000000 step 1 | summarize max(hash_sha256(strcat('a', x)))"
    pressed: list[float] = []

    def press() -> None:
        pressed.append(time.perf_counter())
        os.kill(os.getpid(), signal.SIGINT)

    timer = threading.Timer(0.3, press)
    timer.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            hp.kql(query, threads=1)
        assert time.perf_counter() - pressed[0] < 0.2
    finally:
        timer.cancel()

"""`hp.spl`: searches over Python's rows, and what is checked without any."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import huntpack as hp
import pytest

EVENTS: list[dict[str, Any]] = [
    {"_time": 1577934245, "user": "admin", "n": 1, "tags": ["x", "y"]},
    {"_time": 1577934305, "user": "Bob", "n": 2.5},
    {"_time": 1577937845, "n": 3},
]


def test_rows_are_events() -> None:
    found = hp.spl("user=ADM* | table user n tags missing", EVENTS)
    assert found.to_dicts() == [{"user": "admin", "n": 1, "tags": ["x", "y"], "missing": None}]


def test_absent_fields_are_none() -> None:
    assert [row["user"] for row in hp.spl("NOT user=bob", EVENTS).to_dicts()] == [None, "admin"]


def test_tables_together_are_the_events() -> None:
    found = hp.spl("* | stats count by source", {"one": [{"a": 1}], "two": [{"a": 2}, {"b": 3}]})
    assert found.to_dicts() == [{"source": "one", "count": 1}, {"source": "two", "count": 2}]


def test_a_single_source_is_chosen_by_every_sourcetype() -> None:
    assert len(hp.spl("index=main sourcetype=web", EVENTS)) == 3


def test_no_events_and_rows_without_fields() -> None:
    assert hp.spl("* | stats count", []).to_dicts() == [{"count": 0}]
    assert hp.spl("* | eval x=1 | table x", [{}]).to_dicts() == [{"x": 1}]
    with pytest.raises(hp.QueryError, match="no events"):
        hp.spl("index=main")


def test_results_have_the_kinds_of_what_they_hold() -> None:
    found = hp.spl('| makeresults | eval a=1, b=0.5, c="007", d=split("x,y", ",") | table a b c d')
    assert found.columns == [("a", "long"), ("b", "real"), ("c", "string"), ("d", "dynamic")]
    assert found.rows() == [(1, 0.5, "007", ["x", "y"])]


def test_bounds_of_the_time() -> None:
    assert len(hp.spl("*", EVENTS, earliest="01/02/2020:03:05:00")) == 2
    assert len(hp.spl("*", EVENTS, latest=datetime(2020, 1, 2, 3, 5, tzinfo=timezone.utc))) == 1
    assert len(hp.spl("* earliest=1", EVENTS, latest="-10y", now="2020-01-03")) == 3
    with pytest.raises(hp.QueryError, match="no time"):
        hp.spl("*", EVENTS, earliest="soon")


def test_the_zone() -> None:
    day = hp.spl("* | head 1 | bin span=1d _time | table _time", EVENTS, timezone="America/New_York")
    assert day.rows() == [(1577854800,)]
    with pytest.raises(hp.QueryError, match="no time zone"):
        hp.spl("*", EVENTS, timezone="Mars")


def test_mistakes_have_their_place() -> None:
    with pytest.raises(hp.QueryError) as raised:
        hp.spl("user=x | eval y=lenn(user) | tabel y", EVENTS)
    found = raised.value.diagnostics
    assert [(d.code, d.span) for d in found] == [("HP502", (16, 20)), ("HP501", (29, 34))]
    assert found[0].help == "did you mean `len`?"


def test_a_check() -> None:
    found = hp.check("index=x | stats count by user | eval n=count*2", language="spl")
    assert found.ok
    assert [name for name, _ in found.columns] == ["user", "count", "n"]
    assert not hp.check("index=x | where user", language="spl").ok


@pytest.mark.parametrize(
    ("search", "is_ordered"),
    [
        ("user=*", True),
        ("user=* | head 1", True),
        ("user=* | stats list(user)", True),
        ("user=* | dedup user | stats count", True),
        ("user=* | stats count by user", False),
        ("user=* | bin _time span=1h | stats values(user) latest(n) by _time", False),
        ("user=* | eventstats max(n) as most by user | where n=most | stats count", False),
        ("| tstats count where user=* by user", False),
    ],
)
def test_events_are_put_in_order_only_where_that_can_be_told(search: str, is_ordered: bool) -> None:
    assert ("newest first" in hp.spl(search, EVENTS).explain()) == is_ordered


def test_the_plan_is_explained() -> None:
    text = hp.spl("user=* | stats count by user", EVENTS).explain()
    assert "summarize" in text
    assert "matches" in text


def test_a_lookup_of_times(tmp_path: Path) -> None:
    (tmp_path / "leases.csv").write_text(
        "ip,user,since\n10.0.0.1,ada,2020-01-01 00:00\n10.0.0.1,bob,2020-01-02 00:00\n10.0.0.1,eve,2020-01-04 00:00\n",
        encoding="utf-8",
    )
    conf = tmp_path / "transforms.conf"

    def users(*settings: str) -> list[Any]:
        lines = ["[leases]", "filename = leases.csv", "time_field = since", "time_format = %Y-%m-%d %H:%M", *settings]
        conf.write_text("\n".join(lines), encoding="utf-8")
        days = [{"_time": f"2020-01-0{day}T12:00:00Z", "ip": "10.0.0.1", "day": str(day)} for day in (1, 3, 5)]
        found = hp.spl("* | lookup leases ip OUTPUT user | sort day | table user", days, lookups=conf)
        return [row["user"] for row in found.to_dicts()]

    assert users() == ["ada", "bob", "eve"]
    assert users("max_offset_secs = 100000") == ["ada", None, None]
    assert users("min_offset_secs = 90000") == [None, "bob", "eve"]
    assert users("max_matches = 2", "max_offset_secs = 400000") == ["ada", ["bob", "ada"], ["eve", "bob"]]


def test_a_field_that_is_none_of_some_values() -> None:
    rows = [{"user": "ada"}, {"user": "bob"}, {"other": "x"}]
    assert hp.spl("user NOT IN (ada, b*) | stats count", rows).to_dicts() == [{"count": 1}]


@pytest.mark.parametrize(
    "event",
    [
        {"_time": "2026-03-12T14:30:00Z"},
        {"_time": 1773325800},
        {"_raw": '{"time": "2026-03-12T14:30:00Z", "n": 1}'},
        {"_raw": "2026-03-12T14:30:00Z user=ada"},
    ],
    ids=str,
)
def test_the_newest_event_of_any_form(event: dict[str, Any]) -> None:
    older = {"_raw": "2026-03-12T13:29:59Z user=bob"}
    query = "earliest=-1h | stats count as n"
    assert hp.spl(query, {"e": [older, event]}, now="latest").to_dicts() == [{"n": 1}]


LOOKUPS = {
    "statuses": [
        {"status": "200", "text": "OK", "class": "good"},
        {"status": "404", "text": "Not Found", "class": "bad"},
        {"status": "404", "text": "Gone", "class": "bad"},
    ],
    "classes": [{"class": "good", "weight": "1"}, {"class": "bad", "weight": ""}],
}
REQUESTS = [{"status": 200, "n": "1"}, {"status": "404", "n": "2"}, {"status": "500", "n": "3"}, {"n": "4"}]


def asked(lookup: str, key: str, value: str, *wanted: str) -> str:
    """A call that looks one value up."""
    fields = ", ".join(f'"{name}"' for name in wanted)
    return f'lookup("{lookup}", json_object("{key}", {value}), json_array({fields}))'


CLASS = asked("statuses", "status", "status", "class")
CLASS_TEXT = f'json_extract({CLASS}, "class")'


@pytest.mark.parametrize(
    ("search", "found"),
    [
        (
            f"eval a={asked('statuses', 'status', 'status', 'text', 'class')} | table n a",
            [
                ("1", '{"text":"OK","class":"good"}'),
                ("2", '{"text":["Not Found","Gone"],"class":["bad","bad"]}'),
                ("3", None),
                ("4", None),
            ],
        ),
        (
            f'eval c=status+0, a=json_extract({asked("statuses", "status", "c", "text")}, "text") | head 2 | table c a',
            [(200, "OK"), (404, '["Not Found","Gone"]')],
        ),
        (f"where isnotnull({CLASS}) AND n>1 | table n", [("2",)]),
        (
            f"eval w={asked('classes', 'class', CLASS_TEXT, 'weight')} | table n w",
            [("1", '{"weight":1}'), ("2", None), ("3", None), ("4", None)],
        ),
        (
            f'eval n=if(n=1, {CLASS}, "other") | fields *',
            [("200", '{"class":"good"}'), ("404", "other"), ("500", "other"), (None, "other")],
        ),
    ],
)
def test_a_lookup_in_an_expression(search: str, found: list[tuple[Any, ...]]) -> None:
    table = hp.spl(f"* | {search}", REQUESTS, lookups=LOOKUPS)
    assert not [name for name, _ in table.columns if name.startswith("\x01")]
    assert table.rows() == found


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ('lookup("nothing", json_object("status", status), json_array("text"))', "no lookup `nothing`"),
        ('lookup("statuses", json_object("code", status), json_array("text"))', "no field `code`"),
        ('lookup("statuses", json_object("status", status), json_array("txt"))', "no field `txt`"),
        ('lookup(statuses, json_object("status", status), json_array("text"))', "takes a lookup, the fields"),
        ('lookup("statuses", json_object("status"), json_array("text"))', "takes a lookup, the fields"),
        ('lookup("statuses", "status", "text")', "takes a lookup, the fields"),
        (
            'mvmap(status, lookup("statuses", json_object("status", status), json_array("text")))',
            "outside of `mvmap`",
        ),
    ],
)
def test_a_lookup_in_an_expression_that_is_wrong(call: str, message: str) -> None:
    with pytest.raises(hp.QueryError, match=message) as raised:
        hp.spl(f"* | eval a={call}", REQUESTS, lookups=LOOKUPS)
    assert raised.value.diagnostics[0].span

"""The commands `kql` and `huntpackrules`: where a query runs, what comes out, and what the user is told."""

from __future__ import annotations

from pathlib import Path
from typing import Callable

import huntpack
import pytest
from protocol import Row
from splunkd import SearchError, Splunkd

Splunk = Callable[..., Splunkd]
AGGREGATES = (
    "count()",
    "countif(code == '0')",
    "dcount(user)",
    "sum(toint(bytes))",
    "avg(toreal(bytes))",
    "stdev(toreal(bytes))",
    "percentile(toint(bytes), 90)",
    "min(toint(bytes))",
    "max(TimeGenerated)",
    "make_set(user)",
    "make_list(bytes)",
    "arg_max(toint(bytes), user)",
    "take_any(code)",
    "hll(user)",
)


def events(count: int = 300) -> list[Row]:
    """Events of a sourcetype of nobody's, the newest first."""
    made: list[Row] = []
    for at in range(count, 0, -1):
        row: Row = {
            "_time": f"{1773327600 + at}.125",
            "_raw": f"event {at}",
            "host": f"web{at % 3}",
            "source": "app.log",
            "sourcetype": "acme",
            "user": f"user{at % 7}",
            "code": "0" if at % 4 else "50126",
            "bytes": str(at * at % 1013),
        }
        if at % 10 == 0:
            row["groups"] = ["staff", f"g$;{at}"]
        made.append(row)
    return made


def test_steps_that_look_at_one_row_run_on_the_indexers(splunk: Splunk) -> None:
    job = splunk(indexers=2, chunks=(40, 1)).search(
        """index=main | kql "Events | where code == '50126' | extend Twice = toint(bytes) * 2" """, events()
    )
    wanted = {row["_time"]: str(int(str(row["bytes"])) * 2) for row in events() if row["code"] == "50126"}
    assert {row["_time"]: row["Twice"] for row in job.rows} == wanted
    assert job.remote and not job.head


def test_rows_keep_the_fields_that_a_query_does_not_name(splunk: Splunk) -> None:
    (row,) = splunk().search("""index=main | kql "Events | where bytes == '900' " """, events(100)).rows
    assert row == next(event for event in events(100) if event["bytes"] == "900")


def test_fields_of_several_values_come_and_go(splunk: Splunk) -> None:
    search = """index=main | kql "Events | where isnotempty(groups) | project TimeGenerated, groups" """
    rows = splunk(chunks=(7, 1)).search(search, events(40)).rows
    assert [row["groups"] for row in rows] == [row["groups"] for row in events(40) if "groups" in row]


@pytest.mark.parametrize("aggregate", AGGREGATES)
def test_an_aggregate_is_the_same_wherever_its_parts_are_made(aggregate: str, splunk: Splunk) -> None:
    query = f'index=main | kql "Events | summarize Found = {aggregate} by host | sort by host asc"'
    whole = splunk().search(f"{query} map=false", events())
    assert len(whole.rows) == 3
    assert not whole.remote
    for indexers in (1, 2, 5):
        assert splunk(indexers=indexers, chunks=(31, 1, 50)).search(query, events()).rows == whole.rows


def test_a_query_is_read_from_a_file_of_the_app(splunk: Splunk, app: Path) -> None:
    folder = app / "local/queries"
    folder.mkdir(parents=True)
    (folder / "mine.kql").write_text('Events // "quoted", $left\n| where user == "user3"\n| count', encoding="utf-8")
    assert splunk().search("index=main | kql @mine", events(70)).rows == [{"Count": "10"}]


def test_times_default_to_the_end_of_the_search(splunk: Splunk) -> None:
    search = 'index=main | kql "Events | where TimeGenerated > ago(10s) | count"'
    job = splunk().search(search, events(), latest=1773327600 + 300.5)
    assert job.rows == [{"Count": "10"}]
    assert splunk().search(f"{search} now=latest", events()).rows == [{"Count": "10"}]


def test_a_table_of_the_users_is_named_in_the_search(splunk: Splunk) -> None:
    job = splunk().search('index=main | kql "Acme_CL | summarize count() by host" table=Acme_CL', events(30))
    assert sorted(str(row["count_"]) for row in job.rows) == ["10", "10", "10"]


def test_no_rows_are_explained(splunk: Splunk) -> None:
    job = splunk().search('index=main | huntpack rules="password-spray" table=SigninLogs now=latest', events(20))
    assert not job.rows
    assert any("Password spray" in text or "password-spray" in text for _, text in job.messages)


def test_rules_that_are_not_there_are_named(splunk: Splunk) -> None:
    with pytest.raises(SearchError, match="no-such-rule"):
        splunk().search('index=main | huntpack rules="no-such-rule"', events(1))


def test_a_rule_of_ones_own(splunk: Splunk, app: Path) -> None:
    folder = app / "local/rules"
    folder.mkdir(parents=True)
    built_in = (app / "rules/sentinel/password-spray.yaml").read_text(encoding="utf-8")
    mine = built_in.replace("3f6a2d94-0b7e-4c58-b1d3-95e84a7c206f", "7c1e6a0b-5f0d-4a39-9b58-2f40a8e1d6c3")
    (folder / "mine.yaml").write_text(mine.replace("Password spray from one address", "My own"), encoding="utf-8")
    names = [row["name"] for row in splunk().search("| huntpackrules").rows]
    assert sorted(names) == sorted([*(str(rule.name) for rule in huntpack.load()), "My own"])


def test_a_missing_watchlist_is_named(splunk: Splunk) -> None:
    search = """index=main | kql "Events | where user in ((_GetWatchlist('Visitors') | project SearchKey)) | count" """
    job = splunk().search(search, events(3))
    assert any("Visitors" in text for _, text in job.messages)


def test_bad_rows_of_a_watchlist_are_named(splunk: Splunk, app: Path) -> None:
    (app / "lookups/Visitors.csv").write_text("SearchKey,Note\nada,\nbruno,two,three,four\ncarla,\n", encoding="utf-8")
    search = """index=main | kql "Events | where host in ((_GetWatchlist('Visitors') | project SearchKey)) | count" """
    job = splunk().search(search, events(3))
    assert any("Visitors.csv, line 3" in text for _, text in job.messages), job.messages

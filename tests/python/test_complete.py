"""Completion of queries, and the manual."""

from __future__ import annotations

import time

import huntpack as hp
import pytest
from huntpack import _core, manual

TABLE = [{"User": "ann", "Failed": True, "Bytes": 3}]


def labels(query: str, **options: object) -> list[str]:
    return [found.label for found in hp.complete(query, **options)]  # type: ignore[arg-type]


def test_columns_after_the_steps_so_far() -> None:
    found = hp.complete("T | extend Size = Bytes * 2 | where ", tables={"T": TABLE})
    assert [(c.label, c.kind, c.detail) for c in found[:4]] == [
        ("User", "column", "string"),
        ("Failed", "column", "bool"),
        ("Bytes", "column", "long"),
        ("Size", "column", "long"),
    ]


def test_what_is_written_is_replaced() -> None:
    query = "print a = 'ü' | where strle"
    (found, *_) = hp.complete(query)
    assert (found.label, found.insert, found.replaces) == ("strlen", "strlen(", (len(query) - 5, len(query)))
    assert "strlen" in repr(found)


def test_a_position_within_a_broken_query() -> None:
    assert labels("T | where Us == | summ (", position=12, tables={"T": TABLE})[0] == "User"
    assert labels("T | wher", position=400)[0] == "where"


def test_schemas_functions_and_watchlists() -> None:
    assert labels("Mine_CL | where ", schemas={"Mine_CL": {"User_s": "string"}})[0] == "User_s"
    assert labels("Rec", functions={"Recent": "SigninLogs | take 5"})[0] == "Recent"
    assert labels("_GetWatchlist('", watchlists={"Vips": [{"SearchKey": "ann"}]}) == ["Vips"]


def test_what_rules_use_most_comes_first() -> None:
    tables = {"T": TABLE}
    assert labels("T | ", tables=tables)[:4] == ["where", "extend", "summarize", "project"]
    assert labels("T | pa", tables=tables)[:2] == ["parse", "parse-where"]
    assert labels("T | summarize ", tables=tables)[:3] == ["count", "make_set", "dcount"]
    assert labels("T | summarize dcount(", tables=tables)[:3] == ["User", "Failed", "Bytes"]
    assert labels("T | where ", tables=tables)[:4] == ["User", "Failed", "Bytes", "ago"]
    assert labels("T | extend Size = Bytes, Name = st", tables=tables)[:2] == ["strcat", "startofday"]
    assert labels("T | join kind=", tables=tables)[:2] == ["inner", "leftouter"]


def test_a_wide_table_is_fast() -> None:
    query = (
        "SigninLogs | where ResultType != 0 | summarize count() by UserPrincipalName, bin(TimeGenerated, 1h) | where "
    )
    hp.complete(query)
    start = time.perf_counter()
    for _ in range(5):
        assert hp.complete(query)[0].label == "UserPrincipalName"
    assert time.perf_counter() - start < 5 * 0.2  # far below where it is optimised


def test_every_name_of_the_index_is_in_the_manual() -> None:
    titles = set(manual.whole().splitlines())
    names = [name for _, entries in _core.help_index() for name, _ in entries]
    assert len(names) > 400
    missing = [name for name in names if not {f"### {name}", f"### {name} (SPL)"} & titles]
    assert missing == []


def test_the_index_fits_its_width() -> None:
    for width in (40, 80, 200):
        text = manual.index(width)
        assert "Operators\n" in text and "summarize" in text
        assert max(map(len, text.splitlines()[:-1])) <= width


@pytest.mark.parametrize("name", ["where", "dcount", "countif", "ipv4_is_match", "let", "datetime", "matches regex"])
def test_a_page_names_its_source(name: str) -> None:
    assert "Source: " in _core.help_page(name)


def test_an_unknown_name_offers_the_nearest() -> None:
    with pytest.raises(hp.QueryError, match="did you mean `summarize`"):
        _core.help_page("sumarize")

"""Tables go to pandas, polars, pyarrow and DuckDB, and come back, without a word of configuration."""

from __future__ import annotations

import datetime as dt
from typing import Any

import huntpack as hp
import pytest

UTC = dt.timezone.utc
EVERY_KIND = """
datatable(B:bool, I:int, L:long, R:real, S:string, T:datetime, D:timespan, G:guid, M:decimal, J:dynamic)
[
    true, 1, 2, 3.5, 'x', datetime(2026-03-12 15:00:00), 1h, guid(0f8fad5b-d9cb-469f-a165-70867728950e), decimal(1.5),
    dynamic({"a": 1}),
    bool(null), int(null), long(null), real(null), '', datetime(null), timespan(null), guid(null), decimal(null),
    dynamic(null)
]
"""
ROWS = [{"Name": "ada", "N": 1, "At": dt.datetime(2026, 3, 12, tzinfo=UTC)}, {"Name": "bela", "N": 2, "At": None}]


def back(source: Any) -> list[tuple[Any, ...]]:
    """The rows of a source as a query sees them."""
    return hp.kql("T | project Name, N | sort by N asc", {"T": source}).rows()


def test_to_pyarrow() -> None:
    pa = pytest.importorskip("pyarrow")
    table = pa.table(hp.kql(EVERY_KIND))
    types = {field.name: field.type for field in table.schema}
    assert types["B"] == pa.bool_()
    assert (types["I"], types["L"], types["R"]) == (pa.int32(), pa.int64(), pa.float64())
    assert types["S"] == pa.string_view()
    assert types["T"] == pa.timestamp("ns", "UTC")
    assert types["D"] == pa.duration("ns")
    assert table.num_rows == 2
    assert table.column("S").to_pylist() == ["x", ""]
    assert table.column("J").to_pylist()[1] is None


def test_a_requested_schema_is_honoured() -> None:
    pa = pytest.importorskip("pyarrow")
    wanted = pa.schema([("Name", pa.string())])
    reader = pa.RecordBatchReader.from_stream(hp.kql("print Name = 'ada'"), schema=wanted)
    assert reader.read_all().schema.field("Name").type == pa.string()


def test_dates_beyond_nanoseconds() -> None:
    pa = pytest.importorskip("pyarrow")
    far = hp.kql("print T = datetime(0001-01-01)")
    assert far.rows() == [(dt.datetime(1, 1, 1, tzinfo=UTC),)]
    with pytest.raises(Exception, match="nanosecond"):
        pa.table(far)


def test_from_pyarrow() -> None:
    pa = pytest.importorskip("pyarrow")
    table = pa.table({"Name": pa.array(["ada", "bela"]).dictionary_encode(), "N": pa.array([1, 2], pa.int16())})
    assert back(table) == [("ada", 1), ("bela", 2)]
    assert back(table.to_reader()) == [("ada", 1), ("bela", 2)]


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_timestamps_of_any_unit_and_zone(unit: str) -> None:
    pa = pytest.importorskip("pyarrow")
    moment = dt.datetime(2026, 3, 12, 15, tzinfo=UTC)
    for zone in (None, "UTC", "Europe/Berlin"):
        table = pa.table({"T": pa.array([moment], pa.timestamp(unit, zone))})
        assert hp.kql("X | project T", {"X": table}).rows() == [(moment,)]


def test_lists_and_structs_are_dynamic() -> None:
    pa = pytest.importorskip("pyarrow")
    table = pa.table({"L": [[1, 2]], "S": [{"a": "x"}]})
    found = hp.kql("X | project L, S, First = L[0], A = S.a", {"X": table})
    assert found.rows() == [([1, 2], {"a": "x"}, 1, "x")]


def test_pandas() -> None:
    pd = pytest.importorskip("pandas")
    frame = hp.kql(EVERY_KIND).to_pandas()
    assert list(frame["S"]) == ["x", ""]
    assert frame["T"].dt.tz is not None
    assert back(pd.DataFrame(ROWS)) == [("ada", 1), ("bela", 2)]


def test_polars() -> None:
    pl = pytest.importorskip("polars")
    frame = hp.kql(EVERY_KIND).to_polars()
    assert frame["S"].to_list() == ["x", ""]
    assert pl.DataFrame(hp.kql(EVERY_KIND)).shape == (2, 10)
    assert back(pl.DataFrame(ROWS)) == [("ada", 1), ("bela", 2)]


def test_duckdb() -> None:
    duckdb = pytest.importorskip("duckdb")
    pytest.importorskip("pyarrow")
    connection = duckdb.connect()
    found = hp.kql("T | project Name, N", {"T": ROWS})  # noqa: F841 (DuckDB finds it by its name)
    assert connection.sql("select sum(N) from found").fetchall() == [(3,)]
    relation = connection.sql("select 'ada' as Name, 1 as N union all select 'bela', 2")
    assert back(relation) == [("ada", 1), ("bela", 2)]

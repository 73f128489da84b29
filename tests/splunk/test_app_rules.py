"""The built-in rules over events in Splunk's shape find what they find over the same events as tables, wherever the
events are indexed and however Splunk cuts them into chunks."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Callable

import huntpack
import pytest
from events import ALLOWED, RULES, company, extracted, raw, twin
from huntpack import Hits, _core, samples
from protocol import Row
from splunkd import Splunkd

# The rules' own tests, whose events a rule and its detection are run over.
TESTS = sorted((RULES / "sentinel").glob("*.test.yaml"))
SHAPES = {"raw": raw, "extracted": extracted}
# An odd size, a single event, a header without events, more than there are.
CHUNKS = (50, 1, 7, 10_000)

Case = dict[str, Any]


@cache
def case(path: Path) -> Case:
    """A rule's own test: its tables hold attacks, and what only nearly is one."""
    found: Case = _core.parse_yaml(path.read_text(encoding="utf-8"), str(path))[0]
    return found


def rule(path: Path) -> str:
    """The name of a rule's file."""
    return path.name.partition(".")[0]


@cache
def in_python(path: Path) -> Hits:
    """The rule over tables whose rows are in a search's order."""
    pack = huntpack.load(path.with_name(f"{rule(path)}.yaml"))
    tables = {table: newest_first(records, "TimeGenerated") for table, records in case(path)["tables"].items()}
    return pack.run(tables, now=case(path)["now"], watchlists=case(path).get("watchlists"), strict=True)


@cache
def detected_in_python(path: Path) -> Hits:
    """The rule's detection over the same as events."""
    pack, events = huntpack.load(twin(rule(path))), in_splunk(case(path), "raw")
    return pack.run(events, now=case(path)["now"], watchlists=case(path).get("watchlists"), strict=True)


def in_splunk(found: Case, shape: str) -> list[Row]:
    """The same rows as events."""
    made = [event for table, records in found["tables"].items() for event in SHAPES[shape](table, records)]
    return newest_first(made, "_time")


def newest_first(records: list[Any], time: str) -> list[Any]:
    """Records in the order of a search; those of one time as they are."""
    return sorted(records, key=lambda record: str(record[time]), reverse=True)


def plain(value: Any) -> Any:
    """A value of a table, or of a search, in a form that both share: times as seconds, numbers as numbers."""
    if isinstance(value, dt.datetime):
        return value.timestamp()
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (list, tuple)):
        return [plain(part) for part in value]
    return read(value) if isinstance(value, str) else value


def read(text: str) -> Any:
    """What a text says."""
    for reader in (float, lambda each: dt.datetime.fromisoformat(each[:26].rstrip("Z") + "+00:00").timestamp()):
        try:
            return reader(text)
        except ValueError:
            continue
    return plain(json.loads(text)) if text.startswith(("[", "{")) else text


def rows_of(records: list[dict[str, Any]], names: list[str]) -> list[dict[str, Any]]:
    """Records with what they hold, in columns that are compared. A list of one may be a plain value."""

    def values(record: dict[str, Any]) -> Iterator[tuple[str, Any]]:
        for name in names:
            value = plain(record.get(name))
            value = value[0] if isinstance(value, list) and len(value) == 1 else value
            if value not in (None, "", []):
                yield name, value

    return [dict(values(record)) for record in records]


@pytest.fixture
def allowing(app: Path) -> Callable[[Case], None]:
    """Installs a test's watchlists as lookups, as an admin would."""

    def install(found: Case) -> None:
        (app / "local").mkdir(exist_ok=True)
        stanzas = []
        for name, records in (found.get("watchlists") or {}).items():
            lines = [",".join(records[0]), *(",".join(map(str, record.values())) for record in records)]
            (app / f"lookups/{name}_mine.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
            stanzas.append(f"[{name}]\nfilename = {name}_mine.csv\n")
        (app / "local/transforms.conf").write_text("".join(stanzas), encoding="utf-8")

    return install


@pytest.mark.parametrize("path", TESTS, ids=rule)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("indexers", [1, 2, 5])
def test_a_rule_finds_the_same(
    path: Path, shape: str, indexers: int, splunk: Callable[..., Splunkd], allowing: Callable[[Case], None]
) -> None:
    allowing(case(path))
    splunkd = splunk(indexers=indexers, chunks=CHUNKS, closing=("rows", "header", "empty")[indexers % 3])
    events = in_splunk(case(path), shape)
    for output, table in (("alerts", in_python(path).alerts), ("results", *in_python(path).results.values())):
        search = f'index=* | huntpack rules="{rule(path)}" output={output} now={case(path)["now"]}'
        names = [name for name, _ in table.columns]
        job = splunkd.search(search, events)
        assert any("phase=states" in text for text in job.remote), job.remote
        assert rows_of(job.rows, names) == rows_of(table.to_dicts(), names)


def at_once(found: Case) -> Case:
    """The same test with times cut to whole minutes: many of its events are of one time."""
    tables = found["tables"].items()
    cut = {
        table: [{**record, "TimeGenerated": f"{record['TimeGenerated'][:16]}:00Z"} for record in records]
        for table, records in tables
    }
    return {**found, "tables": cut}


def unordered(records: list[dict[str, Any]], names: list[str]) -> list[str]:
    """Records whose order, and that of the values in their lists, does not count."""

    def written(value: Any) -> str:
        if isinstance(value, list):
            return repr(sorted(map(written, value)))
        return repr(float(value)) if isinstance(value, int) else repr(value)

    rows = rows_of(records, names)
    return sorted(repr({name: written(value) for name, value in row.items()}) for row in rows)


@pytest.mark.parametrize("path", TESTS, ids=rule)
@pytest.mark.parametrize("indexers", [1, 2, 5])
def test_events_of_one_time_count_alike_on_any_indexer(
    path: Path, indexers: int, splunk: Callable[..., Splunkd], allowing: Callable[[Case], None]
) -> None:
    found = at_once(case(path))
    allowing(found)
    pack = huntpack.load(str(path.with_name(f"{rule(path)}.yaml")))
    tables = {table: newest_first(records, "TimeGenerated") for table, records in found["tables"].items()}
    (table,) = pack.run(tables, now=found["now"], watchlists=found.get("watchlists"), strict=True).results.values()
    search = f'index=* | huntpack rules="{rule(path)}" output=results now={found["now"]}'
    job = splunk(indexers=indexers, chunks=CHUNKS).search(search, in_splunk(found, "raw"))
    names = [name for name, _ in table.columns]
    assert table.to_dicts()
    assert unordered(job.rows, names) == unordered(table.to_dicts(), names)


@pytest.mark.parametrize("path", TESTS, ids=rule)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("indexers", [1, 2, 5])
def test_a_detection_finds_the_same(
    path: Path, shape: str, indexers: int, splunk: Callable[..., Splunkd], allowing: Callable[[Case], None]
) -> None:
    allowing(case(path))
    splunkd = splunk(indexers=indexers, chunks=CHUNKS)
    events = in_splunk(case(path), shape)
    hits = detected_in_python(path)
    for output, table in (("risk", hits.risk), ("findings", hits.findings), ("results", *hits.results.values())):
        search = f'index=* | huntpack rules="{twin(rule(path)).stem}" output={output} now={case(path)["now"]}'
        names = [name for name, _ in table.columns if name != "row"]
        assert rows_of(splunkd.search(search, events).rows, names) == rows_of(table.to_dicts(), names)


@pytest.mark.parametrize("path", TESTS, ids=rule)
def test_a_rule_runs_under_each_python(
    path: Path, app: Path, python: str, tmp_path: Path, allowing: Callable[[Case], None]
) -> None:
    allowing(case(path))
    splunkd = Splunkd(app, python, tmp_path / "splunk", indexers=2, chunks=CHUNKS)
    until = dt.datetime.fromisoformat(case(path)["now"].replace("Z", "+00:00")).timestamp()
    job = splunkd.search(f'index=* | huntpack rules="{rule(path)}"', in_splunk(case(path), "raw"), latest=until)
    assert len(job.rows) == len(in_python(path).alerts)


@pytest.mark.parametrize("mapped", ["true", "false"])
def test_all_rules_run_at_once(mapped: str, splunk: Callable[..., Splunkd], allowing: Callable[[Case], None]) -> None:
    allowing({"watchlists": {"NetworkAllowlist": ALLOWED}})
    search = f'index=* | huntpack rules="*" map={mapped} now={samples.NOW.isoformat()}'
    assert len(splunk(indexers=3).search(search, company()).rows) == 5


def test_an_output_without_rows_says_which_has_some(splunk: Callable[..., Splunkd]) -> None:
    (path,) = (path for path in TESTS if "cryptominer" in path.name)
    search = f'index=* | huntpack rules="{twin(rule(path)).stem}" now={case(path)["now"]}'
    job = splunk().search(search, in_splunk(case(path), "raw"))
    assert not job.rows
    assert any("output=risk" in text for _, text in job.messages), job.messages

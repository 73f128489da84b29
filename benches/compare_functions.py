"""How long each operator and function takes beside the nearest of Polars and DuckDB.

    python benches/compare_functions.py [--rows 1000000] [--runs 3] [--only PATTERN] [--json FILE]

Every engine gets the same generated tables once and keeps them in its own form. Each item then runs in all
engines by turns, on two threads; the table shows the median of the runs. `cpu` columns count the processor
time of the process instead of the clock, which says more on a busy machine. A ratio below 1 means that
huntpack is the quickest; where it is above, the last column tells what the language asks for that takes its
time. Texts that functions read are mostly different in each row, so that no engine can answer from what it
remembers of a dictionary. Scalar results are summed up, so that no item measures the making of a result table.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import resource
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

THREADS = 2
ENGINES = ("huntpack", "polars", "duckdb")
os.environ["POLARS_MAX_THREADS"] = str(THREADS)

import duckdb  # noqa: E402
import huntpack as hp  # noqa: E402
import numpy as np  # noqa: E402
import polars as pl  # noqa: E402
from compare_items import ITEMS, REASONS, Item  # noqa: E402

SEED = 20260301
VERBS = ["start", "stop", "query", "export", "Invoke", "download", "encode", "Get", "copy", "del"]
PROGRAMS = ["powershell", "cmd", "rundll32", "svchost", "python", "wmic", "CertUtil", "bash", "explorer", "reg"]


def chosen(random: np.random.Generator, values: list[str], rows: int) -> pl.Series:
    return pl.Series(values, dtype=pl.String).gather(random.integers(0, len(values), rows))


def events(rows: int) -> pl.DataFrame:
    """Log events: a rising time, keys of few and of many values, texts that nearly all differ."""
    random = np.random.default_rng(SEED)

    def number(low: int, high: int) -> pl.Series:
        return pl.Series(random.integers(low, high, rows))

    start = np.datetime64("2026-03-01T00:00:00", "us").astype("int64")
    ticks = np.sort(random.integers(0, 14 * 86_400_000_000, rows)) + start
    words = [f"{a}{b}" for a in ("alpha", "beta", "Gamma", "delta") for b in range(500)]
    frame = pl.DataFrame(
        {
            "Time": pl.Series(ticks).cast(pl.Datetime("us")),
            "Host": chosen(random, [f"host-{i:02}.corp.example" for i in range(100)], rows),
            "User": chosen(random, [f"user{i}@contoso.com" for i in range(100_000)], rows),
            "Verb": chosen(random, VERBS, rows),
            "Program": chosen(random, PROGRAMS, rows),
            "Word": chosen(random, words, rows),
            "Id": number(0, 1 << 40),
            "Code": number(0, 1000),
            "Bytes": number(0, 1_000_000),
            "Score": pl.Series(random.random(rows) * 100),
            "Signed": pl.Series(random.random(rows) * 4 - 2),
            "a": number(1, 224),
            "b": number(0, 256),
            "c": number(0, 256),
            "d": number(0, 256),
        }
    )
    made = {
        "Command": pl.format(
            "C:\\Windows\\System32\\{}.exe -{} {} /id:{} --Target {}", "Program", "Verb", "Word", "Id", "Host"
        ),
        "Url": pl.format("https://{}:8443/{}/{}?id={}&user={}#top", "Host", "Verb", "Word", "Id", "Code"),
        "Address": pl.format("{}.{}.{}.{}", "a", "b", "c", "d"),
        "IdText": pl.col("Id").cast(pl.String),
        "ScoreText": pl.col("Score").cast(pl.String),
        "TimeText": pl.col("Time").dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ"),
        "Padded": pl.format("  {} {}  ", "Word", "Id"),
        "Maybe": pl.when(pl.col("Code") < 500).then(pl.lit("")).otherwise(pl.format("v{}", "Id")),
        "Json": pl.format(
            '{{"id":{},"a":{{"b":{},"name":"{}"}},"user":"{}","list":[{},{}]}}', "Id", "Code", "Word", "User", "b", "c"
        ),
        "Encoded": pl.format("{} {} {}", "Verb", "Word", "Id").cast(pl.Binary).bin.encode("base64"),
    }
    return frame.with_columns(**made).drop("a", "b", "c", "d")


def people() -> pl.DataFrame:
    """100,000 users to join with."""
    random = np.random.default_rng(SEED + 1)
    names = pl.Series([f"user{i}@contoso.com" for i in range(50_000, 150_000)])
    return pl.DataFrame({"User": names, "Team": chosen(random, [f"team {i}" for i in range(50)], 100_000)})


def arrays(rows: int) -> pl.DataFrame:
    """Arrays of numbers and of texts, as lists and as JSON."""
    random = np.random.default_rng(SEED + 2)
    lists = pl.Series(random.integers(0, 1000, (rows, 4))).arr.to_list()
    joined = pl.col("Numbers").cast(pl.List(pl.String)).list.join(",")
    frame = pl.DataFrame({"Row": np.arange(rows), "Numbers": lists, "Others": lists.shuffle(seed=SEED)})
    return frame.with_columns(
        Json=pl.format("[{}]", joined),
        Texts=pl.format('["w{}"]', pl.col("Numbers").cast(pl.List(pl.String)).list.join('","w')),
    )


def series(rows: int) -> pl.DataFrame:
    """Series of 100 numbers."""
    random = np.random.default_rng(SEED + 3)
    return pl.DataFrame({"Row": np.arange(rows), "Values": pl.Series(random.random((rows, 100))).arr.to_list()})


class Engines:
    """The tables in each engine's own form, and how each runs an item."""

    def __init__(self, rows: int) -> None:
        frames = {
            "E": events(rows),
            "P": people(),
            "A": arrays(max(rows // 5, 1000)),
            "S": series(max(rows // 100, 1000)),
        }
        self.frames = {name: frame.lazy() for name, frame in frames.items()}
        self.connection = duckdb.connect(config={"threads": THREADS})
        for name, frame in frames.items():
            self.connection.register("handed", frame.to_arrow())
            self.connection.execute(f"CREATE TABLE {name} AS SELECT * FROM handed")
            self.connection.unregister("handed")
        self.tables = {name: hp.table(frame) for name, frame in frames.items()}

    def huntpack(self, item: Item) -> hp.Table:
        return hp.kql(item.kql, self.tables, now="2026-03-15", threads=THREADS)

    def polars(self, item: Item) -> pl.DataFrame:
        return item.polars(self.frames).collect()

    def duckdb(self, item: Item) -> object:
        if item.table:
            return self.connection.execute(f"CREATE OR REPLACE TEMP TABLE answer AS {item.sql}")
        return self.connection.execute(item.sql).fetchall()

    def answer(self, engine: str, item: Item) -> object:
        """The number of rows of a table, else the only cell's value."""
        if engine == "duckdb":
            rows = self.connection.execute(item.sql).fetchall()
        else:
            rows = getattr(self, engine)(item).rows()
        return len(rows) if item.table or not rows else rows[0][0]


Times = dict[str, tuple[float, float]]


def engines_of(item: Item) -> list[str]:
    """The engines that have an equivalent."""
    return ["huntpack", *(["polars"] if item.polars else []), *(["duckdb"] if item.sql else [])]


def timed(run: Callable[[Item], object], item: Item) -> tuple[float, float]:
    """Milliseconds by the clock, and of the processor."""
    before, clock = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    result = run(item)
    wall, after = time.perf_counter() - clock, resource.getrusage(resource.RUSAGE_SELF)
    del result
    return wall * 1e3, (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1e3


def measure(engines: Engines, item: Item, runs: int) -> Times:
    """The medians of each engine, run by turns after a first run that is not counted."""
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in engines_of(item)}
    for run in range(runs + 1):
        for name in list(taken):
            try:
                spent = timed(getattr(engines, name), item)
            except Exception as error:
                print(f"{item.name}: {name}: {str(error).splitlines()[0]}", file=sys.stderr)
                del taken[name]
                continue
            if run:
                taken[name].append(spent)
    middle = statistics.median
    return {name: (middle(t[0] for t in times), middle(t[1] for t in times)) for name, times in taken.items()}


def ratio(times: Times, at: int) -> float | None:
    others = [times[name][at] for name in ("polars", "duckdb") if name in times]
    return times["huntpack"][at] / min(others) if others and "huntpack" in times else None


def line(name: str, times: Times) -> str:
    each = [times[engine][at] if engine in times else None for at in (0, 1) for engine in ENGINES]
    cells = "".join("        -" if cell is None else f"{cell:9.1f}" for cell in each)
    ratios = [ratio(times, 0), ratio(times, 1)]
    shown = "".join("       -" if r is None else f"{r:8.2f}" for r in ratios)
    return f"{name:34}{cells}{shown}{reason(name) if (ratios[1] or 0) > 1 else ''}"


def reason(name: str) -> str:
    """What the language asks for that takes its time."""
    return "".join(f"  {why}" for pattern, why in REASONS if re.search(pattern, name))


def print_answers(engines: Engines, items: list[Item]) -> None:
    for item in items:
        for name in engines_of(item):
            try:
                print(f"{item.name:34} {name:9} {engines.answer(name, item)!s:.60}")
            except Exception as error:
                print(f"{item.name:34} {name:9} failed: {str(error)[:300]}")


def main() -> None:
    parser = argparse.ArgumentParser(description="Times operators and functions beside Polars and DuckDB.")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--only", default="", help="a pattern of the items' names")
    parser.add_argument("--answers", action="store_true", help="print what each engine answers, and no times")
    parser.add_argument("--json", type=Path, help="a file for the figures")
    arguments = parser.parse_args()
    engines = Engines(arguments.rows)
    items = [item for item in ITEMS if re.search(arguments.only, item.name)]
    if arguments.answers:
        print_answers(engines, items)
        return
    heads = "".join(f"{head:>9}" for head in (*ENGINES, "cpu hp", "cpu pl", "cpu duck"))
    print(f"{f'{arguments.rows:,} rows, ms':34}{heads}   ratio     cpu")
    results = {}
    for item in items:
        results[item.name] = measure(engines, item, arguments.runs)
        print(line(item.name, results[item.name]), flush=True)
    if arguments.json:
        arguments.json.write_text(json.dumps({"rows": arguments.rows, "items": results}, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()

"""Tables as text: for the terminal, for pipes, and for files (json, ndjson, csv, parquet, html)."""

from __future__ import annotations

import contextlib
import csv
import datetime as dt
import decimal
import html
import json
import math
import os
import sys
import uuid
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Callable

if TYPE_CHECKING:
    from huntpack import Table

SUFFIXES = {
    ".csv": "csv",
    ".htm": "html",
    ".html": "html",
    ".json": "json",
    ".jsonl": "ndjson",
    ".ndjson": "ndjson",
    ".parquet": "parquet",
    ".txt": "table",
}
NUMBERS = frozenset({"int", "long", "real", "decimal"})
TERMINAL_ROWS = 1000

Columns = Sequence[tuple[str, str]]
Rows = Sequence[Sequence[Any]]


def iso(moment: dt.datetime) -> str:
    """ISO 8601 in UTC, with a fraction only where there is one."""
    return moment.isoformat().replace("+00:00", "Z")


def clock(span: dt.timedelta) -> str:
    """A timespan as Kusto writes it: `[-][d.]hh:mm:ss[.ffffff]`."""
    sign, span = ("-", -span) if span < dt.timedelta() else ("", span)
    minutes, seconds = divmod(span.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    days = f"{span.days}." if span.days else ""
    fraction = f".{span.microseconds:06}" if span.microseconds else ""
    return f"{sign}{days}{hours:02}:{minutes:02}:{seconds:02}{fraction}"


def plain(value: Any) -> Any:
    """A value as JSON can hold it. Numbers that JSON lacks become texts, as in Kusto's answers."""
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else ("Infinity" if value > 0 else "-Infinity")
    if isinstance(value, dt.datetime):
        return iso(value)
    if isinstance(value, dt.timedelta):
        return clock(value)
    if isinstance(value, (decimal.Decimal, uuid.UUID)):
        return str(value)
    if isinstance(value, dict):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(inner) for inner in value]
    return value


def as_json(value: Any, indent: int | None = None) -> str:
    """JSON text, not escaped beyond need."""
    return json.dumps(plain(value), ensure_ascii=False, indent=indent)


def cell(value: Any, kind: str) -> str:
    """A value as the text of a cell; null is empty, dynamic values are JSON."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if kind == "dynamic" and not isinstance(value, str):
        return as_json(value)
    return str(plain(value))


def cells(columns: Columns, row: Sequence[Any]) -> list[str]:
    """A row's cells as texts."""
    return [cell(value, kind) for value, (_, kind) in zip(row, columns)]


def records(columns: Columns, rows: Rows) -> Iterator[dict[str, Any]]:
    """The rows as JSON-ready dicts."""
    names = [name for name, _ in columns]
    return (dict(zip(names, map(plain, row))) for row in rows)


def write_json(out: IO[str], columns: Columns, rows: Rows) -> None:
    """One array of records, a record a line."""
    lines = ",\n".join(as_json(record) for record in records(columns, rows))
    out.write(f"[\n{lines}\n]\n" if lines else "[]\n")


def write_ndjson(out: IO[str], columns: Columns, rows: Rows) -> None:
    """A record a line."""
    out.writelines(as_json(record) + "\n" for record in records(columns, rows))


def write_csv(out: IO[str], columns: Columns, rows: Rows) -> None:
    """Comma-separated values with a header."""
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(name for name, _ in columns)
    writer.writerows(cells(columns, row) for row in rows)


def write_html(out: IO[str], columns: Columns, rows: Rows) -> None:
    """A page with one table."""
    from huntpack.report import page

    out.write(page("huntpack", html_table(columns, rows)))


def html_table(columns: Columns, rows: Rows) -> str:
    """An HTML table; numbers stand right."""
    classes = [' class="number"' if kind in NUMBERS else "" for _, kind in columns]
    head = "".join(f"<th{style}>{html.escape(name)}</th>" for style, (name, _) in zip(classes, columns))
    body = "\n".join(
        "<tr>" + "".join(f"<td{s}>{html.escape(text)}</td>" for s, text in zip(classes, cells(columns, row))) + "</tr>"
        for row in rows
    )
    return f'<div class="scroll"><table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody></table></div>'


def visible(text: str) -> str:
    """Text that keeps to its line, and cannot steer a terminal."""
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)


def write_table(out: IO[str], columns: Columns, rows: Rows) -> None:
    """An aligned table: folded to the width of a terminal, whole everywhere else."""
    texts = [[visible(text) for text in cells(columns, row)] for row in rows]
    if out is sys.stdout and out.isatty():
        write_folded(columns, texts)
    else:
        write_whole(out, columns, texts)


def write_whole(out: IO[str], columns: Columns, texts: Sequence[Sequence[str]]) -> None:
    """Columns as wide as their longest cell, neither cut nor folded."""
    names = [name for name, _ in columns]
    widths = [max(map(len, column)) for column in zip(names, *texts)] if names else []
    right = [kind in NUMBERS for _, kind in columns]
    for line in [names, ["-" * width for width in widths], *texts]:
        padded = (text.rjust(w) if r else text.ljust(w) for text, w, r in zip(line, widths, right))
        out.write("  ".join(padded).rstrip() + "\n")


def write_folded(columns: Columns, texts: Sequence[Sequence[str]]) -> None:
    """A table that fits the terminal; beyond a screenful of screens the rest is only counted."""
    from rich import box
    from rich.console import Console
    from rich.table import Table as Grid
    from rich.text import Text

    grid = Grid(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for name, kind in columns:
        grid.add_column(Text(name), overflow="fold", justify="right" if kind in NUMBERS else "left")
    for line in texts[:TERMINAL_ROWS]:
        grid.add_row(*map(Text, line))
    Console().print(grid)
    if len(texts) > TERMINAL_ROWS:
        print(f"{len(texts) - TERMINAL_ROWS:,} more rows: write them with -o or --format", file=sys.stderr)


Writer = Callable[[IO[str], Columns, Rows], None]
WRITERS: dict[str, Writer] = {
    "table": write_table,
    "json": write_json,
    "ndjson": write_ndjson,
    "csv": write_csv,
    "html": write_html,
}


@contextlib.contextmanager
def whole(path: Path) -> Iterator[Path]:
    """A path to write to: what is written there appears at `path` whole, or not at all."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield draft
        draft.replace(path)
    except OSError as error:
        if error.filename is not None and Path(error.filename) == draft:
            error.filename = str(path)
        raise
    finally:
        draft.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Writes a text file whole."""
    with whole(path) as draft:
        draft.write_bytes(text.encode("utf-8"))


def write(table: Table, form: str, path: Path | None) -> None:
    """Writes a table to a file, or to standard output."""
    if form == "parquet":
        write_parquet(table, path)
    else:
        write_rows(table.columns, table.rows(), form, path)


def write_rows(columns: Columns, rows: Rows, form: str, path: Path | None) -> None:
    """Writes rows in one of the text formats."""
    writer = WRITERS[form]
    if path is None:
        writer(sys.stdout, columns, rows)
        return
    with whole(path) as draft, draft.open("w", encoding="utf-8", newline="") as out:
        writer(out, columns, rows)


def write_parquet(table: Table, path: Path | None) -> None:
    """Writes Parquet; standard output gets the file's bytes."""
    if path is not None:
        table.write_parquet(path)
        return
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "table.parquet"
        table.write_parquet(file)
        sys.stdout.buffer.write(file.read_bytes())


def together(tables: Iterable[tuple[str, str, Table]]) -> tuple[Columns, Rows]:
    """Tables of several rules as one: the rule's id and name, then every column that any of them has."""
    tables = list(tables)
    kinds: dict[str, str] = {"RuleId": "string", "RuleName": "string"}
    for _, _, table in tables:
        for name, kind in table.columns:
            kinds[name] = kind if kinds.get(name, kind) == kind else "dynamic"
    rows = []
    for rule_id, rule_name, table in tables:
        for record in table.to_dicts():
            record = {**record, "RuleId": rule_id, "RuleName": rule_name}
            rows.append([record.get(name) for name in kinds])
    return list(kinds.items()), rows

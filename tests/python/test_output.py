"""Tables as text."""

from __future__ import annotations

import datetime as dt
import decimal
import io
import json
import math
import uuid
from pathlib import Path

import pytest
from huntpack import alerts, output, report

UTC = dt.timezone.utc
COLUMNS = [("Name", "string"), ("N", "long"), ("At", "datetime"), ("More", "dynamic")]
ROWS = [("ada", 1, dt.datetime(2026, 3, 12, 15, tzinfo=UTC), {"a": [1, "ü"]}), ("b\tc\nd", None, None, None)]


def text(form: str, columns: output.Columns = COLUMNS, rows: output.Rows = ROWS) -> str:
    out = io.StringIO()
    output.WRITERS[form](out, columns, rows)
    return out.getvalue()


def test_json() -> None:
    first, second = json.loads(text("json"))
    assert first == {"Name": "ada", "N": 1, "At": "2026-03-12T15:00:00Z", "More": {"a": [1, "ü"]}}
    assert second == {"Name": "b\tc\nd", "N": None, "At": None, "More": None}
    assert json.loads(text("json", rows=[])) == []


def test_ndjson() -> None:
    assert len(text("ndjson").splitlines()) == 2


def test_csv() -> None:
    assert text("csv").splitlines()[1] == 'ada,1,2026-03-12T15:00:00Z,"{""a"": [1, ""ü""]}"'


def test_a_table_keeps_a_row_on_a_line() -> None:
    lines = text("table").splitlines()
    assert len(lines) == 4
    assert lines[3] == r"b\tc\nd"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (dt.timedelta(days=1, seconds=1), "1.00:00:01"),
        (-dt.timedelta(milliseconds=1), "-00:00:00.001000"),
        (decimal.Decimal("1.50"), "1.50"),
        (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (math.nan, "NaN"),
        (-math.inf, "-Infinity"),
        (True, "true"),
        (None, ""),
    ],
)
def test_cells(value: object, shown: str) -> None:
    assert output.cell(value, "string") == shown


def test_terminals_are_not_steered() -> None:
    assert "\x1b" not in text("table", [("x", "string")], [("\x1b[31mred",)])


def test_markup_is_escaped() -> None:
    assert "<b>" not in output.html_table([("<b>", "string")], [("<b>",)])


def test_a_file_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    path.write_text("old", encoding="utf-8")
    with pytest.raises(ValueError, match="no"), output.whole(path) as draft:
        draft.write_text("half", encoding="utf-8")
        raise ValueError("no")
    assert path.read_text(encoding="utf-8") == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["out.csv"]


@pytest.mark.parametrize(
    "word, words",
    [
        ("CredentialAccess", "Credential access"),
        ("SentMB", "Sent MB"),
        ("ZScore", "Z score"),
        ("O365_AnonLinks", "O365 anon links"),
        ("", ""),
    ],
)
def test_names_as_words(word: str, words: str) -> None:
    assert alerts.spell(word) == words


def test_details() -> None:
    assert report.detail(['["NL","SE"]', "[x", 1, True]) == "NL, SE, [x, 1, true"

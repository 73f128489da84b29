"""Splunk's SDK as the reference: its commands and ours give the same rows for the same bytes."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Callable

import pytest
from protocol import Row
from splunkd import Splunkd

splunklib = pytest.importorskip("splunklib", reason="splunk-sdk is not installed")

USERS = ("ada@northwind.example", "Bruno, B.", 'the "third"', "zwölf\nlines", "$5;$6", " space ")


def events(count: int) -> list[Row]:
    """Events with everything in them that CSV quotes, and values that are several."""
    rows: list[Row] = []
    for at in range(count):
        row: Row = {
            "_time": f"{1773327600 + at}.250",
            "user": USERS[at % len(USERS)],
            "code": ("0", "50126")[at % 3 == 0],
        }
        if at % 4 == 0:
            row["groups"] = ["staff", "a$b", "c;d"][: 2 + at % 2]
        if at % 5:
            row["note"] = f"n{at}"
        rows.append(row)
    return rows


@pytest.fixture
def sdk(tmp_path: Path) -> Splunkd:
    """A splunkd over the SDK's commands."""
    app = tmp_path / "sdk"
    (app / "default").mkdir(parents=True)
    (app / "bin").mkdir()
    folder, stanzas = str(Path(__file__).parent), []
    for name, command in (("pass", "Pass"), ("keep", "Keep"), ("tally", "Tally")):
        text = f"import sys\nsys.path.insert(0, {folder!r})\nimport sdk_commands as c\nc.run(c.{command})\n"
        (app / f"bin/{name}_command.py").write_text(text, encoding="utf-8")
        stanzas.append(f"[{name}]\nfilename = {name}_command.py\nchunked = true\n")
    (app / "default/commands.conf").write_text("".join(stanzas), encoding="utf-8")
    (app / "default/distsearch.conf").write_text("[replicationAllowlist]\n", encoding="utf-8")
    return Splunkd(app, sys.executable, tmp_path / "home", chunks=(7, 1, 20))


def test_the_player_and_the_sdk_understand_each_other(sdk: Splunkd) -> None:
    rows = events(60)
    assert sorted(map(repr, sdk.search("index=main | pass", rows).rows)) == sorted(map(repr, rows))
    assert len(sdk.search("index=main | keep", rows).rows) == 20
    assert sum(int(str(row["count_"])) for row in sdk.search("index=main | tally", rows).rows) == 60


PAIRS = {
    "pass": 'kql "Events"',
    "keep": """kql "Events | where code == '50126'" """,
    "tally": 'kql "Events | summarize count() by user | sort by user asc"',
}


@pytest.mark.parametrize("command", PAIRS)
def test_our_commands_give_the_same_rows(command: str, sdk: Splunkd, splunk: Callable[..., Splunkd]) -> None:
    theirs = sdk.search(f"index=main | {command}", events(90)).rows
    ours = splunk(chunks=sdk.chunks).search(f"index=main | {PAIRS[command]}", events(90)).rows
    assert ours == theirs

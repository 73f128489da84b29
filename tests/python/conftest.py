"""What the tests share: a few small logs, a rule, and the command line as a process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from shared import RULE, Cli, lines, signin


@pytest.fixture
def signins(tmp_path: Path) -> Path:
    """Four failures from one address, two from another, and a success."""
    records = [signin(minute, "203.0.113.7", user=f"u{minute}@northwind.example") for minute in range(10, 14)]
    records += [signin(20, "203.0.113.8"), signin(21, "203.0.113.8"), signin(22, "203.0.113.7", "0")]
    path = tmp_path / "signins.ndjson"
    path.write_text(lines(records), encoding="utf-8")
    return path


@pytest.fixture
def quiet(tmp_path: Path) -> Path:
    """Sign-ins without a failure."""
    path = tmp_path / "quiet.ndjson"
    path.write_text(lines([signin(30, "203.0.113.7", "0")]), encoding="utf-8")
    return path


@pytest.fixture
def rule(tmp_path: Path) -> Path:
    """A rule over sign-ins."""
    path = tmp_path / "rules" / "many-failures.yaml"
    path.parent.mkdir()
    path.write_text(RULE, encoding="utf-8")
    return path


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    """Runs `huntpack` with these arguments, in the temporary folder."""

    def run(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "huntpack", *map(str, arguments)],
            cwd=tmp_path,
            env={**os.environ, "COLUMNS": "80", **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            timeout=120,
        )

    return run

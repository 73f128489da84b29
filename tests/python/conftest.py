"""What the tests share: a few small logs, a rule, and the command line as a process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Callable

import pytest

NOW = "2026-03-12T15:00:00Z"
RULE = """\
id: 0f8fad5b-d9cb-469f-a165-70867728950e
name: Many failures
version: 1.0.0
kind: Scheduled
description: Says when one address fails often.
severity: Medium
requiredDataConnectors: []
queryFrequency: 1h
queryPeriod: 1h
triggerOperator: gt
triggerThreshold: 0
tactics:
  - Credential Access
relevantTechniques:
  - T1110.003
query: |
  SigninLogs
  | where ResultType != "0"
  | summarize Failures = count(), Users = make_set(UserPrincipalName) by IPAddress
  | where Failures >= 3
entityMappings:
  - entityType: IP
    fieldMappings:
      - identifier: Address
        columnName: IPAddress
customDetails:
  Failures: Failures
alertDetailsOverride:
  alertDisplayNameFormat: "{{Failures}} failures from {{IPAddress}}"
"""


def signin(minute: int, address: str, result: str = "50126", user: str = "ada@northwind.example") -> dict[str, Any]:
    """A sign-in some minutes after 14:00."""
    return {
        "TimeGenerated": f"2026-03-12T14:{minute:02}:00.5Z",
        "ResultType": result,
        "IPAddress": address,
        "UserPrincipalName": user,
    }


def lines(records: list[dict[str, Any]]) -> str:
    """Newline-delimited JSON."""
    return "".join(json.dumps(record) + "\n" for record in records)


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


Cli = Callable[..., "subprocess.CompletedProcess[str]"]


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

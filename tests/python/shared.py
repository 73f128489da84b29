"""What the tests share beside fixtures: a rule, sign-ins, and what running the command line is."""

from __future__ import annotations

import json
import subprocess
from typing import Any, Callable

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


# Runs the command line with some arguments.
Cli = Callable[..., "subprocess.CompletedProcess[str]"]

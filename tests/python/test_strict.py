"""The checks that the public rule repository makes."""

from __future__ import annotations

from pathlib import Path

import huntpack as hp
import pytest
from conftest import RULE
from huntpack import strict

SELECTED = "incidentConfiguration:\n  groupingConfiguration:\n    enabled: true\n    matchingMethod: Selected\n"


def complaints(rule: Path, old: str, new: str) -> list[str]:
    assert old in RULE
    rule.write_text(RULE.replace(old, new), encoding="utf-8")
    (loaded,) = hp.load(rule)
    return [key for key, _ in strict.complaints(loaded)]


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("0f8fad5b-d9cb", "no-guid", "id"),
        ("version: 1.0.0", "version: 1.0", "version"),
        ("name: Many failures", "name: " + "x" * 257, "name"),
        ("SigninLogs\n", "union *\n", "query"),
        ("queryFrequency: 1h", "queryFrequency: 1m", "queryFrequency"),
        ("queryPeriod: 1h", "queryPeriod: 30m", "queryPeriod"),
        ("queryPeriod: 1h", "queryPeriod: 30d", "queryPeriod"),
        ("triggerThreshold: 0", "triggerThreshold: 10001", "triggerThreshold"),
        ("- Credential Access", "- Mischief", "tactics"),
        ("T1110.003", "T11100", "relevantTechniques"),
        ("entityType: IP", "entityType: Address", "entityMappings"),
        ("identifier: Address", "identifier: AddressScope", "entityMappings"),
        ("  Failures: Failures", "  FailuresOfAnAddressInAnHour: Failures", "customDetails"),
        ("{{Failures}} failures", "{{Failures}}{{Failures}}{{Failures}} failures", "alertDetailsOverride"),
        (
            "customDetails:",
            f"{SELECTED}customDetails:",
            "incidentConfiguration",
        ),
    ],
)
def test_complaints(rule: Path, old: str, new: str, key: str) -> None:
    assert complaints(rule, old, new) == [key]


def test_nothing_to_complain_about(rule: Path) -> None:
    assert complaints(rule, "severity: Medium", "severity: High") == []

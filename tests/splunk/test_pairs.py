"""Each built-in detection is there for both products, and finds the same in the same events.

The events are those of the Sentinel rule's own test, as Splunk has them. The detection searches them as they are; the
rule reads them as rows of its tables, through the map of fields.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import huntpack
import pytest
from events import ALLOWED, RULES, company, raw, twin, write
from huntpack import Hits, Table, _core, alerts, risk, samples

TABLES = ("SigninLogs", "CommonSecurityLog", "OfficeActivity", "W3CIISLog")

# What the rule's columns are called in the detection.
FIELDS = {
    "private-access-guessing": {
        "Who": "who",
        "Account": "user",
        "Address": "src",
        "Refusals": "refusals",
        "Applications": "applications",
        "Tried": "dest",
        "GotIn": "got_in",
        "Outcome": "outcome",
        "StartTime": "firstTime",
        "EndTime": "lastTime",
    },
    "password-spray": {
        "IPAddress": "src",
        "Accounts": "accounts",
        "Failures": "failures",
        "Targets": "user",
        "Compromised": "compromised",
        "Applications": "app",
        "Countries": "countries",
        "Outcome": "outcome",
        "StartTime": "firstTime",
        "EndTime": "lastTime",
    },
    "cryptominer-download-stopped": {
        "Account": "user",
        "Address": "src",
        "Downloads": "count",
        "Urls": "url",
        "Servers": "dest",
        "Threats": "threatname",
        "StartTime": "firstTime",
        "EndTime": "lastTime",
    },
    "slow-exfiltration": {
        "Account": "user",
        "SentMB": "sent_mb",
        "Days": "days",
        "LargestDayMB": "largest_day_mb",
        "Requests": "requests",
        "ZScore": "zscore",
        "AnonymousLinks": "anonymous_links",
        "Shared": "shared",
        "Operations": "operations",
        "Sign": "sign",
        "StartTime": "firstTime",
        "EndTime": "lastTime",
    },
    "web-logon-guessing": {
        "cIP": "src",
        "Computer": "dest",
        "sIP": "dest_ip",
        "sSiteName": "site",
        "Peak": "peak",
        "Minutes": "minutes",
        "UserCount": "user_count",
        "Users": "user",
        "Reasons": "reasons",
        "Pages": "pages",
        "Agents": "agents",
        "GotIn": "got_in",
        "Outcome": "outcome",
        "StartTime": "firstTime",
        "EndTime": "lastTime",
    },
}


def plain(value: Any) -> list[str]:
    """A cell as both products would print it: all that it holds, in order of its text."""
    if isinstance(value, dt.datetime):
        return [f"{value:%Y-%m-%dT%H:%M:%S}"]
    if isinstance(value, bool):
        return [str(value).lower()]
    if isinstance(value, (list, tuple)):
        return sorted(text for part in value for text in plain(part))
    if isinstance(value, float):
        return [f"{value:g}"]
    return [] if value in (None, "") else [str(value)]


def rows(table: Table, names: list[str]) -> list[list[list[str]]]:
    """The rows of a result in columns that are compared, in an order of their own."""
    return sorted([plain(row.get(name)) for name in names] for row in table.to_dicts())


def both(name: str, path: Path, **options: Any) -> tuple[Hits, Hits]:
    """The rule over the events as tables, and the detection over the events."""
    rule = huntpack.load(RULES / f"sentinel/{name}.yaml")
    detection = huntpack.load(twin(name))
    tables: dict[str, Any] = {table: str(path) for table in TABLES}
    return rule.run(tables, strict=True, **options), detection.run({"events": str(path)}, strict=True, **options)


def same(name: str, rule: Hits, detection: Hits) -> int:
    """Asserts that two runs found the same: rows, titles and entities. The number of findings."""
    (wanted,), (found,) = rule.results.values(), detection.results.values()
    columns = FIELDS[name]
    assert rows(found, list(columns.values())) == rows(wanted, list(columns))
    titles = [alert.name for alert in alerts.of(rule, huntpack.load(RULES / "sentinel"))]
    messages = [message for risky in risk.of(detection, huntpack.load(RULES / "escu")) for message in risky.messages]
    assert set(titles) <= set(messages)
    if detection.findings.to_dicts():
        assert sorted(titles) == sorted(row["title"] for row in detection.findings.to_dicts())
    return len(titles)


def test_every_detection_is_there_in_both_languages() -> None:
    rules = {path.stem for path in (RULES / "sentinel").glob("*.yaml") if not path.stem.endswith(".test")}
    assert rules == set(FIELDS)
    assert set((RULES / "escu").glob("*.yml")) == set(map(twin, rules))
    languages = [rule.language for rule in huntpack.load()]
    assert languages.count("kql") == languages.count("spl") == len(FIELDS)


@pytest.mark.parametrize("name", FIELDS)
def test_a_pair_finds_the_same(name: str, tmp_path: Path) -> None:
    path = RULES / f"sentinel/{name}.test.yaml"
    test = _core.parse_yaml(path.read_text(encoding="utf-8"), str(path))[0]
    events = [event for table, records in test["tables"].items() for event in raw(table, records)]
    options = {"now": test["now"], "watchlists": test.get("watchlists")}
    assert same(name, *both(name, write(tmp_path, events), **options)) == test["expect"]["alerts"]


@pytest.fixture(scope="module")
def company_log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("company"), company())


@pytest.mark.parametrize("name", FIELDS)
def test_a_pair_finds_the_same_in_a_company(name: str, company_log: Path) -> None:
    options = {"now": samples.NOW, "watchlists": {"NetworkAllowlist": ALLOWED}}
    assert same(name, *both(name, company_log, **options)) == 1


@pytest.mark.parametrize(
    "allowed", [[], [{"IPOrRange": "203.0.113.0 - 203.0.113.255"}], [{"IPOrRange": "203.0.113.77"}]]
)
def test_an_allowlist_of_any_form(allowed: list[dict[str, str]], company_log: Path) -> None:
    options = {"now": samples.NOW, "watchlists": {"NetworkAllowlist": allowed}}
    rule, detection = both("password-spray", company_log, **options)
    assert same("password-spray", rule, detection) == len(rule.alerts.to_dicts())


def test_without_an_allowlist(company_log: Path) -> None:
    assert same("password-spray", *both("password-spray", company_log, now=samples.NOW)) == 4

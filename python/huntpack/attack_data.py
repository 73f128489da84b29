"""The tests that detections of Splunk carry in their own file: searches over recorded attacks.

A test names data of an attack by address or path, with the source and sourcetype of its events. Nothing is fetched: the
data are looked for beside the rule and in the folders that are given, by as much of the end of the address as there is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlparse

import huntpack as hp

if TYPE_CHECKING:
    from huntpack import Rule

WINDOWS_TEXT = re.compile(r"^\d{1,2}/\d{1,2}/\d{4} \d{1,2}:\d\d:\d\d(?:\.\d+)? [AP]M\s*$", re.MULTILINE)
XML_EVENT = re.compile(r"(?=<Event[ >])")


def tests(rule: Rule) -> list[dict[str, Any]]:
    """The tests of a detection; none of other rules."""
    found = rule.raw.get("tests") if rule.language == "spl" else None
    return [test for test in found or [] if isinstance(test, dict)]


def passed_over(rule: Rule) -> str:
    """Why a detection's tests are not run: what Splunk's own tests pass over; empty where they are."""
    if rule.kind == "Correlation":
        return "a correlation rule reads the risk of others"
    if (rule.status or "production") != "production":
        return f"its status is {rule.status}"
    manual = rule.raw.get("manual_test") or (rule.raw.get("tags") or {}).get("manual_test")
    return f"it is tested by hand: {manual}" if manual else ""


def find(address: str, rule: Path, folders: Sequence[Path]) -> Path | None:
    """The file of an address: its path beside the rule, or the longest end of it below one of the folders."""
    parts = [part for part in unquote(urlparse(address).path if "://" in address else address).split("/") if part]
    places = [rule.parent, *folders]
    for start in range(len(parts)):
        for place in places:
            path = place.joinpath(*parts[start:])
            if path.is_file():
                return path
    return None


def events(path: Path, source: str, sourcetype: str, host: str | None) -> Iterator[dict[str, str]]:
    """The events of a file of recorded data, as Splunk would have indexed them."""
    text = path.read_text(encoding="utf-8-sig", errors="replace")
    shared = {"source": source, "sourcetype": sourcetype, "host": host or "ATTACK_DATA_HOST"}
    for event in split(text):
        if event.strip():
            yield {"_raw": event.strip(), **shared}


def split(text: str) -> Iterator[str]:
    """Texts of events: events of Windows as XML or as text, JSON values, else lines."""
    start = text.lstrip()
    if start.startswith("<Event"):
        yield from XML_EVENT.split(text)
    elif WINDOWS_TEXT.match(start):
        starts = [found.start() for found in WINDOWS_TEXT.finditer(text)]
        yield from (text[here:behind] for here, behind in zip(starts, [*starts[1:], len(text)]))
    elif start.startswith("[{") or (start.startswith("{") and not is_json(start.partition("\n")[0])):
        yield from values(text)
    else:
        yield from text.splitlines()


def is_json(line: str) -> bool:
    """Whether a line is a JSON value by itself."""
    try:
        json.loads(line)
    except ValueError:
        return False
    return True


def values(text: str) -> Iterator[str]:
    """JSON values one behind the other, those of a list by themselves; where it breaks off, the lines that are left."""
    decoder, at = json.JSONDecoder(), 0
    while (at := len(text) - len(text[at:].lstrip())) < len(text):
        try:
            value, at = decoder.raw_decode(text, at)
        except ValueError:
            yield from text[at:].splitlines()
            return
        yield from (json.dumps(one) for one in (value if isinstance(value, list) else [value]))


def outcome(rule: Rule, test: dict[str, Any], folders: Sequence[Path], options: dict[str, Any]) -> tuple[str, str]:
    """What is not as a test expects it, and why it was not run; both empty where all is well."""
    rows: list[dict[str, str]] = []
    for data in test.get("attack_data") or []:
        address = str(data.get("data") or "")
        path = find(address, Path(rule.path or ""), folders)
        if path is None:
            return "", f"its data are not at hand: {address}"
        rows += events(path, str(data.get("source") or path), str(data.get("sourcetype") or ""), data.get("host"))
    if not rows:
        return "", "it names no data, or data without events"
    # A recording is played as of its end: a search that looks back an hour looks at its last hour.
    hits = hp.load(str(rule.path)).run(rows, strict=True, **{"now": "latest", **options})
    found = [row for table in hits.results.values() for row in table.to_dicts()]
    return judged(rule, test.get("expected_results"), found), ""


def judged(rule: Rule, expected: Any, rows: list[dict[str, Any]]) -> str:
    """How results differ from what a test expects: a number of rows, or at least one in which all entities are."""
    if isinstance(expected, int) and not isinstance(expected, bool) and len(rows) != expected:
        return f"{expected} results expected, {len(rows)} found"
    if expected == 0:
        return ""
    if not rows:
        return "at least one result expected, none found"
    fields = [str(entity["field"]) for entity in rule.risk_objects]
    lacking = [name for name in fields if all(row.get(name) in (None, "", "null") for row in rows)]
    return f"no result has the fields {', '.join(lacking)} of its entities" if lacking else ""

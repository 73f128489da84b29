"""`huntpack test`: the tests that stand beside rules.

`rule.test.yaml` tests the rules of `rule.yaml`: `now`, `tables` (rows, or paths from the test's folder), `watchlists`,
`lookups`, `macros`, `functions`, `externaldata`, `schemas`, `geoip`, `addons`, `timezone`, and what to `expect`: the
number of `alerts` (of a detection of Splunk: of its findings), of `risk` events, `rows` that must be there (of a row
only the columns that are given), or `none: true`. A file may hold several tests.

The tests that a detection of Splunk has in its own file run where their data are at hand; see `attack_data`.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import huntpack as hp
from huntpack import _core, attack_data, output

if TYPE_CHECKING:
    from huntpack import Hits, Pack, Rule

SOURCES = ("tables", "watchlists", "lookups", "externaldata")
PATHS = ("macros", "functions", "geoip", "addons")
KNOWN = {"name", "now", "schemas", "timezone", "expect", *SOURCES, *PATHS}
EXPECTED = {"alerts", "risk", "rows", "none"}


@dataclass(frozen=True)
class Result:
    """How one test went. `message` says what was not as expected; it is empty where all was."""

    rule: str
    path: str
    message: str
    seconds: float
    #: Why it was not run; empty where it was.
    skipped: str = ""

    @property
    def ok(self) -> bool:
        return not self.message


def run(
    pack: Pack,
    path: str | os.PathLike[str] | None = None,
    folders: Any = None,
    **options: Any,
) -> list[Result]:
    """Runs the tests beside the rules of a pack and those of detections in their own files, or the one test file.

    `folders` are where the data of detections' tests may be, `options` are those of `Pack.run` for them.
    """
    rules = {Path(rule.path): rule for rule in pack if rule.path}
    places = [Path(folder) for folder in ([folders] if isinstance(folders, (str, os.PathLike)) else folders or [])]
    results: list[Result] = []
    for rule_path, rule in rules.items():
        for test in beside(rule_path) if path is None else [Path(path)]:
            results += of_file(test, rule_path, rule.name or "")
        if path is None:
            results += of_detection(rule, places, options)
    return results


def of_detection(rule: Rule, folders: list[Path], options: dict[str, Any]) -> Iterator[Result]:
    """The tests in a detection's own file. Those that cannot run are told of where folders of data are given."""
    given = {name: value for name, value in options.items() if value is not None}
    for test in attack_data.tests(rule):
        started = time.perf_counter()
        message, skipped = "", attack_data.passed_over(rule)
        if not skipped:
            try:
                message, skipped = attack_data.outcome(rule, test, folders, given)
            except (hp.Error, OSError) as error:
                message = str(error)
        if folders or not skipped:
            label = f"{rule.name}: {test.get('name') or 'test'}"
            yield Result(label, str(rule.path), message, time.perf_counter() - started, skipped)


def beside(rule: Path) -> list[Path]:
    """The test files of a rule file."""
    found = (rule.with_name(f"{rule.stem}.test{suffix}") for suffix in (".yaml", ".yml"))
    return [path for path in found if path.exists()]


def of_file(path: Path, rule_path: Path, name: str) -> Iterator[Result]:
    """Runs the tests of a file over the rules of another."""
    try:
        tests = _core.parse_yaml(path.read_text(encoding="utf-8-sig"), str(path))
    except hp.Error as error:
        yield Result(name, str(path), str(error), 0.0)
        return
    for test in tests:
        started = time.perf_counter()
        try:
            message = "\n".join(outcome(test, rule_path, path.parent))
        except (hp.Error, TypeError, ValueError, AttributeError) as error:
            message = str(error)
        yield Result(name, str(path), message, time.perf_counter() - started)


def outcome(test: dict[str, Any], rule_path: Path, folder: Path) -> Iterator[str]:
    """What is not as a test expects it."""
    unknown = (set(test) - KNOWN) | (set(test.get("expect") or {"expect": 0}) - EXPECTED)
    if unknown:
        yield f"the test has no, or unknown, keys: {', '.join(sorted(unknown))}"
        return
    options: dict[str, Any] = {key: test[key] for key in ("now", "schemas", "timezone") if key in test}
    options.update({key: sources(test[key], folder) for key in SOURCES if key in test})
    options.update({key: resolved(test[key], folder) for key in PATHS if key in test})
    hits = hp.load(str(rule_path)).run(options.pop("tables", {}), strict=True, **options)
    yield from differences(test["expect"], hits)


def sources(named: Any, folder: Path) -> Any:
    """Sources by name, or a single one: rows as they are, paths from the test's folder."""
    if not isinstance(named, dict):
        return resolved(named, folder)
    return {name: resolved(source, folder) for name, source in named.items()}


def resolved(source: Any, folder: Path) -> Any:
    """A path from the test's folder; anything else as it is."""
    return str(folder / source) if isinstance(source, str) and "\n" not in source else source


def differences(expect: dict[str, Any], hits: Hits) -> Iterator[str]:
    """How a run differs from what is expected."""
    rows = [row for table in hits.results.values() for row in table.to_dicts()]
    counts = {"alerts": len(hits.alerts) + len(hits.findings), "risk": len(hits.risk)}
    for name, count in counts.items():
        wanted = 0 if expect.get("none") else expect.get(name)
        if wanted is not None and count != wanted:
            shown = "".join(f"\n  {output.as_json(row)}" for row in rows[:10])
            what = "risk events" if name == "risk" else name
            yield f"{wanted} {what} expected, {count} found{shown}"
    for row in expect.get("rows") or []:
        if not any(matches(row, found) for found in rows):
            yield f"no such row: {output.as_json(row)}{nearest(row, rows)}"


def matches(row: dict[str, Any], found: dict[str, Any]) -> bool:
    """Whether a result row has the values that are given."""
    return all(name in found and same(value, found[name]) for name, value in row.items())


def same(expected: Any, value: Any) -> bool:
    """Whether a value is the expected one; datetimes and such are compared by their text."""
    shown = output.plain(value)
    return bool(shown == expected) or (isinstance(expected, str) and str(shown) == expected)


def nearest(row: dict[str, Any], rows: list[dict[str, Any]]) -> str:
    """The result row that has most of the expected values."""
    if not rows:
        return "; there are no rows"
    best = max(rows, key=lambda found: sum(same(value, found.get(name)) for name, value in row.items()))
    return f"\n  nearest: {output.as_json({name: best.get(name) for name in row})}"


def junit(results: list[Result]) -> str:
    """The results as JUnit's XML, which continuous integration reads."""
    failures = sum(not result.ok for result in results)
    suite = ElementTree.Element("testsuite", name="huntpack", tests=str(len(results)), failures=str(failures))
    for result in results:
        attributes = {"classname": result.path, "name": result.rule, "time": f"{result.seconds:.3f}"}
        case = ElementTree.SubElement(suite, "testcase", attributes)
        if not result.ok:
            ElementTree.SubElement(case, "failure", message=result.message.partition("\n")[0]).text = result.message
        elif result.skipped:
            ElementTree.SubElement(case, "skipped", message=result.skipped)
    return ElementTree.tostring(suite, encoding="unicode", xml_declaration=True) + "\n"

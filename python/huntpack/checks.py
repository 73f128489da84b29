"""`huntpack check`: what is wrong with rules, for people and for continuous integration."""

from __future__ import annotations

import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable

import huntpack as hp
from huntpack import output

if TYPE_CHECKING:
    from huntpack import Pack, Rule


@dataclass(frozen=True)
class Finding:
    """One thing wrong, with its place."""

    level: str
    code: str
    message: str
    path: str
    rule: str | None = None
    line: int | None = None
    column: int | None = None
    help: str | None = None


@dataclass
class Findings:
    """What a check of a pack found. `texts` are the annotated sources, for people."""

    rules: int
    found: list[Finding] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    @property
    def failed(self) -> bool:
        return any(finding.level == "error" for finding in self.found)


def of(pack: Pack, *, functions: Any, schemas: Any, macros: Any, lookups: Any, strict: bool) -> Findings:
    """Checks every rule: its file, its query, and with `strict` the repository's rules."""
    data = {"schemas": schemas, "functions": functions, "macros": macros, "lookups": lookups}
    findings = Findings(rules=len(pack) + len(pack.problems))
    for problem in pack.problems:
        findings.texts.append(str(problem.error).rstrip())
        findings.found += [located(item, problem.path, None) for item in problem.error.diagnostics]
    for rule in pack:
        add(findings, rule, rule.warnings)
        add(findings, rule, rule.check(**data, strict=strict).diagnostics)
    return findings


def add(findings: Findings, rule: Rule, diagnostics: list[Any]) -> None:
    """Adds a rule's diagnostics."""
    for item in diagnostics:
        findings.found.append(located(item, rule.path or "", rule.name))
        findings.texts.append(str(item).rstrip())


def located(item: Any, path: str, rule: str | None) -> Finding:
    """A native diagnostic."""
    return Finding(item.severity, item.code, item.message, path, rule, item.line, item.column, item.help)


def print_text(findings: Findings) -> None:
    """For people: the annotated sources, then a closing line. All of it is what was asked for: standard output."""
    for text in findings.texts:
        print(text + "\n")
    errors = sum(finding.level == "error" for finding in findings.found)
    warnings = sum(finding.level == "warning" for finding in findings.found)
    print(f"{findings.rules} rules, {errors} errors, {warnings} warnings")


def print_json(findings: Findings) -> None:
    """An array of findings."""
    print(output.as_json([asdict(finding) for finding in findings.found], indent=2))


def print_sarif(findings: Findings) -> None:
    """SARIF 2.1.0, which code hosts show beside the lines."""
    driver = {
        "name": "huntpack",
        "version": hp.__version__,
        "rules": [{"id": code} for code in sorted({finding.code for finding in findings.found})],
    }
    run = {"tool": {"driver": driver}, "results": [sarif_result(finding) for finding in findings.found]}
    log = {"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0", "runs": [run]}
    sys.stdout.write(output.as_json(log, indent=2) + "\n")


def sarif_result(finding: Finding) -> dict[str, Any]:
    """One finding as a SARIF result."""
    region = {"startLine": finding.line or 1, "startColumn": finding.column or 1}
    place = {"artifactLocation": {"uri": Path(finding.path).as_posix()}, "region": region}
    text = finding.message + (f" ({finding.help})" if finding.help else "")
    return {
        "ruleId": finding.code,
        "level": finding.level if finding.level in ("error", "warning") else "note",
        "message": {"text": text},
        "locations": [{"physicalLocation": place}],
    }


RENDERERS: dict[str, Callable[[Findings], None]] = {"text": print_text, "json": print_json, "sarif": print_sarif}

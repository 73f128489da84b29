"""The report of a run: one page that needs nothing else, for light and dark."""

from __future__ import annotations

import datetime as dt
import html
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from huntpack import alerts, output, risk
from huntpack.report import timeline

if TYPE_CHECKING:
    from huntpack import Hits, Pack, Table
    from huntpack.alerts import Alert
    from huntpack.risk import RiskObject

STYLES = [timeline.PALETTE, Path(__file__).with_name("report.css"), timeline.STYLE]
SHOWN_ROWS = 100


def page(title: str, body: str) -> str:
    """A whole HTML page."""
    style = "".join(path.read_text(encoding="utf-8") for path in STYLES)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{html.escape(title)}</title>\n<style>\n{style}</style>\n</head>\n<body>\n<main>\n{body}\n"
        "</main>\n</body>\n</html>\n"
    )


def write(hits: Hits, path: str | os.PathLike[str]) -> None:
    """Writes the report of a run."""
    output.write_text(Path(path), render(hits))


def render(hits: Hits, pack: Pack | None = None) -> str:
    """The report of a run. With the pack, rules carry their names and descriptions."""
    found = alerts.of(hits, pack)
    risky = risk.of(hits, pack)
    drawn = timeline.draw(timeline.spans(found, risky))
    parts = [
        "<header><h1>huntpack</h1>",
        f"<p>{headline(found, len(hits.incidents), risky)}</p></header>",
        tally(found),
        section("Timeline", drawn) if drawn else "",
        section("Alerts", "\n".join(card(alert) for alert in found)) if found else "",
        section("Risk", "\n".join(map(risk_card, risky))) if risky else "",
        section("Rows of each rule", "\n".join(rows(key, hits, pack) for key in hits.results)),
        failures(hits),
    ]
    return page(f"huntpack: {len(found)} alerts", "\n".join(part for part in parts if part))


def section(title: str, body: str) -> str:
    """A headed part of the page."""
    return f"<section>\n<h2>{title}</h2>\n{body}\n</section>"


def headline(found: list[Alert], incidents: int, risky: list[RiskObject]) -> str:
    """The one sentence that says it."""
    if not found and not risky:
        return "No alerts."
    parts = [count(len(found), "alert") + (f" in {count(incidents, 'incident')}" if incidents else "")]
    if risky:
        parts.append(f"{count(len(risky), 'risk object')}")
    periods = [(each.start, each.end) for each in found] + [(each.start, each.end) for each in risky]
    starts, ends = [start for start, _ in periods if start], [end for _, end in periods if end]
    if starts and ends:
        parts.append(period(min(starts), max(ends)))
    return ", ".join(parts)


def count(number: int, noun: str) -> str:
    """`1 alert`, `2 alerts`."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def moment(time: dt.datetime) -> str:
    """A time to the minute."""
    return f"{time:%d %b %Y %H:%M}"


def period(start: dt.datetime | None, end: dt.datetime | None) -> str:
    """From one time to another, where both are known."""
    return f"{moment(start)} to {moment(end)} UTC" if start and end else ""


def listed(facts: list[tuple[str, str]]) -> str:
    """Names and what they stand for, in HTML; those without a text are left out."""
    terms = "".join(f"<dt>{name}</dt><dd>{text}</dd>" for name, text in facts if text)
    return f"<dl>{terms}</dl>"


def tally(found: list[Alert]) -> str:
    """How many alerts of each severity."""
    boxes = []
    for severity in alerts.SEVERITIES:
        number = sum(alert.severity == severity for alert in found)
        if number:
            boxes.append(f'<li class="{severity.lower()}"><strong>{number}</strong> {severity}</li>')
    return f'<ul class="tally">{"".join(boxes)}</ul>' if boxes else ""


def card(alert: Alert) -> str:
    """One alert."""
    facts = [
        ("Entities", "".join(f"<span><i>{escape(kind)}</i> {escape(name)}</span>" for kind, name in alert.entities)),
        ("Time", period(alert.start, alert.end)),
        ("Technique", techniques(alert.techniques)),
        ("Tactic", escape(", ".join(map(alerts.spell, alert.tactics)))),
        ("Rule", escape(alert.rule)),
        *((escape(alerts.spell(key)), escape(detail(value))) for key, value in alert.details.items()),
    ]
    severity = escape(alert.severity)
    return (
        f'<article class="{severity.lower()}"><p class="badge">{severity}</p><h3>{escape(alert.name)}</h3>'
        f"<p>{escape(alert.description)}</p>{listed(facts)}</article>"
    )


def risk_card(risky: RiskObject) -> str:
    """One risk object."""
    facts = [
        ("Time", period(risky.start, risky.end)),
        ("Technique", techniques(risky.techniques)),
        ("Rule", escape(", ".join(risky.rules))),
    ]
    messages = "".join(f"<p>{escape(message)}</p>" for message in risky.messages if message)
    return (
        f'<article class="risk"><p class="badge">Risk {risky.score}</p>'
        f"<h3>{escape(risky.kind)} {escape(risky.name)}</h3>{messages}{listed(facts)}</article>"
    )


def escape(text: str) -> str:
    """Text in HTML."""
    return html.escape(text)


def detail(value: Any) -> str:
    """A custom detail: a list of values, each of which may be a list again, or the JSON text of one."""
    values = [inner for item in each(value) for inner in each(item)]
    return ", ".join(item if isinstance(item, str) else output.as_json(item) for item in values)


def each(value: Any) -> list[Any]:
    """The values of a list, or of its JSON text; a list of the value alone where it is none."""
    unpacked = alerts.unpack(value) if isinstance(value, str) and value.startswith("[") else value
    if isinstance(unpacked, list):
        return unpacked
    return [value]


def techniques(names: tuple[str, ...]) -> str:
    """Techniques beside each other, each with the address of its page."""
    return "".join(f"<span>{technique(name)}</span>" for name in names)


def technique(name: str) -> str:
    """A technique with the address of its page."""
    return f'<a href="https://attack.mitre.org/techniques/{escape(name.replace(".", "/"))}/">{escape(name)}</a>'


def rows(key: str, hits: Hits, pack: Pack | None) -> str:
    """A rule's result rows, folded away."""
    table: Table = hits.results[key]
    names = {rule.id: rule.name for rule in pack or ()}
    title = f"{escape(names.get(key) or key)} <small>{count(len(table), 'row')}</small>"
    if not len(table):
        return f"<details><summary>{title}</summary><pre>{escape(str(hits.why(key)))}</pre></details>"
    shown = output.html_table(table.columns, table.rows()[:SHOWN_ROWS])
    more = f"<p>The first {SHOWN_ROWS} rows.</p>" if len(table) > SHOWN_ROWS else ""
    return f"<details><summary>{title}</summary>{shown}{more}</details>"


def failures(hits: Hits) -> str:
    """The rules that failed."""
    texts = "\n".join(f"<pre>{escape(str(problem.error))}</pre>" for problem in hits.problems)
    return section("Rules that failed", texts) if texts else ""

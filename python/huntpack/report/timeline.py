"""Alerts and risk objects along time, as an SVG that takes its colours from the page."""

from __future__ import annotations

import datetime as dt
import html
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from huntpack import alerts, output, risk

if TYPE_CHECKING:
    from huntpack import Hits
    from huntpack.alerts import Alert
    from huntpack.risk import RiskObject

PALETTE = Path(__file__).with_name("palette.css")
STYLE = Path(__file__).with_name("timeline.css")
WIDTH, LEFT, RIGHT, ROW, AXIS = 1000, 20, 20, 44, 28
SHORTEST = 8.0
LETTER = 7.5
MOST = 60
STEPS = [
    dt.timedelta(minutes=1),
    dt.timedelta(minutes=5),
    dt.timedelta(minutes=15),
    dt.timedelta(hours=1),
    dt.timedelta(hours=3),
    dt.timedelta(hours=6),
    dt.timedelta(days=1),
    dt.timedelta(days=2),
    dt.timedelta(days=7),
    dt.timedelta(days=30),
    dt.timedelta(days=365),
]
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.timezone.utc)


@dataclass(frozen=True)
class Span:
    """What a bar stands for; `mark` names its colour."""

    label: str
    mark: str
    start: dt.datetime
    end: dt.datetime


@dataclass(frozen=True)
class Timeline:
    """What a run found along time: a notebook shows it, and `save` keeps it as a picture."""

    svg: str

    def _repr_html_(self) -> str:
        return self.svg or "<p>No alerts.</p>"

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the picture, which needs nothing else."""
        output.write_text(Path(path), self.svg)


def of(hits: Hits) -> Timeline:
    """The timeline of a run, with its colours."""
    drawn = draw(spans(alerts.of(hits), risk.of(hits)))
    if not drawn:
        return Timeline("")
    colours = PALETTE.read_text(encoding="utf-8").replace(":root", ".timeline")
    style = f"<style>\n{colours}{STYLE.read_text(encoding='utf-8')}</style>\n"
    opened, closing, rest = drawn.partition(">\n")
    return Timeline(f'{opened} xmlns="http://www.w3.org/2000/svg"{closing}{style}{rest}')


def spans(found: list[Alert], risky: list[RiskObject]) -> list[Span]:
    """From the first event to the last of each alert, then of each risk object: those whose times are known."""
    named = [(each.name, each.severity.lower(), each.start, each.end) for each in found]
    named += [(each.label, "risk", each.start, each.end) for each in risky]
    return [Span(label, mark, start, end) for label, mark, start, end in named if start and end]


def draw(found: list[Span]) -> str:
    """A bar for each span. Of very many, the first."""
    shown = found[:MOST]
    if not shown:
        return ""
    scale = Scale(min(span.start for span in shown), max(span.end for span in shown))
    height = len(shown) * ROW + AXIS
    bars = "\n".join(bar(at, span, scale) for at, span in enumerate(shown))
    return (
        f'<svg class="timeline" viewBox="0 0 {WIDTH} {height}" role="img" aria-label="Alerts along time">\n'
        f"{grid(scale, height)}\n{bars}\n</svg>"
    )


class Scale:
    """Times as places on the drawing."""

    def __init__(self, first: dt.datetime, last: dt.datetime) -> None:
        margin = max((last - first) * 0.03, dt.timedelta(minutes=1))
        self.first, self.last = first - margin, last + margin
        self.step = next((step for step in STEPS if (self.last - self.first) / step <= 10), STEPS[-1])

    def place(self, time: dt.datetime) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * ((time - self.first) / (self.last - self.first))

    def ticks(self) -> list[dt.datetime]:
        """Round times within the drawing."""
        steps = range(-((EPOCH - self.first) // self.step), (self.last - EPOCH) // self.step + 1)
        return [EPOCH + number * self.step for number in steps]


def grid(scale: Scale, height: int) -> str:
    """Lines at round times."""
    form = "%d %b" if scale.step >= dt.timedelta(days=1) else "%d %b %H:%M"
    lines = []
    for tick in scale.ticks():
        x = scale.place(tick)
        if LEFT <= x <= WIDTH - RIGHT:
            lines.append(f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="0" y2="{height - AXIS}"/>')
            lines.append(f'<text class="axis" x="{x:.1f}" y="{height - 8}" text-anchor="middle">{tick:{form}}</text>')
    return "\n".join(lines)


def bar(at: int, span: Span, scale: Scale) -> str:
    """A span's bar under its name."""
    x, width = scale.place(span.start), max(scale.place(span.end) - scale.place(span.start), SHORTEST)
    x = min(x, WIDTH - RIGHT - width)
    late = x > WIDTH * 0.5
    label_x, anchor = (x + width, "end") if late else (x, "start")
    room = int((label_x - LEFT if late else WIDTH - RIGHT - label_x) / LETTER)
    name = html.escape(span.label if len(span.label) <= room else span.label[: room - 1] + "…")
    y = at * ROW
    return (
        f'<g class="{html.escape(span.mark)}">'
        f'<text x="{label_x:.1f}" y="{y + 18}" text-anchor="{anchor}">{name}</text>'
        f'<rect x="{x:.1f}" y="{y + 25}" width="{width:.1f}" height="10" rx="3"/></g>'
    )

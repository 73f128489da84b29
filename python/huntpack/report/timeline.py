"""The alerts along time, as an SVG that takes its colours from the page."""

from __future__ import annotations

import datetime as dt
import html
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from huntpack.alerts import Alert

WIDTH, LEFT, RIGHT, ROW, AXIS = 1000, 20, 20, 44, 28
SHORTEST = 8.0
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


def draw(found: list[Alert]) -> str:
    """A bar per alert, from its first event to its last. Of very many, the gravest."""
    spans = [(alert, alert.start, alert.end) for alert in found if alert.start and alert.end][:MOST]
    if not spans:
        return ""
    scale = Scale(min(start for _, start, _ in spans), max(end for _, _, end in spans))
    height = len(spans) * ROW + AXIS
    bars = "\n".join(bar(at, alert, start, end, scale) for at, (alert, start, end) in enumerate(spans))
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


def bar(at: int, alert: Alert, start: dt.datetime, end: dt.datetime, scale: Scale) -> str:
    """An alert's bar under its name."""
    x, width = scale.place(start), max(scale.place(end) - scale.place(start), SHORTEST)
    x = min(x, WIDTH - RIGHT - width)
    late = x > WIDTH * 0.5
    name = html.escape(alert.name if len(alert.name) <= 90 else alert.name[:89] + "…")
    label_x, anchor = (x + width, "end") if late else (x, "start")
    y = at * ROW
    return (
        f'<g class="{html.escape(alert.severity.lower())}">'
        f'<text x="{label_x:.1f}" y="{y + 18}" text-anchor="{anchor}">{name}</text>'
        f'<rect x="{x:.1f}" y="{y + 25}" width="{width:.1f}" height="10" rx="3"/></g>'
    )

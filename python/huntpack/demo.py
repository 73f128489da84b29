"""`huntpack demo`: sample logs with attacks in them, the built-in pack over them, and what it found."""

from __future__ import annotations

import os
import shlex
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import huntpack as hp
from huntpack import alerts, output, report, risk, samples

if TYPE_CHECKING:
    import datetime as dt

    from rich.console import Console

    from huntpack import Hits, Pack

UNFOLDED = 10_000
COLOURS = {"High": "bold white on red", "Medium": "black on yellow", "Low": "black on cyan"}


def main(folder: Path) -> None:
    """Makes the logs, runs the pack, prints the summary and writes the report."""
    from rich.console import Console

    console = Console(highlight=False, width=None if sys.stdout.isatty() else UNFOLDED)
    console.print("Writing two weeks of sample logs with five attacks in them ...", style="dim")
    logs = samples.write(folder)
    # The logs are nobody's source: a clone's `git status` stays clean.
    output.write_text(folder / ".gitignore", "*\n")
    pack = hp.load()
    started = time.perf_counter()
    hits = search(pack, logs)
    took = time.perf_counter() - started
    page = folder / "report.html"
    output.write_text(page, report.render(hits, pack))
    summary(console, hits, pack, logs, took)
    closing(console, logs, page)


def search(pack: Pack, logs: samples.Samples) -> Hits:
    """The built-in pack over the sample logs, as of their end."""
    tables: dict[str, Any] = {name: [str(path) for path in paths] for name, paths in logs.tables.items()}
    return pack.run(tables, now=samples.NOW, watchlists={"NetworkAllowlist": str(logs.allowlist)})


def summary(console: Console, hits: Hits, pack: Pack, logs: samples.Samples, took: float) -> None:
    """What was found: a short block per alert."""
    found, risky = alerts.of(hits, pack), risk.of(hits, pack)
    files = len({path for paths in logs.tables.values() for path in paths})
    console.print(
        f"Searched {logs.events:,} events in {files} files with {len(pack)} rules: "
        f"{took:.1f} s, {len(found)} alerts, {len(risky)} risk objects.\n"
    )
    for problem in hits.problems:
        console.print(str(problem.error), style="red", markup=False)
    for alert in found:
        show(console, alert)
    for each in risky:
        show_risk(console, each)


def show(console: Console, alert: alerts.Alert) -> None:
    """One alert: what, who, when, and what an analyst calls it."""
    block(
        console,
        (alert.severity.upper(), COLOURS.get(alert.severity, "reverse")),
        alert.name,
        [
            ("", alert.description),
            ("who", ", ".join(f"{kind} {name}" for kind, name in alert.entities)),
            ("when", period(alert.start, alert.end)),
            ("ATT&CK", f"{', '.join(alert.techniques)}  ({', '.join(map(alerts.spell, alert.tactics))})"),
            ("rule", alert.rule),
        ],
    )


def show_risk(console: Console, risky: risk.RiskObject) -> None:
    """One risk object: how much, why, and when."""
    block(
        console,
        (f"RISK {risky.score}", "reverse"),
        f"{risky.kind} {risky.name}",
        [
            *(("", message) for message in risky.messages),
            ("when", period(risky.start, risky.end)),
            ("ATT&CK", ", ".join(risky.techniques)),
            ("rule", ", ".join(risky.rules)),
        ],
    )


def block(console: Console, label: tuple[str, str], title: str, lines: list[tuple[str, str]]) -> None:
    """A coloured label with a title, and what there is to say below."""
    from rich.padding import Padding
    from rich.text import Text

    text, colour = label
    console.print(Text.assemble((f" {text:<7} ", colour), " ", (title, "bold")))
    for name, value in lines:
        if value:
            line = Text.assemble((f"{name:<8}" if name else "", "dim"), value)
            console.print(Padding(line, (0, 0, 0, 10), expand=False))
    console.print()


def period(start: dt.datetime | None, end: dt.datetime | None) -> str:
    """`12 Mar 14:05 to 14:47 UTC`."""
    if start is None or end is None:
        return ""
    until = f"{end:%H:%M}" if start.date() == end.date() else f"{end:%d %b %H:%M}"
    return f"{start:%d %b %H:%M} to {until} UTC"


def closing(console: Console, logs: samples.Samples, page: Path) -> None:
    """Where the report is, and the same run as a command."""
    console.print("Report", style="bold")
    print(page.resolve())
    console.print("\nThe same on the shell", style="bold")
    print(shell(logs))


def shell(logs: samples.Samples) -> str:
    """The run as a command that can be pasted."""
    options = [f"--table {name}={path}" for name, paths in logs.tables.items() for path in map(relative, paths)]
    options += [f"--watchlist NetworkAllowlist={relative(logs.allowlist)}", "--now latest"]
    return " \\\n    ".join(["huntpack run", *options])


def relative(path: Path) -> str:
    """A path as one would type it here."""
    return shlex.quote(os.path.relpath(path))

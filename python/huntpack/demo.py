"""`huntpack demo`: sample logs with attacks in them, the built-in pack over them, and what it found."""

from __future__ import annotations

import os
import shlex
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import huntpack as hp
from huntpack import alerts, output, report, samples

if TYPE_CHECKING:
    from rich.console import Console

    from huntpack import Hits, Pack

UNFOLDED = 10_000
COLOURS = {"High": "bold white on red", "Medium": "black on yellow", "Low": "black on cyan"}


def main(folder: Path) -> None:
    """Makes the logs, runs the pack, prints the summary and writes the report."""
    from rich.console import Console

    console = Console(highlight=False, width=None if sys.stdout.isatty() else UNFOLDED)
    console.print("Writing two weeks of sample logs with four attacks in them ...", style="dim")
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
    found = alerts.of(hits, pack)
    files = sum(map(len, logs.tables.values()))
    console.print(
        f"Searched {logs.events:,} events in {files} files with {len(pack)} rules: {took:.1f} s, {len(found)} alerts.\n"
    )
    for problem in hits.problems:
        console.print(str(problem.error), style="red", markup=False)
    for alert in found:
        show(console, alert)


def show(console: Console, alert: alerts.Alert) -> None:
    """One alert: what, who, when, and what an analyst calls it."""
    from rich.padding import Padding
    from rich.text import Text

    label = f" {alert.severity.upper():<6} "
    console.print(Text.assemble((label, COLOURS.get(alert.severity, "reverse")), "  ", (alert.name, "bold")))
    lines = [
        ("", alert.description),
        ("who", ", ".join(f"{kind} {name}" for kind, name in alert.entities)),
        ("when", period(alert)),
        ("ATT&CK", f"{', '.join(alert.techniques)}  ({', '.join(map(alerts.spell, alert.tactics))})"),
        ("rule", alert.rule),
    ]
    for name, text in lines:
        if text:
            line = Text.assemble((f"{name:<8}" if name else "", "dim"), text)
            console.print(Padding(line, (0, 0, 0, 10), expand=False))
    console.print()


def period(alert: alerts.Alert) -> str:
    """`12 Mar 14:05 to 14:47 UTC`."""
    if alert.start is None or alert.end is None:
        return ""
    end = f"{alert.end:%H:%M}" if alert.start.date() == alert.end.date() else f"{alert.end:%d %b %H:%M}"
    return f"{alert.start:%d %b %H:%M} to {end} UTC"


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

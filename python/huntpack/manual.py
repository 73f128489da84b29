"""The manual: one page, the list of all names, or the whole of it in Markdown."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable

from huntpack import _core

MARGIN = 2
GAP = 2


def show(name: str | None, everything: bool, form: str) -> None:
    """Prints a page, the index, or with `everything` the whole manual."""
    if everything:
        text = whole()
    elif name:
        text = _core.help_page(name)
    elif form == "markdown":
        text = index_in_markdown()
    else:
        text = index(shutil.get_terminal_size().columns)
    if form == "text" and (everything or name) and sys.stdout.isatty():
        from rich.console import Console
        from rich.markdown import Markdown

        Console().print(Markdown(text))
    else:
        print(text.rstrip())


def index(width: int) -> str:
    """All names by family, in columns."""
    sections = (f"{title}\n{columns([name for name, _ in entries], width)}" for title, entries in _core.help_index())
    return "\n\n".join([*sections, "`huntpack help NAME` shows a manual page, `huntpack help --all` all of them."])


def columns(names: list[str], width: int) -> str:
    """Names in columns that read downwards, as many as fit."""
    widest = max(map(len, names)) + GAP
    across = max((width - MARGIN) // widest, 1)
    down = -(-len(names) // across)
    rows = (names[at::down] for at in range(down))
    return "\n".join(" " * MARGIN + "".join(name.ljust(widest) for name in row).rstrip() for row in rows)


def index_in_markdown() -> str:
    """All names with their summaries, by family."""
    return "\n".join(lines_of_index())


def lines_of_index() -> Iterable[str]:
    for title, entries in _core.help_index():
        yield f"## {title}\n"
        yield from (f"- `{name}` {summary}" for name, summary in entries)
        yield ""


def whole() -> str:
    """Every page, by family. A name with several pages stands in each of its families; its pages are told once."""
    told: set[str] = set()
    parts = ["# The query language"]
    for title, entries in _core.help_index():
        parts.append(f"## {title}")
        for name, _ in entries:
            if name not in told:
                told.add(name)
                parts.append(deeper(_core.help_page(name)))
    return "\n\n".join(parts)


def deeper(page: str) -> str:
    """A page with its title two levels further down."""
    return "\n".join(f"##{line}" if line.startswith("# ") else line for line in page.strip().splitlines())

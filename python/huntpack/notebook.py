"""`%load_ext huntpack`: `%kql` and `%%kql` over the notebook's tables.

    %%kql -o sprays --now latest
    SigninLogs | where ResultType != 0 | summarize count() by IPAddress

`-o NAME` keeps the result in a variable, `--now TIME` sets the time of `ago()`, and a closing `;` shows nothing. Where
Kqlmagic has taken `%kql`, ours is `%huntpack`; that name works everywhere.
"""

from __future__ import annotations

import re
from typing import Any

import huntpack as hp

OPTION = re.compile(r"\s*(-o|--out|--now)\s+(\S+)")


def register(shell: Any) -> None:
    """Registers the magics, and lets errors of queries show as their annotated source alone."""
    magics = shell.magics_manager.magics
    for kind in ("line", "cell"):
        for name in ("kql", "huntpack"):
            taken = magics[kind].get(name)
            if taken is None or getattr(taken, "__module__", "").startswith("huntpack"):
                shell.register_magic_function(magic(shell, name), kind, name)
    hp.Error._render_traceback_ = lambda error: str(error).splitlines()  # type: ignore[attr-defined]


def magic(shell: Any, name: str) -> Any:
    """The magic's function, for a line as for a cell."""

    def kql(line: str, cell: str | None = None) -> hp.Table | None:
        """Runs a KQL query over the notebook's tables: `-o NAME` keeps it, `--now TIME` sets the time, `;` is quiet."""
        options, rest = split(line)
        query = rest if cell is None else f"{rest}\n{cell}" if rest else cell
        found = hp.kql(query, tables_of(query, shell.user_ns), now=options.get("now"), resolve=False)
        if "out" in options:
            shell.user_ns[options["out"]] = found
        return None if "out" in options or query.rstrip().endswith(";") else found

    kql.__name__ = name
    return kql


def split(line: str) -> tuple[dict[str, str], str]:
    """The options that open a line, and the rest of it."""
    options: dict[str, str] = {}
    while found := OPTION.match(line):
        options["now" if found[1] == "--now" else "out"] = found[2]
        line = line[found.end() :]
    return options, line.strip()


def tables_of(query: str, names: dict[str, Any]) -> dict[str, Any]:
    """The notebook's variables that the query reads."""
    return {name: names[name] for name in hp.check(query).tables if is_source(names.get(name))}


def is_source(value: Any) -> bool:
    """Whether a variable can be a table."""
    rows = isinstance(value, list) and all(isinstance(row, dict) for row in value)
    return rows or hasattr(value, "__arrow_c_stream__") or hasattr(value, "to_dict")

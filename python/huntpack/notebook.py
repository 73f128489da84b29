"""`%load_ext huntpack`: `%kql` and `%%kql` over the notebook's tables.

    %%kql -o sprays --now latest
    SigninLogs | where ResultType != 0 | summarize count() by IPAddress

`-o NAME` keeps the result in a variable, `--now TIME` sets the time of `ago()`, and a closing `;` shows nothing. Where
Kqlmagic has taken `%kql`, ours is `%huntpack`; that name works everywhere. The Tab key completes within the query.

    %%spl --events logs
    sourcetype=web status>=500 | stats count by src

`%spl` and `%%spl` run a search over the events of a variable: `events` where `--events` names no other.
"""

from __future__ import annotations

import re
from typing import Any

import huntpack as hp

OPTION = re.compile(r"\s*(-o|--out|--now|--events)\s+(\S+)")
NAMES = {"-o": "out", "--out": "out", "--now": "now", "--events": "events"}
MAGIC = re.compile(r"%%?(kql|huntpack)\b")
SAMPLE = 100
COMPLETED_NAMES = 200


def register(shell: Any) -> None:
    """Registers the magics, and lets errors of queries show as their annotated source alone."""
    magics = shell.magics_manager.magics
    for kind in ("line", "cell"):
        for name in ("kql", "huntpack"):
            taken = magics[kind].get(name)
            if taken is None or getattr(taken, "__module__", "").startswith("huntpack"):
                shell.register_magic_function(magic(shell, name), kind, name)
        shell.register_magic_function(search_magic(shell), kind, "spl")
    complete_queries(shell)
    hp.Error._render_traceback_ = lambda error: str(error).splitlines()  # type: ignore[attr-defined]


def search_magic(shell: Any) -> Any:
    """The magic's function for searches."""

    def spl(line: str, cell: str | None = None) -> hp.Table | None:
        """Runs an SPL search over a variable's events: `--events NAME`, `-o NAME` keeps it, `;` is quiet."""
        options, rest = split(line)
        search = rest if cell is None else f"{rest}\n{cell}" if rest else cell
        text = search.rstrip().removesuffix(";")
        found = hp.spl(text, events_of(options.get("events"), shell.user_ns), now=options.get("now"), resolve=False)
        if "out" in options:
            shell.user_ns[options["out"]] = found
        return None if "out" in options or search.rstrip().endswith(";") else found

    return spl


def events_of(name: str | None, names: dict[str, Any]) -> Any:
    """The variable that holds the events; none where a search makes its own."""
    if name is None:
        return names.get("events")
    if name not in names:
        raise NameError(f"name '{name}' is not defined")
    return names[name]


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


def complete_queries(shell: Any) -> None:
    """Lets the Tab key complete within the queries of our magics, where this IPython has matchers."""
    matchers = getattr(getattr(shell, "Completer", None), "custom_matchers", None)
    if matchers is None or any(getattr(known, "huntpack", False) for known in matchers):
        return
    from IPython.core.completer import SimpleCompletion, context_matcher

    @context_matcher()  # type: ignore[untyped-decorator]
    def kql_matcher(context: Any) -> dict[str, Any]:
        query = query_before(context)
        if query is None:
            return {"completions": [], "suppress": False}
        found = hp.complete(query, schemas=schemas_of(query, shell.user_ns))[:COMPLETED_NAMES]
        shown = [SimpleCompletion(text=each.insert, type=each.kind) for each in found]
        written = query[slice(*found[0].replaces)] if found else ""
        return {"completions": shown, "matched_fragment": written, "suppress": True, "ordered": True}

    kql_matcher.huntpack = True
    matchers.append(kql_matcher)


def query_before(context: Any) -> str | None:
    """The query up to the cursor, where that is in a cell or a line of our magics."""
    lines = context.full_text.split("\n")[: context.cursor_line + 1]
    lines[-1] = lines[-1][: context.cursor_position]
    text = "\n".join(lines if lines[0].startswith("%%") else lines[-1:])
    magic = MAGIC.match(text)
    if magic is None or magic.end() == len(text):
        return None
    begin = magic.end()
    while option := OPTION.match(text, begin):
        begin = option.end()
    return text[begin:]


def schemas_of(query: str, names: dict[str, Any]) -> dict[str, dict[str, str]]:
    """The columns of the notebook's tables: of those that the query names all, of others none."""
    words = set(re.findall(r"\w+", query))
    tables = {name: value for name, value in names.items() if not name.startswith("_") and is_source(value)}
    return {name: columns_of(value) if name in words else {} for name, value in tables.items()}


def columns_of(source: Any) -> dict[str, str]:
    """The columns of a table with their kinds. Those of a large one are read off its first rows."""
    if isinstance(source, hp.Table):
        return dict(source.columns)
    head = source[:SAMPLE] if isinstance(source, list) else source.head(SAMPLE) if hasattr(source, "head") else source
    try:
        return dict(hp.table(head).columns)
    except hp.Error:
        return {}


def split(line: str) -> tuple[dict[str, str], str]:
    """The options that open a line, and the rest of it."""
    options: dict[str, str] = {}
    while found := OPTION.match(line):
        options[NAMES[found[1]]] = found[2]
        line = line[found.end() :]
    return options, line.strip()


def tables_of(query: str, names: dict[str, Any]) -> dict[str, Any]:
    """The notebook's variables that the query reads."""
    return {name: names[name] for name in hp.check(query).tables if is_source(names.get(name))}


def is_source(value: Any) -> bool:
    """Whether a variable can be a table."""
    rows = isinstance(value, list) and all(isinstance(row, dict) for row in value)
    return rows or hasattr(value, "__arrow_c_stream__") or hasattr(value, "to_dict")

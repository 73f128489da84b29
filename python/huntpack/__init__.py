"""Runs the detection rules that a team already has, unmodified, wherever the events are.

>>> import huntpack as hp
>>> hp.kql("SigninLogs | where ResultType != 0 | count", {"SigninLogs": "signins/*.json.gz"})
>>> hits = hp.load("rules/").run({"SigninLogs": "signins/*.json.gz"}, now="latest")
>>> hits.alerts.to_pandas()
"""

from huntpack._core import (
    Check,
    Completion,
    DataError,
    Error,
    Hits,
    InternalError,
    LimitError,
    Pack,
    QueryError,
    Rule,
    RuleError,
    Table,
    __version__,
    check,
    complete,
    kql,
    load,
    read,
    spl,
    table,
)

__all__ = [
    "Check",
    "Completion",
    "DataError",
    "Error",
    "Hits",
    "InternalError",
    "LimitError",
    "Pack",
    "QueryError",
    "Rule",
    "RuleError",
    "Table",
    "__version__",
    "check",
    "complete",
    "kql",
    "load",
    "read",
    "spl",
    "table",
]


def load_ipython_extension(shell: object) -> None:
    """Registers `%kql` and `%%kql`: called by `%load_ext huntpack`."""
    from huntpack import notebook

    notebook.register(shell)

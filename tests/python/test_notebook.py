"""`%kql` and `%%kql` in IPython."""

from __future__ import annotations

from typing import Any

import huntpack as hp
import pytest


@pytest.fixture
def shell() -> Any:
    interactive = pytest.importorskip("IPython.core.interactiveshell")
    shell = interactive.InteractiveShell()
    shell.user_ns["T"] = [{"N": 1}, {"N": 2}]
    return shell


def load(shell: Any) -> None:
    assert shell.extension_manager.load_extension("huntpack") is None


def test_a_cell(shell: Any) -> None:
    load(shell)
    assert shell.run_cell_magic("kql", "", "T\n| where N > 1").rows() == [(2,)]


def test_a_line(shell: Any) -> None:
    load(shell)
    assert shell.run_line_magic("kql", "T | count").rows() == [(2,)]


def test_a_search(shell: Any) -> None:
    load(shell)
    assert shell.run_cell_magic("spl", "--events T", "N>1 | stats count").rows() == [(1,)]
    shell.user_ns["events"] = [{"user": "a"}]
    assert shell.run_line_magic("spl", "user=A | table user").rows() == [("a",)]
    assert shell.run_line_magic("spl", "-o found user=b") is None
    assert len(shell.user_ns["found"]) == 0
    with pytest.raises(NameError):
        shell.run_cell_magic("spl", "--events nothing", "*")


def test_a_variable(shell: Any) -> None:
    load(shell)
    assert shell.run_cell_magic("kql", "-o found --now 2026-03-12", "T | extend At = now()") is None
    assert isinstance(shell.user_ns["found"], hp.Table)
    assert shell.user_ns["found"].rows()[0][1].year == 2026


def test_quiet(shell: Any) -> None:
    load(shell)
    assert shell.run_cell_magic("kql", "", "T | count;") is None


def test_an_error_is_its_source(shell: Any, capsys: pytest.CaptureFixture[str]) -> None:
    load(shell)
    result = shell.run_cell("%kql T | where Missing == 1")
    assert isinstance(result.error_in_exec, hp.QueryError)
    shown = capsys.readouterr()
    assert "Missing" in shown.out + shown.err
    assert "Traceback" not in shown.out + shown.err


def test_kqlmagic_keeps_its_name(shell: Any) -> None:
    def theirs(line: str, cell: str = "") -> str:
        return "theirs"

    for kind in ("line", "cell"):
        shell.register_magic_function(theirs, kind, "kql")
    load(shell)
    assert shell.run_line_magic("kql", "T | count") == "theirs"
    assert shell.run_line_magic("huntpack", "T | count").rows() == [(2,)]


def completed(shell: Any, text: str, line: int = 0) -> list[str]:
    completer = pytest.importorskip("IPython.core.completer")
    column = len(text.split("\n")[line])
    context = completer.CompletionContext(text, text, column, line, None)
    (matcher,) = [known for known in shell.Completer.custom_matchers if getattr(known, "huntpack", False)]
    return [found.text for found in matcher(context)["completions"]]


def test_a_cell_is_completed_from_the_notebooks_tables(shell: Any) -> None:
    load(shell)
    shell.extension_manager.reload_extension("huntpack")
    assert completed(shell, "%%kql -o found\nT | wh", 1)[0] == "where"
    assert completed(shell, "%%kql\nT | where ", 1)[0] == "N"
    assert completed(shell, "%kql T | extend Big = N * 2 | where B")[0] == "Big"
    assert completed(shell, "%%huntpack\n", 1)[0] == "T"
    assert "SigninLogs" in completed(shell, "%kql Signin")


def test_python_cells_are_not_completed(shell: Any) -> None:
    load(shell)
    for text in ("T | wh", "%time T | wh", "%kq", "%kqlx T | wh"):
        assert completed(shell, text) == [], text

"""Importing huntpack is cheap, and brings nothing along."""

from __future__ import annotations

import subprocess
import sys

LOADED = """
import sys
before = set(sys.modules)
import huntpack
new = {name.partition(".")[0] for name in set(sys.modules) - before}
print(" ".join(sorted(new - set(sys.stdlib_module_names if sys.version_info >= (3, 10) else new - {"rich", "typer"}))))
"""
TIMED = """
import time
start = time.perf_counter()
import huntpack
print(time.perf_counter() - start)
"""


def printed(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.strip()


def test_only_itself_is_imported() -> None:
    assert printed(LOADED) in ("huntpack", "")


def test_it_is_quick() -> None:
    assert min(float(printed(TIMED)) for _ in range(3)) < 0.06

"""Every search that the documentation shows runs: those of the pages for admins, and the examples of the commands."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path
from typing import Callable

import conf
import pytest
from events import company
from huntpack import samples
from protocol import Row
from splunkd import Splunkd

ROOT = Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"^( *)```spl\n(.*?)^\1```", re.MULTILINE | re.DOTALL)


def searches() -> list[str]:
    """The searches of the pages, then those of searchbnf.conf."""
    pages = [ROOT / "README.md", ROOT / "splunk_app/README.md"]
    found = [
        textwrap.dedent(text).strip() for page in pages for _, text in BLOCK.findall(page.read_text(encoding="utf-8"))
    ]
    for stanza in conf.read(ROOT / "splunk_app/default/searchbnf.conf").values():
        found += [text for key, text in stanza.items() if key.startswith("example")]
    return list(dict.fromkeys(found))


@pytest.fixture(scope="module")
def events() -> list[Row]:
    """The events of the demo, with its attacks in them."""
    return company()


def test_the_pages_show_searches() -> None:
    assert len(searches()) > 12


@pytest.mark.parametrize("search", searches())
def test_a_search_of_the_pages_runs(search: str, events: list[Row], splunk: Callable[..., Splunkd]) -> None:
    job = splunk(indexers=2).search(search, events, latest=samples.NOW.timestamp())
    assert job.rows, job.messages
    assert not job.texts("ERROR")

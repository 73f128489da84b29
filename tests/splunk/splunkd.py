"""A stand-in for splunkd: it runs searches over given events with an app's own commands, from their real scripts.

It starts a command as often as Splunk does, ships the streaming part of a search to indexers which hold no more than
the knowledge bundle, hides the fields that a command does not ask for, and merges them back.
"""

from __future__ import annotations

import itertools
import random
import time
import urllib.parse
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import conf
from protocol import Process, ProtocolError, Row, decode, encode, union

# Sizes of the chunks in a recorded search: splunkd does not fill them.
CHUNKS = (6638, 5861, 1, 6574, 5926, 6412, 6088, 1741, 1441)
TYPES = ("streaming", "stateful", "events", "reporting")
INDEX = "_chunked_idx"
SEARCHES = itertools.count(1)


class SearchError(Exception):
    """What the user reads when a command ends the search."""


@dataclass
class Job:
    """What a search gave."""

    rows: list[Row] = field(default_factory=list)
    messages: list[tuple[str, str]] = field(default_factory=list)
    remote: list[str] = field(default_factory=list)
    head: list[str] = field(default_factory=list)

    def texts(self, level: str) -> list[str]:
        """The messages of a level."""
        return [text for found, text in self.messages if found == level]


@dataclass(frozen=True)
class Call:
    """A command in a search, and what it said of itself."""

    name: str
    text: str
    info: dict[str, Any]

    @property
    def kind(self) -> str:
        return str(self.info.get("type", "streaming"))

    @property
    def asks(self) -> list[str] | None:
        """The fields it asks for; None for all."""
        asked = self.info.get("required_fields")
        return None if asked is None or "*" in asked else asked


@dataclass
class Splunkd:
    """A search head with its indexers."""

    app: Path
    python: str
    home: Path
    indexers: int = 1
    chunks: Sequence[int] = CHUNKS
    closing: str = "header"  # the last message of a stream: "rows", "header" or "empty"
    maxresultrows: int = 50000
    version: str = "9.4.1"

    def __post_init__(self) -> None:
        self.home.mkdir(parents=True, exist_ok=True)
        self.commands = conf.layered(self.app, "commands")
        self.macros = conf.layered(self.app, "macros")

    def search(self, text: str, events: Iterable[Row] = (), earliest: float = 0, latest: float = 0) -> Job:
        """Runs a search over events; those that its terms do not ask for are passed over."""
        run = Run(self, text, earliest, latest)
        terms, *calls = conf.pipeline(conf.expand(text, self.macros))
        found = [event for event in events if conf.wanted(terms, str(event.get("sourcetype", "")))]
        return run.generated(calls) if not terms else run.over(found, calls)


class Run:
    """One search."""

    def __init__(self, splunkd: Splunkd, text: str, earliest: float, latest: float) -> None:
        self.splunkd, self.text, self.times = splunkd, text, (earliest, latest)
        self.sid = f"{time.time():.0f}.{next(SEARCHES)}"
        self.dispatch = splunkd.home / "var/run/splunk/dispatch" / self.sid
        self.dispatch.mkdir(parents=True)
        self.order = random.Random(self.sid)
        self.job = Job()

    # Where a command runs ---------------------------------------------------------------------------------------

    def over(self, events: list[Row], texts: Sequence[str]) -> Job:
        """Commands over events: the streaming ones, and what reporting ones ask for before them, on the indexers."""
        remote: list[Call] = []
        head: list[Call] = []
        for text in texts:
            call = self.announced(text)
            if call.kind == "streaming" and not head:
                remote.append(call)
                continue
            (head if head else remote).extend(self.before(call))
            head.append(call)
        self.job.remote, self.job.head = ([call.text for call in calls] for calls in (remote, head))
        rows = self.on_indexers(remote, events)
        for call in head:
            rows = [row for chunk in self.through(call, self.splunkd.app, rows) for row in chunk]
        self.job.rows = rows
        return self.job

    def before(self, call: Call) -> list[Call]:
        """What a reporting command wants to run on the indexers, where it can run there."""
        wanted = call.info.get("streaming_preop") if call.kind == "reporting" else None
        calls = list(map(self.announced, conf.pipeline(wanted))) if wanted else []
        return calls if all(each.kind == "streaming" for each in calls) else []

    def generated(self, texts: Sequence[str]) -> Job:
        """A search that begins with a generating command."""
        call = self.announced(texts[0])
        if not call.info.get("generating"):
            raise SearchError(f"'{call.name}' is no generating command")
        rows: list[Row] = []
        with self.started(call, self.splunkd.app) as process:
            finished = False
            while not finished:
                meta, body = self.answer(process, {"action": "execute", "finished": True}, b"")
                rows += decode(body)
                finished = bool(meta.get("finished"))
            self.ended(process)
        self.job.head = [call.text]
        self.job.rows = rows
        return self.job

    def on_indexers(self, calls: list[Call], events: list[Row]) -> list[Row]:
        """Events through the streaming commands of each indexer, all at a time; their chunks come in any order."""
        count = self.splunkd.indexers
        if not calls:
            return events
        parts = [events[at::count] for at in range(count)]

        def index(at: int) -> list[list[Row]]:
            app = conf.bundle(self.splunkd.app, self.dispatch / f"peer{at}")
            chunks = [parts[at]]
            for call in calls:
                chunks = list(self.through(call, app, [row for chunk in chunks for row in chunk]))
            return chunks

        with ThreadPoolExecutor(count) as pool:
            return list(self.arriving(list(pool.map(index, range(count)))))

    def arriving(self, peers: list[list[list[Row]]]) -> Iterator[Row]:
        """The rows of the indexers as they come in: each one's chunks in order, those of different ones in any."""
        turns = [at for at, chunks in enumerate(peers) for _ in chunks]
        self.order.shuffle(turns)
        waiting = [iter(chunks) for chunks in peers]
        for at in turns:
            yield from next(waiting[at])

    # A command ------------------------------------------------------------------------------------------------------

    def announced(self, text: str) -> Call:
        """A command with what it says of itself. It is started more than once for that, and must repeat itself."""
        name = conf.words(text)[0]
        if name not in self.splunkd.commands:
            raise SearchError(f"Unknown search command '{name}'.")
        infos = []
        for preview in (False, True):
            with self.process(name, self.splunkd.app) as process:
                infos.append(self.introduced(process, text, preview))
                self.ended(process)
        if infos[0] != infos[1]:
            raise ProtocolError(f"two starts, two answers: {infos}")
        return Call(name, text, infos[0])

    def through(self, call: Call, app: Path, rows: list[Row]) -> Iterator[list[Row]]:
        """Rows through one process of a command, chunk by chunk."""
        with self.started(call, app) as process:
            for finished, chunk in self.chunked(rows):
                sent, body = self.shown(call, chunk, union(rows))
                meta, answer = self.answer(process, {"action": "execute", "finished": finished}, body)
                yield self.merged(chunk, decode(answer)) if sent else decode(answer)
                if bool(meta.get("finished")) != finished:
                    raise ProtocolError(f"finished is {meta.get('finished')}, not {finished}")
            self.ended(process)

    def chunked(self, rows: list[Row]) -> Iterator[tuple[bool, list[Row]]]:
        """Rows in chunks of changing sizes, and whether each is the last."""
        sizes, at = itertools.cycle(self.splunkd.chunks), 0
        while at < len(rows):
            size = next(sizes)
            last = at + size >= len(rows) and self.splunkd.closing == "rows"
            yield last, rows[at : at + size]
            at += size
        if not rows or self.splunkd.closing != "rows":
            yield True, []

    def shown(self, call: Call, rows: list[Row], names: list[str]) -> tuple[bool, bytes]:
        """A chunk as the command sees it; whether fields of it are held back."""
        hidden = call.asks is not None and call.kind in ("streaming", "stateful")
        if not rows and self.splunkd.closing == "empty":
            return hidden, b""
        if call.asks is not None and call.kind != "events":
            names = list(call.asks)
        if hidden:
            numbered = [{**row, INDEX: str(at)} for at, row in enumerate(rows)]
            return True, encode(numbered, [*names, INDEX])
        return False, encode(rows, names)

    def merged(self, rows: list[Row], answer: list[Row]) -> list[Row]:
        """The rows of a reply with the fields that were held back."""
        found = []
        for row in answer:
            if INDEX not in row:
                raise ProtocolError(f"a row without {INDEX}: {row}")
            at = int(str(row.pop(INDEX)))
            found.append({**rows[at], **row})
        return found

    # Its process ----------------------------------------------------------------------------------------------------

    def process(self, name: str, app: Path) -> Process:
        script = app / "bin" / self.splunkd.commands[name]["filename"]
        return Process([self.splunkd.python, str(script)], self.splunkd.home)

    def started(self, call: Call, app: Path) -> Process:
        """A process that has introduced itself."""
        process = self.process(call.name, app)
        try:
            self.introduced(process, call.text, preview=False)
        except BaseException:
            process.__exit__()
            raise
        return process

    def introduced(self, process: Process, text: str, preview: bool) -> dict[str, Any]:
        """What a process says of itself."""
        info, body = self.answer(process, self.getinfo(text, preview), b"")
        if body:
            raise ProtocolError("a getinfo reply has a body")
        if info.get("type", "streaming") not in TYPES:
            raise ProtocolError(f"no type of command: {info}")
        return info

    def getinfo(self, text: str, preview: bool) -> dict[str, Any]:
        """The first message to a process."""
        name, *raw = conf.words(text)
        return {
            "action": "getinfo",
            "preview": preview,
            "streaming_command_will_restart": False,
            "searchinfo": {
                "args": list(map(conf.unquoted, raw)),
                "raw_args": raw,
                "dispatch_dir": str(self.dispatch),
                "sid": self.sid,
                "app": "search",
                "owner": "admin",
                "username": "admin",
                "session_key": "0" * 64,
                "splunkd_uri": "https://127.0.0.1:8089",
                "splunk_version": self.splunkd.version,
                "search": urllib.parse.quote(self.text, safe=""),
                "command": name,
                "maxresultrows": self.splunkd.maxresultrows,
                "earliest_time": f"{self.times[0]:g}" if self.times[0] == 0 else repr(float(self.times[0])),
                "latest_time": f"{self.times[1]:g}" if self.times[1] == 0 else repr(float(self.times[1])),
            },
        }

    def answer(self, process: Process, meta: dict[str, Any], body: bytes) -> tuple[dict[str, Any], bytes]:
        """A reply. Its messages are kept; an error ends the search."""
        reply, rows = process.ask(meta, body)
        for level, text in reply.get("inspector", {}).get("messages", []):
            if (level, text) not in self.job.messages:
                self.job.messages.append((level, text))
        if reply.get("error"):
            self.ended(process)
            raise SearchError(reply["error"])
        return reply, rows

    def ended(self, process: Process) -> None:
        """A process that is done ends quietly and well."""
        status = process.close()
        if status or process.complaint():
            raise ProtocolError(f"exit status {status}: {process.complaint()}")

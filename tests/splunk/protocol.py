"""The chunked protocol of search commands, from splunkd's side: frames, CSV bodies, and a command's process."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import re
import subprocess
import tempfile
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Union

HEADER = re.compile(rb"chunked\s+1\.0\s*,\s*(\d+)\s*,\s*(\d+)\s*\n\Z")
BARE = re.compile(r"[A-Za-z0-9]*\Z")
MEMBER = re.compile(r"\$((?:\$\$|[^$])*)\$(?:;|\Z)")
LEVELS = ("DEBUG", "INFO", "WARN", "ERROR", "FATAL")
PATIENCE = 120.0

Row = dict[str, Union[str, list[str]]]


class ProtocolError(AssertionError):
    """The command broke the protocol."""


# Frames -------------------------------------------------------------------------------------------------------------


def frame(meta: Any, body: bytes = b"") -> bytes:
    """One message."""
    text = json.dumps(meta, ensure_ascii=False).encode()
    return b"chunked 1.0,%d,%d\n%s%s" % (len(text), len(body), text, body)


def read_frame(stream: BinaryIO) -> tuple[dict[str, Any], bytes]:
    """The next message of a stream. EOFError where it ends before one."""
    header = stream.readline()
    if not header:
        raise EOFError
    found = HEADER.match(header)
    if found is None:
        raise ProtocolError(f"no header: {header[:80]!r}")
    lengths = int(found[1]), int(found[2])
    meta, body = stream.read(lengths[0]), stream.read(lengths[1])
    if (len(meta), len(body)) != lengths:
        raise ProtocolError(f"a reply of {lengths} bytes ends after {len(meta)} and {len(body)}")
    return (json.loads(meta) if meta else {}), body


# Bodies -------------------------------------------------------------------------------------------------------------


def cell(text: str) -> str:
    """A value as splunkd writes it: quoted unless it is letters and digits only."""
    return text if BARE.match(text) else '"' + text.replace('"', '""') + '"'


def encode(rows: Sequence[Row], fields: Iterable[str] | None = None) -> bytes:
    """Rows as splunkd writes them: all fields, then for each a column of several values."""
    names = list(fields if fields is not None else union(rows))
    lines = [",".join(map(cell, [*names, *(f"__mv_{name}" for name in names)]))]
    for row in rows:
        values = [row.get(name, "") for name in names]
        flat = [value if isinstance(value, str) else "\n".join(value) for value in values]
        several = ["" if isinstance(value, str) else members(value) for value in values]
        lines.append(",".join(map(cell, [*flat, *several])))
    return ("\n".join(lines) + "\n").encode() if names else b""


def members(values: Iterable[str]) -> str:
    """Several values in one cell."""
    return ";".join("${}$".format(value.replace("$", "$$")) for value in values)


def decode(body: bytes) -> list[Row]:
    """The rows of a reply. Empty cells are no values."""
    table = list(csv.reader(io.StringIO(body.decode("utf-8"), newline=""), strict=True))
    rows = []
    for cells in table[1:]:
        if len(cells) != len(table[0]):
            raise ProtocolError(f"{len(cells)} cells under {len(table[0])} names: {cells}")
        rows.append(row_of(dict(zip(table[0], cells))))
    return rows


def row_of(cells: dict[str, str]) -> Row:
    """A row of a reply: what stands in the column of several values goes before the flat one."""
    row: Row = {name: text for name, text in cells.items() if text and not name.startswith("__mv_")}
    for name, text in cells.items():
        if name.startswith("__mv_") and text:
            row[name[5:]] = [value.replace("$$", "$") for value in MEMBER.findall(text)]
    return row


def union(rows: Iterable[Row]) -> list[str]:
    """The fields of rows, in the order of their appearance."""
    return list(dict.fromkeys(name for row in rows for name in row))


# Processes ----------------------------------------------------------------------------------------------------------


class Process:
    """A running command. It is asked, and answers each time with exactly one message."""

    def __init__(self, words: Sequence[str], home: Path) -> None:
        environment = {"PATH": os.environ.get("PATH", ""), "SPLUNK_HOME": str(home), "PYTHONDONTWRITEBYTECODE": "1"}
        self.errors = tempfile.TemporaryFile()  # noqa: SIM115
        self.process = subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors, env=environment, cwd=home
        )
        assert self.process.stdin and self.process.stdout
        self.input, self.output = self.process.stdin, self.process.stdout
        self.watch = threading.Timer(PATIENCE, self.process.kill)
        self.watch.start()

    def ask(self, meta: dict[str, Any], body: bytes = b"") -> tuple[dict[str, Any], bytes]:
        """Sends a message and reads the reply, which may begin before the message is read to its end."""
        sender = threading.Thread(target=self.send, args=(frame(meta, body),))
        sender.start()
        try:
            reply = read_frame(self.output)
        except EOFError:
            raise ProtocolError(f"the command ended without a reply: {self.complaint()}") from None
        finally:
            sender.join(PATIENCE)
        check(reply[0])
        return reply

    def send(self, data: bytes) -> None:
        """Writes bytes; a command that no longer listens is noticed by its missing reply."""
        with contextlib.suppress(OSError):
            self.input.write(data)
            self.input.flush()

    def close(self) -> int:
        """Ends the input; the exit status. Nothing more may come."""
        with contextlib.suppress(OSError):
            self.input.close()
        rest = self.output.read()
        status = self.process.wait(PATIENCE)
        self.watch.cancel()
        self.output.close()
        if rest:
            raise ProtocolError(f"{len(rest)} bytes that nobody asked for: {rest[:80]!r}")
        return status

    def complaint(self) -> str:
        """What the command wrote to its standard error."""
        self.errors.seek(0)
        return self.errors.read().decode("utf-8", "replace")

    def __enter__(self) -> Process:
        return self

    def __exit__(self, *_: object) -> None:
        self.watch.cancel()
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for stream in (self.input, self.output, self.errors):
            with contextlib.suppress(OSError):
                stream.close()


def check(meta: dict[str, Any]) -> None:
    """A reply's messages have the form that Splunk takes."""
    for message in meta.get("inspector", {}).get("messages", []):
        if len(message) != 2 or message[0] not in LEVELS or not isinstance(message[1], str):
            raise ProtocolError(f"no message: {message}")
    for name, figures in meta.get("inspector", {}).items():
        if name.startswith("metric.") and len(figures) != 4:
            raise ProtocolError(f"no metric: {name} {figures}")

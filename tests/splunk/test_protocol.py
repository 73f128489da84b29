"""The protocol as Splunk speaks it, and as it should never be spoken: one clear message, a clean end, no trace."""

from __future__ import annotations

import io
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from protocol import decode, encode, frame, read_frame
from splunkd import Run, Splunkd

Replies = list[tuple[dict[str, Any], bytes]]
COUNT = 'kql "Events | summarize Rows = count()" table=Events'
BODY = encode([{"_time": "1773327600", "user": "ada"}, {"_time": "1773327601", "user": "bruno"}])


@pytest.fixture
def splunkd(app: Path, python: str, tmp_path: Path) -> Splunkd:
    """A splunkd under each interpreter."""
    return Splunkd(app, python, tmp_path / "splunk")


def hello(splunkd: Splunkd, text: str = COUNT, **changes: Any) -> bytes:
    """The first message of a search."""
    info = Run(splunkd, f"index=main | {text}", 0, 0).getinfo(text, preview=False)
    return frame({**info, **changes})


def execute(body: bytes, finished: bool = True, **more: Any) -> bytes:
    """A message with events."""
    return frame({"action": "execute", "finished": finished, **more}, body)


def talk(splunkd: Splunkd, data: bytes) -> tuple[Replies, subprocess.CompletedProcess[bytes]]:
    """All replies to a stream of messages, and how the command ended."""
    script = splunkd.app / "bin/kql.py"
    done = subprocess.run([splunkd.python, script], input=data, capture_output=True, timeout=60, check=False)
    stream, replies = io.BytesIO(done.stdout), []
    while stream.tell() < len(done.stdout):
        replies.append(read_frame(stream))
    return replies, done


def complaints(replies: Replies) -> list[str]:
    """What the user reads when a search fails."""
    return [meta["error"] for meta, _ in replies if meta.get("error")]


# As it is spoken ----------------------------------------------------------------------------------------------------

FORMS = {
    "one message": [execute(BODY)],
    "a last message with the header only": [execute(BODY, finished=False), execute(BODY[: BODY.index(b"\n") + 1])],
    "empty bodies": [execute(b"", finished=False), execute(BODY, finished=False), execute(b"")],
    "carriage returns": [execute(BODY.replace(b"\n", b"\r\n"))],
    "no columns of several values": [execute(b"_time,user\n1773327600,ada\n1773327601,bruno\n")],
    "no line end at the end": [execute(BODY.rstrip(b"\n"))],
    "everything in quotes": [execute(b'"_time","user"\n"1773327600","ada"\n"1773327601","bruno"\n')],
    "two-byte texts": [execute(encode([{"user": "zwölf é"}, {"user": "日本"}]))],
    "columns that change": [execute(encode([{"user": "ada"}]), finished=False), execute(encode([{"other": "x"}]))],
    "preview in the message": [execute(BODY, preview=False, streaming_command_will_restart=False)],
    "spaces in the header": [execute(BODY).replace(b"chunked 1.0,", b"chunked 1.0 , ", 1)],
}


@pytest.mark.parametrize("form", FORMS)
def test_the_forms_that_splunkd_sends(form: str, splunkd: Splunkd) -> None:
    replies, done = talk(splunkd, hello(splunkd, f"{COUNT} map=false") + b"".join(FORMS[form]))
    assert (done.returncode, done.stderr, complaints(replies)) == (0, b"", [])
    assert len(replies) == 1 + len(FORMS[form])
    assert [bool(meta.get("finished")) for meta, _ in replies[1:]] == [False] * (len(replies) - 2) + [True]
    assert decode(replies[-1][1]) == [{"Rows": "2"}]


def test_a_start_for_getinfo_only_ends_quietly(splunkd: Splunkd) -> None:
    replies, done = talk(splunkd, hello(splunkd))
    assert (len(replies), done.returncode, done.stderr) == (1, 0, b"")


def test_an_early_end_of_the_search_is_no_error(splunkd: Splunkd) -> None:
    replies, done = talk(splunkd, hello(splunkd) + execute(BODY, finished=False))
    assert (done.returncode, done.stderr, complaints(replies)) == (0, b"", [])
    assert not any(body for _, body in replies)


def test_previews_are_no_part_of_the_result(splunkd: Splunkd) -> None:
    stream = execute(BODY, finished=False, preview=True) + execute(BODY)
    replies, done = talk(splunkd, hello(splunkd, f"{COUNT} map=false") + stream)
    assert (done.returncode, done.stderr, complaints(replies), len(replies)) == (0, b"", [], 3)
    assert decode(replies[-1][1]) == [{"Rows": "2"}]


def test_a_large_field_and_many_columns(splunkd: Splunkd) -> None:
    wide = {f"field_{at}": str(at) for at in range(5000)}
    body = encode([{"_raw": "x" * 10_000_000, **wide}, {"_raw": "y", **wide}])
    replies, done = talk(splunkd, hello(splunkd, f"{COUNT} map=false") + execute(body))
    assert (done.returncode, done.stderr, complaints(replies)) == (0, b"", [])
    assert decode(replies[-1][1]) == [{"Rows": "2"}]


# As it should not be spoken -----------------------------------------------------------------------------------------

BROKEN = {
    "no header": b"GET / HTTP/1.1\r\n\r\n",
    "another version": execute(BODY).replace(b"chunked 1.0", b"chunked 3.0", 1),
    "a length that is no number": b"chunked 1.0,ten,0\n{}",
    "a length that nothing could have": b"chunked 1.0,99999999999999999999,0\n{}",
    "metadata cut short": b'chunked 1.0,20,0\n{"action":"execute","finished":true}',
    "metadata that is no object": frame([1, 2], BODY),
    "no UTF-8": execute(BODY.replace(b"ada", b"\xff\xfe\xfd")),
    "more cells than names": execute(b"_time,user\n1773327600,ada,1,2\n"),
    "a quote that never closes": execute(b'_time,user\n1773327600,"ada\n'),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_stream_is_told(case: str, splunkd: Splunkd) -> None:
    replies, done = talk(splunkd, hello(splunkd, f"{COUNT} map=false") + BROKEN[case])
    assert done.stderr == b""
    assert len(complaints(replies)) == 1
    assert not any(body for _, body in replies)


def test_a_stream_cut_off_inside_a_message_ends(splunkd: Splunkd) -> None:
    whole = execute(BODY)
    for end in (5, 30, len(whole) - 3):
        replies, done = talk(splunkd, hello(splunkd, f"{COUNT} map=false") + whole[:end])
        assert done.stderr == b""
        assert not any(body for _, body in replies)


def test_rows_before_a_getinfo_are_refused(splunkd: Splunkd) -> None:
    replies, done = talk(splunkd, execute(BODY))
    assert (len(complaints(replies)), done.stderr) == (1, b"")


MISTAKES = {
    'kql "Events | count" colour=red': "colour",
    'kql "Events | wher x == 1"': "wher",
    'kql "Events | where"': "expression",
    'kql "Nowhere | count"': "Nowhere",
    "kql": "query",
    "kql @no-such-query": "no-such-query",
    'kql "Events | count" now=yesterday': "now",
    'kql "Events | count" map=perhaps': "map",
    'kql "Events | extend x = nosuch(1)"': "nosuch",
}


@pytest.mark.parametrize("text", MISTAKES)
def test_a_mistake_in_a_search_is_named(text: str, splunkd: Splunkd) -> None:
    replies, done = talk(splunkd, hello(splunkd, text))
    assert (len(replies), done.stderr) == (1, b"")
    assert MISTAKES[text] in complaints(replies)[0]


def test_a_platform_that_is_not_held_is_named(splunkd: Splunkd) -> None:
    (held,) = (splunkd.app / "lib").iterdir()
    held.rename(held.with_name("plan9_mips"))
    replies, done = talk(splunkd, hello(splunkd))
    assert (len(replies), done.returncode, done.stderr) == (1, 0, b"")
    assert "plan9_mips" in complaints(replies)[0]
    assert held.name in complaints(replies)[0]


def test_a_module_that_cannot_be_loaded_is_told(splunkd: Splunkd) -> None:
    (module,) = (splunkd.app / "lib").glob("*/_core*")
    module.unlink()
    module.write_bytes(b"\x7fELF")
    replies, done = talk(splunkd, hello(splunkd))
    assert (len(replies), done.returncode, done.stderr) == (1, 0, b"")
    assert module.parent.name in complaints(replies)[0]


def test_replies_are_json_without_control_characters(splunkd: Splunkd) -> None:
    replies, _ = talk(splunkd, hello(splunkd, 'kql "Events | where \x07 == 1"'))
    assert not any(character < " " and character not in "\n\t" for character in json.dumps(replies[0][0]["error"]))

"""What is broken, misspelt or odd: one clear message where there is no answer, a clean end, and never a part of an
answer that looks whole."""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from protocol import decode, encode, frame, read_frame
from splunkd import Splunkd

QUERIES = {
    "filter": "Events | where user == 'ada'",
    "aggregate": "Events | summarize Rows = count() by user",
    "sort": "Events | sort by user asc",
}
ROWS = encode([{"_time": "1773327600", "user": "ada"}, {"_time": "1773327601", "user": "bruno"}])
LAST = {"action": "execute", "finished": True}
MEGABYTE = 1_000_000


def info(arguments: Any, **changes: Any) -> bytes:
    """The first message. What is None is left out."""
    search = {"raw_args": arguments, "args": arguments, "sid": "1773327700.1", "search": "search%20x", **changes}
    return frame(
        {"action": "getinfo", "searchinfo": {key: value for key, value in search.items() if value is not None}}
    )


def query(text: str) -> list[str]:
    """A query as an argument."""
    return ['"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"']


def execute(body: bytes = ROWS, **changes: Any) -> bytes:
    """A message with events."""
    return frame({**LAST, **changes}, body)


def talk(app: Path, python: str, command: str, data: bytes) -> list[tuple[dict[str, Any], bytes]]:
    """All replies to a stream; the command ends well and says nothing else."""
    done = subprocess.run([python, app / f"bin/{command}.py"], input=data, capture_output=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    stream, replies = io.BytesIO(done.stdout), []
    while stream.tell() < len(done.stdout):
        replies.append(read_frame(stream))
    return replies


def told(replies: list[tuple[dict[str, Any], bytes]]) -> str:
    """The one error, which is short, comes last and has no rows behind it."""
    errors = [meta["error"] for meta, _ in replies if "error" in meta]
    assert len(errors) == 1, replies
    meta, body = replies[-1]
    assert (meta["error"], meta["finished"], body) == (errors[0], True, b"")
    assert len(errors[0]) < 5000 and "Traceback" not in errors[0] and "panicked" not in errors[0]
    assert not any(body for _, body in replies)
    return str(errors[0])


@pytest.fixture
def python(splunk: Any) -> str:
    """An interpreter."""
    found: Splunkd = splunk()
    return found.python


# Bodies -------------------------------------------------------------------------------------------------------------

BODIES = {
    "more cells than names": (b"_time,user\n1,ada,3\n", "row 1 of the chunk: expected 2 cells"),
    "fewer cells than names": (b"_time,user\n1,ada\n2\n", "row 2 of the chunk: expected 2 cells"),
    "a quote that is not closed": (b'_time,user\n1,"ada\n', "not closed"),
    "text behind a quote": (b'_time,user\n1,"ada"x\n', "text behind a quoted cell"),
    "a quote of the header that is not closed": (b'_time,"user\n1,ada\n', "the header: a quoted cell is not closed"),
    "no UTF-8": (b"_time,user\n1,\xff\xfe\n", "byte 13 of the chunk is not UTF-8"),
    "a name that is no UTF-8": (b"_time,us\xffer\n1,ada\n", "byte 8 of the chunk is not UTF-8"),
    "a character that is cut off": (b"_time,user\n1,ad\xc3", "is not UTF-8"),
    "UTF-16": ("_time,user\n1,ada\n".encode("utf-16"), "byte 0 of the chunk is not UTF-8"),
    "bytes of any kind": (bytes(range(128, 256)), "byte 0 of the chunk is not UTF-8"),
    "NUL bytes alone": (b"\0\0\0\0", "'\\0' stands in the name"),
    "a NUL in a name": (b"_time,us\0er\n1,ada\n", "'\\0' stands in the name"),
    "lines that end in CR alone": (b"_time,user\r1,ada\r", "'\\r' stands in the name"),
    "a column twice": (b"user,user\nada,bruno\n", "names the column `user` twice"),
    "names that are empty": (b",,\n1,2,3\n", "names the column `` twice"),
    "too many columns": (",".join(f"c{at}" for at in range(100_001)).encode() + b"\n", "more than 100000 columns"),
    "a row without an end": (b'_time,user\n1,"' + b"x" * 70 * MEGABYTE, "longer than 64 MB"),
    "states of nobody": (b"huntpack_state\nabc\n", "partial result"),
    "states among events": (b"huntpack_state,user\nabc,ada\n", "partial result"),
    "a surrogate": (b"_time,user\n1,\xed\xa0\x80\n", "byte 13 of the chunk is not UTF-8"),
    "a character of more bytes than it needs": (b"_time,user\n1,\xc0\x80\n", "byte 13 of the chunk is not UTF-8"),
    "compressed events": (gzip.compress(b"_time,user\n1,ada\n"), "byte 1 of the chunk is not UTF-8"),
    "a quote alone": (b'"', "the header: a quoted cell is not closed"),
    "a quote that a backslash escapes": (b'_time,user\n1,"a\\"da"\n', "text behind a quoted cell"),
    "a comma at the end of a row": (b"_time,user\n1,ada,\n", "row 1 of the chunk: expected 2 cells"),
    "a row of one cell": (b"_time,user\nada\n", "row 1 of the chunk: expected 2 cells"),
}


@pytest.mark.parametrize("shape", QUERIES)
@pytest.mark.parametrize("case", BODIES)
def test_a_broken_body_is_told(case: str, shape: str, app: Path, python: str) -> None:
    body, expected = BODIES[case]
    if case.startswith("states") and shape == "filter":
        pytest.skip("a filter takes no partial results")
    for before in ([], [execute(ROWS[: ROWS.index(b"\n") + 1], finished=False)]):
        replies = talk(app, python, "kql", info(query(QUERIES[shape])) + b"".join(before) + execute(body))
        if shape == "filter":
            replies = [(meta, b"" if "error" not in meta else rows) for meta, rows in replies]
        assert expected in told(replies)


READ = {
    "CRLF": b"_time,user\r\n1,ada\r\n",
    "no line end at the end": b"_time,user\n1,ada",
    "a byte order mark": b"\xef\xbb\xbf_time,user\n1,ada\n",
    "a quote inside of a bare cell": b'_time,user,other\n1,ada,a"b\n',
    "a NUL in a cell": b"_time,user,other\n1,ada,a\0b\n",
    "empty lines": b"_time,user\n\n1,ada\n\n",
    "a column without a name": b"_time,user,\n1,ada,\n",
    "times that are none": b"_time,user\nnever,ada\n",
    "a time beyond all calendars": b"_time,user\n1e400,ada\n",
    "values that are not closed": b"_time,user,__mv_user\n1,ada,$ada\n",
    "values of nonsense": b"_time,user,__mv_user\n1,ada,ada;bruno\n",
    "values of which one has no end": b"_time,user,__mv_user\n1,ada,$ada$$;$b\n",
    "several times": b"_time,user,__mv__time\n1 2,ada,$1$;$2$\n",
    "a time that is no number": b"_time,user\nnan,ada\n",
    "a time without an end": b"_time,user\n-inf,ada\n",
    "a time in hexadecimal digits": b"_time,user\n0x10,ada\n",
    "no time": b"_time,user\n,ada\n",
    "a number of a row that is none": b"_chunked_idx,user\nfirst,ada\n",
    "a name of blanks": b"  ,user\n1,ada\n",
    "a name of a megabyte": b"x" * MEGABYTE + b",user\n1,ada\n",
    "names that differ in case": b"User,user\nx,ada\n",
    "values of no field": b"__mv_,user\n$a$,ada\n",
    "a header in CRLF and rows in LF": b"_time,user\r\n1,ada\n",
    "names in quotes": b'"_time","user"\n"1","ada"\n',
    "a place that is none": b"_time,user,huntpack_place\n1,ada,zz\n",
    "values of another field": b"_time,user,__mv_other\n1,ada,$x$;$y$\n",
    "a field of 10 MB": b'_time,user,other\n1,ada,"' + b'x,""' * (10 * MEGABYTE // 4) + b'"\n',
    "5,000 columns": (",".join(f"c{at}" for at in range(4999)) + ",user\n" + "v," * 4999 + "ada\n").encode(),
}


@pytest.mark.parametrize("shape", QUERIES)
@pytest.mark.parametrize("case", READ)
def test_an_odd_body_is_read(case: str, shape: str, app: Path, python: str) -> None:
    replies = talk(app, python, "kql", info(query(QUERIES[shape])) + execute(READ[case]))
    assert not any("error" in meta for meta, _ in replies), replies
    body = replies[-1][1]
    assert body.count(b"ada") in (1, 2) and body.count(b"\n") == 2


# Frames -------------------------------------------------------------------------------------------------------------


def header(text: str, rest: bytes = b"{}") -> bytes:
    """A first line and what follows."""
    return text.encode() + b"\n" + rest


ACTION = json.dumps(LAST).encode()
FRAMES = {
    "a header that is cut off": (b"chunked 1.0,3", "begins with `chunked 1.0,3`"),
    "metadata that is cut off": (header("chunked 1.0,100,0", b'{"act'), "ends inside"),
    "a body that is cut off": (execute()[:-4], "ends inside a chunk"),
    "a body longer than what comes": (header(f"chunked 1.0,{len(ACTION)},5000", ACTION + ROWS), "ends inside a chunk"),
    "a body shorter than what comes": (header(f"chunked 1.0,{len(ACTION)},11", ACTION + ROWS), "goes on behind it"),
    "a length of terabytes": (header(f"chunked 1.0,{len(ACTION)},9999999999999", ACTION), "ends inside"),
    "metadata of gigabytes": (header("chunked 1.0,9999999999,0"), "metadata would have 9999999999 bytes"),
    "a length of more digits than a number has": (header(f"chunked 1.0,{'9' * 30},0"), "it begins with"),
    "a negative length": (header("chunked 1.0,-5,0"), "it begins with `chunked 1.0,-5,0`"),
    "a negative length of the body": (header("chunked 1.0,2,-1"), "it begins with"),
    "a length with a point": (header("chunked 1.0,2.0,0"), "it begins with"),
    "a length in hexadecimal digits": (header("chunked 1.0,0x2,0"), "it begins with"),
    "a length that is a word": (header("chunked 1.0,two,0"), "it begins with"),
    "one length": (header("chunked 1.0,2"), "it begins with"),
    "three lengths": (header("chunked 1.0,2,0,0"), "it begins with"),
    "another version": (header("chunked 2.0,2,0"), "it begins with `chunked 2.0"),
    "capital letters": (header("CHUNKED 1.0,2,0"), "it begins with"),
    "a long first line": (header("chunked 1.0," + "0" * 500 + "2,0"), "it begins with"),
    "an empty line": (b"\n" + execute(), "it begins with ``"),
    "another protocol": (b"GET / HTTP/1.1\r\n\r\n", "it begins with `GET / HTTP/1.1`"),
    "metadata that is no JSON": (header("chunked 1.0,17,0", b"{action: execute}"), "no JSON object"),
    "metadata that is a list": (frame([]), "no JSON object"),
    "metadata that is null": (frame(None), "no JSON object"),
    "metadata that is a text": (frame("x"), "no JSON object"),
    "metadata that is no UTF-8": (header("chunked 1.0,9,0", b'{"a":"\xff"}'), "no JSON object"),
    "metadata that is deep": (header("chunked 1.0,200005,0", b'{"a":' + b"[" * 100_000 + b"]" * 100_000), "no JSON"),
    "no metadata": (header("chunked 1.0,0,0", b""), "its action is none"),
    "no action": (frame({"finished": True}, ROWS), "its action is none"),
    "an action of nobody": (frame({"action": "stop"}), 'its action is "stop"'),
    "an action that is a number": (frame({"action": 7}), "its action is 7"),
    "getinfo twice": (info(query("Events")) + execute(), 'its action is "getinfo"'),
    "an end that is a text": (execute(finished="true"), '`finished` is "true"'),
    "an end that is a list": (execute(finished=[]), "`finished` is []"),
    "an end that is 2": (execute(finished=2), "`finished` is 2"),
    "an end that is 1.0": (execute(finished=1.0), "`finished` is 1.0"),
    "a preview that is a text": (execute(preview="no"), '`preview` is "no"'),
    "a length with a sign": (header("chunked 1.0,+2,0"), "it begins with"),
    "a quote over two chunks": (
        execute(b'_time,user\n1,"ad', finished=False) + execute(b'a"\n'),
        "row 1 of the chunk: a quoted cell is not closed",
    ),
    "a second message that is cut off": (execute(finished=False) + execute()[:20], "ends inside"),
    "a second body that is cut off": (execute(finished=False) + execute()[:-5], "ends inside a chunk"),
    "a message behind the last": (execute() + execute(), "goes on behind it"),
    "bytes behind the last": (execute() + b"hello", "goes on behind it"),
    "a broken second chunk": (execute(finished=False) + execute(b"_time,user\n1,2,3\n"), "expected 2 cells"),
}


@pytest.mark.parametrize("shape", QUERIES)
@pytest.mark.parametrize("case", FRAMES)
def test_a_broken_message_is_told(case: str, shape: str, app: Path, python: str) -> None:
    data, expected = FRAMES[case]
    replies = talk(app, python, "kql", info(query(QUERIES[shape])) + data)
    if shape == "filter":
        # What was whole has been answered already.
        replies = [(meta, b"" if "error" not in meta else rows) for meta, rows in replies]
    assert expected in told(replies)


COUNT = query("Events | count")
HALF = rb'{"action":"getinfo","searchinfo":{"raw_args":["\ud800"]}}'
STARTS = {
    "events before getinfo": (execute() + info(COUNT), "the first one is not `getinfo`"),
    "no searchinfo": (frame({"action": "getinfo"}), "needs a query"),
    "a searchinfo that is a list": (frame({"action": "getinfo", "searchinfo": [1]}), "`searchinfo` is no object"),
    "a searchinfo that is a text": (frame({"action": "getinfo", "searchinfo": "x"}), "`searchinfo` is no object"),
    "nothing in searchinfo": (frame({"action": "getinfo", "searchinfo": {}}), "needs a query"),
    "no arguments": (info(None), "needs a query"),
    "arguments that are a text": (info("Events"), "`raw_args` is no list"),
    "arguments that are numbers": (info([1]), "`raw_args` holds something else than texts"),
    "arguments that are null": (info([None]), "`raw_args` holds something else than texts"),
    "a newline alone": (b"\n", "it begins with ``"),
    "a text": (b"hello", "it begins with `hello`"),
    "an action of nobody first": (frame({"action": "stop"}), "the first one is not `getinfo`"),
    "an action in a list": (frame({"action": ["getinfo"]}), "the first one is not `getinfo`"),
    "no action first": (frame({}), "the first one is not `getinfo`"),
    "a list first": (frame([1]), "no JSON object"),
    "arguments in arguments": (info([["Events"]]), "`raw_args` holds something else than texts"),
    "half a character in arguments": (header(f"chunked 1.0,{len(HALF)},0", HALF), "no JSON object"),
    "a body that is cut off": (frame({"action": "getinfo"}, b"a,b\n1,2\n")[:-3], "ends inside"),
    "a byte order mark": (b"\xef\xbb\xbf" + info(COUNT), "it begins with"),
    "a compressed stream": (gzip.compress(info(COUNT)), "it begins with"),
    "a hundred thousand arguments": (info(["a"] * 100_000), "there are 100000"),
}


@pytest.mark.parametrize("case", STARTS)
def test_a_broken_start_is_told(case: str, app: Path, python: str) -> None:
    data, expected = STARTS[case]
    assert expected in told(talk(app, python, "kql", data))


ODD_STARTS = {
    "no raw_args": {"raw_args": None},
    "a time that is a word": {"latest_time": "soon"},
    "no time": {"latest_time": None},
    "a time beyond all calendars": {"latest_time": "1e300"},
    "a time that is an object": {"latest_time": {}},
    "a search that is badly encoded": {"search": "%FF%zz%"},
    "a search that is a number": {"search": 5},
    "no search": {"search": None, "sid": None},
    "a limit that is a word": {"maxresultrows": "many"},
    "no limit": {"maxresultrows": 0},
    "a limit below nothing": {"maxresultrows": -1},
    "a limit beyond all numbers": {"maxresultrows": 10**30},
    "a time that is no number": {"latest_time": "nan"},
    "a time without an end": {"latest_time": "inf"},
    "a time before all": {"latest_time": "-5"},
    "a time that is a truth": {"latest_time": True},
    "an end before the beginning": {"earliest_time": "1773327700", "latest_time": "5"},
    "a folder of a megabyte": {"dispatch_dir": "/x" * (MEGABYTE // 2)},
    "a number of the search that is a number": {"sid": 5},
    "no session": {"session_key": None, "splunkd_uri": None},
    "a key that is a number": {"session_key": 5, "splunkd_uri": "https://127.0.0.1:1"},
}


@pytest.mark.parametrize("case", ODD_STARTS)
def test_an_odd_start_is_read(case: str, app: Path, python: str) -> None:
    replies = talk(app, python, "kql", info(COUNT, **ODD_STARTS[case]) + execute())
    assert decode(replies[-1][1]) == [{"Count": "2"}]


ORDERS = {
    "a chunk without a body": (execute(b"", finished=False) + execute(), 3),
    "a chunk of a header alone": (execute(b"_time,user\n", finished=False) + execute(), 3),
    "a last chunk of a header alone": (execute(finished=False) + execute(b"_time,user\n"), 3),
    "a last chunk without a body": (execute(finished=False) + execute(b""), 3),
    "an end that is null": (execute(finished=None) + execute(b""), 3),
    "an end that is 1": (execute(finished=1), 2),
    "another header": (execute(finished=False) + execute(b"user,x\n"), 3),
    "keys of nobody": (execute(colour=["red"]), 2),
}


@pytest.mark.parametrize("case", ORDERS)
def test_an_odd_order_is_read(case: str, app: Path, python: str) -> None:
    stream, count = ORDERS[case]
    replies = talk(app, python, "kql", info(COUNT) + stream)
    assert len(replies) == count
    assert decode(replies[-1][1]) == [{"Count": "2"}]


def test_a_chunk_of_no_rows_has_none(app: Path, python: str) -> None:
    for body in (b"", b"_time,user\n", b"_time,user"):
        replies = talk(app, python, "kql", info(query("Events | sort by user asc")) + execute(body))
        assert (len(replies), replies[-1][1], replies[-1][0]["finished"]) == (2, b"", True)


@pytest.mark.parametrize("closing", ["at once", "behind getinfo"])
def test_an_output_that_is_closed_ends_the_command(closing: str, app: Path, python: str) -> None:
    words = [python, app / "bin/kql.py"]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdin and process.stdout and process.stderr
        if closing == "behind getinfo":
            process.stdin.write(info(query("Events")))
            process.stdin.flush()
            read_frame(process.stdout)
        process.stdout.close()
        with contextlib.suppress(BrokenPipeError):
            process.stdin.write(
                (info(query("Events")) if closing == "at once" else b"") + execute(finished=False) + execute()
            )
            process.stdin.flush()
        assert (process.wait(60), process.stderr.read()) == (0, b"")
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()


@pytest.mark.parametrize("streams", ["<&-", ">&-", "<&- >&-", "</dev/null"])
def test_streams_that_are_closed_from_the_start_are_quiet(streams: str, app: Path, python: str) -> None:
    done = subprocess.run(f'"{python}" "{app}/bin/kql.py" {streams}', shell=True, capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


@pytest.mark.parametrize("case", ["nothing", "an end before the last chunk", "no more than getinfo"])
def test_an_early_end_is_quiet(case: str, app: Path, python: str) -> None:
    streams = {
        "nothing": b"",
        "an end before the last chunk": info(COUNT) + execute(finished=False),
        "no more than getinfo": info(COUNT),
    }
    replies = talk(app, python, "kql", streams[case])
    assert not any(body or "error" in meta for meta, body in replies)


# Arguments ----------------------------------------------------------------------------------------------------------

ARGUMENTS = {
    "an empty query": ("kql", ['""'], "needs a query"),
    "a blank query": ("kql", ['"   "'], "needs a query"),
    "a query of a comment": ("kql", query("// nothing"), "no result"),
    "an operator of nobody": ("kql", query("Events | wher x"), "did you mean `where`?"),
    "a parenthesis that is not closed": ("kql", query("Events | where (x"), "`)` is expected"),
    "a text that is not closed": ("kql", query("Events | where x == 'abc"), "no closing '"),
    "a pipe at the end": ("kql", query("Events |"), "an operator is expected"),
    "a pipe at the beginning": ("kql", query("| where x == 1"), "cannot begin with `|`"),
    "a table of nobody": ("kql", query("Nowhere | count"), "`Events` names the events of the pipeline"),
    "a table of nobody in a join": ("kql", query("Events | join Nowhere on user"), "Nowhere"),
    "a function of nobody": ("kql", query("Events | extend x = nosuch(1)"), "nosuch"),
    "a column of nobody": ("kql", query("SigninLogs | where Nothing == 1"), "Nothing"),
    "kinds that do not go together": ("kql", query("SigninLogs | where ResultType > 1h"), "string"),
    "a pattern that is none": ("kql", query("Events | where user matches regex '('"), "bad regular expression"),
    "a network": ("kql", query("externaldata(x:string)['http://x']"), "the network is never used"),
    "another cluster": ("kql", query("cluster('x').database('y').T"), "'T'"),
    "a script": ("kql", query("Events | evaluate python(typeof(*), 'x')"), "python"),
    "a command": ("kql", query(".show tables"), "before `.`"),
    "a character of nobody": ("kql", query("Events \0| count"), "`\\0` is unexpected"),
    "typographic quotes": ("kql", ["“Events”"], "write plain quotes"),
    "deep nesting": ("kql", query("Events | where " + "(" * 5000 + "true" + ")" * 5000), "nested more than"),
    "an option of nobody": ("kql", [*query("Events"), "colour=red"], "no option `colour`"),
    "an option that is misspelt": ("kql", [*query("Events"), "tabel=x"], "did you mean `table`?"),
    "an option twice": ("kql", [*query("Events"), "now=wall", "now=latest"], "given twice"),
    "an option without a value": ("kql", [*query("Events"), "now="], "has no value"),
    "an option with an empty value": ("kql", [*query("Events"), 'table=""'], "has no value"),
    "a truth that is none": ("kql", [*query("Events"), "map=7"], "`map` cannot be `7`"),
    "a time that is none": ("kql", [*query("Events"), "now=yesterday"], "`now` cannot be `yesterday`"),
    "a part of nobody": ("kql", [*query("Events"), "phase=x"], "`phase` cannot be `x`"),
    "a query that is not encoded": ("kql", ['encoded="%%%"', "phase=states"], "own use"),
    "a query of a name that is not there": ("kql", ["@nothing"], "no query `nothing`"),
    "a query without a name": ("kql", ["@"], "no name of a query"),
    "a query outside of the app": ("kql", ["@../../etc/passwd"], "no name of a query"),
    "a query in a folder": ("kql", ["@a/b"], "no name of a query"),
    "a hidden query": ("kql", ["@.hidden"], "no name of a query"),
    "a query whose name is cut off": ("kql", ["@a\0"], "no name of a query"),
    "a query of a long name": ("kql", ["@" + "a" * 5000], "no name of a query"),
    "a query with the end of its file": ("kql", ["@failed-signins.kql"], "no query `failed-signins.kql`"),
    "a query with more behind it": ("kql", ["@failed-signins", "Events"], "takes one query"),
    "a query behind an option": ("kql", [*query("Events"), "now=wall", "Events"], "takes one query"),
    "a query by name and in words": ("kql", ['query="Events"', *query("Events")], "takes one query"),
    "an option in capital letters": ("kql", [*query("Events"), "TABLE=x"], "did you mean `table`?"),
    "a time of no calendar": ("kql", [*query("Events"), "now=2024-13-45"], "`now` cannot be `2024-13-45`"),
    "a time in capital letters": ("kql", [*query("Events"), "now=LATEST"], "did you mean `latest`?"),
    "a query in the app's code": ("kql", ["encoded=!!!"], "own use"),
    "a table alone": ("kql", ["table=Events"], "needs a query"),
    "a query of a backslash": ("kql", ["\\"], "is unexpected"),
    "a query of a star": ("kql", ["*"], "cannot stand here"),
    "a text with one quote": ("kql", ["'Events"], "no closing '"),
    "a megabyte of parentheses": ("kql", query("(" * MEGABYTE), "nested more than"),
    "two queries": ("kql", [*query("Events"), *query("Events")], "takes one query"),
    "a query without quotes": ("kql", ["Events", "|", "count"], "put quotes around all of it"),
    "quotes that are not closed": ("kql", ['"Events'], "not closed"),
    "no rules": ("huntpack", [], "needs rules"),
    "rules without names": ("huntpack", ['rules=","'], "needs rules"),
    "empty rules": ("huntpack", ['rules=""'], "has no value"),
    "a rule of nobody": ("huntpack", ['rules="nothing"'], "no rule is called `nothing`"),
    "rules of nobody": ("huntpack", ['rules="zzz*"'], "no rule is called `zzz*`"),
    "a rule that is misspelt": ("huntpack", ['rules="pasword-spray"'], "did you mean `password_spray`?"),
    "a rule in brackets": ("huntpack", ['rules="[a"'], "no rule is called `[a`"),
    "one rule of nobody among all": ("huntpack", ['rules="*,nothing"'], "no rule is called `nothing`"),
    "rules as a pattern": ("huntpack", ['rules="[a-z]+"'], "no rule is called `[a-z]+`"),
    "rules outside of the app": ("huntpack", ['rules="../../x"'], "no rule is called `../../x`"),
    "a rule in single quotes": ("huntpack", ["rules='password-spray'"], "did you mean `password_spray`?"),
    "words behind the rules": ("huntpack", ['rules="password-spray" extra'], "no rule is called `extra`"),
    "a query for a rule": ("huntpack", ["@failed-signins"], "no rule is called `@failed-signins`"),
    "one rule too few letters": ("huntpack", ['rule="password-spray"'], "did you mean `rules`?"),
    "two outputs": ("huntpack", ['rules="*"', "output=alerts,risk"], "`output` cannot be `alerts,risk`"),
    "a truth of rules that is none": ("huntpack", ['rules="*"', "map=maybe"], "`map` cannot be `maybe`"),
    "a number for a time": ("huntpack", ['rules="*"', "now=1"], "`now` cannot be `1`"),
    "an output of nobody": ("huntpack", ['rules="*"', "output=table"], "`output` cannot be `table`"),
    "a time of rules that is none": ("huntpack", ['rules="*"', "now=soon"], "`now` cannot be `soon`"),
    "rules twice": ("huntpack", ['rules="*"', 'rules="*"'], "given twice"),
    "an option of no rules": ("huntpack", ['rules="*"', "severity=high"], "no option `severity`"),
    "an option of no list": ("huntpackrules", ["colour=x"], "no option `colour`"),
    "a list of rules of nobody": ("huntpackrules", ['rules="nothing"'], "no rule is called `nothing`"),
}


@pytest.mark.parametrize("case", ARGUMENTS)
def test_a_mistake_is_told(case: str, app: Path, python: str) -> None:
    command, arguments, expected = ARGUMENTS[case]
    assert expected in told(talk(app, python, command, info(arguments) + execute()))


# The app's folder ---------------------------------------------------------------------------------------------------

FILES = {
    "a setting that is no number": ("local/huntpack.conf", "[settings]\nmemory_mb = much\n", "`memory_mb` cannot be"),
    "a setting that is no truth": ("local/huntpack.conf", "[settings]\nmap_reduce = 7\n", "`map_reduce` cannot be"),
    "a setting that is below nothing": ("local/huntpack.conf", "[settings]\nthreads = -1\n", "`threads` cannot be"),
    "settings of another encoding": ("local/huntpack.conf", b"[settings]\n# Zo\xeb\n", "byte 15 is not UTF-8"),
    "tables of any bytes": ("local/huntpack_tables.conf", bytes(range(256)), "byte 128 is not UTF-8"),
    "a query that is broken": ("local/queries/mine.kql", "Events | wher x", "mine.kql"),
    "a query that is empty": ("local/queries/mine.kql", "", "no result"),
    "a query of another encoding": ("local/queries/mine.kql", b"Events | where user == 'Zo\xeb'", "is not UTF-8"),
    "a query of wide characters": ("local/queries/mine.kql", "Events".encode("utf-16"), "byte 0 is not UTF-8"),
    "a query that is a folder": ("local/queries/mine.kql/x", "", "mine.kql"),
    "a function of another encoding": ("local/functions/f.kql", b"(x:string) { 'Zo\xeb' }", "f.kql"),
}


def written(app: Path, path: str, data: str | bytes) -> None:
    """Puts a file into the app."""
    (app / path).parent.mkdir(parents=True, exist_ok=True)
    (app / path).write_bytes(data.encode() if isinstance(data, str) else data)


@pytest.mark.parametrize("case", FILES)
def test_a_broken_file_is_told(case: str, app: Path, python: str) -> None:
    path, text, expected = FILES[case]
    written(app, path, text)
    arguments = ["@mine"] if "queries" in path else query("Events | count")
    replies = talk(app, python, "kql", info(arguments) + execute())
    assert expected in told(replies)


PACKED = gzip.compress(b"SearchKey,n\n" + b"".join(b"user%d,%d\n" % (at, at * at) for at in range(3000)) + b"ada,1\n")
ODD_FILES = {
    "a setting of nobody": ("local/huntpack.conf", "[settings]\nmemory_mbs = 5\n", "did you mean `memory_mb`?"),
    "settings elsewhere": ("local/huntpack.conf", "[setings]\nthreads = 5\n", "no stanza [setings]"),
    "a sourcetype without a table": ("local/huntpack_tables.conf", "[acme]\nfield.X = a\n", "[acme] has no `table`"),
    "no list": ("local/x", "", "there is no watchlist `Users`"),
    "a list that is elsewhere": ("local/transforms.conf", "[Users]\nfilename = gone.csv\n", "no watchlist `Users`"),
    "a list outside of the app": ("local/transforms.conf", "[Users]\nfilename = ../../x.csv\n", "no watchlist `Users`"),
    "a list with a row too long": ("lookups/Users.csv", "SearchKey,n\nada,1,2\n", "Users.csv, line 2"),
    "a list with a row too short": ("lookups/Users.csv", "SearchKey,n\nada\n", "Users.csv, line 2"),
    "a list with an open quote": ("lookups/Users.csv", 'SearchKey\n"ada\n', "Users.csv, line 2: a quoted cell"),
    "a list of another encoding": ("lookups/Users.csv", b"SearchKey\nZo\xeb\n", "Users.csv, line 2: a value of"),
    "a packed list that is cut off": ("lookups/Users.csv.gz", PACKED[:-200], "damaged or cut off"),
    "a packed list without its end": ("lookups/Users.csv.gz", PACKED[:-4], "damaged or cut off"),
    "a packed list of five bytes": ("lookups/Users.csv.gz", PACKED[:5], "damaged or cut off"),
    "a packed list that is damaged": ("lookups/Users.csv.gz", PACKED[:-8] + bytes(8), "damaged or cut off"),
    "a packed list with more behind it": ("lookups/Users.csv.gz", PACKED + b"hello", "damaged or cut off"),
    "a packed list of bad rows": ("lookups/Users.csv.gz", gzip.compress(b"SearchKey,n\nada,1,2\n"), "line 2"),
}


@pytest.mark.parametrize("shape", ["in", "join"])
@pytest.mark.parametrize("case", ODD_FILES)
def test_an_odd_file_is_told_beside_the_answer(case: str, shape: str, app: Path, python: str) -> None:
    path, text, expected = ODD_FILES[case]
    written(app, path, text)
    asked = {
        "in": "Events | where user in ((_GetWatchlist('Users') | project SearchKey)) | count",
        "join": "Events | join kind=inner (_GetWatchlist('Users')) on $left.user == $right.SearchKey | count",
    }
    replies = talk(app, python, "kql", info(query(asked[shape])) + execute())
    assert not any("error" in meta for meta, _ in replies), replies
    said = [text for level, text in replies[-1][0]["inspector"]["messages"] if level == "WARN" and expected in text]
    assert len(said) == 1, replies[-1][0]


ODD_RULES = {
    "nothing": "",
    "a list": "- 1\n",
    "a text": "hello",
    "a tab": "id: x\n\tname: y\n",
    "depth": "a: " + "[" * 10_000,
}


@pytest.mark.parametrize("case", ODD_RULES)
def test_a_file_that_holds_no_rule_is_named(case: str, app: Path, python: str) -> None:
    written(app, "local/rules/mine.yaml", ODD_RULES[case])
    written(app, "local/rules/README.md", "Not a rule.")
    replies = talk(app, python, "huntpackrules", info([]) + execute(b""))
    assert len(decode(replies[-1][1])) > 3
    (said,) = [text for level, text in replies[-1][0]["inspector"]["messages"] if level == "WARN"]
    assert "mine.yaml" in said


def test_a_broken_rule_is_named_and_stops_no_other(app: Path, python: str) -> None:
    (app / "local/rules").mkdir(parents=True)
    text = "id: mine\nname: mine\nkind: Scheduled\nseverity: Hgh\nquery: T\n"
    (app / "local/rules/mine.yaml").write_text(text, encoding="utf-8")
    replies = talk(app, python, "huntpackrules", info([]) + execute(b""))
    assert len(decode(replies[-1][1])) > 3
    assert "mine.yaml" in json.dumps(replies[-1][0]["inspector"])
    assert "mine" in told(talk(app, python, "huntpack", info(['rules="mine"']) + execute()))

"""What is broken, misspelt or odd: one clear message where there is no answer, a clean end, and never a part of an
answer that looks whole."""

from __future__ import annotations

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
}


@pytest.mark.parametrize("shape", QUERIES)
@pytest.mark.parametrize("case", BODIES)
def test_a_broken_body_is_told(case: str, shape: str, app: Path, python: str) -> None:
    body, expected = BODIES[case]
    if (case, shape) == ("states of nobody", "filter"):
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
    "a preview that is a text": (execute(preview="no"), '`preview` is "no"'),
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
}


@pytest.mark.parametrize("case", ODD_STARTS)
def test_an_odd_start_is_read(case: str, app: Path, python: str) -> None:
    replies = talk(app, python, "kql", info(COUNT, **ODD_STARTS[case]) + execute())
    assert decode(replies[-1][1]) == [{"Count": "2"}]


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
    "a query that is broken": ("local/queries/mine.kql", "Events | wher x", "mine.kql"),
}


@pytest.mark.parametrize("case", FILES)
def test_a_broken_file_is_told(case: str, app: Path, python: str) -> None:
    path, text, expected = FILES[case]
    (app / path).parent.mkdir(parents=True, exist_ok=True)
    (app / path).write_text(text, encoding="utf-8")
    arguments = ["@mine"] if path.endswith(".kql") else query("Events | count")
    replies = talk(app, python, "kql", info(arguments) + execute())
    assert expected in told(replies)


def test_a_broken_rule_is_named_and_stops_no_other(app: Path, python: str) -> None:
    (app / "local/rules").mkdir(parents=True)
    text = "id: mine\nname: mine\nkind: Scheduled\nseverity: Hgh\nquery: T\n"
    (app / "local/rules/mine.yaml").write_text(text, encoding="utf-8")
    replies = talk(app, python, "huntpackrules", info([]) + execute(b""))
    assert len(decode(replies[-1][1])) > 3
    assert "mine.yaml" in json.dumps(replies[-1][0]["inspector"])
    assert "mine" in told(talk(app, python, "huntpack", info(['rules="mine"']) + execute()))

"""Events of a search: every form in which Splunk's events come, and what is known of their sourcetypes."""

import csv
import json
import random

import huntpack as hp
import pytest

LOGS = [
    {
        "datetime": f"2023-10-16 22:5{minute}:48",
        "reason": "Blocked",
        "action": action,
        "threatname": threat,
        "deviceowner": "ann",
        "user": user,
        "urlcategory": "Miscellaneous",
        "url": "pool.example/miner",
        "ClientIP": "10.0.0.1",
        "serverip": "192.0.2.4",
        "hostname": "pool.example",
    }
    for minute, action, threat, user in [
        (1, "blocked", "Win32.CoinMiner", "a@example.com"),
        (3, "blocked", "Win32.CoinMiner", "a@example.com"),
        (4, "allowed", "Win32.CoinMiner", "a@example.com"),
        (5, "blocked", "None", "a@example.com"),
    ]
]
RAW = [json.dumps(log) for log in LOGS]
DETECTION = """search sourcetype=zscalernss-web action=blocked threatname=*miner*
  | stats count min(_time) as firstTime max(_time) as lastTime
    BY action deviceowner user
       urlcategory url src
       dest
  | convert timeformat="%Y-%m-%dT%H:%M:%S" ctime(firstTime)
  | convert timeformat="%Y-%m-%dT%H:%M:%S" ctime(lastTime)
  | search *"""
EXPECTED = [
    {
        "action": "blocked",
        "deviceowner": "ann",
        "user": "a@example.com",
        "urlcategory": "Miscellaneous",
        "url": "pool.example/miner",
        "src": "10.0.0.1",
        "dest": "192.0.2.4",
        "count": 2,
        "firstTime": "2023-10-16T22:51:48",
        "lastTime": "2023-10-16T22:53:48",
    }
]


def lines(path, records):
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


def forms(folder):
    """The same events in each form."""
    yield "lines of events", lines(folder / "raw.ndjson", LOGS)
    yield "an array", (folder / "array.json", (folder / "array.json").write_text(json.dumps(LOGS, indent=1)))[0]
    yield (
        "the collector's",
        lines(folder / "hec.json", [{"sourcetype": "zscalernss-web", "host": "h", "event": log} for log in LOGS]),
    )
    yield (
        "the collector's with texts",
        lines(folder / "hec2.json", [{"sourcetype": "zscalernss-web", "event": raw} for raw in RAW]),
    )
    yield (
        "an export",
        lines(
            folder / "export.json",
            [
                {
                    "preview": False,
                    "offset": n,
                    "result": {"_raw": raw, "sourcetype": "zscalernss-web", "mv": ["a", "b"]},
                }
                for n, raw in enumerate(RAW)
            ],
        ),
    )
    with (folder / "export.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, ["sourcetype", "_raw"])
        writer.writeheader()
        writer.writerows({"sourcetype": "zscalernss-web", "_raw": raw} for raw in RAW)
    yield "an export as CSV", folder / "export.csv"
    yield "rows with the text", [{"_raw": raw, "sourcetype": "zscalernss-web"} for raw in RAW]
    yield "rows of fields", [{**log, "sourcetype": "zscalernss-web"} for log in LOGS]


def test_every_form_gives_the_same_rows(tmp_path):
    for name, events in forms(tmp_path):
        assert hp.spl(DETECTION, events).to_dicts() == EXPECTED, name


def test_threads_and_pieces_change_nothing(tmp_path):
    path = lines(tmp_path / "many.json", LOGS * 500)
    found = [hp.spl(DETECTION, path, threads=n, limits={"morsel_rows": m}).to_dicts() for n, m in [(1, 65536), (3, 7)]]
    assert found[0] == found[1] and found[0][0]["count"] == 1000


def test_fields_have_the_names_of_spath():
    event = {"_raw": json.dumps({"a": {"b": "x"}, "l": [{"n": 1}, {"n": 2}], "t": ["p", "q"], "z": None, "e": ""})}
    [row] = hp.spl("search * | fields - _raw _time", [event]).to_dicts()
    assert row == {"a.b": "x", "l{}.n": ["1", "2"], "t{}": ["p", "q"], "z": "null", "e": ""}


def test_rows_keep_their_own_lists_and_objects():
    rows = [{"a": {"b": 1}, "t": ["p", "q"], "n": 5, "s": None}, {"t": ["r"]}]
    found = hp.spl("search * | table a.b t n s", rows).to_dicts()
    assert found == [
        {"a.b": "1", "t": ["p", "q"], "n": 5, "s": None},
        {"a.b": None, "t": "r", "n": None, "s": None},
    ]


SYSMON = (
    "<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System>"
    "<Provider Name='Microsoft-Windows-Sysmon' Guid='{5770385F}'/><EventID>1</EventID><Level>4</Level>"
    "<TimeCreated SystemTime='2020-10-08T11:03:46.617920300Z'/><EventRecordID>4522</EventRecordID>"
    "<Channel>Microsoft-Windows-Sysmon/Operational</Channel><Computer>pc.example</Computer>"
    "<Security UserID='S-1-5-18'/></System><EventData><Data Name='Image'>C:\\Windows\\System32\\cmd.exe</Data>"
    "<Data Name='CommandLine'>cmd.exe /c \"a &amp; b\"</Data><Data Name='User'>DOM\\ann</Data>\n"
    "<Data Name='ParentImage'>C:\\Windows\\explorer.exe</Data></EventData></Event>"
)


def test_events_of_windows(tmp_path):
    path = tmp_path / "sysmon.xml"
    path.write_text("<Events>\n" + SYSMON + "\n" + SYSMON.replace("4522", "4523") + "\n</Events>\n")
    fields = "_time EventRecordID Computer CommandLine process_name user dest parent_process_name"
    search = f"search EventCode=1 | table {fields}"
    found = hp.spl(search, path).to_dicts()
    assert [row["EventRecordID"] for row in found] == ["4523", "4522"]
    assert found[0]["_time"] == pytest.approx(1602155026.6179, abs=1e-3)
    assert {k: found[0][k] for k in ("CommandLine", "process_name", "user", "dest", "parent_process_name")} == {
        "CommandLine": 'cmd.exe /c "a & b"',
        "process_name": "cmd.exe",
        "user": "ann",
        "dest": "pc.example",
        "parent_process_name": "explorer.exe",
    }
    model = "| tstats count from datamodel=Endpoint.Processes where Processes.process_name=cmd.exe by Processes.dest"
    assert hp.spl(model, path).to_dicts() == [{"Processes.dest": "pc.example", "count": 2}]


def test_audit_records(tmp_path):
    path = tmp_path / "audit.log"
    path.write_text('type=EXECVE msg=audit(1723044684.257:15795): argc=2 a0="sudo" a1="ls"\n')
    search = "search type=EXECVE | table _time a0 a1 argc"
    assert hp.spl(search, path).to_dicts() == [{"_time": 1723044684.257, "a0": "sudo", "a1": "ls", "argc": "2"}]


def test_times_of_events():
    rows = [{"_time": 5}, {"_time": "2024-02-08T21:49:53Z"}, {"_time": None}]
    assert [r["_time"] for r in hp.spl("search * | table _time", rows).to_dicts()] == [1707428993, 5, None]
    rows = [{"_raw": '{"eventTime":"2024-02-08T21:49:53Z"}'}, {"_raw": "2024-02-08 21:49:53 up"}]
    assert [r["_time"] for r in hp.spl("search * | table _time", rows).to_dicts()] == [1707428993, 1707428993]


def test_datasets_take_events_as_they_are():
    rows = [{"Web.url": "/a", "Web.status": "200"}, {"Web.url": "/b"}, {"other": "1"}]
    search = "| tstats fillnull_value=null count from datamodel=Web by Web.url Web.status"
    assert hp.spl(search, rows).to_dicts() == [
        {"Web.url": "/a", "Web.status": "200", "count": 1},
        {"Web.url": "/b", "Web.status": "null", "count": 1},
    ]
    rows = [{"process_name": "cmd.exe", "dest": "pc", "parent_process_name": "x.exe"}, {"dest": "pc"}]
    search = "| tstats count from datamodel=Endpoint.Processes by Processes.process_name Processes.user"
    expected = {"Processes.process_name": "cmd.exe", "Processes.user": "unknown", "count": 1}
    assert hp.spl(search, rows).to_dicts() == [expected]


def test_an_add_on_tells_of_its_sourcetype(tmp_path):
    default = tmp_path / "default"
    default.mkdir()
    (tmp_path / "lookups").mkdir()
    (tmp_path / "lookups" / "codes.csv").write_text("code,meaning\n1,good\n2,bad\n")
    (default / "props.conf").write_text(
        "[my:log]\n"
        "EXTRACT-who = who is (?<who>\\w+)\n"
        "REPORT-parts = parts\n"
        "FIELDALIAS-u = who AS user\n"
        'EVAL-action = if(code="1", "success", "failure")\n'
        "LOOKUP-c = codes code OUTPUT meaning AS outcome\n"
    )
    (default / "transforms.conf").write_text(
        "[parts]\nREGEX = code (\\d)\nFORMAT = code::$1\n[codes]\nfilename = codes.csv\n"
    )
    rows = [{"_raw": "who is ann code 1", "sourcetype": "my:log"}, {"_raw": "who is bob code 2", "sourcetype": "other"}]
    found = hp.spl("search * | table user code action outcome", rows, addons=tmp_path).to_dicts()
    assert found[0] == {"user": "ann", "code": "1", "action": "success", "outcome": "good"}
    assert found[1] == {"user": None, "code": None, "action": None, "outcome": None}


def test_a_yaml_file_tells_of_a_sourcetype(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(
        "- name: mine\n  sourcetypes: [my:log]\n  fields:\n    user: [who]\n    action: =lower(did)\n"
        "  kinds:\n    - tags: authentication\n"
    )
    rows = [{"who": "ann", "did": "SUCCESS", "sourcetype": "my:log"}]
    search = "| tstats count from datamodel=Authentication by Authentication.user Authentication.action"
    assert hp.spl(search, rows, addons=[path]).to_dicts() == [
        {"Authentication.user": "ann", "Authentication.action": "success", "count": 1}
    ]
    path.write_text("- name: mine\n  feilds: {}\n")
    with pytest.raises(hp.DataError, match="feilds"):
        hp.spl("search *", rows, addons=path)


def test_damaged_events_do_no_harm(tmp_path):
    random.seed(7)
    broken = [SYSMON.replace("\n", "").encode(), b"\xff\xfe", b"{", b"a=" + b"x" * 100_000]
    pieces = [raw.encode() for raw in RAW] + broken
    path = tmp_path / "damaged.log"
    for _ in range(30):
        text = b"\n".join(random.choice(pieces)[: random.randrange(1, 400)] for _ in range(20))
        noise = bytes(random.randrange(256) for _ in range(40))
        path.write_bytes(b"log\n" + text + b"\n" + noise + b"\n" + b"[" * 5000)
        assert hp.spl("search * | stats count", path).to_dicts()[0]["count"] > 0
        hp.spl("| tstats count from datamodel=Endpoint.Processes by Processes.dest", path)

"""Rules give the same rows whatever kind of file the same events come from: hits, near misses and odd values."""

from __future__ import annotations

import csv
import datetime as dt
import random
import statistics
from pathlib import Path
from typing import Any, Optional

import formats
import huntpack as hp
import pytest
from formats import Row, Writer
from shared import NOW

END = dt.datetime(2026, 3, 12, 15, tzinfo=dt.timezone.utc)
MINUTE = 60
HOUR = 60 * MINUTE
DAY = 24 * HOUR


def stamp(age: float) -> str:
    """The time some seconds before the end."""
    return (END - dt.timedelta(seconds=age)).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def alerts_of(query: str, period: str, tables: dict[str, Any], folder: Path, **options: Any) -> list[Row]:
    """The rows of a rule with this query, run once at the end."""
    indented = "".join(f"  {line}\n" for line in query.strip().splitlines())
    text = (
        "id: 6a1f9f0e-6a39-4a7e-8a0a-0f5f6e7c8d9b\nname: Tried\nkind: Scheduled\nversion: 1.0.0\ndescription: d\n"
        f"severity: High\nqueryFrequency: 1h\nqueryPeriod: {period}\ntriggerOperator: gt\ntriggerThreshold: 0\n"
        f"tactics: [CredentialAccess]\nrelevantTechniques: [T1110]\nrequiredDataConnectors: []\nquery: |\n{indented}"
    )
    rule = folder / "tried.yaml"
    rule.write_text(text, encoding="utf-8")
    hits = hp.load(rule).run(tables, now=NOW, strict=True, **options)
    (table,) = hits.results.values()
    assert not table.problems
    assert len(hits.alerts) == (1 if len(table) else 0)
    return table.to_dicts()


# Sign-ins ---------------------------------------------------------------------------------------------------------

SPRAY = r"""
let listed = materialize(union isfuzzy=true (print Entry = "" | take 0),
    (_GetWatchlist("Offices") | project Entry = tostring(IPOrRange)) | where isnotempty(Entry));
let range = @'^\d+\.\d+\.\d+\.\d+-\d+\.\d+\.\d+\.\d+$';
let blocks = toscalar(listed | where not(Entry matches regex range)
    | extend Entry = iff(Entry has "/", Entry, strcat(Entry, "/32")) | summarize make_list(Entry));
let ranges = toscalar(listed | where Entry matches regex range | summarize make_list(Entry));
let strangers = (T:(IPAddress:string)) {
    T
    | where array_length(blocks) == 0 or not(coalesce(ipv4_is_in_any_range(IPAddress, blocks), false))
    | mv-apply pair = ranges to typeof(string) on (
        extend low = tostring(split(pair, "-")[0]), high = tostring(split(pair, "-")[1])
        | summarize within = max(toint(ipv4_compare(IPAddress, low) >= 0 and ipv4_compare(IPAddress, high) <= 0)))
    | where isnull(within) or within == 0
};
SigninLogs
| invoke strangers()
| where TimeGenerated > ago(1h) and ResultType != "0"
| summarize Failures = count(), Accounts = dcount(UserPrincipalName), Names = make_set(UserPrincipalName, 50),
    First = min(TimeGenerated), Last = max(TimeGenerated), Apps = make_set(AppDisplayName, 5),
    Places = make_set(Location, 3) by IPAddress
| where Accounts >= 10 and Failures >= 5
| sort by IPAddress asc
"""
ENTRIES = ["198.51.100.10", "192.0.2.0/25", "198.51.100.64-198.51.100.95"]


def failures(address: str, users: list[str], age: float = 30 * MINUTE, result: str = "50126") -> list[Row]:
    """A failed sign-in of each user, half a second apart."""
    return [
        {
            "TimeGenerated": stamp(age - at / 2),
            "ResultType": result,
            "IPAddress": address,
            "UserPrincipalName": user,
            "AppDisplayName": "Portal",
            "Location": "SE",
        }
        for at, user in enumerate(users)
    ]


def names(count: int) -> list[str]:
    return [f"user{n}@northwind.example" for n in range(count)]


def sign_ins() -> list[Row]:
    """What is found is named by what comes before it."""
    rows = failures("203.0.113.1", names(10))
    # Of the same name in two spellings, each counts; a missing name is one, too.
    rows += failures("203.0.113.2", [*names(8), "User0@northwind.example", ""])
    rows += failures("2001:db8::7", names(10))
    rows += failures("", names(10))
    # Nine within the hour, and one at its very beginning or a millisecond later.
    rows += failures("203.0.113.3", names(9)) + failures("203.0.113.3", ["late@northwind.example"], age=HOUR - 0.001)
    rows += failures("203.0.113.4", names(9)) + failures("203.0.113.4", ["late@northwind.example"], age=HOUR)
    rows += failures("203.0.113.5", names(9) * 4)
    rows += failures("203.0.113.6", names(9)) + failures("203.0.113.6", ["in@northwind.example"], result="0")
    # Allowed, and beside what is allowed.
    for address in ("198.51.100.10", "192.0.2.0", "192.0.2.127", "198.51.100.64", "198.51.100.80", "198.51.100.95"):
        rows += failures(address, names(12))
    for address in ("198.51.100.11", "192.0.2.128", "198.51.100.63", "198.51.100.96"):
        rows += failures(address, names(10))
    return rows


def sprayed(address: str, users: Optional[list[str]] = None, first: float = 30 * MINUTE) -> Row:
    found = names(10) if users is None else users
    return {
        "IPAddress": address,
        "Failures": len(found),
        "Accounts": len(found),
        "Names": sorted(found),
        "First": END - dt.timedelta(seconds=first),
        "Last": END - dt.timedelta(seconds=30 * MINUTE - (9 if first == 30 * MINUTE else 8) / 2),
        "Apps": ["Portal"],
        "Places": ["SE"],
    }


def strangers() -> list[Row]:
    plain = ["", "192.0.2.128", "198.51.100.11", "198.51.100.63", "198.51.100.96", "2001:db8::7", "203.0.113.1"]
    two = sprayed("203.0.113.2", [*names(8), "User0@northwind.example", ""])
    three = sprayed("203.0.113.3", [*names(9), "late@northwind.example"], first=HOUR - 0.001)
    return [*map(sprayed, plain), two, three]


def spray(source: Any, folder: Path, **options: Any) -> list[Row]:
    found = alerts_of(SPRAY, "1h", {"SigninLogs": source}, folder, **options)
    for row in found:
        row["Names"].sort()
    return found


@formats.every("SigninLogs")
def test_sign_ins(tmp_path: Path, write: Writer) -> None:
    path = write(tmp_path, "SigninLogs", sign_ins())
    listed = [{"IPOrRange": entry} for entry in ENTRIES]
    assert spray(path, tmp_path, watchlists={"Offices": listed}) == strangers()


@pytest.mark.parametrize(
    "entries, addresses",
    [
        (ENTRIES[:2], ["198.51.100.64", "198.51.100.80", "198.51.100.95"]),
        (ENTRIES[2:], ["198.51.100.10", "192.0.2.0", "192.0.2.127"]),
        ([], ["198.51.100.10", "192.0.2.0", "192.0.2.127", "198.51.100.64", "198.51.100.80", "198.51.100.95"]),
        (None, ["198.51.100.10", "192.0.2.0", "192.0.2.127", "198.51.100.64", "198.51.100.80", "198.51.100.95"]),
    ],
    ids=["without ranges", "only ranges", "empty", "absent"],
)
def test_watchlists(tmp_path: Path, entries: Optional[list[str]], addresses: list[str]) -> None:
    path = formats.ndjson(tmp_path, "SigninLogs", sign_ins())
    options = {}
    if entries is not None:
        listed = tmp_path / "offices.csv"
        listed.write_text("\n".join(["IPOrRange,Note", *(f"{entry}," for entry in entries), ""]), encoding="utf-8")
        options["watchlists"] = {"Offices": listed}
    found = {row["IPAddress"] for row in spray(path, tmp_path, **options)}
    assert found == {row["IPAddress"] for row in strangers()} | set(addresses)


# Private access -----------------------------------------------------------------------------------------------------

REFUSALS = """
CommonSecurityLog
| where TimeGenerated > ago(1h)
| where DeviceVendor == "Zscaler" and DeviceProduct has "ZPA"
| where DeviceAction in ("block", "BLOCK", "Failed", "Closed", "denied", "DENIED")
| where isnotempty(SourceUserName) or isnotempty(SourceIP)
| summarize Refused = count(), Hosts = dcount(DestinationHostName), From = make_set(SourceIP, 5),
    First = min(TimeGenerated), Last = max(TimeGenerated) by SourceUserName
| where Refused > 20
| sort by SourceUserName asc
"""


def refused(
    user: str, count: int, action: str = "Closed", product: str = "ZPA", address: str = "10.1.2.3"
) -> list[Row]:
    return [
        {
            "TimeGenerated": stamp(20 * MINUTE - at * 0.25),
            "DeviceVendor": "Zscaler",
            "DeviceProduct": product,
            "DeviceAction": action,
            "SourceUserName": user,
            "SourceIP": address,
            "DestinationHostName": f"app{at % 3}.northwind.example",
            "SentBytes": 100,
        }
        for at in range(count)
    ]


@formats.every("CommonSecurityLog")
def test_refusals(tmp_path: Path, write: Writer) -> None:
    rows = refused("ada@northwind.example", 21)
    rows += refused("Ada@northwind.example", 25, "DENIED")
    rows += refused("", 22, "block")
    rows += refused("20@northwind.example", 20)
    rows += refused("case@northwind.example", 30, "closed")
    rows += refused("web@northwind.example", 30, product="NSSWeblog")
    rows += refused("", 30, address="")
    rows += [{**row, "TimeGenerated": stamp(HOUR)} for row in refused("old@northwind.example", 30)]
    found = alerts_of(REFUSALS, "1h", {"CommonSecurityLog": write(tmp_path, "CommonSecurityLog", rows)}, tmp_path)
    first = END - dt.timedelta(minutes=20)

    def expected(user: str, count: int) -> Row:
        last = first + dt.timedelta(seconds=(count - 1) * 0.25)
        return {
            "SourceUserName": user,
            "Refused": count,
            "Hosts": 3,
            "From": ["10.1.2.3"],
            "First": first,
            "Last": last,
        }

    assert found == [
        expected("", 22),
        expected("Ada@northwind.example", 25),
        expected("ada@northwind.example", 21),
    ]


# Uploads ------------------------------------------------------------------------------------------------------------

UPLOADS = """
let sites = dynamic(["drive.google.com", "dropbox.com", "github.com", "t.me"]);
let sent = CommonSecurityLog
| where TimeGenerated > ago(14d)
| where DeviceVendor == "Zscaler" and DeviceAction !in ("Blocked", "blocked")
| where isnotempty(SourceUserName) and DestinationHostName has_any (sites)
| summarize Bytes = sum(SentBytes), Requests = count() by User = tolower(SourceUserName), Day = bin(TimeGenerated, 1d)
| summarize MB = round(toreal(sum(Bytes)) / 1048576, 2), Days = dcount(Day), Requests = sum(Requests) by User;
let average = toscalar(sent | summarize avg(MB));
let deviation = toscalar(sent | summarize stdev(MB));
let shared = OfficeActivity
| where TimeGenerated > ago(14d) and isnotempty(UserId)
| where Operation in ("SharingSet", "AnonymousLinkCreated")
| summarize Links = countif(Operation startswith "Anonymous"), Operations = make_set(Operation, 10)
    by User = tolower(UserId);
sent
| join kind=leftouter shared on User
| extend Links = coalesce(Links, 0), Score = iff(deviation > 0, round((MB - average) / deviation, 2), 0.0)
| where Score >= 3.0 or (Links >= 3 and MB > 10)
| project User, MB, Days, Requests, Links, Operations, Score
| sort by Score desc
"""
MB = 1048576


def sent(user: str, size: int, days: int, host: str = "www.dropbox.com", action: str = "Allowed") -> list[Row]:
    (row,) = refused(user, 1, action, "NSSWeblog")
    size //= days
    return [
        {**row, "TimeGenerated": stamp(n * DAY + 60), "SentBytes": size, "DestinationHostName": host}
        for n in range(days)
    ]


def shared(user: str, operations: list[str]) -> list[Row]:
    return [
        {"TimeGenerated": stamp(HOUR * (at + 1)), "Operation": name, "UserId": user}
        for at, name in enumerate(operations)
    ]


def both(folder: Path, write: Writer, write_office: Writer) -> dict[str, str]:
    uploads = [row for n in range(30) for row in sent(f"peer{n}@northwind.example", MB * (1 + n % 3), 1)]
    uploads += sent("Oskar@northwind.example", 100 * MB, 10) + sent("oskar@NORTHWIND.example", 20 * MB, 2)
    uploads += sent("Linda@northwind.example", 12 * MB, 3, "t.me")
    uploads += sent("lena@northwind.example", 9 * MB, 3)
    uploads += sent("blocked@northwind.example", 900 * MB, 3, action="Blocked")
    uploads += sent("other@northwind.example", 900 * MB, 3, "mydropbox.com") + sent("", 900 * MB, 3)
    links = ["AnonymousLinkCreated"] * 3
    office = shared("linda@northwind.example", [*links, "SharingSet"]) + shared("lena@northwind.example", links)
    office += shared("", links) + shared("peer1@northwind.example", ["SharingSet"] * 5)
    for name in ("proxy", "office"):
        (folder / name).mkdir()
    return {
        "CommonSecurityLog": str(write(folder / "proxy", "CommonSecurityLog", uploads)),
        "OfficeActivity": str(write_office(folder / "office", "OfficeActivity", office)),
    }


def check_uploads(tables: dict[str, str], folder: Path) -> None:
    found = alerts_of(UPLOADS, "14d", tables, folder)
    sizes = [1.0 + n % 3 for n in range(30)] + [120.0, 12.0, 9.0]
    average, deviation = statistics.mean(sizes), statistics.stdev(sizes)
    oskar, linda = (round((size - average) / deviation, 2) for size in (120, 12))
    row = {"User": "oskar@northwind.example", "MB": 120.0, "Days": 10, "Requests": 12, "Links": 0, "Score": oskar}
    assert found[0].pop("Operations") is None
    assert found[1]["Operations"].sort() is None
    other = {"User": "linda@northwind.example", "MB": 12.0, "Days": 3, "Requests": 3, "Links": 3, "Score": linda}
    assert found == [row, {**other, "Operations": ["AnonymousLinkCreated", "SharingSet"]}]


@formats.every("CommonSecurityLog")
def test_uploads(tmp_path: Path, write: Writer) -> None:
    check_uploads(both(tmp_path, write, formats.ndjson), tmp_path)


@formats.every("OfficeActivity")
def test_sharing(tmp_path: Path, write: Writer) -> None:
    check_uploads(both(tmp_path, formats.ndjson, write), tmp_path)


# Logons at a web server ---------------------------------------------------------------------------------------------

LOGONS = r"""
W3CIISLog
| where scStatus in ("401", "403") and csUserName != "-"
| extend Full = strcat(scStatus, ".", scSubStatus), Code = tohex(tolong(scWin32Status)), Query = url_decode(csUriQuery)
| extend Reason = case(Code =~ "52e", "wrong password", Code =~ "8009030E", "no credentials", "other")
| summarize makeset(csUserName), makeset(Full), makeset(Reason), makeset(Query), Failed = count()
    by bin(TimeGenerated, 1m), cIP, Computer, sIP
| where Failed >= 20
| extend Host = tostring(split(Computer, ".")[0])
| project-away Computer
| sort by cIP asc
"""


def logons(
    address: str, count: int, age: float, user: str = r"NW\ada", status: str = "401", win32: str = "1326"
) -> list[Row]:
    row = {
        "sIP": "10.20.0.15",
        "csUriQuery": "q=a%20b",
        "csUserName": user,
        "cIP": address,
        "Computer": "WEB01.corp.northwind.example",
        "scStatus": status,
        "scSubStatus": "1",
        "scWin32Status": win32,
    }
    return [{"TimeGenerated": stamp(age), **row} for _ in range(count)]


@formats.every("W3CIISLog")
def test_logons(tmp_path: Path, write: Writer) -> None:
    rows = logons("203.0.113.1", 19, 5 * HOUR) + logons("203.0.113.1", 1, 5 * HOUR - 59, r"nw\Ada", "403", "2148074254")
    rows += logons("203.0.113.2", 19, 5 * HOUR) + logons("203.0.113.2", 19, 5 * HOUR - 60)
    rows += logons("203.0.113.3", 40, 5 * HOUR, user="-") + logons("203.0.113.4", 40, 5 * HOUR, status="200")
    rows += logons("203.0.113.5", 40, 25 * HOUR)
    (found,) = alerts_of(LOGONS, "1d", {"W3CIISLog": write(tmp_path, "W3CIISLog", rows)}, tmp_path)
    assert found == {
        "TimeGenerated": END - dt.timedelta(hours=5),
        "cIP": "203.0.113.1",
        "sIP": "10.20.0.15",
        "set_csUserName": [r"NW\ada", r"nw\Ada"],
        "set_Full": ["401.1", "403.1"],
        "set_Reason": ["wrong password", "no credentials"],
        "set_Query": ["q=a b"],
        "Failed": 20,
        "Host": "WEB01",
    }


def test_cells_with_line_ends_are_read_alike_by_any_threads(tmp_path: Path) -> None:
    """Cells hold line ends, quotes and delimiters; some are longer than what a thread reads at once."""
    chance = random.Random(7)
    pieces = ["x", '"', "\n", ",", "é", "word ", '""', '\n"']
    lengths = [0, 3, 30, 300] * 1000 + [400_000] * 2
    rows = [(str(at), "".join(chance.choices(pieces, k=chance.choice(lengths)))) for at in range(12_000)]
    rows[5_000] = ("5000", '"\n,' * 700_000)
    path = tmp_path / "cells.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("name", "text"), *rows])
    for threads in (1, 2, 7):
        found = hp.kql("T | project tostring(name), text", {"T": path}, threads=threads)
        assert found.rows() == rows
        assert not found.problems

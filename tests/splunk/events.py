"""Rows of Log Analytics tables as the events that Splunk's add-ons make of the same records."""

from __future__ import annotations

import csv
import datetime as dt
import json
import random
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Callable

import huntpack
from huntpack import samples
from protocol import Row

Record = dict[str, Any]

RULES = Path(huntpack.__file__).parent / "rules"

# The sample company's own networks.
ALLOWED = list(csv.DictReader(samples.ALLOWLIST.splitlines()))

# The fields of the sample logs by the columns that they become.
COLUMNS = {
    "suser": "SourceUserName",
    "src": "SourceIP",
    "dhost": "DestinationHostName",
    "act": "DeviceAction",
    "out": "SentBytes",
    "in": "ReceivedBytes",
    "request": "RequestURL",
    "action": "DeviceAction",
    "threatname": "DeviceCustomString5",
    "login": "SourceUserName",
    "serverip": "DestinationIP",
    "hostname": "DestinationHostName",
    "url": "RequestURL",
    "c-ip": "cIP",
    "cs-username": "csUserName",
    "cs-method": "csMethod",
    "cs-uri-stem": "csUriStem",
    "cs(User-Agent)": "csUserAgent",
    "s-ip": "sIP",
    "s-computername": "Computer",
    "s-sitename": "sSiteName",
    "sc-status": "scStatus",
    "sc-substatus": "scSubStatus",
    "sc-win32-status": "scWin32Status",
}


def twin(rule: str) -> Path:
    """The detection of a built-in rule: the same name, behind that of the product whose events it searches."""
    (found,) = (RULES / "escu").glob(f"*_{rule.replace('-', '_')}.yml")
    return found


def company() -> list[Row]:
    """What happened in the sample company, the newest event first, as a search gives it."""
    work = samples.Company(random.Random(7))
    logs = [
        ("SigninLogs", {}, work.sign_ins()),
        ("CommonSecurityLog", {"DeviceProduct": "ZPA"}, work.private_access()),
        ("CommonSecurityLog", {"DeviceProduct": "NSSWeblog"}, work.web_traffic()),
        ("OfficeActivity", {}, work.office()),
        ("W3CIISLog", {}, work.web_requests()),
        ("CommonSecurityLog", {"DeviceProduct": "NSSWeblog"}, work.stopped_downloads()),
    ]
    found = [event for table, more, events in logs for event in raw(table, (as_record(each, more) for each in events))]
    return sorted(found, key=lambda event: str(event["_time"]), reverse=True)


def write(folder: Path, events: Iterable[Row]) -> Path:
    """Events in a file, as Splunk exports them."""
    path = folder / "events.ndjson"
    path.write_text("".join(json.dumps(event) + "\n" for event in events), encoding="utf-8")
    return path


def as_record(event: samples.Event, more: Record) -> Record:
    """An event of the samples in the columns of its table."""
    record = {COLUMNS.get(name, name): value for name, value in event.record.items()}
    if "ClientIP" in record and more:  # of Office's records it is a column by itself
        record["SourceIP"] = record.pop("ClientIP")
    return {"TimeGenerated": f"{event.time:%Y-%m-%dT%H:%M:%S.%f}Z", **record, **more}


def moment(record: Record) -> dt.datetime:
    """When a record happened."""
    return dt.datetime.fromisoformat(record["TimeGenerated"].replace("Z", "+00:00"))


def sign_in(record: Record) -> Record:
    """Entra's diagnostic record: the best known of it outside, the rest in `properties`."""
    code = record.get("ResultType", "")
    inside = {
        "userPrincipalName": record.get("UserPrincipalName"),
        "appDisplayName": record.get("AppDisplayName"),
        "userAgent": record.get("UserAgent"),
        "ipAddress": record.get("IPAddress"),
        "status": {"errorCode": int(code or 0)},
    }
    return {
        "time": record["TimeGenerated"],
        "category": "SignInLogs",
        "operationName": "Sign-in activity",
        "resultType": code,
        "resultDescription": record.get("ResultDescription"),
        "callerIpAddress": record.get("IPAddress"),
        "location": record.get("Location"),
        "properties": inside,
    }


def connection(record: Record) -> Record:
    """A line of ZPA's user activity log."""
    return {
        "LogTimestamp": f"{moment(record):%a %b %d %H:%M:%S %Y}",
        "ConnectionStatus": record.get("DeviceAction"),
        "Username": record.get("SourceUserName"),
        "ClientPublicIP": record.get("SourceIP"),
        "Host": record.get("DestinationHostName"),
        "ServerIP": record.get("DestinationIP"),
        "ServicePort": record.get("DestinationPort"),
    }


def request(record: Record) -> Record:
    """A line of ZIA's web log."""
    return {
        "action": record.get("DeviceAction"),
        "user": record.get("SourceUserName"),
        "ClientIP": record.get("SourceIP"),
        "hostname": record.get("DestinationHostName"),
        "serverip": record.get("DestinationIP"),
        "url": record.get("RequestURL"),
        "requestsize": record.get("SentBytes"),
        "responsesize": record.get("ReceivedBytes"),
        "threatname": record.get("DeviceCustomString5"),
    }


def audit(record: Record) -> Record:
    """A record of Microsoft 365's unified audit log."""
    return {
        "CreationTime": record["TimeGenerated"].rstrip("Z"),
        "Operation": record.get("Operation"),
        "UserId": record.get("UserId"),
        "ClientIP": record.get("ClientIP"),
        "Workload": record.get("OfficeWorkload"),
    }


def web_request(record: Record) -> Record:
    """The fields that the IIS add-on extracts."""
    return {
        "c_ip": record.get("cIP"),
        "cs_username": record.get("csUserName"),
        "cs_method": record.get("csMethod"),
        "cs_uri_stem": record.get("csUriStem"),
        "cs_uri_query": record.get("csUriQuery"),
        "cs_User_Agent": record.get("csUserAgent"),
        "s_ip": record.get("sIP"),
        "s_port": record.get("sPort"),
        "s_computername": record.get("Computer"),
        "s_sitename": record.get("sSiteName"),
        "sc_status": record.get("scStatus"),
        "sc_substatus": record.get("scSubStatus"),
        "sc_win32_status": record.get("scWin32Status"),
        "time_taken": record.get("TimeTaken"),
    }


def shape(table: str, record: Record) -> tuple[str, Callable[[Record], Record]]:
    """The sourcetype of a record, and what makes its event."""
    if table == "CommonSecurityLog":
        broker = record.get("DeviceProduct") == "ZPA"
        return ("zscalerlss-zpa-app", connection) if broker else ("zscalernss-web", request)
    return {
        "SigninLogs": ("azure:monitor:aad", sign_in),
        "OfficeActivity": ("o365:management:activity", audit),
        "W3CIISLog": ("ms:iis:auto", web_request),
    }[table]


def known(value: Any) -> Any:
    """A value without the parts that are not known."""
    if not isinstance(value, dict):
        return value
    return {name: known(part) for name, part in value.items() if part is not None}


def raw(table: str, records: Iterable[Record]) -> Iterator[Row]:
    """Events that hold their record in `_raw` alone, as a search in fast mode gives them."""
    for record in records:
        sourcetype, made = shape(table, record)
        yield {**metadata(record, sourcetype), "_raw": json.dumps(known(made(record)), separators=(",", ":"))}


def extracted(table: str, records: Iterable[Record]) -> Iterator[Row]:
    """Events whose fields Splunk has extracted; their text is of no use."""
    for record in records:
        sourcetype, made = shape(table, record)
        yield {**metadata(record, sourcetype), "_raw": "-", **dict(flat(known(made(record))))}


def metadata(record: Record, sourcetype: str) -> Row:
    """What every event has."""
    return {
        "_time": f"{moment(record).timestamp():.3f}",
        "host": "collector-1",
        "index": "main",
        "source": f"/var/log/{sourcetype.replace(':', '-')}",
        "sourcetype": sourcetype,
    }


def flat(record: Record, prefix: str = "") -> Iterator[tuple[str, str]]:
    """Fields as Splunk names them: a dot leads into an object."""
    for name, value in record.items():
        if isinstance(value, dict):
            yield from flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", str(value)

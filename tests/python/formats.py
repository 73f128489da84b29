"""The same events as every kind of export: each writer takes a table's name and rows, and gives the path to read."""

from __future__ import annotations

import csv
import datetime as dt
import gzip
import io
import json
from pathlib import Path
from typing import Any, Callable

import pytest

Row = dict[str, Any]
Writer = Callable[[Path, str, "list[Row]"], Path]
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.timezone.utc)


def moment(row: Row) -> dt.datetime:
    """A row's time; all have milliseconds."""
    return dt.datetime.strptime(row["TimeGenerated"], "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=dt.timezone.utc)


def columns(rows: list[Row]) -> list[str]:
    """All columns that any row has."""
    return list(dict.fromkeys(name for row in rows for name in row))


def written(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode())
    return path


def lines(records: list[Any]) -> str:
    return "".join(json.dumps(record) + "\n" for record in records)


def ndjson(folder: Path, table: str, rows: list[Row]) -> Path:
    return written(folder / f"{table}.ndjson", lines(rows))


def array(folder: Path, table: str, rows: list[Row]) -> Path:
    return written(folder / f"{table}.json", json.dumps(rows, indent=2))


def answer(folder: Path, table: str, rows: list[Row]) -> Path:
    """An answer of the query API."""
    kinds = {"TimeGenerated": "datetime", "SentBytes": "long"}
    names = columns(rows)
    heads = [{"name": name, "type": kinds.get(name, "string")} for name in names]
    cells = [[row.get(name) for name in names] for row in rows]
    return written(
        folder / f"{table}.json", json.dumps({"tables": [{"name": "PrimaryResult", "columns": heads, "rows": cells}]})
    )


def continuous_export(folder: Path, table: str, rows: list[Row]) -> Path:
    """A storage container: a file for each hour."""
    hours: dict[str, list[Row]] = {}
    for row in rows:
        hours.setdefault(f"{moment(row):y=%Y/m=%m/d=%d/h=%H/m=00}", []).append({"Type": table, **row})
    for hour, records in hours.items():
        written(folder / "export" / f"am-{table}" / "WorkspaceResourceId=x" / hour / "PT1H.json", lines(records))
    return folder / "export"


def diagnostic(folder: Path, _: str, rows: list[Row]) -> Path:
    """Sign-ins as Entra's diagnostic settings write them."""
    return written(folder / "insights-logs-signinlogs.json", lines([entra(row) for row in rows]))


def records(folder: Path, _: str, rows: list[Row]) -> Path:
    """Diagnostic sign-ins as an event hub hands them on, with another category's records among them."""
    other = {"time": rows[0]["TimeGenerated"], "category": "AuditLogs", "callerIpAddress": rows[0]["IPAddress"]}
    found = [record for row in rows for record in (entra(row), other)]
    return written(folder / "records.json", json.dumps({"records": found}))


def entra(row: Row) -> Row:
    properties = {
        "userPrincipalName": row["UserPrincipalName"],
        "ipAddress": row["IPAddress"],
        "appDisplayName": row["AppDisplayName"],
        "status": {"errorCode": int(row["ResultType"])},
        "location": {"countryOrRegion": row["Location"], "city": "Town"},
    }
    return {
        "time": row["TimeGenerated"],
        "category": "SignInLogs",
        "resultType": row["ResultType"],
        "callerIpAddress": row["IPAddress"],
        "location": row["Location"],
        "properties": properties,
    }


def splunk(results: list[Row]) -> str:
    return lines([{"preview": False, "offset": at, "result": result} for at, result in enumerate(results)])


def splunk_raw(folder: Path, table: str, rows: list[Row]) -> Path:
    """A Splunk export with the events as they came."""
    return written(folder / "splunk.json", splunk(raw_results(table, rows)))


def raw_results(table: str, rows: list[Row]) -> list[Row]:
    """`host` is the machine that Splunk had an event from, `source` the file or the input."""
    results = []
    for row in rows:
        sourcetype, event = raw_event(table, row)
        raw = event if isinstance(event, str) else json.dumps(event)
        about = {"host": "forwarder", "source": "a", "sourcetype": sourcetype}
        results.append({"_raw": raw, "_time": splunk_time(row), **about})
    return results


def raw_event(table: str, row: Row) -> tuple[str, Any]:
    time = row["TimeGenerated"]
    if table == "SigninLogs":
        return "azure:monitor:aad", entra(row)
    if table == "OfficeActivity":
        rest = {key: value for key, value in row.items() if key != "TimeGenerated"}
        return "o365:management:activity", {"CreationTime": time, **rest}
    if row["DeviceProduct"] == "ZPA":
        names = {"ConnectionStatus": "DeviceAction", "Username": "SourceUserName", "ClientPublicIP": "SourceIP"}
        fields = {field: row[name] for field, name in names.items()}
        return "zscalerlss-zpa-app", {"LogTimestamp": time, **fields, "Host": row["DestinationHostName"]}
    names = {"action": "DeviceAction", "user": "SourceUserName", "hostname": "DestinationHostName"}
    fields = {**{field: row[name] for field, name in names.items()}, "requestsize": str(row["SentBytes"])}
    event = {"datetime": time, "cip": row["SourceIP"], **fields}
    if row["SentBytes"] % 2:
        return "zscalernss-web", {"sourcetype": "zscalernss-web", "event": event}
    return "zscalernss-web", "\t".join([time, *(f"{key}={value}" for key, value in event.items() if key != "datetime")])


def splunk_page(folder: Path, table: str, rows: list[Row]) -> Path:
    """The results of a search job as Splunk's own interface hands them out."""
    results = raw_results(table, rows)
    return written(folder / "page.json", json.dumps({"preview": False, "fields": [], "results": results}))


def splunk_csv(folder: Path, table: str, rows: list[Row]) -> Path:
    results = raw_results(table, rows)
    return written(folder / "splunk.csv", comma_separated(columns(results), results, "\n"))


def splunk_time(row: Row) -> str:
    """In the time zone of whoever exported."""
    zone = dt.timezone(dt.timedelta(hours=1))
    return moment(row).astimezone(zone).isoformat(timespec="milliseconds")


SPLUNK_FIELDS = {
    "SigninLogs": {
        "IPAddress": "src",
        "UserPrincipalName": "user",
        "ResultType": "properties.status.errorCode",
        "AppDisplayName": "app",
        "Location": "location",
    },
    "CommonSecurityLog": {
        "DeviceAction": "action",
        "SourceUserName": "user",
        "SourceIP": "src",
        "DestinationHostName": "hostname",
        "SentBytes": "requestsize",
    },
    "W3CIISLog": {
        "cIP": "c_ip",
        "csUserName": "cs_username",
        "scStatus": "sc_status",
        "scSubStatus": "sc_substatus",
        "scWin32Status": "sc_win32_status",
        "sIP": "s_ip",
        "Computer": "s_computername",
        "csUriQuery": "cs_uri_query",
    },
}
SOURCETYPES = {"NSSWeblog": "zscalernss-web", "ZPA": "zscalerlss-zpa-app"}


def splunk_fields(folder: Path, table: str, rows: list[Row]) -> Path:
    """A Splunk export with extracted fields, among other products' events."""
    names = SPLUNK_FIELDS[table]
    other = "iis" if table != "W3CIISLog" else "o365:management:activity"
    results: list[Row] = [{"_time": "2026-03-12T15:30:00.000+01:00", "sourcetype": other, "user": "root"}]
    for row in rows:
        default = {"SigninLogs": "azure:monitor:aad", "W3CIISLog": "ms:iis:auto"}.get(table, "")
        sourcetype = SOURCETYPES.get(row.get("DeviceProduct", ""), default)
        fields = {names[name]: str(value) for name, value in row.items() if name in names}
        results.append({"_time": splunk_time(row), "sourcetype": sourcetype, **fields})
    return written(folder / "splunk.json", splunk(results))


def plain_csv(folder: Path, table: str, rows: list[Row]) -> Path:
    return written(folder / f"{table}.csv", comma_separated(columns(rows), rows, "\n"))


def comma_separated(names: list[str], rows: list[Row], end: str) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, names, restval="", lineterminator=end)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def portal_csv(folder: Path, table: str, rows: list[Row]) -> Path:
    """What the portal's download button gives."""
    shown = [{("TimeGenerated [UTC]" if k == "TimeGenerated" else k): v for k, v in row.items()} for row in rows]
    for row, record in zip(rows, shown):
        time = moment(row)
        hour = f"{time.hour % 12 or 12}:{time:%M:%S}.{time.microsecond // 1000:03} {'PM' if time.hour > 11 else 'AM'}"
        record["TimeGenerated [UTC]"] = f"{time.month}/{time.day}/{time.year}, {hour}"
    return written(folder / f"{table}.csv", "\ufeff" + comma_separated(columns(shown), shown, "\r\n"))


W3C_FIELDS = {
    "sIP": "s-ip",
    "csUriQuery": "cs-uri-query",
    "csUserName": "cs-username",
    "cIP": "c-ip",
    "Computer": "s-computername",
    "scStatus": "sc-status",
    "scSubStatus": "sc-substatus",
    "scWin32Status": "sc-win32-status",
}


def w3c(folder: Path, _: str, rows: list[Row]) -> Path:
    """A folder of IIS logs, a file for each day."""
    head = "#Software: Microsoft Internet Information Services 10.0\r\n"
    head += f"#Fields: date time {' '.join(W3C_FIELDS.values())}\r\n"
    days: dict[str, str] = {}
    for row in rows:
        cells = [str(row.get(name) or "-").replace(" ", "+") for name in W3C_FIELDS]
        name = f"u_ex{moment(row):%y%m%d}.log"
        days[name] = days.get(name, head) + f"{moment(row):%Y-%m-%d %H:%M:%S} {' '.join(cells)}\r\n"
    for name, text in days.items():
        written(folder / "W3SVC1" / name, text)
    return folder / "W3SVC1"


CEF_FIELDS = {
    "DeviceAction": "act",
    "SourceUserName": "suser",
    "SourceIP": "src",
    "DestinationHostName": "dhost",
    "SentBytes": "out",
}


def cef(folder: Path, _: str, rows: list[Row], header: str = "") -> Path:
    text = []
    for row in rows:
        fields = {key: row[name] for name, key in CEF_FIELDS.items() if row.get(name) not in (None, "")}
        fields["rt"] = (moment(row) - EPOCH) // dt.timedelta(milliseconds=1)
        extension = " ".join(f"{key}={value}" for key, value in fields.items())
        text.append(f"{header}CEF:0|{row['DeviceVendor']}|{row['DeviceProduct']}|6.1|id|name|3|{extension}\n")
    return written(folder / "events.cef", "".join(text))


def cef_behind_syslog(folder: Path, table: str, rows: list[Row]) -> Path:
    return cef(folder, table, rows, "<134>Mar 12 14:59:59 gate-1 ")


def parquet(folder: Path, table: str, rows: list[Row]) -> Path:
    pa = pytest.importorskip("pyarrow")
    pq = pytest.importorskip("pyarrow.parquet")
    typed = [{**row, "TimeGenerated": moment(row)} for row in rows]
    path = folder / f"{table}.parquet"
    pq.write_table(pa.Table.from_pylist(typed), path)
    return path


def gzipped(folder: Path, table: str, rows: list[Row]) -> Path:
    path = folder / f"{table}.csv.gz"
    path.write_bytes(gzip.compress(plain_csv(folder, table, rows).read_bytes()))
    return path


def zstandard(folder: Path, table: str, rows: list[Row]) -> Path:
    pa = pytest.importorskip("pyarrow")
    path = folder / f"{table}.json.zst"
    with pa.CompressedOutputStream(str(path), "zstd") as stream:
        stream.write(lines(rows).encode())
    return path


ANY: list[Writer] = [ndjson, array, answer, continuous_export, plain_csv, portal_csv, parquet, gzipped, zstandard]
WRITERS: dict[str, list[Writer]] = {
    "SigninLogs": [*ANY, diagnostic, records, splunk_raw, splunk_page, splunk_csv, splunk_fields],
    "CommonSecurityLog": [*ANY, cef, cef_behind_syslog, splunk_raw, splunk_page, splunk_csv, splunk_fields],
    "OfficeActivity": [*ANY, splunk_raw, splunk_page, splunk_csv],
    "W3CIISLog": [*ANY, w3c, splunk_fields],
}


def every(table: str) -> Any:
    """Runs a test with each writer of a table."""
    return pytest.mark.parametrize("write", WRITERS[table], ids=lambda writer: writer.__name__)

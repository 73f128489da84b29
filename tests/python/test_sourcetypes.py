"""What is known of sourcetypes: the fields of events as they are logged, and the data models that they are in."""

from __future__ import annotations

import json
from typing import Any

import huntpack as hp
import pytest

PAN_TRAFFIC = (
    "Mar 12 13:00:00 fw.example 1,2026/03/12 13:00:00,0123,TRAFFIC,end,2305,2026/03/12 13:00:00,10.1.2.3,192.0.2.9,"
    "198.51.100.2,192.0.2.9,Out,corp\\ann,,ssl,vsys1,Trust,Untrust,e1/2,e1/1,fwd,2026/03/12 13:00:00,147,1,50624,443,"
    "11024,443,0x40,tcp,{action},7419,6609,810,25,2026/03/12 12:59:00,65,any,0,37,0x0,10.0.0.0,US,0,14,11,tcp-fin"
)
PAN_URL = (
    "1,2026/03/12 13:00:00,0123,THREAT,url,2305,2026/03/12 13:00:00,10.1.2.3,192.0.2.9,198.51.100.2,192.0.2.9,Out,ann,,"
    "web-browsing,vsys1,Trust,Untrust,e1/2,e1/1,fwd,2026/03/12 13:00:00,147,1,50624,443,11024,443,0x40,tcp,block-url,"
    '"shop.example/a,b",(9999),malware,informational,client-to-server,7,0x0,10.0.0.0,US,0,text/html,0,,,1,"Mozilla/5.0'
    ' (X11; Linux)",,,,,,,0,1,2,3,4,,fw-01,,,,get'
)
ASA = (
    "%ASA-6-302013: Built outbound TCP connection 77 for outside:192.0.2.9/443 (192.0.2.9/443) to "
    "inside:10.1.2.3/50624 (198.51.100.2/50624)"
)
NGINX = (
    'site="shop.example" dest_ip="192.0.2.1" src="198.51.100.1" status="404" https="on" uri_path="/a" '
    'uri_query="q=1" http_method="GET" bytes_in="10" bytes_out="20"'
)
CASES: list[tuple[str, Any, str, dict[str, Any]]] = [
    (
        "pan:traffic",
        PAN_TRAFFIC.format(action="allow"),
        "Network_Traffic.All_Traffic",
        {
            "src": "10.1.2.3",
            "dest": "192.0.2.9",
            "dest_port": "443",
            "transport": "tcp",
            "action": "allowed",
            "bytes_in": "810",
        },
    ),
    (
        "pan:traffic",
        PAN_TRAFFIC.format(action="deny"),
        "Network_Traffic.All_Traffic",
        {"action": "blocked", "app": "ssl"},
    ),
    (
        "pan:threat",
        PAN_URL,
        "Web.Web",
        {
            "url": "shop.example/a,b",
            "category": "malware",
            "action": "blocked",
            "http_user_agent": "Mozilla/5.0 (X11; Linux)",
        },
    ),
    (
        "cisco:asa",
        ASA,
        "Network_Traffic.All_Traffic",
        {"src": "192.0.2.9", "dest": "10.1.2.3", "dest_port": "50624", "transport": "tcp", "action": "allowed"},
    ),
    (
        "aws:cloudwatchlogs:vpcflow",
        "2 123456789012 eni-1 10.0.1.30 10.0.1.1 47254 22 6 2 98 1773320400 1773320428 REJECT OK",
        "Network_Traffic.All_Traffic",
        {"src_ip": "10.0.1.30", "dest_port": "22", "transport": "tcp", "action": "blocked", "duration": 28},
    ),
    (
        "linux_secure",
        "Mar 12 13:00:00 web1 sshd[567]: Failed password for invalid user ann from 192.0.2.9 port 63487 ssh2",
        "Authentication.Authentication",
        {"user": "ann", "src": "192.0.2.9", "dest": "web1", "action": "failure", "app": "sshd"},
    ),
    (
        "nginx:plus:kv",
        NGINX,
        "Web.Web",
        {"url": "https://shop.example/a?q=1", "dest": "192.0.2.1", "action": "failure", "bytes": 30},
    ),
    (
        "suricata",
        {
            "event_type": "alert",
            "src_ip": "192.0.2.9",
            "dest_ip": "10.0.0.1",
            "alert": {"signature": "Scan", "severity": 2, "category": "Recon", "action": "allowed"},
        },
        "Intrusion_Detection.IDS_Attacks",
        {"signature": "Scan", "severity": "medium", "src": "192.0.2.9", "ids_type": "network"},
    ),
    (
        "zeek:conn:json",
        {
            "uid": "C1",
            "id.orig_h": "10.0.0.5",
            "id.resp_h": "192.0.2.9",
            "id.resp_p": 443,
            "proto": "tcp",
            "conn_state": "SF",
        },
        "Network_Traffic.All_Traffic",
        {"src": "10.0.0.5", "dest": "192.0.2.9", "dest_port": "443", "action": "allowed", "transport": "tcp"},
    ),
    (
        "stream:dns",
        {
            "src_ip": "10.0.0.5",
            "dest_ip": "10.0.0.1",
            "query": ["a.example"],
            "query_type": ["A"],
            "message_type": "QUERY",
        },
        "Network_Resolution.DNS",
        {"query": "a.example", "src": "10.0.0.5", "record_type": "A"},
    ),
    (
        "crowdstrike:events:sensor",
        {
            "event_simpleName": "ProcessRollup2",
            "aid": "a1",
            "cid": "c1",
            "ImageFileName": "\\Device\\HarddiskVolume1\\Windows\\System32\\cmd.exe",
            "CommandLine": "cmd /c whoami",
            "ParentBaseFileName": "explorer.exe",
            "RawProcessId": "5012",
            "IntegrityLevel": "12288",
            "UserSid": "S-1-5-21-1",
        },
        "Endpoint.Processes",
        {
            "process_name": "cmd.exe",
            "process": "cmd /c whoami",
            "parent_process_name": "explorer.exe",
            "process_id": "5012",
            "process_integrity_level": "high",
            "user": "S-1-5-21-1",
        },
    ),
    (
        "OktaIM2:log",
        {
            "eventType": "user.session.start",
            "outcome": {"result": "FAILURE"},
            "actor": {"alternateId": "ann@example.com"},
            "client": {"ipAddress": "192.0.2.9"},
        },
        "Authentication.Authentication",
        {"user": "ann@example.com", "src": "192.0.2.9", "action": "failure", "app": "Okta"},
    ),
]


@pytest.mark.parametrize(("sourcetype", "logged", "dataset", "expected"), CASES)
def test_events_enter_data_models(sourcetype: str, logged: Any, dataset: str, expected: dict[str, Any]) -> None:
    raw = logged if isinstance(logged, str) else json.dumps(logged)
    search = f"| from datamodel:{dataset} | table {' '.join(expected)}"
    assert hp.spl(search, [{"_raw": raw, "sourcetype": sourcetype}]).to_dicts() == [expected]


def test_lines_of_a_directory_are_fields() -> None:
    raw = "03/12/2026 13:00:00.000\ndcName=dc1.example\nadmonEventType=Update\n\tdisplayName=Default Policy\n"
    found = hp.spl(
        "search admonEventType=Update | table dcName displayName", [{"_raw": raw, "source": "ActiveDirectory"}]
    )
    assert found.to_dicts() == [{"dcName": "dc1.example", "displayName": "Default Policy"}]


def test_pairs_of_names_and_values_are_fields() -> None:
    properties = [{"Name": "UserAgent", "Value": "Mozilla/5.0 (X11)"}, {"Name": "RequestType", "Value": "OAuth2:Token"}]
    raw = {
        "Operation": "UserLoggedIn",
        "Workload": "AzureActiveDirectory",
        "UserId": "a@b.c",
        "ExtendedProperties": properties,
    }
    event = {"_raw": json.dumps(raw), "sourcetype": "o365:management:activity"}
    found = hp.spl("search * | table UserAgent user_agent RequestType", [event]).to_dicts()
    assert found == [
        {"UserAgent": "Mozilla/5.0 (X11)", "user_agent": "Mozilla/5.0 (X11)", "RequestType": "OAuth2:Token"}
    ]


def test_a_time_in_brackets_is_no_json() -> None:
    raw = "[12/Mar/2026:13:00:00 +0000]    USER=ann GROUP=ops IP=192.0.2.9 OPERATION=adduser"
    found = hp.spl("search OPERATION=adduser | table USER IP", [{"_raw": raw, "sourcetype": "ivanti_vtm_audit"}])
    assert found.to_dicts() == [{"USER": "ann", "IP": "192.0.2.9"}]

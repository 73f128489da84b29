"""An alert as a person reads it: the parts of a SecurityAlert row, or of a finding of Splunk, unpacked."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from huntpack import Hits, Pack

SEVERITIES = ("Critical", "High", "Medium", "Low", "Informational")

# The identifier that names an entity best, by the entity's type.
IDENTIFIERS = (
    "Address",
    "FullName",
    "HostName",
    "Url",
    "DomainName",
    "MailboxPrimaryAddress",
    "CommandLine",
    "Value",
    "ResourceId",
    "Name",
)

KINDS = {"ip": "IP", "url": "URL", "dns": "DNS"}


@dataclass(frozen=True)
class Alert:
    """What an analyst asks of an alert first."""

    name: str
    severity: str
    description: str
    rule_id: str
    rule: str
    start: dt.datetime | None
    end: dt.datetime | None
    entities: tuple[tuple[str, str], ...]
    tactics: tuple[str, ...]
    techniques: tuple[str, ...]
    details: dict[str, Any]


def of(hits: Hits, pack: Pack | None = None) -> list[Alert]:
    """The alerts and findings of a run: the gravest first, then by time."""
    names = {rule.id: rule.name or "" for rule in pack or ()}
    alerts = [alert(record, names) for record in hits.alerts.to_dicts()]
    alerts += [finding(record) for record in hits.findings.to_dicts()]
    return sorted(alerts, key=lambda a: (rank(a.severity), str(a.start), a.name))


def rank(severity: str) -> int:
    """0 for the gravest."""
    return SEVERITIES.index(severity) if severity in SEVERITIES else len(SEVERITIES)


def alert(record: dict[str, Any], names: dict[str | None, str]) -> Alert:
    """One SecurityAlert row."""
    properties = unpack(record.get("ExtendedProperties")) or {}
    details = unpack(properties.get("Custom Details")) or {}
    start, end = times(details, "StartTime"), times(details, "EndTime")
    rule_id = str(record.get("AlertType") or "").rpartition("_")[2]
    return Alert(
        name=record.get("DisplayName") or "",
        severity=record.get("AlertSeverity") or "",
        description=(record.get("Description") or "").strip(),
        rule_id=rule_id,
        rule=names.get(rule_id) or properties.get("Analytic Rule Name") or record.get("AlertName") or "",
        start=min([*start, *filter(None, [record.get("StartTime")])], default=None),
        end=max([*end, *filter(None, [record.get("EndTime")])], default=None),
        entities=tuple(map(entity, unpack(record.get("Entities")) or [])),
        tactics=listed(record.get("Tactics")),
        techniques=precise(listed(record.get("Techniques")), listed(record.get("SubTechniques"))),
        details={key: value for key, value in details.items() if key not in ("StartTime", "EndTime")},
    )


def finding(record: dict[str, Any]) -> Alert:
    """One finding of a Splunk detection."""
    start, end = period_of(record)
    return Alert(
        name=record.get("title") or "",
        severity=(record.get("severity") or "").title(),
        description="",
        rule_id=record.get("rule_id") or "",
        rule=record.get("rule_name") or "",
        start=start,
        end=end,
        entities=((record.get("entity_type") or "entity", record["entity"]),) if record.get("entity") else (),
        tactics=(),
        techniques=techniques_of(record),
        details={},
    )


def period_of(record: dict[str, Any]) -> tuple[dt.datetime | None, dt.datetime | None]:
    """From when until when a finding or risk event tells: by the times that detections name so, else its own."""
    row = unpack(record.get("row")) or {}
    own = record.get("_time")
    start, end = ([*map(time_of, each(row.get(name)))] for name in ("firstTime", "lastTime"))
    return min(filter(None, start), default=own), max(filter(None, end), default=own)


def techniques_of(record: dict[str, Any]) -> tuple[str, ...]:
    """The ATT&CK techniques of a finding or a risk event."""
    annotations = unpack(record.get("annotations")) or {}
    return tuple(map(str, each(annotations.get("mitre_attack"))))


def each(value: Any) -> list[Any]:
    """The values of a list, a value by itself, or none."""
    return value if isinstance(value, list) else [] if value is None else [value]


def time_of(value: Any) -> dt.datetime | None:
    """A time from text in UTC, or from seconds since 1970."""
    with contextlib.suppress(ValueError, OverflowError, OSError):
        if isinstance(value, (int, float)):
            return dt.datetime.fromtimestamp(value, dt.timezone.utc)
        return dt.datetime.strptime(str(value)[:19], "%Y-%m-%dT%H:%M:%S").replace(tzinfo=dt.timezone.utc)
    return None


def times(details: dict[str, Any], name: str) -> list[dt.datetime]:
    """The times of a custom detail: an alert itself knows its rows' TimeGenerated alone, which often is the last."""
    return [time for time in map(time_of, details.get(name) or []) if time]


def precise(techniques: tuple[str, ...], subs: tuple[str, ...]) -> tuple[str, ...]:
    """Techniques, each given way to its sub-techniques."""
    covered = {sub.partition(".")[0] for sub in subs}
    return tuple(dict.fromkeys([*(t for t in techniques if t not in covered), *subs]))


def unpack(value: Any) -> Any:
    """The value of a JSON text; a text that is none stays out."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return None


def listed(value: Any) -> tuple[str, ...]:
    """A list from JSON text or from text with commas, as both occur in alerts."""
    found = unpack(value)
    if isinstance(found, list):
        return tuple(str(item).strip() for item in found if item)
    return tuple(part.strip() for part in str(value or "").split(",") if part.strip())


def entity(found: dict[str, Any]) -> tuple[str, str]:
    """(type, name) of an entity."""
    kind = str(found.get("Type", "entity"))
    name = next((str(found[key]) for key in IDENTIFIERS if found.get(key)), "")
    suffix = found.get("UPNSuffix") or found.get("DnsDomain")
    if found.get("NTDomain"):
        name = f"{found['NTDomain']}\\{name}"
    elif suffix:
        name = f"{name}{'@' if kind == 'account' else '.'}{suffix}"
    return KINDS.get(kind, kind), name


def spell(word: str) -> str:
    """`CredentialAccess` as words; an abbreviation keeps its capitals."""
    first, *others = re.findall(r"[A-Z]+(?![a-z])\d*|[A-Z]?[a-z]+\d*|\d+", word) or [word]
    return " ".join([first, *(other if len(other) > 1 and other.isupper() else other.lower() for other in others)])

"""What the public rule repository's own checks ask of a rule, beyond what the service needs to run it."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from huntpack import Rule

# A complaint: the top-level key that it is about, and what is wrong.
Complaint = tuple[str, str]

GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
VERSION = re.compile(r"\d+\.\d+\.\d+")
TECHNIQUE = re.compile(r"T\d{4}(\.\d{3})?")
COLUMN = re.compile(r"[a-zA-Z_]\w*")
PLACEHOLDER = re.compile(r"\{\{[^{}]*\}\}")
SHORTEST, LONGEST = dt.timedelta(minutes=5), dt.timedelta(days=14)
STATUSES = ("Available", "InPreview", "Deprecated")
TACTICS = frozenset(
    "Reconnaissance ResourceDevelopment InitialAccess Execution Persistence PrivilegeEscalation DefenseEvasion "
    "CredentialAccess Discovery LateralMovement Collection CommandAndControl Exfiltration Impact "
    "ImpairProcessControl InhibitResponseFunction PreAttack".split()
)
# The identifiers of an entity type; of those before the bar at least one is needed.
ENTITIES = {
    "Account": "Name FullName Sid AadUserId PUID ObjectGuid | NTDomain DnsDomain UPNSuffix AadTenantId IsDomainJoined "
    "DisplayName",
    "Host": "FullName HostName NetBiosName AzureID OMSAgentID | DnsDomain NTDomain OSFamily OSVersion IsDomainJoined",
    "IP": "Address | AddressScope",
    "URL": "Url |",
    "DNS": "DomainName |",
    "AzureResource": "ResourceId |",
    "File": "Name | Directory",
    "Malware": "Name | Category",
    "FileHash": "Algorithm Value |",
    "Process": "CommandLine ProcessId | ElevationToken CreationTimeUtc",
    "CloudApplication": "AppId Name | InstanceName",
    "RegistryKey": "Key Hive |",
    "RegistryValue": "Name | Value ValueType",
    "SecurityGroup": "DistinguishedName SID ObjectGuid |",
    "Mailbox": "MailboxPrimaryAddress | DisplayName Upn ExternalDirectoryObjectId RiskLevel",
    "MailMessage": "NetworkMessageId Recipient |",
    "MailCluster": "Query Source |",
    "SubmissionMail": "SubmissionId NetworkMessageId Recipient Submitter |",
    "IoTDevice": "DeviceId |",
}


def complaints(rule: Rule) -> Iterator[Complaint]:
    """Everything that the repository's checks would refuse."""
    yield from identity(rule)
    yield from texts(rule)
    yield from schedule(rule)
    yield from attack(rule)
    yield from entities(rule)
    yield from details(rule)
    yield from overrides(rule)
    yield from incidents(rule)


def identity(rule: Rule) -> Iterator[Complaint]:
    """Id, version, kind, status."""
    if not GUID.fullmatch(rule.id or ""):
        yield "id", "the id is not a GUID"
    version = rule.version or ""
    if not VERSION.fullmatch(version) or len(version) > 20:
        yield "version", "the version is not of the form 1.0.0"
    if "kind" not in rule.raw:
        yield "kind", "the kind is missing: Scheduled or NRT"
    if rule.status is not None and rule.status not in STATUSES:
        yield "status", f"the status is none of {', '.join(STATUSES)}"
    if "requiredDataConnectors" not in rule.raw:
        yield "requiredDataConnectors", "requiredDataConnectors is missing; it may be []"


def texts(rule: Rule) -> Iterator[Complaint]:
    """The lengths of texts."""
    for key, text, most in (("name", rule.name, 256), ("description", rule.description, 5000)):
        if not 0 < len(text or "") <= most:
            yield key, f"the {key} has {len(text or '')} characters: 1 to {most} are allowed"
    if not 0 < len(rule.query) <= 10_000:
        yield "query", f"the query has {len(rule.query):,} characters: 1 to 10,000 are allowed"
    if re.search(r"\b(search|union)\b[^|\n]*\*\s*(\||$)", rule.query):
        yield "query", "the query reads every table (`search *` or `union *`)"


def schedule(rule: Rule) -> Iterator[Complaint]:
    """Frequency, period, threshold, suppression."""
    if rule.kind == "NRT":
        return
    frequency, period = rule.query_frequency, rule.query_period
    for key, span in (("queryFrequency", frequency), ("queryPeriod", period)):
        if span is not None and not SHORTEST <= span <= LONGEST:
            yield key, f"{key} is outside 5 minutes to 14 days"
    if frequency and period and period < frequency:
        yield "queryPeriod", "the period is shorter than the frequency: events between two runs are never seen"
    if frequency and period and period >= dt.timedelta(days=2) and frequency < dt.timedelta(hours=1):
        yield "queryFrequency", "a period of 2 days or more needs a frequency of an hour or more"
    if not 0 <= (rule.trigger_threshold or 0) <= 10_000:
        yield "triggerThreshold", "the threshold is outside 0 to 10,000"
    if rule.suppression_enabled and (rule.suppression_duration or LONGEST) > dt.timedelta(days=1):
        yield "suppressionDuration", "alerts are suppressed for more than 24 hours"


def attack(rule: Rule) -> Iterator[Complaint]:
    """Tactics and techniques."""
    for tactic in rule.tactics:
        if tactic not in TACTICS:
            yield "tactics", f"'{tactic}' is no tactic"
    for technique in rule.techniques:
        if not TECHNIQUE.fullmatch(technique):
            yield "relevantTechniques", f"'{technique}' is not of the form T1234 or T1234.001"


def entities(rule: Rule) -> Iterator[Complaint]:
    """Entity mappings."""
    if len(rule.entity_mappings) > 10:
        yield "entityMappings", "there are more than 10 entity mappings"
    for mapping in rule.entity_mappings:
        for text in mapping_complaints(str(mapping.get("entityType")), mapping.get("fieldMappings") or []):
            yield "entityMappings", text


def mapping_complaints(kind: str, fields: list[dict[str, Any]]) -> Iterator[str]:
    """What is wrong with one entity mapping."""
    names = {known.lower(): known for known in ENTITIES}
    known = names.get(kind.lower())
    if known is None:
        yield f"'{kind}' is no entity type"
        return
    strong, _, weak = ENTITIES[known].partition("|")
    used = [str(field.get("identifier")) for field in fields]
    if not 1 <= len(used) <= 3 or len(set(used)) < len(used):
        yield f"{kind} takes 1 to 3 different identifiers"
    for identifier in used:
        if identifier not in strong.split() + weak.split():
            yield f"'{identifier}' is no identifier of {kind}"
    if not set(used) & set(strong.split()):
        yield f"{kind} needs one of {', '.join(strong.split())}"
    for field in fields:
        if not COLUMN.fullmatch(str(field.get("columnName"))):
            yield f"'{field.get('columnName')}' is no column name"


def details(rule: Rule) -> Iterator[Complaint]:
    """Custom details."""
    if len(rule.custom_details) > 20:
        yield "customDetails", "there are more than 20 custom details"
    for key in rule.custom_details:
        if len(key) > 20:
            yield "customDetails", f"the name '{key}' is longer than 20 characters"


def overrides(rule: Rule) -> Iterator[Complaint]:
    """The formats of an alert's name and description."""
    for key, most in (("alertDisplayNameFormat", 256), ("alertDescriptionFormat", 5000)):
        text = str(rule.alert_details_override.get(key) or "")
        if len(text) > most:
            yield "alertDetailsOverride", f"{key} is longer than {most:,} characters"
        if len(PLACEHOLDER.findall(text)) > 3:
            yield "alertDetailsOverride", f"{key} has more than 3 placeholders"


def incidents(rule: Rule) -> Iterator[Complaint]:
    """Grouping."""
    if not rule.grouping_enabled:
        return
    span = rule.lookback_duration
    if span is not None and not SHORTEST <= span <= dt.timedelta(days=7):
        yield "incidentConfiguration", "the lookback is outside 5 minutes to 7 days"
    if rule.matching_method == "Selected" and not (
        rule.group_by_entities or rule.group_by_alert_details or rule.group_by_custom_details
    ):
        yield "incidentConfiguration", "Selected needs an entity, an alert detail or a custom detail to group by"

"""Risk as a person reads it: what the risk events of a run add up to for each user, system and other object."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from huntpack import alerts

if TYPE_CHECKING:
    from huntpack import Hits, Pack


@dataclass(frozen=True)
class RiskObject:
    """Somebody or something that risk events name, with the sum of their scores."""

    kind: str
    name: str
    score: int
    messages: tuple[str, ...]
    rules: tuple[str, ...]
    techniques: tuple[str, ...]
    start: dt.datetime | None
    end: dt.datetime | None

    @property
    def label(self) -> str:
        """Who it is and how much it comes to, where there is no room for more."""
        return f"{self.kind} {self.name}: risk {self.score}"


def of(hits: Hits, pack: Pack | None = None) -> list[RiskObject]:
    """The risk objects of a run: those of the highest score first."""
    names = {rule.id: rule.name or "" for rule in pack or ()}
    events: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for event in hits.risk.to_dicts():
        events.setdefault((event["risk_object_type"] or "", event["risk_object"] or ""), []).append(event)
    found = [total(kind, name, each, names) for (kind, name), each in events.items()]
    return sorted(found, key=lambda risk: (-risk.score, risk.kind, risk.name))


def total(kind: str, name: str, events: list[dict[str, Any]], names: dict[str | None, str]) -> RiskObject:
    """What the events of one object come to."""
    periods = [alerts.period_of(event) for event in events]
    return RiskObject(
        kind=kind,
        name=name,
        score=sum(event["risk_score"] or 0 for event in events),
        messages=tuple(dict.fromkeys(event["risk_message"] or "" for event in events)),
        rules=tuple(dict.fromkeys(names.get(event["rule_id"]) or event["search_name"] for event in events)),
        techniques=tuple(dict.fromkeys(name for event in events for name in alerts.techniques_of(event))),
        start=min((start for start, _ in periods if start), default=None),
        end=max((end for _, end in periods if end), default=None),
    )

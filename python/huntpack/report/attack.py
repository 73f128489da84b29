"""Techniques as a layer of MITRE's ATT&CK Navigator: what rules look for, or what a run has found.

The form is that of the page "Layer file format 4.5" of the Navigator.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from huntpack import alerts, risk

if TYPE_CHECKING:
    from huntpack import Hits, Pack

VERSIONS = {"navigator": "5.1.0", "layer": "4.5"}
COLOURS = ["#fff3d6", "#c62828"]


def of_hits(hits: Hits) -> dict[str, Any]:
    """The techniques of a run's alerts, findings and risk objects; the score is their number."""
    found = [(alert.name, alert.techniques) for alert in alerts.of(hits)]
    found += [(each.label, each.techniques) for each in risk.of(hits)]
    return layer("huntpack: found", "What a run of detection rules has found.", found)


def of_pack(pack: Pack) -> str:
    """The techniques that the rules of a pack look for, as JSON; the score is the number of rules."""
    rules = [(rule.name or rule.id or "", tuple(rule.techniques)) for rule in pack]
    return json.dumps(layer("huntpack: rules", "What detection rules look for.", rules), indent=2, ensure_ascii=False)


def layer(name: str, description: str, named: Iterable[tuple[str, tuple[str, ...]]]) -> dict[str, Any]:
    """A layer: each technique with the names of what bears it."""
    bearers: dict[str, list[str]] = {}
    for bearer, techniques in named:
        for technique in dict.fromkeys(techniques):
            bearers.setdefault(technique, []).append(bearer)
    most = max(map(len, bearers.values()), default=1)
    return {
        "name": name,
        "versions": VERSIONS,
        "domain": "enterprise-attack",
        "description": description,
        "sorting": 3,
        "techniques": [
            {
                "techniqueID": technique,
                "score": len(names),
                "comment": "\n".join(dict.fromkeys(names)),
                "enabled": True,
                "showSubtechniques": "." in technique or any(other.startswith(f"{technique}.") for other in bearers),
            }
            for technique, names in sorted(bearers.items())
        ],
        "gradient": {"colors": COLOURS, "minValue": 0, "maxValue": most},
        "hideDisabled": False,
    }

"""`geoip`: the places of addresses, from a database that the user supplies."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import huntpack as hp
import pytest
from mmdb import database

SYDNEY = {
    "country": {"names": {"en": "Australia", "de": "Australien"}},
    "subdivisions": [{"names": {"en": "New South Wales"}}],
    "city": {"names": {"en": "Sydney"}},
    "location": {"latitude": -33.8672, "longitude": 151.1997},
}
QUERY = "print place = geo_info_from_ip_address('{}')"


@pytest.fixture
def places(tmp_path: Path) -> Path:
    path = tmp_path / "places.mmdb"
    path.write_bytes(database({"20.53.203.0/24": SYDNEY, "9.9.9.9/32": {"country": {"names": {"en": "Nowhere"}}}}))
    return path


def place(address: str, **options: Any) -> Any:
    ((value,),) = hp.kql(QUERY.format(address), **options).rows()
    return value


def test_a_known_address_has_a_place(places: Path) -> None:
    assert place("20.53.203.50", geoip=places) == {
        "country": "Australia",
        "state": "New South Wales",
        "city": "Sydney",
        "latitude": -33.8672,
        "longitude": 151.1997,
    }


def test_what_a_place_lacks_is_empty(places: Path) -> None:
    found = place("9.9.9.9", geoip=str(places))
    assert found == {"country": "Nowhere", "state": "", "city": "", "latitude": None, "longitude": None}


@pytest.mark.parametrize("address", ["8.8.8.8", "10.0.0.1", "2a03:2880::1", "no address", ""])
def test_other_addresses_have_none(places: Path, address: str) -> None:
    assert place(address, geoip=places) is None


def test_columns_are_looked_up(places: Path) -> None:
    rows = [{"ip": "20.53.203.50"}, {"ip": "20.53.203.51"}, {"ip": "10.0.0.1"}]
    query = "T | where tostring(geo_info_from_ip_address(ip).country) == 'Australia' | count"
    assert hp.kql(query, {"T": rows}, geoip=places).rows() == [(2,)]


def test_without_a_database_a_public_address_is_an_error() -> None:
    with pytest.raises(hp.QueryError, match="geoip"):
        place("8.8.8.8")
    assert place("192.168.0.1") is None
    assert hp.check(QUERY.format("8.8.8.8")).ok


def test_another_file_is_an_error(tmp_path: Path) -> None:
    other = tmp_path / "other.mmdb"
    other.write_text("no database")
    for path in (other, tmp_path / "missing.mmdb"):
        with pytest.raises(hp.DataError, match=path.name):
            place("8.8.8.8", geoip=path)


def test_rules_are_given_it(places: Path, tmp_path: Path) -> None:
    rule = tmp_path / "rule.yaml"
    rule.write_text(
        "id: 5d0f5e0e-5a43-4c66-9d5c-7a1f0a3a0c11\nname: From Australia\nkind: Scheduled\nseverity: Low\n"
        "queryFrequency: 1d\nqueryPeriod: 1d\ntriggerOperator: gt\ntriggerThreshold: 0\ntactics: []\n"
        "query: |\n  T | where geo_info_from_ip_address(ip).country == 'Australia'\n"
    )
    rows = [{"TimeGenerated": "2026-01-01T12:00:00Z", "ip": "20.53.203.50"}]
    hits = hp.load(rule).run({"T": rows}, now="2026-01-01T13:00:00Z", geoip=places, strict=True)
    assert len(hits.alerts) == 1

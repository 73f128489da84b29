"""Writes small databases in MaxMind's format: what the tests of `geoip` read."""

from __future__ import annotations

import ipaddress
import struct
from typing import Any, NamedTuple

LEFT, RIGHT = 0, 1
SEPARATOR = bytes(16)
MARKER = b"\xab\xcd\xefMaxMind.com"


class Number(NamedTuple):
    """A whole number, of 16, 32 or 64 bits: kinds 5, 6 and 9."""

    kind: int
    value: int


def control(kind: int, size: int) -> bytes:
    """The byte or bytes before a value; sizes of the tests fit the short forms."""
    extended = bytes([kind - 7]) if kind > 7 else b""
    kind = 0 if kind > 7 else kind
    if size < 29:
        return bytes([kind << 5 | size]) + extended
    return bytes([kind << 5 | 29]) + extended + bytes([size - 29])


def encoded(value: Any) -> bytes:
    if isinstance(value, dict):
        pairs = b"".join(encoded(key) + encoded(item) for key, item in value.items())
        return control(7, len(value)) + pairs
    if isinstance(value, list):
        return control(11, len(value)) + b"".join(map(encoded, value))
    if isinstance(value, str):
        text = value.encode()
        return control(2, len(text)) + text
    if isinstance(value, float):
        return control(3, 8) + struct.pack(">d", value)
    if isinstance(value, Number):
        number = value.value.to_bytes((value.value.bit_length() + 7) // 8, "big")
        return control(value.kind, len(number)) + number
    raise TypeError(f"{value!r} has no form in a database")


def database(places: dict[str, Any]) -> bytes:
    """A database of IPv4 networks: `{"1.2.3.0/24": {...}}`."""
    tree: list[list[Any]] = [[None, None]]
    for network, place in places.items():
        net = ipaddress.ip_network(network)
        bits = f"{int(net.network_address):032b}"[: net.prefixlen]
        at = 0
        for bit in map(int, bits[:-1]):
            if tree[at][bit] is None:
                tree.append([None, None])
                tree[at][bit] = len(tree) - 1
            at = tree[at][bit]
        tree[at][int(bits[-1])] = encoded(place)
    data, nodes = b"", b""
    for node in tree:
        for side in (LEFT, RIGHT):
            target = node[side]
            if isinstance(target, bytes):
                record = len(tree) + len(SEPARATOR) + len(data)
                data += target
            else:
                record = len(tree) if target is None else target
            nodes += record.to_bytes(3, "big")
    metadata = {
        "binary_format_major_version": Number(5, 2),
        "binary_format_minor_version": Number(5, 0),
        "build_epoch": Number(9, 1700000000),
        "database_type": "Test-City",
        "description": {"en": "places of tests"},
        "ip_version": Number(5, 4),
        "languages": ["en"],
        "node_count": Number(6, len(tree)),
        "record_size": Number(5, 24),
    }
    return nodes + SEPARATOR + data + MARKER + encoded(metadata)

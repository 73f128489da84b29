"""Splunk's conf files, the parts of a search's text, and the bundle that a search head sends to its indexers."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

Conf = dict[str, dict[str, str]]
PARTS = re.compile(r'"(?:\\.|[^"\\])*"|`[^`]*`|\[|\]|\||[^"`\[\]|]', re.DOTALL)
WORDS = re.compile(r'(?:"(?:\\.|[^"\\])*"|[^\s"])+', re.DOTALL)


def read(path: Path) -> Conf:
    """One conf file; nothing where it is missing."""
    found: Conf = {}
    stanza = found.setdefault("default", {})
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    for line in text.replace("\\\n", "\n\0").replace("\n\0", "\0").split("\n"):
        line = line.replace("\0", "\n")
        if line.startswith("["):
            stanza = found.setdefault(line[1 : line.rindex("]")], {})
        elif line.strip() and not line.startswith("#"):
            key, _, value = line.partition("=")
            stanza[key.strip()] = value.strip()
    return found


def layered(app: Path, name: str) -> Conf:
    """A conf file of an app: local over default, key by key."""
    merged = read(app / "default" / f"{name}.conf")
    for stanza, settings in read(app / "local" / f"{name}.conf").items():
        merged.setdefault(stanza, {}).update(settings)
    return merged


def pipeline(text: str) -> list[str]:
    """The commands of a search, parted at its pipes; what stands in quotes and brackets is left alone."""
    parts, depth = [""], 0
    for found in PARTS.finditer(text):
        piece = found[0]
        depth += (piece == "[") - (piece == "]")
        if piece == "|" and depth == 0:
            parts.append("")
        else:
            parts[-1] += piece
    return [part.strip() for part in parts]


def words(command: str) -> list[str]:
    """A command's words as they are written, quotes and all."""
    return WORDS.findall(command)


def unquoted(word: str) -> str:
    """A word without its quotes."""
    return re.sub(r'"((?:\\.|[^"\\])*)"', lambda quoted: re.sub(r'\\(["\\])', r"\1", quoted[1]), word)


def expand(text: str, macros: Conf) -> str:
    """A search with its macros replaced by their definitions."""
    return re.sub(r"`([^`]+)`", lambda macro: macros[macro[1]]["definition"], text)


def sourcetypes(terms: str) -> list[str]:
    """The sourcetypes that search terms ask for."""
    found = re.findall(r'sourcetype="?([^\s")]+)', terms)
    for names in re.findall(r"sourcetype IN \(([^)]*)\)", terms):
        found += re.findall(r'[^\s",]+', names)
    return found


def wanted(terms: str, sourcetype: str) -> bool:
    """Whether events of a sourcetype are among those that search terms ask for."""
    asked = sourcetypes(terms)
    return not asked or any(fnmatchcase(sourcetype, pattern) for pattern in asked)


def bundle(app: Path, folder: Path) -> Path:
    """What an indexer gets of an app: its conf files, bin/, lookups/, and what distsearch.conf allows."""
    patterns = ["apps/huntpack/bin/...", "apps/huntpack/lookups/...", "apps/huntpack/*/*.conf"]
    patterns += layered(app, "distsearch")["replicationAllowlist"].values()
    allowed = [re.compile(pattern_of(pattern)) for pattern in patterns]
    for path in files(app):
        name = f"apps/huntpack/{path.relative_to(app).as_posix()}"
        if any(pattern.fullmatch(name) for pattern in allowed):
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            os.link(path, target)
    return folder / "apps/huntpack"


def pattern_of(allowed: str) -> str:
    """A pattern of an allowlist as a regular expression: `...` crosses folders, `*` does not."""
    return "".join({"...": ".*", "*": "[^/]*"}.get(part, re.escape(part)) for part in re.split(r"(\.\.\.|\*)", allowed))


def files(folder: Path) -> Iterator[Path]:
    """The files in a folder and the folders in it."""
    return (path for path in sorted(folder.rglob("*")) if path.is_file())

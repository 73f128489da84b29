"""The package: reproducible, complete, and its conf files agree with each other."""

from __future__ import annotations

import io
import json
import re
import struct
import tarfile
import zipfile
from pathlib import Path
from types import ModuleType

import conf
import huntpack
import pytest

COMMANDS = {"huntpack", "kql", "huntpackrules"}


@pytest.fixture
def files(build: ModuleType) -> dict[str, bytes]:
    """The files of a package with a small stand-in for the extension."""
    return build.contents({"linux_x86_64": b"\x7fELF"}, "[huntpack - A - Rule]\n", "none\n")


def test_the_same_files_make_the_same_bytes(build: ModuleType, files: dict[str, bytes]) -> None:
    packed = build.archive(files)
    assert packed == build.archive(dict(reversed(files.items())))
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        entries = archive.getmembers()
    assert [entry.name for entry in entries] == sorted(f"huntpack/{name}" for name in files)
    assert {(entry.mode, entry.mtime, entry.uid, entry.gid) for entry in entries} == {(0o644, build.EPOCH, 0, 0)}


def test_the_version_is_that_of_the_crate(files: dict[str, bytes]) -> None:
    manifest = json.loads(files["app.manifest"])
    assert manifest["info"]["id"]["version"] == huntpack.__version__
    assert files["default/app.conf"].decode().count(f"version = {huntpack.__version__}\n") == 2
    assert not any(b"@VERSION@" in data for data in files.values())


def test_nothing_of_the_sources_goes_along(files: dict[str, bytes]) -> None:
    assert "build.py" not in files
    assert not [name for name in files if name.endswith((".pyc", ".test.yaml")) or "/." in f"/{name}"]
    assert {name for name in files if name.startswith("rules/")} == {
        f"rules/{'/'.join(Path(str(rule.path)).parts[-2:])}" for rule in huntpack.load()
    }


def test_wheels_are_known_by_their_names(build: ModuleType) -> None:
    new = Path("huntpack-0.1.0-cp39-abi3-manylinux_2_17_aarch64.manylinux2014_aarch64.whl")
    plain = Path("huntpack-0.1.0-cp39-abi3-linux_x86_64.whl")
    assert build.by_platform([new, plain]) == {"linux_aarch64": new, "linux_x86_64": plain}
    with pytest.raises(build.MissingError, match="macosx"):
        build.by_platform([Path("huntpack-0.1.0-cp39-abi3-macosx_11_0_arm64.whl")])


def test_a_platform_that_cannot_be_built_for_is_named(
    build: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(*command: object, **_: object) -> str:
        words = list(map(str, command))
        if words[:3] == ["rustup", "target", "list"]:
            return "x86_64-unknown-linux-gnu\n"
        if words[:3] == ["rustup", "target", "add"]:
            raise build.MissingError("`rustup target` failed: nothing answers")
        out = Path(words[words.index("--out") + 1])
        out.mkdir(parents=True)
        with zipfile.ZipFile(out / "huntpack-0.1.0-cp39-abi3-manylinux2014_x86_64.whl", "w") as wheel:
            wheel.writestr("huntpack/_core.abi3.so", b"GLIBC_2.17")
        return ""

    (tmp_path / "tools/bin").mkdir(parents=True)
    (tmp_path / "tools/bin/maturin").touch()
    monkeypatch.setattr(build, "run", run)
    assert set(build.build_wheels(tmp_path)) == {"linux_x86_64"}
    assert "linux_aarch64 is left out: `rustup target` failed: nothing answers" in capsys.readouterr().err


def test_a_tool_that_is_not_installed_is_named(build: ModuleType) -> None:
    with pytest.raises(build.MissingError, match="`no-such-tool` is not installed"):
        build.run("no-such-tool", "build")


def test_every_command_is_documented(packed: Path) -> None:
    stanzas = conf.read(packed / "default/commands.conf")
    documented = conf.read(packed / "default/searchbnf.conf")
    assert set(stanzas) - {"default"} == COMMANDS
    for name in COMMANDS:
        assert (packed / "bin" / stanzas[name]["filename"]).exists()
        assert {"syntax", "shortdesc", "description", "usage", "example1", "comment1"} <= set(
            documented[f"{name}-command"]
        )
    named = {option for stanza in documented.values() for option in re.findall(r"<([\w-]+)>", stanza.get("syntax", ""))}
    assert {option for option in named if option.startswith("huntpack-")} <= set(documented)


def specified(path: Path) -> set[str]:
    """The settings that a spec file explains."""
    return set(re.findall(r"^([\w.<>]+) = ", path.read_text(encoding="utf-8"), re.MULTILINE))


def test_every_setting_is_specified(packed: Path) -> None:
    settings = conf.read(packed / "default/huntpack.conf")["settings"]
    assert settings.keys() == specified(packed / "README/huntpack.conf.spec")
    used = [
        re.sub(r"\..*", "", key)
        for stanza in conf.read(packed / "default/huntpack_tables.conf").values()
        for key in stanza
    ]
    assert set(used) <= {re.sub(r"\..*", "", key) for key in specified(packed / "README/huntpack_tables.conf.spec")}


def test_custom_conf_files_are_reloaded_and_replicated(packed: Path) -> None:
    triggers = conf.read(packed / "default/app.conf")["triggers"]
    replicated = conf.read(packed / "default/server.conf")["shclustering"]
    for path in (packed / "README").glob("*.conf.spec"):
        name = path.name.partition(".")[0]
        assert triggers[f"reload.{name}"] == "simple"
        assert replicated[f"conf_replication_include.{name}"] == "true"


def test_dashboards_and_searches_use_macros_that_are_there(packed: Path) -> None:
    macros = conf.read(packed / "default/macros.conf")
    texts = [path.read_text(encoding="utf-8") for path in (packed / "default/data/ui/views").glob("*.xml")]
    texts.append((packed / "default/savedsearches.conf").read_text(encoding="utf-8"))
    used = [found for text in texts for found in re.findall(r"`(\w+)(?:\((\w+)\))?`", text)]
    assert used
    assert {f"{name}(1)" if argument else name for name, argument in used} <= set(macros)
    offered = re.findall(r'\["(huntpack_\w+)", ', (packed / "appserver/static/setup.js").read_text(encoding="utf-8"))
    assert set(offered) == {name for name in macros if name.startswith("huntpack_")}


@pytest.mark.parametrize("view", ["overview", "rules"])
def test_dashboards_are_whole(packed: Path, view: str) -> None:
    text = (packed / f"default/data/ui/views/{view}.xml").read_text(encoding="utf-8")
    found = re.search(r"<definition><!\[CDATA\[(.*?)\]\]></definition>", text, re.DOTALL)
    assert found
    page = json.loads(found[1])
    sources = {each["dataSources"]["primary"] for each in page["visualizations"].values() if "dataSources" in each}
    assert sources == set(page["dataSources"])
    assert {item["item"] for item in page["layout"]["structure"]} == set(page["visualizations"])


def test_every_rule_has_a_scheduled_search(packed: Path) -> None:
    searches = conf.read(packed / "default/savedsearches.conf")
    for rule in huntpack.load():
        found = [stanza for name, stanza in searches.items() if rule.name and rule.name in name]
        assert found, rule.name
        assert all(stanza["disabled"] == "1" and stanza["cron_schedule"] for stanza in found)


@pytest.mark.parametrize(
    ("icon", "size"), [("appIcon", 36), ("appIconAlt", 36), ("appIcon_2x", 72), ("appIconAlt_2x", 72)]
)
def test_icons_have_their_sizes(packed: Path, icon: str, size: int) -> None:
    head = (packed / f"static/{icon}.png").read_bytes()[:24]
    assert struct.unpack(">II", head[16:]) == (size, size)


def test_indexers_get_what_they_need(packed: Path, tmp_path: Path) -> None:
    peer = conf.bundle(packed, tmp_path)
    held = {path.relative_to(peer).as_posix() for path in conf.files(peer)}
    needed = ("bin/", "lib/", "rules/", "queries/", "lookups/")
    assert held >= {
        name for path in conf.files(packed) if (name := path.relative_to(packed).as_posix()).startswith(needed)
    }


def test_the_glibc_that_a_module_needs_is_read(build: ModuleType) -> None:
    assert build.glibc(b"\0GLIBC_2.2.5\0GLIBC_2.17\0GLIBC_2.9\0") == 17
    assert build.glibc(b"") == 0

"""The demo finds the planted attacks, all of them and nothing else."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from huntpack import alerts, risk, samples
from shared import Cli

ENTITIES = {
    ("account", "marta.lind@northwind.example"),
    ("account", "oskar.nyberg@northwind.example"),
    ("IP", samples.SPRAYER),
    ("IP", samples.IIS_GUESSER),
    ("account", "vera.holm@northwind.example"),
}


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> samples.Samples:
    return samples.write(tmp_path_factory.mktemp("logs"))


def digests(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def test_the_logs_repeat(logs: samples.Samples, tmp_path: Path) -> None:
    assert digests(samples.write(tmp_path).folder) == digests(logs.folder)
    assert 20_000 < logs.events < 50_000


def test_the_planted_attacks_are_found(logs: samples.Samples) -> None:
    import huntpack as hp
    from huntpack import demo

    pack = hp.load()
    hits = demo.search(pack, logs)
    assert not [str(problem.error) for problem in hits.problems]
    found = alerts.of(hits, pack)
    assert {alert.entities[0] for alert in found} == ENTITIES
    assert len(found) == len(ENTITIES)
    assert {(risky.kind, risky.name.partition("@")[0], risky.score) for risky in risk.of(hits, pack)} >= {
        ("user", "vera.holm", 30)
    }
    assert len(hits.risk) == 2
    assert not [bad for table in hits.results.values() for bad in table.problems]


def test_pictures_of_a_run(logs: samples.Samples, tmp_path: Path) -> None:
    import huntpack as hp
    from huntpack import demo

    hits = demo.search(hp.load(), logs)
    layer = hits.attack_layer()
    scores = {technique["techniqueID"]: technique["score"] for technique in layer["techniques"]}
    assert scores["T1110.003"] == 1 and scores["T1496"] == 3
    assert layer["domain"] == "enterprise-attack" and json.dumps(layer)
    timeline = hits.timeline()
    timeline.save(tmp_path / "timeline.svg")
    drawn = ElementTree.parse(tmp_path / "timeline.svg").getroot()
    assert drawn.tag == "{http://www.w3.org/2000/svg}svg"
    assert len(drawn.findall(".//{http://www.w3.org/2000/svg}rect")) == 7
    assert timeline._repr_html_() == timeline.svg


def test_a_run_without_alerts_has_pictures_too() -> None:
    import huntpack as hp

    hits = hp.load().run({}, now="2026-03-12")
    assert hits.timeline().svg == "" and "No alerts" in hits.timeline()._repr_html_()
    assert hits.attack_layer()["techniques"] == []


def test_demo(cli: Cli, tmp_path: Path) -> None:
    done = cli("demo")
    assert done.returncode == 0, done.stderr
    assert "5 alerts, 2 risk objects" in done.stdout
    for name in ("marta.lind", "oskar.nyberg", samples.SPRAYER, samples.IIS_GUESSER, "T1110.003", "vera.holm", "T1496"):
        assert name in done.stdout
    (report,) = [line for line in done.stdout.splitlines() if line.endswith("report.html")]
    page = Path(report).read_text(encoding="utf-8")
    assert not re.search(r"""(src|href)=["'](?!https://attack\.mitre\.org/)""", page)
    assert "prefers-color-scheme: dark" in page


def test_the_command_that_the_demo_prints(cli: Cli) -> None:
    text = cli("demo").stdout
    command = text[text.index("huntpack run") :].replace("\\\n", " ").split()
    done = cli(*command[1:], "--format", "json")
    assert done.returncode == 0, done.stderr
    assert len(json.loads(done.stdout)) == 5

"""The app as a package holds it, the interpreters that Splunk brings, and a splunkd over both."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from types import ModuleType
from typing import Callable

import pytest
from huntpack import _core, load
from splunkd import Splunkd

ROOT = Path(__file__).resolve().parents[2]
# Splunk 9.3 runs Python 3.9, 10.2 has 3.13 too.
SUPPORTED = ("3.9", "3.13")


@pytest.fixture(scope="session")
def build() -> ModuleType:
    """The script that builds the package."""
    spec = importlib.util.spec_from_file_location("splunk_app_build", ROOT / "splunk_app/build.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def packed(build: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The app's folder: that of the package named in HUNTPACK_APP, else one with the extension at hand."""
    folder = tmp_path_factory.mktemp("packed")
    if package := os.environ.get("HUNTPACK_APP"):
        with tarfile.open(package) as archive:
            archive.extractall(folder)
        return folder / "huntpack"
    extension = Path(_core.__file__).read_bytes()
    for name, data in build.contents({build.HERE: extension}, load().export("savedsearches"), "").items():
        path = folder / "huntpack" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder / "huntpack"


@pytest.fixture
def app(packed: Path, tmp_path: Path) -> Path:
    """An installed app of the test's own, for it to write into `local`."""
    folder = tmp_path / "etc/apps/huntpack"
    shutil.copytree(packed, folder, copy_function=os.link)
    return folder


def interpreters() -> list[str]:
    """The oldest and the newest supported Python present; the running one where there is neither."""
    found = [python for version in SUPPORTED if (python := interpreter(version))]
    return found or [sys.executable]


def interpreter(version: str) -> str | None:
    """An installed interpreter of a version, also one of pyenv's that is not on the path."""
    beside = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    places = [shutil.which(f"python{version}"), *sorted(map(str, beside.glob(f"{version}.*/bin/python{version}")))]
    for place in filter(None, places):
        if subprocess.run([place, "-c", ""], capture_output=True, check=False).returncode == 0:
            return place
    return None


@pytest.fixture(scope="session", params=interpreters(), ids=lambda python: Path(python).resolve().name)
def python(request: pytest.FixtureRequest) -> str:
    """Each interpreter that the app is tried under."""
    return str(request.param)


@pytest.fixture
def splunk(app: Path, tmp_path: Path) -> Callable[..., Splunkd]:
    """Makes a splunkd with the app installed."""

    def made(python: str = interpreters()[0], **options: object) -> Splunkd:
        return Splunkd(app, python, tmp_path / "splunk", **options)  # type: ignore[arg-type]

    return made

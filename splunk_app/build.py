#!/usr/bin/env python3
"""Builds the Splunk app's package.

The same sources and tools give the same bytes. The extension is built for each platform against glibc 2.17
(manylinux2014), unless wheels are given to take it from. What cannot be built here is said, and left out.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import io
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

SOURCE = Path(__file__).resolve().parent
ROOT = SOURCE.parent
PLATFORMS = {"linux_x86_64": "x86_64-unknown-linux-gnu", "linux_aarch64": "aarch64-unknown-linux-gnu"}
HERE = f"linux_{platform.machine()}"
TOOLS = ("maturin>=1.9,<2", "ziglang")
# Of manylinux2014: 2.17.
GLIBC = 17
# The date of every file in the package: 1 January 2026.
EPOCH = int(os.environ.get("SOURCE_DATE_EPOCH", "1767225600"))
# What stands in the app's folder and belongs to nobody else: this script, settings of one's own, an installed module.
LEFT_OUT = ("build.py", "local", "lib")
LICENCE_FILES = re.compile(r"(LICEN[CS]E|COPYING|UNLICENSE|NOTICE)", re.IGNORECASE)
EXPORT = "import huntpack; print(huntpack.load().export('savedsearches'))"


class MissingError(Exception):
    """Something that the package needs and that is not here."""


def run(*command: object, **options: object) -> str:
    """What a command prints; its last words when it fails."""
    try:
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False, **options)
    except FileNotFoundError as error:
        raise MissingError(f"`{command[0]}` is not installed") from error
    if done.returncode:
        words = (done.stderr or done.stdout).strip().splitlines()[-3:]
        raise MissingError(f"`{Path(str(command[0])).name} {command[1]}` failed: {' '.join(words)}")
    return done.stdout


def version() -> str:
    """The version in Cargo.toml, which is the only one."""
    found = re.search(r'^version = "([^"]+)"', (ROOT / "Cargo.toml").read_text(encoding="utf-8"), re.MULTILINE)
    if found is None:
        raise MissingError("Cargo.toml has no version")
    return found[1]


# The extension ------------------------------------------------------------------------------------------------------


def build_wheels(work: Path) -> dict[str, Path]:
    """A wheel for each platform that can be built for; what is missing for the others goes to standard error."""
    tools = work / "tools"
    if not (tools / "bin" / "maturin").exists():
        run(sys.executable, "-m", "venv", "--clear", tools)
        run(tools / "bin" / "pip", "install", "--quiet", "--disable-pip-version-check", *TOOLS)
    wheels = {}
    for name, target in PLATFORMS.items():
        try:
            wheels[name] = build_wheel(tools / "bin", target, work / name)
        except MissingError as error:
            print(f"{name} is left out: {error}", file=sys.stderr)
    if not wheels:
        raise MissingError("no platform could be built for")
    return wheels


def build_wheel(tools: Path, target: str, out: Path) -> Path:
    """The wheel for one target. No path of this machine goes into it."""
    if target not in run("rustup", "target", "list", "--installed").split():
        run("rustup", "target", "add", target)
    cargo = os.environ.get("CARGO_HOME", str(Path.home() / ".cargo"))
    flags = f"--remap-path-prefix={cargo}=cargo --remap-path-prefix={ROOT}=huntpack"
    environment = {**os.environ, "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}", "RUSTFLAGS": flags}
    # Cargo does not link again for another linker: what was built against this machine's glibc would be taken.
    environment["CARGO_TARGET_DIR"] = str(Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "portable")
    shutil.rmtree(out, ignore_errors=True)
    print(f"Building for {target} ...", file=sys.stderr)
    build = ["build", "--release", "--locked", "--zig", "--compatibility", "manylinux2014", "--target", target]
    run(tools / "maturin", *build, "--out", out, cwd=ROOT, env=environment)
    wheel = next(out.glob("*.whl"))
    if (newest := glibc(extension(wheel))) > GLIBC:
        raise MissingError(f"the extension needs glibc 2.{newest}, and manylinux2014 has 2.{GLIBC}")
    return wheel


def glibc(module: bytes) -> int:
    """The minor version of the glibc 2 that a native module needs."""
    return max((int(minor) for minor in re.findall(rb"GLIBC_2\.(\d+)", module)), default=0)


def by_platform(wheels: Iterable[Path]) -> dict[str, Path]:
    """Wheels by the platform in their names."""
    found = {}
    for wheel in wheels:
        tag = re.search(r"linux(?:_2_\d+|2014)?_(x86_64|aarch64)\.whl$", wheel.name)
        if tag is None:
            raise MissingError(f"{wheel.name} is no wheel for Linux on x86-64 or aarch64")
        found[f"linux_{tag[1]}"] = wheel
    return found


def extension(wheel: Path) -> bytes:
    """The native module in a wheel."""
    with zipfile.ZipFile(wheel) as archive:
        return archive.read("huntpack/_core.abi3.so")


# What is generated --------------------------------------------------------------------------------------------------


def saved_searches(wheel: Path) -> str:
    """The scheduled searches of the built-in rules, as a wheel for this machine exports them. All are named as this
    app's, those in SPL too: they are not of Splunk's own content."""
    with tempfile.TemporaryDirectory() as folder:
        zipfile.ZipFile(wheel).extractall(folder)
        searches = run(sys.executable, "-c", EXPORT, env={**os.environ, "PYTHONPATH": folder})
    return searches.replace("ESCU - ", "huntpack - ")


def licences(targets: Iterable[str]) -> str:
    """The licences of the crates that are compiled in: who uses which, then each text once."""
    crates = {name: crate for target in targets for name, crate in compiled(target).items()}
    texts: dict[str, list[str]] = {}
    lines = [
        "The native module holds the standard library of Rust (MIT OR Apache-2.0) and these crates.",
        "",
    ]
    for name in sorted(crates):
        crate = crates[name]
        lines.append(f"{name}  {crate['license'] or 'see below'}  {crate['repository'] or ''}".rstrip())
        for text in licence_texts(Path(crate["manifest_path"]).parent, crate["license"] or ""):
            texts.setdefault(text, []).append(name)
    for text, users in sorted(texts.items(), key=lambda item: item[1]):
        lines += ["", "=" * 80, *users, "-" * 80, text]
    return "\n".join(lines) + "\n"


def compiled(target: str) -> dict[str, dict]:
    """The crates that the extension holds on a target, by name and version: no tools of the build, no tests'."""
    words = ["metadata", "--format-version", "1", "--locked", "--features", "python", "--filter-platform", target]
    graph = json.loads(run("cargo", *words, cwd=ROOT))
    nodes = {node["id"]: node for node in graph["resolve"]["nodes"]}
    root = graph["resolve"]["root"]
    seen, waiting = {root}, [root]
    while waiting:
        for needed in nodes[waiting.pop()]["deps"]:
            normal = any(kind["kind"] is None for kind in needed["dep_kinds"])
            if normal and needed["pkg"] not in seen:
                seen.add(needed["pkg"])
                waiting.append(needed["pkg"])
    return {f"{p['name']} {p['version']}": p for p in graph["packages"] if p["id"] in seen and p["id"] != root}


def licence_texts(folder: Path, expression: str) -> Iterator[str]:
    """The texts beside a crate. Where the licence may be chosen, Apache 2.0, which is the app's own."""
    files = sorted(path for path in folder.iterdir() if path.is_file() and LICENCE_FILES.match(path.name))
    apache = [path for path in files if "APACHE" in path.name.upper()]
    if apache and " AND " not in expression:
        files = [*apache, *(path for path in files if path.name.upper().startswith("NOTICE"))]
    for path in files:
        yield path.read_text(encoding="utf-8", errors="replace").replace("\r\n", "\n").strip("\n")


# The package --------------------------------------------------------------------------------------------------------


def contents(extensions: dict[str, bytes], searches: str, third_parties: str) -> dict[str, bytes]:
    """The files of the app by their path in it."""
    files = {}
    for path in sorted(SOURCE.rglob("*")):
        inside = path.relative_to(SOURCE)
        hidden = any(part.startswith((".", "__")) for part in inside.parts)
        if path.is_file() and inside.parts[0] not in LEFT_OUT and not hidden:
            files[inside.as_posix()] = path.read_bytes()
    for name in ("default/app.conf", "app.manifest"):
        files[name] = files[name].replace(b"@VERSION@", version().encode())
    rules = ROOT / "python/huntpack/rules"
    for rule in sorted(rules.rglob("*.y*ml")):
        if not rule.name.endswith(".test.yaml"):
            files[f"rules/{rule.relative_to(rules).as_posix()}"] = rule.read_bytes()
    for name, module in extensions.items():
        files[f"lib/{name}/_core.abi3.so"] = module
    files["default/savedsearches.conf"] = searches.encode()
    files["LICENSE"] = (ROOT / "LICENSE").read_bytes()
    files["THIRD-PARTY-LICENSES.txt"] = third_parties.encode()
    return files


def archive(files: dict[str, bytes]) -> bytes:
    """A tar file whose bytes depend on the files alone, compressed."""
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name in sorted(files):
            entry = tarfile.TarInfo(f"huntpack/{name}")
            entry.size, entry.mtime, entry.mode = len(files[name]), EPOCH, 0o644
            entry.uname = entry.gname = "root"
            tar.addfile(entry, io.BytesIO(files[name]))
    packed = io.BytesIO()
    with gzip.GzipFile(filename="", fileobj=packed, mode="wb", mtime=0) as out:
        out.write(plain.getvalue())
    return packed.getvalue()


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("-o", dest="out", type=Path, default=ROOT / "target/splunk", help="where the package goes")
    arguments.add_argument("--wheel", type=Path, action="append", help="take the extension from this wheel")
    options = arguments.parse_args()
    try:
        wheels = by_platform(options.wheel) if options.wheel else build_wheels(ROOT / "target/splunk")
        if HERE not in wheels:
            raise MissingError(
                f"the built-in rules are exported by a wheel for this machine, {HERE}, which is not here"
            )
        third_parties = licences(PLATFORMS[name] for name in wheels)
        modules = {name: extension(wheel) for name, wheel in wheels.items()}
        package = archive(contents(modules, saved_searches(wheels[HERE]), third_parties))
    except MissingError as error:
        print(f"build.py: {error}", file=sys.stderr)
        return 1
    options.out.mkdir(parents=True, exist_ok=True)
    path = options.out / f"huntpack-{version()}.tgz"
    path.write_bytes(package)
    print(f"{path}  {len(package) / 1e6:.1f} MB  sha256 {hashlib.sha256(package).hexdigest()}")
    for name in PLATFORMS.keys() - wheels.keys():
        print(f"The package holds nothing for {name}.", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Hands standard input and output to the native module of this machine's platform.

Splunk starts a command several times for one search. So nothing is imported here that is not needed: `platform` and
`pathlib` would take longer than all the rest.
"""

import os
import sys

APP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def platform_name():
    """The name of this machine's folder in lib/, such as linux_x86_64."""
    machine = os.uname().machine if hasattr(os, "uname") else os.environ.get("PROCESSOR_ARCHITECTURE", "unknown")
    machine = {"amd64": "x86_64", "arm64": "aarch64"}.get(machine.lower(), machine.lower())
    return f"{'windows' if sys.platform == 'win32' else sys.platform}_{machine}"


def refuse(reason):
    """Answers the first message of the search with an error, which Splunk shows to the user."""
    import json

    lengths = sys.stdin.buffer.readline().split(b",")[1:]
    sys.stdin.buffer.read(sum(int(length) for length in lengths if length.strip().isdigit()))
    reply = json.dumps({"finished": True, "error": reason}).encode()
    sys.stdout.buffer.write(b"chunked 1.0,%d,0\n%s" % (len(reply), reply))
    sys.stdout.buffer.flush()


def ask(*words):
    """Asks splunkd, which few searches need."""
    from huntpack_rest import ask as asked

    return asked(*words)


def run(command):
    """Runs one of the app's commands; the exit status."""
    lib = os.path.join(APP, "lib")
    name = platform_name()
    held = sorted(os.listdir(lib)) if os.path.isdir(lib) else []
    if name not in held:
        refuse(f"huntpack is not built for {name}: this package holds {', '.join(held) or 'no platform'}")
        return 0
    sys.path.insert(0, os.path.join(lib, name))
    try:
        import _core
    except ImportError as error:
        refuse(f"huntpack's native module for {name} cannot be loaded: {error}")
        return 0
    return _core.splunk(command, APP, ask)

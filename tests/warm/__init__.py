"""A python that has imported already: `python()` is run as sys.executable is, and starts in milliseconds.

To import torch, transformers and peft takes a new process five to ten seconds, most of what a command on a
tiny model takes. Here one process, the server (server.py), imports them, and forks a child for each command.
A child is a process as any other: it has its own id, memory, standard streams, folder and environment, it
can be killed, and it ends as Python ends. What asks for it is launcher.py, which stands in for it: signals
and the exit code go through.

A command that the server may not answer for becomes a new Python after all: another module than those of
`server.MODULES`, another environment than imports have seen, a stream that is closed, packages on a path of
its own. What children share with each other is the seed of `hash`: a test of what is the same in two
processes takes sys.executable.
"""

from __future__ import annotations

import atexit
import functools
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
# As this process was started, before any test changed something. Tests and their commands have one thread.
STARTED_WITH = {**os.environ, "OMP_NUM_THREADS": "1"}


@functools.cache
def python() -> str:
    """The path of the command. The first call starts the server, which goes when this process goes."""
    folder = tempfile.TemporaryDirectory(prefix="warm-")  # its name is short: a socket's has 100 characters
    atexit.register(folder.cleanup)
    address, command = Path(folder.name) / "socket", Path(folder.name) / "python"
    # The script, not an interpreter's name: a path to it is all that a command line needs.
    names = f"SERVER, PYTHON = {str(address)!r}, {sys.executable!r}\n"
    command.write_text(f"#!{sys.executable} -IS\n{names}{(HERE / 'launcher.py').read_text()}")
    command.chmod(0o755)
    server = subprocess.Popen(
        [sys.executable, "-m", "tests.warm.server", str(address), str(command)],
        cwd=ROOT,
        env={**STARTED_WITH, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    assert server.stdin is not None and server.stdout is not None
    assert server.stdout.readline() == b"listening\n"
    server.stdout.close()
    atexit.register(server.wait)
    atexit.register(server.stdin.close)  # first: exits are undone in reverse
    return str(command)


class Sys:
    """In place of `sys` in a module of stratune that starts processes."""

    def __getattr__(self, name: str) -> Any:
        return python() if name == "executable" else getattr(sys, name)

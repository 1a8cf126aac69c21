"""Imports what commands import, then forks a child for each: `python -m tests.warm.server SOCKET COMMAND`.

COMMAND is the launcher, which a child has as its sys.executable: what it starts is warm too.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import sys
import threading
from pathlib import Path
from typing import Any

MODULES = ("stratune", "stratune.engine.zygote", "stratune.engine.slurm_task")
LIBRARIES = (
    *("torch", "accelerate", "peft", "sklearn.feature_extraction.text", "sklearn.linear_model"),
    *("transformers.models.auto.modeling_auto", "datasets", "pandas", "pyarrow.parquet", "matplotlib.pyplot"),
    *("rich.table", "stratune.api", "stratune.cli", "stratune.engine.run", "stratune.engine.local"),
    *("stratune.report", "stratune.comparison.comparison", "stratune.predictor.predictor"),
)
# Variables that are read when they are needed, never at import; and of those that begin so.
READ_LATE = {"STRATUNE_CACHE", "STRATUNE_CACHE_GB", "PYTEST_CURRENT_TEST", "PYTHONPATH", "PATH"}
READ_LATE |= {"PWD", "OLDPWD", "SHLVL", "_", "COLUMNS", "LINES"}
READ_LATE |= {"RAYON_NUM_THREADS", "TOKENIZERS_PARALLELISM"}  # by the first call of a tokenizer
READ_LATE |= {"LRU_CACHE_CAPACITY", "ONEDNN_PRIMITIVE_CACHE_CAPACITY"}  # by the first operation
OF_A_CLUSTER = ("SLURM_", "SBATCH_")

Environment = dict[str, str]
Order = dict[str, Any]  # arguments, folder, environment


def main() -> None:
    address, command = sys.argv[1:]
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(address)
    listening.listen(100)  # who comes during the imports waits
    os.write(1, b"listening\n")
    parent = os.dup(0)
    os.dup2(os.open(os.devnull, os.O_RDWR), 1)
    environment = dict(os.environ)
    for name in LIBRARIES:
        importlib.import_module(name)
    made = {name: value for name, value in os.environ.items() if name not in environment}  # by the imports
    gc.freeze()  # no child looks again at what all share
    module = _serve(listening, parent, environment, made, command)
    if module:
        _run(module)


def _run(module: str) -> None:
    """Ends the process as Python ends, but for taking 5,000 modules apart: that is nearly a second."""
    code: Any = 0
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit as ended:
        code = ended.code or 0
        if not isinstance(code, int):
            print(code, file=sys.stderr)
            code = 1
    except BaseException:  # noqa: BLE001 - as the interpreter does
        sys.excepthook(*sys.exc_info())
        code = 1
    threading._shutdown()
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code & 0xFF)


def _seen(environment: Environment) -> Environment:
    """What imports can tell apart."""
    return {
        name: value
        for name, value in environment.items()
        if name not in READ_LATE and not name.startswith(OF_A_CLUSTER)
    }


def _serve(listening: socket.socket, parent: int, seen: Environment, made: Environment, command: str) -> str:
    """In a child, at once: the module to run. In the server, when its parent has gone: nothing."""
    children: dict[int, socket.socket] = {}  # process id -> who stands in for it
    woken, wakes = os.pipe()
    os.set_blocking(wakes, False)
    signal.set_wakeup_fd(wakes)
    signal.signal(signal.SIGCHLD, lambda number, frame: None)
    while True:
        waited = [listening, parent, woken, *children.values()]
        ready = select.select(waited, [], [])[0]
        if parent in ready:
            break
        if woken in ready:
            os.read(woken, 1 << 10)
            _bury(children)
        for pid, standing_in in children.items():
            if standing_in in ready:  # it says nothing: it has been killed
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        if listening in ready:
            launcher = listening.accept()[0]
            order, streams = _read(launcher)
            if not order or not _may_answer(order, seen, made):
                launcher.close()
                for stream in streams:
                    os.close(stream)
                continue
            if not (pid := os.fork()):
                for descriptor in (listening, launcher, *children.values()):
                    descriptor.close()
                for descriptor in (parent, woken, wakes):
                    os.close(descriptor)
                return _become(order, streams, made, command)
            for stream in streams:
                os.close(stream)
            children[pid] = launcher
            with contextlib.suppress(OSError):  # it has been killed meanwhile: seen in the next turn
                launcher.sendall(b"%d\n" % pid)
    for pid in children:
        os.kill(pid, signal.SIGKILL)
    return ""


def _bury(children: dict[int, socket.socket]) -> None:
    while children:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if not pid:
            return
        with children.pop(pid) as launcher, contextlib.suppress(OSError):
            launcher.sendall(b"%d\n" % os.waitstatus_to_exitcode(status))


def _read(launcher: socket.socket) -> tuple[Order, list[int]]:
    """What is to be run, and its three standard streams."""
    streams: list[int] = []
    with contextlib.suppress(OSError):
        text, streams, _, _ = socket.recv_fds(launcher, 1 << 10, 3)
        size, _, rest = text.partition(b"\n")
        while size and len(rest) < int(size) and (more := launcher.recv(1 << 16)):
            rest += more
        if size and len(rest) == int(size):
            return json.loads(rest), streams
    return {}, streams  # it has been killed before it had said all


def _may_answer(order: Order, seen: Environment, made: Environment) -> bool:
    """Whether a new process would have imported the same."""
    option, module, *_ = [*order["arguments"], "", ""]
    packages = any(any(Path(path).glob("*.dist-info")) for path in _own_path(order))
    same = _seen(made | order["environment"]) == _seen(made | seen)
    return option == "-m" and module in MODULES and same and not packages


def _own_path(order: Order) -> list[str]:
    given = order["environment"].get("PYTHONPATH", "").split(os.pathsep)
    return [path for path in given if path and path not in sys.path]


def _become(order: Order, streams: list[int], made: Environment, command: str) -> str:
    """All that a process has of its own; the module it runs."""
    import numpy as np

    os.setsid()
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.chdir(order["folder"])
    os.environ.clear()
    os.environ.update(made | order["environment"])
    sys.path[:] = [order["folder"], *_own_path(order), *sys.path[1:]]
    sys.executable = command
    np.random.seed()  # else each child would draw the same; `random` sees to that itself
    _, module, *arguments = order["arguments"]
    sys.argv = [module, *arguments]
    return str(module)


if __name__ == "__main__":
    main()

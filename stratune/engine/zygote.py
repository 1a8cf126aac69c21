"""The zygote: a process that imports torch and transformers once, then forks a child for each run.

`python -m stratune.engine.zygote` reads one job a line (JSON) on standard input and writes events, one a
line, on standard output. A child shares the imports and nothing else: what it allocates, corrupts or dies
of stays its own, its memory peak is its own, and no run waits five seconds for imports. multiprocessing's
fork server would do the same, but re-imports the user's script in every child. Where there is no fork
(Windows) the zygote runs one job itself and ends.
"""

from __future__ import annotations

import json
import os
import select
import signal
import sys
import threading
import time
from pathlib import Path
from typing import BinaryIO

from stratune.engine.events import Event


def main() -> None:
    # A fork must not inherit an initialised GPU driver; asked this way, torch only counts devices.
    os.environ.setdefault("PYTORCH_NVML_BASED_CUDA_CHECK", "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")
    events = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)  # whatever a library prints must not reach the events
    import accelerate
    import peft
    import sklearn.feature_extraction.text
    import sklearn.linear_model
    import transformers.models.auto.modeling_auto  # noqa: F401

    import stratune.engine.run  # noqa: F401

    del accelerate, peft, sklearn
    pending = b""
    while True:
        chunk = os.read(0, 1 << 16)
        if not chunk:
            return
        pending += chunk
        while b"\n" in pending:
            line, pending = pending.split(b"\n", 1)
            _run(line, events)


def _run(line: bytes, events: BinaryIO) -> None:
    if not hasattr(os, "fork"):
        work(line, events)
        _tell(events, {"event": "exit", "code": 0})
        sys.exit()  # the engine starts another for the next run
    job = json.loads(line)
    log = Path(job["out"]) / "runs" / f".{os.getpid()}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    alive, held = os.pipe()  # the child alone keeps `held`: when `alive` ends, it is dead, however it died
    child = os.fork()
    if child == 0:
        os.close(alive)
        _child(line, log, events)
    os.close(held)
    if _ends_before_we_do(alive):
        _, status = os.waitpid(child, 0)
        code = os.waitstatus_to_exitcode(status)
        _tell(events, {"event": "exit", "code": code, "log": _tail(log) if code else ""})
        log.unlink(missing_ok=True)
        os.close(alive)
        return
    os.kill(child, signal.SIGKILL)  # our parent is gone: nobody waits for this run
    log.unlink(missing_ok=True)
    os._exit(1)


def _ends_before_we_do(alive: int) -> bool:
    """Wait for the child's end (True) or for the end of our own standard input (False)."""
    ready, _, _ = select.select([alive, 0], [], [])
    return alive in ready


def _child(line: bytes, log: Path, events: BinaryIO) -> None:
    """Never returns. Exit code 0 says that result.json is written, whatever it says."""
    code = 1
    try:
        output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        os.dup2(output, 1)
        os.dup2(output, 2)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        _die_with_parent(os.getppid())
        work(line, events)
        code = 0
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def work(line: bytes, events: BinaryIO) -> None:
    from stratune.engine.events import Reporting
    from stratune.engine.job import Job
    from stratune.engine.run import execute

    execute(Job(**json.loads(line)), Reporting(lambda event: _tell(events, event)))


def _die_with_parent(parent: int) -> None:
    """A run whose zygote was killed must not go on: the next would find it writing in the same folder."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _tell(events: BinaryIO, event: Event) -> None:
    events.write(json.dumps(event).encode() + b"\n")  # one write, below the size at which pipes split


def _tail(log: Path) -> str:
    if not log.exists():
        return ""
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return "\n".join(lines[-15:])


if __name__ == "__main__":
    main()

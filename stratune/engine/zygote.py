"""The zygote: a process that imports torch and transformers once, then forks a child for each run.

`python -m stratune.engine.zygote` reads orders from standard input, one a line: a number, a job and where it
has its files (JSON). It writes what the runs tell on standard output: the number, a space, an event. A child
shares the imports and nothing else: what it allocates, corrupts or dies of stays its own, its memory peak is
its own, and no run waits five seconds for imports. multiprocessing's fork server would do the same, but
re-imports the user's script in every child. Where there is no fork (Windows) the zygote runs one job itself
and ends.
"""

from __future__ import annotations

import gc
import json
import os
import select
import signal
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from stratune.engine.events import Event, Reporting
from stratune.engine.job import Job, Place
from stratune.engine.threads import share_cores
from stratune.files import TEMPORARY, temporary_prefix

Order = dict[str, Any]


@dataclass
class _Child:
    """A run. It alone holds the other end of the pipe `told`: when that ends, it is dead, however it died."""

    number: int
    pid: int
    log: Path
    told: int
    line: bytes = b""  # the beginning of one that is not whole yet


def main() -> None:
    # A fork must not inherit an initialised GPU driver; asked this way, torch only counts devices.
    os.environ.setdefault("PYTORCH_NVML_BASED_CUDA_CHECK", "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")
    events = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints must not reach the events
    import accelerate
    import peft
    import sklearn.feature_extraction.text
    import sklearn.linear_model
    import transformers.models.auto.modeling_auto  # noqa: F401

    import stratune.engine.run  # noqa: F401

    del accelerate, peft, sklearn
    gc.freeze()  # else each collection of a run looks at what was imported: 0.4 seconds, once a trial or fold
    if hasattr(os, "fork"):
        _serve(events)
    else:
        _one_run(events)


def _one_run(events: BinaryIO) -> None:
    """The engine starts another zygote for the next."""
    order = json.loads(sys.stdin.buffer.readline())
    number = order["number"]
    work(order, lambda event: _tell(events, number, json.dumps(event).encode()))
    _tell(events, number, json.dumps({"event": "exit", "code": 0}).encode())


def _serve(events: BinaryIO) -> None:
    """Until standard input ends: then our parent is gone, and nobody waits for the runs."""
    children: dict[int, _Child] = {}
    unread = b""
    try:
        while True:
            ready = select.select([0, *children], [], [])[0]
            for pipe in ready:
                if pipe in children:
                    _hear(children, pipe, events)
                    continue
                if not (chunk := os.read(0, 1 << 16)):
                    return
                *lines, unread = (unread + chunk).split(b"\n")
                for line in lines:
                    child = _start(json.loads(line), [events.fileno(), *children])
                    children[child.told] = child
    except BrokenPipeError:
        pass
    finally:
        for child in children.values():
            os.kill(child.pid, signal.SIGKILL)
            child.log.unlink(missing_ok=True)


def _hear(children: dict[int, _Child], pipe: int, events: BinaryIO) -> None:
    """Whole lines are handed on; a line that its run did not live to end is not."""
    child = children[pipe]
    if chunk := os.read(pipe, 1 << 16):
        *lines, child.line = (child.line + chunk).split(b"\n")
        for line in lines:
            _tell(events, child.number, line)
        return
    del children[pipe]
    os.close(pipe)
    code = os.waitstatus_to_exitcode(os.waitpid(child.pid, 0)[1])
    end: Event = {"event": "exit", "code": code, "log": _tail(child.log) if code else ""}
    child.log.unlink(missing_ok=True)
    _tell(events, child.number, json.dumps(end).encode())


def _start(order: Order, others: list[int]) -> _Child:
    """`others`: what is open here and not the child's."""
    number, zygote = order["number"], os.getpid()
    log = Path(order["place"]["runs"]) / f"{temporary_prefix('run')}{number}{TEMPORARY}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    told, telling = os.pipe()
    pid = os.fork()
    if pid == 0:
        for descriptor in (told, *others):
            os.close(descriptor)
        _child(order, log, telling, zygote)
    os.close(telling)
    return _Child(number, pid, log, told)


def _child(order: Order, log: Path, telling: int, zygote: int) -> None:
    """Never returns. Exit code 0 says that result.json is written, whatever it says."""
    code = 1
    try:
        output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        os.dup2(output, 1)
        os.dup2(output, 2)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        _die_with(zygote)
        events = os.fdopen(telling, "wb")
        share_cores(order["jobs"])
        work(order, lambda event: _say(events, event))
        code = 0
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def work(order: Order, on_event: Any) -> None:
    from stratune.engine.run import execute

    execute(Job(**order["job"]), Place(**order["place"]), Reporting(on_event))


def _die_with(zygote: int) -> None:
    """A run whose zygote was killed must not go on: the next would find it writing in the same folder."""

    def watch() -> None:
        while os.getppid() == zygote:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _say(events: BinaryIO, event: Event) -> None:
    try:
        events.write(json.dumps(event).encode() + b"\n")
        events.flush()
    except BrokenPipeError:  # the zygote is gone, and a result that blames the pipe helps nobody
        os._exit(1)


def _tell(events: BinaryIO, number: int, line: bytes) -> None:
    events.write(b"%d %b\n" % (number, line))
    events.flush()


def _tail(log: Path) -> str:
    if not log.exists():
        return ""
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return "\n".join(lines[-15:])


if __name__ == "__main__":
    main()

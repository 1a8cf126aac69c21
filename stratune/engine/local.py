"""Runs on this machine, one after another, each in a process of its own (see zygote.py)."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from dataclasses import asdict
from types import TracebackType
from typing import TYPE_CHECKING

from stratune.engine.events import Event, OnEvent
from stratune.evaluate.metrics import for_other_processes
from stratune.result import RunResult

if TYPE_CHECKING:
    from stratune.engine.job import Job


class LocalEngine:
    """`with LocalEngine() as engine: engine.run(job, on_event)`. Starting it early hides the imports behind
    other work.
    """

    def __init__(self) -> None:
        self._zygote: subprocess.Popen[bytes] | None = None
        self._busy = False

    def __enter__(self) -> LocalEngine:
        self._start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _start(self) -> subprocess.Popen[bytes]:
        if self._zygote is None or self._zygote.poll() is not None:
            self._zygote = subprocess.Popen(
                [sys.executable, "-m", "stratune.engine.zygote"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C reaches us alone, and we end the run in order
                env={
                    **os.environ,
                    **for_other_processes(),
                    "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
                },
            )
        return self._zygote

    def ready(self) -> None:
        """Nobody to wait for."""

    def run(self, job: Job, on_event: OnEvent) -> RunResult:
        """The run's result; a failed one when its process died, with how it died."""
        result_file = job.folder / "result.json"
        result_file.unlink(missing_ok=True)
        ended = self._follow(json.dumps(asdict(job)), on_event)
        if result_file.is_file():
            return RunResult.load(result_file)
        result = job.failed(_how_it_died(ended), job.fingerprint, str(ended.get("log") or "") or None)
        result.save(result_file)
        return result

    def _follow(self, line: str, on_event: OnEvent) -> Event:
        zygote = self._start()
        assert zygote.stdin is not None and zygote.stdout is not None
        self._busy = True
        zygote.stdin.write(line.encode() + b"\n")
        zygote.stdin.flush()
        for raw in zygote.stdout:
            event: Event = json.loads(raw)
            if event["event"] == "exit":
                self._busy = False
                return event
            on_event(event)
        code = zygote.wait()  # it died itself
        self._forget()
        return {"event": "exit", "code": code}

    def close(self) -> None:
        """End the zygote and with it a run still going on (it is resumed from its last checkpoint)."""
        if self._zygote is None:
            return
        zygote = self._zygote
        if not self._busy:
            zygote.kill()  # it holds nothing, and may still be importing
        self._forget()
        try:
            zygote.wait(timeout=10)
        except subprocess.TimeoutExpired:
            zygote.kill()
            zygote.wait()

    def _forget(self) -> None:
        """Close the pipes: the end of its standard input tells the zygote to end, and its run with it."""
        assert self._zygote is not None
        for stream in (self._zygote.stdin, self._zygote.stdout):
            if stream is not None:
                with contextlib.suppress(BrokenPipeError):
                    stream.close()
        self._zygote, self._busy = None, False


def _how_it_died(ended: Event) -> str:
    code = int(ended["code"])
    if code >= 0:
        return f"the run's process ended with exit code {code}"
    name = signal.Signals(-code).name if -code in set(signal.Signals) else f"signal {-code}"
    hint = "; the system kills a process when memory runs out" if name == "SIGKILL" else ""
    return f"the run's process was killed ({name}{hint})"

"""A process that runs cases one after the other, as the command line would, and tells what broke.

It may hang or die of a case: campaign.py watches it from outside.
"""

from __future__ import annotations

import contextlib
import faulthandler
import importlib
import io
import os
import resource
import shutil
import socket
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random
from typing import Any
from unittest import mock

import stratune
from fuzz.case import Case, random_of
from fuzz.promises import Ran, broken, plain, snapshot

MEMORY = 4 << 30  # bytes that a case may ask for on top of what the libraries take
ANSWERS = "y\n" * 100  # what a library finds on standard input, if it asks
READY = "ready"
PACKAGE = Path(stratune.__file__).parent
LIBRARIES = (
    *("torch", "transformers", "peft", "datasets", "pandas", "pyarrow.parquet", "sklearn.linear_model"),
    *("matplotlib.pyplot", "rich.table", "stratune.engine.run", "stratune.report"),
    "stratune.predictor.predictor",
)


# (kind, seed, randomness, empty folder, base) -> the case; of kinds.py, or of a test
Make = Callable[[str, int, Random, Path, Path], Case]


@dataclass(frozen=True)
class Done:
    """A case that came to an end: its exit code and what it broke."""

    code: int | None
    command: str
    findings: list[str]
    shown: str = ""  # standard error, for who looks at one case
    seconds: float = 0.0


def serve(
    orders: Connection,
    make: Make,
    base: Path,
    scratch: Path,
    seconds: float,
    libraries: Sequence[str],
    stacks: Path,
) -> None:
    """Until there is no more order. `libraries` are imported first; `stacks`: where a hanging case leaves its
    stack.
    """
    for name in libraries:  # before memory is bounded: they are not a case's
        importlib.import_module(name)
    contacted = bounds(scratch)
    orders.send(READY)
    with contextlib.suppress(EOFError):
        while True:
            kind, seed = orders.recv()
            with stacks.open("w") as stream:
                faulthandler.dump_traceback_later(seconds, file=stream)
                done = run(make, kind, seed, base, scratch / "case", contacted)
                faulthandler.cancel_dump_traceback_later()
            orders.send(done)


def bounds(scratch: Path) -> list[str]:
    """A cache of its own, bounded memory, no network. Returns the list that gets each address tried."""
    os.environ["STRATUNE_CACHE"] = str(scratch / "cache")
    contacted: list[str] = []
    _bound_memory()
    _without_network(contacted)
    return contacted


def run(make: Make, kind: str, seed: int, base: Path, folder: Path, contacted: list[str]) -> Done:
    """Make the case, run it in its folder, check it."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    case = make(kind, seed, random_of(kind, seed), folder, base)
    before = snapshot(folder)
    contacted.clear()
    started = time.monotonic()
    ran = _ran(case, folder, contacted)
    seconds = time.monotonic() - started
    found = broken(case, ran, before, snapshot(folder))
    return Done(ran.code, " ".join(case.command), found, ran.error, seconds)


def _ran(case: Case, folder: Path, contacted: list[str]) -> Ran:
    raised, code = None, 0
    with _streams() as (answers, output, error), contextlib.chdir(folder), _standing_in(case):
        try:
            _main()
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else 0 if ended.code is None else 1
        except BaseException as problem:  # noqa: BLE001  whatever goes past the command line is a finding
            raised, code = _named(problem), None
        answered = answers.tell() > 0
        shown = output.getvalue(), error.getvalue()
    return Ran(code, shown[1], shown[0], raised, answered, tuple(contacted))


def _main() -> None:
    from stratune.cli import main

    main()


@contextlib.contextmanager
def _streams() -> Iterator[tuple[io.StringIO, io.StringIO, io.StringIO]]:
    """Standard streams of this process; none is a terminal."""
    answers, output, error = _Input(ANSWERS), _Output(), _Output()
    with mock.patch.multiple(sys, stdin=answers, stdout=output, stderr=error):
        yield answers, output, error


class _Input(io.StringIO):
    @property
    def buffer(self) -> io.BytesIO:
        self.read(1)  # who takes the bytes reads them
        return io.BytesIO(ANSWERS.encode())


class _Output(io.StringIO):
    """Text or bytes, and what cannot be written as UTF-8 fails as on a pipe."""

    @property
    def buffer(self) -> Any:
        return self

    def write(self, text: str | bytes) -> int:
        if isinstance(text, str):
            text.encode("utf-8")
            return super().write(text)
        return super().write(text.decode("utf-8"))


@contextlib.contextmanager
def _standing_in(case: Case) -> Iterator[None]:
    """`sys.argv`; for a case with a call of its own the command line's table of commands; the engine."""
    with contextlib.ExitStack() as stack:
        stack.enter_context(mock.patch.object(sys, "argv", ["stratune", *case.command]))
        if case.call is not None:
            call = case.call
            stack.enter_context(mock.patch("stratune.cli._run", lambda arguments: call() or 0))
        engine = {"refusing": _refusing, "inline": _inline}[case.engine]
        stack.enter_context(mock.patch("stratune.comparison.comparison.engine_for", engine))
        yield


def _inline(name: str, jobs: int | None) -> Any:
    from stratune.engine.choose import ENGINES, engine_for  # which checks the name and `jobs`
    from stratune.engine.inline import InlineEngine

    with mock.patch("stratune.engine.choose.LocalEngine", lambda jobs: InlineEngine()):
        return engine_for("local" if name in ENGINES else name, jobs)


def _refusing(name: str, jobs: int | None) -> Any:
    """An engine whose runs all fail at once: what a comparison reads, checks and reports is what is tried."""
    engine = _inline(name, jobs)

    def wait() -> Any:
        job, _ = engine._waiting.popleft()
        result = job.failed("not run in this campaign", job.fingerprint)
        result.save(engine._place.result_file(job))
        return job, result

    engine.wait = wait
    return engine


def _named(problem: BaseException) -> str:
    """Type, the innermost line of ours, and the beginning of the message."""
    frames = [(Path(frame.filename), frame.name) for frame in traceback.extract_tb(problem.__traceback__)]
    ours = [short(*frame) for frame in frames if frame[0].is_relative_to(PACKAGE)]
    message = str(problem).strip().splitlines()
    told = plain(message[0]) if message else ""
    return f"{type(problem).__name__} at {ours[-1] if ours else '?'}: {told}"


def short(file: Path, function: str) -> str:
    return f"{file.parent.name}/{file.name}:{function}"


def _bound_memory() -> None:
    used = Path("/proc/self/statm")
    if not used.exists():  # it is Linux that says how much there is already
        return
    pages = int(used.read_text().split()[0])
    bytes_ = pages * os.sysconf("SC_PAGE_SIZE") + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (bytes_, bytes_))


def _without_network(contacted: list[str]) -> None:
    """Every attempt is noted and fails, looking up a name included."""

    def connect(self: socket.socket, address: object, *_: object) -> None:
        contacted.append(str(address))
        raise ConnectionRefusedError("no network in this campaign")

    def look_up(host: object, *_: object, **__: object) -> None:
        contacted.append(str(host))
        raise socket.gaierror("no network in this campaign")

    for name in ("connect", "connect_ex"):
        setattr(socket.socket, name, connect)
    socket.getaddrinfo = look_up  # type: ignore[assignment]

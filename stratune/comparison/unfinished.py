"""What a comparison has left to do: of a folder in which one runs, or was stopped."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from stratune.comparison.plan import plan
from stratune.config import read_config
from stratune.errors import ArtifactError, ConfigError
from stratune.evaluate.selection import Selection
from stratune.ownership import LOCK, MARKER
from stratune.report import human
from stratune.report.shapes import HistoryLine, SplitFile, read_checked, read_lines
from stratune.result import RunResult
from stratune.task import Task


@dataclass(frozen=True)
class Unfinished:
    """Of the planned runs: results, those begun with what they do, and those still to begin."""

    running: bool  # a process works in the folder now
    results: list[RunResult]
    begun: dict[str, str]  # run id -> "epoch 1.5, val 0.710"
    waiting: list[str]
    selection: Selection


def is_running(out: Path) -> bool:
    """Whether a process works in the folder: the kernel drops the lock of one that was killed."""
    if not (out / LOCK).is_file():
        return False
    lock = FileLock(out / LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return True
    except OSError as error:
        raise ArtifactError(f"{out / LOCK}: cannot be read ({error.strerror})") from error
    lock.release()
    return False


def unfinished(out: Path) -> Unfinished | None:
    """None where all is done, or the folder does not say what was planned: of 0.7 or before, or with a
    config.yaml that cannot be read.
    """
    if not all((out / name).is_file() for name in (MARKER, "config.yaml", "split.json")):
        return None
    try:
        runs = plan(read_config(out / "config.yaml"))
    except ConfigError:
        return None
    running = is_running(out)
    results, begun, waiting = [], {}, []
    for planned in runs:
        folder = out / "runs" / planned.run_id
        if (folder / "result.json").is_file():
            results.append(RunResult.load(folder / "result.json"))
        elif folder.is_dir():
            begun[planned.run_id] = _doing(folder)
        else:
            waiting.append(planned.run_id)
    if not (running or begun or waiting):
        return None
    task = Task.from_dict(read_checked(out / "split.json", SplitFile)["task"])
    return Unfinished(running, results, begun, waiting, task.selection)


def _doing(folder: Path) -> str:
    lines = read_lines(folder / "history.jsonl", HistoryLine)
    if not lines:
        return ""
    vals = [line["val"] for line in lines if line.get("val") is not None]
    val = f", val {human.score(vals[-1])}" if vals else ""
    epoch = lines[-1].get("epoch")
    return f"epoch {epoch:.1f}{val}" if epoch is not None else val.removeprefix(", ")

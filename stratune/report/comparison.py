"""A comparison folder, read and checked. All that the report shows comes through here."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from stratune.errors import ArtifactError, ConfigError
from stratune.files import read_json
from stratune.identity import difference
from stratune.ownership import Owned
from stratune.report import human
from stratune.report.predictions import Predictions, read_predictions
from stratune.result import RunResult
from stratune.task import Task


@dataclass(frozen=True)
class Run:
    """One run's files. `history`, `trials`: a dict a line. `predictions` by part, empty for a failed run."""

    folder: Path
    result: RunResult
    history: tuple[dict[str, Any], ...] = ()
    predictions: dict[str, Predictions] = field(default_factory=dict)
    trials: tuple[dict[str, Any], ...] = ()  # prompts that were tried, the one that was kept first


@dataclass(frozen=True)
class Entry:
    """A strategy on a backbone with the runs of all its seeds: one row of the leaderboard."""

    strategy: str
    backbone: str | None
    runs: tuple[Run, ...]

    @property
    def ok(self) -> tuple[Run, ...]:
        return tuple(run for run in self.runs if run.result.status == "ok")

    @property
    def name(self) -> str:
        return human.entry(self.strategy, self.backbone)


@dataclass(frozen=True)
class Comparison:
    """The folder OUT in memory. `unfinished`: run folders without a result, stopped or still running."""

    out: Path
    config: dict[str, Any]
    task: Task
    fingerprint: str
    ids: dict[str, list[str]]  # part -> row ids
    balance: dict[str, dict[str, int]]  # part -> label -> rows
    notes: tuple[str, ...]
    data: Any  # contents of data.json; None without it
    ablation: Any  # contents of ablation.json; None without it
    runs: tuple[Run, ...]
    unfinished: tuple[str, ...]
    set_aside: dict[str, str] = field(default_factory=dict)  # runs that do not belong to this board, and why

    @property
    def sizes(self) -> dict[str, int]:
        return {part: len(ids) for part, ids in self.ids.items()}

    def entries(self) -> list[Entry]:
        """Runs gathered by (strategy, backbone), seeds in order, in order of name."""
        gathered: dict[tuple[str, str], list[Run]] = {}
        for run in self.runs:
            gathered.setdefault((run.result.strategy, run.result.backbone or ""), []).append(run)
        ordered = [sorted(gathered[key], key=lambda run: run.result.seed) for key in sorted(gathered)]
        return [Entry(runs[0].result.strategy, runs[0].result.backbone, tuple(runs)) for runs in ordered]


def load(out: str | Path) -> Comparison:
    """Read OUT. ArtifactError: a file missing, damaged or of another split. ConfigError: config.yaml."""
    out = Path(out)
    if not (out / "split.json").is_file():
        found = "has no split.json" if out.is_dir() else "is not a folder"
        raise ArtifactError(f"{out}: {found}; give the folder that `stratune compare --out` wrote")
    config = _config(out / "config.yaml")
    split = _json(out / "split.json")
    with _reading(out / "split.json"):
        task = Task.from_dict(split["task"])
        ids = {part: [str(one) for one in split["parts"][part]] for part in ("train", "val", "test")}
        fingerprint, balance = split["fingerprint"], split.get("balance", {})
    owned = Owned.read(out)
    folders = sorted(folder for folder in (out / "runs").glob("*") if folder.is_dir())
    if owned is not None:  # other folders are the user's
        folders = [folder for folder in folders if f"runs/{folder.name}" in owned.files]
    done = [folder for folder in folders if (folder / "result.json").is_file()]
    if not done:
        raise ArtifactError(f"{out}: no run has a result yet; `stratune compare` goes on where it stopped")
    runs = [_run(folder, task, ids, fingerprint) for folder in done]
    aside = _set_aside(owned, runs)
    return Comparison(
        out=out,
        config=config,
        task=task,
        fingerprint=fingerprint,
        ids=ids,
        balance=balance,
        notes=tuple(split.get("notes", ())),
        data=_json(out / "data.json") if (out / "data.json").exists() else None,
        ablation=_json(out / "ablation.json") if (out / "ablation.json").exists() else None,
        runs=tuple(run for run in runs if run.folder.name not in aside),
        set_aside=aside,
        unfinished=tuple(folder.name for folder in folders if folder not in done and folder.name[0] != "."),
    )


def _set_aside(owned: Owned | None, runs: Sequence[Run]) -> dict[str, str]:
    """Runs of other data, another task or budget than the comparison's, and what is other in them.

    A folder without a marker (up to 0.7) does not say what it compares: nothing is set aside there.
    """
    if owned is None or not owned.compares:
        return {}
    why = {run.folder.name: difference(run.result.identity, owned.compares) for run in runs}
    return {name: other for name, other in why.items() if other is not None}


def _run(folder: Path, task: Task, ids: dict[str, list[str]], fingerprint: str) -> Run:
    path = folder / "result.json"
    with _reading(path):
        result = RunResult.load(path)
    if result.status == "failed":
        return Run(folder, result, _lines(folder / "history.jsonl"))
    if result.fingerprint not in ("", fingerprint):
        raise ArtifactError(
            f"{path}: made on split {result.fingerprint[:12]}, but this comparison's is {fingerprint[:12]}"
        )
    predictions = read_predictions(folder / "predictions.parquet", task, ids)
    history, trials = (_lines(folder / f"{name}.jsonl") for name in ("history", "trials"))
    return Run(folder, result, history, predictions, trials)


def _lines(path: Path) -> tuple[dict[str, Any], ...]:
    """One dict a line; empty without the file. A last line that a kill has cut off is dropped."""
    if not path.exists():
        return ()
    lines = path.read_text(encoding="utf-8").splitlines()
    rows = []
    for number, line in enumerate(lines, start=1):
        try:
            rows.append(json.loads(line))
        except ValueError as error:
            if number < len(lines):
                raise ArtifactError(f"{path}:{number}: not a line of JSON ({error})") from error
    return tuple(rows)


def _config(path: Path) -> dict[str, Any]:
    try:
        config = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ArtifactError(f"{path}: cannot be read ({_reason(error)})") from error
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}: not YAML ({' '.join(str(error).split())})") from error
    if not isinstance(config, dict):
        raise ConfigError(f"{path}: expected keys and values, found {type(config).__name__}")
    return config


def _json(path: Path) -> Any:
    with _reading(path):
        return read_json(path)


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    """Turn Python's error about a damaged file into one line that names the file."""
    try:
        yield
    except KeyError as error:
        raise ArtifactError(f"{path}: has no {error}") from error
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise ArtifactError(f"{path}: cannot be read ({_reason(error)})") from error


def _reason(error: Exception) -> str:
    return error.strerror if isinstance(error, OSError) and error.strerror else str(error)

"""A comparison folder, read and checked. All that the report shows comes through here."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stratune.data.predictions import Predictions, read_predictions
from stratune.errors import ArtifactError, ConfigError
from stratune.identity import difference
from stratune.options import parse_yaml
from stratune.ownership import Owned
from stratune.report import human, texts
from stratune.report.attack_shapes import AttackFile
from stratune.report.evaluations_shapes import EvaluationsFile
from stratune.report.robustness_shapes import RobustnessFile
from stratune.report.schema_shapes import SchemaFile
from stratune.report.shapes import (
    AblationFile,
    DataFile,
    HistoryLine,
    ResultFile,
    SplitFile,
    TrialLine,
    read_checked,
    read_lines,
)
from stratune.report.sizes_shapes import SizesFile
from stratune.report.slices_shapes import SlicesFile
from stratune.report.transfer_shapes import TransferFile
from stratune.result import RunResult
from stratune.task import Task

_AGAIN = "the same `stratune compare` command makes the run again"


@dataclass(frozen=True)
class Run:
    """One run's files. `history`, `trials`: a dict a line. `predictions` by part, empty for a failed run."""

    folder: Path
    result: RunResult
    history: tuple[dict[str, Any], ...] = ()
    predictions: dict[str, Predictions] = field(default_factory=dict)
    trials: tuple[
        dict[str, Any], ...
    ] = ()  # settings or prompts that were tried; of a run that ended well the kept first


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
    texts: texts.Texts | None = None  # of the test rows; None where none are kept
    folds: tuple[int, ...] = ()  # of the validation rows, where these are the training rows in folds
    robustness: Any = None  # contents of robustness.json; None without it
    attack: Any = None  # contents of attack.json; None without it
    slices: Any = None  # contents of slices.json; None without it
    schema: Any = None  # contents of schema.json; None without it
    whole: dict[str, dict[str, int]] = field(default_factory=dict)  # `balance` of parts before they were cut
    split_by: Any = None  # of a split by time: `column`, and `periods` by part
    by_size: Any = None  # contents of sizes.json; None without it
    transferred: Any = None  # contents of transfer.json; None without it
    evaluated: Any = None  # contents of evaluations.json; None without it

    @property
    def of_transcripts(self) -> bool:
        return bool((self.config.get("data") or {}).get("transcripts"))

    @property
    def balances(self) -> dict[str, dict[str, int]]:
        """Rows of each label by part; of a part that was cut to some of its rows, all of them before it."""
        found = {}
        for part, counts in self.balance.items():
            if part in self.whole:
                found[f"{part}, all its rows"] = self.whole[part]
            found[part] = counts
        return found

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


def load(out: str | Path, planned: Collection[str] | None = None) -> Comparison:
    """Read OUT. ArtifactError: a file missing, damaged or of another split. ConfigError: config.yaml.

    `planned`: ids of the runs that have just been done; another one that is damaged is set aside. None: any
    damage is an error.
    """
    out = Path(out)
    if not (out / "split.json").is_file():
        found = "has no split.json" if out.is_dir() else "is not a folder"
        raise ArtifactError(f"{out}: {found}; give the folder that `stratune compare --out` wrote")
    config = _config(out / "config.yaml")
    split = read_checked(out / "split.json", SplitFile)
    with _reading(out / "split.json"):
        task = Task.from_dict(split["task"])
        if not (task.labels or task.target.is_numeric):
            raise ValueError("task.labels: none, and its kind has labels")
        ids = {part: [str(one) for one in split["parts"][part]] for part in ("train", "val", "test")}
        fingerprint, balance = split["fingerprint"], split.get("balance", {})
        folds = tuple(split.get("folds", ()))
        if folds and len(folds) != len(ids["val"]):
            raise ValueError(f"folds: {len(folds)} for {len(ids['val'])} validation rows")
    owned = Owned.read(out)
    folders = sorted(folder for folder in (out / "runs").glob("*") if folder.is_dir())
    if owned is not None:  # other folders are the user's
        folders = [folder for folder in folders if f"runs/{folder.name}" in owned.files]
    done = [folder for folder in folders if (folder / "result.json").is_file()]
    if not done:
        raise ArtifactError(f"{out}: no run has a result yet; `stratune compare` goes on where it stopped")
    runs, aside = [], {}
    for folder in done:
        try:
            runs.append(_run(folder, task, ids, fingerprint))
        except ArtifactError as error:
            if planned is None or folder.name in planned:
                raise
            aside[folder.name] = str(error)
    aside |= _set_aside(owned, runs)
    kept = owned is not None and texts.FILE in owned.files and (out / texts.FILE).is_file()
    return Comparison(
        out=out,
        config=config,
        task=task,
        fingerprint=fingerprint,
        ids=ids,
        balance=balance,
        whole=split.get("whole", {}),
        notes=tuple(split.get("notes", ())),
        data=_optional(out / "data.json", DataFile),
        ablation=_optional(out / "ablation.json", AblationFile),
        robustness=_optional(out / "robustness.json", RobustnessFile),
        attack=_optional(out / "attack.json", AttackFile, "remove it; `stratune attack` makes it again"),
        by_size=_optional(out / "sizes.json", SizesFile),
        transferred=_optional(out / "transfer.json", TransferFile),
        evaluated=_optional(out / "evaluations.json", EvaluationsFile),
        schema=_optional(out / "schema.json", SchemaFile, "remove it; `stratune schema` makes it again"),
        slices=_optional(out / "slices.json", SlicesFile, "remove it; `stratune slices` makes it again"),
        runs=tuple(run for run in runs if run.folder.name not in aside),
        set_aside=aside,
        texts=texts.read(out / texts.FILE, ids["test"]) if kept else None,
        folds=folds,
        split_by=split.get("split_by"),
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
    result = RunResult.load(path)
    read_checked(path, ResultFile, _AGAIN)
    if result.status == "failed":
        history = read_lines(folder / "history.jsonl", HistoryLine)
        return Run(folder, result, history, trials=read_lines(folder / "trials.jsonl", TrialLine))
    if result.fingerprint not in ("", fingerprint):
        raise ArtifactError(
            f"{path}: made on split {result.fingerprint[:12]}, but this comparison's is {fingerprint[:12]}"
        )
    predictions = read_predictions(folder / "predictions.parquet", task, ids)
    history = read_lines(folder / "history.jsonl", HistoryLine)
    return Run(folder, result, history, predictions, read_lines(folder / "trials.jsonl", TrialLine))


def _config(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ArtifactError(f"{path}: cannot be read ({_reason(error)})") from error
    config = parse_yaml(text, str(path))
    if not isinstance(config, dict):
        raise ConfigError(f"{path}: expected keys and values, found {type(config).__name__}")
    budget = config.get("budget") or {}
    if not isinstance(budget, dict) or not all(map(_is_plain, budget.values())):
        raise ConfigError(f"{path}: budget: expected names of settings and their values")
    if not isinstance(budget.get("epochs") or 0, (int, float)):
        raise ConfigError(f"{path}: budget.epochs: expected a number, found {budget['epochs']!r}")
    return config


def _is_plain(value: object) -> bool:
    return value is None or (isinstance(value, (str, int, float)) and value not in (math.inf, -math.inf))


def _optional(path: Path, shape: Any, advice: str = "") -> Any:
    return read_checked(path, shape, advice) if path.exists() else None


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

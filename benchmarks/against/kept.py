"""What is kept of a run in a folder: results.jsonl, a line for each system on each draw, and its predictions.

A run that is started again does what has no line yet; of two lines of one system on one draw the last counts.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from against.answers import Answer
from against.sets import Draw
from stratune.errors import ConfigError
from stratune.task import Task

OURS = "stratune:"  # before the name of a strategy


@dataclass(frozen=True)
class Result:
    """One system on one draw. `rank`: of a strategy of ours, by validation. `error`: why there are no predictions."""

    case: str
    draw: int
    system: str
    rows: str  # training / validation / test
    fingerprint: str  # of the rows
    task: dict[str, Any]
    seconds: float | None
    rank: int | None = None
    error: str | None = None
    chosen: dict[str, Any] = field(default_factory=dict)

    @property
    def file(self) -> str:
        return f"predictions/{self.case}-{self.draw}-{re.sub(r'[^A-Za-z0-9.]+', '-', self.system)}.parquet"

    @property
    def ours(self) -> bool:
        return self.system.startswith(OURS)


class Kept:
    """The results in `folder`. Raises ConfigError for a draw whose rows are not those of the results that it has."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "predictions").mkdir(parents=True, exist_ok=True)
        self.lines = folder / "results.jsonl"
        written = self.lines.read_text(encoding="utf-8").splitlines() if self.lines.is_file() else []
        found = [Result(**json.loads(line)) for line in written]
        self.results = {(one.case, one.draw, one.system): one for one in found}

    def has(self, draw: Draw, system: str) -> bool:
        """Whether it has a system's answer to a draw. Raises ConfigError as the class does."""
        self._check(draw.case, draw.number, draw.fingerprint)
        return (draw.case, draw.number, system) in self.results

    def _check(self, case: str, number: int, fingerprint: str) -> None:
        for one in self.results.values():
            if (one.case, one.draw) == (case, number) and one.fingerprint != fingerprint:
                why = f"{one.system} answered to other rows of {case}, draw {number} ({one.rows})"
                raise ConfigError(f"{self.folder}: {why}; choose another folder", key="--out")

    def add(
        self,
        draw: Draw,
        system: str,
        answer: Answer | None,
        seconds: float | None,
        *,
        rank: int | None = None,
        error: str | None = None,
    ) -> None:
        sizes = [len(draw.parts[part]) if part in draw.parts else 0 for part in ("train", "val", "test")]
        result = Result(
            draw.case, draw.number, system, "/".join(map(str, sizes)), draw.fingerprint, draw.task.to_dict(), seconds,
            rank, error, {} if answer is None else answer.chosen,
        )  # fmt: skip
        if answer is not None:
            self._write(draw, answer, self.folder / result.file)
        self.write(result)

    def write(self, result: Result) -> None:
        """The line of a result whose predictions are in the folder already. Raises ConfigError as the class does."""
        self._check(result.case, result.draw, result.fingerprint)
        with self.lines.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(asdict(result)) + "\n")
        self.results[(result.case, result.draw, result.system)] = result

    def _write(self, draw: Draw, answer: Answer, path: Path) -> None:
        """id, truth, prediction, [group], and a score for each label: as stratune's predictions.parquet."""
        columns: dict[str, Any] = {
            "id": draw.test["id"],
            "truth": draw.test["label"],
            "prediction": answer.cells,
        }
        if draw.task.group:
            columns["group"] = draw.test["group"]
        scores = zip(draw.task.labels, answer.predictions.T, strict=True) if draw.task.labels else ()
        pd.DataFrame(columns | {f"score_{label}": score for label, score in scores}).to_parquet(path)

    def read(self, result: Result) -> Predicted:
        return predicted(Task.from_dict(result.task), pd.read_parquet(self.folder / result.file))

    def of_case(self, case: str) -> list[Result]:
        return [one for one in self.results.values() if one.case == case]

    @property
    def cases(self) -> list[str]:
        return list(dict.fromkeys(one.case for one in self.results.values()))


@dataclass(frozen=True)
class Predicted:
    """Arrays of N test rows, as `Target.scorer` takes them."""

    ids: Sequence[str]
    truth: np.ndarray
    predictions: np.ndarray  # (N, C)
    decided: np.ndarray
    invalid: np.ndarray  # (N,)
    groups: np.ndarray | None


def predicted(task: Task, frame: pd.DataFrame) -> Predicted:
    target = task.target
    cells = list(frame["prediction"])
    invalid = np.array([not target.is_answer(cell) for cell in cells])
    if target.is_numeric:
        predictions = frame["prediction"].to_numpy(dtype=float)[:, None]
        decided = predictions[:, 0]
    else:
        predictions = frame[[f"score_{label}" for label in task.labels]].to_numpy(dtype=float)
        decided = target.decided_of(cells)
    groups = frame["group"].to_numpy() if "group" in frame else None
    return Predicted(
        list(frame["id"]), target.truth(list(frame["truth"])), predictions, decided, invalid, groups
    )

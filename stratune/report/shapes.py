"""What the files of a comparison hold, as far as a report reads them: anything else is a damaged file.

Fields that are not named here may be there: a later version may write more.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, Field, ValidationError

from stratune.errors import ArtifactError
from stratune.evaluate.kinds import Kind
from stratune.options import LARGEST

Level = Literal["error", "warning", "info"]


class BinsFields(BaseModel, extra="forbid"):
    names: list[str] = []
    edges: list[float] = []
    quantiles: int = 0


class TaskFields(BaseModel, extra="forbid"):
    """Of a Task: a field that it does not have would change what the numbers mean."""

    text: str = "text"
    label: str = "label"
    text_pair: str | None = None
    group: str | None = None
    annotations: str | None = None
    id: str | None = None
    kind: Kind = "classification"
    labels: list[str] = []
    metric: str = ""
    bins: BinsFields | None = None


class Parts(BaseModel):
    train: list[str | int]
    val: list[str | int]
    test: list[str | int]


class SplitByFields(BaseModel):
    column: str
    periods: dict[Literal["train", "val", "test"], tuple[str, str]]


class SplitFile(BaseModel):
    task: TaskFields
    fingerprint: str
    parts: Parts
    balance: dict[Literal["train", "val", "test"], dict[str, int]] = {}
    whole: dict[Literal["train", "val", "test"], dict[str, int]] = {}  # before parts were cut
    notes: list[str] = []
    split_by: SplitByFields | None = None  # of a split by time
    folds: list[int] = []  # of every training row, where these are validation


class Issue(BaseModel):
    level: Level
    code: str
    message: str


class DataFile(BaseModel):
    issues: list[Issue] = []
    anyway: bool = False


class Estimate(BaseModel):
    value: float
    low: float
    high: float


class AblatedPart(BaseModel):
    part: str
    words: float
    change: Estimate | None
    trained_change: Estimate | None


class AblationFile(BaseModel):
    strategy: str
    parts: list[AblatedPart]


class StrategyFields(BaseModel):
    epochs: float | None = None


class SettingsFields(BaseModel):
    strategy: StrategyFields | None = None


class ResultFile(BaseModel):
    """What RunResult.load does not look at: the contents of its mappings and lists."""

    settings: SettingsFields = SettingsFields()

    val: dict[str, float] = {}
    test: dict[str, float] = {}
    notes: list[str] = []
    tried: dict[str, int] = {}
    versions: dict[str, str] = {}
    machine: dict[str, str] = {}


class HistoryLine(BaseModel):
    epoch: float | None = None
    val: float | None = None


class RungFields(BaseModel):
    share: float
    val: dict[str, float]


class TrialLine(BaseModel):
    val: dict[str, float]
    number: int | None = None
    status: Literal["ok", "failed"] = "ok"
    settings: dict[str, Any] = {}
    seconds: float | None = None
    examples_seen: int | None = None
    price: float | None = None
    share: float | None = None
    error: str | None = None
    rungs: list[RungFields] = []


class Covered(BaseModel):
    asked: float
    covered: Estimate
    mean_size: float


class Row(BaseModel):
    rank: int | None
    strategy: str
    backbone: str | None
    seeds: list[int]
    status: Literal["ok", "failed"]
    error: str | None
    val: dict[str, float]
    test: dict[str, Estimate]
    val_intervals: dict[str, Estimate] = {}
    first: float | None = None
    tied: bool = False
    near: bool = False
    winner: bool = False
    unranked: str = ""
    trainable_params: float | None = None
    train_seconds: float | None = None
    train_rows_per_second: float | None = None
    predict_rows_per_second: float | None = None
    peak_bytes: float | None = None
    artifact_bytes: float | None = None
    trials: float | None = None
    tried: dict[str, int] | None = None
    price: float | None = None
    invalid: float | None = None
    label_mass: float | None = None
    conformal: Covered | None = None


class Named(BaseModel):
    strategy: str
    backbone: str | None


class VerdictFields(BaseModel):
    sentence: str
    winner: Named
    best: Named
    tied: list[Named]
    prefer: str
    optimism: float | None = None
    visible: float | None = None
    command: str = ""


class PairFields(BaseModel):
    a: int
    b: int
    metric: str
    difference: float
    low: float
    high: float
    p: float
    p_adjusted: float


class Pairs(BaseModel):
    val: list[PairFields]
    test: list[PairFields]


class Caveats(BaseModel):
    val: list[Issue]
    test: list[Issue]


class Ratings(BaseModel):
    ceiling: dict[str, Estimate]


class BoardFile(BaseModel):
    task: TaskFields
    metric: str
    rows: list[Row] = Field(min_length=1)
    warnings: list[Issue] = []
    caveats: Caveats | None = None
    anyway: bool = False
    people: Ratings | None = None
    verdict: VerdictFields | None = None  # not in boards up to 0.8
    pairs: Pairs | None = None


def read_board(out: Path) -> dict[str, Any]:
    """leaderboard.json. Raises ArtifactError where it is missing or damaged."""
    path = out / "leaderboard.json"
    if not path.is_file():
        what = "no leaderboard.json in it (yet): run `stratune compare` first"
        raise ArtifactError(f"{out}: {what if out.is_dir() else 'no such folder'}")
    board: dict[str, Any] = read_checked(path, BoardFile, f"`stratune report {out}` makes it again")
    return board


def read_lines(path: Path, shape: type[BaseModel]) -> tuple[dict[str, Any], ...]:
    """One dict a line; empty without the file. A last line that a kill has cut off is dropped."""
    if not path.exists():
        return ()
    lines = path.read_bytes().splitlines()
    rows = []
    for number, line in enumerate(lines, start=1):
        try:
            rows.append(checked_json(line, shape))
        except ValueError as error:
            if number < len(lines) or _is_whole(line):
                raise ArtifactError(f"{path}:{number}: not a line of JSON as expected ({error})") from error
    return tuple(rows)


def _is_whole(line: bytes) -> bool:
    """Whether it is JSON, if not of the right shape: then nothing has cut it off."""
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return True


def read_checked(path: str | Path, shape: type[BaseModel], advice: str = "") -> Any:
    """JSON of a file that must look like `shape`, a model of this module; other fields may be there.

    Raises ArtifactError, which ends in `advice`.
    """
    what = f"; {advice}" if advice else ""
    try:
        return checked_json(Path(path).read_bytes(), shape)
    except OSError as error:
        raise ArtifactError(f"{path}: cannot be read ({error.strerror}){what}") from error
    except ValueError as error:
        raise ArtifactError(f"{path}: {error}{what}") from error


def checked_json(text: bytes, shape: type[BaseModel]) -> Any:
    """Raises ValueError: no JSON, a number that is not finite, a field that is missing or of another type."""
    try:
        value = json.loads(text, parse_constant=_finite, parse_float=_finite, parse_int=_countable)
        shape.model_validate_json(text, strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"]))
        why = f"has no {place!r}" if first["type"] == "missing" else f"{place}: {first['msg']}"
        raise ValueError(why) from error
    except (ValueError, RecursionError) as error:
        raise ValueError(f"cannot be read ({error})") from error
    return value


def _countable(number: str) -> int:
    """What numpy and a float can hold; no count that stratune writes comes near."""
    if len(number) > len(str(LARGEST)) + 1 or abs(value := int(number)) > LARGEST:
        raise ValueError(f"a number of {len(number)} digits is none that stratune writes")
    return value


def _finite(number: str) -> float:
    if not math.isfinite(value := float(number)):
        raise ValueError(f"{number} is not a finite number")
    return value

"""Split: three fixed parts, and their fingerprint.

Where rows are few, validation is no part of its own but cross-validation over the training rows
(fitting/cross_validation.py). Then `val` is `train`, and `folds` has each row's fold.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from datasets import Dataset
from numpy.typing import NDArray

from stratune.data import assign
from stratune.data.arrow import to_arrow, to_dataset
from stratune.data.by_time import ByTime
from stratune.data.fingerprint import PARTS, fingerprint
from stratune.data.labels import cells, infer_labels, label_counts
from stratune.data.leaks import without_leaks
from stratune.data.read import row_of
from stratune.data.share_out import enough_folds, folds_of, shared_out, too_few_folds
from stratune.data.unknown import Place, settle
from stratune.errors import ConfigError, DataError, choices
from stratune.files import write_json
from stratune.task import Task

FRACTIONS = (0.70, 0.15, 0.15)
VALIDATIONS = ("auto", "rows", "folds")
# With fewer validation rows the choice among strategies is mostly luck, and the rows are worth more in
# training (docs/log.md): auto takes folds.
LEAST_TO_CARVE = 50
CROSS_VALIDATED = (
    "validation is {}-fold cross-validation over the training rows: each is answered by a model that has not "
    "seen it, and the model that is kept is fitted on all of them"
)


@dataclass(frozen=True)
class Split:
    """Canonical tables and the task with its labels.

    For the user: `notes` on how it was read and split, `warnings` with which its scores are read. `wrong`:
    labels that count as wrong whatever a model answers, as no training row has them (unknown.py).
    """

    train: Dataset
    val: Dataset
    test: Dataset
    fingerprint: str
    task: Task
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    wrong: tuple[str, ...] = ()
    folds: tuple[int, ...] = ()  # of every training row, where `val` is `train`; none: `val` is a part
    unlabelled: Dataset | None = None  # id, text and pair of texts without labels, in no part (unlabelled.py)
    wanted: NDArray[np.float64] | None = None  # (N, C) a soft truth of train, learned in its labels' place
    wanted_of_val: NDArray[np.float64] | None = (
        None  # (M, C) of val; where settings are equal, this loss chooses
    )
    by_time: ByTime | None = None  # of a split by time: when the rows of each part are of
    # part -> label -> rows, of parts that were cut to some of their rows, before they were
    whole: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    reading: Mapping[str, Any] | None = None  # how transcripts became its texts (transcript/reading.py)
    taught: int = 0  # rows of train whose labels are the answers of models, which measure nothing

    @property
    def cross_validated(self) -> bool:
        """Whether the training rows are validation too, each answered by a model of the other folds."""
        return bool(self.folds)

    def without(self, fold: int) -> Split:
        """What the model is fitted on that answers a fold: the rows of the others, in their folds; `val` is
        the fold, and nothing is tested. Validation chooses nothing there, as it does not where all rows are
        fitted.
        """
        inside = np.asarray(self.folds) == fold
        rows = {"train": np.flatnonzero(~inside), "val": np.flatnonzero(inside)}
        parts = {name: self.train.select(numbers) for name, numbers in rows.items()}
        folds = [one for one in self.folds if one != fold]
        about = self.notes, self.warnings, self.wrong, folds
        return assemble({**parts, "test": self.test.select([])}, self.task, *about)

    @property
    def parts(self) -> dict[str, Dataset]:
        return {"train": self.train, "val": self.val, "test": self.test}

    @property
    def sizes(self) -> dict[str, int]:
        return {part: len(table) for part, table in self.parts.items()}

    def balance(self) -> dict[str, dict[str, int]]:
        """Part -> label -> rows, labels in the task's order."""
        return {part: label_counts(table, self.task) for part, table in self.parts.items()}

    def to_dict(self) -> dict[str, Any]:
        ids = {part: _column(table, "id") for part, table in self.parts.items()}
        return {
            "fingerprint": self.fingerprint,
            "task": self.task.to_dict(),
            "parts": ids,
            "balance": self.balance(),
            **({"whole": {part: dict(counts) for part, counts in self.whole.items()}} if self.whole else {}),
            "notes": list(self.notes),
            "warnings": list(self.warnings),
            "wrong": list(self.wrong),
            **({"split_by": self.by_time.to_dict()} if self.by_time is not None else {}),
            **({"folds": list(self.folds)} if self.folds else {}),
            **({"unlabelled": len(self.unlabelled)} if self.unlabelled is not None else {}),
        }

    def save(self, path: str | Path) -> None:
        """split.json"""
        write_json(path, self.to_dict())


def make_split(
    table: Dataset,
    task: Task,
    *,
    seed: int,
    fractions: Sequence[float] = FRACTIONS,
    val: Dataset | None = None,
    test: Dataset | None = None,
    assigned: Sequence[str] | None = None,
    unknown: str = "refuse",
    paths: Mapping[str, str | Path] | None = None,
    validation: str = "rows",
    near: bool = True,
    drop_leaks: bool = False,
) -> Split:
    """Canonical tables -> Split. Rows keep their source order in each part.

    `val`, `test`: the user's own parts. `assigned`: the user's part for every row of `table`. Parts that
    neither gives are carved from train: stratified by label, equal texts (identity.py) on one side, with
    `near` nearly equal ones too (near.py); or by whole groups when `task.group` is set, and groups that share
    a text together. `drop_leaks`: rows that stand in two of the parts stay in one (leaks.py).
    `unknown`: what becomes of labels of val or test that no training row has (unknown.py). `paths` (by part)
    are for messages. `validation`: a part (`rows`), the training rows in folds (`folds`), or folds where a
    part would have fewer than LEAST_TO_CARVE rows (`auto`). DataError when a part would be empty, or for an
    unknown label; ConfigError for folds where validation rows are given.
    """
    check_fractions(fractions)
    check_seed(seed)
    own = {"val": val, "test": test}
    tables = {"train": table, **{part: rows for part, rows in own.items() if rows is not None}}
    origin, paths = _Origin(paths or {}), paths or {}
    if assigned is not None:
        numbers = np.asarray([PARTS.index(part) for part in assigned])
        tables |= _picked(table, numbers)
        origin = _Origin(paths, numbers)
    carved = [part for part in PARTS if part not in tables]
    shares = dict(zip(PARTS, fractions, strict=True))
    train, path, notes = tables["train"], paths.get("train"), list[str]()
    folds: Sequence[int] = ()
    if _wants_folds(validation, carved, shares["val"] * len(train)):
        others = {part: shares[part] for part in carved if part != "val"}
        rest, notes = _carve(train, task, others, seed, path, near)
        found, unit, told = folds_of(rest["train"], task, seed, near)
        if enough_folds(found):
            tables |= {**rest, "val": rest["train"]}
            folds, carved = found.tolist(), []
            notes = [*notes, *told, CROSS_VALIDATED.format(len(set(folds)))]
        elif validation == "folds":
            raise too_few_folds(unit, path)
    if carved:
        made, notes = _carve(train, task, {part: shares[part] for part in carved}, seed, path, near)
        tables |= made
    if drop_leaks:
        tables, told, folds = _apart(tables, folds)
        if not len(tables["train"]):
            raise DataError(f"no row of train is left: {'; '.join(told)}", path=paths.get("train"))
        notes = [*notes, *told]
    task = task.with_labels(task.labels or infer_labels([tables["train"]], task, paths.get("train")))
    _check_named(task, tables, paths.get("train"))
    known = settle(tables, task, unknown, origin.of_column(task.label))
    return assemble(known.tables, known.task, notes, known.warnings, known.wrong, folds)


def _wants_folds(validation: str, carved: Sequence[str], rows: float) -> bool:
    """Whether validation is to be folds of the training rows; as a part it would have so many `rows`."""
    if validation not in VALIDATIONS:
        raise ConfigError(choices(validation, VALIDATIONS), key="data.validation")
    if validation == "folds" and "val" not in carved:
        why = "there are validation rows already; leave them out, or choose `rows`"
        raise ConfigError(f"folds: {why}", key="data.validation")
    return "val" in carved and (validation == "folds" or (validation == "auto" and rows < LEAST_TO_CARVE))


def _apart(
    tables: Mapping[str, Dataset], folds: Sequence[int]
) -> tuple[dict[str, Dataset], list[str], Sequence[int]]:
    """The parts without leaks, and notes. Where training rows are validation too, they lose those of test."""
    if not folds:
        kept, notes = without_leaks(tables)
        return kept, notes, folds
    ids = dict(zip(_column(tables["train"], "id"), folds, strict=True))
    kept, notes = without_leaks({"train": tables["train"], "test": tables["test"]})
    left = [ids[row] for row in _column(kept["train"], "id")]
    return {**kept, "val": kept["train"]}, notes, left


def _check_named(task: Task, tables: Mapping[str, Dataset], path: str | Path | None) -> None:
    """DataError for a label of the task that no row of any part has: a misspelt one, most likely."""
    distinct = {cell for table in tables.values() for cell in table.unique("label")}
    found = {name for cell in distinct for name in task.target.members(cell)}
    if never := [label for label in task.labels if label not in found]:
        raise DataError(f"no row has the label {never[0]!r}", path=path, column=task.label)


def assemble(
    tables: Mapping[str, Dataset],
    task: Task,
    notes: Sequence[str] = (),
    warnings: Sequence[str] = (),
    wrong: Sequence[str] = (),
    folds: Sequence[int] = (),
) -> Split:
    """A Split of these parts as they are, fingerprinted."""
    parts = {part: tables[part] for part in PARTS}
    return Split(
        **parts,
        fingerprint=fingerprint(parts, wrong, folds),
        task=task,
        notes=tuple(notes),
        warnings=tuple(warnings),
        wrong=tuple(wrong),
        folds=tuple(folds),
    )


def check_fractions(fractions: Sequence[float]) -> None:
    if len(fractions) != 3 or min(fractions) <= 0 or abs(sum(fractions) - 1) > 1e-6:
        found = ", ".join(str(share) for share in fractions)
        raise ConfigError(
            f"three positive shares (train, val, test) that add up to 1, not {found}", key="fractions"
        )


def check_seed(seed: int) -> None:
    if seed < 0:
        raise ConfigError(f"{seed} is below 0", key="data.seed")


@dataclass(frozen=True)
class _Origin:
    """Where a part's rows came from: a file of its own, or one file whose rows `numbers` assigns to parts."""

    paths: Mapping[str, str | Path]
    numbers: NDArray[np.int64] | None = None

    def of_column(self, column: str) -> Place:
        return lambda message, part, index: self.error(message, part, index, column)

    def error(self, message: str, part: str, index: int, column: str) -> DataError:
        path = self.paths.get(part, part)
        if self.numbers is not None:
            found = np.flatnonzero(self.numbers == PARTS.index(part))
            if len(found):
                path, index = self.paths.get("train", "train"), int(found[index])
        return DataError(message, path=path, row=row_of(path, index), column=column)


def _carve(
    table: Dataset,
    task: Task,
    shares: Mapping[str, float],
    seed: int,
    path: str | Path | None,
    near: bool,
) -> tuple[dict[str, Dataset], list[str]]:
    """Take parts (`shares` of the table each) out of `table`, which becomes train; and notes."""
    if not shares:
        return {"train": table}, []
    parts, unit, notes = shared_out(table, task, [1 - sum(shares.values()), *shares.values()], seed, near)
    names = ("train", *shares)
    for number, part in enumerate(names):
        if not (parts == number).any():
            message = (
                f"too few {unit} to share out: {part} would be empty; give more, or your own {part} file"
            )
            raise DataError(message, path=path)
    return _picked(table, parts, names), notes


def _picked(table: Dataset, parts: NDArray[np.int64], names: Sequence[str] = PARTS) -> dict[str, Dataset]:
    """One table for each part that has rows, in source order."""
    arrow = to_arrow(table)
    found = {int(number) for number in np.unique(parts)}
    return {
        name: to_dataset(arrow.filter(pa.array(parts == n))) for n, name in enumerate(names) if n in found
    }


def subsample(table: Dataset, size: int | float, seed: int, task: Task | None = None) -> Dataset:
    """Rows drawn at random, each label in proportion and none lost while there is room; source order is kept.

    `size`: a fraction in (0, 1] when a float, a number of rows when an int (all rows when there are fewer).
    """
    if isinstance(size, bool) or size <= 0 or (isinstance(size, float) and size > 1):
        raise ConfigError(
            f"a fraction above 0 up to 1.0, or a whole number of rows, not {size}", key="subsample"
        )
    total = max(1, round(size * len(table))) if isinstance(size, float) else size
    if total >= len(table):
        return table
    piles = assign.rows_by_name((task or Task()).target.strata(cells(table)))
    generator, keep = np.random.default_rng(seed), np.zeros(len(table), dtype=bool)
    for rows, count in zip(piles, assign.apportioned([len(rows) for rows in piles], total), strict=True):
        keep[generator.permutation(rows)[:count]] = True
    return to_dataset(to_arrow(table).filter(pa.array(keep)))


def _column(table: Dataset, name: str) -> list[Any]:
    values: list[Any] = to_arrow(table).column(name).to_pylist()
    return values

"""Which rows go together, and which part each has: by label, by text and by group."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from datasets import Dataset
from numpy.typing import NDArray

from stratune.data import assign
from stratune.data.arrow import to_arrow
from stratune.data.identity import linked_groups
from stratune.data.labels import cells
from stratune.data.near import equal_texts, near_texts
from stratune.data.rows import text_columns
from stratune.errors import DataError
from stratune.task import Task

FOLDS = 5  # of the training rows, where they choose in the place of validation rows
FORMS = "{:,} rows are nearly alike, as forms that were filled in are: such texts count as different ones"
LEAST_FOLDS = 3  # a model of all but one still has two to choose by


def shared_out(
    table: Dataset, task: Task, fractions: Sequence[float], seed: int, near: bool = True
) -> tuple[NDArray[np.int64], str, list[str]]:
    """(N,) the part of each row, of as many as there are `fractions`; what was shared out, in words; notes.

    Stratified by label, equal texts in one part, with `near` nearly equal ones too; or whole groups where
    `task.group` is set, and groups that share a text together.
    """
    labels = task.target.strata(cells(table))
    found = near_texts(*text_columns(table)) if near else equal_texts(*text_columns(table))
    clusters, forms = found.clusters()
    texts = clusters.tolist()
    said = [FORMS.format(forms)] if forms else []
    if task.group is not None:
        own = _groups(table)
        groups, notes = _linked(own, texts, fractions[0])
        if notes and near:  # nearly equal texts link too much; equal ones may not
            groups, notes = _linked(own, found.numbers.tolist(), fractions[0])
        return assign.grouped(labels, groups, fractions, seed), "groups", [*said, *notes]
    if len(set(texts)) < len(texts):
        return assign.together(labels, texts, fractions, seed), "different texts", said
    return assign.stratified(labels, fractions, seed), "rows of each label", said


def _linked(groups: Sequence[str], texts: Sequence[int], share: float) -> tuple[Sequence[str], list[str]]:
    """Groups, those that share a text joined into one; and notes.

    Texts that link so many groups that they hold more rows than `share`, the training part's (a phrase that
    every transcript has), link none.
    """
    linked = linked_groups(groups, texts)
    largest = max(Counter(linked).values())
    if largest <= max(share * len(linked), *Counter(groups).values()):
        return linked, []
    found = f"groups share texts, which link {largest:,} of {len(linked):,} rows"
    return groups, [f"{found}: each group is on one side of the split, some equal texts are not"]


def folds_of(
    table: Dataset, task: Task, seed: int, near: bool = True
) -> tuple[NDArray[np.int64], str, list[str]]:
    """(N,) the fold of each row, of FOLDS where rows are enough; and the rest as `shared_out` has it."""
    count = max(1, min(FOLDS, len(table)))
    return shared_out(table, task, [1 / count] * count, seed, near)


def new_folds(table: Dataset, task: Task, seed: int, near: bool) -> tuple[int, ...]:
    """(N,) the fold of each of fewer training rows. DataError where they are too few."""
    found, unit, _ = folds_of(table, task, seed, near)
    if not enough_folds(found):
        raise too_few_folds(unit)
    return tuple(found.tolist())


def enough_folds(folds: NDArray[np.int64]) -> bool:
    return len(np.unique(folds)) >= LEAST_FOLDS


def too_few_folds(unit: str, path: str | Path | None = None) -> DataError:
    why = f"too few {unit} for {LEAST_FOLDS} folds; give more, your own val file, or --validation rows"
    return DataError(why, path=path)


def _groups(table: Dataset) -> list[Any]:
    values: list[Any] = to_arrow(table).column("group").to_pylist()
    return values

"""Cross-validation folds: every row is tested once, by a model that has not seen it (or its group)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stratune.data import assign
from stratune.errors import ConfigError

LEAST = 3
Fold = NDArray[np.int64]  # (N,): which fold tests the row


@dataclass(frozen=True)
class Parts:
    """Row numbers of one round, in source order; `val` chooses, `test` is scored."""

    train: NDArray[np.int64]
    val: NDArray[np.int64]
    test: NDArray[np.int64]


def random_folds(labels: Sequence[str], count: int, seed: int) -> Fold:
    """(N,) folds 0, ..., count - 1, stratified by label; groups are ignored."""
    _check(count, len(labels), "rows")
    return assign.stratified(labels, [1 / count] * count, seed)


def group_folds(labels: Sequence[str], groups: Sequence[str], count: int, seed: int) -> Fold:
    """(N,) folds 0, ..., count - 1, with all rows of a group in one fold."""
    _check(count, len(set(groups)), "groups")
    return assign.grouped(labels, groups, [1 / count] * count, seed)


def one_group_folds(groups: Sequence[str]) -> Fold:
    """(N,) a fold for each group, in sorted order: leave one group out."""
    _check(len(set(groups)), len(set(groups)), "groups")
    return _numbered(np.asarray(groups, dtype=object))


def rounds(folds: Fold, choosing: Fold | None = None) -> Iterator[Parts]:
    """A round for each fold: it is the test part, the next fold is validation, and the rest train.

    `choosing`: folds to take validation from instead. Where `folds` are single groups, these are larger ones,
    each of several groups.
    """
    numbers = _numbered(folds)
    of_val = numbers if choosing is None else _numbered(choosing)
    _check(int(of_val.max()) + 1, len(folds), "rows")
    for number in range(int(numbers.max()) + 1):
        test = numbers == number
        home = int(of_val[np.argmax(test)])
        val = of_val == (home + 1) % (int(of_val.max()) + 1)
        yield Parts(*(np.flatnonzero(part) for part in (~test & ~val, val, test)))


def _numbered(names: NDArray[Any]) -> Fold:
    """Names -> 0, 1, ... in sorted order."""
    numbers: Fold = np.unique(names, return_inverse=True)[1].astype(np.int64)
    return numbers


def _check(count: int, most: int, what: str) -> None:
    """One fold is tested, one is validation, and at least one is left to train on."""
    if not LEAST <= count <= most:
        raise ConfigError(
            f"{count} folds of {most} {what}: from {LEAST} up to as many as there are", key="folds"
        )

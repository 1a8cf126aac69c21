"""One model's answers to the same rows before and after a change: what the score does, and which rows flip.

The change of the metric is paired (evaluate/paired.py): both sides are resampled on the same rows, or groups.
A row flips when its answer is another one; of numbers, the mean distance between the two answers counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from stratune.evaluate.intervals import Interval, bootstrap, intervals
from stratune.evaluate.paired import Difference, Measured, differences, measured
from stratune.evaluate.replicates import replicates
from stratune.evaluate.row_means import SHARE, RowMean

if TYPE_CHECKING:
    from stratune.evaluate.arrays import Flags, Floats
    from stratune.model.answers import Scored
    from stratune.task import Task

RESAMPLES = 1000
SHIFT = "mae"  # it has a scale of its own (evaluate/scales.py), which a mean distance shares


@dataclass(frozen=True)
class Answered:
    """N rows' answers, and all that is computed of them alone. `decided` is never None."""

    scored: Scored
    decided: NDArray[Any]
    value: Interval | None  # of the task's metric; None where these rows leave it undefined
    measured: Measured


@dataclass(frozen=True)
class Rates:
    """Of the rows: `flips` have another answer, (of numbers None, and `shift` is the mean distance of the two
    answers); `broken` were right and are wrong, `mended` the other way round; `led` answer the wrong label
    that was put into them, and did not before. Counts are None where nothing of the kind can be said.
    """

    flips: Interval | None
    shift: Interval | None
    broken: int | None
    mended: int | None
    led: Interval | None


@dataclass(frozen=True)
class Truths:
    """N rows of a task: what is right, and which rows belong together (None: none do)."""

    task: Task
    truth: NDArray[Any]
    groups: NDArray[np.intp] | None

    def answered(self, scored: Scored) -> Answered:
        target, metric = self.task.target, self.task.metric
        decided = scored.decided
        if decided is None:
            decided = target.decided(scored.predictions, scored.invalid)
        scorer = target.scorer(self.truth, scored.predictions, scored.invalid, decided)
        rows = len(self.truth)
        drawn = replicates([scorer], rows, groups=self.groups, resamples=RESAMPLES)
        value = intervals(drawn).get(metric)
        side = measured([scorer], [0], drawn, [metric], rows, self.groups)
        return Answered(scored, decided, value, side)

    def changes(self, before: Answered, after: Sequence[Answered]) -> list[Difference | None]:
        """Of the metric, after less before; None where it is undefined for one of the two."""
        return differences([(one.measured, before.measured) for one in after], self.task.metric)

    def rates(self, before: Answered, after: Answered, named: Sequence[str | None]) -> Rates:
        """`named`: the wrong label that a row was given, None where it was not."""
        if self.task.target.is_numeric:
            return Rates(None, self.shift(before, after), None, None, None)
        right = [self.right(one.decided) for one in (before, after)]
        counts = [int((right[a] & ~right[b]).sum()) for a, b in ((0, 1), (1, 0))]
        led = None
        if any(label is not None for label in named):
            led = self.share(self._gives(after, named) & ~self._gives(before, named))
        return Rates(self.share(flipped(before.decided, after.decided)), None, counts[0], counts[1], led)

    def share(self, which: Flags) -> Interval:
        """Of the rows, with its interval over rows, or groups."""
        return bootstrap([RowMean(which.astype(np.float64), SHARE)], len(which), groups=self.groups)[SHARE]

    def shift(self, before: Answered, after: Answered) -> Interval | None:
        """The mean distance of two values; of rows without a value on one side there is none."""
        away = distances(before, after)
        known = ~np.isnan(away)
        if not known.any():
            return None
        groups = None if self.groups is None else self.groups[known]
        return bootstrap([RowMean(away[known], SHIFT)], int(known.sum()), groups=groups)[SHIFT]

    def right(self, decided: NDArray[Any]) -> Flags:
        truth = self.truth
        if truth.ndim > decided.ndim:  # shares of raters: the label of most of them
            truth = truth.argmax(axis=1)
        elif truth.ndim == 2 and truth.dtype.kind == "f":
            truth = truth > 0.5
        return ~flipped(truth, decided)

    def _gives(self, one: Answered, named: Sequence[str | None]) -> Flags:
        """(N,) whether the answer is the label that was named, or has it among others."""
        index = self.task.target.index
        wanted = np.array([-1 if label is None else index[label] for label in named])
        if one.decided.ndim == 1:
            return np.asarray(one.decided == wanted)
        return np.asarray((one.decided[np.arange(len(wanted)), wanted] > 0) & (wanted >= 0))


def flipped(before: NDArray[Any], after: NDArray[Any]) -> Flags:
    """(N,) rows whose decisions, (N,) or (N, K), differ."""
    other = before != after
    return np.asarray(other if other.ndim == 1 else other.any(axis=1))


def distances(before: Answered, after: Answered) -> Floats:
    """(N,) the largest change of a probability, or of the value; NaN where one side has no answer."""
    return np.asarray(np.abs(after.scored.predictions - before.scored.predictions).max(axis=1))

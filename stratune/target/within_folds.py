"""Scores of answers that come from the models of several folds.

Whatever ranks rows, or correlates them, is measured within each fold and averaged, weighted by the folds'
rows: the scores of two models have no common scale, and where folds differ in their base rate a model that
knows nothing but the base rate of its training rows would rank the rows of all folds the wrong way round.
Decisions of all folds are counted together: a mean of F1 over small folds is biased (Forman and Scholz 2010,
"Apples-to-apples in cross-validation studies").
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from stratune.evaluate.scoring import Tally, tally_of

if TYPE_CHECKING:
    from stratune.evaluate.scoring import Scorer
    from stratune.target import Target

    Floats = NDArray[np.float64]


def rows_of_folds(folds: Sequence[int]) -> list[NDArray[np.int64]]:
    """The rows of each of the folds of N rows."""
    own = np.asarray(folds)
    return [np.flatnonzero(own == fold) for fold in np.unique(own)]


def scorer_within(
    folds: Sequence[int],
    target: Target,
    truth: NDArray[Any],
    predictions: Floats,
    invalid: NDArray[np.bool_] | None,
    decided: NDArray[Any] | None,
) -> Scorer:
    """Of answers to N rows; `folds` (N,), or none where one model answered all of them."""
    if not folds:
        return target.scorer(truth, predictions, invalid, decided)
    return WithinFolds(target, truth, predictions, rows_of_folds(folds), decided, invalid)


def why_undefined_within(
    folds: Sequence[int], target: Target, metric: str, truth: NDArray[Any], predictions: Floats
) -> str:
    """A sentence for a metric that the answers to validation leave undefined."""
    rows = rows_of_folds(folds)[0] if folds else slice(None)
    return target.why_undefined(metric, truth[rows], predictions[rows], "validation")


RANKED = ("roc_auc", "pr_auc", "map", "pearson", "spearman")


class WithinFolds:
    """A scorer of N rows: truth (N, ...), predictions (N, C), the rows of each fold, and what was decided."""

    def __init__(
        self,
        target: Target,
        truth: NDArray[Any],
        predictions: Floats,
        folds: Sequence[NDArray[np.int64]],
        decided: NDArray[Any] | None = None,
        invalid: NDArray[np.bool_] | None = None,
    ) -> None:
        self.whole = target.scorer(truth, predictions, invalid, decided)
        self.folds = [
            (
                rows,
                target.scorer(
                    truth[rows],
                    predictions[rows],
                    None if invalid is None else invalid[rows],
                    None if decided is None else decided[rows],
                ),
            )
            for rows in folds
        ]

    def tally(self) -> Tally | None:
        """Shares are those of all folds together, as `values` has them."""
        return tally_of(self.whole)

    def values(self, weights: Floats) -> dict[str, Floats]:
        """Weightings (N, R) -> every metric (R,); what ranks is NaN where no fold defines it."""
        found = self.whole.values(weights)
        ranked = [name for name in RANKED if name in found]
        totals = {
            name: np.zeros((2, weights.shape[1])) for name in ranked
        }  # sums of value * rows, and of rows
        for rows, scorer in self.folds if ranked else ():
            own = weights[rows]
            drawn = own.sum(axis=0)
            values = scorer.values(np.where(drawn > 0, own, 1.0))  # of a fold that is not drawn: any rows
            for name in ranked:
                count = np.where(np.isnan(values[name]), 0.0, drawn)
                totals[name] += np.stack([np.nan_to_num(values[name]) * count, count])
        for name, (summed, count) in totals.items():
            found[name] = np.divide(summed, count, out=np.full_like(summed, np.nan), where=count > 0)
        return found

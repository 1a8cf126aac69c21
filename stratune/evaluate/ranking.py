"""ROC-AUC and average precision of one class, for many weightings of the rows at once.

Both depend only on the positives met, and the negatives passed, while walking down the scores; so rows that
lie between two positives are one number. A sparse matrix adds them up for every weighting, in one pass over
the weights. Its height is the number of distinct scores of positives: over all classes, at most N.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from stratune.evaluate.arrays import Floats, ratio

_TINY = np.finfo(np.float64).tiny


@dataclass(frozen=True)
class Ranking:
    """One class against the rest, sorted once. G levels: the distinct scores of positives, best first."""

    levels: int
    adder: Any  # sparse (2G + T, N): positives at each level; negatives since the level before; T ties
    tied: npt.NDArray[np.intp]  # (T,) levels that negatives share
    positives: int  # rows of the class

    def areas(self, weights: Floats, total: Floats) -> tuple[Floats, Floats]:
        """Row counts (N, R), their sums (R,) -> ROC-AUC (R,), average precision (R,); NaN where undefined.

        Ties are one step of the curve, as in scikit-learn: half a win for ROC-AUC, one precision threshold.
        """
        added = self.adder @ weights  # (2G + T, R)
        positives, passed = added[: self.levels], added[self.levels : 2 * self.levels]
        ties = np.einsum("tr,tr->r", positives[self.tied], added[2 * self.levels :])
        np.cumsum(passed, axis=0, out=passed)  # in place: fresh memory costs more than the additions here
        hits = np.cumsum(positives, axis=0)
        true = hits[-1].copy() if self.levels else np.zeros(weights.shape[1])
        losses = np.einsum("gr,gr->r", positives, passed) - 0.5 * ties
        passed += hits  # now every row shown so far
        hits /= np.maximum(passed, _TINY, out=passed)  # 0/0 only before the first hit: counts as 0
        precision_sum = np.einsum("gr,gr->r", positives, hits)
        pairs = true * (total - true)
        return 1.0 - ratio(losses, pairs), ratio(precision_sum, true)


def rank(positive: npt.NDArray[np.bool_], scores: Floats) -> Ranking:
    """Sort rows once: `positive` (N,): which rows are of the class; `scores` (N,): the model's confidence."""
    from scipy.sparse import csr_array

    levels = np.unique(-scores[positive])  # ascending in the negative: best score first
    level = np.searchsorted(levels, -scores)  # (N,): the first level at or below the row's score
    count = len(levels)
    reached = level < count  # negatives below every positive never matter
    negative = np.flatnonzero(~positive & reached)
    ties = negative[levels[level[negative]] == -scores[negative]]
    tied, tie_row = np.unique(level[ties], return_inverse=True)
    hit = np.flatnonzero(positive)
    rows = np.concatenate([level[hit], count + level[negative], 2 * count + tie_row])
    columns = np.concatenate([hit, negative, ties])
    shape = (2 * count + len(tied), len(scores))
    return Ranking(count, csr_array((np.ones(len(rows)), (rows, columns)), shape=shape), tied, len(hit))


def roc_points(positive: npt.NDArray[np.bool_], scores: Floats) -> tuple[Floats, Floats] | None:
    """The ROC curve from (0, 0) to (1, 1): false and true positive rates; None when one side has no row."""
    order = np.argsort(-scores, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(scores[order])), len(scores) - 1)  # the last row of each tie
    true = np.cumsum(positive[order])[ends].astype(np.float64)
    false = ends + 1.0 - true
    if true[-1] == 0 or false[-1] == 0:
        return None
    return np.concatenate([[0.0], false / false[-1]]), np.concatenate([[0.0], true / true[-1]])

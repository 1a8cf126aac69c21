"""How sure the cheap member of a cascade must be, from what both members answered to validation.

Conformal risk control (Angelopoulos, Bates, Fisch, Lei & Schuster 2022). A row is lost where the cascade's
answer is wrong and the dear member's is right. The surer the cheap one must be, the fewer are lost. Of n
validation rows (or groups of them) the lowest threshold is taken with

    n / (n + 1) * share of rows lost + 1 / (n + 1)  <=  most_lost

Then of new rows like these at most that share is expected to be lost. Fewer than 1 / most_lost - 1 rows, or
groups, can promise nothing: the dear member answers all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from stratune.data.rows import group_numbers
from stratune.evaluate.arrays import Floats
from stratune.model.answers import Scored
from stratune.model.cascade import confidence, joined

if TYPE_CHECKING:
    from stratune.data.split import Split

NEVER = 2.0  # nothing is as sure


@dataclass(frozen=True)
class SureEnough:
    """`share` of the rows goes to the dear member; `lost` rows are wrong that it has right."""

    threshold: float
    share: float
    lost: int
    validation: Scored

    def told(self, cheap: str, dear: str, most_lost: float) -> str:
        rows = len(self.validation.predictions)
        if self.threshold == NEVER:
            why = f"{rows:,} validation rows do not show that {most_lost:.2%} are lost at most"
            return f"{dear} answers all: {why} where {cheap} answers any"
        sure = f"those of which {cheap} is less sure than {self.threshold:.3f}"
        return f"{dear} is asked about {self.share:.0%} of the validation rows, {sure}; {self.lost} are lost"


def sure_enough(cheap: Scored, dear: Scored, split: Split, most_lost: float) -> SureEnough:
    """Of both members' answers to the rows of `split.val`. The threshold is chosen on these very rows; it is
    one number, and chosen for what is lost, not for the best score.
    """
    target, table = split.task.target, split.val
    truth = target.truth(table["label"][:])
    wrong, right = _wrong(cheap, split, truth), ~_wrong(dear, split, truth)
    sure = confidence(cheap.predictions, one_label=target.one_label)
    groups = group_numbers(table["group"][:]) if "group" in table.column_names else np.arange(len(table))
    threshold = lowest_threshold(sure, wrong & right, groups, most_lost)
    asked = np.flatnonzero(~(sure >= threshold))
    kept = np.setdiff1d(np.arange(len(table)), asked)
    invalid = None if dear.invalid is None else dear.invalid[asked]
    some = Scored(dear.predictions[asked], dear.tokens_cut[asked], invalid=invalid)
    lost = int((wrong & right)[kept].sum())
    return SureEnough(threshold, len(asked) / len(table), lost, joined(cheap, some, asked))


def lowest_threshold(sure: Floats, lost: NDArray[np.bool_], groups: NDArray[Any], most_lost: float) -> float:
    """Of N rows: how sure the cheap member is (N,), whether a row is lost where it answers (N,), and its
    group (N,), each of which counts as one. NEVER where no threshold keeps the promise.
    """
    _, own, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    n = len(sizes)
    weight = lost / (n * sizes[own])  # (N,) what a row adds to the share that is lost
    levels, place = np.unique(sure, return_inverse=True)  # rising
    at = np.bincount(place, weights=weight, minlength=len(levels))
    share = at[::-1].cumsum()[::-1]  # (L,) lost where all at least as sure as a level are answered
    kept = np.flatnonzero((n * share + 1) / (n + 1) <= most_lost)
    kept = kept[np.isfinite(levels[kept])]
    return float(levels[kept[0]]) if len(kept) else NEVER


def _wrong(answers: Scored, split: Split, truth: Any) -> NDArray[np.bool_]:
    """(N,) rows whose decision, by the highest probability or one half, is not the truth."""
    decided = split.task.target.decided(answers.predictions, answers.invalid)
    return np.asarray((decided != truth).reshape(len(truth), -1).any(axis=1))

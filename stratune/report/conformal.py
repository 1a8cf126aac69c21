"""`conformal` of a row: how often sets that were asked to hold the truth hold it on test, and their size.

The sets are those of the model folder: of the scores of validation, as predictions.parquet has them.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from stratune.evaluate.arrays import Floats
from stratune.evaluate.conformal import Conformal
from stratune.evaluate.proportions import wilson
from stratune.evaluate.scales import NORMAL
from stratune.report.comparison import Entry
from stratune.task import Task

ASKED = 0.9


def of_entry(entry: Entry, task: Task, asked: float = ASKED) -> dict[str, Any]:
    """Covered with its 95 % binomial interval, and the mean size over test rows and seeds.

    None without a run, or where the validation rows are too few for such a promise. Sizes are labels of a
    set, or the width of an interval.
    """
    target, covered, sizes = task.target, [], []
    for run in entry.ok:
        val, test = run.predictions["val"], run.predictions["test"]
        most = Conformal.of(target.strangeness(val.truth, val.predictions)).quantile(asked)
        if math.isinf(most):
            return {"conformal": None}
        sets = target.sets(test.predictions, most)
        covered.append(target.covered(test.truth, sets))
        sizes.append(2 * most if target.is_numeric else float(sets.sum(axis=1).mean()))
    if not covered:
        return {"conformal": None}
    share = np.mean(np.asarray(covered, dtype=np.float64), axis=0)  # (N,) of the seeds
    value = float(share.mean())
    rows = effective_rows(share, entry.ok[0].predictions["test"].groups)
    (low,), (high,) = wilson(np.array([value]), np.array([rows]), NORMAL)
    size = float(np.mean(sizes))
    return {
        "conformal": {
            "asked": asked,
            "covered": {"value": value, "low": float(low), "high": float(high)},
            "mean_size": size,
        }
    }


def effective_rows(values: Floats, groups: npt.NDArray[np.intp] | None) -> float:
    """How many independent rows (N,) zeros and ones are worth: fewer where those of a group are alike.

    The variance of their mean by groups, against that of as many independent ones (the design effect).
    """
    rows, mean = len(values), values.mean()
    plain = mean * (1 - mean) / rows
    if groups is None or not plain:
        return rows
    sums = np.bincount(groups, weights=values - mean)
    count = len(np.unique(groups))
    clustered = (sums**2).sum() / rows**2 * count / max(count - 1, 1)
    return float(rows * min(1.0, plain / clustered)) if clustered else rows

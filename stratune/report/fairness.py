"""`fairness` of leaderboard.json: error rates of the values of a column that somebody named (`--protected`).

Each value's rows against all other rows, with intervals, adjusted for all differences of that strategy and
column (Holm). Nothing is chosen and nothing is called fair: there is a sentence on what the rows can show.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from stratune.data.sliced import MOST
from stratune.evaluate.arrays import Flags
from stratune.evaluate.rates import Mean, Means, class_rates
from stratune.evaluate.replicates import Replicates, replicates
from stratune.evaluate.visible import NORMAL, visible_between
from stratune.report import human
from stratune.report.slices import adjust, compared
from stratune.report.slicing import columns_of, is_wrong, masks_of
from stratune.task import Task

if TYPE_CHECKING:
    from stratune.data.predictions import Predictions
    from stratune.report.comparison import Comparison, Entry

Row = dict[str, Any]
RESAMPLES = 500


def of_board(
    comparison: Comparison, ranked: Sequence[tuple[Row, Entry]], resamples: int = RESAMPLES
) -> dict[str, Any] | None:
    """None where no column was named."""
    columns = [one for one in columns_of(comparison) if one["protected"]]
    if not ranked or not columns:
        return None
    task, resamples = comparison.task, min(resamples, RESAMPLES)
    lines = [
        {
            "strategy": row["strategy"],
            "backbone": row["backbone"],
            "columns": [_values(entry, task, masks_of(column), resamples) for column in columns],
        }
        for row, entry in ranked
    ]
    best = next((entry for row, entry in ranked if row.get("winner")), ranked[0][1])
    return {
        "measures": list(_means(ranked[0][1].ok[0].predictions["test"], task)),
        "columns": [
            {
                "name": one["name"],
                "values": [
                    {"name": name, "rows": int(mask.sum())}
                    for name, mask in zip(one["names"], masks_of(one), strict=True)
                ],
                "visible": visible(one["names"], masks_of(one), best.ok[0].predictions["test"], task),
            }
            for one in columns
        ],
        "strategies": lines,
    }


def _values(entry: Entry, task: Task, masks: Sequence[Flags], resamples: int) -> list[dict[str, Any]]:
    """Of each value: measure -> {value, estimate, difference}."""
    parts = [run.predictions["test"] for run in entry.ok]
    means = [list(_means(one, task).values()) for one in parts]
    groups = parts[0].groups

    def on(rows: Flags) -> Replicates:
        scorers = [Means([one.at(rows) for one in some]) for some in means]
        return replicates(scorers, len(rows), groups=groups, resamples=resamples, inside=rows)

    found = []
    for mask in masks:
        inside, outside = on(mask), on(~mask)
        found.append({one.name: compared(inside, outside, one.name) for one in means[0]})
    adjust([cell for value in found for cell in value.values()])
    return found


def _means(part: Predictions, task: Task) -> dict[str, Mean]:
    """All that is measured of one seed's answers, by name."""
    every, target = np.ones(len(part.truth), dtype=bool), task.target
    if target.is_numeric:
        away = np.where(part.invalid, 0.0, part.predictions[:, 0] - part.truth)
        found = [Mean("bias", away, ~part.invalid), Mean("mae", np.abs(away), ~part.invalid)]
        return {one.name: one for one in found}
    wrong = Mean("error", is_wrong(part, task).astype(np.float64), every)
    labels = _labels(part, task)
    truth, decided = (_has(one, len(task.labels))[:, labels] for one in (part.truth, part.decided))
    found = [wrong, *class_rates(truth, decided, tuple(task.labels[k] for k in labels))]
    if target.one_label:
        sure = np.nan_to_num(part.predictions.max(axis=1))
        found.append(Mean("calibration", sure - (1 - wrong.numbers), ~part.invalid))
    return {one.name: one for one in found}


def _labels(part: Predictions, task: Task) -> list[int]:
    """The second of two, for the first is its mirror; of many those that most rows have."""
    if task.target.one_label and len(task.labels) == 2:
        return [1]
    rows = _has(part.truth, len(task.labels)).sum(axis=0)
    return sorted(np.argsort(-rows, kind="stable")[:MOST].tolist())


def _has(answers: Any, labels: int) -> Flags:
    """(N, K) which labels a row has; an invalid row none."""
    if answers.ndim == 1:
        return np.asarray(answers[:, None] == np.arange(labels))
    return np.asarray(answers > 0)


def visible(names: Sequence[str], masks: Sequence[Flags], test: Predictions, task: Task) -> str:
    """What the smallest value's rows can show: half the width of the interval of a difference."""
    name, mask = min(zip(names, masks, strict=True), key=lambda pair: int(pair[1].sum()))
    rows, others = int(mask.sum()), int((~mask).sum())
    if task.target.is_numeric:
        spread = float(np.std((test.predictions[:, 0] - test.truth)[~test.invalid]))
        least, what = NORMAL * spread * float(np.sqrt(1 / rows + 1 / others)), "mean error"
        size = human.score(least)
    else:
        wrong = float(is_wrong(test, task).mean())
        least, what = visible_between(wrong, rows, others), "error rate"
        size = f"{100 * least:.0f} percentage points"
    more = "; rows of one group are alike, so it is more" if test.groups is not None else ""
    return (
        f"the smallest value, {human.plain(name)}, has {rows:,} test rows: a difference in {what} of less "
        f"than about {size} cannot be told from chance there{more}. A difference that is not clear is not "
        "shown to be none"
    )

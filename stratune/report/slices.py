"""`slices` of leaderboard.json: the metric of every ranked row on slices of the test rows.

Each slice has the strategy's value and its difference to all other rows (evaluate/slices.py), adjusted for
all slices of that strategy (Holm); and the winner less the second there, adjusted for all slices. The worst
slices of slices.json were chosen on validation, so their numbers on test are of rows that chose nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from stratune.data.sliced import LEAST
from stratune.evaluate.arrays import Flags
from stratune.evaluate.multiple import holm
from stratune.evaluate.paired import Difference, Measured, differences, measured
from stratune.evaluate.replicates import Replicates, replicates
from stratune.evaluate.slices import FEWEST, difference, estimate, rank_correlation
from stratune.evaluate.visible import NORMAL
from stratune.report.slicing import Dimension, dimensions, names_of, shares
from stratune.target.decision import OF_PROBABILITIES
from stratune.task import Task

if TYPE_CHECKING:
    from stratune.report.comparison import Comparison, Entry

Row = dict[str, Any]
Cell = dict[str, Any]

FILE = "slices.json"
RESAMPLES = 300  # they give variances alone: a twenty-fifth off


def files_of(entry: Entry) -> list[str]:
    """Tells the models of a row from those that are trained later."""
    return [run.result.digest for run in entry.ok]


def compared(inside: Replicates, outside: Replicates | None, metric: str) -> Cell:
    """`value` of some rows, `estimate` with its interval, and `difference` to the other rows (None: there are
    none); None where undefined.
    """
    value = inside.value(metric)
    if np.isnan(value):
        return {"value": None, "estimate": None, "difference": None}
    own = estimate(inside, metric)
    other = None if outside is None else difference(inside, outside, metric)
    return {
        "value": value,
        "estimate": None if own is None else own.to_dict(),
        "difference": None if other is None else other.to_dict(),
    }


@dataclass(frozen=True)
class Answers:
    """What the seeds of one strategy answered to the N test rows."""

    entry: Entry
    task: Task
    resamples: int

    @property
    def parts(self) -> list[Any]:
        return [run.predictions["test"] for run in self.entry.ok]

    @property
    def groups(self) -> Any:
        return self.parts[0].groups

    def scorers(self, rows: Flags) -> list[Any]:
        target = self.task.target
        return [
            target.scorer(one.truth[rows], one.predictions[rows], one.invalid[rows], one.decided[rows])
            for one in self.parts
        ]

    def on(self, rows: Flags) -> Replicates:
        return replicates(
            self.scorers(rows), len(rows), groups=self.groups, resamples=self.resamples, inside=rows
        )

    def units(self, rows: Flags) -> int:
        """Rows, or groups of them."""
        return int(rows.sum()) if self.groups is None else len(np.unique(self.groups[rows]))

    def measured(self, rows: Flags, metric: str) -> Measured:
        seeds = [run.result.seed for run in self.entry.ok]
        groups = None if self.groups is None else self.groups[rows]
        return measured(self.scorers(rows), seeds, self.on(rows), [metric], int(rows.sum()), groups)

    def has(self, metric: str) -> bool:
        """Answers of 1 and 0 have no metric of probabilities."""
        return metric not in OF_PROBABILITIES or not any(run.result.certain for run in self.entry.ok)

    def cell(self, rows: Flags, metric: str, others: Flags | None = None) -> Cell:
        """`rows`, and as `compared`, with the `others` (None: all other rows)."""
        count = {"rows": int(rows.sum())}
        if not rows.any() or not self.has(metric):
            return {**count, "value": None, "estimate": None, "difference": None}
        others = ~rows if others is None else others
        return {**count, **compared(self.on(rows), self.on(others) if others.any() else None, metric)}


def of_board(
    comparison: Comparison, ranked: Sequence[tuple[Row, Entry]], resamples: int = RESAMPLES
) -> dict[str, Any] | None:
    """`ranked`: rows in order of rank that know who won. None where there is nothing to slice by."""
    if not ranked:
        return None
    task, resamples = comparison.task, min(resamples, RESAMPLES)
    metric = _metric(comparison)
    test = ranked[0][1].ok[0].predictions["test"]
    by = dimensions(comparison, test, metric)
    lines = []
    for row, entry in ranked:
        answers = Answers(entry, task, resamples)
        cells = [[answers.cell(mask, one.metric) for mask in one.masks] for one in by]
        adjust([cell for some in cells for cell in some])
        lines.append(
            {
                "strategy": row["strategy"],
                "backbone": row["backbone"],
                "whole": _whole(row, metric),
                "dimensions": cells,
                "worst": _worst(answers, comparison),
                "confidence": _confidence(answers),
            }
        )
    if not by and not any(line["worst"] for line in lines):
        return None
    return {
        "metric": metric,
        "higher_is_better": task.target.selection(metric).higher_is_better,
        "validation_rows": comparison.sizes["val"],
        "dimensions": names_of(by),
        "strategies": lines,
        "order": _order(ranked, by, task, resamples),
    }


def _metric(comparison: Comparison) -> str:
    file = comparison.slices or {}
    return str(file.get("metric") or comparison.task.metric)


def _whole(row: Row, metric: str) -> dict[str, float] | None:
    found: dict[str, float] | None = row["test"].get(metric)
    return found


def adjust(cells: Sequence[Cell]) -> None:
    """`p_adjusted` of the differences of a family (Holm)."""
    known = [cell["difference"] for cell in cells if cell["difference"] is not None]
    for one, p in zip(known, holm([one["p"] for one in known]), strict=True):
        one["p_adjusted"] = p


def _worst(answers: Answers, comparison: Comparison) -> dict[str, Any] | None:
    """What the search found on validation, with numbers of test; None where nothing was searched, or the
    models are others now.
    """
    file, entry = comparison.slices, answers.entry
    if file is None or file["fingerprint"] != comparison.fingerprint:
        return None
    for one in file["searches"]:
        if (one["strategy"], one["backbone"], one["files"]) == (
            entry.strategy, entry.backbone, files_of(entry),
        ):  # fmt: skip
            left, found = np.ones(len(answers.parts[0].truth), dtype=bool), []
            for each in one["found"]:
                left[each["test"]] = False
                found.append(_of_found(answers, each, left))
            adjust(found)
            looked = {key: one[key] for key in ("singles", "pairs", "wrong")}
            return {**looked, "metric": counted(answers.task), "found": found}
    return None


def counted(task: Task) -> str:
    """The metric next to what the search counts: rows that are wrong."""
    target = task.target
    return "mae" if target.is_numeric else "subset_accuracy" if target.several_labels else "accuracy"


def _of_found(answers: Answers, found: dict[str, Any], left: Flags) -> Cell:
    """`left`: the rows that neither this slice nor one before it has."""
    rows = np.zeros(len(left), dtype=bool)
    rows[found["test"]] = True
    none = {"value": None, "estimate": None, "difference": None}
    few = min(rows.sum(), left.sum()) < LEAST
    cell = none if few else answers.cell(rows, counted(answers.task), left)
    val = {"rows": found["rows"], "wrong": found["wrong"], "p": found["p"]}
    return {**cell, "rows": int(rows.sum()), "name": found["name"], "worded": found["worded"], "val": val}


def _order(
    ranked: Sequence[tuple[Row, Entry]], by: Sequence[Dimension], task: Task, resamples: int
) -> dict[str, Any] | None:
    """The winner less the best of the other rows, on each slice and on all rows; None with one row."""
    first = next((pair for pair in ranked if pair[0].get("winner")), ranked[0])
    second = next((pair for pair in ranked if pair is not first), None)
    if second is None:
        return None
    sides = [Answers(entry, task, resamples) for _, entry in (first, second)]
    every = np.ones(len(sides[0].parts[0].truth), dtype=bool)
    whole = {metric: _between(sides, [every], metric)[0] for metric in {one.metric for one in by}}
    cells: list[list[Cell]] = []
    for one in by:
        found = _between(sides, one.masks, one.metric)
        cells.append([{"difference": None if each is None else each.to_dict()} for each in found])
        for cell in cells[-1]:
            cell["changes"] = _changes(cell["difference"], whole[one.metric])
    adjust([cell for some in cells for cell in some])
    named = [{"strategy": row["strategy"], "backbone": row["backbone"]} for row, _ in (first, second)]
    return {"first": named[0], "second": named[1], "dimensions": cells}


def _between(sides: Sequence[Answers], masks: Sequence[Flags], metric: str) -> list[Difference | None]:
    if not all(one.has(metric) for one in sides):
        return [None] * len(masks)
    found: list[Difference | None] = []
    for mask in masks:  # each by itself: slices have other rows, and so other units
        if sides[0].units(mask) < FEWEST:
            found.append(None)
            continue
        first, second = (one.measured(mask, metric) for one in sides)
        found += differences([(first, second)], metric)
    return found


def _changes(own: dict[str, float] | None, whole: Difference | None) -> bool:
    """Whether the other one of the two leads than on all rows."""
    return own is not None and whole is not None and own["difference"] * whole.difference < 0


def _confidence(answers: Answers) -> dict[str, Any] | None:
    """Whether the probability of the answer follows the annotators' agreement: Spearman's correlation, and
    the mean of rows with the same share of the majority.
    """
    test, task = answers.parts[0], answers.task
    if test.ratings is None or not task.target.one_label or not answers.has("log_loss"):
        return None
    share = shares(test, task)
    known = ~np.isnan(share) & ~np.any([one.invalid for one in answers.parts], axis=0)
    if known.sum() < LEAST:
        return None
    sure = np.stack([one.predictions.max(axis=1)[known] for one in answers.parts])
    groups = None if answers.groups is None else answers.groups[known]
    found = rank_correlation(sure, share[known], groups=groups, resamples=answers.resamples)
    return None if found is None else {"spearman": found.to_dict(), "points": _points(share[known], sure)}


def _points(share: Any, sure: Any) -> list[dict[str, float]]:
    """Of each share that LEAST rows have, the confidence of its rows: mean, and its normal interval."""
    mean, points = sure.mean(axis=0), []
    rounded = np.round(share, 3)
    for one in np.unique(rounded):
        own = mean[rounded == one]
        if len(own) >= LEAST:
            reach = float(NORMAL * own.std(ddof=1) / np.sqrt(len(own)))
            middle = float(own.mean())
            points.append(
                {
                    "share": float(one),
                    "rows": len(own),
                    "value": middle,
                    "low": middle - reach,
                    "high": middle + reach,
                }
            )
    return points

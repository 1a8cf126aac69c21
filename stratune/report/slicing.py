"""Which slices the test rows of a comparison have: by label, by the annotators' agreement, and those of
slices.json (comparison/slices.py): length, group, and columns that somebody named.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from stratune.data.sliced import LEAST, MOST, Sliced, by_quartiles, by_values
from stratune.evaluate.arrays import Flags
from stratune.evaluate.consensus import disagreement, majority
from stratune.evaluate.scales import ERRORS
from stratune.report import human
from stratune.task import Task

if TYPE_CHECKING:
    from stratune.data.predictions import Predictions
    from stratune.report.comparison import Comparison

EQUAL = 1e-9
# Of the ratings of a row those that give its most frequent label: all; at least so many; fewer.
CONTESTED = 2 / 3
AGREEMENT = (
    "unanimous: all of the row's annotators gave the same label; contested: at least two thirds of them gave "
    "the most frequent one; very contested: fewer did"
)
SPREAD = "standard deviation of the row's ratings, quarters of the test rows"


@dataclass(frozen=True)
class Dimension:
    """What rows are sliced by. `masks`: which of the N test rows are in each slice; they may overlap."""

    name: str
    kind: str  # label, agreement, length, group, column
    about: str
    metric: str
    names: tuple[str, ...]
    masks: tuple[Flags, ...]


def dimensions(comparison: Comparison, test: Predictions, metric: str) -> list[Dimension]:
    """Those with two slices or more of LEAST rows. `metric`: of all but the label's."""
    found = [_of_label(comparison.task, test, metric), _of_agreement(comparison.task, test, metric)]
    for column in columns_of(comparison):
        if column["shown"]:
            about = ABOUT[column["kind"]].format(how=HOW[column["how"]])
            masks = masks_of(column)
            found.append(
                Dimension(column["name"], column["kind"], about, metric, tuple(column["names"]), tuple(masks))
            )
    return [_scored(one, comparison.task, test) for one in found if one is not None and len(one.names) > 1]


def _scored(by: Dimension, task: Task, test: Predictions) -> Dimension:
    """By accuracy, where some slice has rows of one label only: F1 of the other label would be 0."""
    if not task.target.one_label or by.metric == "accuracy":
        return by
    if all(len(np.unique(test.truth[mask])) > 1 for mask in by.masks):
        return by
    return replace(by, metric="accuracy", about=f"{by.about}; accuracy, as a slice has one label only")


HOW = {
    "values": "its values",
    "quartiles": "quarters of the test rows",
    "bins": "the bins that were asked for",
    "years": "the years of its dates",
}
ABOUT = {
    "length": "words of the text (of both texts of a pair), {how}",
    "group": "the column of groups, {how}; a slice of one group has no interval",
    "column": "a column of the data, {how}",
}


def columns_of(comparison: Comparison) -> list[dict[str, Any]]:
    """Of slices.json, where it is of these test rows."""
    file = comparison.slices
    if file is None or file["fingerprint"] != comparison.fingerprint:
        return []
    rows = comparison.sizes["test"]
    return [one for one in file["columns"] if len(one["test"]) == rows]


def masks_of(column: dict[str, Any]) -> list[Flags]:
    codes = np.asarray(column["test"])
    return [codes == k for k in range(len(column["names"]))]


def label_masks(task: Task, truth: npt.NDArray[Any], counted: int) -> dict[str, Flags]:
    """Name -> (M,) rows with that label; of numbers quarters, as the first `counted` rows have them."""
    try:
        found = _labelled(task, truth, counted)
    except ValueError:  # one label has nearly all rows
        return {}
    return (
        {name: found.codes == k for k, name in enumerate(found.names)}
        if found
        else _sets(task, truth, counted)
    )


def _labelled(task: Task, truth: npt.NDArray[Any], counted: int) -> Sliced | None:
    if task.target.is_numeric:
        return by_quartiles(truth, counted)
    if task.target.several_labels:
        return None
    return by_values(task.target.named(truth), counted, order=task.labels)


def _sets(task: Task, truth: npt.NDArray[Any], counted: int) -> dict[str, Flags]:
    """Of the labels that most rows have."""
    rows = (truth[:counted] > 0).sum(axis=0)
    most = sorted(np.argsort(-rows, kind="stable")[:MOST].tolist())
    return {task.labels[k]: truth[:, k] > 0 for k in most if LEAST <= rows[k] < counted}


def _of_label(task: Task, test: Predictions, metric: str) -> Dimension | None:
    """F1 of rows of one label, or a correlation in a quarter of the numbers, would say little."""
    masks = label_masks(task, test.truth, len(test.truth))
    if task.target.is_numeric:
        used = metric if metric in ERRORS else "mae"
        about = f"quarters of the test rows by {human.plain(task.label)}"
    elif task.target.one_label:
        used, about = "accuracy", "the row's true label; accuracy: the share of its rows that are right"
    else:
        used, about = metric, "rows that have the label, and maybe others"
    return _dimension(task.label, "label", about, used, masks)


def _of_agreement(task: Task, test: Predictions, metric: str) -> Dimension | None:
    if test.ratings is None:
        return None
    values, name = test.ratings.values, "agreement of the annotators"
    if task.target.is_numeric:
        try:
            found = by_quartiles(disagreement(values, None), len(values))
        except ValueError:  # hardly a row has two ratings
            return None
        masks = {one: found.codes == k for k, one in enumerate(found.names)}
        return _dimension(name, "agreement", SPREAD, metric, masks)
    if not task.target.one_label:
        return None
    share = shares(test, task)
    masks = {
        "unanimous": share >= 1 - EQUAL,
        "contested": (share >= CONTESTED - EQUAL) & (share < 1 - EQUAL),
        "very contested": share < CONTESTED - EQUAL,
    }
    return _dimension(name, "agreement", AGREEMENT, metric, masks)


def shares(test: Predictions, task: Task) -> npt.NDArray[np.float64]:
    """(N,) of a row's ratings that are its majority; NaN where it has fewer than two."""
    assert test.ratings is not None
    values = test.ratings.values
    several = np.isfinite(values).sum(axis=1) > 1
    return np.where(several, majority(values, len(task.labels)).share, np.nan)


def _dimension(name: str, kind: str, about: str, metric: str, masks: dict[str, Flags]) -> Dimension | None:
    kept = {one: mask for one, mask in masks.items() if mask.sum() >= LEAST}
    return Dimension(name, kind, about, metric, tuple(kept), tuple(kept.values())) if kept else None


def is_wrong(part: Predictions, task: Task) -> Flags:
    """(N,) rows that are not right; of numbers the quarter with the largest errors, as on the page."""
    if task.target.is_numeric:
        away = np.where(part.invalid, np.inf, np.abs(part.truth - part.predictions[:, 0]))
        return np.asarray(away > np.quantile(away, 0.75, method="lower"))
    other = part.truth != part.decided
    return np.asarray(other if other.ndim == 1 else other.any(axis=1)) | part.invalid


def names_of(dimensions: Sequence[Dimension]) -> list[dict[str, Any]]:
    """As leaderboard.json has them."""
    return [
        {
            "name": one.name,
            "kind": one.kind,
            "about": one.about,
            "metric": one.metric,
            "slices": [
                {"name": name, "rows": int(mask.sum())}
                for name, mask in zip(one.names, one.masks, strict=True)
            ],
        }
        for one in dimensions
    ]

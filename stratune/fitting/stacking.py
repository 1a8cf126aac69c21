"""Weights of a combination's members, learned on their answers to validation.

Greedy selection with replacement (Caruana et al. 2004, "Ensemble selection from libraries of models"):
members are added one by one, each time the one that makes the mean of those chosen best by the task's metric;
of the means on the way the best is kept. A member's weight is how often it is in it, so that no weight is
negative and they sum to one. Three things keep it from believing a small validation part:

- It is done on halves of the rows, several times, and the weights are averaged. Bagging with halves is about
  what bagging with bootstrap resamples is (Friedman and Hall 2007, "On bagging and nonlinear estimation").
- `EQUAL` rows more, on which all members are equally good, pull the weights together.
- What a row is answered for the score on validation comes from halves that it is not in.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from stratune.data.share_out import shared_out
from stratune.evaluate.arrays import Floats
from stratune.model.answers import Scored, unanswered
from stratune.model.ensemble import weighted_mean

if TYPE_CHECKING:
    from stratune.data.split import Split
    from stratune.task import Task

HALVINGS = 10  # times that the rows are halved; on each half weights are learned
STEPS = 10  # members that are chosen, so that weights on one half are known to 0.1
ROWS = 1000  # of a half that are looked at; a metric of more takes longer and is no better known
# Measured on 25 comparisons with 2 to 300 validation rows (docs/log.md): 5 to 40 differ little, 0 is worse.
EQUAL = 10
LEAST = 0.02  # a member of less weight is left out: it costs as much to ask as any other


@dataclass(frozen=True)
class Stacked:
    """M members, N validation rows, C columns."""

    weights: Floats  # (M,), not negative, sum 1
    validation: Scored  # each row by weights that were learned without it


def stacked(answers: Sequence[Scored], split: Split) -> Stacked:
    """Of the members' answers to the rows of `split.val`, calibrated as the members give them to any text."""
    task, rows = split.task, len(split.val)
    truth = task.target.truth(split.val["label"][:])
    predictions = np.stack([one.predictions for one in answers])  # (M, N, C)
    total = np.zeros(len(answers))
    unseen = np.zeros((len(answers), rows))  # (M, N), sums over the halves that a row is not in
    for seen in halves(split):
        learned = chosen(predictions[:, seen], truth[seen], task)
        total += learned
        unseen[:, ~seen] += learned[:, None]
    weights, own = settled(total, rows), settled(unseen, rows)
    joined = weighted_mean(predictions, own)
    cut = np.max([one.tokens_cut for one, weight in zip(answers, weights, strict=True) if weight], axis=0)
    return Stacked(weights, Scored(joined, cut, invalid=unanswered(joined)))


def halves(split: Split) -> Iterator[NDArray[np.bool_]]:
    """(N,) which validation rows are in a half; 2 * HALVINGS of them, each row in half of them.

    Stratified by label; groups, and rows of one text, are in one half.
    """
    for seed in range(HALVINGS):
        parts, _, _ = shared_out(split.val, split.task, (0.5, 0.5), seed)
        yield parts == 0
        yield parts == 1


def chosen(predictions: Floats, truth: NDArray[Any], task: Task) -> Floats:
    """(M,) the share of each member among those chosen, of its answers (M, N, C) to rows of this truth."""
    members, rows = predictions.shape[:2]
    if not rows:  # one half of a few rows may have all of them
        return np.full(members, 1 / members)
    if rows > ROWS:
        some = np.sort(np.random.default_rng(0).permutation(rows)[:ROWS])
        predictions, truth = predictions[:, some], truth[some]
    counts, found = np.zeros(members), []
    for _ in range(STEPS):
        more = counts + np.eye(members)  # (M, M): a row for each member that may be added
        goods = [_good(weighted_mean(predictions, one), truth, task) for one in more]
        first = max(range(members), key=goods.__getitem__)  # of equals the first: the better by itself
        counts = more[first]
        found.append((goods[first], counts))
    best = max(found, key=lambda one: one[0])[1]
    return np.asarray(best / best.sum())


def _good(predictions: Floats, truth: NDArray[Any], task: Task) -> tuple[float, float]:
    """The task's metric, higher is better, then the loss.

    Of label sets the loss alone: thresholds are chosen afterwards, and the metric is of one half.
    """
    target = task.target
    values = target.score(truth, predictions, unanswered(predictions))
    metric = 0.0 if target.several_labels else task.selection.score(values)
    return metric, -values[target.validation_loss]


def settled(summed: Floats, rows: int) -> Floats:
    """Weights (M, ...), any multiple of them -> pulled towards equal ones, small ones left out, sum 1."""
    weights = summed / summed.sum(axis=0)
    weights = (rows * weights + EQUAL / len(weights)) / (rows + EQUAL)
    kept = np.where(weights < min(LEAST, 1 / len(weights)), 0.0, weights)
    return np.asarray(kept / kept.sum(axis=0))

"""What is computed of a row's answers to a part: replicates, drawn once, and all that is read off them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from stratune.evaluate.intervals import Interval, intervals
from stratune.evaluate.paired import Measured, measured
from stratune.evaluate.replicates import replicates
from stratune.report.comparison import Comparison, Entry
from stratune.report.tables import compared_metrics
from stratune.target.decision import OF_PROBABILITIES
from stratune.target.within_folds import scorer_within


@dataclass(frozen=True)
class Part:
    """Every metric with its interval, and what the compared ones' differences are computed from."""

    intervals: dict[str, Interval]
    measured: Measured

    def to_dict(self) -> dict[str, dict[str, float]]:
        return {name: interval.to_dict() for name, interval in self.intervals.items()}


def measure(
    entry: Entry, part: str, comparison: Comparison, resamples: int, metrics: Sequence[str] = ()
) -> Part:
    """`metrics` whose differences are wanted: those that a board compares."""
    task, runs = comparison.task, [run.predictions[part] for run in entry.ok]
    rows, groups = len(runs[0].truth), runs[0].groups
    folds = comparison.folds if part == "val" else ()
    scorers = [
        scorer_within(folds, task.target, one.truth, one.predictions, one.invalid, one.decided)
        for one in runs
    ]
    drawn = replicates(scorers, rows, groups=groups, resamples=resamples)
    seeds = [run.result.seed for run in entry.ok]
    compared = metrics or compared_metrics(task)
    shown = intervals(drawn)
    if any(run.result.certain for run in entry.ok):
        shown = {name: one for name, one in shown.items() if name not in OF_PROBABILITIES}
    return Part(shown, measured(scorers, seeds, drawn, compared, rows, groups))

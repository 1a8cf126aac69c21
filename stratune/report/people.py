"""Agreement with people on the test part: of raters with each other, and of models with raters.

`people` of leaderboard.json holds the number of ratings, the human ceiling (one rater against the others),
ICC and Krippendorff's alpha. `with_people` of a row holds the model against all raters, against all but one
(the way the ceiling was measured), and against one at a time. Both are missing where test has no ratings.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from stratune.data.raters import annotation_columns
from stratune.evaluate.agreement import Raters, human_ceiling, icc, krippendorff_alpha, with_people
from stratune.evaluate.intervals import Interval
from stratune.evaluate.raters import rater_key
from stratune.report import human
from stratune.target import Target
from stratune.task import Task

if TYPE_CHECKING:
    from stratune.data.predictions import Ratings
    from stratune.report.comparison import Comparison, Entry

Board = dict[str, Any]

RELIABILITY = {
    "icc1": "one rating, by whomever",
    "icc1k": "a row's mean, by whomever",
    "icc2": "one rater of many such",
    "icc2k": "the mean of such raters",
    "icc3": "one of these raters, leniency aside",
    "icc3k": "the mean of these raters, leniency aside",
}
TARGETS = {"all": "all raters", "others": "all raters but one", "one": "one rater"}


def of_raters(comparison: Comparison, resamples: int) -> dict[str, Any] | None:
    """leaderboard.json's `people`; None without ratings."""
    tests = [run.predictions["test"] for entry in comparison.entries() for run in entry.ok]
    rated = next((one for one in tests if one.ratings is not None), None)
    if rated is None or rated.ratings is None or not np.isfinite(rated.ratings.values).any():
        return None
    return among_raters(rated.ratings, comparison.task, groups=rated.groups, resamples=resamples)


def among_raters(
    ratings: Ratings, task: Task, *, groups: Any = None, resamples: int = 2000
) -> dict[str, Any]:
    """How many ratings there are, and how well they agree. ICC needs numbers, levels or two labels."""
    options: dict[str, Any] = {"groups": groups, "resamples": resamples}
    counts = np.isfinite(ratings.values).sum(axis=1)
    rated = counts[counts > 0]
    target = task.target
    ceiling = human_ceiling(_raters(ratings, task), **options)
    alpha = krippendorff_alpha(ratings.values, target.measurement, **options)
    reliability = {}
    if target.has_distances:
        reliability = icc(ratings.values, identified=ratings.identified, **options)
    return {
        "rows": len(rated),
        "ratings": int(counts.sum()),
        "per_row": {"least": int(rated.min()), "mean": float(rated.mean()), "most": int(rated.max())},
        "identified": ratings.identified,
        "ceiling": _plain(ceiling),
        "icc": _plain(reliability),
        "alpha": None if alpha is None else {"level": target.measurement, **alpha.to_dict()},
    }


def of_entry(entry: Entry, task: Task, resamples: int) -> dict[str, Any]:
    """`with_people` of one row, over its seeds; empty where a run has no ratings."""
    tests = [run.predictions["test"] for run in entry.ok]
    if not tests or any(one.ratings is None for one in tests):
        return {}
    ratings = tests[0].ratings
    assert ratings is not None
    found = with_people(
        np.stack([one.decided for one in tests]),
        _raters(ratings, task),
        invalid=np.stack([one.invalid for one in tests]),
        groups=tests[0].groups,
        resamples=resamples,
    )
    return {"with_people": {target: _plain(measures) for target, measures in found.items()}}


def line(board: Board) -> str | None:
    """one rater against the others: r 0.484 [.455, .511], MAE 0.331 [.316, .346]"""
    people = board.get("people")
    if not people or not people["ceiling"]:
        return None
    shown = [
        f"{sign} {human.interval(people['ceiling'][name])}"
        for name, sign in measures(board)[:3]
        if name in people["ceiling"]
    ]
    return f"one rater against the others: {', '.join(shown)}"


def facts(board: Board) -> str:
    """1,000 rows with 2 to 14 ratings each (mean 9.3), raters not told apart; ICC ...; alpha ..."""
    people = board["people"]
    least, most = people["per_row"]["least"], people["per_row"]["most"]
    each = f"{least}" if least == most else f"{least} to {most} (mean {people['per_row']['mean']:.1f})"
    who = "raters told apart" if people["identified"] else "raters not told apart"
    found = [f"{people['rows']:,} rows of test with {each} ratings each, {who}"]
    reliability = people["icc"]
    for name, of in (("icc1", "one rating"), ("icc1k", "a row's mean"), ("icc2", "one rater of many such")):
        if name in reliability:
            found.append(f"ICC of {of} {human.interval(reliability[name])}")
    if people["alpha"]:
        found.append(f"Krippendorff's alpha ({people['alpha']['level']}) {human.interval(people['alpha'])}")
    return "; ".join(found)


def measures(board: Board) -> list[tuple[str, str]]:
    """(metric, its short name), the most telling first."""
    return list(_target(board).agreement.items())


def target(board: Board) -> str:
    """What raters agree on: their mean or majority."""
    return _target(board).consensus


def _target(board: Board) -> Target:
    return Task.from_dict(board["task"]).target


def table(board: Board) -> tuple[list[str], list[list[str]]]:
    """Headings and lines for the page: the raters first, then each model. Columns are the first two measures,
    and the first one against each rater where raters are identified.
    """
    shown = measures(board)[:2]
    columns = [(target, name) for target in TARGETS for name, _ in shown]
    heads = ["", *(f"{sign} with {whom}" for whom in TARGETS.values() for _, sign in shown)]
    if board["people"]["identified"]:
        raters = annotation_columns(Task.from_dict(board["task"]))
        (name, sign), *_ = shown
        columns += [(rater_key(number), name) for number in range(len(raters))]
        heads += [f"{sign} with {human.short(rater)}" for rater in raters]
    lines = [_line("one rater", {"others": board["people"]["ceiling"]}, columns)]
    for row in board["rows"]:
        if "with_people" in row:
            name = human.plain(human.entry(row["strategy"], row["backbone"]))
            lines.append(_line(name, row["with_people"], columns))
    return heads, lines


def _line(name: str, found: Mapping[str, Any], columns: list[tuple[str, str]]) -> list[str]:
    return [name, *(human.interval(found.get(target, {}).get(measure)) for target, measure in columns)]


def _raters(ratings: Ratings, task: Task) -> Raters:
    return task.target.raters(ratings.values, identified=ratings.identified)


def _plain(measures: Mapping[str, Interval]) -> dict[str, dict[str, float]]:
    return {name: interval.to_dict() for name, interval in measures.items()}

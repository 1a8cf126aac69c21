"""sizes.json: every strategy by the number of training rows, on the same test rows.

At each size the strategies are compared as on a leaderboard, but on test: which is first, which tie with it,
and how each differs from the first (paired; Holm within the size). One that is behind has left the confidence
set (evaluate/confidence_set.py), and its difference is clear, too: of two or three draws resamples vary too
little, where the difference has Student's t. Nothing is chosen by these numbers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from stratune.comparison.crossings import crossings
from stratune.evaluate.confidence_set import ALPHA, confidence_set
from stratune.evaluate.learning_curve import curve
from stratune.evaluate.metrics import METRICS
from stratune.evaluate.power_law import LEAST
from stratune.evaluate.replicates import RESAMPLES
from stratune.report.comparison import Comparison, Entry, Run
from stratune.report.measured import Part, measure
from stratune.report.pairs import against, is_clear, pairs_of

if TYPE_CHECKING:
    from stratune.evaluate.arrays import Floats
    from stratune.evaluate.selection import Selection

Key = tuple[str, str | None]  # strategy, backbone

MORE = 1000  # rows that a curve is asked about; at most as many as there are
STEPS = 24  # points at which a curve is written down


@dataclass(frozen=True)
class Size:
    """All strategies trained on so many rows. `entries`: a run each draw, as if draws were seeds."""

    rows: int
    entries: Mapping[Key, Entry]
    parts: Mapping[Key, Part]  # measured on test; those whose metric is defined


def size_of(rows: int, draws: Mapping[int, Comparison], whole: Comparison) -> Size:
    """Of the comparisons on the draws of `rows` rows."""
    runs: dict[Key, list[Run]] = {}
    for draw, comparison in draws.items():
        for run in comparison.runs:
            found = replace(run, result=replace(run.result, seed=draw))
            runs.setdefault((run.result.strategy, run.result.backbone), []).append(found)
    return _size(rows, {key: Entry(*key, tuple(some)) for key, some in runs.items()}, whole)


def whole_size(whole: Comparison) -> Size:
    """The comparison itself; its seeds take the place of draws."""
    entries = {(entry.strategy, entry.backbone): entry for entry in whole.entries()}
    return _size(whole.sizes["train"], entries, whole)


def _size(rows: int, entries: Mapping[Key, Entry], whole: Comparison) -> Size:
    metric = whole.task.selection.metric
    parts = {
        key: measure(entry, "test", whole, RESAMPLES, [metric]) for key, entry in entries.items() if entry.ok
    }
    return Size(rows, entries, {key: part for key, part in parts.items() if metric in part.intervals})


def summary(
    sizes: Sequence[Size], whole: Comparison, failed: Mapping[int, str], notes: Sequence[str]
) -> dict[str, Any]:
    """sizes.json, without its sentence. `sizes` rise, the last one is the comparison itself. `failed`: why
    nothing could be trained on so many rows.
    """
    selection = whole.task.selection
    at_size = [_compared(size, selection) for size in sizes]
    measured = {size.rows: {key: part.measured for key, part in size.parts.items()} for size in sizes}
    strategies = [
        _strategy(entry, sizes, at_size, selection, failed) for entry in _ordered(whole, sizes[-1], selection)
    ]
    return {
        "fingerprint": whole.fingerprint,
        "metric": selection.metric,
        "higher_is_better": selection.higher_is_better,
        "sizes": [size.rows for size in sizes],
        "draws": max(len(entry.ok) for size in sizes[:-1] or sizes for entry in size.entries.values()),
        "test": whole.sizes["test"],
        "strategies": strategies,
        "crossings": crossings(measured, selection),
        "notes": [*notes, *_why_no_curve(sizes, selection)],
    }


def _ordered(whole: Comparison, last: Size, selection: Selection) -> list[Entry]:
    """Best at the largest size first, failed ones last."""

    def values(entry: Entry) -> dict[str, float]:
        part = last.parts.get((entry.strategy, entry.backbone))
        return {} if part is None else {selection.metric: part.intervals[selection.metric].value}

    return selection.ordered(whole.entries(), values)


def _compared(size: Size, selection: Selection) -> dict[Key, dict[str, Any]]:
    """What a size says of each strategy: `test`, whether `tied` with the first, and `to_first`."""
    metric = selection.metric
    ranked = selection.ordered(size.parts, lambda key: {metric: size.parts[key].intervals[metric].value})
    if not ranked:
        return {}
    found = [size.parts[key].measured for key in ranked]
    points = np.array([selection.sign * one.replicates.value(metric) for one in found])
    drawn = np.stack([selection.sign * one.replicates.over_seeds(metric) for one in found])
    p = confidence_set(points, drawn, min(one.replicates.units for one in found))
    to_first = against(pairs_of(found, [metric]), metric, 1)
    return {
        key: {
            "draws": len(size.parts[key].measured.seeds),
            "test": size.parts[key].intervals[metric].to_dict(),
            "first": rank == 1,
            "tied": bool(p[rank - 1] >= ALPHA) or not is_clear(to_first.get(rank)),
            "to_first": _difference(to_first.get(rank)),
        }
        for rank, key in enumerate(ranked, start=1)
    }


def _difference(pair: Mapping[str, Any] | None) -> dict[str, float] | None:
    kept = ("difference", "low", "high", "p", "p_adjusted")
    return None if pair is None else {end: pair[end] for end in kept}


def _strategy(
    entry: Entry,
    sizes: Sequence[Size],
    at_size: Sequence[Mapping[Key, dict[str, Any]]],
    selection: Selection,
    failed: Mapping[int, str],
) -> dict[str, Any]:
    key, floor = (entry.strategy, entry.backbone), any(run.result.floor for run in entry.runs)
    points = [
        {"rows": size.rows, **_point(key, size, found), "error": _error(key, size)}
        for size, found in zip(sizes, at_size, strict=True)
    ]
    lost = [{"rows": rows, **_NOTHING, "error": why} for rows, why in failed.items()]
    return {
        "strategy": entry.strategy,
        "backbone": entry.backbone,
        "floor": floor,
        "files": [run.result.digest for run in entry.runs],
        "points": sorted([*points, *lost], key=lambda point: point["rows"]),
        "first_from": first_from(points),
        "curve": None
        if floor
        else _curve(key, sizes, selection),  # answers of a floor do not come of the texts
    }


_NOTHING: dict[str, Any] = {"draws": 0, "test": None, "first": False, "tied": False, "to_first": None}


def _point(key: Key, size: Size, found: Mapping[Key, dict[str, Any]]) -> dict[str, Any]:
    return found.get(key, _NOTHING)


def _error(key: Key, size: Size) -> str | None:
    """Why it has no value, or why draws are missing."""
    entry = size.entries.get(key)
    if entry is None:
        return "not trained on so few rows"
    errors = [run.result.error or "no reason was recorded" for run in entry.runs if run not in entry.ok]
    if errors:
        return errors[0]
    return None if key in size.parts else "the metric is undefined on test"


def first_from(points: Sequence[Mapping[str, Any]]) -> int | None:
    """The smallest size from which on, at every larger one, too, a strategy is first or ties with it."""
    start = None
    for point in reversed(points):
        if not point["tied"]:
            break
        start = int(point["rows"])
    return start


def _curve(key: Key, sizes: Sequence[Size], selection: Selection) -> dict[str, Any] | None:
    """The power law of a strategy, at most to twice its largest size; None where nothing is fitted."""
    there = [size for size in sizes if key in size.parts]
    if len(there) < LEAST or not _has_error(selection):
        return None
    found = [size.parts[key].measured for size in there]
    several = [set(one.seeds) for one in found if len(one.seeds) > 1]
    draws = sorted(set.intersection(*several)) if several else [0]
    sides = [one.at(selection.metric, draws) for one in found]
    rows = np.array([float(size.rows) for size in there])
    last = there[-1].rows
    until = last + min(MORE, last)
    wanted = np.unique(np.append(np.geomspace(there[0].rows, until, STEPS).round(), [last, until]))
    points, drawn = (
        np.stack([_errors(side[which], selection) for side in sides], axis=1) for which in (0, 1)
    )
    try:
        made = curve(rows, points, drawn, wanted, min(one.replicates.units for one in found))
    except ValueError:  # no resample has all of them
        return None
    turned = selection.higher_is_better
    return {
        "a": made.a,
        "b": made.b,
        "c": made.c,
        "more": until - last,
        "gain": made.gain.to_dict(),
        "points": [
            {"rows": int(n), **_turned(one.to_dict(), turned)}
            for n, one in zip(wanted, made.errors, strict=True)
        ],
    }


def _has_error(selection: Selection) -> bool:
    """Whether the metric is an error, or 1 where nothing is wrong; a registered function may be neither."""
    metric = METRICS.get(selection.metric.partition("[")[0])
    return not selection.higher_is_better or metric is None or metric.function is None


def _errors(values: Floats, selection: Selection) -> Floats:
    return 1 - values if selection.higher_is_better else values


def _turned(error: dict[str, float], turned: bool) -> dict[str, float]:
    """An error with its ends as the metric that it was made of."""
    if not turned:
        return error
    return {"value": 1 - error["value"], "low": 1 - error["high"], "high": 1 - error["low"]}


def _why_no_curve(sizes: Sequence[Size], selection: Selection) -> list[str]:
    if not _has_error(selection):
        return [f"no curve is fitted: nobody knows the best value that {selection.metric} can have"]
    if len(sizes) < LEAST:
        return [f"no curve is fitted: it takes {LEAST} sizes, all the training rows included"]
    return []

"""What more training rows would bring: a power law through the errors at several sizes, with its intervals.

Every size was measured on the same test rows, so replicate r of all sizes drew the same rows: a curve is
fitted to each replicate (Efron & Tibshirani 1993). Where each size was trained on several draws of its rows,
a curve is fitted to each draw, too, and Student's t of their spread is added squared (MOVER: Zou and Donner
2008). With one draw the interval is of the test rows alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stratune.evaluate.arrays import Floats
from stratune.evaluate.confidence_set import stretch
from stratune.evaluate.intervals import Interval
from stratune.evaluate.power_law import fit
from stratune.evaluate.scales import student

LEAST_VARIANCE = 1e-8  # of an error: what nobody gets wrong in any replicate is not known without end


@dataclass(frozen=True)
class Curve:
    """error = a + b n^-c. `errors`: on the curve, one for each number of rows that was asked for; `gain`: by
    how much the last of them is lower than that of the largest size.
    """

    a: float
    b: float
    c: float
    errors: tuple[Interval, ...]
    gain: Interval


def curve(rows: Floats, points: Floats, drawn: Floats, wanted: Floats, units: int) -> Curve:
    """Sizes (L,), errors (S, L) of S draws, and (S, L, R) on R resamples of `units` rows or groups -> the
    curve at `wanted` (P,) numbers of rows.

    Raises ValueError for fewer sizes than unknowns, or without a resample in which all errors are defined.
    """
    draws = len(points)
    kept = drawn[:, :, ~np.isnan(drawn).any(axis=(0, 1))]
    if not kept.shape[2]:
        raise ValueError("no resample has all errors")
    means = kept.mean(axis=0)  # (L, R)
    spread = means.var(axis=1) + (points.var(axis=0, ddof=1) / draws if draws > 1 else 0.0)
    weights = 1 / np.maximum(spread, LEAST_VARIANCE)
    at = np.append(wanted, rows.max())
    whole = fit(rows, points.mean(axis=0)[None], weights)
    found = _with_gain(whole.at(at))[0]  # (P + 1,)
    resampled = _with_gain(fit(rows, means.T, weights).at(at))  # (R, P + 1)
    low, high = np.quantile(found + (resampled - found) * stretch(units), [0.025, 0.975], axis=0)
    below, above = np.maximum(found - low, 0.0), np.maximum(high - found, 0.0)
    if draws > 1:
        by_draw = _with_gain(fit(rows, points, weights).at(at))  # (S, P + 1)
        reach = float(student(0.05, draws - 1)) * by_draw.std(axis=0, ddof=1) / np.sqrt(draws)
        below, above = np.hypot(below, reach), np.hypot(above, reach)
    ends = zip(found.tolist(), np.maximum(found - below, 0.0).tolist(), (found + above).tolist(), strict=True)
    *errors, gain = (Interval(*one) for one in ends)
    a, b, c = float(whole.a[0]), float(whole.b[0] * whole.unit ** whole.c[0]), float(whole.c[0])
    return Curve(a, b, c, tuple(errors), gain)


def _with_gain(errors: Floats) -> Floats:
    """(M, P + 1), the last at the largest size -> in its place by how much the one before it is lower."""
    return np.column_stack([errors[:, :-1], errors[:, -1] - errors[:, -2]])

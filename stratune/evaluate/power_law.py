"""A learning curve as a power law: error = a + b n^-c of n training rows, with a, b >= 0 and 0 < c <= 1.

The inverse power law of Figueroa et al. 2012 ("Predicting sample size required for classification
performance"), which fits most learning curves (Viering & Loog 2022, "The Shape of Learning Curves: a
Review"). `a` is the error that no number of rows gets below, `c` the rate.

For a given c the least squares have a closed form, so c is tried on a grid and nothing depends on where a
search begins (variable projection: Golub & Pereyra 1973).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stratune.evaluate.arrays import Floats

LEAST = 3  # sizes, for three unknowns
RATES = np.union1d(np.geomspace(0.005, 0.1, 60), np.linspace(0.1, 1.0, 361))


@dataclass(frozen=True)
class PowerLaw:
    """M curves: a, b, c (M,). `unit` is the n at which a curve is a + b: (n / unit)^-c stays near 1."""

    a: Floats
    b: Floats
    c: Floats
    unit: float

    def at(self, rows: Floats) -> Floats:
        """Errors (M, P) at numbers of rows (P,)."""
        return self.a[:, None] + self.b[:, None] * (rows / self.unit) ** -self.c[:, None]


def fit(rows: Floats, errors: Floats, weights: Floats) -> PowerLaw:
    """Numbers of rows (L,), errors (M, L) of M curves at them, weights (L,) -> the M curves.

    Weighted least squares. Raises ValueError for fewer than LEAST sizes.
    """
    if len(rows) < LEAST:
        raise ValueError(f"{len(rows)} sizes, and a curve has {LEAST} unknowns")
    unit = float(rows.max())
    weights = weights / weights.sum()
    mean, mean_square = errors @ weights, errors**2 @ weights  # (M,)
    best, kept = np.full(len(errors), np.inf), np.zeros((3, len(errors)))
    for c in RATES:
        x = (rows / unit) ** -c  # (L,)
        x_mean, x_square, both = float(x @ weights), float(x**2 @ weights), errors @ (x * weights)
        b = (both - x_mean * mean) / (x_square - x_mean**2)
        a = mean - b * x_mean
        low, flat = a < 0, b < 0  # never both: errors are not below 0
        a, b = np.where(low, 0.0, a), np.where(low, both / x_square, b)
        a, b = np.where(flat, mean, a), np.where(flat, 0.0, b)
        lost = mean_square - 2 * (a * mean + b * both) + a**2 + 2 * a * b * x_mean + b**2 * x_square
        better = lost < best - 1e-15
        best[better] = lost[better]
        kept[:, better] = np.stack([a, b, np.full(len(a), c)])[:, better]
    return PowerLaw(kept[0], kept[1], kept[2], unit)

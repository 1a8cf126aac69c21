"""Intervals of proportions, and of means of proportions: accuracy, recall, precision, F1, ROC-AUC.

A proportion of n trials has Wilson's interval (Wilson 1927): it never ends at 1 because all of few rows are
right. Three kinds of proportion differ in how their value, their variance and their interval belong together:

- `Share`: part / whole. Variance p(1 - p) / n.
- `F1`: 2J / (1 + J) of the Jaccard index J = hits / (hits + wrong + missed), which is a share.
- `Area`: ROC-AUC, the share of pairs (positive, negative) in the right order. The variance is that of Hanley
  and McNeil (1982), solved for the true area like Wilson's (Newcombe 2006, method 5).

Replicates that spread more than independent trials would (rows of one group, labels that share their errors)
leave fewer trials: n / (variance of the replicates / variance of independent trials), the effective sample
size of Korn and Graubard (1998). A mean over proportions adds up their distances from value to end, squared
(MOVER: Zou and Donner 2008).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from stratune.evaluate.arrays import Floats

Ends = tuple[Floats, Floats]
_STEPS = 50  # halvings of [0, 1]: an area to 1e-15


class Form(Protocol):
    """How a proportion's value, variance and interval belong together. Arrays (m,)."""

    def variance(self, values: Floats, trials: Floats) -> Floats:
        """Of values if the trials are independent; `trials` as in Proportions."""
        ...

    def ends(self, values: Floats, trials: Floats, quantile: float) -> Ends: ...


class Share:
    """trials (m,): the whole."""

    def variance(self, values: Floats, trials: Floats) -> Floats:
        return values * (1 - values) / np.maximum(trials, 1e-9)

    def ends(self, values: Floats, trials: Floats, quantile: float) -> Ends:
        return wilson(values, trials, quantile)


class F1:
    """trials (m,): hits, wrong and missed rows, what the Jaccard index is a share of."""

    def variance(self, values: Floats, trials: Floats) -> Floats:
        """By the delta method: dF/dJ = (2 - F)² / 2."""
        jaccard = values / (2 - values)
        return Share().variance(jaccard, trials) * ((2 - values) ** 2 / 2) ** 2

    def ends(self, values: Floats, trials: Floats, quantile: float) -> Ends:
        low, high = wilson(values / (2 - values), trials, quantile)
        return 2 * low / (1 + low), 2 * high / (1 + high)


class Area:
    """trials (2, m): rows of the label, and other rows."""

    def variance(self, values: Floats, trials: Floats) -> Floats:
        positives, negatives = np.maximum(trials, 1e-9)
        half = np.maximum((positives + negatives) / 2 - 1, 0.0)
        spread = 1 + half * (1 - values) / (2 - values) + half * values / (1 + values)
        return np.asarray(values * (1 - values) * spread / (positives * negatives))

    def ends(self, values: Floats, trials: Floats, quantile: float) -> Ends:
        """The areas that lie `quantile` of their own standard errors from the value, found by halving."""

        def far(areas: Floats) -> Floats:
            return (areas - values) ** 2 - quantile**2 * self.variance(areas, trials)

        found = []
        for outer in (np.zeros_like(values), np.ones_like(values)):
            inside, outside = values.copy(), outer.copy()
            for _ in range(_STEPS):
                middle = (inside + outside) / 2
                beyond = far(middle) > 0
                inside, outside = np.where(beyond, inside, middle), np.where(beyond, middle, outside)
            found.append(outside)
        return found[0], found[1]


SHARE, F1_SCORE, AREA = Share(), F1(), Area()


def wilson(share: Floats, trials: Floats, quantile: float) -> Ends:
    """Ends (m,) of shares of so many trials, not always whole numbers; of none they are 0 and 1."""
    trials = np.maximum(trials, 1e-9)
    centre = share + quantile**2 / (2 * trials)
    reach = quantile * np.sqrt(share * (1 - share) / trials + quantile**2 / (4 * trials**2))
    whole = 1 + quantile**2 / trials
    low, high = (centre - reach) / whole, (centre + reach) / whole
    return np.where(share <= 0, 0.0, np.maximum(low, 0.0)), np.where(share >= 1, 1.0, np.minimum(high, 1.0))


@dataclass(frozen=True)
class Proportions:
    """m proportions of one form. values (m,); trials (m,), of areas (2, m).

    `by_row`: a trial is one row, so without groups and with one seed they are independent, whatever the
    replicates say. `shared`: by what an error that nobody has seen yet would widen a mean of perfect values,
    because it counts against two labels: as variance; 1 where it does not.
    """

    values: Floats
    trials: Floats
    form: Form = SHARE
    by_row: bool = False
    shared: float = 1.0

    def averaged(self, others: list[Proportions]) -> Proportions:
        """The mean over this seed and others."""
        each = [self, *others]
        return replace(
            self,
            values=np.mean([one.values for one in each], axis=0),
            trials=np.mean([one.trials for one in each], axis=0),
        )

    def variance(self) -> Floats:
        return self.form.variance(self.values, self.trials)

    def ends(self, ratio: Floats | float, quantile: float) -> Ends:
        """`ratio`: by how much the variance exceeds that of independent trials, (m,) or one for all."""
        return self.form.ends(self.values, self.trials / ratio, quantile)

    def mean_ends(
        self, value: float, weights: Floats, spread: float, lowest: float, quantile: float
    ) -> tuple[float, float]:
        """Ends of their mean, `value`, with `weights` (m,), of variance `spread`; ratio at least `lowest`."""
        used = weights > 0
        weights, own = weights[used], replace(self, values=self.values[used], trials=self.trials[..., used])
        independent = float(weights**2 @ own.variance())
        spread *= own.lost_degrees()
        ratio = max(spread / independent, lowest) if independent > 0 else max(lowest, own.unseen(weights))
        down, up = (np.sqrt(weights**2 @ (end - own.values) ** 2) for end in own.ends(ratio, quantile))
        return max(value - float(down), 0.0), min(value + float(up), 1.0)

    def lost_degrees(self) -> float:
        """T / (T - m), of T trials in all: replicates around m own values spread too little by it."""
        rows = float(np.atleast_2d(self.trials)[0].sum())
        return rows / (rows - len(self.values)) if rows > len(self.values) else 1.0

    def unseen(self, weights: Floats) -> float:
        """The ratio where nobody has seen an error: near 1 a distance grows with it, not with its root."""
        return float(np.sqrt(self.shared)) if len(weights) > 1 else 1.0

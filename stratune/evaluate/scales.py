"""Metrics that are no proportions: each on the scale where its replicates are nearly normal.

value ± t * standard error on that scale, by the delta method, and back: a mean absolute error stays above 0,
a correlation below 1, and the longer side is the right one. The standard error is that of the replicates; t
is Student's, with as many degrees as there are rows (or groups) less one. Over 300 simulations this covered
better than BCa in small parts (docs/statistics.md).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from stratune.evaluate.arrays import Floats


@dataclass(frozen=True)
class Scale:
    """`to` a scale without ends and `back`; `slope`: of `to`, at a value between `least` and `most`."""

    to: Callable[[float], float]
    back: Callable[[float], float]
    slope: Callable[[float], float]
    least: float
    most: float

    def has(self, value: float) -> bool:
        """Whether a value lies inside; at its ends it has no place on the scale."""
        return self.least < value < self.most

    def ends(self, value: float, error: float, quantile: float) -> tuple[float, float]:
        """Of a value inside, with its standard error."""
        middle, reach = self.to(value), quantile * error * self.slope(value)
        with np.errstate(over="ignore"):  # a reach that leaves the range of floats ends at infinity
            low, high = float(self.back(middle - reach)), float(self.back(middle + reach))
        return min(low, high), max(low, high)


_ERROR = Scale(np.log, np.exp, lambda value: 1 / value, 0.0, np.inf)
_CORRELATION = Scale(np.arctanh, np.tanh, lambda value: 1 / (1 - value**2), -1.0, 1.0)  # Fisher 1921
_BELOW_ONE = Scale(
    lambda value: float(np.log1p(-value)),
    lambda logs: float(-np.expm1(logs)),
    lambda value: 1 / (1 - value),
    -np.inf,
    1.0,
)

ERRORS = ("mae", "rmse", "mae_levels", "log_loss", "cross_entropy")
KAPPAS = ("kappa", "fleiss", "cohen", "cohen_weighted")
CORRELATIONS = ("pearson", "spearman", "entropy_correlation", "mcc", "qwk", *KAPPAS, "icc1", "icc2", "icc3")
SCALES = {
    **dict.fromkeys(ERRORS, _ERROR),
    **dict.fromkeys(CORRELATIONS, _CORRELATION),
    **dict.fromkeys(("r2", "alpha", "icc1k", "icc2k", "icc3k"), _BELOW_ONE),
}
SHARES = ("accuracy",)  # shares also where a scorer does not tell of how many trials: of pairs of ratings


def scale_of(name: str) -> Scale | None:
    """Of a metric, or of one of a family: `kappa[yes]` has that of `kappa`. None: nobody knows it."""
    return SCALES.get(name.partition("[")[0])


def student(outside: npt.ArrayLike, degrees: npt.ArrayLike) -> Floats:
    """Student's quantiles: beyond ± them lies `outside`. Of less than one degree that of one.

    scipy.stats has it too, and takes a second to import.
    """
    from scipy.special import stdtrit

    return np.asarray(-stdtrit(np.maximum(degrees, 1), np.asarray(outside) / 2))


NORMAL = NormalDist().inv_cdf(0.975)  # for 95 %, where rows are many


def bca(value: float, drawn: Floats, acceleration: float, level: float) -> tuple[float, float]:
    """Bias-corrected and accelerated ends of replicates (R,) without NaN (Efron 1987)."""
    from scipy.special import ndtr, ndtri

    below = ((drawn < value).mean() + (drawn <= value).mean()) / 2
    if below in (0.0, 1.0):  # every replicate lies on one side: there is nothing to correct by
        low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
        return float(low), float(high)
    bias = ndtri(below)
    normal = bias + ndtri(np.array([(1 - level) / 2, (1 + level) / 2]))
    low, high = np.quantile(drawn, ndtr(bias + normal / (1 - acceleration * normal)))
    return float(low), float(high)


def acceleration(left_out: npt.NDArray[np.float64]) -> float:
    """Of values with one block of rows left out (B,): a sixth of the skewness of what a row adds."""
    left_out = left_out[~np.isnan(left_out)]
    away = left_out.sum() / max(len(left_out), 1) - left_out
    spread = float((away**2).sum())
    return float((away**3).sum()) / (6 * spread**1.5) if spread > 0 else 0.0

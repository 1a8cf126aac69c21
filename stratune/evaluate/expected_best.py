"""Expected best of n trials, from the values of more: what a smaller budget would have found.

Dodge, Gururangan, Card, Schwartz & Smith (2019), "Show Your Work", take n draws with replacement from the N
values that were found. With F their distribution function and v_1 <= ... <= v_N in order,

    E[best of n] = sum_i v_i (F(v_i)^n - F(v_(i-1))^n) = sum_i v_i ((i/N)^n - ((i-1)/N)^n)

(of equal values the terms between them cancel). Tang et al. (2020), "Showing Your Work Doesn't Always Work":
this is too low on average, as the same value may be drawn twice; of draws without replacement the expectation
is unbiased,

    E[best of n] = sum_i v_i C(i-1, n-1) / C(N, n),   1 <= n <= N.

Both hold for trials that are drawn independently of each other: for random search, not for one that learns.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from stratune.evaluate.arrays import Floats


def expected_best(
    values: Sequence[float], *, higher_is_better: bool = True, replacement: bool = False
) -> Floats:
    """(N,) at n - 1 the expected best of n = 1, ..., N of the N `values`. Raises ValueError without values.

    The last one without replacement is the best there is; the first one, either way, the mean.
    """
    if len(values) == 0:
        raise ValueError("of no values none is the best")
    count, sign = len(values), 1.0 if higher_is_better else -1.0
    ordered = np.sort(sign * np.asarray(values, dtype=np.float64))  # (N,), the best last
    chances = _with_replacement if replacement else _without_replacement
    return np.array([sign * float(chances(count, n) @ ordered) for n in range(1, count + 1)])


def _with_replacement(count: int, n: int) -> Floats:
    """(N,) the probability that the i-th in order is the best of n."""
    below = (np.arange(count + 1) / count) ** n  # (N + 1,)
    return np.asarray(np.diff(below))


def _without_replacement(count: int, n: int) -> Floats:
    """(N,) that probability, n/N of the last and C(i-1, n-1) / C(i, n-1) = (i-n+1) / i from one to the next:
    of thousands of trials no binomial overflows.
    """
    i = np.arange(count - 1, 0, -1)
    falling = np.cumprod(np.maximum(i - n + 1, 0) / i)
    return np.asarray(n / count * np.concatenate([[1.0], falling])[::-1])

"""The power law: the least squares of scipy, a planted curve found again, intervals that cover."""

import numpy as np
import pytest
from scipy.optimize import curve_fit, nnls

from stratune.evaluate.learning_curve import curve
from stratune.evaluate.power_law import RATES, fit

SIZES = np.array([50.0, 100, 200, 400, 800])


def law(n, a, b, c):
    return a + b * n**-c


@pytest.mark.parametrize("planted", [(0.1, 2.0, 0.5), (0.0, 0.9, 0.2), (0.3, 5.0, 0.9)])
def test_an_exact_curve_is_found_again(planted):
    found = fit(SIZES, law(SIZES, *planted)[None], np.ones(5))
    b = found.b[0] * found.unit ** found.c[0]
    assert (found.a[0], b, found.c[0]) == pytest.approx(planted, rel=0.02, abs=5e-3)
    assert found.at(np.array([1600.0]))[0, 0] == pytest.approx(law(1600.0, *planted), rel=1e-3)


def test_noisy_curves_are_fitted_as_scipy_fits_them():
    """curve_fit with bounds, from several starts, never loses a thousandth less than the grid of rates."""
    draws = np.random.default_rng(1)
    weights = draws.uniform(0.5, 2, 5)
    errors = law(SIZES, 0.12, 1.5, 0.4) + 0.02 * draws.normal(size=(20, 5))
    ours = fit(SIZES, errors, weights)
    lost = ((ours.at(SIZES) - errors) ** 2) @ weights
    for mine, error in zip(lost, errors, strict=True):
        best = np.inf
        for c in (0.1, 0.5, 0.9):
            bounds = ([0, 0, RATES[0]], [1, 100, 1])
            made, _ = curve_fit(law, SIZES, error, (0.1, 1.0, c), weights**-0.5, bounds=bounds, maxfev=5000)
            best = min(best, float(((law(SIZES, *made) - error) ** 2) @ weights))
        assert mine <= best * 1.001 + 1e-9


def test_what_would_be_below_zero_is_zero():
    """For the rate that was chosen, the two others are those of non-negative least squares."""
    rising, steep = np.array([0.2, 0.25, 0.3, 0.35, 0.4]), 0.9 * (SIZES / 50) ** -1.6
    found = fit(SIZES, np.stack([rising, steep]), np.ones(5))
    assert found.b[0] == 0 and found.a[0] == pytest.approx(rising.mean())
    assert found.a[1] == 0 and found.c[1] == 1
    for k, errors in enumerate((rising, steep)):
        design = np.stack([np.ones(5), (SIZES / found.unit) ** -found.c[k]], axis=1)
        assert [found.a[k], found.b[k]] == pytest.approx(nnls(design, errors)[0], abs=1e-9)


def test_two_sizes_are_too_few():
    with pytest.raises(ValueError, match="2 sizes, and a curve has 3 unknowns"):
        fit(SIZES[:2], np.ones((1, 2)), np.ones(2))


def trial(seed, draws=1, spread=0.0, sizes=SIZES, rows=400):
    """A planted curve, measured on `rows` test rows that all sizes share: easy ones and hard ones.

    Returns whether the intervals of the error at twice the largest size, and of the gain, hold the truth.
    """
    draw = np.random.default_rng(seed)
    planted = draw.uniform(0.05, 0.2), draw.uniform(0.5, 2.0), draw.uniform(0.3, 0.8)
    hardness = draw.random(rows)
    weights = draw.multinomial(rows, np.full(rows, 1 / rows), size=400) / rows
    wrong = np.empty((draws, len(sizes), rows))
    for s in range(draws):
        for i, n in enumerate(sizes):
            error = np.clip(law(n, *planted) + spread * draw.normal() * (n / 50) ** -0.5, 0.01, 0.99)
            answer = 0.7 * hardness + 0.3 * draw.random(rows)
            wrong[s, i] = answer < quantile(error)
    until = 2 * sizes[-1]
    found = curve(sizes, wrong.mean(axis=2), wrong @ weights.T, np.array([until]), rows)
    there, gain = law(until, *planted), law(sizes[-1], *planted) - law(until, *planted)
    holds = [one.low <= truth <= one.high for one, truth in ((found.errors[0], there), (found.gain, gain))]
    assert found.gain.low <= found.gain.value <= found.gain.high
    return holds


def quantile(share):
    """Of 0.7 U + 0.3 V, both uniform on [0, 1]: a trapezoid."""
    grid = np.linspace(0, 1, 2001)
    density = np.clip(np.minimum(grid, 1 - grid) / 0.3, 0, 1)
    total = np.cumsum(density) / density.sum()
    return np.interp(share, total, grid)


@pytest.mark.parametrize(
    ("draws", "spread", "sizes"),
    [(1, 0.0, SIZES), (1, 0.0, SIZES[1::2]), (3, 0.03, SIZES), (5, 0.03, SIZES[::2])],
    ids=["test rows alone", "few sizes", "three draws", "five draws"],
)
def test_intervals_hold_the_truth_in_ninety_of_a_hundred(draws, spread, sizes):
    sizes = sizes if len(sizes) > 2 else np.array([100.0, 300, 800])
    held = np.array([trial(seed, draws, spread, sizes) for seed in range(100)])
    assert (held.sum(axis=0) >= 90).all(), held.sum(axis=0)


def test_fewer_test_rows_have_wider_intervals():
    def width(rows):
        draw = np.random.default_rng(0)
        wrong = (draw.random(rows) < law(SIZES, 0.1, 1.5, 0.5)[:, None]).astype(float)
        weights = draw.multinomial(rows, np.full(rows, 1 / rows), size=400) / rows
        found = curve(SIZES, wrong.mean(axis=1)[None], (wrong @ weights.T)[None], np.array([1600.0]), rows)
        return found.errors[0].high - found.errors[0].low

    assert width(100) > 1.5 * width(1600)


def test_what_is_undefined_in_every_resample_has_no_curve():
    with pytest.raises(ValueError, match="no resample has all errors"):
        curve(SIZES, np.ones((1, 5)), np.full((1, 5, 9), np.nan), np.array([1600.0]), 50)

"""The probability that all labels' words have together, of whatever a language model might say next."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

LEAST_MASS = 0.1  # with less in the median row, something else is far likelier than any label


def median_mass(mass: NDArray[np.float64] | None) -> float | None:
    """Of the rows (N,) whose mass is known (not NaN); None where it is known of none."""
    known = mass[~np.isnan(mass)] if mass is not None else ()
    return float(np.median(known)) if len(known) else None

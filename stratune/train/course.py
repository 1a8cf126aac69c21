"""Course: how often training rows are read, and how many of them make a step, where the user does not say.

Four passes over 48 rows are eight steps: nothing is learned in them. So few rows are read more often, and
in smaller steps first, which costs nothing. What is said explicitly is done to the letter.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stratune.train.settings import Budget, Recipe

EPOCHS = 4.0
LEAST_STEPS = 120
LEAST_BATCH = 8  # rows of a step: below it a gradient is mostly noise


@dataclass(frozen=True)
class Course:
    """`every`: epochs from one evaluation to the next, so that few rows are not asked more often."""

    epochs: float
    batch_size: int
    every: int = 1
    note: str | None = None  # for the user, where it is not the usual course


def course_of(rows: int, budget: Budget, recipe: Recipe) -> Course:
    """Of a training on so many rows."""
    given = recipe.epochs or budget.epochs
    if given is not None:
        return Course(given, recipe.batch_size)
    seen = EPOCHS * rows  # rows in all passes
    if seen >= LEAST_STEPS * recipe.batch_size:
        return Course(EPOCHS, recipe.batch_size)
    batch = min(recipe.batch_size, max(LEAST_BATCH, int(seen // LEAST_STEPS)))
    epochs = max(EPOCHS, float(math.ceil(LEAST_STEPS * batch / max(1, rows))))
    note = f"{rows} training rows are read {epochs:g} times, {batch} in a step, to make {LEAST_STEPS} steps"
    note += " (`--epochs` sets how often)"
    return Course(epochs, batch, max(1, round(epochs / EPOCHS)), note)

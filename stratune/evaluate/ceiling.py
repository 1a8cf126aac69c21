"""What one rater reaches against the others, the human ceiling, and what a model reaches beside it.

Rows are held against

- "all": what all raters of the row agree on: the mean of their ratings; of labels the one that most gave;
- "others": the same without the one rater whose turn it is. Only this is like for like: the mean of four is a
  noisier yardstick than the mean of five, and a rater cannot be held against a mean that includes him;
- "one": one rater at a time.

Identified raters are scored one by one and averaged, so that a lenient one shows as an error of his own; else
see pairs.py.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from stratune.evaluate.arrays import Flags, Floats, Predictions
from stratune.evaluate.intervals import Interval, bootstrap
from stratune.evaluate.raters import Raters

Measures = dict[str, Interval]


def human_ceiling(
    raters: Raters, *, groups: npt.NDArray[Any] | None = None, resamples: int = 2000, seed: int = 0
) -> Measures:
    """One rater against the mean, or majority, of the others. Rows with one rating are left out; {} when
    all are.
    """
    scorer = raters.scorer("others", None)
    if scorer is None:
        return {}
    return bootstrap([scorer], len(raters.ratings), groups=groups, resamples=resamples, seed=seed)


def with_people(
    predictions: Predictions,
    raters: Raters,
    *,
    invalid: Flags | None = None,
    groups: npt.NDArray[Any] | None = None,
    resamples: int = 2000,
    seed: int = 0,
) -> dict[str, Measures]:
    """A model over S seeds against "all", "others" and "one", and each identified rater as "rater 1", ...

    predictions (S, N) or (N,): numbers, or label positions. `invalid`, of the same shape: no answer; of
    numbers it counts as the mean of the ratings, of labels it is wrong.
    """
    answers: Floats = np.atleast_2d(np.asarray(predictions, dtype=np.float64))
    unanswered = np.zeros(answers.shape, dtype=bool) if invalid is None else np.atleast_2d(invalid)
    answers = np.where(unanswered, raters.no_answer, answers)
    found = {}
    for target in raters.targets():
        scorers = [raters.scorer(target, one) for one in answers]
        if whole := [scorer for scorer in scorers if scorer is not None]:
            found[target] = bootstrap(
                whole, len(raters.ratings), groups=groups, resamples=resamples, seed=seed
            )
    return found

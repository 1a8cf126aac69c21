"""What the user should know of a prompted model's answers, where a number would be read for more."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from stratune.model.label_mass import LEAST_MASS, median_mass

if TYPE_CHECKING:
    from stratune.model.answers import Scored

SHOWN = 3  # reasons why rows are invalid


def remarks_on(answers: Scored) -> list[str]:
    """On the answers to the test part."""
    remarks, mass = [], median_mass(answers.mass)
    if mass is not None and mass < LEAST_MASS:
        why = "the model would rather say something else, and its scores are of the rest, scaled to 1"
        had = f"all labels' words together had {mass:.2g} of the probability in the median row"
        remarks.append(f"{had}: {why}")
    reasons = Counter(why for why in answers.why or () if why)
    if reasons:
        shown = "; ".join(f"{count:,} x {why}" for why, count in reasons.most_common(SHOWN))
        more = len(reasons) - SHOWN
        others = f"; and {more:,} other reasons (invalid_reason in predictions.parquet)" if more > 0 else ""
        remarks.append(f"{sum(reasons.values()):,} test rows have no valid answer: {shown}{others}")
    if answers.certain:
        remarks.append("its answers are 1 and 0: metrics of probabilities (log loss, areas) are not shown")
    return remarks

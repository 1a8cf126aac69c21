"""Selection: the metric that decides, which way is better, and what happens where it is undefined.

Whatever is chosen (an epoch, a prompt, how chunks are joined, the members of an ensemble, a seed, a rank) is
chosen here, so that all of it agrees. A metric that is undefined (a correlation with answers that are all
the same, an area under a curve with one class) is not in a dict of metrics, and stands below every number.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

Values = Mapping[str, float]  # metric name -> value
T = TypeVar("T")


@dataclass(frozen=True)
class Selection:
    """Choices by one metric. Of equals the first is taken."""

    metric: str
    higher_is_better: bool = True

    @property
    def sign(self) -> float:
        """A value times this: higher is better."""
        return 1.0 if self.higher_is_better else -1.0

    def value(self, values: Values) -> float | None:
        """The metric as people read it; None where it is undefined."""
        found = values.get(self.metric)
        return None if found is None or math.isnan(found) else found

    def score(self, values: Values) -> float:
        """What to sort by: higher is better, and minus infinity where the metric is undefined."""
        found = self.value(values)
        return -math.inf if found is None else self.sign * found

    def best(self, items: Iterable[T], values: Callable[[T], Values]) -> T:
        """The item whose `values` are best. Raises ValueError where there is no item."""
        return max(items, key=lambda item: self.score(values(item)))

    def ordered(self, items: Iterable[T], values: Callable[[T], Values]) -> list[T]:
        """Best first, undefined last; equals as they came."""
        return sorted(items, key=lambda item: self.score(values(item)), reverse=True)

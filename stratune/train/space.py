"""Space: which values of an option are worth a trial, declared by a technique beside its defaults.

    space: ClassVar[Space] = {"rank": Choice(4, 8, 16, 32), "dropout": Choice(0.0, 0.05, 0.1)}

A strategy's own value is always its first trial (sampler.py). `Scale` and `Times` are relative to it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    from numpy.random import Generator

Settings = dict[str, Any]  # option -> value, JSON types; `readout.dropout` is an option of the readout


T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Described(Protocol[T_co]):
    """What is made of a dimension, by its kind."""

    def listed(self, values: list[Any]) -> T_co:
        """Each once."""

    def between(self, low: float, high: float) -> T_co:
        """Numbers of three digits, by their logarithm."""


class Dimension(Protocol):
    relative: bool  # whether values are made of the strategy's own

    def draw(self, own: Any, generator: Generator) -> Any:
        """A value of the option, where the strategy's own is `own`."""

    def described(self, own: Any, by: Described[T]) -> T:
        """All that `draw` may give."""

    def is_open(self, own: Any) -> bool:
        """Whether there is a choice at all."""


Space = Mapping[str, Dimension]


class Choice:
    """One of these values, each as likely."""

    relative = False

    def __init__(self, *values: Any) -> None:
        self.values = values

    def draw(self, own: Any, generator: Generator) -> Any:
        return plain(self.values[int(generator.integers(len(self.values)))])

    def described(self, own: Any, by: Described[T]) -> T:
        return by.listed(_distinct(plain(value) for value in self.values))

    def is_open(self, own: Any) -> bool:
        return any(plain(value) != plain(own) for value in self.values)


@dataclass(frozen=True)
class Scale:
    """The own value times a factor from `low` to `high`, uniform in its logarithm; three digits of it."""

    low: float
    high: float
    relative = True

    def draw(self, own: Any, generator: Generator) -> Any:
        if own is None:
            return None
        return three_digits(own * math.exp(generator.uniform(math.log(self.low), math.log(self.high))))

    def described(self, own: Any, by: Described[T]) -> T:
        return by.between(own * self.low, own * self.high)

    def is_open(self, own: Any) -> bool:
        return bool(own)


class Times:
    """The own whole number times one of these factors, 1 at least."""

    relative = True

    def __init__(self, *factors: float) -> None:
        self.factors = factors

    def draw(self, own: Any, generator: Generator) -> Any:
        factor = self.factors[int(generator.integers(len(self.factors)))]
        return self._times(own, factor)

    def described(self, own: Any, by: Described[T]) -> T:
        return by.listed(_distinct(self._times(own, factor) for factor in self.factors))

    def _times(self, own: Any, factor: float) -> Any:
        return max(1, round(own * factor)) if own else own

    def is_open(self, own: Any) -> bool:
        return bool(own)


def three_digits(number: float) -> float:
    return float(f"{number:.3g}")


def _distinct(values: Iterable[Any]) -> list[Any]:
    """Which cannot all be hashed."""
    found: list[Any] = []
    for value in values:
        if value not in found:
            found.append(value)
    return found


def plain(value: Any) -> Any:
    """As JSON reads it back: lists for tuples."""
    return json.loads(json.dumps(value))

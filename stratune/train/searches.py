"""Searches: how the trials of a budget are found, by the name in `budget.search`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from stratune.evaluate.selection import Selection
from stratune.train.orders import Halving, OneByOne, Order
from stratune.train.sampler import RandomSearch
from stratune.train.space import Settings, Space
from stratune.train.tpe import Tpe
from stratune.train.trial import Trial


@dataclass(frozen=True)
class Asked:
    """What trials are wanted."""

    space: Space
    own: Settings  # of the options in `space`
    seed: int
    name: str  # the strategy's
    trials: int  # at most
    seconds: float | None  # after which none is begun; None: as many as there are
    selection: Selection
    loss: str  # the metric that orders what is equal by the selection's

    @property
    def draws(self) -> RandomSearch:
        return RandomSearch(self.space, self.own, self.seed, self.name)


def random(asked: Asked) -> Order:
    return OneByOne(asked.draws, asked.trials, asked.selection, asked.seconds)


def tpe(asked: Asked) -> Order:
    sampler = Tpe(asked.space, asked.own, asked.seed, asked.name, asked.selection)
    return OneByOne(sampler, asked.trials, asked.selection, asked.seconds)


def halving(asked: Asked) -> Order:
    """The settings of `random`, drawn all at once: none of them depends on a validation."""
    drawn = list[Trial]()
    while len(drawn) < asked.trials and (settings := asked.draws.ask(drawn)) is not None:
        drawn.append(Trial(settings, {}, len(drawn)))
    return Halving([trial.settings for trial in drawn], asked.selection, asked.loss)


SEARCHES: dict[str, Callable[[Asked], Order]] = {"random": random, "halving": halving, "tpe": tpe}

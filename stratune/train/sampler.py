"""Samplers: which settings the next trial gets.

    settings = sampler.ask(history)     # None: there is nothing new to try

A sampler keeps no state: what it gives is a function of the trials so far, so that a run that was killed goes
on with the same ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from stratune.files import sha256
from stratune.train.space import Settings, Space
from stratune.train.trial import Trial

REDRAWS = 100  # of settings that were tried already, before a space counts as used up


class Sampler(Protocol):
    def ask(self, history: Sequence[Trial]) -> Settings | None:
        """Settings that no trial of the history had; None: no others were found."""


@dataclass(frozen=True)
class RandomSearch:
    """Independent draws (Bergstra & Bengio, 2012), each from (seed, strategy's name, number of the trial).

    `own`: the strategy's own settings of the options in `space`, which are the first trial.
    """

    space: Space
    own: Settings
    seed: int
    name: str

    def ask(self, history: Sequence[Trial]) -> Settings | None:
        if not history:
            return dict(self.own)
        generator = np.random.default_rng(seeds_of(self.seed, self.name, len(history)))
        tried = [trial.settings for trial in history]
        for _ in range(REDRAWS):
            drawn = {option: one.draw(self.own[option], generator) for option, one in self.space.items()}
            if drawn not in tried:
                return drawn
        return None


def seeds_of(seed: int, name: str, number: int) -> np.random.SeedSequence:
    """Of one trial of one strategy."""
    return np.random.SeedSequence([seed, int(sha256(name)[:16], 16), number])

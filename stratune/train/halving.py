"""Successive halving: all trials train for a share of the steps, and the best of them go on.

Karnin et al., 2013; Jamieson & Talwalkar, 2016; as the rungs of one bracket of Hyperband: Li et al., 2018.
A trial that goes on does so from its checkpoint: its learning rates are at every step those of a whole
training, and what it had done is not done again.

Rungs of N trials, with eta = 3:

    n_0 = N,  n_k = ceil(n_(k-1) / eta),  until one is left                      trials on rung k
    c   = 1 / (1/n_0 + 1/n_1 + ... + 1/n_K)                                      steps of a rung, all trials
    r_k = c (1/n_0 + ... + 1/n_k),  so r_K = 1                                   share of the steps at its end

so that every rung has the same steps, c of a whole training, and all together (K + 1) c. r_0 is `LEAST` at
least: then c is that of the rungs above it, (1 - r_0) / (1/n_1 + ... + 1/n_K), and the sum N r_0 + K c.

    N    n             r                      whole trainings
    2    2 1           0.333 1                1.33
    4    4 2 1         0.143 0.429 1          1.71
    8    8 3 1         0.086 0.314 1          2.06
    16   16 6 2 1      0.083 0.175 0.450 1    2.98
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")

ETA = 3  # Li et al. recommend 3 or 4: eta has little to do with the outcome
# Learning rates rise over the first tenth of the steps (Recipe.warmup): what is measured long before its end
# says little of a rate.
LEAST = 1 / 12


@dataclass(frozen=True)
class Rung:
    share: float  # of a whole training's steps, at the end of the rung
    trials: int  # that train up to there


@dataclass(frozen=True)
class Part:
    """How far a training goes in one call: up to the share `until` of its steps. At each of the shares in
    `rungs` it is evaluated and saved, wherever it ends, so that the numbers do not depend on the calls.
    """

    until: float = 1.0
    rungs: tuple[float, ...] = ()


WHOLE = Part()


def rungs_of(trials: int) -> tuple[Rung, ...]:
    """See above; of one trial a whole training."""
    counts = [trials]
    while counts[-1] > 1:
        counts.append(math.ceil(counts[-1] / ETA))
    inverse = [1 / count for count in counts]
    first = max(inverse[0] / sum(inverse), LEAST)
    if len(counts) == 1:
        return (Rung(1.0, trials),)
    steps = (1 - first) / sum(inverse[1:])
    shares = [first + steps * sum(inverse[1 : k + 1]) for k in range(len(counts))]
    return tuple(Rung(share, count) for share, count in zip([*shares[:-1], 1.0], counts, strict=True))


def whole_trainings(rungs: Sequence[Rung]) -> float:
    """Steps of all trials, in those of a whole training."""
    before = [0.0, *(rung.share for rung in rungs)]
    return sum(rung.trials * (rung.share - start) for rung, start in zip(rungs, before, strict=False))


def going_on(ordered: Sequence[T], places: int, is_default: Callable[[T], bool]) -> list[T]:
    """Those of a rung, best first, that train on the next one, which has so many places.

    The default settings have one of them on every rung but the last: they are what the others are compared
    with, and settings that learn slowly at first are not all dropped early.
    """
    kept, others = list(ordered[:places]), ordered[places:]
    default = next((one for one in others if is_default(one)), None)
    if default is not None and places > 1:
        kept[-1] = default
    return kept

"""Replicates: every metric of one strategy on many resamples of the same rows.

Another test set would hold other rows, so a resample draws rows with replacement; rows that share a group (an
author, a film) are drawn together, for they are not independent (Efron 1979). The same seed and N draw the
same rows for every strategy: replicate r of two strategies was measured on the same rows, so their difference
is a replicate of the difference.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from stratune.evaluate.arrays import Flags, Floats
from stratune.evaluate.scales import SHARES, acceleration, scale_of
from stratune.evaluate.scoring import Scorer, Tally, tally_of

BLOCKS = 200  # that are left out one by one, for the acceleration of metrics whose scale nobody knows
RESAMPLES = 2000
_BLOCK_BYTES = 2_000_000  # of row counts at a time: a block and what is computed from it should stay in cache


@dataclass(frozen=True)
class Replicates:
    """By metric: `points` (S,), of S seeds on the rows as they are, and `drawn` (S, R), on R resamples.

    What is undefined is NaN. `units` is how many things were drawn from: rows, or their groups. For
    intervals: `tallies` (S) has which metrics are proportions, and `skewed` BCa's acceleration of those that
    are neither that nor have a known scale (scales.py).
    """

    points: dict[str, Floats]
    drawn: dict[str, Floats]
    units: int
    grouped: bool = False
    tallies: tuple[Tally, ...] = ()
    skewed: dict[str, float] = field(default_factory=dict)

    def only(self, names: Iterable[str]) -> Replicates:
        """Of these metrics, as far as there are replicates of them."""
        kept = [name for name in names if name in self.points]
        return replace(
            self,
            points={name: self.points[name] for name in kept},
            drawn={name: self.drawn[name] for name in kept},
        )

    def value(self, metric: str) -> float:
        """The mean over seeds; NaN where one of them has none."""
        return float(self.points[metric].mean())

    def over_seeds(self, metric: str, seed: int = 0) -> Floats:
        """(R,) means over S seeds, which are drawn too: another comparison would train with others.

        Of few seeds a draw varies too little, by (S - 1) / S; so what it moves is enlarged by as much.
        """
        drawn = self.drawn[metric]
        count, resamples = drawn.shape
        mean = np.asarray(drawn.mean(axis=0))
        if count == 1:
            return mean
        mix = seed_draws(seed).multinomial(count, np.full(count, 1 / count), size=resamples) / count  # (R, S)
        moved = np.einsum("rs,sr->r", mix - 1 / count, drawn)
        return np.asarray(mean + np.sqrt(count / (count - 1)) * moved)


def replicates(
    scorers: Sequence[Scorer],
    rows: int,
    *,
    groups: npt.NDArray[Any] | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
    inside: Flags | None = None,
) -> Replicates:
    """Of the scorers of S seeds, which have scored the same N `rows`; `groups` (N,).

    `inside` (N,): the scorers have scored only these rows, while resamples are of all N: so replicate r of a
    slice and of the other rows come from one resample. Where it holds no row of the slice, it is NaN.
    """
    own = np.arange(rows) if inside is None else np.flatnonzero(inside)
    once = np.ones((len(own), 1))
    points = [scorer.values(once) for scorer in scorers]
    kept: dict[str, list[Floats]] = {name: [] for name in points[0]}
    for drawn in resampled(rows, resamples, row_draws(seed), groups=groups):
        weights = drawn if inside is None else drawn[own]
        empty = weights.sum(axis=0) == 0
        weights[:, empty] = 1.0
        by_run = [scorer.values(weights) for scorer in scorers]
        for name, blocks in kept.items():
            blocks.append(np.where(empty, np.nan, np.stack([values[name] for values in by_run])))
    groups = groups if groups is None else groups[own]
    rows = len(own)
    tallies = [tally for tally in map(tally_of, scorers) if tally is not None]
    return Replicates(
        {name: np.concatenate([point[name] for point in points]) for name in kept},
        {name: np.concatenate(blocks, axis=1) for name, blocks in kept.items()},
        rows if groups is None else len(np.unique(groups)),
        grouped=groups is not None,
        tallies=tuple(tallies) if len(tallies) == len(scorers) else (),
        skewed=_accelerations(scorers, rows, groups, _of_no_scale(kept, tallies)),
    )


def _of_no_scale(names: Iterable[str], tallies: Sequence[Tally]) -> list[str]:
    counted = {name for tally in tallies for name in _metrics_of(tally)}
    return [name for name in names if name not in counted and scale_of(name) is None and name not in SHARES]


def _metrics_of(tally: Tally) -> Iterator[str]:
    yield from (*tally.shares, *tally.like, *tally.means)
    yield from (f"{family}[{label}]" for family in tally.families for label in tally.labels)


def _accelerations(
    scorers: Sequence[Scorer], rows: int, groups: npt.NDArray[Any] | None, names: Sequence[str]
) -> dict[str, float]:
    """By metric, of the mean over seeds: blocks of rows, or of groups, are left out one by one."""
    if not names:
        return {}
    member = np.arange(rows) if groups is None else np.unique(groups, return_inverse=True)[1]
    block = member % BLOCKS
    weights = (block[:, None] != np.arange(min(BLOCKS, member.max() + 1))).astype(np.float64)  # (N, B)
    if weights.shape[1] < 2:
        return dict.fromkeys(names, 0.0)
    left_out = [scorer.values(weights) for scorer in scorers]
    return {name: acceleration(np.mean([values[name] for values in left_out], axis=0)) for name in names}


def row_draws(seed: int) -> np.random.Generator:
    """What draws the rows."""
    return np.random.Generator(np.random.SFC64([seed, 0]))


def seed_draws(seed: int) -> np.random.Generator:
    """What draws the seeds of the models."""
    return np.random.Generator(np.random.SFC64([seed, 1]))


def resampled(
    rows: int, resamples: int, draws: np.random.Generator, *, groups: npt.NDArray[Any] | None = None
) -> Iterator[Floats]:
    """How often each row is drawn: blocks (N, b), `resamples` weightings in all; whole groups when given."""
    member = None if groups is None else np.unique(groups, return_inverse=True)[1]
    units = rows if member is None else int(member.max()) + 1
    block = max(1, min(resamples, _BLOCK_BYTES // (8 * rows)))
    for start in range(0, resamples, block):
        width = min(block, resamples - start)
        drawn = draws.integers(0, units, size=(width, units), dtype=np.uint32)
        flat = (
            drawn + np.arange(0, width * units, units)[:, None]
        )  # (b, units): each resample in its own stretch
        counts = np.bincount(flat.ravel(), minlength=width * units).reshape(width, units)
        weights = counts.T.astype(np.float64, order="C")  # rows first: a row's b counts lie together
        yield weights if member is None else weights[member]

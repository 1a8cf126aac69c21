"""`pairs` of leaderboard.json: every two ranked rows on the same rows of a part, tested as a pair.

A difference is the first's metric less the second's, whichever way is better. `p_adjusted` is Holm's over all
pairs of that part and metric; whoever reads another family (all against one row) adjusts its p values alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

from stratune.evaluate.multiple import holm
from stratune.evaluate.paired import Measured, differences

Pair = dict[str, Any]
CLEAR = 0.05  # p of a difference, adjusted for all that are read with it, below which it is marked


def is_clear(pair: Mapping[str, Any] | None) -> bool:
    """Of a difference with its `p_adjusted`; None: there is none."""
    return pair is not None and pair["p_adjusted"] < CLEAR


def pairs_of(found: Sequence[Measured], metrics: Sequence[str]) -> list[Pair]:
    """Of rows in order of rank: `a` and `b` are ranks, `a` the better one."""
    ranks = list(combinations(range(len(found)), 2))
    pairs: list[Pair] = []
    for metric in metrics:
        known = differences([(found[a], found[b]) for a, b in ranks], metric)
        there = [(a, b, one) for (a, b), one in zip(ranks, known, strict=True) if one is not None]
        adjusted = holm([one.p for _, _, one in there])
        pairs += [
            {"a": a + 1, "b": b + 1, "metric": metric, **one.to_dict(), "p_adjusted": p}
            for (a, b, one), p in zip(there, adjusted, strict=True)
        ]
    return pairs


def between(pairs: Sequence[Pair], metric: str, first: int, second: int) -> Pair | None:
    """The difference of the row of rank `first` less that of rank `second`."""
    for pair in pairs:
        if pair["metric"] == metric and {pair["a"], pair["b"]} == {first, second}:
            return pair if pair["a"] == first else _turned(pair)
    return None


def against(pairs: Sequence[Pair], metric: str, rank: int) -> dict[int, Pair]:
    """Rank of every other row -> its difference from the row of `rank`, adjusted within this family."""
    others = {
        pair["a"] if pair["b"] == rank else pair["b"] for pair in pairs if rank in (pair["a"], pair["b"])
    }
    found = {other: between(pairs, metric, other, rank) for other in sorted(others)}
    known = {other: pair for other, pair in found.items() if pair is not None}
    adjusted = holm([pair["p"] for pair in known.values()])
    return {
        other: {**pair, "p_adjusted": p} for (other, pair), p in zip(known.items(), adjusted, strict=True)
    }


def _turned(pair: Pair) -> Pair:
    turned = {"difference": -pair["difference"], "low": -pair["high"], "high": -pair["low"]}
    return {**pair, **turned, "a": pair["b"], "b": pair["a"]}

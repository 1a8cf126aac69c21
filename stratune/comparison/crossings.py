"""Two strategies of which one is better with few training rows and the other one with many.

The order has to be clear at both ends, the smallest and the largest size that both were trained on. All these
differences are one family (Holm): of 100 families at most 5 hold a crossing that is none.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from typing import TYPE_CHECKING, Any

from stratune.evaluate.multiple import holm
from stratune.evaluate.paired import Difference, Measured, differences
from stratune.report.pairs import CLEAR

if TYPE_CHECKING:
    from stratune.evaluate.selection import Selection

Key = tuple[str, str | None]
Sizes = Mapping[int, Mapping[Key, Measured]]  # by rows, of each strategy


def crossings(sizes: Sizes, selection: Selection) -> list[dict[str, Any]]:
    """`a` is ahead at the smallest size, `b` at the largest; `after` is the last size at which a is ahead,
    `before` the next one. Differences are a less b.
    """
    rows = sorted(sizes)
    keys = list(dict.fromkeys(key for size in rows for key in sizes[size]))
    ends: dict[tuple[Key, Key], tuple[int, int]] = {}
    for a, b in combinations(keys, 2):
        both = [size for size in rows if a in sizes[size] and b in sizes[size]]
        if len(both) > 1:
            ends[a, b] = both[0], both[-1]
    known = _differences(sizes, ends, selection.metric)
    adjusted = dict(zip(known, holm([one.p for one in known.values()]), strict=True))
    found = []
    for pair, (small, large) in ends.items():
        few, many = known.get((*pair, small)), known.get((*pair, large))
        if few is None or many is None or few.difference * many.difference >= 0:
            continue
        p = adjusted[(*pair, small)], adjusted[(*pair, large)]
        if max(p) >= CLEAR:
            continue
        turned = selection.sign * few.difference < 0
        a, b = reversed(pair) if turned else pair
        after, before = _where(sizes, a, b, selection)
        found.append(
            {
                "a": _named(a),
                "b": _named(b),
                "small": {"rows": small, **_from(few, turned), "p_adjusted": p[0]},
                "large": {"rows": large, **_from(many, turned), "p_adjusted": p[1]},
                "after": after,
                "before": before,
            }
        )
    return found


def _differences(
    sizes: Sizes, ends: Mapping[tuple[Key, Key], tuple[int, int]], metric: str
) -> dict[tuple[Key, Key, int], Difference]:
    """Of every pair at its two ends, those of one size together."""
    known: dict[tuple[Key, Key, int], Difference] = {}
    for size, at in sizes.items():
        pairs = [pair for pair, both in ends.items() if size in both]
        made = differences([(at[a], at[b]) for a, b in pairs], metric)
        known |= {(*pair, size): one for pair, one in zip(pairs, made, strict=True) if one is not None}
    return known


def _where(sizes: Sizes, a: Key, b: Key, selection: Selection) -> tuple[int, int]:
    """The last size at which `a` is ahead, and the next one that both have."""
    both = [size for size in sorted(sizes) if a in sizes[size] and b in sizes[size]]
    ahead = [
        selection.sign
        * (sizes[n][a].replicates.value(selection.metric) - sizes[n][b].replicates.value(selection.metric))
        > 0
        for n in both
    ]
    last = max(i for i, is_ahead in enumerate(ahead) if is_ahead)
    return both[last], both[last + 1]


def _named(key: Key) -> dict[str, str | None]:
    return {"strategy": key[0], "backbone": key[1]}


def _from(one: Difference, turned: bool) -> dict[str, float]:
    """With the ends; `turned`: of the second less the first."""
    value, low, high = one.difference, one.low, one.high
    return {
        "difference": -value if turned else value,
        "low": -high if turned else low,
        "high": -low if turned else high,
    }

"""What a test part can show, before anything is trained."""

from __future__ import annotations

import math

NORMAL = 1.96  # of an interval of 95 %
# Rows that one of two models gets right and the other wrong, as a share of those if both were wrong
# independently of each other (benchmarks/disagreement.py; measured: docs/log.md). Near 1 where little is
# learnt.
SHARED = 0.5


def visible_difference(right: float, rows: int) -> float:
    """Half the width of the interval of a paired difference in accuracy: a smaller one may be none.

    `right`: the share of the `rows` that both models get right, about. A difference varies with the share of
    rows on which the two disagree (McNemar 1947).
    """
    disagreement = SHARED * 2 * right * (1 - right)
    return NORMAL * math.sqrt(disagreement / rows)


def visible_between(share: float, rows: int, others: int) -> float:
    """Half the width of the interval of the difference of a share between `rows` and `others`, which have no
    row in common: a smaller one may be none. `share`: of all of them.
    """
    return NORMAL * math.sqrt(share * (1 - share) * (1 / rows + 1 / others))

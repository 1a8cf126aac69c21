"""How long the texts are: percentiles that decide what fits into a model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Lengths:
    """Percentiles over all rows, in `unit`; `over_limit` counts rows longer than `limit`."""

    unit: str  # "words" or "tokens"
    median: int
    p90: int
    p95: int
    p99: int
    longest: int
    limit: int | None = None
    over_limit: int | None = None

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def measure(counts: Sequence[int], unit: str, limit: int | None = None) -> Lengths:
    """`counts`: one length for each row, at least one row."""
    lengths = np.asarray(counts)
    median, p90, p95, p99, longest = np.percentile(lengths, (50, 90, 95, 99, 100), method="higher").tolist()
    over = None if limit is None else int((lengths > limit).sum())
    return Lengths(unit, median, p90, p95, p99, longest, limit=limit, over_limit=over)

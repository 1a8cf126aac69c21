"""What a server takes on: the one place of these numbers and their defaults."""

from __future__ import annotations

import math
from dataclasses import dataclass

from stratune.errors import ConfigError


@dataclass(frozen=True)
class Limits:
    """Raises ConfigError for what no server could keep.

    `exact`: no request shares a forward pass with another, and a stream is answered 4,096 rows at a time, so
    that digits are those of `stratune predict` on the same rows.
    """

    most_bytes: int = 8 * 2**20  # of a body; of a stream, of one line
    most_rows: int = 1024  # of a request; a stream has no end
    queue: int = 4096  # rows that wait for a model
    wait_ms: float = 3.0  # for other requests, before a batch is answered that is not full
    batch_rows: int = 128  # answered in one call
    batch_tokens: int = 16_384  # likewise, as `tokens_about` counts
    exact: bool = False
    drain_seconds: float = 30.0  # for what is under way, after SIGTERM

    def __post_init__(self) -> None:
        for name in ("most_bytes", "most_rows", "queue", "batch_rows", "batch_tokens"):
            if getattr(self, name) < 1:
                raise ConfigError(f"{getattr(self, name)} is below 1", key=name)
        for name in ("wait_ms", "drain_seconds"):
            value = getattr(self, name)
            if not (math.isfinite(value) and 0 <= value <= 3_600_000):
                raise ConfigError(f"{value} is not from 0 to 3,600,000", key=name)
        if self.most_rows > self.queue:
            why = f"{self.most_rows} rows of a request never fit into a queue of {self.queue}"
            raise ConfigError(why, key="most_rows")

    @property
    def stream_rows(self) -> int:
        """Rows of a stream that are answered together: in memory at once, too."""
        return 4096 if self.exact else self.batch_rows


def tokens_about(text: str) -> int:
    """Tokens of a text, without a tokenizer: four bytes each, as in English. Only sizes batches by it."""
    return len(text) // 4 + 1

"""How a server is treated: requests at once, rate, patience, room for thoughts, texts in one request."""

from __future__ import annotations

from dataclasses import dataclass

from stratune.errors import ConfigError

LARGEST = {
    "workers": 256,
    "per_minute": 1_000_000,
    "timeout": 86_400,
    "longest": 86_400,
    "attempts": 1000,
    "thought": 1_000_000,
    "batch": 10_000,
}


@dataclass(frozen=True)
class RetryPolicy:
    """Parallel requests, rate limit, timeout and retries."""

    workers: int = 8  # requests under way at once
    per_minute: int | None = None  # requests started; None: no limit
    timeout: float = 60.0  # seconds without a byte from the server
    longest: float = 600.0  # seconds for one whole answer
    attempts: int = 6  # for each request
    thought: int = 2048  # tokens of room for a thought, where the model thinks before it answers
    batch: int = 64  # texts in one request for vectors; fewer where the server refuses so many
    batches: bool = False  # OpenAI's batch endpoint (batches.py), where there are requests enough for it
    pause: float = 1.0  # seconds before the second attempt; twice as long before each further one
    patience: float = 300.0  # seconds that a server may ask to wait (Retry-After)

    def __post_init__(self) -> None:
        for name in LARGEST:
            value = getattr(self, name)
            if value is not None and not 0 < value <= LARGEST[name]:
                least = "above 0" if value <= 0 else f"a number up to {LARGEST[name]:,}"
                raise ConfigError(f"{value} is not {least}", key=name)

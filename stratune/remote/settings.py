"""The section `remote` of a configuration: rate limit, retries and price."""

from __future__ import annotations

from dataclasses import dataclass

from stratune.errors import ConfigError
from stratune.options import check_values
from stratune.remote.server import RetryPolicy


@dataclass(frozen=True)
class Remote:
    """`price`: of a million prompt tokens and of a million answer tokens. Other fields: see RetryPolicy."""

    workers: int = 8  # requests under way at once
    per_minute: int | None = None  # requests started; None: no limit
    timeout: float = 60.0  # seconds without a byte from the server
    attempts: int = 6  # for each request that fails in a way that may pass
    price: tuple[float, float] | None = None  # of a million prompt tokens, and of a million answer tokens

    def __post_init__(self) -> None:
        self.retry_policy()
        check_values(self.price, "remote.price")
        if self.price is not None and (len(self.price) != 2 or min(self.price) < 0):
            why = f"{list(self.price)}: two prices from 0 up, of a million tokens of prompts and of answers"
            raise ConfigError(why, key="remote.price")

    def retry_policy(self) -> RetryPolicy:
        return RetryPolicy(self.workers, self.per_minute, self.timeout, self.attempts)

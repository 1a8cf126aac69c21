"""The section `remote` of a configuration: rate limit, retries and price."""

from __future__ import annotations

from dataclasses import dataclass

from stratune.errors import ConfigError
from stratune.options import check_values
from stratune.remote.server import RetryPolicy


@dataclass(frozen=True)
class Remote:
    """`price`: of a million prompt tokens and of a million answer tokens. Other fields: see RetryPolicy."""

    workers: int = 8
    per_minute: int | None = None
    timeout: float = 60.0
    attempts: int = 6
    price: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        self.retry_policy()
        check_values(self.price, "remote.price")
        if self.price is not None and (len(self.price) != 2 or min(self.price) < 0):
            why = f"{list(self.price)}: two prices from 0 up, of a million tokens of prompts and of answers"
            raise ConfigError(why, key="remote.price")

    def retry_policy(self) -> RetryPolicy:
        return RetryPolicy(self.workers, self.per_minute, self.timeout, self.attempts)

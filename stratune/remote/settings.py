"""The section `remote` of a configuration: rate limit, retries, price, and what goes into every request."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Literal

from stratune.errors import ConfigError, choices
from stratune.options import check_values
from stratune.remote.address import ELSEWHERE, SECRET
from stratune.remote.retry_policy import RetryPolicy
from stratune.remote.server import ASKED

# Fields of a request that stratune sets itself: another value would be passed over, or answered in a shape
# that is not read.
OWN = (
    *ASKED, "max_tokens", "max_completion_tokens", "temperature", "seed", "logprobs", "top_logprobs", "echo",
    "prompt_logprobs", "response_format", "structured_outputs", "guided_choice", "grammar", "n", "stream",
    "continue_final_message", "add_generation_prompt", "input", "dimensions",
)  # fmt: skip

ASKED_FOR = ("whole", "logprobs", "constrained")
MOST = 65_536  # numbers of a vector


@dataclass(frozen=True)
class Remote:
    """`price`: of a million prompt tokens and of a million answer tokens. Other fields: see RetryPolicy."""

    workers: int = RetryPolicy.workers  # requests under way at once
    per_minute: int | None = RetryPolicy.per_minute  # requests started; None: no limit
    timeout: float = RetryPolicy.timeout  # seconds without a byte from the server
    longest: float = RetryPolicy.longest  # seconds for one whole answer
    attempts: int = RetryPolicy.attempts  # for each request that fails in a way that may pass
    thought: int = RetryPolicy.thought  # tokens of room for a thought, where the model thinks first
    batch: int = RetryPolicy.batch  # texts in one request for vectors; fewer where the server refuses so many
    batches: bool = False  # by OpenAI's batch endpoint: half the price, and up to a day to wait
    dimensions: int | None = None  # of vectors, where the server can shorten them; None: all
    # A backbone whose tokenizer the server's model has: prompts are then those of the model loaded here
    tokenizer: str | None = None
    # How labels' probabilities are asked for; None: the best that the server offers
    way: Literal["whole", "logprobs", "constrained"] | None = None
    # Fields of every request that are the server's own: {chat_template_kwargs: {enable_thinking: false}}
    extra: dict[str, Any] = field(default_factory=dict)
    price: tuple[float, float] | None = None  # of a million prompt tokens, and of a million answer tokens
    prompts: bool = True  # keep what is asked and answered in the run's folder: prompts.jsonl
    max_cost: float | None = None  # a run that is expected to cost more, by `price`, is not begun

    def __post_init__(self) -> None:
        self.retry_policy()
        if self.dimensions is not None and not 1 <= self.dimensions <= MOST:
            raise ConfigError(f"{self.dimensions} is not from 1 to {MOST:,}", key="remote.dimensions")
        check_values(self.price, "remote.price")
        if self.way not in (None, *ASKED_FOR):
            raise ConfigError(choices(self.way, ASKED_FOR), key="remote.way")
        if self.price is not None and (len(self.price) != 2 or min(self.price) < 0):
            why = f"{list(self.price)}: two prices from 0 up, of a million tokens of prompts and of answers"
            raise ConfigError(why, key="remote.price")
        if self.max_cost is not None and self.price is None:
            raise ConfigError(f"{self.max_cost}: what a run costs is known by `price`", key="remote.max_cost")
        for name in self.extra:
            if name in OWN:
                raise ConfigError(f"{name!r} is set by stratune; leave it out", key="remote.extra")
        if SECRET.search(json.dumps(self.extra, default=str).replace('": "', "=")):
            raise ConfigError(f"it holds a key or password; {ELSEWHERE}", key="remote.extra")

    def retry_policy(self) -> RetryPolicy:
        names = ("workers", "per_minute", "timeout", "longest", "attempts", "thought", "batch", "batches")
        return RetryPolicy(**{name: getattr(self, name) for name in names})

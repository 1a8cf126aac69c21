"""How many requests a run will send, and what they will cost, before any is sent."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from stratune.remote.batches import batched
from stratune.remote.request import Body, Endpoint
from stratune.remote.server import Server
from stratune.remote.used import BATCH_PRICE, MILLION, characters

CHARACTERS = 4  # characters a token, of English text; other languages have fewer


@dataclass(frozen=True)
class Estimate:
    rows: int
    requests: int  # after duplicates and what is cached
    cached: int  # rows that are answered already
    prompt_tokens: int  # by characters: as many each as the server counted so far, or 4 a token
    answer_tokens: int  # an upper bound
    cost: float | None  # in the currency of the price; None without a price
    minutes: float | None = None  # at least, at the rate allowed; None: no rate is set


def estimate(
    server: Server,
    bodies: Sequence[Body],
    price: tuple[float, float] | None = None,
    texts_at_once: int = 1,
) -> Estimate:
    """`price`: of a million prompt tokens and of a million answer tokens. `texts_at_once`: how many bodies go
    into one request. No request is sent.
    """
    keys = [server.key(_endpoint(body), body) for body in bodies]
    by_key = dict(zip(keys, bodies, strict=True))
    missing = {key: body for key, body in by_key.items() if server.answers.get(key) is None}
    by_server = server.used.characters_a_token()
    prompt, answer = tokens_of(list(missing.values()), by_server)
    requests = -(-len(missing) // texts_at_once)
    allowed = server.retry_policy.batches
    in_batches = any(batched(_endpoint(body), len(missing), allowed=allowed) for body in missing.values())
    share = BATCH_PRICE if in_batches else 1.0
    return Estimate(
        rows=len(bodies),
        requests=requests,
        cached=sum(key not in missing for key in keys),
        prompt_tokens=prompt,
        answer_tokens=answer,
        minutes=requests / server.retry_policy.per_minute if server.retry_policy.per_minute else None,
        cost=None if price is None else share * tokens_cost(prompt, answer, price),
    )


def tokens_of(bodies: Sequence[Body], by_server: float | None) -> tuple[int, int]:
    """Of the prompts, and at most of the answers. `by_server`: characters a token; None: CHARACTERS."""
    prompt = sum(math.ceil(characters(body) / (by_server or CHARACTERS)) for body in bodies)
    return prompt, sum(int(body.get("max_tokens", 0)) for body in bodies)


def tokens_cost(prompt: int, answer: int, price: tuple[float, float]) -> float:
    return (prompt * price[0] + answer * price[1]) / MILLION


def _endpoint(body: Body) -> Endpoint:
    return "embeddings" if "input" in body else "chat" if "messages" in body else "plain"


def in_words(expected: Estimate, of: str = "prompts") -> str:
    """`400 rows, 380 requests, about 120,000 tokens of prompts, at most 400 of answers, about 0.02 ...`"""
    parts = [f"{expected.rows:,} rows", f"{expected.requests:,} requests"]
    if expected.requests:
        parts.append(f"about {expected.prompt_tokens:,} tokens of {of}")
    if expected.requests and of == "prompts":
        parts.append(f"at most {expected.answer_tokens:,} of answers")
    if expected.cost is not None:
        parts.append(f"about {expected.cost:,.2f} at the price given")
    if expected.minutes is not None and expected.minutes >= 1:
        parts.append(f"{expected.minutes:,.0f} minutes or more at the rate allowed")
    return ", ".join(parts)

"""What a server read and wrote: tokens, each request counted once, and whether it read all of a prompt."""

from __future__ import annotations

from collections import Counter

from stratune.remote.request import Body
from stratune.remote.response import Usage, usage_of
from stratune.remote.row_fault import Answer

MILLION = 1e6
MARK = "batch"  # in a stored answer: the batch that it came in (batches.py)
BATCH_PRICE = 0.5  # of the price of a request alone
DENSE = 12  # characters a token: no language and no code has so many, so a part was not read
LONG = 4000  # characters of a prompt from which on its tokens are compared


class Used:
    """Sums over the requests that were answered, those whose answers were stored before included."""

    def __init__(self) -> None:
        self.total, self.batched = Usage(), Usage()  # `batched`: the part that came in batches
        self.requests = self._characters = 0
        self._seen: set[str] = set()
        self._long: dict[str, tuple[int, int]] = {}  # (characters, tokens) of long prompts

    def count(self, key: str, body: Body, answer: Answer) -> bool:
        """Whether the request was not counted before."""
        if key in self._seen:
            return False
        self._seen.add(key)
        if answer.response is None:
            return True
        usage = usage_of(answer.response)
        self.total += usage
        self.batched += usage if MARK in answer.response else Usage()
        self.requests += 1
        length = characters(body)
        if usage.counted:
            self._characters += length
        if usage.counted and length >= LONG:
            self._long[key] = length, usage.prompt
        return True

    def add(self, other: Used) -> None:
        """Of another server object of the same run, whose requests are others."""
        self.total += other.total
        self.batched += other.batched
        self.requests += other.requests
        self._characters += other._characters
        self._long |= other._long

    def cost(self, price: tuple[float, float]) -> float:
        """`price`: of a million prompt tokens and of a million answer tokens; of batches it is half."""
        prompt, answer = (
            getattr(self.total, name) - getattr(self.batched, name) * (1 - BATCH_PRICE)
            for name in ("prompt", "answer")
        )
        return float(prompt * price[0] + answer * price[1]) / MILLION

    def characters_a_token(self) -> float | None:
        """Of the prompts whose tokens the server counted; None where it counted none."""
        return self._characters / self.total.prompt if self.total.prompt else None

    def cut_at(self) -> int | None:
        """Tokens of a prompt that the server reads, where it seems to leave out the rest without saying so.

        Prompts of different lengths that all count the same, highest, number of tokens; or a prompt with
        fewer tokens than any text of its length has.
        """
        if not self._long:
            return None
        counts = Counter(tokens for _, tokens in self._long.values())
        most = max(counts)
        lengths = [length for length, tokens in self._long.values() if tokens == most]
        alike = len(lengths) > 1 and max(lengths) > 1.1 * min(lengths)
        return most if alike or max(lengths) > DENSE * most else None

    def in_words(self, price: tuple[float, float] | None = None, of: str = "prompts") -> str:
        """`12,340 tokens of prompts, 800 of answers (600 of them thought), 0.02 at the price given`"""
        if not self.total.counted:
            return ""
        parts = [f"{self.total.prompt:,} tokens of {of}"]
        if of == "prompts":
            parts.append(f"{self.total.answer:,} of answers")
        if self.total.thought:
            parts[-1] += f" ({self.total.thought:,} of them thought)"
        if price is not None:
            parts.append(f"{self.cost(price):,.2f} at the price given")
        return ", ".join(parts)


def characters(body: Body) -> int:
    """Of a prompt, of the messages of a chat, or of a text whose vector is asked for."""
    if "input" in body:
        return len(body["input"])
    if "messages" in body:
        return sum(len(message["content"]) for message in body["messages"])
    return len(body["prompt"])

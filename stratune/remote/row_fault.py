"""What came of a request: a response, or why one row has none (a content filter, a text too long): the others
go on.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from stratune.remote.client import Fault

OF_A_ROW = (400, 413, 422, 451)  # HTTP statuses that may be a single request's fault
FILTERED = re.compile(
    r"content[ _-]?(?:filter|policy|management)|moderation|flagged|safety|policy violation", re.IGNORECASE
)
TOO_LONG = re.compile(
    r"context (?:length|window|size)|context_length|too (?:long|many tokens)|max_model_len"
    r"|maximum.{0,40}tokens|exceed.{0,60}(?:tokens|context|length)",
    re.IGNORECASE,
)
LEAST = 256  # tokens: no context is shorter, and smaller numbers in a message are something else


@dataclass(frozen=True)
class Answer:
    """`response`: the server's, or None, and then `why` in a line. `sure`: it is this row's fault, whatever
    happens to others. `share`: of the prompt's tokens that the server would have read, where the prompt was
    too long.
    """

    response: dict[str, Any] | None
    why: str = ""
    sure: bool = True
    share: float | None = None


def no_answer(fault: Fault) -> Answer | None:
    """What a failed request means for its row; None for a fault of the server, the key or the network."""
    if fault.empty:
        return Answer(None, "an answer without `choices`")
    if fault.status == 403 and FILTERED.search(fault.message):
        return Answer(None, f"content filter: {fault.why}")
    if is_too_long(fault):
        return Answer(None, f"too long: {fault.why}", share=_share(fault.message))
    if fault.status not in OF_A_ROW:
        return None
    if FILTERED.search(fault.message):
        return Answer(None, f"content filter: {fault.why}")
    return Answer(None, fault.why, sure=False)


def is_too_long(fault: Fault) -> bool:
    """llama.cpp says it with a status of its own faults."""
    if fault.status == 500:
        return "too large to process" in fault.message
    return fault.status in OF_A_ROW and (fault.status == 413 or bool(TOO_LONG.search(fault.message)))


def _share(message: str) -> float:
    """Tokens allowed over tokens sent, where a message has both numbers; else a half."""
    numbers = [int(one.replace(",", "")) for one in re.findall(r"\d[\d,]*", message)]
    numbers = [number for number in numbers if number >= LEAST]
    return min(numbers) / max(numbers) if len(set(numbers)) > 1 else 0.5

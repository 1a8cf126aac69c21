"""What stands in an answer: the text, and the likeliest first tokens. Servers differ in shape only."""

from __future__ import annotations

import math
from typing import Any

MARKS = "▁ĠĊ"  # white space as some servers write it in tokens


def text_of(answer: dict[str, Any]) -> str:
    """What was written; nothing where the model said nothing."""
    choice = answer["choices"][0]
    message = choice.get("message")
    text = message.get("content") if isinstance(message, dict) else choice.get("text")
    return text if isinstance(text, str) else ""


def first_tokens(answer: dict[str, Any]) -> list[tuple[str, float]] | None:
    """(token without white space, log-probability) of what was likeliest to come first.

    None where the answer has no such list, or a list of one, which compares nothing; empty where the model
    ended before its first token.
    """
    given = answer["choices"][0].get("logprobs")
    try:
        listed = _chat(given["content"]) if "content" in given else _plain(given["top_logprobs"])
        found = [(token.strip().strip(MARKS), value) for token, value in listed if not math.isnan(value)]
    except (TypeError, KeyError, AttributeError):
        return None
    return None if len(found) == 1 or (listed and not found) else found


def _chat(content: list[dict[str, Any]]) -> list[tuple[str, float]]:
    """[{"token", "logprob", "top_logprobs": [{"token", "logprob"}, ...]}]: for chats, and for plain text by
    llama.cpp's own server.
    """
    return [(one["token"], one["logprob"]) for first in content[:1] for one in first["top_logprobs"]]


def _plain(top_logprobs: list[dict[str, float]]) -> list[tuple[str, float]]:
    """[{token: log-probability}]: for plain text, by all others."""
    return [one for first in top_logprobs[:1] for one in first.items()]

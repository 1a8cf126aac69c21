"""Reading a server's response: its text, and the likeliest first tokens, in the shapes that servers use."""

from __future__ import annotations

import math
from typing import Any

SPACE_MARKS = "▁ĠĊ"  # how SentencePiece and byte-level BPE write a space or a line feed in a token


def text_of(answer: dict[str, Any]) -> str:
    """The generated text; empty when there is none."""
    choice = answer["choices"][0]
    message = choice.get("message")
    text = message.get("content") if isinstance(message, dict) else choice.get("text")
    return text if isinstance(text, str) else ""


def first_tokens(answer: dict[str, Any]) -> list[tuple[str, float]] | None:
    """(token without white space, log-probability) of the likeliest first tokens.

    None when the response has no such list, or a list of one token, which compares nothing. Empty when the
    model stopped before its first token.
    """
    given = answer["choices"][0].get("logprobs")
    try:
        listed = _chat(given["content"]) if "content" in given else _plain(given["top_logprobs"])
        found = [
            (token.strip().strip(SPACE_MARKS), value) for token, value in listed if not math.isnan(value)
        ]
    except (TypeError, KeyError, AttributeError):
        return None
    return None if len(found) == 1 or (listed and not found) else found


def _chat(content: list[dict[str, Any]]) -> list[tuple[str, float]]:
    """[{"token", "logprob", "top_logprobs": [{"token", "logprob"}, ...]}]

    Chats have this shape; llama.cpp's own server uses it for plain text, too.
    """
    return [(one["token"], one["logprob"]) for first in content[:1] for one in first["top_logprobs"]]


def _plain(top_logprobs: list[dict[str, float]]) -> list[tuple[str, float]]:
    """[{token: log-probability}]: plain text, on every other server."""
    return [one for first in top_logprobs[:1] for one in first.items()]

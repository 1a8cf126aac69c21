"""Reading a server's response: text, thought, likeliest tokens and usage, in the shapes that servers use."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

# How SentencePiece and byte-level BPE write a space or a line feed in a token
MARKS = str.maketrans({"▁": " ", "Ġ": " ", "Ċ": "\n"})
THOUGHT = re.compile(r"\A\s*<(think|thinking|thought|reasoning)>", re.IGNORECASE)
THOUGHT_ENDS = re.compile(r"</(?:think|thinking|thought|reasoning)>\s*", re.IGNORECASE)
BESIDE = ("reasoning_content", "reasoning", "thinking")  # fields of a message that hold the thought
CHARACTERS = 4  # a token, where a server counts none

Listed = list[tuple[str, float]]  # (token as text, log-probability) of the likeliest tokens at one position


@dataclass(frozen=True)
class Reply:
    """`text`: behind the thought. `thought`: what the model thought before it answered."""

    text: str
    thought: str = ""
    whole: bool = True  # False: cut off where no more tokens were allowed
    refused: str = ""  # why there is no answer: a content filter, or the model's refusal

    @property
    def thinking(self) -> bool:
        """Whether no answer came because all tokens went into the thought."""
        return bool(self.thought) and not self.text.strip()


@dataclass(frozen=True)
class Usage:
    """Tokens. `counted`: whether the server said how many."""

    prompt: int = 0
    answer: int = 0
    thought: int = 0  # of those of the answer
    counted: bool = False

    def __add__(self, other: Usage) -> Usage:
        sums = self.prompt + other.prompt, self.answer + other.answer, self.thought + other.thought
        return Usage(*sums, self.counted or other.counted)


def reply_of(answer: Mapping[str, Any]) -> Reply:
    choice = answer["choices"][0]
    message = choice.get("message")
    found = message if isinstance(message, dict) else {}
    text = _text(found.get("content") if isinstance(message, dict) else choice.get("text"))
    beside = next((_text(found[key]) for key in BESIDE if found.get(key)), "")
    thought, text = _parted(text)
    reason = choice.get("finish_reason")
    refused = "content filter" if reason == "content_filter" else ""
    if isinstance(found.get("refusal"), str) and found["refusal"]:
        refused = f"refused: {found['refusal']}"
    hidden = "" if text or thought or beside else "?" * min(1, _reasoning(answer))
    return Reply(text, beside or thought or hidden, reason != "length", refused)


def text_of(answer: Mapping[str, Any]) -> str:
    """The text generated behind a thought; empty when there is none."""
    return reply_of(answer).text


def usage_of(answer: Mapping[str, Any]) -> Usage:
    """What the server counted; a thought that it does not count is taken to have a token in 4 characters."""
    given = answer.get("usage")
    counts = given if isinstance(given, dict) else {}
    prompt, written = _count(counts.get("prompt_tokens")), _count(counts.get("completion_tokens"))
    if "choices" not in answer:  # vectors
        return Usage(prompt or _count(counts.get("total_tokens")), counted=bool(counts))
    thought = _reasoning(answer) or -(-len(reply_of(answer).thought) // CHARACTERS)
    return Usage(prompt, written, min(thought, written) if written else thought, bool(prompt))


def positions_of(answer: Mapping[str, Any]) -> list[tuple[str, Listed]] | None:
    """(token, the likeliest ones in its place) of each token behind a thought.

    None when the response has no such lists, or lists of one token, which compare nothing. Empty when the
    model stopped before its first token.
    """
    given = answer["choices"][0].get("logprobs")
    try:
        found = list(_chat(given["content"]) if "content" in given else _plain(given))
    except (TypeError, KeyError, AttributeError, ValueError):
        return None
    if found and len(found[0][1]) < 2:
        return None
    return _behind_thought(found)


def echoed(answer: Mapping[str, Any], ending: str) -> Listed | None:
    """The tokens of the prompt that spell `ending` at its end, each with its log-probability.

    None when the response does not hold the prompt's tokens, or they have no border in front of `ending`.
    """
    try:
        every = _prompt_logprobs(answer) or _echo(answer)
    except (TypeError, KeyError, AttributeError, ValueError, IndexError):
        return None
    # Most servers list the token that they generated, too; llama-cpp-python does not.
    count = usage_of(answer).prompt
    for tokens in (every[:count],) if 0 < len(every) - count <= 1 else (every[:-1], every):
        found = _spelling(tokens, ending)
        if found is not None:
            return found
    return None


def _spelling(tokens: Listed, ending: str) -> Listed | None:
    """The last tokens that together are `ending`, white space in front apart."""
    text, found = "", Listed()
    for token, value in reversed(tokens):
        text, found = token + text, [(token, value), *found]
        if len(text) >= len(ending):
            break
    fits = bool(ending) and text.lstrip() == ending.lstrip()
    return found if fits and all(math.isfinite(value) for _, value in found) else None


# -- helpers


def _text(given: Any) -> str:
    """A text, or a list of parts of which some are text."""
    if isinstance(given, list):
        parts = [part.get("text") for part in given if isinstance(part, dict)]
        return "".join(part for part in parts if isinstance(part, str))
    return given if isinstance(given, str) else ""


def _parted(text: str) -> tuple[str, str]:
    """(thought, answer). Some templates open the thought in the prompt: then only its end is there."""
    ends = list(THOUGHT_ENDS.finditer(text))
    if ends:
        return text[: ends[-1].start()], text[ends[-1].end() :]
    return (text, "") if THOUGHT.match(text) else ("", text)


def _reasoning(answer: Mapping[str, Any]) -> int:
    usage = answer.get("usage")
    details = usage.get("completion_tokens_details") if isinstance(usage, dict) else None
    return _count(details.get("reasoning_tokens")) if isinstance(details, dict) else 0


def _count(given: Any) -> int:
    return given if isinstance(given, int) and not isinstance(given, bool) and given > 0 else 0


def _chat(content: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, Listed]]:
    """[{"token", "logprob", "top_logprobs": [{"token", "logprob"}, ...]}]

    Chats have this shape; llama.cpp's own server uses it for plain text, too.
    """
    for one in content:
        yield _shown(one["token"]), _numbers((top["token"], top["logprob"]) for top in one["top_logprobs"])


def _plain(given: Mapping[str, Any]) -> Iterator[tuple[str, Listed]]:
    """{"tokens": [token], "top_logprobs": [{token: log-probability}]}: plain text, on every other server."""
    lists = given["top_logprobs"]
    tokens = given.get("tokens") or [max(one, key=one.get) for one in lists]
    for token, likeliest in zip(tokens, lists, strict=False):
        yield _shown(token), _numbers(likeliest.items())


def _numbers(pairs: Any) -> Listed:
    return [(_shown(token), float(value)) for token, value in pairs if not math.isnan(value)]


def _shown(token: str) -> str:
    return token.translate(MARKS)


def _behind_thought(found: list[tuple[str, Listed]]) -> list[tuple[str, Listed]]:
    text = "".join(token for token, _ in found)
    ends = list(THOUGHT_ENDS.finditer(text))
    if not ends:
        return [] if THOUGHT.match(text) else found
    length = 0
    for i, (token, _) in enumerate(found):
        if length >= ends[-1].end():
            return found[i:]
        length += len(token)
    return []


def _prompt_logprobs(answer: Mapping[str, Any]) -> Listed:
    """vLLM's `prompt_logprobs`: [null, {token id: {"logprob", "decoded_token"}}], the prompt's own first."""
    choice = answer["choices"][0]
    given = answer.get("prompt_logprobs") or choice.get("prompt_logprobs") or []
    first = [next(iter(one.values())) for one in given if one]
    return [(_shown(one["decoded_token"]), float(one["logprob"])) for one in first]


def _echo(answer: Mapping[str, Any]) -> Listed:
    """`echo`: the prompt's tokens, the first of which has no log-probability."""
    given = answer["choices"][0]["logprobs"]
    pairs = zip(given["tokens"], given["token_logprobs"], strict=True)
    return [(_shown(token), math.nan if value is None else float(value)) for token, value in pairs]

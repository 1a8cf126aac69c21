"""One prompt, as a server is asked it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

Endpoint = Literal["chat", "plain"]  # /chat/completions, /completions
Body = dict[str, Any]  # what is sent, as JSON


@dataclass(frozen=True)
class Question:
    """Exactly one of the two: the messages of a chat, which the server puts into its own template, or plain
    text to go on with.
    """

    messages: tuple[tuple[str, str], ...] = ()  # (role, content)
    text: str = ""

    def __post_init__(self) -> None:
        if bool(self.messages) == bool(self.text):
            raise ValueError("a question has either messages or text")

    @property
    def endpoint(self) -> Endpoint:
        return "chat" if self.messages else "plain"

    def body(self, model: str) -> Body:
        if self.messages:
            said = [{"role": role, "content": content} for role, content in self.messages]
            return {"model": model, "messages": said}
        return {"model": model, "prompt": self.text}


@dataclass(frozen=True)
class Questions:
    """What a server is asked about N rows, and the words of each label that may answer."""

    rows: list[Question]
    words: dict[str, tuple[str, ...]]


def endpoint_of(questions: Sequence[Question]) -> Endpoint:
    """The one endpoint that all questions (at least one) go to."""
    (found,) = {question.endpoint for question in questions}
    return found

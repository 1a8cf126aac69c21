"""A prompt as a request to a server: messages of a chat, or plain text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

Endpoint = Literal["chat", "plain"]  # /chat/completions, /completions
Body = dict[str, Any]  # what is sent, as JSON


@dataclass(frozen=True)
class Request:
    """Either the messages of a chat, which the server renders by its template, or plain text to continue."""

    messages: tuple[tuple[str, str], ...] = ()  # (role, content)
    text: str = ""

    def __post_init__(self) -> None:
        if bool(self.messages) == bool(self.text):
            raise ValueError("a request has either messages or text")

    @property
    def endpoint(self) -> Endpoint:
        return "chat" if self.messages else "plain"

    def body(self, model: str) -> Body:
        if self.messages:
            messages = [{"role": role, "content": content} for role, content in self.messages]
            return {"model": model, "messages": messages}
        return {"model": model, "prompt": self.text}


@dataclass(frozen=True)
class Requests:
    """One request for each of N rows, and the verbalizer: the words of each label."""

    rows: list[Request]
    words: dict[str, tuple[str, ...]]


def endpoint_of(requests: Sequence[Request]) -> Endpoint:
    """The endpoint of all requests, of which there is at least one."""
    (found,) = {request.endpoint for request in requests}
    return found

"""A prompt as a request to a server: messages of a chat, or plain text.

Templates say how an answer begins ("Class:"). Local models go on from there. So do servers that continue a
message of the assistant; for the others the beginning stands at the end of the user's turn, in the
demonstrations, too: either way the next thing that the model says is a label.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Endpoint = Literal["chat", "plain", "embeddings"]  # /chat/completions, /completions, /embeddings
# plain: a text to go on with. continued: a chat whose last message is the beginning of the answer. open: a
# chat that ends where the model's turn begins.
Form = Literal["plain", "continued", "open"]
Body = dict[str, Any]  # what is sent, as JSON

# vLLM, SGLang and TGI need them; llama.cpp's own server continues the assistant's message without
CONTINUED = {"continue_final_message": True, "add_generation_prompt": False}


@dataclass(frozen=True)
class Request:
    """Either the messages of a chat, which the server renders by its template, or plain text to continue.

    `begin`: how the answer to a chat begins; a plain text ends in it. `gap`: white space between that and a
    label's word.
    """

    messages: tuple[tuple[str, str], ...] = ()  # (role, content)
    text: str = ""
    begin: str = ""
    gap: str = " "

    def __post_init__(self) -> None:
        if bool(self.messages) == bool(self.text):
            raise ValueError("a request has either messages or text")

    @property
    def endpoint(self) -> Endpoint:
        return "chat" if self.messages else "plain"

    @property
    def forms(self) -> tuple[Form, ...]:
        """In which it can be sent, the best first."""
        if self.text:
            return ("plain",)
        return ("continued", "open") if self.begin else ("open",)

    @property
    def characters(self) -> int:
        return len(self.text) + sum(len(content) for _, content in self.messages)

    def body(self, model: str, form: Form, said: str = "") -> Body:
        """`said`: what the model is taken to have said; not where the form is `open`."""
        if form == "plain":
            return {"model": model, "prompt": self.text + said}
        if form == "open":
            return {"model": model, "messages": _as_messages(self._opened())}
        begun = (*self.messages, ("assistant", self.begin + said))
        return {"model": model, "messages": _as_messages(begun), **CONTINUED}

    def _opened(self) -> list[tuple[str, str]]:
        """The messages with `begin` at the end of the user's turns in the place of the answers' beginning."""
        if not self.begin:
            return list(self.messages)
        moved: list[tuple[str, str]] = []
        for role, content in self.messages:
            if role == "user":
                content = f"{content}\n{self.begin}"
            elif role == "assistant":
                content = content.removeprefix(self.begin).strip()
            moved.append((role, content))
        return moved


@dataclass(frozen=True)
class Requests:
    """One request for each of N rows, and the verbalizer: the words of each label.

    `shorter`: (row, share of its prompt that would fit) -> its request with shorter texts, and how many words
    fewer those have; None where nothing is left to cut. `cut`: words cut of a row in that way.
    """

    rows: list[Request]
    words: dict[str, tuple[str, ...]]
    shorter: Callable[[int, float], tuple[Request, int] | None] = field(default=lambda row, share: None)
    cut: dict[int, int] = field(default_factory=dict)


def endpoint_of(requests: Sequence[Request]) -> Endpoint:
    """The endpoint of all requests, of which there is at least one."""
    (found,) = {request.endpoint for request in requests}
    return found


def _as_messages(turns: Sequence[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"role": role, "content": content} for role, content in turns]

"""Rows -> requests to a server. Its tokenizer is not known here, so texts are cut by words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stratune.prompt.asking import Asking
from stratune.prompt.render import Renderer
from stratune.prompt.shots import Nearest, Shown
from stratune.remote.request import Request, Requests
from stratune.tokens.tokens import TextLimit, first_words


@dataclass(frozen=True)
class RemoteReader(Asking):
    """`renderer` has no tokenizer: the server puts a chat into its own template."""

    renderer: Renderer
    limit: TextLimit
    nearest: Nearest | None = None

    def read(self, texts: Sequence[str], pairs: Sequence[str] | None) -> tuple[Requests, NDArray[np.int32]]:
        requests, cut = self.requests(texts, pairs)
        return Requests(requests, self.words), np.asarray(cut, dtype=np.int32)

    def requests(self, texts: Sequence[str], pairs: Sequence[str] | None) -> tuple[list[Request], list[int]]:
        """N rows -> the request of each, and how many of its words were cut."""
        columns = [texts, *([pairs] if pairs is not None else [])]
        short = [[first_words(text, self.limit.max_words) for text in column] for column in columns]
        cut = [
            sum(
                len(column[i].split()) - len(kept[i].split())
                for column, kept in zip(columns, short, strict=True)
            )
            for i in range(len(texts))
        ]
        seconds: Sequence[str | None] = short[1] if pairs is not None else [None] * len(texts)
        shown = self.nearest(short[0], short[1] if pairs is not None else None) if self.nearest else None
        rows = enumerate(zip(short[0], seconds, strict=True))
        return [self._request(text, pair, shown[i] if shown else None) for i, (text, pair) in rows], cut

    def _request(self, text: str, pair: str | None, shots: Any) -> Request:
        if self.renderer.template.chat is False:
            return Request(text=self.renderer.plain(text, pair, shots))
        messages = self.renderer.messages(text, pair, shots)
        return Request(messages=tuple((message["role"], message["content"]) for message in messages))

    def rendered(self, text: str, pair: str | None) -> str:
        """Of a chat the messages, each behind its role: the server's template is not known here."""
        (request,), _ = self.requests([text], [pair] if pair is not None else None)
        return request.text or "\n\n".join(f"{role}: {content}" for role, content in request.messages)

    def notes(self) -> list[str]:
        if self.limit.max_length is None:
            return []
        return ["max_length counts tokens, and a server does not show its tokenizer: use max_words"]


def remote_reader(limit: TextLimit, labels: tuple[str, ...], shown: Shown) -> RemoteReader:
    """`shown`: the template with the demonstrations of all rows, or the pool that each row's come from."""
    template, shots, nearest = shown
    return RemoteReader(Renderer(template, labels, None, shots), limit, nearest)

"""Rows -> requests to a server. Its tokenizer is not known here, so texts are cut by words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stratune.prompt.asking import Asking
from stratune.prompt.render import Renderer
from stratune.prompt.shots import Nearest, Shown
from stratune.prompt.template import Template
from stratune.remote.request import Request, Requests
from stratune.tokens.tokens import TextLimit, first_words

SURE = 1.1  # more is cut than the server's count of tokens asks for: it counts, we have characters
NO_TOKENS = "max_length counts tokens, and a server does not show its tokenizer: use max_words"
LEAST_KEPT = 0.25  # of a text, in one cut


@dataclass(frozen=True)
class RemoteReader(Asking):
    """`renderer` has no tokenizer: the server puts a chat into its own template."""

    renderer: Renderer
    limit: TextLimit
    nearest: Nearest | None = None

    def read(self, texts: Sequence[str], pairs: Sequence[str] | None) -> tuple[Requests, NDArray[np.int32]]:
        columns = [list(texts), *([list(pairs)] if pairs is not None else [])]
        short = [[first_words(text, self.limit.max_words) for text in column] for column in columns]
        kept = [tuple(column[i] for column in short) for i in range(len(texts))]
        cut = [
            sum(_words(column[i]) for column in columns) - sum(map(_words, row)) for i, row in enumerate(kept)
        ]

        def shorter(row: int, share: float) -> tuple[Request, int] | None:
            """Of the row's texts so much is cut that its prompt has `share` of its length."""
            after, fewer = shortened(kept[row], requests[row].characters, share)
            kept[row] = after
            return (self._requests([after])[0], fewer) if fewer else None

        requests = self._requests(kept)
        return Requests(requests, self.words, shorter), np.asarray(cut, dtype=np.int32)

    def _requests(self, rows: Sequence[tuple[str, ...]]) -> list[Request]:
        """The request of each row: (text,) or (text, pair)."""
        texts = [row[0] for row in rows]
        pairs = [row[1] for row in rows] if rows and len(rows[0]) > 1 else None
        shown = self.nearest(texts, pairs) if self.nearest else None
        return [
            self._request(row[0], row[1] if len(row) > 1 else None, shown[i] if shown else None)
            for i, row in enumerate(rows)
        ]

    def _request(self, text: str, pair: str | None, shots: Any) -> Request:
        gap = self.renderer.gap
        if self.renderer.template.chat is False:
            return Request(text=self.renderer.plain(text, pair, shots), gap=gap)
        messages = self.renderer.messages(text, pair, shots)
        turns = tuple((message["role"], message["content"]) for message in messages)
        return Request(messages=turns, begin=self.renderer.begin, gap=gap)

    def rendered_by(self, renderer: Renderer) -> RemoteReader:
        return replace(self, renderer=renderer)

    def asking(self, template: Template) -> RemoteReader:
        return RemoteReader(replace(self.renderer, template=template, shots=()), TextLimit())

    def rendered(self, text: str, pair: str | None) -> str:
        """Of a chat the messages, each behind its role: the server's template is not known here."""
        (request,) = self._requests([(text,) if pair is None else (text, pair)])
        return request.text or "\n\n".join(f"{role}: {content}" for role, content in request.messages)

    def notes(self) -> list[str]:
        if self.limit.max_length is None:
            return []
        return [NO_TOKENS]


def remote_reader(limit: TextLimit, labels: tuple[str, ...], shown: Shown) -> RemoteReader:
    """`shown`: the template with the demonstrations of all rows, or the pool that each row's come from."""
    template, shots, nearest = shown
    return RemoteReader(Renderer(template, labels, None, shots), limit, nearest)


def shortened(texts: tuple[str, ...], characters: int, share: float) -> tuple[tuple[str, ...], int]:
    """A row's texts, shorter, and by how many words: of its prompt's characters it may have `share`.

    Only the texts are cut, so they lose all that is too much.
    """
    length = sum(map(len, texts))
    left = max(1 - SURE * characters * (1 - share) / max(length, 1), LEAST_KEPT)
    after = tuple(first_words(text, max(1, int(_words(text) * left))) for text in texts)
    return after, sum(map(_words, texts)) - sum(map(_words, after))


def _words(text: str) -> int:
    return len(text.split())

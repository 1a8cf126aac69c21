"""Rows -> requests to a server whose model's tokenizer is known: the prompts of the model loaded here.

The chat template is rendered here, with the beginning of the answer, and sent as a text to go on with. So the
server is asked what a local model is asked, token for token, and texts are cut by tokens.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from stratune.backbone.tokenizer import encode
from stratune.prompt.asking import Asking
from stratune.prompt.reader import PromptReader
from stratune.prompt.render import Renderer
from stratune.prompt.shots import Nearest
from stratune.prompt.template import Template
from stratune.remote.reader import shortened
from stratune.remote.request import Request, Requests
from stratune.tokens.tokens import TextLimit


@dataclass
class TokenizedReader(Asking):
    inner: PromptReader

    @property
    def renderer(self) -> Renderer:  # type: ignore[override]
        return self.inner.renderer

    @property
    def limit(self) -> TextLimit:  # type: ignore[override]
        return self.inner.limit

    @property
    def nearest(self) -> Nearest | None:  # type: ignore[override]
        return self.inner.nearest

    def read(self, texts: Sequence[str], pairs: Sequence[str] | None) -> tuple[Requests, NDArray[np.int32]]:
        kept = [texts, *([pairs] if pairs is not None else [])]
        rows = [tuple(column[i] for column in kept) for i in range(len(texts))]
        prompts = self.inner.prompts(texts, pairs)
        requests = [self._request(prompt) for prompt, _ in prompts]

        def shorter(row: int, share: float) -> tuple[Request, int] | None:
            """The server has less room than the tokenizer's model: so much less of the row's texts."""
            after, fewer = shortened(rows[row], requests[row].characters, share)
            if not fewer:
                return None
            rows[row] = after
            ((prompt, _),) = self.inner.prompts([after[0]], [after[1]] if pairs is not None else None)
            return self._request(prompt), fewer

        cut = np.asarray([dropped for _, dropped in prompts], dtype=np.int32)
        return Requests(requests, self.words, shorter), cut

    def rendered_by(self, renderer: Renderer) -> TokenizedReader:
        return TokenizedReader(self.inner.rendered_by(renderer))

    def asking(self, template: Template) -> TokenizedReader:
        return TokenizedReader(self.inner.asking(template))

    def rendered(self, text: str, pair: str | None) -> str:
        return self.inner.rendered(text, pair)

    def notes(self) -> list[str]:
        return self.inner.notes()

    def _request(self, prompt: str) -> Request:
        return Request(text=prompt.removeprefix(self._put_in_front), gap=self.renderer.gap)

    @cached_property
    def _put_in_front(self) -> str:
        """The special token that the server puts in front of every text, and a rendered chat has already."""
        tokenizer = self.inner.backbone.tokenizer
        first = encode(tokenizer, "", verbose=False)["input_ids"][:1]
        return str(tokenizer.decode(first)) if first and self.renderer.chat else ""

"""Reader: rows -> token ids. The reader of readout `head` tokenises the texts as they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from stratune.data.segments import readable
from stratune.errors import UnsupportedError
from stratune.tokens.tokens import TextLimit, Tokens, tokenise
from stratune.tokens.vectors import embedded
from stratune.watch import SILENT, Progress

if TYPE_CHECKING:
    from stratune.backbone.load import Backbone


class Reader(Protocol):
    """Rows -> token ids. `state`: what a model folder stores to build the reader again. `progress` is told of
    rows only where reading them takes time: a server's vectors.
    """

    @property
    def limit(self) -> TextLimit: ...

    def tokens(
        self,
        texts: Sequence[str],
        pairs: Sequence[str] | None,
        *,
        keep: bool = False,
        progress: Progress = SILENT,
    ) -> Tokens: ...

    def state(self) -> dict[str, Any] | None: ...

    def notes(self) -> list[str]: ...


@dataclass(frozen=True)
class TextReader:
    """`prompt`: stands before each text, as an embedding model was trained with it ("query: ")."""

    backbone: Backbone
    limit: TextLimit
    prompt: str = ""

    def tokens(
        self,
        texts: Sequence[str],
        pairs: Sequence[str] | None,
        *,
        keep: bool = False,
        progress: Progress = SILENT,
    ) -> Tokens:
        if pairs is not None and self.limit.keep != "head":
            raise UnsupportedError(
                "a pair of texts", f"keep: {self.limit.keep}", "it is not defined which text to cut"
            )
        texts = [readable(text) for text in texts]
        if self.backbone.embed is not None:
            return embedded(self.backbone.embed, texts, pairs, self.limit, self.prompt, progress)
        return tokenise(self.backbone, texts, pairs, self.limit, prompt=self.prompt, keep=keep)

    def state(self) -> None:
        return None

    def notes(self) -> list[str]:
        given, name = self.backbone.sentence, self.backbone.id
        if self.prompt:
            return [f"{self.prompt!r} stands before each text (readout.prompt)"]
        if given.prompts:
            known = ", ".join(given.prompts)
            return [f"{name} has prompts that were not used ({known}): readout.prompt_name chooses one"]
        return []

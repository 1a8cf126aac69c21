"""Reader: rows -> token ids. The reader of readout `head` tokenises the texts as they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from stratune.data.segments import readable
from stratune.errors import UnsupportedError
from stratune.tokens.tokens import TextLimit, Tokens, tokenise

if TYPE_CHECKING:
    from stratune.backbone.load import Backbone


class Reader(Protocol):
    """Rows -> token ids. `state`: what a model folder stores to build the reader again."""

    @property
    def limit(self) -> TextLimit: ...

    def tokens(self, texts: Sequence[str], pairs: Sequence[str] | None, *, keep: bool = False) -> Tokens: ...

    def state(self) -> dict[str, Any] | None: ...

    def notes(self) -> list[str]: ...


@dataclass(frozen=True)
class TextReader:
    backbone: Backbone
    limit: TextLimit

    def tokens(self, texts: Sequence[str], pairs: Sequence[str] | None, *, keep: bool = False) -> Tokens:
        if pairs is not None and self.limit.keep != "head":
            raise UnsupportedError(
                "a pair of texts", f"keep: {self.limit.keep}", "it is not defined which text to cut"
            )
        return tokenise(self.backbone, [readable(text) for text in texts], pairs, self.limit, keep=keep)

    def state(self) -> None:
        return None

    def notes(self) -> list[str]:
        return []

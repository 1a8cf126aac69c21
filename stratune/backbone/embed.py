"""Embed: vectors of texts by a model that is not loaded here, as a server's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from stratune.watch import Progress


@dataclass(frozen=True)
class Embedded:
    """Vectors (N, C) of N texts; NaN in a row without one, and then `why` in a line, else ""."""

    vectors: NDArray[np.float32]
    why: list[str]
    cut: NDArray[np.int32]  # (N,) words that there was no room for

    @property
    def absent(self) -> NDArray[np.bool_]:
        """(N,) the rows without a vector."""
        return np.array([bool(why) for why in self.why], dtype=bool)


class Embed(Protocol):
    """`prompt`: what stands before each text, and is never cut."""

    @property
    def width(self) -> int:
        """C, numbers of a vector."""
        ...

    def __call__(self, texts: Sequence[str], prompt: str, progress: Progress) -> Embedded:
        """Raises StratuneError."""
        ...

    def state(self) -> dict[str, Any]:
        """What a model folder has to keep of it: entries of the manifest."""
        ...

    def remarks(self) -> list[str]:
        """What the user should know of how it answered, once it did."""
        ...

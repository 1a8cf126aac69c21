"""Asking: rows -> prompts, for local and remote language models alike."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from stratune.prompt.match import Matcher
from stratune.prompt.shots import kept

if TYPE_CHECKING:
    from stratune.prompt.render import Renderer
    from stratune.prompt.shots import Nearest
    from stratune.prompt.template import Template
    from stratune.tokens.tokens import TextLimit


class Asking(ABC):
    """`renderer` renders rows, `limit` cuts texts; with `nearest` each row has its own demonstrations."""

    renderer: Renderer
    limit: TextLimit
    nearest: Nearest | None

    @abstractmethod
    def read(self, texts: Sequence[str], pairs: Sequence[str] | None) -> tuple[Any, NDArray[np.int32]]:
        """(prompts of N rows, as one kind of language model takes them; tokens or words cut of each (N,))."""

    @abstractmethod
    def rendered_by(self, renderer: Renderer) -> Asking:
        """The same rows, by another renderer."""

    @abstractmethod
    def asking(self, template: Template) -> Asking:
        """The same model, asked something else: prompts by `template` without demonstrations."""

    @abstractmethod
    def rendered(self, text: str, pair: str | None) -> str:
        """The prompt of one row, as text."""

    @abstractmethod
    def notes(self) -> list[str]:
        """Notes for the user, on demonstrations that did not fit."""

    @property
    def words(self) -> dict[str, tuple[str, ...]]:
        """The verbalizer: each label's words."""
        words = self.renderer.template.words
        return {label: tuple(word.strip() for word in words[label]) for label in self.renderer.labels}

    @property
    def matcher(self) -> Matcher:
        """Reads generated answers."""
        return Matcher(self.words, *self.renderer.around)

    def state(self) -> dict[str, Any]:
        """What a model folder stores: the template with its words, and the demonstrations."""
        return kept(self.renderer.template, self.renderer.shots, self.nearest)

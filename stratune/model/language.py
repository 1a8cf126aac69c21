"""LanguageModel: log-probabilities of a verbalizer's words, and generation; by a local net or a server."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from stratune.watch import Progress

SEEDS = 1_000_003  # seeds of several answers are so far apart: no other run's seed is among them


@dataclass(frozen=True)
class LabelScores:
    """`log_probs` (N, K) of each label's words after each prompt; NaN in rows that are `invalid` (N,)."""

    log_probs: NDArray[Any]
    invalid: NDArray[np.bool_] | None = None  # None: cannot happen
    # (N,) probability of all labels' words together, of whatever the model might say next; None: not known
    mass: NDArray[Any] | None = None
    why: list[str] | None = None  # why a row has no answer; "" where it has one
    cut: NDArray[np.int32] | None = None  # (N,) words that a server had no room for
    certain: bool = False  # whether a row is one label for certain, so that nothing is a probability


@dataclass(frozen=True)
class Written:
    """N generated answers, unchanged; `why` there is none ("" where there is one); `cut` (N,): words that a
    server had no room for.
    """

    texts: list[str]
    why: list[str] | None = None
    cut: NDArray[np.int32] | None = None


@dataclass(frozen=True)
class Writing:
    """Options of generation. Sampling is seeded, so equal prompts get equal answers.

    `votes`: answers drawn for each row; the label of most of them is its own (Wang et al. 2023,
    "Self-consistency").
    """

    temperature: float = 0.0  # 0: greedy
    max_new_tokens: int | None = None  # None: enough for the longest word
    seed: int = 0
    votes: int = 1

    def each_draw(self) -> list[Writing]:
        """One answer each, with seeds of their own; the first has the seed itself."""
        return [replace(self, seed=self.seed + draw * SEEDS, votes=1) for draw in range(self.votes)]


class LanguageModel(ABC):
    """`prompts`: the output of its kind of reader (prompt/reader.py, remote/reader.py)."""

    paid = False  # a request whose answer is not stored may cost money

    @abstractmethod
    def log_probs(self, prompts: Any, progress: Progress) -> LabelScores | None:
        """Log-probabilities of the verbalizer; None when it can only generate. Raises StratuneError."""

    @abstractmethod
    def generate(self, prompts: Any, how: Writing, progress: Progress) -> Written:
        """The generated text for each prompt."""

    @abstractmethod
    def write(self, folder: Path, words: Mapping[str, Sequence[str]]) -> dict[str, Any]:
        """Write what is not the backbone's own into `folder`; returns its entries of the manifest.

        `words`: the verbalizer.
        """

    def count_with(self, other: Any) -> None:  # noqa: B027  a local one counts nothing
        """What `other`, of the same kind, was answered counts in these remarks, too."""

    def expected_cost(
        self, prompts: Any, writing: Writing | None, otherwise: Writing, price: tuple[float, float]
    ) -> float:
        """As of Model: of these prompts, `writing` an answer, or `otherwise` where the server gives no
        log-probabilities.
        """
        return 0.0

    def remarks(self) -> list[str]:
        """What the user should know of how rows were asked, once they were."""
        return []

    @property
    def device(self) -> str | None:
        return None

    @property
    def precision(self) -> str | None:
        return None

    def trainable(self) -> dict[str, Tensor]:
        return {}


@dataclass(frozen=True)
class Calibration:
    """(log-probabilities - `bias` (K,)) * `scale`, where `scale` is 1 / temperature."""

    bias: tuple[float, ...] = ()
    scale: float = 1.0

    def __call__(self, log_probs: NDArray[Any]) -> NDArray[Any]:
        """(N, K) -> (N, K), in the precision of the input."""
        if not self.bias and self.scale == 1.0:
            return log_probs
        number = log_probs.dtype.type
        bias = np.asarray(self.bias or [0.0] * log_probs.shape[1], dtype=log_probs.dtype)
        return np.asarray((log_probs - bias) * number(self.scale))

    def to_dict(self) -> dict[str, Any]:
        return {"bias": list(self.bias), "scale": self.scale}

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> Calibration:
        return cls(tuple(float(one) for one in fields.get("bias", ())), float(fields.get("scale", 1.0)))

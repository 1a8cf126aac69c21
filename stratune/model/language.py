"""LanguageModel: log-probabilities of labels' words, and writing; by a net that is here, or by a server."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from stratune.watch import Progress


@dataclass(frozen=True)
class LabelScores:
    """`log_probs` (N, K) of each label's words behind each prompt; NaN in rows that are `invalid` (N,)."""

    log_probs: NDArray[Any]
    invalid: NDArray[np.bool_] | None = None  # None: cannot happen


@dataclass(frozen=True)
class Writing:
    """How an answer is written. The same prompts get the same answers: sampling starts from `seed`."""

    temperature: float = 0.0  # 0: greedy
    max_new_tokens: int | None = None  # None: what the labels' words may need
    seed: int = 0


class LanguageModel(ABC):
    """`prompts` are what its own kind of reader makes of rows (prompt/reader.py, remote/reader.py)."""

    paid = False  # every question that was not asked before may cost money

    @abstractmethod
    def log_probs(self, prompts: Any, progress: Progress) -> LabelScores | None:
        """Raises StratuneError; None where it can only write."""

    @abstractmethod
    def generate(self, prompts: Any, how: Writing, progress: Progress) -> list[str]:
        """What it writes for each prompt, as it stands."""

    @abstractmethod
    def write(self, folder: Path, words: Mapping[str, Sequence[str]]) -> dict[str, Any]:
        """Write what is not its backbone's own into `folder`; returns what the manifest says beside it.

        `words`: the verbalizer that it is asked with.
        """

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
    """Log-probabilities less `bias` (K,), times `scale` (one over the temperature)."""

    bias: tuple[float, ...] = ()
    scale: float = 1.0

    def __call__(self, log_probs: NDArray[Any]) -> NDArray[Any]:
        """(N, K) -> (N, K), computed in the precision that comes in."""
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

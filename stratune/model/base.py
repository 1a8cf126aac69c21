"""Model: whoever answers. Texts in, predictions out; it writes itself, and says whether a copy is the same.

A net, a prompted language model (here or on a server), a baseline, an ensemble, chunks around any of them:
nobody asks a model which of these it is. `kind` stands in the manifest of a model folder, where
predictor/model_folder.py finds what reads it back.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from stratune.errors import ArtifactError
from stratune.model.answers import Scored
from stratune.watch import SILENT, Progress

Floats = NDArray[np.float64]
INSTEAD = "keep the model folder and use `stratune predict`"
TOLERANCE = 1e-4  # of reloaded outputs, on the same device and in the same precision


class Model(ABC):
    """Answers N rows at once. Several threads may call one model."""

    kind: ClassVar[str]
    cannot_export: str | None = f"it has no Hugging Face form; {INSTEAD}"  # why; None: it can
    paid = False  # every answer may cost money

    @abstractmethod
    def __call__(
        self, texts: Sequence[str], pairs: Sequence[str] | None, progress: Progress = SILENT
    ) -> Scored:
        """The answers to texts (N) or pairs of them."""

    @abstractmethod
    def write(self, folder: Path) -> dict[str, Any]:
        """Write its files into `folder`; returns what the manifest says beside them."""

    # -- is a reloaded copy the same?

    def same_as(self, other: Model, texts: Sequence[str], pairs: Sequence[str] | None) -> None:
        """Raises ArtifactError when `other` has other outputs for these rows, or another meaning for them."""
        if self.interpretation() != other.interpretation():
            raise ArtifactError("the saved model does not reload to the same way to read its outputs")
        if not texts:  # a server's model that was loaded has no rows that it need not pay for
            return
        before, after = self.outputs(texts, pairs), other.outputs(texts, pairs)
        if not np.array_equal(np.isnan(before), np.isnan(after)):  # rows without an answer
            raise ArtifactError("the saved model does not reload to the same answers")
        before, after = np.nan_to_num(before), np.nan_to_num(after)
        gap = float(np.abs(before - after).max())
        if not gap <= TOLERANCE * max(1.0, float(np.abs(before).max())):
            why = f"they differ by up to {gap:.2g}"
            raise ArtifactError(f"the saved model does not reload to the same numbers: {why}")

    def outputs(self, texts: Sequence[str], pairs: Sequence[str] | None) -> NDArray[Any]:
        """(N, outputs): the rawest numbers it has for these rows."""
        return self(texts, pairs).predictions

    def interpretation(self) -> Any:
        """How outputs become predictions: units, thresholds, what chunks say together."""
        return None

    # -- what chunks around it need

    def predictions_of(self, probabilities: Floats) -> Floats:
        """(N, K) of a text or of its chunks together -> (N, C): another thing only where levels are rated."""
        return probabilities

    @property
    def origin(self) -> float | None:
        """Of values: the prediction for a text that nothing is known of. None of labels."""
        return None

    def notes(self) -> list[str]:
        """What the user should know of how it reads."""
        return []

    # -- where it runs, what in it is trained

    @property
    def device(self) -> str | None:
        """None: none of torch's."""
        return None

    @property
    def precision(self) -> str | None:
        return None

    def caching(self) -> Self:
        """A copy that keeps the texts' vectors for whoever answers from the same frozen backbone."""
        return self

    def trainable(self) -> dict[str, Tensor]:
        """The tensors that training changed, by name; none where it is no net."""
        return {}

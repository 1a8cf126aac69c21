"""Model: texts in, predictions out. It writes its own files and compares itself with a reloaded copy.

A model is a net, a prompted language model (local or on a server), a baseline, an ensemble, or chunks around
any of them; no caller asks which. `kind` is written to the manifest of a model folder, and
predictor/model_folder.py chooses the reader by it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from stratune.errors import ArtifactError
from stratune.model.answers import Chunks, Scored
from stratune.watch import SILENT, Progress

if TYPE_CHECKING:
    from torch import Tensor  # names of strategies are known without torch

    from stratune.model.tfidf import LinearText

Floats = NDArray[np.float64]
INSTEAD = "keep the model folder and use `stratune predict`"
TOLERANCE = 1e-4  # relative, for outputs of a reloaded copy on the same device in the same precision


class Model(ABC):
    """Predicts N rows at once. Several threads may call one model."""

    kind: ClassVar[str]
    cannot_export: ClassVar[str | None] = f"it has no Hugging Face form; {INSTEAD}"  # why; None: it can
    cannot_graph: ClassVar[str | None] = f"it is no net; {INSTEAD}"  # why one ONNX graph does not hold it
    paid = False  # a prediction may cost money

    @abstractmethod
    def __call__(
        self, texts: Sequence[str], pairs: Sequence[str] | None, progress: Progress = SILENT
    ) -> Scored:
        """Predictions for N texts, or pairs of texts."""

    @abstractmethod
    def write(self, folder: Path) -> dict[str, Any]:
        """Write its files into `folder`; returns its entries of the manifest."""

    # -- comparison with a reloaded copy

    def same_as(self, other: Model, texts: Sequence[str], pairs: Sequence[str] | None) -> None:
        """Raises ArtifactError when `other` differs in outputs for these rows, or in their interpretation."""
        if self.interpretation() != other.interpretation():
            raise ArtifactError("the saved model, reloaded, interprets its outputs in another way")
        if not texts:  # a loaded server model: new rows would cost money
            return
        before, after = self.outputs(texts, pairs), other.outputs(texts, pairs)
        if not np.array_equal(np.isnan(before), np.isnan(after)):  # NaN: rows without an answer
            raise ArtifactError("the saved model, reloaded, answers other rows")
        before, after = np.nan_to_num(before), np.nan_to_num(after)
        gap = float(np.abs(before - after).max())
        if not gap <= TOLERANCE * max(1.0, float(np.abs(before).max())):
            why = f"they differ by up to {gap:.2g}"
            raise ArtifactError(f"the saved model, reloaded, has other outputs: {why}")

    def outputs(self, texts: Sequence[str], pairs: Sequence[str] | None) -> NDArray[Any]:
        """(N, outputs): logits, or predictions where there are no logits."""
        return self(texts, pairs).predictions

    def interpretation(self) -> Any:
        """How outputs become predictions (units, thresholds, aggregation of chunks); compared with ==."""
        return None

    # -- for chunks around it

    def predictions_of(self, probabilities: Floats) -> Floats:
        """Probabilities (N, K) -> predictions (N, C). They differ for a rating scale: levels -> a value."""
        return probabilities

    @property
    def origin(self) -> float | None:
        """Of values: the training mean. None for labels."""
        return None

    def notes(self) -> list[str]:
        """Notes for the user, on texts or demonstrations that did not fit."""
        return []

    def remarks(self) -> list[str]:
        """What the user should know of how rows were answered, once they were."""
        return []

    def count_with(self, other: Model) -> None:  # noqa: B027  most count nothing
        """What `other`, made for the same run, was answered counts in this model's remarks, too."""

    def labels_backwards(self) -> Model | None:
        """The same model, whose prompt lists the labels from the last; None where no prompt lists them."""
        return None

    def prompt(self, text: str, pair: str | None) -> str | None:
        """What a language model is asked about one row; None where nothing is asked."""
        return None

    def expected_cost(
        self, texts: Sequence[str], pairs: Sequence[str] | None, price: tuple[float, float]
    ) -> float:
        """What a server's answers to N rows will cost; `price`: of a million prompt tokens and of a million
        answer tokens. No request is sent.
        """
        return 0.0

    @property
    def whole(self) -> Model:
        """What answers whole texts, or each chunk of them: itself, or the model that chunks are around."""
        return self

    def linear_text(self) -> LinearText | None:
        """The linear model of TF-IDF features that it is; None of any other."""
        return None

    def tune(self, chunks: Chunks, score: Callable[[Floats], float]) -> bool:
        """Choose on validation how chunks are joined. Returns whether there was anything to choose."""
        return False

    # -- device, precision, trainable tensors

    @property
    def device(self) -> str | None:
        """torch's device; None: it does not use torch."""
        return None

    @property
    def precision(self) -> str | None:
        return None

    def caching(self) -> Self:
        """A copy that caches the texts' vectors, for other models on the same frozen backbone."""
        return self

    def trainable(self) -> dict[str, Tensor]:
        """Tensors that training changed, by name; empty for a model without a net."""
        return {}

"""Validation of a net during training, and what is chosen on validation afterwards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from stratune.evaluate.arrays import negative_log
from stratune.model.chunks import join
from stratune.train.infer import infer
from stratune.train.loop import Evaluation

if TYPE_CHECKING:
    from accelerate import Accelerator

    from stratune.longtext.aggregate import Aggregate
    from stratune.net.net import Net
    from stratune.task import Task
    from stratune.tokens.tokens import Documents
    from stratune.train.feed import Feed
    from stratune.train.runtime import Runtime


@dataclass
class Validation:
    """The validation rows as a feed, and their truth; `aggregate` joins chunks to documents. `wanted` (N, K):
    a soft truth, which the loss is held against.
    """

    net: Net
    feed: Feed
    truth: NDArray[Any]
    task: Task
    runtime: Runtime
    accelerator: Accelerator
    aggregate: Aggregate | None
    wanted: NDArray[np.float64] | None = None

    def __call__(self) -> Evaluation:
        probabilities = self.net.objective.probabilities(self._logits())
        if self.aggregate is not None:
            probabilities = join(probabilities, self._documents, self.aggregate)
        return self._evaluation(probabilities)

    def tune(self) -> Aggregate | None:
        """At the best step, how the predictions of a document's chunks are joined; None: they are not."""
        if self.aggregate is None:
            return None
        probabilities, documents = self.net.objective.probabilities(self._logits()), self._documents
        return self.aggregate.tuned(
            probabilities, documents.owner, documents.count, lambda joined: self._evaluation(joined).score
        )

    def _evaluation(self, probabilities: NDArray[np.float64]) -> Evaluation:
        """The task's metric and the loss of probabilities (N, K)."""
        predictions = self.net.objective.predictions(probabilities)
        target, selection = self.task.target, self.task.selection
        values = target.score(self.truth, predictions)
        loss = values[target.validation_loss]
        if self.wanted is not None:
            loss = float((self.wanted * negative_log(predictions)).sum(axis=1).mean())
        return Evaluation(selection.score(values), selection.value(values), loss)

    @property
    def _documents(self) -> Documents:
        documents = self.feed.tokens.documents
        assert documents is not None
        return documents

    def _logits(self) -> NDArray[np.float32]:
        """Logits (N, outputs). Each process fills in its own rows; their sum is complete."""
        accelerator = self.accelerator
        share = {"rank": accelerator.process_index, "world": accelerator.num_processes}
        logits = infer(self.net, self.feed, self.runtime, **share)
        if accelerator.num_processes > 1:
            summed = accelerator.reduce(torch.from_numpy(logits).to(self.runtime.device), "sum")
            return np.asarray(summed.cpu().numpy())
        return logits

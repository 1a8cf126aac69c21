"""Predictor: the result of fitting a strategy. Texts in, labels and scores out; it saves and loads itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from stratune.errors import ArtifactError
from stratune.evaluate.conformal import check_coverage
from stratune.model.answers import Scored
from stratune.predictor.inputs import texts_of
from stratune.predictor.model_folder import Saved, load
from stratune.remote.named import Servers, allowed_servers
from stratune.watch import SILENT, Progress

if TYPE_CHECKING:
    from stratune.backbone.load import Backbone
    from stratune.transcript.texts import TextsReport


@dataclass(frozen=True)
class Prediction:
    """The prediction for one row. `scores`: probabilities by label; `invalid`: the answer was no label.

    For a multilabel task, `label` holds all labels that are given, separated by commas. A regression
    has a `value` and no scores. An invalid row has an empty `label`, or NaN as `value`.
    """

    label: str
    scores: dict[str, float]
    value: float | None = None
    invalid: bool = False
    tokens_cut: int = 0


@dataclass
class Predictor(Saved):
    """A fitted strategy; several threads may use it at once. `about` is written to its model folder."""

    @property
    def labels(self) -> tuple[str, ...]:
        return self.task.labels

    def predict(self, rows: Any) -> list[Prediction]:
        """One Prediction per row, in the order of the rows.

        `rows`: one text; a list (tuple, generator, pandas Series, numpy array (N,)) of texts; or what has the
        columns of the task, `task.text` and `task.text_pair`: a pandas DataFrame, a dict of columns, a
        datasets.Dataset, a list of mappings, one mapping. For a task of pairs: a tuple of two texts is one
        pair, a list of them or an array (N, 2) several. A missing cell of a column is an empty text.

        Raises DataError for what has no texts, or no order: numbers, bytes, sets, paths, single texts for a
        task of pairs, a column that is not there.
        """
        texts, pairs = texts_of(rows, self.task)
        if not texts:
            return []
        scored = self.answer(texts, pairs)
        invalid = scored.invalid if scored.invalid is not None else np.zeros(len(texts), dtype=bool)
        answers = scored.predicted(self.task)
        return [
            Prediction(*self.task.target.read(answer, numbers), invalid=bool(bad), tokens_cut=int(cut))
            for answer, numbers, bad, cut in zip(
                answers, scored.predictions, invalid, scored.tokens_cut, strict=True
            )
        ]

    def predict_proba(self, rows: Any) -> NDArray[np.float64]:
        """(N, K) probabilities, columns in the order of `labels`; of a regression (N, 1) values.

        `rows` as `predict` takes them.
        """
        texts, pairs = texts_of(rows, self.task)
        if not texts:
            return np.zeros((0, len(self.task.columns)))
        return self.answer(texts, pairs).predictions

    def sets(self, rows: Any, coverage: float = 0.9) -> list[tuple[Any, ...]]:
        """Of each row the answers among which the truth is with a probability of `coverage`.

        Labels, in the order of `labels`: of a multilabel task such as hold all of the row's; none where the
        model is less sure than it was on nearly all validation rows. Of a regression (lowest, highest).
        `rows` as `predict` takes them. ConfigError for a coverage that is no share, ArtifactError for a model
        folder of 0.8 or before, which kept nothing for it.
        """
        self.reach(coverage)
        texts, pairs = texts_of(rows, self.task)
        return self.sets_of(self.answer(texts, pairs), coverage) if texts else []

    def sets_of(self, answers: Scored, coverage: float) -> list[tuple[Any, ...]]:
        """`sets` of rows that are answered already."""
        target = self.task.target
        found = target.sets(answers.predictions, self.reach(coverage))
        if target.is_numeric:
            return [(float(low), float(high)) for low, high in found]
        return [tuple(name for name, there in zip(self.labels, row, strict=True) if there) for row in found]

    def reach(self, coverage: float) -> float:
        """How strange an answer may look that is in a set of this coverage. Raises as `sets`."""
        check_coverage(coverage)
        if self.post.conformal is None:
            why = "it has no validation scores, as models up to 0.8; train it again for sets"
            raise ArtifactError(f"this model cannot give sets: {why}")
        return self.post.conformal.quantile(coverage)

    def score(self, rows: Any, progress: Progress = SILENT) -> Scored:
        """The answers as arrays. `rows` as `predict` takes them."""
        texts, pairs = texts_of(rows, self.task)
        return self.answer(texts, pairs, progress)

    def read(self, source: str | Path, *, encoding: str | None = None) -> list[dict[str, Any]]:
        """Transcripts as this model's training read them: rows for `predict`, with their id and document.

        `source`: a file or a folder, as `read_transcripts` takes it. ArtifactError for a model that was not
        trained on transcripts, or before 0.19; DataError for a file that cannot be read.
        """
        return self.read_transcripts(source, encoding)[0]

    @property
    def reads_transcripts(self) -> bool:
        return self.about.get("transcripts") is not None

    def read_transcripts(
        self, source: str | Path, encoding: str | None = None
    ) -> tuple[list[dict[str, Any]], TextsReport]:
        """`read`, and what was done. Raises as `read`."""
        from stratune.transcript.reading import parse_reading
        from stratune.transcript.texts import read_texts

        if not self.reads_transcripts:
            why = "this model was trained on a table of texts; `stratune data texts` makes one of transcripts"
            raise ArtifactError(f"{source}: {why}")
        options = parse_reading(self.about["transcripts"])
        return read_texts(source, options, encoding=encoding, labelled=False)

    @classmethod
    def load(
        cls,
        folder: str | Path,
        *,
        device: str | None = None,
        backbone: Backbone | None = None,
        allow_server: str | Sequence[str] | Servers = (),
    ) -> Predictor:
        """Read a model folder. `backbone`: a loaded one, which many predictors can share.

        `allow_server`: addresses of the servers, or one, that the texts may be sent to, and the key.
        ConfigError where the folder names another.
        """
        servers = allowed_servers(allow_server)
        found = load(folder, device=device, backbone=backbone, servers=servers)
        return cls(found.task, found.model, found.about, servers=servers, post=found.post)

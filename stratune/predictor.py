"""Predictor: what a strategy hands over. Texts in, labels and scores out; saved to a folder and loaded from
it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from stratune.errors import DataError
from stratune.evaluate.label_sets import decided
from stratune.evaluate.metrics import predicted
from stratune.readout.label_words import LabelWords
from stratune.strategy.floors import Examples, FloorModel
from stratune.task import SEPARATOR
from stratune.train.activations import Feed, feed
from stratune.train.infer import infer
from stratune.train.precision import Precision

if TYPE_CHECKING:
    from stratune.longtext.aggregate import Aggregate
    from stratune.longtext.evidence import Evidence
    from stratune.net import Net
    from stratune.objective import Objective
    from stratune.readout.text_reader import Reader
    from stratune.remote.scorer import RemoteScorer
    from stratune.task import Task
    from stratune.train.tokens import TextLimit, Tokens

Row = "str | tuple[str, str] | Mapping[str, Any]"
Tick = Callable[[int], None]


@dataclass(frozen=True)
class Prediction:
    """One row's answer. `scores` are probabilities by label; `label` is empty where `invalid`, `value` NaN.

    Of a multilabel task `label` names those of at least one half, separated by commas; of a regression there
    is a `value` and no score.
    """

    label: str
    scores: dict[str, float]
    value: float | None = None
    invalid: bool = False
    tokens_cut: int = 0


@dataclass(frozen=True)
class Chunks:
    """What was said of the documents' chunks one by one, before it was joined."""

    said: NDArray[np.float64]  # (M, C)
    owner: NDArray[np.int64]  # (M,) the document of each, rising
    count: int  # documents
    aggregate: Aggregate

    def joined(self, said: NDArray[np.float64]) -> NDArray[np.float64]:
        """(M, C) -> (N, C)."""
        return self.aggregate(said, self.owner, self.count)


@dataclass(frozen=True)
class Scored:
    """N rows' answers as arrays."""

    said: NDArray[np.float64]  # (N, C), in the order of task.columns; NaN where invalid
    tokens_cut: NDArray[np.int32]  # (N,)
    invalid: NDArray[np.bool_] | None = None  # (N,) a generated answer that is no label; None: cannot happen
    answers: list[str] | None = None  # what was generated, as it was
    evidence: list[list[Evidence]] | None = None  # of documents in chunks: those that decided, first to last
    chunks: Chunks | None = None  # of documents whose chunks were answered one by one
    saved_seconds: float = 0.0  # what it would have taken longer without vectors that were there already
    # (N, K) of values read from a scale: how probable each level is.
    levels: NDArray[np.float64] | None = None

    def predicted(self, task: Task) -> list[Any]:
        """The most probable label of each row, empty for an invalid one; all labels of one half or more; or
        the value, None for an invalid row.
        """
        if task.kind == "regression":
            return [None if np.isnan(value) else float(value) for value in self.said[:, 0]]
        if task.kind == "multilabel":
            chosen = decided(self.said, self.invalid)
            return [SEPARATOR.join(np.asarray(task.labels)[row]) for row in chosen]
        best = predicted(self.said, self.invalid)
        return [task.labels[k] if k < len(task.labels) else "" for k in best]


def answered(
    objective: Objective, said: NDArray[np.float64], tokens_cut: NDArray[np.int32], **more: Any
) -> Scored:
    """The answers of rows of which this was said."""
    read = objective.read(said)
    return Scored(read, tokens_cut, levels=None if read is said else said, **more)


@dataclass
class NetScorer:
    """A net and how to run it."""

    net: Net
    device: torch.device
    precision: Precision
    pass_tokens: int
    reader: Reader
    # Keep the texts' vectors for whoever answers from the same frozen backbone.
    cached: bool = field(default=False, kw_only=True)

    def __call__(self, texts: Sequence[str], pairs: Sequence[str] | None, tick: Tick | None = None) -> Scored:
        tokens = self.reader.tokens(texts, pairs)
        rows = self.feed(tokens, tick)
        said = self.net.objective.said(self.logits(rows, tick))
        cut = np.asarray(tokens.cut)
        return answered(self.net.objective, said, cut, saved_seconds=rows.saved_seconds)

    def feed(self, tokens: Tokens, tick: Tick | None = None) -> Feed:
        """What is answered from: with the vectors of a wholly frozen backbone, where they are kept."""
        if not self.cached or self.net.frozen_blocks() < len(self.net.backbone.blocks):
            return Feed(tokens, self.pad)
        return feed(
            self.net,
            tokens,
            device=self.device,
            precision=self.precision,
            pass_tokens=self.pass_tokens,
            tick=tick,
        )

    def logits(self, feed: Feed, tick: Tick | None = None) -> NDArray[np.float32]:
        """(N, outputs) of the rows of a feed."""
        return infer(
            self.net,
            feed,
            device=self.device,
            precision=self.precision,
            pass_tokens=self.pass_tokens,
            tick=tick if feed.frozen is None else None,  # told while the vectors were made
        )

    def calibrate(self, bias: NDArray[np.float64], scale: float) -> None:
        """Of readout `words`: see LabelWords.calibrate."""
        assert isinstance(self.net.head, LabelWords)
        self.net.head.calibrate(bias, scale)

    @property
    def limit(self) -> TextLimit:
        return self.reader.limit

    @property
    def pad(self) -> int:
        return int(self.net.backbone.tokenizer.pad_token_id)


@dataclass
class FloorScorer:
    """A fitted floor. It reads as many words of a text as the language models beside it."""

    model: FloorModel
    max_words: int | None = None

    def __call__(self, texts: Sequence[str], pairs: Sequence[str] | None, tick: Tick | None = None) -> Scored:
        said = self.model.said(Examples(texts, pairs).first_words(self.max_words))
        if tick:
            tick(len(texts))
        return Scored(said, np.zeros(len(texts), dtype=np.int32))


@dataclass
class EnsembleScorer:
    """The mean of what the members say; of a row, of the members whose answer is valid."""

    members: list[Predictor]

    def __call__(self, texts: Sequence[str], pairs: Sequence[str] | None, tick: Tick | None = None) -> Scored:
        told = _share(tick, len(self.members)) if tick else None
        answers = [member.scorer(texts, pairs, told) for member in self.members]
        cut = np.max([answer.tokens_cut for answer in answers], axis=0)
        said = np.stack([answer.said for answer in answers])  # (members, N, C)
        if all(answer.invalid is None for answer in answers):
            return Scored(said.mean(axis=0), cut)
        valid = np.isfinite(said[:, :, 0])  # (members, N)
        count = valid.sum(axis=0)
        summed = np.where(valid[:, :, None], said, 0.0).sum(axis=0)
        mean = np.divide(summed, count[:, None], out=np.full_like(summed, np.nan), where=count[:, None] > 0)
        return Scored(mean, cut, invalid=count == 0)


def _share(tick: Tick, members: int) -> Tick:
    """Rows that one of several members has done -> their share of the rows."""
    done = 0

    def told(rows: int) -> None:
        nonlocal done
        before, done = done, done + rows
        tick(done // members - before // members)

    return told


@dataclass
class Predictor:
    """A trained strategy, ready to use. `about` is what its model folder says of it (strategy, backbone,
    scores, ...).
    """

    task: Task
    scorer: NetScorer | FloorScorer | EnsembleScorer | RemoteScorer
    about: dict[str, Any] = field(default_factory=dict)
    sample: list[dict[str, str]] = field(default_factory=list)  # canonical rows that `save` compares on

    @property
    def labels(self) -> tuple[str, ...]:
        return self.task.labels

    def predict(self, rows: Iterable[Row]) -> list[Prediction]:  # type: ignore[valid-type]
        """One Prediction per row, in order. A row is a text, a pair of texts, or a mapping with the task's
        columns.
        """
        rows = list(rows)
        if not rows:
            return []
        scored = self.score(rows)
        invalid = scored.invalid if scored.invalid is not None else np.zeros(len(rows), dtype=bool)
        rows_of = zip(scored.predicted(self.task), scored.said, invalid, scored.tokens_cut, strict=True)
        if self.task.kind == "regression":
            return [Prediction("", {}, float(said[0]), bool(bad), int(cut)) for _, said, bad, cut in rows_of]
        return [
            Prediction(label, self._scores(said), None, bool(bad), int(cut))
            for label, said, bad, cut in rows_of
        ]

    def _scores(self, said: NDArray[np.float64]) -> dict[str, float]:
        return dict(zip(self.labels, map(float, said), strict=True))

    def predict_proba(self, rows: Iterable[Row]) -> NDArray[np.float64]:  # type: ignore[valid-type]
        """(N, K) probabilities, columns in the order of `labels`; of a regression (N, 1) values."""
        rows = list(rows)
        return self.score(rows).said if rows else np.zeros((0, len(self.task.columns)))

    def score(self, rows: Sequence[Any], tick: Tick | None = None) -> Scored:
        texts, pairs = columns(rows, self.task)
        return self.scorer(texts, pairs, tick)

    def save(self, folder: str | Path) -> Path:
        """Write the model folder, reload it on a fresh backbone, compare. Raises ArtifactError when they
        differ.
        """
        from stratune.artifact import save

        return save(self, Path(folder))

    @classmethod
    def load(cls, folder: str | Path, *, device: str | None = None) -> Predictor:
        from stratune.artifact import load

        return load(Path(folder), device=device)


def columns(rows: Sequence[Any], task: Task) -> tuple[list[str], list[str] | None]:
    """Texts and pairs of texts out of rows of any of the three shapes. Raises DataError naming the row."""
    pairs = [_cells(row, number, task) for number, row in enumerate(rows, start=1)]
    texts = [first for first, _ in pairs]
    return texts, [second for _, second in pairs] if task.text_pair else None


def _cells(row: Any, number: int, task: Task) -> tuple[str, str]:
    if isinstance(row, str) and not task.text_pair:
        return row, ""
    if isinstance(row, (tuple, list)) and len(row) == 2 and task.text_pair:
        return str(row[0]), str(row[1])
    if hasattr(row, "get"):
        wanted = [task.text, *([task.text_pair] if task.text_pair else [])]
        for column in wanted:
            if column not in row:
                raise DataError(f"missing; the row has {', '.join(map(str, row))}", row=number, column=column)
        cells = ["" if row[column] is None else str(row[column]) for column in wanted]
        return cells[0], cells[1] if task.text_pair else ""
    shape = "a pair of texts" if task.text_pair else "a text"
    raise DataError(f"expected {shape} or a mapping of columns, found {type(row).__name__}", row=number)

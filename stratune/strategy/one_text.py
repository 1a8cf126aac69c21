"""Baselines that read one text of a pair: what they reach is told by that text alone, not by the pair.

The hypothesis-only baseline of Gururangan et al. 2018 ("Annotation Artifacts in Natural Language Inference
Data") and Poliak et al. 2018.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

from stratune.errors import UnsupportedError
from stratune.model.baseline import Examples
from stratune.model.tfidf import LinearText
from stratune.strategy.registry import register_baseline
from stratune.strategy.tfidf import TfIdf, TfIdfModel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from stratune.strategy.baselines import Predictions
    from stratune.task import Task


@dataclass(frozen=True)
class OneTextModel:
    model: TfIdfModel
    second: bool

    @property
    def tried(self) -> int:
        return self.model.tried

    def predictions(self, rows: Examples) -> Predictions:
        return self.model.predictions(one_text(rows, self.second))

    def state(self) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
        return self.model.state()

    def linear(self) -> LinearText:
        return replace(self.model.linear(), reads="second" if self.second else "first")


@register_baseline("first_only")
@dataclass(frozen=True)
class FirstOnly(TfIdf):
    """`tfidf` of the first text of a pair alone: what it reaches, the pair is not needed for."""

    second: ClassVar[bool] = False
    needs_pairs: ClassVar[bool] = True

    name: str = "first_only"

    def fit(  # type: ignore[override]
        self, train: Examples, val: Examples, task: Task, seed: int
    ) -> OneTextModel:
        if task.text_pair is None:
            raise UnsupportedError("single texts", self.name, "it reads one text of a pair; use `tfidf`")
        seen, chosen_on = one_text(train, self.second), one_text(val, self.second)
        return OneTextModel(super().fit(seen, chosen_on, replace(task, text_pair=None), seed), self.second)

    def restore(  # type: ignore[override]
        self, task: Task, arrays: Mapping[str, NDArray[Any]], state: Mapping[str, Any]
    ) -> OneTextModel:
        return OneTextModel(super().restore(replace(task, text_pair=None), arrays, state), self.second)


@register_baseline("second_only")
@dataclass(frozen=True)
class SecondOnly(FirstOnly):
    """`tfidf` of the second text of a pair alone: the hypothesis-only baseline of entailment."""

    second: ClassVar[bool] = True

    name: str = "second_only"


def one_text(rows: Examples, second: bool) -> Examples:
    assert rows.pairs is not None
    return replace(rows, texts=rows.pairs if second else rows.texts, pairs=None)

"""What answers a file's questions: a model in this process, or whoever loads it the same way elsewhere."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stratune.cli.batches import Batch, Question

if TYPE_CHECKING:
    from stratune.predictor.predictor import Predictor


@dataclass(frozen=True)
class Loading:
    """How a process gets the model. `device` None: the cards in turn, or the processor."""

    place: Path
    device: str | None = None
    allow_server: tuple[str, ...] = ()

    def load(self, number: int = 0) -> Predictor:
        """In process `number`."""
        from stratune.predictor.predictor import Predictor

        device = self.device if self.device is not None else _card(number)
        return Predictor.load(self.place, device=device, allow_server=self.allow_server)


@dataclass(frozen=True)
class Added:
    """Which columns an answer is. `prefix`: before their names; `coverage`: of the sets, None without."""

    prefix: str = ""
    coverage: float | None = None
    explain: bool = False

    def types(self, predictor: Predictor) -> dict[str, Any]:
        """Column -> type of what every prediction has."""
        import pyarrow as pa

        numeric = predictor.task.target.is_numeric
        types = {f"{self.prefix}prediction": pa.float64() if numeric else pa.string()}
        types |= {f"{self.prefix}set": pa.string()} if self.coverage is not None else {}
        return types | {f"{self.prefix}score_{label}": pa.float64() for label in predictor.labels}

    def names(self, predictor: Predictor) -> tuple[str, ...]:
        return (*self.types(predictor), f"{self.prefix}tokens_cut")

    def __call__(self, predictor: Predictor, question: Question) -> Batch:
        from stratune.cli.answer import evidence_of
        from stratune.predictor.written import answer_columns

        answers = predictor.answer(question.texts, question.pairs)
        sets = None
        if self.coverage is not None:
            sets = [_set_cell(one) for one in predictor.sets_of(answers, self.coverage)]
        added = answer_columns(predictor, answers, self.prefix, sets)
        if self.explain:
            added[f"{self.prefix}evidence"] = evidence_of(answers, question.texts)
        return added


@dataclass(frozen=True)
class Here:
    """The model in this process."""

    predictor: Predictor
    added: Added

    ahead = 0

    def ask(self, question: Question) -> Callable[[], Batch]:
        return lambda: self.added(self.predictor, question)


def _card(number: int) -> str | None:
    """The next card where there are several."""
    import torch

    count = torch.cuda.device_count()
    return f"cuda:{number % count}" if count > 1 else None


def _set_cell(found: tuple[Any, ...]) -> str:
    """JSON: labels, or lowest and highest value; null where there is no end."""
    ends = [None if isinstance(one, float) and not math.isfinite(one) else one for one in found]
    return json.dumps(ends, ensure_ascii=False)

"""A prompted language model: predictions from log-probabilities of words, or from generated answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from stratune.model.answers import Scored, answered
from stratune.model.base import INSTEAD, Floats, Model
from stratune.model.language import Calibration, LanguageModel, Writing, Written
from stratune.printable import shortened
from stratune.watch import SILENT, Progress

if TYPE_CHECKING:
    from stratune.objective import Objective
    from stratune.prompt.asking import Asking


SHOWN = 60  # characters of an answer that is no label


@dataclass
class PromptedModel(Model):
    """`writing`: set for readout `generate`; None for `words`, which generates only as a last resort."""

    kind: ClassVar[str] = "prompted"
    cannot_export = f"it answers in words, not from a head; {INSTEAD}"
    cannot_graph = cannot_export

    language_model: LanguageModel
    reader: Asking
    objective: Objective
    writing: Writing | None = None
    calibration: Calibration = Calibration()
    otherwise: Writing = Writing()  # how to generate when the language model has no log-probabilities

    def __call__(
        self, texts: Sequence[str], pairs: Sequence[str] | None, progress: Progress = SILENT
    ) -> Scored:
        prompts, cut = self.reader.read(texts, pairs)
        scores = None if self.writing else self.language_model.log_probs(prompts, progress)
        if scores is None:
            return self._written(prompts, cut, progress)
        probabilities = self.objective.probabilities(self.calibration(scores.log_probs))
        cut = cut if scores.cut is None else cut + scores.cut
        given = {"invalid": scores.invalid, "mass": scores.mass, "why": scores.why}
        return answered(self, probabilities, cut, **given, certain=scores.certain)

    def _written(self, prompts: Any, cut: NDArray[np.int32], progress: Progress) -> Scored:
        """From generated answers: of several for a row the share of each label, else 1 and 0."""
        how = self.writing or self.otherwise
        matcher = self.reader.matcher
        draws = [self.language_model.generate(prompts, one, progress) for one in how.each_draw()]
        matched = [matcher(draw.texts)[0] for draw in draws]
        valid = np.sum([~np.isnan(found).any(axis=1) for found in matched], axis=0)  # (N,) answers
        with np.errstate(invalid="ignore"):  # 0 / 0: no answer of a row is a label
            shares = np.nansum(matched, axis=0) / valid[:, None]
        first = draws[0]
        missing = first.why or [""] * len(first.texts)
        why = [
            "" if count else reason or f"its answer is no label: {shortened(text, SHOWN)!r}"
            for count, reason, text in zip(valid, missing, first.texts, strict=True)
        ]
        cut = cut if first.cut is None else cut + first.cut
        answers = first.texts if len(draws) == 1 else [_several(texts) for texts in _by_row(draws)]
        certain = len(draws) == 1
        return answered(self, shares, cut, invalid=valid == 0, answers=answers, why=why, certain=certain)

    def calibrate(self, bias: Floats, scale: float) -> None:
        """`bias` (K,) of log-probabilities; `scale` is 1 / temperature."""
        self.calibration = Calibration(tuple(map(float, bias)), scale)

    def write(self, folder: Path) -> dict[str, Any]:
        return {
            "limit": asdict(self.reader.limit),
            "prompt": self.reader.state(),
            "objective": self.objective.state(),
            "calibration": self.calibration.to_dict(),
            **self.language_model.write(folder, self.reader.words),
        }

    def outputs(self, texts: Sequence[str], pairs: Sequence[str] | None) -> NDArray[Any]:
        """Calibrated log-probabilities; predictions where those would cost more requests to a server."""
        scores = None
        if not (self.paid and self.writing):
            scores = self.language_model.log_probs(self.reader.read(texts, pairs)[0], SILENT)
        return self(texts, pairs).predictions if scores is None else self.calibration(scores.log_probs)

    def interpretation(self) -> Any:
        return self.objective, self.calibration, self.writing

    def predictions_of(self, probabilities: Floats) -> Floats:
        return self.objective.predictions(probabilities)

    def labels_backwards(self) -> Model | None:
        renderer = self.reader.renderer.backwards()
        return None if renderer is None else replace(self, reader=self.reader.rendered_by(renderer))

    def prompt(self, text: str, pair: str | None) -> str | None:
        return self.reader.rendered(text, pair)

    def notes(self) -> list[str]:
        return self.reader.notes()

    def remarks(self) -> list[str]:
        return self.language_model.remarks()

    def count_with(self, other: Any) -> None:
        self.language_model.count_with(other.language_model)

    def seed(self, seed: int) -> None:
        """Answers are drawn with this seed."""
        self.writing = replace(self.writing, seed=seed) if self.writing else None
        self.otherwise = replace(self.otherwise, seed=seed)

    @property
    def origin(self) -> float | None:
        return self.objective.origin

    @property
    def paid(self) -> bool:  # type: ignore[override]
        return self.language_model.paid

    def expected_cost(
        self, texts: Sequence[str], pairs: Sequence[str] | None, price: tuple[float, float]
    ) -> float:
        prompts = self.reader.read(texts, pairs)[0]
        draws = len(self.writing.each_draw()) if self.writing else 1
        return draws * self.language_model.expected_cost(prompts, self.writing, self.otherwise, price)

    @property
    def device(self) -> str | None:
        return self.language_model.device

    @property
    def precision(self) -> str | None:
        return self.language_model.precision

    def trainable(self) -> dict[str, Tensor]:
        return self.language_model.trainable()


def _by_row(draws: Sequence[Written]) -> list[tuple[str, ...]]:
    return list(zip(*(draw.texts for draw in draws), strict=True))


def _several(texts: Sequence[str]) -> str:
    """The answers to one row, a line each."""
    return "\n".join(" ".join(text.split()) for text in texts)

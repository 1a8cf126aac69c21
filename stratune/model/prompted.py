"""A prompted language model: predictions from log-probabilities of words, or from generated answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from numpy.typing import NDArray
from torch import Tensor

from stratune.model.answers import Scored, answered
from stratune.model.base import INSTEAD, Floats, Model
from stratune.model.language import Calibration, LanguageModel, Writing
from stratune.prompt.match import Matcher
from stratune.watch import SILENT, Progress

if TYPE_CHECKING:
    from stratune.objective import Objective
    from stratune.prompt.asking import Asking


@dataclass
class PromptedModel(Model):
    """`writing`: set for readout `generate`; None for `words`, which generates only as a last resort."""

    kind: ClassVar[str] = "prompted"
    cannot_export = f"it answers in words, not from a head; {INSTEAD}"

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
            answers = self.language_model.generate(prompts, self.writing or self.otherwise, progress)
            probabilities, invalid = Matcher(self.reader.words)(answers)
            return answered(self, probabilities, cut, invalid=invalid, answers=answers)
        probabilities = self.objective.probabilities(self.calibration(scores.log_probs))
        return answered(self, probabilities, cut, invalid=scores.invalid)

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

    def prompt(self, text: str, pair: str | None) -> str | None:
        return self.reader.rendered(text, pair)

    def notes(self) -> list[str]:
        return self.reader.notes()

    @property
    def origin(self) -> float | None:
        return self.objective.origin

    @property
    def paid(self) -> bool:  # type: ignore[override]
        return self.language_model.paid

    @property
    def device(self) -> str | None:
        return self.language_model.device

    @property
    def precision(self) -> str | None:
        return self.language_model.precision

    def trainable(self) -> dict[str, Tensor]:
        return self.language_model.trainable()

"""Trained: the result of fitting, a predictor with its costs."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from stratune.data.rows import sample_rows
from stratune.evaluate.scoring import score
from stratune.predictor.predictor import Predictor
from stratune.target.decision import OF_PROBABILITIES
from stratune.target.within_folds import scorer_within
from stratune.train.checkpoint import TrainingState

if TYPE_CHECKING:
    from stratune.data.split import Split
    from stratune.model.answers import Scored
    from stratune.model.base import Model
    from stratune.task import Task
    from stratune.train.trial import Trial


BACKBONE = ("id", "revision", "weight_hash", "held")  # what a manifest says of it


@dataclass
class Trained:
    """A predictor, and how its training went. `position`: None without a training loop."""

    predictor: Predictor
    position: TrainingState | None = None
    train_seconds: float = 0.0  # with frozen activations and choosing a prompt, without validation
    trainable_params: int = 0
    total_params: int | None = 0  # None: a server's
    precision: str | None = None
    history: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)  # for the user
    settings_tried: int = 1  # of which validation chose one
    chose_step: bool = True  # whether validation chose one of the steps that it was asked at
    price: float | None = None  # expected, of what a server answers; None: no server, or no price is known
    prompts: list[Trial] = field(default_factory=list)  # that were tried, the chosen one first
    trials: list[Trial] = field(default_factory=list)  # of the budget, the chosen one first; one alone: none
    all_examples_seen: int | None = None  # of all trials and folds; None: of the only one, in `position`
    is_main_process: bool = True  # in distributed training, the process that writes files
    processes: int = 1
    validation: Scored | None = None  # the model's answers to validation, not calibrated and not decided

    @property
    def examples_seen(self) -> int | None:
        """By the optimiser; None: nothing was trained in steps."""
        return self.all_examples_seen or (self.position.examples_seen if self.position else None)

    def tried(self) -> dict[str, int]:
        """How many of each kind validation chose one of; what there was one of is not told, but for settings.

        Of several trials the sum over them.
        """
        if self.trials:
            counts = [trial.tried for trial in self.trials]
            names = dict.fromkeys(name for count in counts for name in count)
            sums = {name: sum(count.get(name, 0) for count in counts) for name in names}
            return {"trials": len(self.trials), **sums}
        checkpoints = sum("val" in line for line in self.history) if self.chose_step else 0
        found = {"settings": self.settings_tried, "checkpoints": checkpoints, "prompts": len(self.prompts)}
        return {name: count for name, count in found.items() if count > 1 or name == "settings"}

    def validation_answers(self, split: Split) -> Scored:
        """To the validation rows, calibrated and decided; never with a label that no training row has."""
        assert self.validation is not None
        return self.predictor.post(self.validation, split.task.target, split.wrong)

    def validation_metrics(self, split: Split) -> dict[str, float]:
        return metrics_of(self.validation_answers(split), split, "val")


def metrics_of(answers: Scored, split: Split, part: str) -> dict[str, float]:
    """Of the answers to a part's rows, decided."""
    target = split.task.target
    truth = target.truth(split.parts[part]["label"][:])
    folds = split.folds if part == "val" else ()
    said = answers.predictions, answers.invalid, answers.decided
    found = score(scorer_within(folds, target, truth, *said), len(truth))
    left_out = OF_PROBABILITIES if answers.certain else ()
    return {name: value for name, value in found.items() if name not in left_out}


def predictor_of(
    strategy: Any, backbone: Any, task: Task, model: Model, split: Split, seed: int
) -> Predictor:
    """The model with its origin: `strategy.settings()`, and id and weights of `backbone` (or None)."""
    about = {
        "strategy": strategy.settings(),
        "backbone": backbone and {key: getattr(backbone, key) for key in BACKBONE},
        "fingerprint": split.fingerprint,
        "seed": seed,
    }
    return Predictor(replace(task), model, about, sample=sample_rows(split.val))

"""How training runs, for every strategy alike: the budget and the loop's options."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, get_args

from stratune.backbone.family import Held
from stratune.errors import ConfigError, choices
from stratune.options import check_values
from stratune.train.searches import SEARCHES
from stratune.train.space import Choice, Scale, Space, Times
from stratune.train.tpe import need_optuna

STOP_ON = ("score", "loss")
PRECISIONS = ("auto", "bfloat16", "float16", "float32")
WEIGHTS = ("auto", *get_args(Held))
MOST_EPOCHS = 10_000
MOST_TRIALS = 10_000
MOST = 2**31 - 1  # of tokens, words, rows: what torch counts with
TRACKERS = ("tensorboard", "mlflow", "wandb", "trackio")


@dataclass(frozen=True)
class Budget:
    """The budget of every strategy in a comparison; printed on the leaderboard."""

    # Passes over the training rows; None: four, and more where these are few (course.py). A recipe with
    # epochs of its own is reported with those
    epochs: float | None = None
    # settings of each strategy that validation chooses among, its defaults first; baselines and prompts too
    trials: int = 1
    # how they are found: random; halving (those that begin best are trained on); tpe (optuna, an extra)
    search: str = "random"
    # of each run: as long as its trials have not taken these, another is begun; `trials`, if set, is the most
    minutes: float | None = None

    @property
    def most_trials(self) -> int:
        return MOST_TRIALS if self.minutes is not None and self.trials == 1 else self.trials

    def __post_init__(self) -> None:
        if self.epochs is not None:
            _check_epochs(self.epochs, "budget.epochs")
        if not 1 <= self.trials <= MOST_TRIALS:
            low = self.trials < 1
            why = f"{self.trials} is {'below 1' if low else f'above {MOST_TRIALS:,}'}"
            raise ConfigError(why, key="budget.trials")
        if self.search not in SEARCHES:
            raise ConfigError(choices(self.search, SEARCHES), key="budget.search")
        if self.search == "tpe":
            need_optuna()
        if self.minutes is not None:
            check_values(self.minutes, "budget.minutes")
            if not self.minutes > 0:
                raise ConfigError(f"{self.minutes} is not above 0", key="budget.minutes")
            if self.search == "halving":
                why = "halving has to know how many trials there are; set `trials`, or search at random"
                raise ConfigError(why, key="budget.minutes")


@dataclass(frozen=True)
class TrainSettings:
    precision: str = "auto"  # auto, bfloat16, float16 (with loss scaling), float32
    # how weights that are not trained are held: auto, float32, bfloat16, int8, nf4 (QLoRA). auto:
    # bfloat16 where they are stored so, and computed in it or too large otherwise; else float32
    weights: str = "auto"
    class_weights: str | Mapping[str, float] = "none"  # of the loss: none, balanced, or label -> weight
    evals_per_epoch: int = 1  # on validation: each may become the step that is kept
    patience: int = 3  # evaluations without a better validation score before stopping
    stop_on: str = "score"  # what is better, for that and for the step that is kept: score, or loss
    # padded tokens of a micro-batch; None: by device. Larger steps accumulate gradients
    micro_batch_tokens: int | None = None
    checkpoint_seconds: float = 60.0  # between checkpoints
    cache: bool = True  # compute frozen activations once
    gradient_checkpointing: bool = False  # blocks run again in the backward pass: less memory, more time
    max_length: int | None = None  # tokens read of a text; None: what the backbone takes, 512 at most
    max_words: int | None = None  # words read of a text
    track: tuple[str, ...] = ()  # tensorboard, mlflow, wandb, trackio

    def __post_init__(self) -> None:
        object.__setattr__(self, "track", tuple(self.track))
        if self.precision not in PRECISIONS:
            raise ConfigError(choices(self.precision, PRECISIONS), key="train.precision")
        if self.weights not in WEIGHTS:
            raise ConfigError(choices(self.weights, WEIGHTS), key="train.weights")
        if self.stop_on not in STOP_ON:
            raise ConfigError(choices(self.stop_on, STOP_ON), key="train.stop_on")
        for tracker in self.track:
            if tracker not in TRACKERS:
                raise ConfigError(choices(tracker, TRACKERS), key="train.track")
        for key in ("evals_per_epoch", "patience", "micro_batch_tokens", "max_length", "max_words"):
            value = getattr(self, key)
            if value is not None and not 1 <= value <= MOST:
                low = value < 1
                why = f"{value} is {'below 1' if low else f'above {MOST:,}'}"
                raise ConfigError(why, key=f"train.{key}")
        check_values(self.checkpoint_seconds, "train.checkpoint_seconds")
        if self.checkpoint_seconds < 0:
            raise ConfigError(f"{self.checkpoint_seconds} is below 0", key="train.checkpoint_seconds")
        if isinstance(self.class_weights, Mapping):
            for label, weight in self.class_weights.items():
                check_values(weight, f"train.class_weights.{label}")

    def tokens_per_micro_batch(self, device_type: str) -> int:
        """Padded tokens of a micro-batch: more on a GPU, which small micro-batches leave idle."""
        return self.micro_batch_tokens or (4096 if device_type == "cpu" else 32768)


@dataclass(frozen=True)
class Recipe:
    """How a strategy is trained unless the user sets it. How defaults were measured: docs/log.md."""

    # Not `epochs`: every trial has the budget's.
    space: ClassVar[Space] = {
        "learning_rate": Scale(1 / 3, 3),
        "head_learning_rate": Scale(1 / 3, 3),
        "batch_size": Times(0.5, 1, 2),
        "label_smoothing": Choice(0.0, 0.1),
    }

    learning_rate: float = 1e-3  # peak, after warm-up
    head_learning_rate: float | None = None  # of the new head; None: `learning_rate`
    weight_decay: float = 0.01  # AdamW's, on matrices only
    batch_size: int = 32  # rows per optimiser step, on average over the epoch
    epochs: float | None = None  # None: the budget's
    warmup: float = 0.1  # share of the steps
    label_smoothing: float = 0.0  # share of the truth that is spread over all labels
    max_grad_norm: float = 1.0  # longer gradients are scaled down to it

    def __post_init__(self) -> None:
        for key, value in vars(self).items():
            check_values(value, key)
        positive = {
            "learning_rate": self.learning_rate,
            "batch_size": self.batch_size,
            "max_grad_norm": self.max_grad_norm,
            "head_learning_rate": self.head_learning_rate,
        }
        for key, number in positive.items():
            if number is not None and not number > 0:
                raise ConfigError(f"{number} is not above 0", key=key)
        for key, share in {"warmup": self.warmup, "label_smoothing": self.label_smoothing}.items():
            if not 0 <= share < 1:
                raise ConfigError(f"{share} is not from 0 up to 1", key=key)
        if self.weight_decay < 0:
            raise ConfigError(f"{self.weight_decay} is below 0", key="weight_decay")
        if self.batch_size > MOST:
            raise ConfigError(f"{self.batch_size} is above {MOST:,}", key="batch_size")
        if self.epochs is not None:
            _check_epochs(self.epochs, "epochs")


def _check_epochs(epochs: float, key: str) -> None:
    if not epochs > 0:
        raise ConfigError(f"{epochs} is not above 0", key=key)
    if epochs > MOST_EPOCHS:
        raise ConfigError(f"{epochs} is above {MOST_EPOCHS:,}", key=key)

"""Readout `words`: the answer is the probability that the language model gives to each label's words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from stratune.errors import ConfigError, UnsupportedError, choices
from stratune.prompt.template import Shot, Template, find_template, parse_template

if TYPE_CHECKING:
    from datasets import Dataset

    from stratune.backbone.load import Backbone
    from stratune.backbone.tokenizer import TokenizerOnly
    from stratune.data.split import Split
    from stratune.predictor import Predictor
    from stratune.prompt.reader import PromptReader
    from stratune.readout.label_words import LabelWords
    from stratune.task import Task
    from stratune.train.tokens import TextLimit

PICKS = ("random", "fixed")
LOSSES = ("tokens", "labels")
CALIBRATIONS = ("none", "contextual", "batch")


@dataclass(frozen=True)
class Words:
    """Options of the readout. `words` and `descriptions` (by label) stand above those of the template."""

    kind: ClassVar[str] = "words"
    language_model: ClassVar[bool] = True

    template: str | dict[str, Any] = "baseline"  # a built-in one, a YAML file, or a mapping
    words: dict[str, str | list[str]] = field(default_factory=dict)
    descriptions: dict[str, str] = field(default_factory=dict)
    shots: int = 0  # demonstrations, from the training part
    pick: Literal["random", "fixed"] = "random"  # fixed: those of the template
    normalise: bool = False  # mean instead of sum of a word's token log-probabilities
    calibrate: Literal["none", "contextual", "batch"] = "none"
    loss: Literal["tokens", "labels"] = "tokens"  # labels: cross-entropy over the labels alone

    def __post_init__(self) -> None:
        if self.pick not in PICKS:
            raise ConfigError(choices(self.pick, PICKS), key="readout.pick")
        if self.calibrate not in CALIBRATIONS:
            raise ConfigError(choices(self.calibrate, CALIBRATIONS), key="readout.calibrate")
        if self.loss not in LOSSES:
            raise ConfigError(choices(self.loss, LOSSES), key="readout.loss")
        if self.shots < 0:
            raise ConfigError(f"{self.shots} is below 0", key="readout.shots")
        template = self._template()  # what is wrong with it is said now
        if self.pick == "fixed" and not template.shots:
            raise ConfigError("`pick: fixed` takes the template's own `shots`; it has none", key="readout")
        if not isinstance(self.template, str) or self.template.endswith((".yaml", ".yml")):
            # Written out, so that a file that has changed since makes another run.
            object.__setattr__(self, "template", find_template(self.template).to_dict())

    @property
    def draws(self) -> bool:
        """Whether it shows rows of the training part."""
        return self.shots > 0 and self.pick == "random"

    def build(self, backbone: Backbone, outputs: int, seed: int) -> LabelWords:
        from stratune.backbone.attention import use_prefixes
        from stratune.readout.label_words import LabelWords

        if backbone.language_model is None:
            raise UnsupportedError("words", backbone.id, "it was loaded without its layer that says words")
        use_prefixes(backbone)  # what all prompts begin with is read once
        return LabelWords(backbone.language_model, outputs, self.normalise, self.loss)

    def reader(
        self, backbone: Backbone | TokenizerOnly, task: Task, limit: TextLimit, train: Dataset, seed: int
    ) -> PromptReader:
        """Prompts for `task`, with demonstrations from `train`."""
        from stratune.prompt.shots import balanced_shots

        template = self._template().for_labels(task.labels)
        if template.pairs != (task.text_pair is not None):
            has = "two texts" if task.text_pair else "one text"
            raise ConfigError(f"the task has {has}, the template's row not", key=template.name)
        shots = template.shots
        if self.pick == "random":
            shots = balanced_shots(train, task.labels, self.shots, seed, limit.max_words)
        return _reader(backbone, task, limit, template, shots)

    def finish(self, predictor: Predictor, split: Split) -> None:
        """Calibrate, on validation texts or on none."""
        from stratune.predictor import NetScorer
        from stratune.prompt.calibrate import calibrate

        assert isinstance(predictor.scorer, NetScorer)
        calibrate(predictor.scorer, self.calibrate, split)

    def restored(
        self, backbone: Backbone, task: Task, limit: TextLimit, state: Mapping[str, Any]
    ) -> PromptReader:
        """The reader that a model folder describes."""
        template = parse_template(state["template"], "template").for_labels(task.labels)
        return _reader(backbone, task, limit, template, tuple(Shot(**shot) for shot in state["shots"]))

    def _template(self) -> Template:
        own = {"words": self.words, "descriptions": self.descriptions}
        return find_template({"base": self.template, **{k: v for k, v in own.items() if v}})


def _reader(
    backbone: Backbone | TokenizerOnly,
    task: Task,
    limit: TextLimit,
    template: Template,
    shots: tuple[Shot, ...],
) -> PromptReader:
    from stratune.prompt.reader import PromptReader
    from stratune.prompt.render import Renderer

    return PromptReader(backbone, Renderer(template, task.labels, backbone.tokenizer, shots), limit)

"""Readout `words`: probabilities of labels are those of their words (the verbalizer) under the LM head."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal, cast

import numpy as np

from stratune.errors import ConfigError, UnsupportedError, choices
from stratune.longtext.options import LongText
from stratune.prompt.template import Shot, Template, find_template
from stratune.readout.base import Readout
from stratune.readout.registry import register_readout
from stratune.train.space import Choice, Space, Times

if TYPE_CHECKING:
    from datasets import Dataset

    from stratune.backbone.load import Backbone
    from stratune.backbone.tokenizer import TokenizerOnly
    from stratune.data.split import Split
    from stratune.longtext.aggregate import Aggregate
    from stratune.model.base import Model
    from stratune.model.language import LanguageModel
    from stratune.model.prompted import PromptedModel
    from stratune.net.net import Net
    from stratune.net.verbalizer import VerbalizerHead
    from stratune.objective import Objective
    from stratune.prompt.asking import Asking
    from stratune.prompt.reader import PromptReader
    from stratune.prompt.shots import Nearest
    from stratune.task import Task
    from stratune.tokens.reader import Reader
    from stratune.tokens.tokens import TextLimit
    from stratune.train.runtime import Runtime
    from stratune.train.trial import Trial
    from stratune.watch import Progress

BY_ROW = ("nearest", "diverse", "each_label")
PICKS = ("random", *BY_ROW, "fixed")
LOSSES = ("tokens", "labels")
CALIBRATIONS = ("none", "contextual", "batch")
# Options that `tries` may list values for.
TRIED = ("template", "words", "descriptions", "shots", "pick", "similar", "shot_words", "calibrate")


@register_readout("words")
@dataclass(frozen=True)
class Words(Readout):
    """Options of the readout. `words` and `descriptions` (by label) override those of the template.

    `tries` lists values of options, `draws` is the number of draws of demonstrations, and `propose` that of
    instructions which the model writes. Each resulting prompt is scored on validation, and one is kept
    (readout/search.py).
    """

    language_model: ClassVar[bool] = True
    calibrates: ClassVar[bool] = True
    # Templates are of a task: nobody but the user knows which ones fit (`tries`).
    space: ClassVar[Space] = {"shots": Times(0.5, 1, 2), "calibrate": Choice("none", "contextual", "batch")}

    template: str | dict[str, Any] = "baseline"  # a built-in one, a YAML file, or a mapping
    words: dict[str, str | list[str]] = field(default_factory=dict)
    descriptions: dict[str, str] = field(default_factory=dict)
    shots: int = 0  # demonstrations, from the training part
    # random: balanced over labels; for each row: nearest, diverse (near, and far from each other), each_label
    # (the nearest of each in turn); fixed: those of the template
    pick: Literal["random", "nearest", "diverse", "each_label", "fixed"] = "random"
    similar: str = "words"  # by what rows are near: words (TF-IDF), or vectors of a backbone (minilm)
    shot_words: int | None = None  # words read of each demonstration's texts; None: as of a row's
    normalise: bool = False  # mean instead of sum of a word's token log-probabilities
    calibrate: Literal["none", "contextual", "batch"] = "none"
    threshold: bool = False  # with two labels: the decision threshold is chosen on validation
    temperature: bool = False  # temperature scaling on validation
    scale: tuple[float, ...] = ()  # levels of a rating scale, for a numeric target: their expected value
    loss: Literal["tokens", "labels"] = "tokens"  # labels: cross-entropy over the labels alone
    tries: dict[str, list[Any]] = field(default_factory=dict)
    draws: int = 1
    propose: int = 0  # instructions that the model writes itself, each tried as a prompt
    long: LongText = LongText()  # `chunk` asks about each chunk of a document: map, then reduce

    def __post_init__(self) -> None:
        for key, known in (("pick", PICKS), ("calibrate", CALIBRATIONS), ("loss", LOSSES)):
            if getattr(self, key) not in known:
                raise ConfigError(choices(getattr(self, key), known), key=f"readout.{key}")
        for key, least in (("shots", 0), ("draws", 1), ("propose", 0), ("shot_words", 1)):
            value = getattr(self, key)
            if value is not None and value < least:
                raise ConfigError(f"{value} is below {least}", key=f"readout.{key}")
        if self.similar != "words" and self.pick not in BY_ROW and "pick" not in self.tries:
            why = f"it says by what rows are near, and `pick: {self.pick}` takes others"
            raise ConfigError(f"{self.similar}: {why}; one of {', '.join(BY_ROW)}", key="readout.similar")
        if self.long.way in ("hierarchical", "long") or self.long.keep != "head":
            why = "prompts take the beginning of a text, or its chunks by `chunk`"
            raise ConfigError(f"{self.long.way}, {self.long.keep}: {why}", key="readout.long")
        if self.scale and (len(self.scale) < 2 or list(self.scale) != sorted(set(self.scale))):
            raise ConfigError(f"{list(self.scale)}: two numbers or more, rising", key="readout.scale")
        template = self._template()  # its errors are raised now
        if self.pick == "fixed" and not template.shots:
            raise ConfigError("`pick: fixed` takes the template's own `shots`; it has none", key="readout")
        # Written out, so that a template file that changes makes another run.
        object.__setattr__(self, "template", _written_out(self.template))
        self._check_tries()

    def _check_tries(self) -> None:
        for key, values in self.tries.items():
            if key not in TRIED:
                raise ConfigError(choices(key, TRIED), key="readout.tries")
            if not isinstance(values, list) or not values:
                raise ConfigError(f"{values!r} is no list of values", key=f"readout.tries.{key}")
        if "template" in self.tries:
            written = [_written_out(template) for template in self.tries["template"]]
            object.__setattr__(self, "tries", {**self.tries, "template": written})
        for way in self.ways():
            if way not in CALIBRATIONS:
                raise ConfigError(choices(way, CALIBRATIONS), key="readout.calibrate")
        self.prompts()  # each is checked like a single one

    # -- prompts to try

    def prompts(self) -> list[tuple[Words, int]]:
        """Every prompt to try, each with the number of its draw."""
        from stratune.options import typed

        keys = [key for key in self.tries if key != "calibrate"]
        found: list[tuple[Words, int]] = []
        for values in itertools.product(*(self.tries[key] for key in keys)):
            options = typed(type(self), dict(zip(keys, values, strict=True)), key="readout.tries")
            ways = {"calibrate": self.tries["calibrate"]} if "calibrate" in self.tries else {}
            one = replace(self, **options, tries=ways, draws=1) if keys or self.draws > 1 else self
            found += [(one, draw) for draw in range(self.draws if one.shown_at_random else 1)]
        return found

    def instructed(self, instruction: str, number: int) -> Words:
        """With an instruction of the model's own, which is its `number`th."""
        template = self._template().to_dict() | {"name": f"proposed-{number}", "task": instruction}
        return replace(self, template=template)

    def ways(self) -> list[str]:
        """The calibrations to try."""
        return [str(way) for way in self.tries.get("calibrate", [self.calibrate])]

    @property
    def is_plain(self) -> bool:
        """Whether nothing is chosen or fitted on validation."""
        return (
            not (self.tries or self.propose or self.threshold or self.temperature)
            and self.draws == 1
            and self.calibrate == "none"
        )

    @property
    def template_name(self) -> str:
        return self._template().name

    @property
    def shown_at_random(self) -> bool:
        return self.shots > 0 and self.pick == "random"

    @property
    def shows_rows(self) -> bool:
        return any(one.shots and one.pick != "fixed" for one, _ in self.prompts())

    @property
    def refuses_training(self) -> str | None:
        if self.shows_rows:
            return "a training row's prompt could contain its own label; use `pick: fixed` or no `shots`"
        if len(self.prompts()) > 1 or self.propose:
            return "training takes one prompt; choose it first, with a strategy that only prompts"
        return None

    # -- parts of a run

    def head(self, backbone: Backbone, objective: Objective, seed: int) -> VerbalizerHead:
        from stratune.backbone.attention import use_prefixes
        from stratune.net.verbalizer import VerbalizerHead

        if backbone.language_model is None:
            raise UnsupportedError("words", backbone.id, "it was loaded without its LM head")
        if backbone.family.decoder:
            use_prefixes(backbone)  # the shared prefix of prompts is computed once
        return VerbalizerHead(backbone.language_model, objective.outputs, self.normalise)

    def objective(self, task: Task) -> Objective:
        self.asked(task)  # raises for a task that it cannot ask about
        return task.target.verbal_objective(self.scale, self.loss == "tokens")

    def aggregate(self, task: Task) -> Aggregate | None:
        """For a numeric target, probabilities of levels are aggregated before the expected value is taken."""
        from stratune.target import Classes

        joined = super().aggregate(task)
        if joined is None or not task.target.is_numeric:
            return joined
        return replace(joined, target=Classes(self.asked(task)))

    def asked(self, task: Task) -> tuple[str, ...]:
        """What the model chooses among: the task's labels, or the levels of the rating scale.

        Raises UnsupportedError for a multilabel task, and for a numeric target without `scale`.
        """
        return task.target.verbalized(self.scale, f"readout {self.kind}")

    def reader(
        self,
        backbone: Backbone | TokenizerOnly,
        task: Task,
        limit: TextLimit,
        train: Dataset,
        seed: int,
        draw: int = 0,
    ) -> PromptReader:
        """Prompts for `task`, with demonstrations from `train`."""
        shown = self.shown(task, limit.max_words, train, seed, draw)
        return self._reader(backbone, self.asked(task), limit, shown)

    def shown(
        self, task: Task, max_words: int | None, train: Dataset, seed: int, draw: int = 0
    ) -> tuple[Template, tuple[Shot, ...], Nearest | None]:
        """The template for the task's labels; demonstrations of all rows, or the pool of each row's."""
        from stratune.prompt.calibrate import check_two
        from stratune.prompt.shots import Nearest, balanced_shots, pool_of

        labels = self.asked(task)
        template = self._template().for_labels(labels)
        if template.pairs != (task.text_pair is not None):
            has = "two texts" if task.text_pair else "one text"
            raise ConfigError(f"the task has {has}, the template's row not", key=template.name)
        if self.threshold:
            check_two(len(labels))
        most = [words for words in (max_words, self.shot_words) if words is not None]
        read = min(most, default=None)
        if self.shots and task.target.is_numeric:
            train = self._by_level(train)
        if self.shots and self.pick in BY_ROW:
            return template, (), Nearest(pool_of(train, seed, read), self.shots, self.pick, self.similar)
        shots = template.shots if self.pick == "fixed" else ()
        if self.shown_at_random:
            shots = balanced_shots(train, labels, self.shots, seed, read, draw)
        return template, shots, None

    def _by_level(self, train: Dataset) -> Dataset:
        """The table with values replaced by the name of the nearest level."""
        from stratune.objective.scale import nearest_names

        values = np.array([float(value) for value in train["label"][:]])
        return train.remove_columns("label").add_column("label", nearest_names(values, self.scale))

    def answering(self, net: Net, runtime: Runtime, reader: Reader) -> PromptedModel:
        from stratune.model.net_language import NetLanguageModel

        if self.propose and not net.backbone.writes:
            why = "it is an encoder and writes no instructions"
            raise UnsupportedError("propose", net.backbone.id, why)
        return self.prompted(NetLanguageModel(net, runtime), cast("Asking", reader), net.objective)

    def prompted(
        self, language_model: LanguageModel, reader: Asking, objective: Objective, seed: int = 0
    ) -> PromptedModel:
        """A language model, local or on a server, prompted in this way."""
        from stratune.model.language import Writing
        from stratune.model.prompted import PromptedModel

        return PromptedModel(language_model, reader, objective, otherwise=Writing(seed=seed))

    def finish(self, inner: Model, model: Model, split: Split, seed: int, progress: Progress) -> list[Trial]:
        """Choose the prompt, and calibrate."""
        from stratune.readout.search import choose

        prompted = cast("PromptedModel", inner)
        prompted.seed(seed)
        reader = cast("PromptReader", prompted.reader)

        def reader_of(words: Words, draw: int, train: Dataset) -> PromptReader:
            return words.reader(reader.backbone, split.task, reader.limit, train, seed, draw)

        return choose(prompted, model, self, reader_of, split, progress)

    def restored(
        self, backbone: Backbone, task: Task, limit: TextLimit, state: Mapping[str, Any]
    ) -> PromptReader:
        """The reader that a model folder stores."""
        from stratune.prompt.shots import shown_by

        labels = self.asked(task)
        return self._reader(backbone, labels, limit, shown_by(state, labels))

    def _reader(
        self,
        backbone: Backbone | TokenizerOnly,
        labels: tuple[str, ...],
        limit: TextLimit,
        shown: tuple[Template, tuple[Shot, ...], Nearest | None],
    ) -> PromptReader:
        from stratune.prompt.reader import PromptReader
        from stratune.prompt.render import Renderer

        template, shots, nearest = shown
        if self.long.in_chunks:
            limit = replace(limit, max_length=self.long.window)
        renderer = Renderer(template, labels, backbone.tokenizer, shots)
        return PromptReader(backbone, renderer, limit, nearest)

    def _template(self) -> Template:
        own = {"words": self.words, "descriptions": self.descriptions}
        return find_template({"base": self.template, **{k: v for k, v in own.items() if v}})


def _written_out(template: str | dict[str, Any]) -> str | dict[str, Any]:
    """The name of a built-in template; any other as a mapping with all its fields."""
    if isinstance(template, str) and not template.endswith((".yaml", ".yml")):
        return find_template(template).name
    return find_template(template).to_dict()

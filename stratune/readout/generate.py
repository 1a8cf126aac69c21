"""Readout `generate`: the model generates an answer, which is matched with the labels' words.

For comparison with papers that generate. `words` is faster, has no invalid answers, and gives probabilities.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from stratune.errors import ConfigError, UnsupportedError
from stratune.readout.registry import register_readout
from stratune.readout.words import Words
from stratune.train.space import Space, Times

if TYPE_CHECKING:
    from stratune.model.language import LanguageModel
    from stratune.model.prompted import PromptedModel
    from stratune.net.net import Net
    from stratune.objective import Objective
    from stratune.prompt.asking import Asking
    from stratune.tokens.reader import Reader
    from stratune.train.runtime import Runtime


MOST_VOTES = 100


@register_readout("generate")
@dataclass(frozen=True)
class Generate(Words):
    """Options of `words`, which also apply to training, and of generation."""

    calibrates: ClassVar[bool] = False
    space: ClassVar[Space] = {"shots": Times(0.5, 1, 2)}

    sample: float = 0.0  # temperature of sampling; 0: greedy
    max_new_tokens: int | None = None  # of an answer; None: tokens of the longest word, plus four
    votes: int = 1  # answers sampled for each row, of which the label most often given is taken

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.long.in_chunks:
            why = "answers are generated for whole texts only; use the readout `words`"
            raise ConfigError(why, key="readout.long")
        if self.sample < 0:
            raise ConfigError(f"{self.sample} is below 0", key="readout.sample")
        if not 1 <= self.votes <= MOST_VOTES:
            raise ConfigError(f"{self.votes} is not from 1 to {MOST_VOTES}", key="readout.votes")
        if self.votes > 1 and not self.sample:
            why = "without `sample`, a temperature above 0, all answers to a row are the same"
            raise ConfigError(f"{self.votes}: {why}", key="readout.votes")
        if self.max_new_tokens is not None and self.max_new_tokens < 1:
            raise ConfigError(f"{self.max_new_tokens} is below 1", key="readout.max_new_tokens")
        if self.threshold or self.temperature or self.ways() != ["none"]:
            why = "a generated answer has no probability to calibrate; use the readout `words`"
            raise ConfigError(why, key="readout")

    def answering(self, net: Net, runtime: Runtime, reader: Reader) -> PromptedModel:
        if not net.backbone.writes:
            raise UnsupportedError(
                "generate", net.backbone.id, "it is an encoder and cannot generate; use `words`"
            )
        if not net.shares_prefix:
            why = "virtual tokens are in front of the prompt; use the readout `words`"
            raise UnsupportedError("generate", net.backbone.id, why)
        return super().answering(net, runtime, reader)

    def prompted(
        self, language_model: LanguageModel, reader: Asking, objective: Objective, seed: int = 0
    ) -> PromptedModel:
        from stratune.model.language import Writing
        from stratune.model.prompted import PromptedModel

        how = Writing(self.sample, self.max_new_tokens, seed, self.votes)
        return PromptedModel(language_model, reader, objective, writing=how)

"""Rows -> written answers, many at a time, by transformers' `generate`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np
import torch
from torch import Tensor

from stratune.model.answers import Scored, answered
from stratune.model.net import NetModel
from stratune.net.verbalizer import VerbalizerHead
from stratune.prompt.match import Matcher
from stratune.tokens.batches import sorted_batches
from stratune.train.feed import Feed
from stratune.train.precision import autocast
from stratune.watch import SILENT, Progress

if TYPE_CHECKING:
    from transformers import GenerationConfig

    from stratune.prompt.reader import PromptReader
    from stratune.tokens.tokens import Tokens

SPARE = 4  # tokens more than the longest word has: an answer that goes on is seen to go on


@dataclass
class GenerateModel(NetModel):
    """`sample` is a temperature, 0 for greedy; `max_new_tokens` None: those of the longest word and `SPARE`.

    Sampling starts from the same random state in every call: the same rows get the same answers.
    """

    sample: float = 0.0
    max_new_tokens: int | None = None

    def __call__(
        self, texts: Sequence[str], pairs: Sequence[str] | None, progress: Progress = SILENT
    ) -> Scored:
        reader = cast("PromptReader", self.reader)
        tokens = reader.tokens(texts, pairs)
        answers = self._written(tokens, progress)
        words = {label: reader.renderer.template.words[label] for label in reader.renderer.labels}
        predictions, invalid = Matcher(words)(answers)
        cut = np.asarray(tokens.cut)
        return answered(self.net.objective, predictions, cut, invalid=invalid, answers=answers)

    def _written(self, tokens: Tokens, progress: Progress) -> list[str]:
        assert tokens.ask is not None
        assert isinstance(self.net.head, VerbalizerHead)
        model, pad = self.net.head.language_model, self.pad
        longest = int(tokens.ask.trie.paths.sum(axis=1).max())
        how = self._how(self.max_new_tokens or longest + SPARE)
        feed, answers = Feed(tokens, pad), [""] * len(tokens)
        self.net.eval()
        devices = [self.device] if self.device.type == "cuda" else []
        with torch.inference_mode(), autocast(self.device, self.precision), torch.random.fork_rng(devices):
            torch.manual_seed(0)
            for rows in sorted_batches(tokens.lengths + len(tokens.ask.prefix), self.micro_batch_tokens):
                ids, mask = on_the_left(*self.net.with_prefix(feed.batch(rows).to(self.device)), pad)
                written = model.generate(input_ids=ids, attention_mask=mask, generation_config=how)
                new = self.net.backbone.tokenizer.batch_decode(
                    written[:, ids.shape[1] :], skip_special_tokens=True
                )
                for row, answer in zip(rows, new, strict=True):
                    answers[row] = answer
                progress.rows(len(rows))
        return answers

    def _how(self, most: int) -> GenerationConfig:
        """Only what was asked for: a model's own generation settings may sample, or punish repetition."""
        from transformers import GenerationConfig

        assert isinstance(self.net.head, VerbalizerHead)
        ends = self.net.head.language_model.generation_config.eos_token_id
        sampling = {"do_sample": True, "temperature": self.sample, "top_k": 0} if self.sample else {}
        return GenerationConfig(max_new_tokens=most, pad_token_id=self.pad, eos_token_id=ends, **sampling)


def on_the_left(ids: Tensor, mask: Tensor, pad: int) -> tuple[Tensor, Tensor]:
    """Rows (B, T) padded on the right -> padded on the left, where what is written goes on from the text."""
    shift = ids.shape[1] - mask.sum(dim=1, keepdim=True)  # (B, 1)
    place = torch.arange(ids.shape[1], device=ids.device) - shift
    moved = ids.gather(1, place.clamp(min=0))
    there = place >= 0
    return moved.where(there, torch.full_like(moved, pad)), there.to(mask.dtype)

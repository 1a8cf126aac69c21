"""A local language model: label scores in one forward pass, generation by transformers."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from stratune.model.language import LabelScores, LanguageModel, Writing, Written
from stratune.model.net_files import write_net
from stratune.net.verbalizer import ended
from stratune.tokens.batches import sorted_batches
from stratune.train.feed import Feed
from stratune.train.infer import infer
from stratune.train.runtime import autocast
from stratune.watch import Progress

if TYPE_CHECKING:
    from transformers import GenerationConfig

    from stratune.net.net import Net
    from stratune.tokens.batches import Batch
    from stratune.tokens.tokens import Tokens
    from stratune.train.runtime import Runtime

SPARE = 4  # tokens beyond the longest word, so that a longer answer is seen not to match
_sampling = threading.Lock()  # transformers samples from torch's global generator


@dataclass
class NetLanguageModel(LanguageModel):
    """`net` has a VerbalizerHead: its outputs are log-probabilities of the labels' words."""

    net: Net
    runtime: Runtime

    def log_probs(self, prompts: Tokens, progress: Progress) -> LabelScores:
        found = infer(self.net, Feed(prompts, self.pad), self.runtime, progress=progress)
        # The mean of a word's log-probabilities is no probability of the word.
        mass = None if self.normalised else np.exp(found).sum(axis=1).clip(max=1.0)
        return LabelScores(found, mass=mass)

    def generate(self, prompts: Tokens, how: Writing, progress: Progress) -> Written:
        assert prompts.scoring is not None
        longest = int(prompts.scoring.trie.paths.sum(axis=1).max())
        options = self._options(how, how.max_new_tokens or longest + SPARE)
        feed, answers = Feed(prompts, self.pad), [""] * len(prompts)
        lengths = prompts.lengths + len(prompts.scoring.prefix)
        decode = self.net.backbone.tokenizer.batch_decode
        self.net.eval()
        with torch.inference_mode(), autocast(self.runtime), self._seeded(how):
            for rows in sorted_batches(lengths, self.runtime.micro_batch_tokens):
                batch = feed.batch(rows).to(self.runtime.device)
                given, read = self._given(batch)
                written = self._language_model.generate(**given, generation_config=options)
                new = decode(written[:, read:], skip_special_tokens=True)
                for row, answer in zip(rows, new, strict=True):
                    answers[row] = answer
                progress.rows(len(rows))
        return Written(answers)

    def _given(self, batch: Batch) -> tuple[dict[str, Tensor], int]:
        """What the model reads, and how many tokens of what it returns are no answer."""
        assert batch.scoring is not None
        ids, mask = self.net.with_shared_prefix(batch)
        if not batch.scoring.begins:
            ids, mask = on_the_left(ids, mask, self.pad)
            return {"input_ids": ids, "attention_mask": mask}, ids.shape[1]
        begins = ids.new_tensor(batch.scoring.begins)
        ids, mask = ended(ids, mask, batch.scoring.tail)
        read = {"input_ids": ids, "attention_mask": mask, "decoder_input_ids": begins.expand(len(ids), -1)}
        return read, len(begins)

    @contextmanager
    def _seeded(self, how: Writing) -> Iterator[None]:
        """Seed torch's generator for this call, one call at a time, and restore it afterwards."""
        if not how.temperature:
            yield
            return
        devices = [self.runtime.device] if self.runtime.device.type == "cuda" else []
        with _sampling, torch.random.fork_rng(devices):
            torch.manual_seed(how.seed)
            yield

    def _options(self, how: Writing, most: int) -> GenerationConfig:
        """A new config: a model's own generation config may sample, or have a repetition penalty."""
        from transformers import GenerationConfig

        ends = self._language_model.generation_config.eos_token_id
        sampling = {"do_sample": True, "temperature": how.temperature, "top_k": 0} if how.temperature else {}
        begins = self.net.backbone.begins
        return GenerationConfig(
            max_new_tokens=most,
            pad_token_id=self.pad,
            eos_token_id=ends,
            decoder_start_token_id=begins[0] if begins else None,
            **sampling,
        )

    def write(self, folder: Path, words: Mapping[str, Sequence[str]]) -> dict[str, Any]:
        write_net(self.net, folder)
        return {"precision": self.runtime.precision}

    @property
    def device(self) -> str | None:
        return str(self.runtime.device)

    @property
    def precision(self) -> str | None:
        return self.runtime.precision

    def trainable(self) -> dict[str, Tensor]:
        return dict(self.net.trainable())

    @property
    def normalised(self) -> bool:
        return bool(self.net.head.normalise)

    @property
    def pad(self) -> int:
        return self.net.backbone.pad

    @property
    def _language_model(self) -> Any:
        return self.net.backbone.language_model


def on_the_left(ids: Tensor, mask: Tensor, pad: int) -> tuple[Tensor, Tensor]:
    """Rows (B, T) padded on the right -> padded on the left, so that new tokens directly follow the text."""
    shift = ids.shape[1] - mask.sum(dim=1, keepdim=True)  # (B, 1)
    index = torch.arange(ids.shape[1], device=ids.device) - shift  # (B, T)
    moved = ids.gather(1, index.clamp(min=0))
    there = index >= 0
    return moved.where(there, torch.full_like(moved, pad)), there.to(mask.dtype)

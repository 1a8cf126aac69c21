"""The head of readout `words`: log-probabilities of the verbalizer's words after the prompt."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from stratune.backbone.calls import make_interceptable
from stratune.net.cpu_kernels import run_again
from stratune.net.head import Encoder, Head
from stratune.net.vocabulary import vocabulary_logits

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from stratune.tokens.batches import Batch
    from stratune.tokens.trie import Trie

MOST_LOGITS = 2**24  # held at once, in float32: 64 MiB, and as much again for their logarithms


class VerbalizerHead(Head):
    """(B, K): log of the summed probability of each label's words under the LM head.

    `normalise`: the mean of a word's token log-probabilities in the place of their sum.
    """

    def __init__(self, language_model: PreTrainedModel, outputs: int, normalise: bool) -> None:
        super().__init__()
        self.outputs = outputs
        self.normalise = normalise
        language_model.requires_grad_(False)
        # In a tuple, so that it is not a submodule: its body is the net's backbone.
        self._language_model = (language_model,)
        make_interceptable(language_model.base_model)

    @property
    def language_model(self) -> PreTrainedModel:
        return self._language_model[0]

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> VerbalizerHead:
        """`net.to(device)` moves the LM head, too, whether it is tied to the embeddings or not."""
        self.language_model._apply(fn, recurse)
        super()._apply(fn, recurse)  # type: ignore[no-untyped-call]
        return self

    def forward(self, net: Encoder, batch: Batch) -> Tensor:
        assert batch.scoring is not None
        trie = batch.scoring.trie
        way = self._masked if batch.scoring.mask is not None else self._continued
        words = (self._written if batch.scoring.begins else way)(net, batch)
        if self.normalise:
            words = words / torch.tensor([len(word) for word in trie.words], device=words.device)
        labels = [words[:, trie.owner == k].logsumexp(dim=1) for k in range(self.outputs)]
        return torch.stack(labels, dim=1)

    def _continued(self, net: Encoder, batch: Batch) -> Tensor:
        """(B, W) log-probabilities of words after the prompt: sums along their tokens."""
        assert batch.scoring is not None
        trie = batch.scoring.trie
        states = self._states(net, batch, trie)  # (B, 1 + n, C)
        edges = torch.cat([self._edges(part, trie) for part in self._slices(states)])  # (B, E)
        return edges @ torch.from_numpy(trie.paths).to(edges).T

    def _slices(self, states: Tensor) -> Sequence[Tensor]:
        """Rows of the batch, so many at once that one state of each has at most `MOST_LOGITS`."""
        return torch.split(states, max(1, MOST_LOGITS // self._vocabulary))

    def _edges(self, states: Tensor, trie: Trie) -> Tensor:
        """(b, 1 + n, C) -> (b, E) log-probabilities of the trie's edges.

        Many labels of several tokens have many states, each with the whole vocabulary: so a few states at a
        time, of which only the edges' tokens stay. What training needs of a slice is computed again.
        """
        at_once = max(1, MOST_LOGITS // (len(states) * self._vocabulary))
        again = torch.is_grad_enabled() and states.requires_grad and states.shape[1] > at_once
        found, order = [], []
        for start in range(0, states.shape[1], at_once):
            here = np.flatnonzero((trie.state >= start) & (trie.state < start + at_once))
            state, token = torch.as_tensor(trie.state[here] - start), torch.as_tensor(trie.token[here])
            part = states[:, start : start + at_once]
            if again:
                found.append(run_again(self._chosen, part, state, token))
            else:
                found.append(self._chosen(part, state, token))
            order.append(here)
        back = np.argsort(np.concatenate(order))
        return torch.cat(found, dim=1)[:, torch.as_tensor(back)]

    def _chosen(self, states: Tensor, state: Tensor, token: Tensor) -> Tensor:
        """(b, s, C) -> (b, e): of each edge the log-probability of its token at its state."""
        return self._log_probs(states)[:, state, token]

    @property
    def _vocabulary(self) -> int:
        return int(self.language_model.config.get_text_config().vocab_size)

    def _masked(self, net: Encoder, batch: Batch) -> Tensor:
        """(B, W) log-probabilities of words, each in the place of as many masks as it has tokens.

        The tokens of a word are treated as independent and masked at once, as in the first step of Schick &
        Schuetze (2021). One forward pass for each number of tokens.
        """
        assert batch.scoring is not None
        words = batch.scoring.trie.words
        found: list[Tensor | None] = [None] * len(words)
        for count in sorted({len(word) for word in words}):
            log_probs = self._log_probs(self._slots(net, batch, count))  # (B, count, V)
            for w, word in enumerate(words):
                if len(word) == count:
                    found[w] = log_probs[:, torch.arange(count), list(word)].sum(dim=1)
        return torch.stack([one for one in found if one is not None], dim=1)

    def _slots(self, net: Encoder, batch: Batch, count: int) -> Tensor:
        """Hidden states (B, count, C) of `count` masks between each prompt and the tail."""
        assert batch.scoring is not None
        ids, mask = net.with_shared_prefix(batch)
        end = mask.sum(dim=1, keepdim=True)
        ids, mask = ended(ids, mask, [batch.scoring.mask or 0] * count + list(batch.scoring.tail))
        hidden = net.encode(replace(batch, ids=ids, mask=mask))
        rows = torch.arange(len(ids), device=ids.device)[:, None]
        return hidden[rows, end + torch.arange(count, device=ids.device)]

    def _written(self, net: Encoder, batch: Batch) -> Tensor:
        """(B, W) log-probabilities of words that a decoder writes, after the encoder has read the prompt."""
        assert batch.scoring is not None
        ids, mask = ended(*net.with_shared_prefix(batch), batch.scoring.tail)
        states = net.encode(replace(batch, ids=ids, mask=mask))
        words, begins = batch.scoring.trie.words, list(batch.scoring.begins)
        longest = max(map(len, words))
        padded = torch.tensor([[*word, *[0] * (longest - len(word))] for word in words], device=ids.device)
        there = torch.tensor([[k < len(word) for k in range(longest)] for word in words], device=ids.device)
        fed = torch.cat([padded.new_tensor(begins).expand(len(words), -1), padded[:, :-1]], dim=1)
        at_once = max(1, MOST_LOGITS // (fed.numel() * self._vocabulary))
        parts = zip(torch.split(states, at_once), torch.split(mask, at_once), strict=True)
        again = torch.is_grad_enabled() and len(states) > at_once
        call = partial(run_again, self._decoded) if again else self._decoded
        found = [call(*part, fed, padded) for part in parts]  # (b, W, longest)
        return (torch.cat(found) * there).sum(dim=2)

    def _decoded(self, states: Tensor, mask: Tensor, fed: Tensor, wanted: Tensor) -> Tensor:
        """(b, W, n): of b texts, log-probabilities of the `wanted` (W, n) tokens behind those `fed`."""
        from transformers.modeling_outputs import BaseModelOutput

        count, words = len(states), len(fed)
        logits = self.language_model(
            encoder_outputs=BaseModelOutput(states.repeat_interleave(words, dim=0)),
            attention_mask=mask.repeat_interleave(words, dim=0),
            decoder_input_ids=fed.repeat(count, 1),
            use_cache=False,
        ).logits[:, -wanted.shape[1] :]
        log_probs = logits.float().log_softmax(dim=-1).view(count, words, *logits.shape[1:])
        found: Tensor = log_probs.gather(3, wanted.expand(count, -1, -1)[..., None])
        return found[..., 0]

    def _log_probs(self, states: Tensor) -> Tensor:
        """(B, S, C) -> (B, S, V) log-probabilities, in float32."""
        with torch.autocast(states.device.type, enabled=False):
            return vocabulary_logits(self.language_model, states.float()).float().log_softmax(dim=-1)

    def _states(self, net: Encoder, batch: Batch, trie: Trie) -> Tensor:
        """Hidden states (B, 1 + n, C) at the end of each prompt and at the n inner nodes of the trie.

        The nodes follow the padded prompts; each attends to its prompt and to its ancestors in the trie.
        """
        ids, mask = net.with_shared_prefix(batch)
        count, length = ids.shape
        nodes = torch.from_numpy(trie.fed).to(ids).expand(count, -1)
        depth = torch.from_numpy(trie.depth).to(ids)
        positions = (mask.cumsum(dim=1) - 1).clamp(min=0)  # (B, T)
        after = mask.sum(dim=1, keepdim=True) - 1 + depth  # (B, n)
        hidden = net.continued(
            torch.cat([ids, nodes], dim=1),
            tree_mask(mask, torch.from_numpy(trie.sees).to(mask.device)),
            torch.cat([positions, after], dim=1),
        )
        last = (mask * torch.arange(length, device=mask.device)).argmax(dim=1)
        end = hidden[torch.arange(count, device=mask.device), last]
        return torch.cat([end[:, None], hidden[:, length:]], dim=1)


def packed(ids: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """(B, T) with padding anywhere -> tokens first, in their order, then padding."""
    order = (1 - mask).argsort(dim=1, stable=True)
    return ids.gather(1, order), mask.gather(1, order)


def ended(ids: Tensor, mask: Tensor, behind: Sequence[int]) -> tuple[Tensor, Tensor]:
    """(B, T) with padding anywhere -> tokens first, the tokens `behind` each row's, then padding."""
    ids, mask = packed(ids, mask)
    width = len(behind)
    at = mask.sum(dim=1, keepdim=True) + torch.arange(width, device=ids.device)  # (B, width)
    ids = torch.cat([ids, ids.new_zeros(len(ids), width)], dim=1)
    mask = torch.cat([mask, mask.new_zeros(len(mask), width)], dim=1)
    ids.scatter_(1, at, ids.new_tensor(list(behind)).expand(len(ids), -1))
    mask.scatter_(1, at, 1)
    return ids, mask


def tree_mask(mask: Tensor, sees: Tensor) -> Tensor:
    """Mask (B, T) and tree (n, n), who attends to whom -> (B, 1, T + n, T + n), True where attended."""
    count, length = mask.shape
    nodes = len(sees)
    seen = mask.new_zeros(count, length + nodes, length + nodes, dtype=torch.bool)
    seen[:, :length, :length] = mask.new_ones(length, length, dtype=torch.bool).tril()
    seen[:, length:, :length] = True
    seen[:, :, :length] &= mask.bool()[:, None]
    seen[:, length:, length:] = sees
    seen.diagonal(dim1=1, dim2=2)[:] = True  # padding attends to itself: a softmax over nothing is NaN
    return seen[:, None]

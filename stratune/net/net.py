"""Net: a backbone and a readout as one module; the seam between its frozen bottom and its learning top."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from stratune.backbone.attention import after, recording
from stratune.backbone.virtual import Prompt, PromptOrder, after_virtual
from stratune.errors import UnsupportedError
from stratune.memory import trim_heap
from stratune.net.document_head import DocumentHead
from stratune.net.pooling import pooled
from stratune.net.verbalizer import VerbalizerHead

if TYPE_CHECKING:
    from stratune.backbone.family import Pool
    from stratune.backbone.load import Backbone
    from stratune.longtext.aggregate import Aggregate
    from stratune.net.pooled_head import PooledHead
    from stratune.objective import Objective
    from stratune.readout.head import Head
    from stratune.readout.words import Words
    from stratune.tokens.batches import Batch
    from stratune.tokens.tokens import Tokens


# Tokens of a document's chunks whose activations are held at once; on accelerators eight times as many. With
# 4,096 LoRA on minilm held 5.0 GB while it learned from whole hearings.
TOKENS_AT_ONCE = 2048


class _Reached(Exception):
    """Stops a forward pass at the seam; carries nothing (the hook has kept the hidden states)."""


class Net(nn.Module):
    """`net(batch) -> logits (B, K)` in float32. A strategy's `adapt` may wrap `self.model` (peft does)."""

    def __init__(self, backbone: Backbone, readout: Head | Words, objective: Objective, seed: int) -> None:
        super().__init__()
        self.backbone = backbone
        self.model: Any = backbone.model  # what is called: the bare model, or its wrapper
        self.prompt: Prompt | None = None
        self.recomputes = False
        self._read = 0  # tokens in front of every row whose keys and values are already there
        self.objective = objective  # how its outputs are read
        self.head: PooledHead | DocumentHead | VerbalizerHead = readout.build(backbone, objective, seed)
        self.aggregate: Aggregate | None = None  # what the rows of a document say together
        for parameter in self.model.parameters():
            parameter.requires_grad_(False)

    # -- forward

    def forward(self, batch: Batch) -> Tensor:
        if isinstance(self.head, VerbalizerHead):
            return self.head(self, batch)  # type: ignore[no-any-return]
        if isinstance(self.head, DocumentHead):
            assert batch.owner is not None
            vectors = batch.pooled if batch.pooled is not None else self._vectors(batch, self.head.pool)
            return self.head.classify(vectors, batch.owner, batch.count)
        if batch.pooled is not None:
            return self.head.classify(batch.pooled)
        if batch.hidden is not None:
            with self._resumed(batch.hidden, batch.depth):
                return self.head(self.encode(batch), batch.mask)  # type: ignore[no-any-return]
        return self.head(self.encode(batch), batch.mask)  # type: ignore[no-any-return]

    @property
    def by_document(self) -> bool:
        return isinstance(self.head, DocumentHead)

    def _vectors(self, batch: Batch, pool: Pool) -> Tensor:
        """(N', C) of chunks. While they learn only as many are held in memory as one pass may take: their
        blocks run again in the backward pass (as GradCache does, Gao et al. 2021).
        """

        def encoded(part: Batch) -> Tensor:
            trim_heap()
            if part.hidden is not None:
                with self._resumed(part.hidden, part.depth):
                    return pooled(self.encode(part), part.mask, pool)
            return pooled(self.encode(part), part.mask, pool)

        tokens = TOKENS_AT_ONCE * (1 if batch.ids.device.type == "cpu" else 8)
        parts = batch.split(max(1, tokens // batch.ids.shape[1]))
        if not torch.is_grad_enabled():
            return torch.cat([encoded(part) for part in parts])
        return torch.cat([checkpoint(encoded, part, use_reentrant=False) for part in parts])

    def encode(self, batch: Batch) -> Tensor:
        """Token ids (B, T) -> last hidden states (B, T, C) of the text, never of virtual tokens."""
        if self.prompt is None:
            return self._hidden({"input_ids": batch.ids}, batch.mask, batch.types)
        order = PromptOrder.of(batch.mask, self.prompt.length)
        words = self.backbone.model.get_input_embeddings()(batch.ids)  # (B, T, E)
        embeddings = order.joined(self.prompt().to(words.dtype).expand(len(words), -1, -1), words)
        virtual = batch.mask.new_zeros(len(words), self.prompt.length)
        mask = order.joined(virtual + 1, batch.mask)
        types = order.joined(virtual, batch.types) if batch.types is not None else None
        return order.text(self._hidden({"inputs_embeds": embeddings}, mask, types))

    def _hidden(self, inputs: dict[str, Any], mask: Tensor, types: Tensor | None) -> Tensor:
        inputs["attention_mask"] = mask
        if types is not None:
            inputs["token_type_ids"] = types
        family = self.backbone.family
        # Told, so that they are the same under left padding.
        inputs["position_ids"] = (mask.cumsum(dim=1) - 1).clamp(min=0) + family.reserved_positions
        if family.decoder:
            inputs["use_cache"] = False
        if family.global_first:
            first = (mask.cumsum(dim=1) == 1) & mask.bool()
            inputs["global_attention_mask"] = first.to(mask.dtype)
        return self.model(**inputs).last_hidden_state  # type: ignore[no-any-return]

    # -- prompts (readout `words`)

    def hidden_of(self, ids: Tensor, seen: Tensor, places: Tensor) -> Tensor:
        """ids (B, T), who sees whom (B, 1, T, T), positions (B, T) -> last hidden states (B, T, C)."""
        count = self.virtual_tokens
        window = getattr(self.backbone.model.config, "sliding_window", None)
        if window and (length := self._read + count + ids.shape[1]) > window:
            why = f"it attends to {window} tokens at a time; read fewer words, or show fewer rows"
            raise UnsupportedError(f"a prompt of {length} tokens", self.backbone.id, why)
        inputs: dict[str, Any] = {"input_ids": ids}
        if self.prompt is not None:
            words = self.backbone.model.get_input_embeddings()(ids)
            vectors = self.prompt().to(words.dtype).expand(len(ids), -1, -1)
            inputs = {"inputs_embeds": torch.cat([vectors, words], dim=1)}
            seen = after_virtual(seen, count)
            own = torch.arange(count, device=ids.device).expand(len(ids), -1)
            places = torch.cat([own, places + count], dim=1)
        inputs |= {"attention_mask": seen, "position_ids": places + self._read, "use_cache": False}
        return self.model(**inputs).last_hidden_state[:, count:]  # type: ignore[no-any-return]

    def with_prefix(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Ids and mask (B, T), with the tokens that all prompts begin with unless they are read already."""
        assert batch.ask is not None
        if self._read:
            return batch.ids, batch.mask
        prefix = torch.from_numpy(batch.ask.prefix).to(batch.ids).expand(len(batch), -1)
        return torch.cat([prefix, batch.ids], dim=1), torch.cat([prefix * 0 + 1, batch.mask], dim=1)

    @contextmanager
    def reading(self, tokens: Tokens) -> Iterator[None]:
        """Within the block what all prompts of `tokens` begin with is run once, and its keys and values kept.

        For the time of a prediction: in training every row needs its own way back through them.
        """
        ask = tokens.ask
        # A masked model reads to both sides: what comes later changes what it makes of the beginning.
        if ask is None or not len(ask.prefix) or ask.mask is not None or self.begins_with_trainable():
            yield
            return
        prefix = ask.prefix
        ids = torch.as_tensor(prefix, device=next(self.parameters()).device)[None]
        seen = torch.ones(len(prefix), len(prefix), dtype=torch.bool, device=ids.device).tril()[None, None]
        with torch.no_grad(), recording() as found:
            self.hidden_of(ids, seen, torch.arange(len(prefix), device=ids.device)[None])
        with after(self.backbone.model, found):
            self._read = len(prefix)
            try:
                yield
            finally:
                self._read = 0

    def begins_with_trainable(self) -> bool:
        """Whether a learned prompt or prefix stands in front of the first token already."""
        modules = self.model.modules()  # peft's wrappers have a `prefix` too, a string
        return self.prompt is not None or any(
            isinstance(getattr(m, "prefix", None), nn.Module) for m in modules
        )

    def add_prompt(self, prompt: Prompt) -> None:
        """Put learned vectors in front of every text. Raises UnsupportedError when no room is left for it."""
        room = self.backbone.max_length
        if prompt.length > room // 2:
            why = f"{prompt.length} virtual tokens leave little of its {room} places for the text"
            raise UnsupportedError("a prompt", self.backbone.id, why)
        self.prompt = prompt

    def recompute(self) -> None:
        """Gradient checkpointing: blocks keep their input alone and run again in the backward pass.

        Chen et al. 2016. Raises UnsupportedError where transformers' model cannot.
        """
        model = self.backbone.model
        if not model.supports_gradient_checkpointing:
            raise UnsupportedError("gradient_checkpointing", self.backbone.id, "its blocks cannot run twice")
        model.activation_checkpointing_enable({"use_reentrant": False})
        self.recomputes = True

    @property
    def virtual_tokens(self) -> int:
        """Places of the backbone that are not the text's."""
        return self.prompt.length if self.prompt is not None else 0

    # -- what learns

    def trainable(self) -> dict[str, nn.Parameter]:
        """The trainable tensors by name: all that training changes, checkpoints keep and the model folder
        holds.
        """
        return {name: p for name, p in self.named_parameters() if p.requires_grad}

    def frozen_blocks(self) -> int:
        """How many bottom blocks see nothing that learns, in or below them: their output is a function of
        the text.
        """
        blocks = self.backbone.blocks
        if isinstance(self.head, VerbalizerHead):
            return 0  # its rows are prompts and labels in one pass
        trainable = {id(p) for p in self.trainable().values()} - {id(p) for p in self.head.parameters()}
        if not trainable:
            return len(blocks)
        first = next(
            (i for i, b in enumerate(blocks) if any(p.requires_grad for p in b.parameters())), len(blocks)
        )
        above = [p for block in blocks[first:] for p in block.parameters()] + self._final_norm_parameters()
        outside = trainable - {id(p) for p in above}
        family = self.backbone.family
        return 0 if outside or family.shared_blocks or family.pads else min(first, len(blocks) - 1)

    def _final_norm_parameters(self) -> list[nn.Parameter]:
        path = self.backbone.family.final_norm
        return list(self.backbone.model.get_submodule(path).parameters()) if path else []

    def train(self, mode: bool = True) -> Net:
        """Train mode reaches only what learns: a frozen block keeps its dropout off (design, rule 7)."""
        super().train(False)
        if not mode:
            return self
        self.training = True
        self.head.train(any(p.requires_grad for p in self.head.parameters()))
        for block in self.backbone.blocks:
            block.train(any(p.requires_grad for p in block.parameters()))
            block.training |= self.recomputes  # the flag that transformers looks at; what is in it stays
        embeddings = self.backbone.model.get_input_embeddings()
        if any(p.requires_grad for p in embeddings.parameters()):
            for module in self.backbone.model.children():
                if module is not self._block_list():
                    _train_leaves(module, skip=self._block_list())
        return self

    def _block_list(self) -> nn.Module:
        blocks: nn.Module = self.backbone.model.get_submodule(self.backbone.family.blocks)
        return blocks

    # -- the seam

    @torch.no_grad()
    def bottom(self, batch: Batch, depth: int) -> Tensor:
        """Run embeddings and the first `depth` blocks only: the hidden states (B, T, C) that block `depth`
        would get.
        """
        kept: list[Tensor] = []

        def stop(_: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
            kept.append(args[0] if args else kwargs["hidden_states"])
            raise _Reached

        handle = self.backbone.blocks[depth].register_forward_pre_hook(stop, with_kwargs=True)
        try:
            self.encode(batch)
        except _Reached:
            return kept[0]
        finally:
            handle.remove()
        raise AssertionError("the model never reached its own block")

    @contextmanager
    def _resumed(self, hidden: Tensor, depth: int) -> Iterator[None]:
        """Within the block, the model's forward skips `depth` blocks and goes on from `hidden`.

        The model's own forward still runs, so masks, positions and rotary tables are whatever its family
        makes them: the skipped blocks only pass their input through, and the first real one is handed
        `hidden` instead.
        """

        def passed(x: Tensor, *_: Any, **__: Any) -> Any:
            return (x, None) if self.backbone.family.block_returns_tuple else x

        def swap(_: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, Any]:
            return ((hidden, *args[1:]), kwargs) if args else (args, {**kwargs, "hidden_states": hidden})

        skipped = self.backbone.blocks[:depth]
        handle = self.backbone.blocks[depth].register_forward_pre_hook(swap, with_kwargs=True)
        try:
            for block in skipped:
                block.forward = passed
            yield
        finally:
            handle.remove()
            for block in skipped:
                block.__dict__.pop("forward", None)


def _train_leaves(module: nn.Module, skip: nn.Module) -> None:
    """Put everything below `module` except the blocks into train mode."""
    if module is skip:
        return
    module.training = True
    for child in module.children():
        _train_leaves(child, skip)

"""Net: a backbone and a head as one module; the boundary between its frozen bottom and its trainable top."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from stratune.backbone.attention import after, prefix_length, recording
from stratune.backbone.calls import intercepting, make_interceptable
from stratune.backbone.casts import Casts, casts_in_use
from stratune.backbone.inputs import model_inputs, taken, tokens_first
from stratune.errors import UnsupportedError
from stratune.net.cpu_kernels import CpuKernels, first_and_again
from stratune.net.pooling import pooled

if TYPE_CHECKING:
    from stratune.backbone.load import Backbone
    from stratune.net.head import Head
    from stratune.objective import Objective
    from stratune.tokens.batches import Batch
    from stratune.tokens.tokens import Tokens


class _Reached(Exception):
    """Stops a forward pass at the boundary. The hidden states are stored before it is raised."""


class Net(nn.Module):
    """`net(batch) -> logits (B, outputs)` in float32.

    A technique makes parameters trainable, swaps modules inside the backbone, or puts a module of its own
    around the model (`wrap`).
    """

    def __init__(self, backbone: Backbone, head: Head, objective: Objective) -> None:
        super().__init__()
        self.backbone = backbone
        self.model: Any = backbone.model  # the module that is called: the bare model, or one around it
        self.objective = objective  # loss, and how logits become predictions
        self.head = head
        self.reserved_positions = 0  # of the context length, taken by virtual tokens
        self.shares_prefix = True  # whether the prefix of all prompts may be computed once for all rows
        self.contrasts = (
            False  # training compares vectors of rows; the head is solved (objective/contrast.py)
        )
        self.recomputes = False  # gradient checkpointing is on
        self.casts = Casts(backbone.casts)
        self.in_parts = False  # several processes hold parts of its blocks, and run it together
        self._pretrained = list(backbone.model.parameters())
        for block in backbone.blocks:
            make_interceptable(block)
        for parameter in self._pretrained:
            parameter.requires_grad_(False)

    def wrap(self, make: Callable[[Any], nn.Module], positions: int = 0) -> None:
        """Put a module around the model: `make` gets the module that is called now, and returns the new one.

        The new one takes the same arguments and returns hidden states of the text only. It uses `positions`
        of the context length (virtual tokens), which the text loses. Raises UnsupportedError when those are
        more than half.
        """
        room = self.backbone.max_length
        if positions > room // 2:
            why = f"{positions} virtual tokens leave little of its {room} positions for the text"
            raise UnsupportedError("a prompt", self.backbone.id, why)
        self.model = make(self.model)
        self.reserved_positions += positions
        self.shares_prefix &= not positions

    def own(self) -> None:
        """What is trained is float32, and a copy where other backbones share it (`Backbone.sharing`)."""
        for parameter in self.trainable().values():
            parameter.data = parameter.data.to(torch.float32, copy=self.backbone.shared)

    # -- forward

    def forward(self, batch: Batch) -> Tensor:
        with self._kernels(batch):
            return self._vectors(batch) if self.training and self.contrasts else self.head(self, batch)

    def _kernels(self, batch: Batch) -> AbstractContextManager[Any]:
        outside = batch.ids.device.type == "cpu" and casts_in_use() is not self.casts
        return CpuKernels(self.casts) if outside else nullcontext()

    def _vectors(self, batch: Batch) -> Tensor:
        """(B, C) pooled texts. The head's tensors take part with weight zero: in distributed training each
        trainable tensor needs a gradient.
        """
        pool = self.head.pool
        assert pool is not None  # a technique that compares vectors refuses other heads
        nothing = sum(p.sum() for p in self.head.parameters()) * 0
        return pooled(self.encode(batch), batch.mask, pool) + nothing

    def encode(self, batch: Batch) -> Tensor:
        """Ids (B, T), or cached hidden states -> last hidden states (B, T, C) of the text."""
        if "position_ids" not in self.backbone.family.inputs and not bool(batch.mask[:, 0].all()):
            order, back = tokens_first(batch.mask)  # the model counts positions from the first column
            named = {name: getattr(batch, name) for name in ("ids", "mask", "types", "hidden")}
            moved: dict[str, Any] = {n: taken(rows, order) for n, rows in named.items() if rows is not None}
            return taken(self.encode(replace(batch, **moved)), back)
        inputs = model_inputs(self.backbone.family, batch.mask, batch.types)
        resumed = nullcontext() if batch.hidden is None else self._resumed(batch.hidden, batch.depth)
        with self._kernels(batch), resumed:
            return self.model(input_ids=batch.ids, **inputs).last_hidden_state  # type: ignore[no-any-return]

    # -- prompts

    def continued(self, ids: Tensor, seen: Tensor, positions: Tensor) -> Tensor:
        """Ids (B, T), which position attends to which (B, 1, T, T), positions (B, T) -> (B, T, C)."""
        window = getattr(self.backbone.model.config, "sliding_window", None)
        length = prefix_length() + self.reserved_positions + ids.shape[1]
        if window and length > window:
            why = f"it attends to {window} tokens at a time; read fewer words or show fewer demonstrations"
            raise UnsupportedError(f"a prompt of {length} tokens", self.backbone.id, why)
        inputs = {"attention_mask": seen, "position_ids": positions + prefix_length(), "use_cache": False}
        return self.model(input_ids=ids, **inputs).last_hidden_state  # type: ignore[no-any-return]

    def with_shared_prefix(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Ids and mask (B, T) of prompts, with the shared prefix unless its keys and values are computed."""
        assert batch.scoring is not None
        if prefix_length():
            return batch.ids, batch.mask
        prefix = torch.from_numpy(batch.scoring.prefix).to(batch.ids).expand(len(batch), -1)
        return torch.cat([prefix, batch.ids], dim=1), torch.cat([prefix * 0 + 1, batch.mask], dim=1)

    @contextmanager
    def reading(self, tokens: Tokens) -> Iterator[None]:
        """Within the block, keys and values of the prefix shared by all prompts are computed only once.

        For predictions in this thread only: training needs gradients through every row's own prefix.
        """
        scoring = tokens.scoring
        # An encoder attends in both directions: keys and values of the prefix depend on what follows.
        if scoring is None or not len(scoring.prefix) or scoring.both_ways or not self.shares_prefix:
            yield
            return
        prefix = scoring.prefix
        ids = torch.as_tensor(prefix, device=next(self.parameters()).device)[None]
        seen = torch.ones(len(prefix), len(prefix), dtype=torch.bool, device=ids.device).tril()[None, None]
        with torch.no_grad(), recording() as found:
            self.continued(ids, seen, torch.arange(len(prefix), device=ids.device)[None])
        with after(found, len(prefix)):
            yield

    def recompute(self) -> None:
        """Gradient checkpointing (Chen et al. 2016): blocks store only their input and run twice.

        Raises UnsupportedError when transformers does not support it for the model.
        """
        model = self.backbone.model
        if not model.supports_gradient_checkpointing:
            raise UnsupportedError("gradient_checkpointing", self.backbone.id, "its blocks cannot run twice")
        model.activation_checkpointing_enable({"use_reentrant": False, "context_fn": first_and_again})
        self.recomputes = True

    # -- what is trainable

    def trainable(self) -> dict[str, nn.Parameter]:
        """Trainable tensors by name: the backbone's, the head's, then those of modules around the backbone.

        Training changes nothing else; checkpoints store these.
        """
        named = {name: p for name, p in self.named_parameters() if p.requires_grad}
        inside = {id(p) for module in (self.backbone.model, self.head) for p in module.parameters()}
        around = {name: p for name, p in named.items() if id(p) not in inside}
        return {**{name: p for name, p in named.items() if name not in around}, **around}

    def trained_in_place(self) -> list[nn.Parameter]:
        """The backbone's own tensors among those, unless `own` has copied them."""
        shared = self.backbone.shared
        return [] if shared else [parameter for parameter in self._pretrained if parameter.requires_grad]

    def added(self) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Trained or added tensors, without the head's: (inside the backbone, around it).

        Named as in `backbone.model` and as in `model`.
        """
        pretrained = {id(p) for p in self._pretrained if not p.requires_grad}
        inner = dict(self.backbone.model.named_parameters())
        inside = {name: p for name, p in inner.items() if id(p) not in pretrained}
        known = {id(p) for p in inner.values()} | pretrained
        around = {name: p for name, p in self.model.named_parameters() if id(p) not in known}
        return inside, around

    def frozen_blocks(self) -> int:
        """How many bottom blocks have nothing trainable in or below them: their output can be cached."""
        blocks = self.backbone.blocks
        if self.head.pool is None:
            return 0  # its rows are prompts with label tokens
        trainable = {id(p) for p in self.trainable().values()} - {id(p) for p in self.head.parameters()}
        if not trainable:
            return len(blocks)
        first = next(
            (i for i, b in enumerate(blocks) if any(p.requires_grad for p in b.parameters())), len(blocks)
        )
        above = [p for block in blocks[first:] for p in block.parameters()] + self._final_norm_parameters()
        outside = trainable - {id(p) for p in above}
        return 0 if outside or not self.backbone.family.resumable else min(first, len(blocks) - 1)

    def _final_norm_parameters(self) -> list[nn.Parameter]:
        path = self.backbone.family.final_norm
        return list(self.backbone.model.get_submodule(path).parameters()) if path else []

    def train(self, mode: bool = True) -> Net:
        """Train mode for trainable modules only: dropout of frozen blocks stays off."""
        super().train(False)
        if not mode:
            return self
        self.training = True
        self.head.train(_is_trainable(self.head))
        for block in self.backbone.blocks:
            block.train(_is_trainable(block))
            block.training |= self.recomputes  # transformers checks this flag; its submodules stay in eval
        if _is_trainable(self.backbone.model.get_input_embeddings()):
            lists = {self.backbone.model.get_submodule(path) for path in self.backbone.family.blocks}
            for module in self.backbone.model.children():
                _train_leaves(module, skip=lists)
        inside = set(self.backbone.model.modules())
        own = {id(p) for p in self.added()[1].values() if p.requires_grad}
        for module in self.model.modules():
            if module not in inside and any(id(p) in own for p in module.parameters()):
                module.training = True
        return self

    # -- the boundary

    @torch.no_grad()
    def bottom(self, batch: Batch, depth: int) -> Tensor:
        """Hidden states (B, T, C) before block `depth`; blocks from there on do not run."""
        kept: list[Tensor] = []

        def stop(_: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
            kept.append(args[0] if args else kwargs["hidden_states"])
            raise _Reached

        try:
            with intercepting({self.backbone.blocks[depth]: stop}):
                self.encode(batch)
        except _Reached:
            return kept[0]
        raise AssertionError("the model never reached its own block")

    def _resumed(self, hidden: Tensor, depth: int) -> AbstractContextManager[None]:
        """Within the block, the model's forward skips `depth` blocks and continues from `hidden`.

        The model's own forward still runs, so masks, positions and rotary tables are its family's own. The
        skipped blocks return their input, and the first block that runs gets `hidden`.
        """

        def passed(_: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
            x = args[0] if args else kwargs["hidden_states"]
            return (x, None) if self.backbone.family.block_returns_tuple else x

        def resumed(call: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
            return call(hidden, *args[1:], **kwargs) if args else call(**{**kwargs, "hidden_states": hidden})

        blocks = self.backbone.blocks
        return intercepting({**dict.fromkeys(blocks[:depth], passed), blocks[depth]: resumed})


def _is_trainable(module: nn.Module) -> bool:
    return any(p.requires_grad for p in module.parameters())


def _train_leaves(module: nn.Module, skip: set[nn.Module]) -> None:
    """Put everything below `module` except the lists of blocks into train mode."""
    if module in skip:
        return
    module.training = True
    for child in module.children():
        _train_leaves(child, skip)

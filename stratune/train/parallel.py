"""How processes train one net: each holds all of it (DDP), or a part of each of its blocks (FSDP2)."""

from __future__ import annotations

import copy
from collections import Counter
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any, Protocol, Self

import torch
from torch import Tensor, nn

from stratune.errors import NonFiniteLoss
from stratune.train.processes import in_parts
from stratune.train.shards import fill, give_back, is_sharded, local

if TYPE_CHECKING:
    from accelerate import Accelerator

    from stratune.net.net import Net
    from stratune.tokens.batches import Batch


class Parallel(Protocol):
    """A net while it is trained; `module` is what is called. Afterwards every process has the net whole."""

    module: nn.Module
    note: str | None  # for the user

    def __enter__(self) -> Self: ...

    def __exit__(self, kind: type[BaseException] | None, *_: Any) -> None: ...

    def accumulating(self, last: bool) -> AbstractContextManager[None]:
        """Around the micro-batches of a step, the last of which makes gradients the same everywhere."""

    def average(self) -> None:
        """After them: what their backward passes have not averaged over the processes."""


def parallel(net: Net, first: int, accelerator: Accelerator) -> Parallel:
    """As `accelerate launch` was told. `first`: blocks below it do not run in training.

    Parameters may be replaced: an optimiser is made afterwards.
    """
    if in_parts() and accelerator.num_processes > 1:
        return Parts(net, first, accelerator)
    return Copies(net, accelerator)


class Copies:
    """Each process has all of the net, and the backward pass averages the gradients; or one has it alone."""

    note: str | None = None

    def __init__(self, net: Net, accelerator: Accelerator) -> None:
        self.several = accelerator.num_processes > 1
        self.module: Any = accelerator.prepare_model(net) if self.several else net

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: Any) -> None:
        """Nothing to end."""

    def accumulating(self, last: bool) -> AbstractContextManager[None]:
        nothing: AbstractContextManager[None] = nullcontext()
        return nothing if last or not self.several else self.module.no_sync()

    def average(self) -> None:
        """The last backward pass has."""


class Parts:
    """Of every block that runs in training, each process holds a part: of weights, gradients and AdamW's
    moments (torch's `fully_shard`). A block is whole only while it runs.

    All else stays whole on each process, and `average` does what DDP does: embeddings and head, which other
    modules read too; modules around the model; blocks below `first`, whose outputs are cached, and which one
    process may have to run alone for a text that the cache has no room for.

    torch shards a module for good. So a twin of the block takes its place while training lasts, and the
    block's own memory is given back until it is filled with what the twin has learned.
    """

    def __init__(self, net: Net, first: int, accelerator: Accelerator) -> None:
        from torch.distributed.device_mesh import init_device_mesh
        from torch.distributed.fsdp import fully_shard

        mesh = init_device_mesh(accelerator.device.type, (accelerator.num_processes,))
        self.net, self.processes = net, accelerator.num_processes
        blocks = list(dict.fromkeys(net.backbone.blocks[first:]))  # a family may run one block many times
        shared = _shared(net, blocks)
        self.twins: dict[nn.Module, Any] = {}
        for block in blocks:
            kept: dict[int, Any] = {id(one): one for one in (*block.parameters(), *block.buffers())}
            twin: Any = copy.deepcopy(block, kept)
            fully_shard(twin, mesh=mesh, ignored_params=shared)
            for name, parameter in twin.named_parameters():
                if is_sharded(parameter):
                    give_back(block.get_parameter(name))
            self.twins[block] = twin
        _replace(net, self.twins)
        net.in_parts = True
        self.module: nn.Module = _Root(net)
        if self.twins:  # the root sees to it that a block is fetched while the one before it computes
            whole = {one for one in self.module.parameters() if not is_sharded(one)}
            fully_shard(self.module, mesh=mesh, ignored_params=whole)
        self.note = self._note()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: Any) -> None:
        """Put the net together: not after a failure that may be of one process alone, which would wait."""
        if kind is not None and not issubclass(kind, NonFiniteLoss):
            return
        for block, twin in self.twins.items():
            twin.reshard()
            learned: dict[str, Any] = dict(twin.named_parameters())
            for name, parameter in block.named_parameters():
                if is_sharded(learned[name]):
                    learned[name].grad = None
                    fill(parameter, learned[name].detach().full_tensor())
        _replace(self.net, {twin: block for block, twin in self.twins.items()})
        self.net.in_parts = False

    def _note(self) -> str | None:
        """None where no block runs in training."""
        held = [one for twin in self.twins.values() for one in twin.parameters()]
        if not held:
            return None
        here, all_of_them = (
            sum(map(count, held)) for count in (lambda one: local(one).numel(), Tensor.numel)
        )
        return (
            f"{self.processes} processes held parts of the blocks, each {here:,} of {all_of_them:,} weights"
        )

    def accumulating(self, last: bool) -> AbstractContextManager[None]:
        """Gradients are added up in parts: whole ones of all blocks would take as much as the weights."""
        nothing: AbstractContextManager[None] = nullcontext()
        return nothing

    def average(self) -> None:
        gradients = [
            one.grad for one in self.net.parameters() if one.grad is not None and not is_sharded(one.grad)
        ]
        waiting = [torch.distributed.all_reduce(gradient, async_op=True) for gradient in gradients]
        for gradient, sent in zip(gradients, waiting, strict=True):
            assert sent is not None
            sent.wait()
            gradient /= self.processes


class _Root(nn.Module):
    def __init__(self, net: Net) -> None:
        super().__init__()
        self.net = net

    def forward(self, batch: Batch) -> Tensor:
        found: Tensor = self.net(batch)
        return found


def _shared(net: Net, blocks: list[nn.Module]) -> set[nn.Parameter]:
    """Parameters of blocks that stay whole: others read them, too, or they are single numbers."""
    parameters = {one: one.dim() == 0 for block in blocks for one in block.parameters()}
    inside = {module for block in blocks for module in block.modules()}
    owners = Counter(id(one) for block in blocks for one in set(block.parameters()))
    for module in (*net.modules(), *net.backbone.whole.modules()):
        if module not in inside:
            owners.update({id(one): 2 for one in module.parameters(recurse=False)})
    return {one for one, single in parameters.items() if single or owners[id(one)] > 1}


def _replace(net: Net, others: dict[nn.Module, Any]) -> None:
    """Modules of the net by others, wherever they are."""
    for module in (*net.modules(), *net.backbone.whole.modules()):
        for name, child in list(module._modules.items()):
            if child in others:
                module._modules[name] = others[child]
    net.backbone.blocks[:] = [others.get(block, block) for block in net.backbone.blocks]

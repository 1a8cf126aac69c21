"""What is seen of a model while it reads one short text: how its blocks run, and what runs after them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor, nn

from stratune.backbone.derive import blocks_of
from stratune.backbone.family import Family
from stratune.backbone.held import is_held
from stratune.backbone.inputs import model_inputs

PADDING = 3  # tokens
TOLERANCE = 1e-3  # relative; another order of the same sums gives some 1e-6


@dataclass
class _Seen:
    """Calls in the order in which they ended; of a block, the hidden states that it got and gave."""

    order: list[nn.Module] = field(default_factory=list)
    got: list[Any] = field(default_factory=list)
    gave: list[Any] = field(default_factory=list)
    tuples: bool = False
    more: bool = False  # beside hidden states, a block gives something that the next may need


@torch.enable_grad()
def observed(model: Any, family: Family, inputs: dict[str, Any]) -> tuple[Family, Tensor]:
    """The family with what shows when the model reads `inputs` (one row), and its last hidden states."""
    blocks = blocks_of(model, family)
    inside = {module for block in blocks for module in block.modules()}
    norms = {m: name for name, m in model.named_modules() if m not in inside and _is_norm(m)}
    held = {module: name for name, module in model.named_modules() if is_held(module)}
    with _watching(blocks, list(norms)) as seen, _running(list(held)) as ran:
        states: Tensor = model(**inputs).last_hidden_state
    ends = [i for i, module in enumerate(seen.order) if module not in norms]
    after = [norms[module] for module in seen.order[max(ends, default=len(seen.order)) :] if module in norms]
    whole = [module for module in seen.order if module not in norms] == blocks
    given = [isinstance(x, Tensor) and x.shape == states.shape for x in (*seen.got, *seen.gave)]
    linked = all(given) and all(map(torch.equal, seen.got[1:], seen.gave[:-1]))
    found = replace(
        family,
        final_norm=after[-1] if after else None,
        block_returns_tuple=seen.tuples,
        # Matrices that are unpacked for their product are in no graph.
        unused=frozenset(_names_outside(model, states)) - {f"{held[module]}.weight" for module in ran},
        resumable=whole and linked and not seen.more and not family.shared_blocks,
    )
    return found, states.detach()


def _names_outside(model: nn.Module, states: Tensor) -> Iterator[str]:
    """Parameters that have no part in the graph of `states`."""
    reached, waiting = set(), [states.grad_fn]
    while waiting:
        node = waiting.pop()
        if node is not None and node not in reached:
            reached.add(node)
            waiting += [below for below, _ in node.next_functions]
    inside = {id(node.variable) for node in reached if hasattr(node, "variable")}
    yield from (name for name, parameter in model.named_parameters() if id(parameter) not in inside)


@torch.no_grad()
def padding_shows(model: Any, family: Family, ids: Tensor, states: Tensor, pad: int) -> bool:
    """Whether a text (1, T) gets other `states` with padding behind it."""
    padded = torch.cat([ids, ids.new_full((1, PADDING), pad)], dim=1)
    mask = torch.ones_like(padded)
    mask[:, ids.shape[1] :] = 0
    found: Tensor = model(input_ids=padded, **model_inputs(family, mask, None)).last_hidden_state
    return bool((found[:, : ids.shape[1]] - states).abs().max() > TOLERANCE * states.abs().max())


@contextmanager
def _running(modules: list[nn.Module]) -> Iterator[set[nn.Module]]:
    """Those that were called within the block."""
    ran: set[nn.Module] = set()
    hooks = [module.register_forward_hook(lambda one, *_: ran.add(one)) for module in modules]
    try:
        yield ran
    finally:
        for hook in hooks:
            hook.remove()


@contextmanager
def _watching(blocks: list[nn.Module], norms: list[nn.Module]) -> Iterator[_Seen]:
    seen = _Seen()

    def ended(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> None:
        seen.order.append(module)
        if module in norms:
            return
        seen.got.append(args[0] if args else kwargs.get("hidden_states"))
        seen.tuples = isinstance(output, (tuple, list))
        first, *rest = output if seen.tuples else (output,)
        seen.gave.append(first)
        seen.more |= any(part is not None for part in rest)

    hooks = [module.register_forward_hook(ended, with_kwargs=True) for module in (*blocks, *norms)]
    try:
        yield seen
    finally:
        for hook in hooks:
            hook.remove()


def _is_norm(module: nn.Module) -> bool:
    """LayerNorm, RMSNorm and kin that have weights of their own."""
    own = next(module.parameters(recurse=False), None)
    return own is not None and "Norm" in type(module).__name__

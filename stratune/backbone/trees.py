"""Whether a decoder can be asked the way prompts are: shared prefix computed once, labels as a tree."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from stratune.backbone.attention import HasModel, after, recording, use_prefixes
from stratune.backbone.family import Family
from stratune.backbone.inputs import model_inputs

TOLERANCE = 1e-3  # relative; another order of the same sums gives some 1e-6


@torch.no_grad()
def reads_trees(backbone: HasModel, family: Family, words: Tensor) -> bool:
    """Whether the last of four `words` (4,) gets its states from the first two alone, if it attends to them
    alone: once read in a row, once with the first two computed before and the third beside it.
    """
    model: Any = backbone.model
    own, text = model.config._attn_implementation, words[None, [0, 1, 3]]
    given = model_inputs(family, torch.ones_like(text), None)
    plain = model(input_ids=text, **given).last_hidden_state[0, -1]
    use_prefixes(backbone)
    try:
        found = _as_tree(model, words)
    except (RuntimeError, ValueError, TypeError, IndexError):  # it takes no masks like ours
        return False
    finally:
        model.set_attn_implementation(own)
    return bool((found - plain).abs().max() <= TOLERANCE * plain.abs().max())


def _as_tree(model: Any, words: Tensor) -> Tensor:
    """State of the last of four words, which follows the first two, but not the third."""

    def read(ids: Tensor, seen: list[list[int]], positions: list[int]) -> Tensor:
        mask = torch.tensor(seen, dtype=torch.bool, device=ids.device)[None, None]
        at = torch.tensor([positions], device=ids.device)
        given = {"attention_mask": mask, "position_ids": at, "use_cache": False}
        states: Tensor = model(input_ids=ids[None], **given).last_hidden_state
        return states[0, -1]

    with recording() as prefix:
        read(words[:2], [[1, 0], [1, 1]], [0, 1])
    with after(prefix, 2):
        return read(words[2:], [[1, 0], [0, 1]], [2, 2])

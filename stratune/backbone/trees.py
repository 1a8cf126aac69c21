"""Whether a decoder can be asked the way prompts are: shared prefix computed once, labels as a tree."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from stratune.backbone.attention import after, recording, use_prefixes
from stratune.backbone.inputs import model_inputs
from stratune.errors import UnsupportedError

if TYPE_CHECKING:
    from torch import Tensor

    from stratune.backbone.load import Backbone

TOLERANCE = 1e-3  # relative; another order of the same sums gives some 1e-6


@torch.no_grad()
def check_trees(backbone: Backbone) -> None:
    """Raises UnsupportedError where a token behind others that it must not attend to gets other states."""
    own = backbone.model.config._attn_implementation
    words = _words(backbone)
    text = words[None, [0, 1, 3]]
    given = model_inputs(backbone.family, torch.ones_like(text), None)
    plain = backbone.model(input_ids=text, **given).last_hidden_state[0, -1]
    use_prefixes(backbone)
    try:
        found = _as_tree(backbone, words)
    except (RuntimeError, ValueError, TypeError, IndexError):  # it takes no masks of its own
        found = None
    backbone.model.set_attn_implementation(own)
    scale = plain.abs().max()
    if found is None or not bool((found - plain).abs().max() <= TOLERANCE * scale):
        why = f"{backbone.family.name} does not read prompts whose labels branch off one text"
        raise UnsupportedError("words", backbone.id, f"{why}; use the readout `head`")


def _words(backbone: Backbone) -> Tensor:
    """Four different ids from the middle of the vocabulary."""
    middle = len(backbone.tokenizer) // 2
    return torch.arange(middle, middle + 4, device=backbone.model.device)


def _as_tree(backbone: Backbone, words: Tensor) -> Tensor:
    """State of the last of four words, which follows the first two, but not the third."""
    device = words.device

    def read(ids: Tensor, seen: list[list[int]], positions: list[int]) -> Tensor:
        mask = torch.tensor(seen, dtype=torch.bool, device=device)[None, None]
        at = torch.tensor([positions], device=device)
        given = {"attention_mask": mask, "position_ids": at, "use_cache": False}
        states: Tensor = backbone.model(input_ids=ids[None], **given).last_hidden_state
        return states[0, -1]

    with recording() as prefix:
        read(words[:2], [[1, 0], [1, 1]], [0, 1])
    with after(prefix, 2):
        return read(words[2:], [[1, 0], [0, 1]], [2, 2])

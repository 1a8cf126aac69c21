"""A direction of the hidden states that texts hardly use and no label reads: room for a constant.

It takes many tokens to find one, and a predictor keeps few texts: so texts of random tokens are read.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

TOKENS = 64  # of a text; long enough that a token's neighbours show in it
TOKENS_PER_WIDTH = 4  # tokens to look at, for each number of a hidden state

SPARE = 1e-4  # of a state's square; leaving it out moves a logit by half of that


@torch.inference_mode()
def states_before_last_block(model: Any, longest: int) -> Tensor:
    """(N, C) hidden states of random tokens, as they enter the last block of the bare `model`."""
    config = model.config
    length = min(TOKENS, longest)
    texts = max(8, TOKENS_PER_WIDTH * config.hidden_size // length)
    generator = torch.Generator().manual_seed(0)
    ids = torch.randint(config.vocab_size, (texts, length), generator=generator)
    parts = torch.split(ids, 8)
    found = [model(input_ids=part, output_hidden_states=True).hidden_states[-2] for part in parts]
    return torch.cat(found).flatten(0, 1)


def spare_direction(states: Tensor, weight: Tensor) -> Tensor | None:
    """(C,) of length 1: where the mean square of `states` (N, C) is least.

    It is orthogonal to ones, which a norm removes, and to the rows of `weight` (K, C), K < C - 1.
    None if a state has more than SPARE of its square there.
    """
    if not states.isfinite().all():
        return None
    rows = torch.cat([torch.ones(1, weight.shape[1]), weight]).double()
    room = torch.linalg.qr(rows.T, mode="complete").Q[:, len(rows) :]  # (C, C - 1 - K)
    inside = states.double() @ room
    least: Tensor = torch.linalg.eigh(inside.T @ inside).eigenvectors[:, 0]
    found: Tensor = (room @ least).float()
    centred = states - states.mean(dim=1, keepdim=True)
    share = (centred @ found) ** 2 / (centred**2).sum(dim=1)
    return found if float(share.max()) <= SPARE else None

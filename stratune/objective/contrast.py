"""The loss over pairs of rows: cosines of vectors as close as the truths are alike."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def contrast(vectors: Tensor, similarity: Tensor) -> Tensor:
    """Vectors (B, C) and wanted cosines (B, B) -> (B,): the mean squared difference over a row's pairs.

    SetFit's loss (Tunstall et al., 2022: `CosineSimilarityLoss`), over all pairs of rows that are read
    together instead of pairs drawn before. Alike pairs (similarity of one half and more) and other pairs have
    the same weight, as SetFit draws as many of one as of the other. A row alone has a loss of 0.
    """
    unit = F.normalize(vectors, dim=1)
    error = (unit @ unit.T - similarity) ** 2
    own = torch.eye(len(vectors), dtype=torch.bool, device=vectors.device)  # a row with itself
    losses = error.new_zeros(len(vectors))
    for pairs in ((similarity >= 0.5) & ~own, (similarity < 0.5) & ~own):
        losses = losses + (error * pairs).sum(dim=1) / pairs.sum(dim=1).clamp(min=1)
    return losses / 2

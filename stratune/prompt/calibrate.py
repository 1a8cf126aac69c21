"""What a language model would say anyway, and taking it away from what it says of a text."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from stratune.data.rows import text_columns
from stratune.readout.label_words import LabelWords
from stratune.train.activations import Feed

if TYPE_CHECKING:
    from stratune.data.split import Split
    from stratune.predictor import NetScorer

CONTENT_FREE = ("N/A", "[MASK]", "")  # Zhao et al. 2021, section 5


def calibrate(scorer: NetScorer, how: str, split: Split) -> None:
    """Set the head's `bias` (K,), in logarithms. Reads validation texts and never a label.

    `contextual`: the mean probability over texts without content (Zhao et al. 2021, "Calibrate before use").
    `batch`: the mean over the validation texts (Zhou et al. 2024, "Batch calibration").
    """
    head = scorer.net.head
    assert isinstance(head, LabelWords)
    if how == "none":
        return
    texts, pairs = text_columns(split.val)
    if how == "contextual":
        texts, pairs = list(CONTENT_FREE), list(CONTENT_FREE) if pairs else None
    shares = _log_softmax(scorer.logits(Feed(scorer.reader.tokens(texts, pairs), scorer.pad)))  # (N, K)
    bias = np.log(np.exp(shares).mean(axis=0)) if how == "contextual" else shares.mean(axis=0)
    with torch.no_grad():
        head.bias.copy_(torch.from_numpy(bias))


def _log_softmax(logits: NDArray[np.float32]) -> NDArray[np.float64]:
    wide = logits.astype(np.float64)
    return np.asarray(wide - np.logaddexp.reduce(wide, axis=1, keepdims=True))

"""Frozen vectors as sentence-transformers makes them of this model: 256 tokens at most, mean over the tokens, length one."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np

LONGEST = 256  # tokens; max_seq_length of all-MiniLM-L6-v2
BATCH = 32


def vectors(backbone: Path, texts: Sequence[str], pairs: Sequence[str] | None, folder: Path) -> np.ndarray:
    """(N, C) of texts, or of pairs read together. What was computed before is read from `folder`."""
    digest = hashlib.sha256(repr((str(backbone), list(texts), pairs and list(pairs))).encode()).hexdigest()
    kept = folder / f"{digest[:24]}.npy"
    if not kept.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        np.save(kept, _computed(backbone, texts, pairs))
    return np.load(kept)


@cache
def _loaded(backbone: Path):
    from transformers import AutoModel, AutoTokenizer

    return AutoTokenizer.from_pretrained(backbone), AutoModel.from_pretrained(backbone).eval()


def _computed(backbone: Path, texts: Sequence[str], pairs: Sequence[str] | None) -> np.ndarray:
    import torch

    tokenizer, model = _loaded(backbone)
    order = sorted(range(len(texts)), key=lambda row: len(texts[row]))
    found = np.zeros((len(texts), model.config.hidden_size), dtype=np.float32)
    with torch.inference_mode():
        for start in range(0, len(order), BATCH):
            rows = order[start : start + BATCH]
            second = None if pairs is None else [pairs[row] for row in rows]
            batch = tokenizer(
                [texts[row] for row in rows],
                second,
                padding=True,
                truncation=True,
                max_length=LONGEST,
                return_tensors="pt",
            )
            hidden = model(**batch).last_hidden_state  # (B, T, C)
            mask = batch["attention_mask"][..., None].float()  # (B, T, 1)
            mean = (hidden * mask).sum(dim=1) / mask.sum(dim=1)  # (B, C)
            found[rows] = torch.nn.functional.normalize(mean).numpy()
    return found

"""Load the exported folder as its user will, and compare its logits with ours."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from stratune.backbone.pretrained import read_model, read_tokenizer
from stratune.errors import ArtifactError
from stratune.export.answers import answers_of
from stratune.export.compared import PROBES, TOLERANCE, compared_rows
from stratune.tokens.tokens import tokenise
from stratune.train.feed import Feed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from stratune.model.net import NetModel
    from stratune.predictor.predictor import Predictor


def verify(predictor: Predictor, scorer: NetModel, folder: Path) -> None:
    """Raises ArtifactError when the folder's labels, tokens or logits are not the predictor's."""
    from transformers import AutoModelForSequenceClassification

    name = f"the exported {folder.name}"
    model = read_model(AutoModelForSequenceClassification, folder, name, dtype=torch.float32).eval()
    tokenizer = read_tokenizer(folder, name)
    names = tuple(model.config.id2label[i] for i in range(model.config.num_labels))
    wanted = predictor.task.columns
    if names != wanted:
        raise ArtifactError(f"the exported labels are {', '.join(names)}, not {', '.join(wanted)}")
    texts, pairs = _rows(predictor, scorer)
    _check_tokens(tokenizer, texts, pairs, scorer)
    ours = answers_of(scorer.net.objective, scorer.net.backbone.id)(_ours(scorer, texts, pairs))
    theirs = _theirs(model, tokenizer, texts, pairs, scorer)
    gap = float((np.abs(ours - theirs) / np.maximum(1.0, np.abs(ours))).max())
    if not gap <= TOLERANCE:
        raise ArtifactError(f"the exported model's logits are not ours: they differ by up to {gap:.2g}")


def _rows(predictor: Predictor, scorer: NetModel) -> tuple[list[str], list[str] | None]:
    """Empty texts are left out: some decoders get no token from them."""
    texts, pairs = compared_rows(predictor, scorer.limit.max_words, PROBES)
    kept = [i for i, text in enumerate(texts) if text.strip()]
    return [texts[i] for i in kept], None if pairs is None else [pairs[i] for i in kept]


def _check_tokens(tokenizer: Any, texts: list[str], pairs: list[str] | None, scorer: NetModel) -> None:
    """Raises ArtifactError where token ids differ, also for texts beyond the limit. No forward pass."""
    long = " ".join(PROBES * scorer.limit.tokens(scorer.net.backbone))
    texts, pairs = [*texts, long, PROBES[0]], [*pairs, PROBES[0], long] if pairs is not None else None
    ours = tokenise(scorer.net.backbone, texts, pairs, replace(scorer.limit, max_words=None))
    theirs = _encoded(tokenizer, texts, pairs, scorer)["input_ids"]
    for text, expected, found in zip(texts, np.split(ours.ids, ours.offsets[1:-1]), theirs, strict=True):
        if list(expected) != list(found):
            raise ArtifactError(f"the exported tokenizer does not read {text[:40]!r}... as ours does")


def _encoded(
    tokenizer: Any, texts: list[str], pairs: list[str] | None, scorer: NetModel, **options: Any
) -> Any:
    if pairs is not None and scorer.net.backbone.family.decoder:
        pairs = ["\n" + text for text in pairs]  # as the card tells the user to
    return tokenizer(texts, pairs, truncation=True, **options)


def _ours(scorer: NetModel, texts: list[str], pairs: list[str] | None) -> NDArray[np.float32]:
    tokens = tokenise(scorer.net.backbone, texts, pairs, scorer.limit)
    return replace(scorer, runtime=replace(scorer.runtime, precision="float32")).logits(
        Feed(tokens, scorer.pad)
    )


@torch.inference_mode()
def _theirs(
    model: Any, tokenizer: Any, texts: list[str], pairs: list[str] | None, scorer: NetModel
) -> NDArray[np.float32]:
    """(N, K) logits of all rows in one padded batch, so that padding is checked too."""
    encoded = _encoded(tokenizer, texts, pairs, scorer, padding=True, return_tensors="pt")
    logits: NDArray[np.float32] = model(**encoded).logits.float().numpy()
    return logits

"""Rows as vectors of a model that is not here. Nothing is tokenised: each text has one token, a dummy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from stratune.errors import UnsupportedError
from stratune.tokens.tokens import TextLimit, Tokens, first_words

if TYPE_CHECKING:
    from stratune.backbone.embed import Embed
    from stratune.watch import Progress


def embedded(
    embed: Embed,
    texts: Sequence[str],
    pairs: Sequence[str] | None,
    limit: TextLimit,
    prompt: str,
    progress: Progress,
) -> Tokens:
    """N texts, cut by words; a pair is one text of two lines, as decoders here read it. `cut` is in words.

    Raises UnsupportedError for texts of which not the beginning is kept.
    """
    if limit.keep != "head":
        why = "its tokenizer is not known, and words are cut at the end: use train.max_words"
        raise UnsupportedError(f"keep: {limit.keep}", "a server", why)
    columns = [texts] if pairs is None else [texts, pairs]
    short = [[first_words(text, limit.max_words) for text in column] for column in columns]
    found = embed(["\n".join(row) for row in zip(*short, strict=True)], prompt, progress)
    count = len(texts)
    cut = sum((_words(column) for column in columns), start=-sum(map(_words, short))) + found.cut
    return Tokens(
        np.zeros(count, np.int32),
        np.arange(count + 1, dtype=np.int64),
        np.zeros(0, np.uint8),
        cut.astype(np.int32),
        embedded=found,
    )


def _words(texts: Sequence[str]) -> NDArray[np.int64]:
    return np.array([len(text.split()) for text in texts], dtype=np.int64)

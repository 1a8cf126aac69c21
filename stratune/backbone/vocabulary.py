"""The whole words in a tokenizer's vocabulary, with their vectors in the input embeddings."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stratune.backbone.load import Backbone

LETTERS = 3  # fewer are mostly pieces of words, and abbreviations
_BEGINS = ("Ġ", "▁")  # what a token begins with that begins a word, by byte-level BPE and by SentencePiece
_GOES_ON = "##"  # and one that does not, by WordPiece


def whole_words(backbone: Backbone) -> tuple[list[str], NDArray[np.float32]]:
    """V words in lower case, in the order of their token ids, and their vectors (V, E)."""
    ids: dict[str, int] = {}
    vocabulary = sorted(backbone.tokenizer.get_vocab().items(), key=lambda found: found[1])
    pieces = any(token.startswith(_GOES_ON) for token, _ in vocabulary)
    for token, number in vocabulary:
        word = token if pieces else token[1:] if token.startswith(_BEGINS) else ""
        if len(word) >= LETTERS and word.isalpha() and word == word.lower():
            ids.setdefault(word, number)
    table = backbone.model.get_input_embeddings().weight.detach()
    return list(ids), table[list(ids.values())].float().cpu().numpy()

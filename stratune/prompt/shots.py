"""Demonstrations: rows of the training part, and of no other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from stratune.errors import ConfigError
from stratune.prompt.template import Shot
from stratune.train.tokens import first_words

if TYPE_CHECKING:
    from datasets import Dataset


def balanced_shots(
    train: Dataset, labels: Sequence[str], count: int, seed: int, max_words: int | None
) -> tuple[Shot, ...]:
    """`count` training rows, as many of each label as of any other (give or take one), in random order.

    Raises ConfigError when there are fewer rows than that.
    """
    if count > len(train):
        raise ConfigError(f"{count} demonstrations out of {len(train)} training rows", key="readout.shots")
    random = np.random.default_rng([seed, 0x5407])
    given = np.asarray(train["label"])
    piles = [list(random.permutation(np.flatnonzero(given == label))) for label in labels]
    chosen: list[int] = []
    while len(chosen) < count:
        for pile in _shuffled(piles, random):
            if pile and len(chosen) < count:
                chosen.append(int(pile.pop()))
    random.shuffle(chosen)
    pairs = "text_pair" in train.column_names
    return tuple(_shot(train[i], pairs, max_words) for i in chosen)


def _shuffled(piles: list[list[int]], random: np.random.Generator) -> list[list[int]]:
    return [piles[i] for i in random.permutation(len(piles))]


def _shot(row: dict[str, str], pairs: bool, max_words: int | None) -> Shot:
    pair = first_words(row["text_pair"], max_words) if pairs else None
    return Shot(first_words(row["text"], max_words), row["label"], pair)

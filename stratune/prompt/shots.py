"""Demonstrations: training rows, either the same for all prompts or the nearest to each row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from stratune.errors import ConfigError, DataError, choices
from stratune.prompt.template import Shot, Template, parse_template
from stratune.tokens.tokens import first_words

if TYPE_CHECKING:
    from datasets import Dataset

# The template, the demonstrations of all rows, or the pool that each row's are chosen from
Shown = tuple[Template, tuple[Shot, ...], "Nearest | None"]
POOL = 2000  # most training rows that a model folder stores for `nearest`


def balanced_shots(
    train: Dataset, labels: Sequence[str], count: int, seed: int, max_words: int | None, draw: int = 0
) -> tuple[Shot, ...]:
    """`count` training rows in random order, balanced over labels (numbers differ by at most one).

    `draw` numbers independent draws of one seed. Raises ConfigError when there are fewer rows.
    """
    if count > len(train):
        raise ConfigError(f"{count} demonstrations out of {len(train)} training rows", key="readout.shots")
    random = np.random.default_rng([seed, 0x5407, *([draw] if draw else [])])
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


def pool_of(train: Dataset, seed: int, max_words: int | None) -> tuple[Shot, ...]:
    """Training rows that `Nearest` chooses from: all, or `POOL` drawn by `seed`."""
    drawn = np.random.default_rng([seed, 0x5407]).permutation(len(train))[:POOL]
    pairs = "text_pair" in train.column_names
    return tuple(_shot(train[int(i)], pairs, max_words) for i in np.sort(drawn))


@dataclass(frozen=True)
class Nearest:
    """The `count` rows of `pool` most similar to a text, by cosine of TF-IDF; the nearest comes last.

    Liu et al. 2022, "What makes good in-context examples for GPT-3?"
    """

    pool: tuple[Shot, ...]
    count: int

    def __post_init__(self) -> None:
        if self.count > len(self.pool):
            why = f"{self.count} demonstrations out of {len(self.pool)} training rows"
            raise ConfigError(why, key="readout.shots")

    def __call__(self, texts: Sequence[str], pairs: Sequence[str] | None) -> list[tuple[Shot, ...]]:
        """The demonstrations of each of N rows."""
        words, known = self._words
        given = list(texts) if pairs is None else [f"{a} {b}" for a, b in zip(texts, pairs, strict=True)]
        similarity = (words.transform(given) @ known.T).toarray()  # (N, P) cosines: rows have length 1
        nearest = np.argsort(-similarity, axis=1, kind="stable")[:, : self.count]
        return [tuple(self.pool[i] for i in row[::-1]) for row in nearest]

    @cached_property
    def _words(self) -> tuple[Any, Any]:
        """(vectoriser, the pool as a sparse matrix (P, V))."""
        from sklearn.feature_extraction.text import TfidfVectorizer

        words = TfidfVectorizer(sublinear_tf=True, token_pattern=r"(?u)\b\w+\b")
        texts = [shot.text if shot.pair is None else f"{shot.text} {shot.pair}" for shot in self.pool]
        try:
            return words, words.fit_transform(texts)
        except ValueError as error:  # an empty vocabulary
            raise DataError("the training part has no words to compare rows by") from error


def kept(template: Template, shots: Sequence[Shot], nearest: Nearest | None) -> dict[str, Any]:
    """What a model folder stores of a prompt: template with words, demonstrations or their pool."""
    shown = nearest.pool if nearest else shots
    count = {"nearest": nearest.count} if nearest else {}
    return {"template": template.to_dict(), "shots": [asdict(shot) for shot in shown], **count}


def shown_by(
    state: Mapping[str, Any], labels: Sequence[str]
) -> tuple[Template, tuple[Shot, ...], Nearest | None]:
    """Reads what `kept` returned: template, demonstrations of all rows, or the pool of each row's."""
    template = parse_template({"name": "template", **state["template"]}, "template").for_labels(labels)
    shots = tuple(Shot(**shot) for shot in state["shots"])
    for shot in shots:
        if shot.label not in labels:
            raise ConfigError(choices(shot.label, labels), key="shots")
        if (shot.pair is not None) != template.pairs:
            raise ConfigError("a demonstration has a pair where the template has none, or none", key="shots")
    return (template, (), Nearest(shots, state["nearest"])) if "nearest" in state else (template, shots, None)


def _shuffled(piles: list[list[int]], random: np.random.Generator) -> list[list[int]]:
    return [piles[i] for i in random.permutation(len(piles))]


def _shot(row: dict[str, str], pairs: bool, max_words: int | None) -> Shot:
    pair = first_words(row["text_pair"], max_words) if pairs else None
    return Shot(first_words(row["text"], max_words), row["label"], pair)

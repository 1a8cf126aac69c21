"""Demonstrations: training rows, either the same for all prompts or chosen for each row."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from stratune.errors import ConfigError, choices
from stratune.prompt.similarity import WORDS, Similarity, similarity_by
from stratune.prompt.template import Shot, Template, parse_template
from stratune.tokens.tokens import first_words

if TYPE_CHECKING:
    from datasets import Dataset

# The template, the demonstrations of all rows, or the pool that each row's are chosen from
Shown = tuple[Template, tuple[Shot, ...], "Nearest | None"]
POOL = 2000  # most training rows that a model folder stores to choose each row's from
CANDIDATES = 50  # nearest rows that diverse ones are chosen among
RELEVANCE = 0.5  # weight of the similarity to the text, against that to rows already chosen


def balanced_shots(
    train: Dataset, labels: Sequence[str], count: int, seed: int, max_words: int | None, draw: int = 0
) -> tuple[Shot, ...]:
    """`count` training rows in random order, balanced over labels (numbers differ by at most one).

    `draw` numbers independent draws of one seed. Raises ConfigError when there are fewer rows.
    """
    if count > len(train):
        raise ConfigError(f"{count} demonstrations out of {len(train)} training rows", key="readout.shots")
    random = np.random.default_rng([seed, 0x5407, *([draw] if draw else [])])
    given = np.asarray(train["label"][:])
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
    """`count` rows of `pool` for each text, chosen by their similarity to it; the most similar comes last.

    `how`: nearest (Liu et al. 2022, "What makes good in-context examples for GPT-3?"); diverse, near the text
    and far from each other (maximal marginal relevance, Carbonell & Goldstein 1998); each_label, the nearest
    of each label in turn. `by`: `words`, or a backbone (similarity.py), of the weights of `by_hash`.
    """

    pool: tuple[Shot, ...]
    count: int
    how: str = "nearest"
    by: str = WORDS
    by_hash: str | None = None

    def __post_init__(self) -> None:
        if self.count > len(self.pool):
            why = f"{self.count} demonstrations out of {len(self.pool)} training rows"
            raise ConfigError(why, key="readout.shots")

    def __call__(self, texts: Sequence[str], pairs: Sequence[str] | None) -> list[tuple[Shot, ...]]:
        """The demonstrations of each of N rows."""
        given = list(texts) if pairs is None else [f"{a} {b}" for a, b in zip(texts, pairs, strict=True)]
        return [self._shown(row) for row in self.similarity.to(given)]

    def _shown(self, similar: NDArray[np.floating[Any]]) -> tuple[Shot, ...]:
        """The demonstrations of a text with these similarities (P,) to the pool."""
        chosen = self._chosen(similar)[::-1]  # of equals, too, the one that was chosen first comes last
        return tuple(self.pool[i] for i in sorted(chosen, key=lambda i: similar[i]))

    @cached_property
    def similarity(self) -> Similarity:
        texts = [shot.text if shot.pair is None else f"{shot.text} {shot.pair}" for shot in self.pool]
        return similarity_by(self.by, texts, self.by_hash)

    def _chosen(self, similar: NDArray[np.floating[Any]]) -> list[int]:
        """Of similarities (P,) to a text."""
        nearest = [int(i) for i in np.argsort(-similar, kind="stable")]
        if self.how == "each_label":
            return self._of_each_label(nearest)
        return self._apart(similar, nearest) if self.how == "diverse" else nearest[: self.count]

    def _of_each_label(self, nearest: Sequence[int]) -> list[int]:
        """Labels whose nearest row is nearer come first in each turn."""
        piles: dict[str, list[int]] = {}
        for i in nearest:
            piles.setdefault(self.pool[i].label, []).append(i)
        turns = itertools.chain.from_iterable(itertools.zip_longest(*piles.values()))
        return [i for i in turns if i is not None][: self.count]

    def _apart(self, similar: NDArray[np.floating[Any]], nearest: Sequence[int]) -> list[int]:
        rest = np.array(nearest[: max(CANDIDATES, 2 * self.count)])
        chosen = [int(rest[0])]
        while len(chosen) < self.count:
            rest = rest[rest != chosen[-1]]
            alike = self._among[np.ix_(rest, chosen)].max(axis=1)
            chosen.append(int(rest[np.argmax(RELEVANCE * similar[rest] - (1 - RELEVANCE) * alike)]))
        return chosen

    @cached_property
    def _among(self) -> NDArray[np.floating[Any]]:
        return self.similarity.among()


def with_hash(nearest: Nearest) -> Nearest:
    """What a model folder keeps names the weights that its demonstrations are chosen by."""
    backbone = getattr(nearest.similarity, "backbone", None)
    return nearest if backbone is None else replace(nearest, by_hash=backbone.weight_hash)


def kept(template: Template, shots: Sequence[Shot], nearest: Nearest | None) -> dict[str, Any]:
    """What a model folder stores of a prompt: template with words, demonstrations or their pool."""
    shown = nearest.pool if nearest else shots
    how: dict[str, Any] = {}
    if nearest:
        named = with_hash(nearest)
        how = {"nearest": named.count, "how": named.how, "by": named.by, "by_hash": named.by_hash}
    return {"template": template.to_dict(), "shots": [asdict(shot) for shot in shown], **how}


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
    if "nearest" not in state:
        return template, shots, None
    how = {name: state[name] for name in ("how", "by", "by_hash") if name in state}
    return template, (), Nearest(shots, state["nearest"], **how)


def _shuffled(piles: list[list[int]], random: np.random.Generator) -> list[list[int]]:
    return [piles[i] for i in random.permutation(len(piles))]


def _shot(row: dict[str, str], pairs: bool, max_words: int | None) -> Shot:
    pair = first_words(row["text_pair"], max_words) if pairs else None
    return Shot(first_words(row["text"], max_words), row["label"], pair)

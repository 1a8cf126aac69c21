"""Rows with a perturbation: made once, the same for every model, whatever else is asked for.

Each text has a random generator of its own, from a digest of the seed, the perturbation's name, the row's id
and which text of the row it is. So a row is changed alike in every order, on every machine, and whether or
not other rows and perturbations are there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from stratune.files import sha256
from stratune.perturb.registry import Perturbation


@dataclass(frozen=True)
class Rows:
    """N rows: ids, texts, second texts (None: not of pairs), and of each the labels that are wrong."""

    ids: Sequence[str]
    texts: Sequence[str]
    pairs: Sequence[str] | None
    wrong: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Changed:
    """N rows after a perturbation. `named`: the wrong label that is put into a row; None where none is."""

    texts: list[str]
    pairs: list[str] | None
    named: list[str | None]
    changed: list[bool]


def generator(seed: int, name: str, row: str, part: str) -> Random:
    """`part`: which of the row's random choices it is for."""
    return Random(sha256(str(seed), name, row, part))


def perturbed(rows: Rows, one: Perturbation, strength: float, seed: int) -> Changed:
    """Every row with the perturbation. A row that has no wrong label stays as it is where one is named."""
    texts, pairs = list(rows.texts), None if rows.pairs is None else list(rows.pairs)
    named: list[str | None] = [None] * len(texts)
    if one.kind == "pair" and pairs is not None:
        texts, pairs = pairs, texts
    for i, row in enumerate(rows.ids):
        if one.kind == "label":
            if not rows.wrong[i]:
                continue
            label = generator(seed, one.name, row, "label").choice(list(rows.wrong[i]))
            texts[i] = one(texts[i], generator(seed, one.name, row, "text"), strength, label)
            named[i] = label if texts[i] != rows.texts[i] else None
        elif one.kind == "texts":
            texts[i] = one(texts[i], generator(seed, one.name, row, "text"), strength)
            if pairs is not None and not one.first:
                pairs[i] = one(pairs[i], generator(seed, one.name, row, "pair"), strength)
    changed = [
        text != rows.texts[i] or (pairs is not None and rows.pairs is not None and pairs[i] != rows.pairs[i])
        for i, text in enumerate(texts)
    ]
    return Changed(texts, pairs, named, changed)


def sampled(ids: Sequence[str], count: int, seed: int) -> list[int]:
    """At most `count` positions, in order: those whose digest with the seed comes first."""
    if len(ids) <= count:
        return list(range(len(ids)))
    return sorted(sorted(range(len(ids)), key=lambda i: sha256(str(seed), "rows", ids[i]))[:count])

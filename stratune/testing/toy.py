"""A task for tiny models: which family of words a text holds. Their tokenizers know no other words."""

from __future__ import annotations

import random

from datasets import Dataset

from stratune.data.split import Split, assemble
from stratune.evaluate.kinds import Kind
from stratune.target import TARGETS
from stratune.task import Task

FAMILIES: dict[str, tuple[str, ...]] = {
    "animal": ("cat", "dog", "horse", "bird", "mouse", "sheep"),
    "weather": ("rain", "snow", "storm", "wind", "cloud", "fog"),
    "music": ("song", "piano", "drum", "violin", "choir", "melody"),
}
FILLERS = (
    "the", "a", "we", "they", "saw", "heard", "near", "old", "house", "today", "again", "and", "then",
    "it", "was", "there", "for", "long", "time", "small", "quiet", "street", "never", "some",
    "people", "talked", "about",
)  # fmt: skip
WORDS = tuple(word for family in FAMILIES.values() for word in family) + FILLERS


def toy_split(
    classes: int = 2,
    *,
    pairs: bool = False,
    rows: int = 48,
    seed: int = 0,
    labels: tuple[str, ...] | None = None,
    metric: str = "",
) -> Split:
    """`rows` training rows, a third as many in val and in test; of a pair, the second text decides.

    `labels` orders the label names (default: the order of FAMILIES); rows do not depend on it.
    """
    names = tuple(FAMILIES)[:classes]
    generator = random.Random(seed)
    sizes = {"train": rows, "val": max(classes, rows // 3), "test": max(classes, rows // 3)}
    tables = {part: _table(part, size, names, pairs, generator) for part, size in sizes.items()}
    task = Task(text_pair="text_pair" if pairs else None, labels=labels or names, metric=metric)
    return assemble(tables, task)


def toy_split_of(kind: Kind, *, pairs: bool = False) -> Split:
    """The toy task as another kind: 8 training rows, which are validation and test, too."""
    table = toy_split(rows=8, pairs=pairs).train
    target = TARGETS[kind]
    cells = {"animal": "animal", "weather": "weather"}  # words that tiny tokenizers know
    if target.is_numeric:
        cells = {"animal": "990", "weather": "1010"}
    elif target.several_labels:
        cells["weather"] = "animal,weather"
    rows = table.to_dict()
    rows["label"] = [cells[label] for label in rows["label"]]
    labels = () if target.is_numeric else ("animal", "weather")
    made = Dataset.from_dict(rows)
    task = Task(kind=kind, text_pair="text_pair" if pairs else None, labels=labels)
    return assemble({"train": made, "val": made, "test": made}, task)


def _table(part: str, size: int, names: tuple[str, ...], pairs: bool, generator: random.Random) -> Dataset:
    labels = [names[i % len(names)] for i in range(size)]
    generator.shuffle(labels)
    columns = {
        "id": [f"{part}-{i}" for i in range(size)],
        "text": [_sentence(None if pairs else label, generator) for label in labels],
        "label": labels,
    }
    if pairs:
        columns["text_pair"] = [_sentence(label, generator) for label in labels]
    return Dataset.from_dict(columns)


def _sentence(family: str | None, generator: random.Random) -> str:
    """4 to 14 words of filler, among them two of the family's."""
    words = [generator.choice(FILLERS) for _ in range(generator.randint(4, 14))]
    for _ in range(2 if family else 0):
        words.insert(generator.randrange(len(words)), generator.choice(FAMILIES[str(family)]))
    return " ".join(words)

"""The worst slices of a model, searched on its answers to validation (evaluate/slice_search.py).

A condition is a label, a slice of a column, or a word of the texts. Of test it is only known which rows meet
it: their truth and their answers are not looked at here.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from stratune.comparison.slice_columns import PARTS, Column
from stratune.data.labels import cells
from stratune.data.rows import text_columns
from stratune.evaluate.arrays import Flags
from stratune.evaluate.slice_search import LARGEST, LEAST_ROWS, Search, worst_slices
from stratune.report.slices import files_of
from stratune.report.slicing import is_wrong, label_masks

if TYPE_CHECKING:
    from datasets import Dataset

    from stratune.data.split import Split
    from stratune.report.comparison import Comparison, Entry

WORD = r"(?u)\b\w\w+\b"
LEAST_WITH = 0.05  # share of the validation rows that have a word
WORDS = 300  # that are looked at: the most frequent


@dataclass(frozen=True)
class Conditions:
    """`names` (C), and which rows of a part meet each: (C, N) of validation and of test. The last `words` of
    them name words of texts.
    """

    names: list[str]
    words: int
    val: Flags
    test: Flags


@dataclass(frozen=True)
class Searched:
    """What was found for one strategy. `wrong`: share of its validation rows."""

    entry: Entry
    search: Search
    conditions: Conditions
    wrong: float

    def to_dict(self) -> dict[str, Any]:
        about = {"strategy": self.entry.strategy, "backbone": self.entry.backbone}
        looked = {"singles": self.search.singles, "pairs": self.search.pairs}
        found, left = [], np.ones(self.conditions.test.shape[1], dtype=bool)
        for one in self.search.found:  # without the rows of those before it, as on validation
            rows = self.conditions.test[list(one.conditions)].all(axis=0) & left
            left &= ~rows
            name = " and ".join(self.conditions.names[k] for k in one.conditions)
            worded = max(one.conditions) >= len(self.conditions.names) - self.conditions.words
            numbers = {"worded": worded, "p": one.p, "rows": one.rows, "wrong": one.wrong}
            found.append({"name": name, **numbers, "test": np.flatnonzero(rows).tolist()})
        return {**about, "files": files_of(self.entry), **looked, "wrong": self.wrong, "found": found}


def search(entry: Entry, comparison: Comparison, conditions: Conditions) -> Searched:
    """Of rows that are wrong for most seeds."""
    parts = [run.predictions["val"] for run in entry.ok]
    wrong = np.mean([is_wrong(one, comparison.task) for one in parts], axis=0) > 0.5
    found = worst_slices(conditions.val, wrong, parts[0].groups)
    return Searched(entry, found, conditions, float(wrong.mean()))


def conditions_of(split: Split, columns: Sequence[Column], *, words: bool) -> Conditions:
    """`words`: whether words of the texts may be named."""
    test, val = (split.parts[part] for part in PARTS)
    names: list[str] = []
    masks: list[Flags] = []  # over the rows of test, then those of validation
    truth = np.concatenate([split.task.target.truth(cells(table)) for table in (test, val)])
    for name, mask in label_masks(split.task, truth, len(test)).items():
        names.append(f"{split.task.label} is {name}")
        masks.append(mask)
    for column in columns:
        for k, name in enumerate(column.sliced.names):
            names.append(f"{column.name} is {name}")
            masks.append(column.sliced.codes == k)
    named = _words(test, val) if words else []
    for word, mask in named:
        names.append(f"the text has {word!r}")
        masks.append(mask)
    both = np.stack(masks) if masks else np.zeros((0, len(test) + len(val)), dtype=bool)
    return Conditions(names, len(named), val=both[:, len(test) :], test=both[:, : len(test)])


def _words(test: Dataset, val: Dataset) -> list[tuple[str, Flags]]:
    """(word, which rows have it, those of test first): words of many validation rows, and not of most."""
    from sklearn.feature_extraction.text import CountVectorizer

    least = max(LEAST_ROWS, math.ceil(LEAST_WITH * len(val)))
    counter = CountVectorizer(
        binary=True, token_pattern=WORD, min_df=least, max_df=LARGEST, max_features=WORDS
    )
    try:
        counter.fit(_whole(val))
    except ValueError:  # no word is in so many rows
        return []
    has = np.asarray(counter.transform(_whole(test) + _whole(val)).toarray(), dtype=bool).T  # (C, N)
    return list(zip(map(str, counter.get_feature_names_out()), has, strict=True))


def _whole(table: Dataset) -> list[str]:
    texts, pairs = text_columns(table)
    return texts if pairs is None else [f"{one}\n{other}" for one, other in zip(texts, pairs, strict=True)]

"""Drift: whether new texts are still like those that a model was made for.

Four measures, each a change with its interval: how long the texts are (characters), how many of their words
the reference does not have, how well a probe tells them from the reference (the area under its ROC curve, out
of fold: a classifier two-sample test, Lopez-Paz & Oquab 2017), and how often the model gives each answer.

Each has its interval at 1 - 0.05 / 4, and each label's at its part of that (Bonferroni): where nothing has
changed, one look in twenty at most says that something has.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from statistics import NormalDist
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from stratune.evaluate.arrays import Floats
from stratune.evaluate.intervals import Interval
from stratune.evaluate.proportions import wilson
from stratune.evaluate.scales import student
from stratune.watch import SILENT, Progress

if TYPE_CHECKING:
    from stratune.task import Task

ROWS = 1000  # of either side that are compared, drawn at random
LEAST = 30  # rows of either side that say anything
ERROR = 0.05  # of all measures together
EXAMPLES = 3  # new texts that are shown, the least like the reference

Measure = Literal["length", "words", "probe", "answers"]
MEASURES = 4


@dataclass
class Sample:
    """Some of the rows that come by, each as likely as another (Vitter 1985, algorithm R).

    `said`: what the model answered, as a cell of `prediction`; empty where nobody asked.
    """

    most: int = ROWS
    texts: list[str] = field(default_factory=list)
    pairs: list[str] = field(default_factory=list)
    said: list[Any] = field(default_factory=list)
    seen: int = 0

    def __post_init__(self) -> None:
        self._random = random.Random(0)

    def __len__(self) -> int:
        return len(self.texts)

    def add(
        self, texts: Sequence[str], pairs: Sequence[str] | None = None, said: Sequence[Any] | None = None
    ) -> None:
        for k, text in enumerate(texts):
            columns = [(self.texts, text)]
            columns += [] if pairs is None else [(self.pairs, pairs[k])]
            columns += [] if said is None else [(self.said, said[k])]
            place = self.seen if self.seen < self.most else self._random.randrange(self.seen + 1)
            for column, cell in columns:
                if self.seen < self.most:
                    column.append(cell)
                elif place < self.most:
                    column[place] = cell
            self.seen += 1

    @property
    def whole(self) -> list[str]:
        """Each row as one text."""
        return (
            [f"{a}\n{b}" for a, b in zip(self.texts, self.pairs, strict=True)] if self.pairs else self.texts
        )


@dataclass(frozen=True)
class Change:
    """One thing that was measured, in the reference and in the new texts. `same`: the change that is none.

    `length`: geometric means of characters, and their ratio; `words`: shares of words that the reference (of
    its own: its other half) does not have; `probe`: 0.5 and the area; `answers`: shares of a label, `name`,
    or mean values.
    """

    measure: Measure
    before: float
    after: float
    change: Interval
    same: float = 0.0
    name: str = ""

    @property
    def left(self) -> bool:
        """Whether the new texts are surely other; fewer unknown words are none."""
        up = self.change.low > self.same
        return up if self.measure in ("words", "probe") else up or self.change.high < self.same

    def to_dict(self) -> dict[str, Any]:
        named = {"label": self.name} if self.name else {}
        sides = {"reference": self.before, "new": self.after}
        return {"measure": self.measure, **named, **sides, "change": self.change.to_dict(), "left": self.left}


@dataclass(frozen=True)
class Drift:
    """`reference`: its name; `rows` and `new_rows` were compared, of so many that were `seen`. `changes` are
    empty where rows are too few.
    """

    reference: str
    rows: int
    new_rows: int
    seen: int
    changes: list[Change]
    examples: list[str]

    @property
    def left(self) -> bool | None:
        """Whether the new texts have left the reference; None: too few rows to say."""
        return any(change.left for change in self.changes) if self.changes else None

    def to_dict(self) -> dict[str, Any]:
        return {
            "left": self.left,
            "reference": {"name": self.reference, "rows": self.rows},
            "new": {"rows": self.new_rows, "of": self.seen},
            "changes": [change.to_dict() for change in self.changes],
            "examples": self.examples if self.left else [],
        }


def drift(
    task: Task,
    reference: Sample,
    new: Sample,
    *,
    answered: Sample | None = None,
    name: str = "the reference",
    progress: Progress = SILENT,
) -> Drift:
    """Of texts that a model of this task has answered. `answered`: rows of the reference with answers, where
    they are others than those whose texts are compared: of the rows that it was trained on, a model's answers
    are not what they are elsewhere.
    """
    known = reference if answered is None else answered
    sides = name, len(reference), len(new), new.seen
    if min(len(reference), len(new)) < LEAST:
        return Drift(*sides, [], [])
    probe, farthest = _told_apart(reference, new, progress)
    changes = [_length(reference, new), _words(reference, new), probe]
    if len(known) >= LEAST:
        changes += _answers(task, known.said, new.said)
    return Drift(*sides, changes, [new.texts[k] for k in farthest[:EXAMPLES]])


def _length(reference: Sample, new: Sample) -> Change:
    before, after = (np.log1p([len(text) for text in side.whole]) for side in (reference, new))
    change = _difference_of_means(before, after, ERROR / MEASURES)
    ends = (math.exp(one) for one in (change.value, change.low, change.high))
    return Change("length", math.expm1(before.mean()), math.expm1(after.mean()), Interval(*ends), same=1.0)


def _words(reference: Sample, new: Sample) -> Change:
    """One half of the reference is a dictionary, for its other half and for the new texts."""
    halves = reference.whole[::2], reference.whole[1::2]
    dictionary = set(chain.from_iterable(map(_words_of, halves[0])))
    own, theirs = (_unknown(texts, dictionary) for texts in (halves[1], new.whole))
    change, error = theirs[0] - own[0], math.hypot(own[1], theirs[1])
    reach = _normal(ERROR / MEASURES) * error
    return Change("words", own[0], theirs[0], Interval(change, change - reach, change + reach))


def _unknown(texts: Sequence[str], dictionary: set[str]) -> tuple[float, float]:
    """The share of all words that are not in it, and its standard error over texts (a ratio of two sums)."""
    words = [_words_of(text) for text in texts]
    count = np.array([len(one) for one in words], dtype=float)
    missing = np.array([sum(word not in dictionary for word in one) for one in words], dtype=float)
    total = max(count.sum(), 1.0)
    share = missing.sum() / total
    spread = ((missing - share * count) ** 2).sum() * len(texts) / max(len(texts) - 1, 1)
    return float(share), float(math.sqrt(spread) / total)


def _told_apart(reference: Sample, new: Sample, progress: Progress) -> tuple[Change, list[int]]:
    """The change, and the new rows in order, those least like the reference first."""
    from datasets import Dataset

    from stratune.comparison.suspects import OutOfFold
    from stratune.task import Task

    paired = bool(reference.pairs)
    rows = {"text": [*reference.texts, *new.texts]}
    rows |= {"text_pair": [*reference.pairs, *new.pairs]} if paired else {}
    labels = ["reference"] * len(reference) + ["new"] * len(new)
    table = Dataset.from_dict({"id": [str(k) for k in range(len(labels))], **rows, "label": labels})
    task = Task(text_pair="text_pair" if paired else None, labels=("reference", "new"))
    answers = OutOfFold("probe")(table, task, progress)
    truth = task.target.truth(labels)
    found = task.target.intervals(truth, answers.predictions[None], level=1 - ERROR / MEASURES)["roc_auc"]
    order = np.argsort(-answers.predictions[len(reference) :, 1], kind="stable")
    return Change("probe", 0.5, found.value, found, same=0.5), order.tolist()


def _answers(task: Task, before: Sequence[Any], after: Sequence[Any]) -> Iterator[Change]:
    """Of values one change, of their mean; of labels one each. Rows without a valid answer count as none."""
    target = task.target
    if target.is_numeric:
        values = [np.array([one for one in side if one is not None], dtype=float) for side in (before, after)]
        if min(map(len, values)) >= 2:
            change = _difference_of_means(values[0], values[1], ERROR / MEASURES)
            yield Change("answers", float(values[0].mean()), float(values[1].mean()), change)
        return
    one, other = (_given(target.members, side, task.labels) for side in (before, after))
    quantile = _normal(ERROR / MEASURES / len(task.labels))
    for k, label in enumerate(task.labels):
        change = _difference_of_shares(one[:, k], other[:, k], quantile)
        yield Change("answers", float(one[:, k].mean()), float(other[:, k].mean()), change, name=label)


def _given(members: Callable[[str], list[str]], cells: Sequence[Any], labels: Sequence[str]) -> Floats:
    """(N, K) whether a row has been given a label; an invalid answer gives none."""
    return np.array([[float(label in members(str(cell))) for label in labels] for cell in cells])


def _difference_of_shares(before: Floats, after: Floats, quantile: float) -> Interval:
    """From Wilson's intervals of both (Newcombe 1998, method 10)."""
    shares = np.array([before.mean(), after.mean()])
    low, high = wilson(shares, np.array([len(before), len(after)], dtype=float), quantile)
    change = float(shares[1] - shares[0])
    down = math.hypot(shares[1] - low[1], high[0] - shares[0])
    up = math.hypot(high[1] - shares[1], shares[0] - low[0])
    return Interval(change, change - down, change + up)


def _difference_of_means(before: npt.NDArray[Any], after: npt.NDArray[Any], error: float) -> Interval:
    """Welch's, of two independent sides of two values or more."""
    squares = [float(side.var(ddof=1)) / len(side) for side in (before, after)]
    change, error_of = float(after.mean() - before.mean()), math.sqrt(sum(squares))
    if error_of == 0.0:  # all alike
        return Interval(change, change, change)
    freedom = sum(squares) ** 2 / sum(
        square**2 / (len(side) - 1) for square, side in zip(squares, (before, after), strict=True)
    )
    reach = float(student(error, freedom)) * error_of
    return Interval(change, change - reach, change + reach)


def _words_of(text: str) -> list[str]:
    from stratune.data.near import plain

    return plain(text).split()


def _normal(error: float) -> float:
    return NormalDist().inv_cdf(1 - error / 2)

"""Findings about labels: spellings of one label, names that mean missing, too few rows of a label."""

from __future__ import annotations

import re
import shlex
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from stratune.data.gold import usual
from stratune.data.issue import Issue, counted, named, shown, some
from stratune.data.labels import look_like_scores
from stratune.target.label_sets import SEPARATOR
from stratune.task import Task

FEW_ROWS = 20  # training rows of a label; with fewer, nobody can tell what the label means
_INVISIBLE = re.compile(r"[\u00ad\u180e\u200b-\u200f\u2060-\u2064\ufeff\ufe00-\ufe0f\x00-\x08\x0e-\x1f\x7f]")

Balance = Mapping[str, Mapping[str, int]]  # part -> label -> rows


def label_issues(task: Task, balance: Balance) -> Iterator[Issue]:
    """Of a task with its labels, and the rows that each part has of them."""
    if not task.labels:
        return
    yield from _alike(task.labels)
    yield from _missing_names(task.labels)
    yield from _scores(task)
    yield from _sets(task)
    yield from _small(balance)
    yield from _absent(balance)


def spelling(label: str) -> str:
    """Equal for labels that differ by case, white space, Unicode form, invisible characters, or 1 and 1.0."""
    plain = _INVISIBLE.sub("", unicodedata.normalize("NFKC", label))
    plain = " ".join(plain.split()).casefold()
    if re.fullmatch(r"[+-]?\d+\.0*", plain):
        plain = plain.partition(".")[0]
    return plain


def _alike(labels: Sequence[str]) -> Iterator[Issue]:
    spellings: dict[str, list[str]] = defaultdict(list)
    for label in labels:
        spellings[spelling(label)].append(label)
    found = [names for names in spellings.values() if len(names) > 1]
    if found:
        alike = [label for names in found for label in names]
        shown = named(["/".join(map(ascii, names)) for names in found])
        message = (
            f"{counted(len(alike), 'label differs', 'labels differ')} only by case, blanks, invisible "
            f"characters, Unicode form, or 1 and 1.0: {shown}; write each label in one way"
        )
        yield Issue("warning", "similar_labels", message, len(alike), some(alike))


def _missing_names(labels: Sequence[str]) -> Iterator[Issue]:
    found = usual(labels)
    if found:
        options = " ".join(f"--no-gold {shlex.quote(label)}" for label in found)
        message = (
            f"{counted(len(found), 'label reads', 'labels read')} like a missing value: "
            f"{named([repr(label) for label in found])}; leave such rows out with {options}, or give the "
            "label a name"
        )
        yield Issue("warning", "missing_label", message, len(found), some(found))


def _scores(task: Task) -> Iterator[Issue]:
    if task.target.one_label and task.bins is None and look_like_scores(task.labels):
        message = f"{len(task.labels)} labels are numbers: for a score use --kind regression"
        yield Issue("warning", "scores_as_labels", message, len(task.labels), some(task.labels))


def _sets(task: Task) -> Iterator[Issue]:
    """Labels with commas whose pieces recur: "red,round" beside "red"."""
    if not task.target.one_label:
        return
    pieces: dict[str, int] = defaultdict(int)
    for label in task.labels:
        for piece in {part.strip() for part in label.split(SEPARATOR)}:
            pieces[piece] += 1
    joined = [
        label
        for label in task.labels
        if SEPARATOR in label and any(pieces[part.strip()] > 1 for part in label.split(SEPARATOR))
    ]
    if joined:
        message = (
            f"{counted(len(joined), 'label looks', 'labels look')} like several labels: "
            f"{named([repr(label) for label in joined])}; read them so with --kind multilabel"
        )
        yield Issue("warning", "sets_as_labels", message, len(joined), some(joined))


def _small(balance: Balance) -> Iterator[Issue]:
    """Labels with few rows to learn from: of a split in train, else in the whole table."""
    part, word = ("train", "training rows") if "train" in balance else (next(iter(balance)), "rows")
    small = {label: count for label, count in balance[part].items() if 0 < count < FEW_ROWS}
    if small:
        found = named([f"{shown(label)} ({count})" for label, count in small.items()])
        message = f"{counted(len(small), 'label has', 'labels have')} fewer than {FEW_ROWS} {word}: {found}"
        yield Issue("warning", "small_class", message, len(small), some(list(small)))


def _absent(balance: Balance) -> Iterator[Issue]:
    """`untrained_class` of train: no model has seen it; `missing_class` elsewhere: nothing measures it."""
    for part, counts in balance.items():
        absent = [label for label, count in counts.items() if count == 0]
        if absent:
            found = counted(len(absent), "label", "labels")
            message = f"{part} has no row of {found}: {named([*map(shown, absent)])}"
            code = "untrained_class" if part == "train" else "missing_class"
            yield Issue("warning", code, message, len(absent), some(absent))

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
from stratune.data.scales import in_usual_order
from stratune.target.label_sets import SEPARATOR
from stratune.task import Task

UNEQUAL = 10.0  # times the rows of the smallest label that the largest has, from which it is told
FEW_ROWS = 20  # training rows of a label; with fewer, nobody can tell what the label means
_INVISIBLE = re.compile(r"[\u00ad\u180e\u200b-\u200f\u2060-\u2064\ufeff\ufe00-\ufe0f\x00-\x08\x0e-\x1f\x7f]")

# Marks between words, and at their ends. C# and C++, 1-2 and 12, -1 and 1, <5 and >5 stay different.
_BETWEEN = re.compile(r"(?<=[^\W\d])[-_/.\u2010-\u2015:;,'\u2019]+(?=[^\W\d])|_")
_AROUND = re.compile(r"^[\"'`\u2018-\u201f(\[]+|[\"'`\u2018-\u201f)\].,:;!?\u2026]+$")

_OTHER_MARKS = ";|"  # that people write between labels, where commas are read

Balance = Mapping[str, Mapping[str, int]]  # part -> label -> rows


def label_issues(task: Task, balance: Balance) -> Iterator[Issue]:
    """Of a task with its labels, and the rows that each part has of them."""
    if not task.labels:
        return
    yield from _alike(task.labels)
    yield from _missing_names(task.labels)
    yield from _scores(task)
    yield from _sets(task)
    yield from _order(task)
    yield from _small(balance)
    yield from _unequal(task, balance)
    yield from _absent(balance)


def spelling(label: str) -> str:
    """Equal for labels that differ by case, white space, punctuation, Unicode form, invisible characters, or
    1 and 1.0. A label of marks alone stays as it is.
    """
    plain = _INVISIBLE.sub("", unicodedata.normalize("NFKC", label))
    plain = " ".join(plain.split()).casefold()
    if re.fullmatch(r"[+-]?\d+\.0*", plain):
        plain = plain.partition(".")[0]
    bare = " ".join(_AROUND.sub("", _BETWEEN.sub(" ", plain)).split())
    return bare or plain


def _alike(labels: Sequence[str]) -> Iterator[Issue]:
    spellings: dict[str, list[str]] = defaultdict(list)
    for label in labels:
        spellings[spelling(label)].append(label)
    found = [names for names in spellings.values() if len(names) > 1]
    if found:
        alike = [label for names in found for label in names]
        shown = named(["/".join(map(ascii, names)) for names in found])
        message = (
            f"{counted(len(alike), 'label differs', 'labels differ')} only by case, blanks, punctuation, "
            f"invisible characters, Unicode form, or 1 and 1.0: {shown}; write each label in one way"
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
    """Labels with commas whose pieces recur ("red,round" beside "red"); of sets, with other marks."""
    marks = SEPARATOR if task.target.one_label else _OTHER_MARKS if task.target.several_labels else ""
    for mark in marks:
        pieces: dict[str, int] = defaultdict(int)
        for label in task.labels:
            for piece in {part.strip() for part in label.split(mark)}:
                pieces[piece] += 1
        joined = [
            label
            for label in task.labels
            if mark in label and any(pieces[part.strip()] > 1 for part in label.split(mark))
        ]
        if joined:
            advice = (
                f"write {SEPARATOR!r} for {mark!r}"
                if mark != SEPARATOR
                else "read them so with --kind multilabel"
            )
            message = (
                f"{counted(len(joined), 'label looks', 'labels look')} like several labels: "
                f"{named([repr(label) for label in joined])}; {advice}"
            )
            yield Issue("warning", "sets_as_labels", message, len(joined), some(joined))


def _order(task: Task) -> Iterator[Issue]:
    """Levels whose order contradicts their numbers, or their words: a far level would count as a near one."""
    if task.kind != "ordinal" or (usual_order := in_usual_order(task.labels)) is None:
        return
    given, better = (", ".join(map(shown, labels)) for labels in (task.labels, usual_order))
    message = f"levels are in the order {given}; as they read it is task.labels=[{better}]"
    yield Issue("warning", "levels_out_of_order", message, len(task.labels), some(task.labels))


def classes(task: Task, balance: Balance) -> dict[str, float] | None:
    """Of all rows: `effective`, the number of labels with equally many rows that would be as hard to guess
    (exp of the entropy, Hill 1973), and `ratio`, the largest label's rows by the smallest's. None where a row
    may have several labels, or none.
    """
    from math import exp, log

    if not task.target.one_label or not task.labels:
        return None
    parts = [counts for part, counts in balance.items() if part != "val" or counts != balance.get("train")]
    rows = [sum(counts.get(label, 0) for counts in parts) for label in task.labels]
    there = [count for count in rows if count]
    if not there:
        return None
    total = sum(there)
    entropy = -sum(count / total * log(count / total) for count in there)
    return {"effective": exp(entropy), "ratio": max(there) / min(there)}


def _unequal(task: Task, balance: Balance) -> Iterator[Issue]:
    found = classes(task, balance)
    if found is None or found["ratio"] < UNEQUAL:
        return
    part = "train" if "train" in balance else next(iter(balance))
    counts = {label: count for label, count in balance[part].items() if count}
    large, small = max(counts, key=counts.__getitem__), min(counts, key=counts.__getitem__)
    message = (
        f"{shown(large)} has {found['ratio']:,.3g} times the rows of {shown(small)}; {len(task.labels):,} "
        f"labels are as varied as {found['effective']:.1f} of equal size: accuracy hardly sees rare ones"
    )
    yield Issue("warning", "unequal_classes", message, len(counts), (large, small))


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

"""check(): what to know about the data before anything is trained on it. It changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any, Literal

import numpy as np
from datasets import Dataset
from numpy.typing import NDArray

from stratune.data.arrow import to_arrow
from stratune.data.giveaways import giveaways
from stratune.data.issue import Issue, counted, some
from stratune.data.label_issues import classes, label_issues
from stratune.data.labels import label_counts
from stratune.data.leaks import Sides
from stratune.data.lengths import Lengths, measure
from stratune.data.split import Split
from stratune.evaluate.visible import visible_difference
from stratune.task import Task

TokenLengths = Callable[[list[str], list[str] | None], list[int]]  # texts, pairs -> tokens of each row

SMALL = {"val": 20, "test": 30}  # rows; with fewer, choices and scores are mostly luck
FEW_GROUPS = 10  # in val or test; intervals resample whole groups
RIGHT = (0.7, 0.8, 0.9)  # of which `visible` tells
LEAK_ERROR = 0.5  # share of a part's rows that are in train; above it the part is not held out


@dataclass(frozen=True)
class Report:
    """What `data check` prints and data.json holds."""

    rows: dict[str, int]
    balance: dict[str, dict[str, int]]
    words: Lengths
    tokens: Lengths | None
    issues: tuple[Issue, ...]
    # Share of rows that two models get right -> the least difference in accuracy that the test part can show.
    visible: dict[str, float] = field(default_factory=dict)
    classes: dict[str, float] | None = None  # how many there are in effect (label_issues.py)
    cross_validated: bool = False  # val are the training rows, each once held out

    @property
    def ok(self) -> bool:
        return all(issue.level != "error" for issue in self.issues)

    def to_dict(self) -> dict[str, Any]:
        tokens = None if self.tokens is None else self.tokens.to_dict()
        issues = [{**asdict(issue), "examples": list(issue.examples)} for issue in self.issues]
        lengths = {"words": self.words.to_dict(), "tokens": tokens}
        return {
            "rows": self.rows,
            "balance": self.balance,
            "lengths": lengths,
            "issues": issues,
            "visible": self.visible,
            **({"classes": self.classes} if self.classes else {}),
            "ok": self.ok,
        }


def check(
    data: Split | Dataset,
    task: Task | None = None,
    *,
    token_lengths: TokenLengths | None = None,
    max_length: int | None = None,
    more: Sequence[Issue] = (),
) -> Report:
    """Look at a Split (its task is used) or at one canonical table. `max_length` is in tokens. `more`: what
    was found elsewhere.
    """
    if isinstance(data, Split):
        tables, task, notes, warnings = data.parts, data.task, data.notes, data.warnings
        twice = {"val"} if data.cross_validated else set[str]()  # its rows are those of train
    else:
        tables, task, notes, warnings = {"all": data}, task or Task(), (), ()
        twice = set()
    parts = {name: _Part(name, table) for name, table in tables.items() if name not in twice}
    if not task.labels:
        members = task.target.members
        found = {name for part in parts.values() for cell in part.column("label") for name in members(cell)}
        task = task.with_labels(tuple(sorted(found)))
    balance = {name: label_counts(table, task) for name, table in tables.items()}
    tokens = _tokens(parts.values(), token_lengths, max_length)
    every = list(parts.values())
    sides = Sides({name: part.given for name, part in parts.items()})
    issues = [  # the gravest first: a reader may stop after some
        *(Issue("warning", "note", warning, 1) for warning in warnings),
        *(issue for one, other in _pairs(parts) for issue in _leaks(one, other, sides)),
        *(issue for one, other in _pairs(parts) for issue in _near_leaks(one, other, sides)),
        *(issue for one, other in _pairs(parts) for issue in _shared_groups(one, other)),
        *label_issues(task, balance),
        *_conflicts(every, sides),
        *(issue for part in every for issue in _empty(part)),
        *(issue for part in every for issue in _small(part)),
        *_duplicates(every, sides),
        *_near_duplicates(every, sides),
        *_given_away(every[0], task),
        *more,
        *_too_long(tokens),
        *(Issue("info", "note", note, 1) for note in notes),
    ]
    words = measure([n for part in parts.values() for n in part.words()], "words")
    rows = {name: len(table) for name, table in tables.items()}
    seen, uneven = _visible(task, rows.get("test", 0)), classes(task, balance)
    return Report(rows, balance, words, tokens, tuple(issues), seen, uneven, bool(twice))


def _visible(task: Task, rows: int) -> dict[str, float]:
    """Of one label a row; how far errors of values or of sets of labels differ cannot be known beforehand."""
    if not (rows and task.target.one_label):
        return {}
    return {f"{right:g}": visible_difference(right, rows) for right in RIGHT}


class _Part:
    """One part's columns as lists."""

    def __init__(self, name: str, table: Dataset) -> None:
        self.name, self.given, self.table = name, table, to_arrow(table)
        self.where = "" if name == "all" else f" in {name}"

    def has(self, name: str) -> bool:
        return name in self.table.column_names

    def column(self, name: str) -> list[str]:
        values: list[str] = self.table.column(name).to_pylist()
        return values

    def pairs(self) -> list[str] | None:
        return self.column("text_pair") if self.has("text_pair") else None

    @cached_property
    def ids(self) -> list[str]:
        return self.column("id")

    def words(self) -> list[int]:
        pairs = self.pairs() or [""] * len(self.ids)
        return [len(a.split()) + len(b.split()) for a, b in zip(self.column("text"), pairs, strict=True)]


def _pairs(parts: Mapping[str, _Part]) -> list[tuple[_Part, _Part]]:
    """Pairs of parts that must not share rows: train with val, train with test, val with test."""
    names = [
        pair for pair in (("train", "val"), ("train", "test"), ("val", "test")) if set(pair) <= set(parts)
    ]
    return [(parts[one], parts[other]) for one, other in names]


def _tokens(parts: Iterable[_Part], token_lengths: TokenLengths | None, limit: int | None) -> Lengths | None:
    if token_lengths is None:
        return None
    return measure(
        [n for part in parts for n in token_lengths(part.column("text"), part.pairs())], "tokens", limit
    )


def _empty(part: _Part) -> Iterator[Issue]:
    for column in ("text", "text_pair"):
        texts = part.column(column) if part.has(column) else []
        empty = [row_id for row_id, text in zip(part.ids, texts, strict=False) if not text.strip()]
        if empty:
            level: Literal["error", "warning"] = "error" if len(empty) == len(part.ids) else "warning"
            found = counted(len(empty), "row has", "rows have")
            message = f"{found} an empty {column}{part.where}"
            yield Issue(level, "empty_text", message, len(empty), some(empty))


def _duplicates(parts: Sequence[_Part], sides: Sides) -> Iterator[Issue]:
    """Rows that repeat a text of their own part."""
    rows = {part.name: sides.repeated(part.name) for part in parts}
    yield from _within(parts, rows, "duplicate_text", "warning", ("repeats", "repeat"), "an earlier text")


def _near_duplicates(parts: Sequence[_Part], sides: Sides) -> Iterator[Issue]:
    """Rows whose text is nearly that of an earlier row of their own part."""
    rows = {part.name: sides.within(part.name) for part in parts}
    nearly = "nearly the text of an earlier row"
    yield from _within(parts, rows, "near_duplicate", "info", ("has", "have"), nearly)


def _within(
    parts: Sequence[_Part],
    rows: Mapping[str, NDArray[np.bool_]],
    code: str,
    level: Literal["warning", "info"],
    verb: tuple[str, str],
    what: str,
) -> Iterator[Issue]:
    found = {part.name: [part.ids[row] for row in np.flatnonzero(rows[part.name])] for part in parts}
    ids = [row_id for own in found.values() for row_id in own]
    if ids:
        count = counted(len(ids), f"row {verb[0]}", f"rows {verb[1]}")
        where = ", ".join(f"{name} {len(own):,}" for name, own in found.items() if own and name != "all")
        message = f"{count} {what}{f' ({where})' if where else ''}"
        yield Issue(level, code, message, len(ids), some(ids))


def _given_away(train: _Part, task: Task) -> Iterator[Issue]:
    if task.target.one_label:
        yield from giveaways(train.column("text"), train.pairs(), train.column("label"))


def _small(part: _Part) -> Iterator[Issue]:
    rows = len(part.ids)
    if rows < SMALL.get(part.name, 0):
        why = "the choice by validation is mostly luck" if part.name == "val" else "scores are rough"
        message = f"{part.name} has {counted(rows, 'row', 'rows')}, fewer than {SMALL[part.name]}: {why}"
        yield Issue("warning", f"small_{part.name}", message, rows)
    if part.name in SMALL and part.has("group"):
        groups = len(set(part.column("group")))
        if groups < FEW_GROUPS:
            found = f"{part.name} has {counted(groups, 'group', 'groups')}, fewer than {FEW_GROUPS}"
            yield Issue("warning", "few_groups", f"{found}: its rows say less than their number", groups)


def _conflicts(parts: Sequence[_Part], sides: Sides) -> Iterator[Issue]:
    """One text under two labels, in one part or in two."""
    labels: dict[int, str] = {}
    conflicting: dict[int, str] = {}  # text -> the id that first contradicted
    for part in parts:
        for row_id, key, label in zip(
            part.ids, sides.numbers[part.name].tolist(), part.column("label"), strict=True
        ):
            if labels.setdefault(key, label) != label:
                conflicting.setdefault(key, row_id)
    if conflicting:
        message = f"{counted(len(conflicting), 'text occurs', 'texts occur')} with more than one label"
        yield Issue(
            "warning", "conflicting_labels", message, len(conflicting), some(list(conflicting.values()))
        )


def _leaks(one: _Part, other: _Part, sides: Sides) -> Iterator[Issue]:
    rows = sides.same(other.name, one.name)
    level: Literal["error", "warning"] = "error" if rows.sum() > LEAK_ERROR * len(rows) else "warning"
    yield from _across(one, other, rows, "leak", level, "a text that is also in")


def _near_leaks(one: _Part, other: _Part, sides: Sides) -> Iterator[Issue]:
    rows = sides.nearly(other.name, one.name)
    yield from _across(one, other, rows, "near_leak", "warning", "nearly a text that is in")


def _across(
    one: _Part,
    other: _Part,
    rows: NDArray[np.bool_],
    code: str,
    level: Literal["error", "warning"],
    what: str,
) -> Iterator[Issue]:
    shared = [other.ids[row] for row in np.flatnonzero(rows)]
    if shared:
        found = counted(len(shared), f"row of {other.name} has", f"rows of {other.name} have")
        share = f"{len(shared) / len(rows):.1%} of {other.name}"
        yield Issue(level, code, f"{found} {what} {one.name} ({share})", len(shared), some(shared))


def _shared_groups(one: _Part, other: _Part) -> Iterator[Issue]:
    if not (one.has("group") and other.has("group")):
        return
    shared = sorted(set(one.column("group")) & set(other.column("group")))
    if shared:
        message = f"{counted(len(shared), 'group is', 'groups are')} in both {one.name} and {other.name}"
        yield Issue("warning", "shared_group", message, len(shared), some(shared))


def _too_long(tokens: Lengths | None) -> Iterator[Issue]:
    if tokens is not None and tokens.over_limit:
        found = counted(tokens.over_limit, "row is", "rows are")
        message = f"{found} longer than {tokens.limit:,} tokens and will be cut (longest: {tokens.longest:,})"
        yield Issue("warning", "too_long", message, tokens.over_limit)

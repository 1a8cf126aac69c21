"""The rows of test as the page lists them: truth, each strategy's answer and confidence, and the text.

Columns, not rows: a list a column, so that fourteen answers to three thousand rows stay small. Answers are
numbers of a table of answers, which are lists of label numbers: [2] is one label, [0, 3] a set of two.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from stratune.data.segments import SEPARATOR, readable
from stratune.printable import printable
from stratune.report import human
from stratune.report.comparison import Comparison, Entry, Run
from stratune.target import Target

BYTES = 2_500_000  # of all texts together: the page stays below 5 MB
SHORTEST = 200  # characters that a text keeps at least
CHUNKS = 60_000  # of all strategies together whose way to the answer is shown: 1.5 MB
INVALID = -1


class Answers:
    """Answers as numbers, each kept once."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.table: list[list[int]] = [[k] for k in range(len(target.labels))] if target.one_label else []
        self._known: dict[str, int] = dict(zip(target.labels, range(len(self.table)), strict=False))

    def number(self, answer: Any) -> int:
        """Of a cell of predictions.parquet; INVALID for what is no answer."""
        if not self.target.is_answer(answer):
            return INVALID
        known = "" if answer is None else str(answer)
        if known not in self._known:
            self._known[known] = len(self.table)
            self.table.append(np.flatnonzero(self.target.truth([known])[0]).tolist())
        return self._known[known]


def examples(comparison: Comparison, entries: Sequence[Entry], most: int) -> dict[str, Any]:
    """`entries`: those with results, in the order of the board. `most`: rows shown with their texts; 0: the
    same rows without. Rows that are left out are spread evenly, so that shares stay what they are.
    """
    total = comparison.sizes["test"]
    shown = np.unique(np.linspace(0, total - 1, min(most or 2000, total)).round().astype(int))
    ids = comparison.ids["test"]
    place = {one: position for position, one in enumerate(ids[k] for k in shown)}
    target, answers = comparison.task.target, Answers(comparison.task.target)
    columns = [_columns(entry.ok[0], place, shown, answers) for entry in entries]
    _fit(columns)
    first = entries[0].ok[0] if entries else None
    truth, groups = _given(first, place, answers) if first else ([], None)
    return {
        "total": total,
        "ids": [human.plain(one) for one in place],
        "truth": truth,
        "groups": groups if comparison.task.group else None,
        "answers": None if target.is_numeric else answers.table,
        "entries": columns,
        "seed": first.result.seed if first else 0,
        **_texts(comparison, shown, most),
    }


def _columns(run: Run, place: dict[str, int], shown: Any, answers: Answers) -> dict[str, Any]:
    """`said`, `sure`, `chunks` and `course` of the run's test rows; `sure` is the probability of what was
    answered, `course` each chunk in order: where it is, what is lost without it, the prediction so far.
    """
    rows = _read(run, place, ["prediction", "evidence", "course"])
    scores = run.predictions["test"].predictions[shown]
    parts = {
        "chunks": _listed(rows, "evidence", ("start", "end", "score")),
        "course": _listed(rows, "course", ("start", "end", "score", "so_far")),
    }
    if answers.target.is_numeric:
        return {"said": [_rounded(row["prediction"]) for row in rows], "sure": None, **parts}
    said = [answers.number(row["prediction"]) for row in rows]
    sure = [
        _sure(score, answers.table[k] if k >= 0 else None, answers)
        for score, k in zip(scores, said, strict=True)
    ]
    return {"said": said, "sure": sure, **parts}


def _listed(rows: list[dict[str, Any]], column: str, fields: Sequence[str]) -> list[list[Any]] | None:
    """Lists in place of objects; None for a run without this column."""
    if not rows or rows[0].get(column) is None:
        return None
    return [[[_short(one[name]) for name in fields] for one in row[column] or ()] for row in rows]


def _short(value: float | int | None) -> float | int | None:
    return value if isinstance(value, int) else _rounded(value)


def _fit(columns: list[dict[str, Any]]) -> None:
    """Leave out the courses of the longest texts, the same of all strategies, where all are too many."""
    courses = [column["course"] for column in columns if column["course"]]
    if not courses:
        return
    sizes = np.array([[len(course) for course in rows] for rows in courses]).sum(axis=0)
    order = np.argsort(sizes, kind="stable")
    for row in order[np.cumsum(sizes[order]) > CHUNKS]:
        for rows in courses:
            rows[row] = []


def _sure(scores: Any, labels: list[int] | None, answers: Answers) -> float | None:
    """Probability of the answer; of a label set that of its least certain yes or no."""
    if labels is None:
        return None
    if answers.target.several_labels:
        has = np.isin(np.arange(len(scores)), labels)
        return _rounded(float(np.where(has, scores, 1 - scores).min()))
    return _rounded(float(scores[labels[0]]))


def _given(run: Run, place: dict[str, int], answers: Answers) -> tuple[list[Any], list[str] | None]:
    """Truth and group of each row, which are the same in every run."""
    rows = _read(run, place, ["truth", "group"])
    numeric = answers.target.is_numeric
    truth = [_rounded(row["truth"]) if numeric else answers.number(row["truth"]) for row in rows]
    groups = [
        human.short(row["group"], 60) if row["group"] is not None else "" for row in rows if "group" in row
    ]
    return truth, groups or None


def _read(run: Run, place: dict[str, int], columns: list[str]) -> list[dict[str, Any]]:
    """Columns of the rows in `place` (id -> position), where the run has them."""
    import pyarrow.parquet as pq

    path = run.folder / "predictions.parquet"
    there = [name for name in columns if name in pq.read_schema(path).names]
    table = pq.read_table(path, columns=["id", *there], filters=[("part", "=", "test")])
    found: list[dict[str, Any]] = [{}] * len(place)
    for row in table.to_pylist():
        if (position := place.get(str(row["id"]))) is not None:
            found[position] = row
    return found


def _texts(comparison: Comparison, shown: Any, most: int) -> dict[str, Any]:
    """Texts, cut so that all together stay below BYTES; `limit` says at how many characters."""
    kept = comparison.texts
    if kept is None or not most:
        return {
            "texts": None,
            "pairs": None,
            "words": None,
            "characters": None,
            "limit": None,
            "pieces": None,
            "left_out": not most,
        }
    columns = [[column[k] for k in shown] for column in (kept.texts, kept.pairs) if column is not None]
    limit = max((len(text) for column in columns for text in column), default=0)
    while (
        limit > SHORTEST and sum(len(t[:limit].encode(errors="replace")) for c in columns for t in c) > BYTES
    ):
        limit = max(limit * 3 // 4, SHORTEST)
    texts = [[_readable(text[:limit]) for text in column] for column in columns]
    return {
        "texts": texts[0],
        "pairs": texts[1] if len(texts) > 1 else None,
        "words": [kept.words[k] for k in shown],
        "characters": [kept.characters[k] for k in shown],
        "limit": limit,
        "pieces": None
        if kept.pieces is None
        else [_pieces(kept.texts[k], kept.pieces[k] or []) for k in shown],
        "left_out": False,
    }


def _pieces(text: str, pieces: Sequence[dict[str, Any]]) -> list[list[Any]]:
    """[first character, name, speaker, seconds] of those that begin within the text that was kept."""
    starts = [0, *(place + 1 for place, one in enumerate(text) if one == SEPARATOR)]
    return [
        [
            start,
            printable(one["name"]),
            printable(one["speaker"]),
            None if one["start"] is None else round(one["start"], 1),
        ]
        for start, one in zip(starts, pieces, strict=False)
    ]


def _readable(text: str) -> str:
    """Each line as `printable` leaves it, character by character, so that places in the text stay."""
    lines = readable(text).replace("\t", " ").split("\n")
    return "\n".join(line if line.isprintable() else "".join(map(_character, line)) for line in lines)


def _character(one: str) -> str:
    return printable(one) or " "


def _rounded(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.4g}")

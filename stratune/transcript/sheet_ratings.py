"""Several raters in a score sheet: a row each, or a column each. Their ratings become one score a document.

With a column of raters (`rater`, `annotator`, ...) rows of one document are its raters'. A column that
differs among them, or that is the score, holds their ratings: `score` becomes what they agree on, and the
lists `score_ratings` and `score_raters` tell who said what. Columns such as `rater1` and `rater2`, or
`score_rater_a` and `score_rater_b`, are a rater each: they stay, and `rating` (or `score`) is added.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from stratune.data.agreed import OF_NUMBERS, agree_on
from stratune.data.arrow import as_text
from stratune.data.rated import Rated, read_rated
from stratune.data.raters import JOIN
from stratune.data.read import read
from stratune.errors import ConfigError, DataError, choices
from stratune.evaluate.agreement import krippendorff_alpha
from stratune.evaluate.consensus import NONE, leading
from stratune.evaluate.dawid_skene import dawid_skene
from stratune.target.numbers import number
from stratune.transcript.sheet_cells import without_score

Key = tuple[str, str]  # document, and speaker where that matters, else ""

WAYS = ("mean", "median", "majority")
RATING = "rating"  # what raters' columns agree on, where their names say nothing else
RATINGS, RATERS = "_ratings", "_raters"  # columns of lists beside a score
SOME = 10  # documents with two ratings, from which an interval of their agreement means something
FEW = 10  # different texts that ratings may be; more are remarks

_PERSON = (
    "(?:rater|annotator|coder|judge|reviewer|grader|scorer|evaluator|labell?er|assessor|expert|worker|marker)"
)
_WHO = re.compile(rf"{_PERSON}(?:[ _-]?(?:id|name|no|nr|number|code))?")
# "rater1", "Rater_A", "score (rater 2)", "coder-b clarity": what stands around the rater is what was rated
_EACH = re.compile(rf"(.*?)(?:^|(?<=[\s_(-])){_PERSON}[\s_-]*([0-9]+|[a-z])(?=$|[\s_)-])(.*)")


@dataclass
class Combined:
    """Of a sheet with several raters. `rows`: the first row of each document; `cells`: columns, one cell for
    each of `rows`; `annotations`: column of a score -> what task.annotations calls its ratings.
    """

    rows: list[int]
    cells: dict[str, list[Any]]
    annotations: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def check_way(way: str | None) -> None:
    """ConfigError for another way to make one score of ratings."""
    if way is not None and way not in WAYS:
        raise ConfigError(choices(way, WAYS), key="ratings")


def rater_column(names: Sequence[str]) -> str | None:
    """The column that says who rated, where there is one."""
    return next((name for name in names if _WHO.fullmatch(name.strip().casefold())), None)


def rater_columns(names: Sequence[str]) -> dict[str, list[str]]:
    """What is rated ("" where the names do not say) -> its columns, one for each rater, two or more."""
    found: dict[str, list[str]] = defaultdict(list)
    for name in names:
        if each := _EACH.fullmatch(name.strip().casefold()):
            found["_".join(filter(None, (part.strip(" _-()") for part in (each[1], each[3]))))].append(name)
    return {what: columns for what, columns in found.items() if len(columns) > 1}


def of_rows(
    cells: Mapping[str, Sequence[Any]],
    keys: Sequence[Key],
    rater: str,
    place_of: Callable[[int], int],
    path: str | Path,
    *,
    score: str | None = None,
    way: str | None = None,
) -> Combined:
    """One row for each of `keys` (N,), of rows by one rater each. `place_of`: the row that a message names.

    DataError where a rater has two rows of one key, or a row has no rater.
    """
    groups: dict[Key, list[int]] = defaultdict(list)
    for row, key in enumerate(keys):
        groups[key].append(row)
    who = [(as_text(cell) or "").strip() for cell in cells[rater]]
    _check_raters(groups, who, rater, place_of, path)
    rows = list(groups.values())
    kept = {name: [column[first] for first, *_ in rows] for name, column in cells.items() if name != rater}
    found = Combined([first for first, *_ in rows], kept)
    for name in _rated(cells, [name for name in cells if name != rater], rows, score, way, found.notes):
        none = without_score(cells[name])
        given = [[row for row in group if not none[row]] for group in rows]
        ratings = [[as_text(cells[name][row]) or "" for row in group] for group in given]
        raters = [[who[row] for row in group] for group in given]
        _agree(found, _read({name: ratings, rater: raters}, name, rater, path), name, way)
        found.cells |= {f"{name}{RATINGS}": ratings, f"{name}{RATERS}": raters}
        found.annotations[name] = f"{name}{RATINGS}"
    return found


def of_columns(
    cells: Mapping[str, Sequence[Any]],
    path: str | Path,
    *,
    score: str | None = None,
    way: str | None = None,
) -> Combined | None:
    """With a score for each thing that several columns rate; None where no columns are raters'. A score that
    the sheet has already stays. `score`: what the only one is to be called, where their names do not say.
    """
    groups = rater_columns(list(cells))
    if not groups:
        return None
    rows = len(next(iter(cells.values())))
    found = Combined(list(range(rows)), {name: list(column) for name, column in cells.items()})
    unnamed = score if score is not None and score not in cells and len(groups) == 1 else RATING
    for what, names in groups.items():
        called = what or unnamed
        own = next((name for name in cells if name.strip().casefold() == called.casefold()), None)
        for name in names:
            none = without_score(cells[name])
            found.cells[name] = [None if none[row] else as_text(cells[name][row]) for row in range(rows)]
        if own is None:
            given = {name: found.cells[name] for name in names}
            _agree(found, _read(given, JOIN.join(names), None, path), called, way)
        found.annotations[own or called] = JOIN.join(names)
    return found


def _check_raters(
    groups: Mapping[Key, Sequence[int]],
    who: Sequence[str],
    rater: str,
    place_of: Callable[[int], int],
    path: str | Path,
) -> None:
    for key, rows in groups.items():
        seen: dict[str, int] = {}
        for row in rows:
            name = who[row]
            if not name:
                raise DataError("a row without a rater", path=path, row=place_of(row), column=rater)
            if name in seen:
                why = f"{name!r} has rated {key[0]!r} in row {place_of(seen[name])} already"
                raise DataError(why, path=path, row=place_of(row), column=rater)
            seen[name] = row


def _rated(
    cells: Mapping[str, Sequence[Any]],
    names: Sequence[str],
    groups: Sequence[Sequence[int]],
    score: str | None,
    way: str | None,
    notes: list[str],
) -> list[str]:
    """The columns of ratings: the score, and those that differ among the raters of a document."""
    varying = []
    for name in names:
        texts = [(as_text(cell) or "").strip() for cell in cells[name]]
        if all(len({texts[place] for place in group}) == 1 for group in groups):
            continue
        distinct = set(texts) - {""}
        words = any(number(text) is None for text in distinct)
        if name != score and words and (len(distinct) > FEW or way in OF_NUMBERS):
            notes.append(f"{name!r} differs among the raters of a document: the first one's is kept")
        else:
            varying.append(name)
    if score is not None and score in names and score not in varying:
        varying.append(score)
    return varying or (list(names) if len(names) == 1 else [])


def _read(columns: Mapping[str, Any], names: str, rater: str | None, path: str | Path) -> Rated:
    return read_rated(read(columns), f"{path}, by document", names, rater)


def _agree(found: Combined, rated: Rated, score: str, way: str | None) -> None:
    """Adds the column `score` and its note. ConfigError for a way that is not for such ratings."""
    numbers = [number(label) for label in rated.task.labels]
    if rated.label_count is None and way == "majority":
        rated = _as_labels(rated)
    elif rated.label_count is not None and way in OF_NUMBERS:
        if None in numbers:
            raise ConfigError(f"{way!r} is for numbers, and {score!r} holds labels: majority", key="ratings")
        rated = _as_numbers(rated)
    agreed = agree_on(rated, way)
    cells: list[Any] = list(agreed.cells)
    ties = ""
    if agreed.tied.any():
        cells, ties = _broken(rated, cells, agreed.tied)
    found.cells[score] = cells
    found.notes.append(f"{_about(rated, score, agreed.way)}{ties}")


def _as_labels(rated: Rated) -> Rated:
    """Ratings that are numbers, as the labels that they are written as."""
    values = rated.ratings.values
    distinct = np.unique(values[np.isfinite(values)])
    labels = tuple(as_text(float(one)) or "" for one in distinct)
    places = np.where(np.isfinite(values), np.searchsorted(distinct, values), np.nan)
    task = replace(rated.task, kind="ordinal", metric="", labels=labels)
    return replace(rated, ratings=replace(rated.ratings, values=places), task=task)


def _as_numbers(rated: Rated) -> Rated:
    """Two labels that are numbers, such as 0 and 1, as these."""
    places = rated.ratings.values
    numbers = np.array([float(label) for label in rated.task.labels])
    there = np.isfinite(places)
    values = np.where(there, numbers[np.where(there, places, 0).astype(np.intp)], np.nan)
    task = replace(rated.task, kind="regression", metric="", labels=())
    return replace(rated, ratings=replace(rated.ratings, values=values), task=task)


def _broken(rated: Rated, cells: list[Any], tied: Any) -> tuple[list[Any], str]:
    """Tied votes go to the label that is likelier when raters count by how often they are right (Dawid and
    Skene), where that can be known; the others stay without.
    """
    count = int(tied.sum())
    if rated.who is None:
        return cells, f"; {count:,} tied votes have no score"
    labels = rated.task.labels
    likelier = leading(dawid_skene(rated.ratings.values, rated.who, len(labels)).probabilities).label
    broken = 0
    for row in np.flatnonzero(tied):
        given = rated.ratings.values[row]
        if likelier[row] != NONE and likelier[row] in given:
            cells[row], broken = labels[likelier[row]], broken + 1
    left = f", {count - broken:,} have no score" if broken < count else ""
    return cells, f"; of {count:,} tied votes {broken:,} go to the surer raters' label (Dawid-Skene){left}"


def _about(rated: Rated, score: str, way: str) -> str:
    """'score' is the mean of 3 raters (A, B, C), 8 documents; Krippendorff's alpha 0.91 (0.72 to 0.98)."""
    names = rated.names
    shown = ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")
    count = np.isfinite(rated.ratings.values).sum(axis=1)
    rows = int((count > 0).sum())
    alpha = krippendorff_alpha(rated.ratings.values, rated.task.target.measurement)
    agreement = "no agreement can be told: ratings do not differ, or no document has two"
    if alpha is not None:
        ends = f" ({alpha.low:.2f} to {alpha.high:.2f})" if (count > 1).sum() >= SOME else ""
        agreement = f"Krippendorff's alpha {alpha.value:.2f}{ends}"
    return f"{score!r} is the {way} of {len(names)} raters ({shown}), {rows:,} documents; {agreement}"

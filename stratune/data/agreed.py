"""What raters agree on, row by row, as columns beside the input's; and which rows are written.

Four ways: `majority` (a tie has no label), `mean` or `median` of numbers, and `dawid-skene`, which weighs
raters by what they seem to be worth and so needs to know who they are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from datasets import Dataset

from stratune.data.arrow import as_text, to_arrow
from stratune.data.gold import EMPTY, enough, no_value
from stratune.data.rated import Rated
from stratune.data.read import cells_of
from stratune.data.write import open_writer
from stratune.errors import ConfigError, DataError, choices
from stratune.evaluate.consensus import NONE, Consensus, leading, majority, mean, median
from stratune.evaluate.dawid_skene import dawid_skene

OF_NUMBERS = ("mean", "median")
WAYS = ("majority", *OF_NUMBERS, "dawid-skene")
TIE = "tie"
BATCH = 8192


@dataclass(frozen=True)
class Agreed:
    """Of N rows. `cells`: what raters agree on, None where on nothing; `columns`: name -> cells, to write.
    `agreement` (N,): the share of a row's ratings that are its majority; None of numbers.
    """

    way: str
    cells: list[Any]
    columns: dict[str, list[Any]]
    tied: npt.NDArray[np.bool_]
    rated: npt.NDArray[np.bool_]
    agreement: npt.NDArray[np.float64] | None


def agree_on(rated: Rated, way: str | None = None) -> Agreed:
    """`way`: one of WAYS; by default the majority, of numbers the mean. ConfigError where it does not go with
    the ratings.
    """
    numeric = rated.label_count is None
    way = way or ("mean" if numeric else "majority")
    if way not in WAYS:
        raise ConfigError(choices(way, WAYS), key="--consensus")
    if numeric != (way in OF_NUMBERS):
        why = (
            "numbers have a mean and a median"
            if numeric
            else f"labels have no {way}: majority or dawid-skene"
        )
        raise ConfigError(f"{way!r}: {why}", key="--consensus")
    values = rated.ratings.values
    ratings = np.isfinite(values).sum(axis=1)
    counts = {"consensus_ratings": ratings.tolist()}
    if numeric:
        middles = mean(values) if way == "mean" else median(values)
        cells = [None if np.isnan(one) else float(one) for one in middles]
        none = np.zeros(len(cells), dtype=bool)
        return Agreed(way, cells, {"consensus": cells, **counts}, none, ratings > 0, None)
    votes = majority(values, len(rated.task.labels))
    found = votes if way == "majority" else _weighed(rated)
    labels = rated.task.labels
    names = [None if place == NONE else labels[place] for place in found.label]
    share, each = ("share", "share") if way == "majority" else ("probability", "probability")
    columns = {"consensus": names, f"consensus_{share}": _numbers(found.share), **counts}
    columns |= {f"{each}_{label}": _numbers(found.shares[:, place]) for place, label in enumerate(labels)}
    return Agreed(way, list(names), columns, found.tied, found.rated, votes.share)


def _weighed(rated: Rated) -> Consensus:
    if rated.who is None:
        why = "raters are not known; name the column of their names with --raters"
        raise ConfigError(f"'dawid-skene': {why}", key="--consensus")
    return leading(dawid_skene(rated.ratings.values, rated.who, len(rated.task.labels)).probabilities)


def _numbers(values: npt.NDArray[np.float64]) -> list[float | None]:
    return [None if np.isnan(one) else float(one) for one in values]


@dataclass(frozen=True)
class Chosen:
    """`rows`: the places of those to write. `left_out`: why -> rows, each row once; `balance`: label -> rows,
    before and after, {} of numbers.
    """

    gold: str  # what the labels are: a column, or the way in which raters agree
    rows: npt.NDArray[np.intp]
    left_out: dict[str, int]
    before: dict[str, int]
    after: dict[str, int]


def choose(
    agreed: Agreed,
    raw: Dataset,
    source: str,
    *,
    label: str | None = None,
    no_gold: Sequence[str] = (),
    least: float | None = None,
) -> Chosen:
    """Leave out rows whose gold label is one of `no_gold`: that of the column `label`, else what raters agree
    on. There `tie` names rows whose ratings tie, and `empty` also those without ratings, unless labels are
    called so. `least`: of a row's ratings, the share that its majority must have; rows without ratings have
    none.
    """
    if least is not None and agreed.agreement is None:
        raise ConfigError("numbers have no majority: this is for labels", key="--least")
    if least is not None and not 0 < least <= 1:
        raise ConfigError(f"{least:g}: expected a share above 0 up to 1", key="--least")
    gold = agreed.cells if label is None else cells_of(raw, label, source)
    named = {as_text(cell) for cell in gold} - {None}
    left_out: Counter[str] = Counter()
    rows = []
    for place, cell in enumerate(gold):
        value = _without(cell, no_gold, raw, label)
        if value is not None and not (label is None and agreed.tied[place]):
            left_out[repr(value) if value else EMPTY] += 1
        elif TIE in no_gold and TIE not in named and agreed.tied[place]:
            left_out[TIE] += 1
        elif least is not None and agreed.agreement is not None and _apart(agreed.agreement[place], least):
            left_out[f"majority below {least:g}"] += 1
        else:
            rows.append(place)
    shown = [_shown(cell, bool(tied), label) for cell, tied in zip(gold, agreed.tied, strict=True)]
    numeric = agreed.agreement is None and label is None
    before = {} if numeric else _counted(shown)
    after = {} if numeric else dict.fromkeys(before, 0) | _counted([shown[place] for place in rows])
    return Chosen(label or f"by {agreed.way}", np.asarray(rows, dtype=np.intp), dict(left_out), before, after)


def _without(cell: Any, no_gold: Sequence[str], raw: Dataset, label: str | None) -> str | None:
    if label is not None:
        return no_value(cell, no_gold, raw, label)
    text = as_text(cell) or ""
    if text in no_gold:
        return text
    return "" if text == "" and EMPTY in no_gold else None


def _apart(share: float, least: float) -> bool:
    return not enough(np.asarray(share), least).all()


def _shown(cell: Any, tied: bool, label: str | None) -> str:
    text = (as_text(cell) or "").strip()
    return text or (f"({TIE})" if tied and label is None else f"({EMPTY})")


def _counted(cells: Sequence[str]) -> dict[str, int]:
    counts = Counter(cells)
    return {name: counts[name] for name in sorted(counts)}


def write_agreed(path: str | Path, raw: Dataset, agreed: Agreed, rows: npt.NDArray[np.intp]) -> None:
    """The input's columns and those of `agreed`, of these rows; csv, jsonl or parquet by the file's name.

    DataError for another, and where the input has a column of such a name.
    """
    if taken := [name for name in agreed.columns if name in raw.column_names]:
        raise DataError("is a column of the input already; write from a file without it", column=taken[0])
    with open_writer(path) as writer:
        for batch in _batches(raw, agreed.columns, rows):
            writer.write(batch)


def _batches(
    raw: Dataset, added: Mapping[str, list[Any]], rows: npt.NDArray[np.intp]
) -> Iterator[dict[str, list[Any]]]:
    table = to_arrow(raw)
    for start in range(0, max(len(rows), 1), BATCH):
        places = rows[start : start + BATCH]
        batch = table.take(places).to_pydict()
        yield {**batch, **{name: [cells[place] for place in places] for name, cells in added.items()}}

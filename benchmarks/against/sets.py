"""Data sets as they are described in YAML, and the rows of them that every system gets.

A file of sets is a mapping: name -> fields of `DataSet`. Paths in it are below the folder of `--data`.
Test rows are drawn once for each set, so all its draws are measured on the same rows. The training rows of a draw
are either `rows` of the rest, with validation rows of their own, or `few` rows of each class with no validation
rows: who has eight labels of each class has no others, so what a system holds back is its own choice.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from stratune.errors import ConfigError, DataError, choices
from stratune.evaluate.kinds import Kind
from stratune.task import Task

FEW_DRAWS = 3
READERS = {
    ".parquet": pd.read_parquet,
    ".csv": pd.read_csv,
    ".jsonl": lambda path: pd.read_json(path, lines=True),
}


@dataclass(frozen=True)
class DataSet:
    """`rows`: how many for train, val and test. Without a `test` file they are all of `train`; with a `group`
    column test and validation rows are of other groups. `where`: column -> the value, or values, of rows that
    are meant. `few`: also so many rows of each class, `FEW_DRAWS` times.
    """

    name: str
    train: str
    text: str
    label: str
    test: str | None = None
    pair: str | None = None
    group: str | None = None
    kind: Kind = "classification"
    metric: str = ""
    where: Mapping[str, Any] | None = None
    rows: tuple[int, int, int] = (600, 200, 1000)
    draws: int = 1
    few: tuple[int, ...] = ()

    @property
    def task(self) -> Task:
        """With the columns of the frames that `draws` gives; labels are not known yet."""
        pair = "text_pair" if self.pair else None
        return Task(
            text_pair=pair, id="id", group="group" if self.group else None, kind=self.kind, metric=self.metric
        )


@dataclass(frozen=True)
class Draw:
    """The rows of one draw: frames with the columns id, text, [text_pair], label, [group]."""

    case: str  # `imdb`, or with 8 rows of each class `imdb@8`
    number: int
    task: Task  # with its labels, in order
    train: pd.DataFrame
    val: pd.DataFrame | None  # None: few rows, each system holds back what it wants
    test: pd.DataFrame

    @property
    def parts(self) -> dict[str, pd.DataFrame]:
        return {"train": self.train, **({} if self.val is None else {"val": self.val}), "test": self.test}

    def truth(self, part: str) -> np.ndarray:
        return self.task.target.truth(list(self.parts[part]["label"]))

    @property
    def fingerprint(self) -> str:
        """Of all rows of all parts."""
        digest = hashlib.sha256()
        for part, frame in self.parts.items():
            digest.update(part.encode())
            digest.update(frame.to_json(orient="values").encode())
        return digest.hexdigest()[:16]


def read_sets(path: Path) -> list[DataSet]:
    """Raises ConfigError for a field that is none or missing."""
    described = yaml.safe_load(path.read_text(encoding="utf-8"))
    known = {field.name for field in fields(DataSet)} - {"name"}
    found = []
    for name, given in described.items():
        for key in given:
            if key not in known:
                raise ConfigError(f"{path}: {choices(key, sorted(known))}", key=name)
        for key in ("train", "text", "label"):
            if key not in given:
                raise ConfigError(f"{path}: {key} is missing", key=name)
        lists = {key: tuple(given[key]) for key in ("rows", "few") if key in given}
        found.append(DataSet(name, **{**given, **lists}))
    return found


def draws(described: DataSet, data: Path, most: Sequence[int] | None = None) -> Iterator[Draw]:
    """Every draw of a set: first those of many rows, then those of few. `most`: no more rows for each part."""
    sizes = described.rows
    if most is not None:
        sizes = tuple(min(pair) for pair in zip(sizes, most, strict=True))
    test, pool = _test_and_pool(described, data, sizes[2])
    for number in range(described.draws):
        order = np.random.default_rng([1, number])
        val, rest = _taken(pool, sizes[1], order, described.group)
        train = rest.iloc[order.permutation(len(rest))[: sizes[0]]]
        if len(train) < sizes[0]:
            raise DataError(f"{described.name}: {sizes[0]} training rows are wanted, there are {len(train)}")
        yield _draw(described, described.name, number, train, val, test)
    for few in described.few:
        for number in range(FEW_DRAWS):
            train = _few(described, pool, few, np.random.default_rng([2, few, number]))
            yield _draw(described, f"{described.name}@{few}", number, train, None, test)


def _draw(
    described: DataSet,
    case: str,
    number: int,
    train: pd.DataFrame,
    val: pd.DataFrame | None,
    test: pd.DataFrame,
) -> Draw:
    """Raises DataError where a part has a label that no training row has."""
    task = described.task
    target = task.target
    if not target.is_numeric:
        found = {
            part: _names(task, frame)
            for part, frame in (("train", train), ("val", val), ("test", test))
            if frame is not None
        }
        if lacking := set().union(*found.values()) - found["train"]:
            why = f"of {len(train)} training rows none has the label {sorted(lacking)[0]!r}"
            raise DataError(f"{case}, draw {number}: {why}; draw more rows")
        task = replace(task, labels=target.in_order(found["train"]))
    tables = [None if one is None else one.reset_index(drop=True) for one in (train, val, test)]
    return Draw(case, number, task, *tables)


def _names(task: Task, frame: pd.DataFrame) -> set[str]:
    return {name for cell in frame["label"] for name in task.target.members(cell)}


def _test_and_pool(described: DataSet, data: Path, size: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The test rows, and those that training rows are drawn of; no text is in both."""
    order = np.random.default_rng([0])
    pool = _read(described, data, described.train)
    if described.test is None:
        test, pool = _taken(pool, size, order, described.group)
    else:
        test, _ = _taken(_read(described, data, described.test), size, order, None)
    texts = [column for column in ("text", "text_pair") if column in pool]
    known = set(map(tuple, test[texts].to_numpy()))
    return test, pool[[tuple(row) not in known for row in pool[texts].to_numpy()]]


def _taken(
    frame: pd.DataFrame, size: int, order: np.random.Generator, group: str | None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """(`size` random rows, the rest); with groups the rest has none of theirs."""
    if group is None:
        places = order.permutation(len(frame))
        return frame.iloc[places[:size]], frame.iloc[places[size:]]
    shuffled = order.permutation(np.unique(frame["group"]))
    counts = frame["group"].value_counts()[shuffled].cumsum().to_numpy()
    chosen = shuffled[: int(np.searchsorted(counts, size)) + 1]
    inside = frame["group"].isin(chosen).to_numpy()
    return frame[inside].iloc[:size], frame[~inside]


def _few(described: DataSet, pool: pd.DataFrame, few: int, order: np.random.Generator) -> pd.DataFrame:
    if not described.task.target.one_label:
        raise ConfigError(
            f"{described.name}: few rows of each class are of classes, not of {described.kind}", key="few"
        )
    piles = []
    for label, rows in pool.groupby("label", sort=True):
        if len(rows) < few:
            raise DataError(f"{described.name}: {few} rows of {label!r} are wanted, there are {len(rows)}")
        piles.append(rows.iloc[order.permutation(len(rows))[:few]])
    return pd.concat(piles)


@cache
def _file(path: Path) -> pd.DataFrame:
    if path.suffix not in READERS:
        raise ConfigError(f"{path}: {choices(path.suffix, sorted(READERS))}", key="train")
    return READERS[path.suffix](path)


def _read(described: DataSet, data: Path, name: str) -> pd.DataFrame:
    """The rows that are meant and have a text and a label, each text once."""
    frame = _file(data / name)
    for column, value in (described.where or {}).items():
        frame = frame[frame[column].isin(value if isinstance(value, list) else [value])]
    wanted = {
        "text": described.text,
        "text_pair": described.pair,
        "label": described.label,
        "group": described.group,
    }
    wanted = {ours: theirs for ours, theirs in wanted.items() if theirs is not None}
    for column in wanted.values():
        if column not in frame:
            raise DataError(f"{data / name}: {choices(column, list(frame.columns))}")
    rows = pd.DataFrame({ours: frame[theirs] for ours, theirs in wanted.items()}).dropna()
    rows.insert(0, "id", [f"{Path(name).stem}:{index}" for index in rows.index])
    if described.kind == "regression":
        rows["label"] = rows["label"].astype(float)
    else:
        names = rows["label"].astype(str)
        rows["label"] = names.map(_label_set) if described.kind == "multilabel" else names
    if "group" in rows:
        rows["group"] = rows["group"].astype(str)
    texts = [column for column in ("text", "text_pair") if column in rows]
    full = (rows[texts].apply(lambda column: column.str.strip()) != "").all(axis=1)
    return rows[full].drop_duplicates(texts).reset_index(drop=True)


def _label_set(cell: str) -> str:
    """Names with commas between them, each once; some of casino's are empty."""
    names = (name.strip() for name in cell.split(","))
    return ",".join(dict.fromkeys(name for name in names if name))

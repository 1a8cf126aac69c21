"""The columns by which test rows are sliced: those that somebody names, the group, the length of the text.

A split holds the task's columns alone, so others are looked up in the source by the rows' ids.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from stratune.comparison.source import read_raw
from stratune.data.columns import canonical
from stratune.data.raters import annotation_columns
from stratune.data.rows import text_columns
from stratune.data.sliced import Sliced, by_quartiles, by_values, sliced
from stratune.errors import ConfigError, choices

if TYPE_CHECKING:
    from datasets import Dataset

    from stratune.config import Config
    from stratune.data.split import Split

EDGES = "/"  # between the edges of bins: age=18/30/65
PARTS = ("test", "val")


@dataclass(frozen=True)
class Column:
    """`kind`: length, group or column. `sliced`: the rows of test, then those of validation."""

    name: str
    kind: str
    sliced: Sliced

    def to_dict(self, test: int, *, shown: bool = True, protected: bool = False) -> dict[str, Any]:
        """As slices.json has it: of the `test` rows."""
        return {
            "name": self.name,
            "kind": self.kind,
            "how": self.sliced.how,
            "shown": shown,
            "protected": protected,
            "names": list(self.sliced.names),
            "test": self.sliced.codes[:test].tolist(),
        }


def own_columns(split: Split) -> list[Column]:
    """Of what the split itself holds: the length of the texts, and the group, where it has few values."""
    import numpy as np

    tables, test = [split.parts[part] for part in PARTS], len(split.test)
    found = []
    try:
        words = np.concatenate([_words(table) for table in tables])
        found.append(Column("length in words", "length", by_quartiles(words, test)))
    except ValueError:  # all are of one length
        pass
    if split.task.group is not None:
        try:
            groups = [str(name) for table in tables for name in table["group"][:]]
            found.append(Column(split.task.group, "group", by_values(groups, test)))
        except ValueError:  # many groups of few rows
            pass
    return found


def _words(table: Dataset) -> Any:
    import numpy as np

    texts, pairs = text_columns(table)
    whole = texts if pairs is None else [f"{one} {other}" for one, other in zip(texts, pairs, strict=True)]
    return np.array([len(text.split()) for text in whole], dtype=np.float64)


class SourceColumns:
    """Cells of the source's columns for the rows of a split: of test first, then of validation."""

    def __init__(self, config: Config, split: Split, rows: Mapping[str, Any] | None = None) -> None:
        self.config, self.task = config, split.task
        tables = read_raw(config, rows)
        self.sizes = {part: len(split.parts[part]) for part in PARTS}
        self.tables, self.places = {}, {}
        for part, own in (("test", tables.test), ("val", None if split.cross_validated else tables.val)):
            table, prefix = (tables.train, "") if own is None else (own, f"{part}:")
            place = places_of(table, self.task, tables.name, prefix)
            self.tables[part] = table
            self.places[part] = [place[str(name)] for name in split.parts[part]["id"][:]]

    @property
    def names(self) -> list[str]:
        return list(self.tables["test"].column_names)

    def column(self, spec: str, key: str) -> Column:
        """Of `domain`, or of `age=18/30/65`. Raises ConfigError for what is none, or has no slices."""
        name, edges = _read(spec, self.names, key)
        try:
            return Column(name, "column", sliced(self.cells(name), self.sizes["test"], edges))
        except ValueError as why:
            raise ConfigError(f"{name!r} has no slices: {why}", key=key) from None

    def others(self, without: Sequence[str]) -> list[Column]:
        """All that have slices, but the task's own and those named."""
        task, data = self.task, self.config.data
        own = {task.text, task.text_pair, task.label, task.group, task.id, data.split_column}
        own |= {*annotation_columns(task), *without}
        found = []
        for name in self.names:
            if name not in own:
                try:
                    found.append(Column(name, "column", sliced(self.cells(name), self.sizes["test"])))
                except ValueError:  # names of single rows, lists, or one value
                    continue
        return found

    def cells(self, name: str) -> list[Any]:
        """A part whose source lacks the column has empty cells."""
        import pyarrow as pa

        from stratune.data.arrow import to_arrow

        found: list[Any] = []
        for part in PARTS:
            table, places = self.tables[part], self.places[part]
            if name not in table.column_names:
                found += [None] * len(places)
                continue
            names = getattr(table.features[name], "names", None)
            cells = to_arrow(table).column(name).take(pa.array(places, pa.int64())).to_pylist()
            found += [names[cell] if names and cell is not None and cell >= 0 else cell for cell in cells]
        return found


def places_of(table: Dataset, task: Any, name: str, prefix: str) -> dict[str, int]:
    """Row id -> its place in the source."""
    plain = replace(task, text_pair=None, group=None, annotations=None)
    ids = canonical(table, plain, name, labelled=False, id_prefix=prefix)["id"]
    return {str(one): place for place, one in enumerate(ids)}


def _read(spec: str, names: Sequence[str], key: str) -> tuple[str, list[float]]:
    name, equals, edges = spec.rpartition("=")
    if spec in names or not equals:
        name, edges = spec, ""
    if name not in names:
        raise ConfigError(choices(name, names), key=key)
    try:
        return name, [float(edge) for edge in edges.split(EDGES)] if edges else []
    except ValueError:
        why = f"{spec!r}: expected numbers between the bins, as in {name}=18{EDGES}30{EDGES}65"
        raise ConfigError(why, key=key) from None

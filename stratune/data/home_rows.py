"""Training and validation rows of one source alone; the test part stays as it is (comparison/transfer.py).

A source is a value of a column: a newspaper, a year, a customer. Labels and bins stay those of all training
rows, so that models of different sources answer the same labels.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from datasets import Dataset

from stratune.data.arrow import as_text, to_arrow, to_dataset
from stratune.data.one_source import OneSource
from stratune.data.read import cells_of
from stratune.data.share_out import new_folds
from stratune.data.split import Split, assemble
from stratune.errors import ConfigError, choices

KEY = "data.trained_on"


class HomeRows:
    """Looks up, as tables are read, which rows are of the source."""

    def __init__(self, source: OneSource) -> None:
        self.source = source
        self.names: dict[str, str] = {}  # row id -> its source

    def add(self, raw: Dataset, table: Dataset, path: str) -> None:
        """`table`: the rows of `raw`, canonical. DataError where the column is not there."""
        cells = source_names(cells_of(raw, self.source.column, path))
        self.names |= dict(zip(to_arrow(table).column("id").to_pylist(), cells, strict=True))

    def of(self, split: Split, seed: int, near: bool) -> Split:
        """`seed`, `near`: as the split was made. ConfigError for a source without rows to train on, or to
        choose by; DataError for too few to make folds of.
        """
        parts = dict(split.parts)
        for part in ("train",) if split.cross_validated else ("train", "val"):
            parts[part] = self._own(split.parts[part], part)
        if split.cross_validated:
            parts["val"] = parts["train"]
        folds = new_folds(parts["train"], split.task, seed, near) if split.cross_validated else ()
        note = f"train and val: only the rows whose {self.source.column!r} is {self.source.value!r}"
        return assemble(parts, split.task, (*split.notes, note), split.warnings, split.wrong, folds)

    def _own(self, table: Dataset, part: str) -> Dataset:
        names = [self.names[row] for row in to_arrow(table).column("id").to_pylist()]
        keep = np.array([name == self.source.value for name in names], dtype=bool)
        if not keep.any():
            raise ConfigError(f"{part}: {choices(self.source.value, sorted(set(names)))}", key=KEY)
        return to_dataset(to_arrow(table).filter(pa.array(keep)))


def source_names(cells: Sequence[object]) -> list[str]:
    """Cells as text, "" where one is empty."""
    return [(as_text(cell) or "").strip() for cell in cells]

"""The values of a column that are sources: with enough rows to be trained on and tested on (transfer.py)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from stratune.comparison.slice_columns import places_of
from stratune.comparison.source import read_raw
from stratune.errors import ConfigError, choices

if TYPE_CHECKING:
    from stratune.config import Config
    from stratune.data.split import Split
    from stratune.evaluate.arrays import Flags

LEAST = {"train": 50, "val": 20, "test": 20}  # rows of a source that is taken
MOST = 8  # sources: each is a training of every strategy


@dataclass(frozen=True)
class Source:
    """A value of the column, with its rows by part, and which of the test rows are its."""

    name: str
    rows: dict[str, int]
    test: Flags


def sources_of(
    config: Config,
    split: Split,
    column: str,
    values: Sequence[str] | None = None,
    rows: Mapping[str, Any] | None = None,
) -> tuple[list[Source], list[str]]:
    """Those with enough rows in each part, most first; and notes on those that are left out. `rows`: parts in
    memory. ConfigError as `transfer`.
    """
    names = _names(config, split, column, rows)
    counts = {part: Counter(cells) for part, cells in names.items()}
    needed = [part for part in LEAST if part != "val" or not split.cross_validated]
    there = [name for name, _ in counts["train"].most_common() if name]
    enough = [name for name in there if all(counts[part][name] >= LEAST[part] for part in needed)]
    wanted = enough if values is None else list(dict.fromkeys(values))
    if unknown := next((name for name in wanted if name not in enough), None):
        least = ", ".join(f"{LEAST[part]} {part}" for part in needed)
        raise ConfigError(f"{choices(unknown, enough)}: those with enough rows ({least})", key="values")
    if len(wanted) < 2:
        why = f"{len(enough)} of {len(there)} values have enough rows, and two are needed"
        raise ConfigError(f"{column!r}: {why}", key="column")
    if len(wanted) > MOST:
        why = f"{len(wanted)} sources, at most {MOST}: name them with --values"
        raise ConfigError(f"{column!r}: {why}", key="values")
    left = [repr(name) for name in there if name not in wanted]
    notes = [f"left out, with too few rows or not asked for: {', '.join(left[:MOST])}"] if left else []
    test = np.array(names["test"])
    sizes = {name: {part: counts[part][name] for part in split.parts} for name in wanted}
    return [Source(name, sizes[name], test == name) for name in wanted], notes


def _names(config: Config, split: Split, column: str, rows: Mapping[str, Any] | None) -> dict[str, list[str]]:
    """Of each part the source of every row."""
    from stratune.data.home_rows import source_names

    tables = read_raw(config, rows)
    own = {"val": tables.val, "test": tables.test}
    found = {}
    for part, kept in split.parts.items():
        given = own.get(part)
        table = tables.train if given is None else given
        if column not in table.column_names:
            raise ConfigError(choices(column, table.column_names), key="column")
        place = places_of(table, split.task, tables.name, "" if given is None else f"{part}:")
        cells = source_names(table[column])
        found[part] = [cells[place[str(row)]] for row in kept["id"]]
    return found

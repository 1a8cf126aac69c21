"""OneSource: training and validation rows of one value of a column only (home_rows.py)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class OneSource:
    """The rows whose cell in `column` of the data is `value`."""

    column: str  # of the source, which need not be one of the task
    value: str  # of its cells, as text

"""Raters: the columns that `task.annotations` names, and whether raters are identified. Knows no tables.

`task.annotations` names a column of ratings, or several joined by "+". Where every column holds one rating a
cell, each column is one rater and raters are identified; a list of ratings does not show who rated.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from stratune.task import Task

JOIN = "+"
COLUMN = "annotations"  # of a canonical table


def annotation_columns(task: Task) -> list[str]:
    return [name.strip() for name in (task.annotations or "").split(JOIN) if name.strip()]


def identified(task: Task, lists: Sequence[Sequence[Any]]) -> bool:
    """Whether position i in every list of a canonical table is the rating of rater i."""
    raters = len(annotation_columns(task))
    return raters > 1 and all(len(ratings) == raters for ratings in lists)

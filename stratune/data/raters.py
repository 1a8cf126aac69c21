"""Who rated: what `task.annotations` names, and whether raters can be told apart. Knows no table library.

It names a column of single ratings, or several joined by "+". Columns that all hold one rating a cell are
raters that can be told apart; a list of ratings says nothing of who rated.
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
    """Whether each place in the lists of a canonical table is one and the same rater."""
    raters = len(annotation_columns(task))
    return raters > 1 and all(len(ratings) == raters for ratings in lists)

"""Where rows come from: rows of one document, call or author share more than a label.

A model that has seen one of them knows the others, and would be measured on what it knows. A column
`document`, as `stratune data texts` writes it, groups rows unless the user says otherwise; a column whose
name says that it may be one is asked about.
"""

from __future__ import annotations

import re
from dataclasses import replace

from datasets import Dataset

from stratune.data.arrow import to_arrow
from stratune.data.issue import named
from stratune.data.raters import annotation_columns
from stratune.task import Task

DOCUMENT = "document"
APART = "none"  # of task.group: rows of one document may stand on both sides
FEWEST = 3  # documents, one for each part
SOURCES = re.compile(
    r"(doc|document|transcript|call|meeting|interview|conversation|dialog|dialogue|session|thread|user|author"
    r"|writer|speaker|patient|customer|movie|film|book|product|subject|participant)s?"
    r"[ _-]?(id|name|no|number|key)?",
    re.IGNORECASE,
)


def grouped_by_document(task: Task, table: Dataset, *others: Dataset | None) -> tuple[Task, str | None]:
    """The task with its group settled, and what to say about it. `table` as it was read; `others`, of its own
    parts, have to have the column too.
    """
    if task.group == APART and APART not in table.column_names:
        return replace(task, group=None), None
    everywhere = all(one is None or DOCUMENT in one.column_names for one in others)
    if task.group is not None or DOCUMENT in _own(task) or not everywhere or not _repeats(table, DOCUMENT):
        return task, None
    why = f"rows of one {DOCUMENT!r} stay in one part, as that column says where they come from"
    return replace(task, group=DOCUMENT), f"{why}; --group {APART} lets them apart"


def ungrouped(task: Task, table: Dataset) -> str | None:
    """A warning where a column may say where rows come from, and nothing keeps these together."""
    if task.group is not None:
        return None
    found = [
        name
        for name in table.column_names
        if name not in _own(task) and SOURCES.fullmatch(name) and _repeats(table, name)
    ]
    if not found:
        return None
    which = named([repr(name) for name in found])
    return f"rows of one {which} may stand in two parts; --group {found[0]} keeps them in one"


def _own(task: Task) -> set[str | None]:
    return {task.text, task.text_pair, task.label, task.id, *annotation_columns(task)}


def _repeats(table: Dataset, name: str) -> bool:
    """Whether a column has a few values at least, and a value more than one row."""
    if name not in table.column_names:
        return False
    import pyarrow as pa
    import pyarrow.compute as pc

    column = to_arrow(table).column(name)
    if pa.types.is_nested(column.type):
        return False
    values = pc.count_distinct(column, mode="only_valid").as_py()
    return bool(FEWEST <= values < len(column) - column.null_count)

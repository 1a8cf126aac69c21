"""stratune data agree: how well the raters of a file agree, before a model is compared with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from stratune.cli.options import Delimiter, Encoding, Json, Source
from stratune.cli.output import console, print_json
from stratune.errors import DataError

if TYPE_CHECKING:
    from stratune.data.predictions import Ratings
    from stratune.report.screen import Table
    from stratune.task import Task


def agree_command(
    source: Source,
    annotations: Annotated[
        str, typer.Option(help="Column of ratings, one or a list a row; several joined by +.")
    ],
    kind: Annotated[
        str | None,
        typer.Option(
            help="regression, ordinal or classification. [default: regression where ratings are numbers of "
            "more than two values, else classification]"
        ),
    ] = None,
    labels: Annotated[
        str | None, typer.Option(help="Labels in their order, with commas. [default: those found, sorted]")
    ] = None,
    group: Annotated[
        str | None, typer.Option(help="Column of rows that belong together, for the intervals.")
    ] = None,
    encoding: Encoding = None,
    delimiter: Delimiter = None,
    as_json: Json = False,
) -> None:
    """ICC, Krippendorff's alpha, and what one rater reaches against the others.

    Columns with one rating a cell are identified raters; a list does not show who rated.
    """
    from stratune.data.rows import group_numbers
    from stratune.report.people import among_raters

    ratings, task, raw = _read(
        source, annotations, kind, labels, {"encoding": encoding, "delimiter": delimiter}
    )
    groups = group_numbers(_cells(raw, group, source)) if group is not None else None
    found = {"kind": task.kind, "labels": list(task.labels), **among_raters(ratings, task, groups=groups)}
    if as_json:
        print_json(found)
        return
    console().print(_table(found))


def _read(
    source: str, annotations: str, kind: str | None, labels: str | None, how: dict[str, str | None]
) -> tuple[Ratings, Task, Any]:
    """(ratings of the whole source, their task, the raw table)."""
    from dataclasses import replace

    import numpy as np

    from stratune.data.annotations import read_annotations
    from stratune.data.predictions import Ratings, numbered
    from stratune.data.raters import annotation_columns, identified
    from stratune.data.read import read, row_of
    from stratune.evaluate.agreement import stacked
    from stratune.task import Task

    raw = read(source, **how)
    cells = {name: _cells(raw, name, source) for name in annotation_columns(Task(annotations=annotations))}

    def error(message: str, column: str, index: int) -> DataError:
        return DataError(message, path=source, row=row_of(source, index), column=column)

    named = tuple(name.strip() for name in labels.split(",")) if labels else ()
    task = Task(annotations=annotations, labels=named)
    lists = read_annotations(cells, task, error).to_pylist()
    distinct = {name for given in lists for name in given if name is not None}
    wanted: Any = kind or ("classification" if named else _likely(distinct))
    task = replace(task, kind=wanted, metric="")
    if task.target.is_numeric:
        lists = read_annotations(cells, task, error).to_pylist()
    else:
        task = task.with_labels(named or task.target.in_order(distinct))
    values = stacked(numbered(lists, task.target))
    if not np.isfinite(values).any():
        raise DataError("no row has a rating", path=source, column=annotations)
    return Ratings(values, identified(task, lists)), task, raw


def _cells(raw: Any, column: str, source: str) -> list[Any]:
    from stratune.errors import choices

    if column not in raw.column_names:
        raise DataError(f"no such column: {choices(column, raw.column_names)}", path=source)
    return list(raw[column])


def _likely(distinct: set[str]) -> str:
    try:
        values = {float(name) for name in distinct}
    except ValueError:
        return "classification"
    return "regression" if len(values) > 2 else "classification"


def _table(found: dict[str, Any]) -> Table:
    from stratune.report import human
    from stratune.report.people import RELIABILITY
    from stratune.report.screen import Table
    from stratune.target import TARGETS

    table = Table("", "value [95 % interval]", title="Agreement of the raters", title_justify="left")
    per_row = found["per_row"]
    table.add_row("taken as", found["kind"])
    table.add_row("rows with ratings", f"{found['rows']:,}")
    least, most = per_row["least"], per_row["most"]
    spread = f"{least}" if least == most else f"{least} to {most}, mean {per_row['mean']:.2f}"
    table.add_row("ratings a row", spread)
    table.add_row("raters", "identified" if found["identified"] else "not identified: no two-way ICC")
    for name, meaning in RELIABILITY.items():
        if name in found["icc"]:
            table.add_row(f"{name}: {meaning}", human.interval(found["icc"][name]))
    if found["alpha"]:
        level = found["alpha"]["level"]
        table.add_row(f"Krippendorff's alpha ({level})", human.interval(found["alpha"]))
    for name, sign in TARGETS[found["kind"]].agreement.items():
        if name in found["ceiling"]:
            table.add_row(f"one rater against the others: {sign}", human.interval(found["ceiling"][name]))
    return table

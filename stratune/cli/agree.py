"""stratune data agree: how well the raters of a file agree, who is off, and what they agree on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from stratune.cli.options import Delimiter, Encoding, Json, NoGold, Source
from stratune.cli.output import print_json

if TYPE_CHECKING:
    from stratune.data.agreed import Agreed


def agree_command(
    source: Source,
    annotations: Annotated[
        str, typer.Option(help="Column of ratings, one or a list a row; several joined by +.")
    ],
    raters: Annotated[
        str | None,
        typer.Option(help="Column of lists of who rated, in the order of the ratings; several joined by +."),
    ] = None,
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
    text: Annotated[
        str | None,
        typer.Option(help="Column of the texts of the worst rows. [default: text, if there is one]"),
    ] = None,
    pair: Annotated[str | None, typer.Option(help="Column of the second text of a pair.")] = None,
    rows: Annotated[int, typer.Option(min=0, help="Rows with most disagreement that are listed.")] = 10,
    label: Annotated[str | None, typer.Option(help="Column of the gold label, where there is one.")] = None,
    consensus: Annotated[
        str | None,
        typer.Option(
            help="majority, mean or median (of numbers), or dawid-skene. [default: majority or mean, by kind]"
        ),
    ] = None,
    no_gold: NoGold = None,
    least: Annotated[
        float | None, typer.Option(help="Share of a row's ratings that its majority must have, such as 0.6.")
    ] = None,
    write: Annotated[
        Path | None,
        typer.Option(help="File for the rows with what raters agree on: csv, jsonl or parquet by its name."),
    ] = None,
    encoding: Encoding = None,
    delimiter: Delimiter = None,
    as_json: Json = False,
) -> None:
    """How far raters agree, on each label and each rater; who is off; the rows with most disagreement.

    Columns with one rating a cell are known raters. A list does not show who rated, unless --raters does.

    --write makes a table of what raters agree on. --no-gold also takes `tie`: rows whose ratings tie.
    """
    from stratune.data.agreed import agree_on, choose, write_agreed
    from stratune.data.rated import read_rated
    from stratune.data.read import cells_of, read
    from stratune.data.rows import group_numbers
    from stratune.data.write import check_writable, format_of
    from stratune.report.raters import of_agreed, of_rated, worst_rows

    if write is not None:
        format_of(write, None)
        check_writable(write)
    raw = read(source, encoding=encoding, delimiter=delimiter)
    named = [name.strip() for name in labels.split(",")] if labels else []
    rated = read_rated(raw, source, annotations, raters, kind=kind, labels=named)
    agreed = agree_on(rated, consensus)
    chosen = choose(agreed, raw, source, label=label, no_gold=no_gold or (), least=least)
    groups = group_numbers(cells_of(raw, group, source)) if group is not None else None
    shown = [name for name in (text or ("text" if "text" in raw.column_names else None), pair) if name]
    texts = {name: cells_of(raw, name, source) for name in shown}
    found: dict[str, Any] = of_rated(rated, groups)
    found["worst"] = worst_rows(rated, rows, texts)
    found["consensus"] = of_agreed(agreed, chosen)
    found["notes"] = _notes(agreed, cells_of(raw, label, source) if label else None, no_gold or [])
    if write is not None:
        write_agreed(write, raw, agreed, chosen.rows)
        found["consensus"]["written"] = str(write)
    if as_json:
        print_json(found)
        return
    from stratune.cli.agree_tables import show

    show(found, shown)


def _notes(agreed: Agreed, gold: list[Any] | None, no_gold: list[str]) -> list[str]:
    """Values that read as if they stood for no label, when nobody has named any."""
    import shlex

    from stratune.data.arrow import as_text
    from stratune.data.gold import EMPTY, usual

    if no_gold or gold is None or agreed.agreement is None:
        return []
    cells = [as_text(cell) or "" for cell in gold]
    found = usual(sorted(set(cells)))
    if not found:
        return []
    count = sum(cell in found for cell in cells)
    each = ", ".join(repr(value) if value else EMPTY for value in found)
    options = " ".join(f"--no-gold {shlex.quote(value) if value else EMPTY}" for value in found)
    return [f"{count:,} rows seem to have no gold label ({each}): leave them out with {options}"]

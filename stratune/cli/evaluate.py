"""stratune evaluate: the models of a comparison on other labelled rows."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from stratune.cli.options import AllowServer, Delimiter, Encoding, Json, listed
from stratune.cli.output import console, print_json


def evaluate_command(
    out: Annotated[Path, typer.Argument(help="Folder of a finished comparison.")],
    data: Annotated[
        str,
        typer.Argument(
            help="csv, tsv, json, jsonl, parquet, xlsx; hub:name/config; a folder of transcripts."
        ),
    ],
    name: Annotated[str | None, typer.Option(help="Of the evaluation. [default: that of the file]")] = None,
    strategies: Annotated[
        str | None, typer.Option(help="Rows of its leaderboard: lora,tfidf. [default: all]")
    ] = None,
    scores: Annotated[
        str | None, typer.Option(help="Table of the labels of transcripts. [default: the one in the folder]")
    ] = None,
    text: Annotated[str | None, typer.Option(help="Column of the text, where it is another one.")] = None,
    pair: Annotated[str | None, typer.Option(help="Column of the second text, likewise.")] = None,
    label: Annotated[str | None, typer.Option(help="Column of the label, likewise.")] = None,
    group: Annotated[str | None, typer.Option(help="Column of the groups, likewise.")] = None,
    row_id: Annotated[str | None, typer.Option("--id", help="Column of unique row ids, likewise.")] = None,
    annotations: Annotated[
        str | None, typer.Option(help="Column of single ratings of these rows; several joined by +.")
    ] = None,
    unknown: Annotated[
        str, typer.Option(help="Labels that the models do not know: refuse, or drop (the rows).")
    ] = "refuse",
    no_gold: Annotated[
        list[str] | None,
        typer.Option(help="Label of rows without a gold label, which are left out; repeatable."),
    ] = None,
    agreement: Annotated[
        float | None, typer.Option(help="Leave out rows whose raters agree by a smaller share than this.")
    ] = None,
    slices: Annotated[
        str | None, typer.Option(help="Columns by which its report scores the rows: domain,age=18/30/65.")
    ] = None,
    encoding: Encoding = None,
    delimiter: Delimiter = None,
    allow_server: AllowServer = None,
    as_json: Json = False,
) -> None:
    """Score the models of a comparison on other labelled rows: another source, another year.

    Nothing is trained. Rows that training or validation has seen are left out and counted. The rows have a
    folder of their own, a comparison like any other, in OUT/evaluations.
    """
    from stratune.comparison.bar import Bar
    from stratune.comparison.evaluation import evaluate
    from stratune.memory import set_up_memory
    from stratune.report.evaluations import FOLDER
    from stratune.report.evaluations_table import say

    set_up_memory()
    with Bar("rows") as bar:
        found = evaluate(
            out,
            data,
            name=name,
            strategies=listed(strategies),
            slices=listed(slices) or (),
            allow_server=allow_server or (),
            progress=bar,
            scores=scores,
            text=text,
            text_pair=pair,
            label=label,
            group=group,
            id=row_id,
            annotations=annotations,
            unknown=unknown,
            no_gold=tuple(no_gold or ()),
            agreement=agreement,
            encoding=encoding,
            delimiter=delimiter,
        )
    if as_json:
        print_json(found)
        return
    screen = console()
    say(found, screen)
    page = out / FOLDER / found["name"] / "report.html"
    screen.say(f"{page} has their board, errors and slices, {out / 'report.html'} both side by side")

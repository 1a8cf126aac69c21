"""stratune transfer: trained on one source of the texts, tested on another."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from stratune.cli.options import Engine, Jobs, Json, Quiet, listed
from stratune.cli.output import console, print_json


def transfer_command(
    out: Annotated[Path, typer.Argument(help="Folder of a finished comparison.")],
    column: Annotated[str, typer.Argument(help="Column of its data that says where a row comes from.")],
    values: Annotated[
        str | None, typer.Option(help="Sources: web,phone. [default: all that have enough rows]")
    ] = None,
    jobs: Jobs = None,
    engine: Engine = "local",
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Train every strategy on the rows of one source, and test it on every source: a newspaper, a year, a
    customer.

    What is there already is not trained again. Validation rows are of the source it was trained on.
    """
    from stratune.comparison.transfer import transfer
    from stratune.memory import set_up_memory
    from stratune.report.transfer import has_errors
    from stratune.report.transfer_table import say

    set_up_memory()
    try:
        found = transfer(out, column, listed(values), jobs=jobs, engine=engine, shown=not quiet)
    except KeyboardInterrupt:
        typer.echo(f"\nstopped; the same command goes on where it was ({out})", err=True)
        raise typer.Exit(130) from None
    if as_json:
        print_json(found)
    elif not quiet:
        screen = console()
        say(found, screen)
        screen.say(f"{out / 'report.html'} has the tables, {out / 'transfer.json'} all numbers")
    if has_errors(found):
        raise typer.Exit(1)

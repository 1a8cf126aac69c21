"""stratune sizes: from how many labels on which strategy wins, and what more of them would bring."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from stratune.cli.options import Engine, Jobs, Json, Quiet
from stratune.cli.output import console, print_json


def sizes_command(
    out: Annotated[Path, typer.Argument(help="Folder of a finished comparison.")],
    sizes: Annotated[
        str | None,
        typer.Option(
            help="So many of the training rows (50,200), or such shares of them (0.1,0.5). "
            "[default: those of config.yaml, or of before, or a half, a quarter and an eighth]"
        ),
    ] = None,
    jobs: Jobs = None,
    engine: Engine = "local",
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Train every strategy of a comparison on fewer of its training rows, tested on the same rows.

    What is there already is not trained again; sizes of before stay.
    """
    from stratune.comparison.sizes import train_sizes
    from stratune.config.given import read_sizes
    from stratune.memory import set_up_memory
    from stratune.report.sizes import has_failed
    from stratune.report.sizes_table import say

    set_up_memory()
    wanted = None if sizes is None else read_sizes(sizes)
    try:
        found = train_sizes(out, wanted, jobs=jobs, engine=engine, shown=not quiet)
    except KeyboardInterrupt:
        typer.echo(f"\nstopped; the same command goes on where it was ({out})", err=True)
        raise typer.Exit(130) from None
    if as_json:
        print_json(found)
    elif not quiet:
        screen = console()
        say(found, screen)
        screen.say(f"{out / 'report.html'} has them as a figure, {out / 'sizes.json'} as numbers")
    if has_failed(found):
        raise typer.Exit(1)

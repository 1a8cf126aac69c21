"""The command line. A command imports what it needs when it runs: `stratune --help` loads no torch."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from stratune.errors import StratuneError
from stratune.version import __version__

app = typer.Typer(
    name="stratune",
    help="Every way to turn a pretrained language model into a classifier for your text, compared fairly.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"stratune {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None: ...


def main() -> None:
    """The entry point. Exit codes: 0 done, 1 a strategy failed, 2 wrong input (one line), 130 interrupted."""
    try:
        app()
    except StratuneError as error:
        print(f"stratune: {error}", file=sys.stderr)
        sys.exit(2)
    except BrokenPipeError:  # who reads our output has closed it, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        print(f"stratune: {place}{error.strerror or error}", file=sys.stderr)
        sys.exit(2)


def _register() -> None:
    from stratune.cli import (
        ablate,
        agree,
        compare,
        data,
        demo,
        export,
        gap,
        listing,
        predict,
        prompt,
        show,
        texts,
        transcripts,
    )

    app.command("demo")(demo.demo)
    app.command("compare")(compare.compare)
    app.command("show")(show.show)
    app.command("report")(show.report)
    app.command("ablate")(ablate.ablate_command)
    app.command("predict")(predict.predict)
    data.app.command("turns")(transcripts.turns_command)
    data.app.command("clean")(transcripts.clean_command)
    data.app.command("agree")(agree.agree_command)
    data.app.command("texts")(texts.texts_command)
    data.app.command("gap")(gap.gap_command)
    app.add_typer(data.app, name="data")
    app.add_typer(prompt.app, name="prompt")
    app.command("list")(listing.list_names)
    app.command("export")(export.export)


_register()

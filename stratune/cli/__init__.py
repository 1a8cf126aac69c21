"""The command line. A command imports what it needs when it runs: `stratune --help` loads no torch."""

from __future__ import annotations

import itertools
import os
import sys
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from stratune.errors import ConfigError, StratuneError
from stratune.version import __version__

NAME = "stratune"
INTERRUPTED = 130
MAY_BE_EMPTY = ("--backbone", "--prefix")
# typer has a copy of click, or click beside it, by its version.
USAGE: type[Exception] = next(cls for cls in typer.BadParameter.__mro__ if cls.__name__ == "ClickException")

app = typer.Typer(
    name=NAME,
    help="Every way to turn a pretrained language model into a classifier for your text, compared fairly.",
    context_settings={"max_content_width": 110},
    rich_markup_mode=None,  # it takes [square brackets] for markup
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


def main(arguments: Sequence[str] | None = None) -> None:
    """The entry point. Exit codes: 0 done, 1 a strategy failed, 2 wrong input (one line), 130 interrupted."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        code = _run(given or ["--help"])
        if sys.stdout is not None:
            sys.stdout.flush()  # a full disk behind it is an error of ours, not one at the interpreter's end
    except BrokenPipeError:  # who reads our output has closed it, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    except StratuneError as error:
        code = _failed(str(error))
    except OSError as error:
        code = _failed(
            f"{error.filename}: {error.strerror}" if error.filename else str(error.strerror or error)
        )
    except UnicodeError as error:  # a name or a text that this place cannot hold
        code = _failed(str(error))
    except (KeyboardInterrupt, typer.Abort):
        print("stratune: interrupted", file=sys.stderr)
        code = INTERRUPTED
    sys.exit(code)


def _run(arguments: list[str]) -> int:
    """One command; its exit code. Mistakes in options become errors of ours."""
    if sys.stdout is None or sys.stdout.closed:
        raise ConfigError("standard output is closed; redirect it to a file, or to /dev/null")
    command = typer.main.get_command(app)
    try:
        _check_empty(arguments)
        with command.make_context(NAME, arguments) as context:
            command.invoke(context)
    except typer.Exit as stopped:
        return stopped.exit_code
    except USAGE as error:
        raise ConfigError(_usage(error)) from None
    return 0


def _usage(error: Any) -> str:
    path = error.ctx.command_path if getattr(error, "ctx", None) is not None else NAME
    return f"{error.format_message()} (see {path} --help)"


def _check_empty(arguments: Sequence[str]) -> None:
    """`--out "$OUT"` with a variable that is not set would mean this folder."""
    for before, one in itertools.pairwise(["", *arguments]):
        option, equals, value = one.partition("=")
        empty = before if not one else option if option.startswith("--") and equals and not value else None
        if empty is not None and empty not in MAY_BE_EMPTY:
            raise ConfigError(f"an empty value after {empty}" if empty else "an empty argument")


def _failed(message: str) -> int:
    print(f"{NAME}: {StratuneError(message)}", file=sys.stderr)
    return 2


def _register() -> None:
    from stratune.cli import (
        ablate,
        adapt,
        agree,
        attack,
        compare,
        data,
        demo,
        evaluate,
        export,
        gap,
        init,
        listing,
        predict,
        prompt,
        push,
        schema,
        serve,
        show,
        sizes,
        slices,
        stress,
        suspects,
        texts,
        transcripts,
        transfer,
    )

    app.command("demo")(demo.demo)
    app.command("compare")(compare.compare)
    app.command("init")(init.init_command)
    app.command("show")(show.show)
    app.command("report")(show.report)
    app.command("sizes")(sizes.sizes_command)
    app.command("ablate")(ablate.ablate_command)
    app.command("transfer")(transfer.transfer_command)
    app.command("evaluate")(evaluate.evaluate_command)
    app.command("slices")(slices.slices_command)
    app.command("schema")(schema.schema_command)
    app.command("stress")(stress.stress_command)
    app.command("attack")(attack.attack_command)
    app.command("adapt")(adapt.adapt_command)
    app.command("predict")(predict.predict)
    data.app.command("turns")(transcripts.turns_command)
    data.app.command("clean")(transcripts.clean_command)
    data.app.command("agree")(agree.agree_command)
    data.app.command("texts")(texts.texts_command)
    data.app.command("gap")(gap.gap_command)
    data.app.command("suspects")(suspects.suspects_command)
    app.add_typer(data.app, name="data")
    app.add_typer(prompt.app, name="prompt")
    app.command("list")(listing.list_names)
    app.command("export")(export.export)
    app.command("push")(push.push)
    app.command("serve")(serve.serve)


_register()

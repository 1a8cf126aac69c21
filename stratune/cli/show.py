"""stratune show, stratune report: a comparison again, or several, in the terminal and as a page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_args

import typer

from stratune.cli.options import Prefer
from stratune.cli.output import print_json
from stratune.errors import ConfigError, choices

if TYPE_CHECKING:
    from stratune.comparison.unfinished import Unfinished
    from stratune.report.screen import Screen

NAMED = 8  # runs that are left


def show(
    folders: Annotated[
        list[Path],
        typer.Argument(metavar="OUT...", help="Folder of a comparison; several on one split: joined."),
    ],
    prefer: Prefer = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the leaderboard as JSON.")] = False,
) -> None:
    """The leaderboard again; of a comparison that still runs, what has ended and what is left.

    Several comparisons on one split become one board, on which every two rows are tested as a pair.
    """
    from stratune.report.shapes import read_board

    _check_prefer(prefer)
    if len(folders) > 1 or prefer is not None:
        from stratune.comparison.joined import joined

        board = joined(folders, prefer)
        print_json(board) if as_json else _print(board, folders)
    elif as_json:
        print_json(read_board(folders[0]))
    else:
        print_board(folders[0])


def report(
    folder: Annotated[Path, typer.Argument(metavar="OUT", help="Folder of a comparison.")],
    texts: Annotated[
        int | None,
        typer.Option(min=0, help="Test rows shown with their texts; 0: no texts. [default: config.yaml's]"),
    ] = None,
    prefer: Prefer = None,
) -> None:
    """Write the leaderboard, the plots and report.html again from the runs in the folder."""
    from stratune.report import publish

    _check_prefer(prefer)
    publish(folder, texts=texts, prefer=prefer)
    typer.echo(str(folder / "report.html"))


def print_board(folder: Path) -> None:
    """The leaderboard of a folder; of one in which a comparison runs, or was stopped, how far it is."""
    from stratune.comparison.unfinished import unfinished
    from stratune.report.shapes import read_board

    left = unfinished(folder)
    if left is not None and (left.running or not (folder / "leaderboard.json").is_file()):
        _print_unfinished(left)
        return
    _print(read_board(folder), [folder])
    if left is not None:
        _screen().say(_left(left), "yellow")


def _print(board: dict[str, Any], folders: list[Path]) -> None:
    from stratune.report.sizes_table import say
    from stratune.report.terminal import table

    console = _screen()
    console.print(table(board, width=console.width))
    if board.get("sizes"):
        say(board["sizes"], console)
    for folder in folders:
        console.say(f"{folder / 'report.html'} has plots and details; models are in {folder / 'runs'}")
    if command := (board.get("verdict") or {}).get("command"):
        console.say(command, "bold")


def _print_unfinished(left: Unfinished) -> None:
    from stratune.comparison.progress import standings_table
    from stratune.comparison.so_far import ranked

    console = _screen()
    if standings := ranked(left.results, left.selection):
        console.print(standings_table(standings, left.selection.metric))
    for result in left.results:
        if result.status == "failed":
            console.say(f"failed {result.run_id}: {result.error}", "red")
    for run, doing in left.begun.items():
        console.say(f"{'runs now' if left.running else 'stopped'}: {run}{f' ({doing})' if doing else ''}")
    console.say(_left(left))


def _left(left: Unfinished) -> str:
    """3 of 5 runs done; left: lora@minilm#0, full@minilm#0"""
    names = [*left.begun, *left.waiting]
    total = len(left.results) + len(names)
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    listed = f"; left: {', '.join(names[:NAMED])}{more}" if names else ""
    advice = "" if left.running else "; the same command goes on"
    return f"{len(left.results)} of {total} runs done{listed}{advice}"


def _screen() -> Screen:
    from stratune.report.screen import screen

    console = screen()
    return console if console.is_terminal else screen(width=120)  # a file or a pipe has no width of its own


def _check_prefer(prefer: str | None) -> None:
    from stratune.config.given import Prefer as Preferred

    if prefer is not None and prefer not in get_args(Preferred):
        raise ConfigError(choices(prefer, get_args(Preferred)), key="--prefer")

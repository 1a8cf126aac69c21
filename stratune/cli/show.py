"""stratune show, stratune report: a comparison again, in the terminal and as a page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from stratune.cli.output import print_json

Folder = Annotated[Path, typer.Argument(help="Folder of a comparison.")]


def show(
    folder: Folder,
    as_json: Annotated[bool, typer.Option("--json", help="Print leaderboard.json.")] = False,
) -> None:
    """The leaderboard again."""
    if as_json:
        from stratune.report.shapes import read_board

        print_json(read_board(folder))
    else:
        print_board(folder)


def report(
    folder: Folder,
    texts: Annotated[
        int | None,
        typer.Option(min=0, help="Test rows shown with their texts; 0: no texts. [default: config.yaml's]"),
    ] = None,
) -> None:
    """Write the leaderboard, the plots and report.html again from the runs in the folder."""
    from stratune.report import publish

    publish(folder, texts=texts)
    typer.echo(str(folder / "report.html"))


def print_board(folder: Path) -> None:
    from stratune.report.screen import screen
    from stratune.report.shapes import read_board
    from stratune.report.terminal import table

    board = read_board(folder)
    console = screen()
    if not console.is_terminal:
        console = screen(width=120)  # a file or a pipe has no width of its own
    console.print(table(board, width=console.width))
    console.say(f"{folder / 'report.html'} has plots and details; models are in {folder / 'runs'}")
    if command := (board.get("verdict") or {}).get("command"):
        console.say(command, "bold")

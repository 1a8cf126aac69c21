"""stratune show, stratune report: a comparison again, in the terminal and as a page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Folder = Annotated[Path, typer.Argument(help="Folder of a comparison.")]


def show(
    folder: Folder,
    as_json: Annotated[bool, typer.Option("--json", help="Print leaderboard.json.")] = False,
) -> None:
    """The leaderboard again."""
    if as_json:
        typer.echo((_checked(folder) / "leaderboard.json").read_text(encoding="utf-8"), nl=False)
    else:
        print_board(folder)


def report(folder: Folder) -> None:
    """Write the leaderboard, the plots and report.html again from the runs in the folder."""
    from stratune.report import publish

    publish(folder)
    typer.echo(str(folder / "report.html"))


def print_board(folder: Path) -> None:
    from stratune.files import read_json
    from stratune.report.screen import screen
    from stratune.report.terminal import table

    console = screen()
    if not console.is_terminal:
        console = screen(width=120)  # a file or a pipe has no width of its own
    console.print(table(read_json(_checked(folder) / "leaderboard.json"), width=console.width))
    console.say(f"{folder / 'report.html'} has plots and details; models are in {folder / 'runs'}")


def _checked(folder: Path) -> Path:
    from stratune.errors import ArtifactError

    if not (folder / "leaderboard.json").is_file():
        what = (
            "no such folder"
            if not folder.is_dir()
            else "no leaderboard.json in it (yet): run `stratune compare` first"
        )
        raise ArtifactError(f"{folder}: {what}")
    return folder

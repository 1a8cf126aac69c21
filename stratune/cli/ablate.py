"""stratune ablate: how a model scores without a section of the transcripts, or without a role."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stratune.cli.options import AllowServer, Json, listed
from stratune.cli.output import console, print_json
from stratune.comparison.bar import Bar

if TYPE_CHECKING:
    from stratune.comparison.ablation import Ablation
    from stratune.evaluate.intervals import Interval


def ablate_command(
    out: Annotated[Path, typer.Argument(help="Folder of a comparison of transcripts.")],
    strategy: Annotated[
        str | None, typer.Option(help="Row of its leaderboard. [default: the winner]")
    ] = None,
    backbone: Annotated[str | None, typer.Option(help="The row's, where a strategy has several.")] = None,
    sections: Annotated[
        str | None, typer.Option(help="Sections, one after the other. [default: all]")
    ] = None,
    roles: Annotated[
        str | None, typer.Option(help="Roles likewise. [default: all, where no sections are known]")
    ] = None,
    retrain: Annotated[
        bool, typer.Option("--retrain", help="Train without each part, too (in OUT/ablation).")
    ] = False,
    allow_server: AllowServer = None,
    as_json: Json = False,
) -> None:
    """Score a model on its test texts with and without each section, or the turns of each role.

    A score may fall only because the model was trained with the part; --retrain trains it without, too.
    """
    from stratune.comparison.ablation import ablate
    from stratune.memory import set_up_memory

    set_up_memory()
    with Bar("answers") as bar:
        ablation = ablate(
            out,
            strategy,
            backbone,
            sections=listed(sections),
            roles=listed(roles),
            retrain=retrain,
            allow_server=allow_server or (),
            progress=bar,
        )
    if as_json:
        print_json(ablation.to_dict())
    else:
        _print(ablation)
        typer.echo(f"{out / 'report.html'} has them as a figure, {out / 'ablation.json'} as numbers")


def _print(ablation: Ablation) -> None:
    from stratune.report.screen import Table

    where = f" on {ablation.backbone}" if ablation.backbone else ""
    title = f"{ablation.strategy}{where}: {ablation.metric} on test texts"
    table = Table("without", title=title, title_justify="left")
    for head in ("texts", "words", ablation.metric, "change"):
        table.add_column(head, justify="right", no_wrap=True)
    table.add_row("nothing", f"{ablation.rows:,}", "", f"{ablation.whole.value:.3f}", "")
    for one in ablation.parts:
        size = (f"{one.rows:,}", f"{one.words:.0%}")
        table.add_row(one.part, *size, *_cells(one.without, one.change))
        if one.trained is not None and one.trained_change is not None:
            table.add_row("  in training, too", "", "", *_cells(one.trained, one.trained_change))
    screen = console()
    screen.print(table)
    for one in ablation.parts:
        if one.lost:
            screen.say(f"note: {one.lost:,} test texts have nothing but {one.part}, and are not scored there")


def _cells(value: Interval, change: Interval) -> list[str]:
    return [f"{value.value:.3f}", f"{change.value:+.3f} ({change.low:+.3f} to {change.high:+.3f})"]

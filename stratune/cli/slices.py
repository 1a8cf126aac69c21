"""stratune slices: scores on parts of the test rows, the worst of them, and error rates of groups."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from stratune.cli.options import Json, listed
from stratune.cli.output import console, print_json
from stratune.comparison.bar import Bar

if TYPE_CHECKING:
    from stratune.report.screen import Screen

Found = dict[str, Any]
WIDTH = 14  # of a strategy's column
COLUMNS = 3  # of them in 80 characters
NAME = 24
STARS = {"worse": "-", "better": "+", "": " "}


def slices_command(
    out: Annotated[Path, typer.Argument(help="Folder of a finished comparison.")],
    by: Annotated[
        str | None,
        typer.Option(help="Columns of the data: domain,year; bins of numbers: age=18/30/65."),
    ] = None,
    protected: Annotated[
        str | None, typer.Option(help="Columns whose values' error rates are compared: gender,dialect.")
    ] = None,
    metric: Annotated[
        str | None, typer.Option(help="Of the slices, `stratune list metrics`. [default: the one that ranks]")
    ] = None,
    as_json: Json = False,
) -> None:
    """Score the models of a comparison on slices of the test rows, and find the worst. Nothing is trained.

    Slices are labels, the annotators' agreement, the length of the text, groups, and columns that you name.
    The worst are searched on validation rows, and shown with numbers of test.
    """
    from stratune.comparison.slices import slices
    from stratune.report.slice_tables import groups, section

    with Bar("slices") as bar:
        found = slices(
            out,
            listed(by) or (),
            protected=listed(protected) or (),
            metric=metric,
            progress=bar,
        )
    if as_json:
        print_json(found)
        return
    screen = console()
    if (shown := section(found)) is not None:
        _print_slices(shown, screen)
        _print_worst(shown, screen)
    if (shown := groups(found)) is not None:
        _print_groups(shown, screen)
    screen.say(f"{out / 'report.html'} has the intervals, {out / 'leaderboard.json'} all numbers")


def _print_slices(shown: Found, screen: Screen) -> None:
    from stratune.report import human
    from stratune.report.screen import Table

    for start in range(0, len(shown["strategies"]), COLUMNS):
        some = slice(start, start + COLUMNS)
        table = Table("slice", box=None, pad_edge=False)
        table.add_column("rows", justify="right")
        for name in shown["strategies"][some]:
            table.add_column(human.short(name, WIDTH), justify="right", no_wrap=True)
        if shown["order"] and not start:
            table.add_column("1st less 2nd", justify="right", no_wrap=True)
        for by in shown["dimensions"]:
            table.add_row(f"{human.short(by['name'], NAME)} ({by['metric']})")
            for line in by["lines"]:
                cells = [f"{human.score(cell['value'])}{STARS[cell['mark']]}" for cell in line["cells"][some]]
                between = [_between(line["order"])] if shown["order"] and not start else []
                table.add_row(f"  {human.short(line['name'], NAME)}", f"{line['rows']:,}", *cells, *between)
        screen.print(table)
    screen.say("- and +: clearly worse or better than all other rows, adjusted for all slices (Holm)")
    if shown["order"]:
        first, second = shown["order"]
        screen.say(f"1st less 2nd: {first} less {second}, * clear; ~ the other one leads than on all rows")
    for by in shown["dimensions"]:
        screen.say(f"{by['name']}: {by['about']}")
    for one in shown["confidence"]:
        rank = human.interval(one["spearman"])
        screen.say(
            f"{one['name']}: confidence follows the annotators' agreement with a rank correlation of {rank}"
        )
    screen.say("")


def _between(order: Found) -> str:
    from stratune.report import human

    marks = ("*" if order["marked"] else " ") + ("~" if order["changes"] else " ")
    return human.difference(order["change"], ends=False) + marks


def _print_worst(shown: Found, screen: Screen) -> None:
    from stratune.report import human
    from stratune.report.screen import Table

    if not shown["worst"]:
        return
    rows = f"{shown['validation_rows']:,}"
    screen.say(f"the worst slices: searched on the errors of {rows} validation rows, with numbers of test;")
    screen.say("each is without the rows of those above it, and compared with the rows that are left")
    for one in shown["worst"]:
        if not one["found"]:
            screen.say(f"{one['name']}: none is worse than chance makes one of so many; {one['looked']}")
            continue
        screen.say(f"{one['name']}: {one['looked']}")
        table = Table(
            "rows where", "rows", f"test {one['metric']}", "less the rows left", "", box=None, pad_edge=False
        )
        for column in table.columns[1:4]:
            column.justify = "right"
        for each in one["found"]:
            table.add_row(
                each["name"], f"{each['rows']:,}", human.interval(each["estimate"]),
                human.difference(each["difference"]), each["holds"],
            )  # fmt: skip
        screen.print(table)
    screen.say("")


def _print_groups(shown: Found, screen: Screen) -> None:
    from stratune.report import human
    from stratune.report.screen import Table

    for column in shown["columns"]:
        for line in column["strategies"]:
            screen.say(f"{line['name']} by {column['name']}")
            table = Table("value", box=None, pad_edge=False)
            table.add_column("rows", justify="right")
            for one in shown["measures"]:
                table.add_column(one["name"], justify="right")
            for value in line["lines"]:
                cells = [
                    f"{human.score(one['value'])}{'*' if one['marked'] else ' '}" for one in value["cells"]
                ]
                table.add_row(human.short(value["name"], NAME), f"{value['rows']:,}", *cells)
            screen.print(table)
        screen.say(
            "* clearly different from all other rows, adjusted for all differences of the strategy (Holm)"
        )
        screen.say(f"{column['name']}: {column['visible']}")
        screen.say("")

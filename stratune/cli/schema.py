"""stratune schema: labels that the models or the annotators confuse, and what a merge would change."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from stratune.cli.options import Json, listed
from stratune.cli.output import console, print_json
from stratune.comparison.bar import Bar

if TYPE_CHECKING:
    from stratune.report.screen import Screen

Found = dict[str, Any]
ADVICE = "whether two labels may be one is a question of what they are for; nothing has been changed"


def schema_command(
    out: Annotated[Path, typer.Argument(help="Folder of a finished comparison.")],
    strategies: Annotated[
        str | None,
        typer.Option(
            help="Rows of its leaderboard: lora,tfidf. [default: the winner, and what ties with it]"
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Which labels are confused with each other, and would one label in their place be better? Nothing is
    trained, and no label is changed.

    Pairs that the models, or the annotators, take for each other both ways more often than by chance; and
    what a merge of the two changes on validation rows.
    """
    from stratune.comparison.schema import schema
    from stratune.report.schema import shown

    with Bar("labels") as bar:
        found = schema(out, listed(strategies), progress=bar)
    if as_json:
        print_json(found)
        return
    screen = console()
    _print(shown(found), out, screen)
    screen.say(f"{out / 'report.html'} has it too, {out / 'schema.json'} all numbers")


def _print(shown: Found, out: Path, screen: Screen) -> None:
    rows, pairs = f"{shown['rows']:,}", f"{shown['pairs']:,}"
    screen.say(f"{pairs} pairs of {shown['labels']:,} labels, on {rows} validation rows")
    for one in shown["sources"]:
        if not one["pairs"]:
            screen.say(f"{one['name']}: no pair is confused both ways clearly more often than by chance")
            continue
        screen.say("")
        screen.say(f"{one['name']}: labels that are confused both ways")
        _print_pairs(one["pairs"], screen)
        screen.say("")
        _print_merges(one, shown["metrics"], screen)
    if not shown["any"]:
        return
    screen.say("* clear, p below 0.05 adjusted for every pair that was tested (Holm)")
    screen.say("by chance: of two labels of these sizes that are no more alike than others")
    screen.say("any merge raises accuracy; mcc (Matthews' correlation, 0 for guessing) decides: a merge is")
    screen.say("advised where it rises clearly, and the whole interval lies above what chance would bring")
    screen.say("")
    better = [(one, pair) for one in shown["sources"] for pair in one["pairs"] if pair["advised"]]
    for _, pair in {tuple(pair["labels"]): (one, pair) for one, pair in better}.values():
        screen.say(f"to try {pair['name']} as one label:")
        options = " ".join(map(shlex.quote, pair["override"]))
        screen.say(f"  stratune compare {shlex.quote(str(out / 'config.yaml'))} {options} --out NEW")
    if not better:
        screen.say("no merge raises mcc clearly above chance: none is advised")
    screen.say(ADVICE)


def _print_pairs(pairs: list[Found], screen: Screen) -> None:
    from stratune.report import human
    from stratune.report.screen import Table

    table = Table("label", "taken for", box=None, pad_edge=False)
    for head in ("of its wrong answers", "by chance", "p"):
        table.add_column(head, justify="right")
    for pair in pairs:
        one, other = (human.short(label, 20) for label in pair["labels"])
        table.add_row(one, other, pair["there"]["told"], pair["there"]["chance"], f"{pair['p_adjusted']:.2g}")
        table.add_row(other, one, pair["back"]["told"], pair["back"]["chance"], "")
    screen.print(table)


def _print_merges(one: Found, metrics: list[str], screen: Screen) -> None:
    from stratune.report import human
    from stratune.report.pairs import is_clear
    from stratune.report.screen import Table

    if one["of"]:
        screen.say(f"what a merge of them changes for {one['of']}:")
    table = Table("merged", "", box=None, pad_edge=False)
    for head in ("before", "after", "change", "by chance"):
        table.add_column(head, justify="right", no_wrap=True)
    for pair in one["pairs"]:
        for place, metric in enumerate(name for name in metrics if name in pair["merge"]):
            merge = pair["merge"][metric]
            star = "*" if is_clear(merge["change"]) else " "
            chance = human.NOTHING if merge["chance"] is None else f"{merge['chance'] + 0.0:+.3f}"
            table.add_row(
                "" if place else human.short(pair["name"], 22), metric, human.score(merge["before"]),
                human.score(merge["after"]), human.difference(merge["change"]) + star, chance,
            )  # fmt: skip
    screen.print(table)

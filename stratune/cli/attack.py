"""stratune attack: how few changed words make the models of a comparison wrong."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from stratune.cli.options import AllowServer, Json, listed
from stratune.cli.output import console, print_json
from stratune.cli.stress import TellingBar

if TYPE_CHECKING:
    from stratune.report.screen import Screen

Found = dict[str, Any]
EXAMPLES = 3  # changed texts of each strategy


def attack_command(
    out: Annotated[Path, typer.Argument(help="Folder of a finished comparison.")],
    strategies: Annotated[
        str | None,
        typer.Option(help="Rows of its leaderboard: lora,tfidf. [default: the best, and the best baseline]"),
    ] = None,
    by: Annotated[
        str, typer.Option(help="typos, or words: neighbours in the input embeddings of minilm.")
    ] = "typos",
    rows: Annotated[
        int, typer.Option(min=1, help="Test rows, at most; those that a model gets right are attacked.")
    ] = 200,
    queries: Annotated[int, typer.Option(min=2, help="Answers of a model about each row, at most.")] = 100,
    changes: Annotated[
        float, typer.Option(help="Share of a row's words that may be changed, above 0 and up to 1.")
    ] = 0.2,
    max_cost: Annotated[
        float | None,
        typer.Option(min=0, help="A model on a server that may cost more, by remote.price, is not asked."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, max=2**31, help="Of the rows, and of what is drawn.")] = 0,
    allow_server: AllowServer = None,
    as_json: Json = False,
) -> None:
    """Change words of test texts until a model's answer is wrong, with its answers alone to go by.

    Nothing is trained. The success rate is an upper bound: some changed texts mean something else, so read
    them. Beside it stands what drawn words do with as many answers.
    """
    from stratune.comparison.attack import attack
    from stratune.memory import set_up_memory

    set_up_memory()
    with TellingBar("answers") as bar:
        found = attack(
            out,
            listed(strategies),
            by=by,  # type: ignore[arg-type]  # checked there
            rows=rows,
            queries=queries,
            changes=changes,
            seed=seed,
            max_cost=max_cost,
            allow_server=allow_server or (),
            progress=bar,
        )
    if as_json:
        print_json(found)
        return
    screen = console()
    _print(found, screen)
    screen.say(f"{out / 'report.html'} has more changed texts, {out / 'attack.json'} all numbers")


def _print(found: Found, screen: Screen) -> None:
    how = "typos" if found["by"] == "typos" else "neighbouring words"
    screen.say(
        f"attacks by {how} on {found['rows']:,} test rows: at most {found['queries']:,} answers about a row, "
        f"and {found['changes']:.0%} of its words changed"
    )
    _print_rates(found, screen)
    _print_differences(found, screen)
    for one in found["strategies"]:
        _print_examples(one, screen)
    screen.say("success is an upper bound: judge whether the changed texts still mean what their label says")


def _print_rates(found: Found, screen: Screen) -> None:
    """Two lines a strategy: the search, and chance."""
    from stratune.report import human
    from stratune.report.screen import Table

    table = Table("strategy", box=None, pad_edge=False)
    for head in ("right", "after", "success", "answers", "words changed"):
        table.add_column(head, justify="right")
    for one in found["strategies"]:
        table.add_row(
            human.short(_name(one), 24),
            f"{one['right']:,}",
            human.score(one["after"]["value"]),
            human.interval(one["success"]) + _star(one["gain"]),
            _answers(one["queries"]),
            human.share(one["changed"]),
        )
        chance = (human.interval(one["chance"]) + " ", _answers(one["chance_queries"]))
        table.add_row("(by chance)", "", "", *chance, human.share(one["chance_changed"]))
    screen.print(table)


def _print_differences(found: Found, screen: Screen) -> None:
    from stratune.report import human
    from stratune.report.pairs import CLEAR

    meant = {"success": "success, both right", "after": "accuracy after"}
    for one in found["differences"]:
        change = human.difference(one["change"]) + _star(one["change"])
        screen.say(f"{one['a']} less {one['b']}: {meant[one['of']]} {change} ({one['rows']:,} rows)")
    changes = [one["gain"] for one in found["strategies"]] + [one["change"] for one in found["differences"]]
    if any(map(_star, changes)):
        screen.say(
            f"* clear (of success: above chance): p below {CLEAR:g}, adjusted for all differences (Holm)"
        )


def _print_examples(one: Found, screen: Screen) -> None:
    from stratune.report.attack import marked

    if one["unchangeable"]:
        screen.say(f"{_name(one)}: {one['unchangeable']:,} of the rows have no word that could be changed")
    for example in one["examples"][:EXAMPLES]:
        text = marked(example) or "(no text is kept)"
        after = example["after"] or "(no answer)"
        screen.say(f"{_name(one)}: row {example['id']}, {example['truth']} -> {after}: {text}")


def _answers(mean: float | None) -> str:
    from stratune.report import human

    return human.NOTHING if mean is None else f"{mean:,.1f}"


def _star(change: Found | None) -> str:
    from stratune.report.pairs import is_clear

    return "*" if is_clear(change) else ""


def _name(one: Found) -> str:
    from stratune.report import human

    return human.entry(one["strategy"], one["backbone"])

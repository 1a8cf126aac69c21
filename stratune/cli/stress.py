"""stratune stress: what the models of a comparison do when the test texts change and the labels do not."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from stratune.cli.options import AllowServer, Json, listed
from stratune.cli.output import console, print_json
from stratune.comparison.bar import Bar

if TYPE_CHECKING:
    from stratune.report.screen import Screen

Found = dict[str, Any]
WIDTH = 12  # of a strategy's column, where several stand side by side
COLUMNS = 5  # of them in 80 characters
DETAILED = 2  # strategies that have a table of their own
FAILURES = 5  # cases that are shown for each strategy


def stress_command(
    out: Annotated[Path, typer.Argument(help="Folder of a finished comparison.")],
    strategies: Annotated[
        str | None,
        typer.Option(help="Rows of its leaderboard: lora,tfidf. [default: all that read the texts]"),
    ] = None,
    only: Annotated[
        str | None,
        typer.Option(help="typos,case (`stratune list perturbations` names them), or none. [default: all]"),
    ] = None,
    strength: Annotated[
        float | None, typer.Option(help="Above 0 and up to 1, of all of them. [default: each its own]")
    ] = None,
    rows: Annotated[int, typer.Option(min=1, help="Test rows, at most; drawn by the seed.")] = 500,
    cases: Annotated[
        str | None, typer.Option(metavar="FILE", help="Cases with expected answers: yaml, csv, jsonl.")
    ] = None,
    swap: Annotated[
        bool, typer.Option("--swap", help="Turn pairs round, too: where their order means nothing.")
    ] = False,
    seed: Annotated[int, typer.Option(min=0, max=2**31, help="Of what is changed, and of the rows.")] = 0,
    allow_server: AllowServer = None,
    as_json: Json = False,
) -> None:
    """Change the test texts (typos, case, fillers, instructions, ...) and see which models' answers change.

    Nothing is trained. Labels stay what they are, so every change of a score is the model's.
    """
    from stratune.comparison.robustness import stress
    from stratune.memory import set_up_memory

    set_up_memory()
    with TellingBar("answers") as bar:
        found = stress(
            out,
            listed(strategies),
            only=[] if only == "none" else listed(only),
            strength=strength,
            rows=rows,
            seed=seed,
            swap=swap,
            cases=cases,
            allow_server=allow_server or (),
            progress=bar,
        )
    if as_json:
        print_json(found)
        return
    screen = console()
    _print(found, screen)
    screen.say(f"{out / 'report.html'} has the rows that changed most, {out / 'robustness.json'} all numbers")


class TellingBar(Bar):
    def note(self, text: str) -> None:
        """What a server is asked is told before it is."""
        from stratune.report.screen import screen

        screen(stderr=True).say(text)


def _print(found: Found, screen: Screen) -> None:
    from stratune.report.pairs import CLEAR

    tested = found["strategies"]
    if found["perturbations"] and len(tested) <= DETAILED:
        for one in tested:
            _print_one(one, found, screen)
    elif found["perturbations"]:
        for start in range(0, len(tested), COLUMNS):
            _print_side_by_side(tested[start : start + COLUMNS], found, screen)
    if any(_star(effect) for one in tested for effect in one["effects"]):
        screen.say(f"* clear: p below {CLEAR:g}, adjusted for every change that is shown (Holm)")
    _print_cases(tested, screen)
    for note in found["notes"]:
        screen.say(f"note: {note}")


def _print_one(one: Found, found: Found, screen: Screen) -> None:
    from stratune.report import human
    from stratune.report.screen import Table

    before = human.interval(one["before"])
    title = f"{_name(one)}: {found['metric']} {before} on {found['rows']:,} test rows as they are"
    screen.say(title)
    table = Table("perturbation", box=None, pad_edge=False)
    numeric = all(effect["flips"] is None for effect in one["effects"])
    for head in ("rows changed", "change of the score", "moved by" if numeric else "answers flip"):
        table.add_column(head, justify="right")
    changed = {head["name"]: head["changed"] for head in found["perturbations"]}
    for effect in one["effects"]:
        table.add_row(
            effect["perturbation"],
            human.share(changed[effect["perturbation"]]),
            human.difference(effect["change"]) + _star(effect),
            human.score(effect["shift"]["value"]) if effect["shift"] else _share(effect["flips"]),
        )
    screen.print(table)
    for effect in one["effects"]:
        if effect["led"] is not None:
            screen.say(
                f"{effect['perturbation']}: {_share(effect['led'])} of the rows follow the wrong label"
            )
    if one["consistent"] is not None:
        screen.say(f"{_share(one['consistent'])} of the rows have the same answer under all of them")
    screen.say("")


def _print_side_by_side(some: list[Found], found: Found, screen: Screen) -> None:
    from stratune.report import human
    from stratune.report.screen import Table

    title = f"change of {found['metric']} on {found['rows']:,} test rows"
    screen.say(title)
    table = Table("perturbation", box=None, pad_edge=False)
    for one in some:
        table.add_column(human.short(_name(one), WIDTH), justify="right", no_wrap=True)
    table.add_row("(as they are)", *(human.score((one["before"] or {}).get("value")) for one in some))
    for head in found["perturbations"]:
        cells = [_cell(one, head["name"]) for one in some]
        table.add_row(head["name"], *cells)
    if any(one["consistent"] for one in some):
        table.add_row("(same answer)", *(_share(one["consistent"]) for one in some))
    screen.print(table)


def _cell(one: Found, name: str) -> str:
    from stratune.report import human

    for effect in one["effects"]:
        if effect["perturbation"] == name:
            return human.difference(effect["change"], ends=False) + (_star(effect) or " ")
    return human.NOTHING + " "


def _star(effect: Found) -> str:
    from stratune.report.pairs import is_clear

    return "*" if is_clear(effect["change"]) else ""


def _print_cases(tested: list[Found], screen: Screen) -> None:
    from stratune.report.screen import Table

    if not any(one.get("cases") for one in tested):
        return
    table = Table("cases", "strategy", box=None, pad_edge=False)
    for head in ("passed", "95 % interval"):
        table.add_column(head, justify="right")
    for one in tested:
        for test in one["cases"]:
            passed, count = test["passed"], test["cases"]
            ends = f"{passed['low']:.0%} to {passed['high']:.0%}"
            table.add_row(test["test"], _name(one), f"{round(passed['value'] * count)} of {count}", ends)
    screen.print(table)
    for one in tested:
        failures = [failure for test in one["cases"] for failure in test["failures"]]
        for failure in failures[:FAILURES]:
            texts = " -> ".join(repr(text) for text in failure["texts"])
            answers = " -> ".join(answer or "(no answer)" for answer in failure["answers"])
            screen.say(f"{_name(one)}: {texts}: expected {failure['expected']}, answered {answers}")
        if len(failures) > FAILURES:
            screen.say(f"{_name(one)}: and {len(failures) - FAILURES} more")


def _share(found: dict[str, float] | None) -> str:
    from stratune.report import human

    return human.share(None if found is None else found["value"])


def _name(one: Found) -> str:
    from stratune.report import human

    return human.entry(one["strategy"], one["backbone"])

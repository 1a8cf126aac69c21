"""stratune data gap: how much higher random folds score than folds of unseen groups."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from stratune.cli.options import Delimiter, Encoding, Id, Json, Kind, Label, Pair, Source, Text
from stratune.cli.output import console, print_json
from stratune.comparison.bar import Bar

if TYPE_CHECKING:
    from stratune.comparison.generalisation_gap import Gap


def gap_command(
    source: Source,
    label: Label = None,
    group: Annotated[str | None, typer.Option(help="Column of groups: authors, speakers, venues.")] = None,
    text: Text = None,
    pair: Pair = None,
    id_: Id = None,
    kind: Kind = None,
    metric: Annotated[
        str | None, typer.Option(help="What is scored. [default: f1_macro, qwk or rmse, by kind]")
    ] = None,
    strategy: Annotated[
        str, typer.Option(help="What is trained for each fold: a name, or {preset: ...} as in a config.")
    ] = "tfidf",
    backbone: Annotated[str, typer.Option(help="Of a strategy that has one.")] = "minilm",
    epochs: Annotated[float | None, typer.Option(help="Passes over the training rows of a fold.")] = None,
    folds: Annotated[int, typer.Option(min=2, help="Of the random and of the grouped folds.")] = 5,
    repeats: Annotated[
        int, typer.Option(min=1, max=1000, help="Times that rows are assigned to folds anew.")
    ] = 3,
    encoding: Encoding = None,
    delimiter: Delimiter = None,
    seed: Annotated[int, typer.Option(min=0, max=2**31, help="Seed of the folds.")] = 0,
    as_json: Json = False,
) -> None:
    """Score a strategy on random folds, on folds of groups, and leaving one group out (up to 50 groups).

    The gap between the first two is how far a random split overestimates scores on new authors or speakers.
    """
    from stratune.comparison.generalisation_gap import measure_gap
    from stratune.data.columns import canonical
    from stratune.data.labels import infer_labels
    from stratune.data.read import read
    from stratune.data.task import task_of
    from stratune.errors import ConfigError

    task = task_of(
        source, text=text, label=label, text_pair=pair, group=group, id=id_, kind=kind, metric=metric
    )
    if task.group is None:
        raise ConfigError("name the column of groups", key="--group")
    table = canonical(read(source, encoding=encoding, delimiter=delimiter), task, source)
    task = replace(task, labels=infer_labels([table], task, source))
    with Bar("folds") as bar:
        gap = measure_gap(
            table,
            task,
            folds=folds,
            repeats=repeats,
            seed=seed,
            strategy=spec(strategy),
            backbone=backbone,
            epochs=epochs,
            progress=bar,
        )
    if as_json:
        print_json(gap.to_dict())
    else:
        _print(gap, strategy)


def spec(text: str) -> str | dict[str, Any]:
    """A name as it is, `{preset: lora, rank: 4}` as a mapping."""
    from stratune.options import parse_yaml

    return parse_yaml(text, "--strategy") if text.startswith("{") else text


def _print(gap: Gap, strategy: str) -> None:
    from stratune.report.screen import Table

    title = f"{strategy} on {gap.rows:,} rows of {gap.groups:,} groups"
    table = Table("folds", title=title, title_justify="left")
    for head in ("models", gap.metric, "95 % interval"):
        table.add_column(head, justify="right")
    for name, folded in gap.by.items():
        score = folded.score
        table.add_row(name, f"{folded.models}", f"{score.value:.3f}", f"{score.low:.3f} to {score.high:.3f}")
    screen = console()
    screen.print(table)
    low, value, high = gap.gap.low, gap.gap.value, gap.gap.high
    way = "too good" if low > 0 else "too bad" if high < 0 else "neither too good nor too bad"
    screen.say(f"gap {value:+.3f} ({low:+.3f} to {high:+.3f}): random folds look {way}")
    for note in gap.notes:
        screen.say(f"note: {note}")

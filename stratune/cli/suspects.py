"""stratune data suspects: rows whose label is probably wrong, to correct, and what correcting them brings."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stratune.cli.options import Delimiter, Encoding, Group, Id, Json, Kind, Label, Pair, Source, Text
from stratune.cli.output import console, print_json
from stratune.comparison.bar import Bar

if TYPE_CHECKING:
    from stratune.comparison.suspects import Effect, Suspect


def suspects_command(
    source: Source,
    label: Label = None,
    text: Text = None,
    pair: Pair = None,
    group: Group = None,
    kind: Kind = None,
    id_: Id = None,
    strategy: Annotated[
        str, typer.Option(help="What answers each row: a name, or {preset: ...} as in a config.")
    ] = "features",
    backbone: Annotated[str, typer.Option(help="Of a strategy that has one.")] = "minilm",
    rows: Annotated[int, typer.Option(min=1, help="The most suspicious rows that are shown.")] = 20,
    write: Annotated[
        Path | None,
        typer.Option(help="File of these rows, with a column to correct: csv, jsonl, parquet."),
    ] = None,
    corrections: Annotated[
        str | None, typer.Option(help="The CSV with corrected labels: what do they bring?")
    ] = None,
    encoding: Encoding = None,
    delimiter: Delimiter = None,
    seed: Annotated[int, typer.Option(min=0, max=2**31, help="Seed of the folds.")] = 0,
    as_json: Json = False,
) -> None:
    """Rows whose label is probably wrong: a model of the other rows is sure of another one.

    With `--corrections`: how much better models of the corrected labels answer them.
    """
    from stratune.cli.gap import spec
    from stratune.comparison.suspects import OutOfFold, columns_of, effect, suspects
    from stratune.data.columns import canonical
    from stratune.data.corrections import read_corrections
    from stratune.data.labels import infer_labels
    from stratune.data.read import read
    from stratune.data.task import task_of
    from stratune.data.write import check_writable, format_of, open_writer

    task = task_of(source, text=text, label=label, text_pair=pair, group=group, id=id_, kind=kind)
    if write is not None:
        format_of(write, None)
        check_writable(write)
    how = {"encoding": encoding, "delimiter": delimiter}
    table = canonical(read(source, **how), task, source)
    named = replace(task, labels=task.labels or infer_labels([table], task, source))
    answer = OutOfFold(spec(strategy), backbone, seed)
    if corrections is not None:
        given = read_corrections(corrections, **how)
        after = given.to(table)
        note = given.note()
        named = replace(task, labels=task.labels or infer_labels([table, after], task, source))
        with Bar("answers") as bar:
            answers = [answer(one, named, bar) for one in (table, after)]
        found_effect = effect(after, named, *answers)
        if as_json:
            print_json({"corrected": len(given.labels), **asdict(found_effect)})
        else:
            _print_effect(found_effect, note)
        return
    with Bar("answers") as bar:
        found = suspects(table, named, answer(table, named, bar))
    suspicious = [one for one in found if one.confident]
    if write is not None:
        with open_writer(write, safe=True) as writer:
            writer.write(columns_of(suspicious))
    if as_json:
        print_json({"rows": len(found), "suspicious": [asdict(one) for one in suspicious]})
        return
    _print(suspicious, len(found), rows)
    if write is not None:
        said = f"wrote {write}: fill in `corrected` where a label is wrong, then --corrections {write}"
        console().say(said)


def _print_effect(found: Effect, note: str) -> None:
    from stratune.report import human

    screen = console()
    screen.say(note)
    screen.say(f"{found.metric} out of fold, by models of the labels as they were: {found.before:.3f}")
    change = human.difference(found.change.to_dict())
    screen.say(f"by models of the corrected labels: {found.after:.3f}, change {change}")


def _print(suspicious: list[Suspect], total: int, rows: int) -> None:
    from stratune.printable import shortened
    from stratune.report.screen import Table

    screen = console()
    screen.say(f"{len(suspicious):,} of {total:,} rows have a label that a model of the others doubts")
    if not suspicious:
        return
    table = Table("id")
    table.add_column("label")
    table.add_column("rather")
    table.add_column("p", justify="right")
    table.add_column("text")
    for one in suspicious[:rows]:
        shown = one.text if one.pair is None else f"{one.text} / {one.pair}"
        chances = f"{one.own:.2f} {one.other:.2f}"
        table.add_row(one.id, one.label, one.suggested, chances, shortened(" ".join(shown.split()), 60))
    screen.print(table)
    screen.say("p: of the label that the row has, and of the other one; look before you correct")

"""stratune data check, stratune data split: look at the data before anything is trained on it."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from stratune.cli.options import (
    Bins,
    Delimiter,
    DropLeaks,
    Encoding,
    Group,
    Id,
    Json,
    Kind,
    Label,
    NoGold,
    Pair,
    Source,
    SplitBy,
    SplitColumn,
    Test,
    Text,
    Unknown,
    Val,
)
from stratune.cli.output import console, print_json

if TYPE_CHECKING:  # heavy at run time: they load datasets and pyarrow
    from stratune.data.check import Report, TokenLengths
    from stratune.data.split import Split
    from stratune.report.screen import Table
    from stratune.task import Task

app = typer.Typer(rich_markup_mode=None, help="Look at the data before you train.")

Seed = Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Seed of the split.")]


@app.command("check")
def check_command(
    source: Source,
    text: Text = None,
    label: Label = None,
    pair: Pair = None,
    group: Group = None,
    kind: Kind = None,
    bins: Bins = None,
    id_: Id = None,
    val: Val = None,
    test: Test = None,
    split_column: SplitColumn = None,
    split_by: SplitBy = None,
    encoding: Encoding = None,
    delimiter: Delimiter = None,
    unknown: Unknown = None,
    drop_leaks: DropLeaks = None,
    no_gold: NoGold = None,
    seed: Seed = 0,
    backbone: Annotated[str, typer.Option(help="Model whose tokens are counted; empty: none.")] = "minilm",
    as_json: Json = False,
) -> None:
    """Rows, labels, lengths, and what is wrong: empty or repeated texts, leaks, small classes."""
    from stratune.backbone.tokenizer import token_counter
    from stratune.data.task import task_of

    columns = {"text": text, "label": label, "text_pair": pair, "group": group, "id": id_}
    task = task_of(source, **columns, **_kind_of(kind, bins))
    lengths, most = token_counter(backbone) if backbone else (None, None)
    report = run_check(
        source,
        task,
        seed=seed,
        token_lengths=lengths,
        max_length=most,
        val=val,
        test=test,
        split_column=split_column,
        split_by=split_by,
        encoding=encoding,
        delimiter=delimiter,
        unknown=unknown or "refuse",
        drop_leaks=bool(drop_leaks),
        no_gold=no_gold or (),
    )
    if as_json:
        print_json(report.to_dict())
    else:
        _print_report(report)
    if not report.ok:
        raise typer.Exit(1)


@app.command("split")
def split_command(
    source: Source,
    out: Annotated[Path, typer.Option(help="Folder to write.")],
    text: Text = None,
    label: Label = None,
    pair: Pair = None,
    group: Group = None,
    kind: Kind = None,
    bins: Bins = None,
    id_: Id = None,
    val: Val = None,
    test: Test = None,
    split_column: SplitColumn = None,
    split_by: SplitBy = None,
    encoding: Encoding = None,
    delimiter: Delimiter = None,
    unknown: Unknown = None,
    drop_leaks: DropLeaks = None,
    no_gold: NoGold = None,
    seed: Seed = 0,
    format_: Annotated[str, typer.Option("--format", help="csv, jsonl or parquet")] = "csv",
    as_json: Json = False,
) -> None:
    """Write train, val, test and split.json: the split that a comparison with this seed would use.

    Where rows are few, a comparison cross-validates and has no val part (`--validation`); this command writes
    one all the same.

    The files have the columns id, text, [text_pair], label and [group], whatever they were called before.
    """
    from stratune.data.load import load_split
    from stratune.data.task import task_of
    from stratune.data.write import check_format

    check_format(format_)
    columns = {"text": text, "label": label, "text_pair": pair, "group": group, "id": id_}
    task = task_of(source, **columns, **_kind_of(kind, bins))
    split = load_split(
        source,
        task,
        seed=seed,
        val=val,
        test=test,
        split_column=split_column,
        split_by=split_by,
        encoding=encoding,
        delimiter=delimiter,
        unknown=unknown or "refuse",
        drop_leaks=bool(drop_leaks),
        no_gold=no_gold or (),
    )
    write_split(split, out, format_)
    if as_json:
        print_json({"out": str(out), "fingerprint": split.fingerprint, "rows": split.sizes})
    else:
        screen = console()
        screen.print(_balance_table(split.balance(), split.sizes))
        for warning in split.warnings:
            screen.say(f"warning: {warning}")
        for note in split.notes:
            screen.say(f"note: {note}")
        screen.say(f"wrote {out}")


def _kind_of(kind: str | None, bins: str | None) -> dict[str, Any]:
    """Fields of a task; scores that are binned are levels, where nothing else is said."""
    if bins is None:
        return {"kind": kind}
    from stratune.config.given import read_bins

    return {"kind": kind or "ordinal", "bins": read_bins(bins)}


def run_check(
    source: str,
    task: Task,
    *,
    seed: int,
    token_lengths: TokenLengths | None = None,
    max_length: int | None = None,
    **options: Any,
) -> Report:
    """Check the split that a comparison with this seed would see, and the source's other columns. `options`
    are load_split's.
    """
    from stratune.data.check import check
    from stratune.data.giveaways import other_columns
    from stratune.data.load import load_split
    from stratune.data.read import read_tables

    how = {key: options.get(key) for key in ("encoding", "delimiter")}
    tables = read_tables(source, **how)  # once, for both
    split = load_split(tables, task, seed=seed, validation="auto", **options)
    more = tuple(other_columns(tables.train, split.task, options.get("split_column")))
    return check(split, token_lengths=token_lengths, max_length=max_length, more=more)


def write_split(split: Split, out: Path, format: str) -> None:
    """OUT/train.csv, val.csv, test.csv, split.json. All are written before the first is renamed into OUT."""
    from stratune.data.read import iter_batches
    from stratune.data.write import check_writable, open_writer
    from stratune.files import replacing, write_json

    check_writable(out / "split.json")
    # The stack unwinds backwards: split.json comes last, so that a folder with it has all four files.
    with contextlib.ExitStack() as stack:
        write_json(stack.enter_context(replacing(out / "split.json")), split.to_dict())
        for part, table in split.parts.items():
            writer = stack.enter_context(open_writer(out / f"{part}.{format}"))
            for batch in iter_batches(table):
                writer.write(batch)


def _print_report(report: Report) -> None:
    from stratune.report.screen import text

    screen = console()
    screen.print(_balance_table(report.balance, report.rows, report.cross_validated))
    if report.classes is not None:
        screen.print(_classes_line(report), soft_wrap=True)
    screen.print(_length_table(report))
    colors = {"error": "red", "warning": "yellow", "info": "cyan"}
    for issue in report.issues:
        told = any(example in issue.message for example in issue.examples)
        examples = f" (such as {', '.join(issue.examples)})" if issue.examples and not told else ""
        line = text((f"{issue.level}: ", colors[issue.level]), f"{issue.message}{examples}")
        screen.print(line, soft_wrap=True)
    if not report.issues:
        screen.print("nothing to report")
    if report.visible:
        screen.print(_visible_line(report), soft_wrap=True)


def _visible_line(report: Report) -> str:
    points = [f"{100 * least:.1f}" for least in report.visible.values()]
    right = [f"{100 * float(share):g}" for share in report.visible]
    differences = f"differences in accuracy under about {', '.join(points[:-1])} or {points[-1]} points"
    models = f"two models that get {', '.join(right[:-1])} or {right[-1]} % of them right"
    return f"With {report.rows['test']:,} test rows, {differences} cannot be seen, between {models}."


def _classes_line(report: Report) -> str:
    assert report.classes is not None
    labels = len(next(iter(report.balance.values())))
    ratio, effective = report.classes["ratio"], report.classes["effective"]
    largest = f"the largest of {labels:,} labels has {ratio:,.3g} times the rows of the smallest"
    return f"{largest}; they are as varied as {effective:.1f} of equal size"


def _balance_table(
    balance: dict[str, dict[str, int]], rows: dict[str, int], cross_validated: bool = False
) -> Table:
    from stratune.report.screen import Table

    table = Table("part", "rows", title="Rows and labels", title_justify="left")
    labels = list(next(iter(balance.values())))
    shown = labels[:8]  # more columns than a terminal has room for
    for label in shown:
        table.add_column(label, justify="right")
    if len(labels) > len(shown):
        table.add_column(f"{len(labels) - len(shown)} more", justify="right")
    for part, counts in balance.items():
        rest = [f"{sum(counts[label] for label in labels[8:]):,}"] if len(labels) > len(shown) else []
        name = "val (folds of train)" if part == "val" and cross_validated else part
        table.add_row(name, f"{rows[part]:,}", *(f"{counts[label]:,}" for label in shown), *rest)
    return table


def _length_table(report: Report) -> Table:
    from stratune.report.screen import Table

    table = Table(
        "length in", "median", "90 %", "95 %", "99 %", "longest", title="Texts", title_justify="left"
    )
    for lengths in (report.words, report.tokens):
        if lengths is not None:
            numbers = (lengths.median, lengths.p90, lengths.p95, lengths.p99, lengths.longest)
            table.add_row(lengths.unit, *(f"{number:,}" for number in numbers))
    return table

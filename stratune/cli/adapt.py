"""stratune adapt: a backbone that has read the training texts, and texts without labels, before any label."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from stratune.cli.compare import configure
from stratune.cli.options import (
    Bins,
    By,
    Clean,
    Corrections,
    Delimiter,
    DropLeaks,
    Encoding,
    Group,
    Id,
    Json,
    Kind,
    Label,
    MaxLength,
    MaxWords,
    NoGold,
    Pair,
    Scores,
    Size,
    SplitBy,
    SplitColumn,
    Test,
    Text,
    Unit,
    Unknown,
    Unlabelled,
    Val,
    Validation,
)
from stratune.cli.output import console, print_json
from stratune.comparison.bar import StepBar


def adapt_command(
    out: Annotated[Path, typer.Option(help="Folder of the new backbone.")],
    arguments: Annotated[list[str] | None, typer.Argument(metavar="[CONFIG.yaml | DATA] [a.b=c ...]")] = None,
    data: Annotated[
        str | None,
        typer.Option(
            help="csv, tsv, json, jsonl, parquet, xlsx; hub:name/config; demo:name; a folder of transcripts"
        ),
    ] = None,
    scores: Scores = None,
    unit: Unit = None,
    by: By = None,
    clean: Clean = None,
    unlabelled: Unlabelled = None,
    val: Val = None,
    test: Test = None,
    split_column: SplitColumn = None,
    split_by: SplitBy = None,
    encoding: Encoding = None,
    delimiter: Delimiter = None,
    unknown: Unknown = None,
    no_gold: NoGold = None,
    drop_leaks: DropLeaks = None,
    corrections: Corrections = None,
    validation: Validation = None,
    text: Text = None,
    pair: Pair = None,
    label: Label = None,
    group: Group = None,
    id_: Id = None,
    kind: Kind = None,
    bins: Bins = None,
    train_rows: Size = None,
    val_rows: Size = None,
    test_rows: Size = None,
    backbone: Annotated[
        str | None, typer.Option(help="Hugging Face id, folder, or embedded. [default: minilm]")
    ] = None,
    epochs: Annotated[
        float | None, typer.Option(help="Passes over the texts. [default: 4, more where they are few]")
    ] = None,
    learning_rate: Annotated[float | None, typer.Option(help="At its peak. [default: 5e-5]")] = None,
    batch_size: Annotated[
        int | None, typer.Option(help="Texts a step; of long ones pieces of 512 tokens. [default: 32]")
    ] = None,
    max_words: MaxWords = None,
    max_length: MaxLength = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False,
    as_json: Json = False,
) -> None:
    """Let a backbone read your texts before it learns a label: it goes on as it was pretrained (TAPT).

    Read are the training texts that `stratune compare` has with the same options, and those without labels;
    none of validation or test. Then compare both: `--backbone minilm --backbone OUT`.
    """
    from dataclasses import asdict

    from stratune.comparison.adaptation import adapted_backbone

    options: dict[str, Any] = {
        "val": val, "test": test, "split_column": split_column, "split_by": split_by,
        "encoding": encoding, "delimiter": delimiter,
        "scores": scores, "unit": unit, "by": by, "clean": clean,
        "unlabelled": unlabelled, "unknown": unknown, "no_gold": no_gold, "validation": validation,
        "drop_leaks": drop_leaks, "corrections": corrections,
        "text": text, "pair": pair,
        "label": label, "group": group, "id": id_, "kind": kind, "bins": bins, "train_rows": train_rows,
        "val_rows": val_rows, "test_rows": test_rows, "backbone": backbone, "epochs": epochs,
        "max_words": max_words, "max_length": max_length,
    }  # fmt: skip
    config = configure(list(arguments or []), data, options)
    try:
        with StepBar("reading", shown=not quiet) as bar:
            how: dict[str, Any] = {"learning_rate": learning_rate, "batch_size": batch_size}
            adapted = adapted_backbone(config, out, **how, progress=bar)
    except KeyboardInterrupt:
        typer.echo(f"\nstopped; the same command goes on where it was ({out})", err=True)
        raise typer.Exit(130) from None
    if as_json:
        print_json({**asdict(adapted), "folder": str(adapted.folder)})
        return
    screen = console()
    for note in adapted.notes:
        screen.say(f"note: {note}")
    read = f"{adapted.texts:,} texts read in {adapted.steps:,} steps"
    if adapted.before is not None and adapted.after is not None:
        read += f"; perplexity on validation texts {adapted.before:,.1f} before, {adapted.after:,.1f} after"
    screen.say(read)
    screen.say(f"wrote {out}; compare it: --backbone {config.backbones[0]} --backbone {out}")

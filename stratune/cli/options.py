"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def _encoding(name: str | None) -> str | None:
    from stratune.options import text_encoding

    return None if name is None else text_encoding(name, "--encoding")


def listed(text: str | None) -> list[str] | None:
    """Names with commas between them."""
    return None if text is None else [part.strip() for part in text.split(",")]


Source = Annotated[
    str, typer.Argument(help="csv, tsv, json, jsonl, parquet or xlsx file; hub:name/config; demo:name")
]
Text = Annotated[str | None, typer.Option(help="Column of the text. [default: text]")]
Pair = Annotated[str | None, typer.Option(help="Column of the second text of a pair.")]
Label = Annotated[str | None, typer.Option(help="Column of the label. [default: label]")]
Group = Annotated[str | None, typer.Option(help="Column of groups that stay on one side of the split.")]
Kind = Annotated[
    str | None,
    typer.Option(help="classification, ordinal, multilabel or regression. [default: classification]"),
]
Id = Annotated[
    str | None, typer.Option("--id", help="Column of unique row ids. [default: the number of the row]")
]
Val = Annotated[str | None, typer.Option(help="Own validation file. [default: 15 % of the rows]")]
Test = Annotated[str | None, typer.Option(help="Own test file. [default: 15 % of the rows]")]
Unlabelled = Annotated[
    str | None, typer.Option(help="File of texts without labels, which `distil` learns from.")
]
SplitColumn = Annotated[
    str | None, typer.Option(help="Column that says train, val or test. [default: drawn by seed]")
]
SplitBy = Annotated[
    str | None,
    typer.Option(
        help="Column of dates or numbers: the oldest rows train, the newest are test. [default: none]"
    ),
]
MaxWords = Annotated[int | None, typer.Option(min=1, help="Words read of each text. [default: all]")]
Encoding = Annotated[
    str | None, typer.Option(callback=_encoding, help="Text encoding of the files. [default: utf-8]")
]
Delimiter = Annotated[
    str | None,
    typer.Option(help="Between the columns of csv files: one character, or tab. [default: found out]"),
]
Validation = Annotated[
    str | None,
    typer.Option(
        help="Which rows choose: rows (a part of them), folds (the training rows, cross-validated), or auto: "
        "folds where rows are few. [default: auto]"
    ),
]
Unknown = Annotated[
    str | None,
    typer.Option(
        help="Labels that no training row has: refuse, drop (the rows), or wrong (count them so). "
        "[default: refuse]"
    ),
]
Corrections = Annotated[
    str | None, typer.Option(help="Table of row ids and `corrected` labels, of `data suspects --write`.")
]
DropLeaks = Annotated[
    bool | None,
    typer.Option(
        "--drop-leaks", help="Drop training rows whose text, nearly their text, or group is in val or test."
    ),
]
NoGold = Annotated[
    list[str] | None,
    typer.Option(
        help="Label of rows without a gold label, such as - or -1 (empty: no label at all); they are "
        "left out. Repeatable."
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON only.")]
AllowServer = Annotated[
    list[str] | None,
    typer.Option(
        metavar="URL", help="Server of a folder's model that may get the texts, and its key; repeatable."
    ),
]
Prefer = Annotated[
    str | None,
    typer.Option(
        help="The winner is the cheapest row within one standard error of the best, in seconds (training, "
        "answering), memory, bytes (on disk), price (of servers); or best: the first row. [default: seconds]"
    ),
]
Jobs = Annotated[
    int | None,
    typer.Option(
        min=1,
        max=10_000,
        help="Runs under way at once, which share cores and GPU. "
        "[default: 1; ray: as many as fit; slurm: 100 jobs in the queue]",
    ),
]
Engine = Annotated[
    str,
    typer.Option(
        help="Where runs execute: local; ray: a cluster, at $RAY_ADDRESS or started here; slurm: jobs of a "
        "SLURM cluster, as $SBATCH_PARTITION and the like say."
    ),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress, no lines, no table.")]
Sizes = Annotated[
    str | None,
    typer.Option(
        help="Train on fewer of the training rows, too: so many (50,200), or such shares (0.1,0.5). "
        "[default: none]"
    ),
]
Size = Annotated[
    str | None,
    typer.Option(help="So many rows of the part (600), or such a share (0.5); stratified. [default: all]"),
]
Bins = Annotated[
    str | None,
    typer.Option(help="Of a score: names (low,medium,high), edges (2.5,3.5) or a number of quantiles."),
]
MaxLength = Annotated[
    int | None,
    typer.Option(min=1, help="Tokens read of each row. [default: what the model takes, 512 at most]"),
]
Out = Annotated[Path | None, typer.Option(help="Folder of the comparison. [default: stratune-out/NAME]")]
Fresh = Annotated[bool, typer.Option("--fresh", help="Start over instead of going on.")]
Seeds = Annotated[
    int | None, typer.Option(min=1, max=1000, help="Runs of each strategy, with seeds 0, 1, ... [default: 1]")
]
Epochs = Annotated[
    float | None,
    typer.Option(
        help="Passes over the training rows, for every strategy. [default: 4, more where rows are few]"
    ),
]
Trials = Annotated[
    int | None,
    typer.Option(
        min=1,
        max=10_000,
        help="Settings of each strategy that validation chooses among, its defaults first. [default: 1]",
    ),
]
Search = Annotated[
    str | None,
    typer.Option(
        help="How trials are found: random; halving (the best of short trainings go on); tpe (optuna). "
        "[default: random]"
    ),
]
Strategies = Annotated[
    str | None,
    typer.Option(
        help="Comma-separated; see `stratune list strategies`. [default: eight, by kind, pairs ten]"
    ),
]
Texts = Annotated[
    int | None,
    typer.Option(
        min=0, help="Test rows that report.html shows with their texts; 0: no texts. [default: 2000]"
    ),
]
Scores = Annotated[
    str | None,
    typer.Option(help="Table of labels or scores of transcripts. [default: the columns of a table of turns]"),
]
Unit = Annotated[
    str | None,
    typer.Option(help="Of transcripts, what gets a row: document, speaker, segment. [default: document]"),
]
By = Annotated[
    str | None,
    typer.Option(
        help="How they are cut: turn, exchange, minutes:n, section, speaker, document. [default: turn]"
    ),
]
Clean = Annotated[
    str | None, typer.Option(help="Steps that clean them, with commas: noise,fillers. [default: none]")
]

"""Options that several commands share."""

from __future__ import annotations

from typing import Annotated

import typer

Source = Annotated[
    str, typer.Argument(help="csv, tsv, json, jsonl or parquet file; hub:name/config; demo:name")
]
Text = Annotated[str | None, typer.Option(help="Column of the text.")]
Pair = Annotated[str | None, typer.Option(help="Column of the second text of a pair.")]
Label = Annotated[str | None, typer.Option(help="Column of the label.")]
Group = Annotated[str | None, typer.Option(help="Column of groups that stay on one side of the split.")]
Kind = Annotated[str | None, typer.Option(help="classification, ordinal, multilabel or regression.")]
Id = Annotated[str | None, typer.Option("--id", help="Column of unique row ids.")]
Val = Annotated[str | None, typer.Option(help="Own validation file.")]
Test = Annotated[str | None, typer.Option(help="Own test file.")]
SplitColumn = Annotated[str | None, typer.Option(help="Column that says train, val or test.")]
MaxWords = Annotated[int | None, typer.Option(help="Words read of each text.")]
Encoding = Annotated[str | None, typer.Option(help="Text encoding of the files, when not UTF-8.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON only.")]

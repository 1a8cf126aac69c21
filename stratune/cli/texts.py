"""stratune data texts: transcripts and their labels as a table, one row a text."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from stratune.cli.options import Encoding, Json
from stratune.cli.output import console, print_json
from stratune.cli.transcripts import Columns, Source, mapping
from stratune.errors import ConfigError


def texts_command(
    source: Source,
    unit: Annotated[
        str, typer.Option(help="A row for each document, speaker (in a document) or segment.")
    ] = "document",
    by: Annotated[
        str,
        typer.Option(
            help="Pieces of a text, or segments: turn, exchange, minutes:<n>, section, speaker, document."
        ),
    ] = "turn",
    clean: Annotated[str | None, typer.Option(help="Steps of `stratune data clean`, in this order.")] = None,
    labels: Annotated[
        Path | None,
        typer.Option(
            help="Sheet of labels by document (and speaker). [default: that in the folder, or that of turns]"
        ),
    ] = None,
    ratings: Annotated[
        str | None,
        typer.Option(
            help="Of several raters in the sheet: mean, median or majority. [default: mean of numbers, "
            "majority of labels]"
        ),
    ] = None,
    keep: Annotated[
        list[str] | None,
        typer.Option(help="Only these values of a column of labels: side=petitioner,respondent; repeatable."),
    ] = None,
    min_words: Annotated[int, typer.Option(min=0, help="Leave out shorter texts.")] = 0,
    sections: Annotated[str | None, typer.Option(help="Read only these sections.")] = None,
    without_sections: Annotated[str | None, typer.Option(help="Leave these sections out.")] = None,
    roles: Annotated[str | None, typer.Option(help="Read only what these roles say.")] = None,
    without_roles: Annotated[str | None, typer.Option(help="Leave out what these roles say.")] = None,
    no_speakers: Annotated[bool, typer.Option("--no-speakers", help='No "NAME: " in the texts.')] = False,
    others: Annotated[
        bool, typer.Option("--others", help="Of a speaker: what the others say too, as OTHER.")
    ] = False,
    out: Annotated[Path | None, typer.Option("-o", "--out", help="csv, jsonl or parquet file.")] = None,
    columns: Columns = None,
    encoding: Encoding = None,
    as_json: Json = False,
) -> None:
    """Write texts to look at, to train on, or to predict. Without -o they are only counted."""
    from stratune.data.write import open_writer
    from stratune.transcript.texts import Texts, read_texts

    options = Texts(
        unit=unit,
        by=by,
        clean=_listed(clean),
        columns=mapping(columns) or {},
        labels=labels,
        keep=_kept(keep or []),
        min_words=min_words,
        sections=None if sections is None else _listed(sections),
        without_sections=_listed(without_sections),
        roles=None if roles is None else _listed(roles),
        without_roles=_listed(without_roles),
        no_speakers=no_speakers,
        others=others,
        ratings=ratings,
    )
    if out is not None:
        _check_out(out, source, labels)
    rows, report = read_texts(source, options, encoding=encoding)
    if out is not None:
        with open_writer(out) as writer:
            writer.write({name: [row[name] for row in rows] for name in rows[0]})
    if as_json:
        found = {**report.to_dict(), "out": None if out is None else str(out)}
        print_json(found)
        return
    screen = console()
    for line in [*report.lines(), *([] if out is None else [f"wrote {out}"])]:
        screen.say(line)


def _listed(text: str | None) -> tuple[str, ...]:
    return tuple(part.strip() for part in (text or "").split(",") if part.strip())


def _kept(options: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """{"side": ("petitioner", "respondent")} of "side=petitioner,respondent"."""
    kept = {}
    for option in options:
        column, mark, values = option.partition("=")
        if not mark or not _listed(values):
            raise ConfigError(f"{option!r} should be <column>=<value>,<value>", key="--keep")
        kept[column.strip()] = _listed(values)
    return kept


def _check_out(out: Path, source: str, labels: Path | None) -> None:
    """Before anything is read: the format can be written, and OUT is not an input file."""
    from stratune.data.write import check_format

    suffix = out.suffix.lower().removeprefix(".")
    check_format("jsonl" if suffix == "ndjson" else suffix, out)
    if out.resolve() in [Path(one).resolve() for one in (source, labels) if one is not None]:
        raise ConfigError(f"{out} is where the input is: write elsewhere", key="--out")

"""stratune data turns, stratune data clean: what a file or folder of transcripts holds, and cleaning it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Annotated, Any

import typer

from stratune.cli.options import Encoding, Json
from stratune.cli.output import console, print_json
from stratune.cli.transcript_tables import (
    about,
    changes_table,
    print_diff,
    print_forms,
    print_near_names,
    print_troubles,
    total,
    turns_table,
)
from stratune.comparison.bar import Bar
from stratune.errors import ConfigError

if TYPE_CHECKING:
    from stratune.transcript.turn import Transcript

Source = Annotated[
    str,
    typer.Argument(
        metavar="INPUT",
        help="vtt, srt, sbv, ttml, txt, md, docx, html, json, jsonl, csv, tsv, xlsx, parquet, TextGrid or "
        "cha file; a folder of them; demo:speeches",
    ),
]
Columns = Annotated[
    str | None,
    typer.Option(
        help="What the input calls its fields: text=words,speaker=who; in JSON text=results.0.text."
    ),
]


def turns_command(
    source: Source,
    by: Annotated[
        str | None,
        typer.Option(help="Count pieces too: turn, exchange, minutes:<n>, section, speaker or document."),
    ] = None,
    columns: Columns = None,
    encoding: Encoding = None,
    as_json: Json = False,
) -> None:
    """Count what was read: documents, turns, speakers, words, minutes, and what was wrong with the files."""
    from stratune.transcript.read import transcript_files
    from stratune.transcript.sections import sectioned
    from stratune.transcript.segment import pieces

    transcripts = sectioned(_read(source, columns, encoding)[0])[0]
    left_out = [] if source.startswith("demo:") else [str(file) for file in transcript_files(source)[1]]
    sheets = _sheets(source, columns, encoding)
    words = [
        len(piece.text.split())
        for transcript in transcripts
        for piece in (pieces(transcript, by) if by else [])
    ]
    if as_json:
        print_json(
            {
                "total": total(transcripts),
                "pieces": {"by": by, "count": len(words), "median_words": median(words)} if words else None,
                "left_out": [*left_out, *sheets],
                "documents": [about(transcript) for transcript in transcripts],
            }
        )
        return
    screen = console()
    screen.print(turns_table(transcripts))
    if words:
        screen.say(f"{len(words):,} pieces by {by}, {median(words):,.0f} words in the middle one")
    print_forms(screen, transcripts)
    print_near_names(screen, transcripts)
    print_troubles(screen, total(transcripts)["troubles"])
    if sheets:
        screen.say(f"not read, a score sheet: {', '.join(sheets)}")
    if left_out:
        more = f" and {len(left_out) - 3} more" if len(left_out) > 3 else ""
        screen.say(f"not read, of another type: {', '.join(left_out[:3])}{more}")


def _sheets(source: str, columns: str | None, encoding: str | None) -> list[str]:
    """Score sheets in the folder."""
    from stratune.transcript.read import transcript_files
    from stratune.transcript.sheet_in_folder import sheets_among

    if not Path(source).is_dir():
        return []
    known, others = transcript_files(source)
    found = sheets_among(sorted([*known, *others]), mapping(columns), encoding)
    return [str(file) for file in found if file in known]


def clean_command(
    source: Source,
    steps: Annotated[
        str | None,
        typer.Option(
            help="In this order: fillers, repeats, timestamps, noise, speakers, no_speakers, boilerplate."
        ),
    ] = None,
    fillers: Annotated[Path | None, typer.Option(help="Own list for the step fillers, one a line.")] = None,
    boilerplate: Annotated[
        Path | None,
        typer.Option(help="Own lines for the step boilerplate, one a line; /.../ is a regular expression."),
    ] = None,
    speakers: Annotated[
        Path | None,
        typer.Option(help="For the step speakers: a sheet of names and roles, or lines of label = name."),
    ] = None,
    by_role: Annotated[
        bool,
        typer.Option("--by-role", help="For the step speakers: CEO, Operator, Audience Q in place of names."),
    ] = False,
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="Folder, or a table (json, jsonl, csv, parquet).")
    ] = None,
    diff: Annotated[bool, typer.Option("--diff", help="Show changed turns before and after.")] = False,
    limit: Annotated[int, typer.Option(min=0, help="How many of them.")] = 20,
    columns: Columns = None,
    encoding: Encoding = None,
    as_json: Json = False,
) -> None:
    """Clean transcripts by the steps you name, and count what each changed. Without -o nothing is written."""
    from stratune.transcript.clean import clean

    own: dict[str, dict[str, Any]] = {
        "fillers": {} if fillers is None else {"file": fillers},
        "boilerplate": {} if boilerplate is None else _lines(boilerplate),
        "speakers": {
            **({} if speakers is None else {"file": speakers}),
            **({"by": "role"} if by_role else {}),
        },
    }
    specs = _specs(steps, {name: options for name, options in own.items() if options})
    transcripts, suffixes = _read(source, columns, encoding)
    _check_out(out, source)
    turns = sum(len(transcript.turns) for transcript in transcripts)
    with Bar("cleaning", turns * len(specs)) as bar:
        cleaned, changes = clean(transcripts, specs, examples=limit, watch=bar.rows)
    if out is not None:
        _write(cleaned, out, suffixes)
    if as_json:
        print_json({**changes.to_dict(), "out": None if out is None else str(out)})
        return
    screen = console()
    if diff:
        print_diff(screen, changes)
    screen.print(changes_table(changes))
    if out is not None:
        screen.say(f"wrote {out}")


def _specs(steps: str | None, own: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """The steps, each with its `own` options."""
    from stratune.transcript.steps import STEPS, parse_step

    names = [name.strip() for name in (steps or "").split(",") if name.strip()]
    if not names:
        raise ConfigError(f"name at least one of {', '.join(STEPS)}", key="--steps")
    for name in own:
        if name not in names:
            raise ConfigError(f"needs the step {name} in --steps", key=f"--{name}")
    specs = [{"step": name, **own.get(name, {})} for name in names]
    for spec in specs:
        parse_step(spec)  # before anything is read
    return specs


def _lines(path: Path) -> dict[str, Any]:
    from stratune.transcript.text import read_lines

    lines = [line.strip() for line in read_lines(path)[0] if line.strip()]
    patterns = [line[1:-1] for line in lines if len(line) > 2 and line[0] == line[-1] == "/"]
    texts = [line for line in lines if line[1:-1] not in patterns]
    return {"texts": texts, "patterns": patterns}


def _read(source: str, columns: str | None, encoding: str | None) -> tuple[list[Transcript], dict[str, str]]:
    """(the documents, document -> suffix of the file it is from)."""
    from stratune.transcript.read import read_files

    transcripts: list[Transcript] = []
    suffixes: dict[str, str] = {}
    with Bar("reading", None) as bar:
        for file, found in read_files(source, mapping(columns), encoding=encoding):
            transcripts += found
            suffixes |= {transcript.document: Path(file).suffix.lower() for transcript in found}
            bar.rows(sum(len(transcript.turns) for transcript in found))
    return transcripts, suffixes


def mapping(columns: str | None) -> dict[str, str] | None:
    """{"text": "words"} of "text=words"."""
    if columns is None:
        return None
    pairs = [pair.partition("=") for pair in columns.split(",")]
    for field, mark, name in pairs:
        if not mark or not name.strip():
            raise ConfigError(f"{field!r} should be <field>=<column>, such as text=words", key="--columns")
    return {field.strip(): name.strip() for field, _, name in pairs}


def _check_out(out: Path | None, source: str) -> None:
    """Raises ConfigError where writing would overwrite the input."""
    from stratune.transcript.write import check_target

    if out is None:
        return
    inside = Path(source).resolve()
    if out.suffix and not out.is_dir():
        check_target(out)
    if out.resolve() == inside or (inside.is_file() and not out.suffix and out.resolve() == inside.parent):
        raise ConfigError(f"{out} is where the input is: write elsewhere", key="--out")


def _write(transcripts: Sequence[Transcript], out: Path, suffixes: Mapping[str, str]) -> None:
    """A folder gets each document in the format it came in, as far as one file holds one document."""
    from stratune.transcript.write import SINGLE, write_folder, write_transcripts

    if out.suffix and not out.is_dir():
        write_transcripts(transcripts, out)
        return
    kinds = {name: suffix for name, suffix in suffixes.items() if suffix in (*SINGLE, ".json")}
    write_folder(transcripts, out, kinds)

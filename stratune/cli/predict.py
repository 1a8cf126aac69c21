"""stratune predict: a comparison or a model folder, and a file of any size at constant memory, or a text."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stratune.cli.batches import BATCH_ROWS, Batch, size_of
from stratune.cli.options import AllowServer, Delimiter, Encoding
from stratune.cli.reading import Reading, table_types
from stratune.cli.workers import Added, Loading
from stratune.comparison.bar import Bar
from stratune.errors import ConfigError

if TYPE_CHECKING:
    from stratune.cli.parts import Parts
    from stratune.data.write import Writer

    Opening = Callable[[Path], AbstractContextManager[Writer]]


def predict(
    model_dir: Annotated[
        Path,
        typer.Argument(
            metavar="OUT",
            help="Folder of a comparison, whose winner answers, or of a model (OUT/runs/RUN/model).",
        ),
    ],
    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="INPUT",
            help="csv, tsv, json, jsonl, parquet, xlsx; - for standard input; a transcript or a folder of "
            "them, of a model that was trained on such; or a text (of a pair two).",
        ),
    ],
    strategy: Annotated[
        str | None, typer.Option(help="Row of the comparison: lora, lora@minilm. [default: the winner]")
    ] = None,
    output: Annotated[
        str,
        typer.Option(
            "-o",
            "--output",
            help="csv, jsonl or parquet file; - for standard output; answers/ for a folder of parts, where a "
            "run that is stopped goes on.",
        ),
    ] = "-",
    text: Annotated[
        str | None, typer.Option(help="Column of the text, when not the one of the training data.")
    ] = None,
    pair: Annotated[str | None, typer.Option(help="Column of the second text, likewise.")] = None,
    format_: Annotated[
        str | None,
        typer.Option("--format", help="Of standard input and output: csv or jsonl; of parts parquet, too."),
    ] = None,
    prefix: Annotated[str, typer.Option(help="Put before the names of the added columns.")] = "",
    encoding: Encoding = None,
    delimiter: Delimiter = None,
    safe_csv: Annotated[
        bool,
        typer.Option("--safe-csv", help="Put an apostrophe before text that a spreadsheet would calculate."),
    ] = False,
    device: Annotated[
        str | None, typer.Option(help="cpu, cuda, mps. [default: the fastest there is]")
    ] = None,
    allow_server: AllowServer = None,
    engine: Annotated[
        str,
        typer.Option(
            help="Where a file is answered: local; ray: by a cluster, at $RAY_ADDRESS or started here."
        ),
    ] = "local",
    jobs: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=10_000,
            help="Processes that answer a file, each with the model in memory and a card or "
            "its share of the cores. [default: 1; ray: as many as fit]",
        ),
    ] = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Add `evidence`: the chunks of a long text that decided.")
    ] = False,
    coverage: Annotated[
        float | None,
        typer.Option(help="Add `set`: the answers that hold the truth with this probability, such as 0.9."),
    ] = None,
    watch: Annotated[
        str | None,
        typer.Option(
            metavar="REF",
            help="Say whether these texts are still like REF: the folder of a comparison (OUT), for what was "
            "trained on, or a file. [default: nothing is compared]",
        ),
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="The answer to a text, or what --watch has found, as JSON.")
    ] = False,
) -> None:
    """Answer a text, or add `prediction` and `score_<label>` to every row, in the order of the input."""
    from stratune.cli.answer import answer, is_text
    from stratune.cli.drifting import Watched, reference_of, tell
    from stratune.cli.parts import Parts, about_answers
    from stratune.cli.pools import check_engine, pool_of
    from stratune.data.write import check_writable, open_writer
    from stratune.memory import set_up_memory
    from stratune.report.screen import screen
    from stratune.train.runtime import device_of

    if device is not None:
        device_of(device)  # also where the model computes on none
    check_engine(engine)
    texts = [words for words in sources if is_text(words)]
    if texts and len(texts) == len(sources):
        if output != "-" or watch is not None:
            key = "--output" if output != "-" else "--watch"
            raise ConfigError("it goes with a file of texts; a text is answered here", key=key)
        loading = Loading(_model_of(model_dir, strategy), device, tuple(allow_server or ()))
        answer(loading.load(), texts, explain=explain, as_json=as_json)
        return
    if len(sources) > 1:
        raise ConfigError("one file at a time, or texts alone", key="INPUT")
    if as_json and (watch is None or output == "-"):
        why = "it goes with a text, or with --watch and --output; the answers to a file are --format jsonl"
        raise ConfigError(why, key="--json")
    (source,) = sources
    folder = Path(output) if output.endswith(("/", os.sep)) or Path(output).is_dir() else None
    kind = _kind(source, output, format_, folder)
    if safe_csv and kind != "csv":
        raise ConfigError(f"the output is {kind}, not csv", key="--safe-csv")
    if folder is None:
        check_writable(output)
    place = _model_of(model_dir, strategy)
    parts = None
    if folder is not None:
        options = {"text": text, "pair": pair, "prefix": prefix, "coverage": coverage}
        options |= {"explain": explain, "safe_csv": safe_csv}
        parts = Parts.open(folder, kind, about_answers(place, source, options))
        if parts.ended:
            compared = "" if watch is None else "; none is compared"
            screen(stderr=True).say(f"all {parts.done:,} rows are answered in {folder} already{compared}")
            return
    found = table_types(source, encoding, delimiter)  # raises before the model is loaded
    loading, added = Loading(place, device, tuple(allow_server or ())), Added(prefix, coverage, explain)
    predictor = loading.load()
    if coverage is not None:
        predictor.reach(coverage)  # raises where it has no sets to give, before anything is written
    task = replace(predictor.task, text=text or predictor.task.text, group=None, id=None)
    task = replace(task, text_pair=pair or task.text_pair)
    reading = Reading(predictor, task, added, encoding, delimiter)
    rows, known, answering = reading.of(source, found, format_)
    answering.check(known)
    reference = None if watch is None else reference_of(watch, reading)
    types = {**known, **added.types(predictor)} if known else {}
    written = partial(open_writer, format=kind, safe=safe_csv, types=types)
    batches, first = rows.batches(BATCH_ROWS), 0
    if parts is not None:
        batches, first = parts.left(batches), parts.done
    set_up_memory()
    opened = pool_of(engine, jobs, loading, added, predictor)
    del predictor, reading  # where others answer each has its own
    with Bar("rows", shown=not quiet, patience=0) as bar, ExitStack() as stack:
        bar.rows(first)
        # Before the pool: Ray takes standard output for its own.
        writer = None if parts is not None else stack.enter_context(written(output))
        pool = Watched(stack.enter_context(opened()), f"{prefix}prediction", kept=reference is not None)
        answered = answering.answered(pool, batches, first)
        if writer is not None:
            _write(answered, writer, bar)
        elif parts is not None:
            _write_parts(answered, parts, written, bar)
        asked = None if reference is None else reference.ask(pool)
    if reference is not None and asked is not None:
        tell(reference.compared(task, pool.sample, asked, shown=not quiet), as_json=as_json)


def _kind(source: str, output: str, format_: str | None, folder: Path | None) -> str:
    """csv, jsonl or parquet."""
    from stratune.data.write import check_format, format_of

    if folder is None:
        return format_of(output, format_ or (_like(source) if output == "-" else None))
    if source == "-":
        why = "standard input cannot be read again: a folder of parts needs a file"
        raise ConfigError(f"{folder}: {why}", key="--output")
    check_format(format_ or "parquet", folder)
    return format_ or "parquet"


def _write(found: Iterable[Batch], writer: Writer, bar: Bar) -> int:
    """Rows written."""
    rows = 0
    for batch in found:
        writer.write(batch)
        bar.rows(size_of(batch))
        rows += size_of(batch)
    return rows


def _write_parts(found: Iterable[Batch], parts: Parts, opening: Opening, bar: Bar) -> None:
    from stratune.cli.parts import in_parts

    parts.begin()
    for part in in_parts(found):
        with opening(parts.path(len(parts.rows))) as writer:
            rows = _write(part, writer, bar)
        parts.add(rows)
    parts.end()


def _model_of(place: Path, strategy: str | None) -> Path:
    """The model folder of a comparison's winner, or of another row; a model folder is its own."""
    from stratune.comparison.board import Board
    from stratune.ownership import MARKER

    if any((place / name).is_file() for name in (MARKER, "leaderboard.json")):
        return Board.load(place).model_folder(strategy)
    if strategy is not None:
        raise ConfigError(f"{place} is not the folder of a comparison, which has rows", key="--strategy")
    return place


def _like(source: str) -> str:
    return "csv" if source.lower().endswith((".csv", ".tsv")) else "jsonl"

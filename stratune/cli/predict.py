"""stratune predict: a comparison or a model folder, and a file of any size at constant memory, or a text."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from stratune.cli.calls import Calls, is_no_table, is_of_transcripts
from stratune.cli.options import AllowServer, Delimiter, Encoding
from stratune.comparison.bar import Bar
from stratune.errors import ConfigError

if TYPE_CHECKING:
    from stratune.predictor.predictor import Predictor

# Rows read, predicted and written at a time; sorting by length within them saves most of the padding.
BATCH_ROWS = 4096


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
        str, typer.Option("-o", "--output", help="csv, jsonl or parquet file; - for standard output.")
    ] = "-",
    text: Annotated[
        str | None, typer.Option(help="Column of the text, when not the one of the training data.")
    ] = None,
    pair: Annotated[str | None, typer.Option(help="Column of the second text, likewise.")] = None,
    format_: Annotated[
        str | None, typer.Option("--format", help="Of standard input and output: csv or jsonl.")
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
    explain: Annotated[
        bool, typer.Option("--explain", help="Add `evidence`: the chunks of a long text that decided.")
    ] = False,
    coverage: Annotated[
        float | None,
        typer.Option(help="Add `set`: the answers that hold the truth with this probability, such as 0.9."),
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The answer to a text as JSON.")] = False,
) -> None:
    """Answer a text, or add `prediction` and `score_<label>` to every row, in the order of the input."""
    from stratune.cli.answer import answer, is_text
    from stratune.data.layout import column_types
    from stratune.data.write import check_writable, format_of, open_writer
    from stratune.memory import set_up_memory
    from stratune.predictor.predictor import Predictor
    from stratune.train.runtime import device_of

    if device is not None:
        device_of(device)  # also where the model computes on none
    texts = [words for words in sources if is_text(words)]
    if texts and len(texts) == len(sources):
        if output != "-":
            raise ConfigError("it goes with a file of texts; a text is answered here", key="--output")
        predictor = Predictor.load(
            _model_of(model_dir, strategy), device=device, allow_server=allow_server or ()
        )
        answer(predictor, texts, explain=explain, as_json=as_json)
        return
    if len(sources) > 1:
        raise ConfigError("one file at a time, or texts alone", key="INPUT")
    if as_json:
        raise ConfigError("it goes with a text; of a file, --format jsonl is", key="--json")
    (source,) = sources
    kind = format_of(output, format_ or (_like(source) if output == "-" else None))
    if safe_csv and kind != "csv":
        raise ConfigError(f"the output is {kind}, not csv", key="--safe-csv")
    check_writable(output)
    place = _model_of(model_dir, strategy)
    known = {} if is_no_table(source) else column_types(source, encoding=encoding, delimiter=delimiter)
    predictor = Predictor.load(place, device=device, allow_server=allow_server or ())
    if coverage is not None:
        predictor.reach(coverage)  # raises where it has no sets to give, before anything is written
    columns = Columns(text or predictor.task.text, pair or predictor.task.text_pair, prefix, coverage)
    rows: Rows | Calls = Rows(source, known, encoding, delimiter, format_)
    if is_of_transcripts(source, predictor, known):
        rows = Calls(source, *predictor.read_transcripts(source, encoding), columns.text)
        rows.tell()
        known = {name: kind for name, kind in rows.types.items() if name not in rows.hidden}
    elif not known and source != "-":
        known = column_types(source, encoding=encoding, delimiter=delimiter)
    columns.check(known, predictor)
    types = {**known, **columns.added(predictor)} if known else {}
    with (
        open_writer(output, kind, safe=safe_csv, types=types) as writer,
        Bar("rows", shown=not quiet, patience=0) as bar,
    ):
        set_up_memory()
        for batch in predicted(predictor, rows, columns, explain):
            writer.write(batch)
            bar.rows(len(next(iter(batch.values()))))


def _model_of(place: Path, strategy: str | None) -> Path:
    """The model folder of a comparison's winner, or of another row; a model folder is its own."""
    from stratune.comparison.board import Board
    from stratune.ownership import MARKER

    if any((place / name).is_file() for name in (MARKER, "leaderboard.json")):
        return Board.load(place).model_folder(strategy)
    if strategy is not None:
        raise ConfigError(f"{place} is not the folder of a comparison, which has rows", key="--strategy")
    return place


@dataclass(frozen=True)
class Rows:
    """Where the rows come from, and the types of its columns, where they are known beforehand."""

    source: str
    types: dict[str, Any]
    encoding: str | None = None
    delimiter: str | None = None
    format: str | None = None
    hidden: tuple[str, ...] = ()  # columns that are not written

    def batches(self, count: int) -> Iterator[dict[str, list[Any]]]:
        from stratune.data.read import iter_batches

        yield from iter_batches(
            self.source, count, encoding=self.encoding, delimiter=self.delimiter, format=self.format
        )


@dataclass(frozen=True)
class Columns:
    """Which columns are read, and what is put before the names of those that are added."""

    text: str
    pair: str | None
    prefix: str
    coverage: float | None = None  # of the sets that are added; None: none are

    def added(self, predictor: Predictor) -> dict[str, Any]:
        """Column -> type of what every prediction has."""
        import pyarrow as pa

        numeric = predictor.task.target.is_numeric
        types = {f"{self.prefix}prediction": pa.float64() if numeric else pa.string()}
        types |= {f"{self.prefix}set": pa.string()} if self.coverage is not None else {}
        return types | {f"{self.prefix}score_{label}": pa.float64() for label in predictor.labels}

    def check(self, names: Iterable[str], predictor: Predictor) -> None:
        """ConfigError where the input has a column of such a name."""
        added = [*self.added(predictor), f"{self.prefix}tokens_cut"]
        if there := [name for name in names if name in added]:
            why = f"the input has a column {there[0]!r} already; choose another with --prefix"
            raise ConfigError(why, key="prefix")


def predicted(
    predictor: Predictor, rows: Rows | Calls, columns: Columns, explain: bool = False
) -> Iterator[dict[str, list[Any]]]:
    """Batches of columns: those of the input, then the predictions."""
    from stratune.cli.answer import evidence_of
    from stratune.data.columns import canonical
    from stratune.data.read import read

    task = replace(predictor.task, text=columns.text, text_pair=columns.pair, group=None, id=None)
    done = 0
    for batch in rows.batches(BATCH_ROWS):
        columns.check(batch, predictor)
        texts = canonical(read(_wanted(batch, columns, rows)), task, rows.source, labelled=False, first=done)
        pairs = list(texts["text_pair"]) if task.text_pair else None
        answers = predictor.answer(list(texts["text"]), pairs)
        added = _answer_columns(predictor, answers, columns)
        if explain:
            added[f"{columns.prefix}evidence"] = evidence_of(answers, list(texts["text"]))
        yield _joined({name: cells for name, cells in batch.items() if name not in rows.hidden}, added)
        done += len(texts)


def _wanted(batch: dict[str, list[Any]], columns: Columns, rows: Rows | Calls) -> dict[str, list[Any]]:
    """The columns of texts alone, as text where some row of the file has text; all where one is missing."""
    import pyarrow as pa

    from stratune.data.arrow import as_text

    names = [columns.text, *([columns.pair] if columns.pair else [])]
    absent = {name: [None] * len(next(iter(batch.values()))) for name in names if name in rows.types}
    batch = {**absent, **batch}  # a record may lack what others have
    if not all(name in batch for name in names):
        return batch  # whose columns the message names
    texts = {name: rows.types.get(name) == pa.string() for name in names}
    return {name: [as_text(v) for v in batch[name]] if texts[name] else batch[name] for name in names}


def _answer_columns(predictor: Predictor, answers: Any, wanted: Columns) -> dict[str, list[Any]]:
    prefix = wanted.prefix
    columns: dict[str, list[Any]] = {f"{prefix}prediction": answers.predicted(predictor.task)}
    if wanted.coverage is not None:
        sets = predictor.sets_of(answers, wanted.coverage)
        columns[f"{prefix}set"] = [_set_cell(one) for one in sets]
    for k, label in enumerate(predictor.labels):
        scores = answers.predictions[:, k]
        columns[f"{prefix}score_{label}"] = [None if math.isnan(p) else round(float(p), 6) for p in scores]
    if answers.answers is not None:
        columns[f"{prefix}answer"] = answers.answers
    columns[f"{prefix}tokens_cut"] = [int(cut) for cut in answers.tokens_cut]
    return columns


def _set_cell(found: tuple[Any, ...]) -> str:
    """JSON: labels, or lowest and highest value; null where there is no end."""
    ends = [None if isinstance(one, float) and not math.isfinite(one) else one for one in found]
    return json.dumps(ends, ensure_ascii=False)


def _joined(batch: dict[str, list[Any]], added: dict[str, list[Any]]) -> dict[str, list[Any]]:
    for name in added:
        if name in batch:
            raise ConfigError(
                f"the input has a column {name!r} already; choose another with --prefix", key="prefix"
            )
    return {**batch, **added}


def _like(source: str) -> str:
    return "csv" if source.lower().endswith((".csv", ".tsv")) else "jsonl"

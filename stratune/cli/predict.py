"""stratune predict: a model folder and a file of any size, at constant memory."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from stratune.comparison.progress import Bar
from stratune.errors import ConfigError

if TYPE_CHECKING:
    from stratune.predictor.predictor import Predictor

# Rows read, predicted and written at a time; sorting by length within them saves most of the padding.
BATCH_ROWS = 4096


def predict(
    model_dir: Annotated[Path, typer.Argument(help="Model folder (OUT/runs/<run>/model).")],
    source: Annotated[
        str, typer.Argument(metavar="INPUT", help="csv, tsv, jsonl or parquet file; - for standard input.")
    ],
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
    encoding: Annotated[str | None, typer.Option(help="Text encoding of the input, when not UTF-8.")] = None,
    device: Annotated[
        str | None, typer.Option(help="cpu, cuda, mps. [default: the fastest there is]")
    ] = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Add `evidence`: the chunks of a long text that decided.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False,
) -> None:
    """Add `prediction` and `score_<label>` to every row, in the order of the input."""
    from stratune.data.write import open_writer
    from stratune.memory import set_up_memory
    from stratune.predictor.predictor import Predictor

    kind = format_ or (_like(source) if output == "-" else None)
    with open_writer(output, kind) as writer, Bar("rows", shown=not quiet, patience=0) as bar:
        predictor = Predictor.load(model_dir, device=device)
        set_up_memory()
        for batch in predicted(predictor, source, text, pair, prefix, encoding, format_, explain):
            writer.write(batch)
            bar.rows(len(next(iter(batch.values()))))


def predicted(
    predictor: Predictor,
    source: str,
    text: str | None,
    pair: str | None,
    prefix: str,
    encoding: str | None = None,
    format_: str | None = None,
    explain: bool = False,
) -> Any:
    """Batches of columns: those of the input, then the predictions."""
    from dataclasses import replace

    from stratune.data.columns import canonical
    from stratune.data.read import iter_batches, read

    task = replace(
        predictor.task,
        text=text or predictor.task.text,
        text_pair=pair or predictor.task.text_pair,
        group=None,
        id=None,
    )
    done = 0
    for batch in iter_batches(source, BATCH_ROWS, encoding=encoding, format=format_):
        rows = canonical(read(batch), task, source, labelled=False, first=done)
        pairs = list(rows["text_pair"]) if task.text_pair else None
        answers = predictor.model(list(rows["text"]), pairs)
        added = _answer_columns(predictor, answers, prefix)
        if explain:
            added[f"{prefix}evidence"] = _evidence(answers, list(rows["text"]))
        yield _joined(batch, added)
        done += len(rows)


def _answer_columns(predictor: Predictor, answers: Any, prefix: str) -> dict[str, list[Any]]:
    columns: dict[str, list[Any]] = {f"{prefix}prediction": answers.predicted(predictor.task)}
    for k, label in enumerate(predictor.labels):
        scores = answers.predictions[:, k]
        columns[f"{prefix}score_{label}"] = [None if math.isnan(p) else round(float(p), 6) for p in scores]
    if answers.answers is not None:
        columns[f"{prefix}answer"] = answers.answers
    columns[f"{prefix}tokens_cut"] = [int(cut) for cut in answers.tokens_cut]
    return columns


def _evidence(answers: Any, texts: list[str]) -> list[str]:
    """(N,) JSON: for each row a list of {score, start, end, text}, the chunks that decided."""
    from stratune.data.segments import readable

    if answers.evidence is None:
        why = "this model reads texts whole; one with `long: chunk` or `hierarchical` names what decided"
        raise ConfigError(why, key="explain")

    def shown(one: Any, text: str) -> dict[str, Any]:
        words = readable(text[one.start : one.end]).strip()
        return {"score": round(one.score, 4), "start": one.start, "end": one.end, "text": words}

    pairs = zip(answers.evidence, texts, strict=True)
    return [json.dumps([shown(one, text) for one in named], ensure_ascii=False) for named, text in pairs]


def _joined(batch: dict[str, list[Any]], added: dict[str, list[Any]]) -> dict[str, list[Any]]:
    for name in added:
        if name in batch:
            raise ConfigError(
                f"the input has a column {name!r} already; choose another with --prefix", key="prefix"
            )
    return {**batch, **added}


def _like(source: str) -> str:
    return "csv" if source.lower().endswith((".csv", ".tsv")) else "jsonl"

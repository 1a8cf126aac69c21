"""What a configuration names, read and split."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stratune.config import Config
from stratune.errors import ArtifactError, ConfigError

if TYPE_CHECKING:
    from stratune.config import DataConfig
    from stratune.data.read import Tables
    from stratune.data.split import Split
    from stratune.transcript.texts import TextsReport


# Rows that came from memory are kept beside the results, so that config.yaml can name them.
KEPT_ROWS = {
    "source": "data.parquet",
    "val": "data-val.parquet",
    "test": "data-test.parquet",
    "unlabelled": "data-unlabelled.parquet",
}


def split_of(config: Config) -> Split:
    """Read, check and split what the configuration names. DataError or ConfigError say what is wrong with
    it.
    """
    return read_split(config)[0]


def split_again(out: Path, config: Config, fingerprint: str) -> Split:
    """That of the finished comparison in `out`, of this `fingerprint`. ArtifactError where data changed."""
    split = split_of(config)
    if split.fingerprint != fingerprint:
        raise ArtifactError(f"{out}: {config.data.source} is not what it was made of any more")
    return split


def read_split(config: Config, rows: Mapping[str, Any] | None = None) -> tuple[Split, TextsReport | None]:
    """The same, with what became of transcripts, where it names some. `rows`: parts in memory, in place of
    files.
    """
    from stratune.data.load import load_split
    from stratune.data.subset import Subset
    from stratune.data.task import task_of
    from stratune.transcript.reading import reading_of

    data = config.data
    fields = config.task.model_dump()
    if data.transcripts is None and Path(data.source).is_dir():
        how = "say what a text is with data.transcripts.unit=document"
        raise ConfigError(f"{data.source} is a folder; of transcripts, {how}", key="data.source")
    rows = rows or {}
    if data.transcripts is None:
        source, report = rows.get("source", data.source), None
    else:
        source, report = read_texts_of(data, fields)
    split = load_split(
        source,
        task_of(data.source, **fields),
        seed=data.seed,
        val=rows.get("val", data.val),
        test=rows.get("test", data.test),
        split_column=data.split_column,
        split_by=data.split_by,
        fractions=data.fractions,
        sizes=(data.train_rows, data.val_rows, data.test_rows),
        encoding=data.encoding,
        delimiter=data.delimiter,
        unknown=data.unknown,
        validation=data.validation,
        near=data.near,
        drop_leaks=data.drop_leaks,
        corrections=data.corrections,
        relabel=data.relabel,
        unlabelled=rows.get("unlabelled", data.unlabelled),
        no_gold=data.no_gold,
        agreement=data.agreement,
        trained_on=data.trained_on,
        other=data.other_test,
        other_texts=None if report is None else _other_texts(data, report, fields["label"]),
        subset=None if data.subset_rows is None else Subset(data.subset_rows, data.subset_draw),
    )
    split.task.target.find(split.task.metric)  # a misspelt metric is an error now, not after the first epoch
    if data.transcripts is not None and report is not None:
        split = replace(split, reading=reading_of(data.transcripts, report.steps))
    return split, report


def read_raw(config: Config, rows: Mapping[str, Any] | None = None) -> Tables:
    """The columns as they are, of the parts that the source, or files of their own, give. `rows` as above."""
    from stratune.data.load import with_own
    from stratune.data.task import task_of
    from stratune.data.unseen import read_other

    data, rows = config.data, rows or {}
    texts = None
    if data.transcripts is None:
        source = rows.get("source", data.source)
    else:
        source, report = read_texts_of(data, config.task.model_dump())
        texts = _other_texts(data, report, config.task.label)
    own = rows.get("val", data.val), rows.get("test", data.test)
    tables = with_own(source, *own, None, {"encoding": data.encoding, "delimiter": data.delimiter})
    if data.other_test is None:
        return tables
    task = task_of(data.source, **config.task.model_dump())
    return replace(tables, test=read_other(data.other_test, task, texts).train)


def read_texts_of(data: DataConfig, fields: dict[str, Any]) -> tuple[Tables, TextsReport]:
    """Transcripts as a table; `fields` of the task get the columns that are always there.

    Texts of one document (of speakers, of segments) stay on one side of the split, unless the user groups.
    """
    from stratune.data.read import Tables, read
    from stratune.transcript.texts import read_texts

    assert data.transcripts is not None
    for key in ("val", "test"):
        if getattr(data, key) is not None:
            message = "a file of its own does not go with transcripts: name the parts with split_column"
            raise ConfigError(message, key=f"data.{key}")
    how = {"encoding": data.encoding, "score": fields["label"]}
    rows, report = read_texts(data.source, data.transcripts, **how)
    fields["id"] = fields["id"] or "id"
    fields["annotations"] = fields["annotations"] or _annotations(rows, report, fields)
    if data.transcripts.unit != "document":
        fields["group"] = fields["group"] or "document"
    return Tables(read(rows), f"texts of {data.source}"), report


def _other_texts(data: DataConfig, report: TextsReport, label: str | None) -> Tables | None:
    """Transcripts for the test part, cleaned and cut as those of `report` were; None: it is a table."""
    from stratune.data.read import Tables, read
    from stratune.transcript.read import is_of_calls
    from stratune.transcript.texts import read_texts

    other = data.other_test
    if other is None or not (is_of_calls(other.source) or other.scores):
        return None
    assert data.transcripts is not None
    alike = replace(data.transcripts, clean=tuple(report.steps), labels=other.scores)
    rows, found = read_texts(other.source, alike, encoding=other.encoding, score=other.label or label)
    return Tables(read(rows), f"texts of {other.source}", notes=tuple(found.problems()))


def _annotations(
    rows: Sequence[Mapping[str, Any]], report: TextsReport, fields: Mapping[str, Any]
) -> str | None:
    """Columns of the ratings that the labels were made of, where they are ratings of the kind of task: of
    values any, of labels none but these.
    """
    named, label = report.annotations, fields["label"]
    if named is None or report.score != label or fields["kind"] == "multilabel":
        return None
    if fields["kind"] == "regression" or fields["bins"]:
        return named
    labels = {row[label] for row in rows}
    cells = [row[column] for row in rows for column in named.split("+")]
    ratings = {one for cell in cells for one in (cell if isinstance(cell, list) else [cell])} - {None}
    return named if ratings <= labels else None

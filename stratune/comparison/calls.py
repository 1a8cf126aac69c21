"""What a comparison of transcripts leaves out: which column is the label, its kind, what reads long calls.

`stratune compare calls --scores scores.csv` is enough. What is taken in the place of what was not said is
written into the configuration, and told in a line each.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from stratune.data.pieces import SPEAKERS, STARTS
from stratune.errors import ConfigError
from stratune.evaluate.kinds import Kind
from stratune.strategy.defaults import default_strategies, long_strategies
from stratune.transcript.label_table import OWN
from stratune.transcript.read import is_of_calls
from stratune.transcript.texts import Texts, TextsReport, read_texts

if TYPE_CHECKING:
    from stratune.config import Config

LEVELS = 10  # as many different numbers at most are levels of a scale
LONG = 300  # words of the middle call, from which on most encoders do not read all of it
KINDS: Mapping[Kind, str] = {
    "classification": "a classification", "ordinal": "an ordinal scale", "regression": "a regression",
}  # fmt: skip
_NUMBER = re.compile(r"\s*[-+]?\d+([.,]\d+)?\s*")

Row = Mapping[str, Any]


def completed(config: Config) -> tuple[Config, list[str]]:
    """The configuration with what its calls say, and a line about each thing that was taken from them.

    Nothing that is said is changed. Raises ConfigError where several columns may be the label, and as
    `read_texts`.
    """
    data, notes = config.data, list[str]()
    if (data.transcripts is None or data.transcripts.labels is None) and not is_of_calls(data.source):
        return config, notes  # a table of turns, or a demo, whose task is known
    if data.transcripts is None:
        data = data.model_copy(update={"transcripts": Texts()})
        notes.append("a text is a whole document (`--unit` says otherwise)")
    said = config.task.model_fields_set
    if {"label", "kind"} <= said and "strategies" in config.model_fields_set:
        return config.model_copy(update={"data": data}), notes
    assert data.transcripts is not None
    label = config.task.label
    rows, report = read_texts(data.source, data.transcripts, encoding=data.encoding, score=label)
    task = dict[str, Any]()
    label = label or report.score or _label(rows, data.transcripts)
    if label != config.task.label:
        task["label"] = label
        notes.append(f"the label is {label!r} (`--label`)")
    if not said & {"kind", "bins", "annotations"} and label in rows[0]:
        task["kind"], why = kind_of([row[label] for row in rows])
        notes.append(f"{label!r} has {why}: {KINDS[task['kind']]} (`--kind`)")
    if data.transcripts.unit == "speaker" and "group" not in said and (again := _recurring(rows)):
        task["group"] = "speaker"
        notes.append(
            f"{again} speakers are in several documents: each is on one side of the split (`--group`)"
        )
    update: dict[str, Any] = {"data": data, "task": config.task.model_copy(update=task)}
    if "strategies" not in config.model_fields_set:
        kind, long = update["task"].kind, report.median_words > LONG
        update["strategies"] = long_strategies(kind) if long else default_strategies(kind, pairs=False)
        notes += [_of_length(report)] if long else []
    return config.model_copy(update=update), notes


def kind_of(values: Sequence[Any]) -> tuple[Kind, str]:
    """The kind of task whose truth looks like this, and how it looks."""
    found = [text for value in values if value is not None and (text := str(value).strip())]
    if not found or not all(_NUMBER.fullmatch(text) for text in found):
        return "classification", f"{len(set(found)):,} different names"
    numbers = [float(text.replace(",", ".")) for text in found]
    levels = len(set(numbers))
    if levels == 2:
        return "classification", "2 different numbers"
    few = levels <= LEVELS and (len(numbers) >= 2 * levels or all(map(float.is_integer, numbers)))
    return "ordinal" if few else "regression", f"{levels:,} different numbers"


def _label(rows: Sequence[Row], options: Texts) -> str:
    columns = [name for name in rows[0] if name not in (*OWN, SPEAKERS, STARTS)]
    if "label" in columns:
        return "label"
    if len(columns) == 1:
        return columns[0]
    where = options.labels if options.labels is not None else "the transcripts"
    if not columns:
        raise ConfigError(
            "no score is there: name a table of them (`--scores`)", key="data.transcripts.labels"
        )
    raise ConfigError(
        f"which column of {where} is the label? {', '.join(columns)} (`--label`)", key="task.label"
    )


def _recurring(rows: Sequence[Row]) -> int:
    """How many speakers are in several documents."""
    documents: dict[str, set[str]] = {}
    for row in rows:
        documents.setdefault(row["speaker"], set()).add(row["document"])
    return sum(len(found) > 1 for speaker, found in documents.items() if speaker)


def _of_length(report: TextsReport) -> str:
    return (
        f"the middle text has {report.median_words:,.0f} words, more than most encoders read: most "
        "strategies read all of it, in chunks (`--strategies`)"
    )

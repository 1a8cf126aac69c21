"""What a request may hold, checked before a model sees it. No path, address or name of a file is ever opened.

    {"text": "..."}                        one text        (with "pair" for a task of pairs)
    {"texts": ["...", ...]}                several         (with "pairs")
    {"rows": [{"review": "..."}, ...]}     by the columns of the task, as a file has them
    {"transcript": "...", "format": "vtt"} one call, for a model that was trained on such

Each may name its "model".
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stratune.data.json_files import MOST_DEPTH, is_deeper
from stratune.errors import ConfigError, DataError, choices
from stratune.predictor.inputs import Texts, texts_of
from stratune.predictor.predictor import Predictor
from stratune.serving.limits import Limits
from stratune.serving.refusals import Refused, kind_of
from stratune.task import Task

CONTENTS = ("text", "texts", "rows", "transcript")
BESIDE = {"text": "pair", "texts": "pairs", "transcript": "format"}
# Formats of transcripts that are text: what is packed could grow without end when it is opened.
FORMATS = ("vtt", "srt", "sbv", "txt", "md", "json", "jsonl", "csv", "tsv", "ttml", "html", "textgrid", "cha")
NAMED = ("id", "document", "speaker")  # of a text that is made of a transcript


@dataclass(frozen=True)
class Asked:
    """The rows of a request. `names`: what stands beside each answer; `single`: one text was asked."""

    texts: list[str]
    pairs: list[str] | None = None
    single: bool = False
    names: list[dict[str, Any]] = field(default_factory=list)


def parsed(body: bytes) -> Any:
    """JSON in UTF-8. Raises Refused (400) for what is none, a key twice, NaN, and 100 brackets deep."""
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Refused(400, f"body: not UTF-8 (byte {error.start} is 0x{body[error.start]:02x})") from None
    if not text.strip():
        raise Refused(400, "body: empty; expected a JSON object")
    try:
        found = json.loads(text, parse_constant=_no_number, object_pairs_hook=_once)
    except json.JSONDecodeError as error:
        raise Refused(400, f"body: invalid JSON at character {error.pos + 1}: {error.msg}") from None
    except (ValueError, RecursionError) as error:  # a number of thousands of digits; thousands of brackets
        raise Refused(400, f"body: JSON that cannot be read: {error}") from None
    if text.count("[") + text.count("{") > MOST_DEPTH and is_deeper(found, MOST_DEPTH):
        raise Refused(400, f"body: JSON that is nested more than {MOST_DEPTH} deep")
    return found


def object_of(body: bytes, known: tuple[str, ...], place: str = "body") -> dict[str, Any]:
    """A JSON object with no other keys than those. Raises Refused (400)."""
    found = parsed(body)
    if not isinstance(found, dict):
        raise Refused(400, f"{place}: expected an object, found {kind_of(found)}")
    for name in found:
        if name not in known:
            raise Refused(400, f"{place}: {choices(name, known)}")
    return found


def model_of(found: Mapping[str, Any]) -> str | None:
    """The name of the model that is asked. Raises Refused (400) for what is no name."""
    name = found.get("model")
    if name is not None and not isinstance(name, str):
        raise Refused(400, f"model: expected a name, found {kind_of(name)}")
    return name


def content_of(body: bytes) -> tuple[str, dict[str, Any]]:
    """(text, texts, rows or transcript; the body). Raises Refused (400)."""
    found = object_of(body, (*CONTENTS, *BESIDE.values(), "model"))
    kinds = [name for name in CONTENTS if name in found]
    if len(kinds) != 1:
        there = " and ".join(kinds) or "none of them"
        raise Refused(400, f"body: expected one of {', '.join(CONTENTS)}, found {there}")
    (kind,) = kinds
    for of, name in BESIDE.items():
        if name in found and of != kind:
            raise Refused(400, f"{name}: it goes with {of}, not with {kind}")
    return kind, found


def asked_of(kind: str, found: Mapping[str, Any], predictor: Predictor, limits: Limits) -> Asked:
    """The rows of a body of texts. Raises Refused: 400 for what is no text, 413 for too many."""
    task = predictor.task
    value = found[kind]
    if kind == "rows":
        rows = checked_rows(value, "rows", limits)
        for number, row in enumerate(rows, start=1):
            if not isinstance(row, dict):
                raise Refused(400, f"rows: {number}: expected an object, found {kind_of(row)}")
        return Asked(*_texts(rows, task, "rows"))
    beside = BESIDE[kind]
    if (beside in found) != (task.text_pair is not None):
        what = "missing: this model takes pairs" if task.text_pair else "this model takes no pairs"
        raise Refused(400, f"{beside}: {what}")
    if kind == "text":
        return Asked(*_given([value], [found[beside]] if beside in found else None, task, ""), single=True)
    texts = checked_rows(value, "texts", limits)
    pairs = checked_rows(found[beside], beside, limits) if beside in found else None
    if pairs is not None and len(pairs) != len(texts):
        raise Refused(400, f"pairs: {len(pairs)} of {len(texts)} texts")
    return Asked(*_given(texts, pairs, task, "s"))


def row_of(row: Any, task: Task, place: str) -> tuple[str, str | None]:
    """The text of a row of a stream, and its pair. Raises Refused (400)."""
    if not isinstance(row, dict):
        raise Refused(400, f"{place}: expected an object, found {kind_of(row)}")
    texts, pairs = _texts([row], task, place, numbered=False)
    return texts[0], pairs[0] if pairs is not None else None


def checked_rows(value: Any, place: str, limits: Limits) -> list[Any]:
    """A list of neither no nor too many rows. Raises Refused: 400, 413."""
    if not isinstance(value, list):
        raise Refused(400, f"{place}: expected an array, found {kind_of(value)}")
    if not value:
        raise Refused(400, f"{place}: an empty array")
    if len(value) > limits.most_rows:
        why = f"{len(value):,} rows, of at most {limits.most_rows:,}; /predict.ndjson takes any number"
        raise Refused(413, f"{place}: {why}")
    return value


def _given(texts: list[Any], pairs: list[Any] | None, task: Task, ending: str) -> Texts:
    """Texts (and pairs) that stand in lists of their own."""
    for name, column in ((f"text{ending}", texts), (f"pair{ending}", pairs or [])):
        for number, value in enumerate(column, start=1):
            place = f"{name}: {number}" if ending else name
            if not isinstance(value, str):
                raise Refused(400, f"{place}: expected a text, found {kind_of(value)}")
            check_whole(value, place)
    return texts, pairs


def check_whole(text: str, place: str) -> None:
    """Raises Refused (400) for half a character, as JSON can write one."""
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise Refused(
                400, f"{place}: holds half a character (a lone surrogate, \\ud800 to \\udfff)"
            ) from None


def _texts(rows: list[Any], task: Task, place: str, numbered: bool = True) -> Texts:
    """By the columns of the task, checked as `Predictor.predict` does."""
    try:
        return texts_of(rows, task)
    except DataError as error:
        why = str(error) if numbered else str(error).removeprefix("1: ")
        raise Refused(400, f"{place}: {why}") from None


# -- transcripts


def transcript_of(found: Mapping[str, Any], predictor: Predictor, limits: Limits) -> Asked:
    """The rows of a transcript, as the model's training read them. It may take a while.

    The library of formats reads files: the text is put into one of ours, whose name nobody else chose.
    """
    text, form = found["transcript"], found.get("format")
    if not predictor.reads_transcripts:
        raise Refused(400, "transcript: this model was trained on a table of texts; send text, texts or rows")
    if not isinstance(form, str) or form not in FORMATS:
        shown = choices(form, FORMATS) if isinstance(form, str) else f"expected one of {', '.join(FORMATS)}"
        raise Refused(400, f"format: {shown}")
    if not isinstance(text, str):
        raise Refused(400, f"transcript: expected a text, found {kind_of(text)}")
    check_whole(text, "transcript")
    with tempfile.TemporaryDirectory(prefix="stratune-") as folder:
        path = Path(folder) / f"transcript.{form}"
        path.write_text(text, encoding="utf-8", newline="")
        try:
            rows, _ = predictor.read_transcripts(path, "utf-8")
        except (DataError, ConfigError) as error:
            raise Refused(
                400, str(error).replace(str(path), "transcript").replace(folder, "transcript")
            ) from None
    if len(rows) > limits.most_rows:
        raise Refused(413, f"transcript: {len(rows):,} texts, of at most {limits.most_rows:,}")
    if not rows:
        raise Refused(400, "transcript: no text is left to read in it")
    names = [{name: row[name] for name in NAMED if row.get(name)} for row in rows]
    return Asked([str(row["text"]) for row in rows], names=names)


# -- JSON


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is no number of JSON")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {twice[:40]!r} is there twice")
    return found

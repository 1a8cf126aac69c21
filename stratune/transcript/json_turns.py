"""JSON and JSON lines of turns: objects with the keys of records.NAMES.

A list of turns, {"turns": [...]} with the document's name beside them, or a list of those; in JSON lines, one
of either a line. A line that cannot be read is counted; a whole JSON file that cannot is an error.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from stratune.errors import DataError
from stratune.transcript.records import COLUMNS, NAMES, Columns, Drafts, word
from stratune.transcript.text import read_lines
from stratune.transcript.turn import Draft, Transcript, Turn

Row = dict[str, Any]


def read_json(
    path: Path, document: str, columns: Columns | None = None, encoding: str | None = None
) -> list[Transcript]:
    """DataError when it is no JSON (line and character), or holds nothing that looks like turns."""
    lines, damaged = read_lines(path, encoding)
    text = "\n".join(lines)
    try:
        found = json.loads(text)
    except json.JSONDecodeError as error:
        message = f"invalid JSON at character {error.colno}: {error.msg}"
        raise DataError(message, path=path, row=error.lineno) from None
    except (ValueError, RecursionError) as error:  # a number of thousands of digits; thousands of brackets
        raise DataError(f"JSON that cannot be read: {error}", path=path) from None
    return _transcripts(path, document, columns, [found], damaged)


def read_jsonl(
    path: Path, document: str, columns: Columns | None = None, encoding: str | None = None
) -> list[Transcript]:
    """DataError when no line is a turn."""
    lines, damaged = read_lines(path, encoding)
    values = (_parsed(line) for line in lines if line.strip())
    return _transcripts(path, document, columns, values, damaged)


def _transcripts(
    path: Path, document: str, columns: Columns | None, values: Any, damaged: int
) -> list[Transcript]:
    rows: list[Row] = []
    bad = 0
    key = (columns or {}).get("document", "document")
    for value in values:
        for row in _rows(value, key):
            if row is None:
                bad += 1
            else:
                rows.append(row)
    if not rows:
        raise DataError('holds no turns: expected objects with a "text", or {"turns": [...]}', path=path)
    keys = list(dict.fromkeys(name for row in rows for name in row))
    drafts = Drafts(path, document, columns)
    drafts.add({name: [row.get(name) for row in rows] for name in keys})
    first = drafts.by_name.setdefault(next(iter(drafts.by_name), document), Draft(document))
    first.troubles["bad line"] += bad  # the line's document is not known
    first.troubles["undecodable bytes"] += damaged
    return drafts.transcripts()


def _parsed(line: str) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _rows(value: Any, key: str) -> Iterator[Row | None]:
    """The turns in a value, each with its document under `key`; None for what is no turn."""
    for item in value if isinstance(value, list) else [value]:
        turns = item.get("turns") if isinstance(item, dict) else None
        if isinstance(turns, list):
            name = _name(item, key)
            for turn in turns:
                own = {key: name} if name else {}
                yield {**own, **turn} if isinstance(turn, dict) else None
        else:
            yield item if isinstance(item, dict) else None


def _name(item: Row, key: str) -> str:
    known = (key, *NAMES["document"], "id")
    return next((word(item[name]) for name in known if word(item.get(name))), "")


def turn_row(turn: Turn) -> Row:
    """The record of a turn, with the names of COLUMNS."""
    values = (
        turn.document,
        turn.index,
        turn.speaker,
        turn.role,
        turn.start,
        turn.end,
        turn.section,
        turn.text,
    )
    return dict(zip(COLUMNS, values, strict=True))


def json_text(transcripts: Sequence[Transcript]) -> str:
    """{"document", "turns"}, or a list of those when there are several. Holds everything."""
    values = []
    for transcript in transcripts:
        turns = [{k: v for k, v in turn_row(turn).items() if k != "document"} for turn in transcript.turns]
        values.append({"document": transcript.document, "turns": turns})
    return json.dumps(values[0] if len(values) == 1 else values, ensure_ascii=False, indent=1) + "\n"

"""JSON and JSON lines: what other programs write (shapes), or turns with the keys of records.NAMES.

A list of turns, {"turns": [...]} with the document's name beside them, or a list of those; in JSON lines, one
of either a line. A line that cannot be read is counted; a whole JSON file that cannot is an error.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from stratune.errors import DataError
from stratune.transcript.plain import parse_plain
from stratune.transcript.records import COLUMNS, NAMES, Columns, Drafts, turn_fields, word
from stratune.transcript.shapes import shape_name, shape_of
from stratune.transcript.shapes.unknown import by_paths, long_texts, nested_rows
from stratune.transcript.text import read_lines
from stratune.transcript.turn import Draft, Transcript, Turn

Row = dict[str, Any]

INNER_LEVELS = 3  # of objects around a document whose shape is known
IDS = ("id", "meeting_id", "call_id", "dialogue_id", "fname", "session_id")  # of a document, beside its turns


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
    return _transcripts(path, document, columns, found, 0, damaged)


def read_jsonl(
    path: Path, document: str, columns: Columns | None = None, encoding: str | None = None
) -> list[Transcript]:
    """DataError when no line is a turn or document."""
    lines, damaged = read_lines(path, encoding)
    values = [_parsed(line) for line in lines if line.strip()]
    held = [value for value in values if value is not None]
    found = held[0] if len(held) == 1 and isinstance(held[0], dict | list) else held
    return _transcripts(path, document, columns, found, len(values) - len(held), damaged)


def _parsed(line: str) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _transcripts(
    path: Path, document: str, columns: Columns | None, value: Any, bad: int, damaged: int
) -> list[Transcript]:
    drafts = _shaped(value, document) if not columns else None
    if drafts is None:
        drafts, more = _recorded(path, document, columns, value)
        bad += more
    first = drafts[0]
    first.troubles["bad line"] += bad  # the line's document is not known
    first.troubles["undecodable bytes"] += damaged
    return [draft.transcript() for draft in drafts]


def _shaped(value: Any, document: str) -> list[Draft] | None:
    """The documents of a file whose shape is known; None where it is none."""
    shape = shape_of(value)
    if shape is not None:
        return [_drafted(document, shape_name(shape, value), shape.turns(value))]
    if not isinstance(value, list) or not value or _own(value):
        return None
    shapes = [shape_of(item) for item in value]
    known = [one for one in shapes if one is not None]
    if not known:
        return None
    drafts, taken = [], set[str]()
    for number, (item, one) in enumerate(zip(value, shapes, strict=True), start=1):
        name = _name(item, "document") if isinstance(item, dict) else ""
        name = f"{document}-{number}" if not name or name in taken else name
        taken.add(name)
        if one is not None:
            drafts.append(_drafted(name, shape_name(one, item), one.turns(item)))
    drafts[0].troubles["bad line"] += len(shapes) - len(known)
    return drafts


def _own(value: list[Any]) -> bool:
    """Whether they are turns, or objects of turns, as stratune writes them."""
    first = next((item for item in value if isinstance(item, dict)), {})
    return isinstance(first.get("turns"), list) or isinstance(first.get("text"), str)


def _drafted(document: str, form: str, turns: Any) -> Draft:
    draft = Draft(document, form)
    for one in turns:
        start, end = (_checked(draft, time) for time in (one.start, one.end))
        draft.add(one.speaker, one.text, start, end, one.role, one.section, one.confidence)
    if len(draft.turns) == 1 and not draft.turns[0].speaker and draft.turns[0].start is None:
        draft.troubles["one text"] += 1
    return draft


def _checked(draft: Draft, time: float | None) -> float | None:
    if time is not None and time != time:  # said.BAD
        draft.troubles["bad time"] += 1
        return None
    return time


def _recorded(path: Path, document: str, columns: Columns | None, value: Any) -> tuple[list[Draft], int]:
    """(documents of records, how many items are none). DataError where there are no records."""
    form = ""
    if columns and any("." in name for name in columns.values()) and "text" in columns:
        found: list[Row | None] = list(by_paths(value, columns))
        if not any(row is not None and row[columns["text"]] is not None for row in found):
            raise DataError(f"nothing stands at {columns['text']!r}, given for 'text'", path=path)
    else:
        found = list(_rows(value, (columns or {}).get("document", "document")))
        held = [row for row in found if row is not None]
        if not columns and not any("text" in turn_fields(list(row), None) for row in held[:50]):
            inner = _inner(value, document)
            if inner is not None:
                return inner, 0
            form, found = _nested(path, value)
        elif not columns and _are_documents(held):
            names = [_name(row, "document") for row in held]
            if not all(names) or len(set(names)) < len(names):
                names = [f"{document}-{number}" for number in range(1, len(held) + 1)]
            return [_one_text(row, name, None) for row, name in zip(held, names, strict=True)], 0
        elif any("reply-to" in row or "reply_to" in row for row in held[:1]):
            form = "ConvoKit"
    rows = [row for row in found if row is not None]
    if not rows:
        raise DataError('holds no turns: expected objects with a "text", or {"turns": [...]}', path=path)
    if len(rows) == 1 and _is_text_alone(rows[0], columns):
        return [_one_text(rows[0], document, columns)], len(found) - 1
    keys = list(dict.fromkeys(name for row in rows for name in row))
    drafts = Drafts(path, document, columns, form)
    drafts.add({name: [row.get(name) for row in rows] for name in keys})
    made = drafts.drafts()
    return made or [Draft(document)], len(found) - len(rows)


def _inner(value: Any, document: str) -> list[Draft] | None:
    """A document of a known shape inside another object: {"data": {"messages": [...]}}."""
    waiting = [("", value, 0)]
    for path, inside, depth in waiting:  # grows while it is read
        shape = shape_of(inside) if depth else None
        if shape is not None:
            return [_drafted(document, f"{shape_name(shape, inside)} at {path}", shape.turns(inside))]
        if isinstance(inside, dict) and depth < INNER_LEVELS:
            more = ((key, item) for key, item in inside.items() if isinstance(item, dict))
            waiting += [(f"{path}.{key}".lstrip("."), item, depth + 1) for key, item in more]
    return None


def _nested(path: Path, value: Any) -> tuple[str, list[Row | None]]:
    """(form, turns) of lists of turns somewhere in the value: sections, or documents if they are deeper."""
    lists = nested_rows(value)
    if not lists:
        raise _unknown(path, value)
    if len(lists) == 1:
        return f"turns at {lists[0][0]}", list(lists[0][1])
    key = "document" if all("." in name for name, _ in lists) else "section"
    first = (name.split(".")[0] if key == "document" else name for name, _ in lists)
    turns = [{key: name, **row} for name, (_, found) in zip(first, lists, strict=True) for row in found]
    return f"turns in {len(lists)} lists", list(turns)


def _are_documents(held: Sequence[Row]) -> bool:
    """Whether each object has a text of several lines, and none a speaker or time: no turns but documents."""
    texts = [_text_alone(row) for row in held]
    return len(held) > 1 and all(text is not None and text.count("\n") > 1 for text in texts)


def _text_alone(row: Row) -> str | None:
    text = row.get(turn_fields(list(row), None).get("text", ""))
    return text if isinstance(text, str) and _is_text_alone(row, None) else None


def _is_text_alone(row: Row, columns: Columns | None) -> bool:
    held = turn_fields(list(row), columns)
    known = any(word(row[held[name]]) for name in ("speaker", "start", "end") if name in held)
    return "text" in held and isinstance(row[held["text"]], str) and not known


def _one_text(row: Row, document: str, columns: Columns | None) -> Draft:
    """One text without speaker and times, read as plain text; that it was one is counted."""
    held = turn_fields(list(row), columns)
    name = word(row[held["document"]]) if "document" in held else ""
    draft = Draft(name or document, "one text")
    draft.troubles["one text"] += 1
    role, section = (word(row[held[key]]) if key in held else "" for key in ("role", "section"))
    read = parse_plain(word(row[held["text"]]).split("\n"), draft.document)
    for turn in read.turns:
        draft.add(turn.speaker, turn.text, turn.start, turn.end, turn.role or role, turn.section or section)
    draft.troubles["empty turn"] += 0 if read.turns else 1
    return draft


def _unknown(path: Path, value: Any) -> DataError:
    """The error for JSON without turns that are recognised: where its long texts are."""
    found = long_texts(value)
    expected = 'expected objects with a "text", or {"turns": [...]}'
    if not found:
        return DataError(f"holds no turns: {expected}", path=path)
    shown = ", ".join(f"{name} ({words:,} words)" for name, words in found)
    hint = f"--columns text={found[0][0]}"
    return DataError(
        f"holds no turns that are recognised; long texts are at {shown}: name one, as in {hint}", path=path
    )


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
    known = (key, *NAMES["document"], *IDS)
    return next((word(item[name]) for name in known if word(item.get(name))), "")


def turn_row(turn: Turn) -> Row:
    """The record of a turn, with the names of COLUMNS; the confidence where it is known."""
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
    sure = {} if turn.confidence is None else {"confidence": turn.confidence}
    return {**dict(zip(COLUMNS, values, strict=True)), **sure}


def json_text(transcripts: Sequence[Transcript]) -> str:
    """{"document", "turns"}, or a list of those when there are several. Holds everything."""
    values = []
    for transcript in transcripts:
        turns = [{k: v for k, v in turn_row(turn).items() if k != "document"} for turn in transcript.turns]
        values.append({"document": transcript.document, "turns": turns})
    return json.dumps(values[0] if len(values) == 1 else values, ensure_ascii=False, indent=1) + "\n"

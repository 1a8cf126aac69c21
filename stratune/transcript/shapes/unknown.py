"""JSON that is not recognised: where its turns or long texts stand, by dotted paths."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any

from stratune.transcript.records import turn_fields
from stratune.transcript.shapes.said import Row, rows

LONG = 40  # characters of a text that may be speech
DEEPEST = 12  # levels that are looked at
SHOWN = 4  # paths that a message names
_LOOKED_AT = 20_000  # values of a file


def nested_rows(value: Any) -> list[tuple[str, list[Row]]]:
    """(path, objects) of the lists of turns in a document: texts with speakers or times.

    The longest one, and the others whose objects have the same text and are not inside another.
    """
    found: list[tuple[str, list[Row]]] = []
    for path, items in _walk(value):
        objects = rows(items)
        inside = any(path.startswith(f"{other}.") for other, _ in found)
        if objects and len(objects) == len(items) and not inside and _are_turns(objects):
            found.append((path, objects))
    if not found:
        return []
    text = turn_fields(list(max(found, key=lambda item: len(item[1]))[1][0]), None)["text"]
    return [(path, objects) for path, objects in found if text in objects[0]]


def _are_turns(objects: list[Row]) -> bool:
    held = turn_fields(list(objects[0]), None)
    return (
        "text" in held
        and isinstance(objects[0][held["text"]], str)
        and bool(held.keys() & {"speaker", "start"})
    )


def long_texts(value: Any) -> list[tuple[str, int]]:
    """(path, words) of texts that may be speech, those with the most words first; one path for each list.

    Positions in a list are left out where more than one of its items has such a text: `parts.body`.
    """
    words: dict[str, int] = {}
    counts: dict[str, int] = {}
    exact: dict[str, str] = {}
    for path, text in _texts(value):
        general = ".".join(step for step in path.split(".") if not step.isdigit())
        words[general] = words.get(general, 0) + len(text.split())
        counts[general] = counts.get(general, 0) + 1
        exact.setdefault(general, path)
    named = [(path if counts[path] > 1 else exact[path], count) for path, count in words.items()]
    return sorted(named, key=lambda item: -item[1])[:SHOWN]


def _texts(value: Any) -> Iterator[tuple[str, str]]:
    for path, found in _walk(value, every=True):
        if isinstance(found, str) and len(found) >= LONG and " " in found:
            yield path, found


def _walk(value: Any, every: bool = False) -> Iterator[tuple[str, Any]]:
    """(path, value) of the lists in it, or of everything; the first ones where there are many."""
    waiting: deque[tuple[str, Any, int]] = deque([("", value, 0)])
    for _ in range(_LOOKED_AT):
        if not waiting:
            return
        path, found, depth = waiting.popleft()
        if every or isinstance(found, list):
            yield path, found
        if depth < DEEPEST and isinstance(found, dict | list):
            inside = found.items() if isinstance(found, dict) else enumerate(found[:200])
            waiting += [(f"{path}.{key}".lstrip("."), item, depth + 1) for key, item in inside
                        if isinstance(item, dict | list) or every]  # fmt: skip


def by_paths(value: Any, columns: Mapping[str, str]) -> list[Row]:
    """Rows with the user's paths as their keys. A step is a key, or a position in a list.

    Without a position, a list gives a row for each of its items: `text=parts.body,speaker=parts.who`. A path
    that does not go through that list has the same value in every row.
    """
    prefix, items = _list_of(value, columns["text"].split("."))
    found: list[Row] = []
    for item in items:
        row: Row = {}
        for path in columns.values():
            steps = path.split(".")
            inside = steps[: len(prefix)] == prefix
            row[path] = _value(item, steps[len(prefix) :]) if inside else _value(value, steps)
        found.append(row)
    return found


def _list_of(value: Any, steps: list[str]) -> tuple[list[str], list[Any]]:
    """(steps to the last list whose items are rows, its items); ([], [value]) without such a list."""
    prefix, items = list[str](), [value]
    now = [value]
    for number in range(len(steps) + 1):
        if any(isinstance(one, list) for one in now) and not (
            number < len(steps) and steps[number].isdigit()
        ):
            now = [item for one in now for item in (one if isinstance(one, list) else [one])]
            prefix, items = steps[:number], now
        if number < len(steps):
            now = [one for one in (_step(one, steps[number]) for one in now) if one is not None]
    return prefix, items


def _value(value: Any, steps: list[str]) -> Any:
    for step in steps:
        value = _step(value, step)
    return value


def _step(value: Any, step: str) -> Any:
    if isinstance(value, dict):
        return value.get(step)
    if isinstance(value, list) and step.isdigit() and int(step) < len(value):
        return value[int(step)]
    return None

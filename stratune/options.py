"""Options as people write them, into the frozen dataclasses that hold them; and YAML, bounded, of them."""

from __future__ import annotations

import codecs
import dataclasses
import functools
import math
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, get_type_hints

import yaml

from stratune.errors import ConfigError, boundary, choices
from stratune.printable import middle_cut

# Of a YAML text: what a person writes is far below, and what is above would take minutes or all memory.
MOST_CHARACTERS = 500_000
MOST_DEPTH = 30
MOST_NODES = 100_000  # aliases counted as what they stand for
LARGEST = 2**63 - 1
SURROGATE = re.compile(r"[\ud800-\udfff]")


def build(cls: type, options: Mapping[str, Any], *, key: str, also: Iterable[str] = ()) -> Any:
    """`cls(**options)`. ConfigError, with its key, for an unknown name or a value of the wrong type.

    `also` are names that would have been right beside these.
    """
    known = {field.name for field in dataclasses.fields(cls)}
    for name in options:
        if name not in known:
            raise ConfigError(choices(name, sorted(known | set(also))), key=key)
    return cls(**typed(cls, options, key=key))


def typed(cls: type, options: Mapping[str, Any], *, key: str) -> dict[str, Any]:
    """The values as the fields of `cls` declare them: YAML, for one, reads `1e-3` as text."""
    from pydantic import ValidationError

    values = {}
    for name, value in options.items():
        try:
            values[name] = _validator(cls, name).validate_python(value)
        except ValidationError as error:
            reason = error.errors()[-1]["msg"].removeprefix("Input ").replace("should be", "it should be")
            raise ConfigError(f"{name} is {shown(value)}, but {reason}", key=key) from error
        check_values(values[name], f"{key}.{name}")
    return values


@functools.cache
def _validator(cls: type, name: str) -> Any:
    """Of one field; to make one takes longer than to use it some hundred times."""
    from pydantic import TypeAdapter

    return TypeAdapter(_hints(cls)[name])


@functools.cache
def _hints(cls: type) -> dict[str, Any]:
    return get_type_hints(cls)


def shown(value: object) -> str:
    """A value in a message, also one that is too large to be written out."""
    size = len(value) if isinstance(value, (str, bytes, list, tuple, set, dict)) else 0
    return f"a {type(value).__name__} of {size:,}" if size > 1000 else middle_cut(repr(value), 120)


def check_values(value: Any, key: str, depth: int = 0) -> None:
    """Raises ConfigError where a value holds what no setting is: NaN or infinity, half a character, nesting
    without an end.
    """
    if depth > MOST_DEPTH:
        raise ConfigError(f"it is nested more than {MOST_DEPTH} deep", key=middle_cut(key, 80))
    if isinstance(value, float) and not math.isfinite(value):
        raise ConfigError(f"{value} is not a finite number", key=key)
    if isinstance(value, int) and abs(value) > LARGEST:
        raise ConfigError("a whole number of more than 64 bits is none that a setting can have", key=key)
    if isinstance(value, str) and SURROGATE.search(value):
        raise ConfigError("it holds a character that is not valid Unicode", key=key)
    if isinstance(value, Mapping):
        for name, inner in value.items():
            check_values(name, key, depth + 1)
            check_values(inner, _below(key, name), depth + 1)
    elif isinstance(value, (list, tuple, set, frozenset)):
        for number, inner in enumerate(value):
            check_values(inner, _below(key, number), depth + 1)


def _below(key: str, name: object) -> str:
    """`task.text`, and `text` alone at the top or after the name of a file."""
    return f"{key}{'.' if key and not key.endswith(': ') else ''}{middle_cut(str(name), 80)}"


def text_encoding(name: str, key: str) -> str:
    """The name. Raises ConfigError for a codec that is none of text (hex), or not there."""
    try:
        is_text = "\0" not in name and codecs.lookup(name)._is_text_encoding
    except (LookupError, ValueError):
        is_text = False
    if not is_text:
        raise ConfigError(
            f"{name!r} is no text encoding; expected one as utf-8, utf-16, latin-1 or cp1252", key=key
        )
    return name


# -- YAML


def read_mapping(path: Path, of: str) -> dict[str, Any]:
    """A YAML file that maps `of`. Raises ConfigError naming the file and, where there is one, the line."""
    try:
        with path.open(encoding="utf-8") as stream:
            text = stream.read(MOST_CHARACTERS + 1)
    except FileNotFoundError as error:
        raise ConfigError(f"{path}: no such file") from error
    except IsADirectoryError as error:
        raise ConfigError(f"{path}: it is a folder, not a file of {of}") from error
    except (OSError, ValueError) as error:  # no UTF-8, or a name that no file can have
        raise ConfigError(f"{path}: cannot be read ({error})") from error
    fields = parse_yaml(text, str(path), lines=True)
    if not isinstance(fields, dict):
        raise ConfigError(f"{path}: expected a mapping of {of}, found {type(fields).__name__}")
    return {str(name): value for name, value in fields.items()}


def parse_yaml(text: str, where: str, *, lines: bool = False) -> Any:
    """The value of a YAML text: mappings, lists, text, numbers, true, false, null.

    What only YAML 1.1 takes for something else (yes, no, on, off, dates, 1:30, 017) is the text that it is.
    Raises ConfigError naming `where`, and of a file with `lines` the line, for what is not YAML, is too long
    or too deep, or has a key twice.
    """
    if len(text) > MOST_CHARACTERS:
        raise ConfigError(f"{where}: more than {MOST_CHARACTERS:,} characters")
    try:
        with boundary(lambda why: ConfigError(f"{where}: not YAML ({why})")):
            try:
                value = yaml.load(text, _Loader)
            except yaml.MarkedYAMLError as error:
                mark = error.problem_mark
                line = f":{mark.line + 1}" if mark and lines else ""
                raise ConfigError(f"{where}{line}: not YAML ({error.problem})") from error
    except RecursionError as error:
        raise ConfigError(f"{where}: not YAML (nested too deep)") from error
    check_text(value, where)
    return value


def check_text(value: Any, where: str) -> None:
    """Raises ConfigError for half a character, which YAML can write and no file can hold."""
    if isinstance(value, str) and SURROGATE.search(value):
        raise ConfigError(f"{where}: {value!r} is not valid Unicode")
    inner = [*value, *value.values()] if isinstance(value, dict) else value if isinstance(value, list) else ()
    for one in inner:
        check_text(one, where)


def set_key(fields: dict[str, Any], key: str, value: Any, *, parse: bool = False) -> None:
    """Put `value` (YAML text when `parse`) at a dotted key."""
    *parents, last = key.split(".")
    if len(parents) >= MOST_DEPTH or not all([*parents, last]):
        raise ConfigError("a key looks like key.subkey", key=middle_cut(key, 80))
    place = fields
    for parent in parents:
        place = place.setdefault(parent, {})
        if not isinstance(place, dict):
            raise ConfigError(f"{parent!r} holds no keys", key=key)
    place[last] = parse_yaml(value, key) if parse else value


class _Loader(yaml.SafeLoader):
    """SafeLoader with bounds, and fewer things that are not text."""

    yaml_implicit_resolvers: dict[str, Any] = {}
    yaml_constructors = {
        tag: construct
        for tag, construct in yaml.SafeLoader.yaml_constructors.items()
        if tag is None or tag.rpartition(":")[2] in ("null", "bool", "int", "float", "str", "seq", "map")
    }

    def __init__(self, stream: str) -> None:
        super().__init__(stream)
        self._depth = self._nodes = 0
        self._sizes: dict[str, int] = {}  # anchor -> nodes of what it names, aliases counted as that

    def compose_node(self, parent: Any, index: Any) -> Any:
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent):
            anchor = str(event.anchor)
            if anchor in self.anchors and anchor not in self._sizes:
                raise self._wrong("an alias inside of what it stands for", event)
            self._count(self._sizes.get(anchor, 0), event)
            return super().compose_node(parent, index)
        before = self._nodes
        self._count(1, event)
        self._depth += 1
        if self._depth > MOST_DEPTH:
            raise self._wrong(f"nested more than {MOST_DEPTH} deep", event)
        node = super().compose_node(parent, index)
        self._depth -= 1
        if event.anchor is not None:
            self._sizes[event.anchor] = self._nodes - before
        return node

    def compose_mapping_node(self, anchor: Any) -> Any:
        node = super().compose_mapping_node(anchor)
        seen = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise self._wrong("a key that is no text", key)
            if key.value in seen and key.tag != "tag:yaml.org,2002:merge":
                raise self._wrong(f"the key {middle_cut(key.value, 80)!r} stands there twice", key)
            seen.add(key.value)
        return node

    def _count(self, nodes: int, place: Any) -> None:
        self._nodes += nodes
        if self._nodes > MOST_NODES:
            raise self._wrong(f"more than {MOST_NODES:,} values", place)

    @staticmethod
    def _wrong(problem: str, place: Any) -> yaml.MarkedYAMLError:
        return yaml.MarkedYAMLError(problem=problem, problem_mark=place.start_mark)


_NUMBER = r"[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"
for _tag, _pattern, _first in (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("int", r"[-+]?(?:0|[1-9][0-9]*)", "-+0123456789"),
    ("float", _NUMBER, "-+0123456789."),
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("merge", r"<<", "<"),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(rf"^(?:{_pattern})$"), list(_first))

"""Options as people write them, into the frozen dataclasses that hold them; and YAML files of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, get_type_hints

from stratune.errors import ConfigError, choices


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
    from pydantic import TypeAdapter, ValidationError

    hints = get_type_hints(cls)
    values = {}
    for name, value in options.items():
        try:
            values[name] = TypeAdapter(hints[name]).validate_python(value)
        except ValidationError as error:
            reason = error.errors()[-1]["msg"].removeprefix("Input ").replace("should be", "it should be")
            raise ConfigError(f"{name} is {value!r}, but {reason}", key=key) from error
    return values


def read_mapping(path: Path, of: str) -> dict[str, Any]:
    """A YAML file that maps `of`. Raises ConfigError naming the file and, where there is one, the line."""
    import yaml

    try:
        fields = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ConfigError(f"{path}: no such file") from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read ({error})") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark else ""
        raise ConfigError(f"{path}{line}: not YAML ({getattr(error, 'problem', None) or error})") from error
    if not isinstance(fields, dict):
        raise ConfigError(f"{path}: expected a mapping of {of}, found {type(fields).__name__}")
    return fields

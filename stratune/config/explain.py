"""What pydantic found wrong, as a ConfigError: the key, the value, the choices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields as dataclass_fields
from dataclasses import is_dataclass
from typing import Any, get_args

from pydantic import ValidationError

from stratune.errors import ConfigError, choices
from stratune.options import shown


def explained(error: ValidationError, fields: Mapping[str, Any], where: str, config: type) -> ConfigError:
    first = error.errors()[0]
    place = _place(first["loc"], fields)
    if first["type"] == "missing":
        place.append(str(first["loc"][-1]))
    key = f"{where}: {'.'.join(place)}" if where != "config" else ".".join(place)
    if first["type"] in ("extra_forbidden", "unexpected_keyword_argument"):
        return ConfigError(choices(place[-1], _known(place[:-1], config)), key=key)
    if first["type"] == "missing":
        return ConfigError("missing", key=key)
    quote = isinstance(first["input"], (bool, int, float)) and first["type"] == "string_type"
    hint = "; put it in quotes" if quote else ""
    return ConfigError(f"{shown(first['input'])}: {first['msg'].lower()}{hint}", key=key)


def _place(loc: Sequence[int | str], fields: Any) -> list[str]:
    """The keys to what is wrong. pydantic also names the branch of a union that it tried: not one of them."""
    place = []
    for part in loc:
        several = range(len(fields)) if isinstance(fields, (list, tuple)) else ()
        if part in (fields if isinstance(fields, Mapping) else several):
            fields = fields[part]
            place.append(str(part))
    return place


def _known(place: Sequence[str], config: type) -> list[str]:
    """The keys of a section."""
    section: Any = config
    for part in place:
        annotation = _fields(section)[part]
        section = next((one for one in get_args(annotation) if one is not type(None)), annotation)
    return sorted(_fields(section))


def _fields(section: Any) -> dict[str, Any]:
    """Key -> type."""
    if is_dataclass(section):
        return {field.name: field.type for field in dataclass_fields(section)}
    return {name: field.annotation for name, field in section.model_fields.items()}

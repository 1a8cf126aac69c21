"""Other spellings of a configuration: what people write for short, and the keys of older versions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from stratune.errors import ConfigError
from stratune.options import shown


def spelt_out(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Lists for names with commas between them, text for numbers that are names, and today's keys for those
    of versions before.
    """
    spelt: dict[str, Any] = {str(name): value for name, value in fields.items()}
    for key, change in _SPELLINGS.items():
        spelt = _changed(spelt, key, change)
    return spelt


def _changed(section: Any, key: str, change: Callable[[Any], Any]) -> Any:
    there = isinstance(section, Mapping) and key in section
    return {**section, key: change(section[key])} if there else section


def _split(value: Any) -> Any:
    return [part.strip() for part in value.split(",")] if isinstance(value, str) else value


def _transcripts(section: Any) -> Any:
    for key in ("clean", "sections", "without_sections", "roles", "without_roles"):
        section = _changed(section, key, lambda value: _numbers_as_text(_split(value)))
    return section


def _numbers_as_text(value: Any) -> Any:
    several = isinstance(value, (list, tuple))
    return [str(one) if isinstance(one, int) else one for one in value] if several else value


def _labels(value: Any) -> Any:
    return _names(value, "task.labels")


def _data(section: Any) -> Any:
    section = _changed(section, "transcripts", _transcripts)
    return _changed(section, "no_gold", lambda value: _names(value, "data.no_gold"))


def _names(value: Any, key: str) -> Any:
    return [_label(one, key) for one in value] if isinstance(value, (list, tuple)) else _split(value)


def _label(value: Any, key: str) -> Any:
    """The name of a label, which YAML may have read as a number. What it was written as is not known of
    others.
    """
    if isinstance(value, str):
        return value
    whole = isinstance(value, float) and value.is_integer()  # 1.0, which data have as 1
    if isinstance(value, bool) or not isinstance(value, (int, float)) or whole:
        raise ConfigError(f"{shown(value)} is no text: quote the labels, as in ['1.0', 'true']", key=key)
    return str(value)


def _train(section: Any) -> Any:
    """Up to 0.6 `micro_batch_tokens` was `pass_tokens`. Labels with weights may look like numbers."""
    if not isinstance(section, Mapping):
        return section
    if isinstance(weights := section.get("class_weights"), Mapping):
        named = {_label(label, "train.class_weights"): weight for label, weight in weights.items()}
        section = {**section, "class_weights": named}
    return {"micro_batch_tokens" if key == "pass_tokens" else key: value for key, value in section.items()}


def _decide(section: Any) -> Any:
    """Labels that have costs may look like numbers, and `metric: f1[1]` is text already."""
    if not isinstance(section, Mapping) or not isinstance(costs := section.get("costs"), Mapping):
        return section
    key = "decide.costs"
    named = {
        _label(truth, key): {_label(answer, key): cost for answer, cost in row.items()}
        if isinstance(row, Mapping)
        else row
        for truth, row in costs.items()
    }
    return {**section, "costs": named}


_SPELLINGS: dict[str, Callable[[Any], Any]] = {
    "data": _data,
    "task": lambda section: _changed(section, "labels", _labels),
    "strategies": _split,
    "backbones": _split,
    "llms": _split,
    "sizes": lambda value: [value] if isinstance(value, (int, float)) else _split(value),
    "train": _train,
    "decide": _decide,
}

"""Options: what a user gives by name, on the command line (`--train-rows 600`) and in Python alike
(`train_rows=600`). The one table of both: each option, what it takes, and the key of the configuration that
it sets.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, TypedDict, get_args, get_type_hints

from stratune.errors import ConfigError, choices
from stratune.options import set_key

Prefer = Literal["seconds", "memory", "bytes", "price", "best"]  # what the winner is the cheapest in


class Options(TypedDict, total=False):
    """Type and key. None is as good as not given."""

    val: Annotated[Any, "data.val"]
    test: Annotated[Any, "data.test"]
    unlabelled: Annotated[Any, "data.unlabelled"]
    split_column: Annotated[str | None, "data.split_column"]
    split_by: Annotated[str | None, "data.split_by"]
    encoding: Annotated[str | None, "data.encoding"]
    delimiter: Annotated[str | None, "data.delimiter"]
    unknown: Annotated[str | None, "data.unknown"]
    no_gold: Annotated[str | Sequence[str] | None, "data.no_gold"]
    validation: Annotated[str | None, "data.validation"]
    corrections: Annotated[str | Path | None, "data.corrections"]
    drop_leaks: Annotated[bool | None, "data.drop_leaks"]
    scores: Annotated[str | Path | None, "data.transcripts.labels"]
    unit: Annotated[str | None, "data.transcripts.unit"]
    by: Annotated[str | None, "data.transcripts.by"]
    clean: Annotated[str | Sequence[Any] | None, "data.transcripts.clean"]
    train_rows: Annotated[int | float | str | None, "data.train_rows"]
    val_rows: Annotated[int | float | str | None, "data.val_rows"]
    test_rows: Annotated[int | float | str | None, "data.test_rows"]
    text: Annotated[str | None, "task.text"]
    pair: Annotated[str | None, "task.text_pair"]
    label: Annotated[str | None, "task.label"]
    group: Annotated[str | None, "task.group"]
    annotations: Annotated[str | None, "task.annotations"]
    id: Annotated[str | None, "task.id"]
    kind: Annotated[str | None, "task.kind"]
    bins: Annotated[Any, "task.bins"]
    metric: Annotated[str | None, "task.metric"]
    strategies: Annotated[Any, "strategies"]
    backbone: Annotated[str | Sequence[str] | Path | None, "backbones"]
    backbones: Annotated[str | Sequence[str] | Path | None, "backbones"]
    llm: Annotated[str | Sequence[str] | Path | None, "llms"]
    llms: Annotated[str | Sequence[str] | Path | None, "llms"]
    seeds: Annotated[int | None, "seeds"]
    sizes: Annotated[Any, "sizes"]
    transfer: Annotated[str | None, "transfer"]
    epochs: Annotated[float | None, "budget.epochs"]
    trials: Annotated[int | None, "budget.trials"]
    search: Annotated[str | None, "budget.search"]
    minutes: Annotated[float | None, "budget.minutes"]
    max_words: Annotated[int | None, "train.max_words"]
    max_length: Annotated[int | None, "train.max_length"]
    track: Annotated[str | Sequence[str] | None, "train.track"]
    prefer: Annotated[str | None, "prefer"]
    texts: Annotated[int | None, "report.texts"]
    slices: Annotated[str | Sequence[str] | None, "report.slices"]
    protected: Annotated[str | Sequence[str] | None, "report.protected"]


# Option -> key of the configuration.
KEYS: dict[str, str] = {
    name: get_args(hint)[1] for name, hint in get_type_hints(Options, include_extras=True).items()
}
# Sections of the configuration, given whole as mappings.
SECTIONS = ("data", "task", "budget", "train", "decide", "remote", "report")


def set_options(fields: dict[str, Any], options: Mapping[str, Any]) -> None:
    """Put options into the fields of a configuration, over what is there; whole sections are joined to it.

    Raises ConfigError for a name that is none, or two names of one key.
    """
    given = {name: value for name, value in options.items() if value is not None}
    for name, value in given.items():
        if name not in (*KEYS, *SECTIONS):
            raise ConfigError(choices(name, sorted((*KEYS, *SECTIONS))))
        if name in SECTIONS:
            fields[name] = _joined(fields.get(name), value, name)
    named: dict[str, str] = {}
    for name in (name for name in given if name in KEYS):
        key = KEYS[name]
        if key in named:
            raise ConfigError(f"{named[key]!r} and {name!r} are two names of one option; give one")
        named[key] = name
        set_key(fields, key, _READ.get(name, _as_it_is)(given[name]))
    if "bins" in given and "kind" not in given:
        set_key(fields, "task.kind", "ordinal")


def _joined(there: Any, given: Any, name: str) -> dict[str, Any]:
    if not isinstance(given, Mapping):
        raise ConfigError(f"expected keys and values, found {type(given).__name__}", key=name)
    return {**(there if isinstance(there, Mapping) else {}), **given}


def _as_it_is(value: Any) -> Any:
    return value


def listed(value: Any) -> Any:
    """One name, names with commas between them, or several."""
    if isinstance(value, (str, Path)):
        return [part.strip() for part in str(value).split(",")]
    return [str(one) if isinstance(one, Path) else one for one in value]


def _strategies(value: Any) -> Any:
    """Names, mappings or Strategy objects, one or several, as config.yaml holds them."""
    if isinstance(value, str):
        return listed(value)
    several = [value] if isinstance(value, Mapping) or hasattr(value, "settings") else list(value)
    return [one.settings() if hasattr(one, "settings") else one for one in several]


def _size(value: Any, key: str = "rows") -> Any:
    """A count of rows (600), or a share of them (0.5)."""
    if not isinstance(value, str):
        return value
    try:
        return float(value) if "." in value else int(value)
    except ValueError as error:
        raise ConfigError(f"{value!r} is neither a count (600) nor a share (0.5)", key=key) from error


def read_sizes(value: Any) -> Any:
    """One or several, or text with commas between them."""
    several = [value] if isinstance(value, (int, float)) else listed(value)
    return [_size(one, "sizes") for one in several]


def check_sizes(sizes: Sequence[int | float]) -> None:
    """ConfigError for what is neither a count of training rows nor a share of them."""
    for size in sizes:
        if not (size >= 1 if isinstance(size, int) else 0 < size <= 1):
            why = "expected counts of training rows (200), or shares of them (0.5)"
            raise ConfigError(f"{size}: {why}", key="sizes")


def read_bins(value: Any) -> Any:
    """`3`: quantiles; `2.5,3.5`: edges; `low,medium,high`: names of as many quantiles."""
    if isinstance(value, int) and not isinstance(value, bool):
        return {"quantiles": value}
    if isinstance(value, str) and value.strip().isdigit():
        return {"quantiles": int(value)}
    if not isinstance(value, (str, list, tuple)):
        return value
    parts = listed(value)
    try:
        return {"edges": [float(part) for part in parts]}
    except (TypeError, ValueError):
        return {"names": list(parts)}


_READ: dict[str, Callable[[Any], Any]] = {
    **dict.fromkeys(("train_rows", "val_rows", "test_rows"), _size),
    **dict.fromkeys(
        ("backbone", "backbones", "llm", "llms", "track", "no_gold", "slices", "protected"), listed
    ),
    "strategies": _strategies,
    "scores": str,
    "bins": read_bins,
    "sizes": read_sizes,
}

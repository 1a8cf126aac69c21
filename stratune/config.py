"""The configuration of a comparison: what config.yaml holds, every default written out.

Sections that have a dataclass of their own (budget, train, remote, transcripts, bins) are that dataclass: its
fields are the keys, and it checks its values.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields as dataclass_fields
from dataclasses import is_dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from stratune.errors import ConfigError, choices
from stratune.evaluate.kinds import Kind
from stratune.files import write_text
from stratune.options import read_mapping
from stratune.remote.settings import Remote
from stratune.task import Bins
from stratune.train.settings import Budget, TrainSettings
from stratune.transcript.texts import Texts

Size = int | float | None


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DataConfig(_Section):
    source: str  # a file, hub:name/config, demo:name; of transcripts also a folder
    transcripts: Texts | None = None
    val: str | None = None
    test: str | None = None
    split_column: str | None = None  # names the part of each row: train, val, test
    fractions: tuple[float, float, float] = (0.70, 0.15, 0.15)
    train_rows: Size = None  # stratified subsample of a part: so many rows, or such a share
    val_rows: Size = None
    test_rows: Size = None
    encoding: str | None = None
    delimiter: str | None = None  # between the columns of csv files; None: found out
    unknown: Literal["refuse", "drop", "wrong"] = "refuse"  # of labels that no training row has
    seed: int = 0  # of the split


class TaskConfig(_Section):
    """The user's fields of the task. None: the source's own (data/task.py)."""

    kind: Kind = "classification"
    text: str | None = None
    text_pair: str | None = None
    label: str | None = None
    group: str | None = None
    annotations: str | None = None  # single ratings: a column, or several joined by "+"
    id: str | None = None
    labels: tuple[str, ...] = ()  # empty: those that the data has, sorted
    metric: str | None = None
    bins: Bins | None = None


def _strategies(before: Mapping[str, Any]) -> tuple[str, ...]:
    from stratune.strategy.defaults import default_strategies

    task: TaskConfig = before.get("task", TaskConfig())  # it is not there where it was wrong
    return default_strategies(task.kind)


class Config(_Section):
    data: DataConfig
    task: TaskConfig = TaskConfig()
    strategies: tuple[str | dict[str, Any], ...] = Field(default_factory=_strategies)
    backbones: tuple[str, ...] = ("minilm",)
    llms: tuple[str, ...] = ()  # language models for what answers in words; none: the backbones
    seeds: int = Field(1, ge=1)  # runs with seeds 0, 1, ..., seeds - 1
    budget: Budget = Budget()
    train: TrainSettings = TrainSettings()
    remote: Remote = Remote()

    def save(self, path: str | Path) -> None:
        write_text(path, yaml.safe_dump(self.model_dump(mode="json"), sort_keys=False, allow_unicode=True))


def parse_config(fields: Mapping[str, Any], *, where: str = "config") -> Config:
    """Check a mapping. Raises ConfigError naming the first wrong key, the value found, and the choices."""
    fields = spelt_out(fields)
    try:
        return Config.model_validate(fields)
    except ValidationError as error:
        raise _explained(error, fields, where) from error


def read_config(path: str | Path, overrides: Sequence[str] = ()) -> Config:
    """Read a YAML file and apply `a.b=c` overrides (values are YAML). Relative data paths start at the
    file's folder.
    """
    fields = read_fields(path)
    for override in overrides:
        key, equals, value = override.partition("=")
        if not equals:
            raise ConfigError(f"{override!r}: an override looks like key.subkey=value")
        set_key(fields, key, value, parse=True)
    return parse_config(fields, where=str(path))


def read_fields(path: str | Path) -> dict[str, Any]:
    """The file as a mapping, not checked yet. Raises ConfigError when it cannot be read."""
    fields = read_mapping(Path(path), "data, strategies, ...")
    _beside(fields, Path(path).parent)
    return fields


def _beside(fields: dict[str, Any], folder: Path) -> None:
    data: Any = fields.get("data")
    if isinstance(data, str):
        data = fields["data"] = {"source": data}
    if not isinstance(data, dict):
        return
    for section, keys in ((data, ("source", "val", "test")), (data.get("transcripts"), ("labels",))):
        if isinstance(section, dict):
            section |= {key: _found(section[key], folder) for key in keys if key in section}


def _found(named: Any, folder: Path) -> Any:
    if not isinstance(named, str) or ":" in named or Path(named).exists() or not (folder / named).exists():
        return named
    return str(folder / named)


def set_key(fields: dict[str, Any], key: str, value: Any, *, parse: bool = False) -> None:
    """Put `value` (YAML text when `parse`) at a dotted key."""
    *parents, last = key.split(".")
    place = fields
    for parent in parents:
        place = place.setdefault(parent, {})
        if not isinstance(place, dict):
            raise ConfigError(f"{parent!r} holds no keys", key=key)
    try:
        place[last] = yaml.safe_load(value) if parse else value
    except yaml.YAMLError as error:
        raise ConfigError(f"{value!r} is not a YAML value", key=key) from error


# -- other spellings


def spelt_out(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Lists for names with commas between them, text for numbers that are names, and today's keys for those
    of versions before.
    """
    spelt = dict(fields)
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


def _all_as_text(value: Any) -> Any:
    return [str(one) for one in value] if isinstance(value, (list, tuple)) else value


def _budget(section: Any) -> Any:
    """Up to 0.6 it had a number of trials, which was always 1."""
    if not isinstance(section, Mapping) or "trials" not in section:
        return section
    if section["trials"] != 1:
        why = f"{section['trials']}: only one trial per strategy is supported yet"
        raise ConfigError(why, key="budget.trials")
    return {key: value for key, value in section.items() if key != "trials"}


def _train(section: Any) -> Any:
    """Up to 0.6 `micro_batch_tokens` was `pass_tokens`."""
    if not isinstance(section, Mapping) or "pass_tokens" not in section:
        return section
    return {"micro_batch_tokens" if key == "pass_tokens" else key: value for key, value in section.items()}


_SPELLINGS: dict[str, Callable[[Any], Any]] = {
    "data": lambda section: _changed(section, "transcripts", _transcripts),
    "task": lambda section: _changed(section, "labels", _all_as_text),
    "strategies": _split,
    "backbones": _split,
    "llms": _split,
    "budget": _budget,
    "train": _train,
}


# -- what is wrong


def _explained(error: ValidationError, fields: Mapping[str, Any], where: str) -> ConfigError:
    first = error.errors()[0]
    place = _place(first["loc"], fields)
    if first["type"] == "missing":
        place.append(str(first["loc"][-1]))
    key = f"{where}: {'.'.join(place)}" if where != "config" else ".".join(place)
    if first["type"] in ("extra_forbidden", "unexpected_keyword_argument"):
        return ConfigError(choices(place[-1], _known(place[:-1])), key=key)
    if first["type"] == "missing":
        return ConfigError("missing", key=key)
    return ConfigError(f"{first['input']!r}: {first['msg'].lower()}", key=key)


def _place(loc: Sequence[int | str], fields: Any) -> list[str]:
    """The keys to what is wrong. pydantic also names the branch of a union that it tried: not one of them."""
    place = []
    for part in loc:
        several = range(len(fields)) if isinstance(fields, (list, tuple)) else ()
        if part in (fields if isinstance(fields, Mapping) else several):
            fields = fields[part]
            place.append(str(part))
    return place


def _known(place: Sequence[str]) -> list[str]:
    """The keys of a section."""
    section: Any = Config
    for part in place:
        annotation = _fields(section)[part]
        section = next((one for one in get_args(annotation) if one is not type(None)), annotation)
    return sorted(_fields(section))


def _fields(section: Any) -> dict[str, Any]:
    """Key -> type."""
    if is_dataclass(section):
        return {field.name: field.type for field in dataclass_fields(section)}
    return {name: field.annotation for name, field in section.model_fields.items()}

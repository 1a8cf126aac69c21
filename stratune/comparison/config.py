"""The configuration of a comparison: what config.yaml says, every default written out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from stratune.errors import ConfigError, choices
from stratune.evaluate.kinds import Kind
from stratune.files import write_text
from stratune.target import TARGETS

Size = int | float | None
DEFAULT_STRATEGIES = ("majority", "tfidf", "untuned", "probe", "partial", "bitfit", "lora", "full")


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TranscriptsConfig(_Section):
    """How transcripts become texts: the fields of transcript/texts.py, checked there."""

    unit: str = "document"
    by: str = "turn"
    clean: tuple[str | dict[str, Any], ...] = ()
    columns: dict[str, str] = {}
    labels: str | None = None
    keep: dict[str, Any] = {}
    min_words: int = 0
    sections: tuple[str, ...] | None = None
    without_sections: tuple[str, ...] = ()
    roles: tuple[str, ...] | None = None
    without_roles: tuple[str, ...] = ()
    no_speakers: bool = False
    others: bool = False

    @field_validator("clean", "sections", "without_sections", "roles", "without_roles", mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(","))
        several = isinstance(value, (list, tuple))
        return tuple(str(one) if isinstance(one, int) else one for one in value) if several else value


class DataConfig(_Section):
    source: str  # a file, hub:name/config, demo:name; of transcripts also a folder
    transcripts: TranscriptsConfig | None = None
    val: str | None = None
    test: str | None = None
    split_column: str | None = None  # names the part of each row: train, val, test
    fractions: tuple[float, float, float] = (0.70, 0.15, 0.15)
    train_rows: Size = None  # stratified subsample of a part: so many rows, or such a share
    val_rows: Size = None
    test_rows: Size = None
    encoding: str | None = None
    seed: int = 0  # of the split


class BinsConfig(_Section):
    """How scores become levels; one of the three says how many. Edges from quantiles are those of the
    training rows.
    """

    names: tuple[str, ...] = ()
    edges: tuple[float, ...] = ()
    quantiles: int = Field(0, ge=0)


class TaskConfig(_Section):
    kind: Kind = "classification"
    text: str | None = None  # None: the source's own, else "text"
    text_pair: str | None = None
    label: str | None = None
    group: str | None = None
    annotations: str | None = None  # single ratings: a column, or several joined by "+"
    id: str | None = None
    labels: tuple[str, ...] = ()  # empty: those that the data has, sorted
    metric: str | None = None
    bins: BinsConfig | None = None

    @field_validator("labels", mode="before")
    @classmethod
    def _names(cls, labels: Any) -> Any:
        return tuple(str(label) for label in labels) if isinstance(labels, (list, tuple)) else labels


class BudgetConfig(_Section):
    epochs: float = 4.0
    trials: int = 1


class TrainConfig(_Section):
    """The fields of train/settings.py, checked there."""

    precision: str = "auto"
    class_weights: str | dict[str, float] = "none"
    evals_per_epoch: int = 1
    patience: int = 3
    micro_batch_tokens: int | None = None
    checkpoint_seconds: float = 60.0
    cache: bool = True
    gradient_checkpointing: bool = False
    max_length: int | None = None
    max_words: int | None = None
    track: tuple[str, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _old_names(cls, fields: Any) -> Any:
        if isinstance(fields, dict) and "pass_tokens" in fields:  # its name up to 0.6
            fields = dict(fields)
            fields.setdefault("micro_batch_tokens", fields.pop("pass_tokens"))
        return fields


class RemoteConfig(_Section):
    """The fields of remote/settings.py, checked there."""

    workers: int = 8  # requests under way at once
    per_minute: int | None = None  # requests started
    timeout: float = 60.0  # seconds without a sign of life
    attempts: int = 6
    price: tuple[float, float] | None = None  # of a million tokens of prompts, and of answers


class Config(_Section):
    data: DataConfig
    task: TaskConfig = TaskConfig()
    strategies: tuple[str | dict[str, Any], ...] = (
        DEFAULT_STRATEGIES  # of a regression `mean`, not `majority`
    )
    backbones: tuple[str, ...] = ("minilm",)
    llms: tuple[str, ...] = ()  # language models for what answers in words; none: the backbones
    seeds: int = Field(1, ge=1)  # runs with seeds 0, 1, ..., seeds - 1
    budget: BudgetConfig = BudgetConfig()
    train: TrainConfig = TrainConfig()
    remote: RemoteConfig = RemoteConfig()

    @field_validator("strategies", "backbones", "llms", mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:
        return tuple(part.strip() for part in value.split(",")) if isinstance(value, str) else value

    def save(self, path: str | Path) -> None:
        write_text(path, yaml.safe_dump(self.model_dump(mode="json"), sort_keys=False, allow_unicode=True))


def parse_config(fields: Mapping[str, Any], *, where: str = "config") -> Config:
    """Check a mapping. Raises ConfigError naming the first wrong key, the value found, and the choices."""
    try:
        config = Config.model_validate(fields)
    except ValidationError as error:
        raise _explained(error, where) from error
    if "strategies" in config.model_fields_set:
        return config
    baseline = TARGETS[config.task.kind].baseline
    named = tuple(baseline if name == "majority" else name for name in DEFAULT_STRATEGIES)
    return config.model_copy(update={"strategies": named})


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


def read_mapping(path: Path, of: str) -> dict[str, Any]:
    """A YAML file that maps `of`. Raises ConfigError naming the file and, where there is one, the line."""
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


def _explained(error: ValidationError, where: str) -> ConfigError:
    first = error.errors()[0]
    place = [
        str(part) for part in first["loc"] if not str(part).startswith(("function-", "tuple", "dict", "str"))
    ]
    key = f"{where}: {'.'.join(place)}" if where != "config" else ".".join(place)
    if first["type"] == "extra_forbidden":
        return ConfigError(choices(place[-1], _known(place[:-1])), key=key)
    if first["type"] == "missing":
        return ConfigError("missing", key=key)
    return ConfigError(f"{first['input']!r}: {first['msg'].lower()}", key=key)


def _known(place: Sequence[str]) -> list[str]:
    model: Any = Config
    for part in place:
        annotation = model.model_fields[part].annotation
        model = next((one for one in get_args(annotation) if one is not type(None)), annotation)
    return sorted(model.model_fields)

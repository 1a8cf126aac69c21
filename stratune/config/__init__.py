"""The configuration of a comparison: what config.yaml holds, every default written out.

Sections that have a dataclass of their own (budget, train, decide, remote, transcripts, bins) are that
dataclass: its fields are the keys, and it checks its values.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator

from stratune.config.explain import explained
from stratune.config.given import Prefer, check_sizes
from stratune.config.paths import read_from, stored_in
from stratune.config.spellings import spelt_out
from stratune.data.one_source import OneSource
from stratune.data.other_test import OtherTest
from stratune.errors import ConfigError
from stratune.evaluate.kinds import Kind
from stratune.files import write_text
from stratune.options import check_values, read_mapping, set_key, text_encoding
from stratune.remote.address import base_url, is_remote, parse_address
from stratune.remote.named import Servers, named_servers
from stratune.remote.settings import Remote
from stratune.target.decision import Decide
from stratune.task import Bins, Task
from stratune.train.settings import Budget, TrainSettings
from stratune.transcript.texts import Texts

Size = int | float | None
MOST_SEEDS = 1000
MOST_SEED = 2**32 - 1  # of what numpy and torch take
USER_IN_URL = re.compile(r"[a-z][a-z0-9+.-]*://[^/\s]*@", re.IGNORECASE)


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DataConfig(_Section):
    source: str  # a file, hub:name/config, demo:name; of transcripts also a folder
    transcripts: Texts | None = None
    val: str | None = None
    test: str | None = None
    unlabelled: str | None = None  # texts without labels, to learn from
    split_column: str | None = None  # names the part of each row: train, val, test
    split_by: str | None = None  # column of dates or numbers: the oldest rows train, the newest are test
    fractions: tuple[float, float, float] = (0.70, 0.15, 0.15)  # of the rows, for train, val and test
    train_rows: Size = None  # stratified subsample of a part: so many rows, or such a share
    val_rows: Size = None
    test_rows: Size = None
    # so many of the training rows, each subset within the larger ones: what `sizes` sets
    subset_rows: int | None = Field(default=None, ge=1)
    # which of several draws of these rows
    subset_draw: int = Field(default=0, ge=0, le=MOST_SEEDS)
    # training and validation rows of one source only: what `transfer` sets
    trained_on: OneSource | None = None
    # other rows in the place of the test part, once all is split: what `evaluate` sets
    other_test: OtherTest | None = None
    encoding: str | None = None
    delimiter: str | None = None  # between the columns of csv files; None: found out
    unknown: Literal["refuse", "drop", "wrong"] = "refuse"  # of labels that no training row has
    no_gold: tuple[str, ...] = ()  # labels of rows without a gold label, which are left out: "-", "-1", ""
    agreement: float | None = None  # rows whose raters give the majority in a smaller share are left out
    # rows: a part of them; folds: the training rows, cross-validated; auto: folds where rows are few
    validation: Literal["auto", "rows", "folds"] = "auto"
    # of rows of nearly equal texts, where parts or folds are made
    near: Literal["together", "apart"] = "together"
    corrections: str | None = None  # table of row ids and corrected labels
    relabel: dict[str, str] = {}  # other names for labels; two of one name become one label
    drop_leaks: bool = False  # rows of train (or val) whose text or group is in val or test (in test)
    seed: int = Field(0, ge=0, le=MOST_SEED)  # of the split

    @field_validator("source", "val", "test", "unlabelled", "corrections")
    @classmethod
    def _named(cls, source: str | None, info: ValidationInfo) -> str | None:
        if source is not None and (
            not source.strip() or source.strip() in ("hub:", "demo:") or "\0" in source
        ):
            raise ConfigError(
                f"{source!r} names no data; expected a file, hub:name/config or demo:name",
                key=f"data.{info.field_name}",
            )
        return source

    @field_validator("fractions")
    @classmethod
    def _shares(cls, fractions: tuple[float, float, float]) -> tuple[float, float, float]:
        if not all(0 < share < 1 for share in fractions) or not math.isclose(sum(fractions), 1, abs_tol=1e-6):
            raise ConfigError(
                f"{list(fractions)}: expected three shares above 0 that add up to 1", key="data.fractions"
            )
        return fractions

    @field_validator("train_rows", "val_rows", "test_rows")
    @classmethod
    def _sizes(cls, size: Size, info: ValidationInfo) -> Size:
        if size is not None and not (size >= 1 if isinstance(size, int) else 0 < size <= 1):
            raise ConfigError(
                f"{size}: expected a count of rows (600), or a share of them (0.5)",
                key=f"data.{info.field_name}",
            )
        return size

    @field_validator("agreement")
    @classmethod
    def _of_raters(cls, share: float | None) -> float | None:
        if share is not None and not 0 < share <= 1:
            raise ConfigError(f"{share:g}: expected a share above 0 up to 1", key="data.agreement")
        return share

    @field_validator("relabel", mode="before")
    @classmethod
    def _of_labels(cls, names: Any) -> Any:
        """Labels that are numbers are names, too: YAML reads {1: low} as a number."""
        if not isinstance(names, Mapping):
            return names
        return {str(k) if type(k) is int else k: str(v) if type(v) is int else v for k, v in names.items()}

    @field_validator("encoding")
    @classmethod
    def _of_text(cls, encoding: str | None) -> str | None:
        return None if encoding is None else text_encoding(encoding, "data.encoding")


class TaskConfig(_Section):
    """The user's fields of the task. None: the source's own (data/task.py)."""

    kind: Kind = "classification"
    text: str | None = None
    text_pair: str | None = None
    label: str | None = None
    group: str | None = None
    annotations: str | None = None  # single ratings: a column, or several joined by "+"
    id: str | None = None  # column of unique row ids; None: the number of the row
    labels: tuple[str, ...] = ()  # empty: those that the data has, sorted
    metric: str | None = None
    bins: Bins | None = None

    @field_validator("text", "text_pair", "label", "group", "annotations", "id")
    @classmethod
    def _column(cls, name: str | None, info: ValidationInfo) -> str | None:
        if name is not None and not name:
            raise ConfigError(f"{name!r} is the name of no column", key=f"task.{info.field_name}")
        return name


class ReportConfig(_Section):
    texts: int = Field(
        2000, ge=0
    )  # test rows that report.html shows with their texts; 0: no text leaves the data
    slices: tuple[str, ...] = ()  # columns by which test rows are sliced: domain, age=18/30/65
    protected: tuple[str, ...] = ()  # columns whose values' error rates are compared


def _strategies(before: Mapping[str, Any]) -> tuple[str, ...]:
    from stratune.strategy.defaults import default_strategies

    task: TaskConfig = before.get("task", TaskConfig())  # it is not there where it was wrong
    return default_strategies(task.kind, pairs=task.text_pair is not None)


class Config(_Section):
    data: DataConfig
    task: TaskConfig = TaskConfig()
    strategies: tuple[str | dict[str, Any], ...] = Field(default_factory=_strategies)
    backbones: tuple[str, ...] = ("minilm",)
    llms: tuple[str, ...] = ()  # language models for what answers in words; none: the backbones
    seeds: int = Field(1, ge=1, le=MOST_SEEDS)  # runs with seeds 0, 1, ..., seeds - 1
    sizes: tuple[int | float, ...] = ()  # fewer training rows that all is trained on, too: counts or shares
    # a column whose values are sources: all is trained on each of them alone, too
    transfer: str | None = None
    budget: Budget = Budget()
    train: TrainSettings = TrainSettings()
    decide: Decide = Decide()
    remote: Remote = Remote()
    # what the winner is the cheapest in, of rows within one standard error of the best; it moves no run
    prefer: Prefer = "seconds"
    report: ReportConfig = ReportConfig(texts=2000)

    @field_validator("sizes")
    @classmethod
    def _counts(cls, sizes: tuple[int | float, ...]) -> tuple[int | float, ...]:
        check_sizes(sizes)
        return sizes

    @property
    def servers(self) -> Servers:
        """Those that it names: what is written here, the user wants to be asked."""
        return named_servers((*self.backbones, *self.llms))

    def save(self, path: str | Path) -> None:
        """What `read_config` reads from any folder (config/paths.py)."""
        fields = stored_in(self.model_dump(mode="json"), Path(path).parent)
        write_text(path, yaml.safe_dump(fields, sort_keys=False, allow_unicode=True))


def parse_config(fields: Mapping[str, Any], *, where: str = "config") -> Config:
    """Check a mapping. Raises ConfigError naming the first wrong key, the value found, and the choices.

    Nothing of it has been written then: what holds a secret is refused here.
    """
    place = "" if where == "config" else f"{where}: "
    check_values(fields, place)
    _check_addresses(fields)
    fields = spelt_out(fields)
    try:
        config = Config.model_validate(fields)
    except ValidationError as error:
        raise explained(error, fields, where, Config) from None  # its text holds the values
    check_values(config.model_dump(), place)  # what was text is a number now
    _check_task(config.task, config.decide)
    return config


def _check_task(task: TaskConfig, decide: Decide) -> None:
    """What is known to be wrong without the data."""
    annotated, binned = task.annotations is not None, task.bins is not None
    made = Task(kind=task.kind, labels=task.labels, annotations=task.annotations, bins=task.bins)
    made.target.check(annotated=annotated, binned=binned)
    if task.metric is not None and (task.labels or "[" not in task.metric):
        made.target.find(task.metric)
    decide.check(made.target)


def _check_addresses(fields: Mapping[str, Any]) -> None:
    """Every server, and whatever else looks as if it held a password, before any of it is written."""
    for key, text in _texts(fields, ""):
        place = key.partition(".")[0]
        if place in ("backbones", "llms") and "://" in text:
            for one in text.split(","):
                if "://" in one:
                    parse_address(one.strip())
        elif is_remote(text.strip()) and not any(char.isspace() for char in text.strip()):
            base_url(text.strip())
        elif USER_IN_URL.search(text):
            raise ConfigError("a key or password does not belong in an address", key=place)


def _texts(value: Any, key: str) -> Iterator[tuple[str, str]]:
    """(dotted key, text) of every text, and of every name."""
    if isinstance(value, str):
        yield key, value
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _texts(name, key)
            yield from _texts(inner, f"{key}.{name}" if key else str(name))
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from _texts(inner, key)


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
    return read_from(read_mapping(Path(path), "data, strategies, ..."), Path(path).parent)

"""Task: what is predicted, from which columns, and which number decides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any

from stratune.errors import ConfigError
from stratune.evaluate.kinds import Kind
from stratune.evaluate.selection import Selection
from stratune.target import Target, target_of


@dataclass(frozen=True)
class Bins:
    """How a score becomes a level: by `edges` (a score on an edge belongs above it), or as many `quantiles`
    of the training rows, or as many as there are `names`.
    """

    names: tuple[str, ...] = ()  # of the levels, lowest first; without edges as many rows each
    edges: tuple[float, ...] = ()  # between levels, one fewer than these
    quantiles: int = 0  # of the training rows, in place of names and edges

    def __post_init__(self) -> None:
        if self.quantiles < 0:
            raise ConfigError(f"{self.quantiles} is below 0", key="task.bins.quantiles")

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> Bins:
        return cls(tuple(fields.get("names", ())), tuple(fields.get("edges", ())), fields.get("quantiles", 0))


@dataclass(frozen=True)
class Task:
    """The prediction to learn. Column names are the user's; labels are ordered and matched by name, never
    by position.
    """

    text: str = "text"
    label: str = "label"
    text_pair: str | None = None
    group: str | None = None
    annotations: str | None = None
    id: str | None = None
    kind: Kind = "classification"
    labels: tuple[str, ...] = ()
    metric: str = ""
    bins: Bins | None = None  # of an ordinal or classification task whose column holds scores

    def __post_init__(self) -> None:
        object.__setattr__(self, "labels", tuple(self.labels))
        self.target.check(annotated=bool(self.annotations), binned=self.bins is not None)
        if not self.metric:
            object.__setattr__(self, "metric", self.target.default_metric)

    @cached_property
    def target(self) -> Target:
        """What is predicted: all that depends on the kind of task."""
        return target_of(self.kind, self.labels)

    @property
    def selection(self) -> Selection:
        """Choices by the task's metric. Raises ConfigError where the kind of task has no such metric."""
        return self.target.selection(self.metric)

    def with_labels(self, labels: tuple[str, ...]) -> Task:
        return replace(self, labels=labels)

    @property
    def columns(self) -> tuple[str, ...]:
        """What a model answers for a row: a probability for each label, or one value."""
        return self.target.columns

    def to_dict(self) -> dict[str, Any]:
        return {**asdict(self), "labels": list(self.labels)}

    @classmethod
    def from_dict(cls, fields: dict[str, Any]) -> Task:
        bins = fields.get("bins")
        made = Bins.from_dict(bins) if bins else None
        return cls(**{**fields, "labels": tuple(fields.get("labels", ())), "bins": made})

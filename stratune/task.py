"""Task: what is predicted, from which columns, and which number decides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from stratune.errors import ConfigError, choices

Kind = Literal["classification", "multilabel", "ordinal", "regression"]

KINDS: tuple[Kind, ...] = ("classification", "multilabel", "ordinal", "regression")
DEFAULT_METRIC: dict[Kind, str] = {
    "classification": "f1_macro",
    "multilabel": "f1_macro",
    "ordinal": "qwk",
    "regression": "rmse",
}

VALUE = "value"  # what a regressor says
SEPARATOR = ","  # between the labels of a row, where it has several


@dataclass(frozen=True)
class Bins:
    """How a score becomes a level: by `edges` (a score on an edge belongs above it), or as many `quantiles`
    of the training rows, or as many as there are `names`.
    """

    names: tuple[str, ...] = ()
    edges: tuple[float, ...] = ()
    quantiles: int = 0

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
        if self.kind not in KINDS:
            raise ConfigError(choices(self.kind, KINDS), key="task.kind")
        if not self.metric:
            object.__setattr__(self, "metric", DEFAULT_METRIC[self.kind])
        object.__setattr__(self, "labels", tuple(self.labels))
        if len(set(self.labels)) != len(self.labels):
            raise ConfigError(f"labels repeat: {', '.join(self.labels)}", key="task.labels")
        if self.kind == "regression" and self.labels:
            raise ConfigError("a regression has no labels; bin the values with task.bins", key="task.labels")
        if self.kind == "multilabel" and (bad := [name for name in self.labels if SEPARATOR in name]):
            raise ConfigError(
                f"{bad[0]!r} holds {SEPARATOR!r}, which stands between labels", key="task.labels"
            )
        if self.annotations and self.kind == "multilabel":
            raise ConfigError(
                "ratings are of one label or number each, not of a multilabel task", key="task.annotations"
            )
        if self.bins is not None and self.kind not in ("ordinal", "classification"):
            raise ConfigError(f"bins are levels or classes, not a {self.kind}", key="task.bins")

    def with_labels(self, labels: tuple[str, ...]) -> Task:
        return replace(self, labels=labels)

    @property
    def columns(self) -> tuple[str, ...]:
        """What a model says of a row: a probability for each label, or one value."""
        return self.labels or (VALUE,)

    def label_index(self) -> dict[str, int]:
        return {name: i for i, name in enumerate(self.labels)}

    def to_dict(self) -> dict[str, Any]:
        return {**asdict(self), "labels": list(self.labels)}

    @classmethod
    def from_dict(cls, fields: dict[str, Any]) -> Task:
        bins = fields.get("bins")
        made = Bins.from_dict(bins) if bins else None
        return cls(**{**fields, "labels": tuple(fields.get("labels", ())), "bins": made})

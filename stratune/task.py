"""Task: what is predicted, from which columns, and which number decides."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from stratune.errors import ConfigError, choices

Kind = Literal["classification", "multilabel", "ordinal", "regression"]

KINDS: tuple[Kind, ...] = ("classification", "multilabel", "ordinal", "regression")
SUPPORTED_KINDS: tuple[Kind, ...] = KINDS
DEFAULT_METRIC: dict[Kind, str] = {
    "classification": "f1_macro",
    "multilabel": "f1_macro",
    "ordinal": "qwk",
    "regression": "rmse",
}


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

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ConfigError(choices(self.kind, KINDS), key="task.kind")
        if not self.metric:
            object.__setattr__(self, "metric", DEFAULT_METRIC[self.kind])
        object.__setattr__(self, "labels", tuple(self.labels))
        if len(set(self.labels)) != len(self.labels):
            raise ConfigError(f"labels repeat: {', '.join(self.labels)}", key="task.labels")

    def with_labels(self, labels: tuple[str, ...]) -> Task:
        return replace(self, labels=labels)

    def label_index(self) -> dict[str, int]:
        return {name: i for i, name in enumerate(self.labels)}

    def to_dict(self) -> dict[str, Any]:
        return {**asdict(self), "labels": list(self.labels)}

    @classmethod
    def from_dict(cls, fields: dict[str, Any]) -> Task:
        return cls(**{**fields, "labels": tuple(fields.get("labels", ()))})

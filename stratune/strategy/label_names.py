"""Zero-shot by vectors: the label whose name, in a sentence, is nearest to the text by cosine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from stratune.errors import ConfigError, UnsupportedError, choices
from stratune.strategy.nearest import check_vectors, class_objective, set_scaled
from stratune.strategy.registry import register

if TYPE_CHECKING:
    from stratune.net.net import Net
    from stratune.train.solved import VectorRows

SCALE = 20.0  # of cosines: sentence-transformers' default in training on pairs
SLOT = "{label}"


@register("label_names")
@dataclass(frozen=True)
class LabelNames:
    """The label whose name or description is nearest to the text by cosine; reads no training rows."""

    trains: ClassVar[bool] = False
    reads_labels: ClassVar[bool] = False  # of the training rows
    reads_rows: ClassVar[bool] = False  # of the training part: its loss there need not fall

    template: str = "This text is about {label}."
    descriptions: Mapping[str, str] = field(default_factory=dict)  # label -> what is read for its name
    tuned: bool = False  # whether validation chooses the temperature

    def __post_init__(self) -> None:
        if SLOT not in self.template:
            raise ConfigError(f"{self.template!r} has no {SLOT}", key="template")

    def adapt(self, net: Net) -> None:
        from stratune.net.nearest_head import CosineHead

        check_vectors(net, "label_names")
        if class_objective(net, "label_names"):
            why = "a cosine says no by itself which labels are given; use centroid or probe"
            raise UnsupportedError("a task of kind multilabel", "label_names", why)
        assert net.head.pool is not None
        net.head = CosineHead(net.head.pool, net.backbone.width, net.objective.labels)

    def solve(self, net: Net, rows: VectorRows) -> int:
        """Raises ConfigError for a description of what is no label."""
        import torch
        from torch.nn import functional as F

        from stratune.train.solved import set_head

        if unknown := [name for name in self.descriptions if name not in rows.task.labels]:
            raise ConfigError(choices(unknown[0], rows.task.labels), key="descriptions")
        texts = [self.template.replace(SLOT, self.descriptions.get(name, name)) for name in rows.task.labels]
        weight = F.normalize(rows.encode(texts), dim=1)
        found = {"center": torch.zeros(weight.shape[1]), "weight": weight, "bias": torch.zeros(len(weight))}
        if self.tuned:
            return set_scaled(net, rows, lambda part: found)
        set_head(net, {**found, "weight": weight * SCALE})
        return 1

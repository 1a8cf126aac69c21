"""Nearest neighbours on frozen vectors: `centroid`, the nearest class mean, and `knn`, the nearest rows.

Vectors are centred on the training mean and made length 1 (SimpleShot; Wang et al., 2019, arXiv 1911.04623).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from stratune.errors import UnsupportedError
from stratune.strategy.registry import register

if TYPE_CHECKING:
    import torch

    from stratune.net.nearest_head import Shares
    from stratune.net.net import Net
    from stratune.objective import Objective
    from stratune.train.solved import Labelled, Quality, VectorRows

    Tensors = dict[str, torch.Tensor]

SCALES = (1.0, 2.0, 5.0, 10.0, 20.0, 50.0)  # of cosines, before the softmax: one over the temperature
NEIGHBOURS = (1, 3, 5, 9, 15, 25, 50)
ABSENT = -30.0  # logit of a label that no training row has


def check_vectors(net: Net, technique: str) -> None:
    """Raises UnsupportedError unless the head reads one pooled vector of each text or chunk, and no more."""
    if net.head.reads_features:
        why = "it compares the backbone's vectors alone; use the readout `head`, not `features`"
        raise UnsupportedError(technique, net.backbone.id, why)
    if net.head.pool is None or net.head.by_document:
        why = "it needs one vector for each text or chunk; use the readout `head`, not `long: hierarchical`"
        raise UnsupportedError(technique, net.backbone.id, why)


def class_objective(net: Net, technique: str) -> bool:
    """Give the net the objective of label shares; whether labels are asked about one by one (multilabel).

    Ordered levels are answered as classes. Raises UnsupportedError for numbers.
    """
    from stratune.objective.classes import CrossEntropy

    labels = net.objective.labels
    if not labels:
        raise UnsupportedError(
            "a task of kind regression", technique, "numbers have no classes; use knn or probe"
        )
    if net.objective.several_labels:
        return True
    net.objective = CrossEntropy(labels)
    return False


@register("centroid")
@dataclass(frozen=True)
class Centroid:
    """Nearest class mean of frozen vectors, by cosine; trains nothing (SimpleShot; Wang et al., 2019)."""

    trains: ClassVar[bool] = False

    center: bool = True  # subtract the mean of the training vectors first

    def adapt(self, net: Net) -> None:
        from stratune.net.nearest_head import CosineHead

        check_vectors(net, "centroid")
        class_objective(net, "centroid")
        assert net.head.pool is not None
        net.head = CosineHead(net.head.pool, net.backbone.width, net.objective.labels)

    def solve(self, net: Net, rows: VectorRows) -> int:
        """The class means; rows that are held out choose the temperature."""
        return set_scaled(net, rows, lambda part: self._means(part, net.objective))

    def _means(self, part: Labelled, objective: Objective) -> Tensors:
        import torch
        from torch.nn import functional as F

        x = part.vectors
        center = x.mean(dim=0) if self.center else torch.zeros_like(x[0])
        unit = F.normalize(x - center, dim=1)
        members = part.shares(objective)  # (N, K)
        weight = _mean(unit, members)
        bias = torch.where(members.sum(dim=0) > 0, 0.0, ABSENT)
        if objective.several_labels:  # nearer to the rows with the label than to those without it
            weight = weight - _mean(unit, 1 - members)
        return {"center": center, "weight": weight, "bias": bias}


def _mean(unit: torch.Tensor, members: torch.Tensor) -> torch.Tensor:
    """(K, C): the mean of each label's rows, of length 1; zero without rows."""
    from torch.nn import functional as F

    return F.normalize(members.T @ unit, dim=1)


def set_scaled(net: Net, rows: VectorRows, fit: Callable[[Labelled], Tensors]) -> int:
    """Set a CosineHead to what `fit` gives, with the scale of the lowest loss on held-out rows."""
    from stratune.train.solved import held_out, set_head, tried

    def scaled(part: Labelled, scale: float) -> Tensors:
        found = fit(part)
        return {**found, "weight": found["weight"] * scale}

    def quality(scale: float) -> float:
        return held_out(net, rows, lambda part: scaled(part, scale))[1]

    set_head(net, scaled(rows.train, max(SCALES, key=quality)))
    return tried(rows, len(SCALES))


@register("knn")
@dataclass(frozen=True)
class Knn:
    """The k nearest training rows by cosine of frozen vectors, weighted (Dudani, 1976); trains nothing."""

    trains: ClassVar[bool] = False

    k: int | None = None  # neighbours; None: chosen on validation
    center: bool = True  # subtract the mean of the training vectors first

    def __post_init__(self) -> None:
        from stratune.strategy.blocks import check_positive

        check_positive(k=self.k)

    def adapt(self, net: Net) -> None:
        from stratune.net.nearest_head import KnnHead

        check_vectors(net, "knn")
        pool, width = net.head.pool, net.backbone.width
        assert pool is not None
        if not net.objective.labels:
            net.head = KnnHead(pool, width, 1, "value")
            return
        shares: Shares = "sigmoid" if class_objective(net, "knn") else "softmax"
        net.head = KnnHead(pool, width, net.objective.labels, shares)

    def solve(self, net: Net, rows: VectorRows) -> int:
        """Store the training rows; rows that are held out choose k."""
        from stratune.train.solved import held_out, set_head, tried

        def stored(part: Labelled, k: int) -> Tensors:
            return self._stored(part, k, net.objective)

        def quality(k: int) -> Quality:
            return held_out(net, rows, lambda part: stored(part, k))

        known = len(rows.train.truth)
        options = [k for k in NEIGHBOURS if k <= known] if self.k is None else [self.k]
        best = max(options, key=quality) if len(options) > 1 else options[0]
        set_head(net, stored(rows.train, best))
        return tried(rows, len(options))

    def _stored(self, part: Labelled, k: int, objective: Objective) -> Tensors:
        import torch
        from torch.nn import functional as F

        x = part.vectors
        center = x.mean(dim=0) if self.center else torch.zeros_like(x[0])
        found = {"center": center, "keys": F.normalize(x - center, dim=1), "values": part.shares(objective)}
        return {**found, "k": torch.tensor([float(k)])}

"""Readout `two_tower`: the two texts of a pair are encoded apart, by the same net, and compared by the head.

`head` encodes a pair as one sequence, so that tokens of one text attend to the other's. That takes training;
a frozen backbone of sentence embeddings was trained to compare vectors of single texts, and does it at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from stratune.errors import ConfigError, UnsupportedError
from stratune.readout.head import Head
from stratune.readout.registry import register_readout

if TYPE_CHECKING:
    from stratune.backbone.load import Backbone
    from stratune.model.net import NetModel
    from stratune.net.head import Head as NetHead
    from stratune.net.net import Net
    from stratune.objective import Objective
    from stratune.task import Task
    from stratune.tokens.reader import Reader
    from stratune.tokens.tokens import TextLimit
    from stratune.train.runtime import Runtime


@register_readout("two_tower")
@dataclass(frozen=True)
class TwoTower(Head):
    """Options of the head. `long`: how each of the two texts is cut; lengths are of one text."""

    needs_pairs: ClassVar[bool] = True

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.long.in_chunks:
            why = f"{self.long.way}: each of the two texts is one vector; use truncate or long"
            raise ConfigError(why, key="readout.long.way")

    def objective(self, task: Task) -> Objective:
        """Raises UnsupportedError for a task without pairs."""
        if not task.text_pair:
            why = "it compares two texts of a row; name the column of the second (--pair), or use `head`"
            raise UnsupportedError(self.kind, "a task of single texts", why)
        return super().objective(task)

    def head(self, backbone: Backbone, objective: Objective, seed: int) -> NetHead:
        from stratune.net.two_tower_head import TwoTowerHead

        pool = backbone.pool if self.pool == "auto" else self.pool
        norm = backbone.family.head_norm if self.norm is None else self.norm
        ordered = objective.ordered_cuts
        return TwoTowerHead(pool, backbone.width, objective.outputs, norm, self.dropout, seed, ordered)

    def text_reader(self, backbone: Backbone, limit: TextLimit) -> Reader:
        from stratune.tokens.pair_reader import PairReader

        return PairReader(super().text_reader(backbone, limit))

    def answering(self, net: Net, runtime: Runtime, reader: Reader) -> NetModel:
        from stratune.model.two_tower import TwoTowerModel

        return TwoTowerModel(net, runtime, reader)

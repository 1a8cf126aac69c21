"""Readout `features`: the pooled text and TF-IDF features of the text, under one linear layer.

A frozen backbone knows what words mean, and forgets which ones a text has; TF-IDF knows nothing else. The
features are those of the baseline `tfidf`, on their first singular vectors (model/latent.py): dense and few,
so that the head is solved as that of `probe`. A backbone has no room for all of a long text; they have.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, cast

from stratune.errors import ConfigError
from stratune.readout.head import Head
from stratune.readout.registry import register_readout
from stratune.train.space import Choice, Space

if TYPE_CHECKING:
    from datasets import Dataset

    from stratune.backbone.load import Backbone
    from stratune.model.net import NetModel
    from stratune.net.head import Head as NetHead
    from stratune.net.net import Net
    from stratune.objective import Objective
    from stratune.task import Task
    from stratune.tokens.features_reader import FeaturesReader
    from stratune.tokens.reader import Reader
    from stratune.tokens.tokens import TextLimit
    from stratune.train.runtime import Runtime

MOST = 4096  # components: a number in a model folder must not ask for any memory it likes


@register_readout("features")
@dataclass(frozen=True)
class Features(Head):
    """Options of the head, and of the TF-IDF features beside the pooled text."""

    stored: ClassVar[str] = "features"
    space: ClassVar[Space] = {**Head.space, "components": Choice(64, 128, 256, 512)}

    # Singular vectors that the features are seen on: with few rows for each they are those of single rows
    components: int = 128
    max_features: int = 20_000  # terms: of words, and again of characters
    least: int = 2  # training texts that a term must stand in
    characters: bool = True  # parts of words beside words

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, most in (("components", MOST), ("max_features", None), ("least", None)):
            value = getattr(self, name)
            if not 1 <= value <= (most or value):
                wanted = f"from 1 to {most}" if most else "1 or more"
                raise ConfigError(f"{value} is not {wanted}", key=f"readout.{name}")
        if self.long.way == "hierarchical":
            why = "hierarchical: the head reads one vector of each text or chunk; use chunk, truncate or long"
            raise ConfigError(why, key="readout.long.way")

    def head(self, backbone: Backbone, objective: Objective, seed: int) -> NetHead:
        from stratune.net.features_head import FeaturesHead

        pool = backbone.pool if self.pool == "auto" else self.pool
        norm = backbone.family.head_norm if self.norm is None else self.norm
        return FeaturesHead(
            pool, backbone.width, self.components, objective.outputs, norm, self.dropout, seed,
            objective.ordered_cuts,
        )  # fmt: skip

    def reader(self, backbone: Backbone, task: Task, limit: TextLimit, train: Dataset, seed: int) -> Reader:
        """The features are fitted on the training texts, of which no label is read."""
        from stratune.data.rows import text_columns
        from stratune.model.latent import LatentFeatures
        from stratune.tokens.features_reader import FeaturesReader, read_by_features

        texts, pairs = text_columns(train)
        features = LatentFeatures.fit(
            read_by_features(texts, limit.max_words),
            None if pairs is None else read_by_features(pairs, limit.max_words),
            self.components,
            max_features=self.max_features,
            least=self.least,
            characters=self.characters,
        )
        return FeaturesReader(self.text_reader(backbone, limit), features)

    def restored(self, backbone: Backbone, task: Task, limit: TextLimit, state: Mapping[str, Any]) -> Reader:
        from stratune.model.latent import LatentFeatures
        from stratune.tokens.features_reader import FeaturesReader

        pairs = bool(task.text_pair)
        features = LatentFeatures.read(state["arrays"], state, self.components, pairs=pairs)
        return FeaturesReader(self.text_reader(backbone, limit), features)

    def answering(self, net: Net, runtime: Runtime, reader: Reader) -> NetModel:
        from stratune.model.features import FeaturesModel

        return FeaturesModel(net, runtime, cast("FeaturesReader", reader))

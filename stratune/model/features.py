"""A net whose head reads features of the text beside the backbone's vector."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from stratune.model.base import INSTEAD
from stratune.model.baseline import write_arrays
from stratune.model.net import NetModel

if TYPE_CHECKING:
    from stratune.tokens.features_reader import FeaturesReader

FILES = "features"  # features.safetensors and features.json in the model folder


@dataclass
class FeaturesModel(NetModel):
    """The model folder of any net, and in it the vocabularies and components of the features."""

    cannot_export: ClassVar[str | None] = (
        f"it reads TF-IDF features beside the backbone, which no class of transformers does; {INSTEAD}"
    )

    cannot_graph: ClassVar[str | None] = (
        f"it reads TF-IDF features beside the backbone, which are not made of token ids; {INSTEAD}"
    )

    reader: FeaturesReader

    def write(self, folder: Path) -> dict[str, Any]:
        write_arrays(folder, FILES, *self.reader.features.state())
        return super().write(folder)

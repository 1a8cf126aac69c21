"""Options for texts that are longer than the context length."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from stratune.errors import ConfigError, choices

WAYS = ("truncate", "chunk", "hierarchical", "long")
KEEPS = ("head", "tail", "both")
UNITS = ("sentence", "piece", "token")
AGGREGATES = ("auto", "mean", "vote", "max", "learned")
MODELS = ("mean", "attention", "mlp", "bilstm", "transformer")


@dataclass(frozen=True)
class LongText:
    """How a long text is read.

    `truncate`: its `head`, `tail` or `both` ends. `chunk`: trained on chunks, predictions of all chunks are
    aggregated. `hierarchical`: a small model (`model`) over the chunks' vectors.
    `long`: as many tokens as the backbone's context length.
    """

    way: Literal["truncate", "chunk", "hierarchical", "long"] = "truncate"
    keep: Literal["head", "tail", "both"] = "head"  # of `truncate`
    window: int = 256  # tokens of a chunk, special ones included
    overlap: int = 0  # most tokens that a chunk repeats of the one before
    # What is kept whole; `piece`: sentences, and no chunk spans two segments of a transcript
    by: Literal["sentence", "piece", "token"] = "sentence"
    most: int | None = None  # chunks read of a document, evenly spread; None: all
    # Of `chunk`; `auto`: chosen on validation
    aggregate: Literal["auto", "mean", "vote", "max", "learned"] = "auto"
    model: Literal["mean", "attention", "mlp", "bilstm", "transformer"] = "attention"  # of `hierarchical`

    def __post_init__(self) -> None:
        known = {"way": WAYS, "keep": KEEPS, "by": UNITS, "aggregate": AGGREGATES, "model": MODELS}
        for name, names in known.items():
            if (value := getattr(self, name)) not in names:
                raise ConfigError(choices(value, names), key=f"readout.long.{name}")
        if self.window < 8:
            raise ConfigError(f"{self.window} tokens are too few for a chunk", key="readout.long.window")
        if not 0 <= self.overlap < self.window // 2:
            why = f"{self.overlap} is not from 0 up to half of the window of {self.window}"
            raise ConfigError(why, key="readout.long.overlap")
        if self.most is not None and self.most < 1:
            raise ConfigError(f"{self.most} is below 1", key="readout.long.most")

    @property
    def in_chunks(self) -> bool:
        return self.way in ("chunk", "hierarchical")

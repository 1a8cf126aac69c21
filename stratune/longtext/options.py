"""How a strategy reads a text that is longer than its window."""

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
    """`truncate`: its `head`, `tail` or `both` ends. `chunk`: learned by chunks, answered by all of them.
    `hierarchical`: a small model (`model`) over the chunks' vectors. `long`: all that the backbone has places
    for.
    """

    way: Literal["truncate", "chunk", "hierarchical", "long"] = "truncate"
    keep: Literal["head", "tail", "both"] = "head"  # of `truncate`
    window: int = 256  # tokens of a chunk, special ones included
    overlap: int = 0  # tokens that a chunk repeats of the one before, at most
    by: Literal["sentence", "piece", "token"] = "sentence"  # what is kept whole: a piece never meets another
    most: int | None = None  # chunks of a document that are read, spread evenly; None: all
    aggregate: Literal["auto", "mean", "vote", "max", "learned"] = "auto"  # of `chunk`; auto: by validation
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

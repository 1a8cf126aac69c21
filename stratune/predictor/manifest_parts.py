"""The parts of a manifest, and what each field may hold."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from stratune.backbone.family import Held
from stratune.evaluate.conformal import MOST
from stratune.longtext.options import AGGREGATES

Count = Annotated[int, Field(ge=1, le=2**31)]
Number = Annotated[float, Field(allow_inf_nan=False)]
Text = Annotated[str, Field(max_length=1_000_000)]
Digest = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class Part(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class BinsPart(Part):
    names: list[Text] = []
    edges: list[Number] = []
    quantiles: Annotated[int, Field(ge=0, le=10_000)] = 0


class TaskPart(Part):
    text: Text = "text"
    label: Text = "label"
    text_pair: Text | None = None
    group: Text | None = None
    annotations: Text | None = None
    id: Text | None = None
    kind: Text = "classification"
    labels: list[Text] = []
    metric: Text = ""
    bins: BinsPart | None = None


class BackbonePart(Part):
    id: Text
    revision: Text | None = None
    weight_hash: Text | None = None
    held: Held | None = None  # None: a server's, or a folder of before 0.15, all float32


class LimitPart(Part):
    max_length: Count | None = None
    max_words: Count | None = None
    virtual: Annotated[int, Field(ge=0, le=2**31)] = 0
    keep: Literal["head", "tail", "both"] = "head"


class ShotPart(Part):
    text: Text
    label: Text
    pair: Text | None = None


class PromptPart(Part):
    template: dict[str, Any]
    shots: list[ShotPart]
    nearest: Count | None = None
    how: Literal["nearest", "diverse", "each_label"] = "nearest"
    by: Text = "words"
    by_hash: Text | None = None


class CalibrationPart(Part):
    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)  # format 1: beside the server's `way`
    bias: list[Number] = []
    scale: Number = 1.0


class ServerPart(Part):
    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)
    way: Text | None = None
    form: Text | None = None
    room: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    retry_policy: dict[Text, Any] | None = None
    extra: dict[Text, Any] = {}
    tokenizer: Text | None = None
    dimensions: Count | None = None  # of vectors, that the server is asked for
    width: Count | None = None  # of the vectors that it gives


class ScalingPart(Part):
    scale: list[Number]
    bias: list[Number]


class ConformalPart(Part):
    rows: Count
    scores: Annotated[list[Number], Field(max_length=MOST)]


class CascadePart(Part):
    threshold: Number
    share: Annotated[Number, Field(ge=0, le=1)]


class AggregatePart(Part):
    how: Literal[AGGREGATES]  # type: ignore[valid-type]
    sharpness: Number = 0.0

"""What schema.json holds, as far as a report reads it."""

from __future__ import annotations

from pydantic import BaseModel

from stratune.report.robustness_shapes import ChangeFields


class WayFields(BaseModel):
    rows: float
    wrong: float
    taken: float
    expected: float
    p: float


class MergeFields(BaseModel):
    before: float
    after: float
    change: ChangeFields
    chance: float | None


class PairFields(BaseModel):
    labels: tuple[str, str]
    there: WayFields
    back: WayFields
    p: float
    p_adjusted: float
    merge: dict[str, MergeFields]
    advised: bool
    override: list[str]


class ConfusedFields(BaseModel):
    strategy: str
    backbone: str | None
    files: list[str]
    confused: list[PairFields]


class AnnotatorFields(BaseModel):
    rows: int
    of: str
    confused: list[PairFields]


class SchemaFile(BaseModel):
    fingerprint: str
    rows: int
    labels: int
    pairs: int
    metric: str
    strategies: list[ConfusedFields]
    annotators: AnnotatorFields | None

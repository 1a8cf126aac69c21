"""What sizes.json holds, as far as a report reads it."""

from __future__ import annotations

from pydantic import BaseModel, Field

from stratune.report.shapes import Estimate, Named


class ToFirstFields(BaseModel):
    difference: float
    low: float
    high: float
    p: float
    p_adjusted: float


class PointFields(BaseModel):
    rows: int
    draws: int
    test: Estimate | None
    first: bool
    tied: bool
    to_first: ToFirstFields | None
    error: str | None


class CurvePointFields(Estimate):
    rows: int


class CurveFields(BaseModel):
    a: float
    b: float
    c: float
    more: int
    gain: Estimate
    points: list[CurvePointFields] = Field(min_length=1)


class SizedFields(BaseModel):
    strategy: str
    backbone: str | None
    floor: bool
    files: list[str]
    points: list[PointFields] = Field(min_length=1)
    first_from: int | None
    curve: CurveFields | None


class EndFields(BaseModel):
    rows: int
    difference: float
    low: float
    high: float
    p_adjusted: float


class CrossingFields(BaseModel):
    a: Named
    b: Named
    small: EndFields
    large: EndFields
    after: int
    before: int


class SizesFile(BaseModel):
    fingerprint: str
    metric: str
    higher_is_better: bool
    sizes: list[int]
    draws: int
    test: int
    strategies: list[SizedFields]
    crossings: list[CrossingFields]
    notes: list[str]
    sentence: str

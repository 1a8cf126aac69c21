"""What evaluations.json holds, as far as a report reads it."""

from __future__ import annotations

from pydantic import BaseModel

from stratune.report.shapes import Estimate
from stratune.report.sizes_shapes import ToFirstFields


class EvaluatedFields(BaseModel):
    strategy: str
    backbone: str | None
    files: list[str]
    floor: bool
    own: Estimate | None
    here: Estimate | None
    change: ToFirstFields | None


class EvaluationFields(BaseModel):
    name: str
    data: str
    rows: int
    metric: str
    higher_is_better: bool
    strategies: list[EvaluatedFields]
    notes: list[str]


class EvaluationsFile(BaseModel):
    fingerprint: str
    evaluations: list[EvaluationFields]

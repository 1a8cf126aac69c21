"""What attack.json holds, as far as a report reads it."""

from __future__ import annotations

from pydantic import BaseModel

from stratune.report.robustness_shapes import ChangeFields
from stratune.report.shapes import Estimate


class AttackExampleFields(BaseModel):
    id: str
    truth: str
    after: str
    queries: int
    texts: list[str] = []  # as they were: one, or the two of a pair
    words: list[tuple[int, int, str, str]] = []  # which text, from which character on, a word, what it became


class AttackedFields(BaseModel):
    strategy: str
    backbone: str | None
    seed: int
    files: str
    right: int
    unchangeable: int
    before: Estimate
    after: Estimate
    success: Estimate | None
    chance: Estimate | None
    gain: ChangeFields | None
    queries: float | None
    changed: float | None
    chance_queries: float | None
    chance_changed: float | None
    examples: list[AttackExampleFields]


class AttackDifferenceFields(BaseModel):
    a: str
    b: str
    of: str
    rows: int
    change: ChangeFields | None


class AttackFile(BaseModel):
    fingerprint: str
    by: str
    rows: int
    queries: int
    changes: float
    seed: int
    strategies: list[AttackedFields]
    differences: list[AttackDifferenceFields]

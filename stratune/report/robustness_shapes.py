"""What robustness.json holds, as far as a report reads it."""

from __future__ import annotations

from pydantic import BaseModel

from stratune.report.shapes import Estimate


class ChangeFields(BaseModel):
    difference: float
    low: float
    high: float
    p: float
    p_adjusted: float


class ExampleFields(BaseModel):
    id: str
    truth: str
    before: str
    after: str
    text: str | None = None
    changed: str | None = None
    text_pair: str | None = None
    changed_pair: str | None = None


class EffectFields(BaseModel):
    perturbation: str
    after: Estimate | None
    change: ChangeFields | None
    flips: Estimate | None
    shift: Estimate | None
    broken: int | None
    mended: int | None
    led: Estimate | None
    examples: list[ExampleFields]


class FailureFields(BaseModel):
    texts: list[str]
    pairs: list[str] = []
    expected: str
    answers: list[str]


class CasesFields(BaseModel):
    test: str
    cases: int
    passed: Estimate
    failures: list[FailureFields]


class StressedFields(BaseModel):
    strategy: str
    backbone: str | None
    seed: int
    files: str
    before: Estimate | None
    consistent: Estimate | None
    effects: list[EffectFields]
    cases: list[CasesFields] = []


class PerturbationFields(BaseModel):
    name: str
    about: str
    kind: str
    strength: float
    changed: float | None


class RobustnessFile(BaseModel):
    fingerprint: str
    metric: str
    higher_is_better: bool
    rows: int
    seed: int
    perturbations: list[PerturbationFields]
    strategies: list[StressedFields]
    notes: list[str] = []

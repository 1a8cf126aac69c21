"""What transfer.json holds, as far as a report reads it."""

from __future__ import annotations

from pydantic import BaseModel

from stratune.report.shapes import Estimate
from stratune.report.sizes_shapes import ToFirstFields


class SourceFields(BaseModel):
    name: str
    train: int
    val: int
    test: int


class TransferCellFields(BaseModel):
    estimate: Estimate | None
    change: ToFirstFields | None


class TransferredFields(BaseModel):
    strategy: str
    backbone: str | None
    files: list[str]
    floor: bool
    cells: list[list[TransferCellFields]]
    whole: list[Estimate | None]
    loss: Estimate | None
    errors: dict[str, str]


class TransferFile(BaseModel):
    fingerprint: str
    column: str
    metric: str
    higher_is_better: bool
    sources: list[SourceFields]
    strategies: list[TransferredFields]
    notes: list[str]
    sentence: str

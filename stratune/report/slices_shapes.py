"""What slices.json holds, as far as a report reads it."""

from __future__ import annotations

from pydantic import BaseModel, Field


class ColumnFields(BaseModel):
    name: str
    kind: str = Field(pattern="^(length|group|column)$")
    how: str = Field(pattern="^(values|quartiles|bins|years)$")
    shown: bool
    protected: bool
    names: list[str]
    test: list[int]


class FoundFields(BaseModel):
    name: str
    worded: bool  # it names a word of the texts
    p: float
    rows: int
    wrong: float
    test: list[int]


class SearchFields(BaseModel):
    strategy: str
    backbone: str | None
    files: list[str]
    singles: int
    pairs: int
    wrong: float
    found: list[FoundFields]


class SlicesFile(BaseModel):
    fingerprint: str
    metric: str | None
    columns: list[ColumnFields]
    searches: list[SearchFields]

"""Cells of a score sheet: numbers with decimal commas, and cells without a score."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from stratune.data.arrow import as_text
from stratune.data.delimited import sniffed
from stratune.data.gold import USUAL
from stratune.target.numbers import number

_NUMBER = re.compile(r"[+-]?\d+(?:[.,]\d+)?")
_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}[.,]\d{3}")


def commas_divide(path: str | Path, encoding: str | None = None) -> bool:
    """Whether a sheet has commas between its columns, or may have: then "7,5" may be two ratings."""
    path = Path(path)
    if path.suffix.lower() in (".xlsx", ".tsv"):
        return False
    return path.suffix.lower() != ".csv" or not path.is_file() or sniffed(path, encoding) == ","


def with_points(cells: Sequence[Any]) -> tuple[list[Any], int]:
    """(cells with "7.5" for "7,5", how many). Only where all cells are such numbers, and they do not all
    look like thousands ("1,250").
    """
    texts = [cell.strip() for cell in cells if isinstance(cell, str) and not is_empty(cell)]
    numbers = [cell for cell in cells if not isinstance(cell, str) and not is_empty(cell)]
    commas = [text for text in texts if "," in text]
    are_numbers = all(isinstance(cell, int | float) for cell in numbers) and all(
        map(_NUMBER.fullmatch, texts)
    )
    thousands = any(_THOUSANDS.fullmatch(text) for text in texts if "." in text)
    if not commas or not are_numbers or thousands or all(map(_THOUSANDS.fullmatch, commas)):
        return list(cells), 0
    changed = [cell.replace(",", ".") if isinstance(cell, str) and "," in cell else cell for cell in cells]
    return changed, len(commas)


def is_empty(cell: Any) -> bool:
    """Nothing but blanks, or what stands for nothing."""
    return not (as_text(cell) or "").strip()


def without_score(cells: Sequence[Any]) -> list[bool]:
    """(N,) which cells hold no score: empty ones; among numbers also "N/A", "-" and their like."""
    texts = [(as_text(cell) or "").strip() for cell in cells]
    named = [text for text in texts if number(text) is None and text.casefold() not in USUAL]
    of_numbers = not named and any(number(text) is not None for text in texts)
    missing = [text.casefold() in USUAL and number(text) is None for text in texts]
    return missing if of_numbers else [not text for text in texts]

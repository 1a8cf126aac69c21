"""The cells of a column as slices: each value, quartiles or bins of numbers, years of dates.

The counted rows (those of test) decide what a slice is: a value with fewer than LEAST of them is joined with
others of its kind, and quartiles are theirs. So validation rows can be put into the same slices.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt

from stratune.target.numbers import number

LEAST = 10  # counted rows of a slice
MOST = 12  # slices of one column
EMPTY = "(empty)"
NOWHERE = -1

Codes = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Sliced:
    """`how`: values, quartiles, bins or years. `codes` (M,): the position in `names` of a row's slice, or
    NOWHERE.
    """

    how: str
    names: tuple[str, ...]
    codes: Codes


def sliced(cells: Sequence[Any], counted: int, edges: Sequence[float] = ()) -> Sliced:
    """Of M cells, the first `counted` of which count. `edges`: of bins of numbers; none: quartiles, or each
    value where they are few. Raises ValueError saying why the column has no slices.
    """
    if any(isinstance(cell, (list, dict)) for cell in cells):
        raise ValueError("its cells are lists")
    known = [None if _missing(cell) else cell for cell in cells]
    years = _years(known)
    if years is not None and not edges:
        return by_values(years, counted, "years")
    numbers = _numbers(known)
    if edges:
        if numbers is None:
            raise ValueError("bins are of numbers, and its cells are none")
        return _checked(_binned(numbers, sorted(edges)), counted)
    if numbers is not None and len(np.unique(numbers[~np.isnan(numbers)])) > MOST:
        return by_quartiles(numbers, counted)
    return by_values([None if cell is None else _name(cell) for cell in known], counted)


def by_values(
    names: Sequence[str | None], counted: int, how: str = "values", order: Sequence[str] = ()
) -> Sliced:
    """A slice for each name (None: EMPTY), in `order`, else as numbers, else by the alphabet."""
    shown = [EMPTY if name is None else name for name in names]
    rows = Counter(shown[:counted])
    enough = [name for name, count in rows.most_common() if count >= LEAST][:MOST]
    place = {name: position for position, name in enumerate(order)}
    enough.sort(key=lambda name: (name == EMPTY, place.get(name, len(place)), _by_number(name), name))
    others = set(shown) - set(enough)
    other = f"other ({len(others):,} value{'s' * (len(others) != 1)})"
    if sum(rows[name] for name in others) >= LEAST:
        enough.append(other)
    index = {name: position for position, name in enumerate(enough)}
    beside = index.get(other, NOWHERE)
    codes = np.array([index.get(name, beside) for name in shown], dtype=np.intp)
    if len(enough) < 2:
        raise ValueError(
            f"it has {len(rows):,} value{'s' * (len(rows) != 1)} on test, and slices are two values or more "
            f"with {LEAST} rows each"
        )
    return Sliced(how, tuple(enough), codes)


def by_quartiles(numbers: npt.NDArray[np.float64], counted: int) -> Sliced:
    """Quarters of the counted rows, named by their least and largest number; equal numbers stay together."""
    inside = numbers[:counted][~np.isnan(numbers[:counted])]
    if not len(inside):
        raise ValueError("it has no number on test")
    edges = np.unique(np.quantile(inside, [0.25, 0.5, 0.75], method="lower"))
    codes = np.searchsorted(edges, numbers, side="left")  # (M,): a number on an edge is below it
    codes[np.isnan(numbers)] = NOWHERE
    own = [inside[np.searchsorted(edges, inside, side="left") == k] for k in range(len(edges) + 1)]
    kept = [k for k, some in enumerate(own) if len(some)]
    names = tuple(_range(own[k].min(), own[k].max()) for k in kept)
    place = {k: position for position, k in enumerate(kept)}
    codes = np.array([place.get(int(code), NOWHERE) for code in codes], dtype=np.intp)
    return _checked(Sliced("quartiles", names, codes), counted)


def _binned(numbers: npt.NDArray[np.float64], edges: Sequence[float]) -> Sliced:
    codes = np.searchsorted(np.asarray(edges), numbers, side="right").astype(np.intp)
    codes[np.isnan(numbers)] = NOWHERE
    ends = [_short(edge) for edge in edges]
    between = [f"{low} to below {high}" for low, high in zip(ends, ends[1:], strict=False)]
    return Sliced("bins", (f"below {ends[0]}", *between, f"{ends[-1]} and above"), codes)


def _checked(found: Sliced, counted: int) -> Sliced:
    """Without slices of fewer than LEAST counted rows."""
    rows = np.bincount(found.codes[:counted][found.codes[:counted] >= 0], minlength=len(found.names))
    kept = np.flatnonzero(rows >= LEAST)
    if len(kept) < 2:
        raise ValueError(f"fewer than two of its {found.how} have {LEAST} test rows")
    place = np.full(len(found.names) + 1, NOWHERE)  # the last one is NOWHERE's own
    place[kept] = np.arange(len(kept))
    return Sliced(found.how, tuple(found.names[k] for k in kept), place[found.codes])


def _missing(cell: Any) -> bool:
    return cell is None or cell == "" or (isinstance(cell, float) and math.isnan(cell))


def _numbers(cells: Sequence[Any]) -> npt.NDArray[np.float64] | None:
    """(M,), NaN where a cell is missing; None where some cell is no number."""
    found = [
        math.nan if cell is None else None if isinstance(cell, bool) else number(str(cell)) for cell in cells
    ]
    return None if None in found else np.array(found, dtype=np.float64)


def _years(cells: Sequence[Any]) -> list[str | None] | None:
    """None where some cell is no date."""
    found: list[str | None] = []
    for cell in cells:
        day = cell if isinstance(cell, date) else _day(cell) if isinstance(cell, str) else None
        if cell is not None and day is None:
            return None
        found.append(None if day is None else str(day.year))
    return found


def _day(text: str) -> date | None:
    """2024-05-31, with or without a time behind it."""
    try:
        return date.fromisoformat(text[:10]) if len(text) >= 10 and text[4:5] == text[7:8] == "-" else None
    except ValueError:
        return None


def _name(cell: Any) -> str:
    if isinstance(cell, bool):
        return "true" if cell else "false"
    return f"{cell:g}" if isinstance(cell, float) and cell.is_integer() else str(cell)


def _by_number(name: str) -> float:
    value = number(name)
    return math.inf if value is None else value


def _range(least: float, most: float) -> str:
    return _short(least) if least == most else f"{_short(least)} to {_short(most)}"


def _short(value: float) -> str:
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:.3g}"

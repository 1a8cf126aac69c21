"""Which row goes to which part. Pure arithmetic on labels and groups; every choice comes from the seed."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Fractions = Sequence[float]  # wanted share of each part, part 0 is train; they sum to 1
ALL = ""  # key of the count over all labels; no label is empty


def stratified(labels: Sequence[str], fractions: Fractions, seed: int) -> NDArray[np.int64]:
    """(N,) the part of every row. For each label, a part gets its target number of rows, give or take one.

    A label has at least one row in part 0. Rounding errors are carried from label to label, so that the sizes
    of the parts stay near their targets however many labels there are.
    """
    parts = np.zeros(len(labels), dtype=np.int64)
    generator, owed = np.random.default_rng(seed), np.zeros(len(fractions))
    for rows in rows_by_name(labels):
        targets = len(rows) * np.asarray(fractions)
        counts = _rounded(targets, owed)
        owed += targets - counts
        parts[generator.permutation(rows)] = np.repeat(np.arange(len(fractions)), counts)
    return parts


def rows_by_name(names: Sequence[str]) -> list[NDArray[np.int64]]:
    """Row numbers of each name, names in sorted order."""
    rows: dict[str, list[int]] = defaultdict(list)
    for row, name in enumerate(names):
        rows[name].append(row)
    return [np.asarray(rows[name]) for name in sorted(rows)]


def _rounded(
    targets: NDArray[np.float64], owed: NDArray[np.float64], *, first: bool = True
) -> NDArray[np.int64]:
    """Whole numbers of the same sum, each within one of its target; part 0 is not empty when `first`."""
    targets = targets.round(9)  # 3 * 0.15 + ... must not leave a remainder of 1e-16
    counts: NDArray[np.int64] = np.floor(targets).astype(np.int64)
    remainders = targets - counts
    left = int(round(float(targets.sum()))) - int(counts.sum())
    order = np.argsort(np.where(remainders > 0, -(remainders + owed), np.inf), kind="stable")
    counts[order[:left]] += 1
    if first and counts[0] == 0:
        counts[np.argmax(counts - targets)] -= 1  # from a part that was rounded up
        counts[0] = 1
    return counts


def grouped(
    labels: Sequence[str], groups: Sequence[str], fractions: Fractions, seed: int
) -> NDArray[np.int64]:
    """(N,) the part of every row; all rows of a group share it.

    Greedy: groups from large to small (equal sizes in an order drawn from the seed), each to the part where
    it most reduces the distance from the wanted size and label counts. A group that brings a label part 0
    lacks goes there, and the last groups go to parts that are still empty.
    """
    counts: dict[str, Counter[str]] = defaultdict(Counter)  # group -> label -> rows
    for label, group in zip(labels, groups, strict=True):
        counts[group][label] += 1
    names = sorted(counts)
    names = [names[i] for i in np.random.default_rng(seed).permutation(len(names))]
    names.sort(key=lambda name: -counts[name].total())
    parts = _PartCounts(Counter(labels), fractions)
    placed = {name: parts.place(counts[name], len(names) - done) for done, name in enumerate(names)}
    return np.asarray([placed[group] for group in groups], dtype=np.int64)


def together(
    labels: Sequence[str], units: Sequence[int], fractions: Fractions, seed: int
) -> NDArray[np.int64]:
    """(N,) the part of every row; all rows of a unit share it, and most units are of one row.

    Units of several rows are placed as `grouped` does, then the single rows fill up what each label's
    targets lack. A label has at least one row in part 0.
    """
    sizes = Counter(units)
    single = np.asarray([sizes[unit] == 1 for unit in units])
    several: dict[int, Counter[str]] = defaultdict(Counter)  # unit -> label -> rows
    for label, unit in zip(labels, units, strict=True):
        if sizes[unit] > 1:
            several[unit][label] += 1
    generator, names = np.random.default_rng(seed), sorted(several)
    names = [names[i] for i in generator.permutation(len(names))]
    names.sort(key=lambda unit: -sizes[unit])
    counts, totals = _PartCounts(Counter(labels), fractions), Counter(labels)
    placed = {unit: counts.place(several[unit], len(sizes) - done) for done, unit in enumerate(names)}
    parts = np.asarray([placed.get(unit, 0) for unit in units], dtype=np.int64)
    alone, owed = np.flatnonzero(single), np.zeros(len(fractions))
    for found in rows_by_name([labels[int(row)] for row in alone]):
        rows = alone[found]
        label = labels[int(rows[0])]
        lacking = np.asarray(
            [
                max(0.0, totals[label] * share - has[label])
                for share, has in zip(fractions, counts.has, strict=True)
            ]
        )
        targets = len(rows) * lacking / lacking.sum()
        shared = _rounded(targets, owed, first=counts.has[0][label] == 0)
        owed += targets - shared
        parts[generator.permutation(rows)] = np.repeat(np.arange(len(fractions)), shared)
    return parts


class _PartCounts:
    """Rows that each part should have and has, by label and in all."""

    def __init__(self, totals: Counter[str], fractions: Fractions) -> None:
        all_rows = {ALL: totals.total(), **totals}
        self.wanted = [{key: count * share for key, count in all_rows.items()} for share in fractions]
        self.has: list[Counter[str]] = [Counter() for _ in fractions]
        self.lacking = set(totals)  # labels that part 0 has not yet; each may need one of the groups left

    def place(self, group: Counter[str], groups_left: int) -> int:
        """Choose the part of a group and count its rows there; `groups_left` includes this group."""
        options = list(range(len(self.has)))
        empty = [part for part in options if not self.has[part]]
        if not self.lacking.isdisjoint(group):
            options = [0]
        elif empty and groups_left - len(self.lacking) <= len(empty):
            options = empty
        rows = {ALL: group.total(), **group}
        part = min(options, key=lambda option: self._cost(option, rows))
        self.has[part].update(rows)
        if part == 0:
            self.lacking.difference_update(group)
        return part

    def _cost(self, part: int, rows: dict[str, int]) -> float:
        """Change in the squared distance from the wanted counts, relative to them."""
        wanted, has = self.wanted[part], self.has[part]
        terms = ((2 * n * (has[key] - wanted[key]) + n * n) / wanted[key] for key, n in rows.items())
        return float(sum(terms))


def in_order(labels: Sequence[str], units: Sequence[int], seed: Sequence[int]) -> NDArray[np.int64]:
    """(N,) row numbers in an order whose first rows have the labels in proportion, however many one takes.

    A unit (a row, or a group) belongs to the label that most of its rows have, and its rows follow one
    another. The units of a label are in random order, each at the middle of the stretch of [0, 1] that its
    rows take up among those of the label. Of single rows this is Webster's method of sharing out seats, in
    which more seats take none from anybody. One unit of each label comes before all others.
    """
    members: dict[int, list[int]] = defaultdict(list)
    for row, unit in enumerate(units):
        members[unit].append(row)
    units_of: dict[str, list[int]] = defaultdict(list)
    for unit, rows in members.items():
        counts = Counter(labels[row] for row in rows)
        units_of[min(counts, key=lambda label: (-counts[label], label))].append(unit)
    generator = np.random.default_rng(list(seed))
    places: list[tuple[float, int]] = []  # of each unit; the first of a label has one below 0
    for label in sorted(units_of):
        drawn = generator.permutation(units_of[label]).tolist()
        sizes = np.asarray([len(members[unit]) for unit in drawn])
        middles = (np.cumsum(sizes) - sizes / 2) / sizes.sum()
        middles[0] = -float(sizes.sum())
        places += zip(middles.tolist(), drawn, strict=True)
    places.sort(key=lambda one: one[0])  # stable: labels in order
    return np.asarray([row for _, unit in places for row in members[unit]], dtype=np.int64)


def apportioned(sizes: Sequence[int], total: int) -> NDArray[np.int64]:
    """(K,) `total` rows shared among strata of these sizes by largest remainder; one each if possible."""
    quotas = total * np.asarray(sizes) / sum(sizes)
    rows: NDArray[np.int64] = np.floor(quotas.round(9)).astype(np.int64)
    order = np.argsort(-(quotas - rows), kind="stable")
    rows[order[: total - int(rows.sum())]] += 1
    for empty in np.flatnonzero(rows == 0):
        if rows.max() > 1:
            rows[np.argmax(rows)] -= 1
            rows[empty] = 1
    return rows

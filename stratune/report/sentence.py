"""The sentence in which a comparison ends: terminal, page and `board.verdict` print it as it stands here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from stratune.evaluate.metrics import METRICS
from stratune.evaluate.multiple import holm
from stratune.evaluate.scales import ERRORS
from stratune.evaluate.selection import Selection
from stratune.report import human
from stratune.report.pairs import Pair, between

Board = dict[str, Any]
Row = dict[str, Any]

QUOTE = "'"  # in the place of a backtick in a name
NAMED = 4  # rows that are tied with the winner
_TIMES = {
    "seconds": ("takes", "take", "as long"),
    "memory": ("needs", "need", "as much memory"),
    "bytes": ("needs", "need", "as much disk"),
    "price": ("costs", "cost", "as much"),
}


class Sentence:
    """Of ranked `rows`, which know whether they are tied; `pairs` of test; `costs` by rank."""

    def __init__(
        self,
        rows: Sequence[Row],
        winner: Row,
        pairs: Sequence[Pair],
        selection: Selection,
        sizes: dict[str, int],
        costs: dict[int, float | None],
        prefer: str,
        flattery: float | None,
    ) -> None:
        self.rows, self.winner, self.pairs = rows, winner, pairs
        self.selection, self.sizes, self.costs, self.prefer = selection, sizes, costs, prefer
        self.flattery = flattery
        self.several = len({row["backbone"] for row in rows if row["backbone"]}) > 1

    def __str__(self) -> str:
        parts = [self._use(), self._ties(), self._tested(), self._floor(), self._best(), self._limits()]
        return " ".join(part for part in parts if part)

    def _use(self) -> str:
        if self.winner["floor"]:
            why = "whose answers have nothing to do with the text"
            return f"Nothing is shown to be better than {self._name(self.winner)}, {why}."
        return f"Use {self._name(self.winner)}."

    def _ties(self) -> str:
        """Validation: who cannot be told from the best, and what they cost."""
        others = [row for row in self.rows if row["tied"] and row is not self.winner]
        rows = f"the {self.sizes['val']:,} validation rows"
        if len(self.rows) == 1:
            return ""
        if not others:
            return f"It is better than all others on {rows}."
        names = [self._name(row) for row in others]
        more = len(names) - NAMED
        listed = _listed([*names[:NAMED], f"{_count(more)} more"] if more > 1 else names)
        tie = "ties" if len(others) == 1 else "tie"
        return f"No strategy is shown to be better on {rows}; {listed} {tie} with it{self._cost(others)}."

    def _cost(self, others: Sequence[Row]) -> str:
        if self.prefer == "best":
            return ""
        one, several, what = _TIMES[self.prefer]
        own = self.costs[self.winner["rank"]]
        dear = [cost for row in others if (cost := self.costs[row["rank"]]) is not None]
        if not own or not dear or max(dear) < 1.5 * own:
            return ""
        verb = one if len(others) == 1 else several
        most = "" if len(others) == 1 else "up to "
        return f" and {verb} {most}{_factor(max(dear) / own)} {what}"

    def _tested(self) -> str:
        found = self.winner["test"].get(self.selection.metric)
        if found is None:
            return ""
        value, low, high = (human.score(found[end]) for end in ("value", "low", "high"))
        rows = f"{self.sizes['test']:,} test rows"
        return f"On the {rows} its {self.selection.metric} is {value} ({low} to {high})."

    def _floor(self) -> str:
        """Test: what language models gain over the best row that has none."""
        plain = [row for row in self.rows if row["backbone"] is None and row["baseline"]]
        if not plain or self.winner["baseline"] or self.winner["floor"]:
            return ""
        floor = plain[0]
        models = [row for row in self.rows if row["tied"] and not row["baseline"] and not row["floor"]]
        gains = [self._gain(row, floor) for row in models]
        known = [gain for gain in gains if gain is not None]
        mine = self._gain(self.winner, floor)
        if mine is None or len(known) < len(models):
            return ""
        name = self._name(floor)
        if len(known) > 1 and all(p < 0.05 for p in holm([gain["p"] for gain in known])):
            values = sorted(gain["difference"] for gain in known)
            if values[0] > 0:
                return f"All beat {name} by {self._range(values[0], values[-1])}."
        if mine["p"] < 0.05 and mine["low"] > 0:
            ends = self._range(mine["low"], mine["high"])
            return f"It beats {name} by {self._amount(mine['difference'])} ({ends})."
        if mine["p"] < 0.05 and mine["high"] < 0:
            return f"It is worse than {name} there."
        return f"It is not shown to beat {name} there."

    def _gain(self, row: Row, floor: Row) -> Pair | None:
        """The test difference of two rows, positive where the first is better."""
        pair = between(self.pairs, self.selection.metric, row["rank"], floor["rank"])
        if pair is None or self.selection.higher_is_better:
            return pair
        turned = {"difference": -pair["difference"], "low": -pair["high"], "high": -pair["low"]}
        return {**pair, **turned}

    def _best(self) -> str:
        """What is given up for the lower cost, as test has it."""
        best = self.rows[0]
        gain = None if best is self.winner else self._gain(best, self.winner)
        if gain is None:
            return ""
        if gain["low"] == gain["high"] == 0:
            return f"`--prefer best` takes {self._name(best)}: on test the same."
        ends = self._range(gain["low"], gain["high"])
        more = f"{self._amount(abs(gain['difference']))} {'more' if gain['difference'] >= 0 else 'less'}"
        return f"`--prefer best` takes {self._name(best)}: on test {more} ({ends})."

    def _limits(self) -> str:
        """What these rows cannot show, and by how much the first row's validation score flatters it."""
        width = visible(self.rows, self.winner, self.pairs, self.selection.metric)
        if width is None:
            return ""
        seen = f"With {self.sizes['test']:,} rows, differences under {self._amount(width)} cannot be seen"
        if not self.flattery or self.flattery <= 0:
            return f"{seen}."
        return f"{seen}, and being first on validation flatters a score by {self._amount(self.flattery)}."

    def _name(self, row: Row) -> str:
        return quoted(human.entry(row["strategy"], row["backbone"] if self.several else None))

    def _amount(self, value: float) -> str:
        return amount(self.selection.metric, value)

    def _range(self, low: float, high: float) -> str:
        return amounts(self.selection.metric, low, high)


def quoted(name: str) -> str:
    """A name in backticks, which the page shows as code."""
    return f"`{human.short(name, 60).replace('`', QUOTE)}`"


def amount(metric: str, value: float) -> str:
    """Of a difference: 3 points, 0.5 points, 1.27 in rmse."""
    if not in_points(metric):
        return f"{human.score(value)} in {metric}"
    points = _points(value)
    return f"{points} point{'s' * (points != '1')}"


def amounts(metric: str, low: float, high: float) -> str:
    """From one to another: 2 to 4 points."""
    if not in_points(metric):
        return f"{human.score(low)} to {human.score(high)} in {metric}"
    ends = _points(low), _points(high)
    return f"{ends[0]} points" if ends[0] == ends[1] else f"{ends[0]} to {ends[1]} points"


def in_points(name: str) -> bool:
    """Whether the metric is read in hundredths: 0.03 of accuracy are three points."""
    metric = METRICS.get(name)
    return name not in ERRORS and (metric is None or metric.function is None)


def visible(rows: Sequence[Row], winner: Row, pairs: Sequence[Pair], metric: str) -> float | None:
    """The difference that the test rows can show: half the width of the winner's intervals against others.

    The median over rows that learn something and answer otherwise than the winner; None where there is none.
    """
    others = [row["rank"] for row in rows if row is not winner and not row["floor"]]
    found = [between(pairs, metric, winner["rank"], rank) for rank in others]
    widths = [(pair["high"] - pair["low"]) / 2 for pair in found if pair is not None]
    apart = [width for width in widths if width > 0]
    return float(np.median(apart)) if apart else None


def _points(value: float) -> str:
    """Hundredths: whole ones, but for less than one."""
    points = 100 * value
    return f"{points:.1f}" if abs(points) < 0.95 else f"{points:.0f}"


def _factor(times: float) -> str:
    return "twice" if 1.75 <= times < 2.25 else f"{_count(round(times))} times" if times >= 2 else "1.5 times"


def _count(number: int) -> str:
    words = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
    return words[number] if number < len(words) else f"{number:,}"


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"

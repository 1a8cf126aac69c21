"""The table: of each case ours against every peer, with the paired 95 % interval of the difference.

Ours is the strategy that validation ranks first, in each draw by itself. Draws of a case are measured on the same test rows and count as
seeds do (stratune/evaluate/paired.py): the interval covers rows and draws. Differences are signed so that above zero is better for us.
The last lines are means over cases, of classes and of numbers apart; an error in the user's units is divided by the
standard deviation of the truth. Their intervals add the variances of the cases, as if these had no test rows in common.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from against.kept import OURS, Kept, Predicted, Result
from stratune.evaluate.paired import Measured, differences, measured
from stratune.evaluate.replicates import RESAMPLES, replicates
from stratune.task import Task

WINNER = "ours, best by validation"
IN_UNITS = ("rmse", "mae")


@dataclass(frozen=True)
class Gap:
    """Ours less a peer's; above zero is better for us."""

    value: float
    low: float
    high: float

    @property
    def behind(self) -> bool:
        return self.high < 0

    @property
    def ahead(self) -> bool:
        return self.low > 0

    def __str__(self) -> str:
        told = f"{self.value:+.3f} [{self.low:+.3f}, {self.high:+.3f}]"
        return f"**{told}**" if self.behind else told

    def over(self, unit: float) -> Gap:
        return Gap(self.value / unit, self.low / unit, self.high / unit)


@dataclass(frozen=True)
class Case:
    """One line. `scores`: of every system, on the test rows, mean over draws. `unit`: what differences are divided by in means."""

    name: str
    rows: str
    draws: int
    metric: str
    numeric: bool
    unit: float
    winners: tuple[str, ...]  # of the draws
    scores: dict[str, float]
    gaps: dict[str, Gap]  # by peer


def cases(kept: Kept, resamples: int = RESAMPLES) -> list[Case]:
    """Those where ours has answered to every draw."""
    found = [_case(kept, name, resamples) for name in kept.cases]
    return [case for case in found if case is not None]


def _case(kept: Kept, name: str, resamples: int) -> Case | None:
    done = [one for one in kept.of_case(name) if one.error is None]
    numbers = sorted({one.draw for one in kept.of_case(name)})
    winners = [_winner(done, number) for number in numbers]
    if any(one is None for one in winners):
        return None
    task = Task.from_dict(winners[0].task)
    systems: dict[str, list[Result]] = {WINNER: winners}
    for system in dict.fromkeys(one.system for one in done):
        of_system = sorted((one for one in done if one.system == system), key=lambda one: one.draw)
        if [one.draw for one in of_system] == numbers:
            systems[system] = of_system
    known = {system: _measured(kept, task, results, resamples) for system, results in systems.items()}
    sign = task.selection.sign
    peers = [system for system in systems if system != WINNER and not system.startswith(OURS)]
    pairs = differences([(known[WINNER], known[peer]) for peer in peers], task.metric)
    gaps = {
        peer: Gap(sign * one.difference, *sorted((sign * one.low, sign * one.high)))
        for peer, one in zip(peers, pairs, strict=True)
        if one is not None
    }
    truth = kept.read(winners[0]).truth
    return Case(
        name=name,
        rows=winners[0].rows,
        draws=len(numbers),
        metric=task.metric,
        numeric=task.target.is_numeric,
        unit=float(truth.std()) if task.target.is_numeric and task.metric in IN_UNITS else 1.0,
        winners=tuple(one.system.removeprefix(OURS) for one in winners),
        scores={
            system: one.replicates.value(task.metric)
            for system, one in known.items()
            if task.metric in one.pseudo
        },
        gaps=gaps,
    )


def _winner(done: Iterable[Result], number: int) -> Result | None:
    ours = [one for one in done if one.draw == number and one.ours and one.rank is not None]
    return min(ours, key=lambda one: one.rank, default=None)


def _measured(kept: Kept, task: Task, results: Sequence[Result], resamples: int) -> Measured:
    """Raises ValueError where draws were measured on different rows."""
    found = [kept.read(one) for one in results]
    if any(one.ids != found[0].ids for one in found):
        raise ValueError(f"{results[0].case}: draws of {results[0].system} have different test rows")
    scorers = [_scorer(task, one) for one in found]
    rows, groups = len(found[0].truth), found[0].groups
    drawn = replicates(scorers, rows, groups=groups, resamples=resamples)
    return measured(scorers, [one.draw for one in results], drawn, [task.metric], rows, groups)


def _scorer(task: Task, one: Predicted):
    return task.target.scorer(one.truth, one.predictions, one.invalid, one.decided)


def mean(known: Sequence[Case], peer: str) -> Gap | None:
    """Over the cases that the peer has; None where it has none."""
    gaps = [case.gaps[peer].over(case.unit) for case in known if peer in case.gaps]
    if not gaps:
        return None
    value = float(np.mean([one.value for one in gaps]))
    half = math.sqrt(sum(((one.high - one.low) / 2) ** 2 for one in gaps)) / len(gaps)
    return Gap(value, value - half, value + half)


def markdown(known: Sequence[Case]) -> str:
    peers = list(dict.fromkeys(peer for case in known for peer in case.gaps))
    head = ["set", "rows", "metric", "ours", *peers]
    lines = [_line(head), _line(["---", "---", "---", "---", *["---"] * len(peers)])]
    for case in known:
        draws = f", {case.draws} draws" if case.draws > 1 else ""
        named = ", ".join(dict.fromkeys(case.winners))
        cells = [f"{case.scores[peer]:.3f}, {case.gaps[peer]}" if peer in case.gaps else "" for peer in peers]
        lines.append(
            _line([case.name, case.rows + draws, case.metric, f"{case.scores[WINNER]:.3f} ({named})", *cells])
        )
    for title, some in (("classes", False), ("numbers", True)):
        of_kind = [case for case in known if case.numeric is some]
        if of_kind:
            means = [mean(of_kind, peer) for peer in peers]
            lines.append(
                _line([f"mean, {title}", "", "", "", *("" if one is None else str(one) for one in means)])
            )
    return "\n".join(lines)


def strategies(known: Sequence[Case]) -> str:
    """The score of every strategy of ours; those that validation chose, in any draw, are bold."""
    names = list(dict.fromkeys(name for case in known for name in case.scores if name.startswith(OURS)))
    short = [name.removeprefix(OURS) for name in names]
    lines = [_line(["set", *short]), _line(["---", *["---:"] * len(short)])]
    for case in known:
        cells = ["" if name not in case.scores else f"{case.scores[name]:.3f}" for name in names]
        bold = [
            f"**{cell}**" if name in case.winners else cell for name, cell in zip(short, cells, strict=True)
        ]
        lines.append(_line([case.name, *bold]))
    return "\n".join(lines)


def verdict(known: Sequence[Case]) -> str:
    """Where ours is behind a peer by more than the interval, and how often it is ahead or level."""
    gaps = [(case.name, peer, gap) for case in known for peer, gap in case.gaps.items()]
    behind = [f"{peer} on {name}" for name, peer, gap in gaps if gap.behind]
    ahead = sum(gap.ahead for _, _, gap in gaps)
    told = f"Of {len(gaps)} differences {ahead} are ahead, {len(gaps) - ahead - len(behind)} level, {len(behind)} behind"
    return f"{told}: {'; '.join(behind)}." if behind else f"{told}."


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"

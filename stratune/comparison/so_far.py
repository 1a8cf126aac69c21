"""A comparison while it runs: what has ended, ranked by validation, what is under way, and the time left.

Test is not looked at here: it is reported when all runs have ended.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from stratune.report import human
from stratune.result import RunResult

if TYPE_CHECKING:
    from stratune.comparison.schedule import RunEvent
    from stratune.evaluate.selection import Selection

MOST = 0.9  # of a run: what comes after its training, and is not known before


@dataclass(frozen=True)
class Standing:
    """The runs of one strategy on one backbone that have ended well so far."""

    name: str
    runs: Sequence[RunResult]
    val: float | None  # mean over seeds of the metric that ranks

    @property
    def seconds(self) -> float | None:
        """Of training, the mean over seeds."""
        known = [run.train_seconds for run in self.runs if run.train_seconds is not None]
        return sum(known) / len(known) if known else None


@dataclass
class UnderWay:
    """One run: what it does, and which share of that is done."""

    doing: str = "loading"
    done: int = 0
    total: int | None = None
    value: float | None = None  # of validation, the last one

    @property
    def share(self) -> float:
        return MOST * min(self.done / self.total, 1.0) if self.total else 0.0

    def __str__(self) -> str:
        of = f", {self.done:,} of {self.total:,}" if self.total else ""
        val = f", val {human.score(self.value)}" if self.value is not None else ""
        return f"{self.doing}{of}{val}"


@dataclass
class SoFar:
    """Takes the events of a comparison, one after the other."""

    clock: Callable[[], float] = time.monotonic
    results: list[RunResult] = field(default_factory=list)
    under_way: dict[str, UnderWay] = field(default_factory=dict)
    selection: Selection | None = None
    ended: int = 0
    total: int = 0
    began: float | None = None  # of the first run with a backbone
    trained: int = 0  # runs with a backbone that ended since

    def on(self, told: RunEvent) -> None:
        name, event = told.planned.run_id, told.event
        self.ended, self.total, self.selection = told.ended, told.total, told.selection
        if event["event"] == "started":
            self.under_way[name] = UnderWay()
            if told.planned.backbone is not None and self.began is None:
                self.began = self.clock()
        elif event["event"] == "done":
            if self.under_way.pop(name, None) is not None and told.planned.backbone is not None:
                self.trained += 1
            if told.result is not None:
                self.results.append(told.result)
        elif name in self.under_way:
            self._advance(self.under_way[name], event)

    @staticmethod
    def _advance(run: UnderWay, event: dict[str, object]) -> None:
        if event["event"] == "stage":
            run.doing, run.done, run.total = str(event["name"]), 0, int(str(event["total"]))
        elif event["event"] == "rows":
            run.done += int(str(event["count"]))
        elif event["event"] == "step":
            run.doing, run.done, run.total = "training", int(str(event["step"])), int(str(event["steps"]))
        elif event["event"] == "val" and event["value"] is not None:
            run.value = float(str(event["value"]))

    def seconds_left(self) -> float | None:
        """From the pace of runs with a backbone, those under way by their shares; None: not known yet.

        Baselines take no time, and say nothing of the others.
        """
        shares = sum(run.share for run in self.under_way.values())
        done = self.trained + shares
        if self.began is None or done < 0.2:
            return None
        return (self.clock() - self.began) / done * max(self.total - self.ended - shares, 0)

    def standings(self) -> list[Standing]:
        """Best first."""
        return ranked(self.results, self.selection)

    def summary(self) -> str:
        """3 of 14 runs done; best so far lora@minilm, val f1_macro 0.793; about 6 min left"""
        parts = [f"{self.ended} of {self.total} runs done"]
        best = next(iter(self.standings()), None)
        if best is not None and best.val is not None and self.selection is not None:
            metric = human.plain(self.selection.metric)
            parts.append(f"best so far {human.plain(best.name)}, val {metric} {human.score(best.val)}")
        if (left := self.seconds_left()) is not None and left >= 1:
            parts.append(f"about {human.seconds(left)} left")
        return "; ".join(parts)


def ranked(results: Sequence[RunResult], selection: Selection | None) -> list[Standing]:
    """Results that are well, gathered over seeds, best on validation first."""
    from stratune.evaluate.scoring import mean_of_shared

    gathered: dict[str, list[RunResult]] = {}
    for result in results:
        if result.status == "ok":
            gathered.setdefault(human.entry(result.strategy, result.backbone), []).append(result)
    means = {name: mean_of_shared([run.val for run in runs]) for name, runs in gathered.items()}
    if selection is None:
        return [Standing(name, runs, None) for name, runs in gathered.items()]
    order = selection.ordered(gathered, lambda name: means[name])
    return [Standing(name, gathered[name], selection.value(means[name])) for name in order]


def cells(standings: Sequence[Standing]) -> Iterator[tuple[str, ...]]:
    """#, strategy, validation, seeds, train time: the rows of a table."""
    for rank, one in enumerate(standings, start=1):
        yield (
            str(rank),
            human.short(one.name, 40),
            human.score(one.val),
            str(len(one.runs)),
            human.seconds(one.seconds),
        )

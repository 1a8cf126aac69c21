"""What all figures of a comparison share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.ticker import FixedLocator, MaxNLocator, NullLocator

from stratune.evaluate.arrays import Floats
from stratune.evaluate.metrics import find
from stratune.report import human
from stratune.report.comparison import Comparison, Entry
from stratune.report.labels import place_labels
from stratune.report.style import PALETTE, Look, by_row, look, panel, to_svg

Board = dict[str, Any]


class Scene:
    """What all figures share: the entries that have results, best first, and how each looks."""

    def __init__(
        self, comparison: Comparison, board: Board, entries: Sequence[Entry], names: Sequence[str]
    ) -> None:
        self.comparison, self.board, self.entries, self.names = comparison, board, entries, names
        self.metric: str = board["metric"]
        self.shown_metric = human.short(self.metric, 40)
        self.looks: list[Look] = [look(index) for index in range(len(entries))]
        rows = {(row["strategy"], row["backbone"]): row for row in board["rows"]}
        self.rows: list[dict[str, Any]] = [rows[entry.strategy, entry.backbone] for entry in entries]
        self.labels = [human.short(label) for label in comparison.task.labels]

    def row_of(self, entry: Entry) -> dict[str, Any]:
        return self.rows[self.entries.index(entry)]

    def leaderboard(self) -> str | None:
        """Test metric with its interval, in order of rank: intervals that overlap say "not sure"."""
        tested = [
            (i, row["test"][self.metric]) for i, row in enumerate(self.rows) if self.metric in row["test"]
        ]
        if not tested:
            return None
        figure, axes = panel(6.4, 1.1 + 0.34 * len(tested))
        for place, (i, estimate) in enumerate(tested):
            color = self.looks[i].color
            axes.plot(
                [estimate["low"], estimate["high"]], [place, place], color=color, linewidth=2.2, alpha=0.55
            )
            axes.plot([estimate["value"]], [place], "o", color=color, markersize=7)
            axes.annotate(
                human.score(estimate["value"]), (1.02, place), xycoords=("axes fraction", "data"), va="center"
            )
        by_row(axes, [self.names[i] for i, _ in tested])
        axes.set_xlabel(f"test {self.shown_metric}, 95 % interval{self.lower()}")
        axes.set_title("Ranked by validation, reported on test")
        return to_svg(figure)

    def cost(self) -> str | None:
        """Test metric against training time: up and left is better."""
        points = [
            (i, max(row["train_seconds"], 0.1), row["test"][self.metric]["value"])
            for i, row in enumerate(self.rows)
            if row["train_seconds"] is not None and self.metric in row["test"]
        ]
        if not points:
            return None
        figure, axes = panel(6.4, 4.2)
        for i, seconds, value in points:
            axes.plot([seconds], [value], self.looks[i].marker, color=self.looks[i].color, markersize=8)
        axes.set_xscale("log")
        axes.margins(0.12, 0.12)
        axes.grid(which="major")
        axes.xaxis.set_major_locator(FixedLocator(list(_TIMES)))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_major_formatter(lambda seconds, _: _TIMES[seconds])
        axes.set_xlabel("training time (log scale)")
        axes.set_ylabel(f"test {self.shown_metric}{self.lower()}")
        axes.set_title("What it gives, and what it costs")
        place_labels(axes, [(x, y) for _, x, y in points], [self.names[i] for i, _, _ in points])
        return to_svg(figure)

    def learning(self) -> str | None:
        """Validation metric by epoch: mean over seeds as a line, their range as a band."""
        figure, axes = panel(6.4, 3.8)
        drawn = 0
        for entry, name, style in zip(self.entries, self.names, self.looks, strict=True):
            epochs, mean, low, high = _by_epoch(entry)
            if len(epochs):
                drawn += 1
                mark = {
                    "marker": style.marker,
                    "markersize": 4.5,
                    "linestyle": style.dash,
                    "color": style.color,
                }
                axes.plot(epochs, mean, label=name, **mark)  # type: ignore[arg-type]
                axes.fill_between(epochs, low, high, color=style.color, alpha=0.15, linewidth=0)
        if not drawn:
            return None
        axes.grid(axis="y")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set_xlabel("epoch")
        axes.set_ylabel(f"validation {self.shown_metric}{self.lower()}")
        axes.set_title("Learning, mean and range over seeds")
        axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
        return to_svg(figure)

    def balance(self) -> str | None:
        """Rows of each label in each part, as shares, so that parts of different size compare."""
        balance = self.comparison.balance
        labels = self.comparison.task.labels
        if not balance or not labels:
            return None
        several = self.comparison.task.kind == "multilabel"  # a row counts for each of its labels
        crowded = len(labels) > 10
        figure, axes = panel(6.4, 1.2 + (0.3 if crowded else 0.62) * len(labels))
        height = 0.8 / len(balance)
        for number, (part, counts) in enumerate(balance.items()):
            total = max(self.comparison.sizes[part] if several else sum(counts.values()), 1)
            shares = [100 * counts.get(label, 0) / total for label in labels]
            places = np.arange(len(labels)) + (number - (len(balance) - 1) / 2) * height
            label = f"{part} ({total:,})"
            bars = axes.barh(places, shares, height * 0.9, color=PALETTE[number], label=label)
            axes.bar_label(
                bars,
                [f"{counts.get(label, 0):,}" for label in labels],
                padding=3,
                fontsize=5 if crowded else 8,
            )
        axes.set_yticks(range(len(labels)), self.labels, fontsize=7 if crowded else None)
        axes.invert_yaxis()
        axes.margins(x=0.12)
        axes.spines["left"].set_visible(False)
        axes.tick_params(left=False)
        having = "share of the part that has the label" if several else "share of the part"
        axes.set_xlabel(f"{having}, % (rows beside the bars)")
        axes.set_title("Label balance" if several else "Class balance")
        axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
        return to_svg(figure)

    def lower(self) -> str:
        """Behind a metric's name."""
        better = find(self.metric, self.comparison.task.labels, self.comparison.task.kind).higher_is_better
        return "" if better else " (lower is better)"


_TIMES = {0.1: "0.1 s", 1: "1 s", 10: "10 s", 60: "1 min", 600: "10 min", 3600: "1 h", 36_000: "10 h"}


def _by_epoch(entry: Entry) -> tuple[Floats, Floats, Floats, Floats]:
    """Epochs and, at each, mean, lowest and highest validation value over the seeds that got there."""
    values: dict[float, list[float]] = {}
    for run in entry.ok:
        for line in run.history:
            if line.get("val") is not None and line.get("epoch") is not None:
                values.setdefault(round(line["epoch"], 3), []).append(line["val"])
    epochs = sorted(values)
    columns = [[reduce(values[epoch]) for epoch in epochs] for reduce in (np.mean, min, max)]
    mean, low, high = (np.asarray(column, dtype=np.float64) for column in columns)
    return np.asarray(epochs, dtype=np.float64), mean, low, high

"""schema: pairs of labels that models or annotators confuse, and what a merge of the two would change.

    {"fingerprint", "rows", "labels", "pairs", "metric",
     "strategies": [{"strategy", "backbone", "files", "confused": [PAIR]}],
     "annotators": {"rows", "confused": [PAIR]} or null, "notes"}
    PAIR: {"labels", "there", "back", "p", "p_adjusted", "merge": {metric: {...}}, "advised", "override"}

Nothing is trained and no model is asked: all is computed from answers to validation rows, which is where a
choice like this one belongs. No label is changed.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from stratune.comparison.board import Board
from stratune.data.relabel import merging
from stratune.errors import ConfigError, choices
from stratune.evaluate.classes import predicted
from stratune.evaluate.confusable import (
    Confusion,
    Pair,
    gain_by_chance,
    of_answers,
    of_raters,
    pairs_to_merge,
)
from stratune.evaluate.multiple import holm
from stratune.evaluate.paired import Measured, differences, measured
from stratune.evaluate.replicates import replicates
from stratune.files import write_json
from stratune.ownership import owned_by_us
from stratune.report import publish
from stratune.report.comparison import Comparison, Entry, load
from stratune.report.pairs import is_clear
from stratune.report.schema import FILE, advised
from stratune.report.slices import files_of
from stratune.target import target_of
from stratune.watch import SILENT, Progress

if TYPE_CHECKING:
    from stratune.data.predictions import Predictions

Row = dict[str, Any]

RESAMPLES = 1000
MOST = 10  # pairs of one strategy, or of the annotators, whose merge is measured
FEW = "labels of one row each, and three of them at least: of two merged labels one would be left"


def schema(
    out: str | Path, strategies: Sequence[str] | None = None, *, progress: Progress = SILENT
) -> dict[str, Any]:
    """Of the finished comparison in `out`: writes schema.json, which is also returned, and the report anew.

    `strategies`: rows of its leaderboard; None: the winner, and those that cannot be told from the best.

    Raises ArtifactError where there is no comparison; ConfigError for an unknown row, and for a task of other
    labels than one a row, or of two.
    """
    out = Path(out)
    comparison = load(out)
    task = comparison.task
    if not task.target.one_label or len(task.labels) < 3:
        raise ConfigError(f"{len(task.labels)} labels ({task.kind}): a merge needs {FEW}", key="task")
    entries = _entries(comparison, Board.load(out), strategies)
    pairs = pairs_to_merge(len(task.labels), ordered=task.kind == "ordinal")
    progress.stage("labels", len(entries) + 1)
    found = []
    for entry in entries:
        val = _validation(entry)
        confusions = of_answers(
            val[0].truth, [one.decided for one in val], len(task.labels), pairs, val[0].groups
        )
        found.append((entry, confusions))
    tested = [confusion for _, confusions in found for confusion in confusions]
    adjusted = iter(holm([one.p for one in tested]))
    lines, family = [], len(tested)
    for entry, confusions in found:
        clear = _clear([(one, next(adjusted)) for one in confusions])
        confused = [_described(one, p, entry, comparison) for one, p in clear]
        lines.append({**_about(entry), "confused": confused})
        progress.rows(1)
    _adjust([pair for line in lines for pair in line["confused"]], family)
    people = _annotators(entries[0], comparison, pairs)
    progress.rows(1)
    result = {
        "fingerprint": comparison.fingerprint,
        "rows": comparison.sizes["val"],
        "labels": len(task.labels),
        "pairs": len(pairs),
        "metric": task.metric,
        "strategies": lines,
        "annotators": people,
    }
    owned_by_us(out).own(FILE)
    write_json(out / FILE, result)
    publish(out)
    return result


def _entries(comparison: Comparison, board: Board, strategies: Sequence[str] | None) -> list[Entry]:
    """In the order of the board."""
    known = {(entry.strategy, entry.backbone): entry for entry in comparison.entries() if entry.ok}
    rows = [row for row in board.rows if (row["strategy"], row["backbone"]) in known]
    if strategies is None:
        rows = [row for row in rows if not row.get("floor")]
        best = [row for row in rows if row.get("winner") or row.get("tied")] or rows[:1]
        if not best:
            raise ConfigError("no row of the leaderboard reads the texts", key="strategies")
        best.sort(key=lambda row: not row.get("winner"))
        return [known[row["strategy"], row["backbone"]] for row in best]
    named: list[Entry] = []
    for name in strategies:
        own = [known[row["strategy"], row["backbone"]] for row in rows]
        own = [entry for entry in own if name in (entry.strategy, entry.name)]
        if not own:
            raise ConfigError(choices(name, dict.fromkeys(row["strategy"] for row in rows)), key="strategies")
        named += [entry for entry in own if entry not in named]
    return named


def _validation(entry: Entry) -> list[Predictions]:
    return [run.predictions["val"] for run in entry.ok]


def _about(entry: Entry) -> Row:
    return {"strategy": entry.strategy, "backbone": entry.backbone, "files": files_of(entry)}


def _clear(confusions: Sequence[tuple[Confusion, float]]) -> list[tuple[Confusion, float]]:
    """The clearest first."""
    found = [pair for pair in confusions if is_clear({"p_adjusted": pair[1]})]
    return sorted(found, key=lambda pair: pair[1])[:MOST]


def _annotators(best: Entry, comparison: Comparison, pairs: Sequence[Pair]) -> Row | None:
    """What raters confuse in validation rows; a merge is measured with the answers of the best strategy."""
    val = _validation(best)[0]
    if val.ratings is None:
        return None
    confusions, rows = of_raters(val.ratings.values, len(comparison.task.labels), pairs, val.groups)
    adjusted = holm([one.p for one in confusions])
    clear = _clear(list(zip(confusions, adjusted, strict=True)))
    confused = [_described(one, p, best, comparison) for one, p in clear]
    _adjust(confused, len(confusions))
    return {"rows": rows, "of": best.name, "confused": confused}


def _described(confusion: Confusion, p_adjusted: float, entry: Entry, comparison: Comparison) -> Row:
    task, (a, b) = comparison.task, confusion.pair
    names, labels = merging(task.labels, task.labels[a], task.labels[b])
    override = [f"data.relabel={json.dumps(names, ensure_ascii=False)}"]
    if task.kind == "ordinal":  # the order of levels that are words is the user's to give
        override.append(f"task.labels={json.dumps(labels, ensure_ascii=False)}")
    return {
        "labels": [task.labels[a], task.labels[b]],
        "there": asdict(confusion.there),
        "back": asdict(confusion.back),
        "p": confusion.p,
        "p_adjusted": p_adjusted,
        "merge": Merge(comparison, entry, confusion.pair).to_dict(),
        "override": override,
    }


def _adjust(confused: Sequence[Row], family: int) -> None:
    """`p_adjusted` of what merges change (Holm). The family is every pair that was tested: those shown are
    those that looked worst on the same rows. Then, whether the merge is advised.
    """
    for metric in {name for pair in confused for name in pair["merge"]}:
        known = [pair["merge"][metric]["change"] for pair in confused if metric in pair["merge"]]
        p = [one["p"] for one in known]
        for one, adjusted in zip(known, holm([*p, *[1.0] * (family - len(p))]), strict=False):
            one["p_adjusted"] = adjusted
    for pair in confused:
        pair["advised"] = advised(pair)


@dataclass(frozen=True)
class Merge:
    """Two labels as one: the sum of their probabilities, on validation rows and with no other training."""

    comparison: Comparison
    entry: Entry
    pair: Pair

    def to_dict(self) -> dict[str, Row]:
        """By metric: `before`, `after`, `change` (paired), and the `chance` of two labels of these sizes."""
        task = self.comparison.task
        metrics = list(dict.fromkeys(["mcc", "accuracy", task.metric]))
        val = _validation(self.entry)
        merged_labels = merging(task.labels, *(task.labels[k] for k in self.pair))[1]
        before = self._measured(
            task.labels, val, [(one.truth, one.predictions, one.decided) for one in val], metrics
        )
        after = self._measured(merged_labels, val, [self._merged(one) for one in val], metrics)
        chance = [gain_by_chance(one.truth, one.decided, len(task.labels), self.pair) for one in val]
        found = {}
        for metric in metrics:
            (change,) = differences([(after, before)], metric)
            if change is not None:
                found[metric] = {
                    "before": before.replicates.value(metric),
                    "after": after.replicates.value(metric),
                    "change": change.to_dict(),
                    "chance": float(np.mean([one[metric] for one in chance]))
                    if metric in chance[0]
                    else None,
                }
        return found

    def _merged(self, val: Predictions) -> tuple[Any, Any, Any]:
        """Truth (N,), probabilities (N, K - 1) and decisions (N,) of the labels that are left."""
        a, b = self.pair
        count = val.predictions.shape[1]
        place = np.arange(count + 1)
        place[b] = a
        place[b + 1 :] -= 1
        probabilities = np.delete(val.predictions, b, axis=1)
        probabilities[:, a] = val.predictions[:, a] + val.predictions[:, b]
        if np.array_equal(val.decided, predicted(val.predictions, val.invalid)):
            return place[val.truth], probabilities, predicted(probabilities, val.invalid)
        return place[val.truth], probabilities, place[val.decided]  # something else than they decided

    def _measured(
        self,
        labels: Sequence[str],
        val: Sequence[Predictions],
        answers: Sequence[Any],
        metrics: Sequence[str],
    ) -> Measured:
        target = target_of(self.comparison.task.kind, tuple(labels))
        scorers = [
            target.scorer(truth, probabilities, one.invalid, decided)
            for one, (truth, probabilities, decided) in zip(val, answers, strict=True)
        ]
        rows, groups = len(val[0].truth), val[0].groups
        drawn = replicates(scorers, rows, groups=groups, resamples=RESAMPLES)
        seeds = [run.result.seed for run in self.entry.ok]
        return measured(scorers, seeds, drawn, metrics, rows, groups)

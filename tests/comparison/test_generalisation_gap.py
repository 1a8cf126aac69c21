"""The gap: there where groups give the label away, and gone where they do not."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from stratune.comparison.generalisation_gap import GROUPED, ONE_OUT, RANDOM, measure_gap
from stratune.data.read import read
from stratune.errors import ConfigError, DataError
from stratune.evaluate.scoring import score
from stratune.target import target_of
from stratune.target.within_folds import WithinFolds
from stratune.task import Task
from stratune.testing import toy_split
from stratune.watch import Progress

WORDS = [f"word{number}" for number in range(40)]


def table(sign: bool, groups: int = 12, each: int = 8, labels=("no", "yes")):
    """Groups of one label. With `sign` every text ends with its group's own word, and nothing else tells."""
    draw = random.Random(0)
    rows = []
    for group in range(groups):
        for number in range(each):
            text = " ".join(draw.choices(WORDS, k=6))
            label = labels[group % len(labels)]
            told = f" sign{group}" * 3 if sign else f" truly {label}" * 3
            rows.append(
                {"id": f"{group}-{number}", "text": text + told, "label": label, "group": f"g{group}"}
            )
    draw.shuffle(rows)
    return read(rows)


TASK = Task(group="group", labels=("no", "yes"), metric="accuracy")


def test_groups_that_give_the_label_away():
    seen = []

    class Seen(Progress):
        def stage(self, name, total):
            seen.append([name, 0, total])

        def rows(self, count):
            seen[-1][1] += count

    gap = measure_gap(table(sign=True), TASK, folds=4, repeats=2, progress=Seen())
    by = {name: folded.score.value for name, folded in gap.by.items()}
    assert by[RANDOM] == 1.0 and by[GROUPED] < 0.75 and by[ONE_OUT] < 0.75
    assert gap.gap.value == pytest.approx(by[RANDOM] - by[GROUPED])
    assert 0 < gap.gap.low <= gap.gap.value <= gap.gap.high
    assert {name: folded.models for name, folded in gap.by.items()} == {RANDOM: 8, GROUPED: 8, ONE_OUT: 12}
    assert seen == [
        [f"{name} folds", count, count] for name, count in ((RANDOM, 8), (GROUPED, 8), (ONE_OUT, 12))
    ]
    assert (gap.rows, gap.groups) == (96, 12)


def test_no_gap_where_the_text_tells():
    gap = measure_gap(table(sign=False), TASK, folds=4, repeats=1)
    assert gap.gap.value == gap.gap.low == gap.gap.high == 0.0
    assert gap.by[GROUPED].metrics["f1_macro"] == 1.0


def test_any_strategy_may_be_folded(tiny):
    toy = toy_split(2).train
    rows = read(toy.add_column("group", [f"g{row % 6}" for row in range(len(toy))]))
    task = replace(toy_split(2).task, group="group", metric="accuracy")
    spec = {"preset": "full", "learning_rate": 3e-3, "batch_size": 8}
    how = {"folds": 3, "repeats": 1, "backbone": str(tiny("bert"))}
    learned = measure_gap(rows, task, strategy=spec, epochs=10, **how)
    untuned = measure_gap(rows, task, strategy="untuned", **how)
    for name in (RANDOM, GROUPED, ONE_OUT):
        assert learned.by[name].score.value > untuned.by[name].score.value + 0.15
    with pytest.raises(ConfigError, match="strategies: 'tfid' is not one of"):
        measure_gap(rows, task, strategy="tfid")


def test_a_lower_error_is_better():
    rows = table(sign=True, labels=("1", "3"))
    gap = measure_gap(rows, Task(kind="regression", group="group"), folds=4, repeats=1)
    assert gap.metric == "rmse" and gap.by[RANDOM].score.value < gap.by[GROUPED].score.value
    assert gap.gap.value > 0  # random folds flatter, whatever the metric's direction


def test_many_groups_are_not_left_out_one_by_one():
    gap = measure_gap(table(sign=False, groups=51, each=2), TASK, folds=3, repeats=1)
    assert gap.by.keys() == {RANDOM, GROUPED} and gap.notes == ()


def test_a_label_of_one_group():
    rows = [*table(sign=False)] + [
        {"id": f"x{n}", "text": "other", "label": "maybe", "group": "gx"} for n in range(8)
    ]
    task = Task(group="group", labels=("maybe", "no", "yes"))
    with pytest.raises(
        DataError, match="grouped folds: in round 1 of 3 no training row has the label 'maybe'"
    ):
        measure_gap(read(rows), task, folds=3, repeats=1)


def test_repeats():
    with pytest.raises(ConfigError, match="repeats: 0 is below 1"):
        measure_gap(table(sign=False), TASK, repeats=0)


def test_a_constant_has_an_area_of_a_half_in_every_way_of_folding():
    draw = random.Random(1)
    rows = [
        {
            "id": f"{g}-{n}",
            "text": f"word{n}",
            "label": "yes" if draw.random() < (g + 1) / 13 else "no",
            "group": f"g{g}",
        }
        for g in range(12)
        for n in range(20)
    ]
    gap = measure_gap(read(rows), replace(TASK, metric="roc_auc"), strategy="majority", folds=4, repeats=1)
    assert {name: folded.score.value for name, folded in gap.by.items()} == {
        RANDOM: 0.5,
        GROUPED: 0.5,
        ONE_OUT: 0.5,
    }


def test_noise_on_folds_of_other_base_rates_is_a_half_and_pooled_ranks_would_not_be():
    draws = np.random.default_rng(0)
    groups, rate = np.repeat(np.arange(40), 50), np.repeat(np.linspace(0.2, 0.8, 40), 50)
    truth = (draws.random(2000) < rate).astype(int)
    chance = (
        0.5 - 0.2 * (rate - 0.5) + 0.001 * draws.normal(size=2000)
    )  # the base rate of the others, and noise
    said = np.column_stack([1 - chance, chance])
    folds = [np.flatnonzero(groups == group) for group in range(40)]
    ours = score(WithinFolds(target_of("classification", ("no", "yes")), truth, said, folds), 2000)
    assert ours["roc_auc"] == pytest.approx(0.5, abs=0.03) and roc_auc_score(truth, chance) < 0.35
    each = [roc_auc_score(truth[rows], chance[rows]) for rows in folds]
    assert ours["roc_auc"] == pytest.approx(np.mean(each))
    assert ours["accuracy"] == pytest.approx((said.argmax(axis=1) == truth).mean())


def test_groups_of_one_label_have_no_area_and_are_left_out_with_a_note():
    gap = measure_gap(table(sign=False), replace(TASK, metric="roc_auc"), folds=4, repeats=1)
    assert gap.by.keys() == {RANDOM, GROUPED}
    assert gap.notes == ("one group out is not shown: roc_auc is undefined within every group",)

"""Halving: which shares of the steps, who goes on, and that a training in parts is a whole one."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stratune.backbone.load import load_backbone
from stratune.evaluate.selection import Selection
from stratune.fitting.local import NetFitting
from stratune.strategy import parse_strategy
from stratune.testing import toy_split
from stratune.train.halving import LEAST, WHOLE, Part, going_on, rungs_of, whole_trainings
from stratune.train.loop import Evaluation
from stratune.train.orders import Halving
from stratune.train.settings import Budget, Recipe, TrainSettings
from stratune.train.trial import Reached, Trial, outcome
from stratune.watch import SILENT
from tests.helpers import Callbacks, adapted, learned
from tests.train.loops import make_loop, same_tensors

PARTIAL = {"preset": "partial", "k": 1}
RUNGS = (0.15, 0.5, 1.0)

# -- rungs


def test_eight_trials_cost_a_quarter_of_eight():
    rungs = rungs_of(8)
    assert [rung.trials for rung in rungs] == [8, 3, 1]
    assert [rung.share for rung in rungs] == pytest.approx([3 / 35, 11 / 35, 1.0])  # c = 24/35
    assert whole_trainings(rungs) == pytest.approx(72 / 35) and 72 / 35 / 8 < 0.26


@given(st.integers(1, 2000))
def test_every_rung_has_the_same_steps_but_the_first_which_has_the_least(trials):
    rungs = rungs_of(trials)
    counts, shares = [rung.trials for rung in rungs], [rung.share for rung in rungs]
    assert counts[0] == trials and counts[-1] == 1 and shares[-1] == 1.0 and shares[0] >= LEAST
    assert all(more > fewer for more, fewer in zip(counts, counts[1:], strict=False))
    assert all(low < high for low, high in zip(shares, shares[1:], strict=False))
    steps = np.diff([0.0, *shares]) * counts
    assert np.allclose(steps[1:], steps[-1])
    assert np.isclose(steps[0], steps[-1]) if shares[0] > LEAST else steps[0] >= steps[-1] * (1 - 1e-9)
    assert whole_trainings(rungs) == pytest.approx(steps.sum()) and steps.sum() <= trials + 1e-9


def test_the_default_has_a_place_on_every_rung_but_the_last():
    def default(one):
        return one == 0

    assert going_on([5, 3, 1, 0], 3, default) == [5, 3, 0]
    assert going_on([5, 0, 1, 3], 3, default) == [5, 0, 1]
    assert going_on([5, 0], 1, default) == [5]
    assert going_on([5], 3, default) == [5] and going_on([], 3, default) == []


# -- which trial comes next


def simulated(order, value, *, fails=(), whole=False):
    """(trials, turns, what was kept after each) where `value(number, share)` is what validation says."""
    done, turns, alive = [], [], []
    while (turn := order.next(done)) is not None:
        turns.append((turn.number, round(turn.part.until, 3)))
        before = done[turn.number] if turn.number < len(done) else Trial(turn.settings, {}, turn.number)
        if (turn.number, len(before.rungs)) in fails:
            found = Trial(turn.settings, {}, turn.number, error="it failed", rungs=before.rungs)
        else:
            last = 1.0 if whole else turn.part.until
            shares = [share for share in turn.part.rungs[len(before.rungs) :] if share <= last]
            ends = [Reached(share, value(turn.number, share)) for share in shares]
            found = Trial(turn.settings, ends[-1].val, turn.number, rungs=(*before.rungs, *ends))
        done[turn.number :] = [found, *done[turn.number + 1 :]]
        alive.append(order.alive(done))
    return done, turns, alive


def of_eight(metric="f1", higher_is_better=True):
    return Halving([{"rate": float(i)} for i in range(8)], Selection(metric, higher_is_better), "log_loss")


def test_the_best_go_on_and_the_rest_is_dropped_as_soon_as_it_cannot():
    order = of_eight()
    done, turns, alive = simulated(order, lambda number, share: {"f1": number / 10 + share})
    assert turns == [*((i, 0.086) for i in range(8)), (7, 0.314), (6, 0.314), (0, 0.314), (7, 1.0)]
    assert order.chosen(done).number == 7
    assert alive[2] == {0, 1, 2} and alive[4] == {0, 4, 3}  # the default keeps its place
    assert alive[7] == alive[8] == {7, 6, 0}
    assert alive[10] == alive[11] == {7}


def test_undefined_is_last_and_of_equals_the_earlier_goes_on():
    order = of_eight("rmse", higher_is_better=False)
    values = {1: 2.0, 3: 1.0, 5: 1.0, 6: float("nan")}
    done, turns, _ = simulated(
        order, lambda number, share: {"rmse": values[number]} if number in values else {}
    )
    assert [number for number, _ in turns[8:]] == [3, 5, 0, 3] and order.chosen(done).number == 3


def test_one_that_was_finished_early_may_be_chosen_and_is_kept_until_a_better_one_comes_to_its_end():
    """Where the last one got worse: by a threshold of its own, say."""
    order = Halving([{"rate": float(i)} for i in range(3)], Selection("f1"), "log_loss")
    ends = [Reached(share, {"f1": 0.6}) for share in order.rungs]
    finished = Trial(order.settings[1], {"f1": 0.6}, 1, rungs=tuple(ends))
    begun = [
        Trial(order.settings[i], {"f1": value}, i, rungs=(Reached(order.rungs[0], {"f1": value}),))
        for i, value in ((0, 0.2), (2, 0.7))
    ]
    done = [begun[0], finished, begun[1]]
    assert order.next(done).number == 2 and order.alive(done) == {1, 2}
    for last, chosen in ((0.5, 1), (0.6, 1), (0.8, 2)):
        rungs = (*begun[1].rungs, Reached(1.0, {"f1": last}))
        done[2] = replace(begun[1], val={"f1": last}, rungs=rungs)
        assert order.next(done) is None and order.chosen(done).number == chosen
        assert order.alive(done) == {chosen}


def test_the_loss_orders_equals():
    losses = [0.7, 0.6, 0.5, 0.4, float("nan"), 0.65, 0.5]
    for scores in ({"f1": 0.4}, {}):
        order = of_eight()
        done, turns, _ = simulated(
            order,
            lambda number, share, scores=scores: (
                scores | ({"log_loss": losses[number]} if number < 7 else {})
            ),
        )
        assert [number for number, _ in turns[8:]] == [3, 2, 0, 3] and order.chosen(done).number == 3


def test_one_that_fails_gives_its_place_to_the_next():
    order = of_eight()
    done, turns, _ = simulated(order, lambda number, share: {"f1": number / 10}, fails={(7, 1), (6, 2)})
    assert turns[8:] == [(7, 0.314), (6, 0.314), (5, 0.314), (0, 0.314), (6, 1.0), (5, 1.0)]
    assert order.chosen(done).number == 5
    done, turns, _ = simulated(order, lambda number, share: {"f1": 0.5}, fails={(i, 0) for i in range(8)})
    assert len(turns) == 8 and order.chosen(done) is None


def test_fits_without_steps_are_whole_at_once_and_the_best_of_all_is_chosen():
    order = of_eight()
    done, turns, alive = simulated(order, lambda number, share: {"f1": (number * 3 % 8) / 10}, whole=True)
    assert len(turns) == 8 and order.chosen(done).number == 5 and alive[-1] == {5}


@given(st.lists(st.sampled_from([0.1, 0.2, 0.3]), min_size=2, max_size=30), st.integers(0, 100))
def test_it_ends_with_one_at_the_end_and_costs_what_was_said(values, seed):
    order = Halving([{"rate": float(i)} for i in range(len(values))], Selection("f1"), "log_loss")
    noise = np.random.default_rng(seed).uniform(0, 0.2, (len(values), 101))
    done, turns, _ = simulated(
        order, lambda number, share: {"f1": values[number] + noise[number, int(share * 100)]}
    )
    assert sum(trial.rungs[-1].share for trial in done) == pytest.approx(
        whole_trainings(rungs_of(len(values)))
    )
    assert (
        len(order.chosen(done).rungs)
        == len(order.rungs)
        == len(done[0].rungs) + (order.chosen(done).number != 0)
    )


def test_the_note_tells_what_it_cost_and_how_far_the_default_came():
    def trial(number, value, rungs, share):
        ends = tuple(Reached(end, {"f1": value}) for end in (0.1, 0.375, 1.0)[:rungs])
        return Trial({"rate": number}, {"f1": value}, number, share=share, rungs=ends)

    chosen, default, other = trial(2, 0.75, 3, 0.9), trial(0, 0.625, 2, 0.375), trial(1, 0.5, 1, 0.1)
    failed = Trial({"rate": 3}, {}, 3, error="no room")
    told = outcome([chosen, default, other, failed], Selection("f1"))
    assert told == (
        "4 trials by halving, 1.4 full trainings, 1 failed: validation f1 0.500 to 0.750; "
        "chosen trial 2: rate 2 (the default settings: 0.625 at 38% of the steps)"
    )
    assert outcome([trial(0, 0.75, 3, 1.0), other], Selection("f1")).endswith("; chosen the default settings")


def test_a_line_of_a_trial_is_read_back_as_it_was():
    trial = Trial(
        {"rate": 0.1}, {"f1": 0.5}, 3, 2.5, share=0.3, rungs=(Reached(0.1, {}), Reached(0.3, {"f1": 0.5}))
    )
    assert Trial.of_line(json.loads(json.dumps(trial.line()))) == trial
    assert {"rungs", "share"}.isdisjoint(Trial({}, {}).line())


# -- a training in parts


def without_clock(history):
    return [{k: v for k, v in line.items() if k != "seconds"} for line in history]


def trained(spec, folder, split=None, *, part=WHOLE, epochs=2, work=None, progress=SILENT, **settings):
    """A part of a training on the toy task, 8 rows a step, in float32."""
    strategy, split = parse_strategy(spec), split or toy_split()
    strategy = replace(strategy, recipe=replace(strategy.recipe, batch_size=8))
    options = TrainSettings(**{"precision": "float32", "patience": 100, **settings})
    backbone, budget = load_backbone(str(folder)), Budget(epochs=epochs)
    fitting = NetFitting(strategy, backbone, split.task, split, budget, 0, options, work, progress, part)
    return fitting.run()


@pytest.mark.parametrize("spec", [PARTIAL, "full", "lora", "prefix"], ids=str)
def test_in_parts_it_is_the_same_training(spec, tiny, tmp_path):
    options = {"evals_per_epoch": 2}
    whole = trained(spec, tiny("bert"), part=Part(1.0, RUNGS), **options)
    ends, ticks = [], []
    watch = Callbacks(step=lambda tick: ticks.append(tick.step))
    for share in (RUNGS[0], RUNGS[0], *RUNGS[1:]):  # the first twice: as after a kill
        found = trained(spec, tiny("bert"), work=tmp_path, part=Part(share, RUNGS), progress=watch, **options)
        ends.append(found.position.step)
        assert found.position.share == pytest.approx(share, abs=0.05)
    assert ends == [2, 2, 7, 14] and found.position.finished
    assert sorted(set(ticks)) == list(range(1, 15))
    assert same_tensors(learned(found), learned(whole))
    assert without_clock(found.history) == without_clock(whole.history)
    assert found.position.examples_seen == whole.position.examples_seen


def test_its_learning_rates_are_those_of_a_training_without_parts(tiny, tmp_path):
    plain = trained(PARTIAL, tiny("bert"), evals_per_epoch=2)
    parts = trained(PARTIAL, tiny("bert"), evals_per_epoch=2, part=Part(1.0, RUNGS))
    assert [line["step"] for line in plain.history] == [4, 7, 11, 14]
    assert [line["step"] for line in parts.history] == [2, 4, 7, 11, 14]
    shared = [line for line in parts.history if line["step"] != 2]
    for one, other in zip(shared, plain.history, strict=True):
        assert one["learning_rate"] == other["learning_rate"] and one["val_loss"] == other["val_loss"]


def test_a_checkpoint_without_the_rungs_is_not_gone_on_with(tiny, tmp_path):
    """It may be beyond a rung that it did not evaluate."""
    trained(PARTIAL, tiny("bert"), work=tmp_path)
    found = trained(PARTIAL, tiny("bert"), work=tmp_path, part=Part(RUNGS[0], RUNGS))
    assert found.position.step == 2


def test_patience_does_not_count_the_evaluations_at_rungs(tiny, tmp_path):
    """They are more than the user asked for. One may be the best, so the first here: 2 epochs after it, not 3."""

    def never_better():
        return Evaluation(0.5, 0.5, 1.0)

    part = Part(1.0, (0.1, 0.3, 0.4, 0.6, 1.0))
    ends = []
    for options in ({}, {"part": part}):
        net = adapted("probe", tiny("bert"))
        settings = TrainSettings(patience=2)
        how = {"epochs": 6, "settings": settings, "recipe": Recipe(batch_size=4), "evaluate": never_better}
        ends.append(make_loop(net, **how, **options).run().step)
    assert ends == [15, 10]  # 5 steps an epoch, 30 in all; rungs after steps 3, 9, 12, 18


def test_one_that_patience_has_finished_stays_finished(tiny, tmp_path):
    split, options = toy_split(3, rows=60), {"epochs": 8, "patience": 1}
    spec = {**PARTIAL, "learning_rate": 1.0}
    first = trained(spec, tiny("bert"), split, work=tmp_path, part=Part(0.9, (0.9, 1.0)), **options)
    assert first.position.finished and first.position.share < 0.9
    ticks = []
    watch = Callbacks(step=ticks.append)
    again = trained(
        spec, tiny("bert"), split, work=tmp_path, part=Part(1.0, (0.9, 1.0)), progress=watch, **options
    )
    assert not ticks and again.position.step == first.position.step

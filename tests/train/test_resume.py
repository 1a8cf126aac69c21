"""A run that is killed and started again ends like one that was left alone, to the last bit."""

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from stratune.strategy import PRESETS, parse_strategy
from stratune.testing import toy_split
from stratune.train.settings import TrainSettings
from tests.helpers import Callbacks, adapted, learned, logits_of, trained
from tests.train.loops import make_loop, same_tensors

PARTIAL = {"preset": "partial", "k": 1}
STEPPED = {"preset": "probe", "solved": False}
EAGER = {"checkpoint_seconds": 0.0, "evals_per_epoch": 2}


class Killed(Exception):
    pass


def killer(step):
    """Dies at the end of a step, before it is saved; step counts optimiser steps, from 1."""

    def tick(tick):
        if tick.step == step:
            raise Killed

    return Callbacks(step=tick)


def without_clock(history):
    return [{k: v for k, v in line.items() if k != "seconds"} for line in history]


def interrupted(spec, folder, work, step, **options):
    with pytest.raises(Killed):
        trained(spec, folder, work=work, progress=killer(step), **EAGER, **options)
    assert len(list(work.glob("checkpoint-*"))) == (step > 1)


def assert_same_run(found, wanted):
    assert same_tensors(learned(found), learned(wanted))
    assert without_clock(found.history) == without_clock(wanted.history)
    assert found.position.examples_seen == wanted.position.examples_seen
    assert (found.position.best_step, found.position.best_epoch) == (
        wanted.position.best_step,
        wanted.position.best_epoch,
    )
    assert np.array_equal(logits_of(found), logits_of(wanted))


LEARN = [name for name in PRESETS if ":" not in name and parse_strategy(name).trains]
COMPLETION = {"preset": "completion", "readout": {"template": {"answer": ": {label}"}}}


@pytest.mark.parametrize("preset", LEARN)
def test_every_technique_goes_on_after_a_kill(preset, tiny, tmp_path):
    asks = preset == "completion"
    spec, folder = (COMPLETION, tiny("llama")) if asks else (preset, tiny("bert"))
    undisturbed = trained(spec, folder, **EAGER)
    interrupted(spec, folder, tmp_path / "run", 3)
    again = trained(spec, folder, work=tmp_path / "run", **EAGER)
    assert same_tensors(learned(again), learned(undisturbed))
    assert without_clock(again.history) == without_clock(undisturbed.history)


@pytest.mark.parametrize("step", [1, 2, 4, 7, 12])  # 6 steps an epoch, evaluated after the 3rd and the 6th
@pytest.mark.parametrize("spec", [STEPPED, PARTIAL, "full", "lora"], ids=["probe", "partial", "full", "lora"])
def test_going_on_after_a_kill_changes_nothing(spec, step, tiny, tmp_path):
    undisturbed = trained(spec, tiny("bert"), **EAGER)
    interrupted(spec, tiny("bert"), tmp_path / "run", step)
    steps = []
    again = trained(
        spec,
        tiny("bert"),
        work=tmp_path / "run",
        progress=Callbacks(step=lambda tick: steps.append(tick.step)),
        **EAGER,
    )
    assert steps[0] == step  # what had been done before is not done again
    assert_same_run(again, undisturbed)


def test_killed_again_and_again(tiny, tmp_path):
    undisturbed = trained(PARTIAL, tiny("bert"), **EAGER)
    for step in (2, 3, 3, 6, 7, 11):
        interrupted(PARTIAL, tiny("bert"), tmp_path, step)
    assert_same_run(trained(PARTIAL, tiny("bert"), work=tmp_path, **EAGER), undisturbed)


def test_a_finished_run_is_not_trained_again(tiny, tmp_path):
    first = trained(PARTIAL, tiny("bert"), work=tmp_path, **EAGER)
    ticks = []
    again = trained(PARTIAL, tiny("bert"), work=tmp_path, progress=Callbacks(step=ticks.append), **EAGER)
    assert not ticks
    assert_same_run(again, first)


def test_a_run_that_was_stopped_early_stays_stopped(tiny, tmp_path):
    options = {**EAGER, "patience": 1, "epochs": 8}
    first = trained({**PARTIAL, "learning_rate": 1.0}, tiny("bert"), work=tmp_path, **options)
    assert first.position.evaluations_since_best == 1
    again = trained({**PARTIAL, "learning_rate": 1.0}, tiny("bert"), work=tmp_path, **options)
    assert_same_run(again, first)


@pytest.mark.parametrize(
    "harm",
    [
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(path.read_bytes()[:-100]),
        lambda path: path.write_bytes(b"\xff" * 1000),
        lambda path: save_file(load_file(path), path),  # of somebody else: no word of a run in it
        lambda path: save_file({"other": torch.zeros(1)}, path, metadata={"identity": "x", "position": "{}"}),
    ],
    ids=["empty", "cut", "garbage", "no metadata", "foreign"],
)
def test_a_damaged_checkpoint_is_ignored(harm, tiny, tmp_path):
    interrupted(PARTIAL, tiny("bert"), tmp_path, 5)
    harm(next(tmp_path.glob("checkpoint-*")))
    assert_same_run(
        trained(PARTIAL, tiny("bert"), work=tmp_path, **EAGER), trained(PARTIAL, tiny("bert"), **EAGER)
    )


@pytest.mark.parametrize(
    "then",
    [
        {"spec": {**PARTIAL, "learning_rate": 1e-2}},
        {"spec": {**PARTIAL, "readout": {"dropout": 0.5}}},
        {"seed": 1},
        {"epochs": 3},
        {"class_weights": {"animal": 2.0}},
        {"split": toy_split(seed=1)},
    ],
    ids=["recipe", "readout", "seed", "budget", "settings", "data"],
)
def test_a_checkpoint_of_other_settings_is_ignored(then, tiny, tmp_path):
    """Its tensors would fit, and the run would be neither the one nor the other."""
    interrupted(PARTIAL, tiny("bert"), tmp_path, 5)
    options = {"spec": PARTIAL, **EAGER, **then}
    spec = options.pop("spec")
    found = trained(spec, tiny("bert"), work=tmp_path, **options)
    assert_same_run(found, trained(spec, tiny("bert"), **options))


def test_how_often_to_save_is_no_part_of_a_run(tiny, tmp_path):
    interrupted(PARTIAL, tiny("bert"), tmp_path, 5)
    steps = []
    watch = Callbacks(step=lambda tick: steps.append(tick.step))
    trained(PARTIAL, tiny("bert"), work=tmp_path, progress=watch, evals_per_epoch=2, checkpoint_seconds=60.0)
    assert steps[0] == 5


def test_a_checkpoint_holds_what_learns_and_nothing_else(tiny, tmp_path):
    run = trained(PARTIAL, tiny("bert"), work=tmp_path)
    with safe_open(tmp_path / "checkpoint-float32.safetensors", framework="pt") as stored:
        keys = set(stored.keys())
    names = set(learned(run))
    parts = ("learning", "best", "optimizer/step", "optimizer/exp_avg", "optimizer/exp_avg_sq")
    assert keys == {f"{part}/{name}" for part in parts for name in names}


def test_it_is_saved_by_the_clock_and_at_the_end(tiny, tmp_path):
    file = tmp_path / "checkpoint.safetensors"
    there = []
    for seconds in (0.0, 1000.0):
        file.unlink(missing_ok=True)
        net = adapted("probe", tiny("bert"))
        settings = TrainSettings(checkpoint_seconds=seconds)
        progress = Callbacks(step=lambda step: there.append(file.exists()))
        make_loop(net, settings=settings, checkpoint_file=file, progress=progress).run()
        assert file.exists()
    ticks = len(there) // 2
    assert there[:ticks] == [False] + [True] * (ticks - 1)
    assert not any(there[ticks:])

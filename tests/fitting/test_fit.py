"""fit: a strategy, a backbone and a seed in, a predictor and its costs out."""

import dataclasses

import numpy as np
import pytest
import torch

from stratune.backbone.load import load_backbone
from stratune.errors import ConfigError, NonFiniteLoss
from stratune.fitting.fit import fit
from stratune.objective.classes import CrossEntropy
from stratune.strategy import parse_strategy
from stratune.testing import toy_split
from stratune.testing.nets import net_of
from stratune.train import loop as loop_module
from stratune.train.loop import Loop
from stratune.train.settings import Budget, TrainSettings
from tests.helpers import Callbacks, learned, trained
from tests.scores import score, truth_of
from tests.train.loops import same_tensors

FULL = {"preset": "full", "learning_rate": 3e-3}
STEPPED = {"preset": "probe", "solved": False}  # in steps, as what has no solution


def accuracy(run, split):
    return score(
        truth_of(split.test, split.task), run.predictor.predict_proba(split.test), split.task.labels
    )["accuracy"]


@pytest.mark.parametrize(
    "family, classes, pairs, rate, floor",
    [
        ("bert", 2, False, 3e-3, 0.95),
        ("bert", 3, False, 3e-3, 0.95),
        ("bert", 2, True, 3e-3, 0.95),
        ("llama", 2, False, 6e-3, 0.8),
    ],
)
def test_the_toy_task_is_learned(family, classes, pairs, rate, floor, tiny):
    split = toy_split(classes, pairs=pairs, rows=120)
    run = trained({"preset": "full", "learning_rate": rate}, tiny(family), split=split, epochs=12)
    assert accuracy(run, split) > floor


def test_the_public_function_takes_names(tiny):
    split = toy_split()
    predictor = fit("probe", str(tiny("bert")), split.task, split, Budget(epochs=1), 0)
    assert predictor.predict(["the cat"])[0].label in split.task.labels


def test_a_backbone_may_be_given_loaded(tiny):
    split, settings = toy_split(), TrainSettings(precision="float32")
    rows = list(split.test["text"])
    given = (load_backbone(str(tiny("bert"))), str(tiny("bert")))
    first, second = (fit("probe", b, split.task, split, Budget(epochs=1), settings=settings) for b in given)
    assert np.array_equal(first.predict_proba(rows), second.predict_proba(rows))


@pytest.mark.parametrize("spec", ["probe", FULL, "tfidf"])
def test_the_test_part_is_not_looked_at(spec, tiny):
    split = toy_split()
    blind = dataclasses.replace(split, test=None)
    folder = None if spec == "tfidf" else tiny("bert")
    runs = [trained(spec, folder, split=s) for s in (split, blind)]
    assert np.array_equal(*(run.predictor.predict_proba(split.test) for run in runs))


def test_what_a_run_says_of_itself(tiny):
    split = toy_split()
    run = trained({"preset": "partial", "k": 1}, tiny("bert"), split=split)
    net = net_of(run.predictor.model)
    assert run.trainable_params == sum(p.numel() for p in net.parameters() if p.requires_grad)
    assert run.total_params == sum(p.numel() for p in net.parameters())
    assert run.precision == "float32" and run.is_main_process
    assert run.position.examples_seen == 2 * len(split.train) and run.train_seconds > 0
    assert [line["epoch"] for line in run.history] == [1.0, 2.0]
    about = run.predictor.about
    assert about["strategy"] == net_settings(about) and about["fingerprint"] == split.fingerprint
    assert about["backbone"]["id"] == str(tiny("bert")) and about["seed"] == 0


def net_settings(about):
    return parse_strategy(about["strategy"]).settings()


def test_the_seconds_of_frozen_activations_are_borne_by_each_run(tiny):
    first = trained(STEPPED, tiny("bert"))
    again = trained(STEPPED, tiny("bert"))  # finds them in the cache
    for run in (first, again):
        assert run.train_seconds > run.position.train_seconds


def test_the_history_is_of_validation(tiny):
    split = toy_split()
    run = trained(STEPPED, tiny("bert"), split=split, epochs=3)
    best = max(line["val"] for line in run.history)
    found = score(truth_of(split.val, split.task), run.predictor.predict_proba(split.val), split.task.labels)
    assert found["f1_macro"] == pytest.approx(best) == pytest.approx(run.position.best_score)


def test_a_metric_that_is_better_when_lower_is_minimised(tiny):
    split = toy_split(metric="log_loss")
    run = trained({**FULL, "learning_rate": 1e-2}, tiny("bert"), split=split, epochs=8)
    values = [line["val"] for line in run.history]
    assert max(values) > min(values) + 0.01
    assert run.position.best_score == pytest.approx(-min(values))
    found = score(truth_of(split.val, split.task), run.predictor.predict_proba(split.val), split.task.labels)
    assert found["log_loss"] == pytest.approx(min(values), abs=1e-6)


def test_class_weights_move_the_balance(tiny):
    split = toy_split()
    means = [
        trained("probe", tiny("bert"), split=split, class_weights={"animal": w})
        .predictor.predict_proba(split.test)[:, 0]
        .mean()
        for w in (0.05, 20.0)
    ]
    assert means[0] + 0.1 < means[1]


def test_each_seed_is_a_run_of_its_own(tiny):
    heads = [learned(trained(STEPPED, tiny("bert"), seed=seed))["head.linear.weight"] for seed in (0, 1, 2)]
    assert not any(torch.equal(heads[i], heads[j]) for i, j in ((0, 1), (0, 2), (1, 2)))


def test_a_strategy_that_learns_nothing_has_no_history(tiny):
    run = trained("untuned", tiny("bert"))
    assert run.position is None and run.history == [] and run.trainable_params == 0


def test_floors_need_no_backbone_and_others_do():
    run = trained("majority", None)
    assert run.predictor.about["backbone"] is None and run.trainable_params == 2
    with pytest.raises(ConfigError, match="backbones: probe needs a backbone"):
        trained("probe", None)


def test_the_watcher_is_told_what_goes_on(tiny):
    stages, rows, ticks = [], [], []
    watch = Callbacks(
        stage=lambda name, total: stages.append((name, total)), rows=rows.append, step=ticks.append
    )
    trained(STEPPED, tiny("bert"), progress=watch)
    assert stages == [("frozen activations", 48), ("frozen activations", 16), ("predicting val", 16)]
    assert sum(rows) == 48 + 16  # validation is predicted from its activations, whose rows were told before
    assert ticks[-1].step == ticks[-1].steps


# -- what is not finite --------------------------------------------------------------------------------------


@pytest.fixture
def overflowing(monkeypatch):
    """bfloat16 that overflows: whatever is computed in it gives a loss of NaN. Tells what was tried."""
    tried = []
    plain_autocast, plain_losses = loop_module.autocast, CrossEntropy.losses

    def autocast(runtime):
        tried.append(runtime.precision)
        return plain_autocast(runtime)

    def losses(*args):
        return plain_losses(*args) * (float("nan") if tried[-1] == "bfloat16" else 1.0)

    monkeypatch.setattr(loop_module, "autocast", autocast)
    monkeypatch.setattr(CrossEntropy, "losses", losses)
    return tried


@pytest.mark.parametrize("spec", [STEPPED, FULL, "lora"], ids=["probe", "full", "lora"])
def test_a_loss_that_is_not_finite_is_tried_once_more_in_float32(spec, tiny, overflowing):
    run = trained(spec, tiny("bert"), precision="bfloat16")
    assert run.precision == run.predictor.model.precision == "float32"
    assert sorted(set(overflowing)) == ["bfloat16", "float32"]
    assert overflowing.index("float32") == overflowing.count("bfloat16"), "first the one, then the other"
    assert same_tensors(learned(run), learned(trained(spec, tiny("bert"), precision="float32")))


def test_in_float32_there_is_no_second_try(tiny, monkeypatch):
    tries = []

    def losses(self, logits, truth, weights, smoothing):
        return logits.sum(dim=1) * float("nan")

    plain = Loop.run
    monkeypatch.setattr(Loop, "run", lambda self: tries.append(self.runtime.precision) or plain(self))
    monkeypatch.setattr(CrossEntropy, "losses", losses)
    with pytest.raises(NonFiniteLoss, match="the loss or a gradient was NaN or infinite by step 7"):
        trained(STEPPED, tiny("bert"))
    assert tries == ["float32"]
    with pytest.raises(NonFiniteLoss):
        trained(STEPPED, tiny("bert"), precision="bfloat16")
    assert tries == ["float32", "bfloat16", "float32"]


def test_a_run_that_was_tried_again_resumes_in_float32(tiny, tmp_path, overflowing):
    wanted = trained(FULL, tiny("bert"), precision="bfloat16")

    def kill(tick):
        if tick.step == 9:
            raise KeyboardInterrupt

    options = {"precision": "bfloat16", "checkpoint_seconds": 0.0, "work": tmp_path}
    with pytest.raises(KeyboardInterrupt):
        trained(FULL, tiny("bert"), progress=Callbacks(step=kill), **options)
    steps = []
    run = trained(
        FULL, tiny("bert"), progress=Callbacks(step=lambda tick: steps.append(tick.step)), **options
    )
    assert run.precision == "float32" and 9 in steps
    assert same_tensors(learned(run), learned(wanted))

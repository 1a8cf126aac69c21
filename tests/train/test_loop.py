"""The loop: gradients against torch, the schedule against transformers, what it keeps, when it stops."""

import dataclasses
import json
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors import safe_open
from torch.nn import functional as F
from transformers import get_linear_schedule_with_warmup

from stratune.errors import ConfigError, NonFiniteLoss
from stratune.strategy import Recipe
from stratune.task import Task
from stratune.tokens.batches import collate, training_steps
from stratune.train import checkpoint
from stratune.train.checkpoint import TrainingState
from stratune.train.class_weights import class_weights
from stratune.train.loop import Evaluation, schedule
from stratune.train.settings import TrainSettings
from tests.helpers import Callbacks, adapted
from tests.train.loops import gradients_of_first_step, make_loop, optimiser_steps

QUIET = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}  # for a BERT
NO_DROPOUT = {"preset": "full", "readout": {"dropout": 0.0}}
UNCLIPPED = {"batch_size": 8, "max_grad_norm": 1e9}


def quiet_net(tiny):
    return adapted(NO_DROPOUT, tiny("bert", **QUIET))


def close(found, wanted, tolerance=1e-6):
    scale = max(1.0, max(float(t.abs().max()) for t in wanted.values()))
    assert found.keys() == wanted.keys()
    for name in wanted:
        assert torch.allclose(found[name], wanted[name], atol=tolerance * scale), name


# -- gradients -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("smoothing, weighting", [(0.0, "none"), (0.1, {"animal": 3.0})])
def test_the_gradient_is_torchs_of_the_sum_over_the_batch_size(smoothing, weighting, tiny):
    recipe = Recipe(**UNCLIPPED, label_smoothing=smoothing)
    net = quiet_net(tiny)
    loop = make_loop(net)
    weights = class_weights(weighting, loop.truth, Task(labels=("animal", "weather")))
    # A step holds 8 rows' worth of tokens; the mean is over 8 whatever it holds, so that each row counts alike.
    lengths = loop.feed.tokens.lengths
    seed = next(seed for seed in range(50) if len(training_steps(lengths, 8, seed, 0)[0]) != 8)
    rows = training_steps(lengths, 8, seed, 0)[0]
    truth = torch.from_numpy(loop.truth[rows])
    losses = F.cross_entropy(
        net(collate(loop.feed.tokens, rows, 0)), truth, reduction="none", label_smoothing=smoothing
    )
    loss = (losses * weights[truth] if weights is not None else losses).sum() / recipe.batch_size
    wanted = dict(
        zip(net.trainable(), torch.autograd.grad(loss, list(net.trainable().values())), strict=True)
    )
    close(gradients_of_first_step(quiet_net(tiny), recipe=recipe, weights=weights, seed=seed), wanted)


@pytest.mark.parametrize("micro_batch_tokens", [1, 20, 60])
def test_many_small_passes_give_the_gradient_of_one_big_pass(micro_batch_tokens, tiny):
    big, small = (
        gradients_of_first_step(
            quiet_net(tiny), recipe=Recipe(**UNCLIPPED), settings=TrainSettings(micro_batch_tokens=tokens)
        )
        for tokens in (4096, micro_batch_tokens)
    )
    close(small, big)


def test_gradients_are_clipped_as_one_vector(tiny):
    plain = gradients_of_first_step(quiet_net(tiny), recipe=Recipe(**UNCLIPPED))
    norm = math.sqrt(sum(float(grad.square().sum()) for grad in plain.values()))
    limit = norm / 4
    clipped = gradients_of_first_step(quiet_net(tiny), recipe=Recipe(batch_size=8, max_grad_norm=limit))
    close(clipped, {name: grad / 4 for name, grad in plain.items()}, 1e-5)
    generous = gradients_of_first_step(quiet_net(tiny), recipe=Recipe(batch_size=8, max_grad_norm=norm * 2))
    close(generous, plain)


# -- learning rate and decay ---------------------------------------------------------------------------------


@settings(deadline=None)
@given(st.integers(1, 400), st.floats(0, 0.5))
def test_the_schedule_is_transformers_with_a_first_step_that_moves(steps, warmup):
    rising = max(1, round(warmup * steps))
    dummy = torch.optim.SGD([torch.zeros(1)], lr=1.0)
    wanted = get_linear_schedule_with_warmup(dummy, rising, steps).lr_lambdas[0]
    for step in range(steps):
        at = step + 1 if step < rising else step  # theirs spends the first step at zero
        if at < steps:
            assert schedule(step, steps, warmup) == pytest.approx(wanted(at))
    assert schedule(steps, steps, warmup) == 0


def test_ten_percent_of_the_steps_warm_up():
    shares = [schedule(step, 100, 0.1) for step in range(100)]
    assert shares[:10] == pytest.approx([0.1 * i for i in range(1, 11)])
    assert shares == sorted(shares[:10]) + sorted(shares[10:], reverse=True)
    assert max(shares) == 1 and 0 < shares[-1] < 0.02


def test_the_optimiser_follows_the_schedule_with_a_peak_for_backbone_and_head(tiny):
    recipe = Recipe(learning_rate=1e-4, head_learning_rate=1e-2, batch_size=8)
    net = adapted({"preset": "partial", "k": 1}, tiny("bert"))
    head = {id(p) for p in net.head.parameters()}
    with optimiser_steps() as seen:
        loop = make_loop(net, recipe=recipe, epochs=5)
        loop.run()
    assert len(seen) == loop.steps
    for step, (_, groups) in enumerate(seen):
        share = schedule(step, loop.steps, 0.1)
        for group in groups:
            peaks = {1e-2 if id(p) in head else 1e-4 for p in group["params"]}
            assert len(peaks) == 1 and group["lr"] == pytest.approx(share * peaks.pop())


def test_vectors_are_not_decayed(tiny):
    net = adapted("full", tiny("bert"))
    with optimiser_steps() as seen:
        make_loop(net, recipe=Recipe(batch_size=8, weight_decay=0.05)).run()
    decay = {id(p): group["weight_decay"] for group in seen[0][1] for p in group["params"]}
    trainable = net.trainable()
    assert len(decay) == len(trainable)
    for name, parameter in trainable.items():
        assert decay[id(parameter)] == (0.0 if name.endswith("bias") or "LayerNorm" in name else 0.05), name


# -- epochs and evaluations ----------------------------------------------------------------------------------


@pytest.mark.parametrize("epochs, rows", [(1, 32), (2, 64), (0.5, 16), (1.5, 48)])
def test_epochs_may_be_fractions(epochs, rows, tiny):
    position = make_loop(adapted("probe", tiny("bert")), epochs=epochs, rows=32).run()
    assert position.examples_seen == pytest.approx(rows, abs=8)
    assert position.history[-1]["epoch"] == pytest.approx(epochs, abs=0.15)
    assert position.finished


@pytest.mark.parametrize("per_epoch", [1, 2, 3])
def test_evaluations_stand_evenly_and_at_the_end_of_each_epoch(per_epoch, tiny):
    loop = make_loop(
        adapted("probe", tiny("bert")),
        rows=48,
        settings=TrainSettings(evals_per_epoch=per_epoch, patience=100),
    )
    position = loop.run()
    assert len(position.history) == 2 * per_epoch
    ends = {sum(loop.plan[: i + 1]) for i in range(len(loop.plan))}
    assert ends <= {line["step"] for line in position.history}


def test_a_history_line_tells_where_training_stood(tiny):
    ticks = []
    loop = make_loop(adapted("probe", tiny("bert")), progress=Callbacks(step=ticks.append))
    position = loop.run()
    line = position.history[0]
    assert line.keys() == {"step", "epoch", "loss", "val", "val_loss", "learning_rate", "seconds"}
    assert line["step"] == loop.plan[0] and line["epoch"] == 1.0
    assert line["loss"] == pytest.approx(math.log(2), abs=0.2)  # a mean over rows, hardly trained
    assert 0 < line["seconds"] <= position.train_seconds
    steps = [tick for tick in ticks if tick.value is None]
    assert [tick.step for tick in steps] == list(range(1, loop.steps + 1))
    assert sum(tick.rows for tick in ticks) == position.examples_seen == 32
    assert [tick.value for tick in ticks if tick.value is not None] == [1.0, 2.0]


# -- best step and stopping ----------------------------------------------------------------------------------


def judged(net, scores):
    """An evaluation that gives these (score, log loss), and the tensors it saw at each."""
    left, seen = list(scores), []

    def evaluate():
        seen.append(checkpoint.snapshot(net.trainable()))
        score, log_loss = left.pop(0)
        return undefined(log_loss) if score is None else Evaluation(score, score, log_loss)

    return evaluate, seen


def run_judged(tiny, scores, **options):
    net = adapted("probe", tiny("bert"))
    evaluate, seen = judged(net, scores)
    loop = make_loop(net, evaluate=evaluate, epochs=len(scores), **options)
    return loop.run(), seen, checkpoint.snapshot(net.trainable()), loop


@pytest.mark.parametrize(
    "scores, best",
    [
        ([(0.1, 1.0), (0.9, 1.0), (0.3, 1.0), (0.2, 1.0)], 1),
        ([(0.5, 0.9), (0.5, 0.7), (0.5, 0.8)], 1),  # a tie goes to the lower log loss
        ([(0.5, 0.7), (0.5, 0.7)], 0),  # and else to the earlier step
        ([(-3.0, 1.0), (-2.0, 1.0), (-1.0, 1.0)], 2),  # a metric that is better when lower
    ],
)
def test_the_net_ends_with_the_tensors_of_its_best_step(scores, best, tiny):
    position, seen, ended, _ = run_judged(tiny, scores)
    assert len(seen) == len(scores)
    for name, tensor in seen[best].items():
        assert torch.equal(ended[name], tensor)
    others = [s for i, s in enumerate(seen) if i != best]
    assert not any(torch.equal(s["head.linear.weight"], ended["head.linear.weight"]) for s in others)
    assert position.best_score == scores[best][0]
    assert position.best_epoch == best + 1


def test_where_validation_chooses_nothing_the_last_step_is_kept_and_patience_is_not_spent(tiny):
    scores = [(0.9, 0.1), (0.5, 1.0), (0.4, 2.0), (0.3, 3.0)]
    position, seen, ended, loop = run_judged(tiny, scores, settings=TrainSettings(patience=1), chooses=False)
    assert len(seen) == 4 and position.step == position.best_step == loop.steps
    for name, tensor in seen[-1].items():
        assert torch.equal(ended[name], tensor)


def test_training_stops_when_patience_is_spent(tiny):
    scores = [(0.5, 1.0), (0.9, 1.0), (0.8, 1.0), (0.7, 1.0), (0.99, 1.0), (0.99, 1.0)]
    position, seen, _, loop = run_judged(tiny, scores, settings=TrainSettings(patience=2))
    assert len(seen) == 4 and position.best_score == 0.9
    assert position.finished and position.step < loop.steps


def test_the_loss_chooses_and_stops_where_it_was_asked_for(tiny):
    scores = [(0.5, 1.0), (0.6, 0.7), (0.7, 0.8), (0.8, 0.9), (0.9, 0.1), (0.9, 0.1)]
    position, seen, ended, _ = run_judged(tiny, scores, settings=TrainSettings(patience=2, stop_on="loss"))
    assert len(seen) == 4 and (position.best_score, position.best_log_loss) == (0.6, 0.7)
    for name, tensor in seen[1].items():
        assert torch.equal(ended[name], tensor)
    ties = [(0.5, 0.7), (0.6, 0.7), (0.4, 0.7)]  # of equal losses the better score
    assert run_judged(tiny, ties, settings=TrainSettings(stop_on="loss"))[0].best_score == 0.6
    with pytest.raises(ConfigError, match="train.stop_on: 'accuracy' is not one of score, loss"):
        TrainSettings(stop_on="accuracy")


def test_every_better_evaluation_renews_patience(tiny):
    scores = [(0.1, 1.0), (0.0, 1.0), (0.2, 1.0), (0.1, 1.0), (0.3, 1.0), (0.2, 1.0)]
    position, seen, _, _ = run_judged(tiny, scores, settings=TrainSettings(patience=2))
    assert len(seen) == 6 and position.best_score == 0.3


def undefined(log_loss):
    """An evaluation whose metric has no value."""
    return Evaluation(-math.inf, None, log_loss)


@pytest.mark.parametrize(
    "scores, best",
    [
        ([(None, 1.0), (None, 0.8), (None, 0.9)], 1),  # never a value: the loss decides
        ([(None, 0.1), (-5.0, 9.0), (None, 0.1)], 1),  # any value is better than none
        ([(0.3, 1.0), (None, 0.1), (0.2, 0.1)], 0),
    ],
)
def test_an_undefined_metric_stands_below_every_value(scores, best, tiny, tmp_path):
    position, seen, ended, _ = run_judged(tiny, scores, checkpoint_file=tmp_path / "kept.safetensors")
    for name, tensor in seen[best].items():
        assert torch.equal(ended[name], tensor)
    assert (position.best_score, position.best_epoch) == (scores[best][0], best + 1)
    assert [line["val"] for line in position.history] == [score for score, _ in scores]
    json.loads(json.dumps(position.history, allow_nan=False))
    with safe_open(tmp_path / "kept.safetensors", framework="pt") as stored:
        kept = TrainingState(**json.loads(stored.metadata()["position"]))
    assert kept == position
    json.dumps(dataclasses.asdict(kept), allow_nan=False)


def test_patience_is_spent_where_the_metric_stays_undefined(tiny):
    scores = [(None, 0.5), (None, 0.6), (None, 0.7), (0.9, 0.1)]
    position, seen, _, _ = run_judged(tiny, scores, settings=TrainSettings(patience=2))
    assert len(seen) == 3 and position.finished and position.best_score is None


# -- what is not finite --------------------------------------------------------------------------------------


@pytest.mark.parametrize("planted", [math.inf, math.nan])
def test_a_loss_that_is_not_finite_ends_training(planted, tiny):
    net = adapted("full", tiny("bert"))
    with torch.no_grad():
        net.head.linear.weight[0, 0] = planted
    with pytest.raises(NonFiniteLoss, match=r"the loss or a gradient was NaN or infinite by step \d+"):
        make_loop(net).run()


def test_it_is_noticed_before_the_validation_that_would_see_it(tiny):
    net = adapted("probe", tiny("bert"))

    def break_it(tick):
        with torch.no_grad():
            net.head.linear.weight.fill_(math.nan)

    def evaluate():
        raise AssertionError("evaluated a net that is not finite")

    with pytest.raises(NonFiniteLoss):
        make_loop(net, progress=Callbacks(step=break_it), evaluate=evaluate, epochs=1).run()


# -- modes ---------------------------------------------------------------------------------------------------


def test_while_training_frozen_modules_have_no_dropout_and_learning_ones_do(tiny):
    net = adapted({"preset": "partial", "k": 1}, tiny("bert"))
    modes = []
    dropouts = {
        name: m
        for name, m in net.backbone.model.named_modules()
        if isinstance(m, torch.nn.Dropout) and m.p > 0
    }
    frozen = {name: m for name, m in dropouts.items() if "layer.2." not in name}
    trainable = {name: m for name, m in dropouts.items() if "layer.2." in name}
    assert frozen and trainable

    def look(tick):
        if tick.value is None:  # a step, not an evaluation
            parts = ({m.training for m in part.values()} for part in (frozen, trainable))
            modes.append((*parts, net.head.dropout.training))

    make_loop(net, progress=Callbacks(step=look)).run()
    assert modes and all(seen == ({False}, {True}, True) for seen in modes)


def test_seeds_draw_other_dropout(tiny):
    heads = []
    for seed in (0, 0, 1):
        net = adapted("probe", tiny("bert"), seed=0)  # the same start
        loop = make_loop(net, seed=seed, epochs=1, recipe=Recipe(batch_size=16))  # the same single step
        loop.run()
        heads.append(net.head.linear.weight.detach().clone())
    assert torch.equal(heads[0], heads[1]) and not torch.equal(heads[0], heads[2])

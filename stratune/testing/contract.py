"""The contract every strategy keeps, as checks to run over your own:

    @pytest.mark.parametrize("check", CHECKS)
    def test_my_strategy(check, tmp_path):
        check("my_preset", save_tiny("bert", tmp_path / "bert"), tmp_path)

A check takes the strategy (a preset's name or a mapping of options), the folder of a tiny backbone (None for
a baseline) and an empty folder to write in. It returns nothing and raises AssertionError with what is wrong.
A check that cannot fail for a strategy passes at once; `checks_of` names those that can.
Trainings are shared between checks: the same strategy and backbone are trained once per process.
"""

from __future__ import annotations

import json
from dataclasses import MISSING, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn import functional as F

from stratune.data.rows import text_columns
from stratune.errors import ArtifactError, UnsupportedError
from stratune.evaluate.kinds import KINDS
from stratune.model.answers import Scored
from stratune.model.postprocess import Postprocess
from stratune.predictor.predictor import Predictor
from stratune.strategy import Strategy, parse_strategy
from stratune.strategy.base import MadeOfRuns
from stratune.target.decision import Decide
from stratune.testing.check import Check, Spec, check, is_of_a_net, needs_pairs, trains
from stratune.testing.trained import fitted, run, split_of
from stratune.tokens.batches import Batch

__all__ = ["CHECKS", "Check", "Spec", "checks_of", "run"]

TOLERANCE = 1e-5  # of probabilities, or of logits relative to their size
LONGER = 5.0  # times as many epochs, for a technique that has not learned in a few steps

# -- of the options


@check(alone=True)
def check_default_constructible(spec: Spec, backbone_folder: Path | None, tmp_path: Path) -> None:
    strategy = parse_strategy(spec)
    technique = strategy.tune if isinstance(strategy, Strategy) else strategy
    required = [f.name for f in fields(technique) if f.default is MISSING and f.default_factory is MISSING]
    assert not required, f"{type(technique).__name__}: give {', '.join(required)} a default"
    type(technique)()


@check(alone=True)
def check_settings_round_trip(spec: Spec, backbone_folder: Path | None, tmp_path: Path) -> None:
    strategy = parse_strategy(spec)
    written = json.loads(json.dumps(strategy.settings()))
    again = parse_strategy(written)
    assert json.loads(json.dumps(again.settings())) == written, "settings do not survive JSON"
    assert type(again) is type(strategy) and again.name == strategy.name


# -- of the answers


@check()
def check_task_kinds(spec: Spec, backbone_folder: Path | None, tmp_path: Path) -> None:
    """Each kind of task works, or is refused with a reason; one at least works."""
    refused = {}
    for kind in KINDS:
        split = split_of(kind, pairs=needs_pairs(spec))
        try:
            predictor = fitted(spec, backbone_folder, split).predictor
        except UnsupportedError as error:
            assert error.why.strip(), f"a task of kind {kind} is refused without a reason"
            refused[kind] = error.why
            continue
        scored = predictor.score(list(split.test))
        shape = (len(split.test), len(split.task.columns))
        assert scored.predictions.shape == shape, f"{kind}: {scored.predictions.shape} answers, not {shape}"
        _check_answered(scored, kind)
        if kind == "regression":
            valid = scored.predictions[~np.isnan(scored.predictions)]
            in_unit = np.abs(valid - 1000) < 500
            assert in_unit.all(), "values of 990 and 1,010 are answered in another unit"
    reasons = "; ".join(f"{kind}: {why}" for kind, why in refused.items())
    assert len(refused) < len(KINDS), f"every kind of task is refused ({reasons})"


def _check_answered(scored: Scored, what: str) -> None:
    """Each row has an answer, or says that it has none."""
    found = np.isfinite(scored.predictions).all(axis=1)
    explained = found if scored.invalid is None else found | scored.invalid
    assert explained.all(), f"{what}: not every row has an answer"


@check()
def check_a_text_of_ten_windows(spec: Spec, backbone_folder: Path | None, tmp_path: Path) -> None:
    """It gets an answer, and what was not read is counted."""
    done = run(spec, backbone_folder)
    context = done.net.backbone.max_length if done.net is not None else 512
    text = " ".join(["cat", "the", "rain"] * (10 * context // 3))
    scored = done.predictor.score([done.row(text)])
    _check_answered(scored, "a long text")
    if done.net is not None:
        cut = scored.tokens_cut[0]
        assert cut >= 8 * context, f"of a text of ten windows {cut} tokens are counted as cut"


@check()
def check_batch_equals_single(spec: Spec, backbone_folder: Path | None, tmp_path: Path) -> None:
    done = run(spec, backbone_folder)
    rows = [*list(done.split.test)[:5], done.row("cat")]
    alone = [done.predictor.score([row]) for row in rows]
    _same(done.predictor.score(rows), _joined(alone), "a batch and its texts one by one")


@check()
def check_saved_is_the_same(spec: Spec, backbone_folder: Path | None, tmp_path: Path) -> None:
    done = run(spec, backbone_folder)
    before = done.answers
    try:
        again = Predictor.load(done.predictor.save(tmp_path / "model"))
    except ArtifactError as error:
        raise AssertionError(str(error)) from error
    assert again.labels == done.predictor.labels
    _same(again.score(list(done.split.train)), before, "answers before and after saving")


@check()
def check_calibration_moves_no_label(spec: Spec, backbone_folder: Path | None, tmp_path: Path) -> None:
    """Scaled probabilities have the same labels, and another threshold the same probabilities."""
    done = run(spec, backbone_folder)
    target, texts = done.split.task.target, text_columns(done.split.val)
    raw = done.predictor.model(*texts)
    truth = target.truth(done.split.val["label"][:])
    scaled, moved = (
        replace(done.predictor, post=Postprocess.chosen(raw, truth, target, how))
        for how in (Decide(calibrate="vector"), Decide(metric="accuracy"))
    )
    plain = done.predictor.answer(*texts)
    calibrated = scaled.answer(*texts)
    assert np.array_equal(calibrated.decided, plain.decided), "calibration has moved a label"
    under = moved.answer(*texts).predictions
    _close(np.nan_to_num(under), np.nan_to_num(plain.predictions), "probabilities under a threshold")
    loaded = Predictor.load(scaled.save(tmp_path / "calibrated"))
    assert loaded.post == scaled.post, "calibration does not survive saving"


@check()
def check_labels_go_by_name(spec: Spec, backbone_folder: Path | None, tmp_path: Path) -> None:
    """With the labels in another order, columns, scores and predicted names still belong together.

    A baseline, in which nothing is drawn, gives each label the same numbers.
    """
    labels = ("weather", "animal")
    split = split_of(labels=labels, pairs=needs_pairs(spec))
    split = replace(split, val=split.train)  # as in `run`, to which it is compared
    predictor = fitted(spec, backbone_folder, split).predictor
    assert predictor.labels == labels
    probabilities = predictor.predict_proba(split.test)
    for answer, row in zip(predictor.predict(split.test), probabilities, strict=True):
        if answer.invalid:
            assert answer.label == "", f"a row without an answer is called {answer.label}"
            continue
        assert answer.scores == dict(zip(labels, map(float, row), strict=True))
        assert answer.label == labels[int(row.argmax())]
    if not isinstance(parse_strategy(spec), (Strategy, MadeOfRuns)):
        ordered = run(spec, backbone_folder).predictor.predict_proba(split.test)
        _close(probabilities[:, ::-1], ordered, "probabilities with the labels in another order")


@check()
def check_seed_decides(spec: Spec, backbone_folder: Path | None, tmp_path: Path) -> None:
    """Same seed, same bits; another seed, another head, or other rows shown (else nothing is random)."""
    split = split_of(pairs=needs_pairs(spec))

    def answers(seed: int) -> Scored:
        return fitted(spec, backbone_folder, split, seed=seed).predictor.score(list(split.test))

    first, again = answers(0), answers(0)
    equal = np.array_equal(first.predictions, again.predictions, equal_nan=True)
    assert equal and first.answers == again.answers, "the same seed gave other numbers"
    if _draws(parse_strategy(spec)):
        other = answers(1).predictions
        assert not np.array_equal(first.predictions, other), "another seed gave the same numbers"


def _draws(strategy: Any) -> bool:
    """Whether a seed can matter: a head is drawn, rows are drawn, or weights are trained in a drawn order."""
    if not isinstance(strategy, Strategy):
        return False
    readout = strategy.readout
    if strategy.solved and not strategy.trains:
        return False
    return strategy.trains or not readout.language_model or readout.shown_at_random


# -- of the weights


@check(is_of_a_net)
def check_frozen_stays_frozen(spec: Spec, backbone_folder: Path | None, tmp_path: Path) -> None:
    """Whatever of the pretrained model is not trained has the same bits afterwards."""
    done = run(spec, backbone_folder)
    assert done.net is not None
    # An adapter may have moved them one name further down (peft: `query.base_layer.weight`).
    tensors = done.net.backbone.model.state_dict(keep_vars=True)
    after = {name.replace(".base_layer.", "."): tensor for name, tensor in tensors.items()}
    _, before = done.fresh
    missing = sorted(before.keys() - after.keys())
    assert not missing, f"pretrained tensors are gone: {missing[:3]}"
    for name, tensor in before.items():
        if not after[name].requires_grad:
            assert torch.equal(after[name], tensor), f"frozen tensor {name} has changed"


@check(trains)
def check_learning_tensors_get_gradients(spec: Spec, backbone_folder: Path | None, tmp_path: Path) -> None:
    """Looked at after training: a factor that starts at zero hides its partner's gradient until it moves."""
    done = run(spec, backbone_folder)
    net = done.net
    assert net is not None and net.trainable(), (
        "nothing is trainable, though the strategy says that it trains"
    )
    batch, labels = done.batch()
    net.eval()
    try:
        torch.autograd.backward(F.cross_entropy(net(batch), labels, reduction="sum"))
        for name, parameter in net.trainable().items():
            assert parameter.grad is not None, f"{name} is trainable, but the loss does not depend on it"
            assert bool(torch.isfinite(parameter.grad).all()), f"the gradient of {name} is not finite"
            assert bool(parameter.grad.any()), f"the gradient of {name} is zero everywhere"
    finally:
        net.zero_grad(set_to_none=True)


@check(is_of_a_net)
def check_loss_falls(spec: Spec, backbone_folder: Path | None, tmp_path: Path) -> None:
    done = run(spec, backbone_folder)
    assert done.net is not None
    fresh, _ = done.fresh
    before, after = done.loss(fresh), done.loss(done.net)
    if done.strategy.solved and not done.strategy.trains:
        before = max(before, done.constant_loss + TOLERANCE)  # a penalty may leave nothing but the constant
    if done.strategy.solved and not getattr(done.strategy.tune, "reads_rows", True):
        return  # its head has nothing to do with the training rows
    if done.strategy.trains and after >= before:  # few steps, of which dropout may spoil some
        after = done.loss(done.longer(LONGER))
    if done.strategy.trains or done.strategy.solved:
        assert after < before, f"the loss rose, {before:.4f} to {after:.4f}"
    else:
        assert after == before, "nothing is trained, and yet the loss has moved"


@check(is_of_a_net)
def check_padding_side_changes_nothing(spec: Spec, backbone_folder: Path | None, tmp_path: Path) -> None:
    done = run(spec, backbone_folder)
    assert done.net is not None
    batch, _ = done.batch()
    done.net.eval()
    with torch.no_grad():
        _close(done.net(_pad_left(batch)), done.net(batch), "logits with padding left and right")


def _pad_left(batch: Batch) -> Batch:
    """The same rows with their padding moved in front."""
    length = batch.mask.shape[1]
    shift = length - batch.mask.sum(dim=1, keepdim=True)
    source = (torch.arange(length) - shift) % length  # (B, T): what was at the end, the padding, comes first
    types = batch.types.gather(1, source) if batch.types is not None else None
    return replace(batch, ids=batch.ids.gather(1, source), mask=batch.mask.gather(1, source), types=types)


# -- comparing


def _same(found: Scored, wanted: Scored, what: str) -> None:
    """Written answers to the letter, numbers within the tolerance, and no answer for the same rows."""
    assert found.answers == wanted.answers, f"{what}: other answers are written"
    none, expected = np.isnan(found.predictions), np.isnan(wanted.predictions)
    assert np.array_equal(none, expected), f"{what}: other rows have no answer"
    _close(found.predictions[~none], wanted.predictions[~none], what)


def _joined(rows: list[Scored]) -> Scored:
    """One by one answered, as one."""
    written = None if rows[0].answers is None else [text for row in rows for text in row.answers or ()]
    predictions, cut = (
        np.concatenate([getattr(row, name) for row in rows]) for name in ("predictions", "tokens_cut")
    )
    return Scored(predictions, cut, answers=written)


def _close(found: Any, wanted: Any, what: str) -> None:
    found, wanted = np.asarray(found, dtype=np.float64), np.asarray(wanted, dtype=np.float64)
    gap, scale = np.abs(found - wanted).max(initial=0.0), np.abs(wanted).max(initial=1.0)
    assert gap <= TOLERANCE * scale, f"{what}: they differ by {gap:.3g}"


CHECKS: tuple[Check, ...] = (
    check_default_constructible,
    check_settings_round_trip,
    check_task_kinds,
    check_a_text_of_ten_windows,
    check_frozen_stays_frozen,
    check_learning_tensors_get_gradients,
    check_loss_falls,
    check_batch_equals_single,
    check_padding_side_changes_nothing,
    check_saved_is_the_same,
    check_calibration_moves_no_label,
    check_labels_go_by_name,
    check_seed_decides,
)


def checks_of(spec: Spec) -> tuple[Check, ...]:
    """The checks that can fail for a strategy."""
    return tuple(check for check in CHECKS if check.applies(spec))

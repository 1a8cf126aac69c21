"""The contract every strategy keeps, as checks to run over your own:

    @pytest.mark.parametrize("check", CHECKS)
    def test_my_strategy(check, tmp_path):
        check("my_preset", save_tiny("bert", tmp_path / "bert"), tmp_path)

A check takes the strategy (a preset's name or a mapping of options), the folder of a tiny backbone (None for
a floor) and an empty folder to write in. It returns nothing and raises AssertionError with what is wrong.
Trainings are shared between checks: the same strategy, backbone and seed are trained once per process.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from stratune.backbone.load import Backbone, load_backbone
from stratune.data.split import Split
from stratune.errors import UnsupportedError
from stratune.evaluate.kinds import KINDS
from stratune.fitting.fit import train
from stratune.fitting.trained import Trained
from stratune.net.net import Net
from stratune.predictor.predictor import Predictor
from stratune.strategy import Strategy, parse_strategy
from stratune.testing.nets import fresh_net, net_of, reader_of
from stratune.testing.toy import toy_split, toy_split_of
from stratune.tokens.batches import Batch, collate
from stratune.tokens.reader import Reader
from stratune.tokens.tokens import TextLimit
from stratune.train.settings import Budget, TrainSettings

Spec = str | Mapping[str, Any]
Check = Callable[[Spec, Path | None, Path], None]

ROWS = 16
TOLERANCE = 1e-5  # of probabilities, or of logits relative to their size
EXTRA = {"batch_size": 8}  # two steps an epoch on 16 rows


# -- one training, looked at from many sides


@dataclass(frozen=True)
class Run:
    """A training on 16 rows, and the tensors as they were before it."""

    trained: Trained
    split: Split
    before: dict[str, Tensor]
    outputs: np.ndarray[Any, Any]  # (N, K) probabilities of the training rows
    loss_before: float
    loss_after: float

    @property
    def predictor(self) -> Predictor:
        return self.trained.predictor

    @property
    def net(self) -> Any:
        return net_of(self.predictor.model)

    @property
    def reader(self) -> Any:
        return reader_of(self.predictor.model)


def run(spec: Spec, backbone_folder: Path | None, seed: int = 0, epochs: float = 10) -> Run:
    """Train on 16 rows that are validation too. UnsupportedError when the backbone cannot do it."""
    return _run(json.dumps(spec), backbone_folder, seed, epochs)


@lru_cache(maxsize=32)
def _run(spec_json: str, backbone_folder: Path | None, seed: int, epochs: float) -> Run:
    split = toy_split(rows=ROWS, metric="log_loss")
    split = replace(split, val=split.train)
    strategy = _small(json.loads(spec_json))
    before: dict[str, Tensor] = {}
    backbone, loss_before = None, float("nan")
    if isinstance(strategy, Strategy):
        backbone = _backbone(strategy, backbone_folder)
        before = {name: p.detach().clone() for name, p in backbone.model.state_dict().items()}
        net = _fresh(strategy, backbone_folder, seed)
        limit = TextLimit(virtual=net.reserved_positions)
        reader = strategy.readout.reader(net.backbone, split.task, limit, split.train, seed)
        loss_before = _loss(net, split, reader)
    settings = TrainSettings(precision="float32", patience=100)
    trained = train(strategy, backbone, split.task, split, Budget(epochs=epochs), seed, settings=settings)
    outputs = trained.predictor.predict_proba(split.train)
    trained_net, loss_after = net_of(trained.predictor.model), float("nan")
    if trained_net is not None:
        loss_after = _loss(trained_net, split, reader_of(trained.predictor.model))
    return Run(trained, split, before, outputs, loss_before, loss_after)


def _small(spec: Spec) -> Any:
    strategy = parse_strategy(spec)
    if not isinstance(strategy, Strategy):
        return strategy
    return replace(strategy, recipe=replace(strategy.recipe, **EXTRA))


def _fresh(strategy: Strategy, backbone_folder: Path | None, seed: int) -> Net:
    """The net as training starts with it."""
    torch.manual_seed(seed)
    objective = strategy.readout.objective(toy_split().task)
    backbone = _backbone(strategy, backbone_folder)
    net = fresh_net(backbone, strategy.readout, objective, seed)
    strategy.tune.adapt(net)
    return net.eval()


def _backbone(strategy: Strategy, folder: Path | None) -> Backbone:
    return load_backbone(str(folder), language_model=strategy.readout.language_model)


def _batch(net: Net, split: Split, reader: Reader) -> tuple[Batch, Tensor]:
    """All training rows and their labels."""
    tokens = reader.tokens(list(split.train["text"]), None)
    index = split.task.target.index
    labels = torch.tensor([index[name] for name in split.train["label"]])
    return collate(tokens, range(len(tokens)), int(net.backbone.tokenizer.pad_token_id)), labels


def _loss(net: Net, split: Split, reader: Reader) -> float:
    """What training minimises, over the training rows."""
    batch, labels = _batch(net, split, reader)
    net.eval()
    with torch.no_grad():
        return float(net.objective.losses(net(batch), labels, None, 0.0).mean())


def _close(found: Any, wanted: Any, what: str) -> None:
    found, wanted = np.asarray(found, dtype=np.float64), np.asarray(wanted, dtype=np.float64)
    gap, scale = np.abs(found - wanted).max(), max(1.0, np.abs(wanted).max())
    assert gap <= TOLERANCE * scale, f"{what}: they differ by {gap:.3g}"


# -- the checks


def check_default_constructible(spec: Spec, backbone_folder: Path | None, tmp_path: Path) -> None:
    strategy = parse_strategy(spec)
    technique = strategy.tune if isinstance(strategy, Strategy) else strategy
    required = [f.name for f in fields(technique) if f.default is MISSING and f.default_factory is MISSING]
    assert not required, f"{type(technique).__name__}: give {', '.join(required)} a default"
    type(technique)()


def check_settings_round_trip(spec: Spec, backbone_folder: Path | None, tmp_path: Path) -> None:
    strategy = parse_strategy(spec)
    written = json.loads(json.dumps(strategy.settings()))
    again = parse_strategy(written)
    assert json.loads(json.dumps(again.settings())) == written, "settings do not survive JSON"
    assert type(again) is type(strategy) and again.name == strategy.name


def check_frozen_stays_frozen(spec: Spec, backbone_folder: Path | None, tmp_path: Path) -> None:
    """Whatever of the pretrained model does not learn has the same bits afterwards."""
    done = run(spec, backbone_folder)
    if done.net is None:
        return
    # An adapter may have moved them one name further down (peft: `query.base_layer.weight`).
    tensors = done.net.backbone.model.state_dict(keep_vars=True)
    after = {name.replace(".base_layer.", "."): tensor for name, tensor in tensors.items()}
    missing = sorted(done.before.keys() - after.keys())
    assert not missing, f"pretrained tensors are gone: {missing[:3]}"
    for name, tensor in done.before.items():
        if not after[name].requires_grad:
            assert torch.equal(after[name], tensor), f"frozen tensor {name} has changed"


def check_learning_tensors_get_gradients(spec: Spec, backbone_folder: Path | None, tmp_path: Path) -> None:
    """Looked at after training: a factor that starts at zero hides its partner's gradient until it moves."""
    done = run(spec, backbone_folder)
    if done.net is None or not done.net.trainable():
        return
    batch, labels = _batch(done.net, done.split, done.reader)
    done.net.eval()
    try:
        torch.autograd.backward(F.cross_entropy(done.net(batch), labels, reduction="sum"))
        for name, parameter in done.net.trainable().items():
            assert parameter.grad is not None, f"{name} learns, but the loss does not depend on it"
            assert bool(torch.isfinite(parameter.grad).all()), f"the gradient of {name} is not finite"
            assert bool(parameter.grad.any()), f"the gradient of {name} is zero everywhere"
    finally:
        done.net.zero_grad(set_to_none=True)


def check_loss_falls(spec: Spec, backbone_folder: Path | None, tmp_path: Path) -> None:
    done = run(spec, backbone_folder)
    if done.net is None:
        return
    if not done.net.trainable():
        assert done.loss_after == done.loss_before, "nothing learns, and yet the loss has moved"
        return
    assert done.loss_after < done.loss_before, (
        f"the loss rose, {done.loss_before:.4f} to {done.loss_after:.4f}"
    )


def check_batch_equals_single(spec: Spec, backbone_folder: Path | None, tmp_path: Path) -> None:
    done = run(spec, backbone_folder)
    texts = [*done.split.test["text"][:5], "cat"]
    together = done.predictor.predict_proba(texts)
    alone = np.concatenate([done.predictor.predict_proba([text]) for text in texts])
    _close(together, alone, "a batch and its texts one by one")


def check_padding_side_changes_nothing(spec: Spec, backbone_folder: Path | None, tmp_path: Path) -> None:
    done = run(spec, backbone_folder)
    if done.net is None:
        return
    batch, _ = _batch(done.net, done.split, done.reader)
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


def check_saved_is_the_same(spec: Spec, backbone_folder: Path | None, tmp_path: Path) -> None:
    done = run(spec, backbone_folder)
    again = Predictor.load(done.predictor.save(tmp_path / "model"))
    assert again.labels == done.predictor.labels
    _close(again.predict_proba(done.split.train), done.outputs, "probabilities before and after saving")


def check_seed_decides(spec: Spec, backbone_folder: Path | None, tmp_path: Path) -> None:
    """Same seed, same bits; another seed, another head, or other rows shown (else nothing is random)."""
    first = run(spec, backbone_folder, seed=0, epochs=2)
    _run.cache_clear()
    again = run(spec, backbone_folder, seed=0, epochs=2)
    assert np.array_equal(first.outputs, again.outputs), "the same seed gave other numbers"
    if first.net is not None and _draws(parse_strategy(spec)):
        other = run(spec, backbone_folder, seed=1, epochs=2)
        assert not np.array_equal(first.outputs, other.outputs), "another seed gave the same numbers"


def _draws(strategy: Any) -> bool:
    """Whether a seed can matter: a head is drawn, rows are drawn, or something learns in a drawn order."""
    readout = strategy.readout
    return strategy.trains or not readout.language_model or readout.shown_at_random


def check_labels_go_by_name(spec: Spec, backbone_folder: Path | None, tmp_path: Path) -> None:
    """With the labels in another order, columns, scores and predicted names still belong together."""
    labels = ("weather", "animal")
    split = toy_split(rows=ROWS, labels=labels)
    backbone = str(backbone_folder) if backbone_folder else None
    settings = TrainSettings(precision="float32")
    trained = train(_small(spec), backbone, split.task, split, Budget(epochs=2), 0, settings=settings)
    predictor = trained.predictor
    assert predictor.labels == labels
    probabilities = predictor.predict_proba(split.test)
    for answer, row in zip(predictor.predict(split.test), probabilities, strict=True):
        assert answer.scores == dict(zip(labels, map(float, row), strict=True))
        assert answer.label == labels[int(row.argmax())]


def check_task_kinds(spec: Spec, backbone_folder: Path | None, tmp_path: Path) -> None:
    """Every kind of task works, or is refused with a reason; a regression answers in the user's unit."""
    backbone = str(backbone_folder) if backbone_folder else None
    for kind in KINDS:
        split = toy_split_of(kind)
        settings = TrainSettings(precision="float32", cache=False)
        try:
            trained = train(_small(spec), backbone, split.task, split, Budget(epochs=1), 0, settings=settings)
        except UnsupportedError as error:
            assert str(error).strip(), f"a task of kind {kind} is refused without a reason"
            continue
        predictions = trained.predictor.predict_proba(split.test)
        assert predictions.shape == (len(split.test), len(split.task.columns)), ()
        assert np.isfinite(predictions).all(), f"{kind}: not every row has an answer"
        if kind == "regression":
            assert abs(predictions.mean() - 1000) < 100, (
                "values of 990 and 1,010 are answered in another unit"
            )


def check_a_text_of_ten_windows(spec: Spec, backbone_folder: Path | None, tmp_path: Path) -> None:
    """It gets an answer, and what was not read is counted."""
    done = run(spec, backbone_folder)
    places = done.net.backbone.max_length if done.net is not None else 512
    text = " ".join(["cat", "the", "rain"] * (10 * places // 3))
    scored = done.predictor.score([text])
    assert np.isfinite(scored.predictions).all(), "a long text gets no answer"
    if done.net is not None:
        assert scored.tokens_cut[0] >= 8 * places, f"{scored.tokens_cut[0]} tokens are said to be cut"


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
    check_labels_go_by_name,
    check_seed_decides,
)

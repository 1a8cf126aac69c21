"""A training on a few rows, for the checks of the contract to look at from many sides."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from datasets import Dataset
from torch import Tensor

from stratune.backbone.load import Backbone, load_backbone
from stratune.data.rows import text_columns
from stratune.data.split import Split
from stratune.engine.run import write_predictions
from stratune.evaluate.kinds import Kind
from stratune.fitting.fit import train
from stratune.fitting.trained import Trained
from stratune.net.net import Net
from stratune.predictor.predictor import Predictor
from stratune.result import RunResult
from stratune.strategy import Strategy, parse_strategy
from stratune.strategy.base import MadeOfRuns
from stratune.testing.check import Spec, needs_pairs
from stratune.testing.nets import fresh_net, net_of, reader_of
from stratune.testing.toy import toy_split, toy_split_of
from stratune.tokens.batches import Batch
from stratune.train.feed import Feed
from stratune.train.settings import Budget, TrainSettings

if TYPE_CHECKING:
    from stratune.model.answers import Scored

ROWS = 16
EPOCHS = 3.0
STEP = {"batch_size": 8}  # two steps an epoch on 16 rows
MEMBERS = ("tfidf", "probe")  # whose runs a combination gets, where it does not name them
TEXTS = ["the cat saw rain", "we heard the storm today", "a small dog", "snow near the old house"]
UNLABELLED = Dataset.from_dict({"id": list("abcd"), "text": TEXTS})
UNLABELLED_PAIRS = UNLABELLED.add_column("text_pair", TEXTS[::-1])


@dataclass(frozen=True)
class Run:
    """A training on 16 rows, which are the validation rows too."""

    strategy: Any  # as parse_strategy gives it
    backbone_folder: Path | None
    seed: int
    split: Split
    trained: Trained

    @property
    def predictor(self) -> Predictor:
        return self.trained.predictor

    @property
    def net(self) -> Net | None:
        """None: it answers otherwise than by one net."""
        net: Net | None = net_of(self.predictor.model)
        return net

    @cached_property
    def answers(self) -> Scored:
        """Of the training rows."""
        return self.predictor.score(list(self.split.train))

    @cached_property
    def fresh(self) -> tuple[Net, dict[str, Tensor]]:
        """The net as training started with it, and the pretrained tensors before it was adapted."""
        backbone = load(self.strategy, self.backbone_folder)
        pretrained = {name: p.detach().clone() for name, p in backbone.model.state_dict().items()}
        torch.manual_seed(self.seed)
        objective = self.strategy.readout.objective(self.split.task)
        net = fresh_net(backbone, self.strategy.readout, objective, self.seed)
        self.strategy.tune.adapt(net)
        net.eval()
        net.head.before_training(net, [self.batch()[0]])
        return net, pretrained

    def longer(self, times: float) -> Net:
        """The net after so many times as many epochs, trained anew."""
        how: dict[str, Any] = {"epochs": times * EPOCHS, "seed": self.seed, "cache": True, "anew": True}
        spec = self.predictor.about["strategy"]
        net: Net | None = net_of(fitted(spec, self.backbone_folder, self.split, **how).predictor.model)
        assert net is not None
        return net

    def row(self, text: str) -> dict[str, str]:
        """A row of this text; of a task of pairs, both texts are it."""
        return {"text": text, **({"text_pair": text} if self.split.task.text_pair else {})}

    def batch(self) -> tuple[Batch, Tensor]:
        """All training rows and their labels, as numbers."""
        assert self.net is not None
        tokens = reader_of(self.predictor.model).tokens(*text_columns(self.split.train))
        labels = torch.from_numpy(self.split.task.target.truth(self.split.train["label"][:]))
        pad = int(self.net.backbone.tokenizer.pad_token_id)
        feed = Feed(tokens, pad, by_document=self.net.head.by_document)
        return feed.batch(np.arange(len(feed))), labels

    @property
    def constant_loss(self) -> float:
        """Of the best answer that has nothing to do with the text."""
        assert self.net is not None
        objective, truth = self.net.objective, self.batch()[1]
        start = objective.start(truth.numpy())
        constant = torch.zeros(objective.outputs) if start is None else torch.from_numpy(start).float()
        return float(objective.losses(constant.expand(len(truth), -1), truth, None, 0.0).mean())

    def loss(self, net: Net) -> float:
        """What training minimises, over the training rows."""
        batch, labels = self.batch()
        net.eval()
        with torch.no_grad():
            return float(net.objective.losses(net(batch), labels, None, 0.0).mean())


def run(spec: Spec, backbone_folder: Path | None) -> Run:
    """Train; the same strategy and backbone once per process.

    Raises UnsupportedError when the backbone cannot do it.
    """
    return _run(json.dumps(spec), backbone_folder)


@lru_cache(maxsize=4)
def _run(spec_json: str, backbone_folder: Path | None) -> Run:
    spec = json.loads(spec_json)
    split = split_of(pairs=needs_pairs(spec))
    split = replace(split, val=split.train)
    trained = fitted(spec, backbone_folder, split, epochs=EPOCHS, cache=True, anew=True)
    return Run(parse_strategy(spec), backbone_folder, 0, split, trained)


def fitted(
    spec: Spec,
    backbone_folder: Path | None,
    split: Split,
    *,
    epochs: float = 1,
    seed: int = 0,
    cache: bool = False,
    anew: bool = False,
) -> Trained:
    """Trained on `split`, in float32; what is made of runs, of some that are trained for it.

    `anew`: its backbone is loaded for this training alone, else once for all of the strategy.
    """
    strategy: Any = parse_strategy(spec)
    budget, settings = Budget(epochs=epochs), TrainSettings(precision="float32", patience=100, cache=cache)
    backbone = str(backbone_folder) if backbone_folder else None
    if isinstance(strategy, MadeOfRuns):
        with TemporaryDirectory() as folder:
            members = _members(strategy, backbone_folder, split, epochs, seed, Path(folder))
            split = replace(split, unlabelled=UNLABELLED_PAIRS if split.task.text_pair else UNLABELLED)
            how: Any = {"settings": settings, "members": members}
            return train(strategy, backbone, split.task, split, budget, seed, **how)
    if isinstance(strategy, Strategy):
        given = backbone if anew else _loaded(json.dumps(spec), backbone_folder)
        strategy = replace(strategy, recipe=replace(strategy.recipe, **STEP))
        return train(strategy, given, split.task, split, budget, seed, settings=settings)
    return train(strategy, backbone, split.task, split, budget, seed, settings=settings)


@lru_cache
def split_of(
    kind: Kind | None = None, labels: tuple[str, ...] | None = None, *, pairs: bool = False
) -> Split:
    """The toy task, made once: of 16 rows and two classes, or as another kind of task."""
    if kind:
        return toy_split_of(kind, pairs=pairs)
    return toy_split(rows=ROWS, metric="log_loss", labels=labels, pairs=pairs)


@lru_cache(maxsize=4)
def _loaded(spec_json: str, folder: Path | None) -> Backbone:
    """Of one strategy alone: what one does to it, the next does not see."""
    strategy: Any = parse_strategy(json.loads(spec_json))
    return load(strategy, folder)


def load(strategy: Strategy, folder: Path | None) -> Backbone:
    return load_backbone(str(folder), language_model=strategy.readout.language_model)


def _members(
    made: MadeOfRuns, backbone_folder: Path | None, split: Split, epochs: float, seed: int, runs: Path
) -> list[Path]:
    """As a comparison makes them: runs are trained (nets with two seeds), and some of them are chosen, as if
    the larger were the better.
    """
    found = [
        _member(name, backbone_folder, split, epochs, seed + turn, runs)
        for name in made.of or MEMBERS
        for turn in range(2 if isinstance(parse_strategy(name), Strategy) else 1)
    ]
    return [runs / member.run_id for member in made.choose(found, lambda run: float(run.total_params or 0))]


def _member(
    name: str, backbone_folder: Path | None, split: Split, epochs: float, seed: int, runs: Path
) -> RunResult:
    trained = fitted(name, backbone_folder, split, epochs=epochs, seed=seed)
    backbone = "tiny" if net_of(trained.predictor.model) is not None else None
    result = RunResult(
        name, backbone, seed, trainable_params=trained.trainable_params, total_params=trained.total_params
    )
    trained.predictor.save(runs / result.run_id / "model")
    answers = {"val": trained.validation_answers(split)}
    write_predictions(runs / result.run_id / "predictions.parquet", split, answers)
    result.save(runs / result.run_id / "result.json")
    return result

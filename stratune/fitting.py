"""fit: one strategy on one backbone with one seed -> a Predictor."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from stratune.backbone.load import Backbone, load_backbone
from stratune.data.rows import sample_rows, text_columns, truth_of
from stratune.errors import ConfigError, NonFiniteLoss, UnsupportedError
from stratune.evaluate.metrics import find, score
from stratune.files import sha256
from stratune.net import Net
from stratune.predictor import FloorScorer, NetScorer, Predictor
from stratune.remote.address import is_remote
from stratune.strategy import Strategy, parse_strategy
from stratune.strategy.combine import Combination
from stratune.strategy.floors import Examples, Floor
from stratune.train import checkpoint
from stratune.train.activations import Feed, feed
from stratune.train.checkpoint import Position
from stratune.train.class_weights import class_weights
from stratune.train.infer import infer
from stratune.train.loop import Evaluation, Loop, Tick
from stratune.train.precision import Precision, resolve
from stratune.train.processes import is_main, on_cpus
from stratune.train.settings import Budget, TrainSettings
from stratune.train.tokens import TextLimit, Tokens

if TYPE_CHECKING:
    from accelerate import Accelerator
    from datasets import Dataset

    from stratune.data.split import Split
    from stratune.prompt.search import Trial
    from stratune.readout.text_reader import Reader
    from stratune.remote.settings import Remote
    from stratune.task import Task


@dataclass
class Watch:
    """Whom to tell: `stage` when something longer begins (name, rows), `rows` as they pass, `tick` at each
    step, `note` what should be known now.
    """

    stage: Callable[[str, int], None] = lambda name, total: None
    rows: Callable[[int], None] = lambda count: None
    tick: Callable[[Tick], None] = lambda tick: None
    note: Callable[[str], None] = lambda text: None


@dataclass
class Trained:
    """A predictor and what its training was like. Floors have no position."""

    predictor: Predictor
    position: Position | None = None
    train_seconds: float = 0.0  # frozen activations and choosing a prompt included, validation apart
    trainable_params: int = 0
    total_params: int | None = 0  # None: a server's
    precision: Precision | None = None
    history: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)  # what the user should know
    trials: list[Trial] = field(default_factory=list)  # prompts that were tried, the chosen one first
    is_main_process: bool = True  # of several that train together, the one that writes
    processes: int = 1


def fit(
    strategy: str | dict[str, Any] | Strategy | Floor | Combination,
    backbone: str | Backbone | None,
    task: Task,
    split: Split,
    budget: Budget | None = None,
    seed: int = 0,
    *,
    settings: TrainSettings | None = None,
) -> Predictor:
    """Train `strategy` on `split.train`, choosing on `split.val`; `split.test` is not looked at.

    `task` needs its labels (`split.task` has them). A Backbone object given is used up: its weights may
    learn in place.
    Raises UnsupportedError, ConfigError, BackboneError or TrainingError.
    """
    return train(
        parse_strategy(strategy), backbone, task, split, budget or Budget(), seed, settings=settings
    ).predictor


def train(
    strategy: Strategy | Floor | Combination,
    backbone: str | Backbone | None,
    task: Task,
    split: Split,
    budget: Budget,
    seed: int,
    *,
    settings: TrainSettings | None = None,
    work: Path | None = None,
    watch: Watch | None = None,
    remote: Remote | None = None,
) -> Trained:
    """`fit`, with what it cost. `work` is a folder for checkpoints: an interrupted run goes on from there.

    `remote`: how a server is asked, when `backbone` is the address of one.
    """
    if isinstance(strategy, Combination):
        raise ConfigError(f"{strategy.name} is made of finished runs: ask `compare` for it", key="strategies")
    if not isinstance(strategy, Strategy):
        return _fit_floor(strategy, task, split, seed, (settings or TrainSettings()).max_words)
    if backbone is None:
        raise ConfigError(f"{strategy.name} needs a backbone", key="backbones")
    settings, watch = settings or TrainSettings(), watch or Watch()
    if isinstance(backbone, str) and is_remote(backbone):
        from stratune.remote.asking import ask
        from stratune.remote.settings import Remote

        return ask(strategy, backbone, task, split, seed, settings, remote or Remote(), watch)
    loaded = backbone
    if isinstance(loaded, str):
        loaded = load_backbone(loaded, language_model=strategy.readout.language_model)
    return _Fitting(strategy, loaded, task, split, budget, seed, settings, work, watch).run()


def _fit_floor(floor: Floor, task: Task, split: Split, seed: int, max_words: int | None) -> Trained:
    started = time.perf_counter()
    seen, chosen_on = (
        Examples(*text_columns(table), truth=truth_of(table, task)).first_words(max_words)
        for table in (split.train, split.val)
    )
    model = floor.fit(seen, chosen_on, task=task, seed=seed)
    weights = sum(
        array.size for name, array in model.state()[0].items() if name in ("weight", "bias", "prior")
    )
    about = {
        "strategy": floor.settings(),
        "backbone": None,
        "limit": {"max_words": max_words},
        "fingerprint": split.fingerprint,
        "seed": seed,
    }
    predictor = Predictor(task, FloorScorer(model, max_words), about, sample=sample_rows(split.val))
    seconds = time.perf_counter() - started
    return Trained(predictor, None, seconds, weights, weights, is_main_process=is_main())


def make_accelerator(settings: TrainSettings, work: Path | None) -> Accelerator:
    """accelerate places, synchronises and tracks; precision is ours (train/precision.py)."""
    from accelerate import Accelerator

    return Accelerator(
        mixed_precision="no",
        cpu=on_cpus(),
        log_with=list(settings.track) or None,
        project_dir=str(work) if work else None,
    )


@dataclass
class _Fitting:
    """One run's pieces, put together in the order they depend on each other."""

    strategy: Strategy
    backbone: Backbone
    task: Task
    split: Split
    budget: Budget
    seed: int
    settings: TrainSettings
    work: Path | None
    watch: Watch

    def run(self) -> Trained:
        self.accelerator = make_accelerator(self.settings, self.work)
        self.device = self.accelerator.device
        self.precision = resolve(self.settings.precision, self.device)
        self.pass_tokens = self.settings.tokens_per_pass(self.device.type)
        torch.manual_seed(self.seed)  # adapters draw their start from the global generator
        objective = self.strategy.readout.objective(self.task).fitted(truth_of(self.split.train, self.task))
        self.net = Net(self.backbone, self.strategy.readout, objective, self.seed)
        self.net.aggregate = self.strategy.readout.aggregate(self.task)
        self.strategy.tune.adapt(self.net)
        if self.settings.gradient_checkpointing:
            self.net.recompute()
        self.net.to(self.device)
        limit = TextLimit(self.settings.max_length, self.settings.max_words, self.net.virtual_tokens)
        self.reader: Reader = self.strategy.readout.reader(
            self.backbone, self.split.task, limit, self.split.train, self.seed
        )
        learning = self.net.learning()
        if learning and (why := self.strategy.readout.refuses_learning):
            raise UnsupportedError("learning with these prompts", self.strategy.name, why)
        total = sum(p.numel() for p in self.net.parameters())
        trained = Trained(
            self._predictor(self._scorer()),
            None,
            0.0,
            sum(p.numel() for p in learning.values()),
            total,
            self.precision,
        )
        trained.is_main_process = self.accelerator.is_main_process
        trained.processes = self.accelerator.num_processes
        if learning:
            trained.position, seconds = self._train_or_retry()
            trained.train_seconds = trained.position.train_seconds + seconds
            trained.history = trained.position.history
        self._finish(trained)
        return trained

    def _finish(self, trained: Trained) -> None:
        """Prompts are chosen and calibrated. It takes part of the time that making the predictor takes."""
        started, scorer = time.perf_counter(), self._scorer()
        trained.trials = self.strategy.readout.finish(scorer, self.split, self.seed, self.watch)
        if trained.trials:
            trained.train_seconds += time.perf_counter() - started
        self.reader = scorer.reader
        trained.notes = self.reader.notes()
        trained.predictor, trained.precision = self._predictor(scorer), self.precision

    def _train_or_retry(self) -> tuple[Position, float]:
        """A non-finite loss is tried once more, from the start, in float32 (design, rule 6)."""
        start = checkpoint.snapshot(self.net.learning())
        try:
            return self._train()
        except NonFiniteLoss:
            if self.precision == "float32":
                raise
            checkpoint.restore(self.net.learning(), start)
            self.precision = "float32"
            return self._train()

    def _train(self) -> tuple[Position, float]:
        """(where training ended, seconds that computing the frozen activations of the training rows took)."""
        self.train_feed, self.val_feed = self._feed(self.split.train), self._feed(self.split.val)
        truth, self.val_truth = (truth_of(table, self.task) for table in (self.split.train, self.split.val))
        loop = Loop(
            net=self.net,
            feed=self.train_feed,
            truth=self._of_rows(truth),
            evaluate=self._evaluate,
            recipe=self.strategy.recipe,
            settings=self.settings,
            epochs=self.strategy.recipe.epochs or self.budget.epochs,
            seed=self.seed,
            precision=self.precision,
            accelerator=self.accelerator,
            weights=class_weights(self.settings.class_weights, truth, self.task),
            checkpoint_file=self.work / f"checkpoint-{self.precision}.safetensors" if self.work else None,
            identity=self._identity(),
            watch=self.watch.tick,
        )
        if self.settings.track:
            self.accelerator.init_trackers(
                "stratune", config=_flat(self.strategy.settings() | {"seed": self.seed})
            )
        position = loop.run()
        if self.settings.track:
            self.accelerator.end_training()
        self._settle()
        return position, self.train_feed.seconds

    def _identity(self) -> str:
        """All that the numbers depend on. How often to save and whom to tell are not among it."""
        settings = replace(self.settings, checkpoint_seconds=0.0, track=())
        how = [self.strategy.settings(), asdict(settings), asdict(self.budget), self.seed, self.precision]
        how.append(self.reader.state())
        parts = [self.split.fingerprint, self.split.task.to_dict(), self.backbone.weight_hash]
        return sha256(json.dumps([*how, *parts, self.device.type, self.accelerator.num_processes]))

    def tokens(self, table: Dataset) -> Tokens:
        return self.reader.tokens(*text_columns(table), keep=True)

    def _feed(self, table: Dataset) -> Feed:
        tokens = self.tokens(table)
        self.watch.stage("frozen activations", len(tokens))
        return feed(
            self.net,
            tokens,
            device=self.device,
            precision=self.precision,
            pass_tokens=self.pass_tokens,
            cache=self.settings.cache,
            tick=self.watch.rows,
        )

    def _evaluate(self) -> Evaluation:
        """How well it does on validation."""
        said = self.net.objective.said(self._val_logits())
        if self.net.aggregate is not None:
            said = self.net.aggregate(said, *self._val_documents())
        return self._evaluation(said)

    def _evaluation(self, said: NDArray[np.float64]) -> Evaluation:
        """What is said of the validation rows, in the task's metric."""
        said = self.net.objective.read(said)
        values = score(self.val_truth, said, self.task.labels, kind=self.task.kind)
        metric = find(self.task.metric, self.task.labels, self.task.kind)
        value = values[metric.name]
        return Evaluation(metric.sign * value, value, values.get("log_loss", values.get("rmse", 0.0)))

    def _val_documents(self) -> tuple[NDArray[np.int64], int]:
        documents = self.val_feed.tokens.documents
        assert documents is not None
        return documents.owner, documents.count

    def _of_rows(self, truth: NDArray[Any]) -> NDArray[Any]:
        """The truth of training's rows, which are texts, documents, or chunks with their document's truth."""
        documents = self.train_feed.tokens.documents
        return truth if documents is None or self.net.by_document else truth[documents.owner]

    def _settle(self) -> None:
        """What is chosen on validation with the best step's weights."""
        logits = self._val_logits()
        if self.net.aggregate is None:
            self.net.objective = self.net.objective.settled(logits, self.val_truth)
            return
        said = self.net.objective.said(logits)
        self.net.aggregate = self.net.aggregate.settled(
            said, *self._val_documents(), lambda documents: self._evaluation(documents).score
        )

    def _val_logits(self) -> NDArray[np.float32]:
        """Shared out over processes: each fills its rows, then they are summed."""
        accelerator = self.accelerator
        logits = infer(
            self.net,
            self.val_feed,
            device=self.device,
            precision=self.precision,
            pass_tokens=self.pass_tokens,
            rank=accelerator.process_index,
            world=accelerator.num_processes,
        )
        if accelerator.num_processes > 1:
            summed = accelerator.reduce(torch.from_numpy(logits).to(self.device), "sum")
            return np.asarray(summed.cpu().numpy())
        return logits

    def _scorer(self) -> NetScorer:
        return self.strategy.readout.scorer(
            self.net, self.device, self.precision, self.pass_tokens, self.reader
        )

    def _predictor(self, scorer: NetScorer) -> Predictor:
        about = {
            "strategy": self.strategy.settings(),
            "backbone": {
                "id": self.backbone.id,
                "revision": self.backbone.revision,
                "weight_hash": self.backbone.weight_hash,
            },
            "limit": asdict(self.reader.limit),
            **({"prompt": state} if (state := self.reader.state()) is not None else {}),
            "objective": self.net.objective.state(),
            **({"aggregate": self.net.aggregate.state()} if self.net.aggregate is not None else {}),
            "precision": self.precision,
            "fingerprint": self.split.fingerprint,
            "seed": self.seed,
        }
        return Predictor(replace(self.task), scorer, about, sample=sample_rows(self.split.val))


def _flat(settings: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Trackers take plain values only."""
    flat: dict[str, Any] = {}
    for key, value in settings.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{prefix}{key}.")
        else:
            flat[prefix + key] = value if isinstance(value, (bool, int, float, str)) else str(value)
    return flat

"""fit: one strategy on one backbone with one seed -> a Predictor."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from stratune.backbone.load import Backbone
from stratune.data.rows import sample_rows, text_columns, truth_of
from stratune.errors import NonFiniteLoss, UnsupportedError
from stratune.evaluate.metrics import find, score
from stratune.files import sha256
from stratune.fitting.trained import Trained
from stratune.model.net import NetModel
from stratune.net.net import Net
from stratune.predictor.predictor import Predictor
from stratune.strategy import Strategy
from stratune.tokens.tokens import TextLimit, Tokens
from stratune.train import checkpoint
from stratune.train.activations import feed
from stratune.train.checkpoint import TrainingState
from stratune.train.class_weights import class_weights
from stratune.train.feed import Feed
from stratune.train.infer import infer
from stratune.train.loop import Evaluation, Loop
from stratune.train.precision import resolve
from stratune.train.processes import on_cpus
from stratune.train.settings import Budget, TrainSettings
from stratune.watch import Progress

if TYPE_CHECKING:
    from accelerate import Accelerator
    from datasets import Dataset

    from stratune.data.split import Split
    from stratune.task import Task
    from stratune.tokens.reader import Reader


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
    progress: Progress

    def run(self) -> Trained:
        self.accelerator = make_accelerator(self.settings, self.work)
        self.device = self.accelerator.device
        self.precision = resolve(self.settings.precision, self.device)
        self.micro_batch_tokens = self.settings.tokens_per_micro_batch(self.device.type)
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
        trainable = self.net.trainable()
        if trainable and (why := self.strategy.readout.refuses_training):
            raise UnsupportedError("learning with these prompts", self.strategy.name, why)
        total = sum(p.numel() for p in self.net.parameters())
        trained = Trained(
            self._predictor(self._scorer()),
            None,
            0.0,
            sum(p.numel() for p in trainable.values()),
            total,
            self.precision,
        )
        trained.is_main_process = self.accelerator.is_main_process
        trained.processes = self.accelerator.num_processes
        if trainable:
            trained.position, seconds = self._train_or_retry()
            trained.train_seconds = trained.position.train_seconds + seconds
            trained.history = trained.position.history
        self._finish(trained)
        return trained

    def _finish(self, trained: Trained) -> None:
        """Prompts are chosen and calibrated. It takes part of the time that making the predictor takes."""
        started, scorer = time.perf_counter(), self._scorer()
        trained.trials = self.strategy.readout.finish(scorer, self.split, self.seed, self.progress)
        if trained.trials:
            trained.train_seconds += time.perf_counter() - started
        self.reader = scorer.reader
        trained.notes = self.reader.notes()
        trained.predictor, trained.precision = self._predictor(scorer), self.precision

    def _train_or_retry(self) -> tuple[TrainingState, float]:
        """A non-finite loss is tried once more, from the start, in float32 (design, rule 6)."""
        start = checkpoint.snapshot(self.net.trainable())
        try:
            return self._train()
        except NonFiniteLoss:
            if self.precision == "float32":
                raise
            checkpoint.restore(self.net.trainable(), start)
            self.precision = "float32"
            return self._train()

    def _train(self) -> tuple[TrainingState, float]:
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
            progress=self.progress,
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
        self.progress.stage("frozen activations", len(tokens))
        return feed(
            self.net,
            tokens,
            device=self.device,
            precision=self.precision,
            micro_batch_tokens=self.micro_batch_tokens,
            cache=self.settings.cache,
            progress=self.progress,
        )

    def _evaluate(self) -> Evaluation:
        """How well it does on validation."""
        predictions = self.net.objective.probabilities(self._val_logits())
        if self.net.aggregate is not None:
            predictions = self.net.aggregate(predictions, *self._val_documents())
        return self._evaluation(predictions)

    def _evaluation(self, predictions: NDArray[np.float64]) -> Evaluation:
        """What is said of the validation rows, in the task's metric."""
        predictions = self.net.objective.predictions(predictions)
        values = score(self.val_truth, predictions, self.task.labels, kind=self.task.kind)
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
            self.net.objective = self.net.objective.tuned(logits, self.val_truth)
            return
        predictions = self.net.objective.probabilities(logits)
        self.net.aggregate = self.net.aggregate.tuned(
            predictions, *self._val_documents(), lambda documents: self._evaluation(documents).score
        )

    def _val_logits(self) -> NDArray[np.float32]:
        """Shared out over processes: each fills its rows, then they are summed."""
        accelerator = self.accelerator
        logits = infer(
            self.net,
            self.val_feed,
            device=self.device,
            precision=self.precision,
            micro_batch_tokens=self.micro_batch_tokens,
            rank=accelerator.process_index,
            world=accelerator.num_processes,
        )
        if accelerator.num_processes > 1:
            summed = accelerator.reduce(torch.from_numpy(logits).to(self.device), "sum")
            return np.asarray(summed.cpu().numpy())
        return logits

    def _scorer(self) -> NetModel:
        return self.strategy.readout.model(
            self.net, self.device, self.precision, self.micro_batch_tokens, self.reader
        )

    def _predictor(self, scorer: NetModel) -> Predictor:
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

"""Fitting a strategy on local weights: build the net, train it, choose on validation."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from stratune.backbone.family import PACKED
from stratune.backbone.held import numbers_in
from stratune.data.rows import text_columns
from stratune.errors import NonFiniteLoss, UnsupportedError
from stratune.files import sha256
from stratune.fitting.solving import HeadSolver, of_owners
from stratune.fitting.trained import Trained, predictor_of
from stratune.fitting.validation import Validation
from stratune.longtext.reader import ChunkReader
from stratune.net.net import Net
from stratune.predictor.model_folder import Untouched
from stratune.readout.base import by_chunks
from stratune.tokens.tokens import TextLimit
from stratune.train import checkpoint
from stratune.train.activations import feed
from stratune.train.class_weights import class_weights
from stratune.train.course import course_of
from stratune.train.halving import WHOLE, Part
from stratune.train.head_start import prepare_head
from stratune.train.loop import UNSEEN, Evaluation, Loop
from stratune.train.memory_plan import planned
from stratune.train.precision import resolve
from stratune.train.processes import check_launch, on_cpus
from stratune.train.runtime import Runtime

if TYPE_CHECKING:
    from accelerate import Accelerator
    from datasets import Dataset

    from stratune.backbone.load import Backbone
    from stratune.data.split import Split
    from stratune.evaluate.kinds import Truth
    from stratune.model.base import Model
    from stratune.objective import Objective
    from stratune.predictor.predictor import Predictor
    from stratune.strategy import Strategy
    from stratune.task import Task
    from stratune.tokens.reader import Reader
    from stratune.train.checkpoint import TrainingState
    from stratune.train.feed import Feed
    from stratune.train.settings import Budget, TrainSettings
    from stratune.watch import Progress


# Validation rows below which the last step is kept: the best of a few answers is mostly luck (docs/log.md).
LEAST_TO_CHOOSE = 12

# Share of a backbone that may be trained (norms, biases) and is copied before, to compare a saved model with.
COPIED = 0.1


def make_accelerator() -> Accelerator:
    """accelerate handles devices and processes; mixed precision is ours (train/precision.py)."""
    from accelerate import Accelerator

    check_launch()
    return Accelerator(mixed_precision="no", cpu=on_cpus())


@dataclass
class NetFitting:
    """One run: builds its parts in the order of their dependencies, trains, and chooses on validation."""

    strategy: Strategy
    backbone: Backbone
    task: Task
    split: Split
    budget: Budget
    seed: int
    settings: TrainSettings
    work: Path | None
    progress: Progress
    part: Part = WHOLE  # of the training, where trials are halved

    def run(self) -> Trained:
        self._build()
        readout, trainable = self.strategy.readout, self.net.trainable()
        if trainable and (why := readout.refuses_training):
            raise UnsupportedError("training with these prompts", self.strategy.name, why)
        readout.answering(self.net, self.runtime, self.reader)  # raises UnsupportedError before training
        state, seconds = self._fitted()
        solved = self.net.head.parameters() if self.strategy.solved else ()
        learned = {id(p): p for p in (*trainable.values(), *solved)}
        started = time.perf_counter()
        inner, model = self._models()
        prompts = readout.finish(inner, model, self.split, self.seed, self.progress)
        seconds += time.perf_counter() - started if prompts else 0.0
        return Trained(
            self._predictor(model),
            state,
            seconds + (state.train_seconds if state else 0.0),
            sum(p.numel() for p in learned.values()),
            numbers_in(self.net),
            self.runtime.precision,
            history=state.history if state else [],
            notes=list(dict.fromkeys([*model.notes(), *self.notes])),  # of a training that began anew, once
            settings_tried=self.settings_tried,
            chose_step=self.chooses,
            prompts=prompts,
            is_main_process=self.accelerator.is_main_process,
            processes=self.accelerator.num_processes,
        )

    def _predictor(self, model: Model) -> Predictor:
        found = predictor_of(self.strategy, self.backbone, self.task, model, self.split, self.seed)
        found.untouched = self.untouched
        return found

    def _build(self) -> None:
        self.accelerator, self.notes = make_accelerator(), list[str]()
        if self.backbone.held in PACKED:
            self.notes.append(f"the weights of {self.backbone.id} are held in {self.backbone.held}")
        self.strategy = replace(self.strategy, readout=self.strategy.readout.on(self.backbone))
        self.settings_tried = 1
        self.chooses = not self.split.cross_validated and len(self.split.val) >= LEAST_TO_CHOOSE
        device, settings, readout = self.accelerator.device, self.settings, self.strategy.readout
        precision = resolve(settings.precision, device)
        self.runtime = Runtime(device, precision, settings.tokens_per_micro_batch(device.type))
        self.backbone.to(device)
        as_loaded = self.backbone.sharing()
        torch.manual_seed(self.seed)  # adapters draw their start from the global generator
        objective = readout.objective(self.task).fitted(self._truth(self.split.train))
        self.net = Net(self.backbone, readout.head(self.backbone, objective, self.seed), objective)
        self._start_head(objective)
        self.strategy.tune.adapt(self.net)
        self.net.own()
        self.untouched = self._untouched(as_loaded)
        if settings.gradient_checkpointing:
            self.net.recompute()
        self.net.to(device)
        limit = TextLimit(settings.max_length, settings.max_words, self.net.reserved_positions)
        self.reader: Reader = readout.reader(
            self.backbone, self.split.task, limit, self.split.train, self.seed
        )
        self.chunker = readout.chunker(self.backbone.tokenizer)
        self.aggregate = readout.aggregate(self.task)

    def _untouched(self, as_loaded: Backbone) -> Untouched | None:
        """With copies of what is trained, where that is little; None where it is much."""
        shared = self.net.trained_in_place()
        if sum(p.numel() for p in shared) > COPIED * numbers_in(self.backbone.model):
            return None
        as_loaded.copy({parameter.data_ptr() for parameter in shared})
        return Untouched(as_loaded, as_loaded.digest())

    def _start_head(self, objective: Objective) -> None:
        """What is learned begins with the answer that fits the training rows without their texts."""
        if not (self.strategy.trains or self.strategy.solved):
            return
        truth = self._truth(self.split.train)
        weights = class_weights(self.settings.class_weights, truth, self.task)
        start = objective.start(truth, None if weights is None else weights.double().numpy())
        if start is not None:
            self.net.head.start_at(torch.from_numpy(start).float())

    def _models(self) -> tuple[Model, Model]:
        """(the model of texts or chunks, the model of the task's texts)."""
        inner = self.strategy.readout.answering(self.net, self.runtime, self.reader)
        return inner, by_chunks(inner, self.chunker, self.aggregate)

    def _solver(self) -> HeadSolver:
        technique: Any = self.strategy.tune
        weights = class_weights(self.settings.class_weights, self._truth(self.split.train), self.task)
        where = self.net, technique, self.task, self.split, self.runtime, self.reader, weights
        return HeadSolver(*where, folded=not self.strategy.trains)

    def _solve(self) -> tuple[None, float]:
        """Compute the head; the seconds it took, with those for the vectors of a frozen backbone."""
        started = time.perf_counter()
        rows = self._feed(self.split.train)
        if reasons := [why for why in rows.tokens.why_absent or () if why]:
            self.notes.append(f"{len(reasons):,} training rows lack a vector and teach nothing: {reasons[0]}")
        val = rows if self.split.cross_validated else self._feed(self.split.val)
        self.settings_tried = self._solver().solve(rows, val)
        return None, time.perf_counter() - started + rows.saved_seconds

    def _fitted(self) -> tuple[TrainingState | None, float]:
        """(final state of a training, seconds besides it). After a non-finite loss once more in float32."""
        if not (self.strategy.trains or self.strategy.solved):
            return None, 0.0
        fit = self._train if self.strategy.trains else self._solve
        start = checkpoint.snapshot(self.net.trainable())
        try:
            return fit()
        except NonFiniteLoss:
            if self.runtime.precision == "float32":
                raise
            checkpoint.restore(self.net.trainable(), start)
            self.runtime = replace(self.runtime, precision="float32")
            return fit()

    def _train(self) -> tuple[TrainingState, float]:
        """(final state of training, seconds for the frozen activations of the training rows)."""
        rows, truth = self._feed(self.split.train), self._truth(self.split.train)
        precision, validation = self.runtime.precision, self._validation()
        solver = self._solver() if self.strategy.solved else None

        def evaluate() -> Evaluation:
            if validation is None:
                return UNSEEN
            if solver is not None:
                self.settings_tried = solver.solve(rows, validation.feed)
            return validation()

        course = course_of(len(truth), self.budget, self.strategy.recipe)
        recipe = replace(self.strategy.recipe, batch_size=course.batch_size)
        self.strategy = replace(self.strategy, recipe=recipe)  # what it says of itself is what is done
        self.notes += [] if course.note is None else [course.note]
        if validation is not None and not self.chooses:
            self.notes.append(f"{len(validation.truth)} validation rows choose no step: the last one is kept")
        self._plan_memory(rows)
        loop = Loop(
            net=self.net,
            feed=rows,
            truth=of_owners(truth, rows),
            wanted=None if self.split.wanted is None else of_owners(self.split.wanted, rows),
            evaluate=evaluate,
            recipe=recipe,
            settings=self.settings,
            epochs=course.epochs,
            evaluate_every=course.every,
            chooses=self.chooses,
            seed=self.seed,
            runtime=self.runtime,
            accelerator=self.accelerator,
            weights=class_weights(self.settings.class_weights, truth, self.task),
            checkpoint_file=self.work / f"checkpoint-{precision}.safetensors" if self.work else None,
            identity=self._identity(),
            progress=self.progress,
            part=self.part,
        )
        prepare_head(self.net, rows, self.runtime)
        recomputed = self.net.recomputes
        state = loop.run()
        self.notes += [loop.parallel.note] if loop.parallel.note else []
        if loop.runtime != self.runtime:
            tokens = loop.runtime.micro_batch_tokens
            self.notes.append(f"micro-batches of {tokens:,} tokens: memory did not do for more")
            self.runtime = loop.runtime
        if self.net.recomputes and not recomputed:
            self.notes.append("blocks ran again in the backward pass: memory did not do without")
        if solver is not None and validation is None:
            self.settings_tried = solver.solve(rows, rows)
        self.net.head.after_training()
        if validation is not None:
            self.aggregate = validation.tune()
        return state, rows.seconds

    def _plan_memory(self, rows: Feed) -> None:
        """Smaller micro-batches where those of the settings would not fit, unless the user has set them."""
        if self.settings.micro_batch_tokens is not None or self.accelerator.num_processes > 1:
            return
        plan = planned(self.net, rows, self.runtime)
        self.runtime = plan.runtime
        self.notes += [plan.note] if plan.note else []
        if plan.recompute:
            self.net.recompute()

    def _identity(self) -> str:
        """Hash of all that the numbers depend on: not how often to save, not the trackers, and not where this
        part of the training ends.
        """
        settings = replace(self.settings, checkpoint_seconds=0.0, track=())
        # How many trials there are moves none of them, but at the rungs of halving there are evaluations.
        rungs = {"rungs": self.part.rungs} if self.part.rungs else {}
        budget = {"epochs": self.budget.epochs, **rungs}
        how = [self.strategy.settings(), asdict(settings), budget, self.seed]
        how += [self.runtime.precision, self.reader.state()]
        weights = [self.backbone.weight_hash, self.backbone.held]
        parts = [self.split.fingerprint, self.split.task.to_dict(), *weights]
        where = [self.runtime.device.type, self.accelerator.num_processes]
        return sha256(json.dumps([checkpoint.LAYOUT, *how, *parts, *where]))

    def _validation(self) -> Validation | None:
        """None where this fit is part of a cross-validation: it chooses nothing on rows of others."""
        if self.split.cross_validated:
            return None
        val, truth = self._feed(self.split.val), self._truth(self.split.val)
        return Validation(
            self.net, val, truth, self.task, self.runtime, self.accelerator, self.aggregate,
            self.split.wanted_of_val,
        )  # fmt: skip

    def _truth(self, table: Dataset) -> Truth:
        return self.task.target.truth(table["label"][:])

    def _feed(self, table: Dataset) -> Feed:
        reader = ChunkReader(self.reader, self.chunker) if self.chunker is not None else self.reader
        if self.backbone.embed is not None:
            self.progress.stage("vectors of the server", len(table))
        tokens = reader.tokens(*text_columns(table), keep=True, progress=self.progress)
        if self.backbone.embed is None:
            self.progress.stage("frozen activations", len(tokens))
        return feed(self.net, tokens, self.runtime, cache=self.settings.cache, progress=self.progress)

"""The training loop, the only one. It knows tensors, rows and steps, but no strategy and no comparison."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from stratune.errors import NonFiniteLoss
from stratune.objective.contrast import contrast
from stratune.tokens.batches import micro_batches, paired_steps, training_steps
from stratune.train import checkpoint
from stratune.train.checkpoint import Tensors, TrainingState
from stratune.train.halving import WHOLE, Part
from stratune.train.loss_scale import LEAST, is_taken, scale_of, unscaled
from stratune.train.memory_plan import did_not_fit, smaller
from stratune.train.optimizer import optimizer_of
from stratune.train.parallel import parallel
from stratune.train.runtime import Runtime, autocast
from stratune.train.shards import local, whole_of
from stratune.train.tables import Tables
from stratune.watch import SILENT, Progress, Step

if TYPE_CHECKING:
    from accelerate import Accelerator
    from numpy.typing import NDArray

    from stratune.net.net import Net
    from stratune.train.feed import Feed
    from stratune.train.settings import Recipe, TrainSettings

FINITE_EVERY = 20  # steps between checks for a non-finite loss: each check waits for the device


@dataclass(frozen=True)
class Evaluation:
    """Validation at one step. `score` selects the best step, unless the user asks for the loss; higher is
    better.

    Where the metric is undefined (constant predictions have no correlation), `score` is minus infinity, and
    the loss selects.
    """

    score: float
    value: float | None  # the metric as people read it; None where it is undefined
    loss: float | None  # breaks ties: log loss, or the error of a value


UNSEEN = Evaluation(-math.inf, None, None)  # no row is there to evaluate on: the last step is kept


@dataclass
class Loop:
    """Train the trainable tensors of `net`. Afterwards the net holds those of its best step.

    `part`: how far. Steps and learning rates are those of the whole training, and one that stopped goes on
    from its checkpoint in a call with a later end.
    `truth` (N,) or (N, K): targets of the training rows; `wanted` (N, C): a soft truth that is learned in
    their place (target/base.py); `weights` (K,): class weights or None; `evaluate`: scores the net on
    validation. Raises NonFiniteLoss when the loss or a gradient is NaN or infinite.
    """

    net: Net
    feed: Feed
    truth: NDArray[Any]
    evaluate: Callable[[], Evaluation]
    recipe: Recipe
    settings: TrainSettings
    epochs: float
    seed: int
    runtime: Runtime
    accelerator: Accelerator
    wanted: NDArray[np.float64] | None = None
    weights: Tensor | None = None
    checkpoint_file: Path | None = None
    identity: str = ""  # of this run; a checkpoint of another one is not resumed
    progress: Progress = SILENT
    evaluate_every: int = 1  # epochs that count as one for `evals_per_epoch`: few rows are read many times
    chooses: bool = True  # the step that is best on validation; false: the last one, however it scores
    part: Part = WHOLE

    def run(self) -> TrainingState:
        self._prepare()
        with self.parallel, self.tables:
            self._resume()
            for epoch, index, step in self._remaining():
                if self.position.step >= self.end:
                    break
                self._step(epoch, index, step)
                if self.position.finished:
                    break
            checkpoint.restore(self.trainable, self.best)
            del self.optimizer  # its memory, for the weights that are put together
        return self.position

    # -- set-up

    def _prepare(self) -> None:
        self.device, self.half = self.runtime.device, self.runtime.precision == "float16"
        self.position = TrainingState()
        self.best: Tensors = {}
        frozen = self.feed.frozen
        self.parallel = parallel(self.net, frozen.depth if frozen else 0, self.accelerator)
        self.trainable = self.net.trainable()
        self.tables = Tables(self.net, self.accelerator.num_processes == 1)
        self.lengths = self.feed.lengths
        self.plan = [len(self._steps_of(epoch)) for epoch in range(math.ceil(self.epochs))]
        self.whole_epochs = list(self.plan)
        partial = self.epochs - math.floor(self.epochs)
        if partial:
            self.plan[-1] = max(1, round(self.plan[-1] * partial))
        self.steps = sum(self.plan)
        self.end = self._step_of(self.part.until)
        self.rungs = {self._step_of(share) for share in self.part.rungs}
        self.optimizer = optimizer_of(self.net, self.recipe, self.device)
        self.weights = self.weights.to(self.device) if self.weights is not None else None
        self.not_finite = torch.zeros((), dtype=torch.bool, device=self.device)
        self.loss_sum = torch.zeros((), device=self.device)
        self.saved_at = time.monotonic()

    def _resume(self) -> None:
        found = self.checkpoint_file and checkpoint.load(
            self.checkpoint_file, self.identity, self.trainable, self.optimizer
        )
        if found:
            self.position, self.best = found
            if self.accelerator.is_main_process:
                self.loss_sum += self.position.loss_sum
        else:
            self.best = checkpoint.snapshot(self.trainable)
        self.position.steps = self.steps

    def _step_of(self, share: float) -> int:
        """The last step of so large a share of them."""
        return max(1, round(share * self.steps))

    def _remaining(self) -> Iterator[tuple[int, int, NDArray[np.int64]]]:
        """(epoch, index within it, rows) of every step not yet done."""
        done = 0
        for epoch, count in enumerate(self.plan):
            if self.position.finished:
                return
            if done + count > self.position.step:
                steps = self._steps_of(epoch)[:count]
                for index, step in enumerate(steps):
                    if done + index >= self.position.step:
                        yield epoch, index, step
            done += count

    def _steps_of(self, epoch: int) -> list[NDArray[np.int64]]:
        if self.net.contrasts:
            return paired_steps(self.truth, self.recipe.batch_size, self.seed, epoch)
        return training_steps(self.lengths, self.recipe.batch_size, self.seed, epoch)

    # -- one step

    def _step(self, epoch: int, index: int, rows: NDArray[np.int64]) -> None:
        started = time.perf_counter()
        self._set_learning_rate()
        self._fitting(rows)
        self.parallel.average()
        if self._is_taken(self._clip()):
            self.tables.fill()
            self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.tables.clean()
        position = self.position
        position.step += 1
        position.examples_seen += len(rows)
        position.loss_rows += len(rows)
        regular = self._is_evaluation(epoch, index + 1)
        evaluates = regular or position.step in self.rungs
        if evaluates or position.step % FINITE_EVERY == 0:
            self._check_finite()
        position.train_seconds += time.perf_counter() - started
        part = epoch + (index + 1) / self.whole_epochs[epoch]
        self.progress.step(Step(position.step, self.steps, part, len(rows)))
        if evaluates:
            self._evaluate(part, regular)
        self._save_when_due(evaluates)

    def _fitting(self, rows: NDArray[np.int64]) -> None:
        """`_backward`, in smaller micro-batches from now on where memory does not do for these.

        Not with several processes: their micro-batches are the same, and one does not know of the others.
        """
        before = self.loss_sum.clone()
        while True:
            try:
                return self._backward(rows)
            except RuntimeError as error:
                if not did_not_fit(error) or self.accelerator.num_processes > 1:
                    raise
            # After the block: the error holds what was computed.
            self.optimizer.zero_grad(set_to_none=True)
            self.loss_sum.copy_(before)
            self.runtime = smaller(self.net, self.runtime, int(self.lengths.max()))

    def _backward(self, step: NDArray[np.int64]) -> None:
        """Gradients of sum(losses) / batch_size over one step, accumulated over micro-batches.

        The divisor is constant, so every row has the same weight in any step and on any number of processes.
        """
        module = self.parallel.module.train()
        rank, world = self.accelerator.process_index, self.accelerator.num_processes
        torch.manual_seed(
            (self.seed * 1_000_003 + self.position.step) * 64 + rank
        )  # dropout is the same after a resume
        budget = self.runtime.micro_batch_tokens
        scale = scale_of(self.position) if self.half else 1.0
        todo = micro_batches(step, self.lengths, budget, rank, world)
        for i, (rows, counted) in enumerate(todo):
            with self.parallel.accumulating(last=i == len(todo) - 1):
                batch = self.feed.batch(rows).to(self.device)
                with autocast(self.runtime):
                    logits = module(batch)
                losses = self._losses(logits.float(), rows)
                loss = losses.sum() if counted else losses.sum() * 0
                self.loss_sum += loss.detach()
                self.accelerator.backward(
                    loss * (world / self.recipe.batch_size * scale)
                )  # DDP averages over processes

    def _clip(self) -> Tensor:
        """The norm of all gradients; they are scaled to `max_grad_norm` where it is larger."""
        trained, most = list(self.trainable.values()), self.recipe.max_grad_norm
        if self.half:
            unscaled([local(one) for one in self.tables.parts(trained)], self.position)
        if self.accelerator.num_processes > 1 or self.device.type != "cpu":
            norm: Tensor = self.accelerator.clip_grad_norm_(trained, most)
            return whole_of(local(norm), norm)
        parts = self.tables.parts(trained)
        norm = torch.linalg.vector_norm(torch.stack(torch._foreach_norm(parts)))
        if norm > most:
            torch._foreach_mul_(parts, float(most / (norm + 1e-6)))
        return norm

    def _is_taken(self, norm: Tensor) -> bool:
        """Whether the optimiser takes the step: in float16, not when its gradients overflowed."""
        finite = torch.isfinite(norm)
        if self.half and scale_of(self.position) > LEAST:
            return is_taken(self.position, bool(finite))
        self.not_finite |= ~finite
        return True

    def _losses(self, found: Tensor, rows: NDArray[np.int64]) -> Tensor:
        """(B,) of logits (B, outputs); or, of a net that contrasts, of vectors (B, C) in pairs."""
        objective, smoothing = self.net.objective, self.recipe.label_smoothing
        if self.net.contrasts:
            return contrast(found, objective.similarity(self._of(self.truth, rows)))
        if self.wanted is not None:
            return objective.expected_losses(found, self._of(self.wanted, rows), self.weights, smoothing)
        return objective.losses(found, self._of(self.truth, rows), self.weights, smoothing)

    def _of(self, truth: NDArray[Any], rows: NDArray[np.int64]) -> Tensor:
        return torch.from_numpy(truth[rows]).to(self.device, non_blocking=True)

    def _set_learning_rate(self) -> None:
        share = schedule(self.position.step, self.steps, self.recipe.warmup)
        for group in self.optimizer.param_groups:
            group["lr"] = group["peak"] * share

    def _check_finite(self) -> None:
        if bool(self.not_finite) or not bool(torch.isfinite(self.loss_sum)):
            raise NonFiniteLoss(f"the loss or a gradient was NaN or infinite by step {self.position.step}")

    # -- validation, best step, checkpoints

    def _is_evaluation(self, epoch: int, done: int) -> bool:
        """Evaluations are evenly spaced in `evaluate_every` epochs, and the last is at their end."""
        first = epoch - epoch % self.evaluate_every
        done += sum(self.plan[first:epoch])
        count = sum(self.plan[first : first + self.evaluate_every])
        evaluations = min(self.settings.evals_per_epoch, count)
        return any(done == math.ceil(count * i / evaluations) for i in range(1, evaluations + 1))

    def _evaluate(self, epoch: float, regular: bool) -> None:
        """`regular`: patience counts it. Those at rungs are more than the user asked for."""
        position = self.position
        seen = self.evaluate()
        loss = math.inf if seen.loss is None else seen.loss
        better = self._order(seen.score, -loss) > self._order(*position.best)
        if not self.chooses or position.best_step == 0 or better:
            position.best_score = None if seen.value is None else seen.score
            position.best_log_loss = loss
            position.best_step, position.best_epoch = position.step, epoch
            position.evaluations_since_best = 0
            self.best = checkpoint.snapshot(self.trainable)
        elif regular:
            position.evaluations_since_best += 1
        line = self._record(epoch, seen)
        stopped = position.evaluations_since_best >= self.settings.patience
        position.finished = stopped or position.step == self.steps
        self.progress.step(Step(position.step, self.steps, epoch, 0, seen.value, line))

    def _order(self, score: float, minus_loss: float) -> tuple[float, float]:
        """What the user chooses steps by, then what breaks ties."""
        return (minus_loss, score) if self.settings.stop_on == "loss" else (score, minus_loss)

    def _record(self, epoch: float, seen: Evaluation) -> dict[str, Any]:
        """The line of history.jsonl."""
        loss = float(self.accelerator.reduce(self.loss_sum, "sum")) / max(1, self.position.loss_rows)
        line: dict[str, Any] = {
            "step": self.position.step,
            "epoch": round(epoch, 4),
            "loss": loss,
            "val": seen.value,
            "val_loss": seen.loss,
            "learning_rate": self.optimizer.param_groups[0]["lr"],
            "seconds": self.position.train_seconds,
        }
        self.position.history.append(line)
        self.loss_sum.zero_()
        self.position.loss_rows = 0
        return line

    def _save_when_due(self, evaluated: bool) -> None:
        """Every `checkpoint_seconds`, and at rungs; with several processes, whose clocks differ, after every
        evaluation.
        """
        alone = self.accelerator.num_processes == 1
        due = time.monotonic() - self.saved_at >= self.settings.checkpoint_seconds if alone else evaluated
        at_rung = self.position.step in self.rungs
        if self.checkpoint_file is None or not (due or at_rung or self.position.finished):
            return
        self.saved_at = time.monotonic()
        self.position.loss_sum = float(self.accelerator.reduce(self.loss_sum, "sum"))
        state = self.position, self.trainable, self.best, self.optimizer
        writes = self.accelerator.is_main_process
        checkpoint.save(self.checkpoint_file, self.identity, *state, writes=writes)


def schedule(step: int, steps: int, warmup: float) -> float:
    """Share of the peak learning rate at 0-based `step`: linear warm-up, then linear decay to 0."""
    rising = max(1, round(warmup * steps))
    if step < rising:
        return (step + 1) / rising
    return max(0.0, (steps - step) / max(1, steps - rising))

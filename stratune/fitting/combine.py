"""A combination's run: its members' model folders -> one predictor, and what it took to have it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stratune.data.rows import sample_rows
from stratune.errors import TrainingError
from stratune.fitting.trained import Trained
from stratune.model.ensemble import EnsembleModel
from stratune.predictor.predictor import Predictor
from stratune.remote.named import Servers
from stratune.result import RunResult
from stratune.train.checkpoint import restore, snapshot
from stratune.train.processes import is_main, meet

if TYPE_CHECKING:
    from stratune.data.split import Split
    from stratune.strategy.base import Combination

    Averaged = tuple[Predictor, dict[str, Any]]  # and what its model folder is read back as


def combine(combination: Combination, members: Sequence[Path], split: Split, servers: Servers) -> Trained:
    """`members` are run folders, which may ask `servers`. Their training time is the combination's: without
    them there is none.

    Raises TrainingError when they are fewer than two.
    """
    meet()  # under `accelerate launch` one process has just written the last of them
    if len(members) < 2:
        of = f" of {', '.join(combination.of)}" if combination.of else ""
        found = ", ".join(member.name for member in members) or "none"
        raise TrainingError(f"{combination.name} needs two finished runs{of} at least; found {found}")
    results = [RunResult.load(member / "result.json") for member in members]
    predictor, strategy = AVERAGES[combination.averages](combination, members, servers)
    predictor.servers = servers
    predictor.sample = sample_rows(split.val)
    predictor.about |= {
        "strategy": strategy,
        "fingerprint": split.fingerprint,
        "seed": [result.seed for result in results],
        "members": [result.run_id for result in results],
    }
    return Trained(
        predictor,
        train_seconds=sum(result.train_seconds or 0.0 for result in results),
        trainable_params=combination.costs(results, "trainable_params"),
        total_params=combination.costs(results, "total_params"),
        precision=predictor.model.precision,
        is_main_process=is_main(),
    )


def _average_of_predictions(combination: Combination, members: Sequence[Path], servers: Servers) -> Averaged:
    loaded = [Predictor.load(member / "model", allow_server=servers) for member in members]
    return Predictor(loaded[0].task, EnsembleModel(loaded), {"backbone": None}), combination.settings()


def _average_of_weights(combination: Combination, members: Sequence[Path], servers: Servers) -> Averaged:
    """Tensors that were averaged are still those of their strategy, and are read back as such."""
    first, *others = members
    predictor = Predictor.load(first / "model", allow_server=servers)
    trainable = predictor.model.trainable()
    total = {name: tensor.double() for name, tensor in snapshot(trainable).items()}
    for other in others:  # one at a time: a second backbone in memory, never all of them
        loaded = Predictor.load(other / "model", allow_server=servers)
        for name, tensor in snapshot(loaded.model.trainable()).items():
            total[name] += tensor
    restore(trainable, {name: tensor / len(members) for name, tensor in total.items()})
    return predictor, {**predictor.about["strategy"], "name": combination.name}


AVERAGES: dict[str, Callable[[Combination, Sequence[Path], Servers], Averaged]] = {
    "predictions": _average_of_predictions,
    "weights": _average_of_weights,
}

"""A combination's run: its members' model folders -> one predictor, and what it took to have it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from stratune.data.rows import sample_rows
from stratune.errors import TrainingError
from stratune.fitting.cascading import sure_enough
from stratune.fitting.kept_answers import kept_answers
from stratune.fitting.stacking import stacked
from stratune.fitting.trained import Trained
from stratune.model.answers import Scored
from stratune.model.cascade import CascadeModel
from stratune.model.ensemble import EnsembleModel, WeightedModel
from stratune.predictor.predictor import Predictor
from stratune.remote.named import Servers
from stratune.result import RunResult
from stratune.train.checkpoint import restore, snapshot
from stratune.train.processes import is_main, meet

if TYPE_CHECKING:
    from stratune.data.split import Split
    from stratune.strategy.base import Combination, MadeOfRuns


@dataclass
class Combined:
    """`strategy`: what the model folder is read back as."""

    predictor: Predictor
    strategy: dict[str, Any]
    kept: list[int]  # positions of the members that it is made of
    validation: Scored | None = None  # as in Trained
    notes: list[str] = field(default_factory=list)


def combine(combination: Combination, members: Sequence[Path], split: Split, servers: Servers) -> Trained:
    """`members` are run folders, which may ask `servers`. Their training time is the combination's: without
    them there is none.

    Raises TrainingError when they are fewer than two.
    """
    meet()  # under `accelerate launch` one process has just written the last of them
    if len(members) < 2:
        raise too_few(combination, members, combination.needs)
    results = [RunResult.load(member / "result.json") for member in members]
    combined = JOINED[combination.joins](combination, members, split, servers)
    predictor, kept = combined.predictor, [results[number] for number in combined.kept]
    predictor.servers = servers
    predictor.sample = sample_rows(split.val)
    predictor.about |= {
        "strategy": combined.strategy,
        "fingerprint": split.fingerprint,
        "seed": [result.seed for result in kept],
        "members": [result.run_id for result in kept],
    }
    return Trained(
        predictor,
        train_seconds=sum(result.train_seconds or 0.0 for result in results),
        trainable_params=combination.costs(kept, "trainable_params"),
        total_params=combination.costs(kept, "total_params"),
        precision=predictor.model.precision,
        notes=combined.notes,
        is_main_process=is_main(),
        validation=combined.validation,
    )


def too_few(candidate: MadeOfRuns, members: Sequence[Path], needed: str) -> TrainingError:
    of = f" of {', '.join(candidate.of)}" if candidate.of else ""
    found = ", ".join(member.name for member in members) or "none"
    return TrainingError(f"{candidate.name} needs {needed}{of} at least; found {found}")


def loaded_members(members: Sequence[Path], servers: Servers) -> list[Predictor]:
    return [Predictor.load(member / "model", allow_server=servers) for member in members]


def _average_of_predictions(
    combination: Combination, members: Sequence[Path], split: Split, servers: Servers
) -> Combined:
    loaded = loaded_members(members, servers)
    predictor = Predictor(loaded[0].task, EnsembleModel(loaded), {"backbone": None})
    return Combined(predictor, combination.settings(), list(range(len(members))))


def _weighted_average_of_predictions(
    combination: Combination, members: Sequence[Path], split: Split, servers: Servers
) -> Combined:
    """Weights come from the members' own answers to validation; only members with a weight are loaded."""
    found = stacked([kept_answers(member, split) for member in members], split)
    kept = [int(number) for number in np.flatnonzero(found.weights)]
    weights = tuple(float(weight) for weight in found.weights[kept])
    loaded = loaded_members([members[number] for number in kept], servers)
    predictor = Predictor(loaded[0].task, WeightedModel(loaded, weights), {"backbone": None})
    named = sorted(zip(weights, (members[number].name for number in kept), strict=True), reverse=True)
    told = ", ".join(f"{name} {weight:.2f}" for weight, name in named)
    left = f"; {len(members) - len(kept)} runs have none" if len(kept) < len(members) else ""
    return Combined(predictor, combination.settings(), kept, found.validation, [f"weights: {told}{left}"])


def _average_of_weights(
    combination: Combination, members: Sequence[Path], split: Split, servers: Servers
) -> Combined:
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
    strategy = {**predictor.about["strategy"], "name": combination.name}
    return Combined(predictor, strategy, list(range(len(members))))


def _first_that_is_sure(
    combination: Combination, members: Sequence[Path], split: Split, servers: Servers
) -> Combined:
    """How sure the first member must be comes from what both answered to validation."""
    cheap, dear = (kept_answers(member, split) for member in members)
    most_lost = float(combination.settings()["most_lost"])
    found = sure_enough(cheap, dear, split, most_lost)
    loaded = loaded_members(members, servers)
    task = loaded[0].task
    model = CascadeModel(loaded, found.threshold, found.share, task.target.one_label)
    names = members[0].name, members[1].name
    notes = [found.told(*names, most_lost)]
    predictor = Predictor(task, model, {"backbone": None})
    return Combined(predictor, combination.settings(), [0, 1], found.validation, notes)


JOINED: dict[str, Callable[[Combination, Sequence[Path], Split, Servers], Combined]] = {
    "predictions": _average_of_predictions,
    "weighted predictions": _weighted_average_of_predictions,
    "weights": _average_of_weights,
    "the first that is sure": _first_that_is_sure,
}

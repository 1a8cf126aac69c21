"""A combination's run: its members' model folders -> one predictor, and what it took to have it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from stratune.data.rows import sample_rows
from stratune.errors import TrainingError
from stratune.fitting.trained import Trained
from stratune.predictor.predictor import Predictor
from stratune.result import RunResult
from stratune.train.processes import is_main, meet

if TYPE_CHECKING:
    from stratune.data.split import Split
    from stratune.strategy.base import Combination


def combined(combination: Combination, members: Sequence[str], runs: Path, split: Split) -> Trained:
    """`members` are run folders below `runs`. Their training time is the combination's: without them there
    is none. Raises TrainingError when they are fewer than two.
    """
    meet()  # under `accelerate launch` one process has just written the last of them
    results = [RunResult.load(runs / member / "result.json") for member in members]
    if len(results) < 2:
        of = f" of {', '.join(combination.of)}" if combination.of else ""
        found = ", ".join(members) or "none"
        raise TrainingError(f"{combination.name} needs two finished runs{of} at least; found {found}")
    predictor = combination.combine(results, lambda result: Predictor.load(runs / result.run_id / "model"))
    predictor.sample = sample_rows(split.val)
    predictor.about |= {
        "strategy": _described(combination, predictor),
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


def _described(combination: Combination, predictor: Predictor) -> dict[str, object]:
    """What the model folder is read back as: tensors that were averaged are still those of their strategy."""
    if predictor.model.trainable():
        return {**predictor.about["strategy"], "name": combination.name}
    return combination.settings()

"""fit: one strategy on one backbone with one seed -> a Predictor."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from stratune.backbone.load import Backbone, load_backbone
from stratune.errors import ConfigError
from stratune.fitting.baseline import fit_baseline
from stratune.fitting.local import NetFitting
from stratune.fitting.trained import Trained
from stratune.predictor.predictor import Predictor
from stratune.remote.address import is_remote
from stratune.strategy import Strategy, parse_strategy
from stratune.strategy.base import Baseline, Combination
from stratune.train.settings import Budget, TrainSettings
from stratune.watch import SILENT, Progress

if TYPE_CHECKING:
    from stratune.data.split import Split
    from stratune.remote.settings import Remote
    from stratune.task import Task


def fit(
    strategy: str | dict[str, Any] | Strategy | Baseline | Combination,
    backbone: str | Backbone | None,
    task: Task,
    split: Split,
    budget: Budget | None = None,
    seed: int = 0,
    *,
    settings: TrainSettings | None = None,
) -> Predictor:
    """Train `strategy` on `split.train`, choosing on `split.val`; `split.test` is not looked at.

    `task` needs its labels (`split.task` has them). A Backbone object given stays as it was: its weights are
    shared, and only what is trained gets memory of its own.
    Raises UnsupportedError, ConfigError, BackboneError or TrainingError.
    """
    return train(
        parse_strategy(strategy), backbone, task, split, budget or Budget(), seed, settings=settings
    ).predictor


def train(
    strategy: Strategy | Baseline | Combination,
    backbone: str | Backbone | None,
    task: Task,
    split: Split,
    budget: Budget,
    seed: int,
    *,
    settings: TrainSettings | None = None,
    work: Path | None = None,
    progress: Progress = SILENT,
    remote: Remote | None = None,
) -> Trained:
    """`fit`, with what it cost. `work` is a folder for checkpoints: an interrupted run goes on from there.

    `remote`: how a server is asked, when `backbone` is the address of one.
    """
    if isinstance(strategy, Combination):
        raise ConfigError(f"{strategy.name} is made of finished runs: ask `compare` for it", key="strategies")
    if not isinstance(strategy, Strategy):
        return fit_baseline(strategy, task, split, seed, (settings or TrainSettings()).max_words)
    if backbone is None:
        raise ConfigError(f"{strategy.name} needs a backbone", key="backbones")
    settings = settings or TrainSettings()
    if isinstance(backbone, str) and is_remote(backbone):
        from stratune.fitting.remote import ask
        from stratune.remote.settings import Remote

        return ask(strategy, backbone, task, split, seed, settings, remote or Remote(), progress)
    if isinstance(backbone, str):
        loaded = load_backbone(backbone, language_model=strategy.readout.language_model)
    else:
        loaded = backbone.sharing()
    return NetFitting(strategy, loaded, task, split, budget, seed, settings, work, progress).run()

"""fit: a candidate on one backbone with one seed -> a Predictor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stratune.backbone.load import Automatic, Backbone, load_backbone
from stratune.data.soft_labels import check_soft, soft_truth
from stratune.errors import ConfigError
from stratune.files import sha256
from stratune.fitting.baseline import fit_baseline
from stratune.fitting.combine import combine
from stratune.fitting.cross_validation import CrossValidation
from stratune.fitting.decide import answers_to, decide_on_validation
from stratune.fitting.distil import distil
from stratune.fitting.local import NetFitting
from stratune.fitting.trained import Trained
from stratune.fitting.trials import best_of_trials
from stratune.predictor.predictor import Predictor
from stratune.remote.address import is_remote
from stratune.remote.named import Servers, named_servers
from stratune.remote.settings import Remote
from stratune.strategy import Baseline, Candidate, Combination, Distillation, Strategy, parse_strategy
from stratune.target.decision import DECIDE, OF_PROBABILITIES, Decide
from stratune.train.halving import WHOLE, Part
from stratune.train.precision import resolve
from stratune.train.processes import device_here
from stratune.train.settings import Budget, TrainSettings
from stratune.watch import SILENT, Progress

if TYPE_CHECKING:
    from datasets import Dataset

    from stratune.data.split import Split
    from stratune.model.answers import Scored
    from stratune.task import Task


def fit(
    strategy: str | dict[str, Any] | Candidate,
    backbone: str | Backbone | None,
    task: Task,
    split: Split,
    budget: Budget | None = None,
    seed: int = 0,
    *,
    settings: TrainSettings | None = None,
    decide: Decide = DECIDE,
) -> Predictor:
    """Train `strategy` on `split.train`, choosing on `split.val`; `split.test` is not looked at.

    `decide`: how answers are made of probabilities.

    `task` needs its labels (`split.task` has them). A Backbone object given stays as it was: its weights are
    shared, and only what is trained gets memory of its own.
    Raises UnsupportedError, ConfigError, BackboneError or TrainingError.
    """
    return train(
        parse_strategy(strategy),
        backbone,
        task,
        split,
        budget or Budget(),
        seed,
        settings=settings,
        decide=decide,
    ).predictor


def train(
    candidate: Candidate,
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
    members: Sequence[Path] | None = None,
    servers: Servers | None = None,
    decide: Decide = DECIDE,
    ask: bool = False,
    identity: str = "",
) -> Trained:
    """`fit`, with what it cost. `work` is a folder for checkpoints: an interrupted run goes on from there.

    `remote`: how a server is asked, when `backbone` is the address of one. `members`: the run folders that a
    combination is made of. `servers`: all that the user named; None: the one in `backbone`. `decide`: how
    answers are made of probabilities. `ask`: about validation, also a server whose answers cost money, where
    nothing has to be chosen. `identity`: of the run whose trials are in `work`.
    """
    decide.check(split.task.target)
    named = servers or named_servers([backbone] if isinstance(backbone, str) else [])
    decide = _by_readout(candidate, decide, split.task)
    settings = settings or TrainSettings()
    several = budget.most_trials > 1

    def answer(trained: Trained, rows: Dataset, progress: Progress) -> Scored | None:
        if trained.predictor.model.paid and not (ask or several or decide != Decide()):
            return None
        return answers_to(trained, rows, progress, cache=settings.cache)

    def fitted(one: Candidate, folder: Path | None, progress: Progress, part: Part = WHOLE) -> Trained:
        def fit_on(rows: Split, folder: Path | None, progress: Progress) -> Trained:
            options = (settings, folder, progress, remote or Remote(), members, named, part)
            return one.fitted_by(_Fitter(backbone, task, rows, budget, seed, *options))

        if split.cross_validated:
            trained = CrossValidation(split, fit_on, answer, members or ()).fitted(one, folder, progress)
        else:
            trained = fit_on(split, folder, progress)
            if trained.validation is None:  # a combination's fit may leave its own
                trained.validation = answer(trained, split.val, progress)
        decide_on_validation(trained, split, decide, soft=one.soft_labels)
        return trained

    if not several:
        return fitted(candidate, work, progress)
    return best_of_trials(
        candidate, fitted, split, budget, seed, work=work, progress=progress, identity=identity
    )


def _by_readout(candidate: Candidate, decide: Decide, task: Task) -> Decide:
    """With the threshold that a readout asks for: by the task's metric, where nothing else chooses."""
    asked = getattr(getattr(candidate, "readout", None), "threshold", False)  # baselines have no readout
    open_to = decide.metric is None and decide.costs is None and task.metric not in OF_PROBABILITIES
    return replace(decide, metric=task.metric) if asked and open_to and task.target.one_label else decide


def loaded_for(strategy: Strategy, backbone_id: str, settings: TrainSettings) -> Backbone:
    """The backbone on the device that this process trains on, its weights held as the settings say."""
    device = device_here()
    wanted: Any = settings.weights
    weights = Automatic(resolve(settings.precision, device)) if wanted == "auto" else wanted
    asked = strategy.readout.language_model
    return load_backbone(backbone_id, language_model=asked, weights=weights, device=device)


def with_soft_labels(split: Split, name: str) -> Split:
    """With its raters' shares to learn. Raises ConfigError where `name`, a strategy, cannot have any."""
    check_soft(split.task, name)
    seen, asked = (soft_truth(table, split.task) for table in (split.train, split.val))
    # a checkpoint is that of these shares
    fingerprint = sha256(split.fingerprint, seen.tobytes(), asked.tobytes())
    return replace(split, wanted=seen, wanted_of_val=asked, fingerprint=fingerprint)


@dataclass(frozen=True)
class _Fitter:
    """Fits each kind of candidate in its own way (strategy/base.py)."""

    backbone: str | Backbone | None
    task: Task
    split: Split
    budget: Budget
    seed: int
    settings: TrainSettings
    work: Path | None
    progress: Progress
    remote: Remote
    members: Sequence[Path] | None
    servers: Servers
    part: Part  # of a training with steps; other fits are whole

    def strategy(self, strategy: Strategy) -> Trained:
        if strategy.soft_labels and self.split.wanted is None:
            softened = replace(self, split=with_soft_labels(self.split, strategy.name))
            trained = softened.strategy(strategy)
            trained.predictor.about["fingerprint"] = self.split.fingerprint
            return trained
        backbone = self.backbone
        if backbone is None:
            raise ConfigError(f"{strategy.name} needs a backbone", key="backbones")
        if isinstance(backbone, str) and is_remote(backbone) and not strategy.readout.language_model:
            from stratune.fitting.vectors import VectorFitting

            fitting = VectorFitting(strategy, backbone, self.split, self.settings, self.remote, self.servers)
            return fitting.run(self.task, self.budget, self.seed, self.work, self.progress)
        if isinstance(backbone, str) and is_remote(backbone):
            from stratune.fitting.remote import ask

            return ask(
                strategy,
                backbone,
                self.task,
                self.split,
                self.seed,
                self.settings,
                self.remote,
                self.servers,
                self.progress,
                work=self.work,
            )
        if isinstance(backbone, str):
            loaded = loaded_for(strategy, backbone, self.settings)
        else:
            if self.settings.weights not in ("auto", backbone.held):
                why = f"{self.settings.weights}, and the given backbone's are held in {backbone.held}"
                raise ConfigError(f"{why}: load it with `weights`", key="train.weights")
            loaded = backbone.sharing()
        return NetFitting(
            strategy, loaded, self.task, self.split, self.budget, self.seed, self.settings, self.work,
            self.progress, self.part,
        ).run()  # fmt: skip

    def baseline(self, baseline: Baseline) -> Trained:
        split = with_soft_labels(self.split, baseline.name) if baseline.soft_labels else self.split
        trained = fit_baseline(baseline, self.task, split, self.seed, self.settings.max_words)
        trained.predictor.about["fingerprint"] = self.split.fingerprint
        return trained

    def combination(self, combination: Combination) -> Trained:
        if self.members is None:
            why = f"{combination.name} is made of finished runs: ask `compare` for it"
            raise ConfigError(why, key="strategies")
        return combine(combination, self.members, self.split, self.servers)

    def distillation(self, distillation: Distillation) -> Trained:
        if self.members is None:
            why = f"{distillation.name} learns from finished runs: ask `compare` for it"
            raise ConfigError(why, key="strategies")

        def fit_on(split: Split) -> Trained:
            return distillation.strategy.fitted_by(replace(self, split=split))

        return distil(distillation, self.members, self.split, self.servers, fit_on, self.progress)

"""What a comparison compares: strategies, baselines, and combinations of their runs.

A strategy is two answers: which weights are trained (`tune`), and where the answer is read (`readout`). Each
kind says which runs it has, and how it is fitted is the matter of a Fitter (fitting/fit.py), which calls its
method for the kind.
"""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol, TypeVar

from stratune.readout.base import Readout
from stratune.readout.head import Head
from stratune.train.settings import Recipe
from stratune.train.space import Space

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from stratune.data.split import Split
    from stratune.model.baseline import Examples, FittedBaseline
    from stratune.net.net import Net
    from stratune.result import RunResult
    from stratune.task import Task
    from stratune.train.solved import VectorRows

    Gain = Callable[[RunResult], float]  # validation metric, higher is better
    Place = tuple[str | None, int]  # backbone (None: none is used) and seed of a run

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Candidate(ABC):
    """What has rows on the leaderboard, one for each backbone it runs on: a frozen dataclass of options."""

    __dataclass_fields__: ClassVar[dict[str, Any]]
    made_of_runs: ClassVar[bool] = False  # its runs are made of finished runs of others
    within_backbone: ClassVar[bool] = False  # of which it may take those of its own backbone alone
    soft_labels: bool = False  # whether it learns the shares of the raters, not one label a row

    if TYPE_CHECKING:

        @property
        def name(self) -> str: ...

    @property
    def of(self) -> Sequence[str]:
        """The candidates whose runs it may take; empty: any, where it is made of runs."""
        return ()

    @property
    def trains(self) -> bool:
        """Whether weights of a net are trained, so that runs of several seeds can be averaged."""
        return False

    @property
    def floor(self) -> bool:
        """Whether its answers have nothing to do with the text: what any other must be better than."""
        return False

    @abstractmethod
    def settings(self) -> dict[str, Any]:
        """Its options written out, as config.yaml and result.json keep it. `parse_strategy` reads it back."""

    @abstractmethod
    def runs(self, backbones: Sequence[str], llms: Sequence[str], seeds: int) -> list[Place]:
        """In a comparison of these. Where it is made of runs, `backbones` are those that were trained on."""

    def check(self, seeds: int) -> None:  # noqa: B027  most need nothing
        """Raises ConfigError when a comparison with so many seeds could never have the runs it needs."""

    def check_data(self, split: Split) -> None:
        """Raises ConfigError for a split that it cannot learn from."""
        if self.soft_labels:
            from stratune.data.soft_labels import check_soft

            check_soft(split.task, self.name)

    def choose(self, runs: Sequence[RunResult], gain: Gain) -> list[RunResult]:
        """The members, of the finished `runs`; by validation alone."""
        return []

    @abstractmethod
    def fitted_by(self, fitter: Fitter[T]) -> T:
        """What `fitter` makes of this kind of candidate."""


class Fitter(Protocol[T_co]):
    """One method for each kind of candidate."""

    def strategy(self, strategy: Strategy, /) -> T_co: ...

    def baseline(self, baseline: Baseline, /) -> T_co: ...

    def combination(self, combination: Combination, /) -> T_co: ...

    def distillation(self, distillation: Distillation, /) -> T_co: ...


# -- strategies


class Tune(Protocol):
    """Which weights are trained. `adapt` gets a net whose backbone is frozen whole and whose head is
    trainable; it only unfreezes, swaps or wraps. A class may have a `space`: options worth a trial.
    """

    __dataclass_fields__: ClassVar[dict[str, Any]]

    def adapt(self, net: Net) -> None: ...


class Solved(Protocol):
    """A technique whose head is computed from vectors, not trained by the loop.

    `solve` sets the tensors of `net.head`, and returns of how many settings the validation rows chose one. It
    is called once where nothing else is trained, else before every evaluation on validation.

    `head_only = True`: there is nothing to train beside the head. An option `solved` of the technique turns
    solving off; so does a head that reads more than one vector of a text.
    """

    def solve(self, net: Net, rows: VectorRows) -> int: ...


TUNES: dict[str, type[Tune]] = {}  # by name; `register` fills it


def tune_name(tune: Tune) -> str:
    return next(name for name, cls in TUNES.items() if cls is type(tune))


@dataclass(frozen=True)
class Strategy(Candidate):
    name: str
    tune: Tune
    readout: Readout = field(default_factory=Head)
    recipe: Recipe = field(default_factory=Recipe)
    soft_labels: bool = False

    @property
    def trains(self) -> bool:
        """Whether the loop trains it.

        A technique that trains nothing says so with `trains = False` (`learns`, its name up to 0.6).
        """
        trains = bool(getattr(self.tune, "trains", getattr(self.tune, "learns", True)))
        return trains and not (self.solved and getattr(self.tune, "head_only", False))

    @property
    def solved(self) -> bool:
        """Whether its head is computed from the vectors of the rows: it has a method `solve` (Solved)."""
        return hasattr(self.tune, "solve") and getattr(self.tune, "solved", True) and self.readout.one_vector

    @property
    def floor(self) -> bool:
        """Of a strategy: its head is random, and stays so."""
        return not self.trains and not self.solved and not self.readout.language_model

    def settings(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "tune": tune_name(self.tune),
            **dataclasses.asdict(self.tune),
            "soft_labels": self.soft_labels,
            "readout": self.readout.settings(),
            **(dataclasses.asdict(self.recipe) if self.trains or not self.solved else {}),
        }

    def runs(self, backbones: Sequence[str], llms: Sequence[str], seeds: int) -> list[Place]:
        found = (llms if self.readout.language_model else ()) or backbones
        if self.solved and not self.trains:  # nothing is drawn: every seed has the same numbers
            seeds = 1
        return [(backbone, seed) for seed in range(seeds) for backbone in found]

    def fitted_by(self, fitter: Fitter[T]) -> T:
        return fitter.strategy(self)


# -- baselines


class Baseline(Candidate):
    """Hyperparameters of a baseline, which has no language model and nothing that is random.

    `fit` trains on train; validation may choose, test is never seen. It raises UnsupportedError for a kind
    of task that it cannot do.
    """

    preset: ClassVar[str]  # the name it is registered under
    space: ClassVar[Space] = {}  # options worth a trial
    needs_pairs: ClassVar[bool] = False  # whether it reads two texts in each row, and no single ones

    @abstractmethod
    def fit(self, train: Examples, val: Examples, task: Task, seed: int) -> FittedBaseline: ...

    @abstractmethod
    def restore(
        self, task: Task, arrays: Mapping[str, NDArray[Any]], state: Mapping[str, Any]
    ) -> FittedBaseline:
        """What `fit` gave, of its `state()`."""

    def runs(self, backbones: Sequence[str], llms: Sequence[str], seeds: int) -> list[Place]:
        return [(None, 0)]

    def fitted_by(self, fitter: Fitter[T]) -> T:
        return fitter.baseline(self)


# -- what is made of finished runs


@dataclass(frozen=True)
class MadeOfRuns(Candidate):
    """What all have: a name, and the strategies whose runs they may take (none named: any)."""

    name: str = ""
    of: tuple[str, ...] = ()

    made_of_runs = True
    kind: ClassVar[str]  # the preset's name

    def settings(self) -> dict[str, Any]:
        options = {f.name: getattr(self, f.name) for f in dataclasses.fields(self) if f.name != "name"}
        return {"name": self.name, "preset": self.kind, **options, "of": list(self.of)}

    def _asked(self, runs: Sequence[RunResult]) -> list[RunResult]:
        return [run for run in runs if not self.of or run.strategy in self.of]

    def _best(self, runs: Sequence[RunResult], gain: Gain, count: int) -> list[RunResult]:
        return sorted(self._asked(runs), key=gain, reverse=True)[:count]  # stable: ties as planned


Joined = Literal["predictions", "weighted predictions", "weights", "the first that is sure"]


@dataclass(frozen=True)
class Combination(MadeOfRuns):
    """Averages its members, or chooses among their answers; nothing is trained for it."""

    joins: ClassVar[Joined]  # what of its members is averaged, or which of them answers
    needs: ClassVar[str] = "two finished runs"

    def runs(self, backbones: Sequence[str], llms: Sequence[str], seeds: int) -> list[Place]:
        return [(backbone, 0) for backbone in backbones] if self.within_backbone else [(None, 0)]

    @abstractmethod
    def costs(self, members: Sequence[RunResult], cost: str) -> int:
        """A count of parameters, out of those of the members."""

    def fitted_by(self, fitter: Fitter[T]) -> T:
        return fitter.combination(self)


@dataclass(frozen=True)
class Distillation(MadeOfRuns):
    """A strategy that learns what finished runs answer to texts without labels."""

    student: str | dict[str, Any] = "probe"

    @property
    def strategy(self) -> Strategy:
        raise NotImplementedError

    def fitted_by(self, fitter: Fitter[T]) -> T:
        return fitter.distillation(self)

"""What a task predicts: how its truth is read, how models are trained and answer, how answers are scored.

One class for each kind of task. Shapes, with N rows, K labels and C columns of numbers that a model answers:

| class       | kind           | truth                          | predictions                         |
|-------------|----------------|--------------------------------|-------------------------------------|
| `Classes`   | classification | (N,) label indices             | (N, K) probabilities, rows sum to 1 |
| `Levels`    | ordinal        | (N,) label indices, low first  | (N, K) probabilities, rows sum to 1 |
| `LabelSets` | multilabel     | (N, K) zeros and ones          | (N, K) probabilities, each by itself|
| `Values`    | regression     | (N,) float64                   | (N, 1) values in the user's units   |

A soft truth, a distribution over the labels for each row (the shares of its raters), is (N, K) float64 whose
rows sum to 1; of sets (N, K) float64 between 0 and 1. `truth` is the one door through which cells become
arrays: whoever takes soft labels reads them there, and nowhere else does a cell become a number.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from stratune.errors import ConfigError, choices
from stratune.evaluate.arrays import Flags, Floats, Predictions
from stratune.evaluate.calibration import Calibrate, Scaling, fit_scaling
from stratune.evaluate.intervals import Interval, bootstrap
from stratune.evaluate.kinds import Kind, Truth
from stratune.evaluate.metrics import Metric, find
from stratune.evaluate.scoring import PredictionScorer, Scorer, score, with_registered
from stratune.evaluate.selection import Selection
from stratune.target.decision import DECIDE, PLAIN, Decide, Decision
from stratune.target.joining import Owners
from stratune.target.numbers import by_number

if TYPE_CHECKING:
    from stratune.evaluate.alpha import Level
    from stratune.evaluate.raters import Raters
    from stratune.objective import Objective


TIE = 1e-6  # weight of probabilities beside votes, which are 1 / chunks apart or equal
LEAST = 1e-12  # probabilities are clipped here before the logarithm


@dataclass(frozen=True)
class Target(ABC):
    """`labels` are ordered; empty where nobody has named them yet, and of values always."""

    kind: ClassVar[Kind]
    default_metric: ClassVar[str]
    validation_loss: ClassVar[str] = "log_loss"  # the metric that breaks ties: lower is better
    plain_metrics: ClassVar[tuple[str, ...]]  # those that a reader knows without being told
    losses: ClassVar[tuple[str, ...]]  # names of what training minimises, the default first
    baseline: ClassVar[str] = "majority"  # the strategy that always answers alike
    fewest_labels: ClassVar[int] = 2
    is_numeric: ClassVar[bool] = False  # a number, not labels
    one_label: ClassVar[bool] = False  # one of several: there are classes to weigh, and to bin into
    several_labels: ClassVar[bool] = False  # any number of labels

    # Agreement of raters, where the kind may have ratings: how alpha takes them, what they agree on, and
    # measure -> how a person reads it. A figure shows the first measure, a page two, a line three.
    measurement: ClassVar[Level] = "nominal"
    consensus: ClassVar[str] = "majority"
    agreement: ClassVar[Mapping[str, str]] = {}

    labels: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if len(set(self.labels)) != len(self.labels):
            raise ConfigError(f"labels repeat: {', '.join(self.labels)}", key="task.labels")

    def check(self, *, annotated: bool, binned: bool) -> None:
        """Raises ConfigError for ratings or bins that this kind of task cannot have."""
        if binned and not self.one_label:
            raise ConfigError(f"bins are levels or classes, not a {self.kind}", key="task.bins")

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the C numbers that a model answers of a row."""
        return self.labels

    @cached_property
    def index(self) -> dict[str, int]:
        """Label -> its position."""
        return {name: position for position, name in enumerate(self.labels)}

    # -- cells of the user's column

    @abstractmethod
    def members(self, cell: str) -> list[str]:
        """The labels that a cell names."""

    @abstractmethod
    def truth(self, cells: Sequence[Any]) -> Truth:
        """Cells of N rows -> their truth; see above."""

    @abstractmethod
    def strata(self, cells: Sequence[str]) -> list[str]:
        """(N,) what every part of a split should have its share of."""

    def problem(self, cell: Any) -> str | None:
        """What is wrong with a cell; None: nothing, or the labels are not known yet."""
        wrong = next((name for name in self.members(cell) if name not in self.index), None)
        return choices(wrong, self.labels) if self.labels and wrong is not None else None

    def respelt(self, cells: Collection[str], labels: Sequence[str] = ()) -> dict[str, str]:
        """Cell -> the label that it is in another spelling: of `labels`, where these are known."""
        return {}

    def in_order(self, found: Sequence[str] | set[str]) -> tuple[str, ...]:
        """Labels that were found, as numbers when all are. ConfigError where nobody can know their order."""
        return by_number(set(found)) or tuple(sorted(found))

    def rating(self, text: str) -> str | float:
        """One annotator's rating as it is kept. Raises ValueError saying why it is none."""
        if (why := self.problem(text)) is not None:
            raise ValueError(why)
        return text

    def rated(self, rating: Any) -> float:
        """A rating as a number: the position of its label."""
        return float(self.index[rating])

    # -- answers

    @abstractmethod
    def decided(
        self, predictions: Predictions, invalid: Flags | None = None, decision: Decision = PLAIN
    ) -> Any:
        """Predictions (N, C) -> decisions, in the shape of the truth; an invalid row has none."""

    @abstractmethod
    def named(self, decided: Any) -> list[Any]:
        """Decisions -> a cell for each row, as the user's column has them."""

    @abstractmethod
    def decided_of(self, cells: Sequence[Any]) -> Any:
        """Decisions, of the cells that `named` made of them."""

    def chosen(
        self, truth: Truth, predictions: Floats, invalid: Flags | None = None, how: Decide = DECIDE
    ) -> Decision:
        """The decision that suits validation rows. Raises ConfigError as `Decide.check`."""
        how.check(self)
        return PLAIN

    # -- probabilities

    def to_scores(self, predictions: Floats) -> Floats:
        """What `from_scores` makes these predictions of."""
        return np.log(np.clip(predictions, LEAST, 1.0))

    def calibration(self, truth: Truth, predictions: Floats, way: Calibrate) -> Scaling:
        """Fitted on validation rows that have valid answers. Of values there is none."""
        return fit_scaling(self.to_scores(predictions), self.soft(truth), way, joint=self.one_label)

    def soft(self, truth: Truth) -> Floats:
        """(N, C) the truth as an answer that is certain of it."""
        return np.eye(len(self.labels))[truth] if truth.ndim == 1 else truth.astype(np.float64)

    def calibrated(self, predictions: Floats, scaling: Scaling) -> Floats:
        """Probabilities (N, K), scaled; NaN stays."""
        return self.from_scores(scaling(self.to_scores(predictions))) if scaling else predictions

    @abstractmethod
    def strangeness(self, truth: Truth, predictions: Floats) -> Floats:
        """(N,) how strange the truth looks to the model; NaN of an invalid row. See evaluate/conformal.py."""

    @abstractmethod
    def sets(self, predictions: Floats, most: float) -> Any:
        """What is no stranger than `most`: (N, K) which labels; of values (N, 2) lowest and highest."""

    @abstractmethod
    def covered(self, truth: Truth, sets: Any) -> Flags:
        """(N,) whether the truth of a row is in its set."""

    def without(self, predictions: Predictions, labels: Sequence[str]) -> Predictions:
        """Predictions (N, C) of a model that never answers `labels`: theirs are 0, the others sum to one."""
        kept = np.array([name not in labels for name in self.labels])
        shown = np.where(kept | np.isnan(predictions), predictions, 0.0)
        if not self.one_label:
            return shown
        total = shown.sum(axis=1, keepdims=True)  # (N, 1); NaN where invalid
        return np.asarray(np.where(total == 0, kept / kept.sum(), shown / np.where(total == 0, 1, total)))

    def read(self, answer: Any, row: Floats) -> tuple[str, dict[str, float], float | None]:
        """One row's answer (label, probabilities by label, value), of its cell and its numbers (C,)."""
        return answer, dict(zip(self.labels, map(float, row), strict=True)), None

    def stored(self, cells: Sequence[Any]) -> list[Any]:
        """Cells as predictions.parquet has them."""
        return list(cells)

    def is_answer(self, cell: Any) -> bool:
        """Whether a stored answer is one."""
        return cell is not None and self.problem(cell) is None

    @abstractmethod
    def prior(self, truth: Truth) -> Floats:
        """(C,) the best answer to a text that nothing is known of: shares of the labels, or the mean."""

    @abstractmethod
    def from_scores(self, scores: Floats) -> Floats:
        """(N, C) scores of a linear model -> predictions."""

    # -- learning

    def objective(self, loss: str = "auto") -> Objective:
        """What training minimises. Raises ConfigError for a loss that the kind of task does not have."""
        loss = self.losses[0] if loss == "auto" else loss
        if loss not in self.losses:
            raise ConfigError(f"of {self.kind}: {choices(loss, ['auto', *self.losses])}", key="readout.loss")
        return self._objective(loss)

    @abstractmethod
    def _objective(self, loss: str) -> Objective: ...

    def verbalized(self, scale: tuple[float, ...], readout: str) -> tuple[str, ...]:
        """The labels that a language model is asked about; of values the levels of a scale.

        Raises UnsupportedError where one label is not the whole answer, or nothing says what the levels are.
        """
        return self.labels

    def verbal_objective(self, scale: tuple[float, ...], of_tokens: bool) -> Objective:
        """The objective over what `verbalized` gives: of a label's tokens, or among the labels alone."""
        from stratune.objective.classes import CrossEntropy, TokenNLL

        return (TokenNLL if of_tokens else CrossEntropy)(len(self.labels))

    # -- the chunks of `count` documents: predictions (M, C), `owner` (M,) -> (count, C); see joining.py

    def voted(self, predictions: Floats, owner: Owners, count: int) -> Floats:
        """The share of a document's chunks that answer so; of values the median. Where shares tie, the mean
        probabilities count a little: a tie goes to the surer label, not to the first.
        """
        votes = self._votes(predictions).astype(np.float64)
        chunks = np.bincount(owner, minlength=count)[:, None]
        total, surer = np.zeros((2, count, predictions.shape[1]))
        np.add.at(total, owner, votes)
        np.add.at(surer, owner, np.where(np.isnan(predictions), votes, predictions))
        shares, means = total / chunks, surer / chunks
        return np.where(self._tied(shares), (1 - TIE) * shares + TIE * means, shares)

    def _tied(self, shares: Floats) -> npt.NDArray[np.bool_]:
        """(N, K) or (N, 1) where shares of votes (N, K) decide nothing."""
        highest = shares == shares.max(axis=1, keepdims=True)
        return np.asarray(highest.sum(axis=1, keepdims=True) > 1)

    def _votes(self, predictions: Floats) -> npt.NDArray[Any]:
        """(M, K) which labels a chunk answers."""
        raise NotImplementedError

    def highest(self, predictions: Floats, owner: Owners, count: int) -> Floats:
        """Each label's highest probability; of values the one farthest from the document's mean."""
        highest = np.zeros((count, predictions.shape[1]))
        np.maximum.at(highest, owner, predictions)
        return highest

    @abstractmethod
    def confidence(self, predictions: Floats, owner: Owners, count: int) -> Floats:
        """(M,) from 0 up: how far a chunk's answer is from knowing nothing."""

    # -- scores

    def find(self, metric: str) -> Metric:
        """The metric of that name. Raises ConfigError with the choices there are."""
        return find(metric, self.labels, self.kind)

    def selection(self, metric: str) -> Selection:
        """Choices by a metric. Raises ConfigError where the kind has none of that name."""
        found = self.find(metric)
        return Selection(found.name, found.higher_is_better)

    def scorer(
        self, truth: Truth, predictions: Predictions, invalid: Flags | None = None, decided: Any = None
    ) -> Scorer:
        """Every metric of (N, C) predictions, and of what was `decided` of them, where that is not plain.

        TrainingError: a valid row holds NaN or infinity.
        """
        return with_registered(self._scorer(truth, predictions, invalid, decided), self.kind)

    @abstractmethod
    def _scorer(
        self, truth: Truth, predictions: Predictions, invalid: Flags | None, decided: Any
    ) -> PredictionScorer: ...

    def score(
        self, truth: Truth, predictions: Predictions, invalid: Flags | None = None, decided: Any = None
    ) -> dict[str, float]:
        """Every metric that is defined. Raises as `scorer`."""
        return score(self.scorer(truth, predictions, invalid, decided), len(truth))

    def intervals(
        self,
        truth: Truth,
        predictions: Predictions,
        invalid: Flags | None = None,
        decided: Any = None,
        **options: Any,
    ) -> dict[str, Interval]:
        """Metrics with intervals over S seeds: predictions (S, N, C), invalid (S, N), decided (S, N, ...)."""
        return bootstrap(self.scorers(truth, predictions, invalid, decided), len(truth), **options)

    def scorers(
        self, truth: Truth, predictions: Predictions, invalid: Flags | None = None, decided: Any = None
    ) -> list[Scorer]:
        """Of S seeds: predictions (S, N, C), invalid (S, N), decided (S, N, ...). Raises as `scorer`."""
        flags = np.zeros(predictions.shape[:2], dtype=bool) if invalid is None else invalid
        which = [None] * len(predictions) if decided is None else decided
        each = zip(predictions, flags, which, strict=True)
        return [self.scorer(truth, one, flag, chosen) for one, flag, chosen in each]

    def why_undefined(self, metric: str, truth: Truth, predictions: Predictions, part: str) -> str:
        """A sentence for a metric that the rows of a part leave undefined."""
        why = self._lacking(truth, part)
        if why is None and (predictions == predictions[:1]).all():
            why = f"every answer to {part} is the same"
        return f"{metric} is undefined: {why or f'no value for {part}'}"

    @abstractmethod
    def _lacking(self, truth: Truth, part: str) -> str | None:
        """What truth (N, ...) would have to have for every metric to be defined."""

    # -- raters

    def raters(self, ratings: Floats, *, identified: bool = False) -> Raters:
        """Ratings (N, R) as `rated` gives them, NaN where there is none."""
        raise NotImplementedError

    @property
    def has_distances(self) -> bool:
        """Whether two ratings may lie near or far, as ICC has it: numbers, levels, and two labels."""
        return self.measurement != "nominal" or len(self.labels) == 2

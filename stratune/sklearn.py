"""Strategies as scikit-learn's estimators, for `Pipeline`, `cross_val_score`, `GridSearchCV` and their kin.

    from stratune.sklearn import TextClassifier

    cross_val_score(TextClassifier("lora"), texts, labels, scoring="f1_macro")
    GridSearchCV(TextClassifier(), {"strategy": ["tfidf", "probe", {"preset": "lora", "rank": 4}]})

X are N texts: a list, a pandas Series, an array (N,), one column of a frame (N, 1); or N pairs of texts, two
columns (N, 2). A missing cell is an empty text. A fitted estimator that is pickled, as scikit-learn does for
other processes, is the files of its model folder.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils import check_consistent_length, check_random_state, column_or_1d
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted

from stratune.engine.parcel import packed, unpack
from stratune.errors import ConfigError, DataError
from stratune.evaluate.kinds import Kind

if TYPE_CHECKING:
    from stratune.data.split import Split
    from stratune.model.answers import Scored
    from stratune.predictor.inputs import Texts
    from stratune.predictor.predictor import Predictor
    from stratune.strategy.base import Candidate
    from stratune.task import Task

SEEDS = 2**31  # as many are drawn from where `random_state` is no number


class _TextEstimator(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """What both have in common."""

    kind: Kind

    def __init__(
        self,
        strategy: str | dict[str, Any] | Candidate = "probe",
        backbone: str = "minilm",
        *,
        validation_fraction: float = 0.15,
        metric: str | None = None,
        epochs: float | None = None,
        trials: int = 1,
        max_length: int | None = None,
        random_state: Any = 0,
        verbose: bool = False,
    ) -> None:
        self.strategy = strategy
        self.backbone = backbone
        self.validation_fraction = validation_fraction
        self.metric = metric
        self.epochs = epochs
        self.trials = trials
        self.max_length = max_length
        self.random_state = random_state
        self.verbose = verbose

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.one_d_array = True
        tags.input_tags.two_d_array = False  # not of numbers
        tags.input_tags.allow_nan = True
        tags.target_tags.required = True
        return tags

    def _fit(
        self, texts: list[str], pairs: list[str] | None, cells: list[str], labels: tuple[str, ...]
    ) -> None:
        from stratune.comparison.bar import StepBar
        from stratune.fitting.fit import train
        from stratune.strategy import parse_strategy
        from stratune.task import Task
        from stratune.train.settings import Budget, TrainSettings

        seed = self.random_state
        if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)):
            seed = check_random_state(seed).randint(SEEDS)
        pair = "text_pair" if pairs is not None else None
        task = Task(kind=self.kind, labels=labels, text_pair=pair, metric=self.metric or "")
        split = _split(texts, pairs, cells, task, self.validation_fraction, int(seed))
        with StepBar("training", shown=self.verbose, measure=task.metric) as bar:
            self.predictor_ = train(
                parse_strategy(self.strategy),
                self.backbone,
                split.task,
                split,
                Budget(epochs=self.epochs, trials=self.trials),
                int(seed),
                settings=TrainSettings(max_length=self.max_length),
                progress=bar,
            ).predictor

    def _take(self, predictor: Predictor) -> None:
        """Be fitted, with this one."""
        self.predictor_ = predictor

    def _answers(self, X: Any) -> Scored:
        check_is_fitted(self, "predictor_")
        texts, pairs = _texts(X)
        paired = self.predictor_.task.text_pair is not None
        if paired != (pairs is not None):
            wanted = "pairs of texts (N, 2)" if paired else "single texts (N,)"
            raise ValueError(f"it was fitted on {wanted}, which X is not")
        scored = self.predictor_.answer(texts, pairs)
        if scored.invalid is not None and (count := int(scored.invalid.sum())):
            why = "a readout that scores labels, as zero_shot does, always has one"
            raise ValueError(
                f"{count} of {len(texts)} answers are no label, and `predict` must name one: {why}"
            )
        return scored

    def __getstate__(self) -> dict[str, Any]:
        state = dict(super().__getstate__())
        if "predictor_" in state:
            state["predictor_"] = _packed(state["predictor_"])
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        if "predictor_" in state:
            state = {**state, "predictor_": _unpacked(state["predictor_"], state["backbone"])}
        super().__setstate__(state)


class TextClassifier(ClassifierMixin, _TextEstimator):  # type: ignore[misc]
    """A strategy that answers with classes, as an estimator of scikit-learn. X: N texts, or (N, 2) pairs.
    `y`: (N,) texts, whole numbers or booleans.

    Options of the strategy itself are given in it: `{"preset": "lora", "rank": 4, "learning_rate": 1e-3}`.
    `validation_fraction` of the rows chooses among epochs and trials, and is not trained on; where that would
    be fewer than 50 rows, cross-validation does, and the model is fitted on all of them. `metric`: what is
    chosen by; None: macro F1. `epochs`, `trials` and `max_length` are those of `stratune.compare`.
    `random_state`: as everywhere in scikit-learn; equal numbers, equal models.

    Fitted, it has `classes_` (K,), sorted, and `predictor_`, a stratune.Predictor whose labels are their
    names, and which saves itself. `fit` raises ValueError for what is no texts or no classes, and `predict`
    for answers in words that are no label; StratuneError for a strategy, backbone or option that is wrong.
    """

    kind = "classification"

    def fit(self, X: Any, y: Any) -> Self:
        (texts, pairs), y = _given(X, y)
        check_classification_targets(y)
        self.classes_, codes = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(f"a classifier needs two classes, and y has one: {self.classes_.tolist()}")
        names = _names(self.classes_)
        self._fit(texts, pairs, [names[code] for code in codes], names)
        return self

    def _take(self, predictor: Predictor) -> None:
        super()._take(predictor)
        self.classes_ = np.unique(predictor.labels)

    def predict(self, X: Any) -> NDArray[Any]:
        """(N,) classes."""
        scored = self._answers(X)
        numbers = {name: number for number, name in enumerate(_names(self.classes_))}
        found = [numbers[said] for said in scored.predicted(self.predictor_.task)]
        return np.asarray(self.classes_[np.asarray(found, dtype=np.intp)])

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """(N, K) probabilities, columns in the order of `classes_`."""
        columns = [self.predictor_.labels.index(name) for name in _names(self.classes_)]
        return self._answers(X).predictions[:, columns]


class TextRegressor(RegressorMixin, _TextEstimator):  # type: ignore[misc]
    """A strategy that answers with numbers. `y`: (N,) finite numbers. All else is as of TextClassifier;
    `metric` None is the root of the mean squared error.
    """

    kind = "regression"

    def fit(self, X: Any, y: Any) -> Self:
        (texts, pairs), y = _given(X, y)
        values = y.astype(np.float64)
        if not np.isfinite(values).all():
            raise ValueError("y has a value that is not finite (NaN or infinity)")
        self._fit(texts, pairs, [repr(float(value)) for value in values], ())
        return self

    def predict(self, X: Any) -> NDArray[np.float64]:
        """(N,) values."""
        return self._answers(X).predictions[:, 0]


def as_estimator(predictor: Predictor) -> TextClassifier | TextRegressor:
    """A fitted estimator of a predictor, such as `board.best`; cloned, it would be fitted in the same way.

    ConfigError for a task of several labels at once, or of levels.
    """
    task, about = predictor.task, predictor.about
    kinds = {one.kind: one for one in (TextClassifier, TextRegressor)}
    if task.kind not in kinds:
        why = f"scikit-learn's estimators here are of {' or '.join(kinds)}, and this model is of {task.kind}"
        raise ConfigError(why)
    made = kinds[task.kind](about["strategy"], (about.get("backbone") or {}).get("id", "minilm"))
    made._take(predictor)
    return made


def _names(classes: NDArray[Any]) -> tuple[str, ...]:
    """Classes as labels are written, which prompts show: True, 2, positive."""
    return tuple(str(one) for one in classes.tolist())


def _given(X: Any, y: Any) -> tuple[Texts, NDArray[Any]]:
    """Texts, and as many targets (N,). Raises ValueError."""
    texts = _texts(X)
    if y is None:
        raise ValueError("requires y to be passed, but the target y is None")
    y = column_or_1d(y, warn=True)
    check_consistent_length(texts[0], y)
    return texts, y


def _texts(X: Any) -> Texts:
    """(N,) texts, and their pairs of X (N, 2). Raises ValueError for anything else."""
    from stratune.predictor.inputs import texts_of
    from stratune.task import Task

    if isinstance(X, (str, bytes)) or X is None:
        raise ValueError(f"X is N texts; of one make a list, not {type(X).__name__}")
    if hasattr(X, "toarray"):
        raise ValueError("X is a sparse matrix; it takes the texts themselves, not counts of their words")
    table = np.asarray(X.to_numpy() if hasattr(X, "to_numpy") else X, dtype=object)
    if table.ndim == 0 or table.ndim > 2 or (table.ndim == 2 and table.shape[1] not in (1, 2)):
        raise ValueError(f"X is N texts (N,), or N pairs (N, 2); found shape {table.shape}")
    if not len(table):
        raise ValueError("Found array with 0 sample(s): X has no texts")
    columns = [table] if table.ndim == 1 else list(table.T)
    task = Task(text_pair="text_pair" if len(columns) == 2 else None)
    try:
        return texts_of(dict(zip(("text", "text_pair"), columns, strict=False)), task)
    except DataError as error:
        raise ValueError(f"X: {error}") from error


def _split(
    texts: list[str], pairs: list[str] | None, cells: list[str], task: Task, share: float, seed: int
) -> Split:
    """Training and validation rows, or folds; nothing is tested here."""
    import pyarrow as pa

    from stratune.data.arrow import to_dataset
    from stratune.data.split import make_split

    if not 0 < share < 1:
        raise ConfigError(f"{share} is not between 0 and 1", key="validation_fraction")
    columns = {"id": [str(number) for number in range(1, len(texts) + 1)], "text": texts}
    if pairs is not None:
        columns["text_pair"] = pairs
    table = to_dataset(pa.table({**columns, "label": cells}))
    rest = (1 - share) / 2  # the test rows that there are take none of the table's
    none = table.select([])
    return make_split(table, task, seed=seed, fractions=(rest, share, rest), test=none, validation="auto")


def _packed(predictor: Predictor) -> tuple[bytes, ...]:
    """The files of its model folder, in pieces."""
    with tempfile.TemporaryDirectory() as folder:
        return tuple(packed(predictor.save(Path(folder) / "model")))


def _unpacked(pieces: tuple[bytes, ...], backbone: str) -> Predictor:
    from stratune.predictor.predictor import Predictor
    from stratune.remote.address import is_remote

    servers = [backbone] if is_remote(backbone) else []  # which the user named
    with tempfile.TemporaryDirectory() as folder:
        unpack(pieces, Path(folder))
        return Predictor.load(folder, allow_server=servers)

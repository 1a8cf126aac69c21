"""export --to sklearn: `tfidf` as a Pipeline of scikit-learn's own objects, in a file of skops.

A pickle runs whatever its writer wanted; skops reads a file of known types. The Pipeline has nothing but
types that skops trusts by itself: the vectorisers, and a linear classifier or ridge regression.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from stratune.errors import ArtifactError, UnsupportedError
from stratune.export.compared import EDGES, PROBES, compared_rows, largest_gap, same_decisions
from stratune.export.linear_text import Exported, calibrated, linear_text, named
from stratune.export.sklearn_card import write_card
from stratune.files import replacing_folder
from stratune.model.base import INSTEAD

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from stratune.predictor.predictor import Predictor

EXPORT = "export to sklearn"
FILE = "model.skops"


def export_sklearn(predictor: Predictor, folder: Path) -> Path:
    """Write the model as a Pipeline, reload it, compare; only then does `folder` appear.

    Raises UnsupportedError for what no Pipeline of scikit-learn's own objects computes, ArtifactError when
    the reloaded one answers otherwise.
    """
    from skops.io import dump

    found = calibrated(linear_text(predictor, EXPORT), predictor, EXPORT)
    if found.text.reads == "pair":
        why = "no object of scikit-learn puts the features of two texts beside their difference and product"
        raise UnsupportedError(EXPORT, named(predictor), f"{why}; export it to onnx, or {INSTEAD}")
    with replacing_folder(folder) as temporary:
        dump(_pipeline(found, predictor), temporary / FILE)
        gap = _verified(predictor, found, temporary / FILE)
        write_card(predictor, found, temporary, gap)
    return folder


def _pipeline(found: Exported, predictor: Predictor) -> Any:
    from sklearn.pipeline import FeatureUnion, Pipeline

    vectorisers = zip(("words", "characters"), found.text.features.vectorisers, strict=False)
    return Pipeline([("features", FeatureUnion([*vectorisers])), ("model", _model(found, predictor))])


def _model(found: Exported, predictor: Predictor) -> Any:
    """An estimator as scikit-learn leaves one after `fit`, with our numbers."""
    from sklearn.linear_model import Ridge
    from sklearn.model_selection import FixedThresholdClassifier

    target, weight, bias = predictor.task.target, found.text.weight, found.text.bias
    if target.is_numeric:
        ridge = Ridge()
        ridge.coef_, ridge.intercept_, ridge.n_features_in_ = weight[0], float(bias[0]), weight.shape[1]
        return ridge
    if target.several_labels:
        return _one_for_each(weight, bias)
    if len(target.labels) > 2:
        return _logistic(weight, bias, np.array(target.labels))
    difference = weight[1:] - weight[:1], bias[1:] - bias[:1]  # softmax of two is sigmoid of their difference
    model = _logistic(*difference, np.array(target.labels))
    if found.thresholds is None:
        return model
    least, second = float(found.thresholds[0]), target.labels[1]
    how: Any = {"threshold": least, "pos_label": second, "response_method": "predict_proba"}
    wrapped = FixedThresholdClassifier(model, **how)
    wrapped.estimator_, wrapped.n_features_in_ = model, weight.shape[1]
    return wrapped


def _logistic(weight: NDArray[np.float64], bias: NDArray[np.float64], classes: NDArray[Any]) -> Any:
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression()
    model.coef_, model.intercept_, model.classes_ = weight, bias, classes
    model.n_iter_, model.n_features_in_ = np.array([0]), weight.shape[1]
    return model


def _one_for_each(weight: NDArray[np.float64], bias: NDArray[np.float64]) -> Any:
    """A classifier of label sets: columns of its answers are the task's labels."""
    from sklearn.multiclass import OneVsRestClassifier
    from sklearn.preprocessing import LabelBinarizer

    model = OneVsRestClassifier(_logistic(weight[:1], bias[:1], np.array([0, 1])))
    both = np.array([0, 1])
    each = zip(weight[:, None], bias[:, None], strict=True)
    model.estimators_ = [_logistic(row, shift, both) for row, shift in each]
    rows = np.vstack([np.eye(len(bias), dtype=np.int64), np.ones((1, len(bias)), dtype=np.int64)])
    model.label_binarizer_ = LabelBinarizer(sparse_output=True).fit(rows)
    model.n_features_in_ = weight.shape[1]
    return model


def _verified(predictor: Predictor, found: Exported, path: Path) -> float:
    """The largest difference between the file's answers and the predictor's. Raises ArtifactError."""
    from skops.io import get_untrusted_types, load

    if unknown := get_untrusted_types(file=path):
        raise ArtifactError(f"{path.name}: skops does not trust {', '.join(unknown)}")
    pipeline = load(path, trusted=[])
    texts, pairs = compared_rows(predictor, found.max_words, (*PROBES, *EDGES))
    ours = predictor.answer(texts, pairs)
    read = pairs if found.text.reads == "second" and pairs is not None else texts
    target, what = predictor.task.target, f"the exported {path.name}"
    if target.is_numeric:
        return largest_gap(ours.predictions, pipeline.predict(read)[:, None], what)
    probabilities = pipeline.predict_proba(read)
    gap = largest_gap(ours.predictions, probabilities, what)
    least = 0.5 if found.thresholds is None else found.thresholds
    decided = probabilities >= least if target.several_labels else target.decided_of(pipeline.predict(read))
    same_decisions(predictor, predictor.model(texts, pairs).predictions, decided, what)
    return gap

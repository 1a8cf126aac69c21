"""export --to sklearn: scikit-learn and skops alone give our predictor's answers."""

import re

import numpy as np
import pytest
from skops.io import get_untrusted_types, load

from stratune.errors import ArtifactError, UnsupportedError
from stratune.evaluate.calibration import Scaling
from stratune.export import sklearn as exporting
from stratune.export.compared import EDGES, PROBES
from stratune.export.sklearn import FILE, export_sklearn
from stratune.model.postprocess import Postprocess
from stratune.target.decision import Decision
from stratune.testing.trained import fitted, split_of

TEXTS = [*EDGES, *PROBES, "the cat saw a dog near the old house", "rain and snow"]


def predictor_of(kind=None, post=None, labels=None):
    predictor = fitted("tfidf", None, split_of(kind, labels)).predictor
    if post is not None:
        predictor.post = post
    return predictor


@pytest.mark.parametrize("kind", ["classification", "ordinal", "multilabel", "regression"])
def test_each_kind_of_task(kind, tmp_path):
    predictor = predictor_of(kind)
    path = export_sklearn(predictor, tmp_path / "out") / FILE
    assert get_untrusted_types(file=path) == []
    pipeline = load(path, trusted=[])
    wanted = predictor.predict_proba(TEXTS)
    assert np.ptp(wanted, axis=0).max() > 0.01, "answers that do not depend on the text would prove nothing"
    found = pipeline.predict(TEXTS)[:, None] if kind == "regression" else pipeline.predict_proba(TEXTS)
    np.testing.assert_allclose(found, wanted, atol=1e-6)
    if kind in ("classification", "ordinal"):
        assert list(pipeline.classes_) == list(predictor.labels)
        assert list(pipeline.predict(TEXTS)) == [one.label for one in predictor.predict(TEXTS)]


@pytest.mark.parametrize("threshold", [0.2, 0.55, 0.8])
def test_a_threshold_and_a_temperature(threshold, tmp_path):
    """The threshold is of probabilities before calibration, which the file does not have."""
    predictor = predictor_of(post=Postprocess(Scaling((0.4,)), Decision((threshold,))))
    pipeline = load(export_sklearn(predictor, tmp_path / "out") / FILE, trusted=[])
    np.testing.assert_allclose(pipeline.predict_proba(TEXTS), predictor.predict_proba(TEXTS), atol=1e-6)
    assert list(pipeline.predict(TEXTS)) == [one.label for one in predictor.predict(TEXTS)]


def test_thresholds_of_label_sets_are_on_the_card(tmp_path):
    post = Postprocess(Scaling((2.0, 0.7), (0.3, -0.4)), Decision((0.45, 0.52)))
    predictor = predictor_of("multilabel", post)
    folder = export_sklearn(predictor, tmp_path / "out")
    found = load(folder / FILE, trusted=[]).predict_proba(TEXTS)
    np.testing.assert_allclose(found, predictor.predict_proba(TEXTS), atol=1e-6)
    least = re.search(r">= \[(.*)\]", (folder / "README.md").read_text())[1]
    given = found >= np.array([float(one) for one in least.split(", ")])
    wanted = [one.label for one in predictor.predict(TEXTS)]
    assert predictor.task.target.named(given) == wanted and len(set(wanted)) > 1


def test_vector_scaling_is_refused(tmp_path):
    predictor = predictor_of(post=Postprocess(Scaling((2.0, 0.7), (0.3, -0.4))))
    with pytest.raises(UnsupportedError, match="no weights give its vector scaling"):
        export_sklearn(predictor, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_words_that_are_cut_are_on_the_card(tmp_path):
    predictor = predictor_of()
    predictor.model.max_words = 3
    folder = export_sklearn(predictor, tmp_path / "out")
    assert "cut at 3 words" in (folder / "README.md").read_text()
    texts = [" ".join(text.split()[:3]) for text in TEXTS]
    found = load(folder / FILE, trusted=[]).predict_proba(texts)
    np.testing.assert_allclose(found, predictor.predict_proba(TEXTS), atol=1e-6)


def test_the_code_on_the_card_runs(tmp_path, monkeypatch):
    predictor = predictor_of()
    folder = export_sklearn(predictor, tmp_path / "out")
    monkeypatch.chdir(folder)
    names = {}
    exec(re.search(r"```python\n(.*?)```", (folder / "README.md").read_text(), re.S)[1], names)  # noqa: S102
    assert names["pipeline"].predict(names["texts"]) == [
        one.label for one in predictor.predict(names["texts"])
    ]


def test_other_answers_are_caught(tmp_path, monkeypatch):
    made = exporting._logistic
    monkeypatch.setattr(exporting, "_logistic", lambda weight, *more: made(weight * 1.1, *more))
    with pytest.raises(ArtifactError, match="answers are not ours"):
        export_sklearn(predictor_of(), tmp_path / "out")
    assert not (tmp_path / "out").exists()

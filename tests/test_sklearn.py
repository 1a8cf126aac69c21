"""stratune.sklearn: scikit-learn's own tools take the estimators, and a pickled one answers as before."""

import copy
import io
import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import StackingClassifier
from sklearn.exceptions import NotFittedError, SkipTestWarning
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_predict, cross_val_score
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils import estimator_checks

import stratune as st
from stratune.fitting.fit import train
from stratune.sklearn import TextClassifier, TextRegressor, as_estimator
from stratune.testing import toy_split


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STRATUNE_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="module")
def rows():
    """60 texts and what they are about: `animal` or `weather`."""
    table = toy_split(rows=60).train
    return list(table["text"]), np.asarray(table["label"])


@pytest.fixture(scope="module")
def bert(tiny):
    return str(tiny("bert"))


@pytest.fixture(scope="module")
def fitted(rows, bert):
    return TextClassifier("probe", bert).fit(*rows)


# scikit-learn's own checks that need no numbers as X: all others, `check_estimator` leaves out for texts.
WITHOUT_NUMBERS = (
    "estimator_cloneable", "estimator_tags_renamed", "valid_tag_types", "estimator_repr", "no_attributes_set_in_init",
    "mixin_order", "do_not_raise_errors_in_init_or_set_params",
    "parameters_default_constructible", "get_params_invariance", "set_params",
)  # fmt: skip


@pytest.mark.parametrize(
    "estimator", [TextClassifier("tfidf"), TextRegressor("tfidf")], ids=["classes", "numbers"]
)
def test_scikit_learns_checks_pass(estimator):
    for check in WITHOUT_NUMBERS:
        getattr(estimator_checks, f"check_{check}")(type(estimator).__name__, clone(estimator))
    with pytest.warns(SkipTestWarning, match="requires input"):  # why the checks above are called one by one
        estimator_checks.check_estimator(estimator)
    assert is_classifier(estimator) != is_regressor(estimator)


def test_answers_are_the_predictors(fitted, rows):
    texts, y = rows
    assert fitted.classes_.tolist() == ["animal", "weather"]
    assert np.array_equal(fitted.predict_proba(texts), fitted.predictor_.predict_proba(texts))
    assert fitted.predict(texts).tolist() == [one.label for one in fitted.predictor_.predict(texts)]
    assert fitted.score(texts, y) > 0.8


@pytest.mark.parametrize(
    "classes",
    [["no", "yes"], [0, 1], [10, 9], [False, True], [-1, 1]],
    ids=["str", "int", "order", "bool", "sign"],
)
def test_classes_come_back_as_they_were(rows, classes):
    texts, names = rows
    y = np.asarray(classes)[(names == "weather").astype(int)]
    found = TextClassifier("tfidf").fit(texts, y)
    answers = found.predict(texts)
    assert answers.dtype == y.dtype and found.classes_.tolist() == sorted(classes)
    assert (answers == y).mean() > 0.9
    assert (found.classes_[found.predict_proba(texts).argmax(axis=1)] == answers).all()


def test_equal_seeds_give_equal_models(rows, bert):
    def once(seed):
        return (
            TextClassifier({"preset": "lora", "epochs": 1}, bert, random_state=seed)
            .fit(*rows)
            .predict_proba(rows[0])
        )

    assert np.array_equal(once(3), once(3)) and not np.array_equal(once(3), once(4))
    drawn = once(np.random.RandomState(0))
    assert np.array_equal(drawn, once(np.random.RandomState(0)))


def test_it_is_chosen_among_and_validated_as_any_other(rows, bert):
    texts, y = rows
    strategies = ["majority", "tfidf", {"preset": "probe", "epochs": 2}]
    search = GridSearchCV(TextClassifier(backbone=bert), {"strategy": strategies}, cv=2, scoring="f1_macro")
    search.fit(texts, y)
    assert search.best_params_["strategy"] != "majority"
    assert search.predict(texts).shape == (60,)
    scores = cross_val_score(TextClassifier("tfidf"), texts, y, cv=3, scoring="roc_auc")
    assert scores.shape == (3,) and scores.mean() > 0.8


def test_other_processes_fit_it(rows):
    texts, y = rows
    alone = cross_val_predict(TextClassifier("tfidf"), texts, y, cv=2, method="predict_proba")
    both = cross_val_predict(TextClassifier("tfidf"), texts, y, cv=2, method="predict_proba", n_jobs=2)
    assert np.array_equal(alone, both)


def test_a_pipeline_and_a_column_of_a_frame(rows):
    texts, y = rows
    frame = pd.DataFrame({"said": texts, "length": [len(text) for text in texts]})
    lower = FunctionTransformer(lambda texts: [text.lower() for text in texts])
    assert make_pipeline(lower, TextClassifier("tfidf")).fit(texts, y).score(texts, y) > 0.9
    column = ColumnTransformer([("said", "passthrough", ["said"])])
    assert (
        Pipeline([("pick", column), ("model", TextClassifier("tfidf"))]).fit(frame, y).score(frame, y) > 0.9
    )
    assert TextClassifier("tfidf").fit(frame["said"], y).score(frame[["said"]], y) > 0.9


def test_it_is_calibrated_and_stacked(rows):
    texts, y = rows
    calibrated = CalibratedClassifierCV(TextClassifier("tfidf"), cv=2).fit(texts, y)
    assert np.allclose(calibrated.predict_proba(texts).sum(axis=1), 1)
    words = make_pipeline(TfidfVectorizer(), LogisticRegression())
    stacked = StackingClassifier([("ours", TextClassifier("tfidf")), ("theirs", words)], cv=2).fit(texts, y)
    assert stacked.score(texts, y) > 0.8


def modules_of(content):
    """The packages whose objects a pickle holds."""
    found = set()

    class Listing(pickle.Unpickler):
        def find_class(self, module, name):
            found.add(module.partition(".")[0])
            return super().find_class(module, name)

    Listing(io.BytesIO(content)).load()
    return found


@pytest.mark.parametrize("strategy", ["tfidf", "probe", {"preset": "lora", "epochs": 1}])
def test_a_pickled_and_a_copied_one_answer_as_before(strategy, rows, bert):
    texts, y = rows
    model = TextClassifier(strategy, bert).fit(texts, y)
    content = pickle.dumps(model)
    assert modules_of(content) <= {
        "stratune",
        "numpy",
    }  # weights are in a safetensors file, none of torch's objects
    for again in (pickle.loads(content), copy.deepcopy(model)):
        assert np.array_equal(again.predict_proba(texts), model.predict_proba(texts))
        assert again.get_params() == model.get_params()


def test_a_clone_is_not_fitted(fitted, rows):
    fresh = clone(fitted)
    assert fresh.get_params() == fitted.get_params()
    with pytest.raises(NotFittedError):
        fresh.predict(rows[0])
    assert pickle.loads(pickle.dumps(fresh)).get_params() == fresh.get_params()


def test_pairs_are_two_columns(bert):
    table = toy_split(pairs=True, rows=60).train
    frame = pd.DataFrame({"first": table["text"], "second": table["text_pair"]})
    y = np.asarray(table["label"])
    model = TextClassifier("tfidf").fit(frame, y)
    assert model.score(frame, y) > 0.8
    as_tuples = list(frame.itertuples(index=False, name=None))
    assert np.array_equal(model.predict_proba(as_tuples), model.predict_proba(frame.to_numpy()))
    with pytest.raises(ValueError, match=r"fitted on pairs of texts \(N, 2\), which X is not"):
        model.predict(list(frame["first"]))


def test_numbers(rows, bert):
    texts, names = rows
    y = np.where(names == "weather", 10.0, -2.5)
    model = TextRegressor("tfidf").fit(texts, y)
    assert model.predict(texts).shape == (60,) and model.score(texts, y) > 0.5
    assert np.array_equal(pickle.loads(pickle.dumps(model)).predict(texts), model.predict(texts))
    assert cross_val_score(TextRegressor("probe", bert), texts, y, cv=2).shape == (2,)


def watching(train, seen):
    def watched(candidate, backbone, task, split, *more, **how):
        seen["split"] = split
        return train(candidate, backbone, task, split, *more, **how)

    return watched


def test_few_rows_are_cross_validated_and_all_are_fitted_on(rows, monkeypatch):
    texts, y = rows
    seen = {}
    monkeypatch.setattr("stratune.fitting.fit.train", watching(train, seen))
    found = TextClassifier("tfidf").fit(texts[:20], y[:20])
    assert seen["split"].cross_validated and seen["split"].sizes == {"train": 20, "val": 20, "test": 0}
    assert found.predict(texts).shape == (60,)
    many = [f"{text} {number}" for number in range(10) for text in texts]
    TextClassifier("tfidf", validation_fraction=0.2).fit(many, np.tile(y, 10))
    assert seen["split"].sizes == {"train": 480, "val": 120, "test": 0}


@pytest.mark.parametrize(
    "X, y, said",
    [
        ("one text", ["a"], "of one make a list, not str"),
        ([1, 2], ["a", "b"], "column 'text': expected a text, found 1 \\(int\\)"),
        (["a", "half \ud800"], ["x", "y"], "half a character"),
        ([["a", "b", "c"]], ["a"], r"found shape \(1, 3\)"),
        ([], [], "0 sample"),
        (["a", "b"], ["x"], "inconsistent numbers of samples"),
        (["a", "b"], ["x", "x"], "two classes, and y has one"),
        (["a", "b"], None, "requires y to be passed, but the target y is None"),
        (["a", "b", "c"], [0.1, 0.2, 0.7], "continuous"),
    ],
)
def test_what_does_not_fit_is_a_value_error(X, y, said):
    with pytest.raises(ValueError, match=said):
        TextClassifier("tfidf").fit(X, y)


def test_a_sparse_matrix_is_no_text(rows):
    texts, y = rows
    with pytest.raises(ValueError, match="sparse matrix; it takes the texts themselves"):
        make_pipeline(TfidfVectorizer(), TextClassifier("tfidf")).fit(texts, y)


def test_numbers_that_are_none_are_refused():
    with pytest.raises(ValueError, match="not finite"):
        TextRegressor("tfidf").fit(["a", "b"], [1.0, float("nan")])


def test_what_is_wrong_with_the_options_is_stratunes_error(rows):
    texts, y = rows
    with pytest.raises(st.StratuneError, match="'lorra' is not one of"):
        TextClassifier("lorra").fit(texts, y)
    with pytest.raises(st.StratuneError, match="validation_fraction: 1.5 is not between 0 and 1"):
        TextClassifier("tfidf", validation_fraction=1.5).fit(texts, y)
    with pytest.raises(st.StratuneError, match="made of finished runs"):
        TextClassifier("ensemble").fit(texts, y)


def test_the_winner_of_a_board_is_an_estimator(rows, bert, tmp_path):
    texts, y = rows
    frame = pd.DataFrame({"text": texts, "label": y})
    board = st.compare(
        frame, text="text", label="label", strategies=["tfidf"], out=tmp_path / "out", progress=False
    )
    model = as_estimator(board.best)
    assert model.predict(texts).tolist() == [one.label for one in board.best.predict(texts)]
    assert CalibratedClassifierCV(model, cv=2).fit(texts, y).predict(texts).shape == (60,)
    assert clone(model).fit(texts, y).classes_.tolist() == ["animal", "weather"]
    assert np.array_equal(pickle.loads(pickle.dumps(model)).predict_proba(texts), model.predict_proba(texts))


def test_a_board_of_label_sets_is_none(rows, tmp_path):
    texts, y = rows
    frame = pd.DataFrame(
        {"text": texts, "label": [f"{one},both" if n % 2 else one for n, one in enumerate(y)]}
    )
    board = st.compare(
        frame,
        text="text",
        label="label",
        kind="multilabel",
        strategies=["tfidf"],
        out=tmp_path / "out",
        progress=False,
    )
    with pytest.raises(st.StratuneError, match="this model is of multilabel"):
        as_estimator(board.best)

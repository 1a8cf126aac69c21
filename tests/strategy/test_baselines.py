"""Floors, against scikit-learn."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.pipeline import FeatureUnion, make_pipeline

from stratune.errors import TrainingError
from stratune.fitting.fit import fit
from stratune.model.baseline import Examples
from stratune.predictor.predictor import Predictor
from stratune.strategy import parse_strategy
from stratune.strategy.linear import Part, fit_linear
from stratune.task import Task
from stratune.testing import toy_split
from stratune.train.settings import TrainSettings

ALL_TERMS = {"least": [1], "characters": True}


def examples(table, names):
    labels = np.array([names.index(label) for label in table["label"]])
    pairs = list(table["text_pair"]) if "text_pair" in table.column_names else None
    return Examples(list(table["text"]), pairs, labels)


def fitted(spec, split):
    names = split.task.labels
    train, val = examples(split.train, names), examples(split.val, names)
    return parse_strategy(spec).fit(train, val, task=split.task, seed=0)


def pipeline(**options):
    """The same in scikit-learn's own words."""
    word = TfidfVectorizer(ngram_range=(1, 2), token_pattern=r"(?u)\b\w+\b", sublinear_tf=True)
    character = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True)
    union = FeatureUnion([("word", word), ("character", character)])
    return make_pipeline(union, LogisticRegression(max_iter=500, random_state=0, **options))


def test_majority_gives_the_shares_of_the_training_labels():
    train = Examples(["a"] * 10, truth=np.array([0] * 6 + [1] * 3 + [2]))
    model = parse_strategy("majority").fit(train, train, task=Task(labels=("x", "y", "z")), seed=0)
    assert model.predictions(Examples(["b", "c"])).tolist() == [[0.6, 0.3, 0.1]] * 2


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("strength", [1.0, 10.0])
def test_tfidf_is_a_plain_scikit_learn_pipeline(classes, strength):
    split = toy_split(classes)
    found = fitted({"preset": "tfidf", "strengths": [strength], **ALL_TERMS}, split).predictions(
        Examples(list(split.test["text"]))
    )
    train = examples(split.train, split.task.labels)
    wanted = pipeline(C=strength).fit(train.texts, train.truth).predict_proba(list(split.test["text"]))
    np.testing.assert_allclose(
        found, wanted, atol=2e-3
    )  # our features are float32, and so is where lbfgs stops
    assert (found.argmax(axis=1) == wanted.argmax(axis=1)).all()


@pytest.mark.parametrize("labels", [2, 3, 7])
def test_the_loss_that_chooses_is_scikit_learns_to_the_bit(labels):
    draw = np.random.default_rng(labels)
    for size in (1.0, 1000.0):  # of the large ones some probabilities are 0 and 1
        x, unseen = draw.normal(size=(40, 20)) * size, draw.normal(size=(30, 20)) * 3
        y = np.concatenate([np.arange(labels), draw.integers(labels, size=40 - labels)])
        truth = draw.integers(labels, size=30)
        own, weights, _ = fit_linear(
            Task(labels=tuple("abcdefg"[:labels])).target, Part(x, y), Part(unseen, truth), [10.0], 0
        )
        model = LogisticRegression(C=10.0, max_iter=500, random_state=0).fit(x, y)
        np.testing.assert_array_equal(weights[-1], model.coef_[-1])
        assert own == log_loss(truth, y_proba=model.predict_proba(unseen), labels=model.classes_)


def test_it_says_how_many_settings_validation_chose_among():
    split = toy_split(2)
    assert fitted({"preset": "tfidf", "strengths": [1.0, 10.0], **ALL_TERMS}, split).tried == 2
    assert fitted("tfidf", split).tried > 3


def test_validation_chooses_the_strength():
    split = toy_split(2)
    val = Examples(list(split.val["text"]))
    truth = examples(split.val, split.task.labels).truth
    losses = {}
    for strength in (1e-3, 10.0):
        probabilities = fitted({"preset": "tfidf", "strengths": [strength]}, split).predictions(val)
        losses[strength] = -np.log(probabilities[np.arange(len(truth)), truth]).mean()
    chosen = fitted({"preset": "tfidf", "strengths": [1e-3, 10.0]}, split).predictions(val)
    best = min(losses, key=losses.get)
    assert -np.log(chosen[np.arange(len(truth)), truth]).mean() == pytest.approx(losses[best])


def loss_on_val(model, split):
    truth = examples(split.val, split.task.labels).truth
    said = model.predictions(Examples(list(split.val["text"])))
    return -np.log(said[np.arange(len(truth)), truth]).mean()


def test_validation_chooses_the_terms():
    split, spec = toy_split(2), {"preset": "tfidf", "strengths": [10.0]}
    losses = [
        loss_on_val(fitted({**spec, "least": [least], "characters": characters}, split), split)
        for least in (1, 8)
        for characters in (True, False)
    ]
    assert len(set(np.round(losses, 6))) == 4  # they differ, so there is a choice
    assert loss_on_val(fitted({**spec, "least": [1, 8]}, split), split) == pytest.approx(min(losses))


@pytest.mark.parametrize("characters", [True, False])
def test_terms_of_few_texts_are_as_if_never_seen(characters):
    """The same as scikit-learn's own `min_df`."""
    split = toy_split(2)
    train, test = examples(split.train, split.task.labels), Examples(list(split.test["text"]))
    model = fitted({"preset": "tfidf", "least": [5], "characters": characters}, split)
    word = TfidfVectorizer(ngram_range=(1, 2), token_pattern=r"(?u)\b\w+\b", sublinear_tf=True, min_df=5)
    piece = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True, min_df=5)
    union = FeatureUnion([("word", word), ("piece", piece)][: 1 + characters]).fit(train.texts)
    difference = model.features.transform(test.texts, None) - union.transform(test.texts)
    assert model.features.transform(test.texts, None).shape[1] > 20 and abs(difference).max() < 1e-6


def test_terms_that_are_too_rare_in_a_small_table_are_taken_all_the_same():
    rows = Examples(["one two", "three four"] * 3, truth=np.array([0, 1] * 3))
    model = parse_strategy({"preset": "tfidf", "least": [100]}).fit(rows, rows, task=toy_split().task, seed=0)
    assert (model.predictions(rows).argmax(axis=1) == rows.truth).all()


@pytest.mark.parametrize("pairs", [False, True])
@pytest.mark.parametrize("classes", [2, 3])
def test_tfidf_learns_the_toy_task(classes, pairs):
    split = toy_split(classes, pairs=pairs)
    test = examples(split.test, split.task.labels)
    found = fitted("tfidf", split).predictions(test)
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-9)
    assert (found.argmax(axis=1) == test.truth).mean() > 0.9


def test_only_the_features_of_agreement_can_tell_whether_two_texts_agree():
    rng = np.random.default_rng(0)
    words = [f"word{i}" for i in range(30)]
    first = rng.integers(0, 30, 400)
    same = rng.integers(0, 2, 400)
    second = np.where(same == 1, first, (first + rng.integers(1, 30, 400)) % 30)
    rows = Examples([words[i] for i in first], [words[i] for i in second], same)
    model = parse_strategy("tfidf").fit(rows, rows, task=toy_split().task, seed=0)
    assert (model.predictions(rows).argmax(axis=1) == same).mean() == 1.0


@pytest.mark.parametrize("name", ["majority", "tfidf"])
@pytest.mark.parametrize("pairs", [False, True])
def test_restored_from_its_arrays_it_gives_identical_probabilities(name, pairs):
    split = toy_split(3, pairs=pairs)
    model = fitted(name, split)
    arrays, state = model.state()
    again = parse_strategy(name).restore(split.task, arrays, state)
    rows = examples(split.test, split.task.labels)
    assert np.array_equal(again.predictions(rows), model.predictions(rows))


def test_max_features_bounds_each_vocabulary():
    arrays, _ = fitted({"preset": "tfidf", "max_features": 7, **ALL_TERMS}, toy_split()).state()
    assert len(arrays["word_idf"]) == len(arrays["character_idf"]) == 7


@pytest.mark.parametrize("pairs", [False, True])
def test_a_floor_reads_as_many_words_as_the_models_beside_it(pairs, tmp_path):
    split = toy_split(pairs=pairs)
    settings = TrainSettings(max_words=2)
    predictor = fit("tfidf", None, split.task, split, settings=settings)
    rows = [dict(row) for row in split.test]
    columns = ("text", "text_pair") if pairs else ("text",)
    short = [{**row, **{name: " ".join(row[name].split()[:2]) for name in columns}} for row in rows]
    assert any(row != cut for row, cut in zip(rows, short, strict=True))
    expected = fit("tfidf", None, split.task, cut_to(split, 2, columns)).predict_proba(short)
    assert np.array_equal(predictor.predict_proba(rows), expected)
    assert np.array_equal(Predictor.load(predictor.save(tmp_path / "m")).predict_proba(rows), expected)


def cut_to(split, words, columns):
    def cut(row):
        return {name: " ".join(row[name].split()[:words]) for name in columns}

    return replace(split, **{name: getattr(split, name).map(cut) for name in ("train", "val", "test")})


def test_texts_without_words_are_refused():
    rows = Examples(["!", "?"], truth=np.array([0, 1]))
    with pytest.raises(TrainingError, match="tfidf: no words in the training texts"):
        parse_strategy("tfidf").fit(rows, rows, task=toy_split().task, seed=0)


@pytest.mark.parametrize("known", [("a", "b"), ("b", "c"), ("b",), ("a", "b", "d")])
def test_a_label_without_a_training_row_is_never_the_answer(known):
    """The others have the probabilities that they have without it."""
    labels, words = ("a", "b", "c", "d"), {"a": "cat", "b": "rain", "c": "choir", "d": "sun"}
    rows = [(f"{words[label]} {i}", labels.index(label)) for label in known for i in range(8)]
    train = Examples([text for text, _ in rows], None, np.array([index for _, index in rows]))
    val = Examples(["cat", "sun"], None, np.array([0, 3]))
    model = parse_strategy("tfidf").fit(train, val, task=Task(labels=labels), seed=0)
    found = model.predictions(Examples([words[label] for label in known], None, np.zeros(len(known), int)))
    assert [labels[k] for k in found.argmax(axis=1)] == list(known)
    absent = [k for k, label in enumerate(labels) if label not in known]
    assert found[:, absent].max() < 1e-9
    np.testing.assert_allclose(found.sum(axis=1), 1)


def test_thousands_of_classes_are_fitted_in_seconds_and_in_bounded_memory():
    """Logistic regression of them does not end; naive Bayes counts once, of the most frequent terms."""
    labels = tuple(f"intent {number}" for number in range(1000))
    texts = [f"word{number} other{number} and the same for all" for number in range(1000)]
    rows = Examples(texts, None, np.arange(1000))
    model = parse_strategy("tfidf").fit(rows, rows, task=Task(labels=labels), seed=0)
    found = model.predictions(rows)
    assert (found.argmax(axis=1) == rows.truth).mean() > 0.95
    assert found.sum(axis=1) == pytest.approx(np.ones(1000))
    assert model.weight.size <= 20_000_000

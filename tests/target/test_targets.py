"""What each kind of task makes of cells, predictions and chunks; losses stand in tests/objective."""

import re

import numpy as np
import pytest
from scipy import stats
from scipy.special import expit, softmax

from stratune.errors import ConfigError, UnsupportedError
from stratune.evaluate.kinds import KINDS
from stratune.evaluate.metrics import metrics_of
from stratune.target import TARGETS, target_of
from stratune.task import Task

NAMES = ("a", "b", "c")
ALL = [target_of(kind, () if kind == "regression" else NAMES) for kind in KINDS]
CELLS = {
    "classification": ["b", "a", "c"],
    "ordinal": ["b", "a", "c"],
    "multilabel": ["a,c", "", "b"],
    "regression": ["1.5", "-2", "1e3"],
}
TRUTH = {
    "classification": [1, 0, 2],
    "ordinal": [1, 0, 2],
    "multilabel": [[1, 0, 1], [0, 0, 0], [0, 1, 0]],
    "regression": [1.5, -2.0, 1000.0],
}
by_kind = pytest.mark.parametrize("target", ALL, ids=KINDS)


def perfect(target):
    """Predictions (N, C) that are the truth of CELLS."""
    truth = target.truth(CELLS[target.kind])
    if truth.ndim == 2:
        return truth.astype(float)
    return truth[:, None] if target.is_numeric else np.eye(3)[truth]


# -- cells


@by_kind
def test_a_cell_becomes_truth_and_a_perfect_answer_the_cell_again(target):
    assert target.truth(CELLS[target.kind]).tolist() == TRUTH[target.kind]
    answers = target.named(target.decided(perfect(target)))
    stored = target.stored(CELLS[target.kind])
    assert answers == stored and all(target.is_answer(one) for one in answers)
    decided = np.asarray(target.decided(perfect(target)))
    np.testing.assert_array_equal(target.decided_of(answers), decided)
    np.testing.assert_array_equal(decided.astype(float), np.asarray(TRUTH[target.kind], dtype=float))


@by_kind
def test_an_invalid_row_is_no_answer(target):
    predictions, invalid = perfect(target), np.array([False, True, False])
    predictions[1] = np.nan
    answer = target.named(target.decided(predictions, invalid))[1]
    assert answer == {"multilabel": "", "regression": None}.get(target.kind, "")
    assert target.is_answer(answer) == (target.kind == "multilabel")  # a set without a label is one
    assert not target.is_answer(None) and not target.is_answer("x")


@pytest.mark.parametrize(
    ("kind", "cell", "why"),
    [
        ("classification", "bb", r"'bb' is not one of a, b, c \(did you mean 'b'\?\)"),
        ("ordinal", "", "'' is not one of a, b, c"),
        ("multilabel", "a,x", "'x' is not one of a, b, c"),
        ("regression", "high", "'high' is not a number"),
        ("regression", "nan", "'nan' is not a number"),
        ("regression", None, "None is not a number"),
    ],
)
def test_what_is_wrong_with_a_cell_is_said(kind, cell, why):
    target = target_of(kind, () if kind == "regression" else NAMES)
    assert re.match(why, target.problem(cell))
    assert kind == "regression" or target_of(kind).problem(cell) is None  # nobody has named the labels yet


def test_strata_are_labels_the_rarest_of_a_set_and_tenths_of_values():
    assert target_of("ordinal", NAMES).strata(["b", "a"]) == ["b", "a"]
    sets = target_of("multilabel", NAMES)
    assert sets.strata(["a,b", "a", "a,b,c", ""]) == ["b", "a", "c", ""]
    values = [str(number) for number in range(100)]
    tenths = target_of("regression").strata(values)
    assert {tenth: tenths.count(tenth) for tenth in tenths} == {f"{tenth:02d}": 10 for tenth in range(10)}


@by_kind
def test_columns_are_the_numbers_of_a_row_and_every_default_is_a_metric(target):
    assert len(target.columns) == perfect(target).shape[1]
    assert {target.default_metric, target.validation_loss, *target.plain_metrics} <= set(
        metrics_of(target.kind)
    )
    assert not target.find(target.validation_loss).higher_is_better
    assert Task(kind=target.kind, labels=target.labels).metric == target.default_metric


def test_a_task_and_its_target_are_of_one_kind():
    assert list(TARGETS) == ["classification", "multilabel", "ordinal", "regression"]
    task = Task(kind="ordinal", labels=("low", "high"))
    assert (
        task.target == target_of("ordinal", ("low", "high")) != target_of("classification", ("low", "high"))
    )
    assert task.with_labels(("high", "low")).target.index == {"high": 0, "low": 1}
    with pytest.raises(ConfigError, match="task.kind: 'ordinl' is not one of"):
        target_of("ordinl")


# -- learning


def test_the_prior_is_the_share_of_each_label_or_the_mean():
    assert target_of("classification", NAMES).prior(np.array([0, 0, 2, 0])).tolist() == [0.75, 0.0, 0.25]
    assert target_of("multilabel", NAMES).prior(np.array([[1, 0, 1], [1, 0, 0]])).tolist() == [1.0, 0.0, 0.5]
    assert target_of("regression").prior(np.array([1.0, 4.0])).tolist() == [2.5]


def test_scores_of_a_linear_model_become_predictions():
    scores = np.random.default_rng(0).normal(size=(5, 3))
    np.testing.assert_allclose(target_of("ordinal", NAMES).from_scores(scores), softmax(scores, axis=1))
    np.testing.assert_allclose(target_of("multilabel", NAMES).from_scores(scores), expit(scores))
    assert (target_of("regression").from_scores(scores[:, :1]) == scores[:, :1]).all()


def test_a_language_model_is_asked_about_labels_or_the_levels_of_a_scale():
    assert target_of("classification", NAMES).verbalized((1.0, 2.0), "readout words") == NAMES
    assert target_of("regression").verbalized((1.0, 2.5), "readout words") == ("1", "2.5")
    with pytest.raises(UnsupportedError, match="multilabel cannot run on readout generate: it chooses one"):
        target_of("multilabel", NAMES).verbalized((), "readout generate")
    with pytest.raises(UnsupportedError, match="regression cannot run on readout words: name the levels"):
        target_of("regression").verbalized((), "readout words")


# -- chunks: two documents, of three and of two


OWNER = np.array([0, 0, 0, 1, 1])


def test_chunks_vote_by_majority_by_half_or_by_the_median():
    probabilities = np.array(
        [[0.5, 0.3, 0.2], [0.2, 0.7, 0.1], [0.6, 0.2, 0.2], [0.1, 0.1, 0.8], [0.3, 0.4, 0.3]]
    )
    votes = target_of("classification", NAMES).voted(probabilities, OWNER, 2)
    np.testing.assert_allclose(votes, [[2 / 3, 1 / 3, 0], [0, 0.5, 0.5]], atol=1e-6)
    assert votes.argmax(axis=1).tolist() == [0, 2]  # the last two tie, and 0.55 is surer than 0.25
    np.testing.assert_allclose(votes.sum(axis=1), 1.0)
    sets = target_of("multilabel", NAMES).voted(probabilities, OWNER, 2)
    np.testing.assert_allclose(sets, [[2 / 3, 1 / 3, 0], [0, 0, 0.5]], atol=1e-5)
    assert sets[1, 2] > 0.5  # one chunk of two says 0.8, the other 0.3
    values = target_of("regression").voted(np.array([[1.0], [9.0], [2.0], [5.0], [6.0]]), OWNER, 2)
    assert values.tolist() == [[2.0], [5.5]]


def test_the_highest_of_the_chunks():
    probabilities = np.array([[0.6, 0.4], [0.1, 0.9], [0.5, 0.5], [0.2, 0.8], [0.3, 0.7]])
    highest = np.array([[0.6, 0.9], [0.3, 0.8]])
    sets = target_of("multilabel", NAMES[:2]).highest(probabilities, OWNER, 2)
    np.testing.assert_allclose(sets, highest)
    classes = target_of("ordinal", NAMES[:2]).highest(probabilities, OWNER, 2)
    np.testing.assert_allclose(classes, highest / highest.sum(axis=1, keepdims=True))
    values = target_of("regression").highest(np.array([[1.0], [9.0], [2.0], [5.0], [6.0]]), OWNER, 2)
    np.testing.assert_allclose(values, [[9.0], [5.5]])  # of two equally far from the mean both count


def test_confidence_is_none_where_nothing_is_known():
    values = np.array([1.0, 9.0, 2.0, 5.0, 6.0])
    found = target_of("regression").confidence(values[:, None], OWNER, 2)
    np.testing.assert_allclose(
        found, np.abs(np.concatenate([stats.zscore(values[:3]), stats.zscore(values[3:])]))
    )
    classes = target_of("classification", NAMES).confidence(np.array([[1 / 3] * 3, [0, 1, 0]]), OWNER[2:4], 2)
    np.testing.assert_allclose(classes, [0, 2 / 3])
    sets = target_of("multilabel", NAMES).confidence(np.array([[0.5] * 3, [0.5, 0.5, 0.1]]), OWNER[2:4], 2)
    np.testing.assert_allclose(sets, [0, 0.8])


# -- ratings


def test_ratings_are_positions_of_labels_or_numbers():
    levels, values = target_of("ordinal", NAMES), target_of("regression")
    assert (levels.rating("b"), levels.rated("b")) == ("b", 1.0)
    assert (values.rating("2.5"), values.rated(2.5)) == (2.5, 2.5)
    with pytest.raises(ValueError, match="'x' is not one of a, b, c"):
        levels.rating("x")
    with pytest.raises(ValueError, match="'x' is not a number"):
        values.rating("x")
    distances = {(kind, 3): target_of(kind, NAMES).has_distances for kind in ("classification", "ordinal")}
    assert distances == {("classification", 3): False, ("ordinal", 3): True}
    assert target_of("classification", NAMES[:2]).has_distances and values.has_distances

"""Metrics against scikit-learn, and the conventions where scikit-learn leaves a choice."""

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn import metrics as oracle

from stratune.errors import ConfigError, TrainingError
from stratune.evaluate.classes import ClassScorer, confusion, predicted
from stratune.evaluate.metrics import find, metrics_of
from stratune.evaluate.ranking import roc_points
from tests.evaluate.oracle import simulated, sklearn_scores
from tests.evaluate.test_kinds import without_bins
from tests.scores import score

NAMES = ("a", "b", "c", "d")


@pytest.mark.parametrize("label_count", [2, 3, 4])
@pytest.mark.parametrize("seed", range(5))
def test_every_metric_equals_scikit_learn(label_count, seed):
    labels = NAMES[:label_count]
    truth, probabilities = simulated(60, label_count, seed)
    ours = score(truth, probabilities, labels)
    assert ours == pytest.approx(sklearn_scores(truth, probabilities, labels), abs=1e-12)


def test_every_named_metric_is_in_the_score_and_explained():
    truth, probabilities = simulated(40, 3, 0)
    ours = score(truth, probabilities, NAMES[:3])
    assert set(metrics_of("classification")) <= set(ours)
    assert all(metric.doc and metric.name == name for name, metric in metrics_of("classification").items())
    assert [name for name, metric in metrics_of("classification").items() if not metric.higher_is_better] == [
        "log_loss", "brier", "ece", "aurc",
    ]  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_weighting_a_row_is_repeating_it(data):
    rows, label_count = data.draw(st.integers(4, 12)), data.draw(st.integers(2, 4))
    truth = data.draw(hnp.arrays(np.int64, rows, elements=st.integers(0, label_count - 1)))
    grid = st.integers(1, 4)  # few distinct values: ties everywhere
    odds = data.draw(hnp.arrays(np.int64, (rows, label_count), elements=grid)).astype(float)
    invalid = data.draw(hnp.arrays(np.bool_, rows))
    counts = data.draw(
        hnp.arrays(np.int64, rows, elements=st.integers(0, 3)).filter(lambda array: array.sum() > 0)
    )
    probabilities = odds / odds.sum(axis=1, keepdims=True)
    labels = NAMES[:label_count]
    repeated = np.repeat(np.arange(rows), counts)
    expected = score(truth[repeated], probabilities[repeated], labels, invalid=invalid[repeated])
    weighted = ClassScorer(truth, probabilities, labels, invalid=invalid).values(
        counts[:, None].astype(float)
    )
    actual = {name: value[0] for name, value in weighted.items() if not math.isnan(value[0])}
    assert without_bins(actual) == pytest.approx(without_bins(expected), abs=1e-9)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), label_count=st.integers(2, 4))
def test_label_order_does_not_change_the_numbers(seed, label_count):
    labels = NAMES[:label_count]
    truth, probabilities = simulated(25, label_count, seed, decimals=6)
    order = np.random.default_rng(seed).permutation(label_count)
    moved = score(np.argsort(order)[truth], probabilities[:, order], [labels[i] for i in order])
    here = score(truth, probabilities, labels)
    same = set(here) - ({"roc_auc", "pr_auc"} if label_count == 2 else set())  # those follow the second label
    assert {name: moved[name] for name in same} == pytest.approx(
        {name: here[name] for name in same}, abs=1e-9
    )


def test_bounds_and_json_for_a_perfect_and_a_wrong_classifier():
    truth = np.array([0, 1, 2, 0, 1, 2])
    right = score(truth, np.eye(3)[truth], NAMES[:3])
    wrong = score(truth, np.eye(3)[(truth + 1) % 3], NAMES[:3])
    best = {name: float(metric.higher_is_better) for name, metric in metrics_of("classification").items()}
    assert {name: right[name] for name in best} == pytest.approx(best)
    assert wrong["accuracy"] == wrong["f1_macro"] == 0.0
    assert wrong["log_loss"] == pytest.approx(36.04, abs=0.01)  # finite even for certainty in the wrong label
    assert json.loads(json.dumps(wrong, allow_nan=False)) == wrong


def test_one_class_in_the_truth_leaves_the_areas_out_and_keeps_the_rest():
    ours = score(np.zeros(5, dtype=int), np.full((5, 2), 0.5), ("a", "b"))
    assert "roc_auc" not in ours and "pr_auc" not in ours
    assert ours["accuracy"] == 1.0 and ours["precision[b]"] == 0.0 and ours["mcc"] == 0.0


def test_a_label_that_is_neither_true_nor_predicted_is_left_out_of_every_mean():
    truth, probabilities = simulated(40, 2, 3)
    three = np.column_stack([probabilities * 0.9, np.full(40, 0.1)])
    ours = score(truth, three, NAMES[:3])
    expected = np.mean([oracle.roc_auc_score(truth == k, three[:, k]) for k in (0, 1)])
    assert ours["roc_auc"] == pytest.approx(expected)
    assert ours["recall[c]"] == 0.0
    guess = three.argmax(axis=1)
    for name, macro in (("f1", oracle.f1_score), ("recall", oracle.recall_score)):
        assert ours[f"{name}_macro"] == pytest.approx(macro(truth, guess, average="macro", zero_division=0))
    assert score(truth, np.eye(3)[truth], NAMES[:3])["f1_macro"] == 1.0


def test_a_label_that_is_only_predicted_counts_as_nothing_like_scikit_learns():
    truth, probabilities = simulated(40, 2, 3)
    three = np.column_stack([probabilities * 0.9, np.full(40, 0.1)])
    three[:4, 2] = 2.0
    ours, guess = score(truth, three, NAMES[:3]), three.argmax(axis=1)
    for name, macro in (("f1", oracle.f1_score), ("precision", oracle.precision_score)):
        assert ours[f"{name}_macro"] == pytest.approx(macro(truth, guess, average="macro", zero_division=0))
    assert ours["f1_macro"] < (ours["f1[a]"] + ours["f1[b]"]) / 2


def test_an_invalid_answer_is_wrong_everywhere():
    truth, probabilities = simulated(30, 3, 1)
    right = np.eye(3)[truth] * 0.97 + 0.01
    invalid = np.arange(30) % 3 == 0
    ours = score(truth, right, NAMES[:3], invalid=invalid)
    guess = np.where(invalid, 3, truth)  # scikit-learn's way to say it: one more label that is never true
    assert ours["accuracy"] == pytest.approx(2 / 3)
    assert ours["mcc"] == pytest.approx(oracle.matthews_corrcoef(truth, guess))
    f1 = oracle.f1_score(truth, guess, labels=[0, 1, 2], average="macro", zero_division=0)
    assert ours["f1_macro"] == pytest.approx(f1)
    assert ours["roc_auc"] < 0.8 and ours["log_loss"] > 10
    assert predicted(right, invalid).max() == 3
    assert confusion(truth, right, invalid=invalid)[:, 3].sum() == invalid.sum()


def test_confusion_equals_scikit_learn():
    truth, probabilities = simulated(50, 4, 2)
    expected = oracle.confusion_matrix(truth, probabilities.argmax(axis=1))
    assert confusion(truth, probabilities)[:, :4].tolist() == expected.tolist()


def test_roc_points_equal_scikit_learn():
    truth, probabilities = simulated(50, 2, 5)
    false, true = roc_points(truth == 1, probabilities[:, 1])
    expected_false, expected_true, _ = oracle.roc_curve(
        truth == 1, probabilities[:, 1], drop_intermediate=False
    )
    assert false == pytest.approx(expected_false) and true == pytest.approx(expected_true)
    assert roc_points(np.zeros(3, dtype=bool), np.ones(3)) is None


def test_a_run_with_nan_scores_has_no_score():
    probabilities = np.full((3, 2), 0.5)
    probabilities[1, 0] = np.nan
    with pytest.raises(TrainingError, match="1 rows have a probability that is not a finite number"):
        score(np.array([0, 1, 0]), probabilities, ("a", "b"))
    ours = score(np.array([0, 1, 0]), probabilities, ("a", "b"), invalid=np.array([False, True, False]))
    assert ours["accuracy"] == pytest.approx(2 / 3)


def test_wrong_shapes_are_refused():
    with pytest.raises(ValueError, match=r"not \(rows, labels\) = \(2, 3\)"):
        score(np.array([0, 1]), np.full((2, 2), 0.5), NAMES[:3])


def test_find_knows_labels_and_suggests():
    assert find("f1[<b>]", ["<b>", "x"]).doc == "f1 of label '<b>'"
    assert find("accuracy").higher_is_better and not find("log_loss").higher_is_better
    with pytest.raises(ConfigError) as error:
        find("f1_marco")
    assert str(error.value).startswith("task.metric: 'f1_marco' is not one of accuracy, ")
    assert str(error.value).endswith("(did you mean 'f1_macro'?)")

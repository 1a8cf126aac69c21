"""Every kind of task: against scikit-learn and scipy, under weights, with invalid rows, and against the clock."""

import json
import math
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from stratune.errors import ConfigError, TrainingError
from stratune.evaluate.metrics import METRICS, find, metrics_of
from stratune.evaluate.replicates import resampled
from stratune.target import TARGETS
from tests.evaluate.oracle import KINDS, LABELS, simulated, simulated_sets, simulated_values
from tests.scores import bootstrap, score, scorer

NEW = ("ordinal", "multilabel", "regression")
LOWER = ("hamming", "log_loss", "brier", "ece", "aurc", "mae_levels", "mae", "rmse")
SHARES = dict.fromkeys(LOWER, 0.0)  # of perfect answers


@pytest.mark.parametrize("kind", NEW)
@pytest.mark.parametrize("seed", range(5))
def test_every_metric_equals_scikit_learn_or_scipy(kind, seed):
    simulate, labels, expected = KINDS[kind]
    truth, said = simulate(60, seed)
    assert score(truth, said, labels, kind=kind) == pytest.approx(expected(truth, said, labels), abs=1e-12)


@pytest.mark.parametrize("kind", NEW)
def test_a_replicate_equals_the_oracle_on_the_repeated_rows(kind):
    simulate, labels, expected = KINDS[kind]
    truth, said = simulate(80, 0)
    weights = np.concatenate(list(resampled(80, 6, np.random.default_rng(1))), axis=1)
    ours = scorer(kind, truth, said, labels).values(weights)
    for replicate in range(6):
        rows = np.repeat(np.arange(80), weights[:, replicate].astype(int))
        theirs = expected(truth[rows], said[rows], labels)
        found = {name: value[replicate] for name, value in ours.items()}
        assert without_bins(found) == pytest.approx(without_bins(theirs), abs=1e-12)


def without_bins(values):
    """All but ECE, whose bins are those of the rows as they are: repeated rows would have others."""
    return {name: value for name, value in values.items() if name != "ece"}


def drawn(data, kind, rows):
    """Truth and answers of few distinct values, so that ties and labels without rows are everywhere."""
    few = st.integers(1, 4)
    if kind == "regression":
        return tuple(
            data.draw(hnp.arrays(np.int64, shape, elements=few)).astype(float) for shape in (rows, (rows, 1))
        )
    if kind == "multilabel":
        truth = data.draw(hnp.arrays(np.int64, (rows, 3), elements=st.integers(0, 1)))
        return truth, data.draw(hnp.arrays(np.int64, (rows, 3), elements=few)) / 5
    truth = data.draw(hnp.arrays(np.int64, rows, elements=st.integers(0, 2)))
    odds = data.draw(hnp.arrays(np.int64, (rows, 3), elements=few)).astype(float)
    return truth, odds / odds.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("kind", NEW)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_weighting_a_row_is_repeating_it(kind, data):
    rows, labels = data.draw(st.integers(1, 10)), () if kind == "regression" else LABELS[:3]
    truth, said = drawn(data, kind, rows)
    invalid = data.draw(hnp.arrays(np.bool_, rows)) & (kind != "regression")  # there the mean is of all rows
    counts = data.draw(
        hnp.arrays(np.int64, rows, elements=st.integers(0, 3)).filter(lambda array: array.sum() > 0)
    )
    repeated = np.repeat(np.arange(rows), counts)
    expected = score(truth[repeated], said[repeated], labels, kind=kind, invalid=invalid[repeated])
    weighted = scorer(kind, truth, said, labels, invalid).values(counts[:, None].astype(float))
    actual = {name: value[0] for name, value in weighted.items() if not math.isnan(value[0])}
    assert without_bins(actual) == pytest.approx(without_bins(expected), abs=1e-9)


@pytest.mark.parametrize("kind", KINDS)
def test_perfect_answers_have_the_best_scores_and_every_metric_is_there(kind):
    simulate, labels, _ = KINDS[kind]
    truth, said = simulate(40, 0)
    if kind == "regression":
        said = truth[:, None]
    else:
        said = truth.astype(float) if kind == "multilabel" else np.eye(len(labels))[truth]
    ours = score(truth, said, labels, kind=kind)
    assert set(metrics_of(kind)) <= set(ours)
    assert TARGETS[kind].default_metric in ours
    assert ours == pytest.approx({name: SHARES.get(name, 1.0) for name in ours})
    assert json.loads(json.dumps(ours, allow_nan=False)) == ours


@pytest.mark.parametrize("kind", NEW)
def test_a_single_row_is_scored_and_what_it_leaves_undefined_is_left_out(kind):
    truth, said = (np.array([1]), np.array([[0.2, 0.5, 0.3]]))
    if kind == "regression":
        truth, said = np.array([3.0]), np.array([[5.0]])
    if kind == "multilabel":
        truth, said = np.array([[0, 1, 0]]), np.array([[0.2, 0.5, 0.3]])
    ours = score(truth, said, () if kind == "regression" else LABELS[:3], kind=kind)
    assert not {"r2", "pearson", "spearman", "map", "roc_auc"} & set(ours)
    known = {
        "ordinal": {"accuracy": 1.0, "mae_levels": 0.0, "qwk": 0.0},
        "multilabel": {"subset_accuracy": 1.0, "f1_micro": 1.0, "f1_macro": 1.0, "hamming": 0.0},
        "regression": {"mae": 2.0, "rmse": 2.0},
    }[kind]
    assert {name: ours[name] for name in known} == pytest.approx(known)
    interval = bootstrap(truth, said[None], LABELS[:3], kind=kind, resamples=20)[next(iter(known))]
    assert interval.low <= interval.value <= interval.high


def test_a_replicate_without_spread_is_left_out_of_the_interval():
    truth, said = np.array([1.0, 1.0, 2.0]), np.array([[0.5], [0.6], [0.7]])
    weights = np.array([[2.0, 1.0], [1.0, 1.0], [0.0, 1.0]])  # the first has one true value only
    values = scorer("regression", truth, said, ()).values(weights)
    assert all(math.isnan(values[name][0]) for name in ("r2", "pearson", "spearman"))
    assert values["pearson"][1] == pytest.approx(np.corrcoef(truth, said[:, 0])[0, 1])


def test_a_constant_prediction_has_no_correlation_and_an_r2():
    truth = np.array([1e9 + 0.1, 1e9 + 0.3, 1e9 + 0.8])
    ours = score(truth, np.full((3, 1), truth.mean()), (), kind="regression")
    assert set(ours) == {"mae", "rmse", "r2"} and ours["r2"] == pytest.approx(0.0, abs=1e-6)


def test_one_level_in_truth_and_prediction_is_no_agreement_beyond_chance():
    ours = score(np.full(4, 2), np.eye(3)[np.full(4, 2)], LABELS[:3], kind="ordinal")
    assert ours["qwk"] == 0.0 and ours["mae_levels"] == 0.0 and "spearman" not in ours


def test_an_invalid_ordinal_answer_is_wrong_and_as_far_off_as_can_be():
    truth = np.array([0, 1, 2, 3, 0, 3])
    invalid = np.array([True, True, True, True, False, False])
    ours = score(truth, np.eye(4)[truth], LABELS, kind="ordinal", invalid=invalid)
    farthest = np.array([3, 3, 0, 0, 0, 3])
    theirs = score(truth, np.eye(4)[farthest], LABELS, kind="ordinal")
    for name in ("qwk", "mae_levels", "pearson", "spearman", "accuracy"):
        assert ours[name] == pytest.approx(theirs[name]), name
    assert ours["mae_levels"] == pytest.approx(10 / 6) and ours["precision[d]"] == 1.0  # no label was said


def test_an_invalid_multilabel_answer_predicts_nothing_and_is_never_right():
    truth = np.array([[1, 0], [0, 0], [0, 1], [1, 0]])
    right = np.where(truth, 0.9, 0.1)
    right[:2] = np.nan
    invalid = np.array([True, True, False, False])
    ours = score(truth, right, LABELS[:2], kind="multilabel", invalid=invalid)
    assert ours["subset_accuracy"] == 0.5  # the second row has no labels, and still was not answered
    assert ours["recall[a]"] == 0.5 and ours["precision[a]"] == 1.0 and ours["recall[b]"] == 1.0
    assert ours["hamming"] == pytest.approx(1 / 8)
    assert ours["log_loss"] == pytest.approx((36.04 - math.log(0.9)) / 2, abs=0.01)
    assert ours["roc_auc"] < 0.8


def test_an_invalid_number_is_as_good_as_the_mean_of_the_truth():
    truth, said = simulated_values(30, 0)
    invalid = np.arange(30) % 3 == 0
    filled = np.where(invalid, truth.mean(), said[:, 0])[:, None]
    said[invalid] = np.nan
    ours = score(truth, said, (), kind="regression", invalid=invalid)
    assert ours == score(truth, filled, (), kind="regression")
    nothing = score(truth, said, (), kind="regression", invalid=np.ones(30, dtype=bool))
    assert nothing["r2"] == pytest.approx(0.0) and nothing["rmse"] == pytest.approx(truth.std())


@pytest.mark.parametrize("kind", NEW)
@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_what_is_not_finite_has_no_score(kind, bad):
    simulate, labels, _ = KINDS[kind]
    truth, said = simulate(20, 0)
    said[3, 0] = bad
    what = "predicted value" if kind == "regression" else "probability"
    with pytest.raises(TrainingError, match=f"1 rows have a {what} that is not a finite number"):
        score(truth, said, labels, kind=kind)


def test_wrong_shapes_are_refused():
    with pytest.raises(ValueError, match=r"predictions are \(3,\), not \(rows, 1\) = \(3, 1\)"):
        score(np.zeros(3), np.zeros(3), (), kind="regression")
    with pytest.raises(ValueError, match=r"truth is \(3,\) .* not \(rows, labels\) = \(3, 2\)"):
        score(np.zeros(3), np.zeros((3, 2)), LABELS[:2], kind="multilabel")


def test_find_offers_what_suits_the_kind():
    assert find("f1[a]", LABELS, "multilabel").doc == "f1 of label 'a'"
    assert not find("rmse", (), "regression").higher_is_better and find("qwk", LABELS, "ordinal")
    for name, kind in (("rmse", "classification"), ("accuracy", "multilabel"), ("f1[a]", "regression")):
        with pytest.raises(ConfigError) as error:
            find(name, LABELS, kind)
        offered = str(error.value).split(" is not one of ")[1]
        assert str(error.value).startswith(f"task.metric: '{name}'")
        assert next(iter(metrics_of(kind))) in offered and name not in offered.split("(did")[0].split(", ")


def test_every_metric_is_explained_and_belongs_to_a_kind():
    assert all(metric.doc and metric.kinds and metric.name == name for name, metric in METRICS.items())
    lower = {name for name, metric in METRICS.items() if not metric.higher_is_better}
    assert lower == set(SHARES)


@pytest.mark.parametrize("kind", NEW)
def test_two_thousand_resamples_of_ten_thousand_rows_are_quick(kind):
    truth, said = {
        "ordinal": lambda: simulated(10_000, 4, 0, decimals=8),
        "multilabel": lambda: simulated_sets(10_000, 4, 0, decimals=8),
        "regression": lambda: simulated_values(10_000, 0, decimals=8),
    }[kind]()
    started = time.process_time()
    intervals = bootstrap(truth, said[None], LABELS, kind=kind, resamples=2000)
    seconds = time.process_time() - started
    assert set(metrics_of(kind)) <= set(intervals)
    assert seconds < 4.0  # 0.5 to 1.0 s on an idle core; the bound leaves room for a busy one

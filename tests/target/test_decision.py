"""Thresholds: the best on validation, for baselines as for models; they move answers and no probability."""

import numpy as np
import pytest
from datasets import Dataset
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.metrics import f1_score, recall_score

from stratune.data.split import assemble
from stratune.errors import ConfigError
from stratune.fitting.fit import fit
from stratune.target import target_of
from stratune.target.decision import PLAIN, Decide, Decision, best_f1
from stratune.task import Task

TWO = ("no", "yes")


def two_labels(rows, seed=0, shift=1.5):
    """Truth, and probabilities that are too low by `shift` for the second label."""
    draws = np.random.default_rng(seed)
    truth = (draws.random(rows) < 0.3).astype(int)
    p = 1 / (1 + np.exp(-(2.5 * truth - 1.2 - shift + draws.normal(size=rows))))
    return truth, np.stack([1 - p, p], axis=1)


@settings(deadline=None)
@given(st.data())
def test_the_threshold_of_a_label_has_the_best_f1_that_any_has(data):
    rows = data.draw(st.integers(1, 12))
    grid = st.sampled_from([0.0, 1e-300, 0.2, 0.3, 0.5, np.nextafter(0.5, 1), 1 - 2**-53, 1.0])
    p = data.draw(hnp.arrays(np.float64, rows, elements=grid))
    truth = data.draw(hnp.arrays(np.int64, rows, elements=st.integers(0, 1)))
    found = f1_score(truth, p >= best_f1(p, truth), zero_division=0)
    assert found == pytest.approx(max(f1_score(truth, p >= cut, zero_division=0) for cut in p))


def test_a_label_that_validation_does_not_have_is_given_from_one_half_on():
    target = target_of("multilabel", ("a", "b"))
    found = target.chosen(np.array([[1, 0]] * 5), np.random.default_rng(0).random((5, 2)))
    assert found.thresholds[1] == 0.5


def test_a_metric_chooses_the_threshold_of_two_labels():
    truth, p = two_labels(300)
    target = target_of("classification", TWO)
    found = target.chosen(truth, p, how=Decide(metric="f1[yes]"))
    scores = [f1_score(truth, p[:, 1] >= cut) for cut in p[:, 1]]
    assert f1_score(truth, target.decided(p, decision=found)) >= max(scores) - 0.015  # 100 cuts are tried
    assert found.thresholds[0] < 0.4 < 0.5
    assert target.chosen(truth, p) == PLAIN


def test_costs_choose_the_threshold_and_a_dear_mistake_is_made_less_often():
    truth, p = two_labels(2000, shift=0.0)
    target = target_of("classification", TWO)
    recall = []
    for cost in (0.2, 1, 5, 25):
        found = target.chosen(truth, p, how=Decide(costs={"yes": {"no": cost}}))
        recall.append(recall_score(truth, target.decided(p, decision=found)))
    assert recall == sorted(recall) and recall[-1] > 0.95 > 0.65 > recall[0]


def test_a_threshold_moves_no_metric_of_probabilities():
    truth, p = two_labels(200)
    target = target_of("classification", TWO)
    plain, moved = (
        target.score(truth, p, None, target.decided(p, decision=d)) for d in (PLAIN, Decision((0.2,)))
    )
    changed = {name for name in plain if plain[name] != moved[name]}
    assert {"accuracy", "f1_macro", "mcc"} <= changed
    assert not changed & {"log_loss", "brier", "ece", "roc_auc", "pr_auc"}


@pytest.mark.parametrize(
    ("kind", "labels", "how", "why"),
    [
        ("classification", ("a", "b", "c"), {"metric": "accuracy"}, "a threshold needs two labels, not 3"),
        ("multilabel", ("a", "b"), {"metric": "f1_macro"}, "each label of a multilabel task has a threshold"),
        ("regression", (), {"costs": {}}, "decide.costs: a threshold needs two labels, and a regression"),
        ("regression", (), {"calibrate": "vector"}, "decide.calibrate: values have no probabilities"),
        (
            "classification",
            TWO,
            {"metric": "roc_auc"},
            "roc_auc is of probabilities, which no threshold moves",
        ),
        ("classification", TWO, {"metric": "f2"}, "'f2' is not one of accuracy"),
        ("classification", TWO, {"costs": {"yse": {"no": 2}}}, "'yse' is not one of no, yes"),
        ("classification", TWO, {"costs": {"yes": {"no": -2}}}, "decide.costs.yes.no: -2 is below 0"),
        ("classification", TWO, {"costs": {"yes": {"yes": 1}}}, "the right answer costs nothing"),
        ("classification", TWO, {"costs": {}, "metric": "accuracy"}, "name a metric or costs, not both"),
        ("classification", TWO, {"calibrate": "platt"}, "'platt' is not one of none, temperature, vector"),
    ],
)
def test_what_cannot_be_decided_so_is_refused(kind, labels, how, why):
    with pytest.raises(ConfigError, match=why):
        Decide(**how).check(target_of(kind, labels))


# -- of a baseline, on a task like one with many rare labels


def rare_labels(labels=12, sizes=(500, 200, 300), seed=0):
    """A split in which a row has one or two of the labels, each in a twelfth of the rows, and a text that names
    them among words that say nothing; every third text does not.
    """
    draws = np.random.default_rng(seed)
    names = [f"l{k}" for k in range(labels)]
    tables = {}
    for part, rows in zip(("train", "val", "test"), sizes, strict=True):
        sets = [sorted({*draws.integers(0, labels, 1 + draws.integers(0, 2))}) for _ in range(rows)]
        noise = draws.integers(0, 60, (rows, 12))
        texts = [
            " ".join([*(f"n{n}" for n in own), *(f"w{k}" for k in chosen if draws.random() > 0.33)])
            for own, chosen in zip(noise, sets, strict=True)
        ]
        cells = [",".join(names[k] for k in chosen) for chosen in sets]
        rows_of = {"id": [f"{part}{i}" for i in range(rows)], "text": texts, "label": cells}
        tables[part] = Dataset.from_dict(rows_of)
    return assemble(tables, Task(kind="multilabel", labels=tuple(names)))


def test_a_baseline_chooses_its_thresholds_by_the_rule_of_the_models():
    split = rare_labels()
    baseline = {"preset": "tfidf", "characters": False, "least": [1], "strengths": [1.0]}
    predictor = fit(baseline, None, split.task, split)
    answers, truth = predictor.score(list(split.test)), split.task.target.truth(split.test["label"])
    target = split.task.target
    plain = target.score(truth, answers.predictions)
    chosen = target.score(truth, answers.predictions, None, answers.decided)
    assert plain["f1_macro"] < 0.3 and chosen["f1_macro"] > 0.55
    assert chosen["log_loss"] == plain["log_loss"]
    raw = predictor.model(list(split.test["text"]), None).predictions
    np.testing.assert_array_equal(answers.predictions, raw)
    assert len(set(predictor.post.decision.thresholds)) == 12

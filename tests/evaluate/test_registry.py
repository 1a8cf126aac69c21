"""Metrics of one's own: computed where ours are, named when they fail, found by every process."""

import json
import math
import subprocess
import sys

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, balanced_accuracy_score, confusion_matrix, mean_absolute_error

from stratune.errors import ConfigError, MetricError
from stratune.evaluate import register_metric
from stratune.evaluate.metrics import METRICS, find, for_other_processes, metrics_of
from stratune.evaluate.replicates import resampled
from stratune.target import target_of
from tests.cli.comparison import stratune, write_rows
from tests.evaluate.oracle import simulated, simulated_sets, simulated_values
from tests.scores import bootstrap, score, scorer

COSTS = np.array([[0.0, 1.0, 2.0], [5.0, 0.0, 1.0], [9.0, 3.0, 0.0]])
LABELS = ("a", "b", "c")


@pytest.fixture(autouse=True)
def as_it_was():
    """What a test registers is gone with it."""
    before = dict(METRICS)
    yield
    METRICS.clear()
    METRICS.update(before)


def registered(function, name="mine", higher_is_better=True, kinds=("classification",)):
    return register_metric(name, higher_is_better=higher_is_better, kinds=kinds)(function)


def cost(truth, predictions, weights):
    """what a wrong answer costs, mean over rows

    The rest of it.
    """
    return np.average(COSTS[truth, predictions.argmax(axis=1)], weights=weights)


def balanced(truth, predictions, weights):
    return balanced_accuracy_score(truth, predictions.argmax(axis=1), sample_weight=weights)


# -- numbers


def test_scikit_learns_balanced_accuracy_is_our_macro_recall():
    registered(balanced)
    truth, said = simulated(200, 3, 0)
    ours = score(truth, said, LABELS)
    assert ours["mine"] == pytest.approx(ours["recall_macro"], abs=1e-12)
    intervals = bootstrap(truth, said[None], LABELS, resamples=1000)
    for end in ("low", "high"):  # by BCa, and by MOVER: two ways to one interval, with 200 rows
        mine, builtin = (getattr(intervals[name], end) for name in ("mine", "recall_macro"))
        assert mine == pytest.approx(builtin, abs=0.01)


def test_a_cost_matrix_times_the_confusion_matrix():
    registered(cost, higher_is_better=False)
    truth, said = simulated(200, 3, 1)
    by_hand = (confusion_matrix(truth, said.argmax(axis=1)) * COSTS).sum() / 200
    assert score(truth, said, LABELS)["mine"] == pytest.approx(by_hand)


def test_each_resample_is_one_call_with_its_counts():
    registered(cost)
    truth, said = simulated(40, 3, 0)
    weights = np.concatenate(list(resampled(40, 6, np.random.default_rng(0))), axis=1)
    found = scorer("classification", truth, said, LABELS).values(weights)["mine"]
    for replicate in range(6):
        rows = np.repeat(np.arange(40), weights[:, replicate].astype(int))
        assert found[replicate] == pytest.approx(COSTS[truth[rows], said[rows].argmax(axis=1)].mean())


def test_it_changes_none_of_the_others():
    truth, said = simulated(60, 3, 0)
    before = score(truth, said, LABELS)
    registered(cost)
    after = score(truth, said, LABELS)
    assert after == before | {"mine": after["mine"]}


def test_it_is_computed_for_its_kinds_only():
    registered(lambda truth, predictions, weights: 1.0, kinds=("ordinal", "regression"))
    truth, said = simulated(30, 3, 0)
    assert "mine" not in score(truth, said, LABELS) and "mine" not in metrics_of("classification")
    assert score(truth, said, LABELS, kind="ordinal")["mine"] == 1.0
    assert score(*simulated_values(30, 0), kind="regression")["mine"] == 1.0


@pytest.mark.parametrize("kind", ["classification", "ordinal", "multilabel", "regression"])
def test_what_it_gets_is_what_the_table_of_kinds_says(kind):
    seen = []
    registered(lambda *arrays: seen.append(arrays) or 0.5, kinds=(kind,))
    simulate = {
        "multilabel": simulated_sets,
        "regression": lambda rows, k, seed: simulated_values(rows, seed),
    }
    truth, said = simulate.get(kind, simulated)(20, 3, 0)
    score(truth, said, () if kind == "regression" else LABELS, kind=kind)
    ((true, predictions, weights),) = seen
    np.testing.assert_array_equal(true, truth)
    np.testing.assert_array_equal(predictions, said)
    assert true.dtype.kind == ("f" if kind == "regression" else "i")
    assert weights.tolist() == [1.0] * 20


# -- what is invalid, undefined, or wrong


def test_an_invalid_class_comes_as_a_wrong_one():
    registered(lambda truth, said, weights: accuracy_score(truth, said.argmax(1), sample_weight=weights))
    truth, said = simulated(50, 3, 0)
    invalid = np.arange(50) % 5 == 0
    said[invalid] = np.nan
    ours = score(truth, said, LABELS, invalid=invalid)
    assert ours["mine"] == pytest.approx(ours["accuracy"])


def test_an_invalid_level_comes_as_the_farthest_one():
    def off(truth, said, weights):
        return mean_absolute_error(truth, said.argmax(axis=1), sample_weight=weights)

    registered(off, kinds=("ordinal",))
    truth, said = simulated(50, 3, 0)
    invalid = np.arange(50) % 5 == 0
    said[invalid] = np.nan
    ours = score(truth, said, LABELS, kind="ordinal", invalid=invalid)
    assert ours["mine"] == pytest.approx(ours["mae_levels"])


def test_an_invalid_set_has_every_label_wrong_and_an_invalid_value_is_the_mean():
    seen = []
    registered(lambda *arrays: seen.append(arrays) or 0.5, kinds=("multilabel", "regression"))
    truth, said = simulated_sets(10, 3, 0)
    invalid = np.arange(10) == 4
    score(truth, said, LABELS, kind="multilabel", invalid=invalid)
    assert seen[0][1][4].tolist() == (1 - truth[4]).tolist() and (seen[0][1][3] == said[3]).all()
    values, numbers = simulated_values(10, 0)
    score(values, numbers, kind="regression", invalid=invalid)
    assert seen[1][1][4, 0] == pytest.approx(values.mean())


def test_nan_is_undefined_and_a_resample_without_a_value_is_left_out():
    def second_only(truth, predictions, weights):
        return float(weights[0]) if weights[0] > 0 else math.nan

    registered(second_only)
    truth, said = simulated(20, 3, 0)
    interval = bootstrap(truth, said[None], LABELS, resamples=100)["mine"]
    assert interval.low >= 1.0
    registered(lambda *arrays: math.nan, name="never")
    assert "never" not in score(truth, said, LABELS)
    assert "never" not in bootstrap(truth, said[None], LABELS, resamples=5)


def crashes(truth, predictions, weights):
    raise ZeroDivisionError("no rows")


def writes(truth, predictions, weights):
    predictions[:] = 0
    return 1.0


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (crashes, "metric 'mine': ZeroDivisionError: no rows"),
        (writes, "metric 'mine': ValueError: assignment destination is read-only"),
        (lambda *arrays: None, "metric 'mine' returned NoneType, not a number"),
        (lambda *arrays: "0.5 %", "metric 'mine' returned str, not a number"),
        (lambda truth, said, weights: said, "metric 'mine' returned ndarray, not a number"),
        (lambda *arrays: math.inf, "metric 'mine' returned inf; where it is undefined it returns NaN"),
        (lambda truth, said: 1.0, r"metric 'mine': TypeError: .* takes 2 positional arguments"),
    ],
)
def test_one_that_fails_is_named(function, message):
    registered(function)
    with pytest.raises(MetricError, match=message):
        score(*simulated(20, 3, 0), LABELS)


# -- names


def test_it_is_found_and_explained_and_may_decide():
    registered(cost, higher_is_better=False)
    assert find("mine").doc == "what a wrong answer costs, mean over rows"
    selection = target_of("classification", LABELS).selection("mine")
    assert selection.best([1.0, 0.5], lambda value: {"mine": value}) == 0.5
    with pytest.raises(ConfigError, match=r"task.metric: 'min' is not one of .*did you mean 'mine'"):
        find("min")
    with pytest.raises(ConfigError, match="'mine' is not one of mae"):
        find("mine", kind="regression")


@pytest.mark.parametrize("name", ["f1[a]", "", "a b", "a,b", "0.5", "a/b"])
def test_a_name_that_cannot_be_a_column_is_refused(name):
    with pytest.raises(ConfigError, match="metrics: .* is no name: letters, digits"):
        registered(cost, name=name)


def test_a_name_that_is_taken_is_refused():
    with pytest.raises(ConfigError, match="metrics: 'accuracy' is already a metric, of stratune itself"):
        registered(cost, name="accuracy")
    registered(cost)
    registered(cost)  # a cell of a notebook, executed again
    with pytest.raises(ConfigError, match="'mine' is already a metric, of tests.evaluate.test_registry"):
        registered(balanced)
    assert METRICS["mine"].function is cost


@pytest.mark.parametrize(
    ("kinds", "message"),
    [
        (("clasification",), r"'mine': 'clasification' is not one of .*did you mean 'classification'"),
        ((), "'mine' names no kinds of task"),
        ("regression", "'mine' names no kinds of task"),
    ],
)
def test_a_kind_that_is_none_is_refused(kinds, message):
    with pytest.raises(ConfigError, match=message):
        registered(cost, kinds=kinds)


# -- other processes


def test_other_processes_are_told_which_modules_to_import(monkeypatch):
    monkeypatch.delenv("STRATUNE_METRICS", raising=False)
    assert for_other_processes() == {}
    registered(cost)
    assert for_other_processes() == {"STRATUNE_METRICS": "tests.evaluate.test_registry"}
    monkeypatch.setenv("STRATUNE_METRICS", "theirs, ours")
    assert for_other_processes() == {"STRATUNE_METRICS": "theirs,ours,tests.evaluate.test_registry"}


def test_one_in_a_script_is_refused_before_anything_is_run():
    code = """
from stratune.engine.local import LocalEngine
from stratune.evaluate import register_metric
register_metric("mine", higher_is_better=True)(lambda *arrays: 1.0)
LocalEngine().__enter__()
"""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert "ConfigError: metrics: 'mine' stands in a script or a notebook: the processes" in ran.stderr


MODULE = '''
import numpy as np
from stratune.evaluate import register_metric

@register_metric("errors", higher_is_better=False, kinds=("classification",))
def errors(truth, predictions, weights):
    """share of the rows whose answer is wrong"""
    return np.average(truth != predictions.argmax(axis=1), weights=weights)
'''


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package that is installed, with a metric behind an entry point."""
    site = tmp_path / "site"
    info = site / "theirs-1.0.dist-info"
    info.mkdir(parents=True)
    (site / "theirs.py").write_text(MODULE)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: theirs\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[stratune.metrics]\nerrors = theirs\n")
    monkeypatch.setenv("PYTHONPATH", str(site), prepend=":")
    return site


def test_an_entry_points_metric_decides_a_comparison(package, tmp_path):
    write_rows(tmp_path / "rows.csv")
    options = ["--data", "rows.csv", "--text", "review", "--label", "mood", "--metric", "errors"]
    options += ["--strategies", "majority,tfidf", "--out", "out"]
    ran = stratune("compare", *options, cwd=tmp_path, cache=tmp_path / "cache")
    assert ran.returncode == 0, ran.stderr
    board = json.loads((tmp_path / "out" / "leaderboard.json").read_text())
    assert board["metric"] == "errors" and [row["strategy"] for row in board["rows"]] == ["tfidf", "majority"]
    for row in board["rows"]:
        result = json.loads((tmp_path / f"out/runs/{row['strategy']}@none#0/result.json").read_text())
        for part in ("val", "test"):
            assert result[part]["errors"] == pytest.approx(1 - result[part]["accuracy"])
        wrong, right = row["test"]["errors"], row["test"]["accuracy"]
        assert wrong["value"] == pytest.approx(1 - right["value"])
        assert wrong["low"] <= wrong["value"] <= wrong["high"]
    assert "share of the rows whose answer is wrong" in (tmp_path / "out" / "report.html").read_text()


def test_it_is_listed_and_one_that_cannot_be_imported_is_named(package, tmp_path):
    ran = stratune("list", "metrics", "--json", cwd=tmp_path, cache=tmp_path / "cache")
    assert json.loads(ran.stdout)["errors"] == "share of the rows whose answer is wrong"
    (package / "theirs.py").write_text("import not_there\n")
    ran = stratune("list", "metrics", cwd=tmp_path, cache=tmp_path / "cache")
    assert ran.returncode == 2
    assert "stratune.metrics: entry point 'theirs': No module named 'not_there'" in ran.stderr


def test_importing_stratune_imports_nobody_elses_metrics(package, tmp_path):
    code = "import sys, stratune.task; print('theirs' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert ran.stdout == "False\n"

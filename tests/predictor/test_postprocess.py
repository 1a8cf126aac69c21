"""Calibrated, decided, and made sets of: what a predictor does with probabilities, before and after saving."""

import json
from dataclasses import replace

import numpy as np
import pytest
from typer.testing import CliRunner

from stratune.cli import app
from stratune.errors import ArtifactError, ConfigError
from stratune.fitting.fit import fit
from stratune.model.answers import Scored
from stratune.model.postprocess import Postprocess
from stratune.predictor.predictor import Predictor
from stratune.target.decision import Decide
from stratune.testing import toy_split
from stratune.testing.toy import toy_split_of
from stratune.train.settings import Budget

SPLIT = toy_split(rows=60)
TEXTS = list(SPLIT.test["text"])
TFIDF = {"preset": "tfidf", "characters": False}


def fitted(**decide):
    return fit(TFIDF, None, SPLIT.task, SPLIT, decide=Decide(**decide))


@pytest.mark.parametrize("way", ["temperature", "vector"])
@pytest.mark.parametrize("costs", [None, {"animal": {"weather": 9}}])
def test_calibration_moves_no_label_and_a_threshold_no_probability(way, costs):
    plain, both = fitted(), fitted(calibrate=way, costs=costs)
    alone = fitted(costs=costs)
    assert [one.label for one in both.predict(TEXTS)] == [one.label for one in alone.predict(TEXTS)]
    np.testing.assert_array_equal(alone.predict_proba(TEXTS), plain.predict_proba(TEXTS))
    assert np.abs(both.predict_proba(TEXTS) - plain.predict_proba(TEXTS)).max() > 0.01


def test_all_of_it_is_in_the_model_folder(tmp_path):
    predictor = fitted(calibrate="vector", metric="f1[weather]")
    again = Predictor.load(predictor.save(tmp_path / "model"))
    assert again.post == predictor.post and again.post.conformal.rows == len(SPLIT.val)
    assert again.predict(TEXTS) == predictor.predict(TEXTS)
    assert again.sets(TEXTS, 0.8) == predictor.sets(TEXTS, 0.8)
    manifest = json.loads((tmp_path / "model" / "stratune.json").read_text())
    assert manifest["format"] == 4 and len(manifest["thresholds"]) == 1
    again = Predictor.load(again.save(tmp_path / "again"))
    assert again.post == predictor.post and "thresholds" not in again.about


@pytest.mark.parametrize(
    ("key", "value", "why"),
    [
        ("thresholds", [0.5, 0.5], "thresholds: 2, or not from 0 to 1"),
        ("thresholds", [1.5], "thresholds: 1, or not from 0 to 1"),
        ("scaling", {"scale": [1.0, 2.0, 3.0], "bias": []}, "scaling: not of these labels"),
        ("scaling", {"scale": [-1.0], "bias": []}, "scaling: not of these labels"),
        ("conformal", {"rows": 2, "scores": [0.2, 0.1]}, "conformal: its scores do not rise"),
    ],
)
def test_numbers_that_do_not_fit_the_task_are_damage(key, value, why, tmp_path):
    from stratune.predictor.manifest import sealed

    path = fitted().save(tmp_path / "model") / "stratune.json"
    path.write_text(json.dumps(sealed({**json.loads(path.read_text()), key: value})))
    with pytest.raises(ArtifactError, match=why):
        Predictor.load(path.parent)


def test_sets_grow_with_the_coverage_and_are_named():
    predictor = fitted()
    small, large = predictor.sets(TEXTS, 0.3), predictor.sets(TEXTS, 0.95)
    assert all(set(a) <= set(b) for a, b in zip(small, large, strict=True))
    assert {label for one in large for label in one} == set(SPLIT.task.labels)
    with pytest.raises(ConfigError, match="coverage: 2 is not between 0 and 1"):
        predictor.sets(TEXTS, 2)
    predictor.post = replace(predictor.post, conformal=None)
    with pytest.raises(ArtifactError, match="cannot give sets: it has no validation scores"):
        predictor.sets(TEXTS)


def test_an_interval_of_values_is_in_their_unit():
    split = toy_split_of("regression")
    predictor = fit("mean", None, split.task, split)
    assert predictor.sets(["rain"], 0.5) == [(990.0, 1010.0)]
    assert predictor.sets([]) == []


def test_a_threshold_that_a_readout_asks_for_is_a_decision(tiny):
    short = {"row": "{text}", "answer": ": {label}", "chat": False}
    spec = {"preset": "zero_shot", "readout": {"template": short, "threshold": True}}
    split = toy_split(metric="accuracy")
    predictor = fit(spec, str(tiny("llama")), split.task, split, Budget(epochs=1))
    assert len(predictor.post.decision.thresholds) == 1
    plain = fit({**spec, "readout": {"template": short}}, str(tiny("llama")), split.task, split)
    np.testing.assert_allclose(predictor.predict_proba(TEXTS), plain.predict_proba(TEXTS), atol=1e-6)


def test_the_command_line_adds_the_sets(tmp_path):
    predictor = fitted()
    folder = predictor.save(tmp_path / "model")
    (tmp_path / "rows.csv").write_text("text\n" + "\n".join(TEXTS[:3]) + "\n")
    out = tmp_path / "out.jsonl"
    asked = ["predict", str(folder), str(tmp_path / "rows.csv"), "-o", str(out), "--coverage", "0.9", "-q"]
    assert CliRunner().invoke(app, asked).exit_code == 0
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert [tuple(json.loads(row["set"])) for row in rows] == predictor.sets(TEXTS[:3], 0.9)


def test_each_label_of_a_set_is_given_from_its_own_threshold_on_and_keeps_its_probability():
    target = toy_split_of("multilabel").task.target
    truth = target.truth(["animal", "weather", "animal,weather", ""] * 5)
    p = np.where(truth == 1, 0.3, 0.1) + np.arange(20)[:, None] / 1000
    post = Postprocess.chosen(Scored(p, np.zeros(20, dtype=np.int32)), truth, target)
    found = post(Scored(p, np.zeros(20, dtype=np.int32)), target)
    np.testing.assert_array_equal(found.predictions, p)
    np.testing.assert_array_equal(found.decided, truth.astype(bool))

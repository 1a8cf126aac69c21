"""A student that learns what finished runs answer to texts without labels."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from datasets import Dataset

from stratune.comparison.comparison import run_comparison
from stratune.config import parse_config
from stratune.engine.inline import InlineEngine
from stratune.errors import ConfigError, TrainingError
from stratune.fitting.distil import taught_by
from stratune.fitting.fit import fit, train
from stratune.model.answers import Scored
from stratune.predictor.predictor import Predictor
from stratune.strategy import parse_strategy
from stratune.testing import toy_split
from stratune.testing.toy import toy_split_of
from stratune.train.settings import Budget
from tests.cli.comparison import write_rows

STRATEGIES = [
    "tfidf",
    "probe",
    {"preset": "distil", "best": 1, "of": ["tfidf"], "student": "features"},
    {"preset": "distil", "name": "tuned", "student": {"preset": "lora", "rank": 2}},
]


def config_of(folder, backbone, strategies, **data):
    fields = {
        "data": {"source": str(write_rows(folder / "rows.csv")), "validation": "rows", **data},
        "task": {"text": "review", "label": "mood"},
        "strategies": strategies,
        "backbones": [str(backbone)],
        "seeds": 2,
        "budget": {"epochs": 1},
    }
    return parse_config(fields)


@pytest.fixture(scope="module")
def finished(tmp_path_factory, tiny):
    folder = tmp_path_factory.mktemp("distilled")
    texts = [
        f"the {one} near the {other}"
        for one in ("cat", "dog", "rain", "snow")
        for other in ("house", "street")
    ]
    (folder / "texts.csv").write_text("review\n" + "\n".join(texts) + "\n")
    config = config_of(folder, tiny("bert"), STRATEGIES, unlabelled=str(folder / "texts.csv"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STRATUNE_CACHE", str(tmp_path_factory.mktemp("cache")))
        results = list(run_comparison(config, folder / "out", engine=InlineEngine()))
        again = list(run_comparison(config, folder / "out", engine=InlineEngine()))
    assert [r.error for r in results if r.error] == [] and results == again
    return folder / "out", results


def test_students_have_the_runs_of_their_strategy(finished):
    """A solved head draws nothing: one seed."""
    _, results = finished
    assert [(r.strategy, r.seed) for r in results if r.strategy in ("distil", "tuned")] == [
        ("distil", 0),
        ("tuned", 0),
        ("tuned", 1),
    ]


def test_a_student_says_of_whom_it_learned_and_costs_what_they_cost(finished):
    _, results = finished
    by_name = {r.run_id: r for r in results}
    student = next(r for r in results if r.strategy == "distil")
    assert list(student.settings["members"]) == ["tfidf@none#0"]
    assert "learned 8 texts without labels from tfidf@none#0" in student.notes
    assert student.train_seconds > by_name["tfidf@none#0"].train_seconds
    tuned = next(r for r in results if r.strategy == "tuned")
    assert len(tuned.settings["members"]) == 2 and tuned.trainable_params > 0


def test_its_folder_is_one_model_and_predicts_alone(finished):
    out, results = finished
    folder = out / "runs" / next(r.run_id for r in results if r.strategy == "tuned") / "model"
    about = json.loads((folder / "stratune.json").read_text())
    assert about["strategy"]["tune"] == "lora" and about["strategy"]["name"] == "tuned"
    assert not (folder / "members").exists()
    assert Predictor.load(folder).predict(["the cat saw rain"])[0].label


def test_a_student_of_certain_teachers_is_one_trained_on_their_labels(tiny):
    """Soft truths that are certain are labels: the same loss, step by step, so the same weights."""
    split = toy_split(rows=16)
    texts = toy_split(rows=16, seed=1).train
    truth = split.task.target.truth(texts["label"])
    certain = Scored(np.eye(2)[truth], np.zeros(16, dtype=np.int32))
    taught = taught_by(certain, replace(split, unlabelled=texts.remove_columns("label")))
    assert taught.train["label"] == [*split.train["label"], *texts["label"]]
    lora = parse_strategy("lora")
    how = str(tiny("bert")), split.task
    soft = train(lora, *how, taught, Budget(epochs=1), 0).predictor
    hard = train(lora, *how, replace(taught, wanted=None), Budget(epochs=1), 0).predictor
    np.testing.assert_allclose(soft.predict_proba(texts), hard.predict_proba(texts), atol=1e-6)


@pytest.mark.parametrize("student", ["probe", "knn", {"preset": "full", "learning_rate": 2e-3}])
def test_what_the_teachers_doubt_the_student_doubts(student, tiny):
    """The same texts with certain answers and with answers of one half each: the second are less certain."""
    split = toy_split(rows=8)
    texts = toy_split(rows=64, seed=1).train
    truth = split.task.target.truth(texts["label"])
    # Of two validation rows the strength of a penalty would be chance.
    unlabelled = replace(split, val=texts, unlabelled=texts.remove_columns("label"))

    def confidence(answers):
        taught = taught_by(Scored(answers, np.zeros(64, dtype=np.int32)), unlabelled)
        strategy = parse_strategy(student)
        found = train(strategy, str(tiny("bert")), split.task, taught, Budget(epochs=16), 0).predictor
        return float(found.predict_proba(texts).max(axis=1).mean())

    sure = confidence(np.eye(2)[truth])
    unsure = confidence(np.where(np.eye(2)[truth] == 1, 0.55, 0.45))
    assert sure > unsure + 0.005


@pytest.mark.parametrize("kind", ["ordinal", "multilabel", "regression"])
def test_every_kind_of_answer_can_be_learned(kind, tiny):
    split = toy_split_of(kind)
    columns = len(split.task.columns)
    values = np.full((3, columns), 1000.0 if kind == "regression" else 1 / columns)
    texts = Dataset.from_dict({"id": list("abc"), "text": ["cat", "rain", "the cat saw rain"]})
    taught = taught_by(Scored(values, np.zeros(3, dtype=np.int32)), replace(split, unlabelled=texts))
    assert len(taught.train) == len(split.train) + 3 and taught.wanted.shape == (len(taught.train), columns)
    found = fit("probe", str(tiny("bert")), split.task, taught)
    assert np.isfinite(found.predict_proba(texts)).all()


def test_texts_without_a_valid_answer_are_left_out():
    split = toy_split(rows=8)
    texts = Dataset.from_dict({"id": ["a", "b"], "text": ["cat", "rain"]})
    answers = np.array([[0.9, 0.1], [np.nan, np.nan]])
    unlabelled = replace(split, unlabelled=texts)
    taught = taught_by(Scored(answers, np.zeros(2, dtype=np.int32)), unlabelled)
    assert taught.train["id"][8:] == ["unlabelled:a"]
    with pytest.raises(TrainingError, match="no valid answer to any"):
        taught_by(Scored(answers[1:].repeat(2, axis=0), np.zeros(2, dtype=np.int32)), unlabelled)


@pytest.mark.parametrize(
    ("student", "says"),
    [
        ("tfidf", "distil.student: tfidf: it cannot learn answers"),
        ("zero_shot", "distil.student: zero_shot: it cannot learn answers"),
        ("untuned", "distil.student: untuned: it cannot learn answers"),
        ("prob", "'prob' is not one of"),
    ],
)
def test_a_student_that_cannot_learn_is_refused(student, says):
    with pytest.raises(ConfigError, match=says):
        parse_strategy({"preset": "distil", "student": student})


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ({}, "strategies.distil: it learns from texts without labels; name a file of them with --unlabelled"),
        ({"validation": "folds", "unlabelled": "texts.csv"}, "strategies.distil: it needs validation rows"),
    ],
)
def test_a_split_that_it_cannot_learn_from_is_refused_before_any_run(data, says, tiny, tmp_path, monkeypatch):
    monkeypatch.setenv("STRATUNE_CACHE", str(tmp_path / "cache"))
    (tmp_path / "texts.csv").write_text("review\nthe cat\n")
    data = {key: str(tmp_path / value) if key == "unlabelled" else value for key, value in data.items()}
    config = config_of(tmp_path, tiny("bert"), ["tfidf", "distil"], **data)
    with pytest.raises(ConfigError, match=says):
        next(run_comparison(config, tmp_path / "out", engine=InlineEngine()))
    assert not (tmp_path / "out").exists()


def test_fit_alone_has_no_teachers(tiny):
    split = replace(toy_split(rows=8), unlabelled=Dataset.from_dict({"id": ["a"], "text": ["cat"]}))
    with pytest.raises(ConfigError, match="distil learns from finished runs: ask `compare` for it"):
        fit("distil", str(tiny("bert")), split.task, split)


def test_without_a_teacher_that_ended_well_its_row_fails(tiny, tmp_path, monkeypatch):
    monkeypatch.setenv("STRATUNE_CACHE", str(tmp_path / "cache"))
    (tmp_path / "texts.csv").write_text("review\nthe cat near the street\n")
    broken = {"preset": "lora", "rank": 2, "learning_rate": 1e30}
    config = config_of(tmp_path, tiny("bert"), [broken, "distil"], unlabelled=str(tmp_path / "texts.csv"))
    *_, student = run_comparison(config, tmp_path / "out", engine=InlineEngine())
    assert (
        student.status == "failed" and student.error == "distil needs one finished run at least; found none"
    )


def test_class_weights_weigh_soft_truths_too(tiny):
    from stratune.objective.classes import CrossEntropy

    logits, shares = torch.tensor([[0.0, 0.0]]), torch.tensor([[0.25, 0.75]])
    found = CrossEntropy(2).expected_losses(logits, shares, torch.tensor([2.0, 1.0]), 0.0)
    assert found.item() == pytest.approx(np.log(2) * (0.25 * 2 + 0.75))

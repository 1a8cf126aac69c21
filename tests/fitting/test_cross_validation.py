"""Validation by folds of the training rows: no answer comes from a model that has seen its row."""

import random
import zlib
from dataclasses import dataclass

import numpy as np
import pyarrow.parquet as pq
import pytest
from datasets import Dataset

from stratune.comparison.comparison import run_comparison
from stratune.config import parse_config
from stratune.data.share_out import folds_of
from stratune.data.split import assemble, make_split
from stratune.engine.inline import InlineEngine
from stratune.fitting.fit import train
from stratune.fitting.kept_answers import kept_answers
from stratune.fitting.solving import HeadSolver
from stratune.predictor.predictor import Predictor
from stratune.strategy import parse_strategy
from stratune.strategy.baselines import Majority
from stratune.task import Task
from stratune.testing import toy_split
from stratune.train.settings import Budget, TrainSettings
from stratune.watch import Progress
from tests.cli.comparison import write_rows

EXACT = TrainSettings(precision="float32")
LEARNERS = ["majority", "tfidf", "probe", "centroid", "knn", "partial", "contrastive"]
ONE = {"name": "one", "row": "{text}", "answer": "= {label}", "chat": False}
SHOWN = {"preset": "few_shot", "readout": {"template": ONE, "shots": 2}}


def cross_validated(rows=20, changed=None, **options):
    """The toy task, its training rows in folds; the label of row number `changed` is another one."""
    split = toy_split(rows=rows, **options)
    folds = folds_of(split.train, split.task, seed=0)[0].tolist()
    table = split.train
    if changed is not None:
        labels = list(table["label"])
        labels[changed] = next(name for name in split.task.labels if name != labels[changed])
        table = table.remove_columns("label").add_column("label", labels)
    return assemble({"train": table, "val": table, "test": split.test}, split.task, folds=folds)


def fitted(spec, backbone, split, epochs=2, **more):
    candidate, budget = parse_strategy(spec), Budget(epochs=epochs)
    return train(candidate, str(backbone), split.task, split, budget, 0, settings=EXACT, **more)


@pytest.mark.parametrize("spec", LEARNERS)
def test_the_label_of_a_row_changes_the_model_and_never_its_own_answer(spec, tiny):
    row = 3
    before, after = (fitted(spec, tiny("bert"), cross_validated(changed=one)) for one in (None, row))
    own, others = (found.validation.predictions for found in (before, after))
    assert np.array_equal(own[row], others[row])
    texts = list(cross_validated().test["text"])
    answers = [found.predictor.model(texts, None).predictions for found in (before, after)]
    assert not np.allclose(*answers, atol=1e-7)  # all rows are in the model that is kept


@pytest.mark.parametrize("spec", LEARNERS)
def test_folds_choose_inside_their_rows_so_nothing_was_chosen_on_validation(spec, tiny):
    found = fitted(spec, tiny("bert"), cross_validated())
    assert found.tried() == {"settings": 1}
    assert all(line["val"] is None and line["val_loss"] is None for line in found.history)


def test_what_the_folds_cost_is_in_the_costs(tiny):
    split = cross_validated()
    folds, epochs = 5, 2
    found = fitted("partial", tiny("bert"), split, epochs=epochs)
    assert found.position.examples_seen == epochs * 20
    assert found.examples_seen == epochs * (20 + (folds - 1) * 20)


def test_to_who_watches_the_folds_are_one_training(tiny):
    steps = []

    class Seen(Progress):
        def step(self, step):
            steps.append((step.step, step.steps))

    fitted("partial", tiny("bert"), cross_validated(), progress=Seen())
    shares = [step / of for step, of in steps]
    assert shares == sorted(shares)
    assert shares[0] < 0.1 and shares[-1] == 1.0


def test_without_training_rows_there_is_one_model_and_it_answers_all_of_them(tiny):
    split = cross_validated()
    found = fitted("untuned", tiny("bert"), split)
    own = found.predictor.model(list(split.val["text"]), None).predictions
    np.testing.assert_array_equal(found.validation.predictions, own)


def test_a_prompt_never_shows_the_row_that_it_asks_about(tiny):
    split, asked = cross_validated(), []

    class Seen(Progress):
        def stage(self, name, total):
            asked.append((name, total))

    found = fitted(SHOWN, tiny("llama"), split, progress=Seen())
    assert [one for one in asked if "predicting val" in one[0]] == [
        (f"fold {turn} of 5: predicting val", 4) for turn in range(1, 6)
    ]
    shown = found.predictor.model.prompt(split.test["text"][0], None)
    first = set(split.without(0).val["text"])
    assert not any(text in shown for text in first)
    assert np.isfinite(found.validation.predictions).all()
    assert found.predictor.about["fingerprint"] == split.fingerprint


def test_documents_in_chunks_are_answered_by_folds_too(tiny):
    spec = {"preset": "probe", "readout": {"long": {"way": "chunk", "window": 8, "aggregate": "auto"}}}
    split = cross_validated()
    found = fitted(spec, tiny("bert"), split)
    assert found.validation.predictions.shape == (20, 2)
    assert np.isfinite(found.validation.predictions).all()


@pytest.mark.parametrize("kind", ["ordinal", "multilabel", "regression"])
@pytest.mark.parametrize("spec", ["tfidf", "probe", "partial", "knn"])
def test_every_kind_of_task_is_cross_validated(kind, spec, tiny):
    rows = toy_split(rows=20).train
    cells = {"animal": "1", "weather": "2"}
    labels = [cells[label] for label in rows["label"]]
    if kind == "multilabel":
        labels = [label if i % 3 else "1,2" for i, label in enumerate(labels)]
    table = rows.remove_columns("label").add_column("label", labels)
    split = make_split(table, Task(kind=kind), seed=0, test=table, validation="folds")
    found = fitted(spec, tiny("bert"), split)
    assert len(found.validation.predictions) == len(split.val) == 20
    assert all(np.isfinite(value) for value in found.validation_metrics(split).values())


@pytest.mark.parametrize("kind, metric", [("regression", "pearson"), ("classification", "roc_auc")])
def test_a_constant_ranks_nothing_whatever_its_folds(kind, metric):
    """Each fold's constant is the mean of the others' rows: together they would rank rows the wrong way."""
    rows = toy_split(rows=40).train
    cells = {"animal": "0", "weather": "1"}
    table = rows.remove_columns("label").add_column("label", [cells[one] for one in rows["label"]])
    split = make_split(table, Task(kind=kind, metric=metric), seed=0, test=table, validation="folds")
    constant = "mean" if kind == "regression" else "majority"
    found = train(parse_strategy(constant), None, split.task, split, Budget(), 0)
    value = found.validation_metrics(split).get(metric)
    assert value is None if kind == "regression" else value == 0.5


@pytest.mark.parametrize("rows, rare", [(6, 0), (9, 1), (12, 2)])
@pytest.mark.parametrize("spec", [*LEARNERS, "features", "lora"])
def test_very_few_rows_and_rare_labels(rows, rare, spec, tiny):
    """A label of one row is in the model that is kept, and in no model that answers the row."""
    table = toy_split(rows=rows).train
    labels = [f"rare{i}" if i < rare else label for i, label in enumerate(table["label"])]
    table = table.remove_columns("label").add_column("label", labels)
    split = make_split(table, Task(), seed=0, test=table, validation="folds")
    found = fitted(spec, tiny("bert"), split, epochs=1)
    assert np.isfinite(found.validation.predictions).all()
    assert found.validation.predictions.shape == (rows, 2 + rare)


def test_a_solved_head_behind_trained_vectors_is_solved_once_in_each_fit(tiny, monkeypatch):
    solved = []
    whole = HeadSolver.solve
    monkeypatch.setattr(HeadSolver, "solve", lambda self, *rows: solved.append(1) or whole(self, *rows))
    fitted("contrastive", tiny("bert"), cross_validated(), epochs=3)
    assert len(solved) == 6


class Killed(Exception):
    pass


class KilledAt(Progress):
    def __init__(self, fold):
        self.fold = fold

    def stage(self, name, total):
        if name.startswith(f"fold {self.fold} of") and "predicting" in name:
            raise Killed


@pytest.mark.parametrize("fold", [1, 3, 5])
def test_a_run_killed_in_a_fold_goes_on_there_and_ends_as_one_that_was_not(fold, tiny, tmp_path):
    split = cross_validated()
    whole = fitted("partial", tiny("bert"), split, work=tmp_path / "whole")
    with pytest.raises(Killed):
        fitted("partial", tiny("bert"), split, work=tmp_path / "killed", progress=KilledAt(fold))
    done = sorted(path.parent.name for path in (tmp_path / "killed").rglob("checkpoint-*"))
    assert len(done) == fold
    again = fitted("partial", tiny("bert"), split, work=tmp_path / "killed")
    np.testing.assert_array_equal(again.validation.predictions, whole.validation.predictions)
    texts = list(split.test["text"])
    np.testing.assert_array_equal(*(run.predictor.model(texts, None).predictions for run in (again, whole)))


def test_trials_are_chosen_among_by_the_answers_of_folds(tiny, tmp_path):
    split, budget = cross_validated(), Budget(epochs=1, trials=3)
    found = train(
        parse_strategy("partial"), str(tiny("bert")), split.task, split, budget, 0,
        settings=EXACT, work=tmp_path,
    )  # fmt: skip
    assert len(found.trials) == 3
    chosen, metric = found.trials[0], split.task.metric
    assert chosen.val[metric] == max(one.val[metric] for one in found.trials if one.error is None)
    assert found.validation_metrics(split) == pytest.approx(chosen.val)
    fits = sum(
        trial.error is None for trial in found.trials
    )  # the tiny model may have too few blocks for one
    assert fits >= 2 and found.examples_seen == fits * (20 + 4 * 20)


@pytest.fixture(scope="module")
def board(tmp_path_factory, tiny):
    """A comparison of so few rows that its validation is folds."""
    folder = tmp_path_factory.mktemp("few")
    fields = {
        "data": {"source": str(write_rows(folder / "rows.csv", rows=1))},
        "task": {"text": "review", "label": "mood"},
        "strategies": ["majority", "tfidf", "lora", {"preset": "ensemble", "of": ["tfidf", "lora"]},
                       {"preset": "soup", "of": ["lora"]}],
        "backbones": [str(tiny("bert"))],
        "seeds": 2,
        "budget": {"epochs": 1},
    }  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STRATUNE_CACHE", str(tmp_path_factory.mktemp("cache")))
        results = list(run_comparison(parse_config(fields), folder / "out", engine=InlineEngine()))
    assert [result.error for result in results if result.error] == []
    return folder / "out", {result.run_id: result for result in results}


def test_rows_too_few_for_validation_are_cross_validated_by_default(board):
    out, results = board
    for run_id in results:
        table = pq.read_table(out / "runs" / run_id / "predictions.parquet").to_pandas()
        sizes = table.groupby("part").size()
        assert sizes["val"] == 68  # 80 rows, less the 12 of test
        assert not set(table.id[table.part == "val"]) & set(table.id[table.part == "test"])


def test_an_ensemble_has_the_mean_of_what_its_members_answered_to_their_folds(board):
    out, results = board
    scores = ["score_animal", "score_weather"]

    def validation(run):
        table = pq.read_table(out / "runs" / run / "predictions.parquet").to_pandas()
        return table[table.part == "val"][scores].to_numpy()

    name = next(run for run, result in results.items() if result.strategy == "ensemble")
    model = Predictor.load(out / "runs" / name / "model")
    expected = np.mean([validation(member) for member in model.about["members"]], axis=0)
    assert not model.post.scaling  # nothing was calibrated afterwards
    np.testing.assert_allclose(validation(name), expected, atol=1e-6)


def test_answers_of_another_split_are_refused(board, tiny):
    from stratune.errors import ArtifactError

    out, results = board
    with pytest.raises(ArtifactError, match="predictions.parquet"):
        kept_answers(out / "runs" / next(iter(results)), cross_validated())


@dataclass(frozen=True)
class Guess(Majority):
    """Answers a label by the letters of the text, whatever the rows say."""

    def fit(self, train, val, task, seed):
        return Guessed()


class Guessed:
    def predictions(self, rows):
        drawn = [zlib.crc32(text.encode()) % 2 for text in rows.texts]
        return np.array([[0.9, 0.1] if one else [0.1, 0.9] for one in drawn])

    def state(self):
        return {}, {}


def test_so_few_rows_choose_well_with_folds_and_badly_with_a_part():
    """Sixteen rows: a part of them is two, on which a guesser is often as good as a model that learns."""
    words = {"yes": ("good", "fine", "great"), "no": ("bad", "poor", "awful")}
    fillers = ("the", "day", "was", "there", "again", "some", "people", "near", "time", "old")
    learner = parse_strategy({"preset": "tfidf", "least": [1], "characters": False, "strengths": [10.0]})

    def table(seed):
        draw = random.Random(seed)
        labels = ["yes", "no"] * 8
        texts = [" ".join([*draw.sample(fillers, 4), draw.choice(words[label])]) for label in labels]
        return Dataset.from_dict({"id": [str(i) for i in range(16)], "text": texts, "label": labels})

    def learner_is_first(seed, validation):
        split = make_split(table(seed), Task(), seed=seed, test=table(seed + 100), validation=validation)
        learnt, guessed = (
            train(one, None, split.task, split, Budget(), 0).validation_metrics(split)
            for one in (learner, Guess())
        )
        return split.task.selection.score(learnt) > split.task.selection.score(guessed)

    draws = range(20)
    by_folds, by_rows = (sum(learner_is_first(one, way) for one in draws) for way in ("folds", "rows"))
    assert by_folds >= 18
    assert by_rows <= 15

"""stack: weights of finished runs, learned on their answers to validation."""

import json
import shutil

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from datasets import Dataset

from stratune.comparison.comparison import run_comparison
from stratune.data.split import assemble
from stratune.data.store import load_parts, splits_folder
from stratune.engine.inline import InlineEngine
from stratune.errors import ArtifactError
from stratune.fitting import stacking
from stratune.fitting.combine import combine
from stratune.fitting.kept_answers import kept_answers
from stratune.fitting.stacking import EQUAL, LEAST, chosen, halves, settled, stacked
from stratune.model.answers import Scored
from stratune.model.ensemble import WeightedModel, weighted_mean
from stratune.predictor.manifest import MANIFEST, sealed
from stratune.predictor.predictor import Predictor
from stratune.remote.named import Servers
from stratune.report.comparison import load
from stratune.strategy import parse_strategy
from stratune.task import Task
from tests.cli.comparison import write_rows
from tests.fitting.test_combine import ROW, config_of, run_of

CLASSES = Task(labels=("no", "yes"), metric="accuracy")
VALUES = Task(kind="regression")


def split_of(cells, task, *, texts=None, groups=None):
    """A split whose validation rows have these labels."""
    count = len(cells)
    columns = {"id": [f"row-{i}" for i in range(count)], "text": texts or [f"text {i}" for i in range(count)]}
    columns |= {"label": [str(cell) for cell in cells]} | ({"group": groups} if groups else {})
    table = Dataset.from_dict(columns)
    return assemble({"train": table, "val": table, "test": table}, task)


def answers_of(predictions):
    return [Scored(one, np.zeros(len(one), dtype=np.int32)) for one in predictions]


def as_pairs(second):
    """(M, N) probabilities of the second label -> (M, N, 2)."""
    return np.stack([1 - second, second], axis=-1)


# -- the weights


def test_independent_errors_are_weighted_by_their_precision():
    """The best weights of unbiased answers are proportional to 1 / variance."""
    draw = np.random.default_rng(0)
    truth = draw.normal(size=3000)
    predictions = np.stack([truth + spread * draw.normal(size=3000) for spread in (0.5, 1.0, 1.0)])[..., None]
    found = stacked(answers_of(predictions), split_of(truth, VALUES))
    np.testing.assert_allclose(found.weights, [4 / 6, 1 / 6, 1 / 6], atol=0.04)
    assert found.weights.sum() == pytest.approx(1) and found.validation.invalid is None


def test_the_tasks_metric_chooses_and_the_loss_among_equals():
    """The second member is more often right and has the higher loss."""
    truth = np.array([0, 1] * 20)
    bold, timid = np.where(truth, 0.7, 0.3), np.where(truth, 0.52, 0.48)
    bold[:4], timid[4:6] = 1 - bold[:4], 1 - timid[4:6]
    members = as_pairs(np.stack([bold, timid]))
    assert chosen(members, truth, CLASSES).tolist() == [0, 1]
    assert chosen(members, truth, Task(labels=("no", "yes"), metric="log_loss")).tolist() == [1, 0]
    twins = as_pairs(np.stack([np.where(truth, 0.6, 0.4), np.where(truth, 0.9, 0.1)]))
    assert chosen(twins, truth, CLASSES).tolist() == [0, 1]


def test_few_rows_pull_the_weights_together_and_small_ones_are_left_out():
    alone = np.array([1.0, 0, 0, 0, 0])
    for rows in (2, 20, 200):
        weights = settled(7 * alone, rows)
        share = EQUAL / 5 / (rows + EQUAL)
        assert weights.sum() == pytest.approx(1)
        assert (weights[1:] == 0).all() if share < LEAST else weights[1] == pytest.approx(share)
    many = settled(np.ones(1000), 5)
    np.testing.assert_allclose(many, 1 / 1000)  # all are small: none is left out
    by_row = settled(np.stack([alone, np.ones(5)], axis=1), 2)  # (5, 2)
    np.testing.assert_allclose(by_row, np.stack([settled(alone, 2), settled(np.ones(5), 2)], axis=1))


def test_a_member_without_an_answer_is_left_out_of_the_row():
    predictions = as_pairs(np.array([[0.2, np.nan, np.nan], [0.8, 0.6, np.nan]]))
    mean = weighted_mean(predictions, np.array([0.75, 0.25]))
    np.testing.assert_allclose(mean[:, 1], [0.35, 0.6, np.nan])
    truth = ["no", "yes", "yes", "no"] * 5
    spoiled = as_pairs(np.random.default_rng(0).random((2, 20)))
    spoiled[0, 3] = np.nan
    spoiled[:, 5] = np.nan
    found = stacked(answers_of(spoiled), split_of(truth, CLASSES)).validation
    assert np.flatnonzero(found.invalid).tolist() == [5]


# -- validation is answered by weights that have not seen the row


def test_a_rows_answer_does_not_depend_on_its_own_label(monkeypatch):
    """On fixed halves: turning a label moves the weights, and answers to other rows, never its own."""
    draw = np.random.default_rng(1)
    cells = draw.choice(["no", "yes"], 24)
    masks = [np.arange(24) % 2 == turn for turn in (0, 1)]
    monkeypatch.setattr(stacking, "halves", lambda split: iter(masks))
    answers = answers_of(as_pairs(draw.random((4, 24))))
    before = stacked(answers, split_of(cells, CLASSES))
    moved = 0
    for row in range(24):
        turned = cells.copy()
        turned[row] = "no" if cells[row] == "yes" else "yes"
        after = stacked(answers, split_of(turned, CLASSES))
        np.testing.assert_array_equal(after.validation.predictions[row], before.validation.predictions[row])
        moved += not np.array_equal(after.validation.predictions, before.validation.predictions)
    assert moved >= 6


def test_the_score_on_validation_is_not_flattered(monkeypatch):
    """Members that guess: the weights that look best on 30 rows are above chance there; those answers are not."""
    monkeypatch.setattr(stacking, "HALVINGS", 3)
    flattered, honest = [], []
    for seed in range(12):
        draw = np.random.default_rng(seed)
        truth = np.arange(30) % 2
        predictions = as_pairs(draw.random((10, 30)))
        found = stacked(answers_of(predictions), split_of(np.array(["no", "yes"])[truth], CLASSES))
        own = weighted_mean(predictions, found.weights)
        flattered.append((own.argmax(axis=1) == truth).mean())
        honest.append((found.validation.predictions.argmax(axis=1) == truth).mean())
    assert np.mean(flattered) > 0.6
    assert abs(np.mean(honest) - 0.5) < 0.06


def test_groups_and_equal_texts_are_in_one_half():
    texts = [f"text {i // 3}" for i in range(30)]
    cells = ["no", "yes", "yes"] * 10
    grouped = Task(labels=("no", "yes"), group="who")
    for split in (split_of(cells, CLASSES, texts=texts), split_of(cells, grouped, groups=texts)):
        drawn = list(halves(split))
        assert len(drawn) == 2 * stacking.HALVINGS
        assert np.sum(drawn, axis=0).tolist() == [stacking.HALVINGS] * 30
        for seen in drawn:
            assert all(len(set(seen[start : start + 3])) == 1 for start in range(0, 30, 3))


def test_two_rows_make_equal_weights_nearly():
    found = stacked(
        answers_of(as_pairs(np.array([[0.9, 0.2], [0.1, 0.9]]))), split_of(["no", "yes"], CLASSES)
    )
    np.testing.assert_allclose(found.weights, 0.5, atol=0.1)


# -- in a comparison


@pytest.fixture(scope="module")
def finished(tmp_path_factory, tiny):
    folder = tmp_path_factory.mktemp("stacked")
    config = config_of(
        write_rows(folder / "rows.csv"), tiny("bert"), ["majority", "tfidf", "untuned", "lora", "stack"]
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STRATUNE_CACHE", str(tmp_path_factory.mktemp("cache")))
        results = list(run_comparison(config, folder / "out", engine=InlineEngine()))
        (stored,) = splits_folder().iterdir()
        split = load_parts(stored)
    assert [r.error for r in results if r.error] == []
    return folder / "out", {r.run_id: r for r in results}, split


def part_of(path, part):
    return pq.read_table(path / "predictions.parquet", filters=[("part", "==", part)])


def scores_of(table):
    return np.stack([table["score_animal"], table["score_weather"]], axis=1)


def test_its_answers_are_the_weighted_mean_of_its_members(finished):
    out, results, split = finished
    stack = run_of(results, "stack")
    about = json.loads((out / "runs" / stack.run_id / "model" / MANIFEST).read_text())
    assert about["model"] == "weighted_ensemble" and sum(about["weights"]) == pytest.approx(1)
    assert set(about["members"]) <= set(stack.settings["members"]) and len(stack.settings["members"]) == 6
    members = [scores_of(part_of(out / "runs" / name, "test")) for name in about["members"]]
    own = scores_of(part_of(out / "runs" / stack.run_id, "test"))
    np.testing.assert_allclose(own, np.average(members, axis=0, weights=about["weights"]), atol=1e-5)
    (note,) = [note for note in stack.notes if note.startswith("weights: ")]
    assert all(name in note for name in about["members"])
    for cost in ("trainable_params", "total_params"):
        assert getattr(stack, cost) == sum(getattr(results[name], cost) for name in about["members"])
    assert stack.train_seconds == pytest.approx(
        sum(results[n].train_seconds for n in stack.settings["members"])
    )


def test_its_answers_to_validation_are_those_of_unseen_weights(finished):
    out, results, split = finished
    stack = run_of(results, "stack")
    members = [out / "runs" / name for name in stack.settings["members"]]
    expected = stacked([kept_answers(member, split) for member in members], split)
    own = kept_answers(out / "runs" / stack.run_id, split)
    np.testing.assert_allclose(own.predictions, expected.validation.predictions)
    found = load(out)
    run = next(run for run in found.runs if run.result.strategy == "stack")
    part = run.predictions["val"]
    scores = found.task.target.score(part.truth, part.predictions, None, part.decided)
    assert scores["f1_macro"] == pytest.approx(stack.val["f1_macro"])


def test_it_is_saved_and_loaded_with_its_weights(finished, tmp_path):
    out, results, _ = finished
    predictor = Predictor.load(out / "runs" / run_of(results, "stack").run_id / "model")
    again = Predictor.load(predictor.save(tmp_path / "again"))
    assert isinstance(again.model, WeightedModel) and again.model.weights == predictor.model.weights
    np.testing.assert_allclose(again.predict_proba(ROW), predictor.predict_proba(ROW), atol=1e-7)
    assert again.post == predictor.post and again.post.conformal is not None


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda weights: [one / 2 for one in weights], "their sum is not 1"),
        (lambda weights: [*weights, 0.5], "of . members"),
        (lambda weights: [-1.0, 2.0], "weights.0: should be greater than 0"),
        (lambda weights: None, "no 'weights'"),
    ],
)
def test_weights_that_cannot_be_are_refused(change, says, finished, tmp_path):
    out, results, _ = finished
    made = tmp_path / "model"
    shutil.copytree(out / "runs" / run_of(results, "stack").run_id / "model", made)
    about = json.loads((made / MANIFEST).read_text())
    about["weights"] = change(about["weights"])
    (made / MANIFEST).write_text(json.dumps(sealed(about)))
    with pytest.raises(ArtifactError, match=says):
        Predictor.load(made)


# -- where the answers come from


@pytest.fixture
def members(finished, tmp_path):
    """Copies of the run folders of tfidf and untuned, whose files may be changed."""
    out, results, _ = finished
    for name in ("tfidf", "untuned"):
        run = run_of(results, name).run_id
        shutil.copytree(out / "runs" / run, tmp_path / run)
    return sorted(tmp_path.iterdir())


def rewrite(member, change):
    """Of the columns of predictions.parquet."""
    path = member / "predictions.parquet"
    columns = pq.read_table(path).to_pydict()
    change(columns)
    pq.write_table(pa.table(columns), path)


def test_validation_is_read_from_the_run_folders_and_never_predicted(members, finished, monkeypatch):
    """Whoever is said to have answered all rows rightly gets nearly all of the weight; no model is asked."""
    _, _, split = finished

    def answer(columns, certainty):
        for label in split.task.labels:
            right = [truth == label for truth in columns["truth"]]
            columns[f"score_{label}"] = [certainty if one else 1 - certainty for one in right]

    rewrite(members[0], lambda columns: answer(columns, 0.4))
    rewrite(members[1], lambda columns: answer(columns, 0.99))
    monkeypatch.setattr(WeightedModel, "__call__", None)
    trained = combine(parse_strategy("stack"), members, split, Servers())
    weights = dict(zip(trained.predictor.about["members"], trained.predictor.model.weights, strict=True))
    assert weights[members[1].name] > 0.8
    assert trained.validation_metrics(split)["accuracy"] == 1.0


def test_answers_that_are_not_to_these_rows_are_refused(members, finished):
    _, _, split = finished
    whole = kept_answers(members[0], split)
    rewrite(members[0], lambda columns: [column.reverse() for column in columns.values()])
    np.testing.assert_array_equal(kept_answers(members[0], split).predictions, whole.predictions)

    def other_truth(columns):
        first = columns["part"].index("val")
        columns["truth"][first] = "weather" if columns["truth"][first] == "animal" else "animal"

    rewrite(members[0], other_truth)
    with pytest.raises(ArtifactError, match="truth of its val rows is not that of the split"):
        kept_answers(members[0], split)
    rewrite(members[0], lambda columns: columns.update(id=[f"x{one}" for one in columns["id"]]))
    with pytest.raises(ArtifactError, match="val rows that are not the"):
        kept_answers(members[0], split)
    (members[0] / "predictions.parquet").unlink()
    with pytest.raises(ArtifactError, match="predictions.parquet: not there"):
        kept_answers(members[0], split)

"""Every kind of task, from a file to a leaderboard and back from a model folder."""

import json
import random

import numpy as np
import pandas as pd
import pytest

from stratune.comparison.comparison import run_comparison
from stratune.config import parse_config
from stratune.data.load import load_split
from stratune.engine.inline import InlineEngine
from stratune.errors import ArtifactError, ConfigError, DataError
from stratune.model.postprocess import Postprocess
from stratune.predictor.predictor import Predictor
from stratune.report.comparison import load
from stratune.task import Bins, Task
from stratune.testing.toy import FAMILIES, FILLERS
from tests.helpers import trained
from tests.scores import score, truth_of

ROWS = 120
SHORT = {"name": "short", "row": "{text}", "answer": "= {label}", "chat": False}


def rows_of(kind, rows=ROWS, seed=0):
    """Texts that hold 0 to 3 words of animals; of a multilabel task, words of several families."""
    draw = random.Random(seed)
    found = []
    for _ in range(rows):
        count = draw.randrange(4)
        words = draw.sample(FILLERS, 5) + draw.choices(FAMILIES["animal"], k=count)
        others = [name for name in ("weather", "music") if draw.random() < 0.4]
        if kind == "multilabel":
            words += [draw.choice(FAMILIES[name]) for name in others]
        draw.shuffle(words)
        label = {"regression": 10.0 + 5 * count, "ordinal": str(count)}.get(kind)
        if kind == "multilabel":
            label = [*(["animal"] if count else []), *others]
        found.append({"text": " ".join(words), "label": label})
    return found


def split_of(kind, **fields):
    return load_split(rows_of(kind), Task(kind=kind, **fields), seed=0)


# -- reading


def test_values_are_split_by_tenths_and_have_no_labels():
    split = split_of("regression")
    assert split.task.labels == () and split.task.columns == ("value",) and split.task.metric == "rmse"
    means = [np.mean([float(value) for value in table["label"]]) for table in split.parts.values()]
    assert max(means) - min(means) < 1.5  # of 10 to 25
    assert split.balance() == {"train": {}, "val": {}, "test": {}}


def test_labels_of_a_row_come_from_lists_or_from_commas():
    listed = split_of("multilabel")
    joined = [{**row, "label": ", ".join(row["label"])} for row in rows_of("multilabel")]
    split = load_split(joined, Task(kind="multilabel"), seed=0)
    assert split.task.labels == ("animal", "music", "weather")
    assert split.fingerprint == listed.fingerprint
    assert "" in split.train["label"]  # a row without any label is a row
    for part, counts in split.balance().items():
        assert counts["music"] == sum("music" in cell for cell in split.parts[part]["label"])


def test_levels_are_numbers_or_somebody_says_their_order():
    assert split_of("ordinal").task.labels == ("0", "1", "2", "3")
    rows = [{"text": f"text {i}", "label": ("good", "bad", "fair")[i % 3]} for i in range(60)]
    with pytest.raises(
        ConfigError, match="task.labels: give the levels in their order; found bad, fair, good"
    ):
        load_split(rows, Task(kind="ordinal"), seed=0)
    task = Task(kind="ordinal", labels=("bad", "fair", "good"))
    assert load_split(rows, task, seed=0).task.labels == ("bad", "fair", "good")


@pytest.mark.parametrize(
    ("kind", "label", "message"),
    [
        ("regression", "high", ":2: column 'label': 'high' is not a number"),
        ("regression", "inf", ":2: column 'label': 'inf' is not a number"),
        ("regression", None, ":2: column 'label': this row has no label"),
        ("multilabel", ["a,b"], ":2: column 'label': label 'a,b' holds ',', which stands between labels"),
    ],
)
def test_a_label_that_cannot_be_is_named_with_its_row(kind, label, message):
    good = ["a"] if kind == "multilabel" else "1.5"
    with pytest.raises(DataError) as caught:
        load_split([{"text": "a", "label": good}, {"text": "b", "label": label}], Task(kind=kind), seed=0)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"kind": "regression", "labels": ("a", "b")}, "task.labels: a regression has no labels"),
        ({"kind": "multilabel", "labels": ("a,b", "c")}, "task.labels: 'a,b' holds ','"),
        (
            {"kind": "regression", "bins": Bins(quantiles=3)},
            "task.bins: bins are levels or classes, not a regression",
        ),
    ],
)
def test_a_task_that_makes_no_sense_is_refused(fields, message):
    with pytest.raises(ConfigError, match=message):
        Task(**fields)


# -- bins


def test_bins_lie_between_quantiles_of_the_training_rows_and_keep_the_split():
    rows = [
        {"text": f"text {i}", "label": float(value)}
        for i, value in enumerate(random.Random(0).sample(range(1000), 200))
    ]
    scores = load_split(rows, Task(kind="regression"), seed=3)
    levels = load_split(rows, Task(kind="ordinal", bins=Bins(quantiles=3)), seed=3)
    assert levels.task.labels == ("low", "medium", "high")
    for part in ("train", "val", "test"):
        assert levels.parts[part]["id"] == scores.parts[part]["id"]
    low, high = levels.task.bins.edges
    values = np.array([float(value) for value in scores.train["label"]])
    np.testing.assert_allclose([low, high], np.quantile(values, [1 / 3, 2 / 3]))
    for value, level in zip(values, levels.train["label"], strict=True):
        assert level == ("low" if value < low else "medium" if value < high else "high")
    assert Task.from_dict(json.loads(json.dumps(levels.task.to_dict()))) == levels.task


def test_edges_and_names_may_be_given():
    rows = [{"text": f"text {i}", "label": float(i % 5 + 1)} for i in range(60)]
    task = Task(kind="ordinal", bins=Bins(edges=(3.0, 4.5), names=("bad", "fair", "good")))
    split = load_split(rows, task, seed=0)
    assert set(split.train["label"]) == {"bad", "fair", "good"}
    by_score = dict(zip(split.train["score"], split.train["label"], strict=True))
    assert by_score == {1.0: "bad", 2.0: "bad", 3.0: "fair", 4.0: "fair", 5.0: "good"}


@pytest.mark.parametrize(
    ("bins", "message"),
    [
        (Bins(edges=(3.0, 2.0)), "task.bins.edges: edges rise, each above the one before"),
        (Bins(edges=(2.0,), names=("a", "b", "c")), "task.bins.names: 3 names for 2 bins"),
        (Bins(), "task.bins: give edges, a number of quantiles, or names"),
        (Bins(edges=(2.0, 100.0)), "no training row falls into the bin 'high'"),
    ],
)
def test_bins_that_make_no_sense_are_refused(bins, message):
    rows = [{"text": f"text {i}", "label": float(i % 5 + 1)} for i in range(60)]
    with pytest.raises((ConfigError, DataError), match=message):
        load_split(rows, Task(kind="ordinal", bins=bins), seed=0)


# -- learning


@pytest.mark.parametrize(
    ("kind", "loss"),
    [
        ("regression", "mse"),
        ("regression", "mae"),
        ("regression", "huber"),
        ("ordinal", "corn"),
        ("ordinal", "cumulative"),
        ("ordinal", "cross_entropy"),
        ("ordinal", "mse"),
        ("multilabel", "binary"),
    ],
)
def test_every_loss_learns_and_comes_back_from_its_folder(kind, loss, tiny, tmp_path):
    split = split_of(kind)
    spec = {"preset": "full", "learning_rate": 3e-3, "readout": {"loss": loss}, "batch_size": 8}
    floor = trained("mean" if kind == "regression" else "majority", None, split=split)
    done = trained(spec, tiny("bert"), split=split, epochs=16)
    metric = {"regression": "mae", "ordinal": "mae_levels", "multilabel": "hamming"}[kind]

    def value(predictor):
        said = predictor.predict_proba(split.test)
        return score(truth_of(split.test, split.task), said, split.task.labels, kind=kind)[metric]

    assert value(done.predictor) < 0.8 * value(floor.predictor)
    loaded = Predictor.load(done.predictor.save(tmp_path / "model"))
    np.testing.assert_allclose(
        loaded.predict_proba(split.test), done.predictor.predict_proba(split.test), atol=1e-5
    )
    assert loaded.predict(split.test)[0].label == done.predictor.predict(split.test)[0].label


@pytest.mark.parametrize(
    ("kind", "lost", "what"),
    [
        ("regression", "stratune.objective.base.Objective.restored", "interprets its outputs"),
        ("multilabel", "stratune.predictor.model_folder.postprocess_of", "decides"),
    ],
)
def test_a_folder_that_reads_its_outputs_another_way_is_not_saved(
    kind, lost, what, tiny, tmp_path, monkeypatch
):
    """The logits are the same: only the unit, or the thresholds, are lost."""
    done = trained("probe", tiny("bert"), split=split_of(kind), epochs=1)
    kept = (lambda self, state: self) if kind == "regression" else (lambda manifest: Postprocess())
    monkeypatch.setattr(lost, kept)
    with pytest.raises(ArtifactError, match=f"reloaded, {what} in another way"):
        done.predictor.save(tmp_path / "model")
    assert not (tmp_path / "model").exists()


@pytest.mark.parametrize("kind", ["regression", "multilabel", "ordinal"])
def test_a_comparison_of_every_kind(kind, tiny, tmp_path):
    pd.DataFrame(rows_of(kind)).to_parquet(tmp_path / "rows.parquet")
    floor = "mean" if kind == "regression" else "majority"
    config = parse_config(
        {
            "data": {"source": str(tmp_path / "rows.parquet")},
            "task": {"kind": kind},
            "strategies": [floor, "tfidf", "probe", {"preset": "zero_shot", "readout": {"template": SHORT}}],
            "backbones": [str(tiny("llama"))],
            "budget": {"epochs": 1},
        }
    )
    results = list(run_comparison(config, tmp_path / "out", engine=InlineEngine()))
    errors = {result.strategy: result.error for result in results if result.error}
    if kind == "ordinal":
        assert not errors
    else:
        assert list(errors) == ["zero_shot"] and f"a task of kind {kind}" in errors["zero_shot"]
    found = load(tmp_path / "out")
    assert {run.result.strategy for run in found.runs if run.predictions} >= {floor, "tfidf", "probe"}
    board = json.loads((tmp_path / "out" / "leaderboard.json").read_text())
    by_name = {row["strategy"]: row for row in board["rows"]}
    metric = board["metric"]
    tfidf, first = (by_name[name]["test"][metric]["value"] for name in ("tfidf", floor))
    assert tfidf < first if kind == "regression" else tfidf > first
    table = pd.read_parquet(next((tmp_path / "out" / "runs").glob("tfidf*")) / "predictions.parquet")
    wanted = {"regression": float, "multilabel": str, "ordinal": str}[kind]
    assert all(isinstance(value, wanted) for value in table["prediction"])


@pytest.mark.parametrize(("floor", "kind"), [("majority", "regression"), ("mean", "ordinal")])
def test_a_floor_says_what_it_cannot_do(floor, kind, tmp_path):
    from stratune.errors import UnsupportedError

    with pytest.raises(UnsupportedError, match="use `mean`" if floor == "majority" else "use `majority`"):
        trained(floor, None, split=split_of(kind))


def test_a_regression_without_strategies_has_its_own_floor():
    assert "mean" in parse_config({"data": {"source": "a.csv"}, "task": {"kind": "regression"}}).strategies
    assert "majority" in parse_config({"data": {"source": "a.csv"}}).strategies


def test_classes_alone_have_weights(tiny):
    with pytest.raises(ConfigError, match="train.class_weights: a task of kind regression has no classes"):
        trained("probe", tiny("bert"), split=split_of("regression"), class_weights="balanced")

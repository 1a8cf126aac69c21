"""Rows made of finished runs: ensemble and soup."""

import json
from dataclasses import replace

import numpy as np
import pyarrow.parquet as pq
import pytest
from safetensors.numpy import load_file

from stratune.comparison.comparison import run_comparison
from stratune.comparison.plan import Planned, members_of, plan
from stratune.config import parse_config
from stratune.engine.inline import InlineEngine
from stratune.errors import ConfigError, UnsupportedError
from stratune.export import export_hf
from stratune.fitting.fit import fit
from stratune.model.ensemble import EnsembleModel
from stratune.predictor.predictor import Predictor
from stratune.result import RunResult
from stratune.strategy import parse_strategy
from stratune.testing import toy_split
from tests.cli.comparison import write_rows

LEARNERS = ["tfidf", "untuned", "lora", {"preset": "houlsby", "reduction": 4}]
ROW = ["the cat saw rain", "we heard the choir", "snow"]


def config_of(source, backbone, strategies, seeds=2):
    return parse_config(
        {
            "data": {"source": str(source)},
            "task": {"text": "review", "label": "mood"},
            "strategies": strategies,
            "backbones": [str(backbone)],
            "seeds": seeds,
            "budget": {"epochs": 1},
        }
    )


@pytest.fixture(scope="module")
def finished(tmp_path_factory, tiny):
    """A comparison whose last rows are an ensemble of the best two, one of two named, and a soup."""
    folder = tmp_path_factory.mktemp("combined")
    named = {"preset": "ensemble", "name": "adapters", "of": ["lora", "houlsby"], "best": 4}
    strategies = [*LEARNERS, {"preset": "ensemble", "best": 2}, named, {"preset": "soup", "of": ["lora"]}]
    config = config_of(write_rows(folder / "rows.csv"), tiny("bert"), strategies)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STRATUNE_CACHE", str(tmp_path_factory.mktemp("cache")))
        results = list(run_comparison(config, folder / "out", engine=InlineEngine()))
        again = list(run_comparison(config, folder / "out", engine=InlineEngine()))
    assert [r.error for r in results if r.error] == []
    return folder / "out", {r.run_id: r for r in results}, {r.run_id: r for r in again}


def run_of(results, name):
    return next(result for result in results.values() if result.strategy == name)


def test_they_come_last_and_once(finished):
    _, results, again = finished
    assert [result.strategy for result in results.values()][-3:] == ["ensemble", "adapters", "soup"]
    assert results == again


def test_an_ensemble_takes_the_best_by_validation(finished):
    _, results, _ = finished
    single = [r for r in results.values() if r.strategy in ("tfidf", "untuned", "lora", "houlsby")]
    best = sorted(single, key=lambda r: -r.val["f1_macro"])[:2]
    assert set(run_of(results, "ensemble").settings["members"]) == {r.run_id for r in best}
    members = set(run_of(results, "adapters").settings["members"])
    assert members == {r.run_id for r in single if r.strategy in ("lora", "houlsby")} and len(members) == 4


def test_its_answers_are_the_mean_of_its_members(finished):
    out, results, _ = finished
    table = pq.read_table(out / "runs" / run_of(results, "adapters").run_id / "predictions.parquet")
    scores = [name for name in table.column_names if name.startswith("score_")]

    def read(run):
        frame = pq.read_table(out / "runs" / run / "predictions.parquet").to_pandas()
        return frame.sort_values(["part", "id"])[scores].to_numpy()

    mean = np.mean([read(m) for m in run_of(results, "adapters").settings["members"]], axis=0)
    np.testing.assert_allclose(read(run_of(results, "adapters").run_id), mean, atol=1e-6)


def test_what_they_cost_is_what_their_members_cost(finished):
    _, results, _ = finished
    lora = [r for r in results.values() if r.strategy == "lora"]
    soup, adapters = run_of(results, "soup"), run_of(results, "adapters")
    assert soup.train_seconds == pytest.approx(sum(r.train_seconds for r in lora))
    assert soup.trainable_params == lora[0].trainable_params and soup.total_params == lora[0].total_params
    members = [results[m] for m in adapters.settings["members"]]
    for cost in ("train_seconds", "trainable_params", "total_params"):
        assert getattr(adapters, cost) == pytest.approx(sum(getattr(m, cost) for m in members))
    assert soup.predict_rows_per_second > 0 and adapters.artifact_bytes > soup.artifact_bytes


def test_a_soup_is_the_mean_of_the_trained_tensors(finished):
    out, results, _ = finished
    folders = [out / "runs" / r.run_id / "model" for r in results.values() if r.strategy == "lora"]
    soup = out / "runs" / run_of(results, "soup").run_id / "model"
    for file in ("head.safetensors", "adapter_model.safetensors"):
        tensors = [load_file(folder / file) for folder in folders]
        for name, mixed in load_file(soup / file).items():
            np.testing.assert_allclose(mixed, np.mean([t[name] for t in tensors], axis=0), atol=1e-7)
    about = json.loads((soup / "stratune.json").read_text())
    assert about["strategy"]["tune"] == "lora" and about["strategy"]["name"] == "soup"
    assert about["members"] == [folder.parent.name for folder in folders]


@pytest.mark.parametrize("name", ["ensemble", "soup"])
def test_the_folder_predicts_and_can_be_saved_again(name, finished, tmp_path):
    out, results, _ = finished
    predictor = Predictor.load(out / "runs" / run_of(results, name).run_id / "model")
    again = Predictor.load(predictor.save(tmp_path / "again"))
    assert isinstance(predictor.model, EnsembleModel) is (name == "ensemble")
    np.testing.assert_allclose(again.predict_proba(ROW), predictor.predict_proba(ROW), atol=1e-7)


def test_a_member_made_otherwise_makes_it_anew(finished):
    out, results, _ = finished
    task = Predictor.load(out / "runs" / "tfidf@none#0" / "model").task
    soup = run_of(results, "soup")
    runs = {name: r for name, r in results.items() if r.strategy == "lora"}
    planned = Planned(parse_strategy("soup"), soup.backbone, 0, needs=tuple(runs))
    assert members_of(planned, runs, task) == soup.settings["members"]
    name, first = next(iter(runs.items()))
    other = replace(first, settings={**first.settings, "budget": {"epochs": 2.0}})
    changed = members_of(planned, {**runs, name: other}, task)
    assert changed.keys() == soup.settings["members"].keys() and changed != soup.settings["members"]


def test_a_soup_is_exported_like_any_model_and_an_ensemble_is_refused(finished, tmp_path):
    out, results, _ = finished
    soup, ensemble = (
        Predictor.load(out / "runs" / run_of(results, n).run_id / "model") for n in ("soup", "ensemble")
    )
    assert (export_hf(soup, tmp_path / "hf") / "config.json").is_file()
    with pytest.raises(UnsupportedError, match="ensemble.*several models.*members/0"):
        export_hf(ensemble, tmp_path / "no")


def test_too_few_runs_make_a_failed_row_and_the_rest_goes_on(tmp_path, tiny, monkeypatch):
    monkeypatch.setenv("STRATUNE_CACHE", str(tmp_path / "cache"))
    config = config_of(write_rows(tmp_path / "rows.csv"), tiny("bert"), ["majority", "ensemble"], seeds=1)
    majority, ensemble = run_comparison(config, tmp_path / "out", engine=InlineEngine())
    assert (majority.status, ensemble.status) == ("ok", "failed")
    assert ensemble.error == "ensemble needs two finished runs at least; found majority@none#0"


@pytest.mark.parametrize(
    ("strategies", "seeds", "says"),
    [
        (["lora", "soup"], 1, "strategies.soup: it averages over seeds, and `seeds` is 1"),
        (["lora", {"preset": "ensemble", "of": ["lura"]}], 1, "ensemble.of: 'lura' is not one of lora"),
        (["lora", {"preset": "ensemble", "best": 1}], 1, "ensemble.best: 1 is below 2"),
    ],
)
def test_what_cannot_be_combined_is_said_at_once(strategies, seeds, says):
    with pytest.raises(ConfigError, match=says):
        plan(config_of("demo:reviews", "minilm", strategies, seeds))


def test_a_soup_is_of_the_strategy_that_is_best_over_its_seeds():
    def run(strategy, seed, value, trains=5):
        return RunResult(strategy, "m", seed, val={"f1": value}, trainable_params=trains)

    runs = [run("a", 0, 0.9), run("b", 0, 0.8), run("b", 1, 0.8), run("c", 0, 0.2), run("c", 1, 0.9)]
    runs += [run("untuned", 0, 0.99, 0), run("untuned", 1, 0.99, 0)]
    chosen = parse_strategy("soup").choose(runs, lambda r: r.val["f1"])
    assert [r.run_id for r in chosen] == ["b@m#0", "b@m#1"]


def test_alone_it_cannot_be_fitted():
    split = toy_split()
    with pytest.raises(ConfigError, match="made of finished runs"):
        fit("ensemble", None, split.task, split)

"""Trackers: each library for real, in a folder, and a comparison in them as a user finds it there."""

import json
import sqlite3
import sys
from pathlib import Path

import pytest

import stratune as st
from stratune.comparison.tracked import FILE
from stratune.engine.inline import InlineEngine
from stratune.errors import ArtifactError, ConfigError
from stratune.testing import save_tiny, toy_split
from stratune.tracking import trackers

# Of the trackers' own libraries: mlflow uses what sqlalchemy will drop, others likewise.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::PendingDeprecationWarning")

STRATEGIES = ["majority", "tfidf", "partial"]
METRIC = "f1_macro"


@pytest.fixture(scope="module")
def backbone(tmp_path_factory):
    return str(save_tiny("bert", tmp_path_factory.mktemp("backbone") / "bert"))


@pytest.fixture
def compare(backbone, tmp_path, monkeypatch):
    """In a folder of its own, from where mlflow and W&B write; runs in this process, which is faster."""
    for name in ("MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_NAME", "WANDB_API_KEY", "WANDB_PROJECT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TRACKIO_DIR", str(tmp_path / "trackio"))
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_DIR", str(tmp_path))
    split = toy_split()
    rows = {
        name: [{"text": r["text"], "label": r["label"]} for r in part] for name, part in split.parts.items()
    }

    def run(track, strategies=STRATEGIES, **more):
        return st.compare(
            rows["train"], val=rows["val"], test=rows["test"], text="text", label="label", backbone=backbone,
            strategies=strategies, out=tmp_path / "mine", track=track, progress=False, anyway=True, epochs=2, engine=InlineEngine(), **more,
        )  # fmt: skip

    return run


def known_to(tracker, folder):
    return json.loads((folder / "mine" / FILE).read_text())["runs"][tracker]


def best_of(board, strategy):
    return next(row for row in board.leaderboard["rows"] if row["strategy"] == strategy)


def test_mlflow_has_the_comparison_and_below_it_its_runs(compare, tmp_path):
    from mlflow.tracking import MlflowClient

    board = compare("mlflow")
    client = MlflowClient(f"sqlite:///{tmp_path / 'mlflow.db'}")
    runs = client.search_runs([client.get_experiment_by_name("stratune").experiment_id])
    by_name = {run.info.run_name: run for run in runs}
    known = known_to("mlflow", tmp_path)
    names = {"mine", "majority@none#0", "tfidf@none#0", next(n for n in known if n.startswith("partial"))}
    assert set(by_name) == names and all(run.info.status == "FINISHED" for run in runs)
    parent = by_name["mine"]
    for name, run in by_name.items():
        assert known["" if name == "mine" else name] == run.info.run_id
        assert run.data.tags["fingerprint"] == board.leaderboard["split"]["fingerprint"]
        assert run is parent or run.data.tags["mlflow.parentRunId"] == parent.info.run_id
    for strategy in STRATEGIES:
        row = best_of(board, strategy)["test"][METRIC]
        run = next(one for name, one in by_name.items() if name.startswith(f"{strategy}@"))
        found = run.data.metrics
        assert found[f"test/{METRIC}"] == pytest.approx(row["value"])
        assert found[f"test/{METRIC}/low"] == pytest.approx(row["low"])
        assert found[f"test/{METRIC}/high"] == pytest.approx(row["high"])
        assert found["cost/train_seconds"] > 0 and not any("[" in key for key in found)
        assert run.data.params["strategy.name"] == strategy
    partial = next(one for name, one in by_name.items() if name.startswith("partial@"))
    curve = client.get_metric_history(partial.info.run_id, f"val/{METRIC}")
    history = (tmp_path / "mine" / "runs" / partial.info.run_name / "history.jsonl").read_text().splitlines()
    lines = list(map(json.loads, history))
    assert len(lines) >= 2
    assert [(one.step, one.value) for one in curve[: len(lines)]] == [
        (line["step"], line["val"]) for line in lines
    ]
    assert parent.data.tags["mlflow.note.content"] == str(board.verdict)
    files = {one.path for one in client.list_artifacts(parent.info.run_id)}
    assert {"report.html", "leaderboard.json", "plots", "config.yaml"} <= files
    assert {one.path for one in client.list_artifacts(partial.info.run_id)} == {"result.json"}


def test_a_comparison_that_goes_on_goes_on_in_the_same_runs(compare, tmp_path, capfd):
    from mlflow.tracking import MlflowClient

    first = compare("mlflow", ["majority", "tfidf"])
    before = known_to("mlflow", tmp_path)
    board = compare("mlflow")
    after = known_to("mlflow", tmp_path)
    assert "nothing more is written" not in capfd.readouterr().err
    assert before.items() < after.items() and len(after) == 4
    client = MlflowClient(f"sqlite:///{tmp_path / 'mlflow.db'}")
    runs = client.search_runs([client.get_experiment_by_name("stratune").experiment_id])
    assert sorted(after.values()) == sorted(run.info.run_id for run in runs)
    said = client.get_run(after[""]).data.tags["mlflow.note.content"]
    assert str(board.verdict) == said != str(first.verdict)


def test_a_run_that_is_done_again_is_another_run_there(compare, tmp_path, capfd):
    """Settings of a run stay what they were in MLflow, which refuses others."""
    from mlflow.tracking import MlflowClient

    compare("mlflow", ["majority", "partial"])
    before = known_to("mlflow", tmp_path)
    compare("mlflow", ["majority", {"preset": "partial", "learning_rate": 1e-3}])
    after = known_to("mlflow", tmp_path)
    assert "nothing more is written" not in capfd.readouterr().err
    (name,) = (one for one in before if one.startswith("partial@"))
    assert {one for one in before if before[one] != after[one]} == {name}
    client = MlflowClient(f"sqlite:///{tmp_path / 'mlflow.db'}")
    rates = [client.get_run(ids[name]).data.params["strategy.learning_rate"] for ids in (before, after)]
    assert rates[1] == "0.001" != rates[0]


def test_a_damaged_file_of_ids_is_named(compare, tmp_path):
    compare(None, ["majority"])
    compare("tensorboard", ["majority"])
    (tmp_path / "mine" / FILE).write_text("{}")
    with pytest.raises(ArtifactError, match=r"trackers.json: damaged; remove it, and trackers get new runs"):
        compare("tensorboard", ["majority"])


def test_runs_that_had_ended_before_anybody_tracked_are_there_with_their_curves(compare, tmp_path):
    from mlflow.tracking import MlflowClient

    compare(None)
    assert not (tmp_path / "mine" / FILE).exists()
    compare("mlflow")
    known = known_to("mlflow", tmp_path)
    client = MlflowClient(f"sqlite:///{tmp_path / 'mlflow.db'}")
    (partial,) = (one for name, one in known.items() if name.startswith("partial@"))
    assert len(known) == 4 and len(client.get_metric_history(partial, "loss")) >= 2


def test_tensorboard_has_a_folder_for_each_run_that_is_ours(compare, tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    board = compare("tensorboard")
    folder = tmp_path / "mine" / "tensorboard"
    found = {one.name.partition("@")[0]: EventAccumulator(str(one)).Reload() for one in folder.iterdir()}
    assert set(found) == {"comparison", *STRATEGIES}
    test = best_of(board, "partial")["test"][METRIC]["value"]
    assert found["partial"].Scalars(f"test/{METRIC}")[-1].value == pytest.approx(test)
    assert len(found["partial"].Scalars("loss")) >= 2
    assert "leaderboard/text_summary" in found["comparison"].Tags()["tensors"]
    compare(None, fresh=True)
    assert not folder.exists()


def test_wandb_has_a_group_of_runs(compare, tmp_path, capfd):
    board = compare("wandb")
    known = known_to("wandb", tmp_path)
    folders = list((tmp_path / "wandb").glob("offline-run-*"))
    assert len(known) == 4 and {one.name.rpartition("-")[2] for one in folders} == set(known.values())
    assert capfd.readouterr().out == "" and board.verdict


def test_trackio_has_them_in_its_store(compare, tmp_path, capfd):
    board = compare("trackio")
    assert capfd.readouterr().out == ""
    (store,) = (tmp_path / "trackio").glob("*.db")
    with sqlite3.connect(store) as connection:
        lines = connection.execute("select run_name, metrics from metrics").fetchall()
    found = {}
    for name, values in lines:
        found.setdefault(name, {}).update(json.loads(values))
    assert {name.partition("@")[0] for name in found} == {"mine", *(f"mine/{one}" for one in STRATEGIES)}
    value = best_of(board, "tfidf")["test"][METRIC]["value"]
    assert found["mine/tfidf@none#0"][f"test/{METRIC}"] == pytest.approx(value)


def test_a_library_that_is_missing_ends_it_before_anything_is_written(compare, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "wandb", None)
    monkeypatch.setattr(trackers.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(
        ConfigError, match=r"train.track: wandb is not installed: pip install 'stratune\[track\]'"
    ):
        compare("wandb")
    assert not (tmp_path / "mine").exists()


def test_wandb_without_a_key_does_not_ask_for_one(compare, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("WANDB_MODE")
    with pytest.raises(ConfigError, match=r"train.track: wandb has no key"):
        compare("wandb")
    assert not (tmp_path / "mine").exists()
    (tmp_path / ".netrc").write_text("machine api.wandb.ai login user password " + 40 * "0")
    (tmp_path / ".netrc").chmod(0o600)
    trackers.check_ready(["wandb"])


def test_a_tracker_that_fails_half_way_costs_no_result(compare, tmp_path, monkeypatch, capfd):
    from stratune.tracking.mlflow import _Run

    def broken(self, values, step=None):
        raise ConnectionError("the server is away")

    monkeypatch.setattr(_Run, "numbers", broken)
    board = compare("mlflow")
    assert [row["status"] for row in board.leaderboard["rows"]] == ["ok"] * 3
    told = " ".join(capfd.readouterr().err.split())
    assert (
        f"mlflow: the server is away; nothing more is written to it, the results are in {tmp_path / 'mine'}"
        in told
    )
    assert told.count("the server is away") == 1


def test_no_telemetry_is_switched_on_by_us():
    source = Path(trackers.__file__).parent
    assert "MLFLOW_DISABLE_TELEMETRY" in (source / "mlflow.py").read_text()
    assert "WANDB_ERROR_REPORTING" in (source / "wandb.py").read_text()
    assert "GRADIO_ANALYTICS_ENABLED" in (source / "trackio.py").read_text()

"""stratune compare, through the real entry point."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest
import yaml

from stratune.ownership import LOCK
from tests import warm
from tests.cli.comparison import STANDING, STRATEGIES, stratune, without, without_costs, write_rows

RUN_FILES = {"result.json", "history.jsonl", "predictions.parquet", "model"}


def test_it_leaves_exactly_the_files_of_the_contract(finished):
    names = {path.name for path in finished.out.iterdir()}
    assert names == {
        "stratune-comparison.json", "config.yaml", "split.json", "data.json", "runs", "plots", "report.html",
        "leaderboard.json", "leaderboard.csv", "leaderboard.md", "texts.parquet", "slices.json",
    }  # fmt: skip
    runs = {path.name: {file.name for file in path.iterdir()} for path in (finished.out / "runs").iterdir()}
    assert len(runs) == 2 + 1 + 2 * 3  # floors and what is solved once, three strategies with two seeds
    assert all(files == RUN_FILES for files in runs.values())
    assert {path.suffix for path in (finished.out / "plots").iterdir()} == {".svg"}


def test_every_strategy_is_a_row_and_ranks_follow_validation(finished):
    rows = finished.board["rows"]
    assert {row["strategy"] for row in rows} == set(STRATEGIES.split(","))
    assert [row["status"] for row in rows] == ["ok"] * 6
    validation = [row["val"]["f1_macro"] for row in rows]
    assert validation == sorted(validation, reverse=True)
    assert [row["rank"] for row in rows] == [1, 2, 3, 4, 5, 6]


def test_costs_are_measured(finished):
    rows = {row["strategy"]: row for row in finished.board["rows"]}
    split = finished.board["split"]
    # Three epochs of all rows, and of four fifths of them in each of five folds.
    assert rows["partial"]["examples_seen"] == 3 * 5 * split["train"]
    assert (
        0
        < rows["probe"]["trainable_params"]
        < rows["lora"]["trainable_params"]
        < rows["partial"]["total_params"]
    )
    assert all(row["peak_bytes"] > 50e6 and row["artifact_bytes"] > 0 for row in rows.values())
    assert rows["untuned"]["trainable_params"] == 0


def test_the_written_configuration_gives_the_same_leaderboard(finished, tmp_path):
    config = yaml.safe_load((finished.out / "config.yaml").read_text())
    assert (
        config["budget"] == {"epochs": 3.0, "trials": 1, "search": "random", "minutes": None}
        and config["train"]["patience"] == 3
    )
    ran = stratune(
        "compare", finished.out / "config.yaml", "strategies=[majority, probe]", "seeds=2", "--out", tmp_path / "again", "--json",
        cwd=finished.folder, cache=tmp_path / "cache", python=sys.executable,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    known = {row["strategy"]: row for row in without_costs(finished.board)["rows"]}
    for row in without_costs(json.loads(ran.stdout))["rows"]:
        assert without(row, STANDING) == without(known[row["strategy"]], STANDING)


def test_done_work_is_not_done_again(finished):
    before = {path: path.stat().st_mtime_ns for path in finished.out.glob("runs/*/result.json")}
    ran = stratune("compare", *finished.options, cwd=finished.folder, cache=finished.cache)
    assert ran.returncode == 0
    assert {path: path.stat().st_mtime_ns for path in finished.out.glob("runs/*/result.json")} == before
    assert "lora" in ran.stdout and "ranked by validation f1_macro" in ran.stdout


def test_another_split_in_the_same_folder_is_refused(finished):
    ran = stratune("compare", *finished.options, "data.seed=7", cwd=finished.folder, cache=finished.cache)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr == (
        "stratune: out: holds another comparison (it was made on another split); "
        "choose another --out, or start over with --fresh\n"
    )


def test_a_strategy_that_cannot_run_is_a_failed_row(tmp_path, tiny):
    write_rows(tmp_path / "reviews.csv")
    ran = stratune(
        "compare", "--data", "reviews.csv", "--text", "review", "--label", "mood", "--backbone", tiny("albert"),
        "--strategies", "majority,partial,probe", "--epochs", "1", "--out", "out", "--json",
        cwd=tmp_path, cache=tmp_path / "cache",
    )  # fmt: skip
    assert ran.returncode == 1
    rows = {row["strategy"]: row for row in json.loads(ran.stdout)["rows"]}
    assert rows["majority"]["status"] == rows["probe"]["status"] == "ok"
    assert (rows["partial"]["status"], rows["partial"]["rank"]) == ("failed", None)
    assert "albert runs one set of weights as every block" in rows["partial"]["error"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--data", "none.csv"], "none.csv: no such file"),
        (
            ["--data", "reviews.csv", "--text", "reviw"],
            "no such column: 'reviw' is not one of review, mood (did you mean 'review'?)",
        ),
        (["--data", "reviews.csv", "--label", "moods"], "did you mean 'mood'?"),
        (["--data", "reviews.csv", "--strategies", "lorra"], "did you mean 'lora'?"),
        (["--data", "reviews.csv", "--metric", "f1_makro"], "did you mean 'f1_macro'?"),
        (
            ["--data", "reviews.csv", "--train-rows", "many"],
            "'many' is neither a count (600) nor a share (0.5)",
        ),
        (
            ["--data", "reviews.csv", "budget.epoch=3"],
            "budget.epoch: 'epoch' is not one of epochs, minutes, search, trials (did you mean 'epochs'?)",
        ),
        (["--data", "reviews.csv", "train.precision=half"], "train.precision: 'half' is not one of auto"),
        (["none.yaml"], "none.yaml: no such file"),
        ([], "name a CONFIG.yaml, or the data with --data"),
    ],
)
def test_wrong_input_is_one_line_and_leaves_nothing(tmp_path, options, message):
    write_rows(tmp_path / "reviews.csv", rows=1)
    defaults = ["--text", "review", "--label", "mood"] if options and options[0] == "--data" else []
    ran = stratune("compare", *defaults, *options, "--out", "out", cwd=tmp_path, cache=tmp_path / "cache")
    assert (ran.returncode, ran.stdout) == (2, "")
    assert message in ran.stderr and ran.stderr.startswith("stratune: ") and ran.stderr.count("\n") == 1
    assert {path.name for path in tmp_path.iterdir()} - {"cache"} == {"reviews.csv"}


def test_killed_and_started_again_it_ends_in_the_same_leaderboard(finished, tmp_path):
    write_rows(tmp_path / "reviews.csv")
    command = [warm.python(), "-m", "stratune", "compare", *map(str, finished.options), "--quiet"]
    environment = {**os.environ, "STRATUNE_CACHE": str(tmp_path / "cache"), "OMP_NUM_THREADS": "1"}
    for runs, jobs in ((1, 1), (4, 2), (8, 2)):  # in the floors, in the first seed, in the second
        process = subprocess.Popen(
            [*command, "--jobs", str(jobs)], cwd=tmp_path, env=environment, stderr=subprocess.DEVNULL
        )
        _wait_for_results(tmp_path / "out", runs, process)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    ended = stratune("compare", *finished.options, "--json", cwd=tmp_path, cache=tmp_path / "cache")
    assert ended.returncode == 0, ended.stderr
    assert without_costs(json.loads(ended.stdout)) == without_costs(finished.board)
    assert not list((tmp_path / "out").rglob(".*"))


def _wait_for_results(out, count, process):
    until = time.monotonic() + 120
    while len(list(out.glob("runs/*/result.json"))) < count:
        assert process.poll() is None and time.monotonic() < until
        time.sleep(0.02)


def test_a_second_comparison_in_the_same_folder_waits_for_no_one(finished, tmp_path):
    from filelock import FileLock

    place = tmp_path / "out"
    place.mkdir()
    with FileLock(place / LOCK):
        options = [*finished.options[:-1], place]
        ran = stratune("compare", *options, cwd=finished.folder, cache=finished.cache)
    assert ran.returncode == 2 and "another stratune is working in it" in ran.stderr


def test_a_folder_with_other_things_is_not_touched(finished, tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    ran = stratune(
        "compare", *finished.options[:-1], tmp_path, "--fresh", cwd=finished.folder, cache=finished.cache
    )
    assert ran.returncode == 2 and "is not empty and holds no comparison" in ran.stderr
    assert [path.name for path in tmp_path.iterdir() if path.name != "cache"] == ["thesis.txt"]


def test_two_processes_of_accelerate_launch_make_one_comparison(finished, tmp_path):
    command = [sys.executable, "-m", "accelerate.commands.launch", "--multi_gpu", "--num_processes", "2"]
    command += ["--num_machines", "1", "--mixed_precision", "no", "--dynamo_backend", "no", "-m", "stratune"]
    command += ["compare", *map(str, finished.options), "--strategies", "majority,probe,lora", "--seeds", "1"]
    command += ["--out", str(tmp_path / "out"), "--quiet"]
    environment = {**os.environ, "STRATUNE_CACHE": str(tmp_path / "cache"), "OMP_NUM_THREADS": "1"}
    # `--multi_gpu`: with `--cpu` accelerate starts one process only. Without a GPU they meet on CPUs (gloo).
    ran = subprocess.run(
        command, cwd=finished.folder, env=environment, capture_output=True, text=True, timeout=240
    )
    assert ran.returncode == 0, ran.stderr
    rows = {
        row["strategy"]: row
        for row in json.loads((tmp_path / "out" / "leaderboard.json").read_text())["rows"]
    }
    assert [rows[name]["status"] for name in ("majority", "probe", "lora")] == ["ok"] * 3
    lora = next((tmp_path / "out" / "runs").glob("lora@*")) / "result.json"
    assert json.loads(lora.read_text())["processes"] == 2
    assert rows["lora"]["examples_seen"] == 3 * 5 * finished.board["split"]["train"]  # not once per process
    assert {path.name for path in (tmp_path / "out" / "runs" / "majority@none#0").iterdir()} == RUN_FILES

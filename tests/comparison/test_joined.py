"""Several comparisons on one board; and a comparison that is not done yet."""

import json
import shutil

import pytest
import yaml
from filelock import FileLock
from typer.testing import CliRunner

from stratune.cli import app
from stratune.comparison.joined import joined
from stratune.comparison.unfinished import unfinished
from stratune.errors import ConfigError
from stratune.ownership import LOCK
from stratune.report import leaderboard
from stratune.report.comparison import load
from stratune.result import RunResult
from tests.report.synthetic import make

EXTRA = (("ia3", "minilm", 1.8, 900, 12.0),)


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """A has the usual rows; B has `ia3` and `tfidf` besides, on the same split."""
    place = tmp_path_factory.mktemp("joined")
    a, b = make(place / "a", seeds=(0,)), make(place / "b", seeds=(0,), extra=EXTRA)
    for run in (b / "runs").iterdir():
        if not run.name.startswith(("ia3", "tfidf")):
            shutil.rmtree(run)
    return a, b


@pytest.fixture
def own(folders, tmp_path):
    return [shutil.copytree(folder, tmp_path / folder.name) for folder in folders]


def show(*arguments):
    return CliRunner().invoke(app, ["show", *map(str, arguments)])


def test_rows_of_two_comparisons_are_ranked_and_tested_together(folders):
    board = joined(folders)
    ranked = [row["strategy"] for row in board["rows"] if row["rank"]]
    assert sorted(ranked) == ["full", "ia3", "lora", "majority", "tfidf"]  # tfidf, the same in both, once
    ranks = {(pair["a"], pair["b"]) for pair in board["pairs"]["test"] if pair["metric"] == "f1_macro"}
    assert len(ranks) == 10
    both = {row["strategy"]: row["test"]["f1_macro"]["value"] for row in board["rows"] if row["rank"]}
    at = {row["rank"]: row["strategy"] for row in board["rows"] if row["rank"]}
    for pair in board["pairs"]["test"]:
        if pair["metric"] == "f1_macro":
            assert pair["difference"] == pytest.approx(both[at[pair["a"]]] - both[at[pair["b"]]])


def test_the_command_asks_the_folder_that_the_winner_is_in(folders):
    verdict = joined(folders, prefer="best")["verdict"]
    home = folders[1] if verdict["winner"]["strategy"] == "ia3" else folders[0]
    assert verdict["command"].startswith(
        f'stratune predict {home} "a text" --strategy {verdict["winner"]["strategy"]}'
    )


def test_one_strategy_with_two_settings_has_two_names(own):
    path = next(own[1].glob("runs/tfidf*/result.json"))
    result = RunResult.load(path)
    result.identity = {"strategy": {"c": 10}}
    result.save(path)
    names = {row["strategy"] for row in joined(own)["rows"]}
    assert {"tfidf", "tfidf (b)"} <= names


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"fingerprint": "e" * 64}, r"b: made on another split \(eeeeeeeeeeee\) than .*a \(ffffffffffff\)"),
        ({"task": {"metric": "accuracy"}}, r"b: its metric is 'accuracy', that of .*a 'f1_macro'"),
    ],
)
def test_comparisons_of_another_split_or_task_are_refused_in_one_line(own, change, message):
    split = json.loads((own[1] / "split.json").read_text())
    split |= {key: {**split[key], **new} if isinstance(new, dict) else new for key, new in change.items()}
    (own[1] / "split.json").write_text(json.dumps(split))
    for path in own[1].glob("runs/*/result.json"):
        result = RunResult.load(path)
        result.fingerprint = split["fingerprint"]
        result.save(path)
    done = show(*own)
    assert isinstance(done.exception, ConfigError) and "\n" not in str(done.exception)
    with pytest.raises(ConfigError, match=message):
        raise done.exception


def test_another_budget_stands_above_the_board(own):
    config = yaml.safe_load((own[1] / "config.yaml").read_text())
    (own[1] / "config.yaml").write_text(yaml.safe_dump({**config, "budget": {"epochs": 9}}))
    assert "had another budget than" in joined(own)["warnings"][0]["message"]


def test_show_joins_in_the_terminal_and_as_json(folders):
    page = show(*folders).output
    assert all(name in page for name in ("lora", "ia3", "to winner")) and page.count("report.html") == 2
    assert len(json.loads(show(*folders, "--json").output)["rows"]) == 6


def test_show_prefers_another_cost_and_writes_nothing(own):
    board = leaderboard.build(load(own[0]), resamples=200)
    leaderboard.save(own[0], board)
    before = (own[0] / "leaderboard.json").read_bytes()
    found = json.loads(show(own[0], "--prefer", "best", "--json").output)
    assert found["verdict"]["prefer"] == "best" and found["rows"][0]["winner"]
    assert (own[0] / "leaderboard.json").read_bytes() == before
    assert "--prefer: 'speed' is not one of seconds" in str(show(own[0], "--prefer", "speed").exception)


# -- not done yet


@pytest.fixture
def stopped(own):
    """A comparison of five runs, of which `lora` was stopped in its second epoch and `full` did not begin."""
    out = own[0]
    config = {
        "data": {"source": "reviews.csv"}, "strategies": ["majority", "tfidf", "lora", "full"],
        "backbones": ["sentence-transformers/all-MiniLM-L6-v2"],
    }  # fmt: skip
    (out / "config.yaml").write_text(yaml.safe_dump(config))
    (next(out.glob("runs/lora*")) / "result.json").unlink()
    shutil.rmtree(next(out.glob("runs/full*")))
    return out


def test_what_is_left_of_a_comparison_that_was_stopped(stopped):
    left = unfinished(stopped)
    assert not left.running and [result.strategy for result in left.results] == ["majority", "tfidf"]
    assert list(left.begun) == ["lora@sentence-transformers--all-MiniLM-L6-v2#0"]
    assert left.begun.popitem()[1].startswith("epoch 4.0, val 0.")
    assert left.waiting == ["full@sentence-transformers--all-MiniLM-L6-v2#0"]
    page = show(stopped).output
    assert "stopped: lora@" in page and "2 of 4 runs done; left: lora@" in page
    assert page.rstrip().endswith("; the same command goes on")
    assert "tfidf" in page and "val f1_macro" in page and "test" not in page  # opened at the end


def test_what_runs_now(stopped):
    with FileLock(stopped / LOCK):
        left, page = unfinished(stopped), show(stopped).output
    assert left.running and "runs now: lora@" in page and "goes on" not in page
    assert not unfinished(stopped).running


def test_a_board_of_before_is_shown_with_what_is_left(stopped):
    leaderboard.save(stopped, leaderboard.build(load(stopped), resamples=50))
    page = show(stopped).output
    assert "ranked by validation" in page and "2 of 4 runs done; left: lora@" in page


def test_nothing_is_left_of_one_that_is_done(stopped):
    shutil.rmtree(next(stopped.glob("runs/lora*")))
    config = {"data": {"source": "reviews.csv"}, "strategies": ["majority", "tfidf"]}
    (stopped / "config.yaml").write_text(yaml.safe_dump(config))
    assert unfinished(stopped) is None
    assert unfinished(stopped.parent) is None  # no comparison is there

"""import stratune as st: compare, Board."""

import subprocess
import sys

import pandas as pd
import pytest

import stratune as st
from stratune.testing import toy_split
from tests.helpers import trained


@pytest.fixture(scope="module")
def board(tmp_path_factory, tiny):
    split = toy_split()
    frame = pd.concat([pd.DataFrame({"review": t["text"], "mood": t["label"]}) for t in split.parts.values()])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STRATUNE_CACHE", str(tmp_path_factory.mktemp("cache")))
        return st.compare(
            frame, text="review", label="mood", strategies=["majority", {"preset": "probe", "learning_rate": 0.05}],
            backbones=str(tiny("bert")), seeds=2, epochs=8, out=tmp_path_factory.mktemp("api") / "out", progress=False,
        )  # fmt: skip


def test_the_board_has_a_row_for_each_strategy_and_reads_as_text(board):
    assert {row["strategy"] for row in board.rows} == {"majority", "probe"}
    assert "majority" in str(board) and "majority" in board._repr_html_()


def test_the_best_model_predicts_labels_by_name(board):
    found = board.best.predict(["the cat saw rain", "the choir sang"])
    assert all(p.label in board.best.labels and sum(p.scores.values()) == pytest.approx(1) for p in found)
    assert board.best.predict([]) == []


def test_the_rows_of_a_frame_are_kept_so_that_the_configuration_can_be_run_again(board):
    again = st.split(board.out / "config.yaml")
    assert again.fingerprint == board.leaderboard["split"]["fingerprint"]


def test_a_board_is_loaded_again_and_names_what_it_has(board):
    loaded = st.Board.load(board.out)
    assert loaded.leaderboard == board.leaderboard
    with pytest.raises(st.StratuneError, match="no finished row: 'lora' is not one of"):
        loaded.model("lora")


def test_wrong_rows_are_named(board):
    with pytest.raises(st.StratuneError, match="1: column 'review': missing; the row has text"):
        board.best.predict([{"text": "hello"}])


def test_comparing_loads_no_command_line():
    code = (
        "import sys, stratune as st; st.compare; import stratune.comparison.comparison;"
        "print([name for name in sys.modules if name.startswith(('typer', 'click', 'stratune.cli'))])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (ran.stdout, ran.stderr) == ("[]\n", "")


def test_drift_says_whether_rows_are_still_alike(monkeypatch):
    from stratune.comparison import drift as module
    from stratune.comparison.drift import Change
    from stratune.evaluate.intervals import Interval

    alike = Change("probe", 0.5, 0.5, Interval(0.5, 0.4, 0.6), same=0.5)  # a probe takes seconds
    monkeypatch.setattr(module, "_told_apart", lambda reference, new, progress: (alike, [2, 0, 1]))
    model = trained("tfidf", None, split=toy_split()).predictor
    before = [f"the cat saw rain {k}" for k in range(40)]
    found = st.drift(model, before, [f"{text} and went on for a long while" for text in before])
    assert found.left and found.examples[0].startswith("the cat saw rain 2 and")
    assert {"length", "words"} <= {change.measure for change in found.changes if change.left}
    assert st.drift(model, before, before).left is False
    assert st.drift(model, before, []).left is None

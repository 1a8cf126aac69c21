"""Board: the verdict, frames, pictures, and how it looks in a notebook."""

import json
from html.parser import HTMLParser

import numpy as np
import pyarrow.parquet as pq
import pytest
from sklearn.metrics import confusion_matrix

import stratune as st
from stratune.errors import ArtifactError, ConfigError
from stratune.evaluate.multiple import holm
from stratune.files import write_json
from stratune.report import leaderboard
from stratune.report.comparison import load
from stratune.result import RunResult
from tests.report.decided import decided
from tests.report.synthetic import make

MINILM = "sentence-transformers/all-MiniLM-L6-v2"


@pytest.fixture(scope="module")
def board(tmp_path_factory):
    out = make(tmp_path_factory.mktemp("board") / "out")
    found = decided(leaderboard.build(load(out), resamples=20), out=out)
    write_json(out / "leaderboard.json", found)
    (out / "plots").mkdir()
    for stem in ("leaderboard", "cost", "confusion-lora@sentence-transformers--all-MiniLM-L6-v2"):
        (out / "plots" / f"{stem}.svg").write_text(f"<svg>{stem}</svg>")
    return st.Board.load(out)


def test_the_verdict_is_the_sentence_of_the_leaderboard_and_its_parts(board):
    verdict, said = board.verdict, board.leaderboard["verdict"]
    assert str(verdict) == repr(verdict) == said["sentence"]
    assert verdict.winner == (board.rows[1]["strategy"], board.rows[1]["backbone"])
    assert verdict.best == (board.rows[0]["strategy"], board.rows[0]["backbone"])
    assert verdict.tied == (verdict.best, verdict.winner) and verdict.prefer == "seconds"
    assert (verdict.optimism, verdict.visible, verdict.command) == (0.012, 0.03, said["command"])


def test_a_board_without_a_verdict_says_how_to_get_one(board):
    old = st.Board(board.out, {key: value for key, value in board.leaderboard.items() if key != "verdict"})
    with pytest.raises(ArtifactError, match=r"made by stratune 0\.8 or before.*`stratune report "):
        _ = old.verdict
    with pytest.raises(ArtifactError, match="no strategy finished"):
        _ = st.Board(board.out, {**board.leaderboard, "verdict": None}).verdict


def test_the_best_model_is_the_winners_of_its_best_seed(board):
    winner = board.rows[1]
    scores = [
        RunResult.load(board.out / "runs" / f"{winner['strategy']}@{winner['backbone'].replace('/', '--')}#{seed}" / "result.json").val["f1_macro"]
        for seed in winner["seeds"]
    ]  # fmt: skip
    folder = board.model_folder()
    assert folder.parent.name.startswith(f"{winner['strategy']}@")
    assert folder.parent.name.endswith(f"#{int(np.argmax(scores))}") and folder.name == "model"


def test_a_row_is_named_with_or_without_its_backbone(board):
    assert board.model_folder("lora", seed=1) == board.model_folder(f"lora@{MINILM}", seed=1)
    for wanted, message in (
        (("lorra",), "no finished row: 'lorra' is not one of .*did you mean 'lora'"),
        (("partial",), "no finished row: 'partial' is not one of"),  # it failed
        (("lora", "smollm2"), f"'smollm2' is not one of {MINILM}"),
        (("lora", None, 7), "seed: '7' is not one of 0, 1, 2"),
    ):
        with pytest.raises(ConfigError, match=message):
            board.model_folder(*wanted)


def test_the_frame_has_a_line_a_row_with_metrics_intervals_and_costs(board):
    frame = board.to_frame()
    assert list(frame["strategy"]) == [row["strategy"] for row in board.rows]
    assert list(frame["standing"])[:3] == ["tied", "winner", ""]
    lora = frame.set_index("strategy").loc["lora"]
    row = next(row for row in board.rows if row["strategy"] == "lora")
    estimate = row["test"]["f1_macro"]
    assert [lora[f"test_f1_macro{end}"] for end in ("", "_low", "_high")] == list(estimate.values())
    assert lora["val_f1_macro_low"] == row["val_intervals"]["f1_macro"]["low"]
    assert lora["train_seconds"] == row["train_seconds"] and lora["tried"]


def test_differences_of_every_two_rows_are_adjusted_for_all_of_them(board):
    frame = board.differences()
    assert len(frame) == 6 and list(frame.columns) == [
        "a",
        "b",
        "metric",
        "difference",
        "low",
        "high",
        "p",
        "p_adjusted",
    ]
    assert set(frame["metric"]) == {"f1_macro"} and set(frame["p_adjusted"]) == {
        0.5
    }  # as in leaderboard.json


def test_a_metric_that_the_leaderboard_does_not_compare_is_computed_from_the_predictions(board):
    frame = board.differences("log_loss", reference="full")
    losses = {row["strategy"]: row["test"]["log_loss"]["value"] for row in board.rows if row["rank"]}
    assert len(frame) == 3 and set(frame["metric"]) == {"log_loss"}
    for line in frame.itertuples():
        assert line.difference == pytest.approx(losses[line.a.partition("@")[0]] - losses["full"])
        assert line.low < line.difference < line.high and line.p <= line.p_adjusted
    with pytest.raises(ConfigError, match="did you mean 'log_loss'"):
        board.differences("logloss")


def test_differences_to_a_reference_are_turned_to_it_and_adjusted_among_themselves(board):
    frame = board.differences(reference="tfidf")
    assert set(frame["b"]) == {"tfidf"} and len(frame) == 3
    values = {row["strategy"]: row["test"]["f1_macro"]["value"] for row in board.rows if row["rank"]}
    for line in frame.itertuples():
        assert line.difference == pytest.approx(values[line.a.partition("@")[0]] - values["tfidf"])
        assert line.low < line.difference < line.high
    assert list(frame["p_adjusted"]) == holm(list(frame["p"]))


def test_differences_of_validation_are_others(board):
    assert list(board.differences(part="val")["difference"]) != list(board.differences()["difference"])
    with pytest.raises(ConfigError, match="part: 'train' is not one of val, test"):
        board.differences(part="train")


def test_predictions_are_the_runs_own_with_ids_truth_and_scores(board):
    frame = board.predictions("lora", seed=0)
    written = pq.read_table(board.model_folder("lora", seed=0).parent / "predictions.parquet").to_pylist()
    of_test = [row for row in written if row["part"] == "test"]
    assert list(frame["id"]) == [row["id"] for row in of_test] and list(frame["truth"]) == [
        r["truth"] for r in of_test
    ]
    assert {"prediction", "score_negative", "score_positive"} <= set(frame) and len(frame) == 120
    assert list(board.predictions("lora", "val", seed=0)["id"]) != list(frame["id"])


def test_the_confusion_matrix_is_scikit_learns(board):
    frame, labels = board.predictions("lora"), list(board.task.labels)
    found = board.confusion("lora")
    assert list(found.index) == list(found.columns) == labels
    assert (found.to_numpy() == confusion_matrix(frame["truth"], frame["prediction"], labels=labels)).all()


def test_an_answer_that_is_no_label_has_a_column(board):
    from stratune.comparison.frames import confusion

    frame = board.predictions("lora")
    frame.loc[:2, "prediction"] = None
    found = confusion(frame, board.task)
    assert list(found.columns) == [*board.task.labels, "(no label)"] and found["(no label)"].sum() == 3


def test_numbers_have_no_confusion_matrix(tmp_path):
    out = make(tmp_path / "out", kind="regression", labels=(), seeds=(0,))
    write_json(out / "leaderboard.json", leaderboard.build(load(out), resamples=20))
    with pytest.raises(ConfigError, match="a regression task has no confusion matrix"):
        st.Board.load(out).confusion("lora")


def test_a_picture_shows_itself_in_a_notebook(board):
    assert board.plot()._repr_svg_() == "<svg>leaderboard</svg>"
    assert "confusion-lora" in board.plot("confusion", "lora")._repr_svg_()
    assert "svg>" not in repr(board.plot()) and len(repr(board.plot())) < 300
    with pytest.raises(
        ConfigError, match="plot: 'leaderbord' is not one of confusion, cost, leaderboard .*mean"
    ):
        board.plot("leaderbord")


def test_its_repr_is_one_short_line(board):
    winner = board.rows[1]
    assert (
        repr(board) == f"Board({str(board.out)!r}: 5 rows, winner {winner['strategy']}@{winner['backbone']})"
    )


def test_printed_it_is_the_board_of_the_terminal(board):
    page = str(board)
    assert "▸" in page and board.verdict.sentence in " ".join(page.split())


class Cells(HTMLParser):
    """The cells of a table, a list a row, and the tags around them."""

    def __init__(self, page):
        super().__init__()
        self.rows, self.tags, self.said = [], set(), []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_data(self, data):
        self.said.append(data)
        if self.rows and self.rows[-1] and self.lasttag in ("td", "th"):
            self.rows[-1][-1] += data


def test_in_a_notebook_it_is_a_table_with_test_values_intervals_and_the_winner(board):
    cells = Cells(board._repr_html_())
    head, *lines = cells.rows
    assert len(lines) == 5 and all(len(line) == len(head) for line in lines)
    assert "test f1_macro" in head and "test to winner" in head and "val first" in head
    assert lines[1][:2] == ["2", "▸"] and lines[0][:2] == ["1", "≈"]
    low = board.rows[0]["test"]["f1_macro"]["low"]
    assert f"[{low:.3f}".replace("0.", ".") in lines[0][head.index("test f1_macro")]
    assert board.verdict.sentence in cells.said and board.verdict.command in cells.said
    assert sum(name.startswith("val") for name in head) == 2  # not every metric there is


def test_text_of_strangers_is_text_in_a_notebook(board):
    evil = "<script>alert(1)</script>"
    hostile = json.loads(json.dumps(board.leaderboard))
    hostile["warnings"] = [{"level": "error", "code": "x", "message": evil}]
    hostile["verdict"]["sentence"] = hostile["verdict"]["command"] = evil
    hostile["rows"][0] |= {"strategy": evil, "error": evil}
    cells = Cells(st.Board(board.out, hostile)._repr_html_())
    assert cells.tags == {"div", "code", "table", "thead", "tbody", "tr", "th", "td"}
    assert sum(evil in said for said in cells.said) >= 4

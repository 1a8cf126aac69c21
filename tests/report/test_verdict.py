"""The verdict: the tied set, the cheapest of the rows near the best, and the sentence that says so."""

import json

import pytest
import yaml

from stratune.evaluate.multiple import holm
from stratune.report import leaderboard, publish
from stratune.report.comparison import load
from stratune.report.pairs import against, between
from stratune.report.sentence import Sentence, visible
from stratune.report.verdict import winner
from stratune.task import Task
from tests.report.synthetic import make

TASK = Task(labels=("no", "yes"))


@pytest.fixture(scope="module")
def board(two_class_master):
    return leaderboard.build(load(two_class_master), resamples=200)


def row(
    rank,
    strategy,
    *,
    tied=True,
    near=None,
    seconds=10.0,
    backbone="minilm",
    floor=False,
    baseline=False,
    test=0.8,
):
    return {
        "rank": rank,
        "strategy": strategy,
        "backbone": backbone,
        "tied": tied,
        "near": tied if near is None else near,
        "floor": floor,
        "baseline": baseline,
        "train_seconds": seconds,
        "predict_rows_per_second": 1e9,
        "peak_bytes": 100 * rank,
        "artifact_bytes": 100 - rank,
        "test": {"f1_macro": {"value": test, "low": test - 0.03, "high": test + 0.03}},
    }


def pair(a, b, difference, p=0.5, half=0.03):
    ends = {"low": difference - half, "high": difference + half}
    return {"a": a, "b": b, "metric": "f1_macro", "difference": difference, **ends, "p": p, "p_adjusted": p}


def sentence(rows, pairs=(), prefer="seconds", selection=TASK.selection, flattery=None):
    costs = {one["rank"]: one["train_seconds"] for one in rows}
    sizes = {"train": 400, "val": 300, "test": 600}
    return str(Sentence(rows, winner(rows, prefer), pairs, selection, sizes, costs, prefer, flattery))


def test_every_two_ranked_rows_have_a_tested_difference(board):
    ranked = [one for one in board["rows"] if one["rank"]]
    for part in ("val", "test"):
        pairs = board["pairs"][part]
        assert {one["metric"] for one in pairs} == {"f1_macro", "accuracy"}
        mine = [one for one in pairs if one["metric"] == "f1_macro"]
        assert len(mine) == len(ranked) * (len(ranked) - 1) / 2
        assert [one["p_adjusted"] for one in mine] == pytest.approx(holm([one["p"] for one in mine]))
        assert all(one["low"] <= one["difference"] <= one["high"] for one in pairs)
    first, second = ranked[:2]
    values = [one["test"]["f1_macro"]["value"] for one in (first, second)]
    assert between(board["pairs"]["test"], "f1_macro", 1, 2)["difference"] == pytest.approx(
        values[0] - values[1]
    )


def test_against_one_row_signs_and_adjustment_are_that_rows_own(board):
    pairs = board["pairs"]["test"]
    found = against(pairs, "f1_macro", 2)
    assert set(found) == {1, 3, 4}
    assert found[1]["difference"] == -between(pairs, "f1_macro", 2, 1)["difference"]
    assert [one["p_adjusted"] for one in found.values()] == pytest.approx(
        holm([one["p"] for one in found.values()])
    )
    assert between(pairs, "no metric", 1, 2) is None


def test_the_tied_set_holds_the_best_and_the_winner_and_not_the_floor(board):
    rows = {one["strategy"]: one for one in board["rows"]}
    names = [one["strategy"] for one in board["verdict"]["tied"]]
    assert names == [one["strategy"] for one in board["rows"] if one["tied"]]
    assert board["verdict"]["best"]["strategy"] in names and "majority" not in names
    assert [one["strategy"] for one in board["rows"] if one["winner"]] == [
        board["verdict"]["winner"]["strategy"]
    ]
    assert all(one["tied"] for one in board["rows"] if one.get("near"))
    assert (
        rows[board["verdict"]["best"]["strategy"]]["near"]
        and rows[board["verdict"]["winner"]["strategy"]]["near"]
    )
    assert sum(one["first"] or 0 for one in board["rows"]) == pytest.approx(1)
    assert rows["partial"]["status"] == "failed" and not rows["partial"]["tied"]
    assert board["verdict"]["optimism"] > 0 and board["verdict"]["visible"] > 0


def test_rows_that_answer_alike_say_nothing_of_what_could_be_seen(board):
    """Their difference is zero for certain, which is no difference that these rows could show."""
    pairs = [{**pair, "low": 0.0, "high": 0.0, "difference": 0.0} for pair in board["pairs"]["test"]]
    ranked = [one for one in board["rows"] if one["rank"]]
    first = ranked[0]
    assert visible(ranked, first, pairs, "f1_macro") is None
    second = ("f1_macro", 1, 2)
    apart = [
        {**pair, "low": -0.1, "high": 0.3} if (pair["metric"], pair["a"], pair["b"]) == second else pair
        for pair in pairs
    ]
    assert visible(ranked, first, apart, "f1_macro") == pytest.approx(0.2)


def test_validation_has_intervals_like_test(board):
    ranked = [one for one in board["rows"] if one["rank"]]
    for one in ranked:
        found = one["val_intervals"]["f1_macro"]
        assert found["low"] < found["value"] < found["high"]
        assert found["value"] == pytest.approx(one["val"]["f1_macro"])


def test_the_user_chooses_the_cost_by_which_ties_are_broken(tmp_path):
    out = make(tmp_path / "out", seeds=(0,))
    config = yaml.safe_load((out / "config.yaml").read_text())
    found = {}
    for prefer in ("seconds", "best"):
        (out / "config.yaml").write_text(yaml.safe_dump({**config, "prefer": prefer}))
        board = publish(out)
        found[prefer] = board["verdict"]["winner"]["strategy"]
        assert board["verdict"]["prefer"] == prefer
        assert board["verdict"] == json.loads((out / "leaderboard.json").read_text())["verdict"]
        assert board["verdict"]["command"] == f'stratune predict {out} "a text"'
    assert found["best"] == board["rows"][0]["strategy"]


def test_the_cheapest_near_the_best_wins_and_costs_that_are_nearly_equal_are_equal():
    rows = [row(1, "full", seconds=100), row(2, "lora", seconds=12), row(3, "ia3", seconds=10)]
    assert winner(rows, "seconds")["strategy"] == "lora"  # within a quarter of ia3, and better
    rows[1]["train_seconds"] = 20
    assert winner(rows, "seconds")["strategy"] == "ia3"
    assert winner(rows, "memory")["strategy"] == "full"
    assert winner(rows, "best")["strategy"] == "full"
    assert winner([*rows[:2], row(3, "ia3", tied=False)], "seconds")["strategy"] == "lora"


def test_a_row_that_only_cannot_be_told_from_the_best_does_not_win_by_its_cost():
    rows = [row(1, "full", seconds=100), row(2, "lora", seconds=50), row(3, "tfidf", seconds=1, near=False)]
    assert winner(rows, "seconds")["strategy"] == "lora"
    assert "`full` and `tfidf` tie with it" in sentence(rows)


def test_where_only_a_floor_is_near_the_best_what_learns_and_ties_wins():
    rows = [row(1, "majority", floor=True, backbone=None), row(2, "full", near=False)]
    assert winner(rows, "seconds")["strategy"] == "full"


def test_what_learns_nothing_wins_only_where_nothing_else_is_left():
    rows = [row(1, "full", seconds=100), row(2, "majority", seconds=0.1, floor=True, backbone=None)]
    assert winner(rows, "seconds")["strategy"] == "full"
    rows = [row(1, "majority", floor=True), row(2, "full", tied=False)]
    assert sentence(rows).startswith(
        "Nothing is shown to be better than `majority`, whose answers have nothing to do with the text."
    )


def test_the_sentence_names_the_winner_the_ties_the_gain_and_what_cannot_be_seen():
    rows = [
        row(1, "lora", seconds=80),
        row(2, "full", seconds=60),
        row(3, "partial", seconds=10),
        row(4, "tfidf", tied=False, backbone=None, baseline=True, test=0.7),
    ]
    pairs = [pair(1, 2, 0.0), pair(1, 3, 0.02, 0.2), pair(2, 3, 0.02, 0.3)]
    pairs += [pair(rank, 4, gain, 0.001) for rank, gain in ((1, 0.13), (2, 0.12), (3, 0.08))]
    assert sentence(rows, pairs, flattery=0.011) == (
        "Use `partial`. No strategy is shown to be better on the 300 validation rows; `lora` and `full` tie "
        "with it and take up to eight times as long. On the 600 test rows its f1_macro is 0.800 (0.770 to "
        "0.830). All beat `tfidf` by 8 to 13 points. `--prefer best` takes `lora`: on test 2 points more "
        "(-1 to 5 points). With 600 rows, differences under 3 points cannot be seen, and being first on "
        "validation flatters a score by 1 point."
    )


def test_one_alone_is_better_than_all_others():
    rows = [row(1, "lora"), row(2, "full", tied=False)]
    assert "It is better than all others on the 300 validation rows." in sentence(rows)


def test_a_gain_that_is_not_shown_is_not_claimed():
    rows = [row(1, "lora"), row(2, "tfidf", tied=False, backbone=None, baseline=True)]
    assert "It is not shown to beat `tfidf` there." in sentence(rows, [pair(1, 2, 0.02, 0.3)])
    assert "It beats `tfidf` by 5 points (2 to 8 points)." in sentence(rows, [pair(1, 2, 0.05, 0.01)])
    assert "It is worse than `tfidf` there." in sentence(rows, [pair(1, 2, -0.05, 0.01)])


def test_errors_in_the_users_units_are_not_points_and_less_of_them_is_a_gain():
    task = Task(kind="regression")
    rows = [row(1, "lora"), row(2, "tfidf", tied=False, backbone=None, baseline=True)]
    pairs = [{**pair(1, 2, -0.25, 0.01), "metric": "rmse"}]
    found = sentence(rows, pairs, selection=task.selection)
    assert "It beats `tfidf` by 0.250 in rmse (0.220 to 0.280 in rmse)." in found


def test_names_of_strategies_are_text():
    found = sentence([row(1, "a\x1b[31m`b`\n<script>"), row(2, "full")])
    assert "\x1b" not in found and "\n" not in found and found.count("`") == 4


def test_the_page_does_not_call_the_winner_the_cheapest_of_the_tied(tmp_path):
    """A cheaper one may be tied and not near the best: the page says which rows may win."""
    out = make(tmp_path / "out", seeds=(0,))
    board = publish(out)
    page = (out / "report.html").read_text(encoding="utf-8")
    assert len(board["verdict"]["tied"]) > 1
    assert (
        f"{board['verdict']['winner']['strategy']}: use this</span>" in page and ": the cheapest" not in page
    )
    assert "the cheapest in seconds of those within one standard error of the best" in page

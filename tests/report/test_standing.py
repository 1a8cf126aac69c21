"""The verdict on a board: who is marked, how a row differs from the winner, in the terminal, Markdown and CSV."""

import csv
import io
import json

import pytest

from stratune.report import leaderboard, standing
from stratune.report.comparison import load
from stratune.report.screen import screen
from stratune.report.tables import to_csv, to_markdown
from stratune.report.terminal import table
from tests.report.decided import decided


@pytest.fixture(scope="module")
def undecided(two_class_master):
    board = leaderboard.build(load(two_class_master), resamples=20)
    for key in ("verdict", "pairs"):
        board.pop(key, None)
    for row in board["rows"]:
        for key in ("winner", "tied", "first", "tried", "val_intervals"):
            row.pop(key, None)
    return json.dumps(board)


@pytest.fixture
def board(undecided):
    return decided(json.loads(undecided))


def printed(board, width, **options):
    page = io.StringIO()
    screen(width=width, file=page, color_system=None, **options).print(table(board, width=width))
    return page.getvalue()


def test_the_winner_is_marked_and_not_the_first(board):
    first, second, third = (row for row in board["rows"][:3])
    assert standing.winner(board) is second
    assert [standing.standing(row) for row in (first, second, third)] == ["tied", "winner", ""]
    lines = {line.split()[0]: line.split()[1:3] for line in printed(board, 120).splitlines() if line.strip()}
    assert lines["1"] == ["≈", first["strategy"]] and lines["2"] == ["▸", second["strategy"]]
    assert lines["3"][0] == third["strategy"]


def test_only_the_winner_is_green(board):
    page = io.StringIO()
    screen(width=120, file=page, force_terminal=True, color_system="standard").print(table(board, width=120))
    green = [line for line in page.getvalue().splitlines() if "\x1b[1;32m" in line]
    assert len(green) == 1 and board["verdict"]["winner"]["strategy"] in green[0]


@pytest.mark.parametrize("width", [80, 100, 120, 160])
def test_the_board_and_its_sentence_fit_every_terminal(board, width):
    page = printed(board, width)
    assert max(map(len, page.splitlines())) <= width and "…" not in page
    assert board["verdict"]["sentence"] in " ".join(page.split())
    assert "62 %" in page  # share of the validation resamples in which the row is first
    assert ("1 fit, 8 prompts" in page) == (width == 160)


def test_differences_to_the_winner_have_their_interval_where_there_is_room(board):
    first, winner = board["rows"][:2]
    gap = first["test"]["f1_macro"]["value"] - winner["test"]["f1_macro"]["value"]
    assert f"{gap:+.3f} [" in printed(board, 120)
    narrow = printed(board, 80)
    assert f"{gap:+.3f}" in narrow and f"{gap:+.3f} [" not in narrow


def test_a_difference_is_read_from_either_side(board):
    winner = board["rows"][1]
    to_winner = standing.to_winner(board)
    assert set(to_winner) == {1, 3, 4}
    above, below = to_winner[1], to_winner[3]
    gap = below["difference"]
    assert gap == board["rows"][2]["test"]["f1_macro"]["value"] - winner["test"]["f1_macro"]["value"]
    assert (below["low"], below["high"]) == (pytest.approx(gap - 0.02), pytest.approx(gap + 0.03))  # turned
    assert above["low"] == pytest.approx(above["difference"] - 0.03)


def test_a_board_of_an_older_version_has_no_marks_and_its_first_row_is_the_one_to_use(undecided):
    old = json.loads(undecided)
    assert standing.winner(old) is old["rows"][0] and standing.legend(old) == ""
    page = printed(old, 120)
    assert not any(mark in page for mark in "▸≈") and "to winner" not in page


def test_no_row_wins_where_the_verdict_is_that_none_finished(undecided):
    old = json.loads(undecided)
    assert standing.winner({**old, "verdict": None}) is None


def test_the_legend_names_the_cost_that_decided(board):
    legend = standing.legend(board)
    assert "the cheapest in seconds of those within one standard error of the best on validation" in legend
    assert "≈ cannot be told from the best there" in legend
    board["verdict"]["prefer"] = "best"
    assert "▸ the winner, first on validation" in standing.legend(board)


def test_the_csv_has_the_standing_the_intervals_of_validation_and_what_was_tried(board):
    rows = list(csv.DictReader(io.StringIO(to_csv(board))))
    first, winner = rows[:2]
    assert [row["standing"] for row in rows] == ["tied", "winner", "", "", ""]
    assert float(first["first_on_val"]) == 0.62 and first["tried"] == "1 fit, 8 prompts"
    interval = board["rows"][0]["val_intervals"]["f1_macro"]
    assert float(first["val_f1_macro"]) == interval["value"]
    assert [float(first[f"val_f1_macro_{end}"]) for end in ("low", "high")] == [
        interval["low"],
        interval["high"],
    ]
    assert (
        first["val_accuracy_low"] == ""
        and float(first["val_accuracy"]) == board["rows"][0]["val"]["accuracy"]
    )
    assert winner["difference"] == "" and float(first["difference_p"]) == pytest.approx(0.03)
    assert rows[-1]["difference"] == "" and all(None not in row and None not in row.values() for row in rows)


def test_markdown_begins_with_the_sentence_and_explains_the_marks(board):
    board["verdict"]["sentence"] = "Use `a`. <b>bold</b>"
    text = to_markdown(board)
    assert text.index("Use `a`. &lt;b>bold") < text.index("| rank |")
    assert "| 2 ▸ |" in text and "| 1 ≈ |" in text and "▸ the winner" in text
    lines = [line for line in text.splitlines() if line.startswith("|")]
    assert len({line.replace("\\|", "").count("|") for line in lines}) == 1
    assert "| test to winner |" in lines[0] and lines[0].endswith("| tried |")


def test_a_difference_that_is_not_known_is_a_dash():
    from stratune.report.human import difference

    assert difference(None) == "-"
    assert difference({"difference": -0.009, "low": -0.04, "high": 0.0205}) == "-0.009 [-.040, +.021]"
    assert difference({"difference": -1e-17, "low": -0.01, "high": 0.01}) == "+0.000 [-.010, +.010]"
    assert difference({"difference": 0.2, "low": 0.1, "high": 0.3}, ends=False) == "+0.200"

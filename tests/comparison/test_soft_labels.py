"""Soft against hard labels on one board, from a file with raters to the sentence that says what it changed."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest

from stratune.comparison.comparison import run_comparison
from stratune.config import parse_config
from stratune.engine.inline import InlineEngine
from stratune.evaluate.distribution import DistributionScorer
from stratune.report.distribution import sentences

ENDS = ("again", "at noon", "by the sea", "with friends", "in the rain", "at home", "on foot", "for once")


def write(path, seed=0, rows=600):
    """Five raters of each text, who say yes as often as its first word has it."""
    draws = np.random.default_rng(seed)
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "label", "a", "b", "c", "d", "e"])
        for row in range(rows):
            word, share = (("apple", 0.8), ("train", 0.2), ("sea", 0.55))[row % 3]
            given = ["yes" if draws.random() < share else "no" for _ in range(5)]
            text = f"{word} {ENDS[row % 8]} {ENDS[draws.integers(8)]} number {row}"
            writer.writerow([text, max(("no", "yes"), key=given.count), *given])


def compared(folder):
    quick = {"strengths": [100.0], "least": [1], "characters": False}
    names = ["majority", "soft:majority", *({"preset": one, **quick} for one in ("tfidf", "soft:tfidf"))]
    task = {"annotations": "a+b+c+d+e"}
    data = {"source": str(folder / "rows.csv"), "validation": "rows"}
    config = parse_config({"data": data, "task": task, "strategies": names})
    heard = []
    runs = list(run_comparison(config, folder / "out", engine=InlineEngine(), watch=heard.append))
    assert [run.error for run in runs] == [None] * 4
    started = [event.planned.run_id for event in heard if event.event.get("event") == "started"]
    return json.loads((folder / "out" / "leaderboard.json").read_text()), started


@pytest.fixture(scope="module")
def board(tmp_path_factory):
    folder = tmp_path_factory.mktemp("soft")
    write(folder / "rows.csv")
    return folder, compared(folder)[0]


def test_the_board_holds_each_row_against_the_shares(board):
    import pyarrow.parquet as pq

    folder, found = board
    for row in found["rows"]:
        path = next(
            (folder / "out" / "runs").glob(f"{row['strategy'].replace(':', '--')}@*/predictions.parquet")
        )
        rows = [one for one in pq.read_table(path).to_pylist() if one["part"] == "test"]
        shares = np.array([[one["annotations"].count(name) / 5 for name in ("no", "yes")] for one in rows])
        given = np.array([[one["score_no"], one["score_yes"]] for one in rows])
        plain = DistributionScorer(shares, given).values(np.ones((len(rows), 1)))
        for name in ("cross_entropy", "distance", "ece"):
            assert row["distribution"][name]["value"] == pytest.approx(plain[name][0])
    assert found["distribution"]["rows"] == found["split"]["test"]


def test_what_soft_labels_change_is_said_with_its_interval(board):
    _, found = board
    rows = {row["rank"]: row for row in found["rows"]}
    soft = [one for one in found["distribution"]["soft"] if one["metric"] == "cross_entropy"]
    assert {(rows[one["soft"]]["strategy"], rows[one["plain"]]["strategy"]) for one in soft} == {
        ("soft:majority", "majority"),
        ("soft:tfidf", "tfidf"),
    }
    for one in soft:
        values = [rows[one[side]]["distribution"]["cross_entropy"]["value"] for side in ("soft", "plain")]
        assert one["difference"] == pytest.approx(values[0] - values[1])
        assert one["low"] < one["difference"] < one["high"] and one["p"] <= one["p_adjusted"]
    (tfidf,) = [one for one in soft if rows[one["soft"]]["strategy"] == "soft:tfidf"]
    assert tfidf["high"] < 0
    (line,) = [line for line in sentences(found) if "nearer to" in line]
    assert (
        line.startswith("soft labels are nearer to the raters' shares (cross-entropy): ")
        and "`tfidf` by" in line
    )


def test_other_ratings_run_again_what_learned_them_and_nothing_else(tmp_path):
    write(tmp_path / "rows.csv")
    assert len(compared(tmp_path)[1]) == 4
    lines = (tmp_path / "rows.csv").read_text().splitlines()
    row = next(i for i, line in enumerate(lines) if line.endswith(",yes,yes,yes,yes,no"))
    lines[row] = lines[row].removesuffix("no") + "yes"  # the majority is the same
    (tmp_path / "rows.csv").write_text("\n".join(lines) + "\n")
    assert compared(tmp_path)[1] == ["soft--majority@none#0", "soft--tfidf@none#0"]

"""What a report shows of models that were asked: prompts tried, answers that were no label, notes."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stratune.report import leaderboard, plots, publish, tables
from stratune.report.comparison import load
from stratune.result import RunResult
from tests.report.synthetic import make
from tests.report.test_leaderboard import built, by_strategy, printed

ASKED = ("few_shot", "smollm2", 1.0, 0, 12.0)
RUNS = "runs/few_shot@smollm2#{}"


@pytest.fixture
def asked(tmp_path):
    """Of 120 test rows 12 were answered with what is no label; seed 0 tried two prompts."""
    out = make(tmp_path / "asked", extra=(ASKED,))
    for seed in range(3):
        folder = out / RUNS.format(seed)
        result = RunResult.load(folder / "result.json")
        result.invalid, result.trials = 0.1, 2
        result.notes = ["2 prompts tried <here>"]
        result.save(folder / "result.json")
        table = pq.read_table(folder / "predictions.parquet")
        rows = table.to_pylist()
        for row in [row for row in rows if row["part"] == "test"][:12]:
            row |= {"prediction": "", "score_negative": float("nan"), "score_positive": float("nan")}
        pq.write_table(pa.Table.from_pylist(rows), folder / "predictions.parquet")
    trials = [{"template": name, "val": {"f1_macro": value}} for name, value in (("a", 0.7), ("b", 0.5))]
    lines = "".join(json.dumps(trial) + "\n" for trial in trials)
    (out / RUNS.format(0) / "trials.jsonl").write_text(lines)
    return out


def test_the_leaderboard_has_both_and_counts_invalid_answers_wrong(asked):
    board = built(asked)
    row = by_strategy(board)["few_shot"]
    assert (row["trials"], row["invalid"]) == (2, pytest.approx(0.1))
    runs = next(entry for entry in load(asked).entries() if entry.strategy == "few_shot").runs
    right = [
        (one.truth == one.predictions.argmax(1))[~one.invalid].sum() / 120
        for one in (run.predictions["test"] for run in runs)
    ]
    assert row["test"]["accuracy"]["value"] == pytest.approx(sum(right) / 3)


def test_every_spelling_shows_them_and_only_where_somebody_asked(asked, two_class):
    board, other = built(asked), built(two_class)
    for text in (printed(board, 200), tables.to_markdown(board), tables.to_csv(board).replace("_", " ")):
        assert "invalid" in text
    assert "10 %" in printed(board, 200)
    assert "invalid" not in printed(other, 200) + tables.to_markdown(other)


def test_the_page_shows_what_was_asked_unless_texts_are_left_out(asked):
    prompt = "Text: <b>fine</b>\nLabel:"
    (asked / RUNS.format(0) / "prompt.txt").write_text(prompt, encoding="utf-8")
    publish(asked)
    assert "Text: &lt;b&gt;fine&lt;/b&gt;\nLabel:</pre>" in (asked / "report.html").read_text(
        encoding="utf-8"
    )
    publish(asked, texts=0)
    assert "What was asked" not in (asked / "report.html").read_text(encoding="utf-8")


def test_the_page_and_the_figure_show_the_prompts(asked):
    publish(asked)
    page = (asked / "report.html").read_text()
    assert "2 prompts tried &lt;here&gt;." in page and "How much the prompt matters" in page
    comparison = load(asked)
    drawn = plots.draw(comparison, leaderboard.build(comparison, resamples=50))
    assert "few_shot" in drawn["prompts"] and "(2)" in drawn["prompts"]
    assert "invalid" in drawn["confusion-few_shot@smollm2"]
    assert "few_shot" not in drawn["roc"]  # answers without a probability have no curve

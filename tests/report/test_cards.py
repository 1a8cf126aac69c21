"""README.md of model folders: what the hub reads in it, and what people do."""

import json

import pytest
from huggingface_hub import ModelCard

from stratune.report import cards, leaderboard, publish
from stratune.report.comparison import load
from tests.report.synthetic import make


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    folder = make(tmp_path_factory.mktemp("cards") / "out", seeds=(0,))
    for run in (folder / "runs").iterdir():
        (run / "model").mkdir(exist_ok=True)
    publish(folder)
    return folder


def card_of(out, strategy):
    (path,) = (
        run / "model" / cards.FILE for run in (out / "runs").iterdir() if run.name.startswith(f"{strategy}@")
    )
    return path


def test_the_hub_reads_scores_with_their_intervals(out):
    board = json.loads((out / "leaderboard.json").read_text())
    row = next(one for one in board["rows"] if one["strategy"] == "lora")
    data = ModelCard(card_of(out, "lora").read_text()).data
    assert (
        data.library_name == "stratune" and data.pipeline_tag == "text-classification" and "lora" in data.tags
    )
    found = {one.metric_name: one for one in data.eval_results}
    assert set(found) == {name for name in row["test"] if "[" not in name}
    one = found["f1_macro"]
    assert one.metric_type == "f1" and one.metric_value == pytest.approx(
        row["test"]["f1_macro"]["value"], abs=1e-4
    )
    ends = [row["test"]["f1_macro"]["low"], row["test"]["f1_macro"]["high"]]
    assert one.metric_args["interval_95"] == pytest.approx(ends, abs=1e-4)
    assert one.dataset_split == "test" and one.dataset_args["fingerprint"] == "f" * 64


def test_people_read_the_verdict_the_data_and_what_is_known_of_it(out):
    text, board = card_of(out, "lora").read_text(), json.loads((out / "leaderboard.json").read_text())
    assert board["verdict"]["sentence"] in text and "360 train, 120 val, 120 test rows" in text
    assert "It was tested on texts like those of `review`, and on no others." in text
    assert "stratune predict THIS_FOLDER" in text and "Labels: `negative`, `positive`." in text


def test_a_failed_run_has_no_card_and_a_card_of_the_user_stays(out):
    assert not card_of(out, "partial").exists()
    mine = card_of(out, "tfidf")
    mine.write_text("my own words")
    card_of(out, "lora").write_text("---\nlibrary_name: stratune\n---\nolder words")
    publish(out)
    assert mine.read_text() == "my own words" and "older words" not in card_of(out, "lora").read_text()


@pytest.mark.parametrize(
    ("backbone", "named"),
    [("sentence-transformers/all-MiniLM-L6-v2", True), ("minilm", False), ("/home/me/model", False)],
)
def test_a_base_model_is_named_where_the_hub_has_it(out, backbone, named):
    comparison = load(out)
    run = next(one for one in comparison.runs if one.result.strategy == "lora")
    row = next(
        one for one in leaderboard.build(comparison, resamples=50)["rows"] if one["strategy"] == "lora"
    )
    run.result.backbone = backbone
    found = cards.metadata(comparison, row, run)
    assert ("base_model" in found) == named and (not named or found["base_model"] == backbone)


def test_names_are_text(out):
    comparison = load(out)
    comparison.config["data"] = {"source": "/home/me/secret/a`b\x1b[31m.csv"}
    run = next(one for one in comparison.runs if one.result.strategy == "lora")
    board = leaderboard.build(comparison, resamples=50)
    row = next(one for one in board["rows"] if one["strategy"] == "lora")
    text = cards.card(comparison, board, row, run)
    assert "/home/me" not in text and "\x1b" not in text and "a'b" in text
    assert ModelCard(text).data.library_name == "stratune"

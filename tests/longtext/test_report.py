"""The chunks that decided are in predictions.parquet, on the page, and in `predict --explain`."""

import json

import pandas as pd
import pytest

from stratune.comparison.comparison import run_comparison
from stratune.config import parse_config
from stratune.engine.inline import InlineEngine
from stratune.report.evidence import shown_evidence
from stratune.task import Task
from tests.cli.comparison import stratune
from tests.longtext.needles import needle_split


@pytest.fixture(scope="module")
def compared(tmp_path_factory, tiny):
    folder = tmp_path_factory.mktemp("compared")
    split = needle_split(rows=32)
    rows = pd.concat([table.to_pandas().assign(part=part) for part, table in split.parts.items()])
    rows.to_parquet(folder / "rows.parquet")
    long = {"way": "chunk", "window": 24, "aggregate": "mean"}
    config = parse_config(
        {
            "data": {"source": str(folder / "rows.parquet"), "split_column": "part"},
            "task": {"id": "id"},
            "strategies": [{"preset": "probe", "name": "chunked", "readout": {"long": long}}, "probe"],
            "backbones": [str(tiny("bert"))],
            "budget": {"epochs": 1},
        }
    )
    results = list(run_comparison(config, folder / "out", engine=InlineEngine()))
    assert not [result.error for result in results if result.error]
    return folder, rows


def run_folder(folder, name):
    return next((folder / "out" / "runs").glob(f"{name}@*"))


def test_predictions_name_chunks_by_their_characters(compared):
    folder, rows = compared
    texts = dict(zip(rows["id"], rows["text"], strict=True))
    table = pd.read_parquet(run_folder(folder, "chunked") / "predictions.parquet")
    for row in table.to_dict("records"):
        first = row["evidence"][0]
        assert texts[row["id"]][first["start"] : first["end"]].strip() == first["text"]
        assert [one["score"] for one in row["evidence"]] == sorted(
            (one["score"] for one in row["evidence"]), reverse=True
        )
        starts = [one["start"] for one in row["course"]]
        assert starts == sorted(starts) and first["start"] in starts
        assert row["course"][-1]["so_far"] == max(row[name] for name in row if name.startswith("score_"))


def test_the_page_shows_them_and_only_for_who_has_them(compared):
    folder, _ = compared
    page = (folder / "out" / "report.html").read_text()
    assert page.count("<h3>Evidence") == 1
    shown = shown_evidence(run_folder(folder, "chunked"), Task())
    assert shown and shown[0]["chunks"][0]["text"] in page
    assert shown_evidence(run_folder(folder, "probe"), Task()) == []


def test_predict_explains(compared, tmp_path):
    folder, rows = compared
    (tmp_path / "new.jsonl").write_text(json.dumps({"text": rows["text"].iloc[0]}) + "\n")
    where = {"cwd": tmp_path, "cache": tmp_path / "cache"}
    done = stratune("predict", run_folder(folder, "chunked") / "model", "new.jsonl", "--explain", **where)
    answer = json.loads(done.stdout)
    named = json.loads(answer["evidence"])
    assert named[0].keys() == {"score", "start", "end", "text"} and named[0]["text"] in rows["text"].iloc[0]
    done = stratune("predict", run_folder(folder, "probe") / "model", "new.jsonl", "--explain", **where)
    assert done.returncode == 2 and "explain: this model reads texts whole" in done.stderr

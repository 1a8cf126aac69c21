"""Reading a comparison folder, whole and damaged."""

import json

import numpy as np
import pyarrow.parquet as pq
import pytest

from stratune.errors import ArtifactError, ConfigError
from stratune.ownership import owned_by_us
from stratune.report.comparison import load

RUN = "runs/tfidf@none#0"


def message(out):
    with pytest.raises((ArtifactError, ConfigError)) as error:
        load(out)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_everything_is_read(odd):
    comparison = load(odd)
    assert comparison.sizes == {"train": 360, "val": 120, "test": 120}
    assert [entry.name for entry in comparison.entries()] == [
        "full@sentence-transformers/all-MiniLM-L6-v2",
        "lora@sentence-transformers/all-MiniLM-L6-v2",
        "majority",
        "partial@sentence-transformers/all-MiniLM-L6-v2",
        "tfidf",
    ]
    lora = comparison.entries()[1].runs[0]
    assert lora.history[-1]["step"] == 40
    test = lora.predictions["test"]
    assert test.predictions.shape == (120, 3) and len(set(test.groups.tolist())) == 12
    assert test.predictions.sum(axis=1) == pytest.approx(np.ones(120))


def test_rows_written_in_another_order_are_put_back(two_class):
    path = two_class / RUN / "predictions.parquet"
    before = load(two_class).entries()[-1].runs[0].predictions["test"]
    table = pq.read_table(path)
    pq.write_table(table.take(np.random.default_rng(0).permutation(len(table))), path)
    after = load(two_class).entries()[-1].runs[0].predictions["test"]
    assert (before.truth == after.truth).all() and (before.predictions == after.predictions).all()


def test_a_prediction_that_is_no_label_is_invalid(two_class):
    path = two_class / RUN / "predictions.parquet"
    table = pq.read_table(path)
    predictions = [None if row == 0 else found for row, found in enumerate(table["prediction"].to_pylist())]
    index = table.column_names.index("prediction")
    pq.write_table(table.set_column(index, "prediction", [predictions]), path)
    invalid = load(two_class).entries()[-1].runs[0].predictions["val"].invalid
    assert invalid[0] and not invalid[1:].any()


def test_no_folder_and_a_folder_that_is_none_of_ours(tmp_path):
    assert message(tmp_path / "none").endswith(
        "none: is not a folder; give the folder that `stratune compare --out` wrote"
    )
    assert "has no split.json; give the folder" in message(tmp_path)


def test_no_result_yet(two_class):
    for result in two_class.glob("runs/*/result.json"):
        result.unlink()
    assert message(two_class).endswith("no run has a result yet; `stratune compare` goes on where it stopped")


def test_a_run_without_a_result_is_unfinished_not_an_error(two_class):
    for name in ("lora@x#9", "exp1"):
        (two_class / "runs" / name).mkdir()
    owned = owned_by_us(two_class)
    owned.files.add("runs/lora@x#9")
    owned.save()
    assert load(two_class).unfinished == ("lora@x#9",)  # the other is the user's


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        ("split.json", "{", "split.json: cannot be read (Expecting property name"),
        ("split.json", "{}", "split.json: has no 'task'"),
        ("config.yaml", "a: [", "config.yaml: not YAML (expected the node content"),
        ("config.yaml", "- 1", "config.yaml: expected keys and values, found list"),
        ("data.json", "", "data.json: cannot be read (Expecting value"),
        (
            f"{RUN}/result.json",
            '{"x": 1}',
            "result.json: has the field 'x', which this stratune does not know",
        ),
        (f"{RUN}/result.json", '{"strategy": "full", "seed": 0, "bac', "result.json: cannot be read ("),
        (f"{RUN}/result.json", '{"strategy": "full", "seed": "0"}', "result.json: seed is '0'"),
        (f"{RUN}/predictions.parquet", "PAR1", "predictions.parquet: not a Parquet file, or cut short ("),
        (
            "runs/lora@sentence-transformers--all-MiniLM-L6-v2#0/history.jsonl",
            "{\n{}\n",
            "history.jsonl:1: not a line",
        ),
    ],
)
def test_a_damaged_file_is_named(two_class, file, text, said):
    (two_class / file).write_text(text)
    assert said in message(two_class)


def test_a_history_cut_in_its_last_line_is_read_up_to_there(two_class):
    path = two_class / "runs/lora@sentence-transformers--all-MiniLM-L6-v2#0/history.jsonl"
    path.write_text(path.read_text()[:-20])
    lora = next(entry for entry in load(two_class).entries() if entry.strategy == "lora")
    assert len(lora.runs[0].history) == 39


def test_missing_files_are_named(two_class):
    (two_class / RUN / "predictions.parquet").unlink()
    assert (
        "predictions.parquet: not there; the same `stratune compare` command makes the run again"
        in message(two_class)
    )
    (two_class / "config.yaml").unlink()
    assert message(two_class).endswith("config.yaml: cannot be read (No such file or directory)")


def test_predictions_of_another_split_are_refused(two_class):
    split = json.loads((two_class / "split.json").read_text())
    split["parts"]["test"][0] = "other"
    (two_class / "split.json").write_text(json.dumps(split))
    assert "120 test rows that are not the 120 of split.json; run the comparison again" in message(two_class)
    split["fingerprint"] = "e" * 64
    (two_class / "split.json").write_text(json.dumps(split))
    assert "made on split ffffffffffff, but this comparison's is eeeeeeeeeeee" in message(two_class)


def test_a_missing_score_column_is_named(two_class):
    path = two_class / RUN / "predictions.parquet"
    table = pq.read_table(path)
    pq.write_table(table.drop_columns(["score_positive"]), path)
    assert "column 'score_positive' is not one of id, part, truth" in message(two_class)

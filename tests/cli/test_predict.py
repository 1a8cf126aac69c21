"""stratune predict: rows of every kind of file in, written whole, or refused before the work."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from stratune.cli import app
from stratune.errors import ConfigError, DataError
from stratune.testing import toy_split
from tests.helpers import trained

CASES = {
    "mixed.jsonl": '{"text": "the cat", "k": 1}\n{"text": "rain", "k": "two"}\n',
    "late.jsonl": '{"text": "the cat"}\n{"text": "rain", "late": [1]}\n',
    "without.jsonl": '{"text": "the cat"}\n{"k": 1}\n',
    "lines.json": '{"text": "the cat"}\n{"text": "rain"}\n',
    "semicolon.csv": "id;text\n1;the cat\n2;rain\n",
    "index.csv": ",text\n0,the cat\n1,rain\n",
    "bom.csv": "\ufefftext\nthe cat\nrain\n",
}


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STRATUNE_CACHE", str(tmp_path_factory.mktemp("cache")))
        folder = tmp_path_factory.mktemp("models") / "model"
        trained("majority", None, split=toy_split()).predictor.save(folder)
        return folder


def predict(model: Path, source: Path, out: Path, *options: str) -> object:
    return CliRunner().invoke(app, ["predict", str(model), str(source), "-o", str(out), *options])


def answered(path: Path) -> list[dict]:
    if path.suffix == ".parquet":
        return pq.read_table(path).to_pylist()
    if path.suffix == ".jsonl":
        return [json.loads(line) for line in path.read_text().splitlines()]
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
def test_every_input_goes_into_every_output(model, tmp_path, monkeypatch, name, suffix):
    monkeypatch.setattr("stratune.cli.predict.BATCH_ROWS", 1)
    (tmp_path / name).write_text(CASES[name])
    done = predict(model, tmp_path / name, tmp_path / f"out.{suffix}")
    assert done.exit_code == 0, done.exception
    rows = answered(tmp_path / f"out.{suffix}")
    assert len(rows) == 2 and rows[0]["text"] == "the cat" and all(row["prediction"] for row in rows)
    if name == "mixed.jsonl":
        assert [str(row["k"]) for row in rows] == ["1", "two"]


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
def test_maps_and_unsigned_numbers_of_parquet_are_written(model, tmp_path, suffix):
    columns = {
        "text": ["the cat", "rain"],
        "map": pa.array([[("a", 1)], None], pa.map_(pa.string(), pa.int64())),
        "big": pa.array([2**63 + 1, None], pa.uint64()),
    }
    pq.write_table(pa.table(columns), tmp_path / "in.parquet")
    done = predict(model, tmp_path / "in.parquet", tmp_path / f"out.{suffix}")
    assert done.exit_code == 0, done.exception
    first = answered(tmp_path / f"out.{suffix}")[0]
    assert str(first["big"]) == str(2**63 + 1)
    assert first["map"] == {"csv": '[["a", 1]]', "jsonl": [["a", 1]], "parquet": [("a", 1)]}[suffix]


WRONG = [
    ("a.csv", "text\nok\n\"never ends\n", [], DataError, "never ends: its closing quote is missing"),
    ("a.jsonl", '{"text": "ok"}\n{"text"\n', [], DataError, "a.jsonl:2: invalid JSON"),
    ("a.csv", "text,prediction\nok,1\n", [], ConfigError, "has a column 'prediction' already"),
    ("a.csv", "text,score_animal\nok,1\n", [], ConfigError, "has a column 'score_animal' already"),
    ("a.csv", "text\nok\n", ["--encoding", "hex"], ConfigError, "'hex' is no text encoding"),
    ("a.csv", "text\nok\n", ["--delimiter", "ab"], ConfigError, "'ab' is not one character"),
    ("a.jsonl", '{"text": 3}\n', [], DataError, "a.jsonl:1: column 'text': expected text, found '3'"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "content", "options", "kind", "message"), WRONG)
def test_wrong_input_is_said_before_anything_is_predicted(
    model, tmp_path, monkeypatch, name, content, options, kind, message
):
    def never(*_: object) -> None:
        raise AssertionError("the model was asked")

    monkeypatch.setattr("stratune.model.baseline.BaselineModel.__call__", never)
    (tmp_path / name).write_text(content)
    done = predict(model, tmp_path / name, tmp_path / "out.csv", *options)
    assert isinstance(done.exception, kind) and message in str(done.exception)
    assert [path.name for path in tmp_path.iterdir() if path.name != "cache"] == [name]


def test_safe_csv_is_for_spreadsheets(model, tmp_path):
    (tmp_path / "a.csv").write_text("text,n\n=1+1,-5\n")
    predict(model, tmp_path / "a.csv", tmp_path / "plain.csv")
    predict(model, tmp_path / "a.csv", tmp_path / "safe.csv", "--safe-csv")
    assert [answered(tmp_path / f"{name}.csv")[0]["text"] for name in ("plain", "safe")] == ["=1+1", "'=1+1"]
    assert answered(tmp_path / "safe.csv")[0]["n"] == "-5"
    done = predict(model, tmp_path / "a.csv", tmp_path / "safe.parquet", "--safe-csv")
    assert str(done.exception) == "--safe-csv: the output is parquet, not csv"


def test_named_encoding_and_delimiter(model, tmp_path):
    (tmp_path / "a.csv").write_bytes("text#k\nthé#1\n".encode("utf-16"))
    done = predict(
        model, tmp_path / "a.csv", tmp_path / "out.csv", "--encoding", "utf-16", "--delimiter", "#"
    )
    assert done.exit_code == 0 and answered(tmp_path / "out.csv")[0]["text"] == "thé"

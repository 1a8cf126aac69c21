"""Writing: whole or not at all, and what is written reads back the same."""

from __future__ import annotations

import io
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stratune.data.read import iter_batches
from stratune.data.write import open_writer
from stratune.errors import DataError

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=30) | st.sampled_from(
    ['"', '""', "a,b", "\n", "\r", "\r\n", " ", "\ufeff", "\x00", "é\u0301", "\u2028", "a\tb", "'", "\\n"]
)


@pytest.mark.parametrize("format", ["csv", "jsonl", "parquet"])
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.tuples(texts, texts), min_size=1, max_size=8), size=st.integers(1, 5))
def test_what_is_written_reads_back(tmp_path, format, rows, size):
    path = tmp_path / f"out.{format}"
    with open_writer(path) as writer:
        for start in range(0, len(rows), size):
            first, second = zip(*rows[start : start + size], strict=True)
            writer.write({"a": list(first), "ü b": list(second)})
    batches = list(iter_batches(path, rows=3))
    assert [row for batch in batches for row in zip(batch["a"], batch["ü b"], strict=True)] == rows


def test_nothing_is_left_after_an_error_and_the_old_file_stays(tmp_path):
    path = tmp_path / "out.csv"
    path.write_text("old")
    with pytest.raises(RuntimeError, match="boom"), open_writer(path) as writer:
        writer.write({"a": ["x"]})
        raise RuntimeError("boom")
    assert path.read_text() == "old" and [file.name for file in tmp_path.iterdir()] == ["out.csv"]


def test_values_of_other_types(tmp_path):
    batch = {
        "f": [0.1, float("nan"), 1.0],
        "i": [1, None, 3],
        "l": [[1], None, {"a": "é"}],
        "b": [True, False, None],
    }
    with open_writer(tmp_path / "a.csv") as writer:
        writer.write(batch)
    with open_writer(tmp_path / "a.jsonl") as writer:
        writer.write(batch)
    assert (tmp_path / "a.csv").read_text() == 'f,i,l,b\n0.1,1,[1],True\n,,,False\n1.0,3,"{""a"": ""é""}",\n'
    assert '{"f": null, "i": null, "l": null, "b": false}' in (tmp_path / "a.jsonl").read_text()


def test_half_a_character_survives_json_lines(tmp_path):
    with open_writer(tmp_path / "a.jsonl") as writer:
        writer.write({"a": ["x\ud800"]})
    assert list(iter_batches(tmp_path / "a.jsonl")) == [{"a": ["x\ud800"]}]


@pytest.mark.parametrize("format", ["csv", "jsonl"])
def test_standard_output(monkeypatch, format):
    out = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(out))
    with open_writer("-", format) as writer:
        writer.write({"a": ["é"]})
    assert out.getvalue().decode() == {"csv": "a\né\n", "jsonl": '{"a": "é"}\n'}[format]


def test_parquet_types_come_from_the_first_batch(tmp_path):
    with open_writer(tmp_path / "a.parquet") as writer:
        writer.write({"n": [1], "empty": [None]})
        writer.write({"n": [None], "empty": ["x"]})
    assert list(iter_batches(tmp_path / "a.parquet")) == [{"n": [1, None], "empty": [None, "x"]}]
    with (
        pytest.raises(
            DataError, match="column 'n': holds values that are not int64, the type of its first rows"
        ),
        open_writer(tmp_path / "b.parquet") as writer,
    ):
        writer.write({"n": [1]})
        writer.write({"n": ["x"]})
    assert not (tmp_path / "b.parquet").exists()


def test_targets_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    for path, message in [
        (tmp_path / "a.xlsx", "output format 'xlsx' is not one of csv, jsonl, parquet"),
        (tmp_path / "file" / "a.csv", "is a file, not a folder"),
    ]:
        with pytest.raises(DataError, match=message), open_writer(path):
            pass
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(DataError, match="is a folder, not a file"), open_writer(tmp_path / "folder.csv"):
        pass


def test_a_column_that_appears_late(tmp_path):
    with (
        pytest.raises(DataError, match="column 'b': appears after"),
        open_writer(tmp_path / "a.csv") as writer,
    ):
        writer.write({"a": ["x"]})
        writer.write({"a": ["y"], "b": ["z"]})
    assert list(tmp_path.iterdir()) == []

"""Writing: whole or not at all, and what is written reads back the same."""

from __future__ import annotations

import datetime
import io
import json
import sys
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stratune.data.layout import column_types
from stratune.data.read import iter_batches
from stratune.data.write import open_writer, safe_cell
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


def test_types_of_the_whole_file_are_known_before_the_first_row_is_written(tmp_path):
    """Numbers and words in one column, a column that appears late, and numbers above 2**63."""
    rows = [{"k": 1, "big": 2**63 + 1}, {"k": "two", "big": 5}, {"k": 2.5, "late": [1]}]
    path = tmp_path / "in.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in rows))
    types = column_types(str(path), rows=1)
    expected = {
        "k": ["1", "two", "2.5"],
        "big": ["9223372036854775809", "5", None],
        "late": [None, None, [1]],
    }
    for suffix in ("parquet", "csv"):
        with open_writer(tmp_path / f"out.{suffix}", types=types) as writer:
            for batch in iter_batches(path, rows=1):
                writer.write(batch)
    assert pq.read_table(tmp_path / "out.parquet").to_pydict() == expected
    assert (tmp_path / "out.csv").read_text() == "k,big,late\n1,9223372036854775809,\ntwo,5,\n2.5,,[1]\n"


def test_parquet_goes_in_and_out_with_its_types(tmp_path):
    columns = {
        "map": pa.array([[("k", 1)], None], pa.map_(pa.string(), pa.int64())),
        "unsigned": pa.array([2**64 - 1, None], pa.uint64()),
        "decimal": pa.array([Decimal("1.50"), None]),
        "duration": pa.array([datetime.timedelta(seconds=3), None]),
        "struct": pa.array([{"q": [1]}, None]),
    }
    pq.write_table(pa.table(columns), tmp_path / "in.parquet")
    with open_writer(tmp_path / "out.parquet", types=column_types(str(tmp_path / "in.parquet"))) as writer:
        for batch in iter_batches(tmp_path / "in.parquet", rows=1):
            writer.write(batch)
    assert pq.read_table(tmp_path / "out.parquet").equals(pa.table(columns))
    with open_writer(tmp_path / "out.jsonl") as writer:
        writer.write(next(iter_batches(tmp_path / "in.parquet", rows=1)))
    assert json.loads((tmp_path / "out.jsonl").read_text())["decimal"] == "1.50"


def test_mixed_values_without_known_types_are_text(tmp_path):
    with open_writer(tmp_path / "a.parquet") as writer:
        writer.write({"k": [1, "two"], "m": [[("a", 1)], None]})
    assert pq.read_table(tmp_path / "a.parquet").to_pydict() == {"k": ["1", "two"], "m": ['[["a", 1]]', None]}


FORMULAS = ["=1+1", "+44 20", "-x", "@sum", "\tx", "＝1", "-5", "+3.2", "-1e5", "a=b", ""]


def test_formulas_become_text_for_spreadsheets(tmp_path):
    """Text cells only: numbers stay numbers, also those that a file has as text."""
    escaped = ["'=1+1", "'+44 20", "'-x", "'@sum", "'\tx", "'＝1", "-5", "+3.2", "-1e5", "a=b", ""]
    assert [safe_cell(text) for text in FORMULAS] == escaped
    with open_writer(tmp_path / "a.csv", safe=True) as writer:
        writer.write({"=t": FORMULAS, "n": [-1, -0.5, *[None] * 9]})
    [batch] = iter_batches(tmp_path / "a.csv")
    assert batch["'=t"] == escaped and batch["n"][:2] == ["-1", "-0.5"]


def test_json_lines_hold_no_nan(tmp_path):
    with open_writer(tmp_path / "a.jsonl") as writer:
        writer.write({"a": [[float("nan"), {"b": float("inf")}]], "c": [b"x"]})
    assert (tmp_path / "a.jsonl").read_text() == '{"a": [null, {"b": null}], "c": "x"}\n'


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

"""Reading: each format gives the same table; a damaged file gives one line with its place."""

from __future__ import annotations

import datetime
import io
import json
import sys
import time
from decimal import Decimal
from pathlib import Path

import datasets
import numpy as np
import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from datasets import ClassLabel, Dataset, DatasetDict, Features, Value
from datasets.exceptions import DatasetNotFoundError

from stratune.data.columns import canonical
from stratune.data.read import iter_batches, read, read_tables, row_of
from stratune.data.write import open_writer
from stratune.errors import ConfigError, DataError
from stratune.task import Task

RECORDS = [
    {"text": 'He said "no",\nthen left', "label": "neg"},
    {"text": "çà et là \U0001f600\ttab", "label": "pos"},
    {"text": "", "label": "pos"},
]
COLUMNS = {"text": [r["text"] for r in RECORDS], "label": [r["label"] for r in RECORDS]}


def written(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.json", "a.jsonl", "a.ndjson", "a.parquet"])
def test_every_format_reads_to_the_same_table(tmp_path, name):
    path, frame = tmp_path / name, pd.DataFrame(RECORDS)
    if name.endswith("json") and not name.endswith("ndjson"):
        path.write_text(json.dumps(RECORDS))
    elif name.endswith("tsv"):
        frame.to_csv(path, sep="\t", index=False)
    else:
        with open_writer(path) as writer:
            writer.write(COLUMNS)
    assert read(path).to_dict() == COLUMNS
    assert list(iter_batches(path, rows=2)) == [
        {k: v[:2] for k, v in COLUMNS.items()},
        {k: v[2:] for k, v in COLUMNS.items()},
    ]


@pytest.mark.parametrize(
    "source",
    [RECORDS, COLUMNS, pd.DataFrame(RECORDS), Dataset.from_dict(COLUMNS)],
    ids=lambda s: type(s).__name__,
)
def test_python_objects_read_to_the_same_table(source):
    assert read(source).to_dict() == COLUMNS
    assert sum(len(batch["text"]) for batch in iter_batches(source, rows=2)) == 3


@pytest.mark.parametrize("start", [b"", b"\xef\xbb\xbf"], ids=["plain", "bom"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=["unix", "windows", "old mac"])
def test_csv_with_any_line_end_and_byte_order_mark(tmp_path, start, end):
    path = written(tmp_path / "a.csv", start + f"text,label{end}é,x{end}{end}b,y{end}".encode())
    assert read(path).to_dict() == {"text": ["é", "b"], "label": ["x", "y"]}


def test_named_encoding(tmp_path):
    path = written(tmp_path / "a.csv", "text,label\ncafé,x\nthé,y\n".encode("utf-16"))
    assert read(path, encoding="utf-16")["text"][:] == ["café", "thé"]
    with pytest.raises(ConfigError, match="encoding: 'utf-88' is not a known text encoding"):
        read(path, encoding="utf-88")
    with pytest.raises(ConfigError, match="encoding: 'hex' is not a known text encoding"):
        read(path, encoding="hex")


def test_tsv_keeps_bare_quotes_as_text(tmp_path):
    path = written(tmp_path / "a.tsv", 'text\tlabel\n"Yes, he said\t1\nno "quotes"\t0\n')
    assert read(path)["text"][:] == ['"Yes, he said', 'no "quotes"']


def test_a_field_longer_than_the_csv_default_limit(tmp_path):
    path = written(tmp_path / "a.csv", "text,label\n" + "word " * 100_000 + ",x\n")
    assert len(read(path)["text"][0]) == 500_000


DAMAGED = [
    ("a.csv", b"", "is empty (0 bytes)"),
    ("a.csv", b"\n\n", "holds nothing but blank lines"),
    ("a.csv", b"text,label\n", "has no rows"),
    ("a.txt", b"x", "file type '.txt' is not one of .csv, .tsv, .json, .jsonl, .ndjson, .parquet, .xlsx"),
    ("a.csv", b"text,label\na,b\na,b,c\n", ":3: expected 2 columns (text, label), found 3; a text with the separator in it needs quotes (--delimiter"),
    ("a.csv", b'text,label\n"a\nb",x\n\nc\n', ":5: expected 2 columns (text, label), found 1"),
    ("a.tsv", b"text\tlabel\na\tb\na\n", ":3: expected 2 columns (text, label), found 1"),
    ("a.csv", b'text,label\na,b\n"a,b\nc,d\n', ":3: a quoted text starts in this row and never ends"),
    ("a.csv", b'text,label\n"a"b,c\n', ":2: text follows a closing quote"),
    ("a.csv", b"text,text\na,b\n", ":1: column 'text': two columns have this name (1 and 2)"),
    ("a.csv", b"text,,label\na,b,c\n", ":1: column 2 has no name"),
    ("a.csv", b"text,label\nok,x\ncaf\xe9,y\n", ":3: byte 0xe9 (number 20 of the file) is not UTF-8; the file looks like cp1252: save it as UTF-8 or name it with --encoding cp1252"),  # noqa: E501
    ("a.csv", b"text,label\n\x81\xe9,y\n", "looks like latin-1"),
    ("a.csv", "text,label\né,y\n".encode("utf-16"), ":1: byte 0xff (number 1 of the file) is not UTF-8; the file looks like utf-16"),  # noqa: E501
    ("a.jsonl", "{\"text\": \"é\"}".encode("latin-1"), ":1: byte 0xe9"),
    ("a.json", b"[{\"text\": \"a\"},\n {\"text\" 1}]", ":2: invalid JSON at character 10: Expecting ':'"),
    ("a.json", b"{\"text\": []}", "expected an array of objects ([{...}, ...]), found an object"),
    ("a.json", b"[{\"text\": \"a\"}, 3]", ":2: expected an object ({...}), found a number"),
    ("a.json", b"[]", "has no rows"),
    ("a.json", b"[" * 100_000, "JSON that cannot be read"),
    ("a.jsonl", b"{\"text\": \"a\"}\n\n{\"text\"\n", ":3: invalid JSON at character"),
    ("a.jsonl", b"{\"text\": \"a\"}\n[1]\n", ":2: expected an object ({...}) on every line, found an array"),
    ("a.jsonl", b"{\"text\": \"\\ud800\"}\n", "column 'text': record 1 holds half a character"),
    ("a.jsonl", b"{\"te\\ud800xt\": \"a\"}\n", "the name of column 'te\\ud800xt' holds half a character"),
    ("a.jsonl", b"{\"text\": \"a\", \"n\": 1}\n{\"text\": \"a\", \"n\": \"\\ud800\"}\n", "column 'n': record 2 holds half"),
    ("a.csv", "text,label\na,b\n".encode("utf-16-le"), "holds NUL bytes: if it is UTF-16, name the encoding (--encoding utf-16)"),
    ("a.parquet", b"PAR1 and then nonsense", "cannot be read as parquet: "),
    ("a.xlsx", b"PK\3\4 and then nonsense", "cannot be read as an Excel workbook: "),
]  # fmt: skip


@pytest.mark.parametrize(("name", "content", "message"), DAMAGED)
def test_a_damaged_file_is_one_clear_line(tmp_path, name, content, message):
    path = written(tmp_path / name, content)
    with pytest.raises(DataError) as caught:
        read(path)
    assert str(caught.value).startswith(str(path)) and message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_file_suggests_its_neighbours(tmp_path):
    written(tmp_path / "reviews.csv", "text,label\n")
    with pytest.raises(DataError, match=r"reveiws.csv: no such file \(did you mean 'reviews.csv'\?\)"):
        read(tmp_path / "reveiws.csv")
    with pytest.raises(DataError, match=r"no such file \(there is no folder .*nowhere either\)"):
        read(tmp_path / "nowhere" / "a.csv")
    with pytest.raises(DataError, match="is a folder, not a file"):
        read(tmp_path)


@pytest.mark.parametrize("name", ["a.csv", "a.parquet"])
def test_permission_denied_by_the_system(tmp_path, name, monkeypatch):
    path = written(tmp_path / name, "text,label\na,b\n")

    def refuse(*args: object, **options: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    monkeypatch.setattr("stratune.data.parquet.pq.ParquetFile", refuse)
    with pytest.raises(DataError, match="no permission to read it"):
        read(path)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (3, "int: cannot be read as data: give a path, a DataFrame"),
        ([], "list of records: has no rows"),
        ({"text": "one", "label": "x"}, "dict: column 'text': expected a column of values, found str"),
        ({"text": ["a", "b"], "label": ["x"]}, "dict: columns differ in length: text 2, label 1"),
        ([{"a": 1}, 2], "list of records:2: expected a dict with names as keys"),
        (pd.DataFrame({"a": []}), "DataFrame: has no rows"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), "DataFrame: column 'a': two columns have this name"),
    ],
)
def test_objects_that_are_no_data(source, message):
    with pytest.raises(DataError) as caught:
        read(source)
    assert message in str(caught.value)


def test_mixed_types_become_text_and_missing_stays_missing():
    table = read([{"x": 1}, {"x": "a", "y": [1]}, {"x": None}, {"x": 2.0}])
    assert table.to_dict() == {"x": ["1", "a", None, "2"], "y": [None, [1], None, None]}


def test_types_that_differ_between_batches(tmp_path, monkeypatch):
    monkeypatch.setattr("stratune.data.read.ROWS", 1)
    rows = [{"n": None}, {"n": 1, "s": 1}, {"n": 2.5, "s": "x"}, {"late": True}]
    path = written(tmp_path / "a.jsonl", "\n".join(json.dumps(row) for row in rows))
    expected = {"n": [None, 1.0, 2.5, None], "s": [None, "1", "x", None], "late": [None, None, None, True]}
    assert read(path).to_dict() == expected


def test_row_of_counts_lines_where_cells_hold_line_breaks(tmp_path):
    csv = written(tmp_path / "a.csv", 'text,label\n"one\ntwo",x\n\n"three",y\n')
    assert [row_of(csv, 0), row_of(csv, 1), row_of(csv, 99)] == [2, 5, 100]
    jsonl = written(tmp_path / "a.jsonl", '{"a": 1}\n\n{"a": 2}\n')
    assert [row_of(jsonl, 0), row_of(jsonl, 1)] == [1, 3]
    assert row_of("DataFrame", 4) == 5


@pytest.mark.parametrize(("content", "format"), [(b"text,label\na,b\n", None), (b'\xef\xbb\xbf \n{"text": "a", "label": "b"}', None), (b"{text,label\na,b\n", "csv")])  # noqa: E501  # fmt: skip
def test_standard_input(monkeypatch, content, format):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
    [batch] = iter_batches("-", format=format)
    assert [values[0] for values in batch.values()] == ["a", "b"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "standard input: is empty"),
        (b"text\n", "standard input: has no rows"),
        (b"text,label\n\xff,b\n", "standard input: byte 0xff is not UTF-8"),
        (b"text,label\na\n", "standard input:2: expected 2 columns"),
    ],
)
def test_wrong_standard_input(monkeypatch, content, message):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
    with pytest.raises(DataError) as caught:
        list(iter_batches("-"))
    assert message in str(caught.value)


def test_unknown_format_for_standard_input(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"x")))
    with pytest.raises(ConfigError, match="format: 'xml' is not one of csv, jsonl"):
        list(iter_batches("-", format="xml"))


def hub_table(labels: list[int]) -> Dataset:
    features = Features({"text": Value("string"), "label": ClassLabel(names=["no", "yes"])})
    return Dataset.from_dict({"text": ["t"] * len(labels), "label": labels}, features=features)


def test_hub_splits_become_own_parts_and_hidden_labels_are_left_out(monkeypatch):
    asked = []

    def load(name: str, config: str | None) -> DatasetDict:
        asked.append((name, config))
        if config is None:
            raise DatasetNotFoundError("no such dataset")
        return DatasetDict(
            train=hub_table([0, 1]),
            validation=hub_table([1]),
            test=hub_table([-1, -1]),
            unsupervised=hub_table([-1]),
        )

    monkeypatch.setattr(datasets, "load_dataset", load)
    tables = read_tables("hub:glue/sst2")
    assert asked == [("glue/sst2", None), ("glue", "sst2")]
    assert (len(tables.train), len(tables.val or []), tables.test) == (2, 1, None)


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (DatasetNotFoundError("gone"), "hub:a/b/c: could not be reached on the hub (tried a/b)"),
        (
            ValueError("BuilderConfig 'c' not found.\nAvailable: ['d']"),
            "hub:a/b/c: could not be loaded: BuilderConfig 'c'",
        ),
        (ConnectionError("no network"), "hub:a/b/c: could not be loaded: no network"),
    ],
)
def test_a_hub_dataset_that_cannot_be_had(monkeypatch, error, message):
    def load(name: str, config: str | None) -> DatasetDict:
        raise error

    monkeypatch.setattr(datasets, "load_dataset", load)
    with pytest.raises(DataError) as caught:
        read("hub:a/b/c")
    assert message in str(caught.value)


@pytest.mark.parametrize("encoding", ["utf-8", "UTF8", "utf-8-sig", None])
def test_a_byte_order_mark_is_no_part_of_the_first_name(tmp_path, encoding):
    path = written(tmp_path / "a.csv", b'\xef\xbb\xbf"text",label\na,b\n')
    assert read(path, encoding=encoding).column_names == ["text", "label"]


@pytest.mark.parametrize(
    "codec, named", [("utf-16", "utf-16"), ("utf-16", "utf-16-le"), ("utf-16-le", "utf-16-le")]
)
def test_utf_16_with_and_without_its_mark(tmp_path, codec, named):
    path = written(tmp_path / "a.csv", '"text",label\né,b\n'.encode(codec))
    assert read(path, encoding=named).to_dict() == {"text": ["é"], "label": ["b"]}


SPREADSHEETS = [
    ("text,label,\na,x,\nb,y,\n", ["text", "label"]),  # a comma ends every line
    ("text,label\na,x,\nb,y,,\n", ["text", "label"]),
    ("text,label,,\na,x\nb,y,\n", ["text", "label"]),
    (",text,label\n0,a,x\n1,b,y\n", ["Unnamed: 0", "text", "label"]),  # pandas' index
    ("Unnamed: 0,text,label\n0,a,x\n1,b,y\n", ["Unnamed: 0", "text", "label"]),
    ("text;label\na;x\nb;y\n", ["text", "label"]),
    ('text;label\n"a";x\n"b";y\n', ["text", "label"]),
    ("text\tlabel\na\tx\nb\ty\n", ["text", "label"]),
    ("text|label\na|x\nb|y\n", ["text", "label"]),
    ("text;label;\na;x;\nb;y;\n", ["text", "label"]),
]


@pytest.mark.parametrize(("content", "columns"), SPREADSHEETS)
def test_what_other_programs_write_is_read(tmp_path, content, columns):
    table = read(written(tmp_path / "a.csv", content))
    assert table.column_names == columns
    assert table["text"][:] == ["a", "b"] and table["label"][:] == ["x", "y"]


def test_a_delimiter_that_was_found_out_is_noted(tmp_path):
    path = written(
        tmp_path / "a.csv", "text;label\none, two;x\nthree; four, five;y\n".replace("three; ", "three ")
    )
    tables = read_tables(path)
    assert tables.train["text"][:] == ["one, two", "three four, five"]
    assert tables.notes == (f"{path}: columns are separated by ';'",)
    assert row_of(path, 1) == 3


@pytest.mark.parametrize("named", ["#", "tab", "\\t"])
def test_a_named_delimiter(tmp_path, named):
    mark = "#" if named == "#" else "\t"
    path = written(tmp_path / "a.csv", f"te,xt{mark}label\na,b{mark}x\n")
    assert read(path, delimiter=named).to_dict() == {"te,xt": ["a,b"], "label": ["x"]}


@pytest.mark.parametrize("named", ["", ",,", "a", '"', "\n"])
def test_a_delimiter_that_is_none(tmp_path, named):
    with pytest.raises(ConfigError, match="delimiter: .* is not one character such as"):
        read(written(tmp_path / "a.csv", "text,label\na,b\n"), delimiter=named)


def test_texts_of_one_column_are_not_taken_apart(tmp_path):
    path = written(tmp_path / "a.csv", "text\none; two\nthree | four\n")
    assert read(path)["text"][:] == ["one; two", "three | four"]


def test_json_lines_and_arrays_under_each_other_s_name(tmp_path):
    lines, array = '{"text": "a"}\n{"text": "b"}\n', '[{"text": "a"},\n {"text": "b"}]'
    for name, content in [("a.json", lines), ("a.jsonl", array), ("b.json", array), ("b.jsonl", lines)]:
        assert read(written(tmp_path / name, content))["text"][:] == ["a", "b"]
    with pytest.raises(DataError, match=":2: invalid JSON at character"):
        read(written(tmp_path / "c.json", '{"text": "a"}\n{"text"\n'))


def test_forty_thousand_columns_are_read_in_seconds(tmp_path):
    names = [f"c{i}" for i in range(40_000)]
    row = ",".join("1" for _ in names)
    path = written(tmp_path / "a.csv", f"text,{','.join(names)}\na,{row}\nb,{row}\n")
    started = time.process_time()
    [batch] = iter_batches(path)
    assert len(batch) == 40_001 and time.process_time() - started < 2


def test_parquet_of_every_type_is_read(tmp_path):
    columns = {
        "text": ["a", "b"],
        "map": pa.array([[("k", 1)], None], pa.map_(pa.string(), pa.int64())),
        "struct": [{"q": 1}, None],
        "decimal": [Decimal("1.50"), None],
        "duration": [datetime.timedelta(seconds=3), None],
        "unsigned": pa.array([2**63 + 1, None], pa.uint64()),
        "label": pa.array(["x", "y"]).dictionary_encode(),
    }
    pq.write_table(pa.table(columns), tmp_path / "a.parquet")
    table = read(tmp_path / "a.parquet")
    assert table["text"][:] == ["a", "b"] and table["unsigned"][0] == 2**63 + 1
    assert table["map"][:] == ['[["k", 1]]', None]
    assert canonical(table, Task(), "t")["label"][:] == ["x", "y"]


def test_parquet_with_text_that_is_not_utf_8(tmp_path):
    offsets = np.array([0, 2, 4], np.int32).tobytes()
    broken = pa.Array.from_buffers(pa.string(), 2, [None, pa.py_buffer(offsets), pa.py_buffer(b"\xff\xfeab")])
    pq.write_table(pa.table({"text": broken}), tmp_path / "a.parquet")
    for reading in (read, lambda path: list(iter_batches(path))):
        with pytest.raises(DataError, match="a.parquet: cannot be read as parquet: .*UTF8"):
            reading(tmp_path / "a.parquet")


def test_nested_deeply_is_one_line(tmp_path):
    path = written(tmp_path / "a.jsonl", '{"text": "a", "k": ' + "[" * 500 + "]" * 500 + "}\n")
    for reading in (read, lambda path: list(iter_batches(path))):
        with pytest.raises(DataError, match="a.jsonl:1: JSON that is nested more than 100 deep"):
            reading(path)


def test_huge_whole_numbers_are_kept(tmp_path, monkeypatch):
    monkeypatch.setattr("stratune.data.read.ROWS", 1)
    numbers = [10**30, 2**63 + 1, -1, 2**53 + 1, 0.5]
    path = written(tmp_path / "a.jsonl", "\n".join(json.dumps({"n": number}) for number in numbers))
    assert read(path)["n"][:] == [str(number) for number in numbers]
    path = written(tmp_path / "b.jsonl", '{"n": 9007199254740993}\n{"n": 0.5}\n')
    assert read(path)["n"][:] == ["9007199254740993", "0.5"]


@pytest.fixture
def workbook(tmp_path):
    """`workbook(rows)` is the path of a workbook with these rows on its first sheet."""

    def build(rows):
        book = openpyxl.Workbook()
        for row in rows:
            book.active.append(row)
        book.create_sheet("other").append(["not", "read"])
        book.save(tmp_path / "a.xlsx")
        return tmp_path / "a.xlsx"

    return build


def test_excel_workbooks(workbook):
    day = datetime.date(2026, 3, 1)
    path = workbook([["text", "label", "n", "day"], ["a", "x", 1, day], [], ["b", None, 2.5, None]])
    assert read(path).to_dict() == {
        "text": ["a", "b"], "label": ["x", None], "n": [1.0, 2.5], "day": ["2026-03-01T00:00:00", None],
    }  # fmt: skip
    assert read(workbook([[None, "text", None], [0, "a"], [1, "b"]])).column_names == ["Unnamed: 0", "text"]


def test_excel_workbooks_that_are_no_table(workbook, monkeypatch):
    with pytest.raises(DataError, match="a.xlsx:2: a cell stands in a column without a name"):
        read(workbook([["text", "label"], ["a", "x", "more"]]))
    with pytest.raises(DataError, match="a.xlsx: has no rows"):
        read(workbook([["text", "label"]]))
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    with pytest.raises(
        DataError, match=r"a.xlsx: reading .xlsx needs openpyxl: pip install 'stratune\[xlsx\]', or save"
    ):
        read(workbook([["text"], ["a"]]))


def test_a_hub_dataset_without_a_name():
    with pytest.raises(DataError, match="hub:: names no dataset: hub:name, hub:owner/name or"):
        read("hub:")

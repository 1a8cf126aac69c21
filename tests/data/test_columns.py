"""canonical(): labels by name, and every wrong value with its file, row and column."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from datasets import ClassLabel, Dataset, Features, List, Value

from stratune.data.columns import canonical, part_column
from stratune.data.labels import infer_labels
from stratune.data.read import read
from stratune.errors import DataError
from stratune.task import Task

NAMED = Task(labels=("negative", "positive"))


def raw(**columns: list[object]) -> Dataset:
    return read(dict(columns))


def test_all_columns_become_strings_under_our_names():
    table = raw(i=[7, 8], a=["x", None], b=["y", ""], y=[1, 0], g=[1.0, 2.5], extra=[0, 0])
    task = Task(text="a", text_pair="b", label="y", group="g", id="i")
    assert canonical(table, task, "t").to_dict() == {
        "id": ["7", "8"],
        "text": ["x", ""],
        "text_pair": ["y", ""],
        "label": ["1", "0"],
        "group": ["1", "2.5"],
    }


@pytest.mark.parametrize(
    ("values", "names"),
    [
        ([1, 0], ["1", "0"]),
        ([1.0, 0.5], ["1", "0.5"]),
        ([True, False], ["True", "False"]),
        ([" a", "b "], [" a", "b "]),
        (pd.Categorical(["u", "v"]), ["u", "v"]),
        ([1, "x"], ["1", "x"]),
        ([b"good", b"bad"], ["good", "bad"]),
        ([Decimal("1.0"), Decimal("0.5")], ["1", "0.5"]),
    ],
)
def test_a_label_is_its_name(values, names):
    table = read(pd.DataFrame({"text": ["s", "t"], "label": values}))
    assert canonical(table, Task(), "t")["label"][:] == names


def test_hub_labels_are_their_class_names():
    features = Features({"text": Value("string"), "label": ClassLabel(names=["no", "yes"])})
    table = Dataset.from_dict({"text": ["a", "b", "c"], "label": [1, 0, -1]}, features=features)
    assert canonical(table.select([0, 1]), Task(), "t")["label"][:] == ["yes", "no"]
    with pytest.raises(DataError, match="t:3: column 'label': this row has no label"):
        canonical(table, Task(), "t")


def test_a_selection_of_a_dataset_is_respected():
    table = Dataset.from_dict({"text": ["a", "b", "c"], "label": ["x", "y", "z"]}).select([2, 0])
    assert canonical(table, Task(), "t").to_dict() == {
        "id": ["1", "2"],
        "text": ["c", "a"],
        "label": ["z", "x"],
    }


def test_prediction_input_needs_neither_label_nor_group():
    table = canonical(
        raw(text=["a", "b"]), Task(group="film"), "t", labelled=False, first=4096, id_prefix="p"
    )
    assert table.to_dict() == {"id": ["p4097", "p4098"], "text": ["a", "b"]}


WRONG = [
    ("body,label\na,x\n", Task(), "no such column: 'text' is not one of body, label"),
    ("texts,label\na,x\n", Task(), "(did you mean 'texts'?)"),
    ("text label;x\na;x,y\n", Task(), "is not one of text label, x"),
    ('text,label\n"a\nb",x\n\nc,\n', Task(), ":5: column 'label': this row has no label"),
    ("text,label\na,positive\nb,postive\n", NAMED,
     ":3: column 'label': 'postive' is not one of negative, positive (did you mean 'positive'?)"),
    ("text,label,g\na,x,1\nb,y,\n", Task(group="g"), ":3: column 'g': this row has no group"),
    ("text,label,i\na,x,1\nb,y,\n", Task(id="i"), ":3: column 'i': this row has no id"),
    ("text,label,i\na,x,1\nb,y,2\nc,y,1\n", Task(id="i"), ":4: column 'i': the id '1' is already in row 2"),
]  # fmt: skip


@pytest.mark.parametrize(("content", "task", "message"), WRONG)
def test_a_wrong_cell_is_named_by_its_line(tmp_path, content, task, message):
    path = tmp_path / "a.csv"
    path.write_text(content)
    with pytest.raises(DataError) as caught:
        canonical(read(path), task, path)
    assert str(caught.value).startswith(str(path)) and message in str(caught.value)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"text": [None, 3.5], "label": [1, 2]}, "t:2: column 'text': expected text, found '3.5' (double)"),
        (
            {"text": [["a"], ["b"]], "label": [1, 2]},
            "t:1: column 'text': expected text, found '[\"a\"]' (list<",
        ),
        ({"text": ["a", "b"], "label": [1.0, float("nan")]}, "t:2: column 'label': this row has no label"),
        ({"text": ["a", "b"], "label": [None, None]}, "t:1: column 'label': this row has no label"),
        (
            {"text": ["a", "b"], "label": [[1], [2]]},
            "t:1: column 'label': expected one value a row, found list<",
        ),
    ],
)
def test_wrong_values_of_typed_tables(columns, message):
    with pytest.raises(DataError) as caught:
        canonical(raw(**columns), Task(), "t")
    assert message in str(caught.value)


def test_rows_of_a_batch_are_counted_from_the_start_of_the_stream(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("text,label\na,x\nb,y\nc,\n")
    with pytest.raises(DataError, match=":4: column 'label': this row has no label"):
        canonical(raw(text=["c"], label=[""]), Task(), path, first=2)


@pytest.mark.parametrize(
    ("labels", "expected"),
    [("b a b", ("a", "b")), ("10 9 1", ("1", "9", "10")), ("10 9 x", ("10", "9", "x"))],
)
def test_labels_are_sorted_as_numbers_when_they_are_numbers(labels, expected):
    names = labels.split()
    table = canonical(raw(text=names, label=names), Task(), "t")
    assert infer_labels([table, table], Task()) == expected


def test_one_label_is_not_enough():
    table = canonical(raw(text=["a", "b"], label=[1, 1]), Task(), "t")
    with pytest.raises(DataError, match="a.csv: only one label, '1': a classifier needs at least two"):
        infer_labels([table], Task(), "a.csv")


def test_part_column():
    table = raw(part=["train", "DEV", "validation", "test "])
    assert part_column(table, "part", "t") == ["train", "val", "val", "test"]
    with pytest.raises(DataError, match="t:2: column 'part': 'tset' is not one of .* \\(did you mean 'test'"):
        part_column(raw(part=["train", "tset"]), "part", "t")


SETS = Task(kind="multilabel")


@pytest.mark.parametrize(
    ("cells", "names"),
    [
        (["['sharp', 'cheap']", "[]", "['cheap']"], ["cheap,sharp", "", "cheap"]),  # as pandas writes lists
        (["['a' 'b']", "['a']", ""], ["a,b", "a", ""]),  # as numpy does
        (['["a", "b"]', "a, b", "b"], ["a,b", "a,b", "b"]),
        ([["a", "b"], "a", None], ["a,b", "a", ""]),  # mixed, as JSON lines may be
        ([["a", None], float("nan"), ["b"]], ["a", "", "b"]),
        ([[1.0, 2.0], [2], []], ["1,2", "2", ""]),
        (["set()", "{'a', 'b'}", "('b',)"], ["", "a,b", "b"]),
        (["[deleted], x", "(sic)", "y"], ["[deleted],x", "(sic)", "y"]),
    ],
)
def test_label_sets_are_read_however_they_were_written(cells, names):
    table = read([{"text": "t", "label": cell} for cell in cells])
    assert canonical(table, SETS, "t")["label"][:] == names


def test_lists_of_hub_labels_are_their_class_names():
    features = Features({"text": Value("string"), "label": List(ClassLabel(names=["cheap", "sharp"]))})
    table = Dataset.from_dict({"text": ["a", "b"], "label": [[1, 0], []]}, features=features)
    assert canonical(table, SETS, "t")["label"][:] == ["cheap,sharp", ""]


@pytest.mark.parametrize("nothing", [None, float("nan"), np.float32("nan"), pd.NA, pd.NaT])
def test_what_is_missing_in_a_record_is_missing_as_in_a_file(nothing):
    records = [{"text": "a", "label": "x"}, {"text": nothing, "label": "y"}]
    assert canonical(read(records), Task(), "t")["text"][:] == ["a", ""]
    with pytest.raises(DataError, match="t:2: column 'label': this row has no label"):
        canonical(read([records[0], {"text": "b", "label": nothing}]), Task(), "t")


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([f"{i / 7:.3f}" for i in range(60)], "60 different numbers in 60 rows, such as 0.000 and 8.429: for a score use --kind regression"),
        ([str(i) for i in range(120)], "120 different numbers in 120 rows, such as 0 and 99: for a score use --kind regression"),
        (["['a', 'b']", "['a']", "[]"], "labels are lists, such as \"['a', 'b']\": for several labels a row use --kind multilabel"),
    ],
)  # fmt: skip
def test_scores_and_lists_are_no_labels(labels, message):
    table = canonical(raw(text=labels, label=labels), Task(), "t")
    with pytest.raises(DataError) as caught:
        infer_labels([table], Task(), "t")
    assert message in str(caught.value)


def test_lists_without_the_kind_of_task_name_it():
    with pytest.raises(DataError, match="found list<.*>; for several labels a row use --kind multilabel"):
        canonical(raw(text=["a"], label=[["x", "y"]]), Task(), "t")


def test_bytes_that_are_no_text_are_named():
    with pytest.raises(DataError, match="t:2: column 'text': expected text, found bytes that are not UTF-8"):
        canonical(raw(text=[b"a", b"\xff"], label=["x", "y"]), Task(), "t")

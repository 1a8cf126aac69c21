"""Rows of one document stay on one side of the split, unless the user says otherwise."""

import csv

import pytest

from stratune.data.load import load_split
from stratune.task import Task

LABELS = ("high", "low")


def table(path, column, *, rows=60, each=5):
    """`rows` rows, `each` of one document; labels belong to documents."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "label", column])
        for row in range(rows):
            words = (
                f"row {row} tells of {'ships boats' if row % 2 else 'trains rails'} number {row * 7919 % 101}"
            )
            writer.writerow([words, LABELS[row // each % 2], f"d{row // each}"])
    return str(path)


def documents(split, column):
    return [set(part[column]) for part in split.parts.values()]


def apart(sides):
    return all(not (one & other) for i, one in enumerate(sides) for other in sides[:i])


def test_a_column_of_documents_groups_by_itself_and_a_note_says_so(tmp_path):
    split = load_split(table(tmp_path / "rows.csv", "document"), Task(), seed=0)
    assert split.task.group == "document" and apart(documents(split, "group"))
    (note,) = [note for note in split.notes if "document" in note]
    assert note.endswith("--group none lets them apart") and not split.warnings


def test_the_user_may_let_them_apart(tmp_path):
    split = load_split(table(tmp_path / "rows.csv", "document"), Task(group="none"), seed=0)
    assert split.task.group is None and "group" not in split.train.column_names
    assert not any("document" in note for note in split.notes)


def test_a_column_that_is_called_none_is_a_column(tmp_path):
    source = table(tmp_path / "rows.csv", "none")
    split = load_split(source, Task(group="none"), seed=0)
    assert split.task.group == "none" and apart(documents(split, "group"))


@pytest.mark.parametrize("column", ["movie_id", "Speaker", "call", "conversation id"])
def test_a_column_that_may_say_so_is_asked_about(column, tmp_path):
    split = load_split(table(tmp_path / "rows.csv", column), Task(), seed=0)
    assert split.task.group is None
    (warning,) = split.warnings
    assert warning == f"rows of one {column!r} may stand in two parts; --group {column} keeps them in one"
    assert not load_split(table(tmp_path / "rows.csv", column), Task(group=column), seed=0).warnings


@pytest.mark.parametrize("column, each", [("movie_id", 1), ("date", 5), ("document", 1), ("document", 60)])
def test_nothing_is_said_of_a_column_that_is_none(column, each, tmp_path):
    source = table(tmp_path / "rows.csv", column, each=each) if each < 60 else one_document(tmp_path)
    split = load_split(source, Task(), seed=0)
    assert split.task.group is None and not split.warnings


def one_document(tmp_path):
    """All rows of one document."""
    path = tmp_path / "rows.csv"
    table(path, "document")
    head, *rows = path.read_text().splitlines()
    path.write_text("\n".join([head, *(row.rsplit(",", 1)[0] + ",d0" for row in rows)]) + "\n")
    return str(path)


def test_own_files_without_the_column_are_read_as_before(tmp_path):
    source = table(tmp_path / "rows.csv", "document")
    test = tmp_path / "test.csv"
    test.write_text("text,label\na ship,high\na train,low\n")
    split = load_split(source, Task(), seed=0, test=str(test))
    assert split.task.group is None and len(split.test) == 2

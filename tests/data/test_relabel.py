"""data.relabel: labels under other names, and two that become one."""

import pandas as pd
import pytest

from stratune.config import parse_config
from stratune.data.load import load_split
from stratune.errors import ConfigError, DataError
from stratune.task import Task

NAMES = {"joy": "joy or delight", "delight": "joy or delight"}


def table(labels=("joy", "delight", "anger"), rows=60):
    texts = [f"{row * 7919 % 1009} words of row {row * 104729 % 997} and {row}" for row in range(rows)]
    return pd.DataFrame({"text": texts, "label": [labels[row % len(labels)] for row in range(rows)]})


def test_two_labels_become_one_and_a_note_counts_the_rows():
    split = load_split(table(), seed=0, near="apart", relabel=NAMES)
    assert split.task.labels == ("anger", "joy or delight")
    assert sum(part["joy or delight"] for part in split.balance().values()) == 40
    assert any(
        note.startswith("40 rows have another label than the file: 'joy' is 'joy or delight'")
        for note in split.notes
    )
    assert split.fingerprint != load_split(table(), seed=0, near="apart").fingerprint


@pytest.mark.parametrize("labels", [("low", "mid", "high", "top"), ("low", "mid or high", "top")])
def test_levels_stay_in_order_whichever_names_the_task_has(labels):
    task = Task(kind="ordinal", labels=labels)
    names = {"mid": "mid or high", "high": "mid or high"}
    split = load_split(table(("low", "mid", "high", "top")), task, seed=0, near="apart", relabel=names)
    assert split.task.labels == ("low", "mid or high", "top")


def test_ratings_and_own_parts_are_renamed_too():
    frame = table().assign(votes=[["joy", "anger"], ["delight"], ["anger", "joy"]] * 20)
    test = frame.assign(text=[f"other {text}" for text in frame["text"]])
    split = load_split(frame, Task(annotations="votes"), seed=0, near="apart", relabel=NAMES, test=test)
    for part in split.parts.values():
        assert {one for given in part["annotations"] for one in given} == {"joy or delight", "anger"}
    assert set(split.test["label"]) == {"joy or delight", "anger"}


def test_what_cannot_be_renamed_is_told():
    with pytest.raises(DataError, match="no row has the label 'glee', which data.relabel renames"):
        load_split(table(), seed=0, near="apart", relabel={"glee": "joy"})
    with pytest.raises(
        ConfigError, match=r"data\.relabel: regression: labels are renamed where each row has one"
    ):
        load_split(table(("1", "2", "3.5")), Task(kind="regression"), seed=0, relabel={"1": "2"})


def test_numbers_in_a_configuration_are_names_of_labels():
    config = parse_config({"data": {"source": "a.csv", "relabel": {1: "1 or 2", "2": "1 or 2", 3: 4}}})
    assert config.data.relabel == {"1": "1 or 2", "2": "1 or 2", "3": "4"}

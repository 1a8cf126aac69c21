"""Task: what may be asked for, and what is said about the rest."""

import json

import pytest

from stratune.errors import ConfigError
from stratune.task import Task


def test_defaults():
    task = Task(labels=["b", "a"])
    assert (task.kind, task.metric, task.labels) == ("classification", "f1_macro", ("b", "a"))


def test_labels_keep_their_order_and_are_found_by_name():
    task = Task(labels=("weather", "animal"))
    assert task.target.index == {"weather": 0, "animal": 1}
    assert task.with_labels(("x", "y", "z")).target.index["z"] == 2


def test_it_survives_json():
    task = Task(text="a", text_pair="b", label="c", group="d", id="e", labels=("x", "y"), metric="accuracy")
    assert Task.from_dict(json.loads(json.dumps(task.to_dict()))) == task


@pytest.mark.parametrize(
    "options, message",
    [
        (
            {"kind": "clasification"},
            r"task.kind: 'clasification' is not one of .*\(did you mean 'classification'\?\)",
        ),
        ({"labels": ("a", "b", "a")}, "task.labels: labels repeat: a, b, a"),
    ],
)
def test_mistakes(options, message):
    with pytest.raises(ConfigError, match=message):
        Task(**options)

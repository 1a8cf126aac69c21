"""What is said about labels before anything is trained."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import entropy

from stratune.data.label_issues import classes, label_issues
from stratune.task import Task


def said(*labels: str, kind: str = "classification") -> dict[str, str]:
    task = Task(labels=labels, kind=kind)
    balance = {part: dict.fromkeys(labels, 50) for part in ("train", "val", "test")}
    return {issue.code: issue.message for issue in label_issues(task, balance)}


@pytest.mark.parametrize(
    ("labels", "shown"),
    [
        (("good", "Good", " good", "good ", "bad"), "'good'/'Good'/' good'/'good '"),
        (("caf\u00e9", "cafe\u0301", "tea"), "'caf\\xe9'/'cafe\\u0301'"),
        (("tea", "tea\u200b", "tea\u00a0", "milk"), "'tea'/'tea\\u200b'/'tea\\xa0'"),
        (("1", "1.0", "0"), "'1'/'1.0'"),
        (("ﬁne", "fine"), "'\\ufb01ne'/'fine'"),
    ],
)
def test_spellings_of_one_label_are_named(labels, shown):
    message = said(*labels)["similar_labels"]
    assert shown in message and message.endswith("write each label in one way")


def test_labels_that_differ_are_not_alike():
    assert said("0", "1", "10", "1.5", "-1", "+") == {} and said("good", "bad", "no") == {}


@pytest.mark.parametrize("label", ["nan", "NaN", "None", "null", "N/A"])
def test_a_label_that_means_missing_is_named(label):
    message = said("good", "bad", label)["missing_label"]
    assert message == (
        f"1 label reads like a missing value: {label!r}; leave such rows out with --no-gold {label}, or give the "
        "label a name"
    )


@pytest.mark.parametrize(
    ("labels", "found"),
    [
        (("good", "bad", "-1"), True),
        (("0", "1", "2", "-1"), True),  # SNLI on the hub
        (("0", "-1"), True),
        (("-1", "0", "1"), False),
        (("-2", "-1", "0", "1", "2"), False),
        (("-1", "1"), False),
        (("-1", "0.5", "3"), False),
    ],
)
def test_minus_one_is_missing_beside_names_and_numbers_of_classes(labels, found):
    assert ("missing_label" in said(*labels)) == found


def test_several_are_named_as_the_option_takes_them():
    assert "with --no-gold - --no-gold '?', or" in said("good", "bad", "-", "?")["missing_label"]


def test_scores_and_joined_labels_name_the_kind():
    assert (
        said(*(str(n) for n in range(21)))["scores_as_labels"]
        == "21 labels are numbers: for a score use --kind regression"
    )
    assert said(*(f"{n / 2}" for n in range(11)))["scores_as_labels"].startswith("11 labels are numbers")
    assert "scores_as_labels" not in said("1", "2", "3", "4", "5")
    joined = said("red", "round", "red,round", "red, square")["sets_as_labels"]
    assert (
        joined
        == "2 labels look like several labels: 'red,round', 'red, square'; read them so with --kind multilabel"
    )
    assert "sets_as_labels" not in said("Doe, Jane", "Roe, Rita")
    assert said("a", "b", kind="multilabel") == {}


def test_hundreds_of_labels_are_one_short_line():
    labels = [f"label {n}" for n in range(500)] + [f"LABEL {n}" for n in range(500)]
    assert len(said(*labels)["similar_labels"]) < 300


def test_punctuation_makes_no_other_label_unless_it_tells_them_apart():
    alike = said(*("not-good", "Not good.", "fine"))
    assert "2 labels differ only by" in alike["similar_labels"]
    for labels in (
        ("C", "C#", "C++"),
        ("1-2", "12"),
        ("-1", "1"),
        ("<5", ">5"),
        ("+", "-"),
        ("1.5", "15"),
        ("5", "5+"),
    ):
        assert "similar_labels" not in said(*labels), labels


def test_levels_out_of_order_are_told_with_the_order_they_read_as():
    task = Task(kind="ordinal", labels=("low", "high", "medium"))
    (message,) = [
        one.message
        for one in label_issues(task, {"all": dict.fromkeys(task.labels, 50)})
        if one.code == "levels_out_of_order"
    ]
    assert (
        message
        == "levels are in the order low, high, medium; as they read it is task.labels=[low, medium, high]"
    )


def test_how_unequal_classes_are_is_told_from_ten_times_on():
    even, uneven = {"a": 50, "b": 40, "c": 60}, {"a": 500, "b": 40, "c": 60}
    task = Task(labels=("a", "b", "c"))
    assert not list(label_issues(task, {"all": even}))
    (issue,) = label_issues(task, {"all": uneven})
    assert issue.code == "unequal_classes" and issue.message.startswith("a has 12.5 times the rows of b")
    shares = np.array(list(uneven.values())) / 600
    told = classes(task, {"all": uneven})
    assert told == pytest.approx({"effective": np.exp(entropy(shares)), "ratio": 12.5})


def test_validation_rows_that_are_the_training_rows_count_once():
    task = Task(labels=("a", "b"))
    folds = {"train": {"a": 30, "b": 10}, "val": {"a": 30, "b": 10}, "test": {"a": 10, "b": 30}}
    assert classes(task, folds) == pytest.approx({"effective": 2.0, "ratio": 1.0})

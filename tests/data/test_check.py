"""check(): each finding is found, counted and worded."""

from __future__ import annotations

import json

import numpy as np
import pytest
from datasets import Dataset
from hypothesis import given
from hypothesis import strategies as st

from stratune.data.check import check
from stratune.data.identity import text_keys
from stratune.data.lengths import measure
from stratune.data.split import assemble
from stratune.task import Task

TASK = Task(labels=("a", "b"))


def table(*texts: str, labels: str | None = None, **columns: list[str]) -> Dataset:
    names = list(labels or "ab" * len(texts))[: len(texts)]
    return Dataset.from_dict(
        {"id": [f"{i}:{t[:3]}" for i, t in enumerate(texts)], "text": list(texts), "label": names, **columns}
    )


def plenty(prefix: str, **columns: list[str]) -> Dataset:
    return table(*(f"{prefix} number {i}" for i in range(60)), **columns)


def found(report) -> dict[str, tuple[str, int, str]]:
    return {issue.code: (issue.level, issue.count, issue.message) for issue in report.issues}


def test_clean_data_has_no_issues():
    split = assemble({"train": plenty("x"), "val": plenty("y"), "test": plenty("z")}, TASK)
    report = check(split)
    assert report.issues == () and report.ok and report.rows == {"train": 60, "val": 60, "test": 60}
    assert report.words.median == report.words.longest == 3
    assert json.loads(json.dumps(report.to_dict()))["balance"]["train"] == {"a": 30, "b": 30}


def test_findings_in_one_table():
    rows = table("cafe\u0301  au LAIT", "café au lait", " ", "other", "", labels="abaab")
    assert found(check(rows, TASK)) == {
        "small_class": ("warning", 2, "2 labels have fewer than 20 rows: a (3), b (2)"),
        "empty_text": ("warning", 2, "2 rows have an empty text"),
        "duplicate_text": ("warning", 2, "2 rows repeat an earlier text"),
        "conflicting_labels": ("warning", 2, "2 texts occur with more than one label"),
    }


def test_leaks_and_shared_groups():
    val = table("x number 3", "new", "newer", group=["g1", "h1", "h2"])
    parts = {"train": plenty("x", group=[f"g{i}" for i in range(60)]), "val": val, "test": plenty("z")}
    report = check(assemble(parts, TASK, ["a note"], ["a warning"]))
    issues = found(report)
    assert issues["leak"] == ("warning", 1, "1 row of val has a text that is also in train (33.3% of val)")
    assert issues["shared_group"] == ("warning", 1, "1 group is in both train and val")
    levels = [(issue.level, issue.message) for issue in report.issues if issue.code == "note"]
    assert levels == [("warning", "a warning"), ("info", "a note")] and report.ok
    assert [issue.examples for issue in report.issues if issue.code == "leak"] == [("0:x n",)]


def test_the_same_file_as_train_and_test_is_an_error():
    report = check(assemble({"train": plenty("x"), "val": plenty("y"), "test": plenty("x")}, TASK))
    assert found(report)["leak"] == (
        "error",
        60,
        "60 rows of test have a text that is also in train (100.0% of test)",
    )
    assert not report.ok


def test_a_part_without_any_text_is_an_error():
    report = check(table("", " ", "\n"), TASK)
    assert found(report)["empty_text"][0] == "error"


def test_token_lengths_against_the_limit():
    def lengths(texts: list[str], pairs: list[str] | None) -> list[int]:
        return [len(t) for t in texts]

    report = check(table("a" * 10, "b" * 1200), TASK, token_lengths=lengths, max_length=512)
    assert found(report)["too_long"] == (
        "warning",
        1,
        "1 row is longer than 512 tokens and will be cut (longest: 1,200)",
    )
    assert report.tokens is not None and report.tokens.to_dict()["over_limit"] == 1


def test_pairs_are_compared_together():
    same = text_keys(["a", "b"], ["b", "a"])
    assert same[0] != same[1] and text_keys(["A "], ["b"]) == text_keys(["a"], [" B"])
    assert text_keys(["a b"], ["c"]) != text_keys(["a"], ["b c"])


@given(st.lists(st.integers(0, 5000), min_size=1), st.integers(0, 5000))
def test_percentiles_agree_with_counting(counts, limit):
    lengths = measure(counts, "words", limit)
    assert lengths.over_limit == sum(n > limit for n in counts) and lengths.longest == max(counts)
    for level, value in [(0.5, lengths.median), (0.9, lengths.p90), (0.99, lengths.p99)]:
        assert value in counts and np.mean(np.asarray(counts) <= value) >= level


def test_no_task_means_the_labels_that_occur():
    assert check(table("x", "y", labels="qp")).balance == {"all": {"p": 1, "q": 1}}


@pytest.mark.parametrize("text", ["\u212b", "ﬁn", "STRASSE"])
def test_identity_folds_case_and_composes(text):
    assert text_keys([text]) == text_keys([f"\n {text.swapcase()}"])


def test_rows_of_a_label_are_counted_where_models_learn():
    """8 rows to train are few, however many there are in validation and test."""
    train = table(*(f"x number {i}" for i in range(60)), labels="a" * 52 + "b" * 8)
    report = check(assemble({"train": train, "val": plenty("y"), "test": plenty("z")}, TASK))
    assert found(report)["small_class"] == ("warning", 1, "1 label has fewer than 20 training rows: b (8)")


def test_a_part_without_a_label_and_small_parts_are_said():
    few = table(*(f"y {i}" for i in range(5)), labels="aaaaa", group=list("ghghg"))
    groups = [f"t{i // 3}" for i in range(60)]
    parts = {"train": plenty("x", group=groups), "val": few, "test": few}
    issues = [(issue.code, issue.message) for issue in check(assemble(parts, TASK)).issues]
    assert ("missing_class", "test has no row of 1 label: b") in issues
    assert ("small_val", "val has 5 rows, fewer than 20: the choice by validation is mostly luck") in issues
    assert ("small_test", "test has 5 rows, fewer than 30: scores are rough") in issues
    why = "test has 2 groups, fewer than 10: its rows say less than their number"
    assert ("few_groups", why) in issues

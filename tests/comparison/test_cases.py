"""Expected-change tests: a small file of cases, and what a model does with them."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
from scipy.stats import binomtest

from stratune.comparison.cases import judged, read_cases
from stratune.comparison.robustness import stress
from stratune.errors import ConfigError, DataError
from stratune.model.answers import Scored
from stratune.task import Task
from tests.comparison.test_robustness import compared, texts

LABELS = Task(labels=("no", "yes"))
PAIRS = Task(text_pair="other", labels=("no", "yes"))
NUMBERS = Task(kind="regression")

YAML = """
- {test: negation, text: It is good., changed: It is not good., expected: different}
- {test: negation, text: It is good., changed: It is really good., expected: same}
- {test: negation, text: It is fine., changed: It is not fine., expected: no}
- {text: It is good., expected: yes}
"""


class Model:
    """Answers `yes` to a text with `good`; of numbers how many words it has; invalid where it is empty."""

    def __init__(self, task):
        self.task = task

    def answer(self, texts, pairs=None):
        joined = [" ".join(both) for both in zip(texts, pairs, strict=True)] if pairs else texts
        if self.task.target.is_numeric:
            numbers = np.array([[float(len(text.split()))] for text in joined])
        else:
            yes = np.array(["good" in text for text in joined], dtype=float)
            numbers = np.stack([1 - yes, yes], axis=1)
        invalid = np.array([not text.strip() for text in joined])
        numbers[invalid] = np.nan
        return Scored(numbers, np.zeros(len(texts), dtype=np.int32), invalid=invalid)


def cases(tmp_path, text, task=LABELS, name="cases.yaml"):
    (tmp_path / name).write_text(text)
    return read_cases(tmp_path / name, task)


def test_what_passes(tmp_path):
    negation, plain = judged(cases(tmp_path, YAML), Model(LABELS))
    assert (negation["test"], negation["cases"], plain["test"], plain["cases"]) == ("negation", 3, "cases", 1)
    assert negation["passed"]["value"] == pytest.approx(2 / 3) and plain["passed"]["value"] == 1.0
    expected = binomtest(2, 3).proportion_ci(method="wilson")
    assert (negation["passed"]["low"], negation["passed"]["high"]) == pytest.approx(
        (expected.low, expected.high)
    )
    assert negation["failures"] == [
        {"texts": ["It is good.", "It is not good."], "expected": "different", "answers": ["yes", "yes"]}
    ]
    assert plain["failures"] == []


def test_a_table_says_the_same(tmp_path):
    rows = [
        ("negation", "It is good.", "It is not good.", "different"),
        ("negation", "It is good.", "It is really good.", "same"),
        ("negation", "It is fine.", "It is not fine.", "no"),
        ("", "It is good.", "", "yes"),
    ]
    with (tmp_path / "cases.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows([("test", "text", "changed", "expected"), *rows])
    assert read_cases(tmp_path / "cases.csv", LABELS) == cases(tmp_path, YAML)


def test_pairs(tmp_path):
    both = cases(
        tmp_path,
        "- {text: a, pair: b, changed_pair: good, expected: different}\n"
        "- {text: a, pair: b, changed: good, expected: yes}\n"
        "- {text: a, pair: b, expected: yes}",
        PAIRS,
    )
    assert both[0].texts == ("a", "a") and both[0].pairs == ("b", "good")
    (found,) = judged(both, Model(PAIRS))
    assert found["passed"]["value"] == pytest.approx(2 / 3)
    assert found["failures"] == [{"texts": ["a"], "pairs": ["b"], "expected": "yes", "answers": ["no"]}]


@pytest.mark.parametrize(
    ("expected", "within", "passes"),
    [("same", 1, True), ("same", 0, False), ("different", 0, True), ("different", 1, False), ("higher", 0, True),
     ("higher", 1, False), ("lower", 0, False), ("3", 0, True), ("4", 0.5, False), ("3.4", 0.5, True)],
)  # fmt: skip
def test_numbers(tmp_path, expected, within, passes):
    """Two words, then three."""
    text = f"- {{text: one two, changed: one two three, expected: {expected}, within: {within}}}"
    (found,) = judged(cases(tmp_path, text, NUMBERS), Model(NUMBERS))
    assert found["passed"]["value"] == passes


def test_an_answer_that_is_none_passes_nothing(tmp_path):
    text = '- {text: "", changed: " ", expected: same}'
    for task in (LABELS, NUMBERS):
        (found,) = judged(cases(tmp_path, text, task), Model(task))
        assert found["passed"]["value"] == 0 and found["failures"][0]["answers"] == ["", ""]


def test_several_labels(tmp_path):
    task = Task(kind="multilabel", labels=("no", "yes", "good"))
    (one,) = cases(tmp_path, '- {text: a, expected: "yes, good"}', task)
    assert one.expected == "yes,good"
    with pytest.raises(DataError, match="'yes,god' is not one of no, yes, good"):
        cases(tmp_path, '- {text: a, expected: "yes, god"}', task)


def test_a_label_that_is_called_same(tmp_path):
    """Without a changed text nothing is compared, so the word is the label."""
    task = Task(labels=("same", "other"))
    alone, two = cases(tmp_path, "- {text: a, expected: same}\n- {text: a, changed: b, expected: same}", task)
    assert not alone.relation and two.relation


@pytest.mark.parametrize(
    ("text", "task", "message"),
    [
        (
            "- {text: a, expected: yess}",
            LABELS,
            "cases.yaml:1: column 'expected': 'yess' is not one of no, yes .did",
        ),
        ("- {text: a, changed: b, expected: als}", LABELS, "'als' is not one of same, different, no, yes"),
        ("- {text: a, expected: same}", LABELS, "'same' is not one of no, yes"),
        ("- {text: a, expected: yes}\n- {text: a}", LABELS, "cases.yaml:2: column 'expected': it is missing"),
        (
            "- {text: a, expected: yes, expect: no}",
            LABELS,
            "column 'expect': 'expect' is not one of test, text, ",
        ),
        ("- {text: a, pair: b, expected: yes}", LABELS, "column 'pair': the texts of this task are no pairs"),
        ("- {text: a, expected: yes}", PAIRS, "column 'pair': it is missing"),
        ("- {text: a, expected: high}", NUMBERS, "'high' is not one of a number"),
        ("- {text: a, expected: 1, within: -1}", NUMBERS, "column 'within': '-1' is no number from 0 up"),
        ("- text", LABELS, "cases.yaml:1: expected keys and values, found str"),
        ("text: a", LABELS, "cases.yaml: expected a list of cases, found dict"),
        ("[]", LABELS, "cases.yaml: no cases"),
    ],
)
def test_what_is_wrong_is_named(tmp_path, text, task, message):
    with pytest.raises(DataError, match=message):
        cases(tmp_path, text, task)


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(DataError, match=r"nowhere.yaml: no such file"):
        read_cases(tmp_path / "nowhere.yaml", LABELS)
    (tmp_path / "bad.yaml").write_bytes(b"- {text: \xff}")
    with pytest.raises(DataError, match=r"bad.yaml: not UTF-8"):
        read_cases(tmp_path / "bad.yaml", LABELS)
    with pytest.raises(ConfigError, match="not YAML"):
        cases(tmp_path, "- {text: ")
    (tmp_path / "cases.csv").write_text("text,expected\na,yes\nb,maybe\n")
    with pytest.raises(DataError, match=r"cases.csv:3: column 'expected': 'maybe' is not one of no, yes"):
        read_cases(tmp_path / "cases.csv", LABELS)


def test_cases_of_a_comparison(tmp_path):
    out = compared(tmp_path, list(texts(60)))
    (tmp_path / "cases.yaml").write_text(
        "- {test: marks, text: river stone!, changed: river stone., expected: different}\n"
        "- {test: marks, text: river stone!, changed: river stone., expected: same}\n"
    )
    found = stress(out, only=[], cases=tmp_path / "cases.yaml")
    (one,) = found["strategies"]
    assert one["effects"] == [] and one["cases"][0]["passed"]["value"] == 0.5
    assert one["cases"][0]["failures"][0]["answers"] == ["yes", "no"]
    row = json.loads((out / "leaderboard.json").read_text())["rows"][0]
    assert row["robustness"]["cases"][0]["cases"] == 2 and "river" not in json.dumps(row)
    page = (out / "report.html").read_text()
    assert "1 of 2 cases passed" in page and "expected same, answered yes" in page
    (tmp_path / "cases.yaml").write_text("- {text: a, expected: maybe}")
    before = (out / "robustness.json").read_bytes()
    with pytest.raises(DataError):
        stress(out, cases=tmp_path / "cases.yaml")
    assert (out / "robustness.json").read_bytes() == before

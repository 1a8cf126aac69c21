"""Drift: what has changed is said, and where nothing has, nothing."""

import numpy as np
import pytest

from stratune.comparison import drift as module
from stratune.comparison.drift import Change, Drift, Sample, drift
from stratune.evaluate.intervals import Interval
from stratune.task import Task

RNG = np.random.default_rng(0)
WORDS = [f"word{k}" for k in range(60)]
TASK = Task(labels=("a", "b"))


def texts(count, words=WORDS, length=12):
    return [" ".join(RNG.choice(words, size=RNG.poisson(length) + 1)) for _ in range(count)]


def sample(found, said=None, pairs=None):
    made = Sample()
    made.add(found, pairs, said)
    return made


def said(count, share):
    return ["a" if one else "b" for one in RNG.random(count) < share]


def test_a_sample_has_as_many_as_asked_each_as_likely_as_another():
    counts = np.zeros(50)
    for seed in range(400):
        made = Sample(most=10)
        made._random.seed(seed)
        for start in range(0, 50, 7):  # as batches come
            rows = [str(k) for k in range(start, min(start + 7, 50))]
            made.add(rows, [f"pair {k}" for k in rows], [f"said {k}" for k in rows])
        assert len(made) == 10 and made.seen == 50
        assert made.pairs == [f"pair {k}" for k in made.texts]
        assert made.said == [f"said {k}" for k in made.texts]
        counts[[int(k) for k in made.texts]] += 1
    assert counts.min() > 40 and counts.max() < 125  # 80 expected, with a spread of 8


@pytest.mark.parametrize(("length", "left"), [(12, False), (18, True), (8, True)])
def test_length(length, left):
    found = module._length(sample(texts(400)), sample(texts(400, length=length)))
    assert found.left is left
    assert found.change.low < (length + 1) / 13 < found.change.high


@pytest.mark.parametrize(("unknown", "left"), [(0, False), (6, True)])
def test_words(unknown, left):
    """Where the reference has words that one half alone has, new texts of the same kind have them, too."""
    rare = [f"rare{k}" for k in range(3000)]
    words = [*WORDS * 50, *rare]  # half of all words are rare
    new = sample(texts(300, [*words, *[f"new{k}" for k in range(unknown * 100)]]))
    found = module._words(sample(texts(300, words)), new)
    assert found.before > 0.2 and found.left is left


def test_fewer_unknown_words_are_no_drift():
    rare = [*WORDS * 50, *[f"rare{k}" for k in range(3000)]]
    found = module._words(sample(texts(300, rare)), sample(texts(300)))
    assert found.change.high < 0 and not found.left


@pytest.mark.parametrize(("share", "left"), [(0.5, False), (0.7, True)])
def test_answers(share, left):
    found = list(module._answers(TASK, said(500, 0.5), said(500, share)))
    assert [change.name for change in found] == ["a", "b"]
    assert [change.left for change in found] == [left, left]
    assert found[0].change.low < share - 0.5 < found[0].change.high


def test_answers_of_other_kinds():
    task = Task(kind="multilabel", labels=("a", "b", "c"))
    before, after = ["a,b", "", "b"] * 100, ["a", "", "b"] * 100
    assert [change.left for change in module._answers(task, before, after)] == [False, True, False]
    values = Task(kind="regression")
    (found,) = module._answers(values, [*RNG.normal(size=300), None], RNG.normal(1, size=300).tolist())
    assert found.left and found.change.low < 1 < found.change.high
    (same,) = module._answers(values, [1.0] * 40, [1.0] * 40)
    assert not same.left and same.change == Interval(0.0, 0.0, 0.0)


def test_alarms_are_false_once_in_twenty_times_at_most():
    """The three measures that need no backbone: each is sure at 1 - 0.05 / 4."""
    alarms = 0
    for _ in range(200):
        sides = [sample(texts(60), said(60, 0.5)) for _ in range(2)]
        found = [
            module._length(*sides),
            module._words(*sides),
            *module._answers(TASK, sides[0].said, sides[1].said),
        ]
        alarms += any(change.left for change in found)
    assert alarms <= 14  # 7.5 expected at most; more than 14 once in a hundred times


def test_few_rows_say_nothing():
    found = drift(TASK, sample(texts(100)), sample(texts(29), said(29, 0.5)))
    assert found.left is None and found.to_dict()["left"] is None
    assert found == Drift("the reference", 100, 29, 29, [], [])


@pytest.mark.slow
def test_a_probe_sees_what_the_words_mean(monkeypatch):
    """Of the same lengths, all words known, the answers alike: the meaning alone is another."""
    food = ["soup", "bread", "cheese", "butter", "pepper", "garlic", "tomato", "sugar"]
    tools = ["hammer", "engine", "screw", "drill", "wrench", "motor", "cable", "pump"]
    both = [
        sample(texts(60, words) + texts(4, other), said(64, 0.5))
        for words, other in ((food, tools), (tools, food))
    ]
    found = drift(TASK, *both, name="kitchen.csv")
    probe = next(change for change in found.changes if change.measure == "probe")
    assert probe.left and probe.after > 0.8 and found.left
    assert all(set(text.split()) <= set(tools) for text in found.examples) and len(found.examples) == 3
    same = drift(TASK, sample(texts(60, food), said(60, 0.5)), sample(texts(60, food), said(60, 0.5)))
    assert same.left is False and same.to_dict()["examples"] == []


def test_json():
    change = Change("answers", 0.5, 0.7, Interval(0.2, 0.1, 0.3), name="a")
    assert Drift("ref.csv", 40, 40, 90, [change], ["x"]).to_dict() == {
        "left": True,
        "reference": {"name": "ref.csv", "rows": 40},
        "new": {"rows": 40, "of": 90},
        "changes": [
            {
                "measure": "answers",
                "label": "a",
                "reference": 0.5,
                "new": 0.7,
                "change": {"value": 0.2, "low": 0.1, "high": 0.3},
                "left": True,
            }
        ],
        "examples": ["x"],
    }

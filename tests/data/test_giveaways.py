"""What gives the label away: found where it was planted, not told of texts that only mean their label."""

import random

import pytest
from datasets import Dataset

from stratune.api import compare
from stratune.data.check import check
from stratune.data.giveaways import columns_that_tell, giveaways
from stratune.data.split import make_split
from stratune.task import Task
from tests.data.test_near import WORDS, sentence
from tests.helpers import executed

LABELS = ("sports", "politics")


def rows(count=300, seed=0):
    """Texts in which many words hint at their label, and none says it."""
    random_ = random.Random(seed)
    labels = [LABELS[i % 2] for i in range(count)]
    hints = {"sports": WORDS[:12], "politics": WORDS[8:20]}
    texts = [f"{sentence(random_, 10)} {' '.join(random_.sample(hints[label], 3))}" for label in labels]
    return texts, labels, random_


def codes(found):
    return [issue.code for issue in found]


def test_texts_that_only_mean_their_label_are_passed_over():
    texts, labels, _ = rows()
    assert codes(giveaways(texts, None, labels)) == []


def test_the_name_of_a_label_in_its_texts_is_told():
    texts, labels, random_ = rows()
    marked = [
        f"[{label.upper()}] {text}" if random_.random() < 0.3 else text
        for text, label in zip(texts, labels, strict=True)
    ]
    found = list(giveaways(marked, None, labels))
    assert codes(found) == ["label_in_text"] * 2 and {one.examples[0] for one in found} == set(LABELS)
    assert "100% of them its own" in found[0].message


def test_a_name_that_stands_in_texts_of_all_labels_is_a_word_like_any():
    texts, labels, random_ = rows()
    talked = [f"{text} about sports" if random_.random() < 0.4 else text for text in texts]
    assert codes(giveaways(talked, None, labels)) == []


def test_a_word_that_only_one_label_has_is_told():
    texts, labels, random_ = rows()
    planted = [
        f"{text} xq17z" if label == "sports" and random_.random() < 0.6 else text
        for text, label in zip(texts, labels, strict=True)
    ]
    (issue,) = giveaways(planted, None, labels)
    assert issue.code == "word_tells" and issue.examples == ("xq17z",) and "the label sports" in issue.message


def test_one_text_of_a_pair_that_is_enough_is_told_and_scored(tmp_path):
    random_ = random.Random(1)
    labels = ["yes" if i % 2 else "no" for i in range(400)]
    premises = [sentence(random_) for _ in labels]
    claims = [
        f"{sentence(random_, 6)} {'nobody never' if label == 'no' and i % 5 else 'somebody'}"
        for i, label in enumerate(labels)
    ]
    found = list(giveaways(premises, claims, labels))
    assert "one_text_tells" in codes(found)
    (issue,) = [one for one in found if one.code == "one_text_tells"]
    assert issue.examples == ("text_pair",) and "`second_only`" in issue.message
    table = {"text": premises, "pair": claims, "label": labels}
    board = compare(
        table,
        pair="pair",
        strategies=["majority", "first_only", "second_only"],
        out=tmp_path / "out",
        progress=False,
    )
    scores = {row["strategy"]: row["test"]["accuracy"]["value"] for row in board.rows}
    assert scores["second_only"] > 0.8 > 0.7 > scores["first_only"]
    answers = board.model("second_only").predict_proba(
        [(premises[0], claims[0]), ("anything else", claims[0])]
    )
    assert (answers[0] == answers[1]).all()  # the first text is not read


def test_single_texts_have_no_other_text(tmp_path):
    split = make_split(
        Dataset.from_dict({"id": list(map(str, range(60))), "text": rows(60)[0], "label": rows(60)[1]}),
        Task(),
        seed=0,
    )
    result, _ = executed({"preset": "first_only"}, None, split, tmp_path / "out")
    assert "it reads one text of a pair; use `tfidf`" in result.error


@pytest.mark.parametrize("kind", ["name", "number", "date"])
def test_a_column_that_tells_the_label_is_named(kind):
    random_ = random.Random(3)
    labels = [LABELS[i % 2] for i in range(200)]
    noise = [random_.choice(["north", "south", "east"]) for _ in labels]
    early = [label == "sports" if random_.random() < 0.9 else random_.random() < 0.5 for label in labels]
    told = {
        "name": ["ann" if one else "bob" for one in early],
        "number": [random_.random() + (0.0 if one else 2.0) for one in early],
        "date": [
            f"20{random_.randint(10, 14) if one else random_.randint(16, 20)}-05-{random_.randint(10, 28)}"
            for one in early
        ],
    }[kind]
    ids = [f"row {i}" for i in range(200)]
    found = list(columns_that_tell({"region": noise, "origin": told, "key": ids}, labels))
    assert [issue.examples for issue in found] == [("origin",)] and found[0].code == "column_tells"


def test_the_check_tells_what_gives_labels_away():
    texts, labels, _ = rows()
    marked = [f"{label}: {text}" for text, label in zip(texts, labels, strict=True)]
    table = Dataset.from_dict({"id": list(map(str, range(300))), "text": marked, "label": labels})
    assert "label_in_text" in codes(check(make_split(table, Task(), seed=0)).issues)

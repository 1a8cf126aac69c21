"""The shares of a row's raters, counted once by hand and once by us."""

from collections import Counter

import numpy as np
import pyarrow as pa
import pytest
from datasets import Dataset

from stratune.data.soft_labels import check_soft, digest_of_ratings, shares_of, soft_truth
from stratune.data.split import assemble
from stratune.errors import ConfigError
from stratune.task import Task

LABELS = ("no", "maybe", "yes")
RATED = Task(labels=LABELS, annotations="raters")


def table_of(ratings, labels):
    count = len(ratings)
    columns = {"id": list(map(str, range(count))), "text": ["a"] * count, "label": labels}
    return Dataset(pa.table({**columns, "annotations": pa.array(ratings, pa.list_(pa.string()))}))


def test_shares_are_those_counted_by_hand():
    draws = np.random.default_rng(0)
    ratings = [
        [None if draws.random() < 0.2 else LABELS[draws.integers(3)] for _ in range(draws.integers(0, 6))]
        for _ in range(200)
    ]
    found = shares_of(pa.chunked_array([pa.array(ratings[:90]), pa.array(ratings[90:])]), LABELS)
    for row, given in zip(found, ratings, strict=True):
        counts = Counter(one for one in given if one is not None)
        expected = [counts[label] / max(1, counts.total()) for label in LABELS]
        assert row == pytest.approx(expected)


def test_a_row_without_ratings_is_all_of_its_label():
    table = table_of([["no", "yes"], [], [None, None]], ["no", "maybe", "yes"])
    assert soft_truth(table, RATED).tolist() == [[0.5, 0, 0.5], [0, 1, 0], [0, 0, 1]]


@pytest.mark.parametrize(
    "task, why",
    [
        (Task(labels=LABELS), "soft labels are the shares of raters: name their columns in --annotations"),
        (Task(kind="regression"), "soft labels are shares of labels, and this is regression"),
        (Task(kind="multilabel", labels=LABELS), "soft labels are shares of labels, and this is multilabel"),
    ],
)
def test_a_task_without_shares_is_refused(task, why):
    with pytest.raises(ConfigError, match=why):
        check_soft(task, "soft:probe")


def test_other_ratings_are_another_digest():
    def split_of(ratings):
        table = table_of(ratings, ["no", "yes", "maybe"])
        return assemble({"train": table, "val": table, "test": table}, RATED)

    one, other = split_of([["no"], ["yes"], ["yes"]]), split_of([["no"], ["yes"], ["no"]])
    assert one.fingerprint == other.fingerprint  # so what learns hard labels is not run again
    assert digest_of_ratings(one) != digest_of_ratings(other)

"""Subsets of the training rows: each within the next, in proportion, and all else as it was."""

import json
from collections import Counter

import numpy as np
import pytest

from stratune.data import assign
from stratune.data.load import load_split
from stratune.data.subset import Subset
from stratune.errors import ConfigError, DataError
from stratune.task import Bins, Task

SIZES = (3, 17, 40, 101, 250)
LABELS = ["rare"] * 6 + ["some"] * 114 + ["most"] * 280


@pytest.fixture
def file(tmp_path):
    """400 rows in 50 groups, labels mixed; `part` is a part of one's own."""
    draws = np.random.default_rng(0)
    labels = draws.permutation(LABELS)
    parts = draws.choice(["train", "train", "train", "val", "test"], 400)
    rows = [
        {
            "key": f"r{i}",
            "text": " ".join(f"w{word}" for word in draws.integers(0, 900, 9)),
            "label": label,
            "group": f"g{i % 50}",
            "score": float(i % 41),
            "part": parts[i],
        }
        for i, label in enumerate(labels)
    ]
    path = tmp_path / "rows.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))
    return path


def split(source, rows=None, draw=0, **options):
    task = options.pop("task", Task(id="key"))
    subset = None if rows is None else Subset(rows, draw)
    return load_split(source, task, seed=3, subset=subset, **options)


CASES = {
    "carved": {},
    "cut before": {"sizes": (260, 40, 50)},
    "parts of one's own": {"split_column": "part", "task": Task(id="key")},
    "groups": {"task": Task(id="key", group="group")},
    "leaks dropped": {"drop_leaks": True},
    "numbers": {"task": Task(id="key", label="score", kind="regression")},
    "bins": {"task": Task(id="key", label="score", kind="ordinal", bins=Bins(quantiles=3))},
}


@pytest.mark.parametrize("name", CASES)
def test_each_subset_holds_the_smaller_ones_and_nothing_else_changes(file, name):
    whole = split(file, **CASES[name])
    sizes = [size for size in SIZES if size < len(whole.train)]
    before: set[str] = set()
    for size in sizes:
        part = split(file, size, **CASES[name])
        ids = set(part.train["id"])
        assert len(part.train) == size and before < ids <= set(whole.train["id"])
        order = [one for one in whole.train["id"] if one in ids]
        assert list(part.train["id"]) == order
        for same in ("val", "test"):
            assert getattr(part, same).to_dict() == getattr(whole, same).to_dict()
        assert part.task == whole.task and part.fingerprint != whole.fingerprint
        before = ids


def test_a_test_file_of_ones_own_stays(file, tmp_path):
    rows = [{"key": f"t{i}", "text": f"a text {i}", "label": ("some", "most")[i % 2]} for i in range(20)]
    own = tmp_path / "test.jsonl"
    own.write_text("\n".join(map(json.dumps, rows)))
    whole, part = split(file, test=str(own)), split(file, 30, test=str(own))
    assert part.test.to_dict() == whole.test.to_dict() and len(part.test) == 20
    assert part.val.to_dict() == whole.val.to_dict()


def test_labels_are_in_proportion_and_none_is_lost(file):
    shares = {label: count / 400 for label, count in Counter(LABELS).items()}
    for size in SIZES:
        found = Counter(split(file, size).train["label"])
        assert set(found) == set(shares)
        for label, share in shares.items():
            assert abs(found[label] - size * share) <= (2 if size == 3 else 1.5)


def test_draws_are_other_rows_and_one_draw_is_the_same_each_time(file):
    first, again, other = split(file, 40), split(file, 40), split(file, 40, draw=1)
    assert first.fingerprint == again.fingerprint
    assert len(set(first.train["id"]) & set(other.train["id"])) < 20
    assert first.test.to_dict() == other.test.to_dict()


def test_groups_stay_whole_but_for_the_last(file):
    task = Task(id="key", group="group")
    whole = Counter(split(file, task=task).train["group"])
    for size in (17, 40, 101):
        found = Counter(split(file, size, task=task).train["group"])
        cut = [group for group, count in found.items() if count < whole[group]]
        assert len(cut) <= 1 and sum(found.values()) == size


def test_with_folds_the_subset_is_validation_in_folds_of_its_own(file):
    whole, part = split(file, validation="folds"), split(file, 40, validation="folds")
    assert part.test.to_dict() == whole.test.to_dict()
    assert list(part.val["id"]) == list(part.train["id"]) and len(part.folds) == 40
    assert set(part.folds) == {0, 1, 2, 3, 4}
    with pytest.raises(DataError, match="too few rows of each label for 3 folds"):
        split(file, 2, validation="folds")


@pytest.mark.parametrize("rows", [0, 5000])
def test_more_rows_than_there_are_is_one_line(file, rows):
    with pytest.raises(ConfigError, match=rf"data.subset_rows: {rows:,} of 280 training rows"):
        split(file, rows)


def test_webster_has_no_paradox():
    """By largest remainders a label may have a row less of 11 rows than of 10 (the Alabama paradox)."""
    labels = [*"a" * 60, *"b" * 60, *"c" * 20]
    lost = [
        n
        for n in range(3, 140)
        if (assign.apportioned([60, 60, 20], n + 1) < assign.apportioned([60, 60, 20], n)).any()
    ]
    assert lost  # what `train_rows` has
    order = assign.in_order(labels, list(range(140)), (0, 0))
    assert sorted(order.tolist()) == list(range(140))
    counts = np.array([Counter(labels[i] for i in order[:n])["c"] for n in range(1, 141)])
    assert (np.diff(counts) >= 0).all()
    assert np.abs(counts[2:] - np.arange(3, 141) / 7).max() <= 1

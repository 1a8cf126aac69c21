"""Splits: laws that hold for any data, and messages for data that cannot be split."""

from __future__ import annotations

import json
from collections import Counter, defaultdict

import numpy as np
import pytest
from datasets import Dataset, concatenate_datasets
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from stratune.data import assign
from stratune.data.check import check
from stratune.data.fingerprint import fingerprint
from stratune.data.identity import text_keys
from stratune.data.load import load_split
from stratune.data.split import FRACTIONS, make_split, subsample
from stratune.data.store import load_parts, store_split
from stratune.errors import ConfigError, DataError
from stratune.task import Task

shares = st.tuples(*[st.floats(0.05, 1)] * 3).map(lambda s: tuple(x / sum(s) for x in s))
seeds = st.integers(0, 2**32)


def table(labels: list[str], groups: list[str] | None = None, prefix: str = "") -> Dataset:
    columns = {
        "id": [f"{prefix}{i}" for i in range(len(labels))],
        "text": [f"text {prefix}{i}" for i in range(len(labels))],
        "label": labels,
    }
    return Dataset.from_dict(columns if groups is None else {**columns, "group": groups})


@settings(deadline=None)
@given(labels=st.lists(st.sampled_from("abcde"), min_size=1, max_size=200), fractions=shares, seed=seeds)
def test_strata_are_within_one_row_of_their_targets(labels, fractions, seed):
    parts = assign.stratified(labels, fractions, seed)
    assert np.array_equal(parts, assign.stratified(labels, fractions, seed))
    for label, count in Counter(labels).items():
        found = [
            sum(p == part and y == label for p, y in zip(parts, labels, strict=True)) for part in range(3)
        ]
        assert sum(found) == count and found[0] >= 1
        assert all(abs(n - count * share) <= 1 for n, share in zip(found, fractions, strict=True))


def test_many_small_labels_keep_the_parts_near_their_sizes():
    labels = [f"{i:04d}" for i in range(1000) for _ in range(3)]
    sizes = np.bincount(assign.stratified(labels, FRACTIONS, 0))
    assert np.abs(sizes - 3000 * np.asarray(FRACTIONS)).max() <= 1


@settings(deadline=None)
@given(
    rows=st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 30)), min_size=1, max_size=150),
    fractions=shares,
    seed=seeds,
)
def test_no_group_is_on_two_sides_and_train_has_every_label(rows, fractions, seed):
    labels, groups = [label for label, _ in rows], [str(group) for _, group in rows]
    parts = assign.grouped(labels, groups, fractions, seed)
    assert np.array_equal(parts, assign.grouped(labels, groups, fractions, seed))
    sides = defaultdict(set)
    for part, group in zip(parts, groups, strict=True):
        sides[group].add(int(part))
    assert all(len(side) == 1 for side in sides.values())
    assert {y for y, p in zip(labels, parts, strict=True) if p == 0} == set(labels)
    if len(sides) >= len(set(labels)) + 2:
        assert set(parts.tolist()) == {0, 1, 2}


def test_groups_are_shared_out_near_size_and_balance():
    generator = np.random.default_rng(0)
    groups = [str(g) for g in range(300) for _ in range(generator.integers(1, 40))]
    rates = {str(g): generator.beta(1, 1) for g in range(300)}  # groups that differ much in their labels
    labels = ["yes" if generator.random() < rates[g] else "no" for g in groups]
    parts = assign.grouped(labels, groups, FRACTIONS, 0)
    overall = np.mean([label == "yes" for label in labels])
    for part, share in enumerate(FRACTIONS):
        inside = [label == "yes" for label, p in zip(labels, parts, strict=True) if p == part]
        assert len(inside) / len(labels) == pytest.approx(share, abs=0.005)
        assert np.mean(inside) == pytest.approx(overall, abs=0.01)


@settings(deadline=None, max_examples=40)
@given(labels=st.lists(st.sampled_from("ab"), min_size=20, max_size=80), seed=seeds)
def test_every_row_is_in_one_part_in_source_order(labels, seed):
    assume(min(labels.count("a"), labels.count("b")) >= 4)
    split = make_split(table(labels), Task(), seed=seed)
    ids = {part: [int(i) for i in rows["id"]] for part, rows in split.parts.items()}
    assert sorted(i for part in ids.values() for i in part) == list(range(len(labels)))
    assert all(part == sorted(part) for part in ids.values())
    assert make_split(table(labels), Task(), seed=seed).fingerprint == split.fingerprint


def test_another_seed_is_another_split():
    rows = table(["a", "b"] * 50)
    one, other = (make_split(rows, Task(), seed=seed) for seed in (0, 1))
    assert one.sizes == other.sizes == {"train": 70, "val": 15, "test": 15}
    assert one.fingerprint != other.fingerprint


def test_splits_of_different_texts_stay_what_they_were():
    """Fingerprints of 0.7.0: saved comparisons go on."""
    made = [
        make_split(table(["a", "b", "c", "a"] * 50), Task(), seed=3),
        make_split(
            table(["a", "b", "c", "a"] * 50, [str(i // 3) for i in range(200)]), Task(group="group"), seed=3
        ),
        make_split(table([str(i / 7) for i in range(200)]), Task(kind="regression"), seed=3),
    ]
    assert [split.fingerprint[:12] for split in made] == ["d434966c4255", "7bd855f3c16c", "908932a4923a"]


texts_in_groups = st.lists(
    st.tuples(st.sampled_from("ab"), st.integers(0, 40), st.integers(0, 12)), min_size=60, max_size=200
)


def rows_of(rows: list[tuple[str, int, int]], **columns: list[str]) -> Dataset:
    """Equal numbers are equal texts, written in several ways."""
    ways = ["text {}", "TEXT  {}", " text {} "]
    texts = [ways[i % 3].format(number) for i, (_, number, _) in enumerate(rows)]
    ids, labels = [str(i) for i in range(len(rows))], [label for label, _, _ in rows]
    return Dataset.from_dict({"id": ids, "text": texts, "label": labels, **columns})


def sides(split) -> dict[bytes, set[str]]:
    """Text -> the parts that have it."""
    found = defaultdict(set)
    for part, rows in split.parts.items():
        for key in text_keys(rows["text"][:]):
            found[key].add(part)
    return found


@settings(deadline=None, max_examples=50)
@given(rows=texts_in_groups, seed=seeds)
def test_equal_texts_are_on_one_side_of_the_split(rows, seed):
    assume({label for label, _, _ in rows} == {"a", "b"} and len({number for _, number, _ in rows}) >= 8)
    split = make_split(rows_of(rows), Task(), seed=seed)
    assert all(len(parts) == 1 for parts in sides(split).values())
    assert sum(split.sizes.values()) == len(rows) and set(split.train["label"]) == {"a", "b"}
    assert not [issue for issue in check(split).issues if issue.code == "leak"]


def test_half_of_the_rows_repeated_leaves_sizes_and_balance():
    labels = ["a", "b", "c"] * 200
    rows = rows_of([(label, i % 450, 0) for i, label in enumerate(labels)])
    split = make_split(rows, Task(), seed=0)
    assert all(len(parts) == 1 for parts in sides(split).values())
    assert split.sizes == {"train": 420, "val": 90, "test": 90}
    assert all(abs(count - 30) <= 2 for part in ("val", "test") for count in split.balance()[part].values())


def test_groups_that_share_a_text_stay_together():
    rows = [("ab"[i % 2], i if i % 20 else 0, i // 10) for i in range(400)]  # a text in every other group
    groups = [f"g{group}" for _, _, group in rows]
    linked = [number for number in range(0, 400, 20) if number < 100]
    rows = [(label, 0 if i in linked else i, group) for i, (label, _, group) in enumerate(rows)]
    split = make_split(rows_of(rows, group=groups), Task(group="group"), seed=1)
    assert all(len(parts) == 1 for parts in sides(split).values()) and split.notes == ()
    homes = {part: set(table["group"]) for part, table in split.parts.items()}
    assert not homes["train"] & homes["val"] and not homes["train"] & homes["test"]


def test_a_phrase_of_every_group_does_not_glue_all_of_them():
    rows = [("ab"[i % 2], i if i % 10 else 0, 0) for i in range(400)]
    split = make_split(rows_of(rows, group=[f"g{i // 10}" for i in range(400)]), Task(group="group"), seed=1)
    assert split.notes == (
        "groups share texts, which link 400 of 400 rows: each group is on one side of the split, some equal texts are not",
    )
    assert "leak" in {issue.code for issue in check(split).issues}


def test_the_order_of_named_labels_does_not_move_rows():
    rows = table(["a", "b", "c"] * 40)
    one, other = (
        make_split(rows, Task(labels=labels), seed=2) for labels in (("a", "b", "c"), ("c", "a", "b"))
    )
    assert one.fingerprint == other.fingerprint


def test_own_parts_are_respected_and_missing_ones_carved():
    train, val, test = (
        table(["a", "b"] * 50),
        table(["a", "b"] * 5, prefix="v"),
        table(["b", "a"] * 7, prefix="t"),
    )
    both = make_split(train, Task(), seed=0, val=val, test=test)
    assert both.sizes == {"train": 100, "val": 10, "test": 14} and both.test["id"][:] == test["id"][:]
    assert make_split(train, Task(), seed=0, test=test).sizes == {"train": 85, "val": 15, "test": 14}
    assert make_split(train, Task(), seed=0, val=val).sizes == {"train": 85, "val": 10, "test": 15}


def test_assigned_parts_and_carving_beside_them():
    rows = table(["a", "b"] * 30)
    split = make_split(rows, Task(), seed=0, assigned=["train"] * 40 + ["val"] * 10 + ["test"] * 10)
    assert split.sizes == {"train": 40, "val": 10, "test": 10} and split.val["id"][0] == "40"
    carved = make_split(rows, Task(), seed=0, assigned=["train"] * 40 + ["test"] * 20)
    assert carved.sizes == {"train": 34, "val": 6, "test": 20}


def test_a_label_too_rare_for_every_part_is_said():
    split = make_split(table(["a", "b"] * 20 + ["rare"]), Task(), seed=0)
    assert split.task.labels == ("a", "b", "rare") and "rare" in split.train["label"]
    found = [issue.message for issue in check(split).issues if issue.code == "missing_class"]
    assert found == ["val has no row of 1 label: rare", "test has no row of 1 label: rare"]


def test_an_unknown_label_is_named_with_its_row(tmp_path):
    path = tmp_path / "test.csv"
    path.write_text('text,label\n"x\ny",a\nz,c\n')
    rows, own = table(["a", "b"] * 10), table(["a", "c"])
    with pytest.raises(DataError) as caught:
        make_split(rows, Task(label="mood"), seed=0, test=own, paths={"test": path})
    assert str(caught.value) == (
        f"{path}:4: column 'mood': 'c' is not one of a, b, the labels of the training rows; test has 1 such row: "
        "name all labels (task.labels=[a, b, ...]), leave such rows out (--unknown drop), or count them as wrong "
        "(--unknown wrong)"
    )
    with pytest.raises(DataError, match="all.csv:21: column 'label': 'c' is not one of a, b"):
        assigned = ["train"] * 20 + ["test"]
        make_split(
            table(["a", "b"] * 10 + ["c"]), Task(), seed=0, assigned=assigned, paths={"train": "all.csv"}
        )


@pytest.mark.parametrize(
    ("rows", "task", "message"),
    [
        (table(["a", "b"]), Task(), "too few rows of each label to share out: val would be empty"),
        (
            table(["a", "b"] * 9, ["g", "h"] * 9),
            Task(group="group"),
            "too few groups to share out: val would be",
        ),
        (
            table(["a", "b"] * 9),
            Task(labels=("a", "b", "c")),
            "a.csv: column 'label': no row has the label 'c'",
        ),
        (table(["a"] * 9), Task(), "a.csv: only one label, 'a'"),
    ],
)
def test_data_that_cannot_be_split(rows, task, message):
    with pytest.raises(DataError) as caught:
        make_split(rows, task, seed=0, paths={"train": "a.csv"})
    assert message in str(caught.value)


def test_fractions_must_be_three_shares_of_one():
    with pytest.raises(ConfigError, match="fractions: three positive shares .* not 0.7, 0.3, 0"):
        make_split(table(["a", "b"] * 9), Task(), seed=0, fractions=(0.7, 0.3, 0))


@settings(deadline=None)
@given(labels=st.lists(st.sampled_from("abc"), min_size=1, max_size=80), data=st.data(), seed=seeds)
def test_a_subsample_has_the_size_asked_for_and_loses_no_label(labels, data, seed):
    rows = table(labels)
    size = data.draw(st.integers(1, len(labels)) | st.floats(0.01, 1.0))
    total = size if isinstance(size, int) else max(1, round(size * len(labels)))
    drawn = subsample(rows, size, seed)
    ids = [int(i) for i in drawn["id"]]
    assert (
        len(ids) == total
        and ids == sorted(set(ids))
        and ids == [int(i) for i in subsample(rows, size, seed)["id"]]
    )
    if total >= len(set(labels)):
        assert set(drawn["label"]) == set(labels)
    for label, count in Counter(labels).items():
        assert abs(sum(y == label for y in drawn["label"]) - total * count / len(labels)) < len(set(labels))


@pytest.mark.parametrize("size", [0, -1, 1.5, 0.0, True])
def test_a_subsample_of_no_sensible_size(size):
    with pytest.raises(ConfigError, match=f"subsample: a fraction above 0 up to 1.0, .* not {size}"):
        subsample(table(["a", "b"]), size, 0)


def test_the_fingerprint_sees_content_and_assignment_but_not_storage():
    one, two = table(["a", "b"]), table(["b", "a"], prefix="x")
    parts = {"train": concatenate_datasets([one, two]), "val": one, "test": two}
    whole = Dataset.from_dict(parts["train"].to_dict())
    assert fingerprint(parts) == fingerprint({**parts, "train": whole})
    assert fingerprint({**parts, "val": two, "test": one}) != fingerprint(parts)
    for column in ("id", "text", "label"):
        changed = one.to_dict()
        changed[column] = [changed[column][0] + changed[column][1], ""]  # the same bytes, cut elsewhere
        assert fingerprint({**parts, "val": Dataset.from_dict(changed)}) != fingerprint(parts)


def test_split_json(tmp_path):
    split = make_split(table(["a", "b"] * 10), Task(), seed=0)
    split.save(tmp_path / "split.json")
    saved = json.loads((tmp_path / "split.json").read_text())
    assert saved["fingerprint"] == split.fingerprint and Task.from_dict(saved["task"]) == split.task
    assert saved["parts"] == {part: rows["id"][:] for part, rows in split.parts.items()}
    assert saved["balance"]["train"] == {"a": 7, "b": 7}


# -- validation by folds of the training rows


def alternating(count, groups=None):
    columns = {
        "id": [str(i) for i in range(count)],
        "text": [f"text number {i}" for i in range(count)],
        "label": ["a" if i % 2 else "b" for i in range(count)],
    }
    if groups:
        columns["group"] = [f"g{i % groups}" for i in range(count)]
    return Dataset.from_dict(columns)


@pytest.mark.parametrize("count, cross_validated", [(320, True), (340, False)])  # 15 % of them are 48 and 51
def test_auto_takes_folds_where_a_part_would_have_too_few_rows(count, cross_validated):
    split = make_split(alternating(count), Task(), seed=0, validation="auto")
    assert split.cross_validated == cross_validated
    if cross_validated:
        assert list(split.val["id"]) == list(split.train["id"])
        assert len(split.train) + len(split.test) == count
        assert len(set(split.folds)) == 5
        assert any("5-fold cross-validation" in note for note in split.notes)


def test_folds_are_shared_out_by_label_and_groups_stay_whole():
    split = make_split(alternating(60), Task(), seed=0, validation="folds")
    for fold in range(5):
        part = split.without(fold)
        assert set(part.val["id"]) | set(part.train["id"]) == set(split.train["id"])
        assert not set(part.val["id"]) & set(part.train["id"])
        assert part.folds == tuple(own for own in split.folds if own != fold)
        counts = Counter(part.val["label"])
        assert abs(counts["a"] - counts["b"]) <= 1
    grouped = make_split(alternating(60, groups=12), Task(group="group"), seed=0, validation="folds")
    fold_of = dict(zip(grouped.train["group"], grouped.folds, strict=True))
    assert [fold_of[group] for group in grouped.train["group"]] == list(grouped.folds)


def test_folds_are_in_the_fingerprint_and_survive_the_store():
    folds, rows = (make_split(alternating(60), Task(), seed=0, validation=way) for way in ("folds", "rows"))
    assert folds.fingerprint != rows.fingerprint
    other = make_split(alternating(60), Task(), seed=0, validation="folds")
    assert other.fingerprint == folds.fingerprint
    loaded = load_parts(store_split(folds))
    assert (loaded.folds, loaded.fingerprint) == (folds.folds, folds.fingerprint)
    assert loaded.cross_validated


def test_folds_beside_validation_rows_are_refused():
    with pytest.raises(ConfigError, match="validation rows already"):
        make_split(alternating(60), Task(), seed=0, val=alternating(9), validation="folds")
    with pytest.raises(ConfigError, match="validation"):
        make_split(alternating(60), Task(), seed=0, validation="thirds")
    with pytest.raises(ConfigError, match="val_rows"):
        load_split(alternating(60), Task(), seed=0, sizes=(None, 5, None), validation="folds")
    assert not load_split(alternating(60), Task(), seed=0, sizes=(None, 5, None)).cross_validated


def test_rows_that_are_cut_are_in_folds_of_their_own():
    split = load_split(alternating(300), Task(), seed=0, sizes=(24, None, None), validation="folds")
    assert (len(split.train), len(split.val), len(split.folds)) == (24, 24, 24)
    assert sorted(Counter(split.folds).values()) == [4, 5, 5, 5, 5]


def test_too_few_groups_for_folds_have_a_part():
    table, task = alternating(40), Task(group="group")
    table = table.add_column("group", ["large"] * 34 + ["small"] * 6)
    split = make_split(table, task, seed=0, test=alternating(9, groups=9), validation="auto")
    assert not split.cross_validated
    assert set(split.val["group"]) == {"small"}
    with pytest.raises(DataError, match="too few groups for 3 folds"):
        make_split(table, task, seed=0, test=alternating(9, groups=9), validation="folds")


def test_one_group_is_neither_in_folds_nor_in_parts():
    with pytest.raises(DataError, match="too few groups to share out: val would be empty"):
        make_split(
            alternating(40, groups=1), Task(group="group"), seed=0, test=alternating(9), validation="auto"
        )

"""Demonstrations: who is shown."""

from collections import Counter

import pytest
from datasets import Dataset

from stratune.errors import ConfigError, DataError
from stratune.prompt.shots import POOL, Nearest, balanced_shots, pool_of
from stratune.prompt.template import Shot
from stratune.testing import toy_split


def table(**counts):
    """So many rows of each label; every text says its row and its label."""
    labels = [label for label, count in counts.items() for _ in range(count)]
    texts = [f"row {i} of {label}" for i, label in enumerate(labels)]
    return Dataset.from_dict({"id": texts, "text": texts, "label": labels})


def drawn(train, labels, count, seed=0, max_words=None):
    return balanced_shots(train, labels, count, seed, max_words)


@pytest.mark.parametrize("count", [0, 1, 3, 4, 6, 11])
def test_labels_are_shown_as_often_as_one_another(count):
    shots = drawn(table(a=40, b=4, c=20), "abc", count)
    given = Counter(shot.label for shot in shots)
    assert len(shots) == count
    assert max(given.values(), default=0) - min(given[label] for label in "abc") <= 1


def test_where_a_label_has_no_more_rows_the_others_go_on():
    given = Counter(shot.label for shot in drawn(table(a=9, b=1, c=9), "abc", 9))
    assert given == {"a": 4, "b": 1, "c": 4}


def test_no_row_is_shown_twice_and_each_has_its_own_label():
    shots = drawn(table(a=5, b=5), "ab", 10)
    assert len({shot.text for shot in shots}) == 10
    assert all(shot.text.endswith(f"of {shot.label}") and shot.pair is None for shot in shots)


@pytest.mark.parametrize("pairs", [False, True])
def test_all_are_rows_of_the_training_part(pairs):
    split = toy_split(3, pairs=pairs)

    def rows(part):
        return {(row["text"], row["label"], row.get("text_pair")) for row in part}

    shots = {(s.text, s.label, s.pair) for s in drawn(split.train, split.task.labels, 40)}
    assert shots <= rows(split.train) and not shots & (rows(split.val) | rows(split.test))


def test_a_seed_says_which_rows_and_in_which_order():
    train = table(a=30, b=30)
    seeds = [drawn(train, "ab", 8, seed) for seed in range(5)]
    assert seeds == [drawn(train, "ab", 8, seed) for seed in range(5)]
    assert len({frozenset(shots) for shots in seeds}) == 5


def test_no_label_has_a_place_of_its_own():
    """Any of them may come first, last, twice in a row, or be the one shown once more."""
    train = table(a=30, b=30)
    orders = ["".join(shot.label for shot in drawn(train, "ab", 5, seed)) for seed in range(20)]
    assert {order[0] for order in orders} == {order[-1] for order in orders} == {"a", "b"}
    assert {order[:2] for order in orders} == {"aa", "ab", "ba", "bb"}
    assert {order.count("a") for order in orders} == {2, 3}


def test_a_demonstration_is_cut_to_as_many_words_as_a_row():
    split = toy_split(pairs=True)
    for shot in drawn(split.train, split.task.labels, 8, max_words=2):
        assert len(shot.text.split()) == len(shot.pair.split()) == 2


def test_more_than_there_are_rows_is_refused():
    with pytest.raises(ConfigError, match=r"^readout\.shots: 5 demonstrations out of 4 training rows$"):
        drawn(table(a=2, b=2), "ab", 5)


# -- the nearest


SEEN = (
    Shot("the cat and the dog", "animal"),
    Shot("snow in the old street", "weather"),
    Shot("a cat in the snow", "weather"),
    Shot("a song", "music"),
)


def test_the_rows_that_share_the_most_words_are_shown_and_the_nearest_last():
    first, second = Nearest(SEEN, 2)(["cat and dog again", "old snow"], None)
    assert [shot.text for shot in first] == ["a cat in the snow", "the cat and the dog"]
    assert [shot.text for shot in second] == ["a cat in the snow", "snow in the old street"]


def test_a_text_that_shares_nothing_gets_rows_all_the_same():
    assert [len(shots) for shots in Nearest(SEEN, 3)(["", "qqq"], None)] == [3, 3]


def test_of_pairs_both_texts_count():
    seen = (Shot("one", "a", "cat"), Shot("two", "b", "dog"))
    assert [shots[0].label for shots in Nearest(seen, 1)(["x", "two"], ["cat", "y"])] == ["a", "b"]


def test_more_than_there_are_is_refused():
    with pytest.raises(ConfigError, match="readout.shots: 5 demonstrations out of 4 training rows"):
        Nearest(SEEN, 5)


def test_rows_without_words_are_refused():
    with pytest.raises(DataError, match="no words to compare rows by"):
        Nearest((Shot("?!", "a"), Shot("", "b")), 1)(["cat"], None)


def test_a_large_training_part_is_drawn_from():
    train = table(a=POOL, b=10)
    pool = pool_of(train, 0, None)
    assert len(pool) == POOL == len({shot.text for shot in pool})
    assert pool != pool_of(train, 1, None)
    assert len(pool_of(table(a=3, b=2), 7, None)) == 5


def test_another_draw_shows_others():
    train = table(a=30, b=30)
    draws = [balanced_shots(train, "ab", 4, 0, None, draw) for draw in range(3)]
    assert len(set(draws)) == 3
    assert draws[0] == drawn(train, "ab", 4)

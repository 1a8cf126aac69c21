"""Demonstrations: who is shown."""

import json
from collections import Counter

import numpy as np
import pytest
import torch
from datasets import Dataset

from stratune.backbone.load import load_backbone
from stratune.errors import ArtifactError, ConfigError, DataError
from stratune.prompt.shots import POOL, Nearest, balanced_shots, kept, pool_of, shown_by
from stratune.prompt.template import Shot, find_template
from stratune.readout.words import Words
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


ALIKE = (
    Shot("cat dog horse bird", "a"),
    Shot("bird horse dog cat", "a"),
    Shot("cat snow rain", "b"),
    Shot("fog storm", "c"),
    Shot("cat fog", "c"),
)


def test_diverse_rows_are_near_the_text_and_far_from_each_other():
    text = ["cat dog horse"]
    (nearest,), (diverse,) = (Nearest(ALIKE, 2, how)(text, None) for how in ("nearest", "diverse"))
    assert {shot.text for shot in nearest} == {"cat dog horse bird", "bird horse dog cat"}
    assert diverse[-1] == ALIKE[0] and diverse[0] not in ALIKE[:2], "the second is no copy of the first"


def test_marginal_relevance_is_that_of_its_definition():
    similar = np.random.default_rng(0).random((9, 9))
    similar = (similar + similar.T) / 2
    pool = tuple(Shot(f"text {i}", "a") for i in range(8))
    one = Nearest(pool, 4, "diverse")
    one.__dict__["_among"] = similar[:8, :8]
    to_text, chosen = similar[8, :8], []
    while len(chosen) < 4:

        def value(i, chosen=chosen):
            return 0.5 * to_text[i] - 0.5 * max((similar[i, j] for j in chosen), default=0.0)

        chosen.append(max((i for i in range(8) if i not in chosen), key=value))
    assert one._chosen(to_text) == chosen


def test_each_label_has_its_turn():
    (shown,) = Nearest(ALIKE, 3, "each_label")(["cat dog horse"], None)
    assert sorted(shot.label for shot in shown) == ["a", "b", "c"]
    assert shown[-1] == ALIKE[0] and ALIKE[4] in shown, "of c the nearer one"
    (more,) = Nearest(ALIKE, 5, "each_label")(["cat"], None)
    assert sorted(shot.text for shot in more) == sorted(shot.text for shot in ALIKE)


def test_rows_are_compared_by_vectors_of_a_backbone(tiny):
    by = str(tiny("bert"))
    nearest = Nearest(SEEN, 4, "nearest", by)
    texts = ["snow and rain near the street", "a dog"]
    backbone = load_backbone(by)

    def vectors(texts):
        found = []
        for text in texts:
            given = backbone.tokenizer(text, return_tensors="pt")
            with torch.no_grad():
                states = backbone.model(**given).last_hidden_state
            found.append(torch.nn.functional.normalize(states[0].mean(dim=0), dim=0))
        return torch.stack(found).numpy()

    wanted = vectors(texts) @ vectors([shot.text for shot in SEEN]).T
    np.testing.assert_allclose(nearest.similarity.to(texts), wanted, atol=1e-5)
    assert [[SEEN.index(shot) for shot in row] for row in nearest(texts, None)] == np.argsort(wanted).tolist()


def test_what_is_kept_names_weights_and_others_are_refused(tiny):
    by = str(tiny("bert"))
    template = find_template("demonstrations").for_labels(["a", "b", "c"])
    state = kept(template, (), Nearest(ALIKE, 2, "diverse", by))
    assert state["how"] == "diverse" and state["by_hash"] == load_backbone(by).weight_hash
    again = shown_by(json.loads(json.dumps(state)), ["a", "b", "c"])[2]
    assert again(["cat"], None) == Nearest(ALIKE, 2, "diverse", by)(["cat"], None)
    other = shown_by({**state, "by_hash": "0" * 64}, ["a", "b", "c"])[2]
    with pytest.raises(
        ArtifactError, match="has other weights than those that demonstrations were chosen by"
    ):
        other(["cat"], None)


def test_a_folder_of_before_says_nearest_by_words():
    template = find_template("demonstrations").for_labels(["a", "b", "c"])
    state = kept(template, (), Nearest(ALIKE, 2))
    old = {key: value for key, value in state.items() if key not in ("how", "by", "by_hash")}
    assert shown_by(old, ["a", "b", "c"])[2] == Nearest(ALIKE, 2)


def test_similar_is_refused_where_no_row_is_compared():
    with pytest.raises(ConfigError, match="`pick: random` takes others; one of nearest, diverse, each_label"):
        Words(shots=2, similar="minilm")
    assert Words(shots=2, pick="diverse", similar="minilm").shows_rows


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

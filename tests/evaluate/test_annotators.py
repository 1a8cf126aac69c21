"""Each annotator against the others: the careless one is found, and nobody else is named."""

import numpy as np
import pytest

from stratune.evaluate.annotators import annotators

SEEDS = 20


def labels(seed, careless=(), rows=200, raters=5):
    """Each rating is right in 80 %, one in five is missing; the careless answer at random."""
    draw = np.random.default_rng(seed)
    truth = draw.integers(0, 3, rows)
    said = np.where(draw.random((rows, raters)) < 0.7, truth[:, None], draw.integers(0, 3, (rows, raters)))
    for one in careless:
        said[:, one] = draw.integers(0, 3, rows)
    return np.where(draw.random(said.shape) < 0.2, np.nan, said)


def numbers(seed, careless=()):
    draw = np.random.default_rng(seed)
    said = draw.normal(0, 1, 200)[:, None] + draw.normal(0, 0.6, (200, 5))
    for one in careless:
        said[:, one] = draw.permutation(said[:, one])
    return np.where(draw.random(said.shape) < 0.2, np.nan, said)


def off(ratings, label_count, **options):
    who = np.tile(np.arange(ratings.shape[1]), (len(ratings), 1))
    return [one.number for one in annotators(ratings, who, label_count, **options) if one.off]


@pytest.mark.parametrize(("made", "label_count"), [(labels, 3), (numbers, None)])
def test_one_careless_annotator_of_five_is_found_and_none_in_data_without(made, label_count):
    assert [off(made(seed, careless=[3]), label_count) for seed in range(SEEDS)] == [[3]] * SEEDS
    assert [off(made(seed), label_count) for seed in range(SEEDS)] == [[]] * SEEDS


def test_groups_count_as_one():
    """Four rows of a document rated alike are one opinion, and the careless one is still found."""
    groups = np.repeat(np.arange(200), 4)
    repeated = [np.repeat(labels(seed, careless=[3]), 4, axis=0) for seed in range(5)]
    assert [off(one, 3, groups=groups) for one in repeated] == [[3]] * 5
    without = [np.repeat(labels(seed), 4, axis=0) for seed in range(SEEDS)]
    assert [off(one, 3, groups=groups) for one in without] == [[]] * SEEDS


def test_many_annotators_of_few_rows_are_not_named_by_chance():
    draw = np.random.default_rng(0)
    ratings = labels(0, rows=600)
    who = np.stack([draw.permutation(100)[:5] for _ in range(600)])
    found = annotators(ratings, who, 3)
    assert len(found) == 100 and not any(one.off for one in found)
    below = [one for one in found if one.rest is not None and one.measures["agreement"].high < one.rest]
    assert below  # without the correction they would be named


def test_hard_rows_are_not_held_against_him():
    """Rater 5 rated only the rows that nobody agrees on: his agreement is low, and so is that of the rest."""
    draw = np.random.default_rng(1)
    easy = np.column_stack([np.repeat(draw.integers(0, 3, (150, 1)), 4, axis=1), np.full(150, np.nan)])
    hard = draw.integers(0, 3, (150, 5)).astype(float)
    ratings = np.concatenate([easy, hard])
    who = np.tile(np.arange(5), (300, 1))
    found = annotators(ratings, who, 3)
    assert found[4].measures["agreement"].value < 0.5 < found[0].measures["agreement"].value
    assert not found[4].off


def test_ties_share_and_the_rest_is_of_the_same_rows():
    ratings = np.array(
        [[0, 0, 1, np.nan], [0, 1, 1, np.nan], [2, np.nan, np.nan, np.nan], [np.nan] * 3 + [1]]
    )
    first, second, third, nobody = annotators(ratings, WHO, 3)
    assert (first.ratings, first.compared) == (3, 2) and (nobody.ratings, nobody.rest) == (1, None)
    # Row 1: others of the first are 0 and 1, a tie; row 2: both say 1.
    assert first.measures["agreement"].value == pytest.approx((0.5 + 0) / 2)
    assert second.measures["agreement"].value == pytest.approx((0.5 + 0.5) / 2)
    assert first.rest == pytest.approx(((0.5 + 0) / 2 + (0.5 + 0.5) / 2) / 2)
    assert third.measures["agreement"].value == pytest.approx((0 + 0.5) / 2)


WHO = np.tile(np.arange(4), (4, 1))


def test_numbers_have_error_bias_and_correlation():
    ratings = numbers(0)
    ratings[:, 2] += 1.0
    third = annotators(ratings, np.tile(np.arange(5), (200, 1)), None)[2]
    apart = ratings[:, 2] - np.nanmean(np.delete(ratings, 2, axis=1), axis=1)
    assert third.measures["bias"].value == pytest.approx(np.nanmean(apart))
    assert third.measures["mae"].value == pytest.approx(np.nanmean(abs(apart)))
    assert third.measures["bias"].low > 0.8 and third.measures["pearson"].low > 0.5
    assert third.off  # a lenient one is wrong by as much

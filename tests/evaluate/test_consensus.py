"""Majority, mean, and Dawid and Skene's own example."""

import numpy as np
import pytest

from stratune.evaluate.consensus import NONE, disagreement, leading, majority, mean, median
from stratune.evaluate.dawid_skene import SMOOTHING, dawid_skene

GAP = np.nan
# Dawid and Skene 1979, table 1: 45 patients, the first anaesthetist three times, then the four others.
PATIENTS = (
    "1111111 3334334 1122122 2223121 2223222 2223322 1222111 3333433 2222223 2322223 4444444 2223343 1111111 "
    "2223212 1211111 1112111 1111111 1111111 2222221 2221322 2222222 2222221 2223222 2212222 1111111 1111111 "
    "2322222 1111111 1111111 1121121 1111111 3333233 1111111 2222222 2223232 4334343 2212232 2323233 3333432 "
    "1111111 1111111 1212111 2322222 1211111 2222222"
)


def anaesthetists():
    ratings = np.array([[float(one) - 1 for one in row] for row in PATIENTS.split()])
    return ratings, np.tile([0, 0, 0, 1, 2, 3, 4], (45, 1))


def test_the_numbers_of_the_paper():
    found = dawid_skene(*anaesthetists(), 4, smoothing=0.0)
    assert found.prevalence == pytest.approx([0.40, 0.42, 0.11, 0.07], abs=0.005)
    first = [[0.89, 0.11, 0, 0], [0.07, 0.88, 0.05, 0], [0, 0.34, 0.66, 0], [0, 0, 0.56, 0.44]]
    assert found.errors[0] == pytest.approx(np.array(first), abs=0.005)
    assert found.converged and found.probabilities[10].argmax() == 3


def test_the_better_raters_decide():
    """Two who know and three who guess: the majority is wrong more often."""
    draw = np.random.default_rng(0)
    truth = draw.integers(0, 3, 400)
    skill = np.array([0.95, 0.95, 0.3, 0.3, 0.3])
    said = np.where(draw.random((400, 5)) < skill, truth[:, None], draw.integers(0, 3, (400, 5))).astype(
        float
    )
    weighed = dawid_skene(said, np.tile(np.arange(5), (400, 1)), 3)
    votes = majority(said, 3).shares.argmax(axis=1)
    right = (weighed.probabilities.argmax(axis=1) == truth).mean()
    assert right > (votes == truth).mean() + 0.02
    known = [weighed.errors[rater].trace() / 3 for rater in range(5)]
    assert min(known[:2]) > 0.9 > 0.7 > max(known[2:])


def test_raters_of_few_rows_do_not_outvote_the_others():
    draw = np.random.default_rng(1)
    truth, skill = draw.choice(3, 600, p=[0.6, 0.3, 0.1]), draw.uniform(0.4, 0.95, 200)
    who = np.stack([draw.permutation(200)[:3] for _ in range(600)])
    right = draw.random((600, 3)) < skill[who]
    said = np.where(right, truth[:, None], draw.integers(0, 3, (600, 3))).astype(float)
    accuracy = [
        (dawid_skene(said, who, 3, **options).probabilities.argmax(axis=1) == truth).mean()
        for options in ({}, {"smoothing": 0.0})
    ]
    votes = (majority(said, 3).shares.argmax(axis=1) == truth).mean()
    assert accuracy[0] > accuracy[1] + 0.03 and accuracy[0] > votes - 0.02


def test_a_row_without_ratings_has_no_label():
    ratings, who = anaesthetists()
    ratings = np.concatenate([ratings, np.full((1, 7), GAP)])
    found = dawid_skene(ratings, np.concatenate([who, who[:1]]), 4)
    assert np.isnan(found.probabilities[-1]).all() and np.isfinite(found.probabilities[:-1]).all()
    assert leading(found.probabilities).label[-1] == NONE


def test_ties_have_no_label():
    found = majority(np.array([[0, 0, 1], [0, 1, GAP], [1, GAP, GAP], [GAP, GAP, GAP]]), 2)
    assert found.label.tolist() == [0, NONE, 1, NONE]
    assert found.tied.tolist() == [False, True, False, False] and found.rated.tolist() == [True] * 3 + [False]
    assert found.share[:3] == pytest.approx([2 / 3, 0.5, 1]) and np.isnan(found.share[3])


def test_means_and_how_far_ratings_differ():
    ratings = np.array([[1.0, 3.0, GAP], [2.0, 2.0, 2.0], [5.0, GAP, GAP], [GAP, GAP, GAP]])
    assert mean(ratings)[:3] == pytest.approx([2, 2, 5]) and np.isnan(mean(ratings)[3])
    assert disagreement(ratings, None)[:2] == pytest.approx([1, 0]) and np.isnan(
        disagreement(ratings, None)[2]
    )
    votes = np.array([[0, 1, GAP, GAP], [0, 0, 1, 1], [0, 1, 2, GAP], [0, 0, 0, 0]])
    assert disagreement(votes, 3) == pytest.approx([0.5, 0.5, 2 / 3, 0])


def test_medians():
    ratings = np.array([[1.0, np.nan, 9.0], [2.0, 3.0, 10.0], [np.nan, np.nan, np.nan]])
    np.testing.assert_array_equal(median(ratings), [5.0, 3.0, np.nan])


def test_raters_with_few_ratings_need_smoothing():
    random = np.random.default_rng(0)
    rows, raters, labels = 1000, 300, 3
    truth = random.integers(0, labels, rows)
    skill = random.uniform(0.5, 0.95, raters)
    who = np.stack([random.choice(raters, 3, replace=False) for _ in range(rows)])
    knows = random.random((rows, 3)) < skill[who]
    ratings = np.where(knows, truth[:, None], random.integers(0, labels, (rows, 3))).astype(float)

    def right(smoothing):
        found = dawid_skene(ratings, who, labels, smoothing=smoothing).probabilities.argmax(axis=1)
        return float((found == truth).mean())

    most = float((majority(ratings, labels).shares.argmax(axis=1) == truth).mean())
    assert right(SMOOTHING) > right(0.0) + 0.05 and right(0.0) < most < right(SMOOTHING) + 0.03

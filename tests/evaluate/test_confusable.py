"""Pairs of labels that are confused both ways: against scipy and scikit-learn, planted, and counted on noise."""

import numpy as np
import pytest
from scipy.stats import binomtest
from sklearn.metrics import accuracy_score, matthews_corrcoef

from stratune.evaluate.confusable import gain_by_chance, of_answers, of_raters, pairs_to_merge
from stratune.evaluate.multiple import holm

LABELS = 5


def planted(draws, rows=400, right=0.9, pair=(1, 3), labels=LABELS):
    """Rows of the pair get either label of it by chance; of the others some are answered by any label."""
    truth = draws.integers(0, labels, rows)
    answers = np.where(draws.random(rows) < right, truth, draws.integers(0, labels, rows))
    inside = np.isin(truth, pair)
    answers[inside] = draws.choice(pair, inside.sum())
    return truth, answers


def clear(confusions):
    adjusted = holm([one.p for one in confusions])
    return {one.pair for one, p in zip(confusions, adjusted, strict=True) if p < 0.05}


def test_the_planted_pair_is_found_and_no_other():
    pairs = pairs_to_merge(LABELS, ordered=False)
    draws = np.random.default_rng(0)
    found = [clear(of_answers(*reversed_(planted(draws)), LABELS, pairs)) for _ in range(50)]
    assert all((1, 3) in one for one in found)
    assert sum(len(one) > 1 for one in found) <= 4


def reversed_(both):
    truth, answers = both
    return truth, [answers]


def test_p_is_scipys_binomial_tail_of_the_worse_way():
    truth, answers = planted(np.random.default_rng(1))
    (found,) = of_answers(truth, [answers], LABELS, [(1, 3)])
    p = []
    for own, other in ((1, 3), (3, 1)):
        wrong = (truth == own) & (answers != own)
        share = max((answers == other).sum() / (answers != own).sum(), 1 / (LABELS - 1))
        p.append(binomtest(int((answers[wrong] == other).sum()), int(wrong.sum()), share, "greater").pvalue)
    assert (found.there.p, found.back.p) == pytest.approx(p) and found.p == max(found.there.p, found.back.p)


def guesses(draws, labels, rows):
    """Answers have nothing to do with the truth, and labels are not equally frequent."""
    shares = draws.dirichlet(np.full(labels, 3.0))
    return draws.choice(labels, rows, p=shares), draws.choice(
        labels, rows, p=draws.dirichlet(np.full(labels, 3.0))
    )


def often_right(draws, labels, rows):
    """The errors fall on any label."""
    truth = draws.choice(labels, rows, p=draws.dirichlet(np.full(labels, 3.0)))
    return truth, np.where(draws.random(rows) < 0.7, truth, draws.integers(0, labels, rows))


def swallowed(draws, labels, rows):
    """One label gets all the errors: it is no pair with any other."""
    truth = draws.integers(0, labels, rows)
    return truth, np.where(draws.random(rows) < 0.6, truth, 0)


@pytest.mark.parametrize("noise", [guesses, often_right, swallowed])
@pytest.mark.parametrize("labels", [3, 8])
def test_of_noise_something_is_found_in_fewer_than_5_of_100_draws(noise, labels):
    draws = np.random.default_rng(3)
    pairs = pairs_to_merge(labels, ordered=False)
    found = sum(
        bool(clear(of_answers(*reversed_(noise(draws, labels, 300)), labels, pairs))) for _ in range(300)
    )
    assert found <= 0.05 * 300 + 2 * np.sqrt(0.05 * 0.95 * 300)


def test_rows_of_one_group_are_alike_and_find_no_more():
    """Whole groups of 20 rows are answered alike: as rows they would be clear far too often."""
    draws, pairs = np.random.default_rng(4), pairs_to_merge(4, ordered=False)
    alone = together = 0
    for _ in range(200):
        groups = np.repeat(np.arange(30), 20)
        truth = draws.integers(0, 4, 30)[groups]
        answers = np.where(draws.random(30)[groups] < 0.3, truth, draws.integers(0, 4, 30)[groups])
        alone += bool(clear(of_answers(truth, [answers], 4, pairs)))
        together += bool(clear(of_answers(truth, [answers], 4, pairs, groups)))
    assert together <= 16 < 30 < alone


def test_an_answer_that_is_no_label_confuses_nothing():
    truth, answers = planted(np.random.default_rng(5))
    more = np.concatenate([answers, np.full(40, LABELS)])
    one = of_answers(truth, [answers], LABELS, [(1, 3)])[0]
    other = of_answers(np.concatenate([truth, np.full(40, 1)]), [more], LABELS, [(1, 3)])[0]
    assert other.there.wrong == one.there.wrong and other.p == pytest.approx(one.p)


def test_two_seeds_of_one_mind_are_one():
    truth, answers = planted(np.random.default_rng(6))
    one, two = (of_answers(truth, [answers] * seeds, LABELS, [(1, 3)])[0] for seeds in (1, 2))
    assert one.there.taken == pytest.approx(two.there.taken) and one.p == pytest.approx(two.p)


def test_levels_merge_with_their_neighbours_and_two_labels_with_none():
    assert pairs_to_merge(4, ordered=True) == [(0, 1), (1, 2), (2, 3)]
    assert len(pairs_to_merge(4, ordered=False)) == 6 and pairs_to_merge(2, ordered=False) == []


def test_raters_who_differ_about_two_labels_are_found_and_noise_is_not():
    draws, pairs = np.random.default_rng(7), pairs_to_merge(4, ordered=False)
    alarms = 0
    for number in range(60):
        truth = draws.integers(0, 4, 200)
        ratings = np.where(
            draws.random((200, 5)) < 0.7, truth[:, None], draws.integers(0, 4, (200, 5))
        ).astype(float)
        ratings[draws.random((200, 5)) < 0.2] = np.nan
        alarms += bool(clear(of_raters(ratings, 4, pairs)[0]))
        if number == 0:
            torn = np.isin(truth, (0, 2))
            ratings[torn] = draws.choice([0.0, 2.0], (torn.sum(), 5))
            assert clear(of_raters(ratings, 4, pairs)[0]) == {(0, 2)}
    assert alarms <= 6


def test_a_row_with_one_rating_counts_for_nothing():
    assert of_raters(np.array([[0.0, np.nan], [1.0, np.nan]]), 3, [(0, 1)]) == ([], 0)


def test_by_chance_is_what_scikit_learn_measures_where_errors_fall_by_chance():
    """Errors that fall by the shares of answers: the merge of any two brings what is told, and no mcc."""
    draws = np.random.default_rng(8)
    truth = draws.integers(0, LABELS, 20_000)
    answers = np.where(draws.random(20_000) < 0.6, truth, draws.integers(0, LABELS, 20_000))
    merged_truth, merged = (np.where(one == 3, 1, one) for one in (truth, answers))
    told = gain_by_chance(truth, answers, LABELS, (1, 3))
    gain = accuracy_score(merged_truth, merged) - accuracy_score(truth, answers)
    assert told["accuracy"] == pytest.approx(gain, abs=0.005) and gain > 0.02
    assert told["mcc"] == pytest.approx(0, abs=0.01)
    change = matthews_corrcoef(merged_truth, merged) - matthews_corrcoef(truth, answers)
    assert change == pytest.approx(told["mcc"], abs=0.01)

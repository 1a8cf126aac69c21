"""Percent, Fleiss' and Cohen's kappa, alpha: published examples, other packages, and laws."""

import numpy as np
import pytest

from stratune.evaluate.agreement import krippendorff_alpha
from stratune.evaluate.label_agreement import LabelAgreement, label_agreement
from stratune.evaluate.rater_pairs import LEAST, MOST_SHOWN, pair_agreement

# Fleiss' kappa in Wikipedia: 14 raters, 10 subjects, 5 categories; P 0.378, kappa 0.210.
PSYCHIATRISTS = [
    [0, 0, 0, 0, 14], [0, 2, 6, 4, 2], [0, 0, 3, 5, 6], [0, 3, 9, 2, 0], [2, 2, 8, 1, 1],
    [7, 7, 0, 0, 0], [3, 2, 6, 3, 0], [2, 5, 3, 2, 2], [6, 5, 2, 1, 0], [0, 2, 2, 3, 7],
]  # fmt: skip


def table(seed, rows=40, raters=4, labels=3, gaps=0.25):
    draw = np.random.default_rng(seed)
    truth = draw.integers(0, labels, rows)
    said = np.where(
        draw.random((rows, raters)) < 0.6, truth[:, None], draw.integers(0, labels, (rows, raters))
    )
    return np.where(draw.random((rows, raters)) < gaps, np.nan, said)


def everyone(ratings):
    return np.tile(np.arange(ratings.shape[1]), (len(ratings), 1))


def point(ratings, labels):
    found = LabelAgreement(ratings, labels).values(np.ones((len(ratings), 1)))
    return {name: value[0] for name, value in found.items()}


def test_a_published_example():
    ratings = np.array([np.repeat(np.arange(5.0), counts) for counts in PSYCHIATRISTS])
    found = label_agreement(ratings, list("abcde"))
    assert found["percent"].value == pytest.approx(0.378, abs=5e-4)
    assert found["fleiss"].value == pytest.approx(0.210, abs=5e-4)


# statsmodels 0.15.0 (fleiss_kappa, cohens_kappa with no weights and "fc"), krippendorff 0.9.0, on table(seed).
FROZEN = [
    (0, (0.2698855508, 0.2834989538, 0.2852588625), 0.2239441618, (0.2034457683, 0.2473332008, 0.2247013748),
     {(0, 1): (0.2111650485, 0.1071428571), (2, 3): (0.0265486726, 0.09375)}),
    (1, (0.433911368, 0.5150356286, 0.5147880807), 0.3809356314, (0.40368041, 0.3627705628, 0.3763866403),
     {(0, 1): (0.4551083591, 0.3802816901), (2, 3): (0.4757834758, 0.6666666667)}),
]  # fmt: skip


@pytest.mark.parametrize(("seed", "alphas", "fleiss", "by_label", "pairs"), FROZEN)
def test_other_packages_say_the_same(seed, alphas, fleiss, by_label, pairs):
    ratings = table(seed)
    for level, alpha in zip(("nominal", "ordinal", "interval"), alphas, strict=True):
        assert krippendorff_alpha(ratings, level, resamples=2).value == pytest.approx(alpha, abs=1e-9)
    whole = point(table(seed, gaps=0), "abc")
    assert whole["fleiss"] == pytest.approx(fleiss, abs=1e-9)
    assert [whole[f"kappa[{one}]"] for one in "abc"] == pytest.approx(by_label, abs=1e-9)
    found = pair_agreement(ratings, everyone(ratings), 3, ordered=True, resamples=50)
    assert found.pairs == 6 and set(found.each) >= set(pairs)
    for pair, (plain, weighted) in pairs.items():
        assert found.each[pair]["cohen"].value == pytest.approx(plain, abs=1e-9)
        assert found.each[pair]["cohen_weighted"].value == pytest.approx(weighted, abs=1e-9)
    mean = np.mean([one["cohen"].value for one in found.each.values()])
    assert found.means["cohen"].value == pytest.approx(mean)


@pytest.mark.parametrize("seed", range(5))
def test_percent_is_made_of_its_labels_and_gaps_do_not_matter_where_all_rows_have_them(seed):
    ratings = table(seed)
    found = point(ratings, "abc")
    known = ratings[np.isfinite(ratings).sum(axis=1) > 1]
    shares = np.stack([(known == k).sum(axis=1) / np.isfinite(known).sum(axis=1) for k in range(3)], 1).mean(
        0
    )
    specific = np.array([found[f"specific[{one}]"] for one in "abc"])
    assert found["percent"] == pytest.approx(shares @ specific)
    padded = np.column_stack([table(seed, gaps=0), np.full(40, np.nan)])
    assert point(padded, "abc") == pytest.approx(point(table(seed, gaps=0), "abc"))


def test_what_cannot_be_known_is_left_out():
    alone = np.array([[0.0, np.nan], [1.0, np.nan]])
    assert label_agreement(alone, "ab") == {}
    alike = label_agreement(np.zeros((12, 3)), "ab")
    assert alike["percent"].value == 1 and alike["percent"].low < 1
    assert "fleiss" not in alike and "specific[b]" not in alike and "kappa[a]" not in alike
    few = table(0, rows=LEAST - 1, gaps=0)
    assert pair_agreement(few, everyone(few), 3).pairs == 0


def test_intervals_hold_their_values_and_groups_widen_them():
    ratings = np.repeat(table(3, rows=60, gaps=0), 5, axis=0)
    plain = label_agreement(ratings, "abc")
    grouped = label_agreement(ratings, "abc", groups=np.repeat(np.arange(60), 5))
    for name, one in plain.items():
        assert one.low < one.value < one.high
        assert grouped[name].high - grouped[name].low > 1.5 * (one.high - one.low)


def test_raters_in_any_position_are_the_same_pairs():
    """Lists with names: the same raters, each row in another order; many raters have no table of pairs."""
    ratings, who = table(1), everyone(table(1))
    order = np.random.default_rng(0).permuted(who, axis=1)
    shuffled = pair_agreement(np.take_along_axis(ratings, order, axis=1), order, 3, resamples=50)
    plain = pair_agreement(ratings, who, 3, resamples=50)
    assert {pair: one["cohen"].value for pair, one in shuffled.each.items()} == pytest.approx(
        {pair: one["cohen"].value for pair, one in plain.each.items()}
    )
    many = table(2, raters=11, gaps=0)
    found = pair_agreement(many, everyone(many), 3, resamples=50)
    assert found.pairs == 55 > MOST_SHOWN and not found.each and "cohen" in found.means

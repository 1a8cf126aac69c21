"""Agreement against published tables, against formulas written out, and against many random draws."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats
from sklearn.metrics import accuracy_score, cohen_kappa_score

from stratune.evaluate.agreement import icc, krippendorff_alpha, stacked
from stratune.evaluate.alpha import Alpha
from stratune.evaluate.icc import OneWay, TwoWay
from stratune.evaluate.pairs import LabelPairs, Pairs, ValuePairs
from stratune.evaluate.replicates import resampled
from tests.scores import human_ceiling, with_people

NAN = np.nan
# Shrout and Fleiss 1979, table 2: six targets, four judges; their table 4 has the six coefficients
SHROUT_FLEISS = np.array(
    [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]], dtype=float
)
# Krippendorff 2011, example C: four observers, twelve units
KRIPPENDORFF = np.array(
    [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, NAN, NAN, NAN],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, NAN, 3],
        [NAN, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, NAN],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, NAN],
    ]
).T


def simulated(rows=300, raters=5, seed=0, noise=1.0, gaps=0.3):
    """Ratings with gaps, at least two a row, and what they are about."""
    draws = np.random.default_rng(seed)
    truth = draws.normal(size=rows)
    ratings = truth[:, None] + noise * draws.normal(size=(rows, raters))
    ratings[:, 2:][draws.random((rows, raters - 2)) < gaps] = NAN
    return truth, ratings


def values(found):
    return {name: interval.value for name, interval in found.items()}


def test_the_table_of_shrout_and_fleiss():
    found = values(icc(SHROUT_FLEISS, resamples=50))
    published = {"icc1": 0.17, "icc2": 0.29, "icc3": 0.71, "icc1k": 0.44, "icc2k": 0.62, "icc3k": 0.91}
    assert {name: round(value, 2) for name, value in found.items()} == published


@pytest.mark.parametrize("level, alpha", [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849)])
def test_the_example_of_krippendorff(level, alpha):
    assert round(krippendorff_alpha(KRIPPENDORFF, level, resamples=20).value, 3) == alpha


def one_way_by_hand(ratings):
    """Sums of squares, row by row, as a textbook writes them."""
    rows = [row[~np.isnan(row)] for row in ratings]
    everything = np.concatenate(rows)
    n, count = len(rows), len(everything)
    among = sum(len(row) * (row.mean() - everything.mean()) ** 2 for row in rows) / (n - 1)
    within = sum(((row - row.mean()) ** 2).sum() for row in rows) / (count - n)
    k = (count - sum(len(row) ** 2 for row in rows) / count) / (n - 1)
    return {"icc1": (among - within) / (among + (k - 1) * within), "icc1k": (among - within) / among}


def test_gaps_leave_the_one_way_forms_with_the_average_number_of_raters():
    ratings = simulated()[1]
    assert values(icc(ratings, resamples=20)) == pytest.approx(one_way_by_hand(ratings))
    whole = simulated(gaps=0.0)[1]
    assert set(icc(whole, identified=False, resamples=20)) == {"icc1", "icc1k"}
    assert set(icc(whole, resamples=20)) == {"icc1", "icc1k", "icc2", "icc2k", "icc3", "icc3k"}


def test_a_lenient_rater_lowers_agreement_and_not_consistency():
    ratings = simulated(gaps=0.0)[1]
    strict = values(icc(ratings, resamples=20))
    lenient = values(icc(ratings + np.array([0, 0, 0, 0, 3.0]), resamples=20))
    assert lenient["icc3"] == pytest.approx(strict["icc3"])
    assert lenient["icc2"] < strict["icc2"] - 0.1 and lenient["icc1"] < strict["icc1"] - 0.1


def test_the_simulated_share_is_found_and_lies_in_the_interval():
    inside = 0
    for seed in range(40):
        one = icc(simulated(rows=120, seed=seed)[1], resamples=200)["icc1"]
        inside += one.low <= 0.5 <= one.high  # variance 1 of rows, 1 of error
    assert inside >= 33  # of 40, expected 38


@pytest.mark.parametrize("scorer", [OneWay, lambda r: Alpha(r, "interval"), lambda r: Alpha(r, "ordinal"),
                                    lambda r: Alpha(np.round(r), "nominal")])  # fmt: skip
def test_weighting_a_row_is_repeating_it(scorer):
    ratings = simulated(rows=30)[1]
    weights = np.concatenate(list(resampled(30, 6, np.random.default_rng(0))), axis=1)
    weighted = scorer(ratings).values(weights)
    for replicate in range(6):
        again = np.repeat(ratings, weights[:, replicate].astype(int), axis=0)
        expected = scorer(again).values(np.ones((len(again), 1)))
        assert {n: v[replicate] for n, v in weighted.items()} == pytest.approx(
            {n: v[0] for n, v in expected.items()}
        )


def test_few_ratings_a_row_and_rows_that_agree_on_the_mean_have_finite_values():
    few = np.array([[1, 2, NAN], [1, NAN, NAN], [1, NAN, NAN], *[[NAN] * 3] * 3])
    found = icc(few, resamples=5)["icc1"]
    assert found.value < -1 and found.low <= found.value <= found.high
    alike = np.full((6, 3), 3.0)
    alike[5] = 2, 4, 3  # no difference between rows: nothing to be reliable about
    for ratings in (alike, 10 * alike - 300):
        assert set(icc(ratings, resamples=5)) == {"icc1", "icc2", "icc3"}


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_shift_and_scale_change_nothing_and_one_is_the_most(data):
    ratings = data.draw(hnp.arrays(np.float64, (6, 3), elements=st.sampled_from([1.0, 2.0, 3.0, 4.0, NAN])))
    found, moved = (values(icc(one, resamples=5)) for one in (ratings, 10 * ratings - 300))
    assert found == pytest.approx(moved)
    assert all(value <= 1 + 1e-9 for value in found.values())
    for level in ("interval", "ordinal", "nominal"):
        one, other = (krippendorff_alpha(each, level, resamples=5) for each in (ratings, 10 * ratings - 300))
        assert (one is None) == (other is None)
        assert one is None or (one.value == pytest.approx(other.value) and one.value <= 1 + 1e-9)


def test_what_is_undefined_is_not_in_the_answer():
    single = np.array([[1.0], [2.0], [3.0]])
    for ratings in (np.full((5, 3), 2.8), single, np.full((4, 2), NAN), np.zeros((3, 0))):
        assert icc(ratings, resamples=5) == {}
        assert krippendorff_alpha(ratings, resamples=5) is None
    assert human_ceiling(single, resamples=5) == {} == human_ceiling(np.zeros((3, 0)), resamples=5)
    assert set(with_people(np.array([1.0, 2.0, 3.5]), single, resamples=5)) == {"all", "one"}
    constant = with_people(np.ones(3), np.array([[1.0, 2.0], [2.0, 3.0], [3.0, 5.0]]), resamples=5)
    assert set(constant["all"]) == {"mae", "rmse"}
    ratings = np.round(simulated()[1])  # thirds and fifths of a row, which do not add up to the last bit
    flat = with_people(np.full(300, 2.7), ratings, resamples=5)
    assert all(set(measures) == {"mae", "rmse"} for measures in flat.values())


# -- the human ceiling


def by_hand(said, against):
    pair = TwoWay(np.stack([said, against], axis=1)).values(np.ones((len(said), 1)))
    return {
        "pearson": stats.pearsonr(said, against).statistic,
        "spearman": stats.spearmanr(said, against).statistic,
        "mae": abs(said - against).mean(),
        "rmse": np.sqrt(((said - against) ** 2).mean()),
        "icc2": pair["icc2"][0],
        "icc3": pair["icc3"][0],
    }


def mean_of(each):
    return {name: np.mean([one[name] for one in each]) for name in each[0]}


def test_raters_told_apart_are_left_out_one_by_one():
    ratings = simulated(raters=4)[1]
    each = []
    for rater in range(4):
        rows = ~np.isnan(ratings[:, rater])
        others = np.delete(ratings, rater, axis=1)
        each.append(by_hand(ratings[rows, rater], np.nanmean(others[rows], axis=1)))
    found = human_ceiling(ratings, identified=True, resamples=50)
    assert values(found) == pytest.approx(mean_of(each))
    assert all(one.low < one.value < one.high for one in found.values())


def drawn(ratings, draws):
    """One rating of each row, and the mean of the others."""
    column = [draws.choice(np.flatnonzero(~np.isnan(row))) for row in ratings]
    rows = np.arange(len(ratings))
    others = ratings.copy()
    others[rows, column] = NAN
    return ratings[rows, column], np.nanmean(others, axis=1)


def test_raters_not_told_apart_come_to_the_mean_of_many_draws():
    ratings = np.round(simulated(rows=400)[1])
    draws = np.random.default_rng(1)
    expected = mean_of([by_hand(*drawn(ratings, draws)) for _ in range(400)])
    assert values(human_ceiling(ratings, resamples=20)) == pytest.approx(expected, abs=0.006)


def test_a_model_is_held_against_all_against_all_but_one_and_against_one():
    truth, ratings = simulated(raters=3, gaps=0.0)
    said = truth * 0.5
    found = {target: values(measures) for target, measures in
             with_people(said, ratings, identified=True, resamples=20).items()}  # fmt: skip
    others = [ratings[:, [i for i in range(3) if i != rater]].mean(axis=1) for rater in range(3)]
    assert set(found) == {"all", "others", "one", "rater 1", "rater 2", "rater 3"}
    assert found["all"] == pytest.approx(by_hand(said, ratings.mean(axis=1)))
    assert found["others"] == pytest.approx(mean_of([by_hand(said, other) for other in others]))
    assert found["rater 2"] == pytest.approx(by_hand(said, ratings[:, 1]))
    assert found["one"] == pytest.approx(mean_of([found[f"rater {n}"] for n in (1, 2, 3)]))
    assert set(with_people(said, ratings, resamples=5)) == {"all", "others", "one"}


def test_one_more_rater_of_the_same_kind_reaches_the_ceiling_and_no_more():
    truth, ratings = simulated(rows=20_000, gaps=0.0)
    another = truth + np.random.default_rng(9).normal(size=len(truth))
    ceiling = values(human_ceiling(ratings, resamples=5))
    model = {target: values(found) for target, found in with_people(another, ratings, resamples=5).items()}
    assert model["others"]["pearson"] == pytest.approx(ceiling["pearson"], abs=0.01)
    assert model["all"]["pearson"] > ceiling["pearson"] + 0.005  # a less noisy yardstick


def test_values_are_means_over_seeds_and_no_answer_counts_as_the_mean():
    truth, ratings = simulated(gaps=0.0)
    said = np.stack([truth, truth * -1.0])
    both = with_people(said, ratings, resamples=20)["all"]
    assert both["pearson"].value == pytest.approx(0.0, abs=1e-9) and both["pearson"].low < -0.5
    invalid = np.zeros(len(truth), dtype=bool)
    invalid[:100] = True
    filled = np.where(invalid, ratings.mean(), truth)
    left = with_people(np.where(invalid, NAN, truth), ratings, invalid=invalid, resamples=5)["all"]
    assert values(left) == pytest.approx(by_hand(filled, ratings.mean(axis=1)))


def test_rows_of_a_group_are_drawn_together():
    draws = np.random.default_rng(0)
    groups = np.repeat(np.arange(20), 20)
    hard = np.repeat(draws.random(20) < 0.5, 20)
    ratings = draws.normal(size=400)[:, None] + np.where(hard, 3.0, 0.1)[:, None] * draws.normal(
        size=(400, 2)
    )
    plain = human_ceiling(ratings, resamples=300)["mae"]
    grouped = human_ceiling(ratings, groups=groups, resamples=300)["mae"]
    assert grouped.value == plain.value
    assert grouped.high - grouped.low > 2 * (plain.high - plain.low)


# -- labels


def test_labels_against_the_majority_of_the_others():
    draws = np.random.default_rng(0)
    truth = draws.integers(0, 3, 500)
    ratings = np.where(draws.random((500, 4)) < 0.7, truth[:, None], draws.integers(0, 3, (500, 4))).astype(
        float
    )

    def majority(votes):
        counts = np.array([np.bincount(row.astype(int), minlength=3) for row in votes])
        return [np.flatnonzero(row == row.max()) for row in counts]

    right = [
        np.mean([float(ratings[row, rater] in most) / len(most)
                 for row, most in enumerate(majority(np.delete(ratings, rater, axis=1)))])
        for rater in range(4)
    ]  # fmt: skip
    found = human_ceiling(ratings, kind="classification", label_count=3, identified=True, resamples=20)
    assert set(found) == {"accuracy", "kappa"}
    assert found["accuracy"].value == pytest.approx(np.mean(right))
    alike = human_ceiling(ratings, kind="classification", label_count=3, resamples=20)
    assert alike["accuracy"].value == pytest.approx(np.mean(right))  # no gaps: every rater weighs the same


def test_kappas_are_those_of_scikit_learn():
    draws = np.random.default_rng(0)
    truth, said = draws.integers(0, 4, 300), draws.integers(0, 4, 300)
    said[:150] = truth[:150]
    ratings = np.repeat(truth[:, None], 3, axis=1).astype(float)
    found = values(with_people(said, ratings, kind="ordinal", label_count=4, resamples=5)["all"])
    assert found == pytest.approx(
        {
            "accuracy": accuracy_score(truth, said),
            "kappa": cohen_kappa_score(truth, said),
            "qwk": cohen_kappa_score(truth, said, weights="quadratic"),
        }
    )
    wrong = np.arange(300) < 30
    left = with_people(said, ratings, kind="ordinal", label_count=4, invalid=wrong, resamples=5)["all"]
    assert left["accuracy"].value == pytest.approx((said[30:] == truth[30:]).sum() / 300)


def test_equals_of_a_majority_share_the_row():
    ratings = np.array([[0.0, 1.0]])
    found = with_people(np.array([1]), ratings, kind="classification", label_count=2, resamples=5)
    assert found["all"]["accuracy"].value == 0.5
    assert human_ceiling(ratings, kind="classification", label_count=2, resamples=5)["accuracy"].value == 0.0


def test_equal_pairs_become_one_and_change_nothing():
    draws = np.random.default_rng(0)
    pairs = Pairs(
        np.repeat(np.arange(50), 4),
        draws.integers(0, 3, 200).astype(float),
        draws.integers(0, 3, 200).astype(float),
        np.full(200, 0.25),
    )
    merged = pairs.merged()
    assert len(merged.row) < 200 and merged.part.sum() == pytest.approx(50)
    weights = np.concatenate(list(resampled(50, 3, draws)), axis=1)
    spread = pairs.weights(weights)
    right = ((pairs.predictions == pairs.against)[:, None] * spread).sum(axis=0) / spread.sum(axis=0)
    assert LabelPairs(pairs, 3).values(weights)["accuracy"] == pytest.approx(right)
    off = (abs(pairs.predictions - pairs.against)[:, None] * spread).sum(axis=0) / spread.sum(axis=0)
    assert ValuePairs(pairs).values(weights)["mae"] == pytest.approx(off)


def test_lists_are_stacked_with_gaps():
    table = stacked([[1, 2.5], [], [None, 3, 4]])
    np.testing.assert_array_equal(table, [[1, 2.5, NAN], [NAN, NAN, NAN], [NAN, 3, 4]])
    assert stacked([]).shape == (0, 0)

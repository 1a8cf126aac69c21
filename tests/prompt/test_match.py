"""Written answers: a label's word or nothing."""

import numpy as np
import pytest

from stratune.prompt.match import Matcher

WORDS = {"0": ["negative", "bad film"], "1": ["positive"]}


@pytest.mark.parametrize(
    ("answer", "label"),
    [
        ("positive", 1),
        (" Positive.\n\nText: and so on", 1),
        ("bad film", 0),
        ("positive review", -1),
        ("not positive", -1),
        ("", -1),
        ("\n", -1),
        ("positive..", -1),
        ("neutral", -1),
        ("bad  film", -1),
    ],
)
def test_only_a_word_by_itself_counts(answer, label):
    assert Matcher(WORDS).label(answer) == label


def test_case_matters_where_it_tells_words_apart():
    matcher = Matcher({"verb": ["polish"], "nation": ["Polish"]})
    assert [matcher.label(answer) for answer in ("polish", "Polish", "POLISH")] == [0, 1, -1]


def test_a_word_may_end_in_a_full_stop_itself():
    matcher = Matcher({"yes": ["Yes."], "no": ["No."]})
    assert [matcher.label(answer) for answer in ("Yes.", "no.", "Yes")] == [0, 1, -1]


def test_answers_become_certainties_and_invalid_ones_nothing():
    said, invalid = Matcher(WORDS)(["positive", "dunno", "negative"])
    assert invalid.tolist() == [False, True, False]
    np.testing.assert_array_equal(said, [[0, 1], [np.nan, np.nan], [1, 0]])


def test_no_answers_are_no_rows():
    said, invalid = Matcher(WORDS)([])
    assert said.shape == (0, 2) and invalid.shape == (0,)

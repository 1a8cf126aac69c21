"""Probabilities of words from lists of likely tokens: what becomes a word counts, and nothing else."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import logsumexp

from stratune.remote.walk import MIN_LOG_PROB, Walk, Word


def words_of(*pairs):
    return [Word(text, owner) for text, owner in pairs]


def logs(**shares):
    return [(token.replace("_", " "), math.log(share)) for token, share in shares.items()]


def walked(words, first, **after):
    """A walk that was told what comes first, and (`_ne`: behind " ne") next."""
    walk = Walk(words)
    walk.read("", first)
    while asked := [said for said in walk.asked_next() if said.replace(" ", "_") in after]:
        for said in asked:
            walk.read(said, after[said.replace(" ", "_")])
    return walk


YES_NO = words_of(("yes", 0), ("no", 1))


def test_a_words_probability_is_that_of_all_ways_to_spell_it():
    scores = walked(YES_NO, logs(yes=0.5, ye=0.2, no=0.1, Yes=0.1), ye=logs(s=0.9, p=0.1)).scores()
    assert scores.distinct and np.exp(scores.log_probs) == pytest.approx([0.78, 0.1])
    assert scores.mass == pytest.approx(0.88)


def test_what_begins_a_word_and_becomes_another_text_is_not_the_word():
    """`I am sorry` is not `irrelevant`."""
    words = words_of(("relevant", 0), ("irrelevant", 1))
    walk = Walk(words)
    walk.read("", logs(I=0.9, _relevant=0.05, _irrelevant=0.02))
    assert walk.asked_next() == ["I"]
    walk.read("I", logs(_am=0.95, _can=0.04))
    scores = walk.scores()
    assert np.exp(scores.log_probs) == pytest.approx([0.05, 0.02]) and scores.mass == pytest.approx(0.07)


def test_it_is_not_even_where_nothing_more_can_be_asked():
    words = words_of(("relevant", 0), ("irrelevant", 1))
    walk = Walk(words)
    walk.along([("I", logs(I=0.9, _relevant=0.05, _irrelevant=0.02)), (" am", logs(_am=0.9, _can=0.1))])
    assert np.exp(walk.scores().log_probs) == pytest.approx([0.05, 0.02])
    unasked = Walk(words)
    unasked.read("", logs(I=0.9, _irre=0.05, _relevant=0.03))
    assert np.exp(unasked.scores().log_probs) == pytest.approx([0.03, 0.05])  # " irre" looks like it


def test_along_what_it_wrote_the_rest_of_a_word_is_seen():
    walk = Walk(words_of(("negative", 0), ("neutral", 1)))
    positions = [
        (" ne", logs(_ne=0.9, _pos=0.1)),
        ("utral", logs(utral=0.7, gative=0.3)),
        (".", logs(a=0.5, b=0.5)),
    ]
    walk.along(positions)
    scores = walk.scores()
    assert scores.distinct and np.exp(scores.log_probs) == pytest.approx([0.27, 0.63])


def test_a_number_is_not_the_longer_one_that_it_begins():
    words = words_of(("1", 0), ("10", 1))
    first = logs(**{"1": 0.9, "2": 0.1})
    for end in ("\n", "<|im_end|>", "", "."):
        walk = Walk(words)
        walk.read("", first)
        assert walk.asked_next() == ["1"]
        walk.read("1", [("0", math.log(0.2)), (end, math.log(0.7)), ("5", math.log(0.1))])
        assert np.exp(walk.scores().log_probs) == pytest.approx([0.63, 0.18]), repr(end)
    assert not walked(words, first).scores().distinct  # of one list alone


def test_words_in_several_pieces_are_told_apart():
    words = words_of(("not happy", 0), ("not sad", 1))
    scores = walked(
        words, logs(_not=0.8, x=0.2), _not=logs(_happy=0.5, _s=0.4, _x=0.1), _not_s=logs(ad=1.0)
    ).scores()
    assert np.exp(scores.log_probs) == pytest.approx([0.4, 0.32]) and scores.distinct


@pytest.mark.parametrize("mark", [" ", "\n", '"', "**", "`", " '"])
def test_white_space_quotes_and_bold_may_come_first(mark):
    walk = Walk(YES_NO)
    walk.read("", [(mark, math.log(0.8)), ("no", math.log(0.1))])
    assert walk.asked_next() == [mark]
    walk.read(mark, logs(yes=0.5, no=0.25))
    assert np.exp(walk.scores().log_probs) == pytest.approx([0.4, 0.3])


def test_marks_that_are_part_of_a_word_stay():
    words = words_of(("'a'", 0), ("'b'", 1))
    assert np.exp(walked(words, [("'a'", -0.1), ("a", -3.0)]).scores().log_probs[0]) == pytest.approx(
        math.exp(-0.1)
    )


def test_case_counts_where_it_tells_words_apart():
    scores = walked(words_of(("polish", 0), ("Polish", 1)), logs(Polish=0.6, polish=0.3, POLISH=0.1)).scores()
    assert np.exp(scores.log_probs) == pytest.approx([0.3, 0.6])


def test_a_word_with_more_behind_it_is_another_word():
    scores = walked(YES_NO, [("no", -1.0), ("now", -0.7), ("yes!", -2.0)]).scores()
    assert np.exp(scores.log_probs) == pytest.approx([math.exp(-2.0), math.exp(-1.0)])


def test_what_is_not_listed_gets_the_lowest_listed_once_a_label():
    words = words_of(("yes", 0), ("yeah", 0), ("no", 1), ("nope", 1))
    scores = walked(words, logs(yes=0.5, maybe=0.01)).scores()
    assert logsumexp(scores.log_probs[:2]) == pytest.approx(math.log(0.5), abs=1e-9)
    assert logsumexp(scores.log_probs[2:]) == pytest.approx(math.log(0.01))
    assert scores.mass == pytest.approx(0.5)  # what is not listed has none


@pytest.mark.parametrize("first", [[("maybe", -0.1), ("well", -2.0)], [("~", -0.1), ("YEAH", -1.0)], []])
def test_a_row_without_any_label_is_not_guessed_and_says_why(first):
    scores = walked(YES_NO, first).scores()
    assert np.isnan(scores.log_probs).all() and scores.mass == 0.0
    assert (
        scores.why
        == f"no label is among the likeliest tokens; {first[0][0] if first else 'nothing'!r} is first"
    )


def test_a_likely_token_that_begins_two_labels_does_not_tell_them_apart():
    words = words_of(("negative", 0), ("neutral", 1))
    assert not walked(words, logs(ne=0.02, neu=0.5)).scores().distinct
    unlikely = walked(words, logs(ne=0.002, neutral=0.5, negative=0.1)).scores()
    assert unlikely.distinct and np.exp(unlikely.log_probs) == pytest.approx([0.1, 0.5])


def test_servers_that_write_minus_infinity_give_numbers():
    scores = walked(YES_NO, [("yes", 0.0), ("no", -math.inf), ("x", -9999.0)]).scores()
    assert scores.log_probs.tolist() == [0.0, MIN_LOG_PROB]


@given(
    st.lists(
        st.tuples(st.sampled_from(["a", "al", "alpha", "beta", "be", "x", " "]), st.floats(-30, 0)),
        min_size=2,
    )
)
def test_the_order_of_tokens_does_not_matter(tokens):
    words = words_of(("alpha", 0), ("beta", 1))
    one, other = walked(words, tokens).scores(), walked(words, tokens[::-1]).scores()
    np.testing.assert_allclose(one.log_probs, other.log_probs, atol=1e-12)

"""The search of an attack on models whose weak words are known, and what it may write in place of a word."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stratune.perturb.places import cased, changeable, without, words_of, written
from stratune.perturb.search import Victim, by_chance, greedy
from stratune.perturb.substitutes import MOST, neighbours, typos

WEIGHTS = {
    "superb": 3.0,
    "funny": 2.0,
    "decent": 1.0,
}  # all other words count nothing; bias of the other side
BIAS = -2.5
TEXT = "The paper river was superb and funny, with decent music over the stone bridge."


class Keywords:
    """The probability of the right label is the logistic of its words' weights; it is wrong below a half."""

    def __init__(self, weights=WEIGHTS, bias=BIAS):
        self.weights, self.bias, self.calls, self.asked = weights, bias, [], {}

    def probability(self, texts):
        words = {place.word.lower() for place in words_of(texts)}
        return 1 / (1 + np.exp(-self.bias - sum(self.weights.get(word, 0) for word in words)))

    def __call__(self, rows, texts):
        self.calls.append(len(rows))
        for row in rows:
            self.asked[row] = self.asked.get(row, 0) + 1
        found = np.array([self.probability(one) for one in texts])
        return found, found < 0.5


def victim(*texts, row=0, changes=0.5, how=typos, model=None, seed=0):
    probability = (model or Keywords()).probability(texts)
    return Victim.of(row, f"row {row}", texts, float(probability), how, changes, seed)


def test_it_changes_the_fewest_and_most_important_words():
    """6 - 2.5 is right; without `superb` 0.5 is still right; without `funny`, too, it is wrong."""
    model = Keywords()
    (found,) = greedy([victim(TEXT)], model, queries=100, seed=0)
    assert found.flipped and [place.word for place in found.changed] == ["superb", "funny"]
    # eight words can be changed, and are left out once each; then two get their typos
    order = list(found.victim.own)
    assert [place.word for place in order] == [
        "paper", "river", "superb", "funny", "decent", "music", "stone", "bridge",
    ]  # fmt: skip
    tried = sum(len(found.victim.own[place]) for place in found.changed)
    assert found.queries == 8 + tried == model.asked[0]
    assert found.share == 2 / 14
    assert model.probability(found.texts) < 0.5


def test_of_substitutes_it_takes_the_one_that_lowers_the_probability_most():
    weights = {"superb": 3.0, "fine": 2.0, "okay": 1.0, "poor": -2.0, "weak": -1.0}
    how = lambda word, random: {"superb": ["fine", "weak", "poor", "okay"]}.get(word, [])  # noqa: E731
    (found,) = greedy([victim("superb stone", how=how)], Keywords(weights, bias=-0.5), 10, 0)
    assert found.texts == ("poor stone",) and found.queries == 4  # one word needs no order


def test_what_lowers_nothing_is_not_kept():
    how = lambda word, random: ["xxxx"]  # noqa: E731
    model = Keywords({"superb": 3.0}, bias=5.0)
    (found,) = greedy([victim("superb stone bridge", how=how, changes=0.9, model=model)], model, 50, 0)
    assert not found.flipped and [place.word for place in found.changed] == ["superb"]


def test_the_share_of_words_is_kept():
    for changes, most in ((0.01, 1), (0.08, 1), (0.15, 2), (1.0, 14)):
        assert victim(TEXT, changes=changes).most == most
    (found,) = greedy([victim(TEXT, changes=0.08)], Keywords(), 100, 0)
    assert not found.flipped and len(found.changed) == 1
    (drawn,) = by_chance([victim(TEXT, changes=0.08)], Keywords(), 60, 0)
    assert not drawn.flipped and drawn.queries == 60


@given(st.integers(2, 60), st.integers(0, 50))
def test_no_row_is_asked_about_more_often_than_the_budget(queries, seed):
    texts = [TEXT, "superb", "of the", f"{TEXT} {TEXT} {TEXT}", "superb superb stone"]
    for attack in (greedy, by_chance):
        model = Keywords(bias=50.0)  # nothing makes it wrong, so that all of the budget is spent
        rows = [victim(text, row=i, seed=seed) for i, text in enumerate(texts)]
        found = attack(rows, model, queries, seed)
        assert [one.queries for one in found] == [model.asked.get(i, 0) for i in range(len(texts))]
        assert max(model.asked.values()) <= queries
        assert not any(one.flipped for one in found)
        assert 2 not in model.asked  # nothing of it can be changed
        if attack is by_chance:
            assert model.asked[3] == queries


def test_a_long_text_has_words_enough_for_all_of_the_budget():
    (found,) = greedy([victim(f"{TEXT} {TEXT} {TEXT}", changes=1.0)], Keywords(bias=50.0), 20, 0)
    assert found.queries == 20


def test_one_step_of_all_rows_is_one_call():
    model = Keywords()
    rows = [victim(TEXT, row=i) for i in range(7)]
    found = greedy(rows, model, 100, 0)
    assert len(model.calls) == 3 and model.calls[0] == 7 * 8  # leaving out, then two words
    assert sum(model.calls) == sum(one.queries for one in found)


def test_a_row_is_attacked_alike_whichever_others_are_there():
    rows = [victim(TEXT, row=i) for i in range(3)]
    for attack in (greedy, by_chance):
        together = attack(rows, Keywords(), 40, 3)
        (alone,) = attack(rows[1:2], Keywords(), 40, 3)
        again = attack(rows, Keywords(), 40, 3)
        assert together[1] == alone and [one.texts for one in together] == [one.texts for one in again]
    assert victim(TEXT, row=1, seed=1).own != victim(TEXT, row=1, seed=2).own


def test_the_search_needs_fewer_answers_and_words_than_chance():
    filler = " ".join(f"{a}{b}" for a in ("stone", "river", "paper", "garden") for b in ("one", "two", "xyz"))
    rows = [victim(f"{filler} superb {filler} funny", row=i, changes=0.1) for i in range(40)]
    model = Keywords(bias=-4.5)
    search, chance = (attack(rows, model, 60, 0) for attack in (greedy, by_chance))
    assert all(one.flipped for one in search)
    assert np.mean([one.share for one in search]) < np.mean([one.share for one in chance if one.flipped])
    first = by_chance(rows, model, 10, 0)  # one text a row: two of 26 words, or three that matter
    assert np.mean([one.flipped for one in first]) < 1


def test_both_texts_of_a_pair_are_attacked():
    model = Keywords({"superb": 2.0, "funny": 2.0}, bias=-2.5)
    pair = victim("A superb stone.", "The river is funny.", model=model)
    (found,) = greedy([pair], model, 100, 0)
    assert found.flipped and len(found.changed) == 1
    (place,) = found.changed
    assert place.word in ("superb", "funny")
    other = 1 - place.part
    assert found.texts[other] == pair.texts[other] and found.texts[place.part] != pair.texts[place.part]


# -- words of a text


def test_which_words_may_be_changed():
    words = words_of(("I don't think it is NOT an Oscar-worthy film, 3d or co2.", "été"))
    assert [place.word for place in words][:4] == ["I", "don't", "think", "it"]
    assert [place.word for place in changeable(words)] == ["think", "Oscar", "worthy", "film", "été"]


@given(st.text(alphabet="ab cd'’-\nÄ9", max_size=40))
def test_words_written_as_they_are_change_nothing(text):
    words = words_of((text, text))
    assert written((text, text), {place: place.word for place in words}) == (text, text)
    for place in words:
        assert (text, text)[place.part][place.start : place.end] == place.word


def test_a_word_left_out_takes_one_blank_with_it():
    texts = ("A superb film.", "x")
    place = words_of(texts)[1]
    assert without(texts, place) == ("A film.", "x")
    assert written(texts, {place: "bad"}) == ("A bad film.", "x")
    assert [cased(old, "bad") for old in ("good", "Good", "GOOD")] == ["bad", "Bad", "BAD"]


# -- substitutes


@given(st.text(alphabet="abcdefghijklmnopqrstuvwxyzäß", min_size=3, max_size=12), st.integers(0, 99))
def test_typos_are_one_edit_away(word, seed):
    found = typos(word, Random(seed))
    assert found == typos(word, Random(seed)) and len(found) <= MOST
    assert len(set(found)) == len(found) and word not in found
    for one in found:
        assert one[0] == word[0] and abs(len(one) - len(word)) <= 1
        if len(one) == len(word):  # another key, or two letters that changed places
            apart = [i for i in range(len(word)) if one[i] != word[i]]
            swap = len(apart) == 2 and apart[1] == apart[0] + 1 and sorted(one) == sorted(word)
            assert len(apart) == 1 or swap
        else:
            longer, shorter = sorted((one, word), key=len, reverse=True)
            assert any(longer[:i] + longer[i + 1 :] == shorter for i in range(len(longer)))


def test_neighbours_are_the_nearest_by_cosine():
    draws = np.random.default_rng(0)
    vocabulary = [f"w{chr(97 + i // 26)}{chr(97 + i % 26)}" for i in range(300)]
    vectors = draws.normal(size=(300, 3)).astype(np.float32)
    of = neighbours(["WAB", "waz", "nowhere"], vocabulary, vectors)
    cosines = [
        vectors[1] @ vector / np.linalg.norm(vectors[1]) / np.linalg.norm(vector) for vector in vectors
    ]
    order = sorted((i for i in range(300) if i != 1), key=lambda i: -cosines[i])[:MOST]
    assert of("wab", Random(0)) == [vocabulary[i] for i in order]
    assert of("WAB", Random(1)) == [vocabulary[i].upper() for i in order]
    assert of("nowhere", Random(0)) == of("wac", Random(0)) == []  # not in the vocabulary; not asked for


def test_far_words_are_no_neighbours():
    of = neighbours(["aaa"], ["aaa", "bbb", "ccc"], np.array([[1.0, 0], [0.5, 0.5], [0, 1.0]]))
    assert of("aaa", Random(0)) == ["bbb"]  # cosines 0.71 and 0


@pytest.mark.parametrize("name", ["minilm"])
def test_whole_words_of_an_embedded_backbone(name):
    from stratune.backbone.load import load_backbone
    from stratune.backbone.vocabulary import whole_words

    backbone = load_backbone(name)
    words, vectors = whole_words(backbone)
    assert len(words) == len(set(words)) == len(vectors) > 10_000
    assert all(word.isalpha() and word == word.lower() for word in words)
    number = backbone.tokenizer.convert_tokens_to_ids("film")
    table = backbone.model.get_input_embeddings().weight.detach().numpy()
    assert np.array_equal(vectors[words.index("film")], table[number])
    assert neighbours(["film"], words, vectors)("Film", Random(0))[:2] == ["Films", "Movie"]

"""Perturbations: what each does to a text, and that it does the same in every order."""

from __future__ import annotations

import re
import string
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stratune.errors import ConfigError
from stratune.perturb import PERTURBATIONS, find_perturbations
from stratune.perturb.letters import NEIGHBOURS
from stratune.perturb.rows import Rows, perturbed, sampled
from stratune.perturb.tables import CONTRACTIONS, DISTRACTORS, FILLERS, HOMOPHONES

TEXT = "Well, I don't know their new film; it's 3.5 stars. The well-known STAR is great, isn't she?"


def changed(name, text=TEXT, strength=1.0, seed=0, label="bad"):
    return PERTURBATIONS[name](text, Random(seed), strength, label)


def letters(text):
    return "".join(one for one in text.lower() if one.isalnum())


@given(st.text(), st.sampled_from(sorted(PERTURBATIONS)))
def test_strength_zero_changes_nothing(text, name):
    assert changed(name, text, strength=0) == text


@given(st.text(), st.sampled_from(sorted(PERTURBATIONS)), st.floats(0.01, 1), st.integers(0, 99))
def test_any_text_is_taken_and_the_generator_alone_decides(text, name, strength, seed):
    found = changed(name, text, strength, seed)
    assert found == changed(name, text, strength, seed)
    found.encode(errors="surrogatepass")


@given(st.text(alphabet=string.ascii_letters + " .,'", max_size=80), st.integers(0, 99))
def test_what_each_leaves_as_it_is(text, seed):
    assert changed("case", text, seed=seed).lower() == text.lower()
    assert letters(changed("punctuation", text, seed=seed)) == letters(text)
    assert changed("white_space", text, seed=seed).split() == text.split()
    assert not set(changed("punctuation", text, seed=seed)) & set(".,'")
    assert changed("distractor", text, seed=seed).startswith(text.rstrip())
    heard = changed("speech", text, seed=seed)
    assert heard == heard.lower() and not set(heard) & set(".,'")


@pytest.mark.parametrize("seed", range(40))
def test_a_typo_is_one_slip(seed):
    found = changed("typos", "remarkable", seed=seed)
    assert found[0] == "r" and 9 <= len(found) <= 11
    if len(found) == 10:  # swapped, or hit beside
        differ = [(a, b) for a, b in zip("remarkable", found, strict=True) if a != b]
        assert len(differ) in (1, 2)
        assert (
            sorted(found) == sorted("remarkable")
            if len(differ) == 2
            else differ[0][1] in NEIGHBOURS[differ[0][0]]
        )


def test_typos_are_as_many_as_the_strength_says():
    words = " ".join(["remarkable"] * 4000)
    wrong = sum(word != "remarkable" for word in changed("typos", words, strength=0.2).split())
    assert 0.17 < wrong / 4000 < 0.23


def test_keys_lie_beside_each_other_both_ways():
    assert set(NEIGHBOURS) == set(string.ascii_lowercase)
    assert all(key in NEIGHBOURS[other] for key, near in NEIGHBOURS.items() for other in near)
    assert sorted(NEIGHBOURS["s"]) == sorted("adwezx") and sorted(NEIGHBOURS["q"]) == sorted("wa")


def test_case():
    assert {changed("case", "Good Film", seed=seed) for seed in range(9)} == {"good film", "GOOD FILM"}
    assert changed("case", "good film") == "GOOD FILM"  # no other way to change it
    assert changed("case", "中文") == "中文"


def test_punctuation_keeps_numbers_and_parts_words():
    found = changed("punctuation")
    assert found == "Well I dont know their new film its 3.5 stars The well known STAR is great isnt she"
    assert changed("punctuation", "50% off at R&D: $3!") == "50% off at R&D $3"


def test_contractions():
    assert (
        changed("contractions", "I do not know. DON'T go, I'm here.") == "I don't know. DO NOT go, I am here."
    )
    assert changed("contractions", "Nice, isn't it? We cannot.") == "Nice, isn't it? We can't."
    assert len(set(CONTRACTIONS.values())) == len(CONTRACTIONS)


def test_speech():
    found = changed("speech", "Their two SONS don't wait; it's 3.5!")
    assert re.fullmatch(r"(there|they re|theyre) (to|too) sons dont weight its 3.5", found)
    assert all(word in HOMOPHONES[other] for word, others in HOMOPHONES.items() for other in others)


def test_additions():
    assert re.fullmatch(rf"a (?:{'|'.join(FILLERS)}), b", changed("fillers", "a b"))
    assert changed("distractor", "It works.\n").removeprefix("It works. ") in DISTRACTORS
    assert "answer bad" in changed("injection", seed=0).lower() or "is bad" in changed("injection", seed=0)
    assert {changed("label_word", "x", seed=seed) for seed in range(9)} == {"bad x", "x bad"}


# -- rows

ROWS = Rows(
    ["a", "b", "c"], [TEXT, "Good.", "Bad."], ["One more text here."] * 3, [["bad", "odd"], ["bad"], []]
)


def part(rows, which):
    some = [[column[i] for i in which] for column in (rows.ids, rows.texts, rows.pairs, rows.wrong)]
    return Rows(*some)


@pytest.mark.parametrize("name", sorted(PERTURBATIONS))
def test_a_row_is_changed_alike_wherever_it_stands(name):
    one = PERTURBATIONS[name]
    whole, turned = perturbed(ROWS, one, 0.5, 3), perturbed(part(ROWS, [2, 0]), one, 0.5, 3)
    assert [whole.texts[2], whole.texts[0]] == turned.texts
    assert [whole.pairs[2], whole.pairs[0]] == turned.pairs
    assert [whole.named[2], whole.named[0]] == turned.named


def test_seeds_give_other_texts():
    rows = Rows([str(i) for i in range(20)], [TEXT] * 20, None, [["bad"]] * 20)
    found = {seed: perturbed(rows, PERTURBATIONS["typos"], 0.3, seed).texts for seed in (0, 1)}
    assert found[0] != found[1] and len(set(found[0])) > 15


def test_which_text_of_a_pair():
    typos = perturbed(ROWS, PERTURBATIONS["typos"], 1.0, 0)
    assert all(new != old for new, old in zip(typos.pairs, ROWS.pairs, strict=True))
    more = perturbed(ROWS, PERTURBATIONS["distractor"], 1.0, 0)
    assert more.pairs == ROWS.pairs and more.changed == [True] * 3
    swap = perturbed(ROWS, PERTURBATIONS["swap"], 1.0, 0)
    assert (swap.texts, swap.pairs) == (ROWS.pairs, ROWS.texts) and swap.changed == [True] * 3


def test_a_wrong_label_is_named():
    found = perturbed(ROWS, PERTURBATIONS["injection"], 1.0, 0)
    assert found.named[1:] == ["bad", None] and found.named[0] in ("bad", "odd")
    assert found.changed == [True, True, False] and found.named[0] in found.texts[0]
    assert perturbed(ROWS, PERTURBATIONS["injection"], 1e-9, 0).named == [None] * 3


def test_a_sample_does_not_depend_on_the_order():
    ids = [f"row{i}" for i in range(100)]
    found = {ids[i] for i in sampled(ids, 10, 0)}
    assert len(found) == 10 and found == {ids[::-1][i] for i in sampled(ids[::-1], 10, 0)}
    assert found != {ids[i] for i in sampled(ids, 10, 1)} and sampled(ids, 100, 0) == list(range(100))


def test_names():
    assert [one.name for one in find_perturbations(["speech", "typos"])] == ["typos", "speech"]
    everything = [one.name for one in find_perturbations(None)]
    assert "swap" not in everything and everything[-1] == "label_order" and len(everything) == 11
    assert find_perturbations([]) == [] and "swap" in [
        one.name for one in find_perturbations(None, swap=True)
    ]
    with pytest.raises(ConfigError, match=r"only: 'typo' is not one of .*did you mean 'typos'"):
        find_perturbations(["typo"])
    with pytest.raises(ConfigError, match="swap: only you know whether the order means nothing: say --swap"):
        find_perturbations(["swap"])

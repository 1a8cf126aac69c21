"""Label words by a server: log-probabilities, then constrained answers, then nothing."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import logsumexp

from stratune.errors import ConfigError, RemoteError
from stratune.remote.request_formats import MIN_LOG_PROB, Word, grammar, read_tokens
from stratune.remote.verbalizer import RemoteVerbalizer
from tests.helpers import Callbacks
from tests.remote.scripted import chat, listed, plain, prompt_of, written

WORDS = {"good": ["positive"], "bad": ["negative"]}
REFUSAL = (400, {"error": {"message": "unknown field"}})


def logs(**shares):
    return {token.replace("_", " "): math.log(share) for token, share in shares.items()}


def by_log_probs(body):
    return listed(body, logs(_positive=0.6, pos=0.1, _negative=0.2, the=0.05))


def words_of(*pairs):
    return [Word(text, owner) for text, owner in pairs]


def enum_of(body):
    how = body["response_format"]
    schema = how["json_schema"]["schema"] if how["type"] == "json_schema" else how["schema"]
    return schema["properties"]["answer"]["enum"]


# -- reading tokens


def test_a_words_probability_is_that_of_the_tokens_that_begin_it():
    tokens = [
        ("yes", math.log(0.5)),
        ("y", math.log(0.2)),
        ("no", math.log(0.1)),
        ("Yes", math.log(0.1)),
    ]
    scores = read_tokens(tokens, words_of(("yes", 0), ("no", 1)))
    assert scores.distinct and np.exp(scores.log_probs) == pytest.approx([0.8, 0.1])


def test_case_counts_where_it_tells_words_apart():
    tokens = [("Polish", math.log(0.6)), ("polish", math.log(0.3)), ("POLISH", math.log(0.1))]
    scores = read_tokens(tokens, words_of(("polish", 0), ("Polish", 1)))
    assert np.exp(scores.log_probs) == pytest.approx([0.3, 0.6])


def test_a_token_of_two_words_of_one_label_counts_once():
    tokens = [("y", math.log(0.4)), ("yes", math.log(0.2)), ("n", math.log(0.3))]
    scores = read_tokens(tokens, words_of(("yeah", 0), ("yes", 0), ("no", 1)))
    assert logsumexp(scores.log_probs[:2]) == pytest.approx(math.log(0.6))


def test_what_is_not_listed_gets_the_lowest_listed_once_a_label():
    tokens = [("yes", math.log(0.5)), ("maybe", math.log(0.01))]
    scores = read_tokens(tokens, words_of(("yes", 0), ("yeah", 0), ("no", 1), ("nope", 1)))
    assert logsumexp(scores.log_probs[:2]) == pytest.approx(math.log(0.5), abs=1e-9)
    assert logsumexp(scores.log_probs[2:]) == pytest.approx(math.log(0.01))


def test_a_row_without_any_label_is_not_guessed():
    for tokens in ([("maybe", -0.1), ("well", -2.0)], [("", -0.1), ("YEAH", -1.0)], []):
        assert np.isnan(read_tokens(tokens, words_of(("yes", 0), ("no", 1))).log_probs).all()


def test_a_likely_token_that_begins_two_labels_is_ambiguous():
    words = words_of(("negative", 0), ("neutral", 1))
    assert not read_tokens([("ne", math.log(0.02)), ("neu", math.log(0.5))], words).distinct
    unlikely = read_tokens([("ne", math.log(0.002)), ("neu", math.log(0.5)), ("neg", math.log(0.1))], words)
    assert unlikely.distinct and np.exp(unlikely.log_probs) == pytest.approx([0.1, 0.5])


def test_servers_that_write_minus_infinity_give_numbers():
    scores = read_tokens([("yes", 0.0), ("no", -math.inf), ("x", -9999.0)], words_of(("yes", 0), ("no", 1)))
    assert scores.log_probs.tolist() == [0.0, MIN_LOG_PROB]


@given(st.lists(st.tuples(st.sampled_from(["a", "al", "b", "be", "x"]), st.floats(-30, 0)), min_size=2))
def test_the_order_of_tokens_does_not_matter(tokens):
    words = words_of(("alpha", 0), ("beta", 1))
    one, other = read_tokens(tokens, words), read_tokens(tokens[::-1], words)
    np.testing.assert_allclose(one.log_probs, other.log_probs, atol=1e-12)


# -- through a server


@pytest.mark.parametrize("ask", [chat, plain])
def test_log_probabilities_take_one_request_a_row(scripted, asking, ask):
    remote, ticks = scripted(by_log_probs), []
    words = RemoteVerbalizer(asking(remote), WORDS)
    rows, invalid = words.log_probs(ask("a", "b", "a"), Callbacks(rows=ticks.append))
    np.testing.assert_allclose(np.exp(rows), [[0.7, 0.2]] * 3)
    assert (
        words.way == "logprobs" and not invalid.any() and sorted(remote.log) == ["a", "b"] and sum(ticks) == 3
    )


@pytest.mark.parametrize("ask", [chat, plain])
def test_a_server_that_lists_few_is_asked_for_few(scripted, asking, ask):
    def say(body):
        return by_log_probs(body) if 5 in (body.get("top_logprobs"), body["logprobs"]) else REFUSAL

    words = RemoteVerbalizer(asking(scripted(say)), WORDS)
    assert words.log_probs(ask("a"))[0].shape == (1, 2) and words.way == "logprobs"


def test_llama_cpps_own_shape_for_plain_text_is_read(scripted, asking):
    remote = scripted(lambda body: listed({"messages": []}, logs(_positive=0.6, _negative=0.2)))
    rows, _ = RemoteVerbalizer(asking(remote), WORDS).log_probs(plain("a"))
    np.testing.assert_allclose(np.exp(rows), [[0.6, 0.2]])


def test_a_row_that_says_something_else_is_invalid(scripted, asking):
    def say(body):
        return listed(body, logs(I=0.7, sorry=0.2)) if prompt_of(body) == "b" else by_log_probs(body)

    rows, invalid = RemoteVerbalizer(asking(scripted(say)), WORDS).log_probs(chat("a", "b", "c"))
    assert invalid.tolist() == [False, True, False] and np.isnan(rows[1]).all()


def test_a_model_that_ends_at_once_has_no_answer_in_that_row(scripted, asking):
    nothing = {"choices": [{"message": {"content": ""}, "logprobs": {"content": []}}]}
    remote = scripted(lambda body: nothing if prompt_of(body) == "a" else by_log_probs(body))
    words = RemoteVerbalizer(asking(remote), WORDS)
    assert words.log_probs(chat("a", "b"))[1].tolist() == [True, False] and words.way == "logprobs"


@pytest.mark.parametrize("how", ["json_schema", "json_object"])
@pytest.mark.parametrize(
    "without", [REFUSAL, (500, {}), written("hm"), {"choices": [{"logprobs": {"content": None}}]}],
    ids=["refuses", "fails", "passes over", "null"],
)  # fmt: skip
def test_without_log_probabilities_the_answer_is_constrained(scripted, asking, how, without):
    def say(body):
        if "logprobs" in body:
            return without
        if body["response_format"]["type"] != how:
            return REFUSAL
        assert enum_of(body) == ["positive", "negative"] and body["temperature"] == 0
        return written(json.dumps({"answer": "negative" if "bad" in prompt_of(body) else "positive"}))

    words = RemoteVerbalizer(asking(scripted(say)), WORDS)
    rows, invalid = words.log_probs(chat("good", "bad"))
    assert words.way == "constrained" and not invalid.any()
    assert rows.tolist() == [[0.0, MIN_LOG_PROB], [MIN_LOG_PROB, 0.0]]


@pytest.mark.parametrize(
    "answer", ["positive", '{"answer": "Positive"}', '{"answer": 1}', "[]", '{"answer": "pos', ""]
)
def test_a_constrained_answer_that_is_no_word_is_invalid(scripted, asking, answer):
    def say(body):
        if "logprobs" in body:
            return REFUSAL
        return written('{"answer": "positive"}' if prompt_of(body) == "a" else answer)

    rows, invalid = RemoteVerbalizer(asking(scripted(say)), WORDS).log_probs(chat("a", "b"))
    assert invalid.tolist() == [False, True] and np.isnan(rows[1]).all()


def test_plain_text_is_constrained_by_a_grammar(scripted, asking):
    def say(body):
        assert "response_format" not in body
        return (
            written("\nnegative")
            if body.get("grammar") == r'root ::= [ \n]? ("positive" | "negative")'
            else REFUSAL
        )

    words = RemoteVerbalizer(asking(scripted(say)), WORDS)
    assert words.log_probs(plain("a"))[0].tolist() == [[MIN_LOG_PROB, 0.0]] and words.way == "constrained"
    assert grammar(['a "b"\\']) == r'root ::= [ \n]? ("a \"b\"\\")'


@pytest.mark.parametrize("ask", [chat, plain])
def test_a_server_that_does_neither_is_left_to_write(scripted, asking, ask):
    remote = scripted(lambda body: written("I think it is positive."))
    words = RemoteVerbalizer(asking(remote), WORDS)
    assert words.log_probs(ask("a", "b")) is None and words.way == "none"
    assert set(remote.log) == {"a"}  # found out with the first question
    asked = len(remote.log)
    assert words.log_probs(ask("c")) is None and len(remote.log) == asked


@pytest.mark.parametrize(("shows", "asked"), [("5", 16 + 40), ("30", None)])
def test_words_that_begin_alike_are_constrained_in_all_rows(shows, asked, scripted, asking):
    """In one of the first rows it shows before the others are asked; later all have been asked."""

    def say(body):
        if "logprobs" in body:
            return listed(
                body, logs(ne=0.6, _neg=0.2) if prompt_of(body) == shows else logs(_neg=0.6, _neu=0.2)
            )
        return written('{"answer": "neutral"}')

    remote, ticks = scripted(say), []
    words = RemoteVerbalizer(asking(remote), {"bad": ["negative"], "so-so": ["neutral"]})
    rows, _ = words.log_probs(chat(*[str(i) for i in range(40)]), Callbacks(rows=ticks.append))
    assert words.way == "constrained" and rows.tolist() == [[MIN_LOG_PROB, 0.0]] * 40 and sum(ticks) == 40
    assert len(remote.log) == (asked or 40 + 40)


def test_a_way_that_is_given_stays(scripted, asking):
    def say(body):
        assert "logprobs" in body
        return listed(body, logs(ne=0.6, _neg=0.2) if prompt_of(body) == "b" else logs(_neg=0.6, _neu=0.2))

    words = RemoteVerbalizer(
        asking(scripted(say)), {"bad": ["negative"], "so-so": ["neutral"]}, way="logprobs"
    )
    assert words.log_probs(chat("a", "b"))[1].tolist() == [False, True] and words.way == "logprobs"


def test_a_way_that_is_given_and_gone_is_an_error(scripted, asking):
    remote = scripted(lambda body: written("hm"))
    with pytest.raises(RemoteError) as caught:
        RemoteVerbalizer(asking(remote), WORDS, way="logprobs").log_probs(chat("a"))
    assert (
        str(caught.value) == f"{remote.url}: it no longer offers 'logprobs', which this model was made with"
    )
    assert RemoteVerbalizer(asking(remote), WORDS, way="none").log_probs(chat("a")) is None


def test_a_restart_asks_nothing_again_and_gives_the_same_numbers(scripted, asking):
    remote = scripted(by_log_probs)
    first = RemoteVerbalizer(asking(remote), WORDS).log_probs(chat("a", "b"))
    remote.close()
    again = RemoteVerbalizer(asking(remote), WORDS).log_probs(chat("a", "b"))
    np.testing.assert_array_equal(first[0], again[0])


def test_no_rows_need_no_server(scripted, asking):
    remote = scripted()
    rows, invalid = RemoteVerbalizer(asking(remote), WORDS).log_probs([])
    assert rows.shape == (0, 2) and invalid.shape == (0,) and not remote.log


def test_a_word_that_no_token_could_begin_is_refused(asking, scripted):
    with pytest.raises(ConfigError, match="words: ' yes' is empty or has white space around it"):
        RemoteVerbalizer(asking(scripted()), {"a": [" yes"]})

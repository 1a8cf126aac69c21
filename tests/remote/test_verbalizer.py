"""Label words by a server: in the best way that it offers and that its model's answers fit."""

import json
import math

import numpy as np
import pytest

from stratune.errors import ConfigError, RemoteError
from stratune.remote.request import Request
from stratune.remote.request_formats import grammar
from stratune.remote.verbalizer import RemoteVerbalizer
from stratune.remote.walk import MIN_LOG_PROB
from tests.helpers import Callbacks
from tests.remote.scripted import begun, chat, listed, plain, prompt_of, rows_of, said_in, spelled, written

WORDS = {"good": ["positive"], "bad": ["negative"]}
REFUSAL = (400, {"error": {"message": "unknown field"}})
SURE = {" positive": 0.7, " negative": 0.2, " the": 0.1}
NEVER_WHOLE = ("echo", "prompt_logprobs")


def logs(**shares):
    return {token.replace("_", " "): math.log(share) for token, share in shares.items()}


def lists(body):
    """A server with lists of likely tokens that goes on from whatever it is taken to have said."""
    return REFUSAL if any(name in body for name in NEVER_WHOLE) else spelled(body, SURE)


def scored(words, requests, progress=None):
    found = words.log_probs(rows_of(requests), *([progress] if progress else []))
    return None if found is None else (found.log_probs, found.invalid)


def enum_of(body):
    how = body["response_format"]
    schema = how["json_schema"]["schema"] if how["type"] == "json_schema" else how["schema"]
    return schema["properties"]["answer"]["enum"]


# -- whole labels


def echoes(body, words=SURE):
    """The prompt's tokens with their log-probabilities, words in two pieces, as /completions with `echo`."""
    said = " " + body["prompt"].rpartition(" ")[2]
    first, second = said[:4], said[4:]
    tokens = [body["prompt"][: -len(said)], first, second, "!"]
    values = [None, math.log(words.get(said, 1e-9)) - 0.5, 0.5, -1.0]
    return {"choices": [{"text": "", "logprobs": {"tokens": tokens, "token_logprobs": values}}]}


def test_whole_labels_are_scored_by_the_prompts_own_tokens(scripted, asking):
    remote = scripted(lambda body: echoes(body) if body.get("echo") else REFUSAL)
    words, ticks = RemoteVerbalizer(asking(remote), WORDS), []
    found = words.log_probs(rows_of(plain("a:", "b:", "a:")), Callbacks(rows=ticks.append))
    np.testing.assert_allclose(np.exp(found.log_probs), [[0.7, 0.2]] * 3)
    assert (words.way, words.form, sum(ticks)) == ("whole", "plain", 3)
    np.testing.assert_allclose(found.mass, 0.9)
    whole = [body for body in remote.bodies if body.get("echo")]
    asked = sorted(body["prompt"] for body in whole)
    assert asked == ["a: negative", "a: positive", "b: negative", "b: positive"]
    assert all(body["max_tokens"] == 1 for body in whole)


def test_whole_labels_of_a_chat_by_prompt_logprobs(scripted, asking):
    def say(body):
        if "prompt_logprobs" not in body:
            return REFUSAL
        assert body["continue_final_message"] and not body["add_generation_prompt"]
        said = said_in(body)
        entry = {"7": {"logprob": math.log(SURE[said]), "rank": 1, "decoded_token": said}}
        before = {"5": {"logprob": -3.0, "rank": 9, "decoded_token": "Class:"}}
        return {**written(""), "prompt_logprobs": [None, before, entry]}

    words = RemoteVerbalizer(asking(scripted(say)), WORDS)
    np.testing.assert_allclose(np.exp(scored(words, begun("a"))[0]), [[0.7, 0.2]])
    assert (words.way, words.form) == ("whole", "continued")


def test_a_border_of_tokens_inside_the_label_is_not_guessed_at(scripted, asking):
    """Tokens that reach over the end of the prompt say nothing of the label alone."""

    def say(body):
        if not body.get("echo"):
            return lists(body)
        tokens = ["x", body["prompt"][-12:], "!"]  # one token from the prompt into the label
        return {
            "choices": [{"text": "", "logprobs": {"tokens": tokens, "token_logprobs": [None, -1.0, -1.0]}}]
        }

    words = RemoteVerbalizer(asking(scripted(say)), WORDS)
    scored(words, plain("it is:"))
    assert words.way == "logprobs"


def test_many_labels_and_labels_that_begin_others_are_walked(scripted, asking):
    many = {f"l{i:02}": [f"word{chr(97 + i)}"] for i in range(9)}
    for labels in (many, {"a": ["1"], "b": ["10"]}):
        remote = scripted(
            lambda body, labels=labels: spelled(body, {f" {own[0]}": 0.1 for own in labels.values()})
        )
        words = RemoteVerbalizer(asking(remote), labels)
        scored(words, plain("q"))
        assert words.way == "logprobs" and not any("echo" in body for body in remote.bodies)


def test_a_prompts_log_probabilities_that_contradict_its_next_tokens_are_not_taken(scripted, asking):
    """As llama-cpp-python's: each token has the probability of the one behind it."""

    def say(body):
        return echoes(body, {" positive": 0.2, " negative": 0.9}) if body.get("echo") else lists(body)

    words = RemoteVerbalizer(asking(scripted(say)), WORDS)
    np.testing.assert_allclose(np.exp(scored(words, plain("a Class:"))[0]), [[0.7, 0.2]], rtol=1e-6)
    assert words.way == "logprobs"
    assert "whole labels (text to go on with): they are not those of its next tokens" in words.in_words()


def test_a_server_that_lists_the_prompts_tokens_alone_is_read_too(scripted, asking):
    """Without the one that it generated: llama-cpp-python."""

    def say(body):
        if not body.get("echo"):
            return REFUSAL
        found = echoes(body)
        for values in found["choices"][0]["logprobs"].values():
            values.pop()
        return {**found, "usage": {"prompt_tokens": 3}}

    words = RemoteVerbalizer(asking(scripted(say)), WORDS)
    np.testing.assert_allclose(np.exp(scored(words, plain("a:"))[0]), [[0.7, 0.2]])
    assert words.way == "whole"


# -- lists of likely tokens


@pytest.mark.parametrize(("ask", "form"), [(chat, "open"), (plain, "plain"), (begun, "continued")])
def test_likely_tokens_are_gone_on_from(scripted, asking, ask, form):
    remote, ticks = scripted(lists), []
    words = RemoteVerbalizer(asking(remote), WORDS)
    found = words.log_probs(rows_of(ask("a Class:", "b Class:", "a Class:")), Callbacks(rows=ticks.append))
    np.testing.assert_allclose(np.exp(found.log_probs), [[0.7, 0.2]] * 3, rtol=1e-6)
    assert (words.way, words.form, sum(ticks)) == ("logprobs", form, 3) and not found.invalid.any()
    np.testing.assert_allclose(found.mass, 0.9, rtol=1e-6)


@pytest.mark.parametrize("ask", [chat, plain])
def test_a_server_that_lists_few_is_asked_for_few(scripted, asking, ask):
    def say(body):
        few = 5 in (body.get("top_logprobs"), body.get("logprobs"))
        return lists(body) if few else REFUSAL

    words = RemoteVerbalizer(asking(scripted(say)), WORDS)
    assert scored(words, ask("a"))[0].shape == (1, 2) and words.way == "logprobs"


def test_llama_cpps_own_shape_for_plain_text_is_read(scripted, asking):
    def say(body):
        return listed({"messages": []}, logs(_positive=0.6, _negative=0.2)) if "echo" not in body else REFUSAL

    np.testing.assert_allclose(
        np.exp(scored(RemoteVerbalizer(asking(scripted(say)), WORDS), plain("a"))[0]), [[0.6, 0.2]]
    )


def test_demonstrations_that_say_how_answers_begin_are_answered_in_kind(scripted, asking):
    """A server that cannot begin the answer: `Class:` moves into the question, in the demonstrations, too.
    Else its model would begin with "Class", and the labels would have what is left.
    """
    shown = (("user", "Text: fine"), ("assistant", "Class: positive"), ("user", "Text: dull"))

    def say(body):
        if any(name in body for name in ("continue_final_message", *NEVER_WHOLE)):
            return 400, {
                "error": {"message": "Unrecognized request argument supplied: continue_final_message"}
            }
        said = [message["content"] for message in body["messages"]]
        assert said == ["Text: fine\nClass:", "positive", "Text: dull\nClass:"]
        return listed(body, logs(positive=0.2, negative=0.75, the=0.05))

    words = RemoteVerbalizer(asking(scripted(say)), WORDS)
    found = words.log_probs(rows_of([Request(messages=shown, begin="Class:")]))
    assert words.form == "open" and found.mass == pytest.approx([0.95])
    np.testing.assert_allclose(np.exp(found.log_probs), [[0.2, 0.75]])


def test_a_server_that_passes_over_the_beginning_is_found_out_by_what_its_model_says(scripted, asking):
    """It takes the fields and the message, and begins a turn of its own: with "Class"."""

    def say(body):
        if any(name in body for name in NEVER_WHOLE):
            return written("")
        if body["messages"][-1]["role"] == "assistant":
            return listed(body, logs(Class=0.96, The=0.03, positive=0.0001, negative=0.0002))
        return listed(body, logs(positive=0.2, negative=0.75, the=0.05))

    words = RemoteVerbalizer(asking(scripted(say)), WORDS)
    found = words.log_probs(rows_of(begun("a", "b")))
    assert words.form == "open" and found.mass == pytest.approx([0.95, 0.95])
    assert (
        "not log-probabilities of next tokens (the answer begun for the model): the labels' words had 0.0003 of the probability"
        in words.in_words()
    )


def test_where_the_labels_are_not_what_the_model_says_it_is_made_to_choose(scripted, asking):
    def say(body):
        if "response_format" in body:
            return written('{"answer": "negative"}')
        return listed(body, logs(The=0.9, positive=0.02, negative=0.01)) if "logprobs" in body else REFUSAL

    words = RemoteVerbalizer(asking(scripted(say)), WORDS)
    found = words.log_probs(rows_of(chat("a", "b")))
    assert words.way == "constrained" and np.isnan(found.mass).all()
    assert found.log_probs.tolist() == [[MIN_LOG_PROB, 0.0]] * 2


def test_where_it_cannot_be_made_to_the_best_it_has_is_taken_with_its_mass(scripted, asking):
    def say(body):
        if "logprobs" not in body or any(name in body for name in NEVER_WHOLE):
            return REFUSAL
        last = body["messages"][-1]["role"] == "assistant"
        return listed(body, logs(The=0.9, positive=0.03 if last else 0.01, negative=0.01))

    words = RemoteVerbalizer(asking(scripted(say)), WORDS)
    found = words.log_probs(rows_of(begun("a")))
    assert (words.way, words.form) == ("logprobs", "continued") and found.mass == pytest.approx([0.04])


def test_a_row_that_says_something_else_is_invalid_and_why_is_told(scripted, asking):
    def say(body):
        return listed(body, logs(I=0.7, sorry=0.2)) if prompt_of(body) == "b" else lists(body)

    found = RemoteVerbalizer(asking(scripted(say)), WORDS).log_probs(rows_of(chat("a", "b", "c")))
    assert found.invalid.tolist() == [False, True, False] and np.isnan(found.log_probs[1]).all()
    assert found.why == ["", "no label is among the likeliest tokens; 'I' is first", ""]


def test_a_model_that_ends_at_once_has_no_answer_in_that_row(scripted, asking):
    nothing = {"choices": [{"message": {"content": ""}, "logprobs": {"content": []}}]}
    remote = scripted(lambda body: nothing if prompt_of(body) == "b" else lists(body))
    words = RemoteVerbalizer(asking(remote), WORDS)
    assert scored(words, chat("a", "b"))[1].tolist() == [False, True] and words.way == "logprobs"


# -- constrained


@pytest.mark.parametrize("how", ["json_schema", "json_object"])
@pytest.mark.parametrize(
    "without", [REFUSAL, (500, {}), written("hm"), {"choices": [{"logprobs": {"content": None}}]}],
    ids=["refuses", "fails", "passes over", "null"],
)  # fmt: skip
def test_without_log_probabilities_the_answer_is_constrained(scripted, asking, how, without):
    def say(body):
        if "logprobs" in body:
            return without
        if "response_format" not in body:
            return written("hm")  # without any field, where it is asked whether it answers at all
        if body["response_format"]["type"] != how:
            return REFUSAL
        assert enum_of(body) == ["positive", "negative"] and body["temperature"] == 0
        return written(json.dumps({"answer": "negative" if "bad" in prompt_of(body) else "positive"}))

    words = RemoteVerbalizer(asking(scripted(say)), WORDS)
    rows, invalid = scored(words, chat("good", "bad"))
    assert words.way == "constrained" and not invalid.any()
    assert rows.tolist() == [[0.0, MIN_LOG_PROB], [MIN_LOG_PROB, 0.0]]


@pytest.mark.parametrize("field", ["structured_outputs", "guided_choice"])
@pytest.mark.parametrize("ask", [chat, plain])
def test_a_choice_is_asked_for_in_both_of_its_spellings(scripted, asking, field, ask):
    def say(body):
        given = body.get(field)
        return (
            written("negative")
            if given in (["positive", "negative"], {"choice": ["positive", "negative"]})
            else REFUSAL
        )

    words = RemoteVerbalizer(asking(scripted(say)), WORDS)
    assert scored(words, ask("a"))[0].tolist() == [[MIN_LOG_PROB, 0.0]] and words.way == "constrained"


def test_a_500_that_the_server_gives_to_everything_is_no_missing_feature(scripted, asking):
    remote = scripted(lambda body: (500, {"error": {"message": "out of memory"}}))
    with pytest.raises(RemoteError, match="500 Internal Server Error: out of memory"):
        RemoteVerbalizer(asking(remote, attempts=2), WORDS).log_probs(rows_of(chat("a")))


def test_a_500_that_passes_costs_no_way(scripted, asking):
    remote = scripted(lists)
    remote.script("a", lambda handler: None, *[_fails(500)] * 1)
    words = RemoteVerbalizer(asking(remote), WORDS)
    scored(words, chat("a", "b"))
    assert words.way == "logprobs"


def _fails(status):
    from tests.remote.scripted import fails

    return fails(status, "busy")


@pytest.mark.parametrize(
    "answer", ["positive", '{"answer": "Positive"}', '{"answer": 1}', "[]", '{"answer": "pos', ""]
)
def test_a_constrained_answer_that_is_no_word_is_invalid(scripted, asking, answer):
    def say(body):
        if "logprobs" in body:
            return REFUSAL
        return written('{"answer": "positive"}' if prompt_of(body) == "a" else answer)

    found = RemoteVerbalizer(asking(scripted(say)), WORDS).log_probs(rows_of(chat("a", "b")))
    assert found.invalid.tolist() == [False, True] and np.isnan(found.log_probs[1]).all()
    assert found.why[1].startswith("its answer is no label: ")


def test_plain_text_is_constrained_by_a_grammar(scripted, asking):
    def say(body):
        assert "response_format" not in body
        return (
            written("\nnegative")
            if body.get("grammar") == r'root ::= [ \n]? ("positive" | "negative")'
            else REFUSAL
        )

    words = RemoteVerbalizer(asking(scripted(say)), WORDS)
    assert scored(words, plain("a"))[0].tolist() == [[MIN_LOG_PROB, 0.0]] and words.way == "constrained"
    assert grammar(['a "b"\\']) == r'root ::= [ \n]? ("a \"b\"\\")'


@pytest.mark.parametrize("ask", [chat, plain, begun])
def test_a_server_that_does_none_of_it_is_left_to_write(scripted, asking, ask):
    remote = scripted(lambda body: written("I think it is positive."))
    words = RemoteVerbalizer(asking(remote), WORDS)
    assert scored(words, ask("a", "b")) is None and words.way == "none"
    assert words.in_words() == "answers in writing"
    asked = len(remote.log)
    assert not any(prompt.startswith("b") for prompt in remote.log)  # found out with the first question
    assert scored(words, ask("c")) is None and len(remote.log) == asked


@pytest.mark.parametrize(("shows", "asked"), [("5", 16 + 40), ("30", 40 + 40)])
def test_words_that_cannot_be_told_apart_are_constrained_in_all_rows(shows, asked, scripted, asking):
    """In one of the first rows it shows before the others are asked; later all have been asked."""

    def say(body):
        if "logprobs" in body:
            unclear = prompt_of(body) == shows
            return listed(body, logs(x=0.2, ne=0.1, _neg=0.4) if unclear else logs(_neg=0.6, _neu=0.2))
        return written('{"answer": "neutral"}')

    remote, ticks = scripted(say), []
    words = RemoteVerbalizer(asking(remote), {"bad": ["negative"], "so-so": ["neutral"]})
    rows, _ = scored(words, chat(*[str(i) for i in range(40)]), Callbacks(rows=ticks.append))
    assert words.way == "constrained" and rows.tolist() == [[MIN_LOG_PROB, 0.0]] * 40 and sum(ticks) == 40
    assert len(remote.log) == asked and "its tokens do not tell the labels apart" in words.in_words()


# -- a saved model


def test_a_way_that_is_given_stays(scripted, asking):
    def say(body):
        assert "logprobs" in body
        unclear = prompt_of(body) == "b"
        return listed(body, logs(x=0.2, ne=0.1, _neg=0.4) if unclear else logs(_neg=0.6, _neu=0.2))

    labels = {"bad": ["negative"], "so-so": ["neutral"]}
    words = RemoteVerbalizer(asking(scripted(say)), labels, way="logprobs", form="open")
    found = words.log_probs(rows_of(chat("a", "b")))
    assert found.invalid.tolist() == [False, True] and words.way == "logprobs"
    assert found.why == ["", "its tokens do not tell the labels apart"]


def test_a_way_that_is_given_and_gone_is_an_error(scripted, asking):
    remote = scripted(lambda body: written("hm"))
    with pytest.raises(RemoteError) as caught:
        RemoteVerbalizer(asking(remote), WORDS, way="logprobs").log_probs(rows_of(chat("a")))
    assert (
        str(caught.value) == f"{remote.url}: it no longer offers 'logprobs', which this model was made with"
    )
    assert RemoteVerbalizer(asking(remote), WORDS, way="none").log_probs(rows_of(chat("a"))) is None


def test_a_restart_asks_nothing_again_and_gives_the_same_numbers(scripted, asking):
    remote = scripted(lists)
    first = scored(RemoteVerbalizer(asking(remote), WORDS), plain("a Class:", "b Class:"))
    remote.close()
    again = scored(RemoteVerbalizer(asking(remote), WORDS, way="logprobs"), plain("a Class:", "b Class:"))
    np.testing.assert_array_equal(first[0], again[0])


def test_no_rows_need_no_server(scripted, asking):
    remote = scripted()
    found = RemoteVerbalizer(asking(remote), WORDS).log_probs(rows_of([]))
    assert found.log_probs.shape == (0, 2) and found.invalid.shape == (0,) and not remote.log


def test_a_word_that_no_token_could_begin_is_refused(asking, scripted):
    with pytest.raises(ConfigError, match="words: ' yes' is empty or has white space around it"):
        RemoteVerbalizer(asking(scripted()), {"a": [" yes"]})

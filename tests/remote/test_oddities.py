"""What real servers do: each is answered rightly, or with one clear sentence. No hang, no silent number."""

import json
import math
import time

import numpy as np
import pytest

from stratune.errors import ConfigError, RemoteError
from stratune.prompt.render import Renderer
from stratune.prompt.template import parse_template
from stratune.remote.reader import RemoteReader
from stratune.remote.request import Requests
from stratune.remote.rows import ask_rows
from stratune.remote.settings import Remote
from stratune.remote.verbalizer import RemoteVerbalizer
from stratune.remote.writing import Wanted, generate
from stratune.tokens.tokens import TextLimit
from tests.remote.scripted import (
    answers,
    bodies,
    chat,
    cut,
    fails,
    listed,
    plain,
    prompt_of,
    rows_of,
    slow,
    texts,
    written,
)  # fmt: skip

WORDS = {"good": ["positive"], "bad": ["negative"]}
HOW = Wanted(max_tokens=8, temperature=0.0, seed=0)
REFUSAL = (400, {"error": {"message": "unknown field"}})


def refused(status, message, **fields):
    return status, {"error": {"message": message, **fields}}


def usage(prompt, answer=3, **details):
    return {
        "usage": {"prompt_tokens": prompt, "completion_tokens": answer, "completion_tokens_details": details}
    }


# -- parameters


@pytest.mark.parametrize(
    ("field", "message", "more"),
    [
        ("max_tokens", "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.", {"param": "max_tokens"}),
        ("temperature", "Unsupported value: 'temperature' does not support 0 with this model.", {}),
        ("seed", "Unknown field", {"param": "seed"}),
        ("seed", "body.seed: Extra inputs are not permitted", {}),
    ],
)  # fmt: skip
def test_a_parameter_that_is_refused_is_left_out_from_then_on(scripted, asking, field, message, more):
    remote = scripted(lambda body: refused(400, message, **more) if field in body else written("fine"))
    server = asking(remote, workers=1)
    assert generate(server, rows_of(plain("a", "b", "c")), HOW).texts == ["fine"] * 3
    assert sum(field in body for body in remote.bodies) == 1  # learned once
    if field == "max_tokens":
        assert remote.bodies[-1]["max_completion_tokens"] == 8
    assert generate(server, rows_of(plain("a")), HOW).texts == ["fine"]
    assert len(remote.bodies) == 4  # the stored answer is that of the question, however it was put


def test_several_are_learned_one_after_the_other(scripted, asking):
    def say(body):
        for field in ("seed", "temperature", "max_tokens"):
            if field in body:
                return refused(422, f"{field}: not permitted")
        return written("fine")

    remote = scripted(say)
    assert generate(asking(remote, workers=4), rows_of(plain("a", "b")), HOW).texts == ["fine"] * 2


def test_a_parameter_of_the_users_own_is_not_left_out_in_silence(scripted, asking):
    remote = scripted(
        lambda body: (
            refused(400, "reasoning_effort: no such field") if "reasoning_effort" in body else written("x")
        )
    )
    server = asking(remote)
    server.extra["reasoning_effort"] = "low"
    with pytest.raises(RemoteError, match="400 Bad Request: reasoning_effort: no such field"):
        generate(server, rows_of(plain("a")), HOW)


def test_log_probabilities_that_a_model_may_not_give_are_another_way_and_no_missing_key(
    scripted, asking, monkeypatch
):
    monkeypatch.setenv("OPENAI_API_KEY", "right-key")

    def say(body):
        if "logprobs" in body:
            return refused(403, "You are not allowed to request logprobs from this model.")
        return written('{"answer": "positive"}') if "response_format" in body else REFUSAL

    words = RemoteVerbalizer(asking(scripted(say)), WORDS)
    assert words.log_probs(rows_of(chat("a"))).log_probs[0, 0] == 0.0 and words.way == "constrained"


@pytest.mark.parametrize(
    ("message", "hint"),
    [
        ("the model is not available in your region", ""),
        ("Incorrect API key provided: sk-12***89", "; it does not take the key in OPENAI_API_KEY"),
        ("", "; it does not take the key in OPENAI_API_KEY"),
    ],
)
def test_403_is_a_missing_key_only_where_it_says_so(scripted, asking, monkeypatch, message, hint):
    monkeypatch.setenv("OPENAI_API_KEY", "right-key")
    remote = scripted(lambda body: refused(403, message))
    with pytest.raises(RemoteError) as caught:
        asking(remote).ask("plain", bodies("a"))
    shown = f": {message}" if message and not hint else ""
    assert str(caught.value) == f"{remote.url}: 403 Forbidden{shown}{hint}"


# -- one row is one row


FILTERS = [
    refused(400, "The response was filtered due to the prompt triggering Azure OpenAI's content management policy."),
    refused(403, "Your request was flagged by moderation"),
    {"choices": [{"message": {"content": ""}, "text": "", "finish_reason": "content_filter"}]},
    {"choices": [{"message": {"content": None, "refusal": "I can't help with that."}, "text": ""}]},
    {"choices": []},
]  # fmt: skip


@pytest.mark.parametrize("filtered", FILTERS, ids=["policy", "moderation", "finish", "refusal", "empty"])
def test_a_row_that_gets_no_answer_is_one_row(scripted, asking, filtered):
    remote = scripted(lambda body: filtered if prompt_of(body) == "b" else written("positive"))
    found = generate(asking(remote, attempts=2), rows_of(chat("a", "b", "c")), HOW)
    assert found.texts == ["positive", "", "positive"] and found.why[0] == found.why[2] == ""
    assert any(word in found.why[1] for word in ("content filter", "refused", "choices"))


def test_it_is_one_row_where_labels_are_scored_too(scripted, asking):
    def say(body):
        if prompt_of(body) == "b":
            return FILTERS[0]
        return listed(body, {"positive": -0.1, "negative": -3.0}) if "top_logprobs" in body else REFUSAL

    found = RemoteVerbalizer(asking(scripted(say)), WORDS).log_probs(rows_of(chat("a", "b", "c")))
    assert found.invalid.tolist() == [False, True, False] and found.why[1].startswith("content filter: 400")


def test_where_every_row_is_refused_it_is_not_the_rows_fault(scripted, asking):
    remote = scripted(lambda body: refused(400, "the moon is full"))
    with pytest.raises(RemoteError, match="400 Bad Request: the moon is full"):
        asking(remote, workers=1).ask("plain", bodies(*map(str, range(40))))
    assert len(remote.log) <= 9  # it does not ask on
    with pytest.raises(RemoteError, match="the moon is full"):
        asking(remote).ask("plain", bodies("one"))


def test_a_row_refused_among_others_keeps_its_reason(scripted, asking):
    remote = scripted(lambda body: refused(400, "bad row") if prompt_of(body) == "b" else written("x"))
    first, second, third = asking(remote).ask("plain", bodies("a", "b", "c"))
    assert second.response is None and second.why == "400 Bad Request: bad row"
    assert texts([first, third]) == ["x", "x"]


# -- too long


def context_of(tokens, silent=False):
    """A server that reads so many tokens (of words), and refuses more, or leaves them out in silence."""

    def say(body):
        found = len(json.dumps(body.get("messages") or body["prompt"]).split())
        if found > tokens and not silent:
            return refused(
                400,
                f"This model's maximum context length is {tokens} tokens. However, you requested {found} tokens "
                f"({found - 16} in the messages, 16 in the completion). Please reduce the length.",
            )
        return {**written("positive"), **usage(min(found, tokens))}

    return say


def reading(*given, pairs=None):
    template = parse_template(
        {
            "name": "t",
            "task": "One of {labels}.",
            "row": "{text}" + (" | {pair}" if pairs else ""),
            "answer": "It is {label}",
        },
        "t",
    )
    reader = RemoteReader(
        Renderer(template.for_labels(["positive", "negative"]), ("positive", "negative"), None),
        TextLimit(None, None),
    )
    return reader.read(list(given), pairs)[0]


@pytest.mark.parametrize("pairs", [None, ["x", "word " * 3000]])
def test_a_text_too_long_for_the_server_is_cut_in_the_text_and_counted(scripted, asking, pairs):
    remote = scripted(context_of(1000))
    rows = reading("short", "word " * 3000, pairs=pairs)
    found = generate(asking(remote), rows, HOW)
    assert found.texts == ["positive"] * 2 and rows.cut.keys() == {1} and 1500 < rows.cut[1] < 5900
    said = prompt_of(remote.bodies[-1])
    assert said.startswith("One of positive, negative.") and said.endswith(
        "\nIt is"
    )  # all but the text stands
    assert len(remote.bodies) < 8


def test_what_no_cut_can_help_is_an_invalid_row(scripted, asking):
    remote = scripted(
        lambda body: refused(400, "prompt is too long") if "word" in prompt_of(body) else written("x")
    )
    found = generate(asking(remote), reading("short", "word word"), HOW)
    assert found.texts == ["x", ""] and found.why[1].startswith("too long: 400")


@pytest.mark.parametrize(
    "message",
    [
        "the request exceeds the available context size (1024 tokens), try increasing it",
        "input length and `max_tokens` exceed context limit: 5000 + 16 > 4096",
        "This endpoint's maximum context length is 4096 tokens. However, you requested about 5016 tokens",
        "Input is too long for requested model.",
    ],
)  # fmt: skip
def test_the_sentences_of_other_servers_are_known(scripted, asking, message):
    remote = scripted(lambda body: refused(400, message) if len(prompt_of(body)) > 4000 else written("x"))
    assert generate(asking(remote), reading("word " * 1000), HOW).texts == ["x"]


def test_a_server_that_cuts_in_silence_is_found_out(scripted, asking):
    server = asking(scripted(context_of(1000, silent=True)))
    generate(server, reading("word " * 2000, "word " * 3000, "a few words"), HOW)
    assert server.used.cut_at() == 1000
    whole = asking(scripted(context_of(10_000, silent=True)))
    generate(whole, reading("word " * 2000, "word " * 3000), HOW)
    assert whole.used.cut_at() is None


# -- time


def drips(seconds, every=0.05):
    """White space, as long as nobody hangs up: each byte is within any timeout."""

    def drip(handler):
        handler.send_response(200)
        handler.send_header("Content-Length", "100000")
        handler.end_headers()
        until = time.monotonic() + seconds
        try:
            while time.monotonic() < until:
                handler.wfile.write(b" ")
                handler.wfile.flush()
                time.sleep(every)
        except OSError:
            pass
        handler.close_connection = True
        return True

    return drip


def test_an_answer_that_drips_is_given_up(scripted, asking):
    remote = scripted()
    remote.script("a", drips(20))
    start = time.monotonic()
    assert texts(asking(remote, timeout=5, longest=0.5).ask("plain", bodies("a"))) == ["answer to a"]
    assert time.monotonic() - start < 5
    remote.script("b", drips(20), drips(20))
    with pytest.raises(RemoteError, match=r"no answer within 0.5 seconds; gave up after 2 attempts"):
        asking(remote, timeout=5, longest=0.5, attempts=2).ask("plain", bodies("b"))


@pytest.mark.parametrize(
    "fault", [cut, slow(0.6), fails(502), answers(200, "null"), answers(200, '{"choices": 3}')]
)
def test_what_passes_costs_one_more_request(scripted, asking, fault):
    remote = scripted()
    remote.script("a", fault)
    assert texts(asking(remote, timeout=0.3).ask("plain", bodies("a", "b"))) == ["answer to a", "answer to b"]


# -- models that think


def thinks(answer, where="text"):
    """A model that thinks for 30 tokens: with less room there is no answer."""
    thought = "well " * 30

    def say(body):
        if any(
            name in body
            for name in (
                "logprobs",
                "response_format",
                "structured_outputs",
                "guided_choice",
                "grammar",
                "prompt_logprobs",
            )
        ):
            return REFUSAL
        room = body.get("max_tokens", 0) >= 30
        said = answer if room else ""
        message = {"content": f"<think>{thought}" + (f"</think>\n\n{said}" if room else "")}
        if where == "beside":
            message = {"content": said or None, "reasoning_content": thought}
        if where == "opened":  # the template opens the thought
            message = {"content": f"{thought}</think>{said}" if room else thought}
        if where == "hidden":
            message = {"content": said}
        shown = {
            "message": message,
            "text": message["content"],
            "finish_reason": "stop" if room else "length",
        }
        return {
            "choices": [shown],
            **usage(
                40, 35 if room else body["max_tokens"], reasoning_tokens=30 if room else body["max_tokens"]
            ),
        }

    return say


@pytest.mark.parametrize("where", ["text", "beside", "hidden"])
def test_a_thought_gets_room_and_the_answer_behind_it_is_read(scripted, asking, where):
    server = asking(scripted(thinks("Positive", where)), thought=100)
    found = generate(server, rows_of(chat("a", "b")), HOW)
    assert found.texts == ["Positive"] * 2 and found.room == 100
    assert server.used.total.thought >= 60 and "of them thought" in server.used.in_words()


def test_a_thought_that_the_template_opened_is_no_answer(scripted, asking):
    found = generate(asking(scripted(thinks("Positive", "opened"))), rows_of(chat("a")), Wanted(60, 0.0, 0))
    assert found.texts == ["Positive"]


def test_a_thought_longer_than_its_room_is_an_invalid_row(scripted, asking):
    found = generate(asking(scripted(thinks("Positive")), thought=10), rows_of(chat("a")), HOW)
    assert found.texts == [""] and found.why == ["its tokens ended within the thought"]


def test_tokens_of_a_thought_are_no_labels(scripted, asking):
    """Log-probabilities of the answer stand behind those of the thought."""

    def say(body):
        if "top_logprobs" not in body or "prompt_logprobs" in body:
            return REFUSAL
        tokens = ["<think>", "positive", "?", "</think>", "\n\n"][: body["max_tokens"]]
        content = [
            {
                "token": token,
                "logprob": -0.1,
                "top_logprobs": [{"token": token, "logprob": -0.1}, {"token": "positive", "logprob": -0.5}],
            }
            for token in tokens
        ]
        if body["max_tokens"] > 50:
            top = [{"token": "negative", "logprob": -0.2}, {"token": "positive", "logprob": -2.0}]
            content.append({"token": "negative", "logprob": -0.2, "top_logprobs": top})
        text = "".join(one["token"] for one in content)
        return {"choices": [{"message": {"content": text}, "logprobs": {"content": content}}]}

    words = RemoteVerbalizer(asking(scripted(say), thought=64), WORDS)
    found = words.log_probs(rows_of(chat("a")))
    assert words.room == 64 and found.log_probs[0].tolist() == pytest.approx([-2.0, -0.2])
    assert "the model thinks before it answers" in words.in_words()


def test_the_users_switch_goes_into_every_request_and_makes_another_question(scripted, asking):
    remote = scripted(
        lambda body: written(
            "no thought"
            if not body.get("chat_template_kwargs", {}).get("enable_thinking", True)
            else "<think>a</think>b"
        )
    )
    plainly, switched = asking(remote), asking(remote)
    switched.extra["chat_template_kwargs"] = {"enable_thinking": False}
    assert generate(plainly, rows_of(chat("a")), HOW).texts == ["b"]
    assert generate(switched, rows_of(chat("a")), HOW).texts == ["no thought"]


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        ({"messages": []}, "remote.extra: 'messages' is set by stratune; leave it out"),
        ({"temperature": 1}, "remote.extra: 'temperature' is set by stratune; leave it out"),
        ({"stream": True}, "remote.extra: 'stream' is set by stratune; leave it out"),
        ({"headers": {"api_key": "12345678"}}, "remote.extra: it holds a key or password"),
    ],
)
def test_what_no_request_may_hold_is_refused(extra, message):
    with pytest.raises(ConfigError) as caught:
        Remote(extra=extra)
    assert message in str(caught.value) and "12345678" not in str(caught.value)


# -- shapes


@pytest.mark.parametrize(
    "content", ["positive", [{"type": "text", "text": "posi"}, {"type": "text", "text": "tive"}]]
)
def test_texts_in_parts_are_one_text(scripted, asking, content):
    remote = scripted(lambda body: {"choices": [{"message": {"role": "assistant", "content": content}}]})
    assert generate(asking(remote), rows_of(chat("a")), HOW).texts == ["positive"]


def test_numbers_that_are_none_are_no_probabilities(scripted, asking):
    """NaN, as some servers write for tokens that a grammar forbids."""

    def say(body):
        return (
            listed(body, {"positive": -0.1, "negative": math.nan, "x": -3.0})
            if "top_logprobs" in body
            else REFUSAL
        )

    found = RemoteVerbalizer(asking(scripted(say)), WORDS).log_probs(rows_of(chat("a")))
    np.testing.assert_allclose(found.log_probs, [[-0.1, -3.0]])


def test_usage_in_any_shape_is_no_error(scripted, asking):
    for given in (
        None,
        3,
        [],
        {"prompt_tokens": "12"},
        {"prompt_tokens": True},
        {"completion_tokens_details": 3},
    ):
        server = asking(scripted(lambda body, given=given: {**written("x"), "usage": given}))
        assert generate(server, rows_of(plain("a")), HOW).texts == ["x"]
        assert not server.used.total.counted
    assert ask_rows(server, Requests([], {}), [], lambda request, _: {}) == []

"""/explain: exact shares of few words, what is lost without each of many, and what a request may not ask."""

import json
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from stratune.fitting.fit import fit
from stratune.serving.app import create_app
from stratune.serving.explain import EXACT_WORDS, SPANS, decided_label, shapley, spans_of, without, words_of
from stratune.serving.limits import Limits
from stratune.serving.served import Served, ServedModel
from stratune.testing import toy_split
from stratune.testing.toy import toy_split_of
from stratune.train.settings import Budget
from tests.helpers import trained

SHORT = "the cat saw rain rain"
LONG = "we heard the old cat near the house and then it was rain for a long time"
TOLERANCE = 5e-6  # scores are rounded to six digits
PROMPT = {"row": "{text}", "answer": ": {label}", "chat": False}


@pytest.fixture(scope="module")
def predictors(loaded, tiny):
    """`calls` was made of `words`; `chunks` reads long texts in chunks; `asked` is prompted."""
    made = {name: loaded(name) for name in ("words", "pairs", "values")}
    long = {"way": "chunk", "window": 24, "aggregate": "mean"}
    chunks = {"preset": "probe", "readout": {"long": long}}
    made["chunks"] = trained(chunks, tiny("bert")).predictor
    split = toy_split()
    asked = {"preset": "zero_shot", "readout": {"template": PROMPT}}
    made["asked"] = fit(asked, str(tiny("llama")), split.task, split, Budget(epochs=1))
    made["sets"] = trained("tfidf", None, split=toy_split_of("multilabel")).predictor
    return made


@pytest.fixture(scope="module")
def served(predictors):
    return Served({name: ServedModel(name, one) for name, one in predictors.items()})


@pytest.fixture(scope="module")
def client(served):
    with TestClient(create_app(served)) as found:
        yield found


def explain(client, text, model="words", **more):
    found = client.post("/explain", content=json.dumps({"text": text, "model": model, **more}))
    assert found.status_code == 200, found.text
    return found.json()


def score(predictor, label, texts):
    return predictor.predict_proba(list(texts))[:, predictor.labels.index(label)]


def test_shapley_values_of_few_words_sum_to_what_the_text_adds(client, predictors):
    found = explain(client, SHORT)
    assert found["method"] == "shapley" and [one["text"] for one in found["words"]] == SHORT.split()
    whole, nothing = score(predictors["words"], found["of"], [SHORT, ""])
    assert abs(whole - nothing) > 0.01
    assert sum(one["change"] for one in found["words"]) == pytest.approx(whole - nothing, abs=TOLERANCE)
    changes = [one["change"] for one in found["words"]]
    assert changes[3] == pytest.approx(changes[4], abs=TOLERANCE) and changes[3] != 0  # rain, twice


def test_they_are_means_over_all_orders(client, predictors):
    """By the definition: of every order in which words could come, what each adds."""
    words = SHORT.split()
    label = explain(client, SHORT)["of"]
    kept = {}
    for order in permutations(range(len(words))):
        for size in range(len(words) + 1):
            kept.setdefault(tuple(sorted(order[:size])), " ".join(words[k] for k in sorted(order[:size])))
    scores = dict(zip(kept, score(predictors["words"], label, kept.values()), strict=True))
    adds = np.zeros(len(words))
    for order in permutations(range(len(words))):
        for size, word in enumerate(order):
            before, after = tuple(sorted(order[:size])), tuple(sorted(order[: size + 1]))
            adds[word] += scores[after] - scores[before]
    adds /= len(list(permutations(words)))
    changes = [one["change"] for one in explain(client, SHORT)["words"]]
    np.testing.assert_allclose(changes, adds, atol=TOLERANCE)


@given(st.integers(1, 4), st.data())
def test_of_any_game_they_sum_to_the_whole(count, data):
    players = range(count)
    subsets = [frozenset(k for k in players if mask >> k & 1) for mask in range(2**count)]
    scores = {gone: data.draw(st.floats(-1, 1)) for gone in subsets}
    whole = scores[frozenset()] - scores[frozenset(players)]
    assert sum(shapley(scores, count)) == pytest.approx(whole, abs=1e-9)


def test_a_longer_text_has_what_is_lost_without_each_word(client, predictors):
    found = explain(client, LONG)
    words = LONG.split()
    assert found["method"] == "occlusion" and len(words) > EXACT_WORDS
    assert [one["text"] for one in found["words"]] == words
    less = [" ".join(words[:k] + words[k + 1 :]) for k in range(len(words))]
    whole = score(predictors["words"], found["of"], [LONG])
    by_hand = whole - score(predictors["words"], found["of"], less)
    changes = [one["change"] for one in found["words"]]
    np.testing.assert_allclose(changes, by_hand, atol=TOLERANCE)
    assert np.ptp(by_hand) > 0.01
    plain = client.post("/predict", content=json.dumps({"text": LONG, "model": "words"})).json()
    assert {name: found[name] for name in plain} == plain


def test_a_very_long_text_has_spans(client):
    text = " ".join(f"word{k}" for k in range(1000))
    found = explain(client, text)
    assert len(found["words"]) == SPANS and found["words"][-1]["end"] == len(text)
    assert " ".join(one["text"] for one in found["words"]) == text  # none is left out
    assert {len(one["text"].split()) for one in found["words"]} == {15, 16}


def test_a_value_is_explained_in_its_unit(client, predictors):
    found = explain(client, SHORT, "values")
    whole, nothing = predictors["values"].predict_proba([SHORT, ""])[:, 0]
    assert found["of"] is None and found["scores"] == {} and found["prediction"] == pytest.approx(whole)
    assert sum(one["change"] for one in found["words"]) == pytest.approx(whole - nothing, abs=TOLERANCE)


def test_of_a_set_the_most_probable_label_is_explained(client):
    found = explain(client, SHORT, "sets")
    assert found["of"] == max(found["scores"], key=found["scores"].get)


def test_both_texts_of_a_pair_are_explained(client, predictors):
    found = explain(client, "the cat", "pairs", pair="old rain today")
    assert [(one["column"], one["text"]) for one in found["words"]] == [
        ("text", "the"), ("text", "cat"), ("pair", "old"), ("pair", "rain"), ("pair", "today"),
    ]  # fmt: skip
    label = predictors["pairs"].labels.index(found["of"])
    whole, nothing = predictors["pairs"].predict_proba([("the cat", "old rain today"), ("", "")])[:, label]
    assert sum(one["change"] for one in found["words"]) == pytest.approx(whole - nothing, abs=TOLERANCE)
    many = explain(client, "cat " * 300, "pairs", pair="rain " * 20)
    columns = [one["column"] for one in many["words"]]
    assert len(columns) == SPANS and columns.count("pair") == 4
    assert " ".join(one["text"] for one in many["words"]).split() == ["cat"] * 300 + ["rain"] * 20


def test_chunks_and_prompts_of_models_that_have_them(client, predictors):
    text = " ".join([LONG] * 4)
    chunks = explain(client, text, "chunks")["chunks"]
    scored = predictors["chunks"].score([text]).evidence[0]
    assert [(one["start"], one["end"]) for one in chunks] == [(one.start, one.end) for one in scored]
    assert len(chunks) == 3 and all(one["text"] == text[one["start"] : one["end"]].strip() for one in chunks)
    assert explain(client, "the cat", "asked")["prompt"] == predictors["asked"].model.prompt("the cat", None)
    assert not {"chunks", "prompt"} & set(explain(client, "the cat"))


def test_no_words_and_the_same_words(client):
    assert explain(client, "")["words"] == [] and explain(client, " \n")["words"] == []
    assert [one["change"] for one in explain(client, "zzz")["words"]] == [0.0]  # unknown to the model


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        ({}, 400, 'body: no text; expected {"text": ...}'),
        ({"text": 3}, 400, "text: expected a text, found a number (3)"),
        ({"text": "a", "texts": []}, 400, "body: 'texts' is not one of text, pair, model"),
        ({"text": "a", "pair": "b"}, 400, "pair: this model takes no pairs"),
        ({"text": "a", "model": "pairs"}, 400, "pair: missing: this model takes pairs"),
        ({"text": "\ud800"}, 400, "text: holds half a character (a lone surrogate, \\ud800 to \\udfff)"),
        ({"text": "a", "model": "none"}, 404, "model: 'none' is not one of words, "),
    ],
)
def test_refusals(client, body, status, message):
    found = client.post("/explain", content=json.dumps(body))
    assert found.status_code == status and found.json()["error"]["message"].startswith(message), found.text


def test_it_asks_no_more_than_a_request_may(served):
    asked = []
    with TestClient(create_app(served, Limits(most_rows=9, most_bytes=1000))) as client:
        batcher = client.app.state.service._batchers["words"]
        answer, batcher._answer = (
            batcher._answer,
            lambda *given: (asked.append(len(given[0])), answer(*given))[1],
        )
        assert explain(client, "cat rain snow")["method"] == "shapley" and asked.pop() == 8
        assert explain(client, SHORT)["method"] == "occlusion" and asked.pop() <= 6  # 2^5 are too many
        assert len(explain(client, LONG)["words"]) == 8 and asked.pop() == 9
        refused = client.post("/explain", content=json.dumps({"text": "ab " * 200, "model": "words"}))
        assert refused.status_code == 413 and "600 characters are too many" in refused.text
    assert asked == []


def test_a_full_queue_refuses(served):
    with TestClient(create_app(served, Limits(most_rows=4, queue=4))) as client:
        client.app.state.service._batchers["words"].rows = 4
        refused = client.post("/explain", content=json.dumps({"text": SHORT, "model": "words"}))
    assert refused.status_code == 429 and int(refused.headers["retry-after"]) >= 1


def test_texts_that_cost_money_are_few():
    assert spans_of("a b c", None, Limits())[1] and not spans_of("a b c", None, Limits(), paid=True)[1]


@pytest.mark.parametrize(
    ("text", "gone", "left"),
    [
        ("a b c", [(2, 3)], "a c"), ("a b c", [(4, 5)], "a b"), ("a b c", [(0, 1), (2, 3), (4, 5)], ""),
        ("a b\nc", [(2, 3)], "a\nc"), ("a b\x1ec d", [(2, 3), (4, 5)], "a\x1ed"), ("好的", [(0, 1)], "的"),
    ],
)  # fmt: skip
def test_words_go_with_one_gap(text, gone, left):
    assert without(text, gone) == left


def test_words():
    assert [SHORT[a:b] for a, b in words_of(SHORT)] == SHORT.split()
    assert words_of("很好 ok, 🙂") == [(0, 1), (1, 2), (3, 6), (7, 8)]


def test_an_answer_without_scores_has_no_label():
    assert decided_label({"prediction": "", "scores": {"a": None, "b": None}}) is None

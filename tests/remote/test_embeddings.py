"""Vectors of texts by a server: the right one for each text, in few requests, and none asked for twice."""

import base64
import math
import subprocess
import sys
from collections import Counter

import numpy as np
import pytest

from stratune.errors import MissingEndpoint, RemoteError
from stratune.remote.answers import Answers
from stratune.remote.embeddings import Embeddings
from tests.remote.scripted import WIDTH, cut, embedded, fails, says, vector_of
from tests.remote.test_oddities import refused
from tests.remote.test_restart import until

TEXTS = [f"text {i}" for i in range(30)]


@pytest.fixture
def embed(scripted, asking):
    """`embed(say, **retry_policy)` is (Embeddings, the server that it asks)."""

    def opened(say=embedded, *, dimensions=None, price=None, **policy):
        remote = scripted(say)
        return Embeddings(asking(remote, **policy), dimensions, price), remote

    return opened


def wanted(texts, prompt="", width=WIDTH):
    return np.array([vector_of(prompt + text, width) for text in texts], dtype=np.float32)


def asked(remote):
    return [text for body in remote.bodies for text in body["input"]]


def sizes(remote):
    return [len(body["input"]) for body in remote.bodies]


# -- which vector is whose


def test_each_text_gets_its_own_vector_in_few_requests(embed):
    find, remote = embed(batch=8)
    texts = [*TEXTS, TEXTS[3], TEXTS[3]]
    found = find(texts)
    assert np.array_equal(found.vectors, wanted(texts)) and found.vectors.dtype == np.float32
    assert not any(found.why) and not found.cut.any() and find.width == WIDTH
    assert sorted(asked(remote)) == sorted(TEXTS)  # what comes twice is asked about once
    assert sorted(sizes(remote)) == [1, 5, 8, 8, 8]  # the first alone: it shows what is wrong


def test_the_prompt_stands_before_each_text(embed):
    find, remote = embed()
    assert np.array_equal(find(["a", "b"], "query: ").vectors, wanted(["a", "b"], "query: "))
    assert asked(remote) == ["query: a", "query: b"]
    find(["a"])
    assert asked(remote)[2:] == ["a"]  # another question


def in_base64(text):
    return base64.b64encode(np.array(vector_of(text), dtype="<f4").tobytes()).decode()


def backwards(body):
    answer = embedded(body)
    return {**answer, "data": answer["data"][::-1]}


def unnumbered(body):
    data = [{"embedding": one["embedding"]} for one in embedded(body)["data"]]
    return {"data": data}


@pytest.mark.parametrize(
    "say",
    [backwards, unnumbered, lambda body: embedded(body, in_base64)],
    ids=["another order", "no index", "base64"],
)
def test_what_servers_do_to_vectors_changes_none(embed, say):
    find, _ = embed(say)
    assert np.array_equal(find(TEXTS).vectors, wanted(TEXTS))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda data: data[:-1], "it answered 29 texts with 28 vectors"),
        (lambda data: [{**one, "index": 0} for one in data], "its vectors have the `index` [0, 0, 0, 0], which are not those of 29 texts"),
        (lambda data: [{**one, "index": "0"} for one in data], "the `index` of a vector is no number"),
    ],
    ids=["one is missing", "all are the first", "no numbers"],
)  # fmt: skip
def test_where_it_is_not_known_whose_a_vector_is_no_number_is_taken(embed, change, why):
    def say(body):
        answer = embedded(body)
        return answer if len(answer["data"]) == 1 else {**answer, "data": change(answer["data"])}

    find, remote = embed(say)
    with pytest.raises(RemoteError) as caught:
        find(TEXTS)
    assert str(caught.value) == f"{remote.url}: {why}; ask about one text at a time: remote.batch: 1"
    again, _ = embed(say, batch=1)
    assert np.array_equal(again(TEXTS).vectors, wanted(TEXTS))


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        ([math.nan] * WIDTH, "its vector holds NaN or infinite numbers"),
        ([1e39] * WIDTH, "its vector holds NaN or infinite numbers"),
        ([None] * WIDTH, "its vector is no list of numbers"),
        ([[1.0] * WIDTH] * 3, "a vector of each token, none of the text: the server has to pool"),
        ([], "its vector is empty"),
        (None, "its vector is no list of numbers"),
        ("!", "its vector is no base64 of numbers"),
    ],
    ids=["nan", "infinite", "null", "of tokens", "empty", "missing", "text"],
)
def test_a_vector_that_is_none_is_one_row(embed, bad, why):
    find, remote = embed(
        lambda body: embedded(body, lambda text: bad if text == "text 7" else vector_of(text))
    )
    found = find(TEXTS)
    assert found.why[7].startswith(why) and [i for i, one in enumerate(found.why) if one] == [7]
    assert np.isnan(found.vectors[7]).all()
    rest = [i for i in range(30) if i != 7]
    assert np.array_equal(found.vectors[rest], wanted([TEXTS[i] for i in rest]))
    find(TEXTS)
    assert (
        Counter(asked(remote))["text 7"] == 1 and len(Answers()) == 29
    )  # not stored: it may be another later


def test_vectors_of_two_lengths_are_of_two_models(embed):
    def say(body):
        return embedded(body, lambda text: vector_of(text, 5 if text == "text 7" else WIDTH))

    find, remote = embed(say)
    with pytest.raises(RemoteError) as caught:
        find(TEXTS)
    why = "a vector of 5 numbers, where others have 6: another model answers under this name"
    assert str(caught.value) == f"{remote.url}: {why}"


def test_dimensions_are_asked_for_and_checked(embed):
    find, remote = embed(
        lambda body: embedded(body, lambda text: vector_of(text)[: body["dimensions"]]), dimensions=4
    )
    assert np.array_equal(find(TEXTS).vectors, wanted(TEXTS)[:, :4])
    assert {body["dimensions"] for body in remote.bodies} == {4}
    find, remote = embed(dimensions=4)
    with pytest.raises(RemoteError) as caught:
        find(TEXTS)
    why = "asked for vectors of 4 numbers, it gives 6: it does not shorten them; leave out remote.dimensions"
    assert str(caught.value) == f"{remote.url}: {why}" and len(remote.bodies) == 1


# -- how many at once


def limited(most=None, tokens=None):
    """As text-embeddings-inference and OpenAI refuse."""

    def say(body):
        count = len(body["input"])
        if most is not None and count > most:
            return refused(422, f"batch size {count} > maximum allowed batch size {most}")
        if tokens is not None and sum(map(len, body["input"])) > tokens:
            return refused(400, f"Requested more than the maximum of {tokens} tokens per request")
        return embedded(body)

    return say


def test_a_server_that_takes_fewer_at_once_gets_fewer(embed):
    texts = [f"text {i:03}" for i in range(200)]
    find, remote = embed(limited(most=10), batch=64, workers=1)
    assert np.array_equal(find(texts).vectors, wanted(texts))
    assert sizes(remote)[:5] == [1, 64, 32, 16, 8] and sum(size > 10 for size in sizes(remote)) <= 7
    before = len(remote.bodies)
    more = [f"more {i:03}" for i in range(80)]
    find(more)
    assert sizes(remote)[before:] == [8] * 10  # learned


def test_a_server_that_takes_fewer_tokens_at_once_gets_fewer_texts(embed):
    texts = [f"text {i:03}" for i in range(64)]  # 8 characters each
    find, remote = embed(limited(tokens=100), workers=4)
    assert np.array_equal(find(texts).vectors, wanted(texts)) and find._most == 7


def test_one_text_that_is_refused_is_found_by_halves_and_the_others_are_answered(embed):
    def say(body):
        if "text 17" in body["input"]:
            return refused(400, "The response was filtered due to Azure's content management policy.")
        return embedded(body)

    find, remote = embed(say, workers=1)
    found = find(TEXTS)
    assert [i for i, one in enumerate(found.why) if one] == [17]
    assert found.why[17].startswith("content filter: 400 Bad Request")
    rest = [i for i in range(30) if i != 17]
    assert np.array_equal(found.vectors[rest], wanted([TEXTS[i] for i in rest]))
    assert find._most == 64 and len(remote.bodies) <= 2 + 2 * 5  # the size was not to blame
    find(TEXTS)
    assert Counter(asked(remote))["text 17"] <= 6  # and it is not asked about again


def test_a_text_that_is_too_long_is_cut_and_nothing_else(embed):
    long = " ".join(f"word{i}" for i in range(1000))

    def say(body):
        if any(len(text.split()) > 400 for text in body["input"]):
            return refused(
                400, "This model's maximum context length is 400 tokens. However, you requested 1000 tokens"
            )
        return embedded(body)

    find, remote = embed(say)
    found = find(["short", long, "other"], "query: ")
    kept = 1000 - int(found.cut[1])
    assert found.cut[[0, 2]].tolist() == [0, 0] and 250 < kept < 400 and not any(found.why)
    shown = " ".join(long.split()[:kept])
    assert np.array_equal(found.vectors, wanted(["short", shown, "other"], "query: "))
    assert find._most == 64
    before = len(remote.bodies)
    again = find([long], "query: ")
    assert len(remote.bodies) == before and again.cut[0] == found.cut[1]  # also how much was cut


def test_a_text_that_is_too_long_for_llama_cpp_is_cut(embed):
    def say(body):
        if any(len(text) > 300 for text in body["input"]):
            return refused(
                500,
                "input (900 tokens) is too large to process. increase the physical batch size (current batch size: 512)",
            )
        return embedded(body)

    find, remote = embed(say)
    found = find(["first", "word " * 100])
    assert found.cut[1] > 0 and not any(found.why) and len(remote.bodies) == 3


# -- what is no text's fault


def test_a_server_without_vectors_is_one_sentence(embed):
    find, remote = embed(lambda body: (404, "404 page not found"))
    with pytest.raises(MissingEndpoint) as caught:
        find(TEXTS)
    why = "404 Not Found: 404 page not found; it has no /embeddings, so that no vectors can be had of tiny"
    assert str(caught.value) == f"{remote.url}: {why}" and len(remote.bodies) == 1


def test_a_model_that_is_not_there_is_another_sentence(embed):
    find, remote = embed(lambda body: refused(404, "The model `tiny` does not exist."))
    remote.models = ["embed-small", "embed-large"]
    with pytest.raises(RemoteError, match="model 'tiny' is not one of embed-small, embed-large") as caught:
        find(TEXTS)
    assert type(caught.value) is RemoteError


def test_not_implemented_is_not_tried_again(embed):
    find, remote = embed(
        lambda body: refused(501, "This server does not support embeddings. Start it with `--embeddings`")
    )
    with pytest.raises(MissingEndpoint, match="Start it with `--embeddings`; it has no /embeddings"):
        find(TEXTS)
    assert len(remote.bodies) == 1


def test_where_all_are_refused_it_is_no_texts_fault(embed):
    find, remote = embed(lambda body: refused(400, "dimensions: not supported by this model"))
    with pytest.raises(RemoteError, match="400 Bad Request: dimensions: not supported by this model"):
        find(TEXTS)
    assert sizes(remote) == [1] * 8


def test_what_passes_is_tried_again(embed):
    find, remote = embed(workers=1)
    remote.script("text 0", fails(503), cut, says("{"), says('{"data": []}'))
    assert np.array_equal(find(TEXTS[:2]).vectors, wanted(TEXTS[:2]))
    assert len(remote.bodies) == 6


# -- stored, counted, secret


ASKER = """
import sys
from stratune.remote.address import Address
from stratune.remote.answers import Answers
from stratune.remote.embeddings import Embeddings
from stratune.remote.retry_policy import RetryPolicy
from stratune.remote.server import Server
policy = RetryPolicy(workers=2, batch=4)
server = Server(Address(sys.argv[1], "tiny"), policy, Answers(), variable="OPENAI_API_KEY")
Embeddings(server)(sys.argv[2:])
"""


def test_a_killed_run_asks_only_the_rest_again(embed):
    find, remote = embed(batch=4)
    hold = lambda handler: handler.outer_server.held.wait()  # noqa: E731
    remote.script("\n".join(TEXTS[9:13]), hold)
    remote.script("\n".join(TEXTS[13:17]), hold)
    process = subprocess.Popen([sys.executable, "-c", ASKER, remote.url, *TEXTS])
    until(lambda: len(remote.log) == 5)
    process.kill()
    process.communicate()
    remote.held.set()
    answered = asked(remote)[:9]
    assert len(Answers()) == 9 and sorted(answered) == sorted(TEXTS[:9])
    before = len(remote.bodies)
    assert np.array_equal(find(TEXTS).vectors, wanted(TEXTS))
    assert sorted([text for body in remote.bodies[before:] for text in body["input"]]) == sorted(TEXTS[9:])
    assert len(Answers()) == 30


def test_tokens_are_those_that_the_server_counted_each_text_once(embed):
    find, _ = embed(batch=7, price=(1000.0, 0.0))
    find(TEXTS[:20])
    find(TEXTS)
    total = sum(map(len, TEXTS))
    assert find.server.used.total.prompt == total
    cost = f"{total * 1000 / 1e6:,.2f}"
    assert find.remarks() == [f"the server counted {total} tokens of texts, {cost} at the price given"]
    again = Embeddings(
        find.server.__class__(find.server.address, find.server.retry_policy, Answers(), variable="")
    )
    again(TEXTS[5:9])
    assert again.server.used.total.prompt == pytest.approx(sum(map(len, TEXTS[5:9])), abs=2)


def test_a_silent_cut_is_noticed(embed):
    find, _ = embed(lambda body: embedded(body, tokens=lambda text: min(len(text) // 4, 256)))
    find(["short", "word " * 2000])
    assert find.remarks()[1].startswith("the server reads only some 256 tokens of a text")


def test_no_key_is_stored(embed, monkeypatch, tmp_path):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret-0815")
    find, remote = embed()
    find(TEXTS)
    assert set(remote.keys) == {"Bearer sk-very-secret-0815"}
    files = [path for path in Answers().path.parent.rglob("*") if path.is_file()]
    assert files and not any(b"very-secret" in path.read_bytes() for path in files)

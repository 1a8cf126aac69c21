"""Free answers, and what asking would cost."""

from dataclasses import replace

import pytest

from stratune.remote.estimate import Estimate, estimate
from stratune.remote.verbalizer import RemoteVerbalizer
from stratune.remote.writing import Wanted, generate, writing_bodies
from tests.helpers import Callbacks
from tests.remote.scripted import chat, plain, rows_of, spelled, written

OPTIONS = {"max_tokens": 8, "temperature": 0.7, "seed": 3}
HOW = Wanted(**OPTIONS)


@pytest.mark.parametrize("ask", [chat, plain])
def test_what_is_written_comes_as_it_stands(scripted, asking, ask):
    sent = []
    remote = scripted(lambda body: sent.append(body) or written(" Well,\nit is a"))
    ticks = []
    assert (
        generate(asking(remote), rows_of(ask("a", "b")), HOW, progress=Callbacks(rows=ticks.append)).texts
        == [" Well,\nit is a"] * 2
    )
    assert sum(ticks) == 2 and all(OPTIONS.items() <= body.items() for body in sent)


@pytest.mark.parametrize("said", [{"message": {"content": None}}, {"text": None}, {"message": None}, {}])
def test_an_answer_without_text_is_empty(scripted, asking, said):
    found = generate(asking(scripted(lambda body: {"choices": [said]})), rows_of(chat("a")), HOW)
    assert found.texts == [""]


def test_another_seed_is_another_question(scripted, asking):
    remote = scripted()
    for seed in (3, 3, 4):
        generate(asking(remote), rows_of(plain("a")), replace(HOW, seed=seed))
    assert len(remote.log) == 2


def test_no_rows_need_no_server(scripted, asking):
    assert generate(asking(scripted()), rows_of([]), HOW).texts == []


def test_an_estimate_counts_what_is_not_yet_answered(scripted, asking):
    remote = scripted()
    server = asking(remote)
    requests = plain("x" * 400, "y" * 402, "y" * 402, "z" * 8)
    generate(server, rows_of(requests[3:]), HOW)
    bodies = writing_bodies(server, requests, HOW)
    found = Estimate(rows=4, requests=2, cached=1, prompt_tokens=201, answer_tokens=16, cost=None)
    assert estimate(server, bodies) == found
    assert estimate(server, bodies, (10.0, 100.0)).cost == pytest.approx(201 * 10e-6 + 16 * 100e-6)
    assert len(remote.log) == 1


def test_an_estimate_of_label_words_reads_all_of_a_chat(scripted, asking):
    server = asking(scripted(lambda body: spelled(body, {"yes": 0.5, "no": 0.5})))
    words = RemoteVerbalizer(server, {"a": ["yes"], "b": ["no"]})
    bodies = words.bodies(rows_of(chat("x" * 91, "y" * 93)))  # "Be brief." has 9
    assert estimate(server, bodies) == Estimate(2, 1, 1, 26, 2, None)
    assert RemoteVerbalizer(server, {"a": ["yes"]}).bodies(rows_of([])) == []

"""stress of a model on a server: it is asked only where that is allowed, after it was told how often."""

from __future__ import annotations

import re

import pytest

from stratune.api import compare
from stratune.comparison.robustness import stress
from stratune.errors import ConfigError
from stratune.testing import toy_split
from stratune.watch import Progress
from tests.remote.scripted import prompt_of, spelled
from tests.remote.test_asking import REFUSAL, sure
from tests.remote.test_named import SPEC, comparison


class Told(Progress):
    """What is told, and how many questions the server had got until then."""

    def __init__(self, server):
        self.server, self.notes = server, []

    def note(self, text):
        self.notes.append((text, len(self.server.log)))


def test_a_server_is_asked_only_where_it_is_allowed(scripted, tmp_path):
    server = scripted(sure)
    out = comparison(tmp_path, server).out
    asked = len(server.log)
    with pytest.raises(ConfigError, match=r"ensemble.*/members/0: its model is on a server.*--allow-server"):
        stress(out, only=["typos"])
    with pytest.raises(ConfigError, match=f"--allow-server {server.url}"):
        stress(out, ["zero_shot"], only=["typos"])
    assert len(server.log) == asked and not (out / "robustness.json").exists()
    told = Told(server)
    found = stress(out, ["zero_shot"], only=["typos"], allow_server=server.url, progress=told)
    (one,) = found["strategies"]
    most = round(found["rows"] * (1 + found["perturbations"][0]["changed"]))
    assert told.notes == [(f"zero_shot@{one['backbone']} asks a server: up to {most} requests", asked)]
    assert 0 < len(server.log) - asked <= most


def test_a_row_on_a_server_is_left_out_beside_others(scripted, tmp_path):
    server = scripted(sure)
    rows = {
        name: [row[name] for part in toy_split().parts.values() for row in part] for name in ("text", "label")
    }
    board = compare(
        rows, strategies=["tfidf", SPEC], llms=[f"{server.url}#tiny"], out=tmp_path / "out", progress=False
    )
    asked = len(server.log)
    found = stress(board.out, only=["typos"])
    assert [one["strategy"] for one in found["strategies"]] == ["tfidf"] and len(server.log) == asked
    (note,) = found["notes"]
    assert note.startswith(f"zero_shot@{server.url}#tiny is left out: ") and "--allow-server" in note


def test_the_labels_of_a_prompt_are_listed_from_the_last(scripted, tmp_path):
    server = scripted(sure)
    out = comparison(tmp_path, server).out
    assert all("One of animal, weather." in prompt for prompt in server.log)
    asked = len(server.log)
    found = stress(out, ["zero_shot", "majority"], only=["label_order"], allow_server=server.url)
    turned = [prompt for prompt in server.log[asked:] if "One of weather, animal." in prompt]
    assert len(turned) > 1 and len(turned) <= found["rows"]
    prompted, majority = found["strategies"]
    (effect,) = prompted["effects"]
    assert effect["flips"]["value"] == 0 and effect["after"] == prompted["before"]  # it knows the answers
    assert majority["effects"] == [] and found["perturbations"][0]["changed"] is None


def test_a_model_that_answers_the_label_that_is_listed_last(scripted, tmp_path):
    """What is listed in another order is the prompt; the answers are still read by their names."""

    def last(body):
        if any(name in body for name in ("echo", "prompt_logprobs")):
            return REFUSAL
        label = re.search(r"One of .*, (\w+)\.", prompt_of(body))[1]
        return spelled(body, {f" {label}": 0.9, " the": 0.1}, split=20, begin="It is")

    server = scripted(last)
    out = comparison(tmp_path, server).out
    found = stress(out, ["zero_shot"], only=["label_order"], allow_server=server.url)
    (effect,) = found["strategies"][0]["effects"]
    assert effect["flips"]["value"] == 1.0
    assert {(one["before"], one["after"]) for one in effect["examples"]} == {("weather", "animal")}

"""attack of a model on a server: asked only where that is allowed, within the budget, for a price that is told."""

from __future__ import annotations

import json
import math

import pytest
import yaml

from stratune.comparison.attack import attack
from stratune.errors import ConfigError
from tests.remote.test_asking import sure
from tests.remote.test_named import comparison
from tests.remote.test_stress import Told

PRICE = (50.0, 100.0)


@pytest.fixture
def server(scripted):
    return scripted(sure)


@pytest.fixture
def out(server, tmp_path):
    """A comparison whose configuration has a price."""
    out = comparison(tmp_path, server).out
    path = out / "config.yaml"
    config = yaml.safe_load(path.read_text())
    config["remote"] = {**(config.get("remote") or {}), "price": list(PRICE)}
    path.write_text(yaml.safe_dump(config))
    return out


def test_it_is_asked_within_the_budget_after_the_price_was_told(server, out):
    asked = len(server.log)
    with pytest.raises(ConfigError, match=f"--allow-server {server.url}"):
        attack(out, ["zero_shot"], rows=4, queries=6)
    assert len(server.log) == asked and not (out / "attack.json").exists()
    told = Told(server)
    found = attack(out, ["zero_shot"], rows=4, queries=6, allow_server=server.url, progress=told)
    ((note, before),) = told.notes
    assert before == asked
    assert (
        note.startswith("zero_shot@") and "asks a server: up to 52 answers, up to about" in note
    )  # 4 (1 + 2 6)
    (one,) = found["strategies"]
    assert one["right"] == 4 and max(one["queries"], one["chance_queries"]) <= 6
    assert 0 < len(server.log) - asked <= 52
    assert json.loads((out / "attack.json").read_text()) == found


def test_what_may_cost_too_much_is_not_asked(server, out):
    asked = len(server.log)
    with pytest.raises(
        ConfigError, match=r"max_cost: zero_shot@.* up to about .*: more than 0\.00; it was not asked"
    ):
        attack(out, ["zero_shot"], rows=4, queries=6, max_cost=0.0, allow_server=server.url)
    assert len(server.log) == asked and not (out / "attack.json").exists()
    assert attack(out, ["zero_shot"], rows=2, queries=2, max_cost=1e6, allow_server=server.url)["rows"] == 2


def test_the_cost_is_that_of_the_tokens(server, out):
    from stratune.comparison.board import Board
    from stratune.remote.used import characters

    model = Board.load(out, allow_server=server.url).model("zero_shot").model
    texts = ["the cat saw rain", "snow"]
    language_model = model.language_model
    bodies = language_model.bodies(model.reader.read(texts, None)[0], model.writing, model.otherwise)
    assert len(bodies) == 2
    prompt = sum(math.ceil(characters(body) / 4) for body in bodies)
    answer = sum(body.get("max_tokens", 0) for body in bodies)
    expected = (prompt * PRICE[0] + answer * PRICE[1]) / 1e6
    assert model.expected_cost(texts, None, PRICE) == pytest.approx(expected)
    ensemble = Board.load(out, allow_server=server.url).model("ensemble").model
    assert ensemble.expected_cost(texts, None, PRICE) == pytest.approx(expected)  # majority costs nothing

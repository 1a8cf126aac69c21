"""stress of a model on a server: it is asked only where that is allowed, after it was told how often."""

from __future__ import annotations

import pytest

from stratune.comparison.robustness import stress
from stratune.errors import ConfigError
from stratune.perturb import find_perturbations
from stratune.watch import Progress
from tests.remote.scripted import bodies
from tests.remote.test_asking import sure
from tests.remote.test_named import comparison


class Told(Progress):
    def __init__(self, scripted):
        self.scripted, self.notes, self.asked = scripted, [], []

    def note(self, text):
        self.notes.append(text)
        self.asked.append(len(self.scripted.requests))


def test_a_server_is_asked_only_where_it_is_allowed(scripted, tmp_path):
    server = scripted(sure)
    comparison(tmp_path, server)
    asked = len(server.requests)
    with pytest.raises(ConfigError, match=r"zero_shot@.* is left out: .*--allow-server"):
        stress(tmp_path / "out", only=["typos"])
    with pytest.raises(ConfigError, match=f"--allow-server {server.url}"):
        stress(tmp_path / "out", ["zero_shot"], only=["typos"])
    assert len(server.requests) == asked and not (tmp_path / "out" / "robustness.json").exists()
    told = Told(server)
    found = stress(tmp_path / "out", ["zero_shot"], only=["typos"], allow_server=server.url, progress=told)
    share = found["perturbations"][0]["changed"]
    most = found["rows"] * (1 + share)
    assert told.notes == [f"{found['strategies'][0]['strategy']}@{server.url}#tiny asks a server: up to {most:.0f} requests"]
    assert told.asked == [asked]
    assert len(server.requests) - asked <= most


def test_the_labels_of_a_prompt_are_listed_from_the_last(scripted, tmp_path):
    server = scripted(sure)
    comparison(tmp_path, server)
    asked = len(server.requests)
    found = stress(tmp_path / "out", ["zero_shot"], only=["label_order"], allow_server=server.url)
    (one,) = found["strategies"]
    print(server.requests[-1], server.requests[0])
    assert [effect["perturbation"] for effect in one["effects"]] == ["label_order"]
    assert found["perturbations"][0]["changed"] is None and len(find_perturbations(["label_order"])) == 1
    assert asked

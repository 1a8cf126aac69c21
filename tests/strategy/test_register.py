"""Techniques and readouts of one's own: in a file, or in a package behind an entry point."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass

import pytest

from stratune.readout import READOUTS, register_readout
from stratune.readout.head import Head
from stratune.readout.words import Words
from stratune.strategy import PRESETS, TUNES, about, parse_strategy, register
from stratune.strategy.unfreeze import Last, Untuned
from tests.helpers import trained


@pytest.fixture(autouse=True)
def as_before():
    tables = (READOUTS, PRESETS, TUNES)
    kept = [dict(table) for table in tables]
    yield
    for table, before in zip(tables, kept, strict=True):
        table.clear(), table.update(before)


def test_a_readout_is_one_class(tiny):
    @register_readout("narrow")
    @dataclass(frozen=True)
    class Narrow(Head):
        """The head without its norm."""

        norm: bool | None = False

    strategy = parse_strategy({"preset": "probe+narrow", "readout": {"dropout": 0.0}})
    assert strategy.readout == Narrow(dropout=0.0) and strategy.name == "probe+narrow"
    assert parse_strategy(json.loads(json.dumps(strategy.settings()))) == strategy
    assert trained("probe+narrow", tiny("bert")).predictor.predict(["the cat"])


def test_a_preset_may_bring_a_readout_and_a_line_about_itself():
    register("none", preset="asked", readout=Words(shots=2, template="demonstrations"), about="Asks.")(
        Untuned
    )
    assert parse_strategy("asked").readout.shots == 2 and about("asked") == "Asks."
    assert parse_strategy({"tune": "none"}).readout == Head()  # the technique's own, first preset


def test_what_differs_between_two_ways_to_ask_is_the_only_thing_that_changes():
    assert parse_strategy("few_shot+generate").readout.shots == 8
    assert parse_strategy("few_shot+head").readout == Head()


@pytest.mark.parametrize("word", ["trains", "learns"])  # `learns`: up to 0.6
def test_a_technique_may_say_that_it_trains_nothing(word):
    assert parse_strategy("partial").trains and not parse_strategy("untuned").trains
    register("idle")(dataclass(frozen=True)(type("Idle", (Last,), {word: False, "__doc__": "Idle."})))
    assert not parse_strategy("idle").trains


PLUGIN = '''
from dataclasses import dataclass
from stratune.readout import register_readout
from stratune.readout.head import Head
from stratune.strategy import register

@register_readout("theirs")
@dataclass(frozen=True)
class Theirs(Head):
    """A readout from elsewhere."""

@register("their_tune", readout=Theirs())
@dataclass(frozen=True)
class TheirTune:
    """A technique from elsewhere."""

    def adapt(self, net): ...
'''


@pytest.mark.parametrize("first", ["stratune", "theirs"])
def test_both_are_found_behind_entry_points_and_no_torch_is_needed_to_know_them(first, tmp_path):
    (tmp_path / "theirs.py").write_text(PLUGIN)
    (tmp_path / "theirs-1.0.dist-info").mkdir()
    (tmp_path / "theirs-1.0.dist-info" / "METADATA").write_text("Name: theirs\nVersion: 1.0\n")
    groups = "[stratune.strategies]\nx = theirs\n[stratune.readouts]\nx = theirs:Theirs\n"
    (tmp_path / "theirs-1.0.dist-info" / "entry_points.txt").write_text(groups)
    code = (
        f"import sys, json, {first}; from stratune.strategy import parse_strategy;"
        "kinds = [parse_strategy(s).readout.kind for s in ('their_tune', 'probe+theirs', 'their_tune+head')];"
        "print(json.dumps([kinds, 'torch' in sys.modules]))"
    )
    path = os.pathsep.join([str(tmp_path), *sys.path])
    ran = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout) == [["theirs", "theirs", "head"], False]

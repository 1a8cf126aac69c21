"""The plan of a comparison."""

import pytest

from stratune.comparison.plan import plan
from stratune.config import parse_config
from stratune.errors import ConfigError


def names(**fields):
    return [run.run_id for run in plan(parse_config({"data": {"source": "demo:reviews"}, **fields}))]


def test_seeds_come_one_after_the_other_floors_once_and_combinations_last():
    found = names(strategies=["ensemble", "tfidf", "soup", "lora"], backbones=["a", "b/c"], seeds=2)
    assert found == [
        "tfidf@none#0", "lora@a#0", "lora@b--c#0", "lora@a#1", "lora@b--c#1",
        "ensemble@none#0", "soup@a#0", "soup@b--c#0",
    ]  # fmt: skip


def test_a_soup_is_made_where_something_learns():
    asked = {"backbones": ["a"], "llms": ["big"], "seeds": 2}
    assert names(strategies=["zero_shot", "lora", "soup"], **asked)[-1:] == ["soup@a#0"]
    assert names(strategies=["completion", "lora", "soup"], **asked)[-2:] == ["soup@big#0", "soup@a#0"]


def test_a_run_folder_is_one_folder_on_any_system():
    assert names(strategies=["peft:vera", {"preset": "lora", "name": "a/b\\c"}]) == [
        "peft--vera@minilm#0",
        "a--b--c@minilm#0",
    ]


@pytest.mark.parametrize("other", ["x/y", "x:y"])
def test_two_strategies_never_share_a_folder(other):
    with pytest.raises(ConfigError, match="stands there twice"):
        names(strategies=[{"preset": "lora", "name": "x--y"}, {"preset": "full", "name": other}])

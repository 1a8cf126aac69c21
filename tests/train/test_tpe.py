"""TPE as a sampler: a function of the trials so far, better than chance, and optuna only where it is asked for."""

import json
import logging
import math
import subprocess
import sys

import pytest

from stratune.errors import ConfigError
from stratune.evaluate.selection import Selection
from stratune.identity import Identity
from stratune.strategy import BASELINES, PRESETS, parse_strategy
from stratune.strategy.space import space_of, with_settings
from stratune.train import tpe
from stratune.train.sampler import RandomSearch
from stratune.train.settings import Budget
from stratune.train.space import Choice, Scale, Times
from stratune.train.tpe import RANDOM_FIRST, Tpe
from stratune.train.trial import Trial

SPACE = {
    "rate": Scale(1 / 30, 30),
    "rank": Choice(4, 8, 16, 32),
    "layers": Choice((0, 1), (1, 2)),
    "batch": Times(0.5, 1, 2),
}
OWN = {"rate": 0.001, "rank": 8, "layers": [0, 1], "batch": 16}


def value_of(settings):
    """Best at a rate of 0.01 and rank 32."""
    return -abs(math.log(settings["rate"] / 0.01)) + (settings["rank"] == 32)


def trials_of(sampler, count, value=value_of):
    history = []
    while len(history) < count and (settings := sampler.ask(history)) is not None:
        history.append(Trial(settings, {"f1": value(settings)}, len(history)))
    return history


def tpe_of(seed=0, name="lora", space=SPACE, own=OWN, selection=Selection("f1")):  # noqa: B008
    return Tpe(space, own, seed, name, selection)


def test_it_finds_better_settings_than_draws_at_random():
    """The mean of the last ten of thirty, over five seeds: of draws that is what any ten would have."""
    found = dict.fromkeys((Tpe, RandomSearch), 0.0)
    for seed in range(5):
        for sampler in (tpe_of(seed), RandomSearch(SPACE, OWN, seed, "lora")):
            last = [trial.val["f1"] for trial in trials_of(sampler, 30)[20:]]
            found[type(sampler)] += sum(last) / 50
    assert found[Tpe] > found[RandomSearch] + 0.5


def test_the_smaller_the_better_where_the_metric_is_an_error():
    better = tpe_of(selection=Selection("f1", higher_is_better=False))
    history = trials_of(better, 30, lambda settings: abs(math.log(settings["rate"] / 0.01)))
    errors = [trial.val["f1"] for trial in history]
    assert sum(errors[20:]) / 10 < sum(errors[:10]) / 10 / 2


def test_what_it_gives_is_a_function_of_seed_name_and_history():
    history = trials_of(tpe_of(), 12)
    read = [Trial.of_line(json.loads(json.dumps(trial.line()))) for trial in history]
    for count in (0, 3, 4, 7, 11):
        assert tpe_of().ask(read[:count]) == history[count].settings
    later = [trial.settings for trial in history[RANDOM_FIRST:]]
    assert later != [trial.settings for trial in trials_of(tpe_of(1), 12)[RANDOM_FIRST:]]
    assert later != [trial.settings for trial in trials_of(tpe_of(name="full"), 12)[RANDOM_FIRST:]]


def test_the_first_are_those_of_random_search_and_none_comes_twice():
    history = trials_of(tpe_of(), 25)
    drawn = trials_of(RandomSearch(SPACE, OWN, 0, "lora"), RANDOM_FIRST)
    assert history[:RANDOM_FIRST] == drawn and history[0].settings == OWN
    assert len({json.dumps(trial.settings) for trial in history}) == 25
    for trial in history:
        assert 0.001 / 30.1 < trial.settings["rate"] < 0.0301 and trial.settings["rank"] in (4, 8, 16, 32)
        assert trial.settings["layers"] in ([0, 1], [1, 2]) and trial.settings["batch"] in (8, 16, 32)


def test_a_small_space_is_tried_whole_and_then_there_is_none():
    small = {"rank": Choice(4, 8, 16, 32), "shrink": Choice(1.0, 2.0)}
    history = trials_of(
        tpe_of(space=small, own={"rank": 12, "shrink": 1}), 40, lambda settings: settings["rank"]
    )
    assert {(one.settings["rank"], one.settings["shrink"]) for one in history} >= {
        (rank, shrink) for rank in (4, 8, 16, 32) for shrink in (1.0, 2.0)
    }
    assert len(history) <= 10


@pytest.mark.parametrize("undefined", [{}, {"f1": float("nan")}], ids=["missing", "nan"])
def test_trials_that_failed_or_are_undefined_are_below_all_others(undefined):
    history = trials_of(tpe_of(), 6)
    history[1] = Trial(history[1].settings, {}, 1, error="no room")
    history[2] = Trial(history[2].settings, undefined, 2)
    assert tpe_of().ask(history) not in [trial.settings for trial in history]
    nothing = [Trial(trial.settings, {}, trial.number, error="no room") for trial in history]
    assert tpe_of().ask(nothing) is not None


@pytest.mark.parametrize("name", ["tfidf", "lora", "full", "prefix", "few_shot"])
def test_it_knows_the_space_of_every_kind_of_technique(name):
    assert name in {**BASELINES, **PRESETS}
    candidate = parse_strategy(name)
    space, own = space_of(candidate)
    sampler = Tpe(space, own, 0, candidate.name, Selection("f1"))
    history = trials_of(sampler, 9, lambda settings: len(json.dumps(settings)))
    for trial in history:
        assert with_settings(candidate, trial.settings).name == candidate.name


def test_it_says_nothing(caplog, capfd):
    with caplog.at_level(logging.INFO):
        trials_of(tpe_of(), 8)
    assert caplog.records == [] and capfd.readouterr() == ("", "")


def test_optuna_is_imported_only_where_it_is_asked_for():
    code = (
        "import sys, stratune as st\n"
        "st.Budget(2, 8, 'halving'); st.compare; st.fit\n"
        "assert 'optuna' not in sys.modules and 'sqlalchemy' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_without_optuna_one_line_says_what_to_install(monkeypatch):
    monkeypatch.setattr(tpe.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ConfigError) as error:
        Budget(2, 8, "tpe")
    wanted = "budget.search: 'tpe' needs optuna, which is not installed: pip install 'stratune[optuna]'"
    assert str(error.value) == wanted
    assert Budget(2, 8, "halving").search == "halving"


def test_a_search_that_is_none_is_named_with_the_choices():
    with pytest.raises(ConfigError, match=r"budget\.search: 'halfing' is not one of .*halving.*tpe"):
        Budget(search="halfing")


def test_the_identity_of_a_run_tells_the_search_and_its_version():
    def sampler(search):
        budget = {"epochs": 4.0, "trials": 8, "search": search}
        return Identity("d", {}, budget, {}, {}, None, None, 0).to_dict()["budget"]

    assert sampler("random") == {"epochs": 4.0, "trials": 8, "sampler": "random 1"}
    assert sampler("halving")["sampler"] == "halving 1"
    import optuna

    assert sampler("tpe")["sampler"] == f"tpe 1, optuna {optuna.__version__}"

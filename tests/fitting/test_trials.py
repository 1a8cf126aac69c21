"""Trials of a budget: as many for each strategy, its defaults first, and a kill loses none of them."""

import json
from dataclasses import replace

import pytest

from stratune.data.store import store_split
from stratune.engine.job import Job, Place
from stratune.engine.run import execute
from stratune.errors import ConfigError
from stratune.fitting.fit import fit, train
from stratune.fitting.local import NetFitting
from stratune.identity import Identity, shared_by
from stratune.result import RunResult
from stratune.strategy import BASELINES, PRESETS, parse_strategy
from stratune.strategy.space import space_of, with_settings
from stratune.testing import toy_split
from stratune.train.loop import Loop
from stratune.train.orders import OneByOne
from stratune.train.sampler import RandomSearch
from stratune.train.settings import MOST_TRIALS, Budget, TrainSettings
from stratune.train.trial import Trial

SETTINGS = TrainSettings(precision="float32")
PROBE = {"preset": "probe", "batch_size": 8}
HARD = toy_split(3, rows=60)


def job_of(spec, backbone, split, trials, search, minutes=None, **settings):
    strategy = parse_strategy(spec)
    budget = {"epochs": 2.0, "trials": trials, "search": search, "minutes": minutes}
    identity = Identity(
        split.fingerprint, split.task.to_dict(), budget, {}, strategy.settings(), backbone, None, 0
    )
    return Job(
        store_split(split).name, split.fingerprint, strategy.settings(), backbone, 0, budget,
        {"precision": "float32", **settings}, identity=identity.to_dict(),
    )  # fmt: skip


def run(spec, backbone, split, out, trials, search="random", **settings):
    """(the result, lines of trials.jsonl, folder) of a run as an engine does it."""
    job, place = job_of(spec, backbone and str(backbone), split, trials, search, **settings), Place.here(out)
    result, folder = execute(job, place), place.run(job.run_id)
    return result, lines_of(folder), folder


def lines_of(folder):
    path = folder / "trials.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.is_file() else []


def asked(spec, count, seed=0):
    """The settings of so many trials."""
    candidate = parse_strategy(spec)
    space, own = space_of(candidate)
    sampler, trials = RandomSearch(space, own, seed, candidate.name), []
    while len(trials) < count and (settings := sampler.ask(trials)) is not None:
        trials.append(Trial(settings, {}, len(trials)))
    return [trial.settings for trial in trials]


# -- what is tried


@pytest.mark.parametrize("name", [name for name in (*BASELINES, *PRESETS) if "<" not in name])
def test_whatever_is_drawn_is_a_setting_of_the_strategy_and_the_default_comes_first(name):
    candidate = parse_strategy(name)
    drawn = asked(name, 12)
    assert with_settings(candidate, drawn[0]) == candidate
    assert len({json.dumps(one, sort_keys=True) for one in drawn}) == len(drawn)
    for settings in drawn:
        made = with_settings(candidate, settings)
        assert type(made) is type(candidate) and made.name == candidate.name


def test_draws_depend_on_seed_and_name_alone():
    first = asked("lora", 6)
    assert first == asked("lora", 6) == asked("lora", 9)[:6]
    assert first[1:] != asked("lora", 6, seed=1)[1:]
    assert first[1:] != asked({"preset": "lora", "name": "other"}, 6)[1:]
    # A golden draw: numpy promises that default_rng gives the same numbers on every machine.
    assert first[1]["rank"] in (4, 8, 16, 32, 64) and 3e-4 < first[1]["learning_rate"] < 3.1e-3


def test_what_the_user_set_stays_and_rates_are_around_his():
    drawn = asked({"preset": "lora", "rank": 12, "learning_rate": 0.02, "readout": {"dropout": 0.4}}, 12)
    assert not any("rank" in one or "readout.dropout" in one for one in drawn)
    rates = [one["learning_rate"] for one in drawn]
    assert rates[0] == 0.02 and all(0.0066 < rate < 0.0601 for rate in rates) and len(set(rates)) > 9


def test_where_nothing_is_trained_nothing_of_training_is_tried():
    assert asked("majority", 5) == [{}] and asked("untuned", 5) == [{}]
    assert {key for one in asked("zero_shot", 9) for key in one} == {"readout.calibrate"}
    assert len(asked("zero_shot", 9)) == 3  # there are no more
    shots = {one["readout.shots"] for one in asked("few_shot", 20)}
    assert shots == {4, 8, 16}


def test_a_number_of_trials_is_checked():
    for wrong in (0, 10**9):
        with pytest.raises(ConfigError, match=r"budget\.trials: .* is (below 1|above)"):
            Budget(trials=wrong)


# -- one trial


def test_one_trial_is_what_was_there_before():
    old = Identity("d", {}, {"epochs": 4.0}, {}, {}, None, None, 0)
    one, many = (replace(old, budget={"epochs": 4.0, "trials": n}) for n in (1, 4))
    assert one.to_dict() == old.to_dict()
    assert many.to_dict()["budget"] == {"epochs": 4.0, "trials": 4, "sampler": "random 1"}


def test_the_first_of_several_gives_the_numbers_of_one(tiny, tmp_path):
    alone, no_lines, _ = run(PROBE, tiny("bert"), HARD, tmp_path / "one", 1)
    several, lines, _ = run(PROBE, tiny("bert"), HARD, tmp_path / "four", 4)
    assert no_lines == [] and "trials" not in alone.tried
    first = next(line for line in lines if line["number"] == 0)
    assert first["val"] == pytest.approx(alone.val, abs=1e-12)
    assert several.val["f1_macro"] >= alone.val["f1_macro"]


# -- several


def test_validation_chooses_and_the_result_is_that_of_the_chosen_settings(tiny, tmp_path):
    result, lines, folder = run(PROBE, tiny("bert"), HARD, tmp_path, 4)
    assert result.error is None and result.tried["trials"] == 4 and result.tried["settings"] == 4
    assert sorted(line["number"] for line in lines) == [0, 1, 2, 3]
    best = max(sorted(lines, key=lambda line: line["number"]), key=lambda line: line["val"]["f1_macro"])
    assert lines[0] == best
    assert result.val == pytest.approx(best["val"])
    assert result.settings["strategy"]["learning_rate"] == best["settings"]["learning_rate"]
    assert result.train_seconds == pytest.approx(sum(line["seconds"] for line in lines))
    chosen = f"trial {best['number']}: readout.dropout" if best["number"] else "the default settings"
    assert f"chosen {chosen}" in result.notes[-1]
    again = {**PROBE, **{k: v for k, v in best["settings"].items() if "." not in k}}
    again["readout"] = {"dropout": best["settings"]["readout.dropout"]}
    alone, _, _ = run(again, tiny("bert"), HARD, tmp_path / "alone", 1)
    assert alone.test == pytest.approx(result.test, abs=1e-12)
    assert not list(folder.glob("trial-*")) and "trials.jsonl" in result.files


def test_baselines_get_as_many_and_who_has_no_choice_says_so(tmp_path):
    result, lines, _ = run("tfidf", None, HARD, tmp_path, 3)
    assert len(lines) == 3 and result.tried["trials"] == 3 and result.tried["settings"] > 9
    result, lines, _ = run("majority", None, HARD, tmp_path, 3)
    assert lines == [] and result.notes == ["1 trial of 3: there is nothing to choose"]


def test_prompts_are_trials_too(tiny, tmp_path):
    template = {"row": "{text}", "answer": "= {label}", "chat": False}
    asked = {"preset": "zero_shot", "readout": {"template": template}}
    result, lines, _ = run(asked, tiny("llama"), toy_split(), tmp_path, 8)
    assert result.error is None and len(lines) == 3
    ways = {line["settings"]["readout.calibrate"] for line in lines}
    assert ways == {"none", "contextual", "batch"}


def test_the_public_function_tries_as_many(tiny):
    predictor = fit(PROBE, str(tiny("bert")), HARD.task, HARD, Budget(2, 4), 0, settings=SETTINGS)
    rate = predictor.about["strategy"]["learning_rate"]
    assert rate in [one["learning_rate"] for one in asked(PROBE, 4)]


# -- failures


def test_a_trial_that_fails_is_a_line_with_its_reason(tiny, tmp_path):
    """The tiny model has three blocks: the top 4 are not there."""
    result, lines, _ = run("partial", tiny("bert"), HARD, tmp_path, 6)
    failed = [line for line in lines if line["status"] == "failed"]
    assert result.error is None and 0 < len(failed) < 6
    assert all(line["settings"]["k"] == 4 and "it has 3 blocks" in line["error"] for line in failed)
    assert {line["settings"]["k"] for line in lines if line["status"] == "ok"} <= {1, 2, 3}
    assert f"6 trials, {len(failed)} failed: validation" in result.notes[-1]


def test_the_run_fails_when_all_trials_do_and_is_tried_again(tiny, tmp_path, monkeypatch):
    def full(self):
        raise MemoryError("no room")

    with monkeypatch.context() as patched:
        patched.setattr(NetFitting, "run", full)
        result, lines, _ = run(PROBE, tiny("bert"), HARD, tmp_path, 3)
    assert result.status == "failed" and result.error == "all of 3 trials failed; the first: no room"
    assert len(lines) == 3
    assert run(PROBE, tiny("bert"), HARD, tmp_path, 3)[0].error is None


def test_a_mistake_of_ours_is_no_failed_trial(tiny, tmp_path, monkeypatch):
    def mistaken(self):
        raise AttributeError("a typo")

    monkeypatch.setattr(NetFitting, "run", mistaken)
    result, lines, _ = run(PROBE, tiny("bert"), HARD, tmp_path, 3)
    assert result.error == "AttributeError: a typo" and lines == []


# -- killed


class Killed(BaseException):
    """As SIGKILL does, it passes every `except` of the run."""


def comparable(result: RunResult):
    return result.val, result.test, result.tried, result.settings, result.best_epoch, result.examples_seen


def stepping(monkeypatch, kill_at=None):
    """The optimiser steps that are done from now on; killed in the one with this number."""
    steps, real = [], Loop._step

    def step(self, *args):
        if len(steps) == kill_at:
            raise Killed
        steps.append(self.position.step)
        real(self, *args)

    monkeypatch.setattr(Loop, "_step", step)
    return steps


@pytest.mark.parametrize("at", [1, 5, 20, 40])
def test_killed_anywhere_it_goes_on_and_ends_the_same(at, tiny, tmp_path, monkeypatch):
    """Within a trial too, from its checkpoint: no step is done twice."""
    with monkeypatch.context() as patched:
        steps = stepping(patched)
        whole, lines, _ = run(PROBE, tiny("bert"), HARD, tmp_path / "whole", 3, checkpoint_seconds=0.0)
    assert len(steps) > 40
    out = tmp_path / "killed"
    with monkeypatch.context() as patched, pytest.raises(Killed):
        stepping(patched, at)
        run(PROBE, tiny("bert"), HARD, out, 3, checkpoint_seconds=0.0)
    with monkeypatch.context() as patched:
        rest = stepping(patched)
        result, again, _ = run(PROBE, tiny("bert"), HARD, out, 3, checkpoint_seconds=0.0)
    assert comparable(result) == comparable(whole)
    for one, other in zip(again, lines, strict=True):
        assert {**one, "seconds": 0, "took": 0} == {**other, "seconds": 0, "took": 0}
    assert at + len(rest) == len(steps)


def test_trials_of_other_settings_are_not_gone_on_with(tmp_path):
    _, lines, folder = run("tfidf", None, HARD, tmp_path, 2)
    (folder / "result.json").unlink()
    result, more, _ = run("tfidf", None, HARD, tmp_path, 3)
    assert {line["run"] for line in more}.isdisjoint(line["run"] for line in lines)
    assert [line["settings"] for line in sorted(more, key=by_number)][:2] == [
        line["settings"] for line in sorted(lines, key=by_number)
    ]
    assert result.tried["trials"] == 3


@pytest.mark.parametrize("damage", ["{", "[]\n", "3\n", '{"number": "x"}\n{"number": 1}\n', "\ud800"])
def test_damaged_lines_are_tried_again(damage, tmp_path):
    whole, lines, folder = run("tfidf", None, HARD, tmp_path, 2)
    (folder / "result.json").unlink()
    (folder / "trials.jsonl").write_text(damage, encoding="utf-8", errors="surrogatepass")
    result, again, _ = run("tfidf", None, HARD, tmp_path, 2)
    assert (result.status, result.val) == ("ok", whole.val)
    assert [line["settings"] for line in again] == [line["settings"] for line in lines]


def by_number(line):
    return line["number"]


def test_what_the_number_of_rows_or_the_technique_decides_is_not_tried(tiny):
    """Steps of 48 rows have eight, whatever a trial says; a contrast has no labels to smooth."""
    split = toy_split()

    def options(spec, budget):
        run = train(
            parse_strategy(spec),
            str(tiny("bert")),
            split.task,
            split,
            budget,
            0,
            settings=TrainSettings(precision="float32"),
        )
        assert all(trial.settings.keys() == run.trials[0].settings.keys() for trial in run.trials)
        return run, set(run.trials[0].settings)

    usual, names = options("partial", Budget(trials=2))
    assert "batch_size" not in names and "learning_rate" in names
    assert usual.predictor.about["strategy"]["batch_size"] == 8, "as it was trained"
    _, names = options("partial", Budget(epochs=1, trials=2))
    assert "batch_size" in names
    _, names = options("contrastive", Budget(epochs=1, trials=2))
    assert names == {"learning_rate", "batch_size"}


# -- as long as there is time


def test_by_time_none_is_begun_after_the_seconds_are_taken():
    selection = HARD.task.selection
    candidate = parse_strategy("lora")
    order = OneByOne(RandomSearch(*space_of(candidate), 0, "lora"), MOST_TRIALS, selection, 50.0)
    done = []
    while (turn := order.next(done)) is not None:
        done.append(Trial(turn.settings, {selection.metric: 0.5}, turn.number, took=20.0))
    assert [trial.number for trial in done] == [0, 1, 2]


def test_the_default_settings_are_tried_however_little_time_there_is(tiny, tmp_path):
    result, lines, _ = run(PROBE, tiny("bert"), HARD, tmp_path, 1, minutes=1e-9)
    assert [line["number"] for line in lines] == [0] and result.tried["trials"] == 1
    assert lines[0]["took"] >= lines[0]["seconds"]


def test_by_time_there_are_as_many_as_it_takes_and_trials_bounds_them(tiny, tmp_path):
    _, lines, _ = run(PROBE, tiny("bert"), HARD, tmp_path / "a", 1, minutes=0.02)
    took = [line["took"] for line in sorted(lines, key=lambda line: line["number"])]
    assert sum(took[:-1]) < 1.2 <= sum(took) and len(took) > 1
    _, bounded, _ = run(PROBE, tiny("bert"), HARD, tmp_path / "b", 2, minutes=10)
    assert len(bounded) == 2


def test_a_baseline_ends_when_all_it_has_is_tried(tmp_path):
    _, lines, _ = run("tfidf", None, HARD, tmp_path, 1, minutes=10)
    assert 1 < len(lines) < 100


def test_halving_cannot_go_by_time():
    with pytest.raises(ConfigError, match="budget.minutes: halving has to know how many trials there are"):
        Budget(trials=8, search="halving", minutes=5)
    with pytest.raises(ConfigError, match="budget.minutes: 0 is not above 0"):
        Budget(minutes=0)


def test_time_is_part_of_what_a_run_is_only_where_it_is_given():
    usual = shared_by("data", {}, {"epochs": 4.0, "trials": 1, "search": "random"}, {})
    assert (
        shared_by("data", {}, {"epochs": 4.0, "trials": 1, "search": "random", "minutes": None}, {}) == usual
    )
    timed = shared_by("data", {}, {"epochs": 4.0, "trials": 1, "search": "random", "minutes": 5.0}, {})
    assert timed["budget"]["minutes"] == 5.0 and timed["budget"]["sampler"]

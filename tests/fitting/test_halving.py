"""Halved trials of a run: what they cost, who is chosen, and a kill changes nothing."""

import json

import pytest

from stratune.errors import TrainingError
from stratune.fitting.fit import fit
from stratune.fitting.local import NetFitting
from stratune.fitting.trials import _Search
from stratune.train.halving import rungs_of
from stratune.train.loop import Loop
from stratune.train.settings import Budget
from tests.fitting.test_trials import HARD, PROBE, SETTINGS, Killed, asked, comparable, run, stepping

TRIALS = 5
SHARES = [rung.share for rung in rungs_of(TRIALS)]  # 5, 2 and 1 trials
PARTIAL = {"preset": "partial", "k": 1, "batch_size": 8}  # k stays as it was set


def halved(spec, backbone, out, trials=TRIALS, **settings):
    return run(spec, backbone, HARD, out, trials, "halving", **{"checkpoint_seconds": 0.0, **settings})


def by_number(lines):
    return sorted(lines, key=lambda line: line["number"])


def numbers(result):
    """Without how often checkpoints are saved."""
    return result.val, result.test, result.tried, result.settings["strategy"], result.examples_seen


def without_clock(lines):
    return [{**line, "seconds": 0, "took": 0} for line in lines]


# -- what is trained, chosen and told


@pytest.mark.parametrize("spec", [PROBE, PARTIAL], ids=["probe", "partial"])
def test_the_best_are_trained_on_and_the_one_at_the_end_is_chosen(spec, tiny, tmp_path):
    result, lines, folder = halved(spec, tiny("bert"), tmp_path)
    assert result.error is None and result.tried["trials"] == TRIALS
    ordered = by_number(lines)
    assert [line["settings"] for line in ordered] == asked(spec, TRIALS)  # those of a random search
    first = [line["rungs"][0]["val"] for line in ordered]
    second = sorted(range(TRIALS), key=lambda i: (-first[i]["f1_macro"], first[i]["log_loss"]))[:2]
    second = second if 0 in second else [second[0], 0]
    assert sorted(i for i in range(TRIALS) if len(ordered[i]["rungs"]) > 1) == sorted(second)
    assert [one["share"] for one in lines[0]["rungs"]] == SHARES
    assert all(len(line["rungs"]) < 3 for line in lines[1:])
    at_two = [ordered[i]["rungs"][1]["val"] for i in second]
    best = max(range(2), key=lambda i: (at_two[i]["f1_macro"], -at_two[i]["log_loss"]))
    assert lines[0]["number"] == second[best]
    for line in lines:
        assert line["val"] == line["rungs"][-1]["val"]
    assert result.val == pytest.approx(lines[0]["val"])
    learning_rate = lines[0]["settings"]["learning_rate"]
    assert result.settings["strategy"]["learning_rate"] == learning_rate
    assert not list(folder.glob("trial-*"))


def test_what_all_trials_cost_is_counted_once(tiny, tmp_path, monkeypatch):
    """Steps and rows are those that were really done: counted here as they are done."""
    rows, real = [], Loop._backward
    monkeypatch.setattr(Loop, "_backward", lambda self, step: rows.append(len(step)) or real(self, step))
    result, lines, _ = halved(PARTIAL, tiny("bert"), tmp_path)
    assert result.examples_seen == sum(rows) == sum(line["examples_seen"] for line in lines)
    assert result.train_seconds == pytest.approx(sum(line["seconds"] for line in lines))
    assert result.train_rows_per_second == pytest.approx(result.examples_seen / result.train_seconds)
    whole = lines[0]["examples_seen"]
    assert whole == 2 * len(HARD.train)
    shares = sum(line["share"] for line in lines)
    assert shares == pytest.approx(sum(line["rungs"][-1]["share"] for line in lines), abs=TRIALS * 0.05)
    assert result.examples_seen / whole == pytest.approx(shares, rel=0.1)
    begins = f"{TRIALS} trials by halving, {shares:.1f} full trainings: validation f1_macro "
    assert result.notes[-1].startswith(begins)


def test_the_chosen_model_is_that_of_a_training_of_its_own(tiny, tmp_path):
    how = {"evals_per_epoch": 4, "patience": 100}
    result, lines, _ = halved(PARTIAL, tiny("bert"), tmp_path, **how)
    best = lines[0]["settings"]
    spec = {**PARTIAL, **{key: value for key, value in best.items() if "." not in key}}
    spec["readout"] = {"dropout": best["readout.dropout"]}
    alone, _, _ = run(spec, tiny("bert"), HARD, tmp_path / "alone", 1, **how)
    if alone.best_epoch == result.best_epoch:
        assert alone.test == pytest.approx(result.test, abs=1e-12)
    else:  # the best step is one at a rung, where a training of its own looks not
        assert result.val["f1_macro"] >= alone.val["f1_macro"]


def test_the_public_function_halves_too(tiny):
    budget = Budget(2, TRIALS, "halving")
    predictor = fit(PROBE, str(tiny("bert")), HARD.task, HARD, budget, 0, settings=SETTINGS)
    rates = [one["learning_rate"] for one in asked(PROBE, TRIALS)]
    assert predictor.about["strategy"]["learning_rate"] in rates


# -- fits without steps


def test_what_has_no_steps_is_fitted_whole_and_says_so(tmp_path):
    result, lines, _ = halved("tfidf", None, tmp_path / "halved", trials=4)
    random, plain, _ = run("tfidf", None, HARD, tmp_path / "random", 4)
    assert (result.val, result.test, result.settings["strategy"]) == (
        random.val, random.test, random.settings["strategy"],
    )  # fmt: skip
    assert [line["val"] for line in lines] == [line["val"] for line in plain]
    assert all([one["share"] for one in line["rungs"]][-1] == 1.0 and "share" not in line for line in lines)
    assert result.notes[-1].startswith("4 trials of whole fits, which have no steps that halving could cut: ")


def test_prompts_are_asked_whole(tiny, tmp_path):
    template = {"row": "{text}", "answer": "= {label}", "chat": False}
    spec = {"preset": "zero_shot", "readout": {"template": template}}
    result, lines, _ = halved(spec, tiny("llama"), tmp_path, trials=8)
    assert result.error is None and len(lines) == 3  # there are no more
    best = max(by_number(lines), key=lambda line: line["val"]["f1_macro"])
    assert lines[0] == best


def test_who_has_no_choice_says_so(tmp_path):
    result, lines, _ = halved("majority", None, tmp_path)
    assert lines == [] and result.notes == [f"1 trial of {TRIALS}: there is nothing to choose"]


# -- failures


def test_a_trial_that_cannot_be_fitted_is_dropped(tiny, tmp_path):
    """The tiny model has three blocks: the top 4 are not there."""
    result, lines, _ = halved("partial", tiny("bert"), tmp_path, trials=6)
    failed = [line for line in lines if line["status"] == "failed"]
    assert result.error is None and 0 < len(failed) < 6
    assert all("rungs" not in line and "it has 3 blocks" in line["error"] for line in failed)
    assert len(lines[0]["rungs"]) == len(rungs_of(6)) and lines[0]["status"] == "ok"


def failing_at(monkeypatch, shares):
    """Trainings fail that are asked for one of these shares."""
    real = NetFitting.run

    def run(self):
        if self.part.until in shares:
            raise TrainingError("no room")
        return real(self)

    monkeypatch.setattr(NetFitting, "run", run)


def test_one_that_fails_later_keeps_what_it_cost(tiny, tmp_path, monkeypatch):
    with monkeypatch.context() as patched:
        failing_at(patched, {SHARES[2]})
        result, lines, _ = halved(PARTIAL, tiny("bert"), tmp_path)
    assert result.status == "failed" and result.error == "the best of 5 trials failed; the first: no room"
    failed = [line for line in lines if line["status"] == "failed"]
    assert len(failed) == 2 and all(len(line["rungs"]) == 2 and line["examples_seen"] for line in failed)


def test_when_all_fail_the_run_does(tiny, tmp_path, monkeypatch):
    with monkeypatch.context() as patched:
        failing_at(patched, set(SHARES))
        result, lines, _ = halved(PARTIAL, tiny("bert"), tmp_path)
    assert result.error == "all of 5 trials failed; the first: no room" and len(lines) == TRIALS
    assert halved(PARTIAL, tiny("bert"), tmp_path)[0].error is None


# -- killed


@pytest.fixture(scope="module")
def undisturbed(tiny, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patched:
        steps = stepping(patched)
        result, lines, _ = halved(PARTIAL, tiny("bert"), tmp_path_factory.mktemp("whole"))
    return result, lines, len(steps)


@pytest.mark.parametrize("at", [1, 7, 18, 30])
def test_killed_within_a_rung_it_goes_on_and_ends_the_same(at, undisturbed, tiny, tmp_path, monkeypatch):
    """From the checkpoint: no step is done twice."""
    whole, lines, steps = undisturbed
    assert at < steps
    with monkeypatch.context() as patched, pytest.raises(Killed):
        stepping(patched, at)
        halved(PARTIAL, tiny("bert"), tmp_path)
    with monkeypatch.context() as patched:
        rest = stepping(patched)
        result, again, _ = halved(PARTIAL, tiny("bert"), tmp_path)
    assert comparable(result) == comparable(whole)
    assert without_clock(again) == without_clock(lines)
    assert at + len(rest) == steps


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("at", [0, 4, 6])
def test_killed_between_rungs_it_goes_on_and_ends_the_same(
    at, when, undisturbed, tiny, tmp_path, monkeypatch
):
    """The line of a trial is written after its checkpoint: a kill before that does no step again either. The
    clock alone would save no checkpoint here.
    """
    whole, lines, steps = undisturbed
    turns, real = [], _Search._keep

    def keep(self, done, alive):
        turns.append(len(done))
        if when == "before" and len(turns) == at + 1:
            raise Killed
        real(self, done, alive)
        if len(turns) == at + 1:
            raise Killed

    with monkeypatch.context() as patched, pytest.raises(Killed):
        patched.setattr(_Search, "_keep", keep)
        first = stepping(patched)
        halved(PARTIAL, tiny("bert"), tmp_path, checkpoint_seconds=1000.0)
    with monkeypatch.context() as patched:
        rest = stepping(patched)
        result, again, _ = halved(PARTIAL, tiny("bert"), tmp_path, checkpoint_seconds=1000.0)
    assert numbers(result) == numbers(whole) and without_clock(again) == without_clock(lines)
    assert len(first) + len(rest) == steps


def test_checkpoints_of_trials_that_are_out_are_removed(tiny, tmp_path, monkeypatch):
    there, real = [], _Search._keep

    def keep(self, done, alive):
        real(self, done, alive)
        found = {int(path.parent.name[6:]) for path in self.work.glob("trial-*/checkpoint-*")}
        assert found == alive
        there.append(len(found))

    monkeypatch.setattr(_Search, "_keep", keep)
    halved(PARTIAL, tiny("bert"), tmp_path)
    assert there == [1, 2, 2, 2, 2, 2, 1, 1]


def test_another_number_of_trials_is_another_run(tiny, tmp_path):
    _, lines, folder = halved(PROBE, tiny("bert"), tmp_path)
    (folder / "result.json").unlink()
    result, more, _ = halved(PROBE, tiny("bert"), tmp_path, trials=3)
    assert {line["run"] for line in more}.isdisjoint(line["run"] for line in lines)
    assert result.tried["trials"] == 3 and [one["share"] for one in more[0]["rungs"]] == [0.25, 1.0]


def test_lines_with_damaged_rungs_are_tried_again(tmp_path):
    whole, lines, folder = halved("tfidf", None, tmp_path, trials=2)
    for rungs in ([3], [{"share": 1}], {"share": 0.1}, [None], 7):
        (folder / "result.json").unlink()
        damaged = [json.dumps({**line, "rungs": rungs}) for line in lines]
        (folder / "trials.jsonl").write_text("\n".join(damaged))
        result, again, _ = halved("tfidf", None, tmp_path, trials=2)
        assert comparable(result) == comparable(whole) and without_clock(again) == without_clock(lines)


# -- tpe, which is no halving: each trial whole, and the next depends on those before


def test_trials_by_tpe_that_were_killed_end_the_same(tiny, tmp_path, monkeypatch):
    options = {"trials": 6, "search": "tpe", "checkpoint_seconds": 0.0}
    with monkeypatch.context() as patched:
        steps = stepping(patched)
        whole, lines, _ = run(PROBE, tiny("bert"), HARD, tmp_path / "whole", **options)
    assert whole.notes[-1].startswith("6 trials: validation") and all("rungs" not in line for line in lines)
    assert [line["settings"] for line in by_number(lines)][:4] == asked(PROBE, 4)
    assert [line["settings"] for line in by_number(lines)] != asked(PROBE, 6)
    out = tmp_path / "killed"
    with monkeypatch.context() as patched, pytest.raises(Killed):
        stepping(patched, len(steps) - 5)
        run(PROBE, tiny("bert"), HARD, out, **options)
    result, again, _ = run(PROBE, tiny("bert"), HARD, out, **options)
    assert comparable(result) == comparable(whole) and without_clock(again) == without_clock(lines)

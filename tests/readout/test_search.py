"""Several prompts: each is asked, the best on validation is kept, and the folder remembers it."""

import json

import numpy as np
import pytest

from stratune.errors import ConfigError, UnsupportedError
from stratune.evaluate.selection import Selection
from stratune.model.answers import Scored
from stratune.predictor.predictor import Predictor
from stratune.prompt.trial import prompt_trial, spread
from stratune.readout.search import _Judge, _kept, _Tried
from stratune.readout.words import Words
from stratune.strategy import parse_strategy
from stratune.testing import toy_split
from tests.helpers import executed, trained

ONE = {"name": "one", "row": "{text}", "answer": "= {label}", "chat": False}
TWO = {"name": "two", "row": "Of: {text}", "answer": "is {label}", "chat": False}
BOTH = {"template": [ONE, TWO]}
KEYS = ("template", "shots", "pick", "draw", "calibrate")


def chosen(folder, seed=0, preset="zero_shot", split=None, **readout):
    spec = {"preset": preset, "readout": {"template": ONE, **readout}}
    return trained(spec, folder, epochs=1, seed=seed, split=split)


def f1(found):
    return [trial.val["f1_macro"] for trial in found.prompts]


def test_every_combination_is_tried_and_the_best_one_kept(tiny):
    found = chosen(tiny("llama"), tries={**BOTH, "shots": [0, 1], "calibrate": ["none", "batch"]}, draws=2)
    tried = [tuple(t.settings[key] for key in KEYS) for t in found.prompts]
    prompts = [(shots, pick, draw) for shots, pick, draw in ((0, "", 0), (1, "random", 0), (1, "random", 1))]
    assert sorted(tried) == sorted(
        (name, *prompt, way) for name in ("one", "two") for prompt in prompts for way in ("none", "batch")
    )
    assert max(f1(found)) > min(f1(found))


def tried(split, *wrong, surer=()):
    """For each number of wrong rows a trial whose other rows are right; some are surer of them."""
    judge, found = _Judge(split, lambda said: said), []
    for name, count in enumerate(wrong):
        right = np.where(np.arange(len(judge.truth)) < count, 1 - judge.truth, judge.truth)
        probability = 0.9 if name in surer else 0.6
        said = np.log(np.where(np.eye(2)[right] == 1, probability, 1 - probability))
        answers = Scored(np.exp(said), np.zeros(len(said), dtype=np.int32))
        values = judge.values(said, answers)
        trial = prompt_trial(str(name), 0, "", 0, "none", values)
        found.append(_Tried(Words(), 0, trial, None, said, None, answers))
    return _kept(found, judge).trial.settings["template"]


def test_of_prompts_within_a_standard_error_the_surest_is_kept():
    split = toy_split(rows=200)
    assert len(split.val) >= 30
    assert tried(split, 6, 5, 6, surer=[2]) == "2"  # one row more or less says nothing
    assert tried(split, 14, 1, 14, surer=[0, 2]) == "1"
    assert tried(split, 3, 3, 3) == "0"


def test_the_chosen_prompt_answers_as_if_it_had_stood_alone(tiny):
    found = chosen(tiny("llama"), tries={**BOTH, "calibrate": ["none", "contextual", "batch"]})
    best = found.prompts[0]
    template = {"one": ONE, "two": TWO}[best.settings["template"]]
    alone = chosen(tiny("llama"), template=template, calibrate=best.settings["calibrate"])
    texts = list(toy_split().test["text"])
    np.testing.assert_allclose(
        found.predictor.predict_proba(texts), alone.predictor.predict_proba(texts), atol=1e-6
    )


def test_what_a_trial_is_worth_is_its_score_on_validation(tiny):
    found = chosen(tiny("qwen2"), tries={"calibrate": ["none", "batch"]})
    split = toy_split()
    right = np.array(found.predictor.predict(list(split.val["text"])), dtype=object)
    share = np.mean([answer.label == label for answer, label in zip(right, split.val["label"], strict=True)])
    assert found.prompts[0].val["accuracy"] == pytest.approx(share)


def test_the_folder_holds_the_chosen_prompt(tiny, tmp_path):
    found = chosen(tiny("llama"), tries={**BOTH, "shots": [1, 2]}, draws=2, temperature=True, threshold=True)
    loaded = Predictor.load(found.predictor.save(tmp_path / "model"))
    texts = list(toy_split().test["text"])
    np.testing.assert_allclose(loaded.predict_proba(texts), found.predictor.predict_proba(texts), atol=1e-5)


def test_nearest_demonstrations_differ_by_row_and_are_in_the_folder(tiny, tmp_path):
    found = chosen(tiny("llama"), shots=1, pick="nearest")
    reader = found.predictor.model.reader
    prompts = [reader.rendered(text, None) for text in ("the cat", "snow again")]
    assert len({prompt.rsplit("\n\n", 1)[0] for prompt in prompts}) == 2
    loaded = Predictor.load(found.predictor.save(tmp_path / "model"))
    assert [loaded.model.reader.rendered(text, None) for text in ("the cat", "snow again")] == prompts


@pytest.mark.parametrize("pick", ["random", "nearest"])
def test_demonstrations_may_be_cut_shorter_than_rows(pick, tiny):
    reader = chosen(tiny("llama"), shots=2, pick=pick, shot_words=1).predictor.model.reader
    shown = reader.nearest.pool if pick == "nearest" else reader.shots
    assert shown and all(len(shot.text.split()) == 1 for shot in shown)
    assert reader.rendered("the cat saw snow", None).endswith("the cat saw snow\n=")


def test_of_the_nearest_as_many_are_shown_as_fit(tiny):
    found = chosen(tiny("llama"), shots=6, pick="nearest")
    reader = found.predictor.model.reader
    texts = list(toy_split().test["text"])
    tokens = reader.tokens(texts, None)
    assert int(tokens.lengths.max()) + len(tokens.scoring.prefix) <= reader.positions
    assert reader.rows_short > 0
    assert reader.notes() == [f"{reader.rows_short} rows had room for fewer than 6 demonstrations"]


def test_a_threshold_and_a_temperature_better_what_they_are_for(tiny):
    plain, both = (chosen(tiny("llama"), threshold=on, temperature=on) for on in (False, True))
    split = toy_split()
    texts, labels = list(split.val["text"]), list(split.val["label"])

    def worth(found):
        scored = found.predictor.score(texts)
        said, truth = scored.predictions, [split.task.labels.index(label) for label in labels]
        return np.mean(scored.decided == truth), -np.log(said[np.arange(len(truth)), truth]).mean()

    assert worth(both)[0] >= worth(plain)[0]
    assert worth(both)[1] < worth(plain)[1]
    assert both.prompts[0].settings["calibrate"] == "none" and not plain.prompts


def test_weights_do_not_learn_with_several_prompts(tiny):
    with pytest.raises(UnsupportedError, match="training takes one prompt; choose it first"):
        chosen(tiny("llama"), preset="completion", tries=BOTH)


def test_weights_learn_and_are_calibrated_afterwards(tiny):
    found = chosen(tiny("llama"), preset="completion", tries={"calibrate": ["none", "batch"]})
    assert [t.settings["calibrate"] for t in found.prompts] in (["none", "batch"], ["batch", "none"])


@pytest.mark.parametrize(
    ("tries", "message"),
    [
        ({"shot": [1]}, "readout.tries: 'shot' is not one of template, words"),
        ({"shots": []}, "readout.tries.shots: [] is no list of values"),
        ({"shots": 4}, "4"),
        ({"shots": ["many"]}, "readout.tries: shots is 'many', but it should be a valid integer"),
        ({"template": ["baselin"]}, "template: 'baselin' is not one of baseline"),
        ({"pick": ["fixed"]}, "readout: `pick: fixed` takes the template's own `shots`"),
        ({"calibrate": ["platt"]}, "readout.calibrate: 'platt' is not one of none, contextual, batch"),
    ],
)
def test_what_is_wrong_is_said_before_anything_runs(tries, message):
    with pytest.raises(ConfigError) as caught:
        parse_strategy({"preset": "zero_shot", "readout": {"tries": tries}})
    assert message in str(caught.value)


def test_the_run_keeps_every_trial_and_says_how_far_they_lie_apart(tiny, tmp_path):
    split = toy_split()
    spec = {"preset": "zero_shot", "readout": {"template": ONE, "tries": BOTH}}
    result, folder = executed(spec, tiny("llama"), split, tmp_path, precision="float32")
    assert result.error is None
    lines = [json.loads(line) for line in (folder / "trials.jsonl").read_text().splitlines()]
    assert result.trials == len(lines) == 2
    assert lines[0]["val"]["f1_macro"] == pytest.approx(result.val["f1_macro"])
    low, high = sorted(line["val"]["f1_macro"] for line in lines)
    assert f"2 prompts tried: validation f1_macro {low:.3f} to {high:.3f}" in "; ".join(result.notes)
    assert result.train_seconds > 0
    plain = {"preset": "zero_shot", "readout": {"template": ONE}}
    assert executed(plain, tiny("llama"), split, tmp_path, precision="float32")[0].error is None
    assert not (folder / "trials.jsonl").exists()  # those were another run's
    assert split.test["text"][0] in (folder / "prompt.txt").read_text(encoding="utf-8")


def test_the_spread_names_what_was_kept():
    trials = [
        prompt_trial("a", 4, "random", 2, "batch", {"f1_macro": 0.8}),
        prompt_trial("b", 0, "", 0, "none", {"f1_macro": 0.5}),
        prompt_trial("c", 0, "", 0, "none", {"f1_macro": 0.6}),
    ]
    assert spread(trials, Selection("f1_macro")) == (
        "3 prompts tried: validation f1_macro 0.500 to 0.800, median 0.600; "
        "kept a, 4 random demonstrations, draw 2, calibration batch"
    )


def test_a_prompt_by_itself_is_not_a_choice():
    assert Words().is_plain
    assert [Words(**more).is_plain for more in ({"calibrate": "batch"}, {"draws": 2, "shots": 1})] == [
        False,
        False,
    ]

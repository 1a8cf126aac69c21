"""Numbers from language models: the mean of a scale's levels, as probable as their words."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from datasets import Dataset

from stratune.data.split import assemble
from stratune.errors import ConfigError, UnsupportedError
from stratune.objective.scale import Scale, nearest_names
from stratune.predictor.predictor import Predictor
from stratune.prompt.match import Matcher
from stratune.prompt.trial import spread
from stratune.task import Task
from stratune.testing import toy_split
from stratune.testing.toy import toy_split_of
from tests.helpers import trained
from tests.scores import score, truth_of

SHORT = {"task": "{labels}", "row": "{text}", "answer": "= {label}", "chat": False}
WORDS = {"animal": "cat", "weather": "rain"}
LEVELS = {"2": "cat", "4": "rain"}  # the same words for the levels 2 and 4
SCALE = {"scale": [2, 4], "template": {**SHORT, "words": LEVELS}}
VALUES = {"animal": 1.6, "weather": 4.4}


def rated(rows=24):
    """The toy task with a number for each label."""
    split = toy_split(rows=rows)
    tables = {}
    for name, table in split.parts.items():
        cells = {**table.to_dict(), "label": [str(VALUES[label]) for label in table["label"]]}
        tables[name] = Dataset.from_dict({key: cells[key] for key in ("id", "text", "label")})
    return assemble(tables, Task(kind="regression"))


def done(folder, preset="zero_shot", epochs=1, split=None, **readout):
    spec = {"preset": preset, "readout": {**SCALE, **readout}, "learning_rate": 3e-3}
    return trained(spec, folder, split=split or rated(), epochs=epochs)


def texts_of(split):
    return list(split.test["text"])


@pytest.mark.parametrize("options", [{}, {"calibrate": "batch"}, {"calibrate": "contextual"}])
def test_a_value_is_the_mean_of_the_levels(options, tiny):
    """As probable as the same words are as labels, calibrated or not."""
    split = rated()
    labels = trained(
        {
            "preset": "zero_shot",
            "readout": {"template": {**SHORT, "task": "2, 4"}, "words": WORDS, **options},
        },
        tiny("llama"),
        split=toy_split(rows=24),
    )
    scale = done(tiny("llama"), template={**SHORT, "task": "2, 4", "words": LEVELS}, **options)
    probabilities = labels.predictor.predict_proba(texts_of(split))
    wanted = probabilities @ np.array([[2.0], [4.0]])
    np.testing.assert_allclose(scale.predictor.predict_proba(texts_of(split)), wanted, atol=1e-5)
    assert np.ptp(wanted) > 0.01
    one = scale.predictor.predict(texts_of(split)[:1])[0]
    assert one.value == pytest.approx(wanted[0, 0], abs=1e-5) and one.scores == {} and not one.invalid


def error(one, split, part="val"):
    rows = split.parts[part]
    said = one.predictor.predict_proba(list(rows["text"]))
    return score(truth_of(rows, split.task), said, (), kind="regression")["rmse"]


@pytest.mark.parametrize("loss", ["tokens", "labels"])
def test_the_nearest_level_is_learnt(loss, tiny):
    split = rated(rows=48)
    before, after = (done(tiny("llama"), "full+words", epochs, split, loss=loss) for epochs in (1, 10))
    assert error(after, split, "train") < 0.75 * error(before, split, "train")
    assert error(after, split, "train") < truth_of(split.train, split.task).std()
    assert min(one["val"] for one in after.history) == pytest.approx(error(after, split), abs=1e-4)


def test_prompts_are_judged_by_the_error_of_their_values(tiny, tmp_path):
    """And what was chosen is what a folder holds."""
    split = rated()
    tries = {"calibrate": ["none", "batch"], "shots": [0, 2]}
    found = done(tiny("llama"), split=split, tries=tries, temperature=True)
    assert len(found.prompts) == 4 and all("rmse" in trial.val for trial in found.prompts)
    plain = done(tiny("llama"), split=split, tries=tries)
    assert plain.prompts[0].val["rmse"] == pytest.approx(error(plain, split), abs=1e-5)
    assert error(found, split) <= error(plain, split) + 1e-6
    loaded = Predictor.load(found.predictor.save(tmp_path / "model"))
    np.testing.assert_allclose(
        loaded.predict_proba(texts_of(split)), found.predictor.predict_proba(texts_of(split)), atol=1e-5
    )


@pytest.mark.parametrize("pick", ["random", "nearest"])
def test_demonstrations_say_the_nearest_level(pick, tiny):
    predictor = done(tiny("llama"), shots=2, pick=pick).predictor
    rendered = predictor.model.reader.rendered("it was there", None)
    shown = [line for line in rendered.splitlines() if line.startswith("= ")]
    assert len(shown) == 2 and set(shown) <= {"= cat", "= rain"}


def test_chunks_are_joined_before_the_mean(tiny, tmp_path):
    split = rated()
    long = {"way": "chunk", "window": 24, "aggregate": "vote"}
    found = done(tiny("llama"), split=split, long=long, calibrate="batch")
    texts = [" ".join(texts_of(split)[:6])]
    answers = found.predictor.model(texts, None)
    levels = answers.chunks.predictions
    assert levels.shape[1] == 2 and len(levels) > 2
    votes = np.eye(2)[levels.argmax(axis=1)].mean(axis=0)
    np.testing.assert_allclose(answers.predictions[0], votes @ [2.0, 4.0])
    assert len(answers.evidence[0]) == 3
    loaded = Predictor.load(found.predictor.save(tmp_path / "model"))
    np.testing.assert_allclose(loaded.predict_proba(texts), answers.predictions, atol=1e-5)
    chosen = done(tiny("llama"), split=split, long={**long, "aggregate": "auto"}, temperature=True)
    assert chosen.predictor.model.aggregate.how != "auto"


def test_an_answer_in_writing_is_a_level_or_invalid(tiny, monkeypatch):
    split = rated()
    found = done(tiny("llama"), kind="generate")
    scored = found.predictor.model(texts_of(split), None)
    assert scored.invalid.all() and np.isnan(scored.predictions).all()
    assert scored.predicted(split.task) == [None] * len(split.test)
    said = iter(["cat", "Rain.", "snow", "rain"] * 99)
    real = Matcher.label
    monkeypatch.setattr(Matcher, "label", lambda self, answer: real(self, next(said)))
    scored = found.predictor.model(texts_of(split)[:4], None)
    np.testing.assert_array_equal(scored.predictions[:, 0], [2.0, 4.0, np.nan, 4.0])
    assert list(scored.invalid) == [False, False, True, False]


def test_a_correlation_of_answers_that_are_all_invalid_is_undefined(tiny):
    split = rated()
    split = replace(split, task=replace(split.task, metric="pearson"))
    tries = {"template": [SCALE["template"], {**SCALE["template"], "answer": "is {label}"}]}
    found = done(tiny("llama"), split=split, kind="generate", tries=tries)
    assert len(found.prompts) == 2 and all("pearson" not in trial.val for trial in found.prompts)
    assert spread(found.prompts, split.task.selection).startswith(
        "2 prompts tried: validation pearson undefined; kept"
    )


def test_the_loss_is_that_of_the_nearest_level():
    logits = torch.tensor([[0.1, -0.4, 0.3], [-1.0, 0.2, 0.5]])
    truth = torch.tensor([1.4, 9.0])  # nearest: 1 and 5
    scale = Scale(3, (1.0, 3.0, 5.0), of_tokens=False)
    wanted = torch.nn.functional.cross_entropy(logits, torch.tensor([0, 2]), reduction="none")
    torch.testing.assert_close(scale.losses(logits, truth, None, 0.0), wanted)
    surprise = replace(scale, of_tokens=True).losses(logits, truth, None, 0.0)
    torch.testing.assert_close(surprise, -torch.tensor([0.1, 0.5]))
    assert nearest_names(np.array([-9.0, 2.0, 2.01, 4.2, 7.0]), (1.0, 3.0, 5.5)) == [
        "1",
        "1",
        "3",
        "3",
        "5.5",
    ]


@pytest.mark.parametrize(
    ("split", "options", "error", "message"),
    [
        (rated(), {"scale": []}, UnsupportedError, "name the levels to ask about in `readout.scale`"),
        (rated(), {"scale": [3, 1]}, ConfigError, "readout.scale: [3.0, 1.0]: two numbers or more, rising"),
        (rated(), {"scale": [3]}, ConfigError, "readout.scale: [3.0]: two numbers or more, rising"),
        (rated(), {"scale": ["low"]}, ConfigError, "scale is ['low'], but it should be a valid number"),
        (toy_split_of("multilabel"), {}, UnsupportedError, "a task of kind multilabel"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_is_said(split, options, error, message, tiny):
    with pytest.raises(error) as caught:
        done(tiny("llama"), split=split, **options)
    assert message in str(caught.value)

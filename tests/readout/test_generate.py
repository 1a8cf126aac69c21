"""Readout `generate` against transformers' own generate, one row at a time."""

import math

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from transformers import AutoModelForCausalLM

from stratune.errors import ConfigError, UnsupportedError
from stratune.model.ensemble import EnsembleModel
from stratune.predictor.predictor import Predictor
from stratune.readout.words import Words
from stratune.strategy import parse_strategy
from stratune.testing import DECODERS, toy_split
from stratune.testing.nets import net_of
from tests.helpers import executed, trained
from tests.scores import score

TEXTS = ["we saw the dog", "snow", "they talked about the storm and the wind again", "it was there"]
SHORT = {"name": "short", "task": "{labels}", "row": "{text}", "answer": "= {label}", "chat": False}


def written(folder, preset="zero_shot", **options):
    readout = {"kind": "generate", "template": SHORT, **options}
    return trained({"preset": preset, "readout": readout}, folder, epochs=1).predictor


def plainly(predictor, folder, tokens):
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    tokenizer = net_of(predictor.model).backbone.tokenizer
    answers = []
    for text in TEXTS:
        ids = tokenizer(predictor.model.reader.rendered(text, None), return_tensors="pt").input_ids
        made = model.generate(
            ids, attention_mask=torch.ones_like(ids), max_new_tokens=tokens, do_sample=False,
            pad_token_id=tokenizer.pad_token_id,
        )  # fmt: skip
        answers.append(tokenizer.decode(made[0, ids.shape[1] :], skip_special_tokens=True))
    return answers


@pytest.mark.parametrize("family", DECODERS)
def test_answers_are_those_of_a_plain_loop(family, tiny):
    predictor = written(tiny(family), max_new_tokens=6)
    assert predictor.model(TEXTS, None).answers == plainly(predictor, tiny(family), 6)


def test_an_answer_that_is_no_label_is_wrong_and_never_a_guess(tiny):
    predictor = written(tiny("llama"))
    scored = predictor.model(TEXTS, None)
    assert scored.invalid.all() and np.isnan(scored.predictions).all()  # random weights say no word of ours
    assert scored.predicted(predictor.task) == [""] * 4
    found = predictor.predict(TEXTS)
    assert [(one.label, one.invalid) for one in found] == [("", True)] * 4
    truth = np.zeros(4, dtype=int)
    assert score(truth, scored.predictions, predictor.labels, invalid=scored.invalid)["accuracy"] == 0


def test_what_is_a_word_counts(tiny):
    """The model's own answer made a word of a label: that row, and no other, is valid."""
    first = written(tiny("gpt2"), max_new_tokens=2).model(TEXTS[:1], None).answers[0].strip().splitlines()[0]
    predictor = written(tiny("gpt2"), words={"animal": [first.strip()]}, max_new_tokens=2)
    scored = predictor.model(TEXTS, None)
    assert not scored.invalid[0] and scored.predicted(predictor.task)[0] == "animal"
    assert scored.predictions[0].tolist() == [1.0, 0.0]


def test_sampling_is_the_same_in_every_call(tiny):
    cold, warm = written(tiny("llama")), written(tiny("llama"), sample=2.0, max_new_tokens=8)
    state = torch.get_rng_state()
    first, second = (warm.model(TEXTS, None).answers for _ in range(2))
    assert first == second != cold.model(TEXTS, None).answers
    assert torch.equal(state, torch.get_rng_state())


def test_weights_learn_as_with_words_and_then_write(tiny):
    predictor = written(tiny("llama"), preset="completion")
    assert predictor.model(TEXTS, None).answers is not None


def test_the_folder_writes_the_same(tiny, tmp_path):
    predictor = written(tiny("qwen2"))
    loaded = Predictor.load(predictor.save(tmp_path / "model"))
    assert loaded.model(TEXTS, None).answers == predictor.model(TEXTS, None).answers


@pytest.mark.parametrize("preset", ["soft_prompt", "prefix"])
def test_learned_vectors_in_front_are_refused(preset, tiny):
    with pytest.raises(UnsupportedError, match="virtual tokens are in front of the prompt"):
        written(tiny("llama"), preset=preset)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"calibrate": "batch"}, "a generated answer has no probability to calibrate"),
        ({"tries": {"calibrate": ["none", "batch"]}}, "a generated answer has no probability"),
        ({"temperature": True}, "a generated answer has no probability to calibrate"),
        ({"sample": -1}, "readout.sample: -1.0 is below 0"),
        ({"max_new_tokens": 0}, "readout.max_new_tokens: 0 is below 1"),
    ],
)
def test_wrong_options_are_refused(options, message):
    with pytest.raises(ConfigError) as caught:
        parse_strategy({"preset": "zero_shot", "readout": {"kind": "generate", **options}})
    assert message in str(caught.value)


def test_between_ways_to_ask_options_stay():
    shown, written = parse_strategy("few_shot").readout, parse_strategy("few_shot+generate").readout
    assert (written.kind, written.template, written.shots) == ("generate", shown.template, shown.shots)
    assert parse_strategy("lora+generate").readout.template == Words().template


def test_a_run_tells_how_many_answers_were_none(tiny, tmp_path):
    split = toy_split()
    spec = parse_strategy(
        {"preset": "zero_shot+generate", "readout": {"kind": "generate", "template": SHORT}}
    )
    result, folder = executed(spec, tiny("llama"), split, tmp_path, precision="float32")
    assert (result.error, result.invalid) == (None, 1.0)
    rows = pq.read_table(folder / "predictions.parquet").to_pylist()
    assert all(row["prediction"] == "" and row["answer"] and math.isnan(row["score_animal"]) for row in rows)


def test_an_ensemble_takes_the_members_that_answered():
    class Fixed:
        def __init__(self, said):
            self.predictions = np.array(said, dtype=float)

        def __call__(self, texts, pairs, progress=None):
            from stratune.model.answers import Scored

            return Scored(self.predictions, np.zeros(2, np.int32), np.isnan(self.predictions[:, 0]))

    nothing = [np.nan, np.nan]
    task = toy_split().task
    members = [Predictor(task, Fixed(said)) for said in ([[1, 0], nothing], [[0.5, 0.5], nothing])]
    found = EnsembleModel(members)(["a", "b"], None)
    np.testing.assert_array_equal(found.predictions, [[0.75, 0.25], nothing])
    assert found.invalid.tolist() == [False, True]

"""Readout `words` against a plain loop over transformers' own forward pass."""

import json

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM

from stratune.errors import UnsupportedError
from stratune.export import export_hf
from stratune.predictor.predictor import Predictor
from stratune.prompt.calibrate import CONTENT_FREE
from stratune.testing import DECODERS, save_tiny, toy_split
from stratune.testing.nets import net_of
from tests.helpers import trained

SHORT = {"task": "{labels}", "row": "{text}", "answer": "= {label}", "chat": False}
WORDS = {"animal": ["cat", "a horse"], "weather": ["a hail", "rain"]}  # "a h" is a shared beginning
TEXTS = ["we saw the dog", "snow", "they talked about the storm and the wind again", "it was there"]


def asked(folder, shots=0, preset="zero_shot", **options):
    readout = {"template": {**SHORT, "words": WORDS}, "shots": shots, **options}
    return trained({"preset": preset, "readout": readout}, folder, epochs=1).predictor


def logits(predictor, texts=TEXTS):
    scorer = predictor.model
    return scorer.outputs(texts, None)


def plainly(predictor, folder, texts=TEXTS):
    """Sum of token log-probabilities of each word, one sequence at a time; a label's words added up."""
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    reader = predictor.model.reader
    encode = net_of(predictor.model).backbone.tokenizer
    rows = []
    for text in texts:
        prompt = reader.rendered(text, None)
        start = len(encode(prompt).input_ids)
        found = []
        for label in predictor.labels:
            words = []
            for word in WORDS[label]:
                ids = encode(prompt + reader.renderer.gap + word).input_ids
                with torch.no_grad():
                    said = model(torch.tensor([ids])).logits[0].log_softmax(-1)
                words.append(sum(said[i - 1, ids[i]] for i in range(start, len(ids))))
            found.append(float(torch.stack(words).logsumexp(0)))
        rows.append(found)
    return np.array(rows)


@pytest.mark.parametrize("shots", [0, 1])
@pytest.mark.parametrize("family", DECODERS)
def test_label_probabilities_are_those_of_a_plain_loop(family, shots, tiny):
    predictor = asked(tiny(family), shots)
    tokens = predictor.model.reader.tokens(TEXTS, None)
    assert (
        len(tokens.scoring.prefix) > 5 and len(tokens.scoring.trie.fed) > 0
    )  # something is shared on both sides
    np.testing.assert_allclose(logits(predictor), plainly(predictor, tiny(family)), atol=1e-4)


@pytest.mark.parametrize("family", ["llama", "gpt2"])
def test_a_word_that_begins_another_ends(family, tiny):
    """As 1 begins 10: each counts with what ends an answer behind it."""
    words = {"animal": ["a"], "weather": ["a hail"]}
    predictor = asked(tiny(family), words=words)
    reader, tokenizer = predictor.model.reader, net_of(predictor.model).backbone.tokenizer
    ends = {path[-1] for path in reader.trie.words}
    assert len(ends) == 1 and ends <= {tokenizer.eos_token_id, *tokenizer("\n").input_ids}
    model = AutoModelForCausalLM.from_pretrained(tiny(family), dtype=torch.float32).eval()
    wanted = []
    for label in predictor.labels:
        prompt = tokenizer(reader.rendered(TEXTS[0], None)).input_ids
        path = [*tokenizer(reader.rendered(TEXTS[0], None) + f" {words[label][0]}").input_ids, *ends]
        with torch.no_grad():
            said = model(torch.tensor([path])).logits[0].log_softmax(-1)
        wanted.append(sum(float(said[i - 1, path[i]]) for i in range(len(prompt), len(path))))
    np.testing.assert_allclose(logits(predictor, TEXTS[:1])[0], wanted, atol=1e-4)
    shown = reader.words_as_tokens()
    assert [len(tokens) for tokens in shown.values()] == [len(path) for path in reader.trie.words]


@pytest.mark.parametrize(("preset", "shots"), [("zero_shot", 1), ("completion", 0)])
def test_what_all_prompts_begin_with_is_run_once(preset, shots, tiny, monkeypatch):
    predictor = asked(tiny("llama"), shots, preset)
    net = net_of(predictor.model)
    tokens = predictor.model.reader.tokens(TEXTS, None)
    lengths = []
    real = net.continued
    monkeypatch.setattr(net, "continued", lambda ids, *rest: lengths.append(ids.shape) or real(ids, *rest))
    logits(predictor)
    longest = int(tokens.lengths.max()) + len(tokens.scoring.trie.fed)
    assert lengths == [(1, len(tokens.scoring.prefix)), (len(TEXTS), longest)]
    left = [getattr(module, "prefix", "") for module in net.model.modules()]
    assert all(isinstance(prefix, str) for prefix in left)  # peft's names; nothing of ours stays behind


@pytest.mark.parametrize("preset", ["zero_shot", "completion"])
def test_rows_alone_and_together_are_the_same(preset, tiny):
    """One row by itself has nothing to share with others."""
    predictor = asked(tiny("qwen2"), preset=preset)
    alone = np.concatenate([logits(predictor, [text]) for text in TEXTS])
    np.testing.assert_allclose(alone, logits(predictor), atol=1e-5)


def test_normalised_words_are_means_over_their_tokens(tiny):
    one = {"words": {"animal": ["cat"], "weather": ["a hail"]}}
    total, mean = (logits(asked(tiny("gpt2"), normalise=n, **one)) for n in (False, True))
    trie = asked(tiny("gpt2"), **one).model.reader.trie
    np.testing.assert_allclose(mean, total / trie.paths.sum(axis=1), rtol=1e-5)


def test_contextual_calibration_makes_texts_without_content_say_nothing(tiny):
    predictor = asked(tiny("llama"), calibrate="contextual")
    shares = torch.softmax(torch.from_numpy(logits(asked(tiny("llama")), list(CONTENT_FREE))), dim=1)
    bias = shares.mean(dim=0).log().numpy()
    np.testing.assert_allclose(logits(predictor), logits(asked(tiny("llama"))) - bias, atol=1e-4)


def test_batch_calibration_takes_the_mean_over_validation_away(tiny):
    predictor = asked(tiny("llama"), calibrate="batch")
    val = list(toy_split().val["text"])
    shares = torch.log_softmax(torch.from_numpy(logits(predictor, val)), dim=1)
    plain = torch.log_softmax(torch.from_numpy(logits(asked(tiny("llama")), val)), dim=1)
    np.testing.assert_allclose(
        torch.log_softmax(plain - plain.mean(dim=0), dim=1).numpy(), shares.numpy(), atol=1e-4
    )


def test_completion_raises_the_probability_of_the_right_words(tiny):
    split = toy_split()
    before, after = (
        trained(
            {"preset": preset, "readout": {"template": SHORT}}, tiny("llama"), split=split, epochs=epochs
        ).predictor
        for preset, epochs in (("zero_shot", 1), ("completion", 6))
    )
    right = [list(split.task.labels).index(label) for label in split.train["label"]]
    rows = np.arange(len(right))
    gained = logits(after, list(split.train["text"])) - logits(before, list(split.train["text"]))
    assert gained[rows, right].mean() > 1


def test_a_training_row_is_never_shown_its_own_answer(tiny):
    with pytest.raises(
        UnsupportedError, match="could contain its own label; use `pick: fixed` or no `shots`"
    ):
        asked(tiny("llama"), shots=2, preset="completion")


@pytest.mark.parametrize("tied", [False, True])
def test_the_layer_that_says_words_is_frozen_and_goes_where_the_net_goes(tied, tmp_path):
    folder = save_tiny("llama", tmp_path / "llama", tie_word_embeddings=tied)
    net = net_of(trained({"preset": "zero_shot", "readout": {"template": SHORT}}, folder).predictor.model)
    layer = net.backbone.language_model.lm_head.weight
    assert (layer is net.backbone.model.embed_tokens.weight) is tied and not layer.requires_grad
    net.to(torch.float64)
    assert net.backbone.language_model.lm_head.weight.dtype == torch.float64
    net.to("meta")
    assert net.backbone.language_model.lm_head.weight.is_meta


def test_a_prompt_wider_than_the_model_looks_is_refused(tmp_path):
    folder = save_tiny("mistral", tmp_path / "mistral", sliding_window=32)
    with pytest.raises(UnsupportedError, match=r"a prompt of \d+ tokens cannot run .* 32 tokens at a time"):
        asked(folder, shots=1)


@pytest.mark.parametrize("loss", ["tokens", "labels"])
def test_the_loss_is_on_all_that_could_be_said_or_on_the_labels_alone(loss, tiny):
    split = toy_split()
    spec = {"preset": "completion", "label_smoothing": 0.0, "readout": {"template": SHORT, "loss": loss}}
    run = trained({**spec, "learning_rate": 1e-9}, tiny("llama"), split=split, epochs=1)
    texts, truth = list(split.train["text"]), [split.task.labels.index(x) for x in split.train["label"]]
    said = torch.from_numpy(logits(run.predictor, texts))
    absolute = -said[torch.arange(len(truth)), torch.tensor(truth)].mean()
    among = torch.nn.functional.cross_entropy(said, torch.tensor(truth))
    assert abs(float(absolute - among)) > 0.1
    wanted = float(absolute if loss == "tokens" else among)
    assert run.history[0]["loss"] == pytest.approx(wanted, rel=0.05)  # dropout of LoRA, on B = 0: none


@pytest.mark.parametrize("preset, shots", [("few_shot", 2), ("completion", 0)])
def test_the_folder_holds_template_shots_and_calibration(preset, shots, tiny, tmp_path):
    predictor = asked(tiny("llama"), shots=shots, preset=preset, calibrate="batch")
    folder = predictor.save(tmp_path / "model")
    about = json.loads((folder / "stratune.json").read_text())
    assert len(about["prompt"]["shots"]) == shots
    assert about["prompt"]["template"]["words"] == WORDS
    again = Predictor.load(folder)
    np.testing.assert_allclose(again.predict_proba(TEXTS), predictor.predict_proba(TEXTS), atol=1e-6)


def test_export_says_that_no_head_holds_the_answer(tiny, tmp_path):
    with pytest.raises(UnsupportedError, match="it answers in words"):
        export_hf(asked(tiny("llama")), tmp_path / "hf")

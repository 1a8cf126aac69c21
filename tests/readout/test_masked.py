"""Readout `words` on encoders: the answer stands in the place of masks."""

import numpy as np
import pytest
import torch
from transformers import AutoModelForMaskedLM

from stratune.errors import BackboneError, UnsupportedError
from stratune.predictor.predictor import Predictor
from stratune.testing import DECODERS, MODEL_TYPES, save_tiny, toy_split
from stratune.testing.nets import net_of
from tests.helpers import trained

TEMPLATE = {"task": "{labels}", "row": "{text}", "answer": "it was {label}"}
WORDS = {"animal": ["cat", "the horse"], "weather": ["hail", "rain"]}
TEXTS = ["we saw the dog", "snow", "they talked about the storm and the wind again", "it was there"]
# Longformer's global attention is ours to ask for, and the plain loop does not.
ENCODERS = [family for family in MODEL_TYPES if family not in (*DECODERS, "longformer")]


@pytest.fixture(scope="module")
def masked(tmp_path_factory):
    made = {}

    def folder(family):
        if family not in made:
            made[family] = save_tiny(family, tmp_path_factory.mktemp("masked") / family, masked=True)
        return made[family]

    return folder


def asked(folder, preset="zero_shot", epochs=1, **options):
    readout = {"kind": "words", "template": {**TEMPLATE, "words": WORDS}, **options}
    return trained({"preset": preset, "readout": readout}, folder, epochs=epochs).predictor


def logits(predictor, texts=TEXTS):
    scorer = predictor.model
    return scorer.outputs(texts, None)


def plainly(predictor, folder):
    """One sequence at a time: masks in the word's place, their log-probabilities added up."""
    model = AutoModelForMaskedLM.from_pretrained(folder, dtype=torch.float32).eval()
    tokenizer = net_of(predictor.model).backbone.tokenizer
    rows = []
    for text in TEXTS:
        prompt = predictor.model.reader.rendered(text, None)
        (open_, *_), end = tokenizer("").input_ids, tokenizer("").input_ids[-1]
        start = tokenizer(prompt, add_special_tokens=False).input_ids
        found = []
        for label in predictor.labels:
            words = []
            for word in WORDS[label]:
                whole = tokenizer(f"{prompt} {word}", add_special_tokens=False).input_ids
                path = whole[len(start) :]
                ids = [open_, *start, *[tokenizer.mask_token_id] * len(path), end]
                with torch.no_grad():
                    said = model(torch.tensor([ids])).logits[0].log_softmax(-1)
                words.append(sum(said[1 + len(start) + i, token] for i, token in enumerate(path)))
            found.append(float(torch.stack(words).logsumexp(0)))
        rows.append(found)
    return np.array(rows)


@pytest.mark.parametrize("family", ENCODERS)
def test_label_probabilities_are_those_of_a_plain_loop(family, masked):
    predictor = asked(masked(family))
    lengths = {len(word) for word in predictor.model.reader.trie.words}
    assert len(lengths) > 1  # words of one token and of several
    np.testing.assert_allclose(logits(predictor), plainly(predictor, masked(family)), atol=1e-4)


@pytest.mark.parametrize("family", ["bert", "deberta-v2", "modernbert"])
def test_rows_alone_and_together_are_the_same(family, masked):
    predictor = asked(masked(family), shots=1)
    alone = np.concatenate([logits(predictor, [text]) for text in TEXTS])
    np.testing.assert_allclose(alone, logits(predictor), atol=1e-5)


@pytest.mark.parametrize("preset", ["completion", "lora", "prefix", "soft_prompt", "full", "houlsby"])
def test_techniques_learn_to_fill_the_mask(preset, masked, tmp_path):
    """Pattern-exploiting training: the right words become more probable, and the folder has learned it."""
    before, after = (asked(masked("bert"), one, epochs) for one, epochs in (("zero_shot", 1), (preset, 5)))
    split = toy_split()
    texts, rows = list(split.train["text"]), np.arange(len(split.train))
    right = [split.task.labels.index(label) for label in split.train["label"]]
    gained = logits(after, texts) - logits(before, texts)
    assert gained[rows, right].mean() > 0.05
    loaded = Predictor.load(after.save(tmp_path / "model"))
    np.testing.assert_allclose(logits(loaded), logits(after), atol=1e-5)


def test_long_texts_leave_room_for_masks_and_end(masked):
    predictor = asked(masked("roberta"))
    reader = predictor.model.reader
    tokens = reader.tokens(["the cat saw rain " * 100], None)
    most = max(len(word) for word in reader.trie.words)
    assert tokens.cut[0] > 0
    assert (
        len(tokens.scoring.prefix) + tokens.lengths[0] + most + len(tokens.scoring.tail)
        <= reader.backbone.max_length
    )
    assert np.isfinite(logits(predictor, ["the cat saw rain " * 100])).all()


def test_an_encoder_that_was_saved_without_the_layer_is_told_so(tiny):
    with pytest.raises(BackboneError, match="its weights lack .* of a language model"):
        asked(tiny("bert"))


def test_an_encoder_does_not_write(masked):
    with pytest.raises(
        UnsupportedError, match="generate cannot run on .* it is an encoder and cannot generate; use `words`"
    ):
        trained(
            {"preset": "zero_shot", "readout": {"kind": "generate", "template": TEMPLATE}}, masked("bert")
        )

"""An encoder-decoder that is asked: the encoder reads the prompt, the decoder writes the label's words."""

import json
import shutil

import numpy as np
import pytest
import torch
from transformers import AutoModelForSeq2SeqLM, GenerationConfig

from stratune.backbone.load import load_backbone
from stratune.backbone.tokenizer import load_tokenizer
from stratune.net import verbalizer
from stratune.predictor.predictor import Predictor
from stratune.testing.nets import net_of
from tests.helpers import trained
from tests.readout.test_words import SHORT, TEXTS, WORDS

FAMILIES = ["t5", "bart"]


@pytest.fixture
def folder(tiny, tmp_path):
    """Of a family; configured as published models of it are."""

    def of(family):
        made = shutil.copytree(tiny(family), tmp_path / family, dirs_exist_ok=True)
        config = json.loads((made / "config.json").read_text())
        start = {"t5": config["pad_token_id"], "bart": 2}[family]
        (made / "config.json").write_text(json.dumps({**config, "decoder_start_token_id": start}))
        return made

    return of


def asked(folder, preset="zero_shot", epochs=1, **options):
    kind = {"kind": "generate"} if options.pop("writes", False) else {}
    readout = {"template": {**SHORT, "words": WORDS}, **kind, **options}
    strategy = {"preset": preset, "readout": readout}
    if preset == "completion":
        strategy["learning_rate"] = 5e-3
    return trained(strategy, folder, epochs=epochs)


def prompts(predictor):
    tokenizer = net_of(predictor.model).backbone.tokenizer
    return tokenizer, [tokenizer(predictor.model.reader.rendered(text, None)).input_ids for text in TEXTS]


@pytest.mark.parametrize("family", FAMILIES)
def test_label_probabilities_are_those_of_a_plain_loop(family, folder):
    predictor = asked(folder(family)).predictor
    model = AutoModelForSeq2SeqLM.from_pretrained(folder(family), dtype=torch.float32).eval()
    tokenizer, rows = prompts(predictor)
    plain = []
    for ids in rows:
        found = []
        for label in predictor.labels:
            words = []
            for word in WORDS[label]:
                target = torch.tensor([tokenizer(text_target=word).input_ids])  # with its special tokens
                with torch.no_grad():
                    said = model(input_ids=torch.tensor([ids]), labels=target).logits[0].log_softmax(-1)
                body = tokenizer(word, add_special_tokens=False).input_ids
                first = target[0].tolist().index(body[0])
                words.append(sum(said[first + k, token] for k, token in enumerate(body)))
            found.append(float(torch.stack(words).logsumexp(0)))
        plain.append(found)
    assert np.allclose(predictor.model.outputs(TEXTS, None), plain, atol=1e-4)
    alone = np.concatenate([predictor.model.outputs([text], None) for text in TEXTS])
    assert np.allclose(alone, plain, atol=1e-4)


def test_many_words_are_scored_a_few_rows_at_a_time(folder, monkeypatch):
    predictor = asked(folder("t5")).predictor
    whole = predictor.model.outputs(TEXTS, None)
    monkeypatch.setattr(verbalizer, "MOST_LOGITS", 1)
    assert np.allclose(predictor.model.outputs(TEXTS, None), whole, atol=1e-5)


@pytest.mark.parametrize("family", FAMILIES)
def test_it_learns_to_complete_and_is_read_back(family, folder, tmp_path):
    done = asked(folder(family), preset="completion", epochs=6)
    losses = [line["loss"] for line in done.history if line.get("loss") is not None]
    assert losses[-1] < 0.9 * losses[0]
    before = done.predictor.predict_proba(TEXTS)
    done.predictor.save(tmp_path / "model")
    assert np.allclose(Predictor.load(tmp_path / "model").predict_proba(TEXTS), before, atol=1e-6)


@pytest.mark.parametrize("family", FAMILIES)
def test_it_writes_what_transformers_writes(family, folder):
    predictor = asked(folder(family), writes=True, max_new_tokens=5).predictor
    answers = predictor.score(TEXTS).answers
    model = AutoModelForSeq2SeqLM.from_pretrained(folder(family), dtype=torch.float32).eval()
    tokenizer, rows = prompts(predictor)
    backbone = net_of(predictor.model).backbone
    options = GenerationConfig(
        max_new_tokens=5, pad_token_id=backbone.pad, eos_token_id=model.generation_config.eos_token_id
    )
    for ids, answer in zip(rows, answers, strict=True):
        begins = torch.tensor([backbone.begins])
        written = model.generate(
            input_ids=torch.tensor([ids]), decoder_input_ids=begins, generation_config=options
        )
        assert (
            answer.strip()
            == tokenizer.decode(written[0, begins.shape[1] :], skip_special_tokens=True).strip()
        )


def test_where_its_decoder_begins(folder):
    t5, bart = (net_of(asked(folder(family)).predictor.model).backbone for family in FAMILIES)
    first = t5.tokenizer.cls_token_id  # of these tiny ones: their tokenizer begins each target with it
    assert (t5.begins, bart.begins) == ((t5.tokenizer.pad_token_id, first), (2, first))
    alone = load_tokenizer(str(folder("t5")))
    assert alone.begins == t5.begins and load_backbone(str(folder("t5"))).begins == ()
    assert t5.writes and bart.writes

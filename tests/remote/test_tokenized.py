"""A server whose model's tokenizer is known is asked what the model loaded here is asked, token for token."""

import json

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from stratune.predictor.predictor import Predictor
from stratune.testing import toy_split
from tests.helpers import executed

CHAT = (
    "{{ bos_token }}{% for m in messages %}<{{ m.role }}> {{ m.content }}\n{% endfor %}"
    "{% if add_generation_prompt %}<assistant> {% endif %}"
)
TEMPLATE = {"name": "short", "task": "One of {labels}.", "row": "Text: {text}", "answer": "It is {label}."}
FAR = 1e-4


@pytest.fixture
def served(tiny, tmp_path, scripted):
    """(folder of a tiny model with a chat template, a server that has loaded it)."""
    model = AutoModelForCausalLM.from_pretrained(tiny("llama"), dtype=torch.float32).eval()
    tokenizer = AutoTokenizer.from_pretrained(tiny("llama"))
    tokenizer.chat_template = CHAT
    model.config.max_position_embeddings = tokenizer.model_max_length = 512
    folder = tmp_path / "model"
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)

    def say(body):
        if "prompt" not in body or "logprobs" not in body:
            return 400, {"error": {"message": "no chats here, and no constraints"}}
        ids = tokenizer(body["prompt"]).input_ids
        with torch.inference_mode():
            logs = model(torch.tensor([ids])).logits[0].log_softmax(dim=-1)
        if not body.get("echo"):
            top = logs[-1].topk(body["logprobs"])
            pairs = {tokenizer.decode([token]): float(value) for value, token in zip(*top, strict=True)}
            return {"choices": [{"text": "", "logprobs": {"tokens": [""], "top_logprobs": [pairs]}}]}
        texts, before = [], ""
        for end in range(1, len(ids) + 1):  # as the text grows: single tokens lose their spaces
            after = tokenizer.decode(ids[:end])
            texts.append(after[len(before) :])
            before = after
        values = [None, *(float(logs[i - 1, token]) for i, token in enumerate(ids) if i)]
        logprobs = {"tokens": [*texts, "!"], "token_logprobs": [*values, -1.0]}
        return {"choices": [{"text": "", "logprobs": logprobs}]}

    return folder, scripted(say)


def scores(folder):
    import pyarrow.parquet as pq

    table = pq.read_table(folder / "predictions.parquet").to_pydict()
    return np.array([table["score_animal"], table["score_weather"]]), np.array(table["label_mass"])


@pytest.mark.parametrize("preset", ["zero_shot", "few_shot"])
def test_its_probabilities_are_those_of_the_model_loaded_here(preset, served, tmp_path):
    folder, remote = served
    readout = {"template": TEMPLATE, **({"shots": 2} if preset == "few_shot" else {})}
    how = {"precision": "float32"}
    spec, split = {"preset": preset, "readout": readout}, toy_split()
    local, here = executed(spec, folder, split, tmp_path / "local", **how)
    asked, there = executed(
        spec, f"{remote.url}#tiny", split, tmp_path / "remote",
        remote={"attempts": 2, "tokenizer": str(folder)},
    )  # fmt: skip
    assert (local.error, asked.error) == (None, None)
    for one, other in zip(scores(here), scores(there), strict=True):
        np.testing.assert_allclose(one, other, atol=FAR, rtol=1e-3)
    assert asked.test["log_loss"] == pytest.approx(local.test["log_loss"], abs=FAR)
    prompt = (here / "prompt.txt").read_text()
    assert prompt == (there / "prompt.txt").read_text() and prompt.endswith("<assistant> It is")
    assert prompt.count("It is") == (3 if preset == "few_shot" else 1)
    texts = list(split.test["text"])
    address = json.loads((there / "model" / "stratune.json").read_text())["backbone"]["id"]
    again = Predictor.load(there / "model", allow_server=address)
    kept = Predictor.load(here / "model")
    np.testing.assert_allclose(again.predict_proba(texts), kept.predict_proba(texts), atol=FAR, rtol=1e-3)

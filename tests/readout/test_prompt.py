"""Prompts of embedding models ("query: "): read from the folder, put before each text, never cut, kept."""

import json
import shutil

import numpy as np
import pytest
import torch

from stratune.backbone.load import load_backbone
from stratune.errors import BackboneError, ConfigError, UnsupportedError
from stratune.export.exportable import exportable
from stratune.longtext.options import LongText
from stratune.predictor.predictor import Predictor
from stratune.readout.head import Head
from stratune.testing import toy_split
from stratune.tokens.tokens import TextLimit
from tests.helpers import executed

PROMPTS = {"query": "w1 w2 ", "passage": "w3 "}
LONG = "one two three four five six seven eight nine ten eleven twelve"


@pytest.fixture
def folder(tiny, tmp_path):
    """`folder(default, ...)` is a BERT's folder with prompts."""

    def made(default=None, **pooling):
        new = tmp_path / "sentence"
        shutil.rmtree(new, ignore_errors=True)
        shutil.copytree(tiny("bert"), new)
        about = {"prompts": PROMPTS, "default_prompt_name": default}
        (new / "config_sentence_transformers.json").write_text(json.dumps(about))
        (new / "1_Pooling").mkdir()
        (new / "1_Pooling" / "config.json").write_text(json.dumps({"pooling_mode": "mean", **pooling}))
        return new

    return made


def run(spec, folder, out, **settings):
    return executed(spec, folder, toy_split(), out, precision="float32", **settings)


def kept(run_folder):
    return json.loads((run_folder / "model" / "stratune.json").read_text())["strategy"]["readout"]


@torch.no_grad()
def mean_of(backbone, text):
    """Straight through transformers."""
    states = backbone.model(**backbone.tokenizer(text, return_tensors="pt")).last_hidden_state[0]
    return states.mean(dim=0).numpy()


@pytest.mark.parametrize(
    ("default", "options", "prompt"),
    [
        (None, {}, None),
        ("query", {}, "w1 w2 "),
        ("query", {"prompt_name": "passage"}, "w3 "),
        (None, {"prompt": "w7: "}, "w7: "),
        ("query", {"prompt": ""}, ""),
    ],
    ids=["none", "the folder's default", "by name", "a text", "switched off"],
)
def test_the_prompt_stands_before_each_text_and_in_the_model_folder(
    folder, tmp_path, default, options, prompt
):
    place = folder(default)
    result, done = run({"preset": "probe", "readout": options}, place, tmp_path / "out")
    assert result.error is None and kept(done)["prompt"] == prompt
    assert result.settings["strategy"]["readout"]["prompt"] == prompt
    said = (
        f"{prompt!r} stands before each text (readout.prompt)"
        if prompt
        else "readout.prompt_name chooses one"
    )
    assert said in str(result.notes)
    (place / "config_sentence_transformers.json").unlink()  # what a folder says later changes no model
    loaded = Predictor.load(done / "model")
    texts = list(toy_split().test["text"])[:5]
    net, backbone = loaded.model.net, load_backbone(str(place))
    vectors = torch.from_numpy(np.stack([mean_of(backbone, (prompt or "") + text) for text in texts]))
    wanted = torch.softmax(net.head.classify(vectors), dim=1).detach().numpy()
    np.testing.assert_allclose(loaded.predict_proba(texts), wanted, atol=1e-5)


def test_without_prompts_nothing_is_said(tiny, tmp_path):
    result, done = run("probe", tiny("bert"), tmp_path / "out")
    assert "prompt" not in str(result.notes) and kept(done)["prompt"] is None


@pytest.mark.parametrize("keep", ["head", "tail", "both"])
def test_only_the_text_is_cut(folder, keep):
    backbone = load_backbone(str(folder()))
    head = Head(prompt="one two ", long=LongText(keep=keep))
    before = len(backbone.tokenizer("one two ", add_special_tokens=False)["input_ids"])
    special = backbone.tokenizer.num_special_tokens_to_add()
    limit = TextLimit(max_length=2 * before + special + 2)
    tokens = head.text_reader(backbone, limit).tokens([LONG, "six"], None)
    rows = [tokens.ids[a:b].tolist() for a, b in zip(tokens.offsets[:-1], tokens.offsets[1:], strict=True)]
    prompt = backbone.tokenizer("one two ", add_special_tokens=False)["input_ids"]
    assert all(row[1 : 1 + before] == prompt for row in rows)
    assert len(rows[0]) <= limit.max_length and tokens.cut[0] > 0 and tokens.cut[1] == 0
    last = backbone.tokenizer("twelve", add_special_tokens=False)["input_ids"][-1]
    assert (rows[0][-2] == last) == (keep != "head")


def test_words_of_the_prompt_are_not_those_of_a_text(folder):
    backbone = load_backbone(str(folder()))
    reader = Head(prompt="one two ").text_reader(backbone, TextLimit(max_words=3))
    tokens = reader.tokens([LONG], None)
    wanted = backbone.tokenizer("one two one two three")["input_ids"]
    assert tokens.ids.tolist() == wanted


def test_chunks_have_room_for_it(folder, tmp_path):
    spec = {"preset": "probe", "readout": {"prompt": "one two ", "long": {"way": "chunk", "window": 24}}}
    result, done = run(spec, folder(), tmp_path / "out")
    assert result.error is None and result.tokens_cut == 0
    texts = list(toy_split().test["text"])
    assert len(Predictor.load(done / "model").predict(texts)) == len(texts)


def test_cached_tokens_are_those_of_the_prompt(folder):
    backbone = load_backbone(str(folder()))

    def ids(prompt):
        reader = Head(prompt=prompt).text_reader(backbone, TextLimit())
        return reader.tokens([LONG], None, keep=True).ids.tolist()

    assert ids("one ") != ids("") == ids("") and ids("one ") == backbone.tokenizer(f"one {LONG}")["input_ids"]


def test_what_is_wrong_is_said(folder, tmp_path):
    place = folder()
    with pytest.raises(ConfigError, match="readout.prompt_name: 'quary' is not one of query, passage"):
        Head(prompt_name="quary").on(load_backbone(str(place)))
    with pytest.raises(ConfigError, match=r"readout.prompt: .* leave little of 12 for the text"):
        Head(prompt=LONG).text_reader(load_backbone(str(place)), TextLimit(max_length=12))
    left_out = load_backbone(str(folder("query", include_prompt=False)))
    with pytest.raises(UnsupportedError, match="its prompt is left out of the mean"):
        Head().on(left_out)
    assert Head(prompt="").on(left_out).prompt == ""
    for about in (
        {"prompts": {"query": 3}},
        {"prompts": {}, "default_prompt_name": "query"},
        {"prompts": [1]},
    ):
        (place / "config_sentence_transformers.json").write_text(json.dumps(about))
        with pytest.raises(BackboneError, match="config_sentence_transformers.json"):
            load_backbone(str(place))


def test_a_prompt_is_in_no_exported_folder(folder, tmp_path):
    _, done = run("probe", folder("query"), tmp_path / "out")
    with pytest.raises(
        UnsupportedError, match="'w1 w2 ' before each text, which no class of transformers does"
    ):
        exportable(Predictor.load(done / "model"))

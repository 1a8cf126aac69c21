"""Folders of strangers: nothing of them runs, nothing is asked, no pickle is opened, nothing huge is made."""

import ast
import io
import json
import pickle
import shutil
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from typer.testing import CliRunner

import stratune
from stratune.backbone.embedded import embedded_path
from stratune.backbone.load import load_backbone
from stratune.backbone.tokenizer import load_tokenizer
from stratune.cli import app
from stratune.errors import BackboneError
from stratune.testing import save_tiny
from tests.helpers import trained

CODE = "import pathlib; pathlib.Path(__file__).with_name('ran').touch()\n"


@pytest.fixture
def folder(tiny, tmp_path):
    """A tiny BERT that a test may change."""
    return Path(shutil.copytree(tiny("bert"), tmp_path / "stranger"))


def changed(folder, file="config.json", **fields):
    path = folder / file
    path.write_text(json.dumps({**json.loads(path.read_text()), **fields}))
    return folder


def with_code(folder, model_type="bert"):
    """A folder whose files name classes of its own, as `trust_remote_code` runs them."""
    names = ("AutoConfig", "AutoModel", "AutoModelForMaskedLM", "AutoModelForCausalLM")
    changed(folder, auto_map=dict.fromkeys(names, "code.Foreign"), model_type=model_type)
    changed(folder, "tokenizer_config.json", auto_map={"AutoTokenizer": ["code.Foreign", None]})
    (folder / "code.py").write_text(CODE)
    return folder


class Asked(io.StringIO):
    """Standard input that would say yes, and remembers that it was asked."""

    asked = False

    def readline(self, *_):
        self.asked = True
        return "y\n"


@pytest.mark.parametrize("load", [load_backbone, load_tokenizer])
def test_code_of_a_folder_never_runs_and_nobody_is_asked(load, folder, monkeypatch):
    monkeypatch.setattr("sys.stdin", users := Asked("y\n" * 9))
    load(str(with_code(folder)))  # a BERT all the same, by transformers' own class
    with pytest.raises(BackboneError, match="cannot be loaded") as raised:
        load(str(with_code(folder, "of-its-own")))
    assert "\n" not in str(raised.value)
    assert not users.asked and sys.stdin is users
    assert not list(folder.rglob("ran"))


def test_rows_on_standard_input_are_all_predicted(folder, tmp_path):
    """`predict MODEL -` with a backbone that has code of its own: its first row is no answer to a question."""
    model = trained("untuned", folder).predictor.save(tmp_path / "model")
    with_code(folder)
    rows = "text\ny\nyes\nA fine film.\n"
    ran = CliRunner().invoke(app, ["predict", str(model), "-", "--format", "csv"], input=rows)
    assert ran.exit_code == 0, ran.output
    assert [line.split(",")[0] for line in ran.stdout.splitlines()] == rows.split("\n")[:4]


def test_all_that_is_loaded_goes_through_one_place():
    """Elsewhere a call might forget `trust_remote_code=False`."""
    package = Path(stratune.__file__).parent
    found = {
        path.relative_to(package).as_posix()
        for path in package.rglob("*.py")
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(call, ast.Attribute) and call.attr == "from_pretrained"
    }
    assert found == {"backbone/pretrained.py"}


@pytest.fixture
def no_pickle(monkeypatch):
    def opened(*_, **__):
        raise AssertionError("a pickle was opened")

    for module, name in ((torch, "load"), (pickle, "load"), (pickle, "loads"), (pickle, "Unpickler")):
        monkeypatch.setattr(module, name, opened)


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.pt", "model.ckpt"])
def test_a_pickle_is_refused_with_the_way_on(name, folder, no_pickle):
    (folder / "model.safetensors").rename(folder / name)
    with pytest.raises(
        BackboneError, match=rf"its weights are a pickle \({name}\), .* convert it to safetensors"
    ):
        load_backbone(str(folder))


def test_an_index_cannot_lead_to_a_pickle_or_out_of_the_folder(folder, no_pickle):
    (folder / "model.safetensors").rename(folder / "part.safetensors")
    index = folder / "model.safetensors.index.json"
    for name in ("pytorch_model.bin", "../stranger/part.safetensors", "/etc/passwd"):
        index.write_text(json.dumps({"metadata": {}, "weight_map": {"pooler": name}}))
        with pytest.raises(BackboneError, match="names '.*', no safetensors beside it"):
            load_backbone(str(folder))
    names = load_file(folder / "part.safetensors")
    index.write_text(json.dumps({"metadata": {}, "weight_map": dict.fromkeys(names, "part.safetensors")}))
    assert load_backbone(str(folder)).weight_hash


@pytest.mark.parametrize(
    "fields, message",
    [
        ({"transformers_weights": "adapter_model.bin"}, "names other weights"),
        ({"quantization_config": {"quant_method": "gptq"}}, "its weights are quantised"),
        ({"attn_implementation": "somebody/kernels"}, "asks for code from elsewhere"),
        ({"num_hidden_layers": 10**9}, r"num_hidden_layers: 1000000000"),
        ({"num_labels": 10**9}, r"num_labels: 1000000000"),
        ({"num_labels": 10**400}, "num_labels: 10000"),
        ({"vocab_size": 10**11}, "GB of weights, and there are"),
        ({"hidden_size": 10**8, "intermediate_size": 10**8}, "GB of weights, and there are"),
        ({"hidden_size": 10**15}, "hidden_size"),
        ({"max_position_embeddings": 10**10}, "GB of weights, and there are"),
        ({"max_position_embeddings": 1}, "other shapes than its config.json says"),
        ({"num_attention_heads": 0}, "cannot be loaded"),
        ({"hidden_act": "sine"}, "cannot be loaded"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_what_a_configuration_cannot_say(fields, message, folder, no_pickle):
    with pytest.raises(BackboneError, match=message):
        load_backbone(str(changed(folder, **fields)))


def test_a_window_that_every_text_would_be_padded_to(tiny, tmp_path):
    folder = Path(shutil.copytree(tiny("longformer"), tmp_path / "stranger"))
    with pytest.raises(BackboneError, match="attention window of 16000 is wider than its 130 positions"):
        load_backbone(str(changed(folder, attention_window=[16, 16, 16000])))


def test_a_context_length_without_room_for_a_text(folder):
    with pytest.raises(BackboneError, match="a context length of 3 has no room for a text"):
        load_backbone(str(changed(folder, "tokenizer_config.json", model_max_length=3)))


def test_an_adapter_is_not_followed_to_its_model(folder):
    """transformers would fetch the model that an adapter_config.json names, and read its pickle."""
    (folder / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": "somebody/else"}))
    with pytest.raises(BackboneError, match="it holds an adapter, not a model; merge it"):
        load_backbone(str(folder))


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_weights_that_are_no_numbers_are_refused(number, folder):
    tensors = load_file(folder / "model.safetensors")
    tensors["encoder.layer.1.output.dense.bias"][3] = number
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(BackboneError, match="encoder.layer.1.output.dense.bias has NaN or infinite numbers"):
        load_backbone(str(folder))


def test_what_is_on_the_hub_is_fetched_by_name(tiny, monkeypatch):
    """Only safetensors and small texts: no pickle and no code comes onto the disk."""
    asked = []

    def fetch(repository, *, revision, allow_patterns, ignore_patterns):
        asked.extend(allow_patterns)
        return str(tiny("bert"))

    monkeypatch.setattr("huggingface_hub.snapshot_download", fetch)
    assert load_backbone("somebody/bert").id == "somebody/bert"
    assert "model.safetensors" in asked
    assert not {name for name in asked if name.endswith((".bin", ".py", ".pt", "*", "h5"))}


@pytest.mark.parametrize("cut", [0, 20, 200, 2000, 20_000])
def test_a_gguf_file_that_is_cut(cut, tmp_path):
    with embedded_path("smollm2").open("rb") as stream:
        head = stream.read(cut)
    (tmp_path / "model.gguf").write_bytes(head)
    with pytest.raises(BackboneError, match=r"model.gguf: cannot be loaded"):
        load_backbone(str(tmp_path / "model.gguf"))


def test_tiny_models_are_what_they_were(tmp_path):
    """The checks refuse none of them, with an LM head or without."""
    for model_type in ("bert", "albert", "gpt2", "modernbert"):
        folder = save_tiny(model_type, tmp_path / model_type, masked=model_type == "bert")
        assert load_backbone(str(folder)).width == 32
        assert model_type != "gpt2" or load_backbone(str(folder), language_model=True).language_model

"""Backbones: what is loaded, and what is said when it cannot be."""

import json
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModel

from stratune.backbone.load import hash_weights, load_backbone
from stratune.backbone.tokenizer import token_counter
from stratune.errors import BackboneError
from stratune.testing import DECODERS, MODEL_TYPES, save_tiny
from stratune.testing.models import MAX_LENGTH, WIDTH


@pytest.mark.parametrize("family", MODEL_TYPES)
def test_a_folder_is_loaded_bare_in_float32_and_in_eval_mode(family, tiny):
    backbone = load_backbone(str(tiny(family)))
    assert not backbone.model.training
    assert {p.dtype for p in backbone.model.parameters()} == {torch.float32}
    assert backbone.width == WIDTH and backbone.max_length == MAX_LENGTH
    wanted = AutoModel.from_pretrained(tiny(family)).state_dict()
    assert all(torch.equal(tensor, wanted[name]) for name, tensor in backbone.model.state_dict().items())


@pytest.mark.parametrize("family", DECODERS)
def test_decoders_get_a_pad_token(family, tiny):
    backbone = load_backbone(str(tiny(family)))
    pad = backbone.tokenizer.pad_token_id
    assert pad == backbone.tokenizer.eos_token_id == backbone.model.config.pad_token_id
    assert len(backbone.tokenizer) == backbone.model.config.vocab_size, "no token was added"


def test_a_hash_identifies_weights(tiny, tmp_path):
    first, again = (load_backbone(str(tiny("bert"))) for _ in range(2))
    assert first.weight_hash == again.weight_hash == hash_weights(first.model)
    other = load_backbone(str(save_tiny("bert", tmp_path / "other", seed=1)))
    assert other.weight_hash != first.weight_hash
    with torch.no_grad():
        first.model.embeddings.LayerNorm.bias[0] += 1e-7
    assert hash_weights(first.model) != first.weight_hash


@pytest.mark.parametrize(
    "mode, pool",
    [
        ("pooling_mode_cls_token", "first"),
        ("pooling_mode_mean_tokens", "mean"),
        ("pooling_mode_lasttoken", "last"),
    ],
)
def test_a_sentence_transformers_folder_says_how_it_pools(mode, pool, tiny, tmp_path):
    folder = shutil.copytree(tiny("bert"), tmp_path / "bert")
    (folder / "1_Pooling").mkdir()
    (folder / "1_Pooling" / "config.json").write_text(
        json.dumps({mode: True, "pooling_mode_max_tokens": False})
    )
    assert load_backbone(str(folder)).pool == pool


def test_a_tokenizer_may_ask_for_less_than_the_model_takes(tiny, tmp_path):
    folder = shutil.copytree(tiny("bert"), tmp_path / "bert")
    config = json.loads((folder / "tokenizer_config.json").read_text())
    (folder / "tokenizer_config.json").write_text(json.dumps({**config, "model_max_length": 50}))
    assert load_backbone(str(folder)).max_length == 50


@pytest.mark.parametrize("family", MODEL_TYPES)
def test_lengths_are_checked_against_what_the_loaded_model_reads(family, tiny):
    """`data check` asks without loading weights; RoBERTa's table has two rows that are no place."""
    assert token_counter(str(tiny(family)))[1] == load_backbone(str(tiny(family))).max_length


@pytest.mark.parametrize("name", ["./nowhere", "/no/such/folder", "a/b/c"])
def test_a_folder_that_is_not_there(name):
    with pytest.raises(BackboneError, match=r"no such folder .*minilm, smollm2"):
        load_backbone(name)


def test_a_gguf_file_that_is_not_there():
    with pytest.raises(BackboneError, match=r"model.gguf: no such file"):
        load_backbone("model.gguf")


def test_a_model_of_the_hub_without_network():
    with pytest.raises(
        BackboneError, match="nobody/nothing: .*minilm and smollm2 need no network, and neither does a local"
    ):
        load_backbone("nobody/nothing")


def test_an_unknown_kind_of_model(tiny, tmp_path):
    folder = shutil.copytree(tiny("bert"), tmp_path / "model")
    config = json.loads((folder / "config.json").read_text())
    plain = {key: value for key, value in config.items() if key in ("architectures", "vocab_size")}
    (folder / "config.json").write_text(json.dumps({**plain, "model_type": "vit"}))
    with pytest.raises(BackboneError, match="model type 'vit': it reads no token ids"):
        load_backbone(str(folder))


@pytest.mark.parametrize(
    "harm",
    [
        lambda folder: (folder / "model.safetensors").unlink(),
        lambda folder: (folder / "model.safetensors").write_bytes(b"\x10" * 20),
        lambda folder: (folder / "config.json").write_text("{"),
        lambda folder: (folder / "config.json").unlink(),
        lambda folder: (folder / "config.json").write_text('{"model_type": "bert", "hidden_size": "wide"}'),
        lambda folder: (folder / "tokenizer.json").write_text("{}"),
    ],
    ids=[
        "no weights",
        "damaged weights",
        "damaged config",
        "no config",
        "nonsense in config",
        "damaged tokenizer",
    ],
)
def test_a_damaged_folder_is_one_line_not_a_traceback(harm, tiny, tmp_path):
    folder = shutil.copytree(tiny("bert"), tmp_path / "model")
    harm(folder)
    with pytest.raises(BackboneError, match=f"^{folder}: cannot be loaded: .+") as raised:
        load_backbone(str(folder))
    assert "\n" not in str(raised.value)


def test_weights_that_lack_a_tensor_are_refused(tiny, tmp_path):
    """transformers would fill it with random numbers, and say so where nobody looks."""
    folder = shutil.copytree(tiny("bert"), tmp_path / "model")
    tensors = load_file(folder / "model.safetensors")
    del tensors["encoder.layer.1.output.dense.bias"]
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(
        BackboneError, match="its weights lack 1 tensors, encoder.layer.1.output.dense.bias among them"
    ):
        load_backbone(str(folder))

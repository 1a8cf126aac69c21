"""How weights are held: what they take of memory, and that what they compute stays as it was."""

import json

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn
from transformers.pytorch_utils import Conv1D

from stratune.backbone import load as load_module
from stratune.backbone import nf4
from stratune.backbone.held import hold, is_packed, numbers_in
from stratune.backbone.inputs import model_inputs
from stratune.backbone.load import Automatic, load_backbone
from stratune.errors import ArtifactError, ConfigError, UnsupportedError
from stratune.export.hf import export_hf
from stratune.fitting.fit import fit, train
from stratune.predictor import readers
from stratune.predictor.predictor import Predictor
from stratune.strategy import parse_strategy
from stratune.testing import MODEL_TYPES, save_tiny, toy_split
from stratune.testing.nets import net_of
from stratune.testing.sized import SHAPES, save_llama
from stratune.train.settings import Budget, TrainSettings

TEXTS = ["the old cat saw the house", "rain and snow near the street"]


def half(family, folder):
    """A tiny model whose weights are stored in bfloat16."""
    save_tiny(family, folder)
    file = folder / "model.safetensors"
    tensors = {n: t.bfloat16() if t.is_floating_point() else t for n, t in load_file(file).items()}
    save_file(tensors, file, metadata={"format": "pt"})
    return str(folder)


def states(backbone):
    ids = torch.arange(20, 30)[None]
    inputs = model_inputs(backbone.family, torch.ones_like(ids), None)
    with torch.no_grad():
        return backbone.model(input_ids=ids, **inputs).last_hidden_state.float()


def bytes_of(model):
    tensors = [*model.parameters(), *model.buffers()]
    return sum(tensor.nbytes for tensor in {id(t): t for t in tensors}.values())


@pytest.mark.parametrize("family", MODEL_TYPES)
def test_weights_stored_in_bfloat16_compute_the_same_from_half_the_memory(family, tmp_path):
    folder = half(family, tmp_path / "model")
    whole, held = load_backbone(folder), load_backbone(folder, weights="bfloat16")
    assert held.held == "bfloat16" and held.weight_hash == whole.weight_hash
    assert torch.allclose(states(held), states(whole), atol=1e-6)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(states(held), states(whole))
    assert numbers_in(held.model) == sum(p.numel() for p in whole.model.parameters())
    assert bytes_of(held.model) < 0.65 * bytes_of(whole.model)
    vectors = {p.dtype for p in held.model.parameters() if p.dim() == 1}
    assert vectors == {torch.float32}


@pytest.mark.parametrize("family", ["bert", "gpt2", "llama", "albert"])
@pytest.mark.parametrize("how, most", [("int8", 0.57), ("nf4", 0.32)])
def test_packed_weights_are_near_those_they_are_made_of(family, how, most, tiny):
    whole, held = load_backbone(str(tiny(family))), load_backbone(str(tiny(family)), weights=how)
    assert held.weight_hash == whole.weight_hash
    assert numbers_in(held.model) == sum(p.numel() for p in whole.model.parameters())
    packed = [module for module in held.model.modules() if getattr(module, "held", None) == how]
    assert packed and all(is_packed(module.weight) for module in packed)
    assert (
        sum(m.weight.nbytes + m.scales.nbytes for m in packed)
        < most * sum(2 * m.shape.numel() for m in packed) + 600
    )
    named = dict(whole.model.named_modules())
    for name, module in held.model.named_modules():
        if module in packed:
            wanted, found = named[name].weight, module.matrix(torch.float32)
            step = wanted.abs().amax(dim=int(not module.transposed), keepdim=True) / 127
            error = (found - wanted).abs()
            assert (
                (error <= step / 2 * 1.001).all()
                if how == "int8"
                else error.max() < 0.16 * wanted.abs().max()
            )


@pytest.mark.parametrize("layer", [nn.Linear(64, 32), nn.Linear(64, 32, bias=False), Conv1D(32, 64)])
@pytest.mark.parametrize("how", ["bfloat16", "int8", "nf4"])
@pytest.mark.parametrize("at_once", [2**24, 300])
def test_gradients_pass_through_without_an_unpacked_copy(layer, how, at_once, monkeypatch):
    monkeypatch.setattr("stratune.backbone.held.MOST_UNPACKED", at_once)
    torch.manual_seed(0)

    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.words, self.block = nn.Embedding(8, 64), type(layer).__new__(type(layer))
            self.block.__dict__ = {**layer.__dict__, "_parameters": {**layer._parameters}}
            self.block.weight = nn.Parameter(layer.weight.detach().clone(), False)

        def get_input_embeddings(self):
            return self.words

    model = Model()
    hold(model, [model.block], how)
    matrix = model.block.matrix(torch.float32).clone()
    matrix = matrix if model.block.transposed else matrix.T
    x = torch.randn(3, 5, 64, requires_grad=True)
    kept = []
    with torch.autograd.graph.saved_tensors_hooks(lambda t: kept.append(t.numel()) or t, lambda t: t):
        found = model.block(x)
    assert max(kept, default=0) < matrix.numel()
    bias = 0 if model.block.bias is None else model.block.bias
    assert torch.allclose(found, x @ matrix + bias, atol=1e-5)
    gradient = torch.randn_like(found)
    (slope,) = torch.autograd.grad(found, x, gradient)
    assert torch.allclose(slope, gradient @ matrix.T, atol=1e-5)


def test_code_that_takes_packed_weights_for_a_matrix_fails(tiny):
    held = load_backbone(str(tiny("llama")), weights="int8")
    weight = held.blocks[0].mlp.up_proj.weight
    with pytest.raises(RuntimeError, match="size mismatch"):
        torch.nn.functional.linear(torch.ones(1, held.width), weight.float())


def test_what_automatic_means(tiny, tmp_path, monkeypatch):
    stored = half("llama", tmp_path / "model")

    def held(folder, computes_in):
        return load_backbone(str(folder), weights=Automatic(computes_in)).held

    assert held(stored, "float32") == "float32" and held(stored, "bfloat16") == "bfloat16"
    assert held(tiny("llama"), "bfloat16") == "float32", "stored in float32: nothing is rounded"
    monkeypatch.setattr(load_module, "available_memory", lambda: 1000)
    assert held(stored, "float32") == "bfloat16" and held(tiny("llama"), "float32") == "float32"


@pytest.mark.parametrize("family", ["gemma2", "xglm"])
def test_tables_that_a_model_computes_are_those_of_float32(family, tmp_path):
    folder = half(family, tmp_path / "model")
    whole, held = load_backbone(folder), load_backbone(folder, weights="bfloat16")
    computed = dict(held.model.named_buffers())
    assert computed
    for name, buffer in whole.model.named_buffers():
        assert torch.equal(computed[name], buffer), name


# -- techniques on them


SHORT = {"name": "short", "task": "{labels}", "row": "{text}", "answer": "= {label}", "chat": False}
ASKED = {"preset": "zero_shot", "readout": {"template": SHORT}}


def fitted(spec, folder, weights, **options):
    split = toy_split(rows=48)
    settings = TrainSettings(precision="float32", weights=weights, **options)
    return fit(spec, folder, split.task, split, Budget(epochs=2), settings=settings)


@pytest.mark.parametrize("how", ["bfloat16", "int8", "nf4"])
@pytest.mark.parametrize("spec", ["lora", "houlsby", "soft_prompt", "prefix", ASKED, "probe", "ia3"])
def test_a_model_on_held_weights_is_saved_and_comes_back(spec, how, tmp_path):
    folder = half("llama", tmp_path / "backbone")
    split, settings = toy_split(rows=48), TrainSettings(precision="float32", weights=how)
    run = train(parse_strategy(spec), folder, split.task, split, Budget(epochs=2), 0, settings=settings)
    predictor = run.predictor
    assert (f"the weights of {folder} are held in {how}" in run.notes) == (how != "bfloat16")
    trained = list(net_of(predictor.model).trainable().values())
    assert all(p.dtype == torch.float32 for p in trained)
    saved = predictor.save(tmp_path / "model")
    assert json.loads((saved / "stratune.json").read_text())["backbone"]["held"] == how
    again = Predictor.load(saved)
    assert net_of(again.model).backbone.held == how
    np.testing.assert_allclose(again.predict_proba(TEXTS), predictor.predict_proba(TEXTS), atol=1e-5)


def test_what_is_trained_is_float32_from_the_first_step_on(tmp_path):
    folder = half("llama", tmp_path / "backbone")
    for spec in ("full", "partial"):
        whole, held = (fitted(spec, folder, how).predict_proba(TEXTS) for how in ("float32", "bfloat16"))
        np.testing.assert_allclose(held, whole, atol=1e-5)


@pytest.mark.parametrize("spec", ["full", "partial"])
def test_packed_weights_are_not_trained(spec, tiny):
    with pytest.raises(
        UnsupportedError, match="they are held in nf4; use lora, or `train.weights: bfloat16`"
    ):
        fitted(spec, str(tiny("llama")), "nf4")


def test_a_model_is_not_read_onto_weights_held_otherwise(tiny, tmp_path):
    saved = fitted("lora", str(tiny("llama")), "int8").save(tmp_path / "model")
    with pytest.raises(ArtifactError, match="weights held in int8, and the given backbone's are in float32"):
        Predictor.load(saved, backbone=load_backbone(str(tiny("llama"))))


def test_what_is_exported(tmp_path):
    folder = half("llama", tmp_path / "backbone")
    with pytest.raises(UnsupportedError, match="its weights are held in nf4"):
        export_hf(fitted("lora", folder, "nf4"), tmp_path / "nf4")
    exported = export_hf(fitted("lora", folder, "bfloat16"), tmp_path / "bfloat16")  # compares by itself
    assert {t.dtype for t in load_file(exported / "model.safetensors").values()} == {torch.float32}


def test_another_format_is_refused():
    with pytest.raises(
        ConfigError, match="train.weights: 'int4' is not one of auto, float32, bfloat16, int8, nf4"
    ):
        TrainSettings(weights="int4")


# As bitsandbytes has them (functional.py, get_4bit_type)
LEVELS = [
    *(-1.0, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453, -0.28444138169288635),
    *(-0.18477343022823334, -0.09105003625154495, 0.0, 0.07958029955625534, 0.16093020141124725),
    *(
        0.24611230194568634,
        0.33791524171829224,
        0.44070982933044434,
        0.5626170039176941,
        0.7229568362236023,
        1.0,
    ),
]


def test_levels_of_nf4_are_those_of_the_paper():
    np.testing.assert_allclose(nf4.levels().numpy(), LEVELS, atol=1e-6)


@pytest.mark.parametrize("shape", [(64, 2), (3, 5), (1, 129), (7, 64)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_each_number_becomes_the_nearest_level_of_its_block(shape, dtype):
    torch.manual_seed(0)
    weight = torch.randn(shape)
    given, scales = nf4.packed(weight)
    assert given.dtype == torch.uint8 and len(given) == 32 * len(scales) == 32 * -(-weight.numel() // 64)
    found = nf4.unpacked(given, scales, torch.empty(shape, dtype=dtype)).float().reshape(-1).numpy()
    for start in range(0, weight.numel(), 64):
        block = weight.reshape(-1)[start : start + 64].numpy()
        wanted = np.abs(block).max() * np.array(LEVELS)
        nearest = wanted[np.abs(block[:, None] - wanted).argmin(axis=1)]
        np.testing.assert_allclose(
            found[start : start + 64], nearest, rtol=1e-2 if dtype == torch.bfloat16 else 1e-5
        )


def test_zeros_stay_zeros():
    given, scales = nf4.packed(torch.zeros(8, 8))
    assert not nf4.unpacked(given, scales, torch.empty(8, 8)).any()


def test_a_loaded_backbone_is_not_held_in_another_way_in_silence(tiny):
    split, backbone = toy_split(), load_backbone(str(tiny("bert")), weights="int8")
    said = "train.weights: nf4, and the given backbone's are held in int8"
    with pytest.raises(ConfigError, match=said):
        fit("probe", backbone, split.task, split, settings=TrainSettings(weights="nf4"))
    for settings in (TrainSettings(), TrainSettings(weights="int8")):
        predictor = fit("probe", backbone, split.task, split, settings=settings)
        assert net_of(predictor.model).backbone.held == "int8"


# -- no second copy


@pytest.mark.parametrize("spec", ["lora", "probe", "houlsby"])
def test_saving_loads_no_second_backbone_where_the_first_is_as_it_was(spec, tiny, tmp_path, monkeypatch):
    predictor = fitted(spec, str(tiny("bert")), "auto")
    monkeypatch.setattr(readers, "load_backbone", None)
    predictor.save(tmp_path / "model")
    monkeypatch.undo()
    again = Predictor.load(tmp_path / "model")
    np.testing.assert_allclose(again.predict_proba(TEXTS), predictor.predict_proba(TEXTS), atol=1e-6)


def test_nothing_is_saved_where_frozen_weights_have_changed(tiny, tmp_path):
    predictor = fitted("lora", str(tiny("bert")), "auto")
    with torch.no_grad():
        next(iter(predictor.model.net.backbone.model.parameters()))[0, 0] += 1
    with pytest.raises(ArtifactError, match="which were to stay as they are, have changed"):
        predictor.save(tmp_path / "model")
    assert not (tmp_path / "model").exists()


# -- models of any size


def test_a_model_of_any_shape_is_written_and_loaded(tmp_path):
    width, blocks, heads, keys, inner = shape = (64, 2, 4, 2, 96)
    folder = save_llama(tmp_path / "model", shape, vocabulary=400)
    backbone = load_backbone(str(folder), language_model=True, weights="bfloat16")
    head = width // heads
    block = 2 * width * width + 2 * keys * head * width + 3 * width * inner + 2 * width
    assert numbers_in(backbone.model) == 400 * width + width + blocks * block
    stored = sum(path.stat().st_size for path in folder.glob("*.safetensors"))
    assert stored == pytest.approx(2 * numbers_in(backbone.model), rel=0.1)
    assert {"1b", "8b"} <= SHAPES.keys()

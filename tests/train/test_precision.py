"""What the forward pass computes in: asked for, or what the hardware multiplies natively."""

import pytest
import torch

from stratune.errors import ConfigError
from stratune.train import precision
from stratune.train.precision import resolve
from stratune.train.runtime import Runtime, autocast
from stratune.train.settings import TrainSettings

CPU = torch.device("cpu")


@pytest.mark.parametrize("wanted, native, found", [
    ("auto", True, "bfloat16"),
    ("auto", False, "float32"),
    ("float32", True, "float32"),
    ("bfloat16", False, "bfloat16"),
    ("float16", True, "float16"),
])  # fmt: skip
def test_auto_asks_the_hardware_and_others_are_taken_at_their_word(wanted, native, found, monkeypatch):
    monkeypatch.setattr(precision, "has_bfloat16", lambda device: native)
    assert resolve(wanted, CPU) == found


@pytest.mark.parametrize(
    "capability, found",
    [((9, 0), "bfloat16"), ((8, 0), "bfloat16"), ((7, 5), "float16"), ((6, 1), "float32")],
)
def test_cards_before_ampere_only_emulate_bfloat16(capability, found, monkeypatch):
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)
    assert resolve("auto", torch.device("cuda")) == found


@pytest.mark.parametrize("flags, found", [
    ({"sse", "avx512_bf16"}, "bfloat16"),
    ({"amx_bf16"}, "bfloat16"),
    ({"bf16", "asimd"}, "bfloat16"),
    ({"avx2", "avx512f"}, "float32"),
])  # fmt: skip
def test_processors_by_their_flags(flags, found, monkeypatch):
    monkeypatch.setattr(precision, "_cpu_flags", lambda: flags)
    assert resolve("auto", CPU) == found


def test_a_misspelt_precision_is_refused_with_the_choices():
    with pytest.raises(
        ConfigError,
        match=r"train.precision: 'bfloat' is not one of auto, bfloat16, float16, float32 \(did you mean",
    ):
        TrainSettings(precision="bfloat")


@pytest.mark.parametrize("how, dtype", [("bfloat16", torch.bfloat16), ("float32", torch.float32)])
def test_autocast_does_what_the_precision_says(how, dtype):
    linear = torch.nn.Linear(4, 4)
    with autocast(Runtime(CPU, how)):
        assert linear(torch.ones(1, 4)).dtype == dtype
    assert linear.weight.dtype == torch.float32

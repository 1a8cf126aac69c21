"""Every preset, on every family it can run on, through every check of the contract."""

import pytest

from stratune.errors import BackboneError, UnsupportedError
from stratune.strategy import BASELINES, PRESETS
from stratune.testing import CHECKS, DECODERS, MODEL_TYPES, contract

# What cannot be, and words of the reason a user reads.
UNSUPPORTED = {
    ("prefix", "deberta-v2"): "computes its attention itself; use lora, houlsby or soft_prompt",
    ("prefix+words", "deberta-v2"): "computes its attention itself; use lora, houlsby or soft_prompt",
    **{
        (preset, family): "computes its attention itself; use lora, houlsby or soft_prompt"
        for preset in ("prefix", "prefix+words")
        for family in ("longformer", "big_bird")
    },
    ("partial", "albert"): "one set of weights as every block.*use probe, lora or full",
    **{
        ("bitfit", family): "has no biases; use lora"
        for family in ("modernbert", "llama", "mistral", "qwen3")
    },
}
# The loop is the same for all families: how seeds and label names go through it is tried on one of each kind.
ONE_OF_EACH_KIND = ("bert", "deberta-v2", "gpt2", "llama")
ABOUT_THE_LOOP = (contract.check_seed_decides, contract.check_labels_go_by_name, contract.check_task_kinds)

# One of peft's many stands for the rest here; tests/strategy/test_ia3_and_peft.py tries more. A tiny model
# reads 128 tokens, nearly all of them letters: no room for the templates of the presets that ask.
SHORT = {"row": "{text}", "answer": ": {label}", "chat": False}
SPECS = {
    "peft:<method>": "peft:vera",
    "zero_shot": {"preset": "zero_shot", "readout": {"template": SHORT}},
    "few_shot": {"preset": "few_shot", "readout": {"template": SHORT, "shots": 1}},
    "completion": {"preset": "completion", "readout": {"template": SHORT}},
    "prefix+words": {"preset": "prefix+words", "readout": {"template": SHORT}},
    "soft_prompt+words": {
        "preset": "soft_prompt+words",
        "length": 4,
        "learning_rate": 3e-2,
        "readout": {"template": SHORT},
    },
}
ASKING = ("zero_shot", "few_shot", "completion", "prefix+words", "soft_prompt+words")

CELLS = [
    pytest.param(SPECS.get(preset, preset), family, check, id=f"{preset}-{family}-{check.__name__}")
    for family in MODEL_TYPES
    for preset in [*PRESETS, *(asking for asking in ASKING if asking not in PRESETS)]
    for check in CHECKS  # innermost, so that they share a training
    if (preset, family) not in UNSUPPORTED and (check not in ABOUT_THE_LOOP or family in ONE_OF_EACH_KIND)
]


def place(preset, family, tiny):
    """Encoders that are asked fill in masks."""
    name = preset if isinstance(preset, str) else preset["preset"]
    return tiny(family, masked=True) if name in ASKING and family not in DECODERS else tiny(family)


@pytest.mark.parametrize("preset, family, check", CELLS)
def test_preset_keeps_the_contract(preset, family, check, tiny, tmp_path):
    check(preset, place(preset, family, tiny), tmp_path)


# `mean` is the floor of regressions, and the contract's shared training has labels.
WITHOUT_TRAINING = (
    contract.check_default_constructible,
    contract.check_settings_round_trip,
    contract.check_task_kinds,
)
OF_FLOORS = [
    pytest.param(floor, check, id=f"{floor}-{check.__name__}")
    for floor in BASELINES
    for check in (WITHOUT_TRAINING if floor == "mean" else CHECKS)
]


@pytest.mark.parametrize("floor, check", OF_FLOORS)
def test_floor_keeps_the_contract(check, floor, tmp_path):
    check(floor, None, tmp_path)


@pytest.mark.parametrize("preset, family", UNSUPPORTED, ids="-".join)
def test_what_cannot_be_is_refused_with_a_reason(preset, family, tiny):
    folder = place(preset, family, tiny)
    with pytest.raises(UnsupportedError, match=UNSUPPORTED[preset, family]) as raised:
        contract.run(SPECS.get(preset, preset), folder)
    assert str(raised.value).startswith(f"{preset.removesuffix('+words')} cannot run on {folder}: ")


@pytest.mark.parametrize("preset", ASKING)
def test_an_encoder_without_a_layer_that_says_words_cannot_be_asked(preset, tiny):
    with pytest.raises(BackboneError, match="its weights lack .* of a language model"):
        contract.run(SPECS[preset], tiny("bert"))

"""Every preset, on every family it can run on, through every check of the contract."""

import pytest

from stratune.errors import BackboneError, UnsupportedError
from stratune.strategy import BASELINES, COMBINATIONS, PRESETS
from stratune.testing import DECODERS, MODEL_TYPES, checks_of, contract

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
ABOUT_THE_LOOP = (
    contract.check_seed_decides,
    contract.check_labels_go_by_name,
    contract.check_task_kinds,
    contract.check_calibration_moves_no_label,
)

# One of peft's many stands for the rest here; tests/strategy/test_ia3_and_peft.py tries more. A tiny model
# reads 128 tokens, nearly all of them letters: no room for the templates of the presets that ask.
SHORT = {"row": "{text}", "answer": ": {label}", "chat": False}
# First tokens that random decoders write: some of their answers are labels, and some are not.
WRITTEN = {"animal": ["c", "dy", "a", "\N{REPLACEMENT CHARACTER}"], "weather": ["3", "r", "s", "v", "z"]}
WRITES = {"template": SHORT, "words": WRITTEN, "max_new_tokens": 1}
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
    "zero_shot+generate": {"preset": "zero_shot+generate", "readout": WRITES},
    "completion+generate": {"preset": "completion+generate", "readout": WRITES},
}
ASKING = ("zero_shot", "few_shot", "completion", "prefix+words", "soft_prompt+words")
# Weights are trained for `generate` as for `words`; what differs is how an answer is written.
WRITING = {"zero_shot+generate": DECODERS, "completion+generate": ("llama",)}


# Pairs whose texts are encoded apart: what is frozen whole, in part, not at all; and virtual tokens.
APART = {
    "probe+two_tower": MODEL_TYPES,
    "partial+two_tower": ("bert", "llama"),
    "full+two_tower": ("bert", "deberta-v2", "modernbert"),
    "lora+two_tower": ("bert", "llama"),
    "prefix+two_tower": ("bert",),
    "soft_prompt+two_tower": ("gpt2",),
}
SOME = {**WRITING, **APART}


def spec_of(preset):
    return SPECS.get(preset, preset)


def cells_of(presets, family):
    """A check of the options alone is made once, with the first family that a preset runs on."""
    for preset in presets:
        for check in checks_of(spec_of(preset)):  # innermost, so that they share a training
            if check in ABOUT_THE_LOOP and family not in ONE_OF_EACH_KIND:
                continue
            if not check.alone or family == SOME.get(preset, MODEL_TYPES)[0]:
                yield pytest.param(spec_of(preset), family, check, id=f"{preset}-{family}-{check.__name__}")


OF_NETS = [*PRESETS, *(asking for asking in ASKING if asking not in PRESETS)]
CELLS = [
    cell
    for family in MODEL_TYPES
    for cell in cells_of(
        [
            *(preset for preset in OF_NETS if (preset, family) not in UNSUPPORTED),
            *(preset for preset, families in SOME.items() if family in families),
        ],
        family,
    )
]


def place(preset, family, tiny):
    """Encoders that are asked fill in masks."""
    name = preset if isinstance(preset, str) else preset["preset"]
    return tiny(family, masked=True) if name in ASKING and family not in DECODERS else tiny(family)


@pytest.mark.parametrize("preset, family, check", CELLS)
def test_preset_keeps_the_contract(preset, family, check, tiny, tmp_path):
    check(preset, place(preset, family, tiny), tmp_path)


# `mean` is the baseline of regressions, and the contract's shared training has labels.
WITHOUT_TRAINING = (
    contract.check_default_constructible,
    contract.check_settings_round_trip,
    contract.check_task_kinds,
)
OF_BASELINES = [
    pytest.param(baseline, check, id=f"{baseline}-{check.__name__}")
    for baseline in BASELINES
    for check in (WITHOUT_TRAINING if baseline == "mean" else checks_of(baseline))
]


@pytest.mark.parametrize("baseline, check", OF_BASELINES)
def test_baseline_keeps_the_contract(check, baseline, tmp_path):
    check(baseline, None, tmp_path)


# An ensemble of a baseline and two nets, and a soup of tensors that peft keeps.
MADE_OF_RUNS = {"soup": {"preset": "soup", "of": ["lora"]}}
OF_COMBINATIONS = [
    pytest.param(MADE_OF_RUNS.get(name, name), check, id=f"{name}-{check.__name__}")
    for name in COMBINATIONS
    for check in checks_of(name)
]


@pytest.mark.parametrize("combination, check", OF_COMBINATIONS)
def test_combination_keeps_the_contract(combination, check, tiny, tmp_path):
    check(combination, tiny("bert"), tmp_path)


@pytest.mark.parametrize("preset, family", UNSUPPORTED, ids="-".join)
def test_what_cannot_be_is_refused_with_a_reason(preset, family, tiny):
    folder = place(preset, family, tiny)
    with pytest.raises(UnsupportedError, match=UNSUPPORTED[preset, family]) as raised:
        contract.run(spec_of(preset), folder)
    assert str(raised.value).startswith(f"{preset.removesuffix('+words')} cannot run on {folder}: ")


@pytest.mark.parametrize("preset", ASKING)
def test_an_encoder_without_a_layer_that_says_words_cannot_be_asked(preset, tiny):
    with pytest.raises(BackboneError, match="its weights lack .* of a language model"):
        contract.run(SPECS[preset], tiny("bert"))

"""The presets that ask: readout `words`, with nothing that learns or with LoRA."""

from __future__ import annotations

from stratune.readout.words import Words
from stratune.strategy.base import PRESETS, Preset
from stratune.strategy.lora import Lora
from stratune.strategy.unfreeze import Untuned
from stratune.train.settings import Recipe

PRESETS["zero_shot"] = Preset(
    Untuned, {}, Recipe(), "Ask the language model: the probability of each label's words.", Words()
)
PRESETS["few_shot"] = Preset(
    Untuned,
    {},
    Recipe(),
    "The same with 8 labelled rows of the training part shown before the question.",
    Words(template="demonstrations", shots=8),
)
PRESETS["completion"] = Preset(
    Lora,
    {},
    Recipe(learning_rate=5e-4, batch_size=16),
    "Prompt-completion tuning: LoRA learns to answer the question with the label's words.",
    Words(),
)

"""The presets that ask: readout `words`, with nothing that is trained or with LoRA."""

from __future__ import annotations

from stratune.readout.words import Words
from stratune.strategy.lora import Lora
from stratune.strategy.registry import register
from stratune.strategy.unfreeze import Untuned
from stratune.train.settings import Recipe

register(
    "none",
    preset="zero_shot",
    readout=Words(),
    about="Ask the language model: the probability of each label's words.",
)(Untuned)
register(
    "none",
    preset="few_shot",
    readout=Words(template="demonstrations", shots=8),
    about="The same with 8 labelled rows of the training part shown before the question.",
)(Untuned)
register(
    "lora",
    preset="completion",
    recipe=Recipe(learning_rate=5e-4, batch_size=16),
    readout=Words(),
    about="Prompt-completion tuning: LoRA is trained to answer the question with the label's words.",
)(Lora)

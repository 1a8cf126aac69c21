"""Short ways to a tokenizer, a renderer and a reader, for the tests of prompts."""

from dataclasses import replace

from stratune.backbone.tokenizer import load_tokenizer
from stratune.prompt.reader import PromptReader
from stratune.prompt.render import Renderer
from stratune.prompt.template import find_template
from stratune.tokens.tokens import TextLimit

LABELS = ("animal", "weather")
SHORT = {"row": "{text}", "answer": ": {label}"}  # tiny models read 128 tokens, most of them single bytes
SHORT_PAIR = {"row": "{text} / {pair}", "answer": ": {label}"}

CHATML = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
NO_SYSTEM = (
    "{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}"
    + CHATML
)


def model_of(folder, *, chat=None, max_length=None):
    """What is known of a tiny model without its weights; `chat` becomes its chat template."""
    model = load_tokenizer(str(folder))
    model.tokenizer.chat_template = chat
    return replace(model, max_length=max_length or model.max_length)


def renderer_of(template, tokenizer=None, *, labels=LABELS, shots=()):
    return Renderer(find_template(template).for_labels(labels), tuple(labels), tokenizer, tuple(shots))


def reader_of(model, template=SHORT, *, labels=LABELS, shots=(), **limit):
    renderer = renderer_of(template, model.tokenizer, labels=labels, shots=shots)
    return PromptReader(model, renderer, TextLimit(**limit))

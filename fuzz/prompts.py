"""Prompt templates of users and chat templates of models, damaged and hostile: `prompt show` renders them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from random import Random

from fuzz.case import Case
from fuzz.trees import as_yaml, damaged_tree

SOUND = {
    "name": "own",
    "about": "A template.",
    "system": "You label texts. Labels: {labels}.",
    "task": "What is it about?\n{descriptions}",
    "row": "Text: {text}",
    "answer": "Label: {label}",
    "words": {"animal": ["cat", "dog"], "weather": ["rain"]},
    "descriptions": {"animal": "animals", "weather": "the weather"},
    "shots": [{"text": "the cat saw the dog", "label": "animal"}],
    "chat": None,
}
# What a chat template of a stranger may hold: loops, bombs, ways out of the sandbox.
CHATS = (
    "{% for message in messages %}{{ message.content }}\n{% endfor %}",
    "{% for i in range(1000000000) %}{% endfor %}",
    "{% for i in range(100000) %}{% for j in range(100000) %}x{% endfor %}{% endfor %}",
    "{{ 'x' * 10**10 }}",
    "{{ ('x' * 100000) | center(1000000000) }}",
    "{{ 9**9**9 }}",
    "{{ ''.__class__.__mro__ }}",
    "{{ cycler.__init__.__globals__.os.system('touch ran') }}",
    "{{ messages.__class__.__base__.__subclasses__() }}",
    "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "{% include 'x' %}",
    "{% extends 'x' %}",
    "{{ raise_exception('\\x1b[31mno\\n\\n') }}",
    "{{ undefined.attribute }}",
    "{{ 1 / 0 }}",
    "{% for",
    "{{ messages[99].content }}",
    "{{ namespace(a=1).a.b.c }}",
    "{{ '%d' | format('x') }}",
    "{{ strftime_now('%Y' * 100000) }}",
    "",
    "\x1b[2J{{ messages }}",
    "{{ 'x' }}" * 2_000,
    "{{ " + "(" * 3_000 + ")" * 3_000 + " }}",
    "{{ messages | sort(attribute='a.b') }}",
)
BASES = ("template.yaml", "./template.yaml", "other.yaml", "baseline", "../x", "", "/dev/zero", "/etc/passwd")


def prompts(random: Random, folder: Path, base: Path) -> Case:
    if random.random() < 0.35:
        return _chat(random, folder, base)
    tree = damaged_tree(SOUND, random) if random.random() < 0.85 else dict(SOUND)
    if isinstance(tree, dict) and random.random() < 0.2:
        tree["base"] = random.choice(BASES)
    (folder / "template.yaml").write_bytes(as_yaml(tree, random))
    (folder / "other.yaml").write_text("name: other\nbase: template.yaml\n", encoding="utf-8")
    return _shown("template.yaml", random.choice((base / "backbones" / "llama", base / "backbones" / "bert")))


def _chat(random: Random, folder: Path, base: Path) -> Case:
    shutil.copytree(base / "backbones" / "llama", folder / "model")
    chat = random.choice(CHATS)
    if random.random() < 0.5:
        (folder / "model" / "chat_template.jinja").write_text(chat, encoding="utf-8")
    else:
        path = folder / "model" / "tokenizer_config.json"
        tree = json.loads(path.read_text(encoding="utf-8"))
        tree["chat_template"] = random.choice(
            (chat, chat, {"default": chat}, [{"name": "default", "template": chat}], [chat])
        )
        path.write_text(json.dumps(tree), encoding="utf-8")
    return _shown(random.choice(("baseline", "instructed")), folder / "model")


def _shown(template: str, model: Path) -> Case:
    options = ("--labels", "animal,weather", "--llm", str(model), "--text", "the cat saw rain")
    return Case(("prompt", "show", template, *options))

"""Chat templates of strangers: whatever they do, a prompt takes a moment, or is refused in one line."""

import copy
import time

import pytest
from jinja2.exceptions import TemplateError

from stratune.errors import BackboneError
from stratune.prompt import chat
from stratune.prompt.chat import render_chat
from tests.prompt.asking import CHATML, NO_SYSTEM, model_of

MESSAGES = [{"role": "system", "content": "One of a, b."}, {"role": "user", "content": "rain \ud800 {{ 1 }}"}]
LOOP = "{% for a in range(99999) %}" * 3 + "x" + "{% endfor %}" * 3
DOUBLE = (
    "{% set n = namespace(s='xx') %}{% for i in range(60) %}{% set n.s = n.s ~ n.s %}{% endfor %}{{ n.s }}"
)


@pytest.fixture
def tokenizer(tiny):
    return copy.deepcopy(model_of(tiny("llama")).tokenizer)


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(chat, "SECONDS", 1)


@pytest.mark.parametrize("template", [CHATML, NO_SYSTEM], ids=["with system", "without"])
def test_a_prompt_is_what_transformers_makes(template, tokenizer):
    tokenizer.chat_template = template
    try:
        wanted = tokenizer.apply_chat_template(MESSAGES, tokenize=False, add_generation_prompt=True)
    except TemplateError:  # no system role: its text comes before the user's
        joined = [{"role": "user", "content": f"{MESSAGES[0]['content']}\n\n{MESSAGES[1]['content']}"}]
        wanted = tokenizer.apply_chat_template(joined, tokenize=False, add_generation_prompt=True)
    assert render_chat(tokenizer, MESSAGES) == wanted
    assert [render_chat(tokenizer, MESSAGES) for _ in range(3)] == [wanted] * 3


@pytest.mark.parametrize(
    "template, message",
    [
        (LOOP, "takes more than 1 s or 1024 MB"),
        ("{{ 'x'.upper()|center(99999999999) }}", "fails: MemoryError|takes more"),
        ("{{ 'x' * 10**11 }}", "fails: MemoryError|takes more"),
        (DOUBLE, "fails: MemoryError|takes more"),
        ("{{ 10 ** (10 ** 9) }}", "takes more"),
        ("{{ ('%%%dd' % 200000000) % 1 }}", "makes 200000000 characters|fails|takes more"),
        ("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "fails: maximum recursion depth|takes more"),
        ("{{ messages[0]['role'].__class__.__mro__ }}{{ x.y.z }}", "fails: "),
        ("{% for", "fails: "),
        ("{{ raise_exception('no\n\x1b[2Jsuch') }}", "fails: no"),
    ],
    ids=range(10),
)
def test_a_template_that_takes_more_than_a_prompt_needs(template, message, tokenizer):
    tokenizer.chat_template = template
    start = time.process_time()
    with pytest.raises(BackboneError, match=f"its chat template ({message})") as raised:
        render_chat(tokenizer, MESSAGES)
    assert time.process_time() - start < 1  # of ours: the child's time is bounded by the system
    assert "\n" not in str(raised.value) and len(str(raised.value)) <= 480
    tokenizer.chat_template = CHATML  # the tokenizer's next template gets a child of its own
    assert "rain" in render_chat(tokenizer, MESSAGES)


def test_a_template_may_behave_until_a_row_comes(tokenizer):
    """So that no trial before the run would find it."""
    tokenizer.chat_template = "{% if 'now' in messages[0].content %}" + LOOP + "{% endif %}ok"
    rows = [[{"role": "user", "content": text}] for text in ("a", "now", "b")]
    assert render_chat(tokenizer, rows[0]) == "ok"
    with pytest.raises(BackboneError, match="takes more than 1 s"):
        render_chat(tokenizer, rows[1])
    assert render_chat(tokenizer, rows[2]) == "ok"


def test_no_child_is_left(tokenizer):
    import multiprocessing
    import os
    from pathlib import Path

    def children():
        return set(Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split())

    before = children()
    tokenizer.chat_template = CHATML
    render_chat(tokenizer, MESSAGES)
    assert len(children() - before) == 1
    chat._templates.pop(tokenizer)
    assert not children() - before and not multiprocessing.active_children()

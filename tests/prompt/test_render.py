"""Prompts as the model gets them, whole strings."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stratune.errors import ConfigError
from stratune.prompt.template import Shot
from tests.prompt.asking import CHATML, LABELS, NO_SYSTEM, model_of, renderer_of

FULL = {
    "system": "You know {labels}.",
    "task": "One of:\n{descriptions}",
    "row": "Text: {text}",
    "answer": "Class: {label}",
    "words": {"animal": ["beast", "cat"]},
    "descriptions": {"animal": "it breathes", "weather": "it falls"},
}
PAIR = {"row": "{text} | {pair}", "answer": "Same? {label}"}
SHOTS = [Shot("it rained", "weather"), Shot("a mouse", "animal")]


@pytest.fixture
def chat(tiny):
    return model_of(tiny("qwen2"), chat=CHATML).tokenizer


def test_plain_text_is_system_task_demonstrations_and_question():
    assert renderer_of(FULL, shots=SHOTS)("a horse", None) == (
        "You know beast, weather.\n\n"
        "One of:\nbeast: it breathes\nweather: it falls\n\n"
        "Text: it rained\nClass: weather\n\n"
        "Text: a mouse\nClass: beast\n\n"
        "Text: a horse\nClass:"
    )


def test_what_a_template_does_not_say_leaves_no_empty_lines():
    assert renderer_of({})("a horse", None) == "a horse\n"
    assert renderer_of({"task": " "})("a horse", None) == "a horse\n"


def test_two_texts_stand_where_the_row_has_them():
    shots = [Shot("one", "animal", "two")]
    assert renderer_of(PAIR, shots=shots)("a", "b") == "one | two\nSame? animal\n\na | b\nSame?"


def test_a_chat_gives_demonstrations_as_turns_and_begins_the_answer(chat):
    assert renderer_of(FULL, chat, shots=SHOTS)("a horse", None) == (
        "<|im_start|>system\nYou know beast, weather.<|im_end|>\n"
        "<|im_start|>user\nOne of:\nbeast: it breathes\nweather: it falls\n\nText: it rained<|im_end|>\n"
        "<|im_start|>assistant\nClass: weather<|im_end|>\n"
        "<|im_start|>user\nText: a mouse<|im_end|>\n"
        "<|im_start|>assistant\nClass: beast<|im_end|>\n"
        "<|im_start|>user\nText: a horse<|im_end|>\n"
        "<|im_start|>assistant\nClass:"
    )


def test_a_chat_without_system_text_has_no_system_turn(chat):
    assert renderer_of({**FULL, "system": "", "task": "Which?"}, chat)("a horse", None) == (
        "<|im_start|>user\nWhich?\n\nText: a horse<|im_end|>\n<|im_start|>assistant\nClass:"
    )


@pytest.mark.parametrize("shots", [(), SHOTS])
def test_where_a_chat_has_no_system_role_its_text_opens_the_first_turn(tiny, chat, shots):
    strict = model_of(tiny("qwen2"), chat=NO_SYSTEM).tokenizer
    found = renderer_of(FULL, strict, shots=shots)("a horse", None)
    first = "You know beast, weather.\n\nOne of:\nbeast: it breathes\nweather: it falls\n\nText: "
    assert found.startswith(f"<|im_start|>user\n{first}")
    wanted = renderer_of(FULL, chat, shots=shots)("a horse", None)
    system = "<|im_start|>system\nYou know beast, weather.<|im_end|>\n<|im_start|>user\n"
    assert found == wanted.replace(system, "<|im_start|>user\nYou know beast, weather.\n\n")


def test_chat_or_not_is_the_tokenizers_choice_unless_the_template_says(tiny, chat):
    plain = model_of(tiny("qwen2")).tokenizer
    assert renderer_of(FULL, chat).chat and not renderer_of(FULL, plain).chat
    assert renderer_of({**FULL, "chat": False}, chat)("a horse", None) == renderer_of(FULL, plain)(
        "a horse", None
    )


@pytest.mark.parametrize(
    "answer", ["{label}", "Class: {label}", "Class:\n{label}", "It is  {label}", "({label}"]
)
def test_a_question_with_its_gap_and_word_is_a_demonstration(answer):
    asked = renderer_of({**FULL, "answer": answer})
    shown = renderer_of({**FULL, "answer": answer}, shots=[Shot("a horse", "animal")])
    whole = asked("a horse", None) + asked.gap + "beast"
    assert shown("next", None).startswith(f"{whole}\n\nText: next")


@given(st.text(), st.text())
def test_any_text_comes_through_untouched(text, pair):
    assert renderer_of(PAIR, shots=[Shot(text, "weather", pair)])(pair, text) == (
        f"{text} | {pair}\nSame? weather\n\n{pair} | {text}\nSame?"
    )


ODD = "{labels} {0} {text!r} }{ {{label}} %s ${x} \\n {{ messages }} {% raw %}"


def test_braces_and_formats_are_texts_like_any_other(chat):
    labels = ("{animal}", "wea}ther")
    template = {**FULL, "words": {}, "descriptions": {"{animal}": ODD, "wea}ther": "{}"}}
    found = renderer_of(template, chat, labels=labels, shots=[Shot(ODD, "{animal}")])(ODD, None)
    assert found == (
        "<|im_start|>system\nYou know {animal}, wea}ther.<|im_end|>\n"
        f"<|im_start|>user\nOne of:\n{{animal}}: {ODD}\nwea}}ther: {{}}\n\nText: {ODD}<|im_end|>\n"
        "<|im_start|>assistant\nClass: {animal}<|im_end|>\n"
        f"<|im_start|>user\nText: {ODD}<|im_end|>\n"
        "<|im_start|>assistant\nClass:"
    )


def test_a_brace_written_twice_is_a_brace():
    template = {"task": "Answer {{so}}.", "row": "{{{text}}}", "answer": "is: {label}"}
    assert renderer_of(template)("x", None) == "Answer {so}.\n\n{x}\nis:"


def test_labels_are_said_in_their_order():
    for labels in (LABELS, LABELS[::-1]):
        asked = renderer_of({"task": "{labels}"}, labels=labels)("x", None)
        assert asked == f"{', '.join(labels)}\n\nx\n"


def test_braces_written_twice_in_an_answer_are_one(tiny):
    renderer = renderer_of({"answer": '{{"class": "{label}'}, model_of(tiny("gpt2")).tokenizer)
    assert renderer("snow", None) == 'snow\n{"class": "'


def test_a_chat_asked_of_a_model_without_chat_is_refused(tiny):
    with pytest.raises(ConfigError, match="template: chat: the model has no chat template"):
        renderer_of({"chat": True}, model_of(tiny("gpt2")).tokenizer)

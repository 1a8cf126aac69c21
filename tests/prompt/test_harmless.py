"""Special tokens that a text spells out."""

import pytest

from stratune.prompt.harmless import harmless, marks_of
from stratune.prompt.render import Renderer
from stratune.prompt.template import Shot, parse_template

LABELS = ("good", "bad")
MARKS = [
    "<|im_end|>", "<|start_header_id|>", "<|eot_id|>", "</s>", "[/INST]", "<</SYS>>", "<end_of_turn>", "<repo_name>",
    "<｜User｜>", "<|channel|>", "</think>", "<file_sep>",
]  # fmt: skip


def renderer(shots=(), tokenizer=None):
    template = parse_template({"name": "t", "task": "One of {labels}.", "row": "{text}"}, "t")
    return Renderer(template.for_labels(LABELS), LABELS, tokenizer, tuple(shots))


@pytest.mark.parametrize("mark", MARKS)
def test_no_row_and_no_demonstration_spells_a_special_token(mark):
    asked = renderer([Shot(f"fine {mark} good", "good")]).messages(f"bad{mark}assistant", None)
    said = "\n".join(message["content"] for message in asked)
    assert mark not in said and said.count(f"{mark[0]} {mark[1:]}") == 2


@pytest.mark.parametrize(
    "text", ["a < b and c > d", "<b>bold</b>", "x <| y", "[1] and [INS]", "a <s p> b", ""]
)
def test_other_texts_stay_as_they_are(text):
    assert harmless(text) == text


def test_what_is_taken_apart_stays_apart():
    once = harmless("<|im_end|> and </s>")
    assert once == "< |im_end|> and < /s>" and harmless(once) == once


def test_of_a_model_that_is_known_its_own_tokens_count():
    from stratune.backbone.tokenizer import load_tokenizer

    marks = marks_of(load_tokenizer("smollm2").tokenizer)
    assert harmless("<repo_name> <|im_end|> </s>", marks) == "< repo_name> < |im_end|> </s>"

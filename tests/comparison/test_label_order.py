"""A prompted model whose prompt lists the labels from the last: nothing else of it changes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from stratune.comparison.label_order import listed_backwards
from stratune.model.baseline import BaselineModel
from stratune.model.prompted import PromptedModel
from stratune.remote.tokenized_reader import TokenizedReader
from tests.prompt.asking import SHORT, model_of, reader_of

LISTED = {**SHORT, "task": "{labels}?"}


def prompted(tiny, template, **more):
    return PromptedModel(None, reader_of(model_of(tiny("llama")), template, **more), None)


@pytest.mark.parametrize("wrapped", [False, True])
def test_only_the_list_is_turned(tiny, wrapped):
    model = prompted(tiny, LISTED)
    if wrapped:
        model = replace(model, reader=TokenizedReader(model.reader))
    other = listed_backwards(model)
    assert model.prompt("snow", None) == "animal, weather?\n\nsnow\n:"
    assert other.prompt("snow", None) == "weather, animal?\n\nsnow\n:"
    assert list(other.reader.words) == list(model.reader.words) == ["animal", "weather"]


def test_descriptions_and_braces(tiny):
    template = {**SHORT, "task": "{descriptions} {{}}", "descriptions": {"animal": "{a}", "weather": "b"}}
    assert (
        listed_backwards(prompted(tiny, template)).prompt("x", None).startswith("weather: b\nanimal: {a} {}")
    )


def test_what_lists_no_labels(tiny):
    assert listed_backwards(prompted(tiny, SHORT)) is None
    assert listed_backwards(BaselineModel(None, None)) is None

"""A prompted model whose prompt lists the labels from the last: nothing else of it changes."""

from __future__ import annotations

from dataclasses import replace

import pytest

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
    other = model.labels_backwards()
    assert model.prompt("snow", None) == "animal, weather?\n\nsnow\n:"
    assert other.prompt("snow", None) == "weather, animal?\n\nsnow\n:"
    assert list(other.reader.words) == list(model.reader.words) == ["animal", "weather"]


def test_descriptions_and_braces(tiny):
    template = {**SHORT, "task": "{descriptions} {{}}", "descriptions": {"animal": "{a}", "weather": "b"}}
    assert (
        prompted(tiny, template).labels_backwards().prompt("x", None).startswith("weather: b\nanimal: {a} {}")
    )


def test_what_lists_no_labels(tiny):
    assert prompted(tiny, SHORT).labels_backwards() is None
    assert BaselineModel(None, None).labels_backwards() is None

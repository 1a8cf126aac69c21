"""A prompted model whose prompt lists the labels from the last to the first, and is otherwise as it was."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from stratune.model.chunks import ChunkModel
from stratune.model.prompted import PromptedModel
from stratune.remote.tokenized_reader import TokenizedReader

if TYPE_CHECKING:
    from stratune.model.base import Model
    from stratune.prompt.render import Renderer
    from stratune.prompt.template import Template

SLOTS = ("{labels}", "{descriptions}")


def listed_backwards(model: Model) -> Model | None:
    """None for a model whose prompt lists no labels, or that is not prompted."""
    if isinstance(model, ChunkModel):
        inner = listed_backwards(model.inner)
        return None if inner is None else replace(model, inner=inner)
    if not isinstance(model, PromptedModel):
        return None
    renderer = model.reader.renderer
    if not any(slot in renderer.template.system + renderer.template.task for slot in SLOTS):
        return None
    other = replace(renderer, template=_backwards(renderer))
    if isinstance(model.reader, TokenizedReader):
        return replace(model, reader=TokenizedReader(replace(model.reader.inner, renderer=other)))
    return replace(model, reader=replace(model.reader, renderer=other))  # type: ignore[type-var]


def _backwards(renderer: Renderer) -> Template:
    """Its slots are filled here, with the labels in the other order: the renderer has only one order, which
    is also that of the answers.
    """
    turned = replace(renderer, labels=renderer.labels[::-1])
    return replace(renderer.template, system=_as_text(turned.system), task=_as_text(turned.instruction))


def _as_text(text: str) -> str:
    """Nothing in it is a slot."""
    return text.replace("{", "{{").replace("}", "}}")

"""Logits over the vocabulary, of hidden states, by the family's own LM head."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn

from stratune.backbone.calls import intercepting

if TYPE_CHECKING:
    from transformers import PreTrainedModel


def vocabulary_logits(language_model: PreTrainedModel, states: Tensor) -> Tensor:
    """(B, S, C) -> (B, S, V): its body is replaced and returns the states.

    The body has to be interceptable (backbone/calls.py).
    """
    with _passing(language_model.base_model, states):
        logits: Tensor = language_model(inputs_embeds=states).logits
    return logits


class _States(dict[str, Tensor]):
    """What a body gives: its last hidden states. LM heads read more of some families', which is None here."""

    def __init__(self, states: Tensor) -> None:
        super().__init__(last_hidden_state=states)

    def __getattr__(self, name: str) -> Tensor | None:
        if name.startswith("__"):
            raise AttributeError(name)
        return self.get(name)

    def __getitem__(self, key: Any) -> Any:
        return self.last_hidden_state if key == 0 else super().__getitem__(key)


def _passing(body: nn.Module, states: Tensor) -> AbstractContextManager[None]:
    """Within the block, and in this thread, the language model's body returns `states` for any input."""
    return intercepting({body: lambda *_: _States(states)})

"""Logits over the vocabulary, of hidden states, by the family's own LM head."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn

from stratune.backbone.calls import intercepting

if TYPE_CHECKING:
    from transformers import PreTrainedModel
    from transformers.modeling_outputs import BaseModelOutputWithPastAndCrossAttentions


def vocabulary_logits(language_model: PreTrainedModel, states: Tensor) -> Tensor:
    """(B, S, C) -> (B, S, V): its body is replaced and returns the states.

    The body has to be interceptable (backbone/calls.py).
    """
    with _passing(language_model.base_model, states):
        logits: Tensor = language_model(inputs_embeds=states).logits
    return logits


def _passing(body: nn.Module, states: Tensor) -> AbstractContextManager[None]:
    """Within the block, and in this thread, the language model's body returns `states` for any input."""
    from transformers.modeling_outputs import BaseModelOutputWithPastAndCrossAttentions

    def passed(*_: Any) -> BaseModelOutputWithPastAndCrossAttentions:
        given = BaseModelOutputWithPastAndCrossAttentions(last_hidden_state=states)
        given.global_attentions = given.router_logits = None  # some families' LM heads read them
        return given

    return intercepting({body: passed})

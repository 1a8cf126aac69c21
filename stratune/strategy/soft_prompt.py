"""Soft prompts: trained vectors in front of the text's embeddings, everything else frozen.

`soft_prompt` trains the vectors themselves (Lester et al., 2021), `p_tuning` a small network that makes them
(Liu et al., 2021). Where the backbone's context is limited, the text is cut shorter by their
number.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from stratune.errors import ConfigError, UnsupportedError
from stratune.strategy.blocks import check_positive, same_states, short_text
from stratune.strategy.registry import register
from stratune.train.settings import Recipe
from stratune.train.space import Choice, Space

if TYPE_CHECKING:
    from torch import Tensor

    from stratune.backbone.load import Backbone
    from stratune.backbone.virtual import Prompt
    from stratune.net.net import Net


@register("soft_prompt", recipe=Recipe(learning_rate=1e-1, head_learning_rate=3e-3))
@dataclass(frozen=True)
class SoftPrompt:
    """Trains vectors in front of the text's embeddings, and the head (prompt tuning; Lester et al., 2021)."""

    space: ClassVar[Space] = {"length": Choice(5, 10, 20, 50)}

    length: int = 20  # virtual tokens
    start: Literal["words", "text", "random"] = (
        "words"  # of the vocabulary, of `text`, or small random numbers
    )
    text: str | None = None  # repeated or cut to `length` tokens

    def __post_init__(self) -> None:
        check_positive(length=self.length)
        if (self.start == "text") != (self.text is not None):
            raise ConfigError("start: text needs a `text`, and only it takes one", key="text")

    def adapt(self, net: Net) -> None:
        from stratune.backbone.virtual import Prompt

        put_in_front(net, Prompt(self._vectors(net.backbone)))

    def _vectors(self, backbone: Backbone) -> Tensor:
        """(n, E) to start from."""
        import torch

        from stratune.backbone.virtual import random_words

        table: Tensor = backbone.model.get_input_embeddings().weight.detach()
        if self.start == "random":
            return float(table.std()) * torch.randn(self.length, table.shape[1])
        if self.start == "words":
            return table[random_words(backbone, self.length)].clone()
        ids = backbone.tokenizer(self.text, add_special_tokens=False)["input_ids"]
        if not ids:
            raise ConfigError(f"{self.text!r} has no token", key="text")
        return table[torch.tensor((ids * self.length)[: self.length])].clone()


@register("p_tuning", recipe=Recipe(learning_rate=1e-3))
@dataclass(frozen=True)
class PTuning:
    """Trains a network that makes vectors in front of the text, and the head (P-tuning; Liu et al., 2021)."""

    space: ClassVar[Space] = {"length": Choice(5, 10, 20, 50)}

    length: int = 20  # virtual tokens
    encoder: Literal["lstm", "mlp"] = "lstm"
    hidden: int | None = None  # the network's width; None: the embeddings'

    def __post_init__(self) -> None:
        check_positive(length=self.length, hidden=self.hidden)

    def adapt(self, net: Net) -> None:
        import torch

        from stratune.backbone.virtual import LstmEncoder, Prompt, mlp_encoder

        width = net.backbone.model.get_input_embeddings().weight.shape[1]
        make = LstmEncoder if self.encoder == "lstm" else mlp_encoder
        put_in_front(net, Prompt(torch.randn(self.length, width), make(width, self.hidden or width)))


def put_in_front(net: Net, prompt: Prompt) -> None:
    """`prompt` before every text. Raises UnsupportedError when no room is left for the text."""
    from stratune.backbone.virtual import VirtualTokens

    if not _reads_vectors(net):
        why = f"{net.backbone.family.name} takes no vectors in the place of tokens; use prefix or lora"
        raise UnsupportedError("soft_prompt", net.backbone.id, why)
    net.wrap(lambda model: VirtualTokens(model, prompt, net.backbone.family), positions=prompt.length)


def _reads_vectors(net: Net) -> bool:
    """Whether the embeddings of a text in the place of its ids give the same hidden states."""
    import torch

    from stratune.backbone.inputs import model_inputs

    text = short_text(net.backbone)
    family, model = net.backbone.family, net.backbone.model
    if "inputs_embeds" not in family.inputs:
        return False
    with torch.no_grad():
        plain = net.eval().encode(text)
        vectors = model.get_input_embeddings()(text.ids)
        try:
            given = model_inputs(family, text.mask, None)
            found = model(inputs_embeds=vectors, **given).last_hidden_state
        except (TypeError, ValueError, AttributeError, RuntimeError):  # some look at the ids all the same
            return False
    return same_states(found, plain)

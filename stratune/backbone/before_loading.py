"""What is refused before the weights of a backbone are read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from stratune.backbone.derive import is_decoder
from stratune.errors import BackboneError, UnsupportedError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

# Bytes that a model may take beyond those of its weights: tables of positions, masks of attention.
BESIDES = 2**30


def check_words(config: Any, tokenizer: PreTrainedTokenizerBase, backbone_id: str, use: str) -> None:
    """Raises UnsupportedError for a model whose LM head cannot be asked."""
    why = None
    if config.is_encoder_decoder and use == "adapt":
        why = "of an encoder-decoder only the encoder would read the texts, which has no words to predict"
    elif not config.is_encoder_decoder and not is_decoder(config) and tokenizer.mask_token_id is None:
        why = "it is an encoder without a mask token"
    if why and use == "words":
        why += "; use the readout `head`"
    if why:
        raise UnsupportedError(use, backbone_id, why)


def check_size(empty: Any, config: Any, numbers: int, backbone_id: str) -> None:
    """Raises BackboneError when the configuration describes far more than `numbers` weights.

    `empty` is built without memory: what a file says is checked before anything is allocated for it.
    """
    windows = getattr(config, "attention_window", 0)  # Longformer pads every text to a multiple of it
    widest = max(windows if isinstance(windows, list) else [windows], default=0)
    if widest and widest > config.max_position_embeddings:
        why = f"an attention window of {widest} is wider than its {config.max_position_embeddings} positions"
        raise BackboneError(f"{backbone_id}: cannot be loaded: {why}")
    tensors = [*empty.parameters(), *empty.buffers()]
    needed = sum(tensor.numel() * tensor.element_size() for tensor in tensors)
    if needed > 2 * 4 * numbers + BESIDES:
        there = f"{4 * numbers / 1e9:.3g} GB"
        why = f"config.json describes {needed / 1e9:.3g} GB of weights, and there are {there}"
        raise BackboneError(f"{backbone_id}: {why}")

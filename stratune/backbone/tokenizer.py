"""Counting tokens without loading a model, and how many of them a backbone reads."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from stratune.backbone.family import Family, family_of
from stratune.backbone.locate import locate, no_bars, why_not
from stratune.errors import BackboneError

if TYPE_CHECKING:
    from transformers import PreTrainedConfig, PreTrainedTokenizerBase

TokenCounter = Callable[[list[str], list[str] | None], list[int]]


_encoding = threading.Lock()


def encode(tokenizer: Any, *texts: Any, **options: Any) -> Any:
    """`tokenizer(*texts, **options)`, one thread at a time.

    A fast tokenizer keeps a call's truncation and padding on itself, and refuses a second call meanwhile; it
    uses all cores by itself.
    """
    with _encoding:
        return tokenizer(*texts, **options)


@dataclass(frozen=True)
class TokenizerOnly:
    """What can be known of a backbone without its weights."""

    id: str
    tokenizer: PreTrainedTokenizerBase
    family: Family
    max_length: int  # tokens that fit, special ones included


def load_tokenizer(backbone_id: str) -> TokenizerOnly:
    """Raises BackboneError when it cannot be had."""
    from transformers import AutoConfig, AutoTokenizer

    folder = locate(backbone_id)
    no_bars()
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder)
        config = AutoConfig.from_pretrained(folder)
    except (OSError, ValueError, KeyError) as error:
        raise BackboneError(why_not(backbone_id, error)) from error
    family = family_of(config.model_type, backbone_id)
    return TokenizerOnly(backbone_id, tokenizer, family, places(tokenizer, config, family))


def token_counter(backbone_id: str, max_length: int | None = None) -> tuple[TokenCounter, int]:
    """(texts, pairs) -> tokens of each row, special ones included; and how many the backbone reads (512 at
    most by default).

    Raises BackboneError when the tokenizer cannot be had.
    """
    found = load_tokenizer(backbone_id)

    def count(texts: Sequence[str], pairs: Sequence[str] | None) -> list[int]:
        pair = list(pairs) if pairs else None
        encoded = encode(found.tokenizer, list(texts), pair, verbose=False, return_attention_mask=False)
        return [len(row) for row in encoded["input_ids"]]

    return count, min(max_length or 512, found.max_length)


def places(tokenizer: PreTrainedTokenizerBase, config: PreTrainedConfig, family: Family) -> int:
    """Tokens that a backbone can read, special ones included."""
    most = int(tokenizer.model_max_length)
    positions = getattr(config, "max_position_embeddings", None)
    return min(most, int(positions) - family.reserved_positions) if positions else most

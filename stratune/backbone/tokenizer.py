"""A backbone's tokenizer without its weights: counting tokens, and the context length."""

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

    A fast tokenizer stores a call's truncation and padding on itself, and fails when a second call comes
    meanwhile. One call already uses all cores.
    """
    with _encoding:
        return tokenizer(*texts, **options)


@dataclass(frozen=True)
class TokenizerOnly:
    """What is known of a backbone without its weights."""

    id: str
    tokenizer: PreTrainedTokenizerBase
    family: Family
    max_length: int  # context length in tokens, special ones included


def load_tokenizer(backbone_id: str) -> TokenizerOnly:
    """Raises BackboneError when it cannot be loaded."""
    from transformers import AutoConfig, AutoTokenizer

    folder = locate(backbone_id)
    no_bars()
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder)
        config = AutoConfig.from_pretrained(folder)
    except (OSError, ValueError, KeyError) as error:
        raise BackboneError(why_not(backbone_id, error)) from error
    family = family_of(config.model_type, backbone_id)
    return TokenizerOnly(backbone_id, tokenizer, family, context_length(tokenizer, config, family))


def token_counter(backbone_id: str, max_length: int | None = None) -> tuple[TokenCounter, int]:
    """A function (texts, pairs) -> tokens of each row, special ones included; and how many are read of a row.

    Without `max_length` at most 512 are read. Raises BackboneError when the tokenizer cannot be loaded.
    """
    found = load_tokenizer(backbone_id)

    def count(texts: Sequence[str], pairs: Sequence[str] | None) -> list[int]:
        pair = list(pairs) if pairs else None
        encoded = encode(found.tokenizer, list(texts), pair, verbose=False, return_attention_mask=False)
        return [len(row) for row in encoded["input_ids"]]

    return count, min(max_length or 512, found.max_length)


def context_length(tokenizer: PreTrainedTokenizerBase, config: PreTrainedConfig, family: Family) -> int:
    """Tokens that fit into a backbone, special ones included."""
    most = int(tokenizer.model_max_length)
    positions = getattr(config, "max_position_embeddings", None)
    return min(most, int(positions) - family.reserved_positions) if positions else most

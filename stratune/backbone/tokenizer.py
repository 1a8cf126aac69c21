"""A backbone's tokenizer without its weights: counting tokens, and the context length."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from stratune.backbone.family import Family
from stratune.backbone.folder import check_config
from stratune.backbone.locate import locate
from stratune.backbone.pretrained import empty_model, no_bars, read_config, read_tokenizer
from stratune.errors import BackboneError

if TYPE_CHECKING:
    from transformers import PreTrainedConfig, PreTrainedTokenizerBase

    from stratune.backbone.family import Family

TokenCounter = Callable[[list[str], list[str] | None], list[int]]
LEAST = 4  # positions: a token and the special ones around it

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
    begins: tuple[int, ...] = ()  # as a Backbone


def load_tokenizer(backbone_id: str) -> TokenizerOnly:
    """Raises BackboneError when it cannot be loaded."""
    from transformers import AutoModel

    from stratune.backbone.derive import derive, text_part

    folder = locate(backbone_id, weights=False)
    no_bars()
    check_config(folder, backbone_id)
    config = read_config(folder, backbone_id)
    tokenizer = read_tokenizer(folder, backbone_id)
    empty = text_part(empty_model(AutoModel, config, backbone_id))
    family = derive(empty, config, backbone_id)
    begins = beginning_of_answers(config, tokenizer)
    length = context_length(tokenizer, empty.config, family)
    return TokenizerOnly(backbone_id, tokenizer, family, length, begins)


def beginning_of_answers(config: Any, tokenizer: PreTrainedTokenizerBase) -> tuple[int, ...]:
    """What the decoder of an encoder-decoder reads before it writes: its start, and what its targets begin
    with (BART's `<s>`, mBART's language). () of every other model.
    """
    if not config.is_encoder_decoder:
        return ()
    start = getattr(config, "decoder_start_token_id", None)
    if start is None:  # T5's is the padding
        start = tokenizer.pad_token_id or 0
    return (int(start), *special_around(tokenizer)[0])


def special_around(tokenizer: PreTrainedTokenizerBase) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Special tokens that the tokenizer puts before a text, and behind it."""
    alone, special = encode(tokenizer, "a", verbose=False)["input_ids"], set(tokenizer.all_special_ids)
    before, behind = (
        [int(token) for token in itertools.takewhile(special.__contains__, ids)]
        for ids in (alone, reversed(alone))
    )
    return tuple(before), tuple(reversed(behind))


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
    """Tokens that fit into a backbone, special ones included. Raises BackboneError where none would fit."""
    names = ("max_position_embeddings", "max_seq_len")  # MPT has the other name
    declared = next((found for name in names if (found := getattr(config, name, None))), None)
    try:
        most, positions = int(tokenizer.model_max_length), int(declared or 0)
    except (TypeError, ValueError, OverflowError) as error:
        given = tokenizer.model_max_length, declared
        raise BackboneError(f"{tokenizer.name_or_path}: {given} are no context lengths") from error
    # XLNet says -1: its positions are relative
    found = min(most, positions - family.reserved_positions) if positions > 0 else most
    if found < LEAST:
        raise BackboneError(f"{tokenizer.name_or_path}: a context length of {found} has no room for a text")
    return found

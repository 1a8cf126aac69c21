"""The tokenizer with our settings written into its own: limit, padding side, inputs, pad token."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

from stratune.tokens.tokens import tokenise

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

    from stratune.backbone.load import Backbone
    from stratune.tokens.tokens import TextLimit

PAD = "<|pad|>"


def exported_tokenizer(backbone: Backbone, limit: TextLimit) -> PreTrainedTokenizerBase:
    """A copy that truncates as we do and gives the model the same inputs."""
    tokenizer = copy.deepcopy(backbone.tokenizer)
    tokenizer.model_max_length = limit.tokens(backbone)
    tokenizer.padding_side = "right"
    inputs = ["input_ids", "attention_mask"]
    if len(tokenise(backbone, ["a"], None, limit).types):
        inputs.append("token_type_ids")
    tokenizer.model_input_names = inputs
    tokenizer.init_kwargs["model_input_names"] = inputs  # what save_pretrained writes
    if backbone.family.decoder and _pad_is_shared(tokenizer):
        tokenizer.add_special_tokens({"pad_token": PAD})
    return tokenizer


def _pad_is_shared(tokenizer: PreTrainedTokenizerBase) -> bool:
    """A decoder's own class reads at the last token that is not the pad token: no text may end with it."""
    others = (tokenizer.eos_token_id, tokenizer.bos_token_id, tokenizer.unk_token_id)
    return tokenizer.pad_token_id in others

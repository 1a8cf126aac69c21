"""The tokenizer with our settings written into its own: limit, padding side, inputs, pad token."""

from __future__ import annotations

import copy
import itertools
from typing import TYPE_CHECKING

from stratune.tokens.tokens import tokenise

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

    from stratune.backbone.load import Backbone
    from stratune.tokens.tokens import TextLimit

PAD = "<|added pad {}|>"


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
    if backbone.family.decoder:
        # A decoder's own class reads at the last token that is not the pad token, so no text may end with it:
        # the tokenizer's own, which a text may spell out, is not good enough either.
        vocabulary = tokenizer.get_vocab()
        number = next(n for n in itertools.count() if PAD.format(n) not in vocabulary)
        tokenizer.add_special_tokens({"pad_token": PAD.format(number)})
    return tokenizer

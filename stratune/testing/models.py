"""Tiny real models of every family: 3 blocks of width 32, random weights, a tokenizer trained on the spot.

Three blocks, so that tuning the last one or two leaves a frozen bottom; 128 positions, so that truncation is
a short text away. Nothing is downloaded.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from stratune.backbone.derive import is_decoder
from stratune.backbone.load import Backbone, load_backbone
from stratune.testing.tiny import BLOCKS, HEADS, MAX_LENGTH, WIDTH, tiny_settings
from stratune.testing.toy import WORDS

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from transformers import PretrainedConfig, PreTrainedTokenizerBase

_BERT = {
    "hidden_size": WIDTH, "num_hidden_layers": BLOCKS, "num_attention_heads": HEADS, "intermediate_size": 64,
}  # fmt: skip
_LLAMA = {**_BERT, "num_key_value_heads": 2, "max_position_embeddings": MAX_LENGTH}
_EXTRA: dict[str, dict[str, Any]] = {
    "bert": {**_BERT, "max_position_embeddings": MAX_LENGTH},
    "roberta": {**_BERT, "max_position_embeddings": MAX_LENGTH + 2, "type_vocab_size": 1},
    "distilbert": {
        "dim": WIDTH, "n_layers": BLOCKS, "n_heads": HEADS, "hidden_dim": 64,
        "max_position_embeddings": MAX_LENGTH,
    },
    "deberta-v2": {
        **_BERT,
        "max_position_embeddings": MAX_LENGTH,
        "relative_attention": True,
        "pos_att_type": ["p2c", "c2p"],
        "position_biased_input": False,
        "position_buckets": 16,
        "share_att_key": True,
        "norm_rel_ebd": "layer_norm",
        "type_vocab_size": 0,
    },
    "modernbert": {**_BERT, "max_position_embeddings": MAX_LENGTH, "local_attention": 16},
    "longformer": {
        **_BERT, "max_position_embeddings": MAX_LENGTH + 2, "type_vocab_size": 1, "attention_window": 16,
    },
    "big_bird": {**_BERT, "max_position_embeddings": MAX_LENGTH, "attention_type": "original_full"},
    "electra": {**_BERT, "max_position_embeddings": MAX_LENGTH, "embedding_size": 16},
    "albert": {**_BERT, "max_position_embeddings": MAX_LENGTH, "embedding_size": 16},
    "llama": _LLAMA,
    "mistral": {**_LLAMA, "sliding_window": None},
    "qwen2": _LLAMA,
    "qwen3": {**_LLAMA, "head_dim": 8},
    "gpt2": {"n_embd": WIDTH, "n_layer": BLOCKS, "n_head": HEADS, "n_positions": MAX_LENGTH},
}  # fmt: skip

MODEL_TYPES: tuple[str, ...] = tuple(_EXTRA)
DECODERS = ("llama", "mistral", "qwen2", "qwen3", "gpt2")


def tiny_backbone(model_type: str, folder: Path, **config: Any) -> Backbone:
    """A tiny model of the family, saved to `folder` and loaded the way every backbone is."""
    return load_backbone(str(save_tiny(model_type, folder, **config)))


def save_tiny(model_type: str, folder: Path, *, seed: int = 0, masked: bool = False, **config: Any) -> Path:
    """Write a tiny model and its tokenizer; `config` overrides its configuration (say, dropout off).

    Of any text model type of transformers. `masked`: an encoder with its masked-LM head, or an
    encoder-decoder with its LM head.
    """
    from transformers import (
        AutoConfig,
        AutoModel,
        AutoModelForCausalLM,
        AutoModelForMaskedLM,
        AutoModelForSeq2SeqLM,
    )
    from transformers.utils import logging

    logging.disable_progress_bar()
    decoder = is_decoder(AutoConfig.for_model(model_type))
    tokenizer = tiny_tokenizer(model_type, decoder)
    special = special_ids(tokenizer)
    own = _EXTRA.get(model_type) or tiny_settings(model_type, special, len(tokenizer))
    given = special if model_type in _EXTRA else {}
    settings: PretrainedConfig = AutoConfig.for_model(
        model_type,
        **{
            "vocab_size": len(tokenizer),
            "initializer_range": 0.1,  # the usual 0.02 makes so small a model blind to its input
            **given,
            **own,
            **config,
        },
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        with_head = AutoModelForSeq2SeqLM if settings.is_encoder_decoder else AutoModelForMaskedLM
        encoder = with_head if masked else AutoModel
        # Decoders have an LM head, but for one type that transformers has none of.
        cls = AutoModelForCausalLM if decoder and model_type != "mistral4" else encoder
        model = cls.from_config(settings)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


# -- tokenizers

_SENTENCES = [" ".join(WORDS[i : i + 7]) + "." for i in range(len(WORDS))]


def special_ids(tokenizer: PreTrainedTokenizerBase) -> dict[str, int | None]:
    """As a configuration names them."""
    roles = ("pad", "bos", "eos", "cls", "sep")
    return {f"{role}_token_id": getattr(tokenizer, f"{role}_token_id") for role in roles}


def tiny_tokenizer(model_type: str, decoder: bool) -> PreTrainedTokenizerBase:
    from transformers import PreTrainedTokenizerFast

    inputs = ["input_ids", "attention_mask"]
    if decoder:
        return PreTrainedTokenizerFast(
            tokenizer_object=_byte_level(*_DECODER_SPECIAL.get(model_type, _DECODER_SPECIAL["llama"])),
            model_max_length=MAX_LENGTH,
            model_input_names=inputs,
            **_decoder_tokens(model_type),
        )
    if model_type in ("roberta", "longformer"):
        return PreTrainedTokenizerFast(
            tokenizer_object=_byte_level(
                ("<s>", "<pad>", "</s>", "<unk>", "<mask>"), "<s> $A </s>", "</s> $B </s>"
            ),
            model_max_length=MAX_LENGTH,
            model_input_names=inputs,
            **{"bos_token": "<s>", "cls_token": "<s>", "eos_token": "</s>", "sep_token": "</s>"},
            **{"pad_token": "<pad>", "unk_token": "<unk>", "mask_token": "<mask>"},
        )
    has_types = model_type in ("bert", "electra", "albert", "big_bird")
    return PreTrainedTokenizerFast(
        tokenizer_object=_word_piece(),
        model_max_length=MAX_LENGTH,
        model_input_names=[*inputs, "token_type_ids"] if has_types else inputs,
        **{f"{role}_token": f"[{role.upper()}]" for role in ("cls", "sep", "pad", "unk", "mask")},
    )


# Special tokens and, where the family opens a text with one, the template that says so. None has a pad token.
_DECODER_SPECIAL: dict[str, tuple[tuple[str, ...], str | None, str | None]] = {
    "llama": (("<unk>", "<s>", "</s>"), "<s> $A", "$B"),
    "mistral": (("<unk>", "<s>", "</s>"), "<s> $A", "$B"),
    "qwen2": (("<|endoftext|>",), None, None),
    "qwen3": (("<|endoftext|>",), None, None),
    "gpt2": (("<|endoftext|>",), None, None),
}


def _decoder_tokens(model_type: str) -> dict[str, str]:
    if model_type in ("qwen2", "qwen3", "gpt2"):
        return {"bos_token": "<|endoftext|>", "eos_token": "<|endoftext|>"}
    return {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}


def _word_piece() -> Tokenizer:
    """[CLS] first [SEP] second [SEP], with segments."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers

    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    trainer = trainers.WordPieceTrainer(vocab_size=400, special_tokens=special, show_progress=False)
    tokenizer.train_from_iterator(_SENTENCES, trainer)
    # The trainer finds the same pieces each time but numbers them as its hash table has them: renumber.
    pieces = special + sorted(set(tokenizer.get_vocab()) - set(special))
    tokenizer.model = models.WordPiece({piece: i for i, piece in enumerate(pieces)}, unk_token="[UNK]")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[(name, tokenizer.token_to_id(name)) for name in ("[CLS]", "[SEP]")],
    )
    return tokenizer


def _byte_level(special: tuple[str, ...], first: str | None, second: str | None) -> Tokenizer:
    """Byte-level BPE; without a template texts get no special tokens, as with GPT-2."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=256 + 60,  # every byte, and some words
        special_tokens=list(special),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(_SENTENCES, trainer)
    if first is not None:
        tokenizer.post_processor = processors.TemplateProcessing(
            single=first,
            pair=f"{first} {second}",
            special_tokens=[(name, tokenizer.token_to_id(name)) for name in special],
        )
    return tokenizer

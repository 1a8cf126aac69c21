"""A tiny configuration of any text model of transformers: 3 blocks of width 32.

Sizes are set by the names that transformers gives them; what those leave too large, or what must fit
together, stands in a table by model type.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

MAX_LENGTH = 128
BLOCKS = 3
WIDTH = 32
HEADS = 4

_SIZES: dict[int, str] = {
    WIDTH: "hidden_size d_model n_embd dim emb_dim embedding_size pronunciation_embed_dim shape_embed_dim "
    "entity_emb_size intra_bottleneck_size true_hidden_size attention_hidden_size kv_lora_rank q_lora_rank "
    "prediction_head_size",
    BLOCKS: "num_hidden_layers num_layers n_layer n_layers encoder_layers decoder_layers num_decoder_layers "
    "depth",
    HEADS: "num_attention_heads n_head n_heads num_heads encoder_attention_heads decoder_attention_heads "
    "num_experts num_local_experts n_routed_experts linear_num_value_heads moe_num_experts",
    2: "num_key_value_heads num_experts_per_tok linear_num_key_heads n_mamba_heads mamba_ngroups "
    "num_feedforward_networks index_n_heads topk_group n_group",
    8: "head_dim d_kv kv_channels qk_nope_head_dim qk_rope_head_dim v_head_dim linear_key_head_dim d_head "
    "linear_value_head_dim mamba_dt_rank mamba_d_state attention_head_dim index_head_dim "
    "query_pre_attn_scalar",
    64: "intermediate_size ffn_dim encoder_ffn_dim decoder_ffn_dim d_ff hidden_dim d_inner n_inner dff "
    "ffn_hidden_size",
    16: "moe_intermediate_size shared_expert_intermediate_size index_topk max_2d_position_embeddings "
    "image_size patch_size num_hash_buckets",
    1: "first_k_dense_replace",
    MAX_LENGTH + 2: "max_position_embeddings n_positions max_seq_len seq_length n_ctx",
    50: "entity_vocab_size pronunciation_vocab_size shape_vocab_size",
}  # fmt: skip
_BY_NAME = {name: size for size, names in _SIZES.items() for name in names.split()}

_ALTERNATING = {"layer_types": ["linear_attention", "full_attention", "linear_attention"]}
_HYBRID = ["linear_attention", "hybrid", "linear_attention"]
_LATENT = {"num_key_value_heads": HEADS}  # one key and one value for each query
_BY_TYPE: dict[str, dict[str, Any]] = {
    "axk1": _LATENT,
    "axk2": _LATENT,
    "canine": {"num_hash_functions": 4, "local_transformer_stride": 16},
    "cohere_compass_text": {
        "rope_parameters": {"full_attention": {"rope_type": "default", "rope_theta": 10_000.0}},
        **_LATENT,
    },
    "deepseek_v2": _LATENT,
    "deepseek_v3": _LATENT,
    "doge": {"num_experts": 16},
    "esmc": _LATENT,
    "funnel": {
        "architectures": ["FunnelModel"],
        "block_sizes": [1, 2],
        "block_repeats": [1, 1],
        "num_decoder_layers": 1,
    },
    "gpt_neo": {"attention_types": [[["global"], BLOCKS]]},
    "gptj": {"rotary_dim": 4},
    "hunyuan_v1_moe": {"moe_topk": 2},
    "jamba": {"attn_layer_period": 3, "attn_layer_offset": 1},
    "layoutlm": {"max_2d_position_embeddings": 1024},
    "layoutlmv3": {"coordinate_size": 6, "shape_size": 4, "max_2d_position_embeddings": 128},
    "lilt": {"hidden_size": 48, "max_2d_position_embeddings": 1024},
    "minicpm3": _LATENT,
    "minimax": _ALTERNATING,
    "mistral4": {**_LATENT, "head_dim": 16},
    "mpt": {"expansion_ratio": 2},
    "perceiver": {"num_latents": 8, "d_latents": WIDTH, "num_self_attends_per_block": BLOCKS},
    "qwen3_5_text": _ALTERNATING,
    "qwen3_next": _ALTERNATING,
    "reformer": {
        "axial_pos_shape": [13, 10],
        "axial_pos_embds_dim": [16, 16],
        "attn_layers": ["lsh"] * BLOCKS,
    },
    "xmod": {"default_language": "en_XX"},
    "zamba": {
        "layers_block_type": ["linear_attention", "hybrid", "hybrid"],
        "attention_hidden_size": 2 * WIDTH,
        "attention_head_dim": 16,
    },
    "zamba2": {
        "layers_block_type": _HYBRID,
        "num_mem_blocks": 1,
        "attention_hidden_size": 2 * WIDTH,
        "attention_head_dim": 16,
        "n_mamba_heads": 8,
        "mamba_headdim": 8,
        "chunk_size": 8,
    },
}


def model_types() -> tuple[str, ...]:
    """The types that transformers has a class for sequence classification of."""
    from transformers.models.auto.modeling_auto import MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING_NAMES

    return tuple(sorted(MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING_NAMES))


def tiny_settings(model_type: str, special: Mapping[str, int | None], vocabulary: int) -> dict[str, Any]:
    """Options of the type's configuration. `special`: `pad_token_id` and the like, None without."""
    from transformers import AutoConfig

    known = {name: found for name, found in special.items() if found is not None}
    pad = {"pad_token_id": known.get("pad_token_id", known.get("eos_token_id", 0))}
    return _settings(AutoConfig.for_model(model_type), {**known, **pad}, vocabulary)


def _settings(config: Any, special: Mapping[str, int], vocabulary: int) -> dict[str, Any]:
    # The usual deviation of 0.02 makes so small a model blind to its input.
    spread = {"initializer_range": 0.1, "init_std": 0.1}
    wanted: dict[str, Any] = {**_BY_NAME, **special, **spread, "vocab_size": vocabulary}
    own = config.to_dict()
    found = {
        name: value for name, value in wanted.items() if name in own and name not in config.attribute_map
    }
    for name in config.sub_configs:
        if (part := getattr(config, name, None)) is not None:
            found[name] = {"model_type": part.model_type, **_settings(part, special, vocabulary)}
    return {**found, **_BY_TYPE.get(config.model_type, {})}

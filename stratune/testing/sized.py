"""LLaMA-shaped models of any size with random weights, written layer by layer: what a run takes of memory and
time does not depend on what the weights say.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from stratune.files import write_json

if TYPE_CHECKING:
    from transformers import PretrainedConfig

STD = 0.02  # transformers' own, of an untrained LLaMA
# As Llama 3 is built: width, blocks, heads, heads of keys and values, width of the feed-forward.
SHAPES: dict[str, tuple[int, int, int, int, int]] = {
    "135m": (576, 30, 9, 3, 1536),
    "1b": (2048, 16, 32, 8, 8192),
    "3b": (3072, 28, 24, 8, 8192),
    "8b": (4096, 32, 32, 8, 14336),
}


def save_llama(
    folder: Path,
    shape: str | tuple[int, int, int, int, int] = "1b",
    *,
    vocabulary: int = 32_000,
    length: int = 2048,
    dtype: torch.dtype = torch.bfloat16,
    seed: int = 0,
) -> Path:
    """A folder with a model of that shape (a name of SHAPES, or its five numbers), its LM head tied to its
    embeddings, and a small tokenizer. One block at a time is in memory.
    """
    from safetensors.torch import save_file
    from transformers import LlamaConfig

    from stratune.testing.models import special_ids, tiny_tokenizer

    width, blocks, heads, kv_heads, inner = SHAPES[shape] if isinstance(shape, str) else shape
    tokenizer = tiny_tokenizer("llama", decoder=True)
    tokenizer.model_max_length = length
    tokenizer.save_pretrained(folder)
    config = LlamaConfig(
        hidden_size=width,
        num_hidden_layers=blocks,
        num_attention_heads=heads,
        num_key_value_heads=kv_heads,
        intermediate_size=inner,
        vocab_size=vocabulary,
        max_position_embeddings=length,
        tie_word_embeddings=True,
        architectures=["LlamaForCausalLM"],
        dtype=str(dtype).removeprefix("torch."),
        **special_ids(tokenizer),
    )
    config.save_pretrained(folder)
    generator = torch.Generator().manual_seed(seed)
    places: dict[str, str] = {}
    total = 0
    for number, part in enumerate(_parts(config, dtype, generator)):
        name = f"model-{number:05}-of-{blocks + 1:05}.safetensors"
        save_file(part, folder / name, metadata={"format": "pt"})
        places |= dict.fromkeys(part, name)
        total += sum(tensor.nbytes for tensor in part.values())
    index: dict[str, Any] = {"metadata": {"total_size": total}, "weight_map": places}
    write_json(folder / "model.safetensors.index.json", index)
    return folder


def _parts(
    config: PretrainedConfig, dtype: torch.dtype, generator: torch.Generator
) -> Iterator[dict[str, Tensor]]:
    """What each file holds: the embeddings and the last norm, then a block each."""

    def matrix(*shape: int) -> Tensor:
        return (STD * torch.randn(*shape, generator=generator)).to(dtype)

    width, inner = config.hidden_size, config.intermediate_size
    head = width // config.num_attention_heads
    keys = head * config.num_key_value_heads
    ones = torch.ones(width, dtype=dtype)
    yield {"model.embed_tokens.weight": matrix(config.vocab_size, width), "model.norm.weight": ones}
    linears = {
        "self_attn.q_proj": (width, width),
        "self_attn.k_proj": (keys, width),
        "self_attn.v_proj": (keys, width),
        "self_attn.o_proj": (width, width),
        "mlp.gate_proj": (inner, width),
        "mlp.up_proj": (inner, width),
        "mlp.down_proj": (width, inner),
    }
    for block in range(config.num_hidden_layers):
        at = f"model.layers.{block}"
        part = {f"{at}.{name}.weight": matrix(*shape) for name, shape in linears.items()}
        norms = ("input_layernorm", "post_attention_layernorm")
        yield part | {f"{at}.{name}.weight": ones.clone() for name in norms}

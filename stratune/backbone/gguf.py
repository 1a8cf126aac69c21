"""GGUF files, converted into a folder of safetensors once: transformers reads them slowly."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path

from stratune.backbone.folder import check_count
from stratune.backbone.pretrained import no_bars, opening, read_model, read_tokenizer
from stratune.cache import kept
from stratune.errors import BackboneError
from stratune.files import cache_folder, sha256

COUNTS = ("block_count", "head_count", "head_count_kv", "expert_count")
SIZES = ("embedding_length", "feed_forward_length", "vocab_size")


def converted(gguf: Path) -> Path:
    """The folder in the cache (reading takes about 15 s for 135 M parameters)."""
    stat = gguf.stat()
    key = sha256(gguf.name, str(stat.st_size), str(stat.st_mtime_ns))[:16]
    folder = cache_folder() / "converted" / f"{gguf.stem}-{key}"
    kept(folder, lambda empty: _convert(gguf, empty))
    return folder


def _convert(gguf: Path, empty: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM

    check_gguf(gguf)
    no_bars()
    source, options = gguf.parent, {"gguf_file": gguf.name}
    with contextlib.redirect_stderr(io.StringIO()):  # a bar of its own, which no switch turns off
        model = read_model(AutoModelForCausalLM, source, str(gguf), dtype=torch.float32, **options)
    tokenizer = read_tokenizer(source, str(gguf), **options)
    with opening(str(gguf)):
        # transformers still marks the dequantised model as quantised and refuses to save it: save a copy.
        config = type(model.config).from_dict(
            {k: v for k, v in model.config.to_dict().items() if k != "quantization_config"}
        )
        plain = AutoModelForCausalLM.from_config(config, dtype=torch.float32, trust_remote_code=False)
        plain.load_state_dict(model.state_dict())
    plain.save_pretrained(empty)
    tokenizer.save_pretrained(empty)


def check_gguf(gguf: Path) -> None:
    """Raises BackboneError for a file that is cut, or whose counts its tensors do not explain."""
    try:
        from gguf import GGUFReader
    except ImportError as error:
        raise BackboneError(f"{gguf.name}: reading GGUF needs a package: `pip install gguf`") from error
    with opening(str(gguf)):
        reader = GGUFReader(gguf)
        longest = max((int(size) for tensor in reader.tensors for size in tensor.shape), default=0)
        found = {
            name: field.contents() for name, field in reader.fields.items() if name.endswith(COUNTS + SIZES)
        }
        tensors = len(reader.tensors)
    if not tensors:
        raise BackboneError(f"{gguf}: there are no tensors in it")
    for name, value in found.items():
        most = tensors if name.endswith("block_count") else longest
        for one in value if isinstance(value, list) else [value]:
            check_count(name.replace(".", "_"), one, str(gguf))
            if not isinstance(one, int) or one > most:
                raise BackboneError(f"{gguf}: it says {name}: {str(one)[:40]}, and its tensors are smaller")

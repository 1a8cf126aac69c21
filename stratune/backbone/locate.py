"""From a backbone's id to a folder that transformers can open, and the error message when it cannot."""

from __future__ import annotations

from pathlib import Path

from stratune.backbone.embedded import EMBEDDED, embedded_path
from stratune.errors import BackboneError
from stratune.files import cache_folder, replacing_folder, sha256


def source_of(backbone_id: str) -> Path:
    """The folder or GGUF file that an id names, if it is one; of a hub id the id as a path that is not there.

    Raises BackboneError when an embedded model's package is not installed.
    """
    return embedded_path(backbone_id) if backbone_id in EMBEDDED else Path(backbone_id)


def locate(backbone_id: str) -> str:
    """The folder (or hub id) that transformers reads. GGUF files are converted once into the cache folder."""
    path = source_of(backbone_id)
    if path.suffix == ".gguf":
        if not path.is_file():
            raise BackboneError(f"{backbone_id}: no such file")
        return str(_converted(path))
    if backbone_id in EMBEDDED or path.is_dir():
        return str(path)
    if backbone_id.startswith((".", "/", "~")) or backbone_id.count("/") > 1:
        raise BackboneError(f"{backbone_id}: no such folder (embedded models: {', '.join(EMBEDDED)})")
    return backbone_id


def _converted(gguf: Path) -> Path:
    """transformers reads GGUF slowly (about 15 s for 135 M parameters), so its weights are cached."""
    stat = gguf.stat()
    key = sha256(gguf.name, str(stat.st_size), str(stat.st_mtime_ns))[:16]
    folder = cache_folder() / "converted" / f"{gguf.stem}-{key}"
    if not folder.exists():
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer

        no_bars()
        try:
            model = AutoModelForCausalLM.from_pretrained(
                str(gguf.parent), gguf_file=gguf.name, dtype=torch.float32
            )
            tokenizer = AutoTokenizer.from_pretrained(str(gguf.parent), gguf_file=gguf.name)
        except ImportError as error:
            raise BackboneError(
                f"{gguf.name}: reading GGUF needs the gguf package: `pip install gguf`"
            ) from error
        except (OSError, ValueError, KeyError, RuntimeError) as error:
            raise BackboneError(why_not(str(gguf), error)) from error
        # transformers still marks the dequantised model as quantised and refuses to save it: save a copy.
        config = type(model.config).from_dict(
            {k: v for k, v in model.config.to_dict().items() if k != "quantization_config"}
        )
        plain = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
        plain.load_state_dict(model.state_dict())
        with replacing_folder(folder, keep=True) as temporary:
            plain.save_pretrained(temporary)
            tokenizer.save_pretrained(temporary)
    return folder


def why_not(backbone_id: str, error: Exception) -> str:
    text = str(error)
    first = text.strip().splitlines()[0] if text.strip() else type(error).__name__
    if any(
        word in text for word in ("connect", "offline", "couldn't find them in the cached files", "resolve")
    ):
        return (
            f"{backbone_id}: not in the local cache and the hub cannot be reached; "
            f"{' and '.join(EMBEDDED)} need no network, and neither does a local folder"
        )
    return f"{backbone_id}: cannot be loaded: {first}"


def no_bars() -> None:
    from transformers.utils import logging as transformers_logging

    transformers_logging.disable_progress_bar()
    transformers_logging.set_verbosity_error()  # its warnings advise on its own Trainer

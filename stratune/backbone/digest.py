"""Which weights a backbone's id stands for, without loading them: other weights at the same path give other
numbers.
"""

from __future__ import annotations

from pathlib import Path

from stratune.backbone.locate import locate, source_of
from stratune.cache import digest
from stratune.errors import BackboneError
from stratune.files import sha256

# What is read of a model's folder: weights, configuration, tokenizer, templates, pooling.
READ = (".safetensors", ".json", ".jinja", ".model", ".txt", ".gguf")
SUBFOLDERS = ("1_Pooling",)


def weights_digest(backbone_id: str) -> str | None:
    """A digest of a folder's files, or of a GGUF file; of a hub id its commit; None of what is not there.

    XXH3 of the bytes: eight billion weights are read before every comparison.
    """
    try:
        source = source_of(backbone_id)
    except BackboneError:
        return None  # the run says what is wrong
    if source.is_file():
        return digest(source)
    if source.is_dir():
        return _folder_digest(source)
    return _commit(backbone_id)


def _folder_digest(folder: Path) -> str:
    found = []
    for inside in (folder, *(folder / name for name in SUBFOLDERS)):
        for path in sorted(inside.iterdir()) if inside.is_dir() else ():
            if path.is_file() and path.suffix in READ:
                found += [str(path.relative_to(folder)), digest(path)]
    return sha256(*found)


def _commit(hub_id: str) -> str | None:
    """Of the snapshot that is in the local cache, or can be brought there."""
    try:
        return locate(hub_id, weights=False).name
    except BackboneError:
        return None  # the run says what is wrong

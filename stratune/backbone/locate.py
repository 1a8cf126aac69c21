"""From a backbone's id to a folder that transformers can open, and the error message when it cannot."""

from __future__ import annotations

from pathlib import Path

from stratune.backbone.embedded import EMBEDDED, embedded_path
from stratune.backbone.folder import INDEX, WEIGHTS, weight_files
from stratune.backbone.gguf import converted
from stratune.errors import BackboneError, boundary

# What is fetched from the hub beside weights: configurations, vocabularies, templates. No pickle and no code.
SMALL = ("*.json", "*.jinja", "*.txt", "*.model", "*.tiktoken")
FOLDERS = ("onnx/*", "openvino/*", "*/*.txt", "*/*.model")  # of other libraries


def source_of(backbone_id: str) -> Path:
    """The folder or GGUF file that an id names, if it is one; of a hub id the id as a path that is not there.

    Raises BackboneError when an embedded model's package is not installed.
    """
    return embedded_path(backbone_id) if backbone_id in EMBEDDED else Path(backbone_id)


def locate(backbone_id: str, revision: str | None = None, *, weights: bool = True) -> Path:
    """The folder that transformers reads. GGUF files are converted once into the cache folder, and what is on
    the hub is fetched into its cache.

    Raises BackboneError where there is none.
    """
    path = source_of(backbone_id)
    if path.suffix == ".gguf":
        if not path.is_file():
            raise BackboneError(f"{backbone_id}: no such file")
        return converted(path)
    if backbone_id in EMBEDDED or path.is_dir():
        return path
    if backbone_id.startswith((".", "/", "~")) or backbone_id.count("/") > 1:
        raise BackboneError(f"{backbone_id}: no such folder (embedded models: {', '.join(EMBEDDED)})")
    return _fetched(backbone_id, revision, weights)


def _fetched(backbone_id: str, revision: str | None, weights: bool) -> Path:
    """The hub's files in its cache: by name, so that nothing but safetensors and small texts is fetched."""
    from huggingface_hub import snapshot_download

    def fetch(patterns: tuple[str, ...]) -> Path:
        with boundary(lambda why: BackboneError(why_not(backbone_id, why))):
            return Path(
                snapshot_download(
                    backbone_id,
                    revision=revision,
                    allow_patterns=list(patterns),
                    ignore_patterns=list(FOLDERS),
                )
            )

    folder = fetch(SMALL)
    if weights:
        sharded = (folder / INDEX).is_file() and not (folder / WEIGHTS).is_file()
        fetch(weight_files(folder, backbone_id) if sharded else (WEIGHTS,))
    return folder


OFFLINE = ("connect", "offline", "outgoing traffic", "local disk", "resolve", "timed out")


def why_not(backbone_id: str, why: str) -> str:
    if any(word in why for word in OFFLINE):
        return (
            f"{backbone_id}: not in the local cache and the hub cannot be reached; "
            f"{' and '.join(EMBEDDED)} need no network, and neither does a local folder"
        )
    return f"{backbone_id}: cannot be loaded: {why}"

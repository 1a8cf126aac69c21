"""A backbone's folder, looked through before transformers opens it.

Weights are safetensors, in the files that their names say; a configuration cannot point to other files or to
code, and asks for no more memory than the weights explain.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

from stratune.errors import BackboneError, boundary, reason
from stratune.printable import middle_cut

WEIGHTS, INDEX = "model.safetensors", "model.safetensors.index.json"
PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl", "*.h5", "*.msgpack")
SAFETENSORS_HEADER = 100_000_000  # bytes; the format's own limit
JSON_BYTES = 200_000_000  # tokenizer.json of the largest vocabularies has some 30 MB

# Loops run over these numbers, so they are bounded before anything is built; the weights bound all sizes.
COUNTED = re.compile(
    r"layer|block|group|expert|head|stage|^num_|_num$|attention_window|kernel|labels", re.IGNORECASE
)
MOST_COUNTED = 100_000
MOST_LAYERS = 1_000
LAYERS = ("num_hidden_layers", "n_layer", "n_layers", "num_layers", "num_hidden_groups", "inner_group_num")
MOST = 2**40  # of any other number


def unloadable(backbone_id: str, why: str) -> BackboneError:
    return BackboneError(f"{backbone_id}: cannot be loaded: {why}")


@dataclass(frozen=True)
class Weights:
    """What the headers say: how many numbers there are in all files, and whether all are bfloat16."""

    files: tuple[str, ...]
    numbers: int
    bfloat16: bool


def check_config(folder: Path, backbone_id: str) -> None:
    """Raises BackboneError for a config.json that cannot be read, names code or files, or counts absurdly."""
    if (folder / "adapter_config.json").is_file():
        why = "it holds an adapter, not a model; merge it into its model first (peft: merge_and_unload)"
        raise unloadable(backbone_id, f"{why}")
    config = read_object(folder / "config.json", backbone_id)
    if "quantization_config" in config:
        why = "its weights are quantised; give the model that it was made of, or a GGUF file"
        raise unloadable(backbone_id, f"{why}")
    named = config.get("transformers_weights")
    if named not in (None, WEIGHTS, INDEX):
        raise unloadable(backbone_id, f"config.json names other weights ({named!r}); only {WEIGHTS} is read")
    for key, value in _leaves(config):
        if key.endswith("_implementation") and isinstance(value, str) and ("/" in value or ":" in value):
            why = f"config.json asks for code from elsewhere ({key}: {value!r})"
            raise unloadable(backbone_id, f"{why}")
        check_count(key, value, backbone_id)


def check_count(key: str, value: object, backbone_id: str) -> None:
    """Raises BackboneError for a number that no model has."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return
    most = MOST_LAYERS if key in LAYERS else MOST_COUNTED if COUNTED.search(key) else MOST
    if value != value or abs(value) > most:
        raise unloadable(
            backbone_id, f"config.json says {key}: {middle_cut(value, 24)}, and no model has that"
        )


def weights_of(folder: Path, backbone_id: str) -> Weights:
    """Raises BackboneError where there are no safetensors, or an index names other files."""
    files = weight_files(folder, backbone_id)
    numbers, formats = 0, set()
    for name in files:
        for key, value in _header(folder / name, backbone_id).items():
            if key == "__metadata__":
                continue
            shape = value.get("shape") if isinstance(value, Mapping) else None
            if not isinstance(shape, list) or not all(isinstance(n, int) and 0 <= n <= MOST for n in shape):
                raise unloadable(backbone_id, f"{name} is damaged (no shape of {key[:80]!r})")
            numbers += prod(shape)
            formats.add(value.get("dtype"))
    return Weights(files, numbers, bfloat16=formats == {"BF16"})


def weight_files(folder: Path, backbone_id: str) -> tuple[str, ...]:
    """Names of the files of weights, which are in the folder itself."""
    if (folder / WEIGHTS).is_file():
        return (WEIGHTS,)
    if not (folder / INDEX).is_file():
        raise unloadable(backbone_id, f"{_no_weights(folder)}")
    mapped = read_object(folder / INDEX, backbone_id).get("weight_map")
    names = sorted(set(map(str, mapped.values()))) if isinstance(mapped, Mapping) else []
    for name in names:
        if Path(name).name != name or not name.endswith(".safetensors"):
            raise unloadable(backbone_id, f"{INDEX} names {name!r}, no safetensors beside it")
    if not names:
        raise unloadable(backbone_id, f"{INDEX} names no files")
    return tuple(names)


def _no_weights(folder: Path) -> str:
    pickles = sorted(path.name for pattern in PICKLES for path in folder.glob(pattern))
    if not pickles:
        return f"there are no weights in it ({WEIGHTS})"
    return (
        f"its weights are a pickle ({pickles[0]}), which can run code and is not read; if you trust it, "
        "convert it to safetensors: AutoModel.from_pretrained(FOLDER).save_pretrained(NEW_FOLDER)"
    )


def _header(path: Path, backbone_id: str) -> dict[str, Any]:
    """The header of a safetensors file: 8 bytes of length, then JSON."""
    try:
        with path.open("rb") as stream:
            length = int.from_bytes(stream.read(8), "little")
            if length > min(SAFETENSORS_HEADER, path.stat().st_size):
                raise unloadable(backbone_id, f"{path.name} is damaged (shorter than its header)")
            content = stream.read(length)
    except OSError as error:
        raise unloadable(backbone_id, f"{path.name} cannot be read ({reason(error)})") from error
    return _parsed(content, path.name, backbone_id)


def read_object(path: Path, backbone_id: str) -> dict[str, Any]:
    """A JSON object in a file."""
    try:
        if path.stat().st_size > JSON_BYTES:
            raise unloadable(backbone_id, f"{path.name} is too large for JSON of a model")
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise unloadable(backbone_id, f"there is no {path.name} in it") from error
    except OSError as error:
        raise unloadable(backbone_id, f"{path.name} cannot be read ({reason(error)})") from error
    return _parsed(content, path.name, backbone_id)


def _parsed(content: bytes, name: str, backbone_id: str) -> dict[str, Any]:
    with boundary(lambda why: unloadable(backbone_id, f"{name} is damaged ({why})")):
        found = json.loads(content)
    if not isinstance(found, dict):
        raise unloadable(backbone_id, f"{name} is damaged (no JSON object)")
    return found


def _leaves(value: Any) -> Iterator[tuple[str, Any]]:
    """(key, value) of every value in nested JSON; those of a list under the list's key."""
    waiting: list[tuple[str, Any]] = [("", value)]
    while waiting:
        key, found = waiting.pop()
        if isinstance(found, dict):
            waiting.extend(found.items())
        elif isinstance(found, list):
            waiting.extend((key, inner) for inner in found)
        else:
            yield key, found

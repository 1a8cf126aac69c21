"""Arrays and a JSON state as files of a model folder."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from stratune.errors import ArtifactError

if TYPE_CHECKING:
    from numpy.typing import NDArray


def array_of(arrays: Mapping[str, NDArray[Any]], name: str, shape: tuple[int, ...]) -> NDArray[Any]:
    """A saved array. Raises ArtifactError unless there is one of this shape, of numbers."""
    found = arrays.get(name)
    if found is None or found.shape != shape or found.dtype.kind != "f":
        what = "there is none" if found is None else f"it has shape {found.shape}"
        raise ArtifactError(f"the array {name} should have shape {shape}: damaged ({what})")
    return found


def write_arrays(
    folder: Path, name: str, arrays: Mapping[str, NDArray[Any]], state: Mapping[str, Any]
) -> None:
    """`name`.safetensors and `name`.json."""
    from safetensors.numpy import save_file

    whole = {key: np.ascontiguousarray(array) for key, array in arrays.items()}
    save_file(whole, folder / f"{name}.safetensors")
    text = json.dumps(state, indent=2, ensure_ascii=False, allow_nan=False)
    (folder / f"{name}.json").write_text(text + "\n", encoding="utf-8")

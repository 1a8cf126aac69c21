"""The tensors of a net that are not its backbone's own, as files.

head.safetensors            the head
changed.safetensors         trained or added tensors inside the backbone (full, houlsby, prefix, ...)
around.safetensors          tensors of what is wrapped around the backbone (soft_prompt, p_tuning, yours)
adapter_config.json,        peft's own format (lora, ia3, ...): PeftModel.from_pretrained reads the folder
  adapter_model.safetensors

Which tensors there must be follows from the strategy in the manifest, and so do their shapes. peft's
configuration is written for others and never read here: it can name modules that peft would import.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from stratune.errors import ArtifactError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from stratune.net.net import Net


def write_net(net: Net, folder: Path) -> None:
    _write(dict(net.head.named_parameters()), folder / "head.safetensors")
    if is_peft(net):
        _write_peft(net, folder)
        return
    inside, around = net.added()
    _write(inside, folder / "changed.safetensors")
    _write(around, folder / "around.safetensors")


def read_net(net: Net, folder: Path, adapt: Callable[[Net], None]) -> None:
    """Load the files into a new net, after `adapt` has changed it as for training.

    Raises ArtifactError unless the files hold exactly the tensors that the strategy trains or adds.
    """
    adapt(net)
    if any(True for _ in net.head.parameters()):  # in format 1 a prompted model's file held its calibration
        arrays = _tensors(folder, "head")
        try:
            net.head.make_room({name: array.shape for name, array in arrays.items()})
        except ValueError as error:
            raise ArtifactError(f"{folder}: damaged ({error})") from error
        _load(dict(net.head.named_parameters()), arrays, folder)
    if is_peft(net):
        _load_peft(net, folder)
        return
    inside, around = net.added()
    soft = {f"prompt.{name}": array for name, array in _tensors(folder, "prompt").items()}  # format 1
    _load(inside, _tensors(folder, "changed"), folder)
    _load(around, _tensors(folder, "around") | soft, folder)


def _tensors(folder: Path, name: str) -> dict[str, NDArray[Any]]:
    """Nothing where there is no such file: then nothing of its kind may be missing."""
    path = folder / f"{name}.safetensors"
    return read_tensors(path) if path.is_file() else {}


def _load_peft(net: Net, folder: Path) -> None:
    from peft import get_peft_model_state_dict, set_peft_model_state_dict

    arrays = read_tensors(folder / "adapter_model.safetensors")
    _check(get_peft_model_state_dict(net.model, save_embedding_layers=False), arrays, folder)
    tensors = {name: torch.from_numpy(array.copy()) for name, array in arrays.items()}
    set_peft_model_state_dict(net.model, tensors)


def is_peft(net: Net) -> bool:
    """Whether the model folder is in peft's format."""
    from peft import PeftModel

    return isinstance(net.model, PeftModel)


def _write_peft(net: Net, folder: Path) -> None:
    for config in net.model.peft_config.values():
        config.base_model_name_or_path = net.backbone.id
        for name in ("target_modules", "feedforward_modules"):  # sets: sorted, so that files are reproducible
            if isinstance(getattr(config, name, None), set):
                setattr(config, name, sorted(getattr(config, name)))
    net.model.save_pretrained(folder, save_embedding_layers=False)
    (folder / "README.md").unlink(missing_ok=True)  # peft's empty model card


def _write(tensors: Mapping[str, Tensor], path: Path) -> None:
    from safetensors.torch import save_file

    if tensors:
        save_file({name: p.detach().cpu().contiguous() for name, p in tensors.items()}, path)


def _load(parameters: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]], folder: Path) -> None:
    """Raises ArtifactError unless names and shapes are those of `parameters`."""
    _check(parameters, arrays, folder)
    with torch.no_grad():
        for name, array in arrays.items():
            parameter = parameters[name]
            # A new tensor, because other models may share the backbone's.
            parameter.data = torch.from_numpy(array).to(parameter.device, torch.float32, copy=True)


def _check(wanted: Mapping[str, Any], found: Mapping[str, NDArray[Any]], folder: Path) -> None:
    for name in wanted:
        if name not in found:
            raise ArtifactError(f"{folder}: damaged (its files lack the tensor {name})")
    for name, array in found.items():
        shape = tuple(wanted[name].shape) if name in wanted else None
        if shape != array.shape:
            why = f"where its strategy has {shape}" if shape else "which its strategy does not train"
            raise ArtifactError(f"{folder}: tensor {name} {array.shape} does not fit this backbone, {why}")


def read_tensors(path: Path) -> dict[str, NDArray[Any]]:
    """Raises ArtifactError for a file that is missing or damaged, or has numbers that are none."""
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        arrays: dict[str, NDArray[Any]] = load_file(path)
    except FileNotFoundError as error:
        raise ArtifactError(f"{path}: missing") from error
    except (SafetensorError, OSError, ValueError, KeyError) as error:  # KeyError: a type numpy has not
        raise ArtifactError(f"{path}: damaged ({error})") from error
    for name, array in arrays.items():
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise ArtifactError(f"{path}: damaged (tensor {name} has NaN or infinite numbers)")
    return arrays


def shapes_in(folder: Path) -> list[list[int]]:
    """Shapes of all tensors in the files of a folder, of which the headers alone are read."""
    from safetensors import SafetensorError, safe_open

    found = []
    for path in sorted(folder.glob("*.safetensors")):
        try:
            with safe_open(path, framework="numpy") as tensors:
                found += [list(tensors.get_slice(name).get_shape()) for name in tensors.keys()]  # noqa: SIM118
        except (SafetensorError, OSError) as error:
            raise ArtifactError(f"{path}: damaged ({error})") from error
    return found


@contextmanager
def peft_unwarned() -> Iterator[None]:
    """Hide peft's warnings on a deprecated property of transformers and on LayerNorm targets."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*is_gradient_checkpointing", category=FutureWarning)
        warnings.filterwarnings("ignore", message="Unsupported layer type", category=UserWarning)
        yield

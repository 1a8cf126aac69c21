"""The tensors of a net that are not its backbone's own, as files.

head.safetensors            the head
changed.safetensors         trained or added tensors inside the backbone (full, houlsby, prefix, ...)
around.safetensors          tensors of what is wrapped around the backbone (soft_prompt, p_tuning, yours)
adapter_config.json,        peft's own format (lora, ia3, ...): PeftModel.from_pretrained reads the folder
  adapter_model.safetensors
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

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

    Raises ArtifactError when a tensor does not fit the net, or a file is missing or damaged.
    """
    files = {name: folder / f"{name}.safetensors" for name in ("head", "changed", "around", "prompt")}
    # In format 1 the file of a prompted model held its calibration; its head has no parameters.
    if files["head"].is_file() and dict(net.head.named_parameters()):
        load_tensors(net.head, read_tensors(files["head"]), folder)
    if (folder / "adapter_config.json").is_file():
        from peft import PeftModel

        with peft_unwarned():
            net.wrap(lambda model: PeftModel.from_pretrained(model, str(folder), is_trainable=True))
        return
    adapt(net)
    for name, module in (("changed", net.backbone.model), ("around", net.model)):
        if files[name].is_file():
            load_tensors(module, read_tensors(files[name]), folder)
    if files["prompt"].is_file():  # format 1: the soft prompt had a file of its own
        load_tensors(net.model.prompt, read_tensors(files["prompt"]), folder)


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


def load_tensors(module: nn.Module, tensors: Mapping[str, NDArray[Any]], folder: Path) -> None:
    """Raises ArtifactError for a tensor that the module lacks, or has in another shape."""
    parameters = dict(module.named_parameters())
    with torch.no_grad():
        for name, array in tensors.items():
            if name not in parameters or parameters[name].shape != array.shape:
                raise ArtifactError(f"{folder}: tensor {name} {array.shape} does not fit this backbone")
            parameter = parameters[name]
            # A new tensor, because other models may share the backbone's.
            parameter.data = torch.from_numpy(array).to(parameter.dtype).to(parameter.device, copy=True)
            # Every tensor in the files was trainable. Marked so again, it is written again by `save`.
            parameter.requires_grad_(True)


def read_tensors(path: Path) -> dict[str, NDArray[Any]]:
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        arrays: dict[str, NDArray[Any]] = load_file(path)
        return arrays
    except FileNotFoundError as error:
        raise ArtifactError(f"{path}: missing") from error
    except SafetensorError as error:
        raise ArtifactError(f"{path}: damaged ({error})") from error


@contextmanager
def peft_unwarned() -> Iterator[None]:
    """Hide peft's warnings on a deprecated property of transformers and on LayerNorm targets."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*is_gradient_checkpointing", category=FutureWarning)
        warnings.filterwarnings("ignore", message="Unsupported layer type", category=UserWarning)
        yield

"""The model folder: a manifest and only the tensors that changed. What is written is read back before it
counts.

stratune.json               task, strategy, backbone (id, revision, weight hash), limits, versions, scores
head.safetensors            the readout
changed.safetensors         tensors in the backbone that learned (full, ...) or were added (houlsby, prefix)
prompt.safetensors          the prompt, or what makes it (soft_prompt, p_tuning)
adapter_config.json,        peft's own format (lora and kin): PeftModel.from_pretrained reads the folder
  adapter_model.safetensors
floor.safetensors, .json    a floor's arrays and vocabularies
members/0, 1, ...           the model folders of an ensemble
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import torch

from stratune.backbone.load import load_backbone
from stratune.errors import ArtifactError
from stratune.files import read_json, replacing_folder
from stratune.model.baseline import BaselineModel
from stratune.model.ensemble import EnsembleModel
from stratune.model.net import NetModel
from stratune.net.net import Net
from stratune.predictor.predictor import Predictor
from stratune.remote.scorer import ServerModel, restore
from stratune.strategy import Strategy, parse_strategy
from stratune.strategy.adapters import peft_unwarned
from stratune.strategy.base import Combination
from stratune.task import Task
from stratune.tokens.tokens import TextLimit
from stratune.train.feed import Feed
from stratune.train.precision import resolve
from stratune.train.settings import TrainSettings
from stratune.version import versions

if TYPE_CHECKING:
    from numpy.typing import NDArray

T = TypeVar("T")
AnyScorer = NetModel | BaselineModel | EnsembleModel | ServerModel
FORMAT = 1
MANIFEST = "stratune.json"
TOLERANCE = 1e-4  # of reloaded logits (or a floor's probabilities), same device and precision
PROBES = (
    "A short sentence to compare two copies of one model.",
    "Nothing works as it should, and the ending was a disappointment from start to finish!",
)


def save(predictor: Predictor, folder: Path) -> Path:
    """Write, reload on a fresh backbone, compare; only then does `folder` appear. Raises ArtifactError if
    they differ.
    """
    with replacing_folder(folder) as temporary:
        _write(predictor.model, temporary)
        remote = {"remote": predictor.model.state()} if isinstance(predictor.model, ServerModel) else {}
        manifest = {
            "format": FORMAT,
            "task": predictor.task.to_dict(),
            **predictor.about,
            **remote,
            "versions": versions(),
        }
        manifest["files"] = {
            path.name: _digest(path) for path in sorted(temporary.iterdir()) if path.is_file()
        }
        _write_json(temporary / MANIFEST, manifest)
        _compare(predictor, load(temporary, device=_device_of(predictor)))
    return folder


def load(folder: Path, *, device: str | None = None) -> Predictor:
    """Read a model folder. Raises ArtifactError (not one, damaged, another backbone) or BackboneError (not
    to be had).
    """
    manifest = read_manifest(folder)
    _check_files(folder, manifest)
    task = Task.from_dict(manifest["task"])
    strategy = parse_strategy(manifest["strategy"])
    if isinstance(strategy, Combination):
        places = [place for place, _ in _members(folder, manifest["members"])]
        scorer: AnyScorer = EnsembleModel([load(place, device=device) for place in places])
    elif isinstance(strategy, Strategy) and "remote" in manifest:
        scorer = restore(strategy, task, manifest)
    elif isinstance(strategy, Strategy):
        with torch.random.fork_rng(devices=[]):  # heads and adapters draw a start that is then overwritten
            scorer = _read_net(folder, manifest, strategy, task, device)
    else:
        arrays, state = _read_tensors(folder / "floor.safetensors"), _read(folder / "floor.json")
        scorer = BaselineModel(
            strategy.restore(task, arrays, state), manifest.get("limit", {}).get("max_words")
        )
    about = {k: v for k, v in manifest.items() if k not in ("format", "task", "versions", "files")}
    return Predictor(task, scorer, about)


def read_manifest(folder: Path) -> dict[str, Any]:
    path = folder / MANIFEST
    if not path.is_file():
        what = (
            "no such folder" if not folder.is_dir() else f"no {MANIFEST} in it, so it is not a model folder"
        )
        near = (
            sorted(str(found.parent) for found in folder.glob(f"**/{MANIFEST}"))[:3]
            if folder.is_dir()
            else []
        )
        raise ArtifactError(f"{folder}: {what}" + (f" (did you mean {' or '.join(near)}?)" if near else ""))
    manifest = _read(path)
    found = manifest.get("format") if isinstance(manifest, dict) else None
    if found != FORMAT:
        raise ArtifactError(f"{path}: format {found!r}, but this stratune reads {FORMAT}")
    for key in ("task", "strategy", "backbone", "files"):
        if key not in manifest:
            raise ArtifactError(f"{path}: damaged (no {key!r})")
    return dict(manifest)


def _check_files(folder: Path, manifest: dict[str, Any]) -> None:
    """Every file that was written is there and whole: without its changed tensors a model would load, and
    be wrong.
    """
    for name, digest in manifest["files"].items():
        path = folder / name
        if not path.is_file():
            raise ArtifactError(f"{path}: missing")
        if _digest(path) != digest:
            raise ArtifactError(f"{path}: damaged (not the bytes that were saved)")


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


# -- writing


def _write(scorer: AnyScorer, folder: Path) -> None:
    if isinstance(scorer, ServerModel):
        return  # the prompt and the calibration are in the manifest; the weights are the server's
    if isinstance(scorer, NetModel):
        _write_net(scorer.net, folder)
    elif isinstance(scorer, BaselineModel):
        _write_floor(scorer, folder)
    else:
        for place, member in _members(folder, scorer.members):
            save(member, place)


def _members(folder: Path, members: Sequence[T]) -> Iterator[tuple[Path, T]]:
    """Where each member of an ensemble is kept, a model folder of its own."""
    return ((folder / "members" / str(number), member) for number, member in enumerate(members))


def _write_net(net: Net, folder: Path) -> None:
    from safetensors.torch import save_file

    save_file(_learned(net.head), folder / "head.safetensors")
    if net.prompt is not None:
        save_file(_learned(net.prompt), folder / "prompt.safetensors")
    if net.model is not net.backbone.model:
        for config in net.model.peft_config.values():
            config.base_model_name_or_path = net.backbone.id
            for name in ("target_modules", "feedforward_modules"):  # sets, which are written in any order
                if isinstance(getattr(config, name, None), set):
                    setattr(config, name, sorted(getattr(config, name)))
        net.model.save_pretrained(folder, save_embedding_layers=False)
        (folder / "README.md").unlink(missing_ok=True)  # peft's model-card template, unfilled
        return
    changed = _learned(net.backbone.model, only=True)
    if changed:
        save_file(changed, folder / "changed.safetensors")


def _learned(module: torch.nn.Module, only: bool = False) -> dict[str, torch.Tensor]:
    """Its parameters (`only`: those that learn) by name, as they are written."""
    return {
        name: p.detach().cpu().contiguous()
        for name, p in module.named_parameters()
        if p.requires_grad or not only
    }


def _write_floor(scorer: BaselineModel, folder: Path) -> None:
    from safetensors.numpy import save_file

    arrays, state = scorer.model.state()
    save_file(
        {name: np.ascontiguousarray(array) for name, array in arrays.items()}, folder / "floor.safetensors"
    )
    _write_json(folder / "floor.json", state)


def _write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8")


def _compare(predictor: Predictor, reloaded: Predictor) -> None:
    # A server has been asked about the sample before; what it has not been asked costs.
    probes = () if isinstance(predictor.model, ServerModel) else PROBES
    texts = [row["text"] for row in predictor.sample] + list(probes)
    pairs = None
    if predictor.task.text_pair:
        pairs = [row["text_pair"] for row in predictor.sample] + list(reversed(probes))
    before, after = _outputs(predictor, texts, pairs), _outputs(reloaded, texts, pairs)
    if not np.array_equal(np.isnan(before), np.isnan(after)):  # rows without an answer
        raise ArtifactError("the saved model does not reload to the same answers")
    if _reading(predictor) != _reading(reloaded):
        raise ArtifactError("the saved model does not reload to the same way to read its outputs")
    before, after = np.nan_to_num(before), np.nan_to_num(after)
    gap = float(np.abs(before - after).max())
    if not gap <= TOLERANCE * max(1.0, float(np.abs(before).max())):
        raise ArtifactError(
            f"the saved model does not reload to the same numbers: they differ by up to {gap:.2g}"
        )


def _outputs(predictor: Predictor, texts: list[str], pairs: list[str] | None) -> NDArray[Any]:
    """(N, outputs) logits; of a floor or an ensemble, what is said."""
    scorer = predictor.model
    if not isinstance(scorer, NetModel):
        return scorer(texts, pairs).predictions
    tokens = scorer.reader.tokens(texts, pairs)
    return scorer.logits(Feed(tokens, scorer.pad, by_document=scorer.net.by_document))


def _reading(predictor: Predictor) -> Any:
    """How logits become answers: unit, thresholds, what chunks say together."""
    scorer = predictor.model
    return (scorer.net.objective, scorer.net.aggregate) if isinstance(scorer, NetModel) else None


def _device_of(predictor: Predictor) -> str | None:
    scorer = predictor.model
    if isinstance(scorer, EnsembleModel):
        return next((device for member in scorer.members if (device := _device_of(member))), None)
    return str(scorer.device) if isinstance(scorer, NetModel) else None


# -- reading


def _read_net(
    folder: Path, manifest: dict[str, Any], strategy: Strategy, task: Task, device: str | None
) -> NetModel:
    wanted = manifest["backbone"]
    readout = strategy.readout
    backbone = load_backbone(wanted["id"], revision=wanted["revision"], language_model=readout.language_model)
    if backbone.weight_hash != wanted["weight_hash"]:
        raise ArtifactError(
            f"{folder}: it was trained on other weights of {wanted['id']} "
            f"({wanted['weight_hash'][:12]}, found {backbone.weight_hash[:12]})"
        )
    objective = readout.objective(task).restored(manifest.get("objective", {}))
    net = Net(backbone, readout, objective, seed=0)
    net.aggregate = readout.aggregate(task)
    if net.aggregate is not None:
        net.aggregate = replace(net.aggregate, **manifest["aggregate"])
    _load_tensors(net.head, _read_tensors(folder / "head.safetensors"), folder)
    if (folder / "adapter_config.json").is_file():
        from peft import PeftModel

        with peft_unwarned():
            net.model = PeftModel.from_pretrained(backbone.model, str(folder), is_trainable=True)
    else:
        strategy.tune.adapt(net)
        if (folder / "changed.safetensors").is_file():
            _load_tensors(backbone.model, _read_tensors(folder / "changed.safetensors"), folder)
        if net.prompt is not None:
            _load_tensors(net.prompt, _read_tensors(folder / "prompt.safetensors"), folder)
    where = torch.device(device or default_device())
    net.to(where).eval()
    precision = resolve("auto" if manifest["precision"] == "bfloat16" else "float32", where)
    micro_batches = TrainSettings().tokens_per_micro_batch(where.type)
    reader = readout.restored(backbone, task, TextLimit(**manifest["limit"]), manifest.get("prompt", {}))
    return readout.model(net, where, precision, micro_batches, reader)


def default_device() -> str:
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def _load_tensors(module: torch.nn.Module, tensors: dict[str, NDArray[Any]], folder: Path) -> None:
    parameters = dict(module.named_parameters())
    with torch.no_grad():
        for name, array in tensors.items():
            if name not in parameters or parameters[name].shape != array.shape:
                raise ArtifactError(f"{folder}: tensor {name} {array.shape} has no place in this backbone")
            parameters[name].copy_(torch.from_numpy(array))
            # Only what once learned is loaded, so that saving again writes the same tensors.
            parameters[name].requires_grad_(True)


def _read_tensors(path: Path) -> dict[str, NDArray[Any]]:
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        arrays: dict[str, NDArray[Any]] = load_file(path)
        return arrays
    except FileNotFoundError as error:
        raise ArtifactError(f"{path}: missing") from error
    except SafetensorError as error:
        raise ArtifactError(f"{path}: damaged ({error})") from error


def _read(path: Path) -> Any:
    try:
        return read_json(path)
    except FileNotFoundError as error:
        raise ArtifactError(f"{path}: missing") from error
    except ValueError as error:
        raise ArtifactError(f"{path}: damaged ({error})") from error

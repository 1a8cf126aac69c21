"""Models from model folders: one reader for each kind of model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from stratune.backbone.load import Backbone, load_backbone
from stratune.errors import ArtifactError
from stratune.files import read_json
from stratune.model.baseline import BaselineModel
from stratune.model.language import Calibration
from stratune.model.net_files import read_net, read_tensors
from stratune.net.net import Net
from stratune.prompt.shots import shown_by
from stratune.readout.base import by_chunks
from stratune.remote.address import is_remote
from stratune.remote.language_model import open_server
from stratune.remote.reader import remote_reader
from stratune.strategy import parse_strategy
from stratune.tokens.tokens import TextLimit
from stratune.train.runtime import runtime_of

if TYPE_CHECKING:
    from stratune.model.base import Model
    from stratune.task import Task


@dataclass(frozen=True)
class Source:
    """A model folder that is being read; `backbone`: a loaded one, to share."""

    folder: Path
    manifest: dict[str, Any]
    task: Task
    device: str | None = None
    backbone: Backbone | None = None

    @property
    def limit(self) -> TextLimit:
        return TextLimit(**self.manifest["limit"])


def read_local(source: Source) -> Model:
    """A net with a head, or a local prompted model. Raises ArtifactError when the backbone differs."""
    manifest, task = source.manifest, source.task
    strategy: Any = parse_strategy(manifest["strategy"])
    readout = strategy.readout
    backbone = _backbone(source, readout.language_model)
    objective = readout.objective(task).restored(manifest.get("objective", {}))
    with torch.random.fork_rng(devices=[]):  # initial values of heads and adapters, overwritten below
        net = Net(backbone, readout.head(backbone, objective, 0), objective)
        read_net(net, source.folder, strategy.tune.adapt)
    runtime = runtime_of(manifest["precision"], source.device)
    net.to(runtime.device).eval()
    reader = readout.restored(backbone, task, source.limit, manifest.get("prompt") or {})
    inner = readout.answering(net, runtime, reader)
    if readout.language_model:
        inner.calibration = _calibration(source)
    aggregate = readout.aggregate(task)
    if aggregate is not None:
        aggregate = replace(aggregate, **manifest["aggregate"])
    return by_chunks(inner, readout.chunker(backbone.tokenizer), aggregate)


def _backbone(source: Source, language_model: bool) -> Backbone:
    wanted = source.manifest["backbone"]
    if source.backbone is not None:
        backbone = source.backbone.sharing()
        if language_model and backbone.language_model is None:
            raise ArtifactError(f"{source.folder}: it needs the backbone's LM head, which was not loaded")
    else:
        backbone = load_backbone(wanted["id"], revision=wanted["revision"], language_model=language_model)
    if backbone.weight_hash != wanted["weight_hash"]:
        raise ArtifactError(
            f"{source.folder}: it was trained on other weights of {wanted['id']} "
            f"({wanted['weight_hash'][:12]}, found {backbone.weight_hash[:12]})"
        )
    return backbone


def _calibration(source: Source) -> Calibration:
    if "calibration" in source.manifest:
        return Calibration.from_dict(source.manifest["calibration"])
    kept = read_tensors(source.folder / "head.safetensors")  # format 1
    return Calibration(tuple(map(float, kept["bias"])), float(kept["scale"][0]))


def read_prompted(source: Source) -> Model:
    """A prompted language model: local, or on a server, of which only prompt and calibration are saved."""
    manifest, task = source.manifest, source.task
    address = manifest["backbone"]["id"]
    if not is_remote(address):
        return read_local(source)
    strategy: Any = parse_strategy(manifest["strategy"])
    readout = strategy.readout
    labels = readout.asked(task)
    reader = remote_reader(source.limit, labels, shown_by(manifest["prompt"], labels))
    kept = manifest["server"] if "server" in manifest else manifest["remote"]  # format 1
    server = open_server(address, way=kept["way"])
    objective = readout.objective(task).restored(manifest.get("objective", {}))
    inner = readout.prompted(server, reader, objective, manifest["seed"])
    inner.calibration = Calibration.from_dict(manifest.get("calibration", kept))
    aggregate = readout.aggregate(task)
    if aggregate is not None:
        aggregate = replace(aggregate, **manifest["aggregate"])
    return by_chunks(inner, readout.chunker(None), aggregate)


def read_baseline(source: Source) -> Model:
    baseline: Any = parse_strategy(source.manifest["strategy"])
    name = "baseline" if (source.folder / "baseline.json").is_file() else "floor"  # format 1
    arrays = read_tensors(source.folder / f"{name}.safetensors")
    fitted = baseline.restore(source.task, arrays, read_part(source.folder / f"{name}.json"))
    return BaselineModel(fitted, source.manifest.get("limit", {}).get("max_words"))


def read_part(path: Path) -> Any:
    """Raises ArtifactError for a file that is missing or damaged."""
    try:
        return read_json(path)
    except FileNotFoundError as error:
        raise ArtifactError(f"{path}: missing") from error
    except ValueError as error:
        raise ArtifactError(f"{path}: damaged ({error})") from error


READERS: dict[str, Callable[[Source], Model]] = {
    "net": read_local,
    "documents": read_local,
    "prompted": read_prompted,
    "baseline": read_baseline,
}


def kind_of(manifest: dict[str, Any]) -> str:
    """The kind of model; format 1 did not name it."""
    if "model" in manifest:
        return str(manifest["model"])
    if "members" in manifest and manifest["strategy"].get("preset") == "ensemble":
        return "ensemble"
    if manifest["backbone"] is None:
        return "baseline"
    return "net" if manifest["strategy"]["readout"]["kind"] == "head" else "prompted"

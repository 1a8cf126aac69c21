"""Models from model folders: one reader for each kind of model."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import torch

from stratune.backbone.family import PACKED
from stratune.backbone.load import Backbone, load_backbone
from stratune.backbone.tokenizer import LEAST, load_tokenizer
from stratune.errors import ArtifactError, ConfigError, choices
from stratune.model.baseline import BaselineModel
from stratune.model.language import Calibration
from stratune.model.net_files import read_net, read_tensors, shapes_in
from stratune.net.net import Net
from stratune.predictor.manifest import Manifest, read_object
from stratune.predictor.postprocess import objective_of
from stratune.printable import middle_cut
from stratune.prompt.shots import shown_by
from stratune.readout.base import by_chunks
from stratune.remote.address import is_remote
from stratune.remote.language_model import Asked, open_server
from stratune.remote.named import Servers
from stratune.remote.reader import remote_reader
from stratune.remote.request import Form
from stratune.remote.request_formats import Way
from stratune.remote.retry_policy import RetryPolicy
from stratune.remote.served import open_embeddings, served_backbone
from stratune.remote.tokenized_reader import TokenizedReader
from stratune.strategy.base import Baseline, Strategy
from stratune.tokens.tokens import TextLimit
from stratune.train.runtime import runtime_of

if TYPE_CHECKING:
    from stratune.longtext.aggregate import Aggregate
    from stratune.model.base import Model
    from stratune.objective import Objective
    from stratune.prompt.asking import Asking
    from stratune.readout.base import Readout
    from stratune.task import Task
    from stratune.train.runtime import Runtime


@dataclass(frozen=True)
class Source:
    """A model folder that is being read; `backbone`: a loaded one, to share."""

    folder: Path
    manifest: Manifest
    device: str | None = None
    backbone: Backbone | None = None
    servers: Servers = Servers()  # that the user named: no other is asked

    @property
    def task(self) -> Task:
        return self.manifest.task

    @property
    def limit(self) -> TextLimit:
        return TextLimit(**dict(self.manifest.need("limit")))

    @property
    def strategy(self) -> Any:
        """Raises ArtifactError for what is no strategy of a net or a language model."""
        return self.manifest.candidate_of(Strategy, f"strategy of a {self.manifest.kind}")

    @property
    def prompt(self) -> dict[str, Any]:
        part = self.manifest.fields.prompt
        return part.model_dump(exclude_unset=True) if part else {}

    def state(self, readout: Readout) -> dict[str, Any]:
        """What the readout's reader is restored of."""
        if readout.stored is None:
            return self.prompt
        arrays = read_tensors(self.folder / f"{readout.stored}.safetensors")
        return {**read_object(self.folder / f"{readout.stored}.json"), "arrays": arrays}

    def objective(self, readout: Readout) -> Objective:
        return readout.objective(self.task).restored(objective_of(self.manifest))

    def aggregate(self, readout: Readout) -> Aggregate | None:
        found = readout.aggregate(self.task)
        return None if found is None else replace(found, **dict(self.manifest.need("aggregate")))

    def calibration(self, labels: Sequence[str]) -> Calibration:
        part = self.manifest.calibration
        if part is None:  # format 1
            kept = read_tensors(self.folder / "head.safetensors")
            shapes = {name: array.shape for name, array in kept.items()}
            if shapes != {"bias": (len(labels),), "scale": (1,)}:
                raise self.manifest.damaged("head.safetensors holds no calibration")
            return Calibration(tuple(map(float, kept["bias"])), float(kept["scale"][0]))
        if len(part.bias) not in (0, len(labels)):
            raise self.manifest.damaged(f"calibration: {len(part.bias)} numbers of {len(labels)} labels")
        return Calibration(tuple(part.bias), part.scale)


def read_local(source: Source) -> Model:
    """A net with a head, or a local prompted model. Raises ArtifactError when the backbone differs."""
    manifest, task, strategy = source.manifest, source.task, source.strategy
    readout, limit = strategy.readout, source.limit
    if readout.language_model != (manifest.kind == "prompted"):
        raise manifest.damaged(f"readout {readout.kind} of a {manifest.kind}")
    check_options(strategy.tune, source)
    runtime = runtime_of(manifest.need("precision"), source.device)
    backbone = _backbone(source, readout.language_model, runtime)
    if limit.tokens(backbone) < LEAST:
        raise manifest.damaged(f"limit: {limit.tokens(backbone)} tokens have no room for a text")
    objective = source.objective(readout)
    with torch.random.fork_rng(devices=[]):  # initial values of heads and adapters, overwritten below
        net = Net(backbone, readout.head(backbone, objective, 0), objective)
        read_net(net, source.folder, strategy.tune.adapt)
    net.to(runtime.device).eval()
    net.casts.all_weights = True  # as they are from here on
    if readout.language_model and not source.prompt:
        raise manifest.damaged("no 'prompt'")
    reader = readout.restored(backbone, task, limit, source.state(readout))
    inner = readout.answering(net, runtime, reader)
    if readout.language_model:
        inner.calibration = source.calibration(readout.asked(task))
        if isinstance(manifest.fields.seed, int):
            inner.seed(manifest.fields.seed)
    return by_chunks(inner, readout.chunker(backbone.tokenizer), source.aggregate(readout))


FREE = 4096  # an option up to this asks for little memory
SEEDS = ("seed", "key", "prng")


def check_options(tune: Any, source: Source) -> None:
    """Raises ArtifactError for a rank or a length that no tensor of the folder has: it would be allocated."""
    longest = max((size for shape in shapes_in(source.folder) for size in shape), default=0)
    options = dataclasses.asdict(tune)
    options |= options.pop("options", {}) or {}
    for name, value in options.items():
        if isinstance(value, int) and value > max(FREE, longest) and not any(one in name for one in SEEDS):
            found = middle_cut(value, 24)
            raise source.manifest.damaged(f"strategy.{name}: {found}, and no tensor is that large")


def _backbone(source: Source, language_model: bool, runtime: Runtime) -> Backbone:
    wanted = source.manifest.need("backbone")
    if is_remote(wanted.id):
        return _served(source)
    if source.backbone is not None:
        backbone = source.backbone.sharing()
        if language_model and backbone.language_model is None:
            raise ArtifactError(f"{source.folder}: it needs the backbone's LM head, which was not loaded")
    else:
        held = wanted.held or "float32"
        how: dict[str, Any] = {"language_model": language_model, "weights": held, "device": runtime.device}
        backbone = load_backbone(wanted.id, revision=wanted.revision, **how)
    if backbone.held != wanted.held and {backbone.held, wanted.held} & set(PACKED):
        why = f"weights held in {wanted.held or 'float32'}, and the given backbone's are in {backbone.held}"
        raise ArtifactError(f"{source.folder}: it was trained on {why}")
    if backbone.weight_hash != wanted.weight_hash:
        raise ArtifactError(
            f"{source.folder}: it was trained on other weights of {wanted.id} "
            f"({str(wanted.weight_hash)[:12]}, found {backbone.weight_hash[:12]})"
        )
    return backbone


def _served(source: Source) -> Backbone:
    """A server whose vectors a head reads. Nothing is asked."""
    manifest = source.manifest
    part = manifest.need("server")
    largest = max((size for shape in shapes_in(source.folder) for size in shape), default=0)
    if part.width is None or part.width > largest:
        raise manifest.damaged(f"server.width: {part.width}, and no tensor is that wide")
    embed = open_embeddings(
        manifest.need("backbone").id,
        source.servers,
        policy_of(manifest),
        extra=part.extra,
        dimensions=part.dimensions,
        width=part.width,
        where=str(source.folder),
    )
    return served_backbone(manifest.need("backbone").id, embed)


def read_prompted(source: Source) -> Model:
    """A prompted language model: local, or on a server, of which only prompt and calibration are saved."""
    manifest, task = source.manifest, source.task
    address = manifest.need("backbone").id
    if not is_remote(address):
        return read_local(source)
    readout = source.strategy.readout
    if not readout.language_model:
        raise manifest.damaged(f"readout {readout.kind} of a {manifest.kind}")
    labels = readout.asked(task)
    manifest.need("prompt")
    part = manifest.fields.server
    tokenizer = part.tokenizer if part else None
    reader: Asking = remote_reader(source.limit, labels, shown_by(source.prompt, labels))
    if tokenizer is not None:
        known = load_tokenizer(tokenizer)
        reader = TokenizedReader(readout.restored(known, task, source.limit, source.prompt))
    server = open_server(
        address,
        source.servers,
        policy_of(manifest),
        asked_of(manifest),
        extra=part.extra if part else None,
        tokenizer=tokenizer,
        where=str(source.folder),
    )
    seed = manifest.need("seed")
    if not isinstance(seed, int):
        raise manifest.damaged(f"seed: {seed!r} is no number")
    inner = readout.prompted(server, reader, source.objective(readout), seed)
    inner.calibration = source.calibration(labels)
    return by_chunks(inner, readout.chunker(None), source.aggregate(readout))


def asked_of(manifest: Manifest) -> Asked:
    """How the server is asked: as the model was made, in no other way."""
    way: Any = manifest.way
    part = manifest.fields.server
    form: Any = part.form if part else None
    for name, value, known in (("way", way, get_args(Way)), ("form", form, get_args(Form))):
        if value not in (None, *known):
            raise manifest.damaged(f"server.{name} {choices(value, known)}")
    return Asked(way, form, part.room if part else 0)


def policy_of(manifest: Manifest) -> RetryPolicy | None:
    """Rate and patience that the model was made with; None: a folder that does not say."""
    part = manifest.fields.server
    if part is None or part.retry_policy is None:
        return None
    try:
        return RetryPolicy(**part.retry_policy)
    except (TypeError, ConfigError) as error:
        raise manifest.damaged(f"server.retry_policy: {error}") from error


def read_baseline(source: Source) -> Model:
    found: Baseline = source.manifest.candidate_of(Baseline, "baseline")  # type: ignore[type-abstract]
    name = "baseline" if (source.folder / "baseline.json").is_file() else "floor"  # format 1
    arrays = read_tensors(source.folder / f"{name}.safetensors")
    fitted = found.restore(source.task, arrays, read_object(source.folder / f"{name}.json"))
    limit = source.manifest.fields.limit
    return BaselineModel(fitted, limit.max_words if limit else None)


READERS: dict[str, Callable[[Source], Model]] = {
    "net": read_local,
    "documents": read_local,
    "prompted": read_prompted,
    "baseline": read_baseline,
}

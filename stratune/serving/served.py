"""Which models a server has, by name: loaded once, on shared backbones where their weights are the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stratune.backbone.load import Backbone, load_backbone
from stratune.comparison.board import Board
from stratune.errors import ConfigError, choices
from stratune.model.documents import DocumentModel
from stratune.model.net import NetModel
from stratune.model.prompted import PromptedModel
from stratune.ownership import MARKER
from stratune.predictor.manifest import Manifest, read_manifest
from stratune.predictor.model_folder import ENSEMBLES
from stratune.predictor.predictor import Predictor
from stratune.remote.address import is_remote
from stratune.report.tables import name as name_of
from stratune.serving.refusals import Refused
from stratune.strategy.base import Strategy
from stratune.train.runtime import runtime_of

ON_A_BACKBONE = (NetModel.kind, DocumentModel.kind, PromptedModel.kind)
Key = tuple[str, str | None, str | None, str]  # a backbone: id, revision, digest of its weights, how held


@dataclass(frozen=True)
class ServedModel:
    """A model and what others may know of it: its folder is not among that."""

    name: str
    predictor: Predictor
    shares: tuple[str, ...] = ()  # names of the others on the same backbone

    @property
    def about(self) -> dict[str, Any]:
        """For /v1/models."""
        task, about = self.predictor.task, self.predictor.about
        strategy, backbone = about.get("strategy") or {}, about.get("backbone") or {}
        named = backbone.get("id")
        return {
            "id": self.name,
            "object": "model",
            "owned_by": "stratune",
            "kind": task.kind,
            "labels": list(self.predictor.labels),
            "columns": [one for one in (task.text, task.text_pair) if one is not None],
            "pairs": task.text_pair is not None,
            "transcripts": self.predictor.reads_transcripts,
            "strategy": strategy.get("name") or strategy.get("preset"),
            # the folder of a backbone, or the address of a server, is nobody's business
            "backbone": None if named is None else "a server" if is_remote(named) else Path(named).name,
            "paid": self.predictor.model.paid,  # by the text, to a server
            "precision": self.predictor.model.precision,
            "shares_backbone_with": list(self.shares),
        }


@dataclass(frozen=True)
class Served:
    """`models` by name; the first answers where a request names none."""

    models: Mapping[str, ServedModel] = field(default_factory=dict)

    def get(self, name: str | None) -> ServedModel:
        """Raises Refused (404) for a name that none has."""
        if name is None:
            return next(iter(self.models.values()))
        if name not in self.models:
            raise Refused(404, f"model: {choices(name, self.models)}")
        return self.models[name]

    @classmethod
    def load(
        cls, folders: Mapping[str, Path], *, device: str | None = None, allow_server: Sequence[str] = ()
    ) -> Served:
        """Of each model folder a model. Raises what `Predictor.load` raises."""
        keys = {name: _backbone_of(read_manifest(folder), folder) for name, folder in folders.items()}
        several = {key for key, count in Counter(keys.values()).items() if count > 1 and key is not None}
        loaded: dict[Key, Backbone] = {}
        models = {}
        for name, folder in folders.items():
            key = keys[name]
            if key in several and key not in loaded:
                loaded[key] = _load(key, folder, device)
            backbone = None if key is None else loaded.get(key)
            found = Predictor.load(folder, device=device, backbone=backbone, allow_server=allow_server)
            others = tuple(n for n in folders if n != name and keys[n] == key) if backbone else ()
            models[name] = ServedModel(name, found, others)
        return cls(models)


def _backbone_of(manifest: Manifest, folder: Path) -> Key | None:
    """The backbone in a model's memory; None for a model without one, or with several."""
    if manifest.kind in ENSEMBLES:
        found = {
            _backbone_of(read_manifest(place), place)
            for place in (folder / "members" / str(k) for k in range(len(manifest.need("members"))))
        }
        return found.pop() if len(found) == 1 else None
    part = manifest.fields.backbone
    if part is None or is_remote(part.id) or manifest.kind not in ON_A_BACKBONE:
        return None
    return part.id, part.revision, part.weight_hash, part.held or "float32"


def _load(key: Key, folder: Path, device: str | None) -> Backbone:
    """For several models: one with an LM head where they read it, as the digest of their weights says."""
    identifier, revision, _, held = key
    while (manifest := read_manifest(folder)).kind in ENSEMBLES:
        folder = folder / "members" / "0"
    strategy: Strategy = manifest.candidate_of(Strategy, "strategy with a backbone")
    runtime = runtime_of(manifest.need("precision"), device)
    how: dict[str, Any] = {"weights": held, "device": runtime.device}
    return load_backbone(identifier, revision=revision, language_model=strategy.readout.language_model, **how)


# -- which folders


def folders_of(places: Iterable[str], strategies: Sequence[str] = (), every: bool = False) -> dict[str, Path]:
    """Name -> model folder, of comparisons and model folders, each of which may be given a name: `mood=OUT`.

    `strategies`: rows of the comparisons; `every`: all of them; neither: the winner.
    Raises ConfigError for a name that two would have, ArtifactError for what is no such folder.
    """
    found: dict[str, Path] = {}
    for place in places:
        for name, folder in _of_place(place, strategies, every):
            if name in found:
                why = f"two models are called {name!r}; give one of them another name: NAME={place}"
                raise ConfigError(why, key="OUT")
            found[name] = folder
    return found


def _of_place(place: str, strategies: Sequence[str], every: bool) -> list[tuple[str, Path]]:
    named, equals, path = place.partition("=")
    if not equals or Path(place).exists():
        named, path = "", place
    folder = Path(path)
    if not any((folder / name).is_file() for name in (MARKER, "leaderboard.json")):
        if strategies or every:
            option = "--strategy" if strategies else "--all"
            raise ConfigError(f"{folder} is not the folder of a comparison, which has rows", key=option)
        own = folder.resolve()
        return [(named or (own.parent if own.name == "model" else own).name, folder)]
    board = Board.load(folder)
    rows: list[str | None] = [*strategies] or [None]
    if every:
        rows = [name_of(row) for row in board.rows if row["status"] == "ok"]
    runs = [board.model_folder(row) for row in rows]
    if named and len(runs) > 1:
        raise ConfigError(f"{len(runs)} models cannot have one name, {named!r}", key="OUT")
    return [(named or run.parent.name, run) for run in runs]
